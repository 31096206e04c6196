"""The conversation log of chats, completions and embeddings: every field of both records, whole and streamed answers."""
import json
import os
import stat
import time

import pytest

from harness import (CHAT, COMPLETIONS, EMBEDDINGS, JSON, LAST_CHUNK, SSE_HEAD, ChatLog, ModelUpstream, access_lines, bearer,
                     chat_of, chunk, event, eventually, expect_request, logged, ok, one_byte_at_a_time, post, says, send, told)
from harness.openai_answers import USAGE, chunks_of, text_of, whole_of


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


def near(text, seconds=60):
    return abs(time.mktime(time.strptime(text, "%Y-%m-%d %H:%M:%S")) - time.time()) < seconds


FULL = (b'{ "model" : "gpt-x", "messages": [ {"role": "system", "content": "Be h\\u00e9lpful \\/ kind"},\n'
        b' {"role":"user","content":[{"type":"text","text":"\xe4\xbd\xa0 \\ud83d\\ude00"},{"type":"image_url","image_url":'
        b'{"url":"data:image/png;base64,AAAA"}}]} ],\r\n "stream":false, "max_tokens":17, "max_completion_tokens": 18,'
        b'"response_format":{"type":"json_object"}, "n":1, "temperature": 1.0e0, "top_p":0.10, "logit_bias":{"50256": -100},'
        b'"frequency_penalty":-0.5,"presence_penalty":2e-1,"seed":12345678901234567890123,"stop":["a","b"],"user":"u-1",'
        b'"tools":[{"type":"function","function":{"name":"weather","parameters":{}}}],"tool_choice":"auto",'
        b'"caching":false,"metadata":{"not":"recorded"}}')


def test_every_field_of_a_chat(daemon, upstream, log):
    answer = post(daemon, FULL, bearer("sk-of-the-caller-0001"))
    assert answer.status == 200
    request, response = log.wait_for()[0]
    asked = json.loads(FULL)
    for name in ("messages", "model", "stream", "max_tokens", "max_completion_tokens", "response_format", "n", "temperature",
                 "top_p", "logit_bias", "frequency_penalty", "presence_penalty", "seed", "stop", "user", "tools",
                 "tool_choice", "caching"):
        assert request[name] == asked[name], name
    assert "metadata" not in request and request["ip"] == "127.0.0.1" and request["api"] == "chat"
    assert request["route"] == "/" and near(request["datetime"])
    line = log.file.read_bytes().split(b"\n")[0]
    for kept in (b'"temperature":1.0e0,', b'"top_p":0.10,', b'"presence_penalty":2e-1,', b'"seed":12345678901234567890123,',
                 b'"content":"Be h\\u00e9lpful \\/ kind"}', b'"text":"\xe4\xbd\xa0 \\ud83d\\ude00"}'):
        assert kept in line, f"{kept!r} is not as the client wrote it"

    assert says(response) == told(answer.json()["choices"][0]) and response["is_tool_calls"] is False
    assert response["model"] == "gpt-x" and response["status"] == 200 and response["finish_reason"] == "stop"
    assert response["usage"] == USAGE and response["usage_source"] == "exact"
    assert (response["ended_by"], response["phase"], response["attempts"]) == ("complete", "stream", 1)
    assert response["api"] == "chat" and response["route"] == "/" and response["upstream"] == upstream.authority
    assert 0 < response["ttft_ms"] <= response["duration_ms"] and near(response["datetime"])
    for name in ("error", "error_text", "drained", "cache", "truncated", "choices", "key"):
        assert name not in response, name
    assert response["uid"] == eventually(lambda: access_lines(daemon, CHAT), "its line")[0]["request_id"]


def test_what_a_request_does_not_say(daemon, log):
    messages = [{"role": "user", "content": ""}]
    post(daemon, json.dumps({"model": "m", "messages": messages}).encode())
    request = log.wait_for()[0].request
    defaults = {"messages": messages, "model": "m", "stream": False, "n": 1, "temperature": 1, "top_p": 1, "frequency_penalty": 0,
                "presence_penalty": 0}
    for name, value in request.items():
        if name not in ("ip", "uid", "datetime", "api", "route"):
            assert value == defaults.get(name), name
    assert "max_completion_tokens" not in request


FORMS = ("text", "tools", "choices", "reasoning", "refusal", "mixed", "logprobs")


def test_whole_answers_of_every_form(daemon, log):
    for number, form in enumerate(FORMS, 1):
        whole = post(daemon, chat_of("q", form)).json()
        assert_told(log.last(number).response, whole)


def test_streamed_answers_of_every_form(daemon, log):
    for number, form in enumerate(FORMS, 1):
        usage = {"stream_options": {"include_usage": True}} if number % 2 else {}
        answer = post(daemon, chat_of("q", form, stream=True, **usage))
        request, response = log.last(number)
        assert request["stream"] is True
        whole = whole_of(chunks_of(answer.body))
        assert_told(response, {**whole, "usage": USAGE if usage else None})


def assert_told(response, whole):
    choices = whole["choices"]
    assert says(response) == told(choices[0]), whole
    assert response["finish_reason"] == choices[0]["finish_reason"] and response["model"] == whole["model"]
    assert ("choices" in response) == (len(choices) > 1)
    if len(choices) > 1:
        assert response["choices"] == [{"index": choice["index"], **told(choice), "finish_reason": choice["finish_reason"]}
                                       for choice in choices]
    if whole["usage"]:
        assert response["usage"] == whole["usage"] and response["usage_source"] == "exact"
    else:
        assert response["usage_source"] == "estimated"


def delta(content, **more):
    return json.dumps({"id": "c", "model": "served", "choices": [{"index": 0, "delta": {"content": content}, **more}]},
                      ensure_ascii=False)


# Of one text, "Héllo 你好 😀\r\nend".
PLAIN = [delta("Héllo 你"), delta("好 \U0001f600\r\n"), delta("end", finish_reason="stop"),
         '{"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}}', "[DONE]"]
TEXT = "Héllo 你好 \U0001f600\r\nend"


def spread(data):
    """An event's data over several lines, between two of its tokens."""
    return data.replace(', "', ',\ndata: "')


STREAMS = {
    "LF": "".join(f"data: {data}\n\n" for data in PLAIN),
    "CRLF": "".join(f"data: {data}\r\n\r\n" for data in PLAIN),
    "CR": "".join(f"data: {data}\r\r" for data in PLAIN),
    "comments and other fields": ": ping\n\nretry: 3000\n\n" + "".join(
        f": comment\nid: 7\nevent: message\ndata:{data}\n: data: more\n\n" for data in PLAIN),
    "data over several lines": "".join(f"data: {spread(data)}\n\n" for data in PLAIN),
    "a byte order mark first": "\ufeff" + "".join(f"data: {data}\n\n" for data in PLAIN),
    "no empty line at the end": "".join(f"data: {data}\n\n" for data in PLAIN).rstrip("\n"),
    "broken events between": "".join(f"data: {{broken\n\ndata: {data}\n\ndata: 17\n\ndata: null\n\n" for data in PLAIN),
}


def test_streams_byte_by_byte(daemon, upstream, log):
    for number, (name, stream) in enumerate(STREAMS.items(), 1):
        upstream.script(expect_request(), send(SSE_HEAD), one_byte_at_a_time(chunk(stream.encode()) + LAST_CHUNK))
        assert post(daemon, chat_of(name, stream=True)).body.decode() == stream
        response = log.last(number).response
        assert response["assistant"] == TEXT, name
        assert (response["finish_reason"], response["model"], response["ended_by"]) == ("stop", "served", "complete"), name
        assert response["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}, name
        assert response["usage_source"] == "exact" and "error" not in response, name


def test_a_stream_of_one_huge_event(daemon, upstream, log):
    text = "x\u4f60" * 200_000
    upstream.script(expect_request(), send(SSE_HEAD + chunk(event(delta(text))) + chunk(event("[DONE]")) + LAST_CHUNK))
    assert post(daemon, chat_of("q", stream=True)).ended == "complete"
    response = log.wait_for()[0].response
    assert response["assistant"] == text and "truncated" not in response


def test_usage_where_nothing_is_reported(daemon, upstream, log):
    """Guessed of what there is: four bytes of the question a token, an event of the answer a token."""
    body = chat_of("q" * 400, stream=True)
    events = [delta("")] + [delta(f"word {number} ") for number in range(20)] + [delta("", finish_reason="stop"), "[DONE]"]
    upstream.script(expect_request(), send(SSE_HEAD + b"".join(chunk(event(data)) for data in events) + LAST_CHUNK))
    post(daemon, body)
    usage = log.wait_for()[0].response["usage"]
    assert abs(usage["prompt_tokens"] - len(body) / 4) <= 1 and abs(usage["completion_tokens"] - 20) <= 1

    text = "y" * 800
    whole = {"model": "m", "choices": [{"index": 0, "message": {"content": text}, "finish_reason": "stop"}]}
    upstream.script(expect_request(), send(ok(json.dumps(whole).encode(), "application/json")))
    post(daemon, chat_of("q"))
    response = log.last(2).response
    assert response["usage_source"] == "estimated" and abs(response["usage"]["completion_tokens"] - 200) <= 1


def test_completions(daemon):
    log = ChatLog(daemon, kind="completion")
    body = {"model": "m", "prompt": ["Once", "upon"], "temperature": 0.5, "max_tokens": 9}
    whole = post(daemon, json.dumps(body).encode(), target=COMPLETIONS).json()
    request, response = log.wait_for()[0]
    assert (request["prompt"], request["model"]) == (["Once", "upon"], "m")
    assert (request["stream"], request["temperature"]) == (False, 0.5)
    texts = [choice["text"] for choice in whole["choices"]]
    choices = [{"index": at, "text": text, "finish_reason": finish}
               for at, (text, finish) in enumerate(zip(texts, ("stop", "length")))]
    assert response["text"] == texts[0] and response["choices"] == choices
    assert (response["usage"], response["usage_source"], response["finish_reason"]) == (USAGE, "exact", "stop")

    streamed = {"model": "m", "prompt": "Once", "stream": True, "stream_options": {"include_usage": True}}
    whole = whole_of(chunks_of(post(daemon, json.dumps(streamed).encode(), target=COMPLETIONS).body))
    request, response = log.last(2)
    assert request["stream"] is True and request["temperature"] == 1 and request["prompt"] == "Once"
    assert response["text"] == whole["choices"][0]["text"] == text_of(2, "Once") + " (0)"
    assert [choice["text"] for choice in response["choices"]] == [choice["text"] for choice in whole["choices"]]
    assert response["usage"] == USAGE
    assert not ChatLog(daemon).file.exists(), "a chat's file is made when there is a chat"


def test_embeddings(daemon):
    log = ChatLog(daemon, kind="embedding")
    for number, (given, form) in enumerate((("one", None), (["one", "two"], "base64"), ([1, 2, 3], "float")), 1):
        body = {"model": "m", "input": given, **({"encoding_format": form} if form else {})}
        whole = post(daemon, json.dumps(body).encode(), target=EMBEDDINGS).json()
        request, response = log.last(number)
        assert (request["input"], request["encoding_format"], request["caching"]) == (given, form or "float", None)
        assert (response["object"], response["model"], response["usage"]) == ("list", "m-v1", whole["usage"])
        assert response["usage_source"] == "exact" and response["finish_reason"] is None
        vector = whole["data"][0]["embedding"]
        first = vector[:20] if isinstance(vector, str) else json.dumps(vector[0])
        assert first.encode() not in log.file.read_bytes().split(b"\n")[-2], "no vector is recorded"


def test_nobody_else_may_read_it(daemon, log):
    post(daemon, chat_of("q"))
    log.wait_for()
    assert stat.S_IMODE(os.stat(log.file).st_mode) == 0o600
    for folder in (log.root, log.folder.parent, log.folder):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700, folder


def test_only_conversations_of_openai_routes_are_logged(daemon, upstream):
    """Other paths of an openai route, and other methods on these, are no conversations."""
    assert daemon.ask("GET", "/v1/models", JSON).status == 200
    assert daemon.ask("GET", CHAT, JSON).status == 200
    post(daemon, chat_of("the last"))
    log = ChatLog(daemon)
    assert log.wait_for()[0].request["messages"][0]["content"] == "the last"
    assert [path.name for path in log.root.iterdir()] == ["openai"]
    assert sorted(path.name for path in log.folder.parent.iterdir()) == ["chat"]


def test_nothing_is_logged_unless_it_is_asked_for(upstream):
    with logged(upstream, LOG_OPENAI="false") as daemon:
        assert post(daemon, chat_of("q"), [("Accept-Encoding", "gzip")]).status == 200
        assert not ChatLog(daemon).root.exists()
    assert upstream.requests[0].get("accept-encoding") == "gzip"
