"""What the conversation log says of exchanges that did not go well, were not forwarded, or could not be read."""
import gzip
import hashlib
import json

import pytest

from harness import (CACHED, CHAT, LAST_CHUNK, MESSAGES, SSE_HEAD, ChatLog, ModelUpstream, RefusingPort, access_lines,
                     answer, bearer, chat_of, chunk, cut, event, eventually, expect_request, hold, logged, post, send)

FORWARD = "fk-caller-long-enough-0001"


@pytest.fixture
def upstream():
    with ModelUpstream() as upstream:
        yield upstream


@pytest.fixture
def daemon(upstream):
    with logged(upstream, FIRST_BYTE_TIMEOUT="1") as daemon:
        yield daemon


@pytest.fixture
def log(daemon):
    return ChatLog(daemon)


def lines_of(daemon, count):
    """The access log's, which are written a moment later."""
    eventually(lambda: len(access_lines(daemon)) >= count, f"{count} lines of the access log")
    return access_lines(daemon)


def delta(content):
    return json.dumps({"id": "c", "model": "served", "choices": [{"index": 0, "delta": {"content": content}}]})


# --- The upstream ---

def test_an_error_of_the_upstream(daemon, log):
    for number, status in enumerate((400, 401, 404, 429, 500, 503), 1):
        post(daemon, chat_of("q", f"error-{status}", stream=number % 2 == 0))
        response = log.last(number).response
        assert response["status"] == status and response["assistant"] is None and response["is_tool_calls"] is False
        assert response["error_text"].startswith(f"the upstream says {status}"), response
        assert (response["ended_by"], response["usage"], response["usage_source"]) == ("complete", None, "unknown")
    post(daemon, chat_of("q", "error"), target=MESSAGES)
    response = log.last(7).response
    assert (response["status"], response["error_text"]) == (529, "the upstream is overloaded")


PART = SSE_HEAD + chunk(event(delta("Half of ")) + event(delta("it")))
ENDS = {  # steps, (ended_by, phase, status), what was said until then
    "cut in the stream": ([send(PART), cut()], ("upstream", "stream", 200), "Half of it"),
    "cut inside an event": ([send(PART + b"9\r\ndata: {\"c"), cut()], ("upstream", "stream", 200), "Half of it"),
    "cut before an answer": ([cut()], ("upstream", "wait_head", 502), None),
    "no HTTP": ([send(b"nonsense\r\n\r\n"), cut()], ("upstream", "wait_head", 502), None),
    "silent": ([hold()], ("upstream", "wait_head", 504), None),
}


def test_an_upstream_that_fails(daemon, upstream, log):
    for number, (name, (steps, (ended_by, phase, status), text)) in enumerate(ENDS.items(), 1):
        upstream.script(expect_request(), *steps)
        with daemon.client() as client:
            client.request("POST", CHAT, [("Content-Type", "application/json")], chat_of(name, stream=True))
            assert client.read_response().status == status, name
        request, response = log.last(number)
        assert request["messages"][0]["content"] == name
        found = (response["ended_by"], response["phase"], response["status"])
        assert found == (ended_by, phase, status), name
        assert response["error"] and response["attempts"] == 1 and response["upstream"] == upstream.authority, name
        if text is not None:
            assert (response["assistant"], response["usage_source"]) == (text, "estimated"), name
            assert response["usage"]["completion_tokens"] == 2 and response["model"] == "served", name
        elif status != 200:
            assert (response["assistant"], response["usage"]) == (None, None), name
        line = lines_of(daemon, number)[-1]
        assert (line["error"], line["request_id"]) == (response["error"], response["uid"])


def test_a_whole_answer_that_is_cut(daemon, upstream, log):
    body = json.dumps({"model": "served", "choices": [{"index": 0, "message": {"content": "x" * 100}}]}).encode()
    upstream.script(expect_request(), send(answer(fields=[("Content-Type", "application/json")], body=body)[:-30]), cut())
    assert post(daemon, chat_of("q")).ended == "cut"
    response = log.wait_for()[0].response
    assert (response["ended_by"], response["phase"], response["status"]) == ("upstream", "stream", 200)


def test_an_upstream_that_refuses_connections():
    with RefusingPort() as port, logged(port) as daemon:
        assert post(daemon, chat_of("q")).status == 502
        response = ChatLog(daemon).wait_for()[0].response
        assert (response["phase"], response["status"], response["error"]) == ("connect", 502, "upstream_unreachable")
        assert response["attempts"] == lines_of(daemon, 1)[0]["attempts"] > 1


# --- Answered or refused here ---

def test_what_is_refused_before_the_log_has_no_record(upstream):
    """A refusal of a key, an address, a limit or a model is told by the access log alone."""
    settings = {"FORWARD_KEY_CONFIG": json.dumps({FORWARD: 1}), "REQUIRE_FORWARD_KEY": "true",
                "OPENAI_API_KEY_CONFIG": json.dumps({"sk-real-long-enough-1": [1]}),
                "LEVEL_MODELS": '{"1": ["m", "n"]}', "REQ_RATE_LIMIT": json.dumps({CHAT: "2/day"})}
    with logged(upstream, **settings) as daemon:
        assert post(daemon, chat_of("q"), bearer("sk-nobody-knows-this-1")).status == 401
        assert post(daemon, chat_of("q", "other"), bearer(FORWARD)).status == 403
        statuses = [post(daemon, chat_of(f"q {number}"), bearer(FORWARD)).status for number in range(3)]
        assert statuses.count(200) == 2 and statuses[2] == 429
        assert [exchange.response["status"] for exchange in ChatLog(daemon).wait_for(2)] == [200, 200]
        assert len(lines_of(daemon, 5)) == 5
        assert len(upstream.requests) == 2


def test_a_callers_alias_and_never_a_key(upstream):
    settings = {"FORWARD_KEY_CONFIG": json.dumps([FORWARD]), "OPENAI_API_KEY_CONFIG": '["sk-real-long-enough-1"]'}
    with logged(upstream, **settings) as daemon:
        post(daemon, chat_of("q"), bearer(FORWARD))
        request, response = ChatLog(daemon).wait_for()[0]
        alias = hashlib.sha256(FORWARD.encode()).hexdigest()[:8]
        assert request["key"] == response["key"] == lines_of(daemon, 1)[0]["key"] == alias
        post(daemon, chat_of("q"), bearer("sk-of-the-callers-own-1"))
        request, response = ChatLog(daemon).last(2)
        assert "key" not in request and "key" not in response


def test_hits_and_misses_of_the_cache_are_recorded(upstream):
    with logged(upstream, **CACHED) as daemon:
        log = ChatLog(daemon)
        for number, (caching, cache) in enumerate(((True, "miss"), (True, "hit"), (False, None)), 1):
            post(daemon, chat_of("q", caching=caching))
            request, response = log.last(number)
            assert request["caching"] is caching
            assert response.get("cache") in ((cache,) if cache else (None, "bypass")), response
            assert (response["attempts"], response["upstream"]) == ((0, None) if cache == "hit" else (1, upstream.authority))
            assert response["usage"]["completion_tokens"] == 12 and response["usage_source"] == "exact"
        first, second, third = (exchange.response["assistant"] for exchange in log.exchanges())
        assert first == second != third
        post(daemon, chat_of("q", stream=True))
        response = log.last(4).response
        assert (response["cache"], response["assistant"], response["finish_reason"]) == ("hit", first, "stop")


def test_each_route_has_a_folder(upstream):
    with logged(upstream, ("/localai", upstream.url), ("/a/b", upstream.url)) as daemon:
        for route, folder in (("/", "openai"), ("/localai", "localai"), ("/a/b", "a_b")):
            post(daemon, chat_of(f"at {route}"), target=route.rstrip("/") + CHAT)
            request, response = ChatLog(daemon, folder).wait_for()[0]
            assert request["route"] == response["route"] == route and request["messages"][0]["content"] == f"at {route}"
        assert sorted(path.name for path in ChatLog(daemon).root.iterdir()) == ["a_b", "localai", "openai"]


# --- What cannot be read ---

def test_bodies_that_cannot_be_read_are_forwarded_and_told_as_such(daemon, upstream, log):
    coded = gzip.compress(chat_of("coded"))
    bodies = [(b"{not json", [], "not_json"), (b'["a list"]', [], "not_json"), (b"", [], "not_json"),
              (b'{"model":"\xff","messages":[]}', [], "not_utf8"), (coded, [("Content-Encoding", "gzip")], "coded")]
    for number, (body, fields, reason) in enumerate(bodies, 1):
        upstream.script(expect_request(), send(SSE_HEAD + chunk(event(delta("fine"))) + LAST_CHUNK))
        assert post(daemon, body, fields).status == 200
        assert upstream.requests[-1].body == body
        request, response = log.last(number)
        assert request["shortened"] == reason and request["messages"] is None and request["model"] is None, body
        assert response["assistant"] == "fine"
    assert all(line.count(b"\n") == 0 and line.decode() for line in log.text().split(b"\n")[:-1])


def test_a_body_too_large_to_be_held(upstream):
    with logged(upstream, MAX_BUFFERED_BODY_BYTES="4096") as daemon:
        log = ChatLog(daemon)
        body = chat_of("large " + "x" * 20_000, caching=None)
        for number, chunked in enumerate((False, True), 1):
            upstream.script(expect_request(), send(SSE_HEAD + chunk(event(delta("fine"))) + LAST_CHUNK))
            with daemon.client() as client:
                if chunked:
                    client.request("POST", CHAT, [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")])
                    client.send(chunk(body[:9000]) + chunk(body[9000:]) + LAST_CHUNK)
                else:
                    client.request("POST", CHAT, [("Content-Type", "application/json")], body)
                assert client.read_response("POST").status == 200
            assert upstream.requests[-1].body == body
            request, response = log.last(number)
            assert request["shortened"] == "too_large" and request["messages"] is None, request
            assert response["assistant"] == "fine"


def test_an_answer_too_large_to_be_kept(upstream):
    """The record has a part of it and says so; the client has it all."""
    with logged(upstream, MAX_BUFFERED_BODY_BYTES="65536") as daemon:
        pieces = [f"{number:06} " * 100 for number in range(400)]
        upstream.script(expect_request(), send(SSE_HEAD), send(b"".join(chunk(event(delta(piece))) for piece in pieces)),
                        send(chunk(event("[DONE]")) + LAST_CHUNK))
        answered = post(daemon, chat_of("q", stream=True))
        assert answered.ended == "complete" and answered.body.count(b"data:") == 401
        response = ChatLog(daemon).wait_for()[0].response
        text = response["assistant"] or ""
        assert "".join(pieces).startswith(text), "a part, not a mixture"
        assert response.get("truncated") is (True if len(text) < 280_000 else None)


def test_the_upstream_is_asked_for_answers_that_can_be_read(daemon, upstream, log):
    post(daemon, chat_of("q"), [("Accept-Encoding", "gzip, br, zstd")])
    assert upstream.requests[0].all("accept-encoding") == ["identity"]
    daemon.ask("GET", "/v1/models", [("Accept-Encoding", "gzip, br")])
    assert upstream.requests[1].all("accept-encoding") == ["gzip, br"], "what is not logged may be coded"

    coded = gzip.compress(json.dumps({"choices": []}).encode())
    fields = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
    upstream.script(expect_request(), send(answer(fields=fields, body=coded)))
    assert post(daemon, chat_of("q")).body == coded
    response = log.last(2).response
    assert response["status"] == 200 and response["assistant"] is None and response["ended_by"] == "complete"
