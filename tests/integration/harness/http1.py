"""A strict reader of HTTP/1.1 messages: what it does not refuse is valid by RFC 9112."""
import re
import time
from dataclasses import dataclass
from typing import List, Optional, Tuple

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?\Z")
TARGET = re.compile(rb"[\x21-\x7e]+\Z")
CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}\Z")
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization",
              "te", "trailer", "transfer-encoding", "upgrade"}


class Malformed(Exception):
    """The peer sent what is not strictly valid HTTP/1.1."""


class Cut(Exception):
    """The peer closed or reset the connection before the message was complete."""


def text(data: bytes) -> str:
    return data.decode("latin-1")


class Head:
    """A start line and fields, as strings of one character a byte."""

    def __init__(self, raw: bytes):
        if not raw.endswith(b"\r\n\r\n"):
            raise Malformed(f"head without an end: {raw!r}")
        lines = raw[:-4].split(b"\r\n")
        self.raw = raw
        self.start = text(lines[0])
        self.fields: List[Tuple[str, str]] = [self._field(line) for line in lines[1:]]
        if b"\r" in lines[0] or b"\n" in lines[0]:
            raise Malformed(f"bare CR or LF in the start line: {lines[0]!r}")

    @staticmethod
    def _field(line: bytes) -> Tuple[str, str]:
        name, colon, value = line.partition(b":")
        value = value.strip(b" \t")
        if not colon or not TOKEN.match(name):
            raise Malformed(f"not a field: {line!r}")
        if not VALUE.match(value):
            raise Malformed(f"not a field value: {line!r}")
        return text(name), text(value)

    def all(self, name: str) -> List[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name: str) -> Optional[str]:
        values = self.all(name)
        return values[0] if values else None

    def names(self) -> List[str]:
        return [key.lower() for key, _ in self.fields]

    def tokens(self, name: str) -> List[str]:
        return [item.strip().lower() for value in self.all(name) for item in value.split(",") if item.strip()]

    def content_length(self) -> Optional[int]:
        values = self.all("content-length")
        if not values:
            return None
        if len(values) > 1 or not re.fullmatch(r"[0-9]+", values[0]):
            raise Malformed(f"Content-Length: {values!r}")
        return int(values[0])

    def chunked(self) -> bool:
        codings = self.all("transfer-encoding")
        if not codings:
            return False
        if len(codings) > 1 or codings[0].lower() != "chunked":
            raise Malformed(f"Transfer-Encoding: {codings!r}")
        if self.all("content-length"):
            raise Malformed("Content-Length together with Transfer-Encoding")
        return True


class Request(Head):
    def __init__(self, raw: bytes):
        super().__init__(raw)
        words = self.start.split(" ")
        if len(words) != 3:
            raise Malformed(f"request line: {self.start!r}")
        self.method, self.target, self.version = words
        if not TOKEN.match(self.method.encode("latin-1")) or not TARGET.match(self.target.encode("latin-1")):
            raise Malformed(f"request line: {self.start!r}")
        if self.version != "HTTP/1.1":
            raise Malformed(f"version of a request to an upstream: {self.version!r}")
        if len(self.all("host")) != 1:
            raise Malformed(f"{len(self.all('host'))} Host fields")
        self.body = b""
        self.pieces: List[Tuple[float, bytes]] = []  # (time, bytes) as they came
        self.trailers: List[Tuple[str, str]] = []
        self.body_complete = False
        self.connection = -1
        self.time = time.monotonic()

    def check_end_to_end(self) -> None:
        """Nothing that belongs to one hop, but for an upgrade that is asked for in full."""
        upgrading = self.tokens("connection") == ["upgrade"] and len(self.all("upgrade")) == 1
        allowed = {"transfer-encoding"} | ({"connection", "upgrade"} if upgrading else set())
        if self.tokens("connection") in (["keep-alive"], ["close"]):
            allowed.add("connection")
        found = [name for name in self.names() if name in HOP_BY_HOP - allowed]
        if found:
            raise Malformed(f"hop-by-hop fields reached the upstream: {found}")


class Response(Head):
    def __init__(self, raw: bytes):
        super().__init__(raw)
        match = re.fullmatch(r"HTTP/1\.([01]) ([1-9][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)", self.start)
        if not match:
            raise Malformed(f"status line: {self.start!r}")
        self.minor, self.status, self.reason = int(match[1]), int(match[2]), match[3]
        self.body = b""
        self.ended = ""  # "complete", "cut", or "" while it runs
        self.interim: List["Response"] = []  # 1xx before it

    def json(self):
        import json
        return json.loads(self.body)


@dataclass
class Framing:
    """How a body ends: after so many bytes, by its last chunk, or with the connection."""
    length: Optional[int] = None
    chunked: bool = False
    until_close: bool = False

    @staticmethod
    def of_request(head: Request) -> "Framing":
        if head.chunked():
            return Framing(chunked=True)
        return Framing(length=head.content_length() or 0)

    @staticmethod
    def of_response(head: Response, method: str) -> "Framing":
        chunked, length = head.chunked(), head.content_length()
        if method == "HEAD" or head.status < 200 or head.status in (204, 304):
            return Framing(length=0)
        if chunked:
            return Framing(chunked=True)
        return Framing(length=length) if length is not None else Framing(until_close=True)


class Reader:
    """Buffered reading from a socket under one time limit per read."""

    def __init__(self, sock, seconds: float):
        self.sock = sock
        self.buffer = bytearray()
        self.sock.settimeout(seconds)

    def fill(self, size: int = 65536) -> bool:
        """Reads once more; False at the end of the stream."""
        data = self.sock.recv(size)
        self.buffer += data
        return bool(data)

    def take(self, size: int) -> bytes:
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def until(self, marker: bytes, limit: int = 1 << 20) -> bytes:
        start = 0
        while True:
            at = self.buffer.find(marker, start)
            if at >= 0:
                return self.take(at + len(marker))
            if len(self.buffer) > limit:
                raise Malformed(f"no {marker!r} within {limit} bytes")
            start = max(0, len(self.buffer) - len(marker) + 1)
            self._more(f"while waiting for {marker!r}, after {bytes(self.buffer[-200:])!r}")

    def exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self._more(f"{size - len(self.buffer)} bytes before the end of {size}")
        return self.take(size)

    def some(self, limit: int) -> bytes:
        """At least one byte, at most `limit`; empty at the end of the stream."""
        if not self.buffer and not self.fill(min(limit, 1 << 20)):
            return b""
        return self.take(limit)

    def to_end(self) -> bytes:
        while self.fill():
            pass
        return self.take(len(self.buffer))

    def _more(self, where: str) -> None:
        try:
            if not self.fill():
                raise Cut(f"closed {where}")
        except ConnectionError as error:
            raise Cut(f"{error} {where}") from error


class BodyReader:
    """The bytes of one body without their framing, piece by piece."""

    def __init__(self, reader: Reader, framing: Framing):
        self.reader = reader
        self.framing = framing
        self.left = framing.length or 0
        self.done = not (framing.chunked or framing.until_close or self.left)
        self.in_chunk = False
        self.chunks: List[int] = []  # sizes, as they came
        self.trailers: List[Tuple[str, str]] = []

    def piece(self, limit: int = 65536) -> bytes:
        """The next bytes, b"" after the last. Raises Cut where the body ends too early."""
        if self.done:
            return b""
        if self.framing.until_close:
            data = self._some(limit)
            self.done = not data
            return data
        if self.framing.chunked and not self.in_chunk:
            self._next_chunk()
            if self.done:
                return b""
        data = self._some(min(limit, self.left))
        if not data:
            raise Cut(f"closed {self.left} bytes before the end of a {'chunk' if self.framing.chunked else 'body'}")
        self.left -= len(data)
        if not self.left:
            self._finish_part()
        return data

    def take(self, size: int) -> bytes:
        """Exactly `size` bytes of the body."""
        data = bytearray()
        while len(data) < size:
            piece = self.piece(size - len(data))
            if not piece:
                raise Cut(f"the body ended after {bytes(data)!r}")
            data += piece
        return bytes(data)

    def rest(self) -> bytes:
        return b"".join(iter(self.piece, b""))

    def _some(self, limit: int) -> bytes:
        try:
            return self.reader.some(limit)
        except ConnectionError as error:
            raise Cut(str(error)) from error

    def _next_chunk(self) -> None:
        size = self.reader.until(b"\r\n", 4096)[:-2]
        if not CHUNK_SIZE.match(size):
            raise Malformed(f"chunk size line: {size!r}")
        self.left = int(size, 16)
        self.chunks.append(self.left)
        self.in_chunk = bool(self.left)
        if not self.left:
            self._trailers()
            self.done = True

    def _trailers(self) -> None:
        while True:
            line = self.reader.until(b"\r\n")
            if line == b"\r\n":
                return
            self.trailers.append(Head._field(line[:-2]))

    def _finish_part(self) -> None:
        if not self.framing.chunked:
            self.done = True
            return
        if self.reader.exactly(2) != b"\r\n":
            raise Malformed("chunk without its line end")
        self.in_chunk = False
