"""Where a run keeps its files, and what it measures with."""
import argparse
import os
import pathlib
import shutil
import subprocess
import tempfile

from .servers import BenchError, Server
from .setups import Setup

SOURCE = pathlib.Path(__file__).resolve().parents[2]
ENOUGH_BYTES = 4 << 30
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


class Place:
    def __init__(self, options: argparse.Namespace, file_limit: int):
        self.binary = os.path.abspath(options.binary)
        self.tools = pathlib.Path(options.tools)
        self.peers = SOURCE / "build/bench/peers"
        self.file_limit = file_limit
        # What a proxy must be able to hold, clients' and upstream's; some set memory aside for it.
        self.connections = min(4_096 if options.extent == "quick" else 24_000, file_limit - 200)
        # Logs go to memory where there is room: the disk's moods are not to be measured.
        shared = pathlib.Path("/dev/shm")
        in_memory = shared.is_dir() and shutil.disk_usage(shared).free > ENOUGH_BYTES
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="aifd-bench-", dir=shared if in_memory else None))
        self.certificate, self.key = self.directory / "certificate.pem", self.directory / "key.pem"
        self.certificate_and_key = self.directory / "both.pem"  # as HAProxy has them
        self.upstream: Server | None = None      # the mock
        self.tls_upstream: Server | None = None  # the same, over TLS

    def start_upstreams(self, core: int) -> None:
        self.make_certificate()
        program = str(self.tools / "bench_upstream")
        tls = ["--tls", str(self.certificate), str(self.key)]
        self.upstream = Server("the mock upstream", [program], self.folder("upstream"), {core})
        self.tls_upstream = Server("the mock upstream, TLS", [program, *tls], self.folder("tls-upstream"), {core})

    def make_certificate(self) -> None:
        """Self-signed, for mock and proxies alike; whoever trusts it trusts them all."""
        done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                               "-nodes", "-days", "7", "-subj", "/CN=localhost", "-addext", NAMES,
                               "-out", self.certificate, "-keyout", self.key], capture_output=True, text=True)
        if done.returncode != 0:
            raise BenchError(f"openssl makes no certificate: {done.stderr[-300:]}")
        self.certificate_and_key.write_text(self.certificate.read_text() + self.key.read_text())

    def upstream_port(self, setup: Setup) -> int:
        return (self.tls_upstream if setup.upstream_tls else self.upstream).port

    def upstream_url(self, setup: Setup) -> str:
        return f"{'https' if setup.upstream_tls else 'http'}://127.0.0.1:{self.upstream_port(setup)}"

    def folder(self, name: str) -> pathlib.Path:
        path = self.directory / name
        path.mkdir(exist_ok=True)
        return path

    def remove(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)

    def trim_logs(self, limit: int = 64 << 20) -> None:
        """Empties log files that have grown large; all writers append."""
        for path in self.directory.rglob("*"):
            if (path.suffix == ".log" or path.name == "output") and path.stat().st_size > limit:
                os.truncate(path, 0)
