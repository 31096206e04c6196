"""The way out through an HTTP proxy."""
import base64

import pytest

from harness import Daemon, Upstream, answer, expect_connect, expect_request, hold, ok, routes, send, start_tls

FORWARD = routes(("/", "http://api.test.example:8080/base"))
FORWARD_TLS = routes(("/", "https://api.test.example"))


@pytest.fixture
def proxy():
    with Upstream(proxy=True) as proxy:
        yield proxy


def with_credentials(proxy, credentials: str) -> str:
    return proxy.url.replace("http://", f"http://{credentials}@")


def basic(credentials: str) -> str:
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def test_http_upstream_in_absolute_form(proxy):
    with Daemon({"FORWARD_CONFIG": FORWARD, "PROXY": proxy.url}) as daemon:
        assert daemon.ask("POST", "/v1/x?a=%20", body=b"hello").body == b"ok"
        request = proxy.requests[0]
        assert request.target == "http://api.test.example:8080/base/v1/x?a=%20"
        assert request.get("host") == "api.test.example:8080" and request.body == b"hello"
        assert request.get("proxy-authorization") is None


def test_http_upstream_with_credentials(proxy):
    with Daemon({"FORWARD_CONFIG": FORWARD, "PROXY": with_credentials(proxy, "me:s%40cret")}) as daemon:
        assert daemon.ask("GET", "/v1/x", [("Proxy-Authorization", "Basic Zm9v")]).status == 200
        assert proxy.requests[0].all("proxy-authorization") == [basic("me:s@cret")]
        assert "s@cret" not in daemon.output() and "s%40cret" not in daemon.output()


def test_https_upstream_through_connect(authority, proxy):
    proxy.script(expect_connect(), start_tls(authority.server_context("api.test.example")), expect_request(), send(ok()))
    with Daemon({"FORWARD_CONFIG": FORWARD_TLS, "PROXY": with_credentials(proxy, "me:secret"),
                 "SSL_CERT_FILE": authority.certificate}) as daemon:
        with daemon.client() as client:
            assert client.ask("POST", "/v1/x", body=b"{}").body == b"ok"
            assert client.ask("POST", "/v1/y", body=b"{}").status == 200
        assert len(proxy.connections) == 1
        connect, request, _ = proxy.requests
        assert connect.method == "CONNECT" and connect.target == "api.test.example:443"
        assert connect.get("host") == "api.test.example:443"
        assert connect.get("proxy-authorization") == basic("me:secret")
        assert request.target == "/v1/x" and request.get("host") == "api.test.example"
        assert request.get("proxy-authorization") is None
        assert proxy.connections[0].server_name == "api.test.example"


def test_certificate_is_checked_through_connect(authority, proxy):
    proxy.otherwise = [expect_connect(), start_tls(authority.server_context("other.example"))]
    with Daemon({"FORWARD_CONFIG": FORWARD_TLS, "PROXY": proxy.url, "SSL_CERT_FILE": authority.certificate}) as daemon:
        assert daemon.ask("POST", "/v1/x", body=b"{}").status == 502
        assert {request.method for request in proxy.requests} == {"CONNECT"}


@pytest.mark.parametrize("refusal", ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway"])
def test_a_proxy_that_refuses_is_502(proxy, refusal):
    proxy.otherwise = [expect_connect(answer(refusal, body=b"<html>proxy page</html>"))]
    with Daemon({"FORWARD_CONFIG": FORWARD_TLS, "PROXY": proxy.url}) as daemon:
        response = daemon.ask("POST", "/v1/x", body=b"{}")
        assert response.status == 502
        assert "proxy" in response.json()["error"]["message"].lower()
        assert b"proxy page" not in response.body


def test_bytes_behind_the_connect_answer_are_refused(authority, proxy):
    proxy.otherwise = [expect_connect(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"), hold()]
    with Daemon({"FORWARD_CONFIG": FORWARD_TLS, "PROXY": proxy.url, "SSL_CERT_FILE": authority.certificate,
                 "TIMEOUT": "2"}) as daemon:
        response = daemon.ask("POST", "/v1/x", body=b"{}")
        assert response.status in (502, 504) and b"evil" not in response.body


def test_https_proxy_and_no_proxy_variables(authority, proxy):
    with Upstream(tls=authority.server_context("localhost"), name="localhost") as upstream:
        for no_proxy, due in (("", 1), ("localhost", 0), ("other.example, localhost", 0), ("*", 0), ("ocalhost", 1)):
            proxy.reset()
            upstream.reset()
            proxy.script(expect_connect(), start_tls(authority.server_context("localhost")), expect_request(), send(ok()))
            with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "HTTPS_PROXY": proxy.url, "NO_PROXY": no_proxy,
                         "SSL_CERT_FILE": authority.certificate}) as daemon:
                assert daemon.ask("GET", "/v1/x").status == 200
            assert len(proxy.connections) == due, no_proxy


def test_https_proxy_is_not_for_http_upstreams(proxy):
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)),
                                         "HTTPS_PROXY": proxy.url}) as daemon:
        assert daemon.ask("GET", "/v1/x").status == 200
        assert len(upstream.requests) == 1 and proxy.connections == []


def test_proxy_comes_before_https_proxy(proxy):
    with Upstream(proxy=True) as other, Daemon({"FORWARD_CONFIG": FORWARD, "PROXY": proxy.url,
                                                "HTTPS_PROXY": other.url, "HTTP_PROXY": other.url}) as daemon:
        assert daemon.ask("GET", "/v1/x").status == 200
        assert len(proxy.requests) == 1 and other.connections == []
