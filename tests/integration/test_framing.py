"""Requests whose framing is wrong or ambiguous are refused, their connection is closed, and nothing of them goes up.

Sources of the cases: RFC 9112 and 9110, and the disguises that smuggler and http-garden try.
"""
import itertools
import socket

import pytest

from harness import LAST_CHUNK, Daemon, RawClient, Upstream, chunk, expect_head, hold, routes

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
REFUSALS = {400, 404, 405, 408, 413, 414, 421, 426, 431, 501, 505}
SETTINGS = {"CLIENT_TIMEOUT": "3"}  # ends what waits for more


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST /v1/x HTTP/1.1", *lines]) + b"\r\n\r\n" + body


def with_te(line: bytes) -> bytes:
    """A chunked body under a disguised Transfer-Encoding; read as no body, the rest is a second request."""
    return post(b"Host: a", line, body=chunk(SMUGGLED) + LAST_CHUNK)


def te_disguises():
    tokens = [b"identity", b"xchunked", b"chunkedx", b"chunked, identity", b"identity, chunked", b"gzip, chunked",
              b"chunked, chunked", b"gzip", b"deflate", b"", b",", b"chunked,", b",chunked", b"chunked;q=1",
              b"\"chunked\"", b"'chunked'", b"chunked\x00", b"\x00chunked", b"chun\x00ked", b"chunked\x0b", b"\x0bchunked",
              b"\x0cchunked", b"chunked\x7f", b"\xa0chunked", b"chunked\xff", b"ch\xc3\xbcnked", b"chunk", b"c hunked",
              b"chunked chunked", b"chunked, cow", b"cow, chunked", b"chunked\x01", b"[chunked]", b"{chunked}", b"(chunked)"]
    for token in tokens:
        yield f"te {token!r}", with_te(b"Transfer-Encoding: " + token)
    names = [b"Transfer-Encoding ", b" Transfer-Encoding", b"\tTransfer-Encoding", b"Transfer-Encoding\t",
             b"Transfer\x00Encoding", b"Transfer-Encoding\x00", b"\x0bTransfer-Encoding", b"Transfer-Encoding\x0b",
             b"Transfer Encoding", b"\x00Transfer-Encoding", b"Transfer-Encoding\xa0", b"\xffTransfer-Encoding",
             b"Transfer-Encoding\r", b"\rTransfer-Encoding", b"\"Transfer-Encoding\"", b"Transfer-Encoding;",
             b"Transfer@Encoding", b"(Transfer-Encoding"]
    for name in names:
        yield f"te name {name!r}", with_te(name + b": chunked")
    for separator in (b"\n ", b"\r\n ", b"\r\n\t", b"\r\n  \t", b"\r", b"\r ", b"\n", b"\x00", b"\x85", b"\x0b"):
        yield f"te after {separator!r}", with_te(b"Transfer-Encoding:" + separator + b"chunked")
    yield "te without a colon", with_te(b"Transfer-Encoding chunked")
    yield "te folded value", with_te(b"Transfer-Encoding: chun\r\n ked")
    yield "te twice", with_te(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")
    yield "te twice, second identity", with_te(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity")
    yield "te twice, first identity", with_te(b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked")
    yield "te twice, one empty", with_te(b"Transfer-Encoding: chunked\r\nTransfer-Encoding:")
    yield "te hidden behind a bare LF", with_te(b"X-A: b\nTransfer-Encoding: chunked")
    yield "te hidden behind a bare CR", with_te(b"X-A: b\rTransfer-Encoding: chunked")


def both_lengths():
    both = [(b"Content-Length: 4", b"Transfer-Encoding: chunked")]
    both += [(b"Content-Length: %d" % len(chunk(SMUGGLED) + LAST_CHUNK), b"Transfer-Encoding: chunked"),
             (b"Content-Length: 0", b"Transfer-Encoding: chunked"),
             (b"content-length: 4", b"TRANSFER-ENCODING: CHUNKED"),
             (b"Content-Length: 4", b"Transfer-Encoding: identity"),
             (b"Content-Length: 4", b"Transfer-Encoding: xchunked"),
             (b"Content-Length: 4", b"Transfer-Encoding:")]
    for first, second in both:
        for order in ((first, second), (second, first)):
            yield f"cl and te {order!r}", post(b"Host: a", *order, body=chunk(SMUGGLED) + LAST_CHUNK)


def content_lengths():
    values = [b"", b" ", b"+3", b"-3", b"-0", b"3 3", b"3, 3", b"3,3", b"3, 4", b"3;", b"0x3", b"3.0", b"3e0", b"3a", b"a",
              b"\"3\"", b"3\x00", b"\x003", b"3\x0b", b"\x0b3", b"3_0", b"\xd9\xa3", b"99999999999999999999999999",
              b"18446744073709551616", b"18446744073709551619", b"9223372036854775808", b"1 ", b"\r\n 3", b"3\r\n 3",
              b"3\r\n\t", b"\n3", b"3\r4", b",3", b"3,"]
    for value in values:
        if value == b"1 ":
            continue
        yield f"cl {value!r}", post(b"Host: a", b"Content-Length:" + b" " + value, body=b"abc" + SMUGGLED)
    pairs = [(b"3", b"3"), (b"3", b"4"), (b"0", b"3"), (b"3", b"0"), (b"3", b""), (b"03", b"3")]
    for first, second in pairs:
        yield f"cl twice {first!r} {second!r}", post(b"Host: a", b"Content-Length: " + first, b"X-A: b",
                                                     b"content-length: " + second, body=b"abc" + SMUGGLED)
    for name in (b"Content-Length ", b"Content-Length\t", b" Content-Length", b"Content Length", b"Content-Length\x00",
                 b"Content-Length\x0b", b"Content\x00-Length"):
        yield f"cl name {name!r}", post(b"Host: a", name + b": 3", body=b"abc" + SMUGGLED)


def chunk_faults():
    start = post(b"Host: a", b"Transfer-Encoding: chunked")
    sizes = [b"", b" 3", b"\t3", b"0x3", b"-3", b"+3", b"3 ", b"3\t", b"g", b"3g", b"3_", b"\x003", b"3\x00", b"\xef\xbc\x93",
             b"3\r", b"FFFFFFFFFFFFFFFF", b"10000000000000003", b"FFFFFFFFFFFFFFFFFFFFFFFF3", b"8000000000000000", b"3,3",
             b"3.0", b"\"3\"", b"3 3"]
    for size in sizes:
        if size in (b"3 ", b"3\t"):
            continue  # optional space before a line end: below, among what may be either
        yield f"chunk size {size!r}", start + size + b"\r\nabc\r\n" + LAST_CHUNK + SMUGGLED
    yield "chunk size ended by LF", start + b"3\nabc\r\n" + LAST_CHUNK + SMUGGLED
    yield "chunk size ended by CR", start + b"3\rabc\r\n" + LAST_CHUNK + SMUGGLED
    yield "chunk data ended by LF", start + b"3\r\nabc\n" + LAST_CHUNK + SMUGGLED
    yield "chunk data ended by CR", start + b"3\r\nabc\r" + LAST_CHUNK + SMUGGLED
    yield "chunk data without an end", start + b"3\r\nabc" + LAST_CHUNK + SMUGGLED
    yield "chunk data longer than its size", start + b"3\r\nabcdef\r\n" + LAST_CHUNK + SMUGGLED
    yield "chunk data ended by XX", start + b"3\r\nabcXX" + LAST_CHUNK + SMUGGLED
    yield "last chunk ended by LF", start + b"3\r\nabc\r\n0\n\r\n" + SMUGGLED
    yield "last line end is LF", start + b"3\r\nabc\r\n0\r\n\n" + SMUGGLED
    yield "last line end is CR", start + b"3\r\nabc\r\n0\r\n\r" + SMUGGLED
    yield "extension ended by LF", start + b"3;a=b\nabc\r\n" + LAST_CHUNK + SMUGGLED
    yield "extension with a bare CR", start + b"3;a\rb\r\nabc\r\n" + LAST_CHUNK + SMUGGLED
    yield "extension with NUL", start + b"3;a\x00b\r\nabc\r\n" + LAST_CHUNK + SMUGGLED
    yield "extension of 64 KiB", start + b"3;a=" + b"x" * 65536 + b"\r\nabc\r\n" + LAST_CHUNK + SMUGGLED
    yield "trailer with a space in its name", start + LAST_CHUNK[:-2] + b"X A: b\r\n\r\n" + SMUGGLED
    yield "trailer without a colon", start + LAST_CHUNK[:-2] + b"nonsense\r\n\r\n" + SMUGGLED
    yield "trailer with NUL", start + LAST_CHUNK[:-2] + b"X-A: \x00\r\n\r\n" + SMUGGLED
    yield "trailers of 128 KiB", start + LAST_CHUNK[:-2] + b"X-A: " + b"y" * 131072 + b"\r\n\r\n" + SMUGGLED


def hosts():
    get = b"GET /v1/x HTTP/1.1\r\n"
    yield "no host", get + b"\r\n" + SMUGGLED
    for value in (b"a b", b"a\x00b", b"a\x01", b"a/b", b"a?b", b"a#b", b"a@b", b"http://a", b"a:b", b"[::1",
                  b"a\\b", b"<a>", b"\xc3\xbc", b"a:-1", b"a:80:80", b"[1.2.3.4", b"a b:80", b"a\r\n b", b"%zz"):
        yield f"host {value!r}", get + b"Host: " + value + b"\r\n\r\n" + SMUGGLED
    for first, second in ((b"a", b"a"), (b"a", b"b"), (b"a", b""), (b"", b"a")):
        yield f"hosts {first!r} {second!r}", get + b"Host: " + first + b"\r\nX-A: b\r\nhost: " + second + b"\r\n\r\n" + SMUGGLED
    for name in (b"Host ", b" Host", b"Host\t", b"Host\x00", b"Ho st"):
        yield f"host name {name!r}", get + name + b": a\r\n\r\n" + SMUGGLED


def field_faults():
    get = b"GET /v1/x HTTP/1.1\r\nHost: a\r\n"
    for byte in itertools.chain(range(0, 9), range(10, 13), range(14, 32), [127]):
        if byte == 10:
            continue
        yield f"value with {byte:#04x}", get + b"X-A: b" + bytes([byte]) + b"c\r\n\r\n" + SMUGGLED
    for byte in b" \x00\t\"(),/;<=>?@[\\]{}\x7f\x80\xff":
        yield f"name with {byte:#04x}", get + b"X" + bytes([byte]) + b"A: b\r\n\r\n" + SMUGGLED
    yield "empty name", get + b": b\r\n\r\n" + SMUGGLED
    yield "line without a colon", get + b"nonsense\r\n\r\n" + SMUGGLED
    yield "folded value", get + b"X-A: b\r\n c\r\n\r\n" + SMUGGLED
    yield "folded value, tab", get + b"X-A: b\r\n\tc\r\n\r\n" + SMUGGLED
    yield "line of spaces", get + b"X-A: b\r\n   \r\n\r\n" + SMUGGLED
    yield "space before the first field", b"GET /v1/x HTTP/1.1\r\n Host: a\r\n\r\n" + SMUGGLED
    yield "bare LF between fields", get + b"X-A: b\nX-B: c\r\n\r\n" + SMUGGLED
    yield "bare LF at every line end", b"GET /v1/x HTTP/1.1\nHost: a\n\n" + SMUGGLED
    yield "bare LF at the end", get + b"X-A: b\r\n\n" + SMUGGLED
    yield "bare CR in a value", get + b"X-A: b\rX-B: c\r\n\r\n" + SMUGGLED
    yield "CR CR LF", get + b"X-A: b\r\r\n\r\n" + SMUGGLED


def request_lines():
    def line(start: bytes) -> bytes:
        return start + b"\r\nHost: a\r\n\r\n" + SMUGGLED
    for version in (b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.", b"HTTP/1", b"HTTP/11", b"HTTP/1.10", b"http/1.1",
                    b"HTTP/ 1.1", b"HTTP/1.1x", b"HTTP/1.1 ", b"HTTPS/1.1", b"ICY/1.1", b"HTTP/01.1", b"HTTP/1,1",
                    b"HTTP/-1.1", b"HTTP/1.1\t", b"HTTP/1.1 HTTP/1.1"):
        yield f"version {version!r}", line(b"GET /v1/x " + version)
    for target in (b"v1/x", b"", b"/v1/\x00x", b"/v1/\x01x", b"/v1/\x7fx", b"/v1/ x", b"/v1/\tx", b"/v1/x#fragment",
                   b"\\v1\\x", b"a:80", b"?x=1", b"ftp://a/x", b"http://", b"http:///x", b"http:/a", b"http://a:b/x",
                   b"http://user@a/x", b"/v1/\xff", b"/v1/\xe4\xbd\xa0", b"../v1", b"/v1/x\x0b", b"http://a b/x"):
        yield f"target {target!r}", line(b"GET " + target + b" HTTP/1.1")
    for start in (b"GET", b"GET /v1/x", b"GET  /v1/x HTTP/1.1", b"GET /v1/x  HTTP/1.1", b" GET /v1/x HTTP/1.1",
                  b"\tGET /v1/x HTTP/1.1", b"GET\t/v1/x\tHTTP/1.1", b"GE T /v1/x HTTP/1.1", b"G(T /v1/x HTTP/1.1",
                  b"GET\x00 /v1/x HTTP/1.1", b"\x00GET /v1/x HTTP/1.1", b"GET: /v1/x HTTP/1.1", b"GET /v1/x\rHTTP/1.1",
                  b"GET /v1/x HTTP/1.1\r", b"G\xffT /v1/x HTTP/1.1", b"/v1/x HTTP/1.1", b"GET/v1/x HTTP/1.1",
                  b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0", b"CONNECT a:80 HTTP/1.1",
                  b"CONNECT /v1/x HTTP/1.1", b"CONNECT http://a/ HTTP/1.1", b"TRACE /v1/x HTTP/1.1"):
        if start.startswith(b"TRACE"):
            continue
        yield f"request line {start!r}", line(start)


def http10_faults():
    yield "te in HTTP/1.0", (b"POST /v1/x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                             + chunk(SMUGGLED) + LAST_CHUNK)
    yield "te in HTTP/1.0 with keep-alive", (b"POST /v1/x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n"
                                             b"Transfer-Encoding: chunked\r\n\r\n" + chunk(SMUGGLED) + LAST_CHUNK)
    yield "te and cl in HTTP/1.0", (b"POST /v1/x HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked"
                                    b"\r\n\r\n" + chunk(SMUGGLED) + LAST_CHUNK)
    yield "two hosts in HTTP/1.0", b"GET /v1/x HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n" + SMUGGLED


def send_ignoring_a_close(client: RawClient, data: bytes) -> None:
    try:
        client.send(data)
    except ConnectionError:
        pass  # refused before all of it was read


def answers_until_closed(client: RawClient):
    """Statuses of all answers on a connection that must come to its end; None where it does not."""
    statuses = []
    try:
        while client.reader.buffer or client.reader.fill():
            statuses.append(client.read_response("POST").status)
            if statuses[-1] not in REFUSALS:
                break
    except ConnectionError:
        pass
    except socket.timeout:
        statuses.append(None)
    return statuses


def assert_refused(daemon, upstream, cases) -> None:
    wrong = []
    for name, raw in cases:
        seen = len(upstream.requests)
        with daemon.client(seconds=15) as client:
            send_ignoring_a_close(client, raw)
            statuses = answers_until_closed(client)
        if any(status not in REFUSALS for status in statuses) or len(statuses) > 1:
            wrong.append(f"{name}: answered {statuses}")
        smuggled = [request.start for request in upstream.requests[seen:] if "smuggled" in request.target]
        if smuggled:
            wrong.append(f"{name}: the upstream got {smuggled}")
    wrong += upstream.faults
    upstream.faults.clear()
    assert not wrong, f"{len(wrong)} of {len(cases)} cases:\n" + "\n".join(wrong)


GROUPS = {"transfer_encoding": te_disguises, "both_lengths": both_lengths, "content_length": content_lengths,
          "host": hosts, "fields": field_faults, "request_line": request_lines, "http10": http10_faults}


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_wrong_heads_are_refused_and_nothing_goes_up(daemon, upstream, group):
    cases = list(GROUPS[group]())
    assert_refused(daemon, upstream, cases)
    assert upstream.requests == []


def test_wrong_chunks_are_refused(daemon, upstream):
    """The head may have gone up by then; the body never looks complete there."""
    cases = list(chunk_faults())
    assert_refused(daemon, upstream, cases)
    assert not [request.start for request in upstream.requests if request.body_complete]


def test_there_are_enough_cases():
    assert sum(len(list(group())) for group in [*GROUPS.values(), chunk_faults]) >= 200


def test_a_refusal_answers_and_then_closes(daemon, upstream):
    """Without the client closing first: it must be told, and the connection ends by itself."""
    for raw in (post(b"Host: a", b"Content-Length: 3", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
                with_te(b"Transfer-Encoding: xchunked"), b"GET /v1/x HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n"):
        with daemon.client() as client:
            response = client.send(raw).read_response("POST")
            assert response.status in (400, 501)
            assert response.get("content-type").startswith("application/json")
            assert response.json()["error"]["message"]
            assert client.at_end()
    assert upstream.requests == []


EITHER = [
    ("space after a chunk size", post(b"Host: a", b"Transfer-Encoding: chunked", body=b"3 \r\nabc\r\n" + LAST_CHUNK)),
    ("tab after a chunk size", post(b"Host: a", b"Transfer-Encoding: chunked", body=b"3\t\r\nabc\r\n" + LAST_CHUNK)),
    ("tab around te", post(b"Host: a", b"Transfer-Encoding:\tchunked\t", body=b"3\r\nabc\r\n" + LAST_CHUNK)),
    ("leading zeros in a chunk size", post(b"Host: a", b"Transfer-Encoding: chunked", body=b"003\r\nabc\r\n000\r\n\r\n")),
    ("leading zeros in cl", post(b"Host: a", b"Content-Length: 003", body=b"abc")),
    ("cl in a trailer", post(b"Host: a", b"Transfer-Encoding: chunked",
                             body=b"3\r\nabc\r\n0\r\nContent-Length: 99\r\n\r\n")),
    ("te in a trailer", post(b"Host: a", b"Transfer-Encoding: chunked",
                             body=b"3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n")),
    ("quoted extension with CRLF look-alike", post(b"Host: a", b"Transfer-Encoding: chunked",
                                                   body=b'3;a="\\r\\n"\r\nabc\r\n' + LAST_CHUNK)),
    ("unbalanced quote", post(b"Host: a", b"Transfer-Encoding: chunked", body=b'3;a="b\r\nabc\r\n' + LAST_CHUNK)),
    ("underscore twin of cl", post(b"Host: a", b"Content_Length: 99", b"Content-Length: 3", body=b"abc")),
    ("underscore twin of te", post(b"Host: a", b"Transfer_Encoding: chunked", b"Content-Length: 3", body=b"abc")),
    ("similar field names", post(b"Host: a", b"X-Transfer-Encoding: chunked", b"Transfer-Encodings: chunked",
                                 b"Content-Length: 3", body=b"abc")),
    ("empty host", b"POST /v1/x HTTP/1.1\r\nHost:\r\nContent-Length: 3\r\n\r\nabc"),
    ("host with a port", b"POST /v1/x HTTP/1.1\r\nHost: a:8000\r\nContent-Length: 3\r\n\r\nabc"),
    ("host is IPv6", b"POST /v1/x HTTP/1.1\r\nHost: [::1]:8000\r\nContent-Length: 3\r\n\r\nabc"),
    ("te in mixed case", post(b"Host: a", b"tRaNsFeR-eNcOdInG: cHuNkEd", body=b"3\r\nabc\r\n" + LAST_CHUNK)),
]


def test_what_may_be_taken_goes_up_normalised(daemon, upstream):
    for name, raw in EITHER:
        seen = len(upstream.requests)
        with daemon.client() as client:
            status = client.send(raw).read_response("POST").status
        assert status in (200, 400, 501), name
        if status == 200:
            assert [request.body for request in upstream.requests[seen:]] == [b"abc"], name
        else:
            assert not [r for r in upstream.requests[seen:] if r.body_complete], name


def test_options_star_and_trace_do_no_harm(daemon, upstream):
    for start in (b"OPTIONS * HTTP/1.1", b"TRACE /v1/x HTTP/1.1"):
        with daemon.client() as client:
            client.send(start + b"\r\nHost: a\r\n\r\n")
            assert client.read_response("GET").status < 500 or start.startswith(b"TRACE")


def test_body_cut_by_the_client_never_looks_complete(daemon, upstream):
    for raw in (post(b"Host: a", b"Content-Length: 10", body=b"abc"),
                post(b"Host: a", b"Transfer-Encoding: chunked", body=b"5\r\nabc"),
                post(b"Host: a", b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n"),
                post(b"Host: a", b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n")):
        upstream.reset()
        with daemon.client() as client:
            client.send(raw)
            connection = upstream.wait_for_connection()
            upstream.wait_for_requests()
        assert connection.closed.wait(30)
        assert not upstream.requests[0].body_complete


# --- Limits: each exceeded once, and each just kept ---

@pytest.mark.parametrize("head", [
    b"GET /v1/x HTTP/1.1\r\nHost: a\r\nX-Long: " + b"v" * 70_000 + b"\r\n\r\n",
    b"GET /v1/x HTTP/1.1\r\nHost: a\r\n" + b"n" * 70_000 + b": v\r\n\r\n",
    b"GET /v1/x HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"v" * 1000) for i in range(70)) + b"\r\n",
    b"GET /v1/" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
])
def test_head_over_64_kib_is_431(daemon, upstream, head):
    with daemon.client() as client:
        send_ignoring_a_close(client, head)
        response = client.read_response("GET")
        assert response.status in ((431,) if b"GET /v1/x HTTP" in head else (431, 414))
        assert response.json()["error"]["message"]
        assert client.at_end()
    assert upstream.requests == []


def test_endless_head_is_431(daemon, upstream):
    with daemon.client() as client:
        send_ignoring_a_close(client, b"GET /v1/x HTTP/1.1\r\nHost: a\r\nX-Endless: " + b"v" * 500_000)
        assert client.read_response("GET").status == 431


def test_more_than_256_fields_is_431(daemon, upstream):
    def head(count: int) -> bytes:
        return (b"GET /v1/x HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: v\r\n" % i for i in range(count - 1)) + b"\r\n")
    with daemon.client() as client:
        assert client.send(head(257)).read_response("GET").status == 431
        assert client.at_end()
    with daemon.client() as client:
        assert client.send(head(250)).read_response("GET").status == 200
    assert len(upstream.requests) == 1


@pytest.fixture(scope="module")
def small():
    """A daemon that takes bodies of up to 1000 bytes."""
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)),
                                         "MAX_BODY_BYTES": "1000"}) as daemon:
        yield daemon, upstream


def test_content_length_over_max_body_bytes_is_413(small):
    daemon, upstream = small
    upstream.reset()
    with daemon.client() as client:
        response = client.request("POST", "/v1/x", [("Content-Length", "1001")]).read_response()
        assert response.status == 413 and "1000" in response.json()["error"]["message"]
    assert upstream.requests == []
    assert daemon.ask("POST", "/v1/x", body=b"x" * 1000).status == 200


def test_content_length_over_the_limit_with_expect_is_413_without_100(small):
    daemon, upstream = small
    upstream.reset()
    with daemon.client() as client:
        response = client.request("POST", "/v1/x", [("Content-Length", "1001"), ("Expect", "100-continue")]).read_response()
        assert response.status == 413 and not response.interim


def test_chunked_over_max_body_bytes_is_413(small):
    daemon, upstream = small
    upstream.reset()
    with daemon.client() as client:
        client.send(post(b"Host: a", b"Transfer-Encoding: chunked"))
        for _ in range(2):
            client.send(chunk(b"x" * 600))
        send_ignoring_a_close(client, LAST_CHUNK)
        response = client.read_response("POST")
        assert response.status == 413 and response.json()["error"]["message"]
        assert client.at_end()
    with daemon.client() as client:  # all of it at once
        client.send(post(b"Host: a", b"Transfer-Encoding: chunked") + chunk(b"x" * 600) * 2 + LAST_CHUNK)
        assert client.read_response("POST").status == 413 and client.at_end()
    assert not any(request.body_complete for request in upstream.requests)
    with daemon.client() as client:
        client.send(post(b"Host: a", b"Transfer-Encoding: chunked") + chunk(b"x" * 500) * 2 + LAST_CHUNK)
        assert client.read_response("POST").status == 200


def test_connections_over_the_limit_are_503():
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "MAX_CONNECTIONS": "4"},
                                        args=["--workers", "1"]) as daemon:
        upstream.otherwise = [expect_head(), hold()]
        held = [daemon.client().request("GET", f"/v1/{number}") for number in range(4)]
        upstream.wait_for_requests(4)
        with daemon.client() as client:
            try:
                assert client.ask("GET", "/v1/x").status == 503
            except ConnectionError:
                pytest.fail("closed without an answer")
        for client in held:
            client.close()
