"""What is left of one request is never the beginning of the next."""
import threading

import pytest

from harness import (LAST_CHUNK, Cut, Daemon, Upstream, answer, chunk, expect_head, expect_request, hold, ok, routes, send,
                     wait)

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
SETTINGS = {"CLIENT_TIMEOUT": "1", "BENCHMARK_MODE": "true"}


def drain(client):
    """Everything that still comes, until the connection ends or the daemon waits for more."""
    try:
        while True:
            client.read_response("GET")
    except (Cut, OSError):
        pass


def smuggled(upstream):
    return [request.start for request in upstream.requests if "smuggled" in request.target]


LOCAL = {"no route": b"POST /v1/v1/x HTTP/1.1", "health": b"POST /healthz HTTP/1.1", "ready": b"GET /readyz HTTP/1.1",
         "benchmark, wrong method": b"PUT /benchmark/v1/chat/completions HTTP/1.1", "dot segments": b"POST /../x HTTP/1.1",
         "foreign host": b"POST http://other.example/x HTTP/1.1", "lower case": b"post /v1/v1/x HTTP/1.1"}


@pytest.mark.parametrize("name", sorted(LOCAL))
@pytest.mark.parametrize("framing", ["length", "chunked", "expect"])
def test_the_body_of_a_request_answered_here_is_not_the_next_request(daemon, upstream, name, framing):
    body = SMUGGLED if framing != "chunked" else chunk(SMUGGLED) + LAST_CHUNK
    fields = {"length": b"Content-Length: %d\r\n" % len(body), "chunked": b"Transfer-Encoding: chunked\r\n",
              "expect": b"Expect: 100-continue\r\nContent-Length: %d\r\n" % len(body)}[framing]
    with daemon.client() as client:
        client.send(LOCAL[name] + b"\r\nHost: a\r\n" + fields + b"\r\n")
        response = client.read_response("POST")
        assert response.status >= 200
        try:
            client.send(body)
        except ConnectionError:
            pass
        drain(client)
    assert not smuggled(upstream)


def test_preflight_with_a_body(daemon, upstream, client):
    client.send(b"OPTIONS /v1/x HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n"
                b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED)
    drain(client)
    assert not smuggled(upstream)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_early_answer_of_the_upstream(daemon, upstream, framing):
    """It answers after the head and keeps the connection; the client goes on sending its body."""
    upstream.script(expect_head(), send(ok(b"early")), hold())
    with daemon.client() as client:
        if framing == "length":
            client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\nabc" % (3 + len(SMUGGLED)))
            rest = SMUGGLED
        else:
            client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"abc"))
            rest = chunk(SMUGGLED) + LAST_CHUNK
        response = client.read_response("POST")
        assert response.status == 200 and response.body == b"early"
        try:
            client.send(rest)
        except ConnectionError:
            pass
        drain(client)
    assert not smuggled(upstream)


def test_the_upstreams_connection_after_an_early_answer_is_not_reused(daemon, upstream):
    """Part of a body lies in it: another client's request may not follow there."""
    go = threading.Event()
    upstream.script(expect_head(), send(ok(b"early")), wait(go))
    with daemon.client() as client:
        client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
        assert client.read_response("POST").body == b"early"
        assert daemon.ask("POST", "/v1/other", body=b"{}").body == b"ok"
        assert upstream.requests[-1].connection != upstream.requests[0].connection
    go.set()


def test_nothing_is_read_after_connection_close(daemon, upstream, client):
    client.send(b"GET /v1/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + SMUGGLED)
    assert client.read_response("GET").status == 200
    assert client.at_end()
    assert not smuggled(upstream)


def test_a_bad_request_behind_a_good_one(daemon, upstream, client):
    client.send(b"GET /v1/x HTTP/1.1\r\nHost: a\r\n\r\nGET /v1/y HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + SMUGGLED)
    assert client.read_response("GET").status == 200
    assert client.read_response("GET").status == 400
    assert client.at_end()
    assert [request.target for request in upstream.requests] == ["/v1/x"]


def test_http10_keep_alive(daemon, upstream, client):
    """ab and old libraries ask for it: kept with a length, or closed; never left waiting."""
    client.send(b"GET /v1/x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
    response = client.read_response("GET")
    assert response.body == b"ok" and not response.all("transfer-encoding")
    if "keep-alive" in response.tokens("connection"):
        client.send(b"GET /v1/y HTTP/1.0\r\nHost: a\r\n\r\n")
        assert client.read_response("GET").body == b"ok"
    assert client.at_end()


def test_http10_keep_alive_without_a_length_ends_with_the_connection(daemon, upstream, client):
    upstream.script(expect_request(), send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"hi") + LAST_CHUNK))
    client.send(b"GET /v1/x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
    response = client.read_response("GET")
    assert response.body == b"hi" and "keep-alive" not in response.tokens("connection")


def test_http10_is_never_sent_100_continue(daemon, upstream, client):
    client.send(b"POST /v1/x HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}")
    response = client.read_response("POST")
    assert response.status == 200 and response.interim == []


def test_two_clients_never_get_each_others_answers(daemon, upstream):
    """Interleaved over pooled connections, with cut ones in between."""
    upstream.otherwise = [expect_request(), lambda connection: connection.sock.sendall(
        answer(body=connection.request.target.encode()))]
    wrong = []

    def ask(number):
        for at in range(30):
            target = f"/v1/{number}/{at}"
            if at % 7 == 3:
                with daemon.client() as client:
                    client.request("GET", target)
                continue
            got = daemon.ask("GET", target).body.decode()
            if got != target:
                wrong.append((target, got))
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []


def test_slow_reader_behind_tls_on_both_sides(authority):
    body = bytes(range(256)) * 40_000
    certificate, key = authority.issue("127.0.0.1", "localhost")
    with Upstream(tls=authority.server_context("localhost"), name="localhost") as upstream, Daemon(
            {"FORWARD_CONFIG": routes(("/", upstream.url)), "SSL_CERT_FILE": authority.certificate,
             "ssl_certfile": certificate, "ssl_keyfile": key}, tls=authority.client_context()) as daemon:
        upstream.script(expect_request(), send(ok(body)))
        with daemon.client(receive_buffer=4096) as client:
            client.request("GET", "/v1/x").read_head()
            assert client.body.take(1000) == body[:1000]
            assert client.body.rest() == body[1000:]
