"""End-to-end fields pass as they are; what belongs to one hop stays there."""
import re

import pytest

from harness import Daemon, Upstream, answer, expect_request, routes, send

END_TO_END = [
    ("X-Zeta", "last first"), ("accept", "*/*"), ("X-Alpha", "a, b ,  c"), ("OpenAI-Beta", "assistants=v2"),
    ("x-stainless-lang", "python"), ("X-Empty", ""), ("User-Agent", "OpenAI/Python 1.0 (x; y)"),
    ("anthropic-version", "2023-06-01"), ("anthropic-beta", "a"), ("anthropic-beta", "b"),
    ("Authorization", "Bearer sk-mine"), ("X-Bytes", "caf\xe9 \xff\x80"), ("X-Tab", "a\tb"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("Idempotency-Key", "k-1"),
    ("Accept-Encoding", "gzip, deflate"), ("OpenAI-Organization", "org-1"), ("x-alpha", "again"),
    ("Referer", "http://a.example/"), ("X_underscore", "1"), ("X-Semi", 'a;b="c d"'),
]


def without(fields, *names):
    return [(name, value) for name, value in fields if name.lower() not in names]


def test_request_fields_pass_in_order_and_byte_for_byte(daemon, upstream):
    assert daemon.ask("GET", "/v1/models", END_TO_END).status == 200
    assert without(upstream.requests[0].fields, "host", "connection") == END_TO_END


def test_response_fields_pass_in_order_and_byte_for_byte(daemon, upstream):
    fields = [("Date", "Mon, 01 Jan 2024 00:00:00 GMT"), ("server", "cloudflare"), ("X-Request-ID", "req_123"),
              ("x-ratelimit-limit-requests", "60"), ("Set-Cookie", "a=b; Path=/"), ("Set-Cookie", "c=d"),
              ("openai-processing-ms", "12"), ("openai-version", "2020-10-01"), ("CF-RAY", "abc-FRA"),
              ("X-Bytes", "caf\xe9 \xff"), ("x-multi", "1"), ("X-Multi", "2"), ("Content-Type", "application/json")]
    upstream.script(expect_request(), send(answer(fields=fields, body=b"{}")))
    response = daemon.ask("GET", "/v1/models")
    kept = [pair for pair in response.fields if pair in fields]
    assert kept == fields
    added = {name.lower() for name, _ in response.fields if (name, _) not in fields}
    assert added <= {"content-length", "connection", "keep-alive", "x-aifd-request-id", "access-control-allow-origin",
                     "access-control-expose-headers", "vary", "via", "server-timing"}, added


def test_field_names_are_unchanged_without_a_body_too(daemon, upstream):
    upstream.script(expect_request(), send(answer("204 No Content", [("X-CaSe", "1")], body=None)))
    response = daemon.ask("DELETE", "/v1/files/1")
    assert response.status == 204 and ("X-CaSe", "1") in response.fields


@pytest.mark.parametrize("fields", [
    [("Connection", "close, X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5")],
    [("connection", "x-hop"), ("X-HOP", "1"), ("Connection", "X-Other,keep-alive"), ("x-other", "2")],
    [("Proxy-Authorization", "Basic x"), ("Proxy-Connection", "keep-alive"), ("TE", "trailers"),
     ("Trailer", "X-Sum"), ("Proxy-Authenticate", "Basic")],
])
def test_hop_by_hop_request_fields_stay_here(daemon, upstream, fields):
    daemon.ask("GET", "/v1/models", [*fields, ("X-Stays", "yes")])
    got = upstream.requests[0]
    gone = {"x-hop", "x-other", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
            "proxy-authenticate"}
    assert not gone & set(got.names()), got.fields
    assert not {"x-hop", "x-other"} & set(got.tokens("connection"))
    assert got.get("x-stays") == "yes"


@pytest.mark.parametrize("named", ["content-length", "host", "transfer-encoding", "content-type", "authorization"])
def test_connection_cannot_name_what_frames_the_request(daemon, upstream, named):
    with daemon.client() as client:
        response = client.ask("POST", "/v1/x", [("Connection", named), ("Content-Type", "a/b")], b"12345")
    assert response.status in (200, 400)
    if response.status == 200:
        assert upstream.requests[0].body == b"12345"


def test_hop_by_hop_response_fields_stay_there(daemon, upstream):
    upstream.script(expect_request(), send(answer(fields=[
        ("Connection", "X-Hop, keep-alive"), ("X-Hop", "1"), ("Keep-Alive", "timeout=77"),
        ("Proxy-Authenticate", "Basic"), ("Proxy-Connection", "keep-alive"), ("Trailer", "X"), ("Upgrade", "h2"),
        ("X-Stays", "yes")], body=b"ok")))
    response = daemon.ask("GET", "/v1/models")
    assert not {"x-hop", "proxy-connection", "proxy-authenticate", "trailer", "upgrade"} & set(response.names())
    assert "timeout=77" not in response.all("keep-alive")
    assert response.get("x-stays") == "yes" and response.body == b"ok"


def test_cookie_and_host_are_not_sent_up(daemon, upstream):
    daemon.ask("GET", "/v1/models", [("Cookie", "session=secret"), ("cookie", "b=c")], host="proxy.example")
    assert upstream.requests[0].get("cookie") is None
    assert b"secret" not in upstream.requests[0].raw and b"proxy.example" not in upstream.requests[0].raw


FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "x-forwarded-host", "x-client-ip")


def test_the_clients_address_is_not_told_to_third_parties(daemon, upstream):
    daemon.ask("GET", "/v1/models")
    daemon.ask("GET", "/v1/models", [("X-Forwarded-For", "203.0.113.9")])
    for request in upstream.requests:
        assert not set(FORWARDED) & set(request.names())
        assert b"203.0.113.9" not in request.raw


def test_forward_client_ip_tells_it():
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "FORWARD_CLIENT_IP": "true",
                                         "TRUSTED_PROXIES": ""}) as daemon:
        daemon.ask("GET", "/v1/models")
        assert upstream.requests[0].tokens("x-forwarded-for")[-1:] == ["127.0.0.1"]


def test_upstream_errors_pass_unchanged(daemon, upstream):
    fields = [("x-request-id", "req_up"), ("retry-after", "7"), ("retry-after-ms", "6500"),
              ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-tokens", "6m0s"), ("x-should-retry", "false"),
              ("anthropic-ratelimit-requests-limit", "5"), ("content-type", "application/json")]
    for status in ("400 Bad Request", "401 Unauthorized", "404 Not Found", "429 Too Many Requests",
                   "500 Internal Server Error", "503 Service Unavailable", "529 Site Overloaded", "599 Odd"):
        body = b'{"error":{"message":"from upstream","type":"x","param":null,"code":null}}'
        upstream.script(expect_request(), send(answer(status, fields, body)))
        response = daemon.ask("POST", "/v1/chat/completions", body=b"{}")
        assert response.start == f"HTTP/1.1 {status}"
        assert [pair for pair in response.fields if pair in fields] == fields
        assert response.all("x-request-id") == ["req_up"] and response.body == body


def test_redirects_pass_and_are_not_followed(daemon, upstream):
    upstream.script(expect_request(), send(answer("307 Temporary Redirect", [("Location", "http://169.254.169.254/")])))
    response = daemon.ask("GET", "/v1/models")
    assert response.status == 307 and response.get("location") == "http://169.254.169.254/"
    assert len(upstream.requests) == 1


def test_many_and_long_fields_within_the_limits_pass(daemon, upstream):
    fields = [(f"X-Field-{number}", "v" * 150) for number in range(200)] + [("X-Long", "y" * 16000)]
    assert daemon.ask("GET", "/v1/models", fields).status == 200
    assert without(upstream.requests[0].fields, "host", "connection") == fields


def test_large_response_head_passes(daemon, upstream):
    fields = [(f"X-Field-{number}", "v" * 200) for number in range(100)]
    upstream.script(expect_request(), send(answer(fields=fields)))
    response = daemon.ask("GET", "/v1/models")
    assert response.status == 200 and [pair for pair in response.fields if pair in fields] == fields


def test_local_answers_have_a_request_id_each(daemon, upstream):
    ids = {daemon.ask("GET", "/v1/v1/x").get("x-request-id") for _ in range(3)}
    assert len(ids) == 3 and all(re.fullmatch("[0-9a-f]{32}", one or "") for one in ids), ids
