"""The machine, and the versions of what was measured."""
import os
import pathlib
import platform
import re
import subprocess
import time

from .place import Place


def cpu_model() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return re.sub(r"\s+", " ", line.split(":", 1)[1]).strip()
    return platform.machine()


def memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def system() -> str:
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip('"')
    return platform.system()


def first_line(*command: str) -> str | None:
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
        return done.stdout.strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return None


def cpu_ticks() -> tuple[int, int]:
    """Of all cores since the start: idle, and in all."""
    ticks = list(map(int, pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]))
    return ticks[3] + ticks[4], sum(ticks)


def others_share(seconds: float = 3) -> float:
    """How much of the machine is busy while nothing of ours is. The load average would still know what we have built."""
    idle, total = cpu_ticks()
    time.sleep(seconds)
    idle_then, total_then = cpu_ticks()
    return 1 - (idle_then - idle) / (total_then - total)


def describe(place: Place) -> dict:
    versions = {"aifd": first_line(place.binary, "--version"), "nginx": first_line("nginx", "-v"),
                "haproxy": first_line("haproxy", "-v")}
    return {"cpu": cpu_model(), "cores": os.cpu_count(), "memory_gib": memory_gib(), "kernel": platform.release(),
            "system": system(), "others_before": others_share(),
            "versions": {name: version for name, version in versions.items() if version}}
