"""A hit is a request like any other: keys, model access, limits, quotas and the log come before it."""
import json

import pytest

from harness import (CHAT, CacheUpstream, Daemon, bearer, caching, chat_of, eventually, post, routes, state,
                     states)

UPSTREAM = CacheUpstream
KEYS = {"OPENAI_API_KEY_CONFIG": '{"sk-all": [0, 1]}', "FORWARD_KEY_CONFIG": '{"fk-zero": 0, "fk-one": 1}',
        "LEVEL_MODELS": '{"1": ["cheap"]}'}


@pytest.mark.parametrize("stream", [False, True])
def test_hits_count_for_the_limit_of_requests(upstream, stream):
    with caching(upstream, REQ_RATE_LIMIT='{"/v1/chat": "3/hour"}') as daemon:
        body = chat_of("one", stream=stream)
        answers = [post(daemon, body) for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        assert [state(answer) for answer in answers[:3]] == ["miss", "hit", "hit"]
        assert [answer.get("x-ratelimit-remaining-requests") for answer in answers[:3]] == ["2", "1", "0"]
        assert len(upstream.requests) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_hits_count_for_the_quota_of_tokens(upstream, stream):
    """Each answer reports 21 tokens; 50 are used up by the third."""
    with caching(upstream, TOKEN_QUOTA=json.dumps({CHAT: "1000/day"})) as daemon:
        body = chat_of("one", stream=stream, **({"stream_options": {"include_usage": True}} if stream else {}))
        fields = bearer("sk-own")
        for number in range(3):
            assert state(post(daemon, body, fields)) == ("hit" if number else "miss")

        def left():
            """Of a request for all there is, which is refused where anything was used."""
            refused = post(daemon, chat_of("two", caching=False, max_tokens=990), fields)
            return refused.status == 429 and refused.get("x-ratelimit-remaining-tokens") == str(1000 - 3 * 21)
        eventually(left, "63 tokens are used")
        assert len(upstream.requests) == 1


def test_a_wrong_key_is_not_answered_from_the_cache(upstream):
    upstream.only_key = "sk-all"
    with caching(upstream, **KEYS) as daemon:
        body = chat_of("one", "cheap")
        assert states(daemon, [body] * 2, bearer("fk-zero")) == ["miss", "hit"]
        for fields in (bearer("sk-wrong"), bearer("fk-zer"), bearer("fk-zero2"), [], [("x-api-key", "nothing")]):
            for _ in range(2):
                refused = post(daemon, body, fields)
                assert refused.status == 401 and state(refused) == "miss"
        assert len(upstream.requests) == 11


@pytest.mark.parametrize("scope", ["caller", "global"])
def test_access_to_models_is_checked_before_the_cache(upstream, scope):
    with caching(upstream, CACHE_SCOPE=scope, **KEYS) as daemon:
        body = chat_of("one", "dear")
        assert states(daemon, [body] * 2, bearer("fk-zero")) == ["miss", "hit"]
        for _ in range(2):
            refused = post(daemon, body, bearer("fk-one"))
            assert refused.status == 403 and refused.get("x-aifd-cache") is None
        assert len(upstream.requests) == 1


def test_addresses_are_checked_before_the_cache(upstream):
    with caching(upstream, IP_BLACKLIST="127.0.0.2") as daemon:
        body = chat_of("one")
        assert states(daemon, [body] * 2) == ["miss", "hit"]
        with daemon.client(source="127.0.0.2") as client:
            assert post(client, body).status == 403


def requests_logged(daemon, count):
    def found():
        lines = [json.loads(line) for line in list(daemon.stdout) if line.startswith("{")]
        lines = [line for line in lines if line.get("msg") == "request" and line["path"] != "/healthz"]
        return lines if len(lines) >= count else None
    return eventually(found, f"{count} lines")


def test_the_access_log_says_it(upstream):
    with caching(upstream) as daemon:
        one, other = chat_of("xyzzy"), chat_of("xyzzy", caching=False)
        answers = [post(daemon, body) for body in (one, one, other)]
        answers += [post(daemon, chat_of("xyzzy", stream=True)), daemon.ask("GET", "/v1/models")]
        lines = requests_logged(daemon, 5)
        assert [line.get("cache") for line in lines[:4]] == ["miss", "hit", "bypass", "hit"]
        assert lines[4].get("cache") in (None, "")
        for line, answer in zip(lines, answers):
            assert line["status"] == 200 and line["bytes_out"] == len(answer.body)
            assert answer.get("x-request-id") == line["request_id"]
        assert "xyzzy" not in daemon.output(), "what was asked is in no log"


def test_a_mapped_model_is_asked_for_once():
    """CUSTOM_MODEL_CONFIG sends a model elsewhere under another name: its answers are kept as well."""
    with CacheUpstream() as upstream, CacheUpstream() as local:
        config = {"backend": "ollama", "model_map": {"gpt-x": "qwen2:7b"}, "api_base": local.url}
        with caching(upstream, CUSTOM_MODEL_CONFIG=json.dumps(config)) as daemon:
            assert states(daemon, [chat_of("one", "gpt-x")] * 2 + [chat_of("one", "gpt-y")] * 2) == ["miss", "hit"] * 2
            assert states(daemon, [chat_of("one", "gpt-x", stream=True)]) == ["hit"]
        assert [json.loads(request.body)["model"] for request in local.requests] == ["qwen2:7b"]
        assert len(upstream.requests) == 1


def test_a_mapped_name_is_not_the_model_of_that_name():
    """The local model and the one that the upstream has under the same name are two."""
    with CacheUpstream() as upstream, CacheUpstream() as local:
        config = {"backend": "ollama", "model_map": {"gpt-x": "other"}, "api_base": local.url}
        with caching(upstream, CUSTOM_MODEL_CONFIG=json.dumps(config)) as daemon:
            assert states(daemon, [chat_of("one", "gpt-x"), chat_of("one", "other")]) == ["miss", "miss"]
        assert len(upstream.requests) == len(local.requests) == 1


def test_the_rest_of_the_daemon_goes_on_as_ever(upstream):
    """Paths that the cache has nothing to do with, with the cache on."""
    with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url), ("/g", upstream.url, "general")), "CACHE_OPENAI": "true",
                 "CACHE_GENERAL": "true", "CACHE_BACKEND": "MEMORY", "CACHE_ROUTES": '["/g/page"]'}) as daemon:
        body = b"x" * (2 << 20)
        for target in ("/g/other", "/v1/files"):
            response = daemon.ask("POST", target, [("Content-Type", "application/octet-stream")], body)
            assert response.status == 200 and state(response) is None and response.body.endswith(body)
        assert daemon.ask("OPTIONS", CHAT, [("Origin", "http://a"), ("Access-Control-Request-Method", "POST")]).status in (200, 204)
