"""Addresses that refuse, or that never answer."""
import socket
from typing import List


class RefusingPort:
    """A port of ours that nobody listens on; open() starts to listen on it."""

    def __init__(self, host: str = "127.0.0.1"):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.bind((host, 0))
        self.port = self.sock.getsockname()[1]
        self.url = f"http://{host}:{self.port}"

    def __enter__(self) -> "RefusingPort":
        return self

    def __exit__(self, *_) -> None:
        self.sock.close()


class SilentPort:
    """A listener with a full backlog: further connects get no answer, as behind a dropping firewall."""

    def __init__(self, host: str = "127.0.0.1"):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.bind((host, 0))
        self.sock.listen(0)
        self.port = self.sock.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self.fillers: List[socket.socket] = []
        while self._one_more_connects():
            pass

    def _one_more_connects(self) -> bool:
        filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        filler.settimeout(0.3)
        self.fillers.append(filler)
        try:
            filler.connect(self.sock.getsockname())
            return True
        except socket.timeout:
            filler.close()
            return False

    def connecting(self) -> int:
        """How many sockets of this machine wait for an answer from here (SYN_SENT)."""
        wanted = f":{self.port:04X}"
        with open("/proc/net/tcp") as table:
            rows = [line.split() for line in table.readlines()[1:]]
        return sum(1 for row in rows if row[2].endswith(wanted) and row[3] == "02")

    def __enter__(self) -> "SilentPort":
        return self

    def __exit__(self, *_) -> None:
        for filler in self.fillers:
            filler.close()
        self.sock.close()


def refused_connects() -> int:
    """The kernel's count of connects that failed, for tests that wait for one."""
    with open("/proc/net/snmp") as table:
        names, values = [line.split() for line in table if line.startswith("Tcp:")]
    return int(values[names.index("AttemptFails")])
