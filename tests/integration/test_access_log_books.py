"""What the access log tells of models, tokens, times and ends, and what Server-Timing tells the client."""
import json
import threading
import time

import pytest

from harness import (CHAT, EMBEDDINGS, JSON, LAST_CHUNK, MESSAGES, SSE_HEAD, Cut, ModelUpstream, RefusingPort, access_lines,
                     chat_of, chunk, cut, event, eventually, expect_request, hold, logged, ok, post, send, wait)

DELAY = 0.5  # of an upstream or a client that takes its time; the bounds are far from it


@pytest.fixture
def upstream():
    with ModelUpstream() as upstream:
        yield upstream


@pytest.fixture
def daemon(upstream):
    with logged(upstream) as daemon:
        yield daemon


def lines(daemon, count=1):
    eventually(lambda: len(access_lines(daemon)) >= count, f"{count} lines")
    return access_lines(daemon)


def test_models_and_tokens(daemon):
    post(daemon, chat_of("q", "gpt-x"))
    post(daemon, chat_of("q", "gpt-x", stream=True, stream_options={"include_usage": True}))
    post(daemon, json.dumps({"model": "m", "input": ["one", "two"]}).encode(), target=EMBEDDINGS)
    post(daemon, json.dumps({"model": "claude", "messages": [{"role": "user", "content": "q"}]}).encode(), target=MESSAGES)
    whole, streamed, embedding, message = lines(daemon, 4)
    assert (whole["model"], whole["stream"], whole["tokens_in"], whole["tokens_out"]) == ("gpt-x", False, 9, 12)
    assert (streamed["model"], streamed["stream"], streamed["tokens_in"], streamed["tokens_out"]) == ("gpt-x", True, 9, 12)
    assert embedding["tokens_in"] == 6 and embedding["model"].startswith("m") and embedding.get("tokens_out", 0) == 0
    assert message["tokens_out"] == 15 and message["tokens_in"] in (25, 28) and message["model"].startswith("claude")


def test_what_is_not_known_is_not_told(daemon):
    daemon.ask("GET", "/v1/models")
    line = lines(daemon)[0]
    for name in ("model", "tokens_in", "tokens_out", "abort", "error", "cache"):
        assert name not in line, name


def leave(daemon, after_head=True):
    with daemon.client() as client:
        client.request("POST", CHAT, JSON, chat_of("q", stream=True))
        if after_head:
            client.read_head()
        else:
            eventually(lambda: daemon.upstream.requests, "the request")


def ask_for_a_cut(daemon):
    with daemon.client() as client:
        try:
            client.ask("POST", CHAT, JSON, chat_of("q", stream=True))
        except Cut:
            pass


ABORTS = {
    "client_stream": ([send(SSE_HEAD + chunk(event("{}"))), hold()], leave),
    "client_wait_head": ([hold()], lambda daemon: leave(daemon, False)),
    "upstream_stream": ([send(SSE_HEAD + chunk(event("{}"))), cut()], ask_for_a_cut),
}


@pytest.mark.parametrize("abort", sorted(ABORTS))
def test_each_abnormal_end_has_a_name(daemon, upstream, abort):
    steps, act = ABORTS[abort]
    daemon.upstream = upstream
    upstream.script(expect_request(), *steps)
    act(daemon)
    line = lines(daemon)[0]
    assert line["abort"] == abort and line["abort"] == f"{line['ended_by']}_{line['phase']}" and line["error"], line


def test_what_was_answered_here_was_not_aborted(daemon, upstream):
    """Though the upstream ended it: the client has a whole answer, of aifd's."""
    upstream.script(expect_request(), cut())
    assert post(daemon, chat_of("q")).status == 502
    line = lines(daemon)[0]
    assert line["ended_by"] == "upstream" and line["error"] and "abort" not in line


def test_retries_are_counted():
    with RefusingPort() as port, logged(port) as daemon:
        assert post(daemon, chat_of("q")).status == 502
        line = lines(daemon)[0]
        assert line["attempts"] > 1 and line["retries"] == line["attempts"] - 1


def test_a_good_end_has_no_abort_and_no_retries(daemon):
    post(daemon, chat_of("q"))
    line = lines(daemon)[0]
    assert "abort" not in line and line.get("retries", 0) == 0 and 0 < line["upstream_ms"] <= line["dur_ms"] + 1


# --- Server-Timing ---

def timing(response):
    """Milliseconds by name, of aifd's own field."""
    found = [value for value in response.all("server-timing") if value.startswith("aifd;")]
    assert len(found) == 1, response.fields
    return {name: float(value.removeprefix("dur=")) for name, value in
            (item.strip().split(";") for item in found[0].split(","))}


def pause(connection):
    time.sleep(DELAY)


def test_answers_tell_what_time_aifd_took(daemon, upstream):
    told = timing(post(daemon, chat_of("q")))
    assert set(told) == {"aifd", "upstream"} and min(told.values()) > 0
    assert set(timing(daemon.ask("GET", "/v1/models"))) == {"aifd", "upstream"}
    upstream.script(expect_request(), send(SSE_HEAD + chunk(event("{}")) + LAST_CHUNK))
    assert set(timing(post(daemon, chat_of("q", stream=True)))) == {"aifd", "upstream"}


def test_an_upstreams_time_is_not_aifds(daemon, upstream):
    upstream.script(expect_request(), pause, send(ok(b"{}", "application/json")))
    told = timing(post(daemon, chat_of("q")))
    assert told["upstream"] >= DELAY * 900 and told["aifd"] < DELAY * 500, told
    line = lines(daemon)[0]
    assert line["upstream_ms"] >= DELAY * 900 and line["dur_ms"] >= DELAY * 900


@pytest.mark.parametrize("target", [CHAT, "/v1/files"])
def test_a_slow_upload_is_not_aifds_time(daemon, target):
    """Whether the body is read before it is sent on, or passed through."""
    body = chat_of("x" * 1000)
    with daemon.client() as client:
        client.send(f"POST {target} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:500])
        assert client.silent_for(DELAY)
        client.send(body[500:])
        told = timing(client.read_response("POST"))
    assert told["aifd"] < DELAY * 500, told


def test_a_slow_upload_is_not_the_upstreams_time(daemon):
    with daemon.client() as client:
        client.send(b"POST /v1/files HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
        assert client.silent_for(DELAY)
        client.send(b"67890")
        told = timing(client.read_response("POST"))
    assert told["upstream"] < DELAY * 500 and told["aifd"] < DELAY * 500, told


def test_embeddings_that_come_slowly_are_not_aifds_time(upstream):
    whole = ok(json.dumps({"object": "list", "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}, "data": [
        {"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]}).encode(), "application/json")
    with logged(upstream, CACHE_OPENAI="true", DEFAULT_REQUEST_CACHING_VALUE="true") as daemon:
        upstream.script(expect_request(), send(whole[:-20]), pause, send(whole[-20:]))
        told = timing(post(daemon, json.dumps({"model": "m", "input": "x"}).encode(), target=EMBEDDINGS))
    assert told["aifd"] < DELAY * 500, told


def test_the_model_is_the_one_that_was_asked_for(upstream):
    mapped = {"backend": "ollama", "model_map": {"asked": "served"}, "api_base": upstream.url}
    with logged(upstream, CUSTOM_MODEL_CONFIG=json.dumps(mapped)) as daemon:
        post(daemon, chat_of("q", "asked"))
        assert lines(daemon)[0]["model"] == "asked"
    assert json.loads(upstream.requests[-1].body)["model"] == "served"


def test_answers_made_here_have_only_aifds_time(upstream):
    with logged(upstream, CACHE_OPENAI="true", DEFAULT_REQUEST_CACHING_VALUE="true") as daemon:
        miss, hit = (timing(post(daemon, chat_of("q"))) for _ in range(2))
        assert "upstream" in miss and set(hit) == {"aifd"}


def test_an_upstreams_own_timing_passes(daemon, upstream):
    upstream.fields = [("Server-Timing", "db;dur=53")]
    response = post(daemon, chat_of("q"))
    assert "db;dur=53" in ", ".join(response.all("server-timing")) and timing(response)


def test_a_stream_is_not_held_up_by_its_timing(daemon, upstream):
    go = threading.Event()
    upstream.script(expect_request(), send(SSE_HEAD + chunk(event("{}"))), wait(go), send(LAST_CHUNK))
    with daemon.client() as client:
        client.request("POST", CHAT, JSON, chat_of("q", stream=True))
        assert timing(client.read_head())
        assert client.body.piece() == event("{}")
        go.set()
        client.body.rest()
