"""Answers in a Redis server: shared by many daemons, and missed while it is away, broken or full."""
import time

import pytest

from harness import (CacheUpstream, Redis, bearer, caching, chat_of, eventually, fresh, post, state, states)

QUICK = "0.2"


@pytest.fixture
def upstream():
    with CacheUpstream() as upstream:
        yield upstream


@pytest.fixture
def redis():
    with Redis() as redis:
        yield redis


def with_redis(upstream, redis, timeout="5", **settings):
    return caching(upstream, CACHE_BACKEND="REDIS", CACHE_ROOT_PATH_OR_URL=redis.url, REDIS_TIMEOUT=timeout, **settings)


def becomes_hit(daemon, body, fields=()):
    return eventually(lambda: [answer for answer in [post(daemon, body, fields)] if state(answer) == "hit"], "it is kept")[0]


def keys(redis):
    return [key for key in redis.ask("KEYS", "*") if "cache" in key]


def complaints(daemon):
    return [line for line in list(daemon.stderr) if " warning " in line or " error " in line]


@pytest.mark.parametrize("stream", [False, True])
def test_daemons_share(redis, upstream, stream):
    with with_redis(upstream, redis) as first, with_redis(upstream, redis) as second:
        body = chat_of("one", stream=stream)
        told = post(first, body)
        assert state(told) == "miss"
        eventually(lambda: keys(redis), "it is kept")
        again = post(second, body)
        assert state(again) == "hit" and again.body == told.body
        assert state(post(second, chat_of("one", stream=not stream))) == "hit"
        assert complaints(first) == complaints(second) == []
    assert len(upstream.requests) == 1


def test_it_names_neither_keys_nor_questions(redis, upstream):
    with with_redis(upstream, redis) as daemon:
        upstream.filling = "filled "
        post(daemon, chat_of("Geheimnis", user="alice-the-user"), bearer("sk-in-plain-sight"))
        eventually(lambda: keys(redis), "it is kept")
        stored = str(redis.everything())
        assert "sk-in-plain-sight" not in stored and "alice-the-user" not in stored
        assert all("Geheimnis" not in key for key in keys(redis))


def test_a_time_to_live_is_the_servers(redis, upstream):
    with with_redis(upstream, redis, CACHE_TTL="1000") as daemon:
        becomes_hit(daemon, chat_of("one"))
        assert [0 < redis.ask("TTL", key) <= 1001 for key in keys(redis)] == [True]
    with with_redis(upstream, redis) as daemon:
        becomes_hit(daemon, chat_of("two"))
        assert -1 in [redis.ask("TTL", key) for key in keys(redis)]


@pytest.mark.parametrize("damage", [
    lambda redis, key: redis.ask("SET", key, "garbage"), lambda redis, key: redis.ask("SET", key, ""),
    lambda redis, key: redis.ask("APPEND", key, "x"), lambda redis, key: redis.ask("SETRANGE", key, "150", "XXXX"),
    lambda redis, key: (redis.ask("DEL", key), redis.ask("LPUSH", key, "a")),
    lambda redis, key: (redis.ask("DEL", key), redis.ask("HSET", key, "a", "b")),
])
def test_a_damaged_value_is_a_miss_and_is_replaced(redis, upstream, damage):
    with with_redis(upstream, redis) as daemon:
        body = chat_of("one")
        told = becomes_hit(daemon, body)
        damage(redis, keys(redis)[0])
        anew = post(daemon, body)
        assert state(anew) == "miss" and anew.status == 200 and anew.body != told.body
        assert becomes_hit(daemon, body).body
        assert len(complaints(daemon)) <= 1


def test_values_changed_about_are_misses(redis, upstream):
    """Whoever copies one answer to another's key gets no one a wrong answer."""
    with with_redis(upstream, redis) as daemon:
        one, two = chat_of("one"), chat_of("two")
        becomes_hit(daemon, one)
        [of_one] = keys(redis)
        becomes_hit(daemon, two)
        [of_two] = [key for key in keys(redis) if key != of_one]
        redis.ask("RENAME", of_one, of_two)
        answer = post(daemon, two)
        assert state(answer) == "miss" and b"two" in answer.body


def test_a_large_value_that_is_none_of_ours(redis, upstream):
    with with_redis(upstream, redis) as daemon:
        becomes_hit(daemon, chat_of("one"))
        [key] = keys(redis)
        redis.ask("SETRANGE", key, str(100 << 20), "x")
        before = daemon.peak_memory()
        assert states(daemon, [chat_of("one")]) == ["miss"]
        assert daemon.peak_memory() - before < 96 << 20


def test_large_answers(redis, upstream):
    upstream.filling = "x" * (6 << 20)
    with with_redis(upstream, redis) as daemon:
        told = post(daemon, chat_of("one"))
        again = becomes_hit(daemon, chat_of("one"))
        assert len(again.body) > 6 << 20 and again.ended == "complete"
        assert again.body == told.body or len(upstream.requests) > 1


def test_away_and_back(redis, upstream):
    with with_redis(upstream, redis, QUICK) as daemon:
        becomes_hit(daemon, chat_of("one"))
        redis.kill()
        for _ in range(20):
            assert states(daemon, [chat_of("one")]) == ["miss"]
        assert len(complaints(daemon)) == 1, complaints(daemon)
        redis.start()
        becomes_hit(daemon, chat_of("one"))


def test_never_there(upstream):
    with Redis() as redis:
        pass
    with with_redis(upstream, redis, QUICK) as daemon:
        assert states(daemon, [chat_of("one")] * 5) == ["miss"] * 5
        eventually(lambda: complaints(daemon), "a line about it")


def test_frozen(redis, upstream):
    """Each answer may wait for it a little, and none for long."""
    with with_redis(upstream, redis, QUICK) as daemon:
        becomes_hit(daemon, chat_of("one"))
        redis.freeze()
        try:
            begun = time.monotonic()
            for _ in range(10):
                assert states(daemon, [chat_of(fresh())]) == ["miss"]
            assert time.monotonic() - begun < 25
            daemon.signal()
            assert daemon.wait(30) == 0
        finally:
            redis.thaw()


def test_full(redis, upstream):
    redis.ask("CONFIG", "SET", "maxmemory", "3mb")
    upstream.filling = "x" * 200_000
    with with_redis(upstream, redis) as daemon:
        prompts = [fresh() for _ in range(30)]
        told = {prompt: post(daemon, chat_of(prompt)) for prompt in prompts}
        for prompt in prompts:
            answer = post(daemon, chat_of(prompt))
            assert answer.status == 200
            assert state(answer) == "miss" or answer.body == told[prompt].body
        assert len(complaints(daemon)) <= 2, complaints(daemon)


def test_it_serves_limits_and_answers_at_once(redis, upstream):
    with with_redis(upstream, redis, REQ_RATE_LIMIT='{"/v1/chat":"3/hour"}', REQ_RATE_LIMIT_BACKEND=redis.url) as daemon:
        statuses = [post(daemon, chat_of("one")).status for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
