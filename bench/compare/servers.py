"""Processes under test: started on a core of their own, watched through /proc, and gone when we are."""
import contextlib
import ctypes
import os
import pathlib
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator

PROXY_CORE, LOAD_CORE = 0, 1
ENOUGH_FILES = 24_000  # for 10,000 streams: a proxy has two a stream, and nginx wants one in 16 free
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
TICK = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """Something that ends the run, with what to do about it."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_file_limit() -> int:
    """As many open files as allowed, root's are enough; what is started from here has them, too."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = max(hard, ENOUGH_FILES)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        return most
    except (OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard


def prepare(cores: set[int]) -> Callable[[], None]:
    """Runs in the child before it becomes the program: its cores, and a signal should we die first."""
    def run() -> None:
        os.sched_setaffinity(0, cores)
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    return run


@contextlib.contextmanager
def on_cores(server: "Server", cores: set[int]) -> Iterator[None]:
    """Has a server of one thread elsewhere for a while."""
    before = os.sched_getaffinity(server.process.pid)
    os.sched_setaffinity(server.process.pid, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(server.process.pid, before)


def stat_fields(pid: int | str) -> list[str]:
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()


def smaps_of(pid: int) -> dict[str, int]:
    """KiB by name."""
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: int(size.split()[0]) for name, size in (line.split(":") for line in lines)}


class CpuTime:
    """What processes have used so far: to the tick with the threads that have ended, and to the nanosecond without."""

    def __init__(self, pids: list[int]):
        self.ticks = 0
        self.threads: dict[str, int] = {}
        for pid in pids:
            self.ticks += sum(map(int, stat_fields(pid)[11:13]))
            for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
                try:
                    self.threads[thread.name] = int((thread / "schedstat").read_text().split()[0])
                except OSError:
                    pass  # it has ended, or the kernel does not tell
        self.uncertain = 2 * len(pids) / TICK

    def seconds_since(self, earlier: "CpuTime") -> float:
        coarse = (self.ticks - earlier.ticks) / TICK
        fine = sum(time - earlier.threads.get(thread, 0) for thread, time in self.threads.items()) / 1e9
        return fine if abs(fine - coarse) <= self.uncertain else coarse


class Server:
    """A program with a port; it and all it starts are one session, by which they are found again."""

    running: list["Server"] = []

    def __init__(self, name: str, command: list[str], folder: pathlib.Path, cores: set[int],
                 environment: dict[str, str] | None = None, port: int | None = None, patience: float = 20):
        self.name, self.port, self.folder = name, port, folder
        self.output = folder / "output"
        self.output.unlink(missing_ok=True)
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={"PATH": os.environ["PATH"], "HOME": str(folder), **(environment or {})},
                start_new_session=True, preexec_fn=prepare(cores))
        Server.running.append(self)
        try:
            self.wait_until_up(patience)
        except BenchError:
            self.stop()
            raise

    def wait_until_up(self, patience: float) -> None:
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            if self.port is None:  # it chooses its port, and says which
                words = self.output.read_text().split()
                if len(words) == 2 and words[0] == "port":
                    self.port = int(words[1])
                    return
            elif self.answers():
                return
            time.sleep(0.05)
        raise BenchError(f"{self.name} did not start; the end of its output:\n{self.last_output()}")

    def answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def last_output(self) -> str:
        return "\n".join(self.output.read_text(errors="replace").splitlines()[-15:])

    def pids(self) -> list[int]:
        """All processes of its session."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and int(stat_fields(entry.name)[3]) == self.process.pid:
                    found.append(int(entry.name))
            except OSError:
                pass  # ended meanwhile
        return found

    def check_alive(self) -> None:
        if self.process.poll() is not None:
            raise BenchError(f"{self.name} ended by itself; the end of its output:\n{self.last_output()}")

    def cpu_time(self) -> CpuTime:
        self.check_alive()
        return CpuTime(self.pids())

    def memory_kib(self) -> tuple[int, int]:
        """Resident, and of it what no other process shares. What its own processes share counts once."""
        private = shared = 0
        for pid in self.pids():
            sizes = smaps_of(pid)
            own = sizes["Private_Clean"] + sizes["Private_Dirty"]
            private += own
            shared = max(shared, sizes["Rss"] - own)
        return private + shared, private

    def stop(self) -> None:
        for how in (signal.SIGTERM, signal.SIGKILL):
            for pid in self.pids():
                try:
                    os.kill(pid, how)
                except ProcessLookupError:
                    pass
            end = time.monotonic() + 3
            while time.monotonic() < end and self.alive():
                time.sleep(0.02)
        self.process.wait()
        if self in Server.running:
            Server.running.remove(self)

    def alive(self) -> bool:
        return self.process.poll() is None or bool(self.pids())


def stop_all() -> None:
    for server in list(reversed(Server.running)):
        server.stop()
