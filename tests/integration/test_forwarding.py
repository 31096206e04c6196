"""Which upstream a request goes to, and with what target."""
import pytest

from harness import Daemon, Upstream, routes


def test_methods_of_every_kind_pass(daemon, upstream):
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "M-SEARCH", "X!#$%&'*+-.^_`|~9"]
    with daemon.client() as client:
        for method in methods:
            body = b"{}" if method in ("POST", "PUT", "PATCH") else None
            assert client.ask(method, "/v1/any", body=body).status == 200, method
    assert [request.method for request in upstream.requests] == methods


def test_standard_methods_go_up_in_capitals_and_others_as_they_are(daemon, upstream):
    """An upstream that read "head" as HEAD would disagree with us about where its answer ends."""
    for method in ("get", "Patch", "custom"):
        assert daemon.ask(method, "/v1/any").status == 200, method
    assert [request.method for request in upstream.requests] == ["GET", "PATCH", "custom"]


def test_options_without_origin_passes(daemon, upstream):
    assert daemon.ask("OPTIONS", "/v1/models").status == 200
    assert upstream.starts() == ["OPTIONS /v1/models HTTP/1.1"]


@pytest.mark.parametrize("sent, due", [
    ("/v1/models", "/v1/models"),
    ("//v1///models", "/v1/models"),
    ("/v1/models/", "/v1/models"),
    ("/v1/models//", "/v1/models"),
    ("/v1/models/?x=1", "/v1/models?x=1"),
    ("/v1/files/a%2Fb%20c", "/v1/files/a%2Fb%20c"),
    ("/v1/files/a%2fb", "/v1/files/a%2fb"),
    ("/v1/%E4%BD%A0", "/v1/%E4%BD%A0"),
    ("/v1/models?a=1&b=%20+%2B//c/", "/v1/models?a=1&b=%20+%2B//c/"),
    ("/v1/models?", "/v1/models?"),
    ("/v1/models?q=a/../b", "/v1/models?q=a/../b"),
    ("/v1beta/models/gemini-pro:generateContent", "/v1beta/models/gemini-pro:generateContent"),
    ("/v1/a;b=c/$!*'(),~@:&=+", "/v1/a;b=c/$!*'(),~@:&=+"),
    ("/v1/...", "/v1/..."),
    ("/v1/.hidden/a..b", "/v1/.hidden/a..b"),
    ("/v1/a%252e%252e/b", "/v1/a%252e%252e/b"),
])
def test_target_as_sent_but_for_slashes(daemon, upstream, sent, due):
    assert daemon.ask("GET", sent).status == 200
    assert upstream.requests[0].target == due


def test_root_goes_to_root():
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url, "general"))}) as daemon:
        daemon.ask("GET", "/?a=b")
        assert [request.target for request in upstream.requests] in (["/?a=b"], [])


def test_long_target_passes(daemon, upstream):
    target = "/v1/models?x=" + "a" * 30000
    assert daemon.ask("GET", target).status == 200
    assert upstream.requests[0].target == target


def test_host_is_the_upstreams(daemon, upstream):
    daemon.ask("GET", "/v1/models", host="proxy.example")
    assert upstream.requests[0].all("host") == [upstream.authority]


def test_base_path_goes_before_the_rest():
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(
            ("/", upstream.url + "/base/v9"), ("/slash", upstream.url + "/tail/"))}) as daemon:
        assert daemon.ask("GET", "/v1/models?x=/").status == 200
        assert daemon.ask("GET", "/slash/v1/models").status == 200
        assert daemon.ask("GET", "/slash").status == 200
        assert [request.target for request in upstream.requests][:2] == ["/base/v9/v1/models?x=/", "/tail/v1/models"]
        assert upstream.requests[2].target in ("/tail", "/tail/")


@pytest.mark.parametrize("target", [
    "/../admin", "/v1/../../admin", "/v1/..", "/..", "/%2e%2e/admin", "/v1/%2E%2e/%2e%2E/admin", "/.%2e/admin",
    "/v1/%2e./%2e%2e/admin", "/%2e%2e%2fadmin", "/..%2fadmin", "/v1/..%2F..%2Fadmin", "/..;/admin", "/..\\admin",
    "/%2e%2e%5cadmin", "/./../admin",
])
def test_no_way_out_of_the_base_path(target):
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url + "/inside"))}) as daemon:
        response = daemon.ask("GET", target)
        if response.status == 200:  # then it was resolved or is a plain name; never a dot segment, plain or encoded
            sent = upstream.requests[0].target.lower().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/")
            assert sent.startswith("/inside/")
            assert not {"..", "."} & set(sent.replace("\\", "/").split("/")), sent
        else:
            assert response.status in (400, 404), response.status
            assert upstream.requests == []


@pytest.mark.parametrize("target", ["/80/x", "/99/v1", "/@evil.example/v1", "/:81/v1", "/.evil.example/v1"])
def test_path_is_never_glued_to_the_authority(target):
    """A base_url without a port, on port 80: the path may not become a part of host, port or user info."""
    with Upstream(proxy=True) as proxy, Daemon({"FORWARD_CONFIG": routes(("/", "http://api.test.example")),
                                                "PROXY": proxy.url}) as daemon:
        response = daemon.ask("GET", target)
        assert response.status in (200, 400, 404)
        for request in proxy.requests:
            assert request.target == "http://api.test.example" + target
            assert request.all("host") == ["api.test.example"]


def test_longest_prefix_on_whole_segments():
    with Upstream() as root, Upstream() as short, Upstream() as long, Daemon({"FORWARD_CONFIG": routes(
            ("/", root.url), ("/local", short.url, "general"), ("/local/ai", long.url, "general"))}) as daemon:
        for target in ("/v1/a", "/local/b", "/local/ai/c", "/localai/d", "/local/aid/e", "/local", "/local?x=1",
                       "/LOCAL/f"):
            assert daemon.ask("GET", target).status == 200, target
        assert [request.target for request in root.requests] == ["/v1/a", "/localai/d", "/LOCAL/f"]
        assert [request.target for request in short.requests] == ["/b", "/aid/e", "/", "/?x=1"]
        assert [request.target for request in long.requests] == ["/c"]


def test_prefix_is_matched_after_slashes_are_merged():
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/openai", upstream.url))}) as daemon:
        assert daemon.ask("GET", "//openai//v1/models/").status == 200
        assert upstream.requests[0].target == "/v1/models"


def test_no_route_is_404_and_names_the_routes():
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/openai", upstream.url))}) as daemon:
        response = daemon.ask("POST", "/v1/chat/completions", body=b"{}")
        assert response.status == 404
        assert "/openai" in response.json()["error"]["message"]
        assert response.get("content-type").startswith("application/json")
        assert response.get("x-request-id")
        assert daemon.ask("GET", "/openaix/v1/models").status == 404
        assert upstream.requests == []


def test_doubled_v1_is_told(daemon, upstream):
    response = daemon.ask("POST", "/v1/v1/chat/completions", body=b"{}")
    assert response.status == 404
    message = response.json()["error"]["message"]
    assert "/v1" in message and "base" in message.lower()
    assert upstream.requests == []


def test_absolute_target_of_this_host_is_served(daemon, upstream):
    response = daemon.ask("GET", f"http://{daemon.host}:{daemon.port}/v1/models?x=1")
    assert response.status == 200
    assert upstream.requests[0].target == "/v1/models?x=1"


def test_absolute_target_of_another_host_is_misdirected(daemon, upstream):
    assert daemon.ask("GET", "http://other.example/v1/models").status in (400, 421)
    assert upstream.requests == []


def test_ipv6_upstream():
    with Upstream(host="::1") as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url))}) as daemon:
        assert daemon.ask("GET", "/v1/models").status == 200
        assert upstream.requests[0].get("host") == upstream.authority


def test_name_with_several_addresses():
    """localhost is ::1 and 127.0.0.1; the upstream listens on one of them."""
    with Upstream(name="localhost") as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url))}) as daemon:
        assert daemon.ask("GET", "/v1/models").status == 200
        assert upstream.requests[0].get("host") == f"localhost:{upstream.port}"


def test_unknown_host_name_is_502():
    with Daemon({"FORWARD_CONFIG": routes(("/", "http://does-not-exist.invalid")), "TIMEOUT": "2"}) as daemon:
        response = daemon.ask("GET", "/v1/models")
        assert response.status == 502
        assert response.json()["error"]["message"]


def test_connections_to_the_upstream_are_reused(daemon, upstream, client):
    for _ in range(5):
        assert client.ask("GET", "/v1/models").status == 200
    assert {request.connection for request in upstream.requests} == {0}
