"""What the tests of the cache share: daemons that cache, requests that no other test makes, and great crowds."""
import itertools
import json
import selectors
import socket
import time
from typing import Dict, Iterable, List, Sequence, Tuple

from .cache_upstream import CHAT, JSON
from .client import PATIENCE, eventually
from .daemon import Daemon, routes
from .http1 import BodyReader, Cut, Framing, Reader, Response

_numbers = itertools.count(1)
CACHED = {"CACHE_OPENAI": "true", "CACHE_BACKEND": "MEMORY"}


def caching(upstream, args: Sequence[str] = (), **settings: str) -> Daemon:
    """A daemon with the openai route `/` to the upstream and the cache in memory, unless the settings say otherwise.
    A store on disk has been opened, or found unusable: until then each question is a miss."""
    daemon = Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), **CACHED, **settings}, args=args)
    if settings.get("CACHE_BACKEND") in ("LMDB", "LevelDB"):
        eventually(lambda: any("the answer cache" in line for line in list(daemon.stderr)), "the store on disk is open")
    return daemon


def fresh() -> str:
    """Words that no other request has."""
    return f"question {next(_numbers)}"


def chat_of(prompt: str, model: str = "m", caching=True, **more) -> bytes:
    """A chat's body; caching=None leaves the field out."""
    body: Dict = {"model": model, "messages": [{"role": "user", "content": prompt}], **more}
    return json.dumps(body if caching is None else {**body, "caching": caching}).encode()


def post(asked, body: bytes, fields: Iterable[Tuple[str, str]] = (), target: str = CHAT) -> Response:
    """Asks a daemon (on a connection of its own) or a client for a JSON body's answer."""
    return asked.ask("POST", target, [*JSON, *fields], body)


def state(response: Response):
    """What the answer says of the cache; None where it says nothing. Checks what must be right with it."""
    found = response.all("x-aifd-cache")
    assert len(found) <= 1, response.fields
    said = found[0] if found else None
    assert said in (None, "hit", "miss", "bypass"), said
    ages = response.all("age")
    assert [age.isdigit() for age in ages] == ([True] if said == "hit" else []), response.fields
    return said


def states(daemon: Daemon, bodies: Iterable[bytes], fields=(), target: str = CHAT) -> List:
    """Of one request for each of the bodies, one after the other; each must be answered well."""
    found = []
    for body in bodies:
        response = post(daemon, body, fields, target)
        assert response.status == 200 and response.ended == "complete", (response.status, response.body[:300])
        found.append(state(response))
    return found


def settle(daemon: Daemon, rounds: int = 10) -> None:
    """What was sent to a daemon with one worker before this has been read there when this returns: its loop takes
    connections in the order in which they become ready, and each round is accepted, read and answered after them."""
    for _ in range(rounds):
        assert daemon.ask("GET", "/healthz").status == 200


class Swarm:
    """A great number of requests at once, from one thread."""

    def __init__(self, daemon: Daemon, requests: Iterable[bytes]):
        """Each goes on a connection of its own; asks that it be closed, so that its end is the answer's."""
        self.selector = selectors.DefaultSelector()
        self.received: List[bytearray] = []
        self.open = 0
        for request in requests:
            sock = socket.create_connection((daemon.host, daemon.port), PATIENCE)
            sock.sendall(request)
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ, len(self.received))
            self.received.append(bytearray())
            self.open += 1

    def read_until(self, condition, what: str, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
            for ready, _ in self.selector.select(0.1):
                self._read(ready)

    def _read(self, ready) -> None:
        try:
            data = ready.fileobj.recv(1 << 20)
        except ConnectionError:
            data = b""
        self.received[ready.data] += data
        if not data:
            self.selector.unregister(ready.fileobj)
            ready.fileobj.close()
            self.open -= 1

    def read_until_all_have(self, marker: bytes) -> None:
        self.read_until(lambda: all(marker in got for got in self.received), f"{marker!r} at all clients")

    def answers(self) -> List[Response]:
        """Reads all to their ends."""
        self.read_until(lambda: self.open == 0, "the end of all answers")
        self.selector.close()
        return [read_whole(bytes(got)) for got in self.received]

    def close(self) -> None:
        for key in list(self.selector.get_map().values()):
            self.selector.unregister(key.fileobj)
            key.fileobj.close()
        self.selector.close()


class _Bytes:
    """A socket that has received all it will."""

    def __init__(self, data: bytes):
        self.data = data

    def settimeout(self, _seconds) -> None:
        pass

    def recv(self, size: int) -> bytes:
        data, self.data = self.data[:size], self.data[size:]
        return data


def read_whole(data: bytes) -> Response:
    """The one answer in these bytes, read strictly."""
    reader = Reader(_Bytes(data), PATIENCE)
    response = Response(reader.until(b"\r\n\r\n"))
    pieces, body = [], BodyReader(reader, Framing.of_response(response, "POST"))
    try:
        for piece in iter(body.piece, b""):
            pieces.append(piece)
        response.ended = "complete"
    except Cut:
        response.ended = "cut"
    response.body = b"".join(pieces)
    return response


def raw_post(daemon: Daemon, body: bytes, fields: Iterable[Tuple[str, str]] = (), target: str = CHAT) -> bytes:
    """The bytes of a request for a Swarm."""
    lines = [f"POST {target} HTTP/1.1", f"Host: {daemon.host}:{daemon.port}", "Connection: close",
             f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in [*JSON, *fields])]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

