"""A scripted upstream on loopback. A script is a list of steps, run for one request on its connection.

    upstream.script(expect_request(), send(ok(b"hello")))
    upstream.script(expect_request(), send(head), wait(go), reset())

Scripts are used up in order, one for each request that arrives; after the last, `otherwise` answers.
Every request is read strictly, and verify() fails if one of them was not valid HTTP/1.1.
"""
import select
import socket
import ssl
import struct
import threading
import time
from typing import Callable, Iterable, List, Optional, Tuple

from .client import PATIENCE
from .http1 import BodyReader, Cut, Framing, Malformed, Reader, Request

Step = Callable[["Connection"], None]


class Connection:
    """One accepted connection, as the steps see it."""

    def __init__(self, upstream: "Upstream", sock, index: int):
        self.upstream = upstream
        self.sock = sock
        self.index = index
        self.reader = Reader(sock, PATIENCE)
        self.request: Optional[Request] = None
        self.sent = 0
        self.ended = False  # by us: no further request is read
        self.closed = threading.Event()  # by the peer
        self.closed_at = 0.0
        self.server_name: Optional[str] = None
        self.stopping = upstream.stopping
        self.scratch = {}

    def peer_closed(self) -> None:
        if not self.closed.is_set():
            self.closed_at = time.monotonic()
            self.closed.set()

    def watch(self, seconds: float = PATIENCE) -> bool:
        """Waits until the peer closes or resets; what it sends meanwhile is kept for the next reader."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.stopping.is_set():
            try:
                if select.select([self.sock], [], [], 0.05)[0] and not self.reader.fill():
                    self.peer_closed()
                    return True
            except ssl.SSLWantReadError:
                continue
            except OSError:
                self.peer_closed()
                return True
        return False

    def abandon(self) -> None:
        self.ended = True
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


class Upstream:
    def __init__(self, tls: Optional[ssl.SSLContext] = None, host: str = "127.0.0.1", port: int = 0,
                 name: Optional[str] = None, on_connect: Iterable[Step] = (), proxy: bool = False):
        self.tls = tls
        self.proxy = proxy  # takes CONNECT and absolute targets, and fields meant for a proxy
        self.on_connect = list(on_connect)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(512)
        self.port = self.listener.getsockname()[1]
        shown = name or (f"[{host}]" if ":" in host else host)
        self.authority = f"{shown}:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.authority}"
        self.lock = threading.Condition()
        self.stopping = threading.Event()
        self.last_port, self.last_accepted = 0, threading.Event()
        if tls:
            tls.sni_callback = self._note_server_name
        self.otherwise: List[Step] = [expect_request(), send(ok())]
        self._forget()
        threading.Thread(target=self._accept, daemon=True).start()

    def _forget(self) -> None:
        self.scripts: List[List[Step]] = []
        self.requests: List[Request] = []
        self.connections: List[Connection] = []
        self.faults: List[str] = []  # requests that were not strictly valid
        self.failures: List[str] = []  # steps that could not be done
        self.tls_errors: List[str] = []

    def __enter__(self) -> "Upstream":
        return self

    def __exit__(self, kind, *_) -> None:
        self.stop()
        if kind is None:
            self.verify()

    def script(self, *steps: Step) -> "Upstream":
        with self.lock:
            self.scripts.append(list(steps))
        return self

    def reset(self) -> None:
        """Back to a fresh upstream on the same port: for tests that share one."""
        self._accept_what_waits()
        with self.lock:
            connections = list(self.connections)
        self.stopping.set()
        for connection in connections:
            connection.abandon()
        with self.lock:
            self._forget()
            self.otherwise = [expect_request(), send(ok())]
        self.stopping = threading.Event()

    def _accept_what_waits(self) -> None:
        """A connection of our own is accepted after all that came before it."""
        with socket.socket(self.listener.family, socket.SOCK_STREAM) as last:
            last.bind((self.listener.getsockname()[0], 0))
            self.last_port = last.getsockname()[1]
            self.last_accepted.clear()
            last.connect(self.listener.getsockname()[:2])
            assert self.last_accepted.wait(PATIENCE)
            self.last_port = 0

    def stop(self) -> None:
        self.stopping.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for connection in list(self.connections):
            connection.abandon()

    def verify(self) -> None:
        assert not self.faults, "not strictly valid HTTP/1.1 reached the upstream:\n" + "\n".join(self.faults)
        assert not self.failures, "upstream script failed:\n" + "\n".join(self.failures)

    def wait_for(self, condition: Callable[[], object], what: str, seconds: float = PATIENCE):
        with self.lock:
            if not self.lock.wait_for(condition, seconds):
                raise AssertionError(f"the upstream did not see {what} within {seconds:g} s; "
                                     f"requests: {[request.start for request in self.requests]}, "
                                     f"failures: {self.failures}, faults: {self.faults}")
            return condition()

    def wait_for_requests(self, count: int = 1) -> List[Request]:
        return self.wait_for(lambda: len(self.requests) >= count and list(self.requests), f"{count} requests")

    def wait_for_connection(self, count: int = 1) -> Connection:
        self.wait_for(lambda: len(self.connections) >= count, f"{count} connections")
        return self.connections[count - 1]

    def starts(self) -> List[str]:
        return [request.start for request in self.requests]

    def changed(self) -> None:
        with self.lock:
            self.lock.notify_all()

    def _note_server_name(self, sock, name, _context) -> None:
        sock.seen_server_name = name

    def _accept(self) -> None:
        while True:
            try:
                sock, peer = self.listener.accept()
            except OSError:
                return
            if peer[1] == self.last_port:
                sock.close()
                self.last_accepted.set()
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                connection = Connection(self, sock, len(self.connections))
                self.connections.append(connection)
                self.lock.notify_all()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        try:
            if self.tls and not start_tls(self.tls)._run(connection):
                return
            for step in self.on_connect:
                step(connection)
            while not connection.ended and not connection.stopping.is_set() and self._next_begins(connection):
                for step in self._next_script():
                    step(connection)
        except (Cut, ConnectionError) as error:
            connection.peer_closed()
            connection.scratch["cut"] = str(error)
        except Malformed as fault:
            self.faults.append(str(fault))
        except Exception as failure:
            if not connection.stopping.is_set():
                self.failures.append(f"{type(failure).__name__}: {failure}")
        finally:
            connection.sock.close()
            self.changed()

    def _next_begins(self, connection: Connection) -> bool:
        if connection.reader.buffer:
            return True
        connection.sock.settimeout(None)
        begins = connection.reader.fill()
        connection.sock.settimeout(PATIENCE)
        if not begins:
            connection.peer_closed()
        return begins

    def _next_script(self) -> List[Step]:
        with self.lock:
            return self.scripts.pop(0) if self.scripts else self.otherwise

    def seen(self, request: Request, connection: Connection) -> None:
        if connection.stopping.is_set():
            raise Cut("the test it belongs to is over")
        request.connection = connection.index
        if not self.proxy:
            request.check_end_to_end()
            if not request.target.startswith("/") and request.target != "*":
                raise Malformed(f"target: {request.target!r}")
        connection.request = request
        with self.lock:
            self.requests.append(request)
            self.lock.notify_all()


# --- Steps ---

def expect_head() -> Step:
    """Reads one request head and checks it; the body stays in the connection."""
    def step(connection: Connection) -> None:
        request = Request(connection.reader.until(b"\r\n\r\n"))
        framing = Framing.of_request(request)
        connection.upstream.seen(request, connection)
        connection.scratch["body"] = BodyReader(connection.reader, framing)
    return step


def read_body(keep: bool = True, each: Optional[Callable[[bytes], None]] = None) -> Step:
    """Reads the body of the request whose head was read; each piece is recorded with its time."""
    def step(connection: Connection) -> None:
        request, body = connection.request, connection.scratch["body"]
        for piece in iter(body.piece, b""):
            if keep:
                request.pieces.append((time.monotonic(), piece))
            if each:
                each(piece)
            connection.upstream.changed()
        request.body = b"".join(piece for _, piece in request.pieces)
        request.trailers = body.trailers
        request.body_complete = True
        connection.upstream.changed()
    return step


def expect_request() -> Step:
    """Reads one whole request, with 100 Continue for one that waits for it."""
    def step(connection: Connection) -> None:
        expect_head()(connection)
        if "100-continue" in connection.request.tokens("expect"):
            connection.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        read_body()(connection)
    return step


def send(data: bytes) -> Step:
    def step(connection: Connection) -> None:
        connection.sock.sendall(data)
        connection.sent += len(data)
    return step


def send_all(pieces: Callable[[], Iterable[bytes]]) -> Step:
    def step(connection: Connection) -> None:
        for piece in pieces():
            connection.sock.sendall(piece)
            connection.sent += len(piece)
    return step


def one_byte_at_a_time(data: bytes) -> Step:
    return send_all(lambda: (data[at:at + 1] for at in range(len(data))))


def wait(event: threading.Event, seconds: float = PATIENCE) -> Step:
    def step(connection: Connection) -> None:
        if not event.wait(seconds) and not connection.stopping.is_set():
            raise TimeoutError(f"nobody let the upstream go on within {seconds:g} s")
    return step


def mark(event: threading.Event) -> Step:
    return lambda connection: event.set()


def cut() -> Step:
    """Closes in order: FIN after what was sent, close_notify first over TLS."""
    def step(connection: Connection) -> None:
        connection.ended = True
        if isinstance(connection.sock, ssl.SSLSocket):
            try:
                connection.sock.unwrap()
            except (OSError, ValueError):
                pass
        connection.sock.close()
    return step


def cut_without_close_notify() -> Step:
    def step(connection: Connection) -> None:
        connection.ended = True
        socket.socket(fileno=connection.sock.detach()).close()
    return step


def reset() -> Step:
    def step(connection: Connection) -> None:
        connection.ended = True
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sock.close()
    return step


def hold() -> Step:
    """Says nothing until the peer closes, or the test ends."""
    def step(connection: Connection) -> None:
        connection.watch()
        connection.ended = True
        connection.upstream.changed()
    return step


def echo_raw() -> Step:
    """Sends every byte back until the peer's end: the far side of a tunnel."""
    def step(connection: Connection) -> None:
        received = connection.scratch["raw"] = bytearray()
        for piece in iter(lambda: connection.reader.some(65536), b""):
            received += piece
            connection.sock.sendall(piece)
            connection.upstream.changed()
        connection.peer_closed()
        connection.ended = True
    return step


class start_tls:
    """Turns a tunnelled connection into TLS, as the far end of a CONNECT would."""

    def __init__(self, context: ssl.SSLContext):
        self.context = context
        context.sni_callback = lambda sock, name, _: setattr(sock, "seen_server_name", name)

    def __call__(self, connection: Connection) -> None:
        if not self._run(connection):
            connection.ended = True

    def _run(self, connection: Connection) -> bool:
        raw = connection.sock
        try:
            raw.settimeout(PATIENCE)
            connection.sock = self.context.wrap_socket(raw, server_side=True)
        except (ssl.SSLError, OSError) as error:
            connection.upstream.tls_errors.append(str(error))
            raw.close()
            connection.ended = True
            connection.peer_closed()
            connection.upstream.changed()
            return False
        connection.server_name = getattr(connection.sock, "seen_server_name", None)
        connection.reader = Reader(connection.sock, PATIENCE)
        return True


def expect_connect(answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> Step:
    """The head of a CONNECT, answered; what follows are the bytes of the tunnel."""
    def step(connection: Connection) -> None:
        request = Request(connection.reader.until(b"\r\n\r\n"))
        connection.upstream.seen(request, connection)
        connection.sock.sendall(answer)
    return step


# --- Answers ---

def answer(status: str = "200 OK", fields: Iterable[Tuple[str, str]] = (), body: Optional[bytes] = b"") -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields)]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def ok(body: bytes = b"ok", content_type: str = "text/plain") -> bytes:
    return answer(fields=[("Content-Type", content_type)], body=body)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"
SSE_HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n")


def event(text: str) -> bytes:
    return b"data: " + text.encode() + b"\n\n"
