"""Embeddings from every store of the cache: the inputs of a great batch that are missing go up, in one call."""
import base64
import json
import struct

import pytest

from harness import Daemon, Redis, Upstream, eventually, expect_request, ok, routes, send

PATH = "/v1/embeddings"
JSON = [("Content-Type", "application/json")]
COUNT, DIMENSIONS = 1024, 96  # its answer is long enough to be made beside the event loop


@pytest.fixture
def upstream():
    with Upstream() as upstream:
        yield upstream
        upstream.verify()


def number(text):
    return int(text.split()[1])


def vector(text):
    return [number(text) / 4 + place for place in range(DIMENSIONS)]


def answer(inputs):
    data = [{"object": "embedding", "index": i, "embedding": vector(text)} for i, text in enumerate(inputs)]
    usage = {"prompt_tokens": len(inputs), "total_tokens": len(inputs)}
    return json.dumps({"object": "list", "data": data, "model": "e-1", "usage": usage}).encode()


def script(upstream, inputs):
    upstream.script(expect_request(), send(ok(answer(inputs), "application/json")))


def ask(daemon, inputs, **more):
    response = daemon.ask("POST", PATH, JSON, json.dumps({"model": "e", "input": inputs, "caching": True, **more}).encode())
    assert response.status == 200 and response.ended == "complete", (response.status, response.body[:300])
    return response


def vectors(response):
    return [item["embedding"] for item in response.json()["data"]]


def at_once(count):
    """Whoever reads finds what was put before."""


@pytest.fixture(params=["MEMORY", "LMDB", "LevelDB", "REDIS"])
def store(request, tmp_path):
    """The settings, and what waits until so many items are there."""
    if request.param != "REDIS":
        yield {"CACHE_BACKEND": request.param, "CACHE_ROOT_PATH_OR_URL": str(tmp_path / "cache")}, at_once
        return
    with Redis() as redis:
        yield ({"CACHE_BACKEND": "REDIS", "CACHE_ROOT_PATH_OR_URL": redis.url},
               lambda count: eventually(lambda: redis.ask("DBSIZE") == count, f"{count} items are written"))


def test_only_the_missing_go_up(upstream, store):
    batch = [f"text {i}" for i in range(COUNT)]
    settings, wait_for_items = store
    with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "CACHE_OPENAI": "true", **settings},
                args=["--workers", "1"]) as daemon:
        script(upstream, batch[::2])
        assert ask(daemon, batch[::2]).body == answer(batch[::2])
        wait_for_items(COUNT / 2)
        script(upstream, batch[1::2])
        mixed = ask(daemon, batch)
        assert mixed.get("x-aifd-cache") == "miss" and vectors(mixed) == [vector(text) for text in batch]
        assert [json.loads(request.body)["input"] for request in upstream.requests] == [batch[::2], batch[1::2]]
        wait_for_items(COUNT)
        hit = ask(daemon, batch[::-1])
        assert hit.get("x-aifd-cache") == "hit" and vectors(hit) == [vector(text) for text in batch[::-1]]
        coded = ask(daemon, batch, encoding_format="base64")
        assert coded.get("x-aifd-cache") == "hit" and coded.json()["usage"]["total_tokens"] == COUNT
        for text, told in zip(batch, vectors(coded)):
            assert struct.unpack(f"<{DIMENSIONS}f", base64.b64decode(told)) == tuple(vector(text))
