"""CUSTOM_MODEL_CONFIG: some models are served elsewhere, under another name; no other byte changes."""
import json
import threading

import pytest

from harness import LAST_CHUNK, SSE_HEAD, Daemon, Upstream, chunk, event, expect_request, ok, routes, send, wait

PATH = "/v1/chat/completions"


@pytest.fixture(scope="module")
def ollama():
    with Upstream() as ollama:
        yield ollama


@pytest.fixture(scope="module")
def mapping(ollama):
    with Upstream() as upstream, Daemon({
            "FORWARD_CONFIG": routes(("/", upstream.url), ("/general", upstream.url, "general")),
            "CUSTOM_MODEL_CONFIG": json.dumps({"backend": "ollama", "api_base": ollama.url, "model_map": {
                "gpt-3.5-turbo": "qwen2:7b", "a\"b": "quo\"ted", "long": "m" * 300}})}) as daemon:
        daemon.upstream = upstream
        yield daemon


@pytest.fixture
def both(mapping, ollama):
    ollama.reset()
    mapping.upstream.reset()
    yield mapping, mapping.upstream, ollama
    ollama.verify()
    mapping.upstream.verify()


BODIES = [
    (b'{"model":"gpt-3.5-turbo","messages":[]}', b'{"model":"qwen2:7b","messages":[]}'),
    (b' {\r\n "messages" : [ {"role":"user","content":"\\"model\\":\\"gpt-3.5-turbo\\""} ] ,\t"model" :\n"gpt-3.5-turbo" , '
     b'"temperature":1.10,"big":123456789012345678901234,"e":1e999,"dup":1,"dup":2}\n',
     b' {\r\n "messages" : [ {"role":"user","content":"\\"model\\":\\"gpt-3.5-turbo\\""} ] ,\t"model" :\n"qwen2:7b" , '
     b'"temperature":1.10,"big":123456789012345678901234,"e":1e999,"dup":1,"dup":2}\n'),
    (b'{"metadata":{"model":"gpt-3.5-turbo"},"model":"gpt-3.5-turbo"}',
     b'{"metadata":{"model":"gpt-3.5-turbo"},"model":"qwen2:7b"}'),
    (b'{"m\\u006fdel":"gpt-3.5-turbo"}', b'{"m\\u006fdel":"qwen2:7b"}'),
    (b'{"model":"gpt\\u002d3.5-turbo","s":"\xe4\xbd\xa0\\u4f60"}', b'{"model":"qwen2:7b","s":"\xe4\xbd\xa0\\u4f60"}'),
    (b'{"model":"a\\"b"}', b'{"model":"quo\\"ted"}'),
    (b'{"model":"long"}', b'{"model":"' + b"m" * 300 + b'"}'),
]


@pytest.mark.parametrize("body, due", BODIES)
def test_only_the_models_bytes_change(both, body, due):
    daemon, upstream, ollama = both
    assert daemon.ask("POST", PATH, [("Content-Type", "application/json")], body).status == 200
    assert upstream.requests == []
    request = ollama.requests[0]
    assert request.body == due and request.target == PATH
    assert request.get("host") == ollama.authority


def test_chunked_request_is_mapped_too(both):
    daemon, upstream, ollama = both
    with daemon.client() as client:
        client.send(b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + chunk(b'{"mod') + chunk(b'el":"gpt-3.5') + chunk(b'-turbo"}') + LAST_CHUNK)
        assert client.read_response("POST").status == 200
    assert ollama.requests[0].body == b'{"model":"qwen2:7b"}'


@pytest.mark.parametrize("body", [b'{"model":"gpt-4"}', b'{"model":"gpt-3.5-turbo-16k"}', b'{"model":3}', b'{"messages":[]}',
                                  b'{"metadata":{"model":"gpt-3.5-turbo"}}', b'{"x":"model","y":"gpt-3.5-turbo"}',
                                  b'["model","gpt-3.5-turbo"]'])
def test_other_bodies_go_the_ordinary_way_untouched(both, body):
    daemon, upstream, ollama = both
    assert daemon.ask("POST", PATH, body=body).status == 200
    assert [request.body for request in upstream.requests] == [body]
    assert ollama.connections == []


@pytest.mark.parametrize("body", [b'{"model":"gpt-3.5-turbo"', b"not json", b"", b'{"model":"gpt-3.5-turbo"}}', b"[" * 100_000,
                                  b'{"model":"\xff\xfe"}'])
def test_bad_json_is_never_half_mapped(both, body):
    daemon, upstream, ollama = both
    assert daemon.ask("POST", PATH, body=body).status in (200, 400)
    assert all(request.body == body for request in upstream.requests)
    assert ollama.requests == []


def test_streamed_answer_passes_as_it_comes(both):
    daemon, upstream, ollama = both
    go = threading.Event()
    ollama.script(expect_request(), send(SSE_HEAD + chunk(event("one"))), wait(go), send(chunk(event("two")) + LAST_CHUNK))
    with daemon.client() as client:
        client.request("POST", PATH, body=b'{"stream":true,"model":"gpt-3.5-turbo"}').read_head()
        assert client.body.take(len(event("one"))) == event("one")
        go.set()
        assert client.body.rest() == event("two")


def test_whole_answer_passes_unchanged(both):
    daemon, upstream, ollama = both
    body = b'{"model":"qwen2:7b","choices":[]}'
    ollama.script(expect_request(), send(ok(body, "application/json")))
    assert daemon.ask("POST", PATH, body=b'{"model":"gpt-3.5-turbo"}').body == body


def test_general_routes_are_left_alone(both):
    daemon, upstream, ollama = both
    body = b'{"model":"gpt-3.5-turbo"}'
    assert daemon.ask("POST", "/general" + PATH, body=body).status == 200
    assert [request.body for request in upstream.requests] == [body] and ollama.requests == []


def test_a_body_too_large_to_look_into():
    """Over MAX_BUFFERED_BODY_BYTES: it passes as it is, or is refused; never half mapped."""
    body = b'{"model":"gpt-3.5-turbo","x":"' + b"y" * 5000 + b'"}'
    with Upstream() as upstream, Upstream() as ollama, Daemon({
            "FORWARD_CONFIG": routes(("/", upstream.url)), "MAX_BUFFERED_BODY_BYTES": "1000",
            "CUSTOM_MODEL_CONFIG": json.dumps({"backend": "ollama", "api_base": ollama.url,
                                               "model_map": {"gpt-3.5-turbo": "qwen2:7b"}})}) as daemon:
        assert daemon.ask("POST", PATH, body=body).status in (200, 413)
        assert [request.body for request in upstream.requests] in ([body], [])
        assert [request.body for request in ollama.requests] in ([body.replace(b"gpt-3.5-turbo", b"qwen2:7b")], [])
        small = b'{"model":"gpt-3.5-turbo"}'
        assert daemon.ask("POST", PATH, body=small).status == 200
        assert ollama.requests[-1].body == b'{"model":"qwen2:7b"}'


def test_the_next_request_behind_a_mapped_one(both):
    daemon, upstream, ollama = both
    go = threading.Event()
    ollama.script(expect_request(), wait(go), send(ok(b"one")))
    with daemon.client() as client:
        client.request("POST", PATH, body=b'{"model":"gpt-3.5-turbo"}')
        ollama.wait_for_requests()
        client.request("POST", PATH, body=b'{"model":"gpt-4","x":"' + b"y" * 30000 + b'"}')
        go.set()
        assert client.read_response().body == b"one"
        assert client.read_response().body == b"ok"
    assert ollama.requests[0].body == b'{"model":"qwen2:7b"}'
    assert upstream.requests[0].body == b'{"model":"gpt-4","x":"' + b"y" * 30000 + b'"}'
