"""`aifd cache` on real answers, in every store: with the access log's key it gives what callers were given, stat counts
and clear empties."""
import json

import pytest

from harness import CHAT, CacheUpstream, Redis, caching, chat_of, eventually, fresh, post, run, state

every_store = pytest.mark.parametrize("store", ["MEMORY", "LMDB", "LevelDB", "REDIS"], indirect=True)
lasting = pytest.mark.parametrize("store", ["LMDB", "LevelDB", "REDIS"], indirect=True)


@pytest.fixture
def upstream():
    with CacheUpstream() as upstream:
        yield upstream


@pytest.fixture
def store(request, tmp_path):
    """The settings of a store of its own, and of the socket."""
    settings = {"CACHE_BACKEND": request.param, "ADMIN_SOCKET": str(tmp_path / "a.sock"),
                "ACCESS_LOG": str(tmp_path / "access.log")}
    if request.param == "REDIS":
        with Redis() as redis:
            yield {**settings, "CACHE_ROOT_PATH_OR_URL": redis.url, "REDIS_TIMEOUT": "5"}
    else:
        yield {**settings, "CACHE_ROOT_PATH_OR_URL": str(tmp_path / "cache")}


def daemon_of(upstream, store):
    return caching(upstream, **store)


def cache(store, *arguments, code=0):
    result = run("cache", *arguments, env=store)
    assert result.returncode == code, result
    assert code != 0 or result.stderr == "", result
    return result


def stat(store):
    return json.loads(cache(store, "stat", "--json").stdout)


def count_of(store, count):
    """As far as the store counts: LevelDB would have to read all of it."""
    return None if store["CACHE_BACKEND"] == "LevelDB" else count


def cleared(store, count):
    text = cache(store, "clear").stdout
    counted = "" if count_of(store, count) is None else f": {count} answer{'' if count == 1 else 's'}"
    assert text.startswith("Cleared ") and text.endswith(counted + "\n"), text


def access_lines(store, count):
    """The log's lines of chats once there are so many."""
    def lines():
        with open(store["ACCESS_LOG"]) as log:
            found = [json.loads(line) for line in log if line.endswith("\n")]
        found = [line for line in found if line["path"] == CHAT]
        return len(found) >= count and found
    return eventually(lines, f"{count} lines in the access log")


def ask_until_kept(daemon, body):
    """Asks for it until it is a hit: the miss's answer and the hit's."""
    first = post(daemon, body)
    assert state(first) == "miss" and first.status == 200
    return first, eventually(lambda: [hit for hit in [post(daemon, body)] if state(hit) == "hit"], "it is kept")[0]


def key_of_hit(store):
    lines = eventually(lambda: [line for line in access_lines(store, 2) if line["cache"] == "hit"], "the hit's line")
    return lines[-1]["cache_key"]


def head_of(text):
    lines = text.partition("\n\n")[0].split("\n")
    return lines[0], {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}


def check_get(store, key, told):
    """The command gives the very answer."""
    assert cache(store, "get", key, "--body").stdout.encode() == told.body
    whole = cache(store, "get", key).stdout
    status, fields = head_of(whole)
    assert status == "HTTP/1.1 200 OK" and whole.partition("\n\n")[2].encode() == told.body
    assert fields["content-type"] == told.get("content-type")
    assert fields["x-aifd-expires"] == "never" and fields["x-aifd-stored"].endswith("Z")
    assert cache(store, "get", key.upper(), "--body").stdout.encode() == told.body


@every_store
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_of_a_running_daemon(upstream, store, stream):
    with daemon_of(upstream, store) as daemon:
        body = chat_of(fresh(), stream=stream)
        told, again = ask_until_kept(daemon, body)
        assert again.body == told.body or len(upstream.requests) > 1
        key = key_of_hit(store)
        lines = access_lines(store, 2)
        assert {line["cache_key"] for line in lines} == {key} and lines[0]["cache"] == "miss"
        check_get(store, key, again)
        found = stat(store)
        assert found["entries"] == count_of(store, 1) and found["hits"] >= 1 and found["misses"] >= 1 and found["trouble"] is None
        cleared(store, 1)
        eventually(lambda: stat(store)["entries"] == count_of(store, 0), "it is empty")
        cache(store, "get", key, code=1)
        assert state(post(daemon, body)) == "miss"


@lasting
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_where_no_daemon_runs(upstream, store, stream):
    body = chat_of(fresh(), stream=stream)
    with daemon_of(upstream, store) as daemon:
        _, told = ask_until_kept(daemon, body)
        key = key_of_hit(store)
    check_get(store, key, told)
    found = stat(store)
    assert found["entries"] == count_of(store, 1) and found["trouble"] is None and "hits" not in found
    assert (found["bytes"] is None) == (store["CACHE_BACKEND"] == "REDIS")
    with daemon_of(upstream, store) as daemon:  # which finds the store as it was
        assert state(post(daemon, body)) == "hit"
    cleared(store, 1)
    assert stat(store)["entries"] == count_of(store, 0)
    assert "has no answer of this key" in cache(store, "get", key, code=1).stderr
    with daemon_of(upstream, store) as daemon:
        assert state(post(daemon, body)) == "miss"


@every_store
def test_many(upstream, store):
    with daemon_of(upstream, store) as daemon:
        for _ in range(5):
            ask_until_kept(daemon, chat_of(fresh()))
        assert stat(store)["entries"] == count_of(store, 5)
        cleared(store, 5)


@every_store
def test_the_key_is_of_what_was_asked(upstream, store):
    """Forms of one request have one key, others another; what the cache has no part in has none."""
    with daemon_of(upstream, store) as daemon:
        for body in (chat_of("one"), chat_of("one", stream=True), chat_of("two"), chat_of("one", caching=False)):
            post(daemon, body)
        post(daemon, chat_of("one"), [("Cache-Control", "no-store")])
        one, streamed, two, *without = access_lines(store, 5)
        assert one["cache_key"] == streamed["cache_key"] != two["cache_key"]
        assert len(one["cache_key"]) == 64 and not any("cache_key" in line for line in without)
