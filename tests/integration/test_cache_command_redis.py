"""`aifd cache` of answers in Redis: over the daemon's socket or directly, and where the server cannot be used."""
import json

import pytest

from harness import Daemon, Redis, eventually, run

KEY = f"{7:064x}"


@pytest.fixture
def redis():
    with Redis() as redis:
        yield redis


def settings(url, **more):
    return {"CACHE_OPENAI": "true", "CACHE_BACKEND": "REDIS", "CACHE_ROOT_PATH_OR_URL": url, "ADMIN_SOCKET": "off", **more}


def cache(*arguments, url, **more):
    return run("cache", *arguments, env=settings(url, **more))


def place_of(redis, credentials=""):
    return f"Redis at redis://{credentials}127.0.0.1:{redis.port}"


def fill(redis, count):
    """Answers that are none, from key 7 on."""
    for number in range(7, 7 + count):
        redis.ask("SET", f"aifd:cache:1:{number:064x}", "x")
    redis.ask("SET", "aifd:limit:x", "1")


def test_it_is_asked_directly(redis):
    fill(redis, 1100)
    result = cache("stat", url=redis.url)
    assert result.returncode == 0 and result.stderr == "", result
    rows = dict(line.split(None, 1) for line in result.stdout.splitlines())
    assert rows == {"store": place_of(redis), "entries": "1100", "size": "unknown"}
    assert json.loads(cache("stat", "--json", url=redis.url).stdout) == {
        "store": place_of(redis), "entries": 1100, "bytes": None, "max_bytes": None, "trouble": None}
    result = cache("clear", url=redis.url)
    assert result.returncode == 0 and result.stdout == f"Cleared {place_of(redis)}: 1100 answers\n", result
    assert redis.ask("KEYS", "*") == ["aifd:limit:x"]
    result = cache("get", "1" * 64, url=redis.url)
    assert result.returncode == 1 and result.stderr == f"aifd: {place_of(redis)} has no answer of this key\n", result


def test_a_damaged_answer_is_told_of(redis):
    fill(redis, 1)
    result = cache("get", KEY, url=redis.url)
    assert result.returncode == 1 and result.stdout == "", result
    warning, error = result.stderr.splitlines()
    assert warning.startswith("aifd: warning: ") and "damaged" in warning and "has no answer of this key" in error


def test_the_daemon_is_asked_where_one_answers(redis, tmp_path):
    place = {"ADMIN_SOCKET": str(tmp_path / "a.sock")}
    fill(redis, 3)
    with Daemon(settings(redis.url, **place)) as daemon:
        eventually(lambda: [line for line in daemon.stderr if "the admin socket" in line], "the socket")
        result = cache("stat", url=redis.url, **place)
        assert result.returncode == 0 and "entries  3\n" in result.stdout and "misses" in result.stdout, result
        assert cache("clear", url=redis.url, **place).stdout == f"Cleared {place_of(redis)}: 3 answers\n"
        assert not any("not act on it" in line for line in daemon.stderr)
        # Without its socket, the store itself.
        result = cache("stat", url=redis.url)
        assert result.returncode == 0 and "entries  0\n" in result.stdout and "misses" not in result.stdout, result


def test_a_daemon_tells_what_is_wrong(redis, tmp_path):
    place = {"ADMIN_SOCKET": str(tmp_path / "a.sock")}
    with Daemon(settings(redis.url, **place)):
        redis.kill()
        eventually(lambda: "trouble  Connection refused\n" in cache("stat", url=redis.url, **place).stdout, "its trouble")
        for arguments in (("clear",), ("get", KEY)):
            result = cache(*arguments, url=redis.url, **place)
            assert result.returncode == 1 and result.stdout == "", result
            assert result.stderr == f"aifd: {place_of(redis)} cannot be used at the moment: Connection refused\n"
        assert "entries  unknown\n" in cache("stat", url=redis.url, **place).stdout


COMMANDS = pytest.mark.parametrize("arguments", [("stat",), ("clear",), ("get", KEY)], ids=["stat", "clear", "get"])


@COMMANDS
def test_nobody_listens(arguments):
    with Redis() as redis:
        pass
    result = cache(*arguments, url=redis.url)
    assert result.returncode == 1 and result.stdout == "", result
    assert result.stderr == f"aifd: {place_of(redis)} cannot be used at the moment: Connection refused\n"


@COMMANDS
def test_a_wrong_password_is_not_shown(arguments):
    with Redis("right") as redis:
        result = cache(*arguments, url=redis.url_of("wr0ng"))
    assert result.returncode == 1 and result.stdout == "" and "wr0ng" not in result.stderr, result
    assert result.stderr == (f"aifd: {place_of(redis, ':***@')} cannot be used at the moment: "
                             "it does not accept the user or password: WRONGPASS\n")


def test_a_server_that_cannot_be_cleared(redis):
    fill(redis, 1)
    redis.ask("CONFIG", "SET", "min-replicas-to-write", "1")
    result = cache("clear", url=redis.url)
    assert result.returncode == 1 and result.stdout == "" and ": NOREPLICAS" in result.stderr, result
    assert result.stderr.count("\n") == 1


def test_a_frozen_server(redis):
    redis.freeze()
    try:
        result = cache("stat", url=redis.url)
    finally:
        redis.thaw()
    assert result.returncode == 1 and "within 5000 ms" in result.stderr and result.stderr.count("\n") == 1, result
