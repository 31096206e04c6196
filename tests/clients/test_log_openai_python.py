"""What the official Python SDK asks and gets is in the conversation log, and comes out of `aifd convert`."""
import json
import os
import subprocess

import openai
import pytest

from fake_openai import CALL, SPEECH, TEXT, USAGE
from harness import ChatLog, Daemon, binary, clean_environment, routes

TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]


@pytest.fixture(scope="module")
def daemon(fake):
    with Daemon({"FORWARD_CONFIG": routes(("/", fake.url)), "OPENAI_API_KEY_CONFIG": '{"sk-real": [0]}',
                 "FORWARD_KEY_CONFIG": '{"fk-mine": 0}', "LOG_OPENAI": "true"}) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def client(daemon):
    with openai.OpenAI(base_url=daemon.url + "/v1", api_key="fk-mine", max_retries=0, timeout=30) as client:
        yield client


def ask_in_every_way(client):
    messages = [{"role": "system", "content": "be kind"}, {"role": "user", "content": "quote \" and \u4f60\u597d"}]
    client.chat.completions.create(model="m", messages=messages, temperature=0.5)
    for stream in (False, True):
        answer = client.chat.completions.create(model="m", messages=messages, tools=TOOLS, stream=stream)
        list(answer) if stream else None
    list(client.chat.completions.create(model="m", messages=messages, stream=True))
    list(client.responses.create(model="m", input="hi", instructions="be kind", stream=True))
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="error-429", messages=messages)
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="cut", messages=messages, stream=True))
    client.embeddings.create(model="e", input=["a", "b"])
    client.audio.transcriptions.create(model="whisper-1", file=("talk.mp3", SPEECH), language="de")


def test_all_is_logged_and_converted(daemon, client):
    ask_in_every_way(client)
    chats = ChatLog(daemon)
    whole, tool, tool_stream, stream, responses, refused, cut = chats.wait_for(7)
    assert whole.response["assistant"] == stream.response["assistant"] == responses.response["assistant"] == TEXT
    assert whole.response["usage"] == USAGE and whole.response["usage_source"] == "exact"
    assert stream.response["usage_source"] == "estimated" and stream.response["finish_reason"] == "stop"
    for called in (tool, tool_stream):
        assert called.response["is_tool_calls"] and called.request["tools"] == TOOLS
        assert [{**call, "index": 0} for call in called.response["assistant"]] == [{"index": 0, **CALL}]
    assert responses.request["messages"] == [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]
    assert (refused.response["status"], refused.response["assistant"]) == (429, None)
    assert (cut.response["ended_by"], cut.response["assistant"]) == ("upstream", "half")
    assert ChatLog(daemon, kind="embedding").last(1).request["input"] == ["a", "b"]
    heard = ChatLog(daemon, kind="whisper").last(1)
    assert heard.request["file"] == "talk.mp3" and heard.request["language"] == "de" and heard.response["text"]
    for folder, _, files in os.walk(chats.root):
        for file in files:
            with open(os.path.join(folder, file), "rb") as text:
                log = text.read()
                assert b"fk-mine" not in log and b"sk-real" not in log

    done = subprocess.run([binary(), "convert"], cwd=daemon.path, env=clean_environment(), capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done
    with open(os.path.join(daemon.path, "Log", "chat_openai.json")) as file:
        converted = json.load(file)
    assert len(converted) == 7
    assert converted[0] == {"datetime": whole.request["datetime"], "ip": "127.0.0.1", "model": "m", "temperature": 0.5,
                            "messages": [{"system": "be kind"}, {"user": "quote \" and \u4f60\u597d"}], "tools": None,
                            "is_tool_calls": False, "assistant": TEXT}
    assert converted[2]["assistant"] == tool_stream.response["assistant"]
