"""Where a run keeps its files, and what it measures with."""
import os
import pathlib
import shutil
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
ENOUGH_BYTES = 4 << 30


class Place:
    def __init__(self, options, file_limit):
        self.binary = os.path.abspath(options.binary)
        self.tools = pathlib.Path(options.tools)
        self.peers = SOURCE / "build/bench/peers"
        self.file_limit = file_limit
        self.connections = 24_000 if options.extent == "full" else 4_096  # that a proxy must be able to hold
        self.upstream_port = None
        # Logs go to memory where there is room: the disk's moods are not to be measured.
        shared = pathlib.Path("/dev/shm")
        in_memory = shared.is_dir() and shutil.disk_usage(shared).free > ENOUGH_BYTES
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="aifd-bench-", dir=shared if in_memory else None))

    def folder(self, name):
        path = self.directory / name
        path.mkdir(exist_ok=True)
        return path

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def trim_logs(self, limit=64 << 20):
        """Empties log files that have grown large; all writers append."""
        for path in self.directory.rglob("*.log"):
            if path.stat().st_size > limit:
                os.truncate(path, 0)
