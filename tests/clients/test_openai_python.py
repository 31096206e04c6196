"""The official Python SDK through the daemon."""
import asyncio
import io
import threading

import openai
import pytest

from fake_openai import ERRORS, FILE, SPEECH, TEXT
from harness import Daemon

MESSAGES = [{"role": "user", "content": "hi"}]
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}}}}]


@pytest.fixture
def client(daemon):
    with openai.OpenAI(base_url=daemon.url + "/v1", api_key="fk-mine", max_retries=0, timeout=30) as client:
        yield client


def chat(client, model="gpt-4o-mini", **more):
    return client.chat.completions.create(model=model, messages=MESSAGES, **more)


def test_chat(client):
    answer = chat(client)
    assert answer.choices[0].message.content == TEXT
    assert answer.usage.total_tokens == 10 and answer._request_id == "req_from_upstream"


def test_chat_streamed(client):
    pieces = [chunk.choices[0].delta.content or "" for chunk in chat(client, stream=True)]
    assert "".join(pieces) == TEXT and len(pieces) > 20


def test_chat_raw_headers(client):
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=MESSAGES)
    assert raw.headers["x-ratelimit-remaining-requests"] == "59" and raw.headers["openai-processing-ms"] == "5"


def test_stream_aborted_frees_the_upstream(client, fake):
    stream = chat(client, "endless", stream=True)
    for _, chunk in zip(range(3), stream):
        assert chunk.choices[0].delta.content == "more "
    stream.close()
    assert fake.left.wait(6)


def test_timeout_frees_the_upstream(client, fake):
    with pytest.raises(openai.APITimeoutError):
        chat(client.with_options(timeout=0.5), "silent")
    assert fake.left.wait(6)


def test_cut_stream_is_an_error(client):
    with pytest.raises(Exception) as raised:
        for _ in chat(client, "cut", stream=True):
            pass
    assert "closed" in str(raised.value).lower() or "incomplete" in str(raised.value).lower() or isinstance(
        raised.value, openai.APIConnectionError)


def test_tool_calls(client):
    call = chat(client, tools=TOOLS).choices[0].message.tool_calls[0]
    assert call.function.name == "weather" and call.function.arguments == '{"city": "Berlin"}'


def test_tool_calls_streamed(client):
    arguments = ""
    for chunk in chat(client, tools=TOOLS, stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            arguments += call.function.arguments or ""
    assert arguments == '{"city": "Berlin"}'


def test_embeddings(client):
    answer = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    assert [item.embedding for item in answer.data] == [[0.5, -0.25, 1.0]] * 2
    answer = client.embeddings.create(model="text-embedding-3-small", input="a", encoding_format="float")
    assert answer.data[0].embedding == [0.5, -0.25, 1.0]


def test_audio_upload(client):
    answer = client.audio.transcriptions.create(model="whisper-1", file=("a.wav", io.BytesIO(SPEECH)))
    assert answer.text == f"1 files of {len(SPEECH)} bytes"


def test_speech_download(client, tmp_path):
    with client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input="hi") as response:
        response.stream_to_file(tmp_path / "speech.mp3")
    assert (tmp_path / "speech.mp3").read_bytes() == SPEECH


def test_file_upload_and_download(client):
    assert client.files.create(file=("a.bin", FILE), purpose="assistants").bytes == len(FILE)
    assert client.files.content("file-1").content == FILE


def test_models(client):
    assert [model.id for model in client.models.list()] == ["gpt-4o-mini"]


def test_responses(client):
    assert client.responses.create(model="gpt-4o-mini", input="hi").output_text == TEXT


def test_responses_streamed(client):
    events = list(client.responses.create(model="gpt-4o-mini", input="hi", stream=True))
    assert events[0].type == "response.created" and events[-1].type == "response.completed"
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TEXT


TYPES = {"error-400": openai.BadRequestError, "error-401": openai.AuthenticationError,
         "error-403": openai.PermissionDeniedError, "error-404": openai.NotFoundError, "error-409": openai.ConflictError,
         "error-422": openai.UnprocessableEntityError, "error-429": openai.RateLimitError,
         "error-500": openai.InternalServerError, "error-503": openai.InternalServerError}


@pytest.mark.parametrize("model", sorted(TYPES))
def test_upstream_errors_are_typed(client, model):
    with pytest.raises(TYPES[model]) as raised:
        chat(client, model)
    assert raised.value.code == ERRORS[model][2] and raised.value.type == ERRORS[model][1]
    assert raised.value.request_id == "req_from_upstream"
    assert "the upstream says" in str(raised.value)


def test_local_404_is_typed_and_tells_the_base_url(daemon):
    with openai.OpenAI(base_url=daemon.url + "/v1/v1", api_key="fk-mine", max_retries=0) as client:
        with pytest.raises(openai.NotFoundError) as raised:
            chat(client)
    assert raised.value.request_id and "/v1" in raised.value.message


def test_local_502_is_typed():
    with Daemon({"FORWARD_CONFIG": '[{"base_url":"http://does-not-exist.invalid","route":"/","type":"openai"}]'}) as daemon:
        with openai.OpenAI(base_url=daemon.url + "/v1", api_key="sk-own", max_retries=0, timeout=30) as client:
            with pytest.raises(openai.InternalServerError) as raised:
                chat(client)
    assert raised.value.status_code == 502 and raised.value.request_id and raised.value.message


def test_retries_of_the_client_are_counted_once(client, fake):
    """The daemon adds none of its own to an answered request."""
    with pytest.raises(openai.InternalServerError):
        chat(client.with_options(max_retries=2), "error-500")
    assert len(fake.requests) == 3
    fake.requests.clear()
    with pytest.raises(openai.RateLimitError):
        chat(client.with_options(max_retries=2), "error-429")  # says x-should-retry: false
    assert len(fake.requests) == 1


def test_async_client_with_many_streams(daemon):
    async def one(client):
        stream = await client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def many():
        async with openai.AsyncOpenAI(base_url=daemon.url + "/v1", api_key="fk-mine", max_retries=0) as client:
            return await asyncio.gather(*(one(client) for _ in range(30)))
    assert asyncio.run(many()) == [TEXT] * 30


def test_many_threads_share_a_client(client):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(chat(client).choices[0].message.content)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [TEXT] * 20


def test_benchmark_model(daemon):
    with openai.OpenAI(base_url=daemon.url + "/benchmark/v1", api_key="sk-any", max_retries=0) as client:
        whole = chat(client).choices[0].message.content
        streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chat(client, stream=True))
    assert whole and streamed == whole
