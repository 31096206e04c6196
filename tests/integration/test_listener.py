"""The door: TLS, IPv6, workers, health, CORS, and errors in the caller's dialect."""
import re
import ssl
import threading

import pytest

from harness import Daemon, RefusingPort, Upstream, answer, expect_request, hold, ok, routes, send

ORIGIN = ("Origin", "https://chat.example")


# --- Listening ---

def test_tls_listener(authority):
    certificate, key = authority.issue("localhost", "127.0.0.1")
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "ssl_certfile": certificate,
                                         "ssl_keyfile": key}, tls=authority.client_context()) as daemon:
        assert daemon.scheme == "https"
        with daemon.client() as client:
            assert client.sock.version() in ("TLSv1.2", "TLSv1.3")
            body = bytes(range(256)) * 4000
            upstream.script(expect_request(), send(ok(body)))
            assert client.ask("POST", "/v1/x", body=body).body == body
            assert client.ask("GET", "/v1/y").status == 200
        assert upstream.requests[0].body == bytes(range(256)) * 4000


def test_tls_listener_survives_plain_and_broken_clients(authority):
    certificate, key = authority.issue("localhost")
    with Daemon({"ssl_certfile": certificate, "ssl_keyfile": key}, tls=authority.client_context()) as daemon:
        daemon.tls = None
        for data in (b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\x00" * 1000):
            with daemon.client() as client:
                client.send(data)
                try:
                    client.reader.to_end()
                except ConnectionError:
                    pass
        daemon.tls = authority.client_context()
        assert daemon.ask("GET", "/healthz").status == 200


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_versions_are_refused(authority):
    certificate, key = authority.issue("localhost")
    with Daemon({"ssl_certfile": certificate, "ssl_keyfile": key}, tls=authority.client_context()) as daemon:
        old = authority.client_context()
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        current, daemon.tls = daemon.tls, old
        with pytest.raises((ssl.SSLError, ConnectionError)):
            daemon.client()
        daemon.tls = current


def test_client_that_leaves_over_tls_frees_the_upstream(authority):
    certificate, key = authority.issue("localhost")
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "ssl_certfile": certificate,
                                         "ssl_keyfile": key}, tls=authority.client_context()) as daemon:
        for leave in ("close", "reset"):
            upstream.script(expect_request(), hold())
            client = daemon.client().request("POST", "/v1/x", body=b"{}")
            upstream.wait_for_requests(1 if leave == "close" else 2)
            getattr(client, leave)()
            assert upstream.connections[-1].closed.wait(6), leave


def test_ipv6_listener():
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url))}, host="::1") as daemon:
        assert daemon.ask("GET", "/v1/x").status == 200


def test_two_workers_serve_alike():
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url))}, args=["--workers", "2"]) as daemon:
        statuses = []

        def ask():
            for _ in range(10):
                statuses.append(daemon.ask("POST", "/v1/x", body=b"hello").status)
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 80 and len(upstream.requests) == 80


def test_workers_auto():
    with Daemon(args=["--workers", "auto"]) as daemon:
        assert daemon.ask("GET", "/healthz").status == 200


# --- Health ---

def test_healthz(daemon, upstream):
    response = daemon.ask("GET", "/healthz")
    assert response.status == 200 and response.body == b'"OK"'
    assert response.get("content-type").startswith("application/json")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz/", "/healthz?x=1"])
def test_other_health_paths(daemon, upstream, path):
    assert daemon.ask("GET", path).status == 200
    assert upstream.requests == []


def test_head_of_healthz(daemon, upstream):
    response = daemon.ask("HEAD", "/healthz")
    assert response.status == 200 and response.body == b""


# --- CORS ---

def test_preflight_is_answered_here(daemon, upstream):
    response = daemon.ask("OPTIONS", "/v1/chat/completions", [
        ORIGIN, ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization, content-type, x-stainless-lang")])
    assert response.status in (200, 204)
    assert response.get("access-control-allow-origin") in ("*", ORIGIN[1])
    assert "POST" in response.get("access-control-allow-methods")
    allowed = response.get("access-control-allow-headers").lower()
    assert allowed == "*" or all(name in allowed for name in ("authorization", "content-type", "x-stainless-lang"))
    if allowed == "*":
        pytest.fail("a wildcard does not cover authorization (Fetch, CORS-unsafe non-wildcard names)")
    assert response.get("access-control-allow-credentials") is None
    assert upstream.requests == []


def test_answers_carry_cors_once(daemon, upstream):
    upstream.script(expect_request(), send(answer(fields=[
        ("Access-Control-Allow-Origin", "https://platform.example"), ("Access-Control-Allow-Credentials", "true")])))
    response = daemon.ask("GET", "/v1/models", [ORIGIN])
    assert len(response.all("access-control-allow-origin")) == 1
    assert response.get("access-control-allow-origin") in ("*", ORIGIN[1])
    assert response.get("access-control-allow-credentials") is None
    local = daemon.ask("GET", "/v1/v1/x", [ORIGIN])
    assert local.get("access-control-allow-origin") in ("*", ORIGIN[1])


def test_cors_origins_narrow_it():
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)),
                                         "CORS_ORIGINS": "https://chat.example,https://b.example"}) as daemon:
        preflight = [("Access-Control-Request-Method", "POST")]
        for origin, due in ((ORIGIN[1], ORIGIN[1]), ("https://b.example", "https://b.example"),
                            ("https://evil.example", None), ("https://chat.example.evil.example", None), ("null", None)):
            for response in (daemon.ask("GET", "/v1/x", [("Origin", origin)]),
                             daemon.ask("OPTIONS", "/v1/x", [("Origin", origin), *preflight])):
                assert response.get("access-control-allow-origin") == due, origin
        assert "origin" in daemon.ask("GET", "/v1/x", [ORIGIN]).tokens("vary")


# --- Dialects ---

def openai(error):
    assert isinstance(error["error"]["message"], str)
    assert {"message", "type", "param", "code"} <= set(error["error"])


def anthropic(error):
    assert error["type"] == "error"
    assert isinstance(error["error"]["type"], str) and isinstance(error["error"]["message"], str)


def gemini(error):
    assert error["error"]["code"] in (413, 502)
    assert isinstance(error["error"]["message"], str) and re.fullmatch("[A-Z_]+", error["error"]["status"])


def ollama(error):
    assert isinstance(error["error"], str)


DIALECTS = [("/v1/chat/completions", openai), ("/v1/responses", openai), ("/anything", openai), ("/v1/messages", anthropic),
            ("/v1/messages?beta=true", anthropic), ("/v1/messages/count_tokens", anthropic),
            ("/v1beta/models/gemini-pro:generateContent", gemini), ("/v1beta/models/m:streamGenerateContent?alt=sse", gemini),
            ("/api/chat", ollama), ("/api/generate", ollama), ("/api/embed", ollama)]


@pytest.fixture(scope="module")
def refusing():
    """Routes to nobody, and bodies of at most 10 bytes."""
    with RefusingPort() as port, Daemon({
            "FORWARD_CONFIG": routes(("/", port.url), ("/some/prefix", port.url)), "MAX_BODY_BYTES": "10"}) as daemon:
        yield daemon


@pytest.mark.parametrize("path, check", DIALECTS)
def test_errors_speak_the_callers_dialect(refusing, path, check):
    for prefix in ("", "/some/prefix"):
        response = refusing.ask("POST", prefix + path, body=b"x" * 11)
        assert response.status == 413
        assert response.get("content-type").startswith("application/json") and response.get("x-request-id")
        check(response.json())


def test_502_in_every_dialect(refusing):
    for path, check in (DIALECTS[0], DIALECTS[3], DIALECTS[6], DIALECTS[8]):
        response = refusing.ask("POST", path, body=b"{}")
        assert response.status == 502
        check(response.json())


def test_head_of_an_error_has_no_body(refusing):
    with refusing.client() as client:
        response = client.ask("HEAD", "/v1/v1/x")
        assert response.status == 404 and response.body == b""
        assert client.ask("GET", "/healthz").body == b'"OK"'


def test_error_text_is_valid_json_for_any_path(refusing):
    for path in ("/v1/v1/%22%5C", "/v1/v1/\"<script>", "/v1/v1/\\u0000"):
        response = refusing.ask("GET", path)
        assert response.status in (400, 404)
        openai(response.json())
