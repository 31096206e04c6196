"""The command line: exit codes, checks, and what is printed."""
import os
import pty
import re
import select
import signal
import socket
import subprocess
import tempfile
import time

import pytest

from harness import Daemon, RefusingPort, Upstream, binary, clean_environment, routes, run

SECRETS = {"OPENAI_API_KEY_CONFIG": '{"sk-0123456789abcdefghij": [0]}', "FORWARD_KEY_CONFIG": '{"fk-0123456789abcdefghij": 0}',
           "PROXY": "http://me:pass-0123456789@127.0.0.1:9"}


def test_version():
    result = run("--version")
    assert result.returncode == 0 and re.search(r"\d+\.\d+\.\d+", result.stdout)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["check", "--help"], ["gen-config", "--help"],
                                       ["health", "--help"], ["convert", "--help"]])
def test_help(arguments):
    result = run(*arguments)
    assert result.returncode == 0 and len(result.stdout) > 40 and result.stderr == ""


def test_help_names_the_commands():
    text = run("--help").stdout
    assert all(name in text for name in ("run", "check", "gen-config", "health", "convert"))


@pytest.mark.parametrize("arguments", [["--port", "many"], ["--port", "70000"], ["--port", "-1"], ["--workers", "0"],
                                       ["--workers", "x"]])
def test_a_wrong_value_of_a_flag_names_the_flag(arguments):
    result = run("run", "--host", "127.0.0.1", *arguments)
    assert result.returncode in (64, 78), result
    assert arguments[0] in result.stderr


@pytest.mark.parametrize("arguments", [["--no-such-flag"], ["no-such-command"], ["run", "--no-such-flag"], ["check", "stray"]])
def test_wrong_usage_is_64(arguments):
    result = run(*arguments)
    assert result.returncode == 64, result
    assert result.stderr and "--help" in result.stdout + result.stderr


def test_port_in_use_is_69():
    with RefusingPort() as port:
        port.sock.listen(1)
        result = run("run", "--host", "127.0.0.1", "--port", str(port.port))
        assert result.returncode == 69, result
        assert str(port.port) in result.stderr


def test_address_that_is_not_ours_is_69():
    assert run("run", "--host", "192.0.2.1", "--port", "0").returncode == 69


# --- check ---

def test_check_of_a_good_configuration():
    result = run("check", env={"FORWARD_CONFIG": routes(("/", "https://api.test.example"), ("/local", "http://127.0.0.1:9")),
                               **SECRETS})
    assert result.returncode == 0, result
    assert "https://api.test.example" in result.stdout and "/local" in result.stdout
    for secret in ("0123456789abcdefghij", "pass-0123456789"):
        assert secret not in result.stdout + result.stderr


def test_check_of_nothing_is_the_defaults():
    result = run("check")
    assert result.returncode == 0 and "https://api.openai.com" in result.stdout


WRONG = {
    "FORWARD_CONFIG": '[{"base_url": "ftp://a.example", "route": "/", "type": "openai"}]',
    "OPENAI_API_KEY_CONFIG": "{not json", "FORWARD_KEY_CONFIG": '{"fk": "x y"}', "LEVEL_MODELS": "[1]",
    "REQ_RATE_LIMIT": '{"/": "100/fortnight"}', "GLOBAL_RATE_LIMIT": "many", "RATE_LIMIT_STRATEGY": "no-window",
    "REQ_RATE_LIMIT_BACKEND": "memcached://a", "TOKEN_RATE_LIMIT": '{"/": "0/second"}', "ITER_CHUNK_TYPE": "two-by-two",
    "CACHE_OPENAI": "perhaps", "CACHE_GENERAL": "2", "CACHE_ROUTES": "{}", "CACHE_BACKEND": "ROCKS",
    "DEFAULT_REQUEST_CACHING_VALUE": "maybe", "CUSTOM_MODEL_CONFIG": '{"backend": "other"}', "LOG_OPENAI": "sometimes",
    "LOG_GENERAL": "x", "PRINT_CHAT": "x", "IP_WHITELIST": "10.0.0.1/99", "IP_BLACKLIST": "300.1.1.1",
    "TRUSTED_PROXIES": "nobody", "PROXY": "socks5://a:1", "TIMEOUT": "-1", "FIRST_BYTE_TIMEOUT": "soon",
    "IDLE_TIMEOUT": "0", "CLIENT_TIMEOUT": "x", "DRAIN_TIMEOUT": "-5", "DEFAULT_STREAM_RESPONSE": "x", "BENCHMARK_MODE": "x",
    "MAX_BODY_BYTES": "huge", "MAX_BUFFERED_BODY_BYTES": "-1", "FORWARD_CLIENT_IP": "x", "MAX_CONNECTIONS": "x",
    "CORS_ORIGINS": "not an origin", "PROXY_PROTOCOL": "v2", "CACHE_TTL": "1h", "CACHE_MAX_BYTES": "1KiB",
    "CACHE_MAX_ENTRY_BYTES": "0", "CACHE_REPLAY": "x", "CACHE_SINGLE_FLIGHT": "x", "ADMIN_SOCKET": "/" + "x" * 107,
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_each_wrong_value_is_78_and_named(name):
    result = run("check", env={name: WRONG[name]})
    assert result.returncode == 78, result
    lines = [line for line in result.stderr.splitlines() if name in line]
    assert lines, result.stderr
    assert "environment" in " ".join(lines)


def test_all_errors_are_told_at_once():
    result = run("check", env=WRONG)
    assert result.returncode == 78
    missing = [name for name in WRONG if name not in result.stderr]
    assert not missing, missing


def test_run_with_wrong_values_is_78_too():
    result = run("run", "--host", "127.0.0.1", "--port", "0", env={"TIMEOUT": "x", "PROXY": "socks5://a:1"})
    assert result.returncode == 78 and "TIMEOUT" in result.stderr and "PROXY" in result.stderr


def test_the_source_of_a_wrong_value_is_named():
    result = run("check", files={".env": "TIMEOUT=soon\n"})
    assert result.returncode == 78 and "TIMEOUT" in result.stderr and ".env" in result.stderr


@pytest.mark.parametrize("name, value", [
    ("FORWARD_CONFIG", '[{"base_url":"http://a","route":"/"},{"base_url":"http://b","route":"/"}]'),
    ("FORWARD_CONFIG", '[{"base_url":"http://a","route":"/x"},{"base_url":"http://b","route":"/x/"}]'),
    ("FORWARD_CONFIG", '[{"base_url":"http://user:secret-pass@a","route":"/"}]'),
    ("FORWARD_CONFIG", '[{"base_url":"http://a?x=1","route":"/"}]'), ("FORWARD_CONFIG", '[{"base_url":"a","route":"/"}]'),
    ("FORWARD_CONFIG", '[{"base_url":"http://a:99999","route":"/"}]'), ("FORWARD_CONFIG", '[{"route":"/"}]'),
    ("FORWARD_CONFIG", '[{"base_url":"http://a","route":"/","type":"other"}]'), ("FORWARD_CONFIG", '{"a":1}'),
    ("FORWARD_CONFIG", '[{"base_url":"http://a/../b","route":"/"}]'), ("FORWARD_CONFIG", "[" * 100000),
])
def test_wrong_routes_are_told(name, value):
    result = run("check", env={name: value})
    assert result.returncode == 78 and name in result.stderr
    assert "secret-pass" not in result.stderr


def test_tls_files_are_both_or_neither(tmp_path):
    key = tmp_path / "key.pem"
    key.write_text("not a key")
    for env in ({"ssl_keyfile": str(key)}, {"ssl_certfile": str(key)},
                {"ssl_keyfile": str(tmp_path / "none"), "ssl_certfile": str(tmp_path / "none")}):
        assert run("check", env=env).returncode == 78, env


def test_near_spelling_is_a_warning():
    result = run("check", files={".env": "FORWARD_CONFG=[]\nUNRELATED=1\n"})
    assert result.returncode == 0
    text = result.stdout + result.stderr
    assert "FORWARD_CONFG" in text and "FORWARD_CONFIG" in text and "UNRELATED" not in text


def test_config_file_that_is_not_there_is_78():
    assert run("check", "--config", "/nonexistent/file.yaml").returncode == 78
    assert run("check", "--env-file", "/nonexistent/.env").returncode == 78


# --- Sources and their order ---

def dotenv_with(upstream, extra: str = "") -> str:
    return f"FORWARD_CONFIG='{routes(('/', upstream.url))}'\n{extra}"


def test_dotenv_in_the_working_directory():
    dotenv = ('# comment\nexport FORWARD_KEY_CONFIG=\'{\n  "fk-a": 0\n}\'\nOPENAI_API_KEY_CONFIG="{\\"sk-a\\": [0]}" # more\n'
              "\nTIMEOUT = 3\n")
    with Upstream() as upstream, Daemon(dotenv=dotenv_with(upstream, dotenv)) as daemon:
        assert daemon.ask("GET", "/v1/x", [("Authorization", "Bearer fk-a")]).status == 200
        assert upstream.requests[0].get("authorization") == "Bearer sk-a"


def test_environment_comes_before_dotenv():
    with Upstream() as first, Upstream() as second, Daemon(
            {"FORWARD_CONFIG": routes(("/", first.url))}, dotenv=dotenv_with(second)) as daemon:
        assert daemon.ask("GET", "/v1/x").status == 200
        assert len(first.requests) == 1 and second.requests == []


def test_yaml_and_dotenv_over_it():
    yaml = "forward:\n  - base_url: {}\n    route: /\n    type: openai\n"
    with Upstream() as first, Upstream() as second:
        with Daemon(yaml=yaml.format(first.url)) as daemon:
            assert daemon.ask("GET", "/v1/x").status == 200
        assert len(first.requests) == 1
        with Daemon(yaml=yaml.format(first.url), dotenv=dotenv_with(second)) as daemon:
            assert daemon.ask("GET", "/v1/x").status == 200
        assert len(first.requests) == 1 and len(second.requests) == 1


# --- gen-config ---

def test_gen_config_writes_what_check_accepts(tmp_path):
    for command in ("gen-config", "gen_config"):
        directory = tmp_path / command
        directory.mkdir()
        assert run(command, str(directory)).returncode == 0
        content = (directory / ".env").read_text()
        assert "FORWARD_CONFIG" in content and "#" in content
        assert run("check", cwd=str(directory)).returncode == 0


def test_gen_config_does_not_overwrite(tmp_path):
    (tmp_path / ".env").write_text("MINE=1\n")
    result = run("gen-config", str(tmp_path))
    assert result.returncode != 0 and "--force" in result.stderr
    assert (tmp_path / ".env").read_text() == "MINE=1\n"
    assert run("gen-config", str(tmp_path), "--force").returncode == 0
    assert "FORWARD_CONFIG" in (tmp_path / ".env").read_text()


# --- health ---

def test_health_asks_a_running_daemon():
    with Daemon() as daemon:
        assert run("health", "--url", daemon.url + "/healthz").returncode == 0
        port = daemon.port
    assert run("health", "--url", f"http://127.0.0.1:{port}/healthz").returncode == 1


def test_health_of_another_server_is_1():
    with Upstream() as upstream:
        upstream.otherwise = [lambda connection: connection.abandon()]
        assert run("health", "--url", upstream.url + "/healthz").returncode == 1


def test_health_of_a_daemon_that_says_nothing_is_1():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        result = run("health", "--url", f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert result.returncode == 1 and "timed out" in result.stderr, result


# --- Output ---

def test_plain_lines_when_not_on_a_terminal():
    with Daemon(SECRETS) as daemon:
        daemon.ask("GET", "/healthz")
    text = daemon.output()
    assert "\x1b" not in text
    assert not re.search("[\u2500-\u257f]", text)
    assert "0123456789abcdefghij" not in text and "pass-0123456789" not in text


def test_boxes_on_a_terminal():
    master, slave = pty.openpty()
    with tempfile.TemporaryDirectory() as directory:
        process = subprocess.Popen([binary(), "run", "--host", "127.0.0.1", "--port", "0"], cwd=directory, stdin=slave,
                                   stdout=slave, stderr=slave, env={**clean_environment(), "TERM": "xterm-256color"})
        os.close(slave)
        text, deadline = b"", time.monotonic() + 30
        while b"istening on" not in text and time.monotonic() < deadline:
            if select.select([master], [], [], 1)[0]:
                try:
                    text += os.read(master, 65536)
                except OSError:
                    break
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    text += os.read(master, 65536)
                except OSError:
                    break
        assert process.wait(30) == 0
        os.close(master)
    assert re.search("[\u2500-\u257f]", text.decode(errors="replace")), text


def test_demo_serves_without_an_account():
    with Daemon(args=["--demo"]) as daemon:
        response = daemon.ask("POST", "/v1/chat/completions", [("Content-Type", "application/json")],
                              b'{"model":"demo","stream":true,"messages":[{"role":"user","content":"hi"}]}')
        assert response.status == 200 and response.ended == "complete"
        assert b"data: " in response.body and b"[DONE]" in response.body
