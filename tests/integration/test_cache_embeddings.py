"""Embeddings: each input of a batch is known by itself, and only the unknown ones go up, in one call."""
import base64
import json
import struct

import pytest

from harness import (EMBEDDINGS, JSON, CacheUpstream, answer, bearer, expect_request, fresh, ok, post, send,
                     state)
from harness.openai_answers import base64_of, narrow, vector_of

UPSTREAM = CacheUpstream
SETTINGS = {"CACHE_OPENAI": "true", "CACHE_BACKEND": "MEMORY"}


def body_of(given, **more):
    return json.dumps({"model": "e", "input": given, "caching": True, **more}).encode()


def embed(daemon, given, fields=(), **more):
    response = post(daemon, body_of(given, **more), fields, EMBEDDINGS)
    assert response.status == 200 and response.ended == "complete", (response.status, response.body[:300])
    return response


def floats(coded: str):
    """A base64 embedding as the SDKs read it."""
    data = base64.b64decode(coded, validate=True)
    assert len(data) % 4 == 0
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def assert_answers(response, inputs, coded=False, dimensions=5):
    """Each input's own embedding at its place."""
    told = response.json()
    assert told["object"] == "list" and told["model"] == "e-v1"
    assert [item["index"] for item in told["data"]] == list(range(len(inputs)))
    assert {item["object"] for item in told["data"]} == {"embedding"}
    for item, given in zip(told["data"], inputs):
        due = vector_of(given, dimensions)
        if coded:
            assert item["embedding"] == base64_of(due)
        else:
            assert item["embedding"] == due or item["embedding"] == narrow(due)
    return told


def inputs_up(upstream):
    """The inputs of each call so far."""
    return [json.loads(request.body)["input"] for request in upstream.requests]


def words(count):
    return [fresh() for _ in range(count)]


# --- Item by item ---

def test_one_string(daemon, upstream):
    [one] = words(1)
    first, again = embed(daemon, one), embed(daemon, one)
    assert [state(first), state(again)] == ["miss", "hit"] and inputs_up(upstream) == [one]
    assert assert_answers(first, [one]) == assert_answers(again, [one])


def test_only_the_unknown_go_up(daemon, upstream):
    a, b, c, d = words(4)
    assert state(embed(daemon, [a, c])) == "miss"
    mixed = embed(daemon, [a, b, c, d])
    assert state(mixed) == "miss" and inputs_up(upstream) == [[a, c], [b, d]]
    assert_answers(mixed, [a, b, c, d])
    for batch in ([d, c, b, a], [b], [a, b, c, d]):
        known = embed(daemon, batch)
        assert state(known) == "hit"
        assert_answers(known, batch)
    assert len(upstream.requests) == 2


def test_a_string_and_a_list_of_it_are_one_input(daemon, upstream):
    a, b = words(2)
    found = [state(embed(daemon, given)) for given in (a, [a], [b], b)]
    assert found == ["miss", "hit", "miss", "hit"] and len(upstream.requests) == 2


def test_an_input_twice_in_a_batch(daemon, upstream):
    a, b = words(2)
    first = embed(daemon, [a, b, a, a])
    assert state(first) == "miss" and len(upstream.requests) == 1
    assert_answers(first, [a, b, a, a])
    again = embed(daemon, [a, a])
    assert state(again) == "hit" and len(upstream.requests) == 1
    assert_answers(again, [a, a])


def test_the_spelling_of_an_input_does_not_matter(daemon, upstream):
    text = fresh() + " caf\u00e9 \U0001f600"
    plain = b'{"model":"e","input":["%s"],"caching":true}' % text.encode()
    escaped = b'{ "caching" : true, "input" : [ %s ] , "model" : "e" }' % json.dumps(text).encode()
    found = [state(post(daemon, body, target=EMBEDDINGS)) for body in (plain, escaped)]
    assert found == ["miss", "hit"] and len(upstream.requests) == 1


def test_tokens(daemon, upstream):
    """A list of numbers is one input, a list of such lists a batch; none of them is a text."""
    one, two = [1, 2, 3], [1, 2, 30]
    for given, due in ((one, "miss"), (one, "hit"), ([one], "hit"), ([one, two], "miss"), (two, "hit"), ("[1,2,3]", "miss"),
                       (["[1,2,3]", "1,2,3"], "miss"), ("1", "miss"), ([1], "miss"), ([123], "miss"), ([12, 3], "miss")):
        response = embed(daemon, given)
        assert state(response) == due, given
        batch = [given] if isinstance(given, str) or isinstance(given[0], int) else given
        assert_answers(response, batch)
    assert inputs_up(upstream)[1] == [two]


@pytest.mark.parametrize("more, other", [({"dimensions": 3}, {"dimensions": 4}), ({}, {"dimensions": 5}),
                                         ({"model": "e"}, {"model": "f"}), ({}, {"input_type": "query"})])
def test_what_makes_another_embedding(daemon, upstream, more, other):
    a, b = words(2)
    assert [state(embed(daemon, [a, b], **options)) for options in (more, other, more, other)] == ["miss", "miss", "hit", "hit"]
    assert inputs_up(upstream) == [[a, b]] * 2


def test_callers_do_not_share(daemon, upstream):
    [one] = words(1)
    found = [state(embed(daemon, [one], bearer(key))) for key in ("sk-a", "sk-b", "sk-a")]
    assert found == ["miss", "miss", "hit"]


def test_user_does_not_matter(daemon, upstream):
    [one] = words(1)
    assert [state(embed(daemon, [one], user=name)) for name in ("a", "b")] == ["miss", "hit"]


def test_caching_false_asks_for_all(daemon, upstream):
    a, b = words(2)
    embed(daemon, [a])
    response = embed(daemon, [a, b], caching=False)
    assert state(response) == "bypass" and inputs_up(upstream)[1] == [a, b]
    assert state(embed(daemon, [b])) == "miss"


@pytest.mark.parametrize("field, due", [("no-store", "bypass"), ("no-cache", "bypass")])
def test_cache_control_asks_for_all(daemon, upstream, field, due):
    a, b = words(2)
    embed(daemon, [a])
    response = embed(daemon, [a, b], [("Cache-Control", field)])
    assert state(response) == due and inputs_up(upstream)[1] == [a, b]
    assert state(embed(daemon, [b])) == ("hit" if field == "no-cache" else "miss")


def test_only_if_cached(daemon, upstream):
    a, b = words(2)
    embed(daemon, [a])
    field = [("Cache-Control", "only-if-cached")]
    assert state(embed(daemon, [a], field)) == "hit"
    assert post(daemon, body_of([a, b]), field, EMBEDDINGS).status == 504 and len(upstream.requests) == 1


# --- The bytes that go up ---

@pytest.mark.parametrize("head, tail", [
    ('{"model":"e", "caching":true,\n "input" : ', ' , "dimensions": 5.0e0 , "user":"\\u0061" }\n'),
    ('{"input":', ',"model":"e","encoding_format":"float","caching":true}'),
    ('{"metadata":{"input":["x","y"]},"input":', ',"model":"\\u0065","caching":true}'),
])
def test_all_but_the_inputs_goes_up_byte_for_byte(daemon, upstream, head, tail):
    a, b, c = words(3)
    rest = json.loads(head + "0" + tail)
    known = {name: value for name, value in rest.items() if name not in ("input", "caching", "user", "encoding_format")}
    embed(daemon, [a, c], **known)
    body = f'{head}[ "{a}",\t"{b}" , "{c}" ]{tail}'.encode()
    response = post(daemon, body, target=EMBEDDINGS)
    assert response.status == 200 and state(response) == "miss"
    got = upstream.requests[1].body.decode()
    assert json.loads(got) == {**{name: value for name, value in rest.items() if name != "caching"}, "input": [b]}
    cut_head, cut_tail = (part.replace('"caching":true,', "").replace(',"caching":true', "") for part in (head, tail))
    assert "".join(got.split()).startswith("".join(cut_head.split()) + "["), "white space may go with what is cut"
    assert got.endswith(cut_tail) and upstream.requests[1].get("content-length") == str(len(got.encode()))


def test_spelling_goes_up_as_it_came(daemon, upstream):
    a, b = words(2)
    embed(daemon, [a])
    body = b'{"model":"e","input":["%s","\\u0062\\/ %s"],"caching":true}' % (a.encode(), b.encode())
    assert post(daemon, body, target=EMBEDDINGS).status == 200
    assert upstream.requests[1].body == b'{"model":"e","input":["\\u0062\\/ %s"]}' % b.encode()


# --- Encodings ---

@pytest.mark.parametrize("first, then", [("float", "base64"), ("base64", "float"), (None, "base64"), ("base64", None),
                                         ("float", "float"), ("base64", "base64")])
def test_both_encodings_come_from_one_answer(daemon, upstream, first, then):
    batch = words(3)
    options = [{"encoding_format": name} if name else {} for name in (first, then)]
    assert state(embed(daemon, batch, **options[0])) == "miss"
    response = embed(daemon, batch, **options[1])
    assert state(response) == "hit" and len(upstream.requests) == 1
    told = assert_answers(response, batch, coded=then == "base64")
    for item, given in zip(told["data"], batch):
        got = floats(item["embedding"]) if then == "base64" else item["embedding"]
        assert narrow(got) == narrow(vector_of(given)), "equal to the last bit of a float32"


def test_floats_are_told_as_they_were(daemon, upstream):
    """Text that no float32 holds exactly: the next caller of floats gets equal numbers."""
    values = "[-0.0069292834,1e-7,3.0E-10,-0.0,0.1,12345678.9,1]"
    [one] = words(1)
    whole = b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":%s}],"model":"e-v1",' \
            b'"usage":{"prompt_tokens":1,"total_tokens":1}}' % values.encode()
    upstream.script(expect_request(), send(ok(whole, "application/json")))
    first, again = embed(daemon, [one]), embed(daemon, [one])
    assert [state(first), state(again)] == ["miss", "hit"]
    assert again.json()["data"][0]["embedding"] == json.loads(values)
    coded = embed(daemon, [one], encoding_format="base64")
    assert state(coded) == "hit" and floats(coded.json()["data"][0]["embedding"]) == narrow(json.loads(values))


def test_a_mixed_batch_comes_in_one_encoding(daemon, upstream):
    a, b = words(2)
    embed(daemon, [a], encoding_format="base64")
    assert_answers(embed(daemon, [a, b]), [a, b])
    assert_answers(embed(daemon, [a, b], encoding_format="base64"), [a, b], coded=True)
    assert inputs_up(upstream) == [[a], [b]]


# --- Usage ---

def test_usage_is_that_of_the_parts(daemon, upstream):
    a, b, c = "a" * 7 + fresh(), "b" * 20 + fresh(), "c" + fresh()
    first = embed(daemon, [a, b]).json()["usage"]
    assert first == {"prompt_tokens": len(a + b), "total_tokens": len(a + b)}
    parts = [embed(daemon, one).json()["usage"] for one in (a, b)]
    assert sum(part["prompt_tokens"] for part in parts) == sum(part["total_tokens"] for part in parts) == len(a + b)
    assert embed(daemon, [a, b]).json()["usage"] == first
    mixed = embed(daemon, [b, c]).json()["usage"]
    assert mixed["prompt_tokens"] == parts[1]["prompt_tokens"] + len(c)


# --- What is not understood passes ---

@pytest.mark.parametrize("given", ["[]", '""', "5", "null", '[""]', '{"a":1}', '[["a"]]', '[1,"a"]', "[[]]", "[1.5]", "true",
                                   '[{"text":"a"}]', "[null]"])
def test_unusual_inputs_are_the_upstreams_to_judge(daemon, upstream, given):
    refusal = b'{"error":{"message":"what is that?","type":"invalid_request_error","param":"input","code":null}}'
    body = b'{"model":"%s","input":%s}' % (fresh().encode(), given.encode())
    for _ in range(2):
        upstream.script(expect_request(), send(answer("400 Bad Request", JSON, refusal)))
        response = post(daemon, body[:-1] + b',"caching":true}', target=EMBEDDINGS)
        assert response.status == 400 and response.body == refusal and state(response) != "hit"
    assert [request.body for request in upstream.requests] == [body] * 2


@pytest.mark.parametrize("coding", ["int8", "ubinary", 7])
def test_another_encoding_is_the_upstreams_to_know(daemon, upstream, coding):
    batch = words(2)
    embed(daemon, batch)
    whole = b'{"object":"list","data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[3,4]}],"model":"e-v1"}'
    upstream.script(expect_request(), send(ok(whole, "application/json")))
    response = embed(daemon, batch, encoding_format=coding)
    assert response.body == whole and inputs_up(upstream) == [batch] * 2
