"""TOKEN_QUOTA: what a caller's answers report is counted against its limit; what has no room is refused here."""
import json
import re
import threading

import pytest

from harness import (LAST_CHUNK, SSE_HEAD, Daemon, Upstream, answer, chunk, cut, event, eventually, expect_request, hold,
                     mark, ok, one_byte_at_a_time, reset, routes, send, wait)

PATH = "/v1/chat/completions"
LIMIT = 1000
JSON = "application/json"


@pytest.fixture(scope="module")
def counting():
    with Upstream() as upstream, Daemon({
            "FORWARD_CONFIG": routes(("/", upstream.url)),
            "TOKEN_QUOTA": json.dumps({PATH: f"{LIMIT}/day", "/api": f"{LIMIT}/day", "/v1/brief": "100/2second"}),
    }) as daemon:
        daemon.upstream = upstream
        yield daemon


@pytest.fixture
def upstream(counting):
    counting.upstream.reset()
    yield counting.upstream
    counting.upstream.verify()


class Caller:
    """One key's requests: each test is a caller of its own, with nothing used."""

    def __init__(self, daemon, key):
        self.daemon = daemon
        self.fields = [("Authorization", f"Bearer {key}"), ("Content-Type", JSON)]

    def ask(self, body=b"{}", path=PATH, method="POST", fields=()):
        return self.daemon.ask(method, path, [*self.fields, *fields], body)

    def used(self, path=PATH):
        """By a request for all there is, which is refused unless nothing was used; so the last one of a test."""
        response = self.ask(body_of(40, max_tokens=LIMIT - 10), path)
        return 0 if response.status == 200 else LIMIT - int(response.get("x-ratelimit-remaining-tokens"))

    def has_used(self, count, path=PATH):
        """Waits for it: an exchange is settled just after its answer has been sent."""
        eventually(lambda: self.used(path) == count, f"{count} tokens used")
        return True


@pytest.fixture
def caller(counting, request):
    return Caller(counting, "sk-" + re.sub(r"[^A-Za-z0-9_]", "-", request.node.name))


def body_of(size, **more):
    body = json.dumps({**more, "messages": ""}).encode()
    return body[:-2] + b"x" * (size - len(body)) + body[-2:]


def report(total, **more):
    return json.dumps({"id": "c", "usage": {"prompt_tokens": total - 5, "completion_tokens": 5, "total_tokens": total},
                       **more}).encode()


def stream(*events):
    return SSE_HEAD + b"".join(chunk(event(text)) for text in events)


def test_report_of_an_answer_is_counted(caller, upstream):
    upstream.script(expect_request(), send(ok(report(75), JSON)))
    response = caller.ask(body_of(400, max_tokens=300), fields=[("Accept-Encoding", "gzip, br")])
    assert response.status == 200 and response.body == report(75)
    assert response.get("x-ratelimit-limit-tokens") == str(LIMIT)
    assert response.get("x-ratelimit-remaining-tokens") == str(LIMIT - 400), "as reserved"
    assert re.fullmatch(r"24h0m0s|23h59m\d+s", response.get("x-ratelimit-reset-tokens"))
    assert upstream.requests[0].get("accept-encoding") == "identity"
    assert upstream.requests[0].body == body_of(400, max_tokens=300)
    assert caller.has_used(75)


def test_report_in_a_stream_is_counted_at_any_split(caller, upstream):
    upstream.script(expect_request(), send(SSE_HEAD), one_byte_at_a_time(
        b"".join(chunk(event(text)) for text in ('{"delta":"a \\"usage\\": {"}', report(75).decode(), "[DONE]")) + LAST_CHUNK))
    assert caller.ask(body_of(400, stream=True)).ended == "complete"
    assert caller.has_used(75)


@pytest.mark.parametrize("events", [
    ['{"type":"message_start","message":{"usage":{"input_tokens":60,"cache_read_input_tokens":5,"output_tokens":1}}}',
     '{"type":"content_block_delta"}', '{"type":"message_delta","usage":{"output_tokens":10}}'],
    ['{"response":{"usage":null}}', '{"delta":"Hi"}',
     '{"response":{"usage":{"input_tokens":65,"output_tokens":10,"total_tokens":75}}}'],
    ['{"choices":[],"usage":null}', '{"choices":[],"usage":{"prompt_tokens":65,"completion_tokens":10,"total_tokens":75}}'],
], ids=["messages", "responses", "chat"])
def test_streams_of_each_kind_are_counted(caller, upstream, events):
    upstream.script(expect_request(), send(stream(*events) + LAST_CHUNK))
    assert caller.ask(body_of(400)).ended == "complete"
    assert caller.has_used(75)


def test_ollamas_own_stream_is_counted(caller, upstream):
    lines = b'{"done":false}\n{"done":false}\n{"done":true,"prompt_eval_count":26,"eval_count":49}\n'
    upstream.script(expect_request(), send(answer(fields=[("Content-Type", "application/x-ndjson")], body=lines)))
    assert caller.ask(path="/api/chat").body == lines
    assert caller.has_used(75, "/api/chat")


def test_refusal_says_what_openai_says(caller, upstream):
    upstream.script(expect_request(), send(ok(report(900), JSON)))
    assert caller.ask(body_of(400)).status == 200 and caller.has_used(900)
    response = caller.ask(body_of(400, max_tokens=100))
    assert response.status == 429 and len(upstream.requests) == 1
    error = response.json()["error"]
    assert error["type"] == "rate_limit_error" and error["code"] == "rate_limit_exceeded"
    assert re.fullmatch(r"Rate limit reached for tokens: Limit 1000, Used 900, Requested 200\. "
                        r"Please try again in (24h0m0s|23h59m\d+s)\.", error["message"])
    assert response.get("x-ratelimit-remaining-tokens") == "100"
    assert 86_000 < int(response.get("retry-after")) <= 86_400
    assert 86_000_000 < int(response.get("retry-after-ms")) <= 86_400_000
    assert response.get("x-should-retry") == "false"


def test_refused_caller_keeps_the_connection_and_others_are_served(counting, caller, upstream):
    with counting.client() as client:
        response = client.ask("POST", PATH, caller.fields, body_of(400, max_tokens=LIMIT))
        assert response.status == 429
        assert "it can never be admitted" in response.json()["error"]["message"]
        assert response.get("retry-after") == "3600" and response.get("x-should-retry") == "false"
        other = [("Authorization", "Bearer sk-of-another-caller"), ("Content-Type", JSON)]
        assert client.ask("POST", PATH, other, b"{}").status == 200


def test_a_new_window_admits_again(caller, upstream):
    upstream.script(expect_request(), send(ok(report(100), JSON)))
    assert caller.ask(body_of(400), "/v1/brief").status == 200
    refused = caller.ask(path="/v1/brief")
    assert refused.status == 429 and refused.get("retry-after") in ("1", "2")
    assert refused.get("x-should-retry") is None
    eventually(lambda: caller.ask(path="/v1/brief").status == 200, "the next window")


def test_upstreams_error_costs_nothing_and_keeps_its_fields(caller, upstream):
    upstream.script(expect_request(), send(answer("429 Too Many Requests", [
        ("Content-Type", JSON), ("x-ratelimit-remaining-tokens", "7"), ("retry-after", "3")], report(500))))
    response = caller.ask(body_of(400, max_tokens=300))
    assert response.status == 429 and response.get("x-ratelimit-remaining-tokens") == "7"
    assert response.get("x-ratelimit-limit-tokens") is None and response.get("retry-after") == "3"
    assert caller.has_used(0)


def test_successes_tell_our_count_instead(caller, upstream):
    upstream.script(expect_request(), send(answer(fields=[
        ("Content-Type", JSON), ("x-ratelimit-remaining-tokens", "7"), ("x-ratelimit-remaining-requests", "8")],
        body=report(75))))
    response = caller.ask(body_of(400))
    assert response.all("x-ratelimit-remaining-tokens") == [str(LIMIT - 100)]
    assert response.get("x-ratelimit-remaining-requests") == "8"


def test_broken_upstream_costs_nothing(caller, upstream):
    upstream.script(expect_request(), reset())
    assert caller.ask(body_of(400, max_tokens=300)).status == 502
    assert caller.has_used(0)


def test_cut_stream_costs_the_prompt_and_its_events(caller, upstream):
    upstream.script(expect_request(), send(stream("{}", "{}", "{}")), cut())
    assert caller.ask(body_of(400, max_tokens=300)).ended == "cut"
    assert caller.has_used(103)


def test_client_that_leaves_a_stream_pays_for_what_came(counting, caller, upstream):
    upstream.script(expect_request(), send(stream("{}", "{}")), hold())
    with counting.client() as client:
        client.request("POST", PATH, caller.fields, body_of(400, max_tokens=300))
        client.read_head()
        client.body.take(len(event("{}")) * 2)
    upstream.wait_for(lambda: upstream.connections[0].closed.is_set(), "the upstream's connection closed")
    assert caller.has_used(102)


def test_client_that_does_not_wait_pays_for_the_prompt(counting, caller, upstream):
    there = threading.Event()
    upstream.script(expect_request(), mark(there), hold())
    with counting.client() as client:
        client.request("POST", PATH, caller.fields, body_of(400, max_tokens=300))
        assert there.wait(10)
    upstream.wait_for(lambda: upstream.connections[0].closed.is_set(), "the upstream's connection closed")
    assert caller.has_used(100)


def test_answer_without_a_report_is_estimated(caller, upstream):
    upstream.script(expect_request(), send(ok(b"x" * 200, JSON)))
    assert caller.ask(body_of(400)).status == 200
    assert caller.has_used(150)


def test_requests_without_a_body_and_other_routes_pass_uncounted(counting, caller, upstream):
    for method, path, body in [("GET", PATH, None), ("POST", "/v1/other", body_of(9000))]:
        response = caller.ask(body, path, method, [("Accept-Encoding", "gzip")])
        assert response.status == 200 and response.get("x-ratelimit-limit-tokens") is None
        assert upstream.requests[-1].get("accept-encoding") == "gzip"


def test_running_requests_hold_their_reservation(counting, caller, upstream):
    go = threading.Event()
    upstream.script(expect_request(), wait(go), send(ok(report(75), JSON)))
    with counting.client() as first:
        first.request("POST", PATH, caller.fields, body_of(400, max_tokens=800))
        upstream.wait_for_requests()
        assert caller.ask(body_of(400, max_tokens=100)).status == 429
        go.set()
        assert first.read_response().status == 200
    assert caller.has_used(75)
    assert caller.ask(body_of(400, max_tokens=100)).status == 200


def test_many_at_once_take_no_more_than_the_limit(counting, caller, upstream):
    go = threading.Event()
    for _ in range(10):
        upstream.script(expect_request(), wait(go), send(ok(report(100), JSON)))
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(caller.ask(body_of(400)).status)) for _ in range(25)]
    for thread in threads:
        thread.start()
    eventually(lambda: statuses.count(429) == 15, "the refusals")
    go.set()
    for thread in threads:
        thread.join()
    assert statuses.count(200) == 10 and len(upstream.requests) == 10
    assert caller.ask(b"{}").status == 429
