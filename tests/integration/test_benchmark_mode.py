"""The built-in model."""
import json

import pytest

from harness import Daemon

PATH = "/benchmark/v1/chat/completions"
SETTINGS = {"BENCHMARK_MODE": "true"}


def ask(daemon, **more):
    body = json.dumps({"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "hi"}], **more}).encode()
    return daemon.ask("POST", PATH, [("Content-Type", "application/json"), ("Authorization", "Bearer sk-x")], body)


def test_whole(daemon, upstream):
    response = ask(daemon, stream=False)
    assert response.status == 200 and response.get("content-type").startswith("application/json")
    answer = response.json()
    assert answer["object"] == "chat.completion" and isinstance(answer["id"], str) and isinstance(answer["created"], int)
    choice = answer["choices"][0]
    assert choice["message"]["role"] == "assistant" and choice["message"]["content"]
    assert choice["finish_reason"] == "stop" and choice["index"] == 0
    assert {"prompt_tokens", "completion_tokens", "total_tokens"} <= set(answer["usage"])
    assert upstream.requests == []


def test_streamed(daemon, upstream):
    response = ask(daemon, stream=True)
    assert response.status == 200 and response.get("content-type").startswith("text/event-stream")
    assert response.ended == "complete"
    events = [line[6:] for line in response.body.decode().split("\n\n") if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert chunks[0]["choices"][0]["delta"].get("role") == "assistant"
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
    assert text
    assert text == ask(daemon, stream=False).json()["choices"][0]["message"]["content"]
    assert upstream.requests == []


def test_whole_unless_a_stream_is_asked_for(daemon, upstream):
    """As the original, and as the API itself: SDKs leave the field out for a whole answer."""
    assert ask(daemon).json()["object"] == "chat.completion"


def test_stream_field_is_read_as_json(daemon, upstream):
    body = b'{"messages":[{"role":"user","content":"\\"stream\\": true"}],"model":"m", "stream" :\n false }'
    response = daemon.ask("POST", PATH, body=body)
    assert response.get("content-type").startswith("application/json")


def test_client_may_leave_in_the_middle(daemon, upstream):
    for _ in range(10):
        with daemon.client() as client:
            client.request("POST", PATH, body=b'{"model":"m","stream":true,"messages":[]}').read_head()
            client.body.take(5)
    assert daemon.ask("GET", "/healthz").status == 200


def test_bad_json_is_400(daemon, upstream):
    response = daemon.ask("POST", PATH, body=b'{"model":')
    assert response.status in (200, 400)


def test_off_unless_asked_for():
    with Daemon({"BENCHMARK_MODE": "false", "FORWARD_CONFIG": '[{"base_url":"http://127.0.0.1:9","route":"/only"}]'}) as daemon:
        assert daemon.ask("POST", PATH, body=b"{}").status == 404


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_other_methods_are_not_served(daemon, upstream, method):
    assert daemon.ask(method, PATH).status in (404, 405)
