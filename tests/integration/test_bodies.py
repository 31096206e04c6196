"""Bodies of every framing, both ways, whole and in pieces."""
import gzip
import os
import threading
import zlib

import pytest

from harness import (LAST_CHUNK, Daemon, Upstream, answer, chunk, cut, expect_head, expect_request, hold, is_sanitized,
                     ok, one_byte_at_a_time, read_body, routes, send, send_all, wait)

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
BLOCK = os.urandom(1 << 20)
MEGABYTES = 200


@pytest.mark.parametrize("size", [0, 1, 1023, 5000, 65536, 65537, 131_071, 131_072, 131_073, 3_000_001])
def test_content_length_both_ways(daemon, upstream, size):
    body = (BLOCK * 3)[:size]
    upstream.script(expect_request(), send(answer(body=body)))
    response = daemon.ask("POST", "/v1/x", body=body)
    assert response.ended == "complete" and response.body == body
    assert response.content_length() == size and not response.chunked()
    request = upstream.requests[0]
    assert request.body == body and request.content_length() == size and not request.chunked()


@pytest.mark.parametrize("pieces", [[], [b"a"], [b"hello ", b"world"], [BLOCK[:70000], b"x", BLOCK[:5]]])
def test_chunked_request(daemon, upstream, client, pieces):
    client.method = "POST"
    client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.send(b"".join(chunk(piece) for piece in pieces) + LAST_CHUNK)
    assert client.read_response().status == 200
    assert upstream.requests[0].body == b"".join(pieces)


def test_chunked_request_passes_piece_by_piece(daemon, upstream, client):
    client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    for number in range(5):
        client.send(chunk(b"%d" % number))
        request = upstream.wait_for_requests()[0]
        upstream.wait_for(lambda: len(b"".join(p for _, p in request.pieces)) == number + 1, f"piece {number}")
    client.send(LAST_CHUNK)
    assert client.read_response().status == 200


def test_content_length_request_passes_as_it_arrives(daemon, upstream, client):
    client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nab")
    request = upstream.wait_for_requests()[0]
    upstream.wait_for(lambda: b"".join(piece for _, piece in request.pieces) == b"ab", "the first half")
    client.send(b"cdef")
    assert client.read_response().status == 200
    assert request.body == b"abcdef"


def test_rest_of_a_long_body_waits_for_the_client(daemon, upstream, client):
    client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + BLOCK[:150_000])
    request = upstream.wait_for_requests()[0]
    upstream.wait_for(lambda: b"".join(piece for _, piece in request.pieces) == BLOCK[:150_000], "what was sent")
    client.send(BLOCK[150_000:200_000] + b"GET /v1/y HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.read_response("POST").status == 200 and client.read_response().status == 200
    assert request.body == BLOCK[:200_000] and upstream.requests[1].target == "/v1/y"


@pytest.mark.parametrize("size", [5_000, 100_000, 300_000])
def test_long_chunked_body_with_a_request_behind_it(daemon, upstream, client, size):
    body = BLOCK[:size]
    client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + chunk(body) + LAST_CHUNK + b"GET /v1/y HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.read_response("POST").status == 200 and client.read_response().status == 200
    assert upstream.requests[0].body == body and upstream.requests[1].target == "/v1/y"


def test_chunk_extensions_and_odd_chunk_sizes_are_normalised(daemon, upstream, client):
    client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                b"0005;name=value\r\nhello\r\nA;x=\"y z\"\r\n0123456789\r\n0\r\n\r\n")
    response = client.read_response("POST")
    assert response.status in (200, 400)
    if response.status == 200:
        assert upstream.requests[0].body == b"hello0123456789"


def test_chunked_response(daemon, upstream, client):
    pieces = [b"a", b"bc" * 1000, BLOCK[:100_000]]
    upstream.script(expect_request(), send(CHUNKED + b"".join(chunk(piece) for piece in pieces) + LAST_CHUNK))
    response = client.ask("GET", "/v1/x")
    assert response.ended == "complete" and response.body == b"".join(pieces)
    assert client.ask("GET", "/v1/y").status == 200


def test_chunked_response_one_byte_at_a_time(daemon, upstream, client):
    upstream.script(expect_request(), one_byte_at_a_time(CHUNKED + chunk(b"hello") + chunk(b"world") + LAST_CHUNK))
    response = client.ask("GET", "/v1/x")
    assert response.ended == "complete" and response.body == b"helloworld"


def test_chunk_extensions_of_the_upstream(daemon, upstream, client):
    upstream.script(expect_request(), send(CHUNKED + b"5;a=b\r\nhello\r\n000\r\n\r\n"))
    response = client.ask("GET", "/v1/x")
    assert response.ended == "complete" and response.body == b"hello"


def test_request_one_byte_at_a_time(daemon, upstream, client):
    client.one_byte_at_a_time(b"POST /v1/x?a=b HTTP/1.1\r\nHost: a\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n"
                              b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n")
    assert client.read_response("POST").status == 200
    assert upstream.requests[0].body == b"hello!" and upstream.requests[0].target == "/v1/x?a=b"


def test_expect_100_continue(daemon, upstream, client):
    client.request("POST", "/v1/x", [("Expect", "100-continue"), ("Content-Length", "5")])
    assert client.reader.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
    client.send(b"hello")
    response = client.read_response()
    assert response.status == 200 and upstream.requests[0].body == b"hello"
    assert client.ask("GET", "/v1/y").status == 200


def test_expect_100_continue_with_the_body_at_once(daemon, upstream, client):
    assert client.ask("POST", "/v1/x", [("Expect", "100-continue")], b"hello").status == 200
    assert upstream.requests[0].body == b"hello"


def test_close_delimited_response(daemon, upstream, client):
    upstream.script(expect_request(), send(b"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nhello "), send(b"world"), cut())
    response = client.ask("GET", "/v1/x")
    assert response.ended == "complete" and response.body == b"hello world"


def test_http10_upstream(daemon, upstream, client):
    upstream.script(expect_request(), send(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), cut())
    upstream.script(expect_request(), send(b"HTTP/1.0 200 OK\r\n\r\nmore"), cut())
    assert client.ask("GET", "/v1/x").body == b"ok"
    assert daemon.ask("GET", "/v1/x").body == b"more"


def test_head(daemon, upstream, client):
    upstream.script(expect_request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nX-A: b\r\n\r\n"))
    upstream.script(expect_request(), send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
    response = client.ask("HEAD", "/v1/x")
    assert response.status == 200 and response.get("content-length") == "1234" and response.get("x-a") == "b"
    assert client.ask("HEAD", "/v1/x").status == 200
    assert client.ask("GET", "/v1/y").body == b"ok"
    assert [request.method for request in upstream.requests] == ["HEAD", "HEAD", "GET"]


@pytest.mark.parametrize("status, extra", [
    ("204 No Content", b""), ("304 Not Modified", b""), ("304 Not Modified", b"Content-Length: 99\r\n"),
    ("304 Not Modified", b"ETag: \"x\"\r\n"),
])
def test_answers_without_a_body(daemon, upstream, client, status, extra):
    upstream.script(expect_request(), send(b"HTTP/1.1 " + status.encode() + b"\r\n" + extra + b"\r\n"))
    response = client.ask("GET", "/v1/x")
    assert response.start == "HTTP/1.1 " + status and response.body == b""
    assert client.ask("GET", "/v1/y").body == b"ok"


@pytest.mark.parametrize("interim", [
    b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\n\r\n" * 3, b"HTTP/1.1 199 Odd\r\nContent-Length: 5\r\n\r\n",
])
def test_interim_answers_are_never_the_answer(daemon, upstream, client, interim):
    upstream.script(expect_request(), send(interim), send(ok(b"final")))
    response = client.ask("POST", "/v1/x", body=b"{}")
    assert response.status == 200 and response.body == b"final"
    assert client.ask("GET", "/v1/y").body == b"ok"


def test_very_many_interim_answers_do_no_harm(daemon, upstream, client):
    upstream.script(expect_request(), send_all(lambda: (b"HTTP/1.1 102 Processing\r\n\r\n" for _ in range(200_000))),
                    send(ok(b"late")))
    response = client.ask("POST", "/v1/x", body=b"{}")
    assert response.status in (200, 502)
    upstream.failures.clear()  # the upstream may have found its connection closed


def test_http10_client(daemon, upstream):
    upstream.script(expect_request(), send(CHUNKED + chunk(b"hello") + chunk(b"world") + LAST_CHUNK))
    with daemon.client() as client:
        client.send(b"GET /v1/x HTTP/1.0\r\n\r\n")
        response = client.read_head("GET")
        assert response.status == 200 and not response.all("transfer-encoding")
        assert client.body.rest() == b"helloworld"
        assert client.at_end()
    assert upstream.requests[0].all("host") == [upstream.authority]


def test_http10_client_with_content_length(daemon, upstream):
    with daemon.client() as client:
        client.send(b"POST /v1/x HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        assert client.read_response("POST").body == b"ok"
        assert client.at_end()
    assert upstream.requests[0].body == b"hello"


def test_http10_cut_stream_is_not_a_clean_end(daemon, upstream):
    """Nothing marks the end for such a client but the connection: so it is reset."""
    upstream.script(expect_request(), send(CHUNKED + chunk(b"hello")), cut())
    with daemon.client() as client:
        client.send(b"GET /v1/x HTTP/1.0\r\n\r\n")
        with pytest.raises(ConnectionError):
            client.reader.to_end()


def test_connection_close_of_the_client(daemon, upstream, client):
    response = client.ask("GET", "/v1/x", [("Connection", "close")])
    assert response.body == b"ok" and response.tokens("connection") == ["close"]
    assert client.at_end()


def test_connection_close_of_the_upstream(daemon, upstream, client):
    upstream.script(expect_request(), send(answer(fields=[("Connection", "close")], body=b"bye")), cut())
    assert client.ask("GET", "/v1/x").body == b"bye"
    assert client.ask("GET", "/v1/y").body == b"ok"
    assert upstream.requests[0].connection != upstream.requests[1].connection


def test_pipelining(daemon, upstream, client):
    for number in range(8):
        upstream.script(expect_request(), send(answer(body=b"answer %d" % number)))
    client.send(b"".join(b"POST /v1/%d HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n%02d" % (number, number)
                         for number in range(8)))
    for number in range(8):
        assert client.read_response("POST").body == b"answer %d" % number
    assert [request.body for request in upstream.requests] == [b"%02d" % number for number in range(8)]


def test_pipelined_behind_a_stream(daemon, upstream, client):
    go = threading.Event()
    upstream.script(expect_request(), send(CHUNKED + chunk(b"one")), wait(go), send(chunk(b"two") + LAST_CHUNK))
    client.send(b"GET /v1/a HTTP/1.1\r\nHost: a\r\n\r\n")
    client.read_head("GET")
    assert client.body.take(3) == b"one"
    client.send(b"GET /v1/b HTTP/1.1\r\nHost: a\r\n\r\n")
    go.set()
    assert client.body.rest() == b"two"
    assert client.read_response("GET").body == b"ok"
    assert [request.target for request in upstream.requests] == ["/v1/a", "/v1/b"]


def test_empty_lines_before_a_request(daemon, upstream, client):
    client.send(b"\r\n\r\nGET /v1/x HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.read_response("GET").status in (200, 400)


def test_gzip_passes_untouched(daemon, upstream, client):
    packed = gzip.compress(b'{"a": "' + b"b" * 5000 + b'"}')
    upstream.script(expect_request(), send(answer(fields=[("Content-Encoding", "gzip")], body=packed)))
    response = client.ask("POST", "/v1/x", [("Content-Encoding", "gzip"), ("Accept-Encoding", "gzip")], packed)
    assert response.body == packed and response.get("content-encoding") == "gzip"
    assert upstream.requests[0].body == packed
    assert upstream.requests[0].get("content-encoding") == "gzip"
    assert upstream.requests[0].get("accept-encoding") == "gzip"


def test_trailers_of_the_client_are_dropped(daemon, upstream, client):
    client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                b"2\r\nok\r\n0\r\nX-Sum: 1\r\nAuthorization: Bearer evil\r\n\r\n")
    assert client.read_response("POST").status == 200
    request = upstream.requests[0]
    assert request.body == b"ok" and request.trailers == []
    assert not {"x-sum", "authorization", "trailer"} & set(request.names())


def test_trailers_of_the_upstream_are_dropped(daemon, upstream, client):
    upstream.script(expect_request(), send(CHUNKED + chunk(b"ok") + b"0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n"))
    response = client.ask("GET", "/v1/x")
    assert response.body == b"ok" and response.ended == "complete"
    assert client.body.trailers == [] and not {"x-sum", "set-cookie"} & set(response.names())
    assert client.ask("GET", "/v1/y").body == b"ok"


def test_bodies_of_get_and_delete_pass(daemon, upstream, client):
    for method in ("GET", "DELETE"):
        assert client.ask(method, "/v1/x", body=b'{"a":1}').status == 200
    assert [request.body for request in upstream.requests] == [b'{"a":1}'] * 2


def test_answer_before_the_whole_request(daemon, upstream, client):
    """An upstream that refuses early is heard, and its unread connection is not used again."""
    upstream.script(expect_head(), send(answer("413 Payload Too Large", [("Connection", "close")], b"too large")), hold())
    client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
    response = client.read_response("POST")
    assert response.status == 413 and response.body == b"too large"
    assert daemon.ask("GET", "/v1/y").body == b"ok"
    assert upstream.requests[-1].connection == 1


class Checksum:
    def __init__(self):
        self.size, self.value = 0, 0

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self.value = zlib.crc32(piece, self.value)


def checksum_of_blocks():
    total = Checksum()
    for _ in range(MEGABYTES):
        total.add(BLOCK)
    return total


def assert_memory_is_bounded(daemon, before: int) -> None:
    if not is_sanitized():
        assert daemon.peak_memory() - before < 32 << 20


def test_large_upload_at_constant_memory():
    got, due = Checksum(), checksum_of_blocks()
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url))}) as daemon:
        upstream.script(expect_head(), read_body(keep=False, each=got.add), send(ok()))
        before = daemon.peak_memory()
        with daemon.client() as client:
            client.send(b"POST /v1/files HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % due.size)
            for _ in range(MEGABYTES):
                client.send(BLOCK)
            assert client.read_response("POST").status == 200
        assert (got.size, got.value) == (due.size, due.value)
        assert_memory_is_bounded(daemon, before)


def test_large_chunked_upload_at_constant_memory():
    got, due = Checksum(), checksum_of_blocks()
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url))}) as daemon:
        upstream.script(expect_head(), read_body(keep=False, each=got.add), send(ok()))
        before = daemon.peak_memory()
        with daemon.client() as client:
            client.send(b"POST /v1/files HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(MEGABYTES):
                client.send(chunk(BLOCK))
            client.send(LAST_CHUNK)
            assert client.read_response("POST").status == 200
        assert (got.size, got.value) == (due.size, due.value)
        assert_memory_is_bounded(daemon, before)


@pytest.mark.parametrize("chunked", [False, True])
def test_large_download_at_constant_memory(chunked):
    got, due = Checksum(), checksum_of_blocks()
    head = CHUNKED if chunked else b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % due.size
    piece = chunk(BLOCK) if chunked else BLOCK
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url))}) as daemon:
        upstream.script(expect_request(), send(head), send_all(lambda: (piece for _ in range(MEGABYTES))),
                        send(LAST_CHUNK if chunked else b""))
        before = daemon.peak_memory()
        with daemon.client() as client:
            client.request("GET", "/v1/files/1/content").read_head()
            for part in iter(lambda: client.body.piece(1 << 20), b""):
                got.add(part)
        assert (got.size, got.value) == (due.size, due.value)
        assert_memory_is_bounded(daemon, before)


def test_expect_100_continue_and_an_upstream_that_refuses(daemon, upstream):
    """Its refusal is the answer, whether or not the body went up."""
    upstream.script(expect_head(), send(answer("417 Expectation Failed", [("Connection", "close")], b"no")), hold())
    with daemon.client() as client:
        client.request("POST", "/v1/x", [("Expect", "100-continue"), ("Content-Length", "5")])
        assert client.read_response().status == 417
