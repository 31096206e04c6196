"""Processes under test: started on a core of their own, watched through /proc, and gone when we are."""
import ctypes
import os
import pathlib
import resource
import signal
import socket
import subprocess
import time

PROXY_CORE, LOAD_CORE = 0, 1
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
TICK = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """Something that ends the run, with what to do about it."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_file_limit():
    """As many open files as allowed; what is started from here has them, too."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def prepare(core):
    """Runs in the child before it becomes the program: its core, and a signal should we die first."""
    def run():
        os.sched_setaffinity(0, {core})
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    return run


def stat_fields(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()


class CpuTime:
    """What processes have used so far: to the tick with the threads that have ended, and to the nanosecond without."""

    def __init__(self, pids):
        self.ticks, self.threads = 0, {}
        for pid in pids:
            self.ticks += sum(map(int, stat_fields(pid)[11:13]))
            for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
                try:
                    self.threads[thread.name] = int((thread / "schedstat").read_text().split()[0])
                except OSError:
                    pass  # it has ended, or the kernel does not tell
        self.uncertain = 2 * len(pids) / TICK

    def seconds_since(self, earlier):
        coarse = (self.ticks - earlier.ticks) / TICK
        fine = sum(time - earlier.threads.get(thread, 0) for thread, time in self.threads.items()) / 1e9
        return fine if abs(fine - coarse) <= self.uncertain else coarse


class Server:
    """A program with a port; it and all it starts are one session, by which they are found again."""

    running = []

    def __init__(self, name, command, directory, core, environment=None, port=None, patience=20):
        self.name, self.port = name, port
        self.output = pathlib.Path(directory) / "output"
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                command, cwd=directory, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={"PATH": os.environ["PATH"], "HOME": str(directory), **(environment or {})},
                start_new_session=True, preexec_fn=prepare(core))
        Server.running.append(self)
        try:
            self.wait_until_up(patience)
        except BenchError:
            self.stop()
            raise

    def wait_until_up(self, patience):
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

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def last_output(self):
        return "\n".join(self.output.read_text(errors="replace").splitlines()[-15:])

    def pids(self):
        """All processes of its session."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and int(stat_fields(entry.name)[3]) == self.process.pid:
                    found.append(int(entry.name))
            except OSError:
                pass  # ended meanwhile
        return found

    def check_alive(self):
        if self.process.poll() is not None:
            raise BenchError(f"{self.name} ended by itself; the end of its output:\n{self.last_output()}")

    def cpu_time(self):
        self.check_alive()
        return CpuTime(self.pids())

    def memory_kib(self):
        """Resident; what several of its processes share counts once, in the process that has most."""
        total = resident = 0
        for pid in self.pids():
            sizes = {}
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
                name, size = line.split(":")
                sizes[name] = int(size.split()[0])
            own = sizes["Private_Clean"] + sizes["Private_Dirty"]
            resident = max(resident, sizes["Rss"] - own)
            total += own
        return total + resident

    def stop(self):
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

    def alive(self):
        return self.process.poll() is None or bool(self.pids())


def stop_all():
    for server in list(reversed(Server.running)):
        server.stop()
