"""Equal requests at one time share one call upstream. The upstream stands still until all are there."""
import pytest

from harness import (CHAT, JSON, CacheUpstream, Daemon, Swarm, bearer, caching, chat_of, eventually, fresh, is_sanitized,
                     post, raw_post, routes, settle, state)
from harness.openai_answers import chunks_of, said, whole_of

KEYS = {"OPENAI_API_KEY_CONFIG": '{"sk-all": [0, 1]}', "FORWARD_KEY_CONFIG": '{"fk-zero": 0, "fk-zero-2": 0, "fk-one": 1}'}
USAGE = {"stream_options": {"include_usage": True}}
FIRST = b"data: "


@pytest.fixture
def upstream():
    with CacheUpstream() as upstream:
        yield upstream


@pytest.fixture
def daemon(upstream):
    with caching(upstream, args=["--workers", "1"], **KEYS) as daemon:
        yield daemon


def streams(daemon, count, prompt, **more):
    return Swarm(daemon, [raw_post(daemon, chat_of(prompt, stream=True, **more))] * count)


def assert_all_whole(answers, upstream, leaders=1):
    """Each the same, one of them of the call itself, the others beside it."""
    assert {answer.status for answer in answers} == {200} and {answer.ended for answer in answers} == {"complete"}
    assert len({answer.body for answer in answers}) == 1
    found = [state(answer) for answer in answers]
    assert (found.count("miss"), found.count("hit")) == (leaders, len(answers) - leaders)
    assert len(upstream.requests) == 1


# --- A thousand at once ---

@pytest.mark.parametrize("workers", ["1", "2", "4"])
def test_a_thousand_equal_streams_are_one_call(upstream, workers):
    """Every client has the first event before the second is sent, so all thousand share the call while it runs."""
    count = 1000 if not is_sanitized() else 200
    with caching(upstream, args=["--workers", workers]) as daemon:
        pause = upstream.pause(after=1)
        swarm = streams(daemon, count, "one")
        pause.wait_for()
        swarm.read_until_all_have(FIRST)
        assert swarm.open == count
        pause.go_on.set()
        answers = swarm.answers()
        assert_all_whole(answers, upstream)
        assert len(chunks_of(answers[0].body)) > 5
        assert len({answer.get("x-request-id") for answer in answers}) == count
        assert {answer.get("age") for answer in answers if state(answer) == "hit"} == {"0"}


@pytest.mark.parametrize("workers", ["1", "2", "4"])
def test_a_thousand_equal_calls_are_one_call(upstream, workers):
    count = 1000 if not is_sanitized() else 200
    with caching(upstream, args=["--workers", workers]) as daemon:
        pause = upstream.pause()
        swarm = Swarm(daemon, [raw_post(daemon, chat_of("one"))] * count)
        pause.wait_for()
        settle(daemon, 50)
        assert all(not got for got in swarm.received)
        pause.go_on.set()
        answers = swarm.answers()
        assert_all_whole(answers, upstream)
        assert answers[0].json()["choices"][0]["message"]["content"].startswith("Answer 1 to one")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_thousand_of_ten_kinds_are_ten_calls(upstream, workers):
    with caching(upstream, args=["--workers", workers]) as daemon:
        prompts = [fresh() for _ in range(10)]
        pause = upstream.pause(after=1)
        swarm = Swarm(daemon, [raw_post(daemon, chat_of(prompts[number % 10], stream=bool(number % 4)))
                               for number in range(400)])
        pause.wait_for(10)
        pause.go_on.set()
        answers = swarm.answers()
        assert len(upstream.requests) == 10
        for kind in range(10):
            told = [said(whole_of(chunks_of(answer.body)) if answer.body.startswith(FIRST) else answer.json())
                    for answer in answers[kind::10]]
            assert all({**one, "usage": 0} == {**told[0], "usage": 0} for one in told)
            assert prompts[kind] in str(told[0])


def test_a_general_route_shares_too(upstream):
    with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url, "general")), "CACHE_GENERAL": "true",
                 "CACHE_BACKEND": "MEMORY", "CACHE_ROUTES": '["/page"]'}) as daemon:
        pause = upstream.pause()
        swarm = Swarm(daemon, [b"GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"] * 100)
        pause.wait_for()
        settle(daemon, 50)
        pause.go_on.set()
        assert_all_whole(swarm.answers(), upstream)


# --- Coming late ---

def test_who_comes_late_has_the_past_at_once_and_then_what_comes(daemon, upstream):
    """Each of them comes at another event; the upstream goes on only when the late one has all events so far."""
    places = range(1, 6)
    pauses = [upstream.pause(after=number) for number in places]
    clients = []
    for place, pause in zip(places, pauses):
        client = daemon.client()
        client.request("POST", CHAT, JSON, chat_of("one", stream=True))
        pause.wait_for()
        assert state(client.read_head()) == ("hit" if clients else "miss")
        had = b""
        while had.count(b"\n\n") < place:
            had += client.body.take(1)
        clients.append((client, had))
        pause.go_on.set()
    bodies = [had + client.body.rest() for client, had in clients]
    assert len(set(bodies)) == 1 and len(chunks_of(bodies[0])) > 5
    assert len(upstream.requests) == 1


def test_followers_of_another_form_get_the_whole(daemon, upstream):
    pause = upstream.pause(after=1)
    leading = streams(daemon, 1, "one")
    pause.wait_for()
    plain = Swarm(daemon, [raw_post(daemon, chat_of("one"))] * 10)
    settle(daemon)
    pause.go_on.set()
    answers, streamed = plain.answers(), leading.answers()[0]
    assert [state(answer) for answer in answers] == ["hit"] * 10 and len(upstream.requests) == 1
    assert all(said(answer.json()) == said(whole_of(chunks_of(streamed.body))) for answer in answers)


@pytest.mark.parametrize("options", [{}, USAGE])
def test_followers_with_stream_of_a_plain_call(daemon, upstream, options):
    pause = upstream.pause(after=1)
    leading = Swarm(daemon, [raw_post(daemon, chat_of("one"))])
    pause.wait_for()
    swarm = streams(daemon, 10, "one", **options)
    settle(daemon)
    pause.go_on.set()
    answers, plain = swarm.answers(), leading.answers()[0]
    assert [state(answer) for answer in answers] == ["hit"] * 10 and len(upstream.requests) == 1
    due = {**plain.json(), **({} if options else {"usage": None})}
    assert all(said(whole_of(chunks_of(answer.body))) == said(due) for answer in answers)


@pytest.mark.parametrize("leader, follower", [({}, USAGE), (USAGE, {})])
def test_usage_is_told_to_those_who_asked(daemon, upstream, leader, follower):
    pause = upstream.pause(after=2)
    leading = streams(daemon, 1, "one", **leader)
    pause.wait_for()
    following = streams(daemon, 3, "one", **follower)
    settle(daemon)
    pause.go_on.set()
    for swarm, options in ((leading, leader), (following, follower)):
        for answer in swarm.answers():
            chunks = chunks_of(answer.body)
            assert bool(chunks[-1].get("usage")) == bool(options), "usage for who asked, and for nobody else"
            assert all(part["choices"] for part in (chunks[:-1] if options else chunks))
    assert len(upstream.requests) <= 2


# --- Who shares, and who does not ---

def test_levels_and_keys_have_calls_of_their_own(daemon, upstream):
    pause = upstream.pause()
    callers = [bearer("fk-zero"), bearer("fk-one"), bearer("sk-a"), bearer("sk-b"), []]
    swarm = Swarm(daemon, [raw_post(daemon, chat_of("one"), fields) for fields in [*callers, *callers, bearer("fk-zero-2")]])
    pause.wait_for(5)
    settle(daemon)
    pause.go_on.set()
    answers = swarm.answers()
    assert len(upstream.requests) == 5
    bodies = [answer.body for answer in answers]
    assert bodies[:5] == bodies[5:10] and len(set(bodies)) == 5 and bodies[10] == bodies[0]


@pytest.mark.parametrize("fields, more", [([], {"caching": False}), ([("Cache-Control", "no-store")], {}),
                                          ([("Cache-Control", "no-cache")], {})])
def test_who_wants_no_cache_shares_nothing(daemon, upstream, fields, more):
    pause = upstream.pause()
    swarm = Swarm(daemon, [raw_post(daemon, chat_of("one", **more), fields)] * 5)
    pause.wait_for(5)
    pause.go_on.set()
    answers = swarm.answers()
    assert [state(answer) for answer in answers] == ["bypass"] * 5
    assert len({answer.body for answer in answers}) == len(upstream.requests) == 5


def test_it_can_be_switched_off(upstream):
    with caching(upstream, CACHE_SINGLE_FLIGHT="false") as daemon:
        pause = upstream.pause()
        swarm = Swarm(daemon, [raw_post(daemon, chat_of("one"))] * 5)
        pause.wait_for(5)
        pause.go_on.set()
        assert [state(answer) for answer in swarm.answers()] == ["miss"] * 5
        assert state(post(daemon, chat_of("one"))) == "hit" and len(upstream.requests) == 5


def test_what_belongs_to_one_answer_is_the_leaders_alone(daemon, upstream):
    upstream.fields = [("Set-Cookie", "__cf=1"), ("x-request-id", "req_up"), ("x-ratelimit-remaining-requests", "5"),
                       ("x-ratelimit-remaining-tokens", "500")]
    pause = upstream.pause(after=1)
    swarm = streams(daemon, 20, "one")
    pause.wait_for()
    swarm.read_until_all_have(FIRST)
    pause.go_on.set()
    followers = [answer for answer in swarm.answers() if state(answer) == "hit"]
    assert len(followers) == 19 == len({answer.get("x-request-id") for answer in followers} - {None, "req_up"})
    for name in ("set-cookie", "x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens"):
        assert [answer.get(name) for answer in followers] == [None] * 19


def test_every_answer_is_counted_and_logged(upstream):
    with caching(upstream, REQ_RATE_LIMIT='{"/v1/chat": "7/hour"}') as daemon:
        pause = upstream.pause(after=1)
        swarm = Swarm(daemon, [raw_post(daemon, chat_of("one", stream=True), bearer("sk-own"))] * 10)
        pause.wait_for()
        pause.go_on.set()
        assert sorted(answer.status for answer in swarm.answers()) == [200] * 7 + [429] * 3
        eventually(lambda: "".join(daemon.stdout).count('"cache":"hit"') == 6, "six hits in the access log")
        assert "".join(daemon.stdout).count('"cache":"miss"') == 1 and len(upstream.requests) == 1
