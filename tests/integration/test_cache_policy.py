"""What is cached, and what is not: by the request's own words, by route, and by what the upstream answered."""
import json

import pytest

from harness import (CHAT, COMPLETIONS, EMBEDDINGS, JSON, RESPONSES, CacheUpstream, caching, chat_of, eventually, fresh,
                     post, routes, state, states)

UPSTREAM = CacheUpstream
SETTINGS = {"CACHE_OPENAI": "true", "CACHE_BACKEND": "MEMORY"}


# --- The field caching ---

@pytest.mark.parametrize("value, due", [(True, ["miss", "hit"]), (False, ["bypass"] * 2), (None, ["bypass"] * 2)])
def test_caching_field(daemon, upstream, value, due):
    """None leaves it out, and the default is false."""
    assert states(daemon, [chat_of(fresh(), caching=value)] * 2) == due
    assert len(upstream.requests) == (1 if value else 2)


def test_caching_false_neither_reads_nor_stores(daemon, upstream):
    prompt = fresh()
    on, off = chat_of(prompt), chat_of(prompt, caching=False)
    assert states(daemon, [off, on, off, on]) == ["bypass", "miss", "bypass", "hit"]
    assert len(upstream.requests) == 3


def with_null(prompt: str) -> bytes:
    return chat_of(prompt, caching=None)[:-1] + b',"caching":null}'


@pytest.mark.parametrize("default, due", [("true", ["miss", "hit"]), ("false", ["bypass", "bypass"])])
def test_default_of_the_field(upstream, default, due):
    with caching(upstream, DEFAULT_REQUEST_CACHING_VALUE=default) as daemon:
        assert states(daemon, [chat_of(fresh(), caching=False)] * 2) == ["bypass", "bypass"]
        prompt = fresh()
        assert states(daemon, [chat_of(prompt, caching=None)] * 2) == due
        prompt = fresh()
        assert states(daemon, [with_null(prompt)] * 2) == due, "null is as good as nothing"
        assert all(b"caching" not in request.body for request in upstream.requests)


@pytest.mark.parametrize("value", ["1", "0", '"true"', "[]", "[true]", "{}", "0.5", '""'])
def test_another_value_is_refused(daemon, upstream, value):
    body = chat_of(fresh(), caching=None)[:-1] + b',"caching":' + value.encode() + b"}"
    response = post(daemon, body)
    assert response.status == 400 and "caching" in response.json()["error"]["message"]
    assert upstream.requests == []


# --- It is cut from the bytes ---

EXACT = {  # what is sent, what goes up
    b'{"caching":true,"model":"m","messages":[{"content":"@"}]}': b'{"model":"m","messages":[{"content":"@"}]}',
    b'{"model":"m","caching":true,"messages":[{"content":"@"}]}': b'{"model":"m","messages":[{"content":"@"}]}',
    b'{"model":"m","messages":[{"content":"@"}],"caching":false}': b'{"model":"m","messages":[{"content":"@"}]}',
    b'{"model":"m","messages":[{"content":"@"}],"c\\u0061ching":null}': b'{"model":"m","messages":[{"content":"@"}]}',
    b'{"model":"m","messages":[{"content":"@ \\"caching\\":true,"}],"x":{"caching":1},"caching":true}':
        b'{"model":"m","messages":[{"content":"@ \\"caching\\":true,"}],"x":{"caching":1}}',
}
LOOSE = [
    b' { "caching" : true , "model" : "m" ,\n "messages" : [ {"content" : "@"} ] , "t" : 1.50e0 } ',
    b'{\t"model":"m" ,\r\n\t"caching"\t:\tfalse\t,\r\n "messages":[{"content":"@ \\u0061\\/ \xc3\xa9"}], "u":"\\ud83d\\ude00"}\r\n',
    b'{"model":"m", "messages":[ {"content":"@"} ],"n": 100000000000000000000000 ,  "caching" :null }\n\n',
]


@pytest.mark.parametrize("body", sorted(EXACT))
def test_it_is_cut_and_nothing_else_changes(daemon, upstream, body):
    words = fresh().encode()
    assert post(daemon, body.replace(b"@", words)).status == 200
    assert upstream.requests[0].body == EXACT[body].replace(b"@", words)
    assert upstream.requests[0].get("content-length") == str(len(upstream.requests[0].body))


@pytest.mark.parametrize("body", LOOSE)
def test_one_piece_is_cut(daemon, upstream, body):
    """Between white space, too: what goes up is the body without one span of its bytes."""
    body = body.replace(b"@", fresh().encode())
    assert post(daemon, body).status == 200
    got = upstream.requests[0].body
    due = {name: value for name, value in json.loads(body).items() if name != "caching"}
    assert list(json.loads(got).items()) == list(due.items())
    same = next(at for at in range(len(got) + 1) if got[at:at + 1] != body[at:at + 1])
    assert body.endswith(got[same:]) and len(body) - len(got) <= len(b'"caching" : false ,\r\n \t\t\t')


@pytest.mark.parametrize("target", ["/v1/moderations", "/v1/images/generations", "/v1/threads"])
def test_it_is_cut_where_nothing_is_cached(daemon, upstream, target):
    body = b'{"model":"m","caching":true,"input":"%s"}' % fresh().encode()
    for _ in range(2):
        response = post(daemon, body, target=target)
        assert response.status == 200 and state(response) is None
    assert [request.body for request in upstream.requests] == [body.replace(b'"caching":true,', b"")] * 2


def test_a_chunked_body_loses_it_too(daemon, upstream):
    body = chat_of(fresh())
    with daemon.client() as client:
        client.send(b"POST /v1/moderations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n")
        client.send(b"".join(b"1\r\n%s\r\n" % body[at:at + 1] for at in range(len(body))) + b"0\r\n\r\n")
        assert client.read_response("POST").status == 200
    assert upstream.requests[0].body == body.replace(b', "caching": true', b"")


@pytest.mark.parametrize("fields", [[("Content-Type", "application/x-www-form-urlencoded")], []])
def test_it_is_cut_from_what_curl_sends(daemon, upstream, fields):
    """`curl -d '{...}'` names another type, unless it is told better."""
    body = chat_of(fresh())
    assert daemon.ask("POST", CHAT, fields, body).status == 200
    assert upstream.requests[0].body == body.replace(b', "caching": true', b"")


OTHER_BODIES = [
    (b"not JSON", JSON), (b'["caching",true]', JSON), (b'{"caching":true', JSON), (b"", JSON),
    (b'--x\r\nContent-Disposition: form-data; name="caching"\r\n\r\ntrue\r\n--x--\r\n',
     [("Content-Type", "multipart/form-data; boundary=x")]),
]


@pytest.mark.parametrize("body, fields", OTHER_BODIES)
def test_other_bodies_pass_as_they_are(daemon, upstream, body, fields):
    assert daemon.ask("POST", "/v1/audio/transcriptions", fields, body).status == 200
    assert upstream.requests[0].body == body


def test_without_a_cache_the_field_is_none_of_ours(upstream):
    with caching(upstream, CACHE_OPENAI="false") as daemon:
        body = b'{"input":"%s","caching":"yes"}' % fresh().encode()
        for _ in range(2):
            assert state(post(daemon, body, target="/v1/moderations")) is None
        assert [request.body for request in upstream.requests] == [body] * 2


def test_a_general_route_keeps_it(upstream):
    with caching(upstream, FORWARD_CONFIG=routes(("/", upstream.url, "general")), CACHE_GENERAL="true",
                 CACHE_ROUTES='["/x"]') as daemon:
        body = b'{"caching":false}'
        assert [state(post(daemon, body, target="/x")) for _ in range(2)] == ["miss", "hit"]
        assert upstream.requests[0].body == body


# --- Routes ---

def test_the_paths_that_are_cached_unasked(daemon, upstream):
    words = fresh()
    bodies = {CHAT: chat_of(words), COMPLETIONS: b'{"model":"m","prompt":"%s","caching":true}' % words.encode(),
              EMBEDDINGS: b'{"model":"m","input":"%s","caching":true}' % words.encode(),
              RESPONSES: b'{"model":"m","input":"%s","caching":true}' % words.encode()}
    for path, body in bodies.items():
        assert states(daemon, [body] * 2, target=path) == ["miss", "hit"], path
    for method, path in (("GET", "/v1/models"), ("GET", CHAT), ("DELETE", CHAT), ("POST", "/v1/moderations"),
                         ("POST", "/v1/chat"), ("POST", CHAT + "/id"), ("POST", RESPONSES + "/id/cancel")):
        body = None if method == "GET" else b'{"model":"m"}'
        assert state(daemon.ask(method, path, JSON, body)) is None, (method, path)


def test_cache_routes_says_exactly_which(upstream):
    config = routes(("/", upstream.url), ("/two", upstream.url))
    with caching(upstream, FORWARD_CONFIG=config, CACHE_ROUTES='["/v1/moderations","/two/v1/chat/completions"]') as daemon:
        def cached(path):
            return [state(post(daemon, chat_of(words), target=path)) for words in [fresh()] * 2]
        assert cached("/v1/moderations") == ["miss", "hit"] and cached("/two" + CHAT) == ["miss", "hit"]
        assert cached(CHAT) == cached("/two/v1/moderations") == cached("/v1/moderations/x") == [None, None]


def test_cache_routes_that_name_general_routes_leave_openai_ones_alone(upstream):
    config = routes(("/", upstream.url), ("/g", upstream.url, "general"))
    with caching(upstream, FORWARD_CONFIG=config, CACHE_GENERAL="true", CACHE_ROUTES='["/g/page"]') as daemon:
        assert [state(daemon.ask("GET", "/g/page")) for _ in range(2)] == ["miss", "hit"]
        assert [state(post(daemon, chat_of("one"))) for _ in range(2)] == ["miss", "hit"]


def test_a_route_with_a_prefix_is_cached_unasked(upstream):
    with caching(upstream, FORWARD_CONFIG=routes(("/llm", upstream.url))) as daemon:
        assert states(daemon, [chat_of("one")] * 2, target="/llm" + CHAT) == ["miss", "hit"]


@pytest.mark.parametrize("name", ["CHAT_COMPLETION_ROUTE", "COMPLETION_ROUTE"])
def test_a_path_of_another_name(upstream, name):
    with caching(upstream, **{name: "/own/path"}) as daemon:
        assert states(daemon, [chat_of("one")] * 2, target="/own/path") == ["miss", "hit"]


@pytest.mark.parametrize("setting", [{}, {"CACHE_GENERAL": "true"}])
def test_general_routes_are_not_cached_unasked(upstream, setting):
    with caching(upstream, FORWARD_CONFIG=routes(("/", upstream.url, "general")), **setting) as daemon:
        for _ in range(2):
            assert state(daemon.ask("GET", "/page")) is None
            assert state(post(daemon, chat_of("one", caching=None))) is None


def test_openai_routes_need_their_own_switch(upstream):
    with caching(upstream, CACHE_OPENAI="false", CACHE_GENERAL="true", CACHE_ROUTES=json.dumps([CHAT])) as daemon:
        body = chat_of("one", caching=None)
        assert [state(post(daemon, body)) for _ in range(2)] == [None, None]


# --- The caller's Cache-Control ---

def test_no_store(daemon, upstream):
    body = chat_of(fresh())
    for fields in ([("Cache-Control", "no-store")], [("cache-control", "max-age=100, No-Store")],
                   [("Cache-Control", "max-age=100"), ("Cache-Control", "no-store")]):
        assert states(daemon, [body], fields) == ["bypass"]
    assert states(daemon, [body] * 2) == ["miss", "hit"]
    before = post(daemon, body).body
    assert post(daemon, body, [("Cache-Control", "no-store")]).body != before
    assert post(daemon, body).body == before, "it was not stored"
    assert len(upstream.requests) == 5


@pytest.mark.parametrize("field", [("Cache-Control", "no-cache"), ("Cache-Control", "max-age=0"), ("Pragma", "no-cache"),
                                   ("Cache-Control", 'foo="no-store", No-Cache')])
def test_no_cache_stores_anew(daemon, upstream, field):
    body = chat_of(fresh())
    first = post(daemon, body)
    anew = post(daemon, body, [field])
    assert (state(first), state(anew)) == ("miss", "bypass") and anew.body != first.body
    after = post(daemon, body)
    assert state(after) == "hit" and after.body == anew.body and len(upstream.requests) == 2


@pytest.mark.parametrize("fields", [[("Pragma", "no-cache"), ("Cache-Control", "max-age=1000")],
                                    [("Cache-Control", "max-age=1000")], [("Cache-Control", "max-stale=5")],
                                    [("Cache-Control", "")], [("Cache-Control", 'x="no-cache"')],
                                    [("Cache-Control", "x-no-store")]])
def test_what_does_not_hinder_a_hit(daemon, upstream, fields):
    body = chat_of(fresh())
    assert states(daemon, [body]) == ["miss"] and states(daemon, [body], fields) == ["hit"]


def test_only_if_cached(daemon, upstream):
    body, field = chat_of(fresh()), [("Cache-Control", "only-if-cached")]
    refused = post(daemon, body, field)
    assert refused.status == 504 and refused.json()["error"]["message"] and upstream.requests == []
    assert states(daemon, [body]) == ["miss"] and states(daemon, [body], field) == ["hit"]
    assert len(upstream.requests) == 1


# --- Time: the only tests that wait ---

def test_an_answer_is_kept_for_its_time(upstream):
    with caching(upstream, CACHE_TTL="1") as daemon:
        body = chat_of("one")
        first = post(daemon, body)
        assert state(first) == "miss"
        anew = eventually(lambda: [answer for answer in [post(daemon, body)] if state(answer) == "miss"], "it is gone")[0]
        assert anew.body != first.body and len(upstream.requests) == 2


def test_a_caller_may_ask_for_a_young_one(upstream):
    with caching(upstream, CACHE_TTL="3600") as daemon:
        body = chat_of("one")
        assert states(daemon, [body]) == ["miss"]
        old = eventually(lambda: [answer for answer in [post(daemon, body)] if answer.get("age") == "2"], "it is 2 s old")
        assert state(old[0]) == "hit"
        assert state(post(daemon, body, [("Cache-Control", "max-age=1")])) == "miss"
        assert len(upstream.requests) == 2


@pytest.mark.parametrize("told, ttl", [("max-age=1", "3600"), ("public, max-age=3600, s-maxage=1", "3600"), ("max-age=3600", "1")])
def test_a_general_answer_is_kept_no_longer_than_it_says(upstream, told, ttl):
    with caching(upstream, FORWARD_CONFIG=routes(("/", upstream.url, "general")), CACHE_GENERAL="true", CACHE_TTL=ttl,
                 CACHE_ROUTES='["/page"]') as daemon:
        upstream.fields = [("Cache-Control", told)]
        first = daemon.ask("GET", "/page")
        anew = eventually(lambda: [answer for answer in [daemon.ask("GET", "/page")] if state(answer) == "miss"], "it is gone")
        assert state(first) == "miss" and anew[0].body != first.body and len(upstream.requests) == 2
