"""TLS towards the upstream: verified, named, and resumed."""
import socket
import ssl
import struct

import pytest

from harness import (LAST_CHUNK, SSE_HEAD, Authority, Cut, Daemon, Upstream, chunk, cut, cut_without_close_notify,
                     event, expect_request, hold, ok, reset, routes, send)


def daemon_for(upstream, authority, **more):
    return Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "SSL_CERT_FILE": authority.certificate, **more})


def test_a_trusted_upstream_by_name(authority):
    with Upstream(tls=authority.server_context("localhost"), name="localhost") as upstream:
        with daemon_for(upstream, authority) as daemon:
            assert daemon.ask("POST", "/v1/x", body=b"hello").body == b"ok"
            assert upstream.requests[0].body == b"hello"
            assert upstream.requests[0].get("host") == f"localhost:{upstream.port}"
            assert upstream.connections[0].server_name == "localhost"


def test_a_trusted_upstream_by_address(authority):
    with Upstream(tls=authority.server_context("127.0.0.1")) as upstream, daemon_for(upstream, authority) as daemon:
        assert daemon.ask("GET", "/v1/x").status == 200
        assert upstream.connections[0].server_name is None  # RFC 6066: no address in SNI


def refused(upstream, daemon) -> None:
    response = daemon.ask("POST", "/v1/x", [("Authorization", "Bearer sk-secret")], b"{}")
    assert response.status == 502
    message = response.json()["error"]["message"]
    assert "certificate" in message.lower() or "TLS" in message, message
    assert upstream.requests == []


def test_another_name_is_refused(authority):
    with Upstream(tls=authority.server_context("other.example"), name="localhost") as upstream:
        with daemon_for(upstream, authority) as daemon:
            refused(upstream, daemon)


def test_another_address_is_refused(authority):
    with Upstream(tls=authority.server_context("127.0.0.2")) as upstream, daemon_for(upstream, authority) as daemon:
        refused(upstream, daemon)


def test_a_wildcard_covers_one_label_only(authority):
    with Upstream(tls=authority.server_context("*.example")) as upstream, daemon_for(upstream, authority) as daemon:
        refused(upstream, daemon)


def test_an_unknown_authority_is_refused(authority, tmp_path):
    stranger = Authority(str(tmp_path), "stranger")
    with Upstream(tls=stranger.server_context("localhost"), name="localhost") as upstream:
        with daemon_for(upstream, authority) as daemon:
            refused(upstream, daemon)


def test_the_systems_authorities_do_not_know_ours(authority):
    with Upstream(tls=authority.server_context("localhost"), name="localhost") as upstream:
        with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url))}) as daemon:
            refused(upstream, daemon)


def test_a_plain_upstream_behind_https_is_502():
    with Upstream(name="localhost") as upstream:
        url = upstream.url.replace("http:", "https:")
        with Daemon({"FORWARD_CONFIG": routes(("/", url)), "TIMEOUT": "2"}) as daemon:
            assert daemon.ask("POST", "/v1/x", body=b"{}").status in (502, 504)
        upstream.faults.clear()  # it read a TLS greeting as HTTP
        upstream.failures.clear()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed(authority, version):
    context = authority.server_context("localhost")
    context.minimum_version = context.maximum_version = version
    with Upstream(tls=context, name="localhost") as upstream, daemon_for(upstream, authority) as daemon:
        reused = []
        upstream.otherwise = [
            expect_request(), lambda connection: reused.append(connection.sock.session_reused),
            send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"), cut()]
        for _ in range(4):
            assert daemon.ask("GET", "/v1/x").status == 200
        assert len(upstream.connections) == 4
        assert reused[0] is False and any(reused[1:]), reused


def test_tls_connections_are_reused(authority):
    with Upstream(tls=authority.server_context("localhost"), name="localhost") as upstream:
        with daemon_for(upstream, authority) as daemon:
            with daemon.client() as client:
                for _ in range(3):
                    assert client.ask("GET", "/v1/x").status == 200
            assert len(upstream.connections) == 1


@pytest.mark.parametrize("end", [cut, cut_without_close_notify, reset])
def test_a_cut_tls_stream_ends_cut(authority, end):
    with Upstream(tls=authority.server_context("localhost"), name="localhost") as upstream:
        with daemon_for(upstream, authority) as daemon:
            upstream.script(expect_request(), send(SSE_HEAD + chunk(event("one"))), end())
            with daemon.client() as client:
                try:
                    assert client.ask("POST", "/v1/x", body=b"{}").ended == "cut"
                except (Cut, ConnectionError):
                    pass


def test_close_delimited_needs_close_notify(authority):
    """An attacker on the way can send a FIN; only close_notify is the upstream's word."""
    plain = b"HTTP/1.1 200 OK\r\n\r\nhello"
    with Upstream(tls=authority.server_context("localhost"), name="localhost") as upstream:
        with daemon_for(upstream, authority) as daemon:
            upstream.script(expect_request(), send(plain), cut())
            response = daemon.ask("POST", "/v1/x", body=b"{}")
            assert response.ended == "complete" and response.body == b"hello"
            upstream.script(expect_request(), send(plain), cut_without_close_notify())
            with daemon.client() as client:
                try:
                    assert client.ask("POST", "/v1/x", body=b"{}").ended == "cut"
                except (Cut, ConnectionError):
                    pass


def test_large_bodies_over_tls(authority):
    body = bytes(range(256)) * 20000
    with Upstream(tls=authority.server_context("localhost"), name="localhost") as upstream:
        with daemon_for(upstream, authority) as daemon:
            upstream.script(expect_request(), send(ok(body)))
            assert daemon.ask("POST", "/v1/x", body=body).body == body
            assert upstream.requests[0].body == body


def cork(on: int):
    """What is sent from then on goes out together, once it is off again."""
    return lambda connection: connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, on)


def segments_received(sock) -> int:
    information = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160)
    return struct.unpack_from("I", information, 152)[0]  # tcpi_data_segs_in


def test_records_that_came_together_go_on_together(authority):
    events = [chunk(event(f"{number:02}")) for number in range(60)]
    with Upstream(tls=authority.server_context("localhost"), name="localhost") as upstream:
        with daemon_for(upstream, authority) as daemon:
            upstream.script(expect_request(), cork(1), send(SSE_HEAD), *map(send, events), send(LAST_CHUNK), cork(0))
            with daemon.client() as client:
                response = client.ask("POST", "/v1/x", body=b"{}")
                assert response.body == b"".join(event(f"{number:02}") for number in range(60))
                assert segments_received(client.sock) < 20


def test_client_leaves_a_tls_stream(authority):
    with Upstream(tls=authority.server_context("localhost"), name="localhost") as upstream:
        with daemon_for(upstream, authority) as daemon:
            upstream.script(expect_request(), send(SSE_HEAD + chunk(event("one"))), hold())
            with daemon.client() as client:
                client.request("POST", "/v1/x", body=b"{}").read_head()
                client.body.take(5)
            assert upstream.connections[0].closed.wait(6)
