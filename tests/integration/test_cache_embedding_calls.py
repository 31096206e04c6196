"""Batches of embeddings whose call fails, is shared, or is answered wrongly; and great ones."""
import json

import pytest

from harness import (EMBEDDINGS, JSON, CacheUpstream, Swarm, answer, caching, chunk, cut, expect_request, fresh, ok, post,
                     raw_post, send, settle, state)
from harness.openai_answers import vector_of

UPSTREAM = CacheUpstream
SETTINGS = {"CACHE_OPENAI": "true", "CACHE_BACKEND": "MEMORY"}


def body_of(given, **more):
    return json.dumps({"model": "e", "input": given, "caching": True, **more}).encode()


def embed(daemon, given, **more):
    return post(daemon, body_of(given, **more), target=EMBEDDINGS)


def vectors(response):
    assert response.status == 200, (response.status, response.body[:300])
    return [item["embedding"] for item in response.json()["data"]]


def inputs_up(upstream):
    return [json.loads(request.body)["input"] for request in upstream.requests]


def words(count):
    return [fresh() for _ in range(count)]


# --- Errors ---

@pytest.mark.parametrize("status", ["400 Bad Request", "429 Too Many Requests", "500 Internal Server Error"])
def test_an_error_passes_as_it_is_and_nothing_is_forgotten(daemon, upstream, status):
    a, b = words(2)
    embed(daemon, [a])
    refusal = b'{"error":{"message":"no","type":"t","param":null,"code":"c"}}'
    upstream.script(expect_request(), send(answer(status, [*JSON, ("x-own", "1")], refusal)))
    response = embed(daemon, [a, b])
    assert response.status == int(status[:3]) and response.body == refusal and response.get("x-own") == "1"
    assert state(response) == "miss"
    assert state(embed(daemon, [a])) == "hit" and state(embed(daemon, [a, b])) == "miss"
    assert inputs_up(upstream) == [[a], [b], [b]]


def test_a_broken_answer_is_no_answer(daemon, upstream):
    a, b = words(2)
    embed(daemon, [a])
    upstream.script(expect_request(), send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                           b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b'{"object":"list","data":[')), cut())
    with daemon.client() as client:
        try:
            response = client.ask("POST", EMBEDDINGS, JSON, body_of([a, b]))
            assert response.status == 502 or response.ended == "cut"
        except ConnectionError:
            pass
    assert vectors(embed(daemon, [a, b])) == [vector_of(a), vector_of(b)]
    assert inputs_up(upstream) == [[a], [b], [b]]


def item(index, vector=(1.0, 2.0)):
    return {"object": "embedding", "index": index, "embedding": vector}


WRONG = {
    "too few": {"data": [item(0)]}, "too many": {"data": [item(0), item(1), item(2)]}, "none": {"data": []},
    "an index twice": {"data": [item(0), item(0)]}, "an index beyond": {"data": [item(0), item(2)]},
    "a negative index": {"data": [item(0), item(-1)]}, "no vector": {"data": [item(0), {"index": 1}]},
    "a text that is no base64": {"data": [item(0), item(1, "not base64!")]},
    "a text of no whole floats": {"data": [item(0), item(1, "AAAAAAA=")]},
    "words in a vector": {"data": [item(0), item(1, ["x"])]}, "no data": {}, "data of another kind": {"data": "x"},
    "an error with status 200": {"error": {"message": "overloaded"}},
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_answer_is_never_joined(daemon, upstream, name):
    """Two of three inputs go up and what comes back is none for two: no caller may be told one text's vector for another's."""
    a, b, c = words(3)
    embed(daemon, [b])
    wrong = json.dumps({"object": "list", "model": "e-v1", "usage": {"prompt_tokens": 2, "total_tokens": 2}, **WRONG[name]})
    upstream.script(expect_request(), send(ok(wrong.encode(), "application/json")))
    response = embed(daemon, [a, b, c])
    due = [vector_of(given) for given in (a, b, c)]
    assert response.status >= 500 or vectors(response) == due
    assert vectors(embed(daemon, [a, b, c])) == due and vectors(embed(daemon, [c, a])) == [due[2], due[0]]


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_answer_to_a_whole_batch_passes_and_is_not_kept(daemon, upstream, name):
    a, b = words(2)
    wrong = json.dumps({"object": "list", "model": "e-v1", **WRONG[name]}).encode()
    upstream.script(expect_request(), send(ok(wrong, "application/json")))
    response = embed(daemon, [a, b])
    assert response.body == wrong and state(response) == "miss"
    again = embed(daemon, [a, b])
    assert state(again) == "miss" and vectors(again) == [vector_of(a), vector_of(b)]


def test_the_order_of_an_answer_does_not_matter(daemon, upstream):
    a, b, c = words(3)
    embed(daemon, [b])
    turned = {"object": "list", "model": "e-v1", "data": [item(1, vector_of(c)), item(0, vector_of(a))],
              "usage": {"prompt_tokens": 2, "total_tokens": 2}}
    upstream.script(expect_request(), send(ok(json.dumps(turned).encode(), "application/json")))
    assert vectors(embed(daemon, [a, b, c])) == [vector_of(given) for given in (a, b, c)]
    assert [state(embed(daemon, given)) for given in (a, b, c)] == ["hit"] * 3


# --- Shared calls ---

@pytest.mark.parametrize("workers", ["1", "2"])
def test_equal_batches_at_one_time_are_one_call(upstream, workers):
    with caching(upstream, args=["--workers", workers]) as daemon:
        batch = words(3)
        pause = upstream.pause()
        swarm = Swarm(daemon, [raw_post(daemon, body_of(batch), target=EMBEDDINGS)] * 200)
        pause.wait_for()
        settle(daemon, 50)
        pause.go_on.set()
        answers = swarm.answers()
        assert all(vectors(response) == [vector_of(given) for given in batch] for response in answers)
        assert inputs_up(upstream) == [batch]


def test_batches_that_overlap_are_each_right(upstream):
    with caching(upstream, args=["--workers", "2"]) as daemon:
        a, b, c, d = words(4)
        batches = [[a, b], [b, c], [c, a], [d], [a, b, c, d], [b]]
        pause = upstream.pause()
        swarm = Swarm(daemon, [raw_post(daemon, body_of(batch), target=EMBEDDINGS) for batch in batches * 5])
        pause.wait_for()
        pause.go_on.set()
        for response, batch in zip(swarm.answers(), batches * 5):
            assert vectors(response) == [vector_of(given) for given in batch]
        assert len(upstream.requests) <= len(batches)
        assert state(embed(daemon, [d, c, b, a])) == "hit"


def test_the_encodings_of_one_batch_at_one_time(upstream):
    with caching(upstream, args=["--workers", "1"]) as daemon:
        batch = words(2)
        pause = upstream.pause()
        swarm = Swarm(daemon, [raw_post(daemon, body_of(batch, encoding_format=name), target=EMBEDDINGS)
                               for name in ("float", "base64") * 10])
        pause.wait_for()
        settle(daemon)
        pause.go_on.set()
        for number, response in enumerate(swarm.answers()):
            kind = str if number % 2 else list
            assert [type(vector) for vector in vectors(response)] == [kind] * 2
        assert len(upstream.requests) <= 2


def test_all_leave_and_the_call_ends(upstream):
    with caching(upstream, args=["--workers", "1"]) as daemon:
        pause = upstream.pause()
        swarm = Swarm(daemon, [raw_post(daemon, body_of(["one", "two"]), target=EMBEDDINGS)] * 5)
        pause.wait_for()
        settle(daemon)
        swarm.close()
        assert upstream.connections[0].closed.wait(30)
        pause.go_on.set()
        assert state(embed(daemon, ["one", "two"])) == "miss"


# --- Great ones ---

def test_a_great_batch(daemon, upstream):
    """2,048 inputs are the most that OpenAI takes; half of them known."""
    batch = words(2048)
    assert vectors(embed(daemon, batch[::2])) == [vector_of(given) for given in batch[::2]]
    assert vectors(embed(daemon, batch)) == [vector_of(given) for given in batch]
    assert inputs_up(upstream) == [batch[::2], batch[1::2]]
    again = embed(daemon, batch)
    assert state(again) == "hit" and vectors(again) == [vector_of(given) for given in batch]


def test_long_vectors(daemon, upstream):
    batch = words(64)
    first = embed(daemon, batch, dimensions=3072)
    again = embed(daemon, batch, dimensions=3072)
    assert [state(first), state(again)] == ["miss", "hit"]
    assert vectors(first) == vectors(again) == [vector_of(given, 3072) for given in batch]


def test_more_inputs_than_anybody_takes(daemon, upstream):
    batch = words(5000)
    for _ in range(2):
        assert vectors(embed(daemon, batch)) == [vector_of(given) for given in batch]
    assert inputs_up(upstream)[0] == batch


@pytest.mark.parametrize("backend", ["LMDB", "LevelDB"])
def test_parts_survive_a_restart(upstream, backend, tmp_path):
    a, b, c = words(3)
    kept = {"CACHE_BACKEND": backend, "CACHE_ROOT_PATH_OR_URL": str(tmp_path / "cache")}
    with caching(upstream, **kept) as daemon:
        assert state(embed(daemon, [a, c])) == "miss" and state(embed(daemon, [a, c])) == "hit"
    with caching(upstream, **kept) as daemon:
        assert vectors(embed(daemon, [a, b, c])) == [vector_of(given) for given in (a, b, c)]
    assert inputs_up(upstream) == [[a, c], [b]]
