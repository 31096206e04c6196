"""REQ_RATE_LIMIT and GLOBAL_RATE_LIMIT: how many are let through, and what everybody else is told."""
import itertools
import json
import re
import time

import pytest

from harness import (STRATEGIES, Daemon, allowance, answer, ask_in_turn, bearer, duration, eventually,
                     expect_request, routes, send, wait_told)

CHAT = "/v1/chat/completions"
LIMITS = {
    CHAT: "3/hour", "/v1/messages": "1/hour", "/v1beta": "1/hour", "/api/chat": "1/hour", "/v1/one": "1/hour",
    "/v1/minute": "2/minute", "/v1/several": "3/minute;5/hour", "/v1/tight": "9/second;2/hour", "/v1/second": "1/second",
    "/v1/nested": "1/hour", "/v1/nested/deep": "3/hour", "/v1/nested/free": "inf", "/v1/realtime": "2/hour",
    "/v1/levels": [{"level": 0, "limit": "2/hour"}, {"level": 1, "limit": "4/hour"}],
    "/v1/others": [{"level": 1, "limit": "1/hour"}],
}
SETTINGS = {"REQ_RATE_LIMIT": json.dumps(LIMITS), "OPENAI_API_KEY_CONFIG": '["sk-real"]',
            "FORWARD_KEY_CONFIG": '{"fk-zero": 0, "fk-one": 1, "fk-two": 2}'}
KEYS = (f"sk-caller-{number}" for number in itertools.count())


@pytest.fixture
def caller():
    """The fields of a caller that nothing was counted for."""
    return bearer(next(KEYS))


def statuses(daemon, target, fields, count):
    return ask_in_turn(daemon, target, [fields] * count)


def refused(daemon, target, fields, method="GET", body=None):
    """The answer to the first request that is refused."""
    for _ in range(20):
        response = daemon.ask(method, target, fields, body)
        if response.status == 429:
            return response
    raise AssertionError(f"{target} is not limited")


# --- How many ---

def test_as_many_as_the_limit_says_then_none(daemon, upstream, caller):
    assert statuses(daemon, CHAT, caller, 6) == [200] * 3 + [429] * 3
    assert len(upstream.requests) == 3


def test_all_methods_count_together(daemon, upstream, caller):
    methods = ("POST", "GET", "PUT", "POST")
    assert [daemon.ask(method, CHAT, caller, b"{}").status for method in methods] == [200, 200, 200, 429]


def test_a_preflight_does_not_count(daemon, upstream, caller):
    for _ in range(5):
        assert daemon.ask("OPTIONS", CHAT, [("Origin", "http://a.example"), ("Access-Control-Request-Method", "POST"),
                                            *caller]).status in (200, 204)
    assert statuses(daemon, CHAT, caller, 4) == [200] * 3 + [429]


def test_what_the_upstream_refuses_counts(daemon, upstream, caller):
    upstream.otherwise = [expect_request(), send(answer("500 Internal Server Error", body=b"no"))]
    assert statuses(daemon, CHAT, caller, 4) == [500] * 3 + [429]


@pytest.mark.parametrize("target, due", [("/v1/several", 3), ("/v1/tight", 2)])
def test_of_several_limits_the_tightest_refuses(daemon, upstream, caller, target, due):
    assert statuses(daemon, target, caller, due + 1) == [200] * due + [429]


def test_the_other_limits_wait_tells_the_client(daemon, upstream, caller):
    assert wait_told(refused(daemon, "/v1/several", caller)) <= 60
    assert wait_told(refused(daemon, "/v1/tight", caller)) > 60


@pytest.mark.parametrize("target, due", [("/v1/nested", 1), ("/v1/nested/x", 1), ("/v1/nested/deep", 3),
                                         ("/v1/nested/deep/er", 3), ("/v1/nested/deeper", 1), ("/v1/nested/free/x", 9),
                                         ("/v1/nestedness", 9), ("/v1/unlimited", 9)])
def test_the_longest_route_that_covers_whole_segments_wins(daemon, upstream, caller, target, due):
    assert statuses(daemon, target, caller, 9) == [200] * due + [429] * (9 - due)


def test_paths_below_one_route_count_together_and_routes_apart(daemon, upstream, caller):
    assert ask_in_turn(daemon, "/v1/nested/a", [caller]) == [200]
    assert ask_in_turn(daemon, "/v1/nested/b", [caller]) == [429]
    assert ask_in_turn(daemon, "/v1/nested/deep", [caller]) == [200]


def test_second_by_second(daemon, upstream, caller):
    def status():
        return daemon.ask("GET", "/v1/second", caller).status
    assert status() == 200
    eventually(lambda: status() == 429, "a second request within a second")
    eventually(lambda: status() == 200, "the window is over")


def test_websocket_upgrades_count(daemon, upstream, caller):
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
               ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    switched = answer("101 Switching Protocols", [("Connection", "Upgrade"), ("Upgrade", "websocket"),
                                                  ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")], body=None)
    upstream.otherwise = [expect_request(), send(switched), lambda connection: connection.abandon()]
    got = []
    for _ in range(3):
        with daemon.client() as client:
            got.append(client.request("GET", "/v1/realtime?model=gpt", [*upgrade, *caller]).read_head())
    assert [response.status for response in got] == [101, 101, 429]
    assert wait_told(got[2]) > 60 and len(upstream.requests) == 2


# --- Levels ---

def test_levels_have_limits_of_their_own(daemon, upstream):
    for key, due in [("fk-zero", 2), ("fk-one", 4), ("fk-two", 9)]:
        assert statuses(daemon, "/v1/levels", bearer(key), 9) == [200] * due + [429] * (9 - due), key


def test_a_key_that_is_no_forward_key_has_level_0(daemon, upstream, caller):
    assert statuses(daemon, "/v1/levels", caller, 3) == [200, 200, 429]


def test_a_level_without_an_entry_is_not_limited(daemon, upstream, caller):
    assert statuses(daemon, "/v1/others", caller, 9) == [200] * 9
    assert statuses(daemon, "/v1/others", bearer("fk-one"), 2) == [200, 429]


# --- GLOBAL_RATE_LIMIT ---

@pytest.fixture(scope="module")
def general(shared_upstream):
    """A daemon where every route is limited but for those that say otherwise."""
    limited = {"/v1/free": "inf", "/v1/more": "3/hour", "/v1/paid": [{"level": 1, "limit": "4/hour"}]}
    with Daemon({"FORWARD_CONFIG": routes(("/", shared_upstream.url), ("/other", shared_upstream.url, "general")),
                 "GLOBAL_RATE_LIMIT": "2/hour", "REQ_RATE_LIMIT": json.dumps(limited)}) as running:
        yield running


@pytest.mark.parametrize("target, due", [("/v1/x", 2), ("/other/x", 2), ("/v1/more", 3), ("/v1/free", 9), ("/v1/free/x", 9),
                                         ("/v1/paid", 2)])
def test_the_global_limit_holds_where_no_route_has_one(general, upstream, caller, target, due):
    assert statuses(general, target, caller, 9) == [200] * due + [429] * (9 - due)


def test_the_global_limit_is_counted_for_each_forwarded_route(general, upstream, caller):
    targets = ("/v1/x", "/v1/y", "/v1/z", "/other/x", "/other/y", "/other/z")
    assert [general.ask("GET", target, caller).status for target in targets] == [200, 200, 429, 200, 200, 429]


def test_health_is_never_limited(general, upstream):
    assert {general.ask("GET", path).status for path in ("/healthz", "/livez", "/readyz") for _ in range(5)} == {200}


def test_a_limit_below_a_route_prefix(shared_upstream, upstream, caller):
    """Limits name the path as the client sends it."""
    with Daemon({"FORWARD_CONFIG": routes(("/", shared_upstream.url), ("/localai", shared_upstream.url)),
                 "REQ_RATE_LIMIT": '{"/localai/v1/x": "1/hour"}'}) as daemon:
        assert statuses(daemon, "/localai/v1/x", caller, 2) == [200, 429]
        assert statuses(daemon, "/v1/x", caller, 2) == [200, 200]


# --- What a refusal says ---

def test_a_refusal_in_the_words_of_openai(daemon, upstream, caller):
    response = refused(daemon, CHAT, caller, "POST", b"{}")
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"} and error["param"] is None
    assert error["code"] == "rate_limit_exceeded" and error["type"].startswith("rate_limit")
    again = re.search(r"try again in (\S+?)\.?( |$)", error["message"])
    assert again and duration(again[1]) == pytest.approx(wait_told(response), abs=1)
    assert response.get("content-type").startswith("application/json") and response.get("x-request-id")
    assert wait_told(response) > 60
    assert allowance(response)[:2] == (3, 0)


def test_a_refusal_in_the_words_of_anthropic(daemon, upstream, caller):
    body = refused(daemon, "/v1/messages?beta=true", caller, "POST", b"{}").json()
    assert body["type"] == "error" and body["error"]["type"] == "rate_limit_error" and body["error"]["message"]


def test_a_refusal_in_the_words_of_gemini(daemon, upstream, caller):
    error = refused(daemon, "/v1beta/models/m:generateContent", caller, "POST", b"{}").json()["error"]
    assert error["code"] == 429 and error["status"] == "RESOURCE_EXHAUSTED" and error["message"]


def test_a_refusal_in_the_words_of_ollama(daemon, upstream, caller):
    body = refused(daemon, "/api/chat", caller, "POST", b"{}").json()
    assert isinstance(body["error"], str) and body["error"]


@pytest.mark.parametrize("target, dialect", [("/v1/messages", "anthropic"), ("/v1beta/models/m:generateContent", "gemini"),
                                             ("/api/chat", "ollama")])
def test_every_dialect_has_the_same_fields(daemon, upstream, caller, target, dialect):
    response = refused(daemon, target, caller, "POST", b"{}")
    assert wait_told(response) > 60 and allowance(response)[:2] == (1, 0)


def test_a_short_wait_may_be_retried(daemon, upstream, caller):
    assert 0 < wait_told(refused(daemon, "/v1/minute", caller)) <= 60


def test_a_refusal_to_head_has_no_body(daemon, upstream, caller):
    refused(daemon, "/v1/one", caller)
    with daemon.client() as client:
        response = client.ask("HEAD", "/v1/one", caller)
        assert wait_told(response) > 60
        assert client.ask("GET", "/v1/one", caller).status == 429


def test_the_connection_serves_on_after_a_refusal(daemon, upstream, caller):
    with daemon.client() as client:
        answers = [client.ask("POST", target, caller, b"{}").status for target in ("/v1/one", "/v1/one", "/v1/free")]
    assert answers == [200, 429, 200]


def test_a_chunked_upload_is_refused_in_order(daemon, upstream, caller):
    refused(daemon, "/v1/one", caller)
    upstream.reset()
    with daemon.client() as client:
        client.send(b"POST /v1/one HTTP/1.1\r\nHost: a\r\n%s\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
                    % ": ".join(caller[0]).encode())
        assert wait_told(client.read_response("POST")) > 60
    assert upstream.requests == []


def test_a_large_upload_is_refused_in_order(daemon, upstream, caller):
    """A client that sends its whole body before it reads must still read the refusal."""
    refused(daemon, "/v1/one", caller)
    upstream.reset()
    with daemon.client() as client:
        assert wait_told(client.ask("POST", "/v1/one", caller, b"x" * (8 << 20))) > 60
    assert upstream.requests == []


def test_a_client_that_waits_for_100_is_refused_without_it(daemon, upstream, caller):
    refused(daemon, "/v1/one", caller)
    with daemon.client() as client:
        client.request("POST", "/v1/one", [*caller, ("Expect", "100-continue"), ("Content-Length", "1000000")])
        response = client.read_response("POST")
        assert wait_told(response) > 60 and response.interim == []


def test_pipelined_requests_count_one_by_one(daemon, upstream, caller):
    with daemon.client() as client:
        for _ in range(5):
            client.request("GET", CHAT, caller)
        assert [client.read_response().status for _ in range(5)] == [200] * 3 + [429] * 2


def test_the_access_log_names_a_refusal(daemon, upstream, caller):
    target = "/v1/one/for-the-log"
    refused(daemon, target, caller)

    def lines():
        found = [json.loads(line) for line in list(daemon.stdout) if line.startswith("{") and target in line]
        return [line for line in found if line["status"] == 429]
    line = eventually(lines, "its line")[0]
    assert line["error"] and line["ended_by"] == "client" and line["route"] == "/"


# --- What an admitted client is told ---

def test_what_is_left_goes_down_one_by_one(daemon, upstream, caller):
    with daemon.client() as client:
        told = [allowance(client.ask("GET", CHAT, caller)) for _ in range(4)]
    assert [(limit, remaining) for limit, remaining, _ in told] == [(3, 2), (3, 1), (3, 0), (3, 0)]
    assert all(0 < reset <= 3600 for _, _, reset in told)


def test_of_several_limits_the_one_with_least_left_is_told(daemon, upstream, caller):
    assert allowance(daemon.ask("GET", "/v1/several", caller))[:2] == (3, 2)
    assert allowance(daemon.ask("GET", "/v1/tight", caller))[:2] == (2, 1)


def test_durations_are_read_right():
    """Of this file's own tool."""
    for text, due in [("6m0s", 360), ("1s", 1), ("120ms", 0.12), ("1h0m0s", 3600), ("8.64s", 8.64), ("59m59s", 3599)]:
        assert duration(text) == pytest.approx(due)
    for text in ("", "6", "6 m", "1.5", "-1s", "0:06", "1s2m"):
        with pytest.raises(AssertionError):
            duration(text)


OF_THE_UPSTREAM = [("x-ratelimit-limit-requests", "9999"), ("x-ratelimit-remaining-requests", "9998"),
                   ("x-ratelimit-reset-requests", "7ms"), ("x-ratelimit-remaining-tokens", "77")]


def test_ours_replace_the_upstreams_on_success(daemon, upstream, caller):
    upstream.script(expect_request(), send(answer(fields=OF_THE_UPSTREAM, body=b"ok")))
    response = daemon.ask("GET", CHAT, caller)
    assert allowance(response)[:2] == (3, 2)
    assert response.get("x-ratelimit-remaining-tokens") == "77"


@pytest.mark.parametrize("status", ["400 Bad Request", "429 Too Many Requests", "503 Service Unavailable"])
def test_the_upstreams_stay_on_errors(daemon, upstream, caller, status):
    fields = [*OF_THE_UPSTREAM, ("retry-after", "77"), ("retry-after-ms", "76500"), ("x-should-retry", "true")]
    upstream.script(expect_request(), send(answer(status, fields, b"no")))
    response = daemon.ask("GET", CHAT, caller)
    assert [pair for pair in response.fields if pair in fields] == fields
    assert len(response.all("x-ratelimit-limit-requests")) == 1 and len(response.all("retry-after")) == 1


def test_the_upstreams_pass_where_no_limit_holds(daemon, upstream, caller):
    upstream.script(expect_request(), send(answer(fields=OF_THE_UPSTREAM, body=b"ok")))
    response = daemon.ask("GET", "/v1/unlimited", caller)
    assert [pair for pair in response.fields if pair in OF_THE_UPSTREAM] == OF_THE_UPSTREAM
    assert len([name for name in response.names() if name.startswith("x-ratelimit-")]) == len(OF_THE_UPSTREAM)


def test_nothing_is_told_where_no_limit_holds(daemon, upstream, caller):
    response = daemon.ask("GET", "/v1/unlimited", caller)
    assert not [name for name in response.names() if name.startswith("x-ratelimit-") or name.startswith("retry-after")]


# --- Strategies ---

@pytest.fixture(params=STRATEGIES)
def strategic(request, shared_upstream):
    with Daemon({"FORWARD_CONFIG": routes(("/", shared_upstream.url)), "RATE_LIMIT_STRATEGY": request.param,
                 "REQ_RATE_LIMIT": '{"/v1/hour": "5/hour", "/v1/second": "3/second", "/v1/both": "4/minute;6/day"}'}) as daemon:
        daemon.strategy = request.param
        yield daemon


def test_each_strategy_lets_the_limit_through_at_once(strategic, upstream, caller):
    assert statuses(strategic, "/v1/hour", caller, 7) == [200] * 5 + [429] * 2
    assert statuses(strategic, "/v1/both", caller, 5) == [200] * 4 + [429]
    assert len(upstream.requests) == 9


def test_each_strategy_tells_what_is_left(strategic, upstream, caller):
    with strategic.client() as client:
        told = [client.ask("GET", "/v1/hour", caller) for _ in range(6)]
    assert [allowance(response)[:2] for response in told] == [(5, 4), (5, 3), (5, 2), (5, 1), (5, 0), (5, 0)]
    assert all(0 < allowance(response)[2] <= 7200 for response in told)
    assert 60 < wait_told(told[-1]) <= 7200


def test_each_strategy_keeps_its_promise_of_when_to_come_back(strategic, upstream, caller):
    def ask():
        return strategic.ask("GET", "/v1/second", caller)

    refusal = eventually(lambda: next((response for response in (ask() for _ in range(4)) if response.status == 429), None),
                         "more than three in a second")
    time.sleep(wait_told(refusal) + 0.02)
    assert ask().status == 200


def test_elastic_windows_begin_anew_with_each_request(shared_upstream, upstream, caller):
    """And fixed ones do not."""
    for strategy in ("fixed-window", "fixed-window-elastic-expiry"):
        with Daemon({"FORWARD_CONFIG": routes(("/", shared_upstream.url)), "RATE_LIMIT_STRATEGY": strategy,
                     "REQ_RATE_LIMIT": '{"/": "2/hour"}'}) as daemon, daemon.client() as client:
            assert client.ask("GET", "/v1/x", caller).status == 200
            time.sleep(0.3)
            before = time.monotonic()
            assert client.ask("GET", "/v1/x", caller).status == 200
            wait = wait_told(client.ask("GET", "/v1/x", caller))
            if strategy == "fixed-window":
                assert wait <= 3599.71
            else:
                assert wait >= 3599.99 - (time.monotonic() - before)
