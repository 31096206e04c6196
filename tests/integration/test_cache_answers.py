"""Which answers are kept, and what of them is told again."""
import gzip

import pytest

from harness import (CHAT, JSON, LAST_CHUNK, SSE_HEAD, CacheUpstream, Daemon, answer, caching, chat_of, chunk, cut, event,
                     expect_request, fresh, post, reset, routes, send, state, states)

UPSTREAM = CacheUpstream
SETTINGS = {"CACHE_OPENAI": "true", "CACHE_BACKEND": "MEMORY"}


@pytest.fixture(scope="module")
def general(shared_upstream):
    """A daemon with a general route whose paths /a and /b are cached."""
    with Daemon({"FORWARD_CONFIG": routes(("/", shared_upstream.url, "general")), "CACHE_GENERAL": "true",
                 "CACHE_BACKEND": "MEMORY", "CACHE_ROUTES": '["/a", "/b"]'}) as daemon:
        yield daemon


def get(daemon, fields=(), target="/a", method="GET"):
    return daemon.ask(method, target, fields)


def two(ask):
    """The states of a request made twice."""
    return [state(ask()) for _ in range(2)]


KEPT, NOT_KEPT = ["miss", "hit"], ["miss", "miss"]


# --- Status and end ---

@pytest.mark.parametrize("status", ["201 Created", "202 Accepted", "203 Non-Authoritative", "206 Partial Content",
                                    "301 Moved Permanently", "400 Bad Request", "404 Not Found", "429 Too Many Requests",
                                    "500 Internal Server Error", "503 Service Unavailable"])
def test_only_200_is_kept(general, daemon, upstream, status):
    upstream.status = status
    target = f"/a?{fresh()}".replace(" ", "-")
    assert two(lambda: get(general, target=target)) == NOT_KEPT
    body = chat_of(fresh())
    fields = [("Content-Type", "application/json")]
    for _ in range(2):
        upstream.script(expect_request(), send(answer(status, fields, b'{"error":{"message":"no"}}')))
    assert two(lambda: post(daemon, body)) == NOT_KEPT
    assert len(upstream.requests) == 4


def test_204_is_not_kept(general, upstream):
    for _ in range(2):
        upstream.script(expect_request(), send(b"HTTP/1.1 204 No Content\r\n\r\n"))
    assert two(lambda: get(general, target="/a?204")) == NOT_KEPT


@pytest.mark.parametrize("stream", [True, False])
def test_a_broken_answer_is_not_kept(daemon, upstream, stream):
    body = chat_of(fresh(), "break", stream=stream)
    for _ in range(2):
        with daemon.client() as client:
            response = client.request("POST", CHAT, JSON, body).read_response()
            assert (response.status, response.ended, state(response)) == (200, "cut", "miss")
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("end", [cut, reset])
@pytest.mark.parametrize("sent", [b"5\r\nab", b"2\r\nab\r\n", b"2\r\nab\r\n0\r\n"])
def test_a_chunked_answer_without_its_end_is_not_kept(daemon, upstream, sent, end):
    body = chat_of(fresh())
    upstream.script(expect_request(), send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                           b"Transfer-Encoding: chunked\r\n\r\n" + sent), end())
    with daemon.client() as client:
        try:
            assert client.request("POST", CHAT, JSON, body).read_response().ended == "cut"
        except Exception:  # the reset may have overtaken the head
            pass
    assert states(daemon, [body] * 2) == KEPT


@pytest.mark.parametrize("events", [["{\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\"}}"],
                                    ['{"choices":[{"index":0,"delta":{"content":"half"}}]}',
                                     '{"error":{"message":"overloaded","code":500}}', "[DONE]"]])
def test_a_stream_that_says_an_error_is_not_kept(daemon, upstream, events):
    """Its status was 200 long before anybody knew."""
    body = chat_of(fresh(), stream=True)
    upstream.script(expect_request(), send(SSE_HEAD + b"".join(chunk(event(text)) for text in events) + LAST_CHUNK))
    assert states(daemon, [body] * 2) == NOT_KEPT


def test_a_chunked_answer_is_kept_and_told_whole(daemon, upstream):
    upstream.chunked = True
    body = chat_of(fresh())
    first, again = post(daemon, body), post(daemon, body)
    assert [state(first), state(again)] == KEPT and first.body == again.body
    assert again.content_length() in (None, len(again.body))


# --- Size ---

def test_too_large_an_answer_is_not_kept(upstream):
    with caching(upstream, CACHE_MAX_ENTRY_BYTES="20000") as daemon:
        small, large = chat_of(fresh()), chat_of(fresh() + "x" * 30000)
        for stream in (True, False):
            assert states(daemon, [chat_of(fresh() + "x" * 30000, stream=stream)]) == ["miss"]
        assert states(daemon, [large] * 2 + [small] * 2) == NOT_KEPT + KEPT


@pytest.mark.parametrize("size, due", [(7 << 20, KEPT), (9 << 20, NOT_KEPT)])
@pytest.mark.parametrize("chunked", [False, True])
def test_answers_of_many_bytes(daemon, upstream, size, due, chunked):
    """8 MiB is the most, unless set; larger ones pass whole."""
    upstream.filling, upstream.chunked = "x" * size, chunked
    body = chat_of(fresh())
    first, second = post(daemon, body), post(daemon, body)
    assert [state(first), state(second)] == due
    assert all(size < len(response.body) < size + 2000 and response.ended == "complete" for response in (first, second))
    assert (first.body == second.body) == (due == KEPT)


def test_too_large_a_request_passes_without_the_cache(upstream):
    with caching(upstream, MAX_BUFFERED_BODY_BYTES="100000", DEFAULT_REQUEST_CACHING_VALUE="true") as daemon:
        for size, due in ((50_000, KEPT), (200_000, ["bypass", "bypass"])):
            body = chat_of(fresh() + "x" * size, caching=None)
            assert states(daemon, [body] * 2) == due
            assert upstream.requests[-1].body == body


# --- Fields of the request that ask for a part ---

@pytest.mark.parametrize("field", [("Range", "bytes=0-1"), ("If-None-Match", '"x"'), ("If-Match", '"x"'),
                                   ("If-Modified-Since", "Sun, 22 Nov 2026 21:32:35 GMT"), ("If-Range", '"x"'),
                                   ("If-Unmodified-Since", "Sun, 22 Nov 2026 21:32:35 GMT")])
def test_conditions_and_ranges_pass_by(general, upstream, field):
    target = f"/a?{field[0]}"
    assert two(lambda: get(general, [field], target)) == ["bypass", "bypass"]
    assert two(lambda: get(general, target=target)) == KEPT
    assert state(get(general, [field], target)) == "bypass" and len(upstream.requests) == 4
    assert upstream.requests[-1].get(field[0]) == field[1]


# --- Fields of the answer ---


ON_GENERAL = {  # fields of an answer -> whether it is kept there; on openai routes only Vary and coding matter
    (): True, (("Set-Cookie", "a=b"),): False, (("Cache-Control", "no-store"),): False,
    (("Cache-Control", "Private"),): False, (("Cache-Control", "no-cache"),): False,
    (("Cache-Control", "max-age=0"),): False, (("Cache-Control", "public, max-age=100"),): True,
    (("Cache-Control", "max-age=100"), ("Cache-Control", "no-store")): False,
    (("Cache-Control", "max-age=100, s-maxage=0"),): False, (("Cache-Control", "public"),): True,
}
ON_BOTH = {
    (("Vary", "*"),): False, (("Vary", "X-Else"),): False, (("Vary", "Accept-Encoding"),): True,
    (("Vary", "Origin, Accept-Encoding"),): True, (("Vary", "Origin"), ("Vary", "X-Else")): False,
    (("Vary", "User-Agent"),): False, (("Vary", "Content-Type"),): True, (("Content-Encoding", "gzip"),): False,
    (("Content-Encoding", "x-own"),): False,
}


@pytest.mark.parametrize("fields", [*ON_GENERAL, *ON_BOTH])
def test_fields_that_decide_on_general_routes(general, upstream, fields):
    upstream.fields = list(fields)
    kept = {**ON_GENERAL, **ON_BOTH}[fields]
    target = f"/a?{fresh()}".replace(" ", "-")
    assert two(lambda: get(general, target=target)) == (KEPT if kept else NOT_KEPT)


@pytest.mark.parametrize("fields", [*ON_GENERAL, *ON_BOTH])
def test_fields_that_decide_on_openai_routes(daemon, upstream, fields):
    upstream.fields = list(fields)
    kept = {**dict.fromkeys(ON_GENERAL, True), **ON_BOTH}[fields]
    assert states(daemon, [chat_of(fresh())] * 2) == (KEPT if kept else NOT_KEPT)


def test_vary_on_accept_where_accept_is_in_the_key(general, upstream):
    upstream.fields = [("Vary", "Accept")]
    found = [state(get(general, [("Accept", kind)], "/a?accept")) for kind in ("text/html", "text/plain", "text/html")]
    assert found == ["miss", "miss", "hit"]


@pytest.mark.parametrize("stream", [True, False])
def test_cookies_are_told_to_nobody_else(daemon, upstream, stream):
    upstream.fields = [("Set-Cookie", "__cf=1"), ("Set-Cookie", "b=2")]
    body = chat_of(fresh(), stream=stream)
    assert state(post(daemon, body)) == "miss"
    again = post(daemon, body)
    assert state(again) == "hit" and again.all("set-cookie") == []


def test_a_coded_answer_passes_as_it_is(daemon, upstream):
    coded = gzip.compress(b'{"id":"x"}')
    upstream.script(expect_request(), send(answer(fields=[*JSON, ("Content-Encoding", "gzip")], body=coded)))
    response = post(daemon, chat_of(fresh()), [("Accept-Encoding", "gzip")])
    assert response.body == coded and response.get("content-encoding") == "gzip"


OF_ONE_ANSWER = [("x-request-id", "req_up"), ("x-ratelimit-limit-requests", "60"), ("x-ratelimit-remaining-requests", "59"),
                 ("x-ratelimit-reset-requests", "1s"), ("x-ratelimit-remaining-tokens", "59"), ("Retry-After", "1"),
                 ("retry-after-ms", "1"), ("x-should-retry", "true"), ("Keep-Alive", "timeout=5"), ("X-Hop", "1"),
                 ("Connection", "keep-alive, x-hop"), ("Age", "100"), ("x-aifd-cache", "hit")]


@pytest.mark.parametrize("stream", [True, False])
def test_what_belonged_to_one_answer_is_not_told_again(daemon, upstream, stream):
    upstream.fields = OF_ONE_ANSWER
    body = chat_of(fresh(), stream=stream)
    first = daemon.ask("POST", CHAT, JSON, body)
    assert first.all("x-aifd-cache") == ["miss"], "the upstream's own is not passed on"
    assert first.get("x-request-id") == "req_up" and first.get("x-ratelimit-remaining-requests") == "59"
    hits = [post(daemon, body) for _ in range(2)]
    for hit in hits:
        assert state(hit) == "hit" and int(hit.get("age")) < 100 and hit.body == first.body
        told = {name for name, _ in OF_ONE_ANSWER} - {"x-request-id", "Age", "x-aifd-cache", "Connection", "Keep-Alive"}
        assert [name for name in told if hit.get(name) is not None] == []
        assert "x-hop" not in hit.tokens("connection")
    identities = [response.get("x-request-id") for response in (first, *hits)]
    assert all(identities) and len(set(identities)) == 3
    assert len(hits[0].all("x-request-id")) == 1


def test_what_describes_the_answer_is_told_again(general, upstream):
    upstream.fields = [("Content-Language", "de"), ("Content-Disposition", 'attachment; filename="a"'), ("X-Own", "1"),
                       ("X-Own", "2"), ("ETag", '"x"'), ("Last-Modified", "Sun, 22 Nov 2026 21:32:35 GMT")]
    first, again = (get(general, target="/a?described") for _ in range(2))
    assert [state(first), state(again)] == KEPT and first.body == again.body
    for name in ("content-type", *(name for name, _ in upstream.fields)):
        assert again.all(name) == first.all(name) != []


def test_cross_origin_fields_are_those_of_the_asker(upstream):
    upstream.fields = [("Access-Control-Allow-Origin", "https://upstream.example")]
    with caching(upstream, CORS_ORIGINS="https://a.example,https://b.example") as daemon:
        body = chat_of("one")
        for origin in ("https://a.example", "https://b.example", "https://a.example"):
            response = post(daemon, body, [("Origin", origin)])
            assert response.all("access-control-allow-origin") == [origin]
        assert state(response) == "hit"
        assert post(daemon, body, [("Origin", "https://c.example")]).all("access-control-allow-origin") in ([], ["null"])


# --- Methods ---

def test_methods_of_general_routes(general, upstream):
    assert two(lambda: get(general, target="/a?m")) == KEPT
    assert two(lambda: general.ask("POST", "/a?m", JSON, b"{}")) == KEPT
    for method in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
        assert two(lambda: general.ask(method, "/a?m", [], b"{}" if method == "PATCH" else None)) == [None, None]
    assert two(lambda: general.ask("POST", "/a?m", JSON, b"{ }")) == KEPT, "on general routes bytes are compared"
    assert two(lambda: get(general, target="/c")) == [None, None] == two(lambda: get(general, target="/a/b"))


def test_head_is_no_get(general, upstream):
    head = get(general, target="/b?head", method="HEAD")
    assert head.status == 200 and head.body == b""
    got = get(general, target="/b?head")
    assert got.body.startswith(b"general") and state(got) == "miss"
    assert get(general, target="/b?head", method="HEAD").body == b"" and len(upstream.requests) == 3


def test_a_get_with_a_body_is_told_from_one_without(general, upstream):
    assert two(lambda: get(general, target="/b?body")) == KEPT
    assert two(lambda: general.ask("GET", "/b?body", [], b"x"))[0] in ("miss", "bypass")


# --- The connection ---

def test_hits_and_misses_on_one_connection(daemon, upstream):
    one, other = chat_of(fresh()), chat_of(fresh(), stream=True)
    with daemon.client() as client:
        found = [state(post(client, body)) for body in (one, other, one, other, one)]
        assert found == ["miss", "miss", "hit", "hit", "hit"]
        client.request("POST", CHAT, JSON, one)
        client.request("POST", CHAT, JSON, other)
        first, second = client.read_response("POST"), client.read_response("POST")
    assert state(first) == state(second) == "hit" and b"data: " in second.body
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("stream", [True, False])
def test_http10_and_a_body_that_waits(daemon, upstream, stream):
    body = chat_of(fresh(), stream=stream)
    first = post(daemon, body)
    old = daemon.ask("POST", CHAT, JSON, body, version="HTTP/1.0")
    assert state(old) == "hit" and old.body == first.body and not old.chunked()
    with daemon.client() as client:
        client.request("POST", CHAT, [*JSON, ("Expect", "100-continue"), ("Content-Length", str(len(body)))])
        client.send(body)
        response = client.read_response("POST")
    assert state(response) == "hit" and response.body == first.body


def test_a_hit_needs_no_upstream(upstream):
    body = chat_of("one")
    with CacheUpstream() as leaving, caching(leaving) as daemon:
        first = post(daemon, body)
        leaving.stop()
        again = post(daemon, body)
        assert state(again) == "hit" and again.body == first.body
        assert post(daemon, chat_of("two")).status == 502


def test_the_request_that_goes_up_is_the_callers(daemon, upstream):
    """But for the coding, which the cache could not read."""
    body = chat_of(fresh(), caching=None)
    fields = [("X-Own", "1"), ("OpenAI-Project", "p"), ("Accept", "text/event-stream")]
    post(daemon, body, fields)
    post(daemon, body[:-1] + b',"caching":true}', fields)
    plain, cached = ([pair for pair in request.fields if pair[0].lower() != "accept-encoding"]
                     for request in upstream.requests)
    assert plain == cached and upstream.requests[0].body == upstream.requests[1].body
