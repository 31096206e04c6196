"""A shared call that fails, whose callers leave, or some of whom are slow: how it ends for each of them."""
import json
import threading

import pytest

from harness import (CHAT, JSON, LAST_CHUNK, SSE_HEAD, CacheUpstream, Cut, Swarm, bearer, caching, chat_of, chunk,
                     cut, event, eventually, expect_request, hold, is_sanitized, post, raw_post, reset, routes, send,
                     send_all, settle, state, wait)
from harness.openai_answers import chunks_of

FIRST = b"data: "
KEYS = ("sk-first-long-enough-0001", "sk-second-long-enough-0002")


@pytest.fixture
def upstream():
    with CacheUpstream() as upstream:
        yield upstream


@pytest.fixture
def daemon(upstream):
    with one_worker(upstream) as daemon:
        yield daemon


def one_worker(upstream, **settings):
    return caching(upstream, args=["--workers", "1"], **settings)


def swarm_of(daemon, count, fields=(), **more):
    return Swarm(daemon, [raw_post(daemon, chat_of("one", **more), fields)] * count)


# --- Leaving ---

LEAVE = {"close": lambda client: client.close(), "reset": lambda client: client.reset(),
         "half": lambda client: client.leave_half()}


@pytest.mark.parametrize("way", sorted(LEAVE))
@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_first_caller_leaves_and_the_others_have_all(upstream, way, workers):
    with caching(upstream, args=["--workers", workers]) as daemon:
        pauses = [upstream.pause(after=1), upstream.pause(after=3)]
        first = daemon.client()
        first.request("POST", CHAT, JSON, chat_of("one", stream=True))
        pauses[0].wait_for()
        assert state(first.read_head()) == "miss"
        swarm = swarm_of(daemon, 20, stream=True)
        swarm.read_until_all_have(FIRST)
        LEAVE[way](first)
        pauses[0].go_on.set()
        pauses[1].wait_for()
        pauses[1].go_on.set()
        answers = swarm.answers()
        assert {answer.ended for answer in answers} == {"complete"} and len({answer.body for answer in answers}) == 1
        assert chunks_of(answers[0].body) and len(upstream.requests) == 1
        assert state(post(daemon, chat_of("one", stream=True))) == "hit", "and it was kept"


def test_the_first_caller_leaves_before_the_head(daemon, upstream):
    pause = upstream.pause()
    first = daemon.client()
    first.request("POST", CHAT, JSON, chat_of("one"))
    pause.wait_for()
    swarm = swarm_of(daemon, 5)
    settle(daemon)
    first.close()
    settle(daemon)
    pause.go_on.set()
    assert [answer.status for answer in swarm.answers()] == [200] * 5 and len(upstream.requests) == 1


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_all_leave_and_the_call_ends(upstream, stream, workers):
    with caching(upstream, args=["--workers", workers]) as daemon:
        pause = upstream.pause(after=1)
        swarm = swarm_of(daemon, 20, stream=stream)
        pause.wait_for()
        settle(daemon, 50)
        if stream:
            swarm.read_until_all_have(FIRST)
        connection = upstream.connections[0]
        assert len(upstream.requests) == 1 and not connection.closed.is_set()
        swarm.close()
        assert connection.closed.wait(30), "the upstream still works for nobody"
        upstream.pauses.clear()
        assert state(post(daemon, chat_of("one", stream=stream))) == "miss", "half an answer is not kept"


def test_one_who_stays_keeps_the_call(daemon, upstream):
    pause = upstream.pause(after=1)
    staying = swarm_of(daemon, 1, stream=True)
    pause.wait_for()
    leaving = swarm_of(daemon, 50, stream=True)
    leaving.read_until_all_have(FIRST)
    leaving.close()
    settle(daemon)
    pause.go_on.set()
    assert staying.answers()[0].ended == "complete" and len(upstream.requests) == 1


def test_who_comes_when_all_have_left_has_a_whole_answer(daemon, upstream):
    """Whether the call ends just then or goes on for them."""
    for number in range(20):
        asking = [raw_post(daemon, chat_of(f"one {number}", stream=True))]
        upstream.pauses.clear()
        pause = upstream.pause(after=1)
        leaving = Swarm(daemon, asking * 2)
        pause.wait_for()
        leaving.read_until_all_have(FIRST)
        leaving.close()
        late = Swarm(daemon, asking)
        settle(daemon, 2)
        pause.go_on.set()
        answer = late.answers()[0]
        assert (answer.status, answer.ended) == (200, "complete") and chunks_of(answer.body)


# --- Slow ones ---

def big_stream(count, size=65536):
    data = json.dumps({"id": "c", "choices": [{"index": 0, "delta": {"content": "x" * size}}]})
    return lambda: (chunk(event(data)) for _ in range(count))


def test_who_reads_slowly_does_not_slow_the_others(upstream):
    """An answer that can be kept whole waits for them, as long as they like."""
    count = 100
    with one_worker(upstream, CACHE_MAX_ENTRY_BYTES=str(16 << 20)) as daemon:
        go = threading.Event()
        upstream.script(expect_request(), send(SSE_HEAD + chunk(event("{}"))), wait(go), send_all(big_stream(count)),
                        send(chunk(event("[DONE]")) + LAST_CHUNK))
        slow = [daemon.client(receive_buffer=4096) for _ in range(3)]
        slow[0].request("POST", CHAT, JSON, chat_of("one", stream=True))
        upstream.wait_for_requests()
        for client in slow[1:]:
            client.request("POST", CHAT, JSON, chat_of("one", stream=True))
        swarm = swarm_of(daemon, 5, stream=True)
        swarm.read_until_all_have(FIRST)
        go.set()
        bodies = {answer.body for answer in swarm.answers()}
        assert len(bodies) == 1 and len(upstream.requests) == 1
        for client in slow:
            response = client.read_response("POST")
            assert response.ended == "complete" and response.body in bodies


def test_who_is_too_slow_for_an_answer_without_bounds_is_cut(upstream):
    """The upstream sends half a MiB, 2 MiB being kept, once the others have all before it: so they are never behind."""
    rounds, size = 64, 8 * 65536
    taken = threading.Semaphore(0)

    def in_step(connection):
        for _ in range(rounds):
            assert taken.acquire(timeout=60)
            for data in big_stream(size // 65536)():
                connection.sock.sendall(data)
    with one_worker(upstream, CACHE_MAX_ENTRY_BYTES=str(2 << 20)) as daemon:
        upstream.script(expect_request(), send(SSE_HEAD + chunk(event("{}"))), in_step,
                        send(chunk(event("[DONE]")) + LAST_CHUNK))
        before = daemon.peak_memory()
        slow = daemon.client(receive_buffer=4096)
        slow.request("POST", CHAT, JSON, chat_of("one", stream=True)).read_head()
        swarm = swarm_of(daemon, 3, stream=True)
        swarm.read_until_all_have(FIRST)
        for number in range(rounds):
            taken.release()
            due = (number + 1) * size
            swarm.read_until(lambda: all(len(got) > due for got in swarm.received), f"{due} bytes at all")
        answers = swarm.answers()
        assert {answer.ended for answer in answers} == {"complete"} and len({answer.body for answer in answers}) == 1
        assert len(upstream.requests) == 1
        if not is_sanitized():
            assert daemon.peak_memory() - before < 32 << 20
        with pytest.raises((Cut, ConnectionError)):
            slow.body.rest()
        assert state(post(daemon, chat_of("one"))) == "miss", "it was too large to be kept"


def test_one_slow_reader_alone_holds_the_upstream_back(upstream):
    """As without a cache: what it does not read is not piled up, and it is not cut."""
    count = 512
    with one_worker(upstream, CACHE_MAX_ENTRY_BYTES=str(256 << 10)) as daemon:
        upstream.script(expect_request(), send(SSE_HEAD), send_all(big_stream(count)), send(LAST_CHUNK))
        before = daemon.peak_memory()
        with daemon.client(receive_buffer=4096) as client:
            client.request("POST", CHAT, JSON, chat_of("one", stream=True)).read_head()
            settle(daemon, 50)
            size = sum(len(piece) for piece in iter(lambda: client.body.piece(1 << 20), b""))
        assert size > count * 65536
        if not is_sanitized():
            assert daemon.peak_memory() - before < 24 << 20


# --- The upstream fails ---

@pytest.mark.parametrize("model, status", [("error-500", 500), ("error-429", 429), ("error-400", 400), ("error-503", 503)])
def test_an_error_of_the_upstream_is_shared_and_not_kept(daemon, upstream, model, status):
    pause = upstream.pause()
    swarm = swarm_of(daemon, 50, model=model)
    pause.wait_for()
    settle(daemon, 30)
    pause.go_on.set()
    answers = swarm.answers()
    assert {answer.status for answer in answers} == {status} and len({answer.body for answer in answers}) == 1
    assert answers[0].json()["error"]["code"] == "of_the_upstream" and len(upstream.requests) == 1
    assert post(daemon, chat_of("one", model)).status == status and len(upstream.requests) == 2


@pytest.mark.parametrize("end", [cut, reset])
def test_a_call_without_an_answer_fails_once_for_all(daemon, upstream, end):
    go = threading.Event()
    upstream.script(expect_request(), wait(go), end())
    swarm = swarm_of(daemon, 50)
    upstream.wait_for_requests()
    settle(daemon, 30)
    go.set()
    answers = swarm.answers()
    assert {answer.status for answer in answers} == {502} and len(upstream.requests) == 1
    assert len({json.dumps(answer.json()) for answer in answers}) == 1
    assert state(post(daemon, chat_of("one"))) == "miss", "the next one tries again"


def test_a_get_is_tried_again_for_all_together(upstream):
    """As often as one alone would be, not once for each who waits."""
    config = routes(("/", upstream.url, "general"))
    with one_worker(upstream, FORWARD_CONFIG=config, CACHE_GENERAL="true", CACHE_ROUTES='["/page"]') as daemon:
        go = threading.Event()
        upstream.otherwise = [expect_request(), wait(go), reset()]
        swarm = Swarm(daemon, [b"GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"] * 50)
        upstream.wait_for_requests()
        settle(daemon, 30)
        go.set()
        assert {answer.status for answer in swarm.answers()} == {502} and len(upstream.requests) <= 4


def test_followers_of_http10(daemon, upstream):
    pause = upstream.pause(after=1)
    leading = swarm_of(daemon, 1, stream=True)
    pause.wait_for()
    old = Swarm(daemon, [raw_post(daemon, chat_of("one", stream=True)).replace(b"HTTP/1.1", b"HTTP/1.0")] * 3)
    old.read_until_all_have(FIRST)
    pause.go_on.set()
    told, answers = leading.answers()[0], old.answers()
    assert all(not answer.chunked() and answer.body == told.body for answer in answers) and len(upstream.requests) == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stream_that_breaks_is_cut_for_all_and_not_kept(upstream, workers):
    with caching(upstream, args=["--workers", workers]) as daemon:
        pause = upstream.pause(after=2)
        swarm = swarm_of(daemon, 50, model="break", stream=True)
        pause.wait_for()
        swarm.read_until_all_have(FIRST)
        pause.go_on.set()
        answers = swarm.answers()
        assert {answer.ended for answer in answers} == {"cut"} and len(upstream.requests) == 1
        assert len({answer.body for answer in answers}) == 1, "each has what came before it broke"
        upstream.pauses.clear()
        again = post(daemon, chat_of("one", "break", stream=True))
        assert state(again) == "miss" and len(upstream.requests) == 2


def test_followers_of_another_form_get_an_error_when_it_breaks(daemon, upstream):
    """Half a stream is no answer, and their own head has not gone out yet."""
    pause = upstream.pause(after=2)
    leading = swarm_of(daemon, 1, model="break", stream=True)
    pause.wait_for()
    plain = swarm_of(daemon, 5, model="break")
    settle(daemon)
    pause.go_on.set()
    assert leading.answers()[0].ended == "cut"
    assert {answer.status for answer in plain.answers()} == {502} and len(upstream.requests) == 1


def test_a_silent_upstream_times_out_once_for_all(upstream):
    with one_worker(upstream, FIRST_BYTE_TIMEOUT="1") as daemon:
        upstream.script(expect_request(), hold())
        swarm = swarm_of(daemon, 20)
        upstream.wait_for_requests()
        answers = swarm.answers()
        assert answers[0].status == 504 and {answer.status for answer in answers} <= {504, 200}
        assert [answer.status for answer in answers].count(504) >= 1


def test_an_upstream_that_cannot_be_reached(upstream):
    with CacheUpstream() as gone:
        config = routes(("/", gone.url))
    with one_worker(upstream, FORWARD_CONFIG=config) as daemon:
        assert {answer.status for answer in swarm_of(daemon, 20).answers()} == {502}


# --- Keys and the daemon's end ---

@pytest.mark.parametrize("status", ["401 Unauthorized", "429 Too Many Requests"])
def test_a_refused_key_rests_and_the_refusal_is_shared(upstream, status):
    """One call, one key, one rest: the next call takes the other key."""
    keyed = {"OPENAI_API_KEY_CONFIG": ",".join(KEYS), "FORWARD_KEY_CONFIG": '["fk-zero"]'}
    with one_worker(upstream, **keyed) as daemon:
        pause = upstream.pause()
        swarm = swarm_of(daemon, 20, bearer("fk-zero"), model="error-" + status[:3])
        pause.wait_for()
        settle(daemon, 20)
        pause.go_on.set()
        assert {answer.status for answer in swarm.answers()} == {int(status[:3])} and len(upstream.requests) == 1
        tired = upstream.requests[0].get("authorization")
        for number in range(4):
            assert post(daemon, chat_of(f"more {number}"), bearer("fk-zero")).status == 200
            assert upstream.requests[-1].get("authorization") not in (None, tired)


def test_a_daemon_that_ends_brings_a_shared_call_to_its_end(upstream):
    with caching(upstream, args=["--workers", "2"], DRAIN_TIMEOUT="60") as daemon:
        pause = upstream.pause(after=1)
        swarm = swarm_of(daemon, 50, stream=True)
        pause.wait_for()
        swarm.read_until_all_have(FIRST)
        daemon.signal()
        eventually(lambda: refuses(daemon), "it takes no more connections")
        pause.go_on.set()
        answers = swarm.answers()
        assert {answer.ended for answer in answers} == {"complete"} and len({answer.body for answer in answers}) == 1
        assert daemon.wait() == 0


def refuses(daemon) -> bool:
    try:
        return daemon.ask("GET", "/readyz").status == 503
    except (ConnectionError, Cut, OSError):
        return True


def test_a_daemon_that_may_not_wait_ends_all_the_same(upstream):
    with caching(upstream, args=["--workers", "2"], DRAIN_TIMEOUT="1") as daemon:
        pause = upstream.pause(after=1)
        swarm = swarm_of(daemon, 50, stream=True)
        pause.wait_for()
        swarm.read_until_all_have(FIRST)
        daemon.signal()
        assert daemon.wait() == 0
        assert {answer.ended for answer in swarm.answers()} == {"cut"}
        assert upstream.connections[0].closed.wait(30)
