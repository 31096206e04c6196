"""LEVEL_MODELS: a forward key of a level uses that level's models and no other, however a request names them."""
import gzip
import json

import pytest

from harness import (LAST_CHUNK, Daemon, Upstream, answer, chunk, echo_raw, expect_request, ok, one_byte_at_a_time, routes,
                     send)

SETTINGS = {"OPENAI_API_KEY_CONFIG": '{"sk-all": [0, 1, 2]}', "FORWARD_KEY_CONFIG": '{"fk-zero": 0, "fk-one": 1, "fk-any": 2}',
            "LEVEL_MODELS": '{"1": ["gpt-4", "gpt-3.5*"], "2": ["*"]}', "MAX_BUFFERED_BODY_BYTES": "100000"}
CHAT = "/v1/chat/completions"
ONE = ("Authorization", "Bearer fk-one")
UNRESTRICTED = [("Authorization", "Bearer fk-zero"), ("Authorization", "Bearer fk-any"), ("Authorization", "Bearer sk-own"),
                ("X-No-Key", "1")]
MAY_USE = "Your key (level 1) may use: gpt-4, gpt-3.5*."
UPGRADE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def form(*parts):
    """The body and its Content-Type; a part is (Content-Disposition's parameters, content)."""
    body = b"".join(b"--XyZ\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n" for head, content in parts)
    return body + b"--XyZ--\r\n", ("Content-Type", "multipart/form-data; boundary=XyZ")


AUDIO, FORM_TYPE = form((b'name="file"; filename="a.mp3"', bytes(range(256)) * 100), (b'name="model"', b"gpt-4"))
OTHER_AUDIO, _ = form((b'name="file"; filename="a.mp3"', b"x"), (b'name="model"', b"secret"))
TWO_MODELS, _ = form((b'name="model"', b"gpt-4"), (b'name="model"', b"secret"))


@pytest.mark.parametrize("method, target, fields, body", [
    ("POST", CHAT, [], b' {"messages":[], "model" : "gpt-4"}'),
    ("POST", CHAT, [("Content-Type", "application/json")], b'{"model":"gpt-3.5-turbo","models":["gpt-4"]}'),
    ("POST", "/v1/audio/transcriptions", [FORM_TYPE], AUDIO),
    ("POST", "/v1beta/models/gpt-4:generateContent", [], b'{"contents":[]}'),
    ("POST", "/openai/deployments/gpt-4/chat/completions?api-version=1", [], b'{"messages":[]}'),
    ("POST", "/api/show", [], b'{"name":"gpt-4"}'),
    ("GET", "/v1/models/gpt-4", [], None),
    ("GET", "/v1/files", [], None),
    ("DELETE", "/v1/files/file-1", [], None),
])
def test_allowed_models_pass_byte_for_byte(daemon, upstream, method, target, fields, body):
    assert daemon.ask(method, target, [ONE, *fields], body).status == 200
    request = upstream.requests[0]
    assert request.target == target and request.body == (body or b"")
    assert request.get("authorization") == "Bearer sk-all"


@pytest.mark.parametrize("method, target, fields, body", [
    ("POST", CHAT, [], b'{"model":"secret"}'),
    ("POST", CHAT, [], b'{"model":"gpt-4","models":["secret"]}'),
    ("POST", CHAT, [], b'{"model":"gpt-4","fallbacks":["secret"]}'),
    ("POST", CHAT, [], b'{"model":"\\u0073ecret"}'),
    ("POST", "/v1/audio/transcriptions", [FORM_TYPE], OTHER_AUDIO),
    ("POST", "/v1beta/models/secret:generateContent", [], b'{"model":"gpt-4"}'),
    ("POST", "/v1beta//models/%73ecret:generateContent", [], b'{}'),
    ("POST", "/openai/deployments/secret/chat/completions", [], b'{"model":"gpt-4"}'),
    ("GET", "/v1/models/secret", [], None),
    ("GET", "/v1/realtime?model=secret", UPGRADE, None),
    ("GET", "/v1/files", [], b'{"model":"secret"}'),
])
def test_other_models_are_refused_by_name(daemon, upstream, method, target, fields, body):
    response = daemon.ask(method, target, [ONE, *fields], body)
    assert response.status == 403
    assert '\\"secret\\"' in response.body.decode() and MAY_USE in response.body.decode()
    assert upstream.requests == []


@pytest.mark.parametrize("method, target, fields, body", [
    ("POST", CHAT, [], b""),
    ("POST", CHAT, [], b"{}"),
    ("POST", CHAT, [], b"not json"),
    ("POST", CHAT, [], b'[{"model":"gpt-4"}]'),
    ("POST", CHAT, [], b'{"model":"gpt-4","model":"secret"}'),
    ("POST", CHAT, [], b'{"model":"gpt-4","Model":"secret"}'),
    ("POST", CHAT, [], b'{"x":1/*,"y":{*/,"model":"secret"/*},"model":"gpt-4","z":0*/}'),
    ("POST", CHAT, [], b'{"model":["secret"],"models":["gpt-4"]}'),
    ("POST", CHAT, [("Content-Encoding", "gzip")], gzip.compress(b'{"model":"gpt-4"}')),
    ("POST", CHAT, [("Content-Encoding", "gzip")], b'{"model":"gpt-4"}'),
    ("POST", CHAT, [FORM_TYPE], b'{"model":"gpt-4"}'),
    ("POST", CHAT, [FORM_TYPE], TWO_MODELS),
    ("POST", CHAT, [("Content-Type", "multipart/mixed; boundary=XyZ")], AUDIO),
    ("POST", "/v1/threads/1/runs", [], b'{"assistant_id":"asst_1"}'),
    ("POST", CHAT + "?model=gpt-4", [], b"{}"),
    ("GET", "/v1/realtime", UPGRADE, None),
    ("GET", "/v1/responses?model=gpt-4", UPGRADE, None),
    ("GET", "/v1/realtime?model=gpt-4&m%6fdel=secret", UPGRADE, None),
])
def test_requests_whose_model_cannot_be_read_are_refused(daemon, upstream, method, target, fields, body):
    response = daemon.ask(method, target, [ONE, *fields], body)
    assert response.status == 403 and MAY_USE in response.body.decode()
    assert upstream.requests == []


def test_chunked_requests_are_read_too(daemon, upstream):
    for model, status in ((b"secret", 403), (b"gpt-4", 200)):
        with daemon.client() as client:
            client.one_byte_at_a_time(b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: a\r\nx-api-key: fk-one\r\n"
                                      b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b'{"mod') + chunk(b'el":"' + model + b'"}')
                                      + LAST_CHUNK)
            assert client.read_response("POST").status == status
    assert [request.body for request in upstream.requests] == [b'{"model":"gpt-4"}']


def test_a_body_too_large_to_read_is_refused(daemon, upstream):
    body = b'{"model":"gpt-4","x":"' + b"y" * 100_000 + b'"}'
    response = daemon.ask("POST", CHAT, [ONE], body)
    assert response.status == 413 and "MAX_BUFFERED_BODY_BYTES" in response.body.decode()
    assert upstream.requests == []
    assert daemon.ask("POST", CHAT, [UNRESTRICTED[0]], body).status == 200


@pytest.mark.parametrize("key", UNRESTRICTED)
def test_unrestricted_callers_are_not_looked_at(daemon, upstream, key):
    for fields, body in (([], b'{"model":"secret"}'), ([], b"not json"), ([("Content-Encoding", "gzip")], b"\x1f\x8b")):
        assert daemon.ask("POST", CHAT, [key, *fields], body).status == 200
    upstream.script(expect_request(), send(ok(b'{"data":[{"id":"secret"}]}', "application/json")))
    response = daemon.ask("GET", "/v1/models", [key, ("Accept-Encoding", "gzip")])
    assert response.body == b'{"data":[{"id":"secret"}]}'
    assert upstream.requests[-1].get("accept-encoding") == "gzip"


def test_a_refusal_speaks_the_callers_dialect(daemon, upstream):
    openai = daemon.ask("POST", CHAT, [ONE], b'{"model":"secret"}').json()
    assert openai["error"]["code"] == "model_not_found" and openai["error"]["message"].endswith(MAY_USE)
    anthropic = daemon.ask("POST", "/v1/messages", [("x-api-key", "fk-one")], b'{"model":"secret"}').json()
    assert anthropic["error"]["type"] == "permission_error"
    gemini = daemon.ask("POST", "/v1beta/models/secret:generateContent?key=fk-one", [], b"{}").json()
    assert gemini["error"]["status"] == "PERMISSION_DENIED"
    ollama = daemon.ask("POST", "/api/chat", [ONE], b'{"model":"sec\\"ret"}').json()
    assert ollama["error"].startswith('The model "sec"ret" is not allowed.')


def test_a_websocket_to_an_allowed_model(daemon, upstream):
    upstream.script(expect_request(), send(SWITCH), echo_raw())
    with daemon.client() as client:
        client.request("GET", "/v1/realtime?model=gpt-4", [ONE, *UPGRADE])
        assert client.read_head().status == 101
        client.send(b"\x81\x02hi")
        assert client.reader.exactly(4) == b"\x81\x02hi"


LISTS = [
    ("/v1/models", b'{"object":"list","data":[{"id":"secret"},\n {"id":"gpt-4","n":1.0e1},\n {"id":"x"}, {"id":"gpt-3.5-turbo"}]}\n',
     b'{"object":"list","data":[\n {"id":"gpt-4","n":1.0e1}, {"id":"gpt-3.5-turbo"}]}\n'),
    ("/v1beta/models?pageSize=9", b'{"models":[{"name":"models/gpt-4"},{"name":"models/secret"}],"nextPageToken":"a"}',
     b'{"models":[{"name":"models/gpt-4"}],"nextPageToken":"a"}'),
    ("/api/tags", b'{"models":[{"name":"secret","model":"secret"}]}', b'{"models":[]}'),
]


@pytest.mark.parametrize("target, body, due", LISTS)
def test_lists_show_only_what_may_be_used(daemon, upstream, target, body, due):
    upstream.script(expect_request(), send(answer(fields=[("Content-Type", "application/json"), ("ETag", '"1"'),
                                                         ("X-Kept", "yes")], body=body)))
    response = daemon.ask("GET", target, [ONE, ("Accept-Encoding", "gzip"), ("If-None-Match", '"1"')])
    assert (response.status, response.body) == (200, due)
    assert response.get("content-length") == str(len(due)) and response.get("etag") is None
    assert response.get("x-kept") == "yes" and response.get("content-type") == "application/json"
    request = upstream.requests[0]
    assert request.get("accept-encoding") == "identity" and request.get("if-none-match") is None


def test_a_list_that_comes_in_pieces_is_filtered_too(daemon, upstream):
    _, body, due = LISTS[0]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Kept: yes\r\nTransfer-Encoding: chunked\r\n\r\n"
    upstream.script(expect_request(), one_byte_at_a_time(head + b"".join(chunk(body[i:i + 7]) for i in range(0, len(body), 7))
                                                         + LAST_CHUNK))
    response = daemon.ask("GET", "/v1/models", [ONE])
    assert response.body == due and response.get("x-kept") == "yes"


def test_a_long_list_is_filtered_whole(daemon, upstream):
    entries = [{"id": f"gpt-3.5-{i}" if i % 2 else f"secret-{i}", "x": "y" * 200} for i in range(10_000)]
    upstream.script(expect_request(), send(ok(json.dumps({"data": entries}).encode(), "application/json")))
    response = daemon.ask("GET", "/v1/models", [ONE])
    assert response.json() == {"data": entries[1::2]}


@pytest.mark.parametrize("reply", [
    ok(b"<html>", "text/html"), ok(b'{"data":[{"id":"secret"}', "application/json"), ok(b'{"list":["secret"]}', "application/json"),
    answer(fields=[("Content-Encoding", "gzip")], body=gzip.compress(b'{"data":[{"id":"secret"}]}')),
    ok(b'{"data":[{"id":"secret","x":"' + b"y" * (8 << 20) + b'"}]}', "application/json")],
    ids=["no JSON", "cut", "no list", "encoded", "too large"])
def test_a_list_that_cannot_be_read_is_not_passed_on(daemon, upstream, reply):
    upstream.script(expect_request(), send(reply))
    response = daemon.ask("GET", "/v1/models", [ONE])
    assert response.status == 502 and "list of models" in response.json()["error"]["message"]
    assert b"secret" not in response.body


def test_an_error_in_place_of_a_list_passes_unchanged(daemon, upstream):
    upstream.script(expect_request(), send(answer("401 Unauthorized", [("ETag", '"1"')], b'{"error":"secret"}')))
    response = daemon.ask("GET", "/v1/models", [ONE])
    assert (response.status, response.body, response.get("etag")) == (401, b'{"error":"secret"}', '"1"')


def test_head_of_a_list_has_no_length(daemon, upstream):
    upstream.script(expect_request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\nETag: \"1\"\r\n\r\n"))
    response = daemon.ask("HEAD", "/v1/models", [ONE])
    assert response.status == 200 and response.get("content-length") is None and response.get("etag") is None


def test_the_next_request_behind_a_filtered_list(daemon, upstream):
    for _ in range(2):
        upstream.script(expect_request(), send(ok(LISTS[0][1], "application/json")))
    with daemon.client() as client:
        for _ in range(2):
            client.request("GET", "/v1/models", [ONE])
            assert client.read_response().body == LISTS[0][2]
        client.request("POST", CHAT, [ONE], b'{"model":"secret"}')
        assert client.read_response().status == 403
        client.request("POST", CHAT, [ONE], b'{"model":"gpt-4"}')
        assert client.read_response().body == b"ok"


def test_paths_count_as_the_upstream_gets_them():
    with Upstream() as upstream, Daemon({**SETTINGS, "FORWARD_CONFIG": routes(
            ("/g", upstream.url + "/v1beta", "general"), ("/azure", upstream.url + "/openai/deployments/gpt-4", "general"),
            ("/other", upstream.url + "/openai/deployments/secret", "general"))}) as daemon:
        assert daemon.ask("POST", "/g/models/gpt-4:generateContent", [ONE], b"{}").status == 200
        assert daemon.ask("POST", "/g/models/secret:generateContent", [ONE], b"{}").status == 403
        assert daemon.ask("POST", "/azure/chat/completions", [ONE], b"{}").status == 200
        assert daemon.ask("POST", "/other/chat/completions", [ONE], b'{"model":"gpt-4"}').status == 403
        upstream.script(expect_request(), send(ok(LISTS[1][1], "application/json")))
        assert daemon.ask("GET", "/g/models", [ONE]).body == LISTS[1][2]
        assert len(upstream.requests) == 3
