"""CLIENT_GONE: what becomes of an exchange whose caller leaves: given up at once, or read on for the log."""
import json
import threading

import pytest

from harness import (CACHED, CHAT, COMPLETIONS, JSON, LAST_CHUNK, SSE_HEAD, ChatLog, SilentPort, Upstream, access_lines, bearer,
                     chat_of, chunk, cut, event, eventually, expect_request, hold, logged, ok, post, send, settle, state, wait)

USAGE = {"prompt_tokens": 7, "completion_tokens": 40, "total_tokens": 47}
WORDS = [f"word {number} " for number in range(40)]
LEAVE = {"close": lambda client: client.close(), "reset": lambda client: client.reset()}


def delta(content, **more):
    return json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "served",
                       "choices": [{"index": 0, "delta": {"content": content}, "finish_reason": None, **more}]})


REPORT = json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "served", "choices": [],
                     "usage": USAGE})
BEGIN = SSE_HEAD + b"".join(chunk(event(delta(word))) for word in WORDS[:10])
REST = (b"".join(chunk(event(delta(word))) for word in WORDS[10:]) + chunk(event(delta("", finish_reason="stop")))
        + chunk(event(REPORT)) + chunk(event("[DONE]")) + LAST_CHUNK)
WHOLE = json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "served", "usage": USAGE, "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "".join(WORDS)}, "finish_reason": "stop"}]}).encode()


@pytest.fixture
def upstream():
    with Upstream() as upstream:
        yield upstream


def daemon_of(upstream, gone, **settings):
    """With one worker, so that settle() tells when a client's leaving was seen."""
    return logged(upstream, args=["--workers", "1"], CLIENT_GONE=gone, **settings)


def line_of(daemon, number=1):
    """The access log's for the exchange of this number."""
    return eventually(lambda: access_lines(daemon)[number - 1:], f"{number} lines of the access log")[0]


def ask_and_leave(daemon, way="close", stream=True, after=1, target=CHAT, fields=()):
    """Reads `after` events, or nothing at all of an answer that is no stream, and leaves; what was read."""
    client = daemon.client()
    client.request("POST", target, [*JSON, *fields], chat_of("q", stream=stream, caching=None))
    read = b""
    if after:
        client.read_head()
        while read.count(b"\n\n") < after:
            read += client.body.piece()
    LEAVE[way](client)
    settle(daemon)
    return read


def test_cancel_frees_the_upstream_at_once(upstream):
    with daemon_of(upstream, "cancel") as daemon:
        for number, way in enumerate(sorted(LEAVE), 1):
            upstream.script(expect_request(), send(BEGIN), hold())
            ask_and_leave(daemon, way, after=10)
            assert upstream.wait_for_connection(number).closed.wait(10), "the upstream still works for nobody"
            response = ChatLog(daemon).last(number).response
            assert (response["ended_by"], response["phase"], response["status"]) == ("client", "stream", 200)
            assert response["assistant"] == "".join(WORDS[:10]) and "drained" not in response and response["error"]
            assert response["usage_source"] == "estimated" and abs(response["usage"]["completion_tokens"] - 10) <= 1
            line = line_of(daemon, number)
            assert (line["ended_by"], line["abort"], line["request_id"]) == ("client", "client_stream", response["uid"])


def test_cancel_is_what_is_done_unless_it_is_said(upstream):
    with logged(upstream, args=["--workers", "1"]) as daemon:
        upstream.script(expect_request(), send(BEGIN), hold())
        ask_and_leave(daemon)
        assert upstream.connections[0].closed.wait(10)
        assert "drained" not in ChatLog(daemon).wait_for()[0].response


def test_cancel_while_it_waits_for_the_head(upstream):
    with daemon_of(upstream, "cancel") as daemon:
        upstream.script(expect_request(), hold())
        client = daemon.client()
        client.request("POST", CHAT, JSON, chat_of("q"))
        upstream.wait_for_requests()
        client.close()
        assert upstream.connections[0].closed.wait(10)
        response = ChatLog(daemon).wait_for()[0].response
        assert (response["ended_by"], response["phase"], response["status"]) == ("client", "wait_head", 0)
        assert (response["usage_source"], response["ttft_ms"], response["assistant"]) == ("unknown", None, None)
        assert line_of(daemon)["abort"] == "client_wait_head"


@pytest.mark.parametrize("way", sorted(LEAVE))
def test_drain_reads_to_the_end(upstream, way):
    with daemon_of(upstream, "drain") as daemon:
        go = threading.Event()
        upstream.script(expect_request(), send(BEGIN), wait(go), send(REST))
        ask_and_leave(daemon, way)
        assert not upstream.connections[0].closed.is_set()
        go.set()
        response = ChatLog(daemon).wait_for()[0].response
        assert (response["ended_by"], response["phase"], response["drained"]) == ("client", "stream", "whole")
        assert response["assistant"] == "".join(WORDS) and response["finish_reason"] == "stop"
        assert (response["usage"], response["usage_source"]) == (USAGE, "exact")
        assert (line_of(daemon)["ended_by"], line_of(daemon)["abort"]) == ("client", "client_stream")
        assert daemon.ask("GET", "/v1/models").status == 200
        assert len(upstream.connections) == 1, "its connection serves on"


def test_drain_of_answers_that_are_no_streams(upstream):
    """Its caller leaves before the head, or in the middle of the body."""
    with daemon_of(upstream, "drain") as daemon:
        for number, at in enumerate((0, 200), 1):
            go = threading.Event()
            reply = ok(WHOLE, "application/json")
            upstream.script(expect_request(), send(reply[:at]), wait(go), send(reply[at:]))
            client = daemon.client()
            client.request("POST", CHAT, JSON, chat_of("q"))
            upstream.wait_for_requests(number)
            if at:
                client.read_head()
                client.body.piece()
            client.close()
            settle(daemon)
            go.set()
            response = ChatLog(daemon).last(number).response
            assert response["ended_by"] == "client" and response["phase"] in ("wait_head", "stream")[bool(at):]
            assert (response["drained"], response["usage"], response["usage_source"]) == ("whole", USAGE, "exact")
            assert response["assistant"] == "".join(WORDS)


def test_drain_ends_where_the_upstream_ends(upstream):
    with daemon_of(upstream, "drain") as daemon:
        go = threading.Event()
        upstream.script(expect_request(), send(BEGIN), wait(go), send(REST[:300]),
                        lambda connection: connection.abandon())
        ask_and_leave(daemon)
        go.set()
        response = ChatLog(daemon).wait_for()[0].response
        assert (response["ended_by"], response["drained"], response["usage_source"]) == ("client", "cut", "estimated")
        assert "".join(WORDS).startswith(response["assistant"]) and len(response["assistant"]) >= len("".join(WORDS[:10]))


def test_drain_has_an_end_in_time(upstream):
    with daemon_of(upstream, "drain:1s,64KiB") as daemon:
        upstream.script(expect_request(), send(BEGIN), hold())
        ask_and_leave(daemon, after=10)
        assert upstream.connections[0].closed.wait(20)
        response = ChatLog(daemon).wait_for()[0].response
        assert (response["drained"], response["ended_by"]) == ("cut", "client")
        assert response["assistant"] == "".join(WORDS[:10]) and response["usage_source"] == "estimated"
        assert 1000 <= response["duration_ms"] < 15_000


def test_drain_has_an_end_in_bytes(upstream):
    """It is read on within its bounds, and then the upstream is freed."""
    with daemon_of(upstream, "drain:30s,4KiB") as daemon:
        go = threading.Event()

        def without_end(connection):
            for number in range(1_000_000):
                connection.sock.sendall(chunk(event(delta(f"more {number} "))))
        upstream.script(expect_request(), send(BEGIN), wait(go), without_end)
        ask_and_leave(daemon, after=10)
        go.set()
        response = ChatLog(daemon).wait_for()[0].response
        assert (response["drained"], response["ended_by"]) == ("cut", "client")
        assert response["assistant"].startswith("".join(WORDS[:10]) + "more 0 more 1 ")
        assert response["assistant"].count("more") < 30 + 2 * 65536 // 150, "within the bound, but for what was read at once"


def test_drain_is_bounded_and_then_exact_within_its_bounds(upstream):
    with daemon_of(upstream, "drain:30s,64KiB") as daemon:
        go = threading.Event()
        upstream.script(expect_request(), send(BEGIN), wait(go), send(REST))
        ask_and_leave(daemon)
        go.set()
        response = ChatLog(daemon).wait_for()[0].response
        assert (response["drained"], response["usage_source"], response["usage"]) == ("whole", "exact", USAGE)


def test_each_route_has_its_own(upstream):
    with daemon_of(upstream, json.dumps({CHAT: "drain", COMPLETIONS: "cancel"})) as daemon:
        for number, (target, kind) in enumerate(((CHAT, "chat"), (COMPLETIONS, "completion")), 1):
            go = threading.Event()
            if kind == "chat":
                upstream.script(expect_request(), send(BEGIN), wait(go), send(REST))
            else:
                upstream.script(expect_request(), send(BEGIN), hold())
            ask_and_leave(daemon, target=target)
            if kind == "completion":
                assert upstream.connections[-1].closed.wait(10)
            go.set()
            response = ChatLog(daemon, kind=kind).wait_for()[0].response
            assert response.get("drained") == ("whole" if kind == "chat" else None), kind


@pytest.mark.parametrize("gone", ["cancel", "drain"])
def test_leaving_during_the_upload_ends_it(upstream, gone):
    """There is nothing to be read on. What never came whole was not asked, and has no records; where it is forwarded
    as it comes, being too large to be held, it has both."""
    with daemon_of(upstream, gone, MAX_BUFFERED_BODY_BYTES="4096") as daemon:
        for number, size in enumerate((2000, 200_000), 1):
            body = chat_of("x" * size)
            with daemon.client() as client:
                client.send(b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                            b"Content-Length: %d\r\n\r\n" % len(body) + body[:size // 2])
                settle(daemon)
                if size > 4096:
                    upstream.wait_for_requests()
            line = line_of(daemon, number)
            assert (line["ended_by"], line["status"]) == ("client", 0) and line["abort"] in ("client_links", "client_upload")
        request, response = ChatLog(daemon).wait_for()[0]
        assert request["messages"] is None and request["shortened"] == "too_large" and request["uid"] == line["request_id"]
        assert (response["ended_by"], response["phase"], response["status"]) == ("client", "upload", 0)
        assert "drained" not in response and response["usage_source"] == "unknown"


def test_the_cache_keeps_what_was_read_on(upstream):
    with daemon_of(upstream, "drain", DEFAULT_REQUEST_CACHING_VALUE="true", **CACHED) as daemon:
        go = threading.Event()
        upstream.script(expect_request(), send(BEGIN), wait(go), send(REST))
        ask_and_leave(daemon)
        go.set()
        response = ChatLog(daemon).wait_for()[0].response
        assert (response["drained"], response["cache"], response["usage_source"]) == ("whole", "miss", "exact")
        again = post(daemon, chat_of("q", stream=True, caching=None))
        assert state(again) == "hit" and again.ended == "complete" and len(upstream.requests) == 1
        assert ChatLog(daemon).last(2).response["assistant"] == "".join(WORDS)


def test_a_quota_counts_what_was_read_on(upstream):
    with daemon_of(upstream, "drain", TOKEN_QUOTA=json.dumps({CHAT: "1000/day"})) as daemon:
        go = threading.Event()
        upstream.script(expect_request(), send(BEGIN), wait(go), send(REST))
        key = bearer("sk-of-the-caller-0001")
        ask_and_leave(daemon, fields=key)
        go.set()
        ChatLog(daemon).wait_for()

        def used():
            refused = post(daemon, chat_of("all", max_tokens=990), key)
            return refused.status == 429 and 1000 - int(refused.get("x-ratelimit-remaining-tokens"))
        assert eventually(used, "a refusal") == USAGE["total_tokens"]


def test_an_upstream_that_fails_for_nobody(upstream):
    """Its client had left: no answer is made of the failure, and it is not asked again."""
    with daemon_of(upstream, "drain") as daemon:
        go = threading.Event()
        upstream.script(expect_request(), wait(go), cut())
        client = daemon.client()
        client.request("GET", "/v1/chat/completions")
        upstream.wait_for_requests()
        client.close()
        settle(daemon)
        go.set()
        line = line_of(daemon)
        assert (line["status"], line["abort"], line["drained"], line["bytes_drained"]) == (0, "client_wait_head", "cut", 0)
        assert len(upstream.requests) == 1


def test_no_upstream_is_turned_to_for_nobody():
    """While it is connected to, the upstream does not work yet: with the cache too, whose call is one of its own."""
    for settings in ({}, {"DEFAULT_REQUEST_CACHING_VALUE": "true", **CACHED}):
        with SilentPort() as silent, daemon_of(silent, "drain", TIMEOUT="600", **settings) as daemon:
            with daemon.client() as client:
                client.request("POST", CHAT, JSON, chat_of("q", caching=None))
                eventually(silent.connecting, "a connect")
            line = line_of(daemon)
            assert line["ended_by"] == "client" and "drained" not in line, line
            eventually(lambda: not silent.connecting(), "the end of the connect")


def test_draining_ends_with_the_daemon(upstream):
    """Nobody waits for it: SIGTERM ends it within DRAIN_TIMEOUT, and the record is written."""
    with daemon_of(upstream, "drain:600s,64MiB", DRAIN_TIMEOUT="1") as daemon:
        upstream.script(expect_request(), send(BEGIN), hold())
        ask_and_leave(daemon, after=10)
        daemon.signal()
        assert daemon.wait(30) == 0
        response = ChatLog(daemon).wait_for()[0].response
        assert response["drained"] == "cut" and response["assistant"] == "".join(WORDS[:10])
