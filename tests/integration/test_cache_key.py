"""Which requests are equal to the cache, and which are not: each pair is counted at the upstream."""
import json

import pytest

from harness import CHAT, COMPLETIONS, JSON, CacheUpstream, bearer, caching, fresh, routes, state

UPSTREAM = CacheUpstream
KEYS = {"OPENAI_API_KEY_CONFIG": '{"sk-all": [0, 1]}', "FORWARD_KEY_CONFIG": '{"fk-zero": 0, "fk-also-zero": 0, "fk-one": 1}'}
SETTINGS = {"CACHE_OPENAI": "true", "CACHE_BACKEND": "MEMORY", **KEYS}
TYPE = JSON[0]
BASE = b'{"model":"m","messages":[{"role":"user","content":"@"}],"temperature":1.5,"caching":true}'


@pytest.fixture(scope="module")
def sharing(shared_upstream):
    """A daemon on which all callers share."""
    with caching(shared_upstream, CACHE_SCOPE="global", **KEYS) as daemon:
        yield daemon


def ask(daemon, words, body=BASE, fields=(TYPE,), target=CHAT, method="POST"):
    """One request; @ in its body stands for the words of this test."""
    response = daemon.ask(method, target, fields, body.replace(b"@", words.encode()))
    assert response.status == 200, (response.status, response.body)
    return response


def assert_pair(daemon, upstream, first, second, equal):
    """Two requests, each the keyword arguments of ask(), are one call or two."""
    words = fresh()
    one, other = ask(daemon, words, **first), ask(daemon, words, **second)
    assert state(one) == "miss"
    assert len(upstream.requests) == (1 if equal else 2)
    if equal:
        assert state(other) == "hit"
    else:
        assert state(other) in ("miss", "bypass") and other.body != one.body
        again = ask(daemon, words, **first)
        assert state(again) == "hit" and again.body == one.body, "the first is still known"


def with_message(content: str) -> bytes:
    """BASE with another text for the user's, as JSON."""
    return BASE.replace(b'"@"', content.encode())


EQUAL_BODIES = {
    "the same bytes": (BASE, BASE),
    "white space": (BASE, b' {\r\n\t"model" : "m",\n"messages" : [ { "role" : "user" , "content" : "@" } ] ,'
                          b' "temperature":1.5, "caching":\ttrue } \n'),
    "order of members": (BASE, b'{"caching":true,"temperature":1.5,"messages":[{"content":"@","role":"user"}],"model":"m"}'),
    "escapes": (with_message('"@ a/b \u00e9 \u4f60 \U0001f600"'), with_message('"@ \\u0061\\/b \\u00e9 \\u4F60 \\ud83d\\uDE00"')),
    "short escapes": (with_message('"@ \\n\\t\\"\\\\\\b\\f\\r"'), with_message('"@ \\u000a\\u0009\\u0022\\u005c\\u0008\\u000C\\u000d"')),
    "escapes in names": (BASE, BASE.replace(b'"model"', b'"\\u006dod\\u0065l"').replace(b'"caching"', b'"c\\u0061ching"')),
    "decimals": (BASE, BASE.replace(b"1.5", b"1.500")),
    "exponents": (BASE, BASE.replace(b"1.5", b"15e-1")),
    "big exponents": (BASE, BASE.replace(b"1.5", b"0.15E+1")),
    "integers and decimals": (BASE.replace(b"1.5", b"2"), BASE.replace(b"1.5", b"2.0")),
    "hundreds": (BASE.replace(b"1.5", b"200"), BASE.replace(b"1.5", b"2e2")),
    "stream": (BASE, BASE.replace(b"}]", b'}],"stream":true')),
    "no stream": (BASE, BASE.replace(b"}]", b'}],"stream":false')),
    "stream, then none": (BASE.replace(b"}]", b'}],"stream":true'), BASE),
    "stream_options of none": (BASE, BASE.replace(b"}]", b'}],"stream_options":{"include_usage":true}')),
    "user": (BASE.replace(b"}]", b'}],"user":"alice"'), BASE.replace(b"}]", b'}],"user":"bob"')),
    "user and none": (BASE, BASE.replace(b"}]", b'}],"user":"bob"')),
}

UNEQUAL_BODIES = {
    "model": (BASE, BASE.replace(b'"m"', b'"n"')),
    "letters of a model": (BASE, BASE.replace(b'"m"', b'"M"')),
    "text": (BASE, BASE.replace(b'"@"', b'"@?"')),
    "white space in a text": (with_message('"@ a b"'), with_message('"@ a  b"')),
    "white space at the end of a text": (BASE, BASE.replace(b'"@"', b'"@ "')),
    "letters of a text": (with_message('"@ abc"'), with_message('"@ Abc"')),
    "composed and not": (with_message('"@ \u00e9"'), with_message('"@ e\u0301"')),
    "number": (BASE, BASE.replace(b"1.5", b"1.6")),
    "a little of a number": (BASE, BASE.replace(b"1.5", b"1.50000000000000000000000000001")),
    "number and text": (BASE, BASE.replace(b"1.5", b'"1.5"')),
    "number and bool": (BASE.replace(b"1.5", b"1"), BASE.replace(b"1.5", b"true")),
    "zeros of both signs": (BASE.replace(b"1.5", b"0.0"), BASE.replace(b"1.5", b"-0.0")),
    "integers beyond 2^53": (BASE.replace(b"1.5", b"9007199254740993"), BASE.replace(b"1.5", b"9007199254740992")),
    "null and absent": (BASE, BASE.replace(b"}]", b'}],"n":null')),
    "false and absent": (BASE, BASE.replace(b"}]", b'}],"logprobs":false')),
    "one more field": (BASE, BASE.replace(b"}]", b'}],"max_tokens":5')),
    "one more message": (BASE, BASE.replace(b"}]", b'},{"role":"user","content":"more"}]')),
    "order of messages": (BASE.replace(b"}]", b'},{"role":"user","content":"x"}]'),
                          BASE.replace(b"[{", b'[{"role":"user","content":"x"},{')),
    "role": (BASE, BASE.replace(b'"user"', b'"system"')),
    "a list and its one item": (BASE.replace(b"}]", b'}],"stop":"a"'), BASE.replace(b"}]", b'}],"stop":["a"]')),
    "user within": (BASE.replace(b"}]", b'}],"metadata":{"user":"a"}'), BASE.replace(b"}]", b'}],"metadata":{"user":"b"}')),
    "stream within": (BASE.replace(b"}]", b'}],"x":{"stream":true}'), BASE.replace(b"}]", b'}],"x":{"stream":false}')),
    "caching within": (BASE.replace(b"}]", b'}],"x":{"caching":true}'), BASE.replace(b"}]", b'}],"x":{"caching":false}')),
    "Stream in capitals": (BASE, BASE.replace(b"}]", b'}],"Stream":true')),
    "names that look joined": (BASE.replace(b"}]", b'}],"ab":"c"'), BASE.replace(b"}]", b'}],"a":"bc"')),
    "text with JSON in it": (with_message('"@\\",\\"n\\":\\"1"'), with_message('"@","n":"1"')),
}


@pytest.mark.parametrize("name", sorted(EQUAL_BODIES))
def test_equal_bodies(daemon, upstream, name):
    first, second = EQUAL_BODIES[name]
    assert_pair(daemon, upstream, {"body": first}, {"body": second}, equal=True)


@pytest.mark.parametrize("name", sorted(UNEQUAL_BODIES))
def test_unequal_bodies(daemon, upstream, name):
    first, second = UNEQUAL_BODIES[name]
    assert_pair(daemon, upstream, {"body": first}, {"body": second}, equal=False)


def stainless(retries: str):
    return [TYPE, ("x-stainless-lang", "python"), ("x-stainless-retry-count", retries), ("X-Stainless-Timeout", retries)]


EQUAL_FIELDS = {
    "x-stainless": (stainless("0"), stainless("1")),
    "x-stainless and none": ([TYPE], stainless("1")),
    "Idempotency-Key": ([TYPE, ("Idempotency-Key", "a")], [TYPE, ("Idempotency-Key", "b")]),
    "User-Agent": ([TYPE, ("User-Agent", "curl")], [TYPE, ("User-Agent", "OpenAI/Python")]),
    "traceparent": ([TYPE, ("traceparent", "00-a-b-00")], [TYPE, ("traceparent", "00-a-c-00")]),
    "Accept-Encoding": ([TYPE, ("Accept-Encoding", "gzip, br")], [TYPE]),
    "Accept": ([TYPE, ("Accept", "application/json")], [TYPE, ("Accept", "*/*")]),
    "Cookie": ([TYPE, ("Cookie", "a=b")], [TYPE]),
    "charset": ([TYPE], [("Content-Type", "application/json; charset=utf-8")]),
    "letters of a type": ([TYPE], [("content-type", "Application/JSON;charset=UTF-8")]),
    "order of fields": ([TYPE, ("OpenAI-Project", "p"), ("OpenAI-Organization", "o")],
                        [("openai-organization", "o"), ("openai-project", "p"), TYPE]),
    "keys of one level": (bearer("fk-zero"), bearer("fk-also-zero")),
    "one key, written in two ways": (bearer("sk-own"), [("authorization", "bearer  sk-own")]),
    "an expectation": ([TYPE], [TYPE, ("Expect", "100-continue")]),
    "Connection": ([TYPE], [TYPE, ("Connection", "x-hop"), ("x-hop", "1")]),
    "Origin": ([TYPE, ("Origin", "http://a")], [TYPE, ("Origin", "http://b")]),
}

UNEQUAL_FIELDS = {
    "OpenAI-Organization": ([TYPE, ("OpenAI-Organization", "a")], [TYPE, ("OpenAI-Organization", "b")]),
    "OpenAI-Project": ([TYPE], [TYPE, ("OpenAI-Project", "b")]),
    "OpenAI-Beta": ([TYPE], [TYPE, ("OpenAI-Beta", "assistants=v2")]),
    "anthropic-beta": ([TYPE, ("anthropic-beta", "a")], [TYPE, ("anthropic-beta", "b")]),
    "another type": ([TYPE], [("Content-Type", "text/plain")]),
    "another charset": ([TYPE], [("Content-Type", "application/json; charset=latin1")]),
    "a list and its parts": ([TYPE, ("OpenAI-Beta", "a")], [TYPE, ("OpenAI-Beta", "a"), ("OpenAI-Beta", "b")]),
    "fields that look joined": ([TYPE, ("OpenAI-Beta", "a"), ("OpenAI-Project", "b")], [TYPE, ("OpenAI-Beta", "ab")]),
}

CALLERS = {  # none of whom may read what another paid for, unless all share
    "two levels": (bearer("fk-zero"), bearer("fk-one")),
    "a level and a caller's own key": (bearer("fk-zero"), bearer("sk-own")),
    "two keys": (bearer("sk-own"), bearer("sk-other")),
    "a key and the beginning of it": (bearer("sk-own"), bearer("sk-ow")),
    "a key and letters of it": (bearer("sk-own"), bearer("sk-OWN")),
    "a key and none": (bearer("sk-own"), []),
    "none and a key": ([], bearer("sk-own")),
    "none and a level": ([], bearer("fk-zero")),
    "the API key that a level uses": (bearer("fk-zero"), bearer("sk-all")),
    "a level's number as a key": (bearer("fk-zero"), bearer("0")),
    "x-api-key": ([("x-api-key", "a")], [("x-api-key", "b")]),
    "api-key": ([("api-key", "a")], [("api-key", "b")]),
    "x-goog-api-key": ([("x-goog-api-key", "a")], [("x-goog-api-key", "b")]),
    "Basic": ([("Authorization", "Basic YTpi")], [("Authorization", "Basic YTpj")]),
    "x-auth-token": ([("X-Auth-Token", "a")], [("X-Auth-Token", "b")]),
    "a token of their own": ([("X-Company-Access-Token", "a")], [("X-Company-Access-Token", "b")]),
    "a secret": ([("x-client-secret", "a")], [("x-client-secret", "b")]),
    "a session": ([("X-Session-Id", "a")], [("X-Session-Id", "b")]),
    "a token and none": ([*bearer("sk-own"), ("X-Auth-Token", "a")], bearer("sk-own")),
}


@pytest.mark.parametrize("name", sorted(EQUAL_FIELDS))
def test_equal_fields(daemon, upstream, name):
    first, second = EQUAL_FIELDS[name]
    assert_pair(daemon, upstream, {"fields": first}, {"fields": second}, equal=True)


@pytest.mark.parametrize("name", sorted(UNEQUAL_FIELDS))
def test_unequal_fields(daemon, upstream, name):
    first, second = UNEQUAL_FIELDS[name]
    assert_pair(daemon, upstream, {"fields": first}, {"fields": second}, equal=False)


@pytest.mark.parametrize("name", sorted(CALLERS))
def test_callers_do_not_share(daemon, upstream, name):
    first, second = ([TYPE, *fields] for fields in CALLERS[name])
    assert_pair(daemon, upstream, {"fields": first}, {"fields": second}, equal=False)


@pytest.mark.parametrize("name", sorted(CALLERS))
def test_callers_share_where_all_do(sharing, upstream, name):
    first, second = ([TYPE, *fields] for fields in CALLERS[name])
    assert_pair(sharing, upstream, {"fields": first}, {"fields": second}, equal=True)


def test_a_second_key_is_never_overlooked(daemon, upstream):
    """Which of the two the upstream goes by is its own affair."""
    words = fresh()
    for key in ("a", "b"):
        assert state(ask(daemon, words, fields=[TYPE, *bearer("sk-own"), ("x-api-key", key)])) != "hit"
    assert len(upstream.requests) == 2


# --- The target ---

@pytest.mark.parametrize("second, equal", [(CHAT, True), ("//v1///chat/completions/", True), (CHAT + "?x=1", False)])
def test_targets(daemon, upstream, second, equal):
    assert_pair(daemon, upstream, {"target": CHAT}, {"target": second}, equal)


def test_letters_of_a_path(daemon, upstream):
    words = fresh()
    for target in (CHAT, CHAT.replace("chat", "Chat")):
        assert state(ask(daemon, words, target=target)) != "hit"
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("first, second, equal", [
    ("?a=1", "?a=1", True), ("?a=1", "?a=2", False), ("?a=1&b=2", "?b=2&a=1", False), ("?a=1", "?a=1&a=1", False),
])
def test_queries(daemon, upstream, first, second, equal):
    assert_pair(daemon, upstream, {"target": CHAT + first}, {"target": CHAT + second}, equal)


@pytest.mark.parametrize("first, second", [("?key=A", "?key=B"), ("?key=A", ""), ("", "?key=A"), ("?k%65y=A", "?k%65y=B")])
def test_a_key_in_the_query_is_a_caller(daemon, sharing, upstream, first, second):
    assert_pair(daemon, upstream, {"target": CHAT + first}, {"target": CHAT + second}, equal=False)
    upstream.reset()
    assert_pair(sharing, upstream, {"target": CHAT + first}, {"target": CHAT + second}, equal=True)


def test_two_paths_are_two(daemon, upstream):
    body = b'{"model":"m","prompt":"@","messages":[{"role":"user","content":"@"}],"caching":true}'
    assert_pair(daemon, upstream, {"body": body}, {"body": body, "target": COMPLETIONS}, equal=False)


def test_routes_to_two_upstreams_are_two():
    with CacheUpstream() as upstream, CacheUpstream() as elsewhere:
        config = routes(("/a", upstream.url), ("/b", elsewhere.url))
        with caching(upstream, FORWARD_CONFIG=config, CACHE_SCOPE="global") as daemon:
            found = [state(ask(daemon, "same words", target=prefix + CHAT)) for prefix in ("/a", "/b", "/a", "/b")]
        assert found == ["miss", "miss", "hit", "hit"]
        assert len(upstream.requests) == len(elsewhere.requests) == 1


def test_what_another_host_name_asks_is_the_same(daemon, upstream):
    words = fresh().encode()
    body = BASE.replace(b"@", words)
    assert state(daemon.ask("POST", CHAT, [TYPE], body)) == "miss"
    assert state(daemon.ask("POST", CHAT, [TYPE], body, host="aifd.example")) == "hit"


def test_a_chunked_body_is_the_same(daemon, upstream):
    body = BASE.replace(b"@", fresh().encode())
    assert state(daemon.ask("POST", CHAT, [TYPE], body)) == "miss"
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(body[at:at + 7]), body[at:at + 7]) for at in range(0, len(body), 7))
    with daemon.client() as client:
        client.send(b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"%s0\r\n\r\n" % (CHAT.encode(), pieces))
        assert state(client.read_response("POST")) == "hit"
    assert len(upstream.requests) == 1


# --- What has no key ---

NO_KEY = {
    "a name twice": BASE.replace(b"1.5", b'1,"temperature":2'),
    "a name twice within": BASE.replace(b'"role":"user"', b'"role":"user","role":"system"'),
    "a lone surrogate": BASE.replace(b'"@"', b'"@ \\ud800"'),
}


@pytest.mark.parametrize("name", sorted(NO_KEY))
def test_a_body_that_may_be_read_in_two_ways_is_not_cached(daemon, upstream, name):
    words = fresh()
    answers = [ask(daemon, words, NO_KEY[name]) for _ in range(2)]
    assert [state(answer) for answer in answers] == ["bypass", "bypass"]
    assert len(upstream.requests) == 2
    assert all("caching" not in json.loads(request.body) for request in upstream.requests)
