"""CACHE_REPLAY: how fast a kept stream is told. Only how long it takes at least is measured."""
import json
import time

import pytest

from harness import (CHAT, JSON, LAST_CHUNK, SSE_HEAD, CacheUpstream, caching, chat_of, chunk, event, expect_request, post,
                     send, state)
from harness.openai_answers import chat_answer, chat_chunks, chunks_of

PARTS = [event(json.dumps(part)) for part in chat_chunks(chat_answer("refusal", 1, "x", "m"), False)][:4]
FINISH = event(json.dumps({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                           "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
EVENTS = [*PARTS, FINISH]  # five, and [DONE]
DONE = event("[DONE]")
STREAM = b"".join(EVENTS) + DONE
HARDLY_EVER = json.dumps({CHAT: "1/minute"})  # a stream paced by it would outlast any patience
TEN_A_SECOND = json.dumps({CHAT: "10/second"})


@pytest.fixture
def upstream():
    with CacheUpstream() as upstream:
        yield upstream


def slowly(gap):
    def step(connection):
        for data in EVENTS[:-1]:
            connection.sock.sendall(chunk(data))
            time.sleep(gap)
        connection.sock.sendall(chunk(EVENTS[-1] + DONE) + LAST_CHUNK)
    return step


def record(daemon, upstream, prompt, gap=0.0):
    upstream.script(expect_request(), send(SSE_HEAD), slowly(gap))
    response = post(daemon, chat_of(prompt, stream=True))
    assert state(response) == "miss" and response.body == STREAM


def replay(daemon, prompt):
    """The seconds a hit takes, and its body."""
    with daemon.client() as client:
        begun = time.monotonic()
        response = client.ask("POST", CHAT, JSON, chat_of(prompt, stream=True))
    assert state(response) == "hit" and response.ended == "complete"
    return time.monotonic() - begun, response.body


def test_paced(upstream):
    with caching(upstream, CACHE_REPLAY="paced", TOKEN_RATE_LIMIT=TEN_A_SECOND) as daemon:
        record(daemon, upstream, "one")
        seconds, body = replay(daemon, "one")
        assert body == STREAM and seconds >= 0.35
        assert state(post(daemon, chat_of("two"))) == "miss"
        seconds, body = replay(daemon, "two")
        assert seconds >= (len(chunks_of(body)) - 2) / 10, "a converted answer is paced as well"


def test_original(upstream):
    with caching(upstream, CACHE_REPLAY="original") as daemon:
        record(daemon, upstream, "one", gap=0.2)
        for _ in range(2):
            seconds, body = replay(daemon, "one")
            assert body == STREAM and seconds >= 0.35
        record(daemon, upstream, "two")
        assert replay(daemon, "two")[1] == STREAM


@pytest.mark.parametrize("replay_setting", [{}, {"CACHE_REPLAY": "instant"}, {"CACHE_REPLAY": "original"}])
def test_a_converted_answer_is_told_at_once(upstream, replay_setting):
    """TOKEN_RATE_LIMIT would make it last for minutes."""
    with caching(upstream, TOKEN_RATE_LIMIT=HARDLY_EVER, **replay_setting) as daemon:
        assert state(post(daemon, chat_of("one"))) == "miss"
        assert len(chunks_of(replay(daemon, "one")[1])) > 3


@pytest.mark.parametrize("replay_setting", [{}, {"CACHE_REPLAY": "instant"}])
def test_a_recorded_stream_is_told_at_once(upstream, replay_setting, tmp_path):
    """Recorded by a daemon that paces nothing; replayed by one that would take minutes."""
    kept = {"CACHE_BACKEND": "LMDB", "CACHE_ROOT_PATH_OR_URL": str(tmp_path / "cache")}
    with caching(upstream, **kept) as daemon:
        record(daemon, upstream, "one")
        assert replay(daemon, "one")[1] == STREAM
    with caching(upstream, TOKEN_RATE_LIMIT=HARDLY_EVER, **kept, **replay_setting) as daemon:
        assert replay(daemon, "one")[1] == STREAM
    assert len(upstream.requests) == 1


def test_whole_answers_are_never_slowed(upstream):
    with caching(upstream, CACHE_REPLAY="paced", TOKEN_RATE_LIMIT=HARDLY_EVER) as daemon:
        first, again = post(daemon, chat_of("one")), post(daemon, chat_of("one"))
        assert [state(first), state(again)] == ["miss", "hit"] and first.body == again.body


def test_a_caller_who_leaves_a_slow_replay_costs_nobody(upstream):
    with caching(upstream, CACHE_REPLAY="paced", TOKEN_RATE_LIMIT=HARDLY_EVER) as daemon:
        assert state(post(daemon, chat_of("one"))) == "miss"
        clients = [daemon.client() for _ in range(20)]
        for client in clients:
            client.request("POST", CHAT, JSON, chat_of("one", stream=True)).read_head()
            assert client.body.take(5) == b"data:"
            client.close()
        assert state(post(daemon, chat_of("one"))) == "hit"
