"""Streams pass piece by piece, at the client's pace, and end as they ended upstream or as the client left."""
import os
import threading
import time

import pytest

from harness import (LAST_CHUNK, SSE_HEAD, Cut, Daemon, SilentPort, Upstream, chunk, cut, event, eventually,
                     expect_head, expect_request, hold, is_sanitized, one_byte_at_a_time, read_body, reset, routes,
                     send, send_all, wait)

LEAVING_TAKES = 6.0  # seconds: the promise is 1 on a machine that is not busy
BIG = b"x" * 65536


def stream_request(client, fields=()):
    client.request("POST", "/v1/chat/completions", fields, b'{"stream":true}')
    return client


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_each_event_passes_as_soon_as_it_is_sent(daemon, upstream, client, framing):
    """The upstream sends the next event only after the client has the one before."""
    got = [threading.Event() for _ in range(6)]
    wrap = chunk if framing == "chunked" else (lambda data: data)
    head = SSE_HEAD if framing == "chunked" else b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    steps = [expect_request(), send(head)]
    for number, seen in enumerate(got):
        steps += [send(wrap(event(f"piece {number}"))), wait(seen)]
    upstream.script(*steps, send(LAST_CHUNK if framing == "chunked" else b""), cut())
    response = stream_request(client).read_head()
    assert response.status == 200 and response.get("content-type") == "text/event-stream"
    for number, seen in enumerate(got):
        due = event(f"piece {number}")
        assert client.body.take(len(due)) == due
        seen.set()
    assert client.body.rest() == b""


def test_the_head_passes_before_any_event(daemon, upstream, client):
    go = threading.Event()
    upstream.script(expect_request(), send(SSE_HEAD), wait(go), send(chunk(event("x")) + LAST_CHUNK))
    assert stream_request(client).read_head().status == 200
    go.set()
    assert client.body.rest() == event("x")


def test_half_an_event_passes_too(daemon, upstream, client):
    """Nothing waits for a line end or a whole chunk."""
    go = threading.Event()
    upstream.script(expect_request(), send(SSE_HEAD + b"10\r\ndata: ab"), wait(go), send(b"cdefgh\n\n\r\n" + LAST_CHUNK))
    stream_request(client).read_head()
    assert client.body.take(8) == b"data: ab"
    go.set()
    assert client.body.rest() == b"cdefgh\n\n"


def test_one_byte_at_a_time(daemon, upstream, client):
    text = "".join(f"data: {{\"n\":{number},\"s\":\"h\u00e9\u4f60\"}}\r\n\r\n: hb\n\n" for number in range(20)).encode()
    upstream.script(expect_request(), one_byte_at_a_time(SSE_HEAD + chunk(text[:100]) + chunk(text[100:]) + LAST_CHUNK))
    stream_request(client).read_head()
    assert client.body.rest() == text
    upstream.script(expect_request(), send(SSE_HEAD), send_all(lambda: (chunk(text[at:at + 1]) for at in range(len(text)))),
                    send(LAST_CHUNK))
    stream_request(client).read_head()
    assert client.body.rest() == text


@pytest.mark.parametrize("sizes", [(1, 1, 50_000, 1, 1), (1, 5_000, 1, 5_000, 1), (1, 200_000, 1)])
def test_events_of_changing_sizes_are_exact(daemon, upstream, client, sizes):
    """What is read into grows and shrinks with what comes; twice, so that a connection serves again as it was left."""
    for _ in range(2):
        got = [threading.Event() for _ in sizes]
        steps = [expect_request(), send(SSE_HEAD)]
        for size, seen in zip(sizes, got):
            steps += [send(chunk(event("x" * size))), wait(seen)]
        upstream.script(*steps, send(LAST_CHUNK))
        stream_request(client).read_head()
        for size, seen in zip(sizes, got):
            due = event("x" * size)
            assert client.body.take(len(due)) == due
            seen.set()
        assert client.body.rest() == b""


def test_ndjson_passes_line_by_line(daemon, upstream, client):
    go = threading.Event()
    upstream.script(expect_request(), send(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
                                           b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b'{"a":1}\n')),
                    wait(go), send(chunk(b'{"done":true}\n') + LAST_CHUNK))
    client.request("POST", "/api/chat", body=b"{}").read_head()
    assert client.body.take(8) == b'{"a":1}\n'
    go.set()
    assert client.body.rest() == b'{"done":true}\n'


def test_many_streams_at_once_are_exact(daemon, upstream):
    count, events = 50, 20
    starting = threading.Barrier(count)
    upstream.otherwise = [
        expect_request(), send(SSE_HEAD),
        lambda connection: [connection.sock.sendall(chunk(event(f"{connection.request.target} {number}")))
                            for number in range(events)], send(LAST_CHUNK)]
    wrong = []

    def one(number: int) -> None:
        starting.wait()
        with daemon.client() as client:
            response = client.ask("POST", f"/v1/{number}", body=b"{}")
            due = b"".join(event(f"/v1/{number} {at}") for at in range(events))
            if response.ended != "complete" or response.body != due:
                wrong.append((number, response.ended, response.body))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == [] and len(upstream.requests) == count


def stalled(connection, seconds: float = 1.0):
    """Waits until the upstream could send nothing for a while; how much it had sent by then."""
    seen, since = connection.sent, time.monotonic()

    def still():
        nonlocal seen, since
        if connection.sent != seen:
            seen, since = connection.sent, time.monotonic()
        return time.monotonic() - since > seconds
    eventually(still, "the upstream is held back")
    return seen


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_slow_reader_holds_the_upstream_back(framing):
    total = 128 << 20
    count = total // len(BIG)
    head = SSE_HEAD if framing == "chunked" else b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total
    piece = chunk(BIG) if framing == "chunked" else BIG
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url))}) as daemon:
        upstream.script(expect_request(), send(head), send_all(lambda: (piece for _ in range(count))),
                        send(LAST_CHUNK if framing == "chunked" else b""))
        before = daemon.peak_memory()
        with daemon.client(receive_buffer=4096) as client:
            stream_request(client).read_head()
            assert stalled(upstream.wait_for_connection()) < 64 << 20
            if not is_sanitized():
                assert daemon.peak_memory() - before < 8 << 20
            size = sum(len(part) for part in iter(lambda: client.body.piece(1 << 20), b""))
            assert size == total


def test_a_slow_upstream_holds_the_upload_back():
    total = 128 << 20
    go = threading.Event()
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url))}) as daemon:
        upstream.script(expect_head(), wait(go), read_body(keep=False), send(b"HTTP/1.1 204 No Content\r\n\r\n"))
        before = daemon.peak_memory()
        with daemon.client() as client:
            client.request("POST", "/v1/files", [("Content-Length", str(total))])
            progress = type("Progress", (), {"sent": 0})()

            def upload():
                while progress.sent < total:
                    client.send(BIG)
                    progress.sent += len(BIG)
            uploading = threading.Thread(target=upload, daemon=True)
            uploading.start()
            upstream.wait_for_requests()
            assert stalled(progress) < 64 << 20
            if not is_sanitized():
                assert daemon.peak_memory() - before < 8 << 20
            go.set()
            assert client.read_response("POST").status == 204
            uploading.join(30)


# --- The upstream breaks off ---

@pytest.mark.parametrize("end", [cut, reset])
@pytest.mark.parametrize("sent", [b"", chunk(event("one")), chunk(event("one")) + b"10\r\ndata: ha"])
def test_a_stream_cut_upstream_ends_cut(daemon, upstream, client, end, sent):
    got_it = threading.Event()
    upstream.script(expect_request(), send(SSE_HEAD + sent), wait(got_it), end())
    stream_request(client).read_head()
    if sent:
        assert client.body.take(len(event("one"))) == event("one")
    got_it.set()
    with pytest.raises((Cut, ConnectionError)):
        client.body.rest()


def test_a_length_cut_upstream_ends_short(daemon, upstream, client):
    upstream.script(expect_request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"), cut())
    client.request("POST", "/v1/x", body=b"{}")
    response = client.read_response()
    assert response.ended == "cut" and response.body == b"hello"


def test_a_daemon_after_cut_streams_serves_on(daemon, upstream):
    for _ in range(20):
        upstream.script(expect_request(), send(SSE_HEAD + chunk(event("one"))), reset())
        with daemon.client() as client:
            stream_request(client)
            try:
                assert client.read_response().ended == "cut"
            except Cut:
                pass
    assert daemon.ask("GET", "/v1/x").status == 200


# --- The client leaves ---

LEAVE = {"close": lambda client: client.close(), "reset": lambda client: client.reset(),
         "half": lambda client: client.leave_half()}
ways = pytest.mark.parametrize("way", sorted(LEAVE))


def assert_upstream_is_freed(connection, client, way, record_property) -> None:
    left = time.monotonic()
    LEAVE[way](client)
    assert connection.closed.wait(LEAVING_TAKES), "the upstream's connection is still open"
    record_property("seconds_until_freed", round(connection.closed_at - left, 3))


@ways
def test_client_leaves_while_connecting(way, record_property):
    with SilentPort() as silent, Daemon({"FORWARD_CONFIG": routes(("/", silent.url)), "TIMEOUT": "60"}) as daemon:
        with daemon.client() as client:
            stream_request(client)
            eventually(lambda: silent.connecting() == 1, "the daemon connects")
            left = time.monotonic()
            LEAVE[way](client)
            eventually(lambda: silent.connecting() == 0, "the daemon gives the connect up", LEAVING_TAKES)
            record_property("seconds_until_freed", round(time.monotonic() - left, 3))


@ways
@pytest.mark.parametrize("framing", [b"Content-Length: 1000\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"])
def test_client_leaves_while_uploading(daemon, upstream, way, framing, record_property):
    with daemon.client() as client:
        client.send(b"POST /v1/files HTTP/1.1\r\nHost: a\r\n" + framing)
        request = upstream.wait_for_requests()[0]
        upstream.wait_for(lambda: request.pieces, "the first piece")
        assert_upstream_is_freed(upstream.connections[0], client, way, record_property)
    assert not request.body_complete


@ways
def test_client_leaves_while_waiting_for_the_head(daemon, upstream, way, record_property):
    upstream.script(expect_request(), hold())
    with daemon.client() as client:
        stream_request(client)
        upstream.wait_for_requests()
        assert_upstream_is_freed(upstream.connections[0], client, way, record_property)


@ways
def test_client_leaves_a_silent_stream(daemon, upstream, way, record_property):
    upstream.script(expect_request(), send(SSE_HEAD + chunk(event("one"))), hold())
    with daemon.client() as client:
        stream_request(client).read_head()
        client.body.take(len(event("one")))
        assert_upstream_is_freed(upstream.connections[0], client, way, record_property)


@ways
def test_client_leaves_a_running_stream(daemon, upstream, way, record_property):
    def for_ever(connection):
        while not connection.stopping.is_set():
            connection.sock.sendall(chunk(event("more")))
            connection.stopping.wait(0.002)
    upstream.script(expect_request(), send(SSE_HEAD), for_ever)
    with daemon.client() as client:
        stream_request(client).read_head()
        client.body.take(100)
        assert_upstream_is_freed(upstream.connections[0], client, way, record_property)


@ways
def test_client_leaves_with_pipelined_bytes_unread(daemon, upstream, way, record_property):
    """The next request lies in the buffer before the FIN: the leaving must be seen behind it."""
    upstream.script(expect_request(), send(SSE_HEAD + chunk(event("one"))), hold())
    with daemon.client() as client:
        stream_request(client).read_head()
        client.body.take(len(event("one")))
        client.send(b"GET /v1/next HTTP/1.1\r\nHost: a\r\n\r\n")
        assert_upstream_is_freed(upstream.connections[0], client, way, record_property)


def test_client_that_does_not_read_leaves(daemon, upstream, record_property):
    upstream.script(expect_request(), send(SSE_HEAD), send_all(lambda: iter(lambda: chunk(BIG), None)))
    with daemon.client(receive_buffer=4096) as client:
        stream_request(client).read_head()
        stalled(upstream.wait_for_connection())
        assert_upstream_is_freed(upstream.connections[0], client, "reset", record_property)


def test_a_hundred_clients_leave_at_once(daemon, upstream):
    upstream.otherwise = [expect_request(), send(SSE_HEAD + chunk(event("one"))), hold()]
    clients = [stream_request(daemon.client()) for _ in range(100)]
    for client in clients:
        client.read_head()
    for client in clients:
        client.close()
    for connection in upstream.connections:
        assert connection.closed.wait(LEAVING_TAKES)
    assert len(upstream.connections) == 100


def test_no_descriptor_is_left_behind(daemon, upstream):
    """After streams that ended in every way, as many are open as before."""
    def descriptors():
        return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
    daemon.ask("GET", "/v1/x")
    before = descriptors()
    for number in range(30):
        end = (hold(), cut(), reset())[number % 3]
        upstream.script(expect_request(), send(SSE_HEAD + chunk(event("one"))), end)
        with daemon.client() as client:
            stream_request(client).read_head()
            if number % 2:
                client.reset()
    eventually(lambda: descriptors() <= before, "all descriptors closed")
