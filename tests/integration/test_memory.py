"""What a connection costs, and that it is given back: resident memory, with keys, limits and logs on."""
import json
import resource
import socket
import threading
from contextlib import ExitStack

import pytest

from harness import SSE_HEAD, Daemon, chunk, event, eventually, is_sanitized, routes

KIB, MIB = 1024, 1024 * 1024
KEY = "fk-abcdefghijklmnopqrstuvwxyz"
# A quarter more than what is promised of each.
AT_REST, IDLE_CONNECTION, OPEN_STREAM = 15 * MIB, 5 * KIB, 20 * KIB
EVERYTHING = {
    "ACCESS_LOG": "access.log", "FORWARD_KEY": KEY, "OPENAI_API_KEY": "sk-abcdefghijklmnopqrstuvwxyz",
    "REQ_RATE_LIMIT": '{"/v1/chat/completions":"1000000/minute"}', "LOG_OPENAI": "true",
}
BODY = json.dumps({"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "hello"}]}).encode()
STREAM_REQUEST = (b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                  b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s" % (KEY.encode(), len(BODY), BODY))
HEALTH_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
FIRST_EVENT = chunk(event('{"choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}]}'))


class SilentStreams:
    """An upstream whose streams stop behind their first event."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.open = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(connection)
            received = b""
            while not received.endswith(BODY):
                received += connection.recv(65536)
            connection.sendall(SSE_HEAD + FIRST_EVENT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        for connection in [self.listener, *self.open]:
            connection.close()


def is_at_most(daemon, most):
    """A sanitizer keeps memory of its own: there nothing is asked but that the connections are served."""
    return is_sanitized() or daemon.resident_memory() <= most


def affordable(wanted):
    """So many of `wanted` as can be held here: each has up to two descriptors, and there is a tenth more."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(wanted, (hard - 300) // 3)


def open_connections(daemon, count, request, marker):
    """Each has had its answer, or the beginning of it."""
    connections = [socket.create_connection((daemon.host, daemon.port), 60) for _ in range(count)]
    for connection in connections:
        connection.sendall(request)
    for connection in connections:
        received = b""
        while marker not in received:
            received += connection.recv(65536)
    return connections


def check_growth(daemon, count, request, marker, most_each):
    """The first tenth pays for what is made once, and does not count."""
    with ExitStack() as held:
        def hold(more):
            for connection in open_connections(daemon, more, request, marker):
                held.enter_context(connection)

        hold(count // 10)
        before = daemon.resident_memory()
        hold(count)
        most = before + count * most_each
        eventually(lambda: is_at_most(daemon, most), f"{count} connections in {most} bytes")
    left = before + count * most_each // 4
    eventually(lambda: is_at_most(daemon, left), f"back in {left} bytes")


@pytest.fixture
def everything_on():
    with SilentStreams() as upstream:
        settings = {**EVERYTHING, "FORWARD_CONFIG": routes(("/", upstream.url))}
        with Daemon(settings, args=["--workers", "1"]) as daemon:
            yield daemon


def test_a_daemon_at_rest_is_small(everything_on):
    assert is_at_most(everything_on, AT_REST)


def test_idle_connections_hold_little_and_give_it_back(everything_on):
    check_growth(everything_on, affordable(2000), HEALTH_REQUEST, b"200 OK", IDLE_CONNECTION)


def test_connections_that_never_ask_hold_little_and_give_it_back(everything_on):
    check_growth(everything_on, affordable(2000), b"", b"", IDLE_CONNECTION)


def test_open_streams_hold_little_and_give_it_back(everything_on):
    check_growth(everything_on, affordable(1000), STREAM_REQUEST, FIRST_EVENT, OPEN_STREAM)
