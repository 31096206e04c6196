"""A real redis-server on loopback that keeps nothing on disk, and that can freeze, die and come back."""
import shutil
import signal
import socket
import subprocess
import tempfile
from typing import List, Optional, Tuple

import pytest

from .client import PATIENCE, eventually


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Redis:
    """Skips the test where there is no redis-server."""

    def __init__(self, password: Optional[str] = None, tls: Optional[Tuple[str, str]] = None):
        """`tls`: certificate and key of a second port that speaks TLS, for `tls_url`."""
        if not shutil.which("redis-server"):
            pytest.skip("redis-server is not installed")
        self.password = password
        self.tls = tls
        self.directory = tempfile.TemporaryDirectory(prefix="aifd-redis-")
        self.process: Optional[subprocess.Popen] = None
        for _ in range(5):  # another process may take the port first
            self.port, self.tls_port = _free_port(), _free_port()
            if self._try_to_start():
                return
        raise RuntimeError("redis-server does not start")

    @property
    def url(self) -> str:
        return self.url_of(self.password)

    @property
    def tls_url(self) -> str:
        credentials = f":{self.password}@" if self.password else ""
        return f"rediss://{credentials}localhost:{self.tls_port}/0"

    def url_of(self, password: Optional[str], database: int = 0) -> str:
        credentials = f":{password}@" if password else ""
        return f"redis://{credentials}127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Again on the same port, empty."""
        eventually(self._try_to_start, "redis-server starts")

    def _try_to_start(self) -> bool:
        arguments = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                     "--dir", self.directory.name]
        if self.password:
            arguments += ["--requirepass", self.password]
        if self.tls:
            arguments += ["--tls-port", str(self.tls_port), "--tls-cert-file", self.tls[0], "--tls-key-file", self.tls[1],
                          "--tls-auth-clients", "no"]
        process = self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                                  stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: process.poll() is not None or self._answers(), "redis-server answers")
        except BaseException:
            self.kill()
            raise
        return process.poll() is None

    def _answers(self) -> bool:
        try:
            return self.ask("PING") == "PONG"
        except (OSError, RuntimeError):
            return False

    def freeze(self) -> None:
        """Its connections stay, the kernel still accepts new ones, and nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)

    def ask(self, *words: str):
        """The answer to one command: a string, a number, None or a list of these."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as sock, sock.makefile("rb") as answers:
            if self.password:
                sock.sendall(_command("AUTH", self.password))
                _read(answers)
            sock.sendall(_command(*words))
            return _read(answers)

    def everything(self) -> List[str]:
        """Names and values of all that is stored."""
        found: List[str] = []
        for key in self.ask("KEYS", "*"):
            found += [key, str(self._value(key))]
        return found

    def _value(self, key: str):
        readers = {"string": ("GET", key), "hash": ("HGETALL", key), "list": ("LRANGE", key, "0", "-1"),
                   "zset": ("ZRANGE", key, "0", "-1"), "set": ("SMEMBERS", key)}
        kind = self.ask("TYPE", key)
        return self.ask(*readers[kind]) if kind in readers else None

    def __enter__(self) -> "Redis":
        return self

    def __exit__(self, *_) -> None:
        self.kill()
        self.directory.cleanup()


def _command(*words: str) -> bytes:
    encoded = [word.encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)


def _read(answers):
    line = answers.readline().rstrip(b"\r\n")
    kind, rest = line[:1], line[1:].decode("utf-8", "replace")
    if kind == b"+":
        return rest
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == "-1" else answers.read(int(rest) + 2)[:-2].decode("utf-8", "replace")
    if kind == b"*":
        return [_read(answers) for _ in range(int(rest))]
    raise RuntimeError(f"redis-server said {line!r}")
