"""SIGTERM: what runs is finished, nothing new begins, nobody who is silent delays the end."""
import signal
import threading
import time

import pytest

from harness import (LAST_CHUNK, SSE_HEAD, Cut, Daemon, Upstream, chunk, echo_raw, event, eventually, expect_head,
                     expect_request, hold, ok, read_body, routes, send, wait)


@pytest.fixture
def upstream():
    with Upstream() as upstream:
        yield upstream


def start(upstream, tls=None, **settings):
    return Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "DRAIN_TIMEOUT": "30", **settings}, tls=tls)


def refuses(daemon) -> bool:
    try:
        daemon.client().close()
        return False
    except ConnectionError:
        return True


def assert_ends_soon(daemon, seconds: float = 10) -> None:
    """Far below DRAIN_TIMEOUT."""
    began = time.monotonic()
    assert daemon.wait(30) == 0, daemon.output()
    assert time.monotonic() - began < seconds


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_daemon_ends_at_once(upstream, number):
    with start(upstream) as daemon:
        assert daemon.ask("GET", "/v1/x").status == 200
        daemon.signal(number)
        assert_ends_soon(daemon)


def test_a_running_stream_is_finished_byte_for_byte(upstream):
    go = threading.Event()
    later = [event(f"later {number}") for number in range(50)]
    upstream.script(expect_request(), send(SSE_HEAD + chunk(event("first"))), wait(go),
                    send(b"".join(chunk(piece) for piece in later) + LAST_CHUNK))
    with start(upstream) as daemon, daemon.client() as client:
        client.request("POST", "/v1/x", body=b"{}").read_head()
        assert client.body.take(len(event("first"))) == event("first")
        daemon.signal()
        eventually(lambda: refuses(daemon), "new connections are refused")
        go.set()
        assert client.body.rest() == b"".join(later)
        assert client.at_end()
        assert_ends_soon(daemon)


def test_a_running_upload_is_finished(upstream):
    with start(upstream) as daemon, daemon.client() as client:
        client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
        request = upstream.wait_for_requests()[0]
        daemon.signal()
        eventually(lambda: refuses(daemon), "new connections are refused")
        client.send(b"def")
        assert client.read_response("POST").body == b"ok"
        assert request.body == b"abcdef"
        assert_ends_soon(daemon)


def test_a_request_that_waits_for_its_head_is_finished(upstream):
    go = threading.Event()
    upstream.script(expect_request(), wait(go), send(ok(b"late")))
    with start(upstream) as daemon, daemon.client() as client:
        client.request("POST", "/v1/x", body=b"{}")
        upstream.wait_for_requests()
        daemon.signal()
        eventually(lambda: refuses(daemon), "new connections are refused")
        go.set()
        response = client.read_response()
        assert response.body == b"late" and response.tokens("connection") == ["close"]
        assert_ends_soon(daemon)


def test_idle_and_silent_clients_do_not_delay(upstream):
    with start(upstream) as daemon:
        silent = [daemon.client() for _ in range(10)]
        kept = [daemon.client() for _ in range(10)]
        for client in kept:
            assert client.ask("GET", "/v1/x").status == 200
        with daemon.client() as half:
            half.send(b"GET /v1/x HTTP/1.1\r\nHos")
            assert daemon.ask("GET", "/healthz").status == 200
            daemon.signal()
            assert_ends_soon(daemon)
        for client in silent + kept:
            assert client.at_end()
            client.close()


def test_readyz_on_an_existing_connection_is_503(upstream):
    """The connection is busy when the signal comes; what is asked next on it hears that we are leaving."""
    go = threading.Event()
    upstream.script(expect_request(), send(SSE_HEAD), wait(go), send(LAST_CHUNK))
    with start(upstream) as daemon, daemon.client() as client, daemon.client() as other:
        client.request("POST", "/v1/x", body=b"{}").read_head()
        other.send(b"GET /readyz HTTP/1.1\r\nHost: a\r\n")
        assert daemon.ask("GET", "/readyz").status == 200
        daemon.signal()
        eventually(lambda: refuses(daemon), "new connections are refused")
        try:
            other.send(b"\r\n")
            assert other.read_response("GET").status == 503
        except (Cut, ConnectionError):
            pass  # closed as a silent client
        go.set()
        client.body.rest()
        assert_ends_soon(daemon)


def test_a_request_pipelined_behind_a_stream_is_not_begun(upstream):
    go = threading.Event()
    upstream.script(expect_request(), send(SSE_HEAD), wait(go), send(LAST_CHUNK))
    with start(upstream) as daemon, daemon.client() as client:
        client.request("POST", "/v1/x", body=b"{}").read_head()
        daemon.signal()
        eventually(lambda: refuses(daemon), "new connections are refused")
        client.send(b"POST /v1/next HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")
        go.set()
        assert client.body.rest() == b""
        try:
            assert client.read_response("POST").status == 503
        except (Cut, ConnectionError):
            pass
        assert_ends_soon(daemon)
        assert [request.target for request in upstream.requests] == ["/v1/x"]


def test_drain_timeout_cuts(upstream):
    upstream.script(expect_request(), send(SSE_HEAD + chunk(event("one"))), hold())
    with start(upstream, DRAIN_TIMEOUT="1") as daemon, daemon.client() as client:
        client.request("POST", "/v1/x", body=b"{}").read_head()
        client.body.take(5)
        began = time.monotonic()
        daemon.signal()
        with pytest.raises((Cut, ConnectionError)):
            client.body.rest()
        assert time.monotonic() - began >= 0.9
        assert_ends_soon(daemon)
        assert upstream.connections[0].closed.wait(6)


def test_drain_timeout_of_zero_does_not_wait(upstream):
    upstream.script(expect_request(), send(SSE_HEAD + chunk(event("one"))), hold())
    with start(upstream, DRAIN_TIMEOUT="0") as daemon, daemon.client() as client:
        client.request("POST", "/v1/x", body=b"{}").read_head()
        daemon.signal()
        assert_ends_soon(daemon)


def test_a_tunnel_is_cut_at_the_drain_timeout(upstream):
    switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    upstream.script(expect_request(), send(switch), echo_raw())
    with start(upstream, DRAIN_TIMEOUT="1") as daemon, daemon.client() as client:
        client.request("GET", "/v1/realtime", [("Connection", "Upgrade"), ("Upgrade", "websocket")])
        assert client.read_head().status == 101
        daemon.signal()
        assert_ends_soon(daemon)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(upstream, second):
    upstream.script(expect_request(), send(SSE_HEAD + chunk(event("one"))), hold())
    with start(upstream) as daemon, daemon.client() as client:
        client.request("POST", "/v1/x", body=b"{}").read_head()
        daemon.signal()
        eventually(lambda: refuses(daemon), "new connections are refused")
        assert daemon.process.poll() is None
        daemon.signal(second)
        began = time.monotonic()
        code = daemon.wait(30)
        assert time.monotonic() - began < 10
        assert code not in (-signal.SIGSEGV, -signal.SIGABRT, 70), daemon.output()
        daemon.check_sanitizers()
        with pytest.raises((Cut, ConnectionError)):
            client.body.rest()
        daemon.kill()
        daemon.process.returncode = 0  # any code will do after a second signal


def test_client_that_does_not_read_does_not_delay_for_ever(upstream):
    upstream.script(expect_request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"),
                    lambda connection: [connection.sock.sendall(b"x" * 65536) for _ in range(10000)])
    with start(upstream, DRAIN_TIMEOUT="1") as daemon, daemon.client(receive_buffer=4096) as client:
        client.request("GET", "/v1/x").read_head()
        daemon.signal()
        assert_ends_soon(daemon)


def test_two_workers_drain_alike(upstream):
    go = threading.Event()
    upstream.otherwise = [expect_head(), read_body(), send(SSE_HEAD), wait(go), send(chunk(event("end")) + LAST_CHUNK)]
    with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "DRAIN_TIMEOUT": "30"}, args=["--workers", "2"]) as daemon:
        clients = [daemon.client().request("POST", "/v1/x", body=b"{}") for _ in range(10)]
        for client in clients:
            client.read_head()
        daemon.signal()
        eventually(lambda: refuses(daemon), "new connections are refused")
        go.set()
        for client in clients:
            assert client.body.rest() == event("end")
            client.close()
        assert_ends_soon(daemon)


def test_silent_tls_clients_do_not_delay(authority, upstream):
    certificate, key = authority.issue("localhost")
    with start(upstream, ssl_certfile=certificate, ssl_keyfile=key, tls=authority.client_context()) as daemon:
        kept = daemon.client()
        assert kept.ask("GET", "/v1/x").status == 200
        context, daemon.tls = daemon.tls, None
        silent, half = daemon.client(), daemon.client().send(b"\x16\x03\x01")
        daemon.tls = context
        assert daemon.ask("GET", "/healthz").status == 200
        daemon.signal()
        assert_ends_soon(daemon)
        for client in (kept, silent, half):
            client.close()
