"""An upstream whose answer is wrong or cut never gives the client what looks like a whole, good answer."""
import threading

import pytest

from harness import LAST_CHUNK, Cut, Malformed, chunk, cut, expect_request, mark, ok, reset, send, wait

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

STATUS_LINES = [b"HTTP/1.1 99 Low", b"HTTP/1.1 1000 High", b"HTTP/1.1 20 Short", b"HTTP/1.1 2OO Letters", b"HTTP/1.1 -200 x",
                b"HTTP/1.1 000 x", b"HTTP/1.1  200 OK", b"HTTP/1.1200 OK", b"ICY 200 OK", b"HTTP/2 200 OK", b"HTTP/2.0 200 OK",
                b"HTTP/1.2 200 OK", b"HTTP/0.9 200 OK", b"HTTP/1 200 OK", b"http/1.1 200 OK", b"HTTPS/1.1 200 OK",
                b"HTTP/1.1", b"200 OK", b"garbage", b"<html>hello</html>", b" HTTP/1.1 200 OK", b"HTTP/1.1 200 O\x00K",
                b"HTTP/1.1 200 O\rK", b"\x15\x03\x03\x00\x02\x02", b"{\"error\": 1}", b"HTTP/1.1\t200\tOK"]

FIELDS = [b"Content-Length: 5\r\nContent-Length: 6", b"Content-Length: 5, 6", b"Content-Length: +5", b"Content-Length: -5",
          b"Content-Length: five", b"Content-Length:", b"Content-Length: 5 5", b"Content-Length: 0x5", b"Content-Length: 5.0",
          b"Content-Length: 99999999999999999999999", b"Content-Length: 18446744073709551621",
          b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 5",
          b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked, identity", b"Transfer-Encoding: chunked, chunked",
          b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"X-A: b\r\n c\r\nContent-Length: 5", b"X-A: b\r\n\tc\r\nContent-Length: 5",
          b" X-A: b\r\nContent-Length: 5", b"X A: b\r\nContent-Length: 5", b"X-A\x00: b\r\nContent-Length: 5",
          b"X-A: b\x00\r\nContent-Length: 5", b"X-A: b\rX-B: c\r\nContent-Length: 5", b"nonsense\r\nContent-Length: 5",
          b": b\r\nContent-Length: 5", b"X-A: b\nX-B: c\r\nContent-Length: 5", b"Transfer-Encoding: \x0bchunked"]

CHUNKS = [b"", b"g\r\nhello\r\n", b"-5\r\nhello\r\n", b"0x5\r\nhello\r\n", b" 5\r\nhello\r\n", b"+5\r\nhello\r\n",
          b"FFFFFFFFFFFFFFFFF\r\nhello\r\n", b"10000000000000005\r\nhello\r\n", b"8000000000000000\r\nhello\r\n",
          b"5\nhello\r\n", b"5\r\nhello\n", b"5\r\nhelloXX", b"5\r\nhello world\r\n", b"\r\nhello\r\n",
          b"5;" + b"x" * 100_000 + b"\r\nhello\r\n"]


def outcome(client, method: str = "GET"):
    """What the client makes of it: a status of a complete answer, or "cut"."""
    client.request(method, "/v1/x", body=b"{}" if method == "POST" else None)
    try:
        response = client.read_response()
    except (Cut, ConnectionError):
        return "cut"
    return response.status if response.ended == "complete" else "cut"


def assert_never_clean(daemon, upstream, answers, due=("cut", 502)) -> None:
    wrong = []
    for raw in answers:
        upstream.reset()
        upstream.script(expect_request(), send(raw), cut())
        with daemon.client() as client:
            try:
                got = outcome(client, "POST")
            except Malformed as fault:
                got = f"malformed to the client: {fault}"
        if got not in due:
            wrong.append(f"{raw[:150]!r}: {got}")
        if len(upstream.requests) != 1:
            wrong.append(f"{raw[:150]!r}: sent {len(upstream.requests)} times")
    assert not wrong, f"{len(wrong)} of {len(answers)}:\n" + "\n".join(wrong)


def test_bad_status_lines_are_502(daemon, upstream):
    assert_never_clean(daemon, upstream, [line + b"\r\nContent-Length: 5\r\n\r\nhello" for line in STATUS_LINES], due=(502,))


def test_bad_fields_are_502(daemon, upstream):
    body = chunk(b"hello") + LAST_CHUNK
    assert_never_clean(daemon, upstream, [OK + fields + b"\r\n\r\n" + body for fields in FIELDS], due=(502,))


@pytest.mark.parametrize("field", [b"Content-Length : 5", b"X-A : b\r\nContent-Length: 5"])
def test_space_before_a_colon_is_removed_or_502(daemon, upstream, client, field):
    upstream.script(expect_request(), send(OK + field + b"\r\n\r\nhello"), cut())
    assert outcome(client) in (200, 502)


def test_equal_content_lengths_pass_as_one_or_not_at_all(daemon, upstream, client):
    upstream.script(expect_request(), send(OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"))
    assert outcome(client) in (200, 502)


def test_bad_chunks_are_cut(daemon, upstream):
    assert_never_clean(daemon, upstream, [CHUNKED + chunk(b"first") + bad for bad in CHUNKS], due=("cut", 502))


def test_cut_bodies_are_cut(daemon, upstream):
    assert_never_clean(daemon, upstream, [
        OK + b"Content-Length: 10\r\n\r\n", OK + b"Content-Length: 10\r\n\r\nhello", CHUNKED, CHUNKED + b"5",
        CHUNKED + b"5\r\nhel", CHUNKED + b"5\r\nhello", CHUNKED + chunk(b"hello"), CHUNKED + chunk(b"hello") + b"0",
        CHUNKED + chunk(b"hello") + b"0\r\n", CHUNKED + chunk(b"hello") + b"0\r\nX-A: b\r\n",
    ], due=("cut", 502))


def test_cut_heads_are_502(daemon, upstream):
    assert_never_clean(daemon, upstream, [b"", b"H", b"HTTP/1.1 200 OK", OK, OK + b"Content-Le", OK + b"X-A: b\r\n",
                                          b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLi"], due=(502,))


@pytest.mark.parametrize("head, body", [(OK + b"Content-Length: 10\r\n\r\n", b"hello"), (CHUNKED, chunk(b"hello"))])
def test_reset_bodies_are_cut(daemon, upstream, head, body):
    upstream.script(expect_request(), send(head + body), reset())
    with daemon.client() as client:
        assert outcome(client, "POST") in ("cut", 502)


def test_reset_of_a_close_delimited_body_is_cut(daemon, upstream):
    """Its FIN would be the end; a reset is none."""
    upstream.script(expect_request(), send(OK + b"\r\n" + b"hello"), reset())
    with daemon.client() as client:
        assert outcome(client, "POST") in ("cut", 502)


def test_unasked_101_is_502(daemon, upstream):
    switching = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nraw bytes"
    assert_never_clean(daemon, upstream, [switching], due=(502,))


def test_head_over_the_limit_is_502(daemon, upstream):
    assert_never_clean(daemon, upstream, [OK + b"X-A: " + b"v" * 1_000_000 + b"\r\n\r\n",
                                          OK + b"X-A: b\r\n" * 50_000 + b"\r\n"], due=(502,))


EXTRA = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


@pytest.mark.parametrize("first", [
    ok(b"good") + EXTRA, CHUNKED + chunk(b"good") + LAST_CHUNK + EXTRA, ok(b"good") + b"more of it",
    b"HTTP/1.1 204 No Content\r\n\r\n" + EXTRA, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n" + EXTRA,
])
def test_bytes_beyond_an_answer_are_never_the_next_answer(daemon, upstream, client, first):
    upstream.script(expect_request(), send(first))
    client.ask("GET", "/v1/one")
    response = client.ask("GET", "/v1/two")
    assert response.body == b"ok"
    assert [request.target for request in upstream.requests] == ["/v1/one", "/v1/two"]


def test_head_answered_with_a_body_does_not_poison_the_next(daemon, upstream, client):
    upstream.script(expect_request(), send(ok(b"body of a HEAD")))
    client.ask("HEAD", "/v1/one")
    assert client.ask("GET", "/v1/two").body == b"ok"


def test_late_extra_bytes_are_never_the_next_answer(daemon, upstream, client):
    """They come while the connection waits in the pool."""
    go, sent = threading.Event(), threading.Event()
    upstream.script(expect_request(), send(ok(b"good")), wait(go), send(EXTRA), mark(sent))
    assert client.ask("GET", "/v1/one").body == b"good"
    go.set()
    assert sent.wait(30)
    assert client.ask("GET", "/v1/two").body == b"ok"


def test_local_error_after_an_upstream_fault_is_whole(daemon, upstream, client):
    upstream.script(expect_request(), send(b"garbage\r\n\r\n"), cut())
    response = client.ask("POST", "/v1/chat/completions", body=b"{}")
    assert response.status == 502 and response.ended == "complete"
    error = response.json()["error"]
    assert isinstance(error["message"], str) and {"type", "param", "code"} <= set(error)
    assert client.ask("GET", "/v1/y").body == b"ok"
