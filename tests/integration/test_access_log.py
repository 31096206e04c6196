"""One JSON line for each exchange; every abnormal end has a name."""
import json
import os
import resource
import signal
import stat
import time

import pytest

from harness import (SSE_HEAD, Cut, Daemon, RefusingPort, Upstream, answer, chunk, cut, event, eventually, expect_request,
                     hold, routes, send)


def lines_of(text):
    return [json.loads(line) for line in text if line.startswith("{")]


def exchanges(daemon):
    """What the log says of every request but the harness's own."""
    return [line for line in lines_of(daemon.stdout) if line.get("msg") == "request" and line["path"] != "/healthz"]


def wait_for_lines(daemon, count):
    eventually(lambda: len(exchanges(daemon)) >= count, f"{count} lines")
    return exchanges(daemon)


@pytest.fixture
def upstream():
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def daemon(upstream):
    with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "FIRST_BYTE_TIMEOUT": "1", "CLIENT_TIMEOUT": "1"}) as daemon:
        yield daemon


def test_a_good_exchange(daemon, upstream):
    upstream.script(expect_request(), send(answer(fields=[("x-request-id", "req_up")], body=b"hello")))
    daemon.ask("POST", "/v1/chat/completions?a=b", body=b"{}")
    line = wait_for_lines(daemon, 1)[0]
    assert line["method"] == "POST" and line["path"].startswith("/v1/chat/completions")
    assert line["status"] == 200 and line["client_ip"] == "127.0.0.1" and line["route"] == "/"
    assert line["bytes_in"] == 2 and line["bytes_out"] == 5
    assert line["request_id"] and line["dur_ms"] >= 0 and "req_up" in json.dumps(line)


def leave(daemon):
    with daemon.client() as client:
        client.request("POST", "/v1/x", body=b"{}").read_head()


def ask_and_expect_a_cut(daemon):
    with daemon.client() as client:
        try:
            assert client.ask("POST", "/v1/x", body=b"{}").ended == "cut"
        except Cut:
            pass


def send_garbage(daemon):
    with daemon.client() as client:
        client.send(b"garbage\r\n\r\n")
        client.reader.to_end()


def send_slowly(daemon):
    with daemon.client() as client:
        client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
        client.reader.to_end()


ENDS = {  # (steps of the upstream, what the client does, who ended it)
    "upstream cut the stream": ([send(SSE_HEAD + chunk(event("x"))), cut()], ask_and_expect_a_cut, "upstream"),
    "upstream cut before an answer": ([cut()], lambda daemon: daemon.ask("POST", "/v1/x", body=b"{}"), "upstream"),
    "upstream answered garbage": ([send(b"nonsense\r\n\r\n"), cut()], lambda daemon: daemon.ask("POST", "/v1/x", body=b"{}"),
                                  "upstream"),
    "upstream was silent": ([hold()], lambda daemon: daemon.ask("POST", "/v1/x", body=b"{}"), "upstream"),
    "client left": ([send(SSE_HEAD + chunk(event("x"))), hold()], leave, "client"),
    "client sent garbage": ([], send_garbage, "client"),
    "client was slow": ([], send_slowly, "client"),
}


@pytest.mark.parametrize("name", sorted(ENDS))
def test_an_abnormal_end_has_a_name(daemon, upstream, name):
    steps, act, ended_by = ENDS[name]
    if steps:
        upstream.script(expect_request(), *steps)
    act(daemon)
    line = wait_for_lines(daemon, 1)[0]
    assert line["ended_by"] == ended_by, line
    assert line["error"] and line["phase"], line
    assert len(exchanges(daemon)) == 1


def test_a_refused_connect_has_a_name():
    with RefusingPort() as port, Daemon({"FORWARD_CONFIG": routes(("/", port.url))}) as daemon:
        daemon.ask("POST", "/v1/x", body=b"{}")
        line = wait_for_lines(daemon, 1)[0]
        assert line["error"] == "upstream_unreachable" and line["status"] == 502


def test_a_refused_connect_of_a_shared_call_is_told_as_any():
    settings = {"CACHE_OPENAI": "true", "DEFAULT_REQUEST_CACHING_VALUE": "true"}
    with RefusingPort() as port, Daemon({"FORWARD_CONFIG": routes(("/", port.url)), **settings}) as daemon:
        body = b'{"model":"m","messages":[]}'
        daemon.ask("POST", "/v1/chat/completions", [("Content-Type", "application/json")], body)
        daemon.ask("POST", "/v1/moderations", [("Content-Type", "application/json")], body)
        shared, plain = wait_for_lines(daemon, 2)
        assert shared["cache"] == "miss" and "cache" not in plain
        for name in ("error", "status", "phase", "attempts"):
            assert shared[name] == plain[name], name


def test_nothing_can_be_forged_into_it(daemon, upstream):
    daemon.ask("GET", '/v1/"},{"msg":"forged%0A{%22a%22:1}', [("X-Request-Id", 'a"},{"b')])
    daemon.ask("GET", "/v1/x", [("User-Agent", 'evil"\\u0000\xff\xfe')])
    assert len(wait_for_lines(daemon, 2)) == 2


def test_off_and_to_a_file(upstream, tmp_path):
    path = tmp_path / "access.log"
    with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "ACCESS_LOG": "off"}) as daemon:
        daemon.ask("GET", "/v1/x")
    assert exchanges(daemon) == []
    with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "ACCESS_LOG": str(path)}) as daemon:
        daemon.ask("GET", "/v1/x")
    assert exchanges(daemon) == []
    written = [line for line in lines_of(path.read_text().splitlines()) if line["path"] == "/v1/x"]
    assert len(written) == 1
    assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0


def test_a_named_pipe_need_not_be_read_yet(upstream, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "ACCESS_LOG": str(path)}) as daemon:
        assert daemon.ask("GET", "/v1/x").status == 200
        with open(path) as pipe:
            while '"/v1/x"' not in pipe.readline():
                pass
            daemon.signal(signal.SIGUSR1)
            assert daemon.ask("GET", "/v1/y").status == 200
            while '"/v1/y"' not in pipe.readline():
                pass


def test_a_file_at_its_size_limit_does_not_end_the_daemon(upstream, tmp_path):
    path = tmp_path / "access.log"
    with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "ACCESS_LOG": str(path)}) as daemon:
        assert daemon.ask("GET", "/v1/models").status == 200
        eventually(lambda: "/v1/models" in path.read_text(), "the request's line")
        size = path.stat().st_size
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        for _ in range(20):  # long enough for the writer, which gathers lines, to try
            assert daemon.ask("GET", "/v1/models").status == 200
            time.sleep(0.05)
        assert path.stat().st_size == size
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)

        def told():
            daemon.ask("GET", "/v1/models")
            return any("takes lines again" in line for line in daemon.stderr)
        eventually(told, "a word about the lines that were lost")
