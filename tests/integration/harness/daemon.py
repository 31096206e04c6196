"""Runs the real aifd on a free port of loopback."""
import json
import mmap
import os
import pty
import re
import signal
import subprocess
import tempfile
import threading
from typing import Dict, List, Optional, Sequence

from .client import PATIENCE, RawClient, eventually

LISTENING = re.compile(r"listening on (https?)://(\S+):(\d+)", re.IGNORECASE)
SANITIZER = re.compile(r"ERROR: \w*Sanitizer|WARNING: ThreadSanitizer|runtime error:|SUMMARY: \w*Sanitizer")
PASSED_ON = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS", "GCOV_PREFIX",
             "GCOV_PREFIX_STRIP")
TSAN_SUPPRESSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tsan.supp")


def binary() -> str:
    path = os.environ.get("AIFD_BINARY")
    if not path:
        raise RuntimeError("AIFD_BINARY must name the aifd to test")
    return path


def clean_environment(extra: Optional[Dict[str, str]] = None) -> Dict[str, str]:
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment["LANG"] = "C.UTF-8"
    environment["TSAN_OPTIONS"] = f"{environment.get('TSAN_OPTIONS', '')}:suppressions={TSAN_SUPPRESSIONS}".lstrip(":")
    environment.update({name: str(value) for name, value in (extra or {}).items()})
    return environment


def is_sanitized() -> bool:
    """Whether the binary was built with a sanitizer, under which memory says nothing."""
    with open(binary(), "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"__asan_init") >= 0 or content.find(b"__tsan_init") >= 0


def routes(*entries) -> str:
    """FORWARD_CONFIG from (route, base_url) or (route, base_url, type)."""
    return json.dumps([{"base_url": entry[1], "route": entry[0], "type": entry[2] if len(entry) > 2 else "openai"}
                       for entry in entries])


def run(*arguments: str, env: Optional[Dict[str, str]] = None, cwd: Optional[str] = None,
        files: Optional[Dict[str, str]] = None) -> subprocess.CompletedProcess:
    """Runs one aifd command to its end, in a directory of its own."""
    with tempfile.TemporaryDirectory() as directory:
        where = cwd or directory
        for name, content in (files or {}).items():
            with open(os.path.join(where, name), "w") as file:
                file.write(content)
        result = subprocess.run([binary(), *arguments], cwd=where, env=clean_environment(env), timeout=60,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert not SANITIZER.search(result.stderr), result.stderr
    return result


def lines_until_end(stream):
    try:
        yield from stream
    except OSError:  # what reading a terminal gives at its end
        return


class Daemon:
    def __init__(self, env: Optional[Dict[str, str]] = None, args: Sequence[str] = (), dotenv: Optional[str] = None,
                 yaml: Optional[str] = None, host: str = "127.0.0.1", tls=None, command: Sequence[str] = ("run",),
                 preamble: bytes = b"", terminal: bool = False):
        """`terminal`: its stdout is one."""
        self.directory = tempfile.TemporaryDirectory(prefix="aifd-test-")
        self.path = self.directory.name
        self._write(".env", dotenv)
        self._write("openai-forward-config.yaml", yaml)
        self.tls = tls  # the client's context, when the daemon speaks TLS
        self.preamble = preamble  # what every connection begins with, unless its test says otherwise
        self.stdout: List[str] = []
        self.stderr: List[str] = []
        self._listening = threading.Event()
        self._end_checked = False
        self.scheme, self.host, self.port = "", host, 0
        environment = clean_environment({"DRAIN_TIMEOUT": "5", **(env or {})})
        arguments = [binary(), *command, "--host", host, "--port", "0", *args]
        if os.environ.get("AIFD_WORKERS") and "--workers" not in args:
            arguments += ["--workers", os.environ["AIFD_WORKERS"]]
        screen, stdout = pty.openpty() if terminal else (None, subprocess.PIPE)
        self.process = subprocess.Popen(arguments, cwd=self.path, env=environment, stdin=subprocess.DEVNULL,
                                        stdout=stdout, stderr=subprocess.PIPE, text=True, errors="replace")
        if terminal:
            os.close(stdout)
            self.process.stdout = os.fdopen(screen, errors="replace")
        self._readers = [threading.Thread(target=self._collect, args=pair, daemon=True)
                         for pair in ((self.process.stdout, self.stdout), (self.process.stderr, self.stderr))]
        for reader in self._readers:
            reader.start()
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def _write(self, name: str, content: Optional[str]) -> None:
        if content is not None:
            with open(os.path.join(self.path, name), "w") as file:
                file.write(content)

    def _collect(self, stream, lines: List[str]) -> None:
        for line in lines_until_end(stream):
            lines.append(line)
            match = None if self._listening.is_set() else LISTENING.search(line)
            if match:
                self.scheme, self.port = match[1].lower(), int(match[3])
                self._listening.set()
        if stream is self.process.stdout:
            self._listening.set()

    def _wait_until_ready(self) -> None:
        self._listening.wait(PATIENCE)
        assert self.port, f"aifd did not say where it listens:\n{self.output()}"
        eventually(self._is_healthy, "/healthz of a started daemon")

    def _is_healthy(self) -> bool:
        try:
            with self.client() as client:
                return client.ask("GET", "/healthz").status in (200, 403)
        except ConnectionRefusedError:
            return False

    @property
    def url(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{shown}:{self.port}"

    def client(self, **more) -> RawClient:
        return RawClient((self.host, self.port), **{"tls": self.tls, "preamble": self.preamble, **more})

    def ask(self, method: str, target: str, fields=(), body: Optional[bytes] = None, **more):
        """One request on a connection of its own."""
        with self.client() as client:
            return client.ask(method, target, fields, body, **more)

    def output(self) -> str:
        return "--- stdout\n" + "".join(self.stdout) + "--- stderr\n" + "".join(self.stderr)

    def peak_memory(self) -> int:
        """The largest resident size so far, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))

    def resident_memory(self) -> int:
        """The resident size, in bytes."""
        with open(f"/proc/{self.process.pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Rss"))

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = 60) -> int:
        code = self.process.wait(seconds)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def stop(self) -> None:
        """Ends the daemon as an operator would, and checks that it ended well."""
        if self.process.poll() is None:
            self.signal()
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("aifd did not end within 60 s of SIGTERM:\n" + self.output())
        finally:
            self.directory.cleanup()
        self.check_sanitizers()
        assert code == 0, f"aifd ended with {code}:\n{self.output()}"

    def check_sanitizers(self) -> None:
        assert not SANITIZER.search("".join(self.stderr)), self.output()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.directory.cleanup()

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is None:
            self.stop()
        else:
            self.kill()
            print(self.output())


