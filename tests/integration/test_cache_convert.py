"""One stored answer serves callers with and without stream: nothing is lost on the way, whichever came first."""
import json

import pytest

from harness import (CHAT, COMPLETIONS, JSON, LAST_CHUNK, RESPONSES, SSE_HEAD, CacheUpstream, answer, caching, chat_of,
                     chunk, expect_request, fresh, post, send, state)
from harness.openai_answers import (CHAT_FORMS, chat_answer, chat_chunks, chunks_of, completion_answer, completion_chunks,
                                    events_of, response_answer, response_events, said, whole_of)

UPSTREAM = CacheUpstream
SETTINGS = {"CACHE_OPENAI": "true", "CACHE_BACKEND": "MEMORY"}
USAGE = {"stream_options": {"include_usage": True}}
NO_USAGE = {"stream_options": {"include_usage": False}}


def ask(daemon, prompt, form="m", **more):
    response = post(daemon, chat_of(prompt, form, **more))
    assert response.status == 200 and response.ended == "complete", (response.status, response.body[:300])
    kind = "text/event-stream" if more.get("stream") else "application/json"
    assert response.get("content-type").startswith(kind), response.fields
    return response


def assert_states(upstream, calls, *due):
    """Pairs of a response and what it must say of the cache."""
    assert [state(response) for response, _ in due] == [expected for _, expected in due]
    assert len(upstream.requests) == calls


def without_usage(value):
    return {name: item for name, item in value.items() if name != "usage"}


def events_without_usage(body: bytes) -> bytes:
    """A chat's stream without its chunk of usage, all other bytes as they were."""
    events = [event + b"\n\n" for event in body.split(b"\n\n")[:-1]]
    return b"".join(event for event in events if b'"choices": []' not in event)


# --- What the tests themselves go by ---

@pytest.mark.parametrize("form", CHAT_FORMS)
def test_the_small_openai_says_the_same_both_ways(form):
    whole = chat_answer(form, 1, "asked", "m")
    assert said(whole_of(chat_chunks(whole, True))) == said(whole)
    whole = completion_answer(1, "asked", "m")
    assert said(without_messages(whole_of(completion_chunks(whole, True)))) == said(whole)


def without_messages(answer):
    return {**answer, "choices": [{name: item for name, item in choice.items() if name != "message"}
                                  for choice in answer["choices"]]}


# --- From a whole answer to a stream ---

@pytest.mark.parametrize("form", CHAT_FORMS)
@pytest.mark.parametrize("options", [USAGE, NO_USAGE, {}])
def test_a_chat_becomes_a_stream(daemon, upstream, form, options):
    prompt = fresh()
    plain = ask(daemon, prompt, form)
    streamed = ask(daemon, prompt, form, stream=True, **options)
    assert_states(upstream, 1, (plain, "miss"), (streamed, "hit"))
    chunks, whole = chunks_of(streamed.body), plain.json()
    assert {part["object"] for part in chunks} == {"chat.completion.chunk"} and {part["id"] for part in chunks} == {whole["id"]}
    assert {part["model"] for part in chunks} == {whole["model"]} and {part["created"] for part in chunks} == {whole["created"]}
    if options is USAGE:
        assert said(whole_of(chunks)) == said(whole)
        assert chunks[-1]["choices"] == [] and chunks[-1]["usage"] == whole["usage"]
    else:
        assert said(whole_of(chunks)) == said(without_usage(whole))
        assert all(part["choices"] and not part.get("usage") for part in chunks)


@pytest.mark.parametrize("form", ["text", "tools", "logprobs"])
def test_it_comes_in_pieces(daemon, upstream, form):
    """A caller of a stream wants to show the text as it comes."""
    prompt = fresh()
    ask(daemon, prompt, form)
    assert len(chunks_of(ask(daemon, prompt, form, stream=True).body)) >= 5


def test_a_completion_becomes_a_stream(daemon, upstream):
    body = {"model": "m", "prompt": fresh(), "caching": True}
    plain = post(daemon, json.dumps(body).encode(), target=COMPLETIONS)
    streamed = post(daemon, json.dumps({**body, "stream": True, **USAGE}).encode(), target=COMPLETIONS)
    assert_states(upstream, 1, (plain, "miss"), (streamed, "hit"))
    assert said(without_messages(whole_of(chunks_of(streamed.body)))) == said(plain.json())


def assert_is_response_stream(body: bytes, whole) -> None:
    """The rules that the SDKs' helpers go by."""
    events = [json.loads(data) for data in events_of(body)]
    names = [line[7:] for line in body.decode().split("\n") if line.startswith("event: ")]
    assert names == [event["type"] for event in events]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert names[0] == "response.created" and names[-1] == "response.completed"
    assert events[0]["response"]["id"] == whole["id"] and events[0]["response"]["output"] == []
    assert events[-1]["response"] == whole
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert text == whole["output"][0]["content"][0]["text"]
    told = [event["delta"] for event in events if event["type"] == "response.function_call_arguments.delta"]
    assert "".join(told) == whole["output"][1]["arguments"]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert done == whole["output"]
    added = [event["item"]["id"] for event in events if event["type"] == "response.output_item.added"]
    assert added == [item["id"] for item in whole["output"]]


def test_a_response_becomes_a_stream(daemon, upstream):
    body = {"model": "m", "input": fresh(), "caching": True}
    plain = post(daemon, json.dumps(body).encode(), target=RESPONSES)
    streamed = post(daemon, json.dumps({**body, "stream": True}).encode(), target=RESPONSES)
    assert_states(upstream, 1, (plain, "miss"), (streamed, "hit"))
    assert_is_response_stream(streamed.body, plain.json())


def test_the_small_openai_keeps_these_rules_itself():
    whole = response_answer(1, "asked", "m")
    stream = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in response_events(whole))
    assert_is_response_stream(stream.encode(), whole)


# --- From a stream to a whole answer ---

@pytest.mark.parametrize("form", CHAT_FORMS)
@pytest.mark.parametrize("options", [USAGE, {}])
def test_a_stream_becomes_a_chat(daemon, upstream, form, options):
    prompt = fresh()
    streamed = ask(daemon, prompt, form, stream=True, **options)
    plain = ask(daemon, prompt, form)
    assert_states(upstream, 1, (streamed, "miss"), (plain, "hit"))
    due = chat_answer(form, 1, prompt, form)
    assert said(plain.json()) == said(due if options else without_usage(due))
    assert plain.content_length() in (None, len(plain.body))
    assert all(choice["message"]["role"] == "assistant" and "delta" not in choice for choice in plain.json()["choices"])


def test_a_stream_becomes_a_completion(daemon, upstream):
    body = {"model": "m", "prompt": fresh(), "caching": True}
    streamed = post(daemon, json.dumps({**body, "stream": True, **USAGE}).encode(), target=COMPLETIONS)
    plain = post(daemon, json.dumps(body).encode(), target=COMPLETIONS)
    assert_states(upstream, 1, (streamed, "miss"), (plain, "hit"))
    assert said(plain.json()) == said(completion_answer(1, body["prompt"], "m"))


def test_a_stream_becomes_a_response(daemon, upstream):
    body = {"model": "m", "input": fresh(), "caching": True}
    streamed = post(daemon, json.dumps({**body, "stream": True}).encode(), target=RESPONSES)
    plain = post(daemon, json.dumps(body).encode(), target=RESPONSES)
    assert_states(upstream, 1, (streamed, "miss"), (plain, "hit"))
    assert plain.json() == response_answer(1, body["input"], "m")


# --- The same form again: byte for byte ---

@pytest.mark.parametrize("form", CHAT_FORMS)
@pytest.mark.parametrize("options", [{}, {"stream": True}, {"stream": True, **USAGE}])
def test_the_same_form_is_told_byte_for_byte(daemon, upstream, form, options):
    prompt = fresh()
    first, again = (ask(daemon, prompt, form, **options) for _ in range(2))
    assert_states(upstream, 1, (first, "miss"), (again, "hit"))
    assert first.body == again.body and first.get("content-type") == again.get("content-type")


ODD_STREAM = (b": a comment\r\n\r\nevent: message\r\nid: 7\r\ndata:%s\r\n\r\n: hb\r\n\r\n"
              b"data: %s\r\nretry: 3\r\n\r\ndata: [DONE]\r\n\r\n: the end\n\n")


def test_an_odd_stream_is_told_byte_for_byte_and_understood(daemon, upstream):
    prompt = fresh()
    parts = [json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [
        {"index": 0, "delta": delta, "finish_reason": finish}]}).encode()
        for delta, finish in (({"role": "assistant", "content": "h\u00e9"}, None), ({"content": "llo"}, "stop"))]
    stream = ODD_STREAM % tuple(parts)
    upstream.script(expect_request(), send(SSE_HEAD), *(send(chunk(stream[at:at + 5])) for at in range(0, len(stream), 5)),
                    send(LAST_CHUNK))
    first, again = (ask(daemon, prompt, stream=True) for _ in range(2))
    plain = ask(daemon, prompt)
    assert_states(upstream, 1, (first, "miss"), (again, "hit"), (plain, "hit"))
    assert first.body == again.body == stream
    assert plain.json()["choices"][0]["message"]["content"] == "h\u00e9llo"


# --- include_usage ---

def test_usage_that_was_not_asked_for_is_left_out(daemon, upstream):
    prompt = fresh()
    with_usage = ask(daemon, prompt, stream=True, **USAGE)
    without = [ask(daemon, prompt, stream=True, **options) for options in ({}, NO_USAGE)]
    assert_states(upstream, 1, (with_usage, "miss"), (without[0], "hit"), (without[1], "hit"))
    assert without[0].body == without[1].body == events_without_usage(with_usage.body) != with_usage.body


def test_usage_that_is_not_there_is_asked_for_anew(daemon, upstream):
    prompt = fresh()
    without = ask(daemon, prompt, stream=True)
    with_usage = ask(daemon, prompt, stream=True, **USAGE)
    assert_states(upstream, 2, (without, "miss"), (with_usage, "miss"))
    assert chunks_of(with_usage.body)[-1]["usage"]
    again, stripped, plain = (ask(daemon, prompt, **options) for options in ({"stream": True, **USAGE}, {"stream": True}, {}))
    assert_states(upstream, 2, (again, "hit"), (stripped, "hit"), (plain, "hit"))
    assert again.body == with_usage.body and stripped.body == events_without_usage(with_usage.body)
    assert plain.json()["usage"] == chunks_of(with_usage.body)[-1]["usage"]


def test_a_plain_caller_takes_an_answer_without_usage(daemon, upstream):
    prompt = fresh()
    streamed, plain = ask(daemon, prompt, stream=True), ask(daemon, prompt)
    assert_states(upstream, 1, (streamed, "miss"), (plain, "hit"))
    assert not plain.json().get("usage")


def test_text_that_looks_like_usage_stays(daemon, upstream):
    prompt = 'data: {"choices": [], "usage": {"total_tokens": 1}}'
    with_usage, without = ask(daemon, prompt, stream=True, **USAGE), ask(daemon, prompt, stream=True)
    assert_states(upstream, 1, (with_usage, "miss"), (without, "hit"))
    text = "".join(part["choices"][0]["delta"].get("content") or "" for part in chunks_of(without.body))
    assert prompt in text


# --- What cannot be told in the other form is asked for in it ---

AUDIO = {**chat_answer("text", 1, "x", "m"), "choices": [{"index": 0, "finish_reason": "stop", "message": {
    "role": "assistant", "content": None, "audio": {"id": "a", "data": "AAAA", "expires_at": 1, "transcript": "hi"}}}]}
HALF_STREAM = b'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"half"}}]}\n\n'


def test_an_answer_that_is_no_stream_is_a_miss_for_its_caller(daemon, upstream):
    prompt = fresh()
    upstream.script(expect_request(), send(answer(fields=JSON, body=json.dumps(AUDIO).encode())))
    plain, streamed = ask(daemon, prompt), ask(daemon, prompt, stream=True)
    assert_states(upstream, 2, (plain, "miss"), (streamed, "miss"))
    assert chunks_of(streamed.body) and ask(daemon, prompt, stream=True).body == streamed.body
    assert len(upstream.requests) == 2


def test_a_stream_that_stops_half_way_is_no_answer(daemon, upstream):
    """It ended well as HTTP goes, but without finish_reason and [DONE]."""
    prompt = fresh()
    upstream.script(expect_request(), send(SSE_HEAD + chunk(HALF_STREAM) + LAST_CHUNK))
    streamed, plain = ask(daemon, prompt, stream=True), ask(daemon, prompt)
    assert streamed.body == HALF_STREAM and state(plain) == "miss"
    assert plain.json()["choices"][0]["finish_reason"] == "stop" and len(upstream.requests) == 2


def test_an_answer_in_the_other_form_than_asked(daemon, upstream):
    """An upstream that knows no streams answers with JSON; who asked for a stream gets a hit as one."""
    prompt = fresh()
    whole = chat_answer("text", 1, prompt, "m")
    upstream.script(expect_request(), send(answer(fields=JSON, body=json.dumps(whole).encode())))
    first = post(daemon, chat_of(prompt, stream=True))
    assert state(first) == "miss" and first.json() == whole
    plain = ask(daemon, prompt)
    assert state(plain) == "hit" and plain.json() == whole and len(upstream.requests) == 1


def test_large_answers(upstream):
    """Both ways, as much as can be kept."""
    with caching(upstream) as daemon:
        for options, size in (({}, 60_000), ({"stream": True}, 5_000)):  # a stream is many times its text
            upstream.filling, prompt = "Text \u4f60\u597d \"\\ " * size, fresh()
            first, other = ask(daemon, prompt, **options), ask(daemon, prompt, **({} if options else {"stream": True}))
            assert [state(first), state(other)] == ["miss", "hit"]
            streamed, plain = (first, other) if options else (other, first)
            assert said(whole_of(chunks_of(streamed.body))) == said(without_usage(plain.json()))


def test_another_path_of_chats_is_converted_too(upstream):
    with caching(upstream, CHAT_COMPLETION_ROUTE="/own/v1/chat/completions") as daemon:
        def ask_there(**more):
            return post(daemon, chat_of("one", **more), target="/own" + CHAT)
        plain, streamed = ask_there(), ask_there(stream=True, **USAGE)
        assert_states(upstream, 1, (plain, "miss"), (streamed, "hit"))
        assert said(whole_of(chunks_of(streamed.body))) == said(plain.json())
