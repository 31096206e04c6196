"""What the official Python SDK makes of refusals that aifd itself gives."""
import itertools
import json

import openai
import pytest

from fake_openai import TEXT
from harness import Daemon, routes

MESSAGES = [{"role": "user", "content": "hi"}]
NUMBERS = itertools.count()
LIMITS = {"/long/v1": "2/hour", "/short/v1": "1/2seconds"}


@pytest.fixture(scope="module")
def limited(fake):
    keys = [f"fk-limited-{number}" for number in range(20)]
    with Daemon({"FORWARD_CONFIG": routes(("/long", fake.url), ("/short", fake.url)), "REQ_RATE_LIMIT": json.dumps(LIMITS),
                 "OPENAI_API_KEY_CONFIG": '["sk-real"]', "FORWARD_KEY_CONFIG": json.dumps(keys)}) as daemon:
        yield daemon


def client_of(daemon, prefix, retries):
    return openai.OpenAI(base_url=f"{daemon.url}{prefix}/v1", api_key=f"fk-limited-{next(NUMBERS)}", max_retries=retries,
                         timeout=30)


def chat(client, **more):
    return client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, **more)


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_is_a_rate_limit_error_and_is_not_retried(limited, fake, stream):
    """The wait is far above a minute, so the SDK is told to give up at once."""
    with client_of(limited, "/long", retries=5) as client:
        sent = []
        client._client.event_hooks["request"].append(lambda request: sent.append(request.url))
        assert [chat(client).choices[0].message.content for _ in range(2)] == [TEXT] * 2
        with pytest.raises(openai.RateLimitError) as raised:
            chat(client, stream=stream)
    error = raised.value
    assert error.code == "rate_limit_exceeded" and error.type.startswith("rate_limit") and error.param is None
    assert error.status_code == 429 and error.request_id
    assert error.response.headers["x-should-retry"] == "false"
    assert error.response.headers["x-ratelimit-limit-requests"] == "2"
    assert error.response.headers["x-ratelimit-remaining-requests"] == "0"
    assert len(sent) == 3 and len(fake.requests) == 2


def test_a_short_wait_is_waited_for(limited, fake):
    with client_of(limited, "/short", retries=5) as client:
        assert [chat(client).choices[0].message.content for _ in range(2)] == [TEXT] * 2
    assert len(fake.requests) == 2


def test_what_is_left_can_be_read_from_an_answer(limited):
    """The upstream's own count (59) is not the caller's."""
    with client_of(limited, "/long", retries=0) as client:
        raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=MESSAGES)
    assert raw.headers["x-ratelimit-limit-requests"] == "2" and raw.headers["x-ratelimit-remaining-requests"] == "1"
    assert raw.headers["openai-processing-ms"] == "5"
