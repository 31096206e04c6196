"""How a proxy grows from one worker on a core to two workers on two.

Where the machine has cores left for them, mock and load have their own, and requests a second tell.
On fewer than four they share the proxy's cores, so that two workers cannot have two cores for
themselves: then the processor time of a request tells what two workers could do with that.
"""
import argparse
import os
from collections.abc import Callable

from .contenders import Contender
from .measure import figures, run_load, turns
from .place import Place
from .prove import prove
from .ratios import Rounds, spread
from .scenarios import Scenario
from .servers import BenchError, Server, on_cores
from .setups import PLAIN, TWO_WORKERS, Setup

WORKERS = (PLAIN, TWO_WORKERS)
LOAD = Scenario("workers", "", {"connections": 64})
Servers = dict[tuple[str, str], Server]  # by contender and setup


def shared_cores() -> bool:
    """Whether mock and load must run on the proxy's cores."""
    return os.cpu_count() < 4


def load_cores() -> set[int]:
    return set(range(os.cpu_count())) - (set() if shared_cores() else {0, 1})


def measure_workers(place: Place, contenders: list[Contender], options: argparse.Namespace, absent: dict[str, str],
                    say: Callable[[str], None]) -> dict[str, dict]:
    """By contender; why there is none goes to `absent`."""
    servers: Servers = {}
    rounds: dict[str, dict[str, Rounds]] = {}
    with on_cores(place.upstream, load_cores()):
        for contender in [each for each in contenders if TWO_WORKERS in each.setups]:
            try:
                for setup in WORKERS:
                    servers[contender.name, setup.name] = started(place, contender, setup)
                rounds[contender.name] = {setup.name: [] for setup in WORKERS}
            except BenchError as error:
                absent[f"{contender.title}, two workers"] = str(error)
        measured = [each for each in contenders if each.name in rounds]
        for number in range(options.rounds):
            say(f"one worker and two: round {number + 1} of {options.rounds}")
            for contender in turns(measured, number):
                measure(place, contender, servers, options.seconds, rounds, absent)
            place.trim_logs()
    for server in servers.values():
        server.stop()
    return {name: summary(*found.values()) for name, found in rounds.items()}


def started(place: Place, contender: Contender, setup: Setup) -> Server:
    server = contender.start(place, setup, "-workers")
    prove(place, contender, setup, server)
    return server


def measure(place: Place, contender: Contender, servers: Servers, seconds: float,
            rounds: dict[str, dict[str, Rounds]], absent: dict[str, str]) -> None:
    if contender.name not in rounds:
        return
    for setup in WORKERS:
        try:
            report = run_load(place, contender, setup, servers[contender.name, setup.name],
                              LOAD.arguments(seconds, False), load_cores())
        except BenchError as error:
            absent[f"{contender.title}, two workers"] = str(error)
            del rounds[contender.name]
            return
        rounds[contender.name][setup.name].append(figures(report, LOAD))


def summary(one: Rounds, two: Rounds) -> dict[str, dict]:
    """Requests a second and processor time of each, and how many times one worker's work two can do."""
    pairs = list(zip(one, two))
    found = {f"{figure}_{name}": spread([each[figure] for each in rounds])
             for figure in ("rate", "cpu_us") for name, rounds in (("one", one), ("two", two))}
    found["scale_by_rate"] = spread([more["rate"] / less["rate"] for less, more in pairs])
    found["scale_by_cpu"] = spread([2 * less["cpu_us"] / more["cpu_us"] for less, more in pairs])
    found["scale"] = found["scale_by_cpu" if shared_cores() else "scale_by_rate"]
    return found
