"""Sent again only where that cannot be billed twice."""
import threading

import pytest

from harness import (LAST_CHUNK, SSE_HEAD, Cut, Daemon, RefusingPort, chunk, cut, event, eventually, expect_head,
                     expect_request, ok, refused_connects, reset, routes, send, wait)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_refused_connect_is_tried_again(method):
    """Any method: not one byte of it can have arrived."""
    with RefusingPort() as port, Daemon({"FORWARD_CONFIG": routes(("/", port.url))}) as daemon:
        before = refused_connects()
        with daemon.client() as client:
            client.request(method, "/v1/x", body=b"{}")
            eventually(lambda: refused_connects() > before, "a refused connect")
            port.sock.listen(16)

            def answer_one():
                connection = port.sock.accept()[0]
                connection.recv(65536)
                connection.sendall(ok(b"at last"))
                connection.recv(1)
            threading.Thread(target=answer_one, daemon=True).start()
            response = client.read_response()
            assert response.status == 200 and response.body == b"at last"


def test_refused_for_good_is_502():
    with RefusingPort() as port, Daemon({"FORWARD_CONFIG": routes(("/", port.url))}) as daemon:
        response = daemon.ask("POST", "/v1/chat/completions", body=b"{}")
        assert response.status == 502
        assert str(port.port) in response.json()["error"]["message"] or "connect" in response.json()["error"]["message"].lower()


IDEMPOTENT = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]


def broken_reused_connection(daemon, upstream, client, end):
    """One good exchange, then the kept-alive connection takes a request and breaks."""
    assert client.ask("GET", "/v1/first").status == 200
    upstream.script(expect_request(), end())


@pytest.mark.parametrize("end", [cut, reset])
@pytest.mark.parametrize("method", IDEMPOTENT)
def test_idempotent_request_on_a_broken_connection_is_tried_again(daemon, upstream, client, method, end):
    broken_reused_connection(daemon, upstream, client, end)
    body = b"payload" if method == "PUT" else None
    assert client.ask(method, "/v1/again", body=body).status == 200
    assert [request.target for request in upstream.requests] == ["/v1/first", "/v1/again", "/v1/again"]
    assert upstream.requests[2].body == (body or b"")


@pytest.mark.parametrize("end", [cut, reset])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_post_is_never_sent_twice(daemon, upstream, client, method, end):
    broken_reused_connection(daemon, upstream, client, end)
    assert client.ask(method, "/v1/chat/completions", body=b'{"a":1}').status == 502
    assert [request.target for request in upstream.requests] == ["/v1/first", "/v1/chat/completions"]


def test_post_on_a_fresh_connection_is_never_sent_twice(daemon, upstream):
    for _ in range(4):
        upstream.script(expect_request(), cut())
    assert daemon.ask("POST", "/v1/chat/completions", body=b"{}").status == 502
    assert len(upstream.requests) == 1


def test_post_cut_while_it_was_sent_is_not_sent_again(daemon, upstream, client):
    upstream.script(expect_head(), reset())
    client.request("POST", "/v1/x", [("Content-Length", "1000")])
    upstream.wait_for_requests()
    client.send(b"x" * 1000)
    assert client.read_response().status == 502
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("name", ["Idempotency-Key", "idempotency-key"])
def test_post_with_an_idempotency_key_is_tried_again(daemon, upstream, name):
    upstream.script(expect_request(), cut())
    response = daemon.ask("POST", "/v1/chat/completions", [(name, "key-1")], b'{"a":1}')
    assert response.status == 200
    assert [(request.get("idempotency-key"), request.body) for request in upstream.requests] == [("key-1", b'{"a":1}')] * 2


def test_at_most_three_retries(daemon, upstream):
    for _ in range(10):
        upstream.script(expect_request(), cut())
    assert daemon.ask("GET", "/v1/models").status == 502
    assert len(upstream.requests) == 4


def test_nothing_is_tried_again_after_the_answer_began(daemon, upstream):
    upstream.script(expect_request(), send(SSE_HEAD + chunk(event("one"))), cut())
    with daemon.client() as client:
        try:
            assert client.ask("GET", "/v1/x").ended == "cut"
        except Cut:
            pass
    upstream.script(expect_request(), send(b"HTTP/1.1 200 OK\r\nContent-Le"), cut())
    assert daemon.ask("GET", "/v1/y").status == 502
    assert [request.target for request in upstream.requests] == ["/v1/x", "/v1/y"]


@pytest.mark.parametrize("status", ["429 Too Many Requests", "500 Internal Server Error", "503 Service Unavailable"])
def test_an_answer_of_any_status_is_not_tried_again(daemon, upstream, status):
    upstream.otherwise = [expect_request(), send(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())]
    assert daemon.ask("GET", "/v1/x").start == f"HTTP/1.1 {status}"
    assert len(upstream.requests) == 1


def test_a_connection_that_ended_in_the_pool_is_not_used(daemon, upstream, client):
    """Checked before use: even a POST goes to a new connection, once."""
    for number in range(5):
        upstream.script(expect_request(), send(ok(b"one")), cut())
        assert client.ask("GET", f"/v1/{number}").body == b"one"
        connection = upstream.connections[-1]
        eventually(lambda: connection.ended, "the upstream's close")
        assert client.ask("POST", "/v1/x", body=b"{}").status == 200
    assert len(upstream.requests) == 10


def test_a_body_already_streamed_is_not_sent_in_part(daemon, upstream, client):
    """A PUT whose body is gone cannot be repeated: whole and right, or not at all."""
    upstream.script(expect_head(), reset())
    client.send(b"PUT /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    upstream.wait_for_requests()
    try:
        client.send(b"3\r\ndef\r\n0\r\n\r\n")
    except ConnectionError:
        pass
    response = client.read_response("PUT")
    assert response.status in (200, 502)
    if response.status == 200:
        assert upstream.requests[-1].body == b"abcdef"
    assert all(request.body in (b"", b"abcdef") for request in upstream.requests)


def test_a_chunked_body_is_sent_again_whole(daemon, upstream, client):
    upstream.script(expect_request(), cut())
    client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k\r\nTransfer-Encoding: chunked\r\n\r\n"
                + chunk(b"hello") + chunk(b" world") + LAST_CHUNK)
    assert client.read_response("POST").status in (200, 502)
    assert {request.body for request in upstream.requests} == {b"hello world"}


@pytest.mark.parametrize("more", [b"x", b"POST /v1/next HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n" + b"z" * 40000])
def test_a_body_sent_again_is_not_what_came_behind_it(daemon, upstream, client, more):
    """The next request arrives in the same buffer while the first waits for its answer."""
    go = threading.Event()
    body = bytes(range(256)) * 8
    upstream.script(expect_request(), wait(go), cut())
    client.request("PUT", "/v1/x", body=body)
    upstream.wait_for_requests()
    client.send(more)
    client.silent_for(0.2)
    go.set()
    assert client.read_response("PUT").status == 200
    assert [request.body for request in upstream.requests][:2] == [body, body]
