"""TOKEN_RATE_LIMIT spaces the events of a stream; ITER_CHUNK_TYPE says how they are cut."""
import gzip
import json
import threading
import time

import pytest

from harness import (LAST_CHUNK, SSE_HEAD, Cut, Daemon, Upstream, answer, bearer, chunk, cut, event, eventually,
                     expect_request, is_sanitized, one_byte_at_a_time, reset, routes, send, send_all, wait)

CHAT = "/v1/chat/completions"
NEVER = "1/hour"  # the first event passes, the second not while a test lives
SETTINGS = {
    "TOKEN_RATE_LIMIT": json.dumps({
        "/v1/twenty": "20/second", "/v1/fast": "500/second", "/v1/slow": "2/3seconds", "/v1/never": NEVER,
        "/v1/never/free": "inf", "/v1/levels": [{"level": 1, "limit": NEVER}]}),
    "OPENAI_API_KEY_CONFIG": '["sk-real"]', "FORWARD_KEY_CONFIG": '{"fk-zero": 0, "fk-one": 1}', "IDLE_TIMEOUT": "1",
}
ANSWER = [event(f'{{"n":{number},"text":"h\u00e9 \u4f60"}}') for number in range(19)] + [event("[DONE]")]
BIG = b"data: " + b"x" * 65536 + b"\n\n"


def streamed(events, framing="chunked"):
    whole = b"".join(events)
    if framing == "chunked":
        return SSE_HEAD + chunk(whole) + LAST_CHUNK
    length = b"Content-Length: %d\r\n" % len(whole) if framing == "length" else b"Connection: close\r\n"
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n" + length + b"\r\n" + whole


def start(client, target, fields=()):
    client.request("POST", target, fields, b'{"stream":true}')
    return client.read_head()


def arrivals(client, events):
    """When each of the events was there to its last byte."""
    times = []
    for due in events:
        assert client.body.take(len(due)) == due
        times.append(time.monotonic())
    assert client.body.rest() == b""
    return times


def assert_paced(times, asked, interval, tolerance=0.02):
    """Lower bounds only: none can have been sent before the request was."""
    early = [(number, when - asked) for number, when in enumerate(times) if when - asked < number * interval - tolerance]
    assert not early, early


def assert_stuck(client, first):
    """Paced by NEVER: the first event is there, and no more."""
    assert client.body.take(len(first)) == first
    assert client.silent_for(0.3)


# --- The pace ---

@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_events_that_come_at_once_are_spaced(daemon, upstream, client, framing):
    upstream.script(expect_request(), send(streamed(ANSWER, framing)), *([cut()] if framing == "close" else []))
    asked = time.monotonic()
    assert start(client, "/v1/twenty").status == 200
    times = arrivals(client, ANSWER)
    assert_paced(times, asked, 0.05)
    assert times[-1] - asked >= 19 * 0.05 - 0.02


@pytest.mark.parametrize("events", [
    [b"data: a\r\n\r\n", b"data: b\r\n\r\n", b"data: [DONE]\r\n\r\n"],
    [b"event: message_start\ndata: {}\n\n", b"id: 7\nevent: x\ndata: 1\ndata: 2\n\n", b"data: z\n\n"],
    [b"data: a\n\n", b"data: b\n\n", b"data: without an end"],
    [b"data: a\n\n", BIG, BIG, b"data: z\n\n"],
])
def test_all_kinds_of_events_are_spaced_and_stay_as_they_are(daemon, upstream, client, events):
    upstream.script(expect_request(), send(streamed(events)))
    asked = time.monotonic()
    start(client, "/v1/twenty")
    assert_paced(arrivals(client, events), asked, 0.05)


@pytest.mark.parametrize("target", ["/v1/fast", "/v1/twenty"])
def test_events_in_pieces_are_spaced_and_stay_as_they_are(daemon, upstream, client, target):
    upstream.script(expect_request(), send(SSE_HEAD), one_byte_at_a_time(chunk(b"".join(ANSWER)[:200])),
                    one_byte_at_a_time(chunk(b"".join(ANSWER)[200:])), send(LAST_CHUNK))
    start(client, target)
    assert client.body.rest() == b"".join(ANSWER)


def test_events_across_chunks_stay_as_they_are(daemon, upstream, client):
    whole = b"".join(ANSWER)
    upstream.script(expect_request(), send(SSE_HEAD + b"".join(chunk(whole[at:at + 7]) for at in range(0, len(whole), 7)) +
                                           LAST_CHUNK))
    asked = time.monotonic()
    start(client, "/v1/twenty")
    assert_paced(arrivals(client, ANSWER), asked, 0.05)


def test_the_first_event_does_not_wait(daemon, upstream, client):
    upstream.script(expect_request(), send(streamed(ANSWER)))
    start(client, "/v1/never")
    assert_stuck(client, ANSWER[0])


def test_slow_events_are_not_slowed_further(daemon, upstream, client):
    """Each comes only when the client has the one before; a second is more than a minute's worth at this pace."""
    got = [threading.Event() for _ in ANSWER]
    steps = [step for due, seen in zip(ANSWER, got) for step in (send(chunk(due)), wait(seen))]
    upstream.script(expect_request(), send(SSE_HEAD), *steps, send(LAST_CHUNK))
    start(client, "/v1/fast")
    for due, seen in zip(ANSWER, got):
        assert client.body.take(len(due)) == due
        seen.set()
    assert client.body.rest() == b""


def test_a_pace_slower_than_the_idle_timeout_is_no_silence_of_the_upstream(daemon, upstream, client):
    upstream.script(expect_request(), send(streamed(ANSWER[:3])))
    asked = time.monotonic()
    start(client, "/v1/slow")
    assert_paced(arrivals(client, ANSWER[:3]), asked, 1.5)


def test_two_streams_of_one_caller_are_paced_each(daemon, upstream):
    upstream.otherwise = [expect_request(), send(streamed(ANSWER))]
    with daemon.client() as one, daemon.client() as two:
        for client in (one, two):
            start(client, "/v1/never", bearer("sk-same"))
            assert_stuck(client, ANSWER[0])


def test_the_longest_route_wins(daemon, upstream, client):
    upstream.script(expect_request(), send(streamed(ANSWER)))
    start(client, "/v1/never/free")
    assert client.body.rest() == b"".join(ANSWER)


@pytest.mark.parametrize("target", ["//v1/never", "/v1/nev%65r", "/v1/never/?a=b"])
def test_no_spelling_dodges_the_pace(daemon, upstream, client, target):
    upstream.script(expect_request(), send(streamed(ANSWER)))
    start(client, target)
    assert_stuck(client, ANSWER[0])


def test_levels_have_a_pace_of_their_own(daemon, upstream):
    upstream.otherwise = [expect_request(), send(streamed(ANSWER))]
    with daemon.client() as client:
        start(client, "/v1/levels", bearer("fk-zero"))
        assert client.body.rest() == b"".join(ANSWER)
    with daemon.client() as client:
        start(client, "/v1/levels", bearer("fk-one"))
        assert_stuck(client, ANSWER[0])


# --- What is not paced, and what the upstream sees ---

@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream"])
def test_other_answers_are_not_paced(daemon, upstream, client, content_type):
    body = b'{"a":\n\n1,\n\n"b":2}\n\n' * 50
    upstream.script(expect_request(), send(answer(fields=[("Content-Type", content_type)], body=body)))
    start(client, "/v1/never")
    assert client.body.rest() == body


@pytest.mark.parametrize("asked", [[("Accept-Encoding", "gzip, br")], []])
def test_a_paced_answer_is_asked_for_uncompressed(daemon, upstream, asked):
    daemon.ask("POST", "/v1/never", asked, b"{}")
    assert upstream.requests[-1].get("accept-encoding") in (("identity",) if asked else ("identity", None))
    daemon.ask("POST", "/v1/free", asked, b"{}")
    assert upstream.requests[-1].get("accept-encoding") == (asked[0][1] if asked else None)


def test_a_compressed_stream_passes_all_the_same(daemon, upstream, client):
    packed = gzip.compress(b"".join(ANSWER))
    upstream.script(expect_request(), send(answer(fields=[("Content-Type", "text/event-stream"), ("Content-Encoding", "gzip")],
                                                  body=packed)))
    start(client, "/v1/fast")
    assert gzip.decompress(client.body.rest()) == b"".join(ANSWER)


def test_an_upgrade_is_not_paced(daemon, upstream, client):
    switched = answer("101 Switching Protocols", [("Connection", "Upgrade"), ("Upgrade", "websocket"),
                                                  ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")], body=None)
    upstream.script(expect_request(), send(switched + b"".join(ANSWER)))
    client.request("GET", "/v1/never", [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
                                        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")])
    assert client.read_head().status == 101
    assert client.reader.exactly(len(b"".join(ANSWER))) == b"".join(ANSWER)


# --- Ends ---

@pytest.mark.parametrize("end", [cut, reset])
def test_a_paced_stream_cut_upstream_ends_cut(daemon, upstream, client, end):
    taken = threading.Event()
    upstream.script(expect_request(), send(SSE_HEAD + chunk(ANSWER[0]) + b"10\r\ndata: ha"), wait(taken), end())
    start(client, "/v1/fast")
    assert client.body.take(len(ANSWER[0])) == ANSWER[0]
    taken.set()
    with pytest.raises((Cut, ConnectionError)):
        client.body.rest()


@pytest.mark.parametrize("end", [cut, reset])
def test_what_came_before_the_upstream_broke_is_passed_on(daemon, upstream, client, end):
    arrived = threading.Event()
    upstream.script(expect_request(), send(SSE_HEAD + chunk(b"".join(ANSWER[:4]))), wait(arrived), end())
    start(client, "/v1/twenty")
    assert client.body.take(len(ANSWER[0])) == ANSWER[0]
    arrived.set()
    if end is cut:  # a reset may take with it what lies unread in the daemon's socket
        assert client.body.take(len(b"".join(ANSWER[1:4]))) == b"".join(ANSWER[1:4])
    with pytest.raises((Cut, ConnectionError)):
        client.body.rest()


def test_a_drain_does_not_wait_for_ever():
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "DRAIN_TIMEOUT": "1",
                                         "TOKEN_RATE_LIMIT": json.dumps({"/": NEVER})}) as daemon:
        upstream.script(expect_request(), send(streamed(ANSWER)))
        with daemon.client() as client:
            start(client, CHAT)
            assert_stuck(client, ANSWER[0])
            daemon.signal()
            assert daemon.wait(20) == 0
            with pytest.raises((Cut, ConnectionError)):
                client.body.rest()


@pytest.mark.parametrize("limit", ["1000000000/second", "1000000000000/second", "1/100years", "1000/second;1000000/hour"])
def test_extreme_paces(limit):
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)),
                                         "TOKEN_RATE_LIMIT": json.dumps({"/": limit})}) as daemon:
        upstream.script(expect_request(), send(streamed(ANSWER)))
        with daemon.client() as client:
            start(client, CHAT)
            if limit.startswith("1/"):
                assert_stuck(client, ANSWER[0])
            else:
                assert client.body.rest() == b"".join(ANSWER)


@pytest.mark.parametrize("way", ["close", "reset", "leave_half"])
def test_a_client_that_leaves_between_two_events_frees_the_upstream(daemon, upstream, way):
    upstream.script(expect_request(), send(SSE_HEAD + chunk(b"".join(ANSWER))), lambda connection: connection.watch())
    with daemon.client() as client:
        start(client, "/v1/never")
        assert_stuck(client, ANSWER[0])
        getattr(client, way)()
        assert upstream.connections[0].closed.wait(6), "the upstream's connection is still open"


def stalled(connection, seconds=1.0):
    """Waits until the upstream could send nothing for a while; how much it had sent by then."""
    seen = [connection.sent, time.monotonic()]

    def still():
        if connection.sent != seen[0]:
            seen[:] = [connection.sent, time.monotonic()]
        return time.monotonic() - seen[1] > seconds
    eventually(still, "the upstream is held back")
    return seen[0]


@pytest.mark.parametrize("piece", [BIG, b"".join(ANSWER) * 100, b"data: without an end " + b"x" * 65536])
def test_a_paced_stream_holds_the_upstream_back(piece):
    """With a reader that does not read either, for a body whose events never end."""
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)),
                                         "TOKEN_RATE_LIMIT": json.dumps({"/": NEVER})}) as daemon:
        upstream.script(expect_request(), send(SSE_HEAD), send_all(lambda: iter(lambda: chunk(piece), None)))
        before = daemon.peak_memory()
        with daemon.client(receive_buffer=4096) as client:
            start(client, CHAT)
            assert stalled(upstream.wait_for_connection()) < 64 << 20
            if not is_sanitized():
                assert daemon.peak_memory() - before < 8 << 20


def test_an_event_of_any_size_passes_a_paced_route(daemon, upstream, client):
    size = 24 << 20
    pieces = [b"data: "] + [b"y" * 65536] * (size // 65536) + [b"\n\n", ANSWER[0]]
    upstream.script(expect_request(), send(SSE_HEAD), send_all(lambda: map(chunk, pieces)), send(LAST_CHUNK))
    start(client, "/v1/fast")
    assert sum(len(part) for part in iter(lambda: client.body.piece(1 << 20), b"")) == sum(map(len, pieces))


# --- ITER_CHUNK_TYPE ---

def chunks_of(answer_bytes, kind, target="/v1/x"):
    """The body as the client sees it: (bytes, sizes of its chunks)."""
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "ITER_CHUNK_TYPE": kind}) as daemon:
        upstream.script(expect_request(), send(answer_bytes))
        with daemon.client() as client:
            start(client, target)
            return client.body.rest(), [size for size in client.body.chunks if size]


def test_one_by_one_makes_each_event_a_chunk():
    body, sizes = chunks_of(streamed(ANSWER), "one-by-one")
    assert body == b"".join(ANSWER) and sizes == [len(due) for due in ANSWER]


def test_efficiency_passes_on_what_has_come():
    body, sizes = chunks_of(streamed(ANSWER), "efficiency")
    assert body == b"".join(ANSWER) and len(sizes) < len(ANSWER)


def test_one_by_one_leaves_other_answers_alone():
    body = b"data: a\n\n" * 50
    got, sizes = chunks_of(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(body) +
                           LAST_CHUNK, "one-by-one")
    assert got == body and len(sizes) < 50


def test_one_by_one_with_events_in_pieces():
    whole = b"".join(ANSWER)
    got, sizes = chunks_of(SSE_HEAD + b"".join(chunk(whole[at:at + 7]) for at in range(0, len(whole), 7)) + LAST_CHUNK,
                           "one-by-one")
    assert got == whole and sum(sizes) == len(whole)


# --- The built-in model ---

@pytest.fixture(scope="module")
def built_in():
    with Daemon({"BENCHMARK_MODE": "true", "TOKEN_RATE_LIMIT": '{"/benchmark/v1/chat/completions": "100/second"}',
                 "REQ_RATE_LIMIT": '{"/benchmark/v1/chat/completions": "2/hour"}', "REQUIRE_FORWARD_KEY": "true",
                 "OPENAI_API_KEY_CONFIG": '["sk-real"]',
                 "FORWARD_KEY_CONFIG": '["fk-paced", "fk-counted", "fk-other"]'}) as daemon:
        yield daemon


def ask_built_in(daemon, fields, stream=False):
    return daemon.ask("POST", "/benchmark" + CHAT, fields, json.dumps({"model": "m", "stream": stream, "messages": []}).encode())


def test_the_built_in_model_keeps_the_pace(built_in):
    asked = time.monotonic()
    response = ask_built_in(built_in, bearer("fk-paced"), stream=True)
    events = response.body.count(b"\n\n")
    assert response.status == 200 and response.ended == "complete" and events > 10
    assert time.monotonic() - asked >= (events - 1) * 0.01 - 0.02


def test_the_built_in_model_is_limited(built_in):
    for key in ("fk-counted", "fk-other"):
        assert [ask_built_in(built_in, bearer(key)).status for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("fields", [[], bearer("fk-unknown"), bearer("sk-real")])
def test_the_built_in_model_asks_for_a_forward_key(built_in, fields):
    assert ask_built_in(built_in, fields).status == 401
