"""The official Python SDK reads answers that aifd has turned from one form into the other."""
import itertools

import openai
import pytest

from harness import CacheUpstream, caching
from harness.openai_answers import ARGUMENTS, CHAT_FORMS, USAGE, narrow, vector_of

NUMBERS = itertools.count()
WITH_USAGE = {"stream_options": {"include_usage": True}}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}}}}]


@pytest.fixture(scope="module")
def upstream():
    with CacheUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def cached(upstream):
    """A daemon that answers everything from the cache, asked or not."""
    with caching(upstream, DEFAULT_REQUEST_CACHING_VALUE="true") as daemon:
        yield daemon


@pytest.fixture
def client(cached, upstream):
    upstream.reset()
    with openai.OpenAI(base_url=cached.url + "/v1", api_key="sk-own", max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture
def messages():
    return [{"role": "user", "content": f"question {next(NUMBERS)}"}]


def plain(client, form, messages, **more):
    return client.chat.completions.create(model=form, messages=messages, **more)


def told(completion):
    """What a completion says, without the ways to say nothing."""
    def bare(value):
        if isinstance(value, dict):
            kept = {name: bare(item) for name, item in value.items() if name not in ("index", "parsed", "parsed_arguments")}
            return {name: item for name, item in kept.items() if item not in (None, [], {}, "")}
        return [bare(item) for item in value] if isinstance(value, list) else value
    return bare(completion.model_dump())


def final_of(client, form, messages, **more):
    """By the SDK's own helper, which puts the events together."""
    with client.chat.completions.stream(model=form, messages=messages, **more) as stream:
        for _ in stream:
            pass
        return stream.get_final_completion()


@pytest.mark.parametrize("form", [form for form in CHAT_FORMS if form != "choices"])
def test_chat_as_a_stream_after_an_answer(client, upstream, messages, form):
    whole = plain(client, form, messages)
    final = final_of(client, form, messages, **WITH_USAGE)
    assert told(final) == told(whole) and len(upstream.requests) == 1
    assert final.usage.total_tokens == USAGE["total_tokens"]


def test_several_choices_as_a_stream(client, upstream, messages):
    whole = plain(client, "choices", messages, n=3)
    texts = {}
    for chunk in plain(client, "choices", messages, n=3, stream=True):
        assert not chunk.usage
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + (choice.delta.content or "")
    assert texts == {choice.index: choice.message.content for choice in whole.choices} and len(texts) == 3
    assert len(upstream.requests) == 1


def test_tool_calls_as_a_stream(client, upstream, messages):
    plain(client, "tools", messages, tools=TOOLS)
    calls = {}
    for chunk in plain(client, "tools", messages, tools=TOOLS, stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            name, arguments = calls.get(call.index, ("", ""))
            calls[call.index] = (name + (call.function.name or ""), arguments + (call.function.arguments or ""))
    assert calls == {0: ("weather", ARGUMENTS), 1: ("time", "{}")} and len(upstream.requests) == 1


@pytest.mark.parametrize("form", CHAT_FORMS)
def test_chat_as_an_answer_after_a_stream(client, upstream, messages, form):
    chunks = list(plain(client, form, messages, stream=True, **WITH_USAGE))
    whole = plain(client, form, messages)
    assert len(upstream.requests) == 1 and whole.id == chunks[0].id and whole.object == "chat.completion"
    assert whole.usage.total_tokens == chunks[-1].usage.total_tokens == USAGE["total_tokens"]
    for choice in whole.choices:
        parts = [part for chunk in chunks for part in chunk.choices if part.index == choice.index]
        assert choice.message.role == "assistant" and choice.finish_reason == parts[-1].finish_reason
        assert (choice.message.content or "") == "".join(part.delta.content or "" for part in parts)
        assert (choice.message.refusal or "") == "".join(part.delta.refusal or "" for part in parts)
        arguments = "".join(call.function.arguments or "" for part in parts for call in part.delta.tool_calls or [])
        assert "".join(call.function.arguments for call in choice.message.tool_calls or []) == arguments
        tokens = [token.token for part in parts if part.logprobs for token in part.logprobs.content or []]
        assert [token.token for token in choice.logprobs.content] == tokens if tokens else not choice.logprobs


def test_completions(client, upstream):
    prompt = f"question {next(NUMBERS)}"
    whole = client.completions.create(model="m", prompt=prompt)
    texts = {}
    for chunk in client.completions.create(model="m", prompt=prompt, stream=True):
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + choice.text
    assert texts == {choice.index: choice.text for choice in whole.choices} and len(upstream.requests) == 1


def test_responses_as_a_stream_after_an_answer(client, upstream):
    asked = {"model": "m", "input": f"question {next(NUMBERS)}"}
    whole = client.responses.create(**asked)
    with client.responses.stream(**asked) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert text == whole.output_text == final.output_text and final.id == whole.id
    assert final.output[1].arguments == whole.output[1].arguments == ARGUMENTS
    assert final.usage == whole.usage and len(upstream.requests) == 1


def test_responses_as_an_answer_after_a_stream(client, upstream):
    asked = {"model": "m", "input": f"question {next(NUMBERS)}"}
    events = list(client.responses.create(**asked, stream=True))
    whole = client.responses.create(**asked)
    assert events[-1].type == "response.completed" and events[-1].response.model_dump() == whole.model_dump()
    assert len(upstream.requests) == 1


def test_embeddings_of_both_encodings(client, upstream):
    """The SDK asks for base64 unless it is told otherwise."""
    batch = [f"text {next(NUMBERS)}" for _ in range(3)]
    as_numbers = client.embeddings.create(model="e", input=batch, encoding_format="float")
    by_default = client.embeddings.create(model="e", input=batch)
    assert [item.embedding for item in as_numbers.data] == [vector_of(text) for text in batch]
    assert [narrow(item.embedding) for item in by_default.data] == [narrow(vector_of(text)) for text in batch]
    assert len(upstream.requests) == 1 and by_default.usage == as_numbers.usage
    one_more = client.embeddings.create(model="e", input=[*batch, "one more"])
    assert [item.index for item in one_more.data] == [0, 1, 2, 3] and len(upstream.requests) == 2


def test_what_the_fields_say(client, messages):
    raw = client.chat.completions.with_raw_response
    first, again, other = (raw.create(model="m", messages=messages, extra_body=more) for more in ({}, {}, {"caching": False}))
    assert [answer.headers["x-aifd-cache"] for answer in (first, again, other)] == ["miss", "hit", "bypass"]
    assert again.headers["age"] == "0" or int(again.headers["age"]) >= 0
    assert again.parse()._request_id and again.parse()._request_id != first.parse()._request_id


def test_a_value_of_caching_that_is_none_is_a_bad_request(client, messages):
    with pytest.raises(openai.BadRequestError) as raised:
        plain(client, "m", messages, extra_body={"caching": "yes"})
    assert "caching" in raised.value.message and raised.value.request_id


def test_an_error_is_no_answer_to_keep(client, upstream, messages):
    for _ in range(2):
        with pytest.raises(openai.RateLimitError):
            plain(client, "error-429", messages)
    assert len(upstream.requests) == 2
