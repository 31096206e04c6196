"""The conversation log of the Responses API, Anthropic's messages, audio and general routes."""
import json

import pytest

from harness import (LAST_CHUNK, MESSAGES, RESPONSES, SSE_HEAD, TRANSCRIPTIONS, TRANSLATIONS, ChatLog, Daemon,
                     ModelUpstream, answer, chunk, event, expect_request, logged, ok, one_byte_at_a_time, post, routes, send)
from harness.model_answers import INPUT, THOUGHT, form_of, message_answer, message_events, transcript_of, transcription
from harness.openai_answers import ARGUMENTS, response_answer, response_events, text_of


@pytest.fixture
def upstream():
    with ModelUpstream() as upstream:
        yield upstream


@pytest.fixture
def daemon(upstream):
    with logged(upstream) as daemon:
        yield daemon


@pytest.fixture
def log(daemon):
    return ChatLog(daemon)


def slowly(events):
    """A stream of these, each byte on its own."""
    data = b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)
    return [expect_request(), send(SSE_HEAD), one_byte_at_a_time(chunk(data) + LAST_CHUNK)]


# --- Responses ---

CALL = [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ARGUMENTS}}]


def assert_response_told(response, call, asked):
    assert response["is_tool_calls"] is True and response["assistant"] == CALL
    assert response["content"] == text_of(call, asked)
    assert response["model"] == "m" and response["api"] == "responses" and response["finish_reason"] == "completed"
    assert response["usage"] == response_answer(call, asked, "m")["usage"] and response["usage_source"] == "exact"


def test_responses_whole_streamed_and_byte_by_byte(daemon, upstream, log):
    items = [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}, {"type": "item_reference", "id": "x"}]
    asked = {"model": "m", "input": "how", "instructions": "Be brief", "max_output_tokens": 99, "temperature": 0.5,
             "tools": [{"type": "function", "name": "weather"}], "user": "u"}
    post(daemon, json.dumps(asked).encode(), target=RESPONSES)
    request, response = log.wait_for()[0]
    assert request["messages"] == [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "how"}]
    assert (request["max_tokens"], request["temperature"], request["user"]) == (99, 0.5, "u")
    assert request["tools"] == asked["tools"] and request["api"] == "responses" and request["stream"] is False
    assert_response_told(response, 1, "how")

    post(daemon, json.dumps({"model": "m", "input": items, "stream": True}).encode(), target=RESPONSES)
    request, response = log.last(2)
    assert request["messages"] == items and request["stream"] is True
    assert_response_told(response, 2, str(items))

    upstream.script(*slowly(response_events(response_answer(7, "slow", "m"))))
    post(daemon, json.dumps({"model": "m", "input": "slow", "instructions": "", "stream": True}).encode(), target=RESPONSES)
    request, response = log.last(3)
    assert request["messages"] == [{"role": "user", "content": "slow"}], "no instructions, no system's message"
    assert_response_told(response, 7, "slow")


def test_responses_that_end_early_refuse_or_think(daemon, upstream, log):
    def of(output, **more):
        return {**response_answer(1, "q", "m"), "output": output, **more}
    message = {"type": "message", "id": "m1", "role": "assistant", "status": "incomplete"}
    cut_short = of([{**message, "content": [{"type": "output_text", "text": "half", "annotations": []}]}],
                   status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    refused = of([{"type": "reasoning", "id": "r1", "summary": [{"type": "summary_text", "text": "It is wrong."}]},
                  {**message, "content": [{"type": "refusal", "refusal": "I will not."}]}])
    for number, whole in enumerate((cut_short, refused), 1):
        upstream.script(expect_request(), send(ok(json.dumps(whole).encode(), "application/json")))
        post(daemon, b'{"model":"m","input":"q"}', target=RESPONSES)
        response = log.last(number).response
        if whole is cut_short:
            assert (response["assistant"], response["finish_reason"]) == ("half", "max_output_tokens")
        else:
            assert (response["refusal"], response["reasoning"]) == ("I will not.", "It is wrong.")
        assert response["is_tool_calls"] is False


# --- Anthropic's messages ---

def assert_message_told(response, call, asked):
    assert response["is_tool_calls"] is True and len(response["assistant"]) == 1
    tool = response["assistant"][0]
    assert (tool["id"], tool["function"]["name"]) == ("toolu_1", "weather")
    assert json.loads(tool["function"]["arguments"]) == json.loads(INPUT)
    assert response["content"] == text_of(call, asked) and response["reasoning"] == THOUGHT
    assert response["finish_reason"] == "tool_use" and response["model"] == "m-20250101"
    usage = response["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (25, 15) and response["usage_source"] == "exact"
    assert response["api"] == "messages"


def test_messages_whole_streamed_and_byte_by_byte(daemon, upstream, log):
    asked = {"model": "m", "max_tokens": 64, "system": "Be brief", "stop_sequences": ["END"], "temperature": 0.7,
             "messages": [{"role": "user", "content": "how"}], "tools": [{"name": "weather", "input_schema": {}}]}
    post(daemon, json.dumps(asked).encode(), target=MESSAGES)
    request, response = log.wait_for()[0]
    assert request["messages"] == [{"role": "system", "content": "Be brief"}, *asked["messages"]]
    assert (request["max_tokens"], request["stop"], request["temperature"]) == (64, ["END"], 0.7)
    assert request["tools"] == asked["tools"] and request["api"] == "messages"
    assert_message_told(response, 1, "how")

    blocks = [{"type": "text", "text": "Be brief"}]
    post(daemon, json.dumps({**asked, "system": blocks, "stream": True}).encode(), target=MESSAGES)
    request, response = log.last(2)
    assert request["messages"][0] == {"role": "system", "content": blocks} and request["stream"] is True
    assert_message_told(response, 2, "how")

    upstream.script(*slowly(message_events(message_answer(9, "slow", "m"))))
    post(daemon, json.dumps({"model": "m", "messages": asked["messages"], "stream": True}).encode(), target=MESSAGES)
    request, response = log.last(3)
    assert request["messages"] == asked["messages"]
    assert_message_told(response, 9, "slow")


def test_an_error_in_the_middle_of_a_stream(daemon, upstream, log):
    begun = message_events(message_answer(1, "q", "m"))[:8]
    failed = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded, sorry"}}
    upstream.script(*slowly([*begun, failed]))
    post(daemon, b'{"model":"m","messages":[],"stream":true}', target=MESSAGES)
    response = log.wait_for()[0].response
    assert response["error_text"] == "Overloaded, sorry" and response["status"] == 200

    failed = event('{"error":{"message":"gone wrong","type":"server_error"}}')
    upstream.script(expect_request(), send(SSE_HEAD + chunk(failed) + LAST_CHUNK))
    post(daemon, b'{"model":"m","messages":[],"stream":true}')
    assert log.last(2).response["error_text"] == "gone wrong"


# --- Audio ---

SOUND = b"RIFF\x00\x01sound-that-is-not-recorded\xff\xfe\r\n--not-the-boundary\r\n" * 50


def transcribe(daemon, target=TRANSCRIPTIONS, **fields):
    content_type, body = form_of(fields, "speech ü.wav", SOUND)
    response = daemon.ask("POST", target, [("Content-Type", content_type)], body)
    assert response.status == 200, response.body
    return response


def test_audio_is_told_by_its_text(daemon):
    log = ChatLog(daemon, kind="whisper")
    transcribe(daemon, model="whisper-1", language="de", prompt='names: "Köln"', temperature="0.2")
    request, response = log.wait_for()[0]
    assert (request["file"], request["model"], request["language"]) == ("speech ü.wav", "whisper-1", "de")
    assert (request["prompt"], request["temperature"], request["response_format"]) == ('names: "Köln"', "0.2", None)
    assert response["text"] == transcript_of(1) and response["status"] == 200
    assert response["usage_source"] == "exact" and response["usage"]["total_tokens"] == 23

    for number, form in enumerate(("verbose_json", "text", "srt"), 2):
        transcribe(daemon, TRANSLATIONS, model="whisper-1", response_format=form)
        request, response = log.last(number)
        whole = transcription(number, form)[1].decode()
        assert request["response_format"] == form
        assert response["text"] == (json.loads(whole)["text"] if form == "verbose_json" else whole), form

    transcribe(daemon, model="gpt-4o-transcribe", stream="true")
    response = log.last(5).response
    assert response["text"] == transcript_of(5) and response["usage_source"] == "exact"
    assert b"sound-that-is-not-recorded" not in log.text() and b"RIFF" not in log.text()


# --- General routes ---

@pytest.fixture
def general(upstream):
    table = routes(("/", upstream.url), ("/local/ai", upstream.url, "general"))
    with Daemon({"FORWARD_CONFIG": table, "LOG_GENERAL": "true"}) as daemon:
        yield daemon


def ask(daemon, body, content_type, target="/local/ai/api/do?a=b&key=sk-secret-of-query-0001", method="POST"):
    return daemon.ask(method, target, [("Content-Type", content_type)] if content_type else [], body)


def test_general_routes(general, upstream):
    log = ChatLog(general, "local_ai", "general")
    reply = b'{"ok": true, "n": 1.50}'
    upstream.script(expect_request(), send(ok(reply, "application/json")))
    ask(general, b'{"x": [1, 2.50], "y": "\\u00e9"}', "application/json")
    request, response = log.wait_for()[0]
    assert request["method"] == "POST" and request["path"].startswith("/api/do?a=b&key=")
    assert "secret" not in request["path"] and request["route"] == "/local/ai" and request["api"] == "general"
    assert request["payload"] == {"x": [1, 2.5], "y": "é"} and request["payload_bytes"] == 31
    assert request["content_type"] == "application/json" and response["content_type"] == "application/json"
    assert response["response"] == {"ok": True, "n": 1.5} and response["response_bytes"] == len(reply)
    assert b'"n":1.50' in log.file.read_bytes() and b'"x":[1,2.50],"y":"\\u00e9"' in log.file.read_bytes()
    assert (response["status"], response["usage"], response["usage_source"]) == (200, None, "unknown")

    stream = 'data: {"a":1}\n\ndata: é\n\n'.encode()
    kinds = [(b"text \xc3\xa9", "text/plain", "text é", send(ok(b"said \xc3\xa9")), "said é"),
             (b"\x00\xff\x01", "application/octet-stream", None, send(ok(b"\xff\xfe\x00", "image/png")), None),
             (None, None, None, send(SSE_HEAD + chunk(stream[:9]) + chunk(stream[9:]) + LAST_CHUNK), stream.decode()),
             (b"", "text/plain", None, send(answer("204 No Content", body=None)), None)]
    for number, (body, content_type, payload, reply, response_text) in enumerate(kinds, 2):
        upstream.script(expect_request(), reply)
        ask(general, body, content_type, "/local/ai/x", "POST" if body else "GET")
        request, response = log.last(number)
        assert request["payload"] == payload or (body == b"" and request["payload"] == ""), request
        assert request["payload_bytes"] == len(body or b"") and request["path"] == "/x"
        assert response["response"] == response_text or (response["response_bytes"] == 0 and not response["response"])
    assert [path.name for path in log.root.iterdir()] == ["local_ai"], "openai routes are not logged here"


def test_a_general_routes_json_that_is_none(general, upstream):
    """A body that says it is JSON, and is text: it is kept as text; bytes that are no text are told by their count."""
    log = ChatLog(general, "local_ai", "general")
    ask(general, b"{broken", "application/json", "/local/ai/x")
    request = log.wait_for()[0].request
    assert request["payload"] in ("{broken", None) and request["payload_bytes"] == 7
    if request["payload"] is None:
        assert request["shortened"] == "not_json"
    ask(general, b"\xff\xff", "text/plain", "/local/ai/x")
    request = log.last(2).request
    assert request["payload"] is None and request["payload_bytes"] == 2
