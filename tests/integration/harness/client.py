"""A client that says exactly the bytes it is given, and reads answers strictly."""
import socket
import struct
import time
from typing import Iterable, Optional, Tuple

from .http1 import BodyReader, Cut, Framing, Reader, Response

PATIENCE = 30.0  # seconds; a bound for a machine in trouble, not a measure


class RawClient:
    def __init__(self, address: Tuple[str, int], tls=None, server_hostname: str = "localhost",
                 source: Optional[str] = None, receive_buffer: Optional[int] = None, seconds: float = PATIENCE,
                 preamble: bytes = b""):
        """`preamble` is sent before all else, TLS too."""
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(seconds)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.sock.bind((source, 0))
        self.sock.connect(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(preamble)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname=server_hostname)
        self.reader = Reader(self.sock, seconds)
        self.host = (f"[{address[0]}]" if family == socket.AF_INET6 else address[0]) + f":{address[1]}"
        self.method = "GET"
        self.body: BodyReader = BodyReader(self.reader, Framing(length=0))

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def send(self, data: bytes) -> "RawClient":
        self.sock.sendall(data)
        return self

    def one_byte_at_a_time(self, data: bytes) -> "RawClient":
        for at in range(len(data)):
            self.sock.sendall(data[at:at + 1])
        return self

    def request(self, method: str, target: str, fields: Iterable[Tuple[str, str]] = (), body: Optional[bytes] = None,
                version: str = "HTTP/1.1", host: Optional[str] = None) -> "RawClient":
        """Sends a plain request; a body goes with its Content-Length."""
        lines = [f"{method} {target} {version}", f"Host: {host or self.host}"]
        lines += [f"{name}: {value}" for name, value in fields]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.method = method
        return self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""))

    def ask(self, method: str, target: str, fields: Iterable[Tuple[str, str]] = (), body: Optional[bytes] = None,
            **more) -> Response:
        return self.request(method, target, fields, body, **more).read_response()

    def read_head(self, method: Optional[str] = None) -> Response:
        """The head of the next answer, 1xx skipped (kept in .interim); its body is then in self.body."""
        interim = []
        while True:
            response = Response(self.reader.until(b"\r\n\r\n"))
            if response.status >= 200 or response.status == 101:
                break
            interim.append(response)
        response.interim = interim
        self.body = BodyReader(self.reader, Framing.of_response(response, method or self.method))
        return response

    def read_response(self, method: Optional[str] = None) -> Response:
        """A whole answer; .ended says whether its body was "complete" or "cut"."""
        response = self.read_head(method)
        pieces = []
        try:
            for piece in iter(self.body.piece, b""):
                pieces.append(piece)
            response.ended = "complete"
        except Cut:
            response.ended = "cut"
        response.body = b"".join(pieces)
        return response

    def at_end(self) -> bool:
        """Waits for the end: True when the peer closed without a further byte."""
        try:
            return not self.reader.buffer and not self.reader.fill()
        except ConnectionError:
            return True

    def silent_for(self, seconds: float) -> bool:
        """Whether nothing comes and nothing ends for a while."""
        if self.reader.buffer:
            return False
        before = self.sock.gettimeout()
        self.sock.settimeout(seconds)
        try:
            self.reader.fill()
            return False
        except socket.timeout:
            return True
        finally:
            self.sock.settimeout(before)

    def leave_half(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()


def eventually(condition, what: str, seconds: float = PATIENCE):
    """Waits for a condition that has no event of its own; returns its first true value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.005)
