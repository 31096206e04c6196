"""PROXY_PROTOCOL=true: every connection begins with a header that says for whom it is."""
import json
import socket
import ssl
import struct
import time

import pytest

from harness import Daemon, Upstream, eventually, routes, run

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
UNKNOWN = b"PROXY UNKNOWN\r\n"
LOCAL = SIGNATURE + b"\x20\0\0\0"
REQUEST = b"GET /v1/x HTTP/1.1\r\nHost: a\r\n\r\n"


def v1(source: str, destination: str = "") -> bytes:
    v6 = ":" in source
    destination = destination or ("2001:db8::ffff" if v6 else "192.0.2.255")
    return f"PROXY TCP{6 if v6 else 4} {source} {destination} 56324 443\r\n".encode()


def v2(source: str, more: bytes = b"") -> bytes:
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    packed = socket.inet_pton(family, source)
    block = packed + packed + struct.pack("!HH", 56324, 443) + more
    return SIGNATURE + bytes([0x21, 0x21 if family == socket.AF_INET6 else 0x11]) + struct.pack("!H", len(block)) + block


@pytest.fixture
def upstream():
    with Upstream() as upstream:
        yield upstream


def start(upstream, **settings):
    more = {name: settings.pop(name) for name in ("tls", "host", "args") if name in settings}
    return Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "PROXY_PROTOCOL": "true", **settings},
                  preamble=UNKNOWN, **more)


def status(daemon, preamble, fields=(), **more):
    with daemon.client(preamble=preamble, **more) as client:
        return client.ask("GET", "/v1/x", fields).status


def is_closed_at_once(daemon, data: bytes, **more) -> bool:
    """Without a byte in answer, far within CLIENT_TIMEOUT."""
    began = time.monotonic()
    with daemon.client(preamble=data, **more) as client:
        return client.at_end() and time.monotonic() - began < 10


def warnings(daemon, text: str) -> list:
    return [line for line in daemon.stderr if text in line]


def callers(daemon) -> list:
    lines = [json.loads(line) for line in daemon.stdout if line.startswith("{")]
    return [line["client_ip"] for line in lines if line.get("path") == "/v1/x"]


# --- Who is calling ---

@pytest.mark.parametrize("header, caller", [
    (v1("203.0.113.9"), "203.0.113.9"), (v1("2001:db8::9"), "2001:db8::9"), (v2("203.0.113.9"), "203.0.113.9"),
    (v2("2001:db8::9"), "2001:db8::9"), (v2("::ffff:203.0.113.9"), "203.0.113.9"), (v2("203.0.113.9", b"\x04\0\1x"), "203.0.113.9"),
    (v2("203.0.113.9", b"\xee" * 4084), "203.0.113.9"), (UNKNOWN, "127.0.0.1"), (LOCAL, "127.0.0.1"),
    (b"PROXY UNKNOWN 203.0.113.9 192.0.2.1 1 2\r\n", "127.0.0.1"), (SIGNATURE + b"\x21\0\0\0", "127.0.0.1"),
    (SIGNATURE + b"\x21\x31\0\xd8" + b"/" * 216, "127.0.0.1")],
    ids=["v1", "v1-v6", "v2", "v2-v6", "v2-mapped", "v2-tlv", "v2-longest", "unknown", "local", "unknown-long", "unspec", "unix"])
def test_the_header_names_the_caller(upstream, header, caller):
    with start(upstream) as daemon:
        assert status(daemon, header) == 200
        eventually(lambda: callers(daemon) == [caller], "the access log's line")


def test_the_lists_judge_the_address_of_the_header(upstream):
    with start(upstream, IP_WHITELIST="203.0.113.0/24,2001:db8::/32", IP_BLACKLIST="203.0.113.66") as daemon:
        for source, due in (("203.0.113.9", 200), ("203.0.113.66", 403), ("198.51.100.1", 403), ("2001:db8::9", 200),
                            ("2001:db9::9", 403), ("127.0.0.1", 403)):
            assert (status(daemon, v1(source)), status(daemon, v2(source))) == (due, due), source
        assert status(daemon, UNKNOWN) == 403 and status(daemon, LOCAL) == 403


def test_an_untrusted_peer_is_the_caller_itself_and_named_once(upstream):
    with start(upstream, IP_WHITELIST="203.0.113.9,127.0.0.2") as daemon:
        assert status(daemon, v1("198.51.100.1"), source="127.0.0.2") == 200
        assert status(daemon, v2("198.51.100.1"), source="127.0.0.2") == 200
        assert status(daemon, v1("203.0.113.9"), source="127.0.0.3") == 403
        assert status(daemon, v1("203.0.113.9")) == 200
        eventually(lambda: warnings(daemon, "TRUSTED_PROXIES"), "the warning")
        assert len(warnings(daemon, "TRUSTED_PROXIES")) == 1
        assert "127.0.0.2" in warnings(daemon, "TRUSTED_PROXIES")[0]


def test_an_untrusted_peer_that_speaks_for_itself_is_no_news(upstream):
    with start(upstream) as daemon:
        assert status(daemon, UNKNOWN, source="127.0.0.2") == 200
        assert not warnings(daemon, "TRUSTED_PROXIES")


@pytest.mark.parametrize("name, value", [("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9")])
def test_fields_count_only_if_the_headers_address_is_trusted(upstream, name, value):
    with start(upstream, IP_WHITELIST="203.0.113.9", TRUSTED_PROXIES="127.0.0.1,10.0.0.0/8") as daemon:
        for header, due in ((v1("10.0.0.7"), 200), (v2("10.0.0.7"), 200), (v1("198.51.100.1"), 403), (UNKNOWN, 200)):
            assert status(daemon, header, [(name, value)]) == due, header


def test_without_the_setting_a_header_is_a_malformed_request(upstream):
    with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url))}) as daemon:
        assert status(daemon, v1("203.0.113.9")) == 400
        assert status(daemon, b"") == 200


def test_upstreams_learn_the_address_of_the_header(upstream):
    with start(upstream, FORWARD_CLIENT_IP="true") as daemon:
        assert status(daemon, v2("203.0.113.9")) == 200
        assert upstream.requests[0].get("x-forwarded-for") == "203.0.113.9"


# --- The bytes behind it ---

def test_it_counts_for_all_requests_of_its_connection(upstream):
    with start(upstream, IP_WHITELIST="203.0.113.9") as daemon:
        with daemon.client(preamble=v1("203.0.113.9")) as client:
            assert [client.ask("GET", "/v1/x").status for _ in range(3)] == [200] * 3
        with daemon.client(preamble=v1("198.51.100.1")) as client:
            assert [client.ask("GET", "/v1/x").status for _ in range(3)] == [403] * 3


@pytest.mark.parametrize("header", [v1("203.0.113.9"), v2("203.0.113.9"), v2("2001:db8::9", b"\xee" * 500), UNKNOWN, LOCAL])
def test_what_comes_with_it_in_one_piece_is_kept(upstream, header):
    body = bytes(range(256)) * 40
    post = b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with start(upstream) as daemon, daemon.client(preamble=header + post + REQUEST) as client:
        assert client.read_response("POST").status == 200
        assert client.read_response().status == 200
    assert [request.body for request in upstream.requests] == [body, b""]


@pytest.mark.parametrize("header", [v1("203.0.113.9"), v1("2001:db8::9"), v2("203.0.113.9", b"\xee" * 99), UNKNOWN, LOCAL])
def test_one_byte_at_a_time(upstream, header):
    with start(upstream, IP_BLACKLIST="198.51.100.1") as daemon, daemon.client(preamble=b"") as client:
        for at in range(len(header)):
            client.send(header[at:at + 1])
            time.sleep(0.002)
        assert client.one_byte_at_a_time(REQUEST).read_response().status == 200


def test_only_the_first_bytes_are_a_header(upstream):
    with start(upstream) as daemon, daemon.client(preamble=v1("203.0.113.9") + v1("203.0.113.9")) as client:
        assert client.send(REQUEST).read_response().status == 400


def test_two_workers(upstream):
    with start(upstream, args=["--workers", "2"], IP_WHITELIST="203.0.113.9") as daemon:
        assert [status(daemon, v2("203.0.113.9")) for _ in range(20)] == [200] * 20


# --- TLS ---

@pytest.fixture
def tls(authority):
    certificate, key = authority.issue("localhost", "127.0.0.1")
    return {"ssl_certfile": certificate, "ssl_keyfile": key, "tls": authority.client_context()}


def test_it_comes_before_the_handshake(upstream, tls):
    with start(upstream, IP_WHITELIST="203.0.113.9,2001:db8::9", **tls) as daemon:
        for header in (v1("203.0.113.9"), v2("203.0.113.9"), v2("2001:db8::9", b"\xee" * 500)):
            with daemon.client(preamble=header) as client:
                assert [client.ask("GET", "/v1/x").status for _ in range(2)] == [200, 200]
        assert status(daemon, v2("198.51.100.1")) == 403


def test_a_handshake_in_the_same_piece_is_kept(upstream, tls):
    """The client's first flight goes out with the header: not a byte of it may be lost."""
    with start(upstream, **tls) as daemon:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = daemon.tls.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with daemon.client(tls=None, preamble=b"") as client:
            waiting = v2("203.0.113.9")
            while True:
                try:
                    session.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    client.send(waiting + outgoing.read())
                    waiting = b""
                    incoming.write(client.sock.recv(65536))
            session.write(REQUEST)
            client.send(outgoing.read())
            answer = b""
            while b"HTTP/1.1 200" not in answer:
                incoming.write(client.sock.recv(65536))
                try:
                    answer += session.read(65536)
                except ssl.SSLWantReadError:
                    pass


def test_a_handshake_without_it_is_refused(upstream, tls):
    with start(upstream, **tls) as daemon:
        with pytest.raises(OSError):
            daemon.client(preamble=b"")
        assert is_closed_at_once(daemon, b"\x16\x03\x01\x02\x00\x01", tls=None)
        assert status(daemon, v1("203.0.113.9")) == 200


# --- What is no header ---

BAD = [REQUEST, b"\x16\x03\x01\x02\x00\x01\x00", b"\r\n\r\n\r\n", b"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
       b"PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n", b"PROXY UNKNOWN " + b"x" * 100, SIGNATURE + b"\x31\x11\0\0", SIGNATURE + b"\x21\x11\0\x0b" + b"x" * 11,
       SIGNATURE + b"\x21\x11\xff\xff", SIGNATURE + b"\x22\0\0\0"]


def test_no_header_is_closed_at_once_and_said_once_a_minute(upstream):
    with start(upstream) as daemon:
        for data in BAD:
            assert is_closed_at_once(daemon, data), data
            assert is_closed_at_once(daemon, data + b"x" * 10000), data
        assert status(daemon, UNKNOWN) == 200
        eventually(lambda: warnings(daemon, "PROXY_PROTOCOL=false"), "the warning")
        assert len(warnings(daemon, "PROXY_PROTOCOL=false")) == 1
        assert "127.0.0.1" in warnings(daemon, "PROXY_PROTOCOL=false")[0]
    assert len(upstream.requests) == 1


def test_half_a_header_and_an_end(upstream):
    with start(upstream) as daemon:
        for header in (v1("203.0.113.9"), v2("203.0.113.9")):
            for count in (0, 1, 5, 12, len(header) - 1):
                with daemon.client(preamble=header[:count]) as client:
                    client.leave_half()
                    assert client.at_end()
                daemon.client(preamble=header[:count]).reset()
        assert status(daemon, UNKNOWN) == 200
        assert not warnings(daemon, "PROXY_PROTOCOL=false")


@pytest.mark.parametrize("data", [b"", b"PROXY TCP4 203", v2("203.0.113.9")[:20]])
def test_silence_is_closed_after_client_timeout(upstream, data):
    with start(upstream, CLIENT_TIMEOUT="1") as daemon, daemon.client(preamble=data) as client:
        began = time.monotonic()
        assert client.at_end()
        assert 0.5 < time.monotonic() - began < 6


def test_dripping_does_not_put_the_deadline_off(upstream):
    with start(upstream, CLIENT_TIMEOUT="1") as daemon, daemon.client(preamble=v2("203.0.113.9", b"\0" * 4000)[:16]) as client:
        began = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began < 10:
                client.send(b"\0")
                time.sleep(0.05)
        assert time.monotonic() - began < 6


def test_silence_behind_a_header_is_closed_after_client_timeout(upstream):
    with start(upstream, CLIENT_TIMEOUT="1") as daemon, daemon.client() as client:
        assert client.at_end()


@pytest.mark.parametrize("data", [b"", b"PROXY TCP4 203", v2("203.0.113.9")[:20], UNKNOWN])
def test_shutting_down_does_not_wait_for_a_header(upstream, data):
    with start(upstream, DRAIN_TIMEOUT="30") as daemon, daemon.client(preamble=data) as client:
        assert status(daemon, UNKNOWN) == 200  # so that the daemon has taken the other one
        daemon.signal()
        began = time.monotonic()
        assert daemon.wait(30) == 0
        assert time.monotonic() - began < 10
        assert client.at_end()


# --- The command ---

def test_health_command(upstream):
    with start(upstream) as daemon:
        listener = {"HOST": daemon.host, "PORT": str(daemon.port)}
        good = run("health", env={**listener, "PROXY_PROTOCOL": "true"})
        assert good.returncode == 0 and good.stdout == "OK\n", good
        assert run("health", env=listener).returncode == 1
        assert run("health", "--url", daemon.url, env={**listener, "PROXY_PROTOCOL": "true"}).returncode == 1


def test_health_command_over_tls(upstream, tls):
    with start(upstream, **tls) as daemon:
        files = {name: tls[name] for name in ("ssl_certfile", "ssl_keyfile")}
        env = {"HOST": daemon.host, "PORT": str(daemon.port), "PROXY_PROTOCOL": "true", **files}
        assert run("health", env=env).returncode == 0


def test_the_banner_says_so(upstream):
    with start(upstream) as daemon:
        assert any("proxy protocol" in line for line in daemon.stdout + daemon.stderr)
