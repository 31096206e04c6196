"""A tunnel after the upstream's 101, and nothing raw before it."""
import os
import threading

import pytest

from harness import Daemon, Upstream, answer, echo_raw, expect_request, hold, ok, routes, send, wait

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
             ("Sec-WebSocket-Key", KEY)]
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: realtime\r\n\r\n")


def switch(*fields):
    return client_head(HANDSHAKE + list(fields))


def client_head(fields, start="GET /v1/realtime?model=gpt HTTP/1.1"):
    return (start + "\r\nHost: a\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n").encode()


def test_tunnel_both_ways(daemon, upstream, client):
    upstream.script(expect_request(), send(SWITCH), echo_raw())
    response = client.send(switch(("Sec-WebSocket-Protocol", "realtime, openai-beta.realtime-v1"))).read_head()
    assert response.status == 101
    assert response.get("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert response.get("sec-websocket-protocol") == "realtime"
    assert response.tokens("connection") == ["upgrade"] and response.tokens("upgrade") == ["websocket"]
    request = upstream.requests[0]
    assert request.target == "/v1/realtime?model=gpt" and request.get("sec-websocket-key") == KEY
    assert request.get("sec-websocket-protocol") == "realtime, openai-beta.realtime-v1"
    for data in (b"\x81\x05hello", bytes(range(256)), b"GET / HTTP/1.1\r\n\r\n", b"0\r\n\r\n"):
        client.send(data)
        assert client.reader.exactly(len(data)) == data


def test_large_transfers_through_the_tunnel(daemon, upstream, client):
    data = os.urandom(1 << 20)
    upstream.script(expect_request(), send(SWITCH), echo_raw())
    assert client.send(switch()).read_head().status == 101
    threading.Thread(target=client.send, args=(data * 8,), daemon=True).start()
    for _ in range(8):
        assert client.reader.exactly(len(data)) == data


def test_bytes_right_behind_the_101_pass(daemon, upstream, client):
    upstream.script(expect_request(), send(SWITCH + b"\x81\x02hi"), echo_raw())
    assert client.send(switch()).read_head().status == 101
    assert client.reader.exactly(4) == b"\x81\x02hi"


def test_upstream_ends_the_tunnel(daemon, upstream, client):
    upstream.script(expect_request(), send(SWITCH + b"bye"))
    upstream.scripts[0].append(lambda connection: connection.abandon())
    assert client.send(switch()).read_head().status == 101
    assert client.reader.exactly(3) == b"bye"
    assert client.at_end()


@pytest.mark.parametrize("way", ["close", "reset"])
def test_client_ends_the_tunnel(daemon, upstream, client, way):
    upstream.script(expect_request(), send(SWITCH), echo_raw())
    assert client.send(switch()).read_head().status == 101
    getattr(client, way)()
    assert upstream.connections[0].closed.wait(6)


def test_bytes_before_the_101_wait_for_it(daemon, upstream, client):
    """They are the tunnel's only if the upstream agrees: none may arrive before it did."""
    go = threading.Event()
    early = {}

    def nothing_raw_yet(connection):
        connection.sock.settimeout(0.5)
        try:
            early["bytes"] = connection.sock.recv(100)
        except OSError:
            early["bytes"] = b""
        connection.sock.settimeout(30)
    upstream.script(expect_request(), nothing_raw_yet, wait(go), send(SWITCH), echo_raw())
    client.send(switch() + b"\x81\x05early")
    go.set()
    assert client.read_head().status == 101
    assert client.reader.exactly(7) == b"\x81\x05early"
    assert early["bytes"] == b""


def test_bytes_before_a_refusal_are_a_request_or_nothing(daemon, upstream, client):
    """http-garden's upgrade smuggling: raw bytes behind a handshake that the upstream declines."""
    upstream.script(expect_request(), send(answer("404 Not Found", body=b"no")))
    client.send(switch() + b"GET /smuggled HTTP/1.1\r\nHost: evil\r\nX-Raw: 1\r\nCookie: a=b\r\n\r\n")
    assert client.read_response().status == 404
    try:
        client.read_response()
    except Exception:
        pass
    for request in upstream.requests[1:]:  # then it went the ordinary way
        assert request.get("host") == upstream.authority and request.get("cookie") is None


@pytest.mark.parametrize("status", ["404 Not Found", "200 OK", "426 Upgrade Required", "401 Unauthorized"])
def test_an_upstream_that_declines_is_heard(daemon, upstream, client, status):
    fields = [("X-A", "b")]
    upstream.script(expect_request(), send(answer(status, fields, b"no upgrade")))
    response = client.send(switch()).read_response()
    assert response.start == f"HTTP/1.1 {status}" and response.body == b"no upgrade" and response.get("x-a") == "b"


@pytest.mark.parametrize("head", [
    client_head([("Connection", "Upgrade"), ("Upgrade", "TLS/1.0")]),
    client_head(HANDSHAKE + [("Content-Length", "2")], "POST /v1/realtime HTTP/1.1") + b"{}",
])
def test_an_upgrade_that_is_not_possible_is_426_at_once(daemon, upstream, client, head):
    response = client.send(head).read_response()
    assert response.status == 426
    assert response.json()["error"]["message"]
    assert upstream.requests == []


def test_h2c_is_declined_by_an_ordinary_answer(daemon, upstream, client):
    """Java's HttpClient asks for it with every first request (RFC 9110, 7.8: a server may ignore it)."""
    fields = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")]
    response = client.ask("GET", "/v1/x", fields)
    assert response.status == 200 and not response.all("upgrade")
    assert not {"upgrade", "http2-settings"} & set(upstream.requests[0].names())


def test_upgrade_without_connection_is_an_ordinary_request(daemon, upstream, client):
    """A field that Connection does not name asks nothing of us (RFC 9110, 7.8)."""
    response = client.ask("GET", "/v1/x", [("Upgrade", "websocket")])
    assert response.status in (200, 426)
    assert all(request.get("upgrade") is None for request in upstream.requests)


def test_h2c_prior_knowledge_is_refused(daemon, upstream, client):
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert client.read_response().status in (400, 505)
    assert client.at_end() and upstream.requests == []


def test_an_unasked_101_is_502(daemon, upstream, client):
    upstream.script(expect_request(), send(SWITCH + ok(b"evil")), hold())
    assert client.ask("POST", "/v1/x", body=b"{}").status == 502


def test_a_101_to_another_protocol_is_502(daemon, upstream, client):
    upstream.script(expect_request(), send(SWITCH.replace(b"Upgrade: websocket", b"Upgrade: h2c")), hold())
    assert client.send(switch()).read_response().status == 502


def test_forward_key_in_the_subprotocols_is_swapped():
    with Upstream() as upstream, Daemon({
            "FORWARD_CONFIG": routes(("/", upstream.url)), "OPENAI_API_KEY_CONFIG": '{"sk-real": [0]}',
            "FORWARD_KEY_CONFIG": '{"fk-mine": 0}'}) as daemon:
        upstream.otherwise = [expect_request(), send(SWITCH), echo_raw()]
        for sent, due in [("realtime, openai-insecure-api-key.fk-mine, openai-beta.realtime-v1",
                           "realtime, openai-insecure-api-key.sk-real, openai-beta.realtime-v1"),
                          ("realtime, openai-insecure-api-key.sk-own", "realtime, openai-insecure-api-key.sk-own"),
                          ("realtime, openai-insecure-api-key.fk-mine2", "realtime, openai-insecure-api-key.fk-mine2")]:
            with daemon.client() as client:
                assert client.send(switch(("Sec-WebSocket-Protocol", sent))).read_head().status == 101
            assert upstream.requests[-1].get("sec-websocket-protocol") == due
        with daemon.client() as client:
            head = switch(("Authorization", "Bearer fk-mine"))
            assert client.send(head).read_head().status == 101
        assert upstream.requests[-1].get("authorization") == "Bearer sk-real"
    assert "fk-mine" not in daemon.output() and "sk-real" not in daemon.output()


def test_tunnel_outlives_the_idle_timeout_while_bytes_flow():
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "CLIENT_TIMEOUT": "1",
                                         "FIRST_BYTE_TIMEOUT": "1"}) as daemon:
        upstream.script(expect_request(), send(SWITCH), echo_raw())
        with daemon.client() as client:
            assert client.send(switch()).read_head().status == 101
            assert client.silent_for(2.5)
            client.send(b"still here")
            assert client.reader.exactly(10) == b"still here"
