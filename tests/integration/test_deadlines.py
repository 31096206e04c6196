"""Each deadline let pass once."""
import threading
import time

import pytest

from harness import (LAST_CHUNK, SSE_HEAD, Cut, Daemon, SilentPort, Upstream, chunk, event, expect_head, expect_request,
                     hold, ok, read_body, routes, send, wait)

SETTINGS = {"TIMEOUT": "1", "FIRST_BYTE_TIMEOUT": "1", "IDLE_TIMEOUT": "1", "CLIENT_TIMEOUT": "1"}


def test_no_connection_within_timeout_is_504():
    with SilentPort() as silent, Daemon({**SETTINGS, "FORWARD_CONFIG": routes(("/", silent.url))}) as daemon:
        response = daemon.ask("POST", "/v1/x", body=b"{}")
        assert response.status == 504
        assert "TIMEOUT" in response.json()["error"]["message"] or "connect" in response.json()["error"]["message"]
        assert silent.connecting() == 0


def test_no_answer_within_first_byte_timeout_is_504(daemon, upstream, client):
    upstream.script(expect_request(), hold())
    response = client.ask("POST", "/v1/x", body=b"{}")
    assert response.status == 504
    assert response.json()["error"]["message"]
    assert upstream.connections[0].closed.wait(6)
    assert len(upstream.requests) == 1
    assert client.ask("GET", "/v1/y").status == 200


def test_half_a_head_within_first_byte_timeout_is_504(daemon, upstream, client):
    upstream.script(expect_request(), send(b"HTTP/1.1 200 OK\r\nX-A"), hold())
    assert client.ask("POST", "/v1/x", body=b"{}").status in (502, 504)


def test_upstream_that_does_not_read_is_given_up(daemon, upstream, client):
    """It takes the head and nothing more: the upload stands still."""
    upstream.script(expect_head(), lambda connection: connection.closed.wait(8))
    client.request("POST", "/v1/x", [("Content-Length", str(64 << 20))])
    try:
        for _ in range(1024):
            client.send(b"x" * 65536)
    except OSError:
        pass
    try:
        assert client.read_response().status in (502, 504, 408)
    except (Cut, ConnectionError):
        pass


def test_silence_within_a_stream_cuts_it(daemon, upstream, client):
    upstream.script(expect_request(), send(SSE_HEAD + chunk(event("one"))), hold())
    client.request("POST", "/v1/x", body=b"{}").read_head()
    assert client.body.take(len(event("one"))) == event("one")
    with pytest.raises((Cut, ConnectionError)):
        client.body.rest()
    assert upstream.connections[0].closed.wait(6)


def test_a_stream_that_moves_outlives_every_deadline(daemon, upstream, client):
    def slowly(connection):
        for _ in range(6):
            connection.stopping.wait(0.5)
            connection.sock.sendall(chunk(event("tick")))
    upstream.script(expect_request(), send(SSE_HEAD), slowly, send(LAST_CHUNK))
    response = client.ask("POST", "/v1/x", body=b"{}")
    assert response.ended == "complete" and response.body == event("tick") * 6


def test_a_slow_head_is_408(daemon, upstream):
    with daemon.client() as client:
        response = client.send(b"GET /v1/x HTTP/1.1\r\nHost: a\r\nX-Slow: ").read_response()
        assert response.status == 408 and response.json()["error"]["message"]
        assert client.at_end()
    assert upstream.requests == []


def test_a_dripping_head_is_408(daemon, upstream):
    """One byte now and then does not put the deadline off."""
    with daemon.client() as client:
        client.send(b"GET /v1/x HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        done = threading.Event()

        def drip():
            while not done.wait(0.2):
                try:
                    client.send(b"x")
                except OSError:
                    return
        threading.Thread(target=drip, daemon=True).start()
        try:
            assert client.read_response().status == 408
        finally:
            done.set()


@pytest.mark.parametrize("framing", [b"Content-Length: 100\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"])
def test_a_slow_body_is_408(daemon, upstream, framing):
    with daemon.client() as client:
        response = client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\n" + framing).read_response("POST")
        assert response.status == 408 and response.json()["error"]["message"]
        assert client.at_end()
    assert not any(request.body_complete for request in upstream.requests)


def test_a_body_that_moves_is_not_slow(daemon, upstream, client):
    """An upload of hours is fine as long as it arrives: CLIENT_TIMEOUT is for silence within a body."""
    client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n")
    for _ in range(6):
        client.silent_for(0.5)
        client.send(b"x")
    assert client.read_response("POST").status == 200
    assert upstream.requests[0].body == b"xxxxxx"


def test_an_idle_connection_is_closed_without_a_word(daemon, upstream, client):
    assert client.ask("GET", "/v1/x").status == 200
    assert client.at_end()


def test_a_connection_without_a_byte_is_closed(daemon, upstream):
    with daemon.client() as client:
        try:
            data = client.reader.to_end()
        except ConnectionError:
            data = b""
        assert data == b"" or data.startswith(b"HTTP/1.1 408 ")


def test_a_client_that_stops_reading_is_given_up(daemon, upstream):
    """Back-pressure has an end: a client silent for IDLE_TIMEOUT frees the upstream."""
    upstream.script(expect_request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"),
                    lambda connection: [connection.sock.sendall(b"x" * 65536) for _ in range(10000)])
    with daemon.client(receive_buffer=4096) as client:
        client.request("GET", "/v1/x").read_head()
        assert upstream.wait_for_connection().closed.wait(15)


def test_waiting_for_the_first_byte_is_not_idle():
    """IDLE_TIMEOUT starts with the answer, FIRST_BYTE_TIMEOUT reigns before."""
    go = threading.Event()
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "IDLE_TIMEOUT": "1",
                                         "CLIENT_TIMEOUT": "1", "TIMEOUT": "1"}) as daemon:
        upstream.script(expect_request(), wait(go), send(ok(b"late")))
        with daemon.client() as client:
            client.request("POST", "/v1/x", body=b"{}")
            assert client.silent_for(2.5)
            go.set()
            assert client.read_response().body == b"late"


def test_fractions_of_a_second_are_kept():
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)),
                                         "FIRST_BYTE_TIMEOUT": "0.5"}) as daemon:
        upstream.script(expect_request(), hold())
        start = time.monotonic()
        assert daemon.ask("POST", "/v1/x", body=b"{}").status == 504
        assert time.monotonic() - start >= 0.45


def test_upload_slower_than_first_byte_timeout(daemon, upstream, client):
    """The wait for an answer begins when the request is out."""
    upstream.script(expect_head(), read_body(), send(ok()))
    client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(5):
        client.silent_for(0.5)
        client.send(chunk(b"x"))
    client.send(LAST_CHUNK)
    assert client.read_response("POST").status == 200


def test_a_client_that_stops_uploading_is_late_not_the_upstream():
    with Upstream() as upstream, Daemon({**SETTINGS, "FORWARD_CONFIG": routes(("/", upstream.url)),
                                         "FIRST_BYTE_TIMEOUT": "0.3"}) as daemon:
        upstream.script(expect_head(), read_body(), send(ok()))
        with daemon.client() as client:
            client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
            assert client.read_response("POST").status == 408
