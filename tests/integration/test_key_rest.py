"""An API key that the upstream refuses rests for a while; the caller's own key never does."""
import time
from collections import Counter
from email.utils import formatdate

import pytest

from harness import Daemon, Upstream, answer, bearer, eventually, expect_request, routes, send

KEYS = ("sk-first-long-enough-0001", "sk-second-long-enough-0002")
TARGET = "/v1/chat/completions"
BODY = b'{"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}}'
TOO_MANY, WRONG_KEY = "429 Too Many Requests", "401 Unauthorized"


@pytest.fixture
def upstream():
    with Upstream() as upstream:
        yield upstream


def serving(upstream, **settings):
    return Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "OPENAI_API_KEY_CONFIG": ",".join(KEYS),
                   "FORWARD_KEY_CONFIG": '["fk-zero"]', **settings})


@pytest.fixture
def daemon(upstream):
    with serving(upstream) as daemon:
        yield daemon


def ask(daemon, target=TARGET, fields=()):
    return daemon.ask("POST", target, [*(fields or bearer("fk-zero"))], b'{"model":"m"}')


def used(upstream):
    """The key of the last request that arrived."""
    return upstream.requests[-1].get("authorization")[len("Bearer "):]


def keys_of(daemon, upstream, count=6, target=TARGET):
    found = []
    for _ in range(count):
        assert ask(daemon, target).status == 200
        found.append(used(upstream))
    return Counter(found)


def refuse(upstream, status=TOO_MANY, *fields):
    upstream.script(expect_request(), send(answer(status, [("Content-Type", "application/json"), *fields], BODY)))


def put_to_rest(daemon, upstream, status=TOO_MANY, *fields):
    """Has the upstream refuse the next request; gives the key it refused."""
    refuse(upstream, status, *fields)
    assert ask(daemon).status == int(status[:3])
    return used(upstream)


def other(key):
    return KEYS[1 - KEYS.index(key)]


def test_a_refused_key_rests_and_the_others_serve(daemon, upstream):
    tired = put_to_rest(daemon, upstream, TOO_MANY, ("Retry-After", "100"))
    assert keys_of(daemon, upstream) == {other(tired): 6}


def test_the_refusal_goes_to_the_client_unchanged_and_nothing_is_sent_twice(daemon, upstream):
    fields = [("Retry-After", "100"), ("x-request-id", "req_up"), ("x-ratelimit-remaining-requests", "0"),
              ("x-should-retry", "true")]
    refuse(upstream, TOO_MANY, *fields)
    response = ask(daemon)
    assert response.status == 429 and response.body == BODY
    assert [pair for pair in response.fields if pair in fields] == fields
    assert response.all("retry-after") == ["100"] and response.get("retry-after-ms") is None
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("status, fields", [
    (TOO_MANY, [("Retry-After", "100")]), (TOO_MANY, [("retry-after-ms", "100000")]), (TOO_MANY, []),
    (TOO_MANY, [("Retry-After", formatdate(time.time() + 3600, usegmt=True))]), (WRONG_KEY, []),
    (TOO_MANY, [("Retry-After", "100"), ("retry-after-ms", "99500")]), (TOO_MANY, [("Retry-After", "nonsense")]),
])
def test_what_puts_a_key_to_rest(daemon, upstream, status, fields):
    tired = put_to_rest(daemon, upstream, status, *fields)
    assert keys_of(daemon, upstream) == {other(tired): 6}


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "500 Internal Server Error", "503 Service Unavailable"])
def test_what_does_not(daemon, upstream, status):
    put_to_rest(daemon, upstream, status, ("Retry-After", "100"))
    assert keys_of(daemon, upstream) == {key: 3 for key in KEYS}


HUGE = ("99999999999", "9223372036854775807", "18446744073709551616", "1" * 300)


@pytest.mark.parametrize("name", ["Retry-After", "retry-after-ms"])
@pytest.mark.parametrize("value", HUGE)
def test_an_absurd_wait_is_a_rest_too(daemon, upstream, name, value):
    tired = put_to_rest(daemon, upstream, TOO_MANY, (name, value))
    assert keys_of(daemon, upstream) == {other(tired): 6}


def test_a_date_beyond_time_is_a_rest_too(daemon, upstream):
    tired = put_to_rest(daemon, upstream, TOO_MANY, ("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"))
    assert keys_of(daemon, upstream) == {other(tired): 6}


def test_a_streamed_refusal_counts_from_its_head(daemon, upstream):
    upstream.script(expect_request(), send(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 100\r\n"
                                           b"Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"))
    assert ask(daemon).body == b"no"
    assert keys_of(daemon, upstream) == {other(upstream.requests[0].get("authorization")[7:]): 6}


@pytest.mark.parametrize("name, value", [("retry-after-ms", "300"), ("Retry-After", "1")])
def test_a_rested_key_serves_again(daemon, upstream, name, value):
    tired = put_to_rest(daemon, upstream, TOO_MANY, (name, value))
    eventually(lambda: tired in keys_of(daemon, upstream, 2), "the key is back")


def test_a_date_that_has_come_ends_the_rest(daemon, upstream):
    tired = put_to_rest(daemon, upstream, TOO_MANY, ("Retry-After", formatdate(time.time() + 2, usegmt=True)))
    eventually(lambda: tired in keys_of(daemon, upstream, 2), "the key is back")


def test_api_key_cooldown_says_how_long(upstream):
    with serving(upstream, API_KEY_COOLDOWN="1") as daemon:
        tired = put_to_rest(daemon, upstream, WRONG_KEY)
        eventually(lambda: tired in keys_of(daemon, upstream, 2), "the key is back")


IN_100_S = [("Retry-After", "100")]
IN_1000_S = [("Retry-After", "1000")]


@pytest.mark.parametrize("first, second, next_is", [
    (IN_100_S, IN_1000_S, 0), (IN_1000_S, IN_100_S, 1), ([("retry-after-ms", "500000")], IN_1000_S, 0),
    (IN_1000_S, [("retry-after-ms", "500000")], 1),
    ([("Retry-After", formatdate(time.time() + 3600, usegmt=True))], IN_1000_S, 1),
    (IN_1000_S, [("Retry-After", formatdate(time.time() + 86400, usegmt=True))], 0),
])
def test_when_all_rest_the_one_with_the_shortest_rest_serves(daemon, upstream, first, second, next_is):
    tired = [put_to_rest(daemon, upstream, TOO_MANY, *first), put_to_rest(daemon, upstream, TOO_MANY, *second)]
    assert sorted(tired) == sorted(KEYS)
    assert keys_of(daemon, upstream, 3) == {tired[next_is]: 3}


def test_all_refused_still_answers_with_what_the_upstream_says(daemon, upstream):
    for number in range(5):
        refuse(upstream, TOO_MANY, ("Retry-After", "100"), ("x-number", str(number)))
        assert ask(daemon).get("x-number") == str(number)
    assert len(upstream.requests) == 5


def test_one_key_alone_goes_on(upstream):
    with serving(upstream, OPENAI_API_KEY_CONFIG=KEYS[0]) as daemon:
        put_to_rest(daemon, upstream, WRONG_KEY)
        assert keys_of(daemon, upstream, 3) == {KEYS[0]: 3}


def test_a_callers_own_key_never_rests(daemon, upstream):
    for _ in range(3):
        refuse(upstream, TOO_MANY, ("Retry-After", "100"))
        assert ask(daemon, fields=bearer("sk-own")).status == 429
        assert ask(daemon, fields=bearer("sk-own")).status == 200
        assert used(upstream) == "sk-own"
    assert keys_of(daemon, upstream) == {key: 3 for key in KEYS}


def test_a_rest_on_one_route_is_none_on_another(upstream):
    with Upstream() as elsewhere, serving(upstream, FORWARD_CONFIG=routes(("/", upstream.url), ("/b", elsewhere.url))) as daemon:
        tired = put_to_rest(daemon, upstream, TOO_MANY, ("Retry-After", "100"))
        assert keys_of(daemon, elsewhere, target="/b" + TARGET) == {key: 3 for key in KEYS}
        assert keys_of(daemon, upstream) == {other(tired): 6}


def test_a_rest_holds_for_all_workers(upstream):
    with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "OPENAI_API_KEY_CONFIG": ",".join(KEYS),
                 "FORWARD_KEY_CONFIG": '["fk-zero"]'}, args=["--workers", "4"]) as daemon:
        tired = put_to_rest(daemon, upstream, TOO_MANY, ("Retry-After", "100"))
        assert keys_of(daemon, upstream, 20) == {other(tired): 20}


def test_the_log_says_so_without_the_key(daemon, upstream):
    tired = put_to_rest(daemon, upstream, TOO_MANY, ("Retry-After", "100"))

    def told():
        return [line for line in list(daemon.stderr) if "rest" in line.lower() and "429" in line]
    line = eventually(told, "a line about the rest")[0]
    assert tired not in daemon.output() and "long-enough" not in line
