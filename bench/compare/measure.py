"""Runs the load against each contender in turn, so that the machine's moods hit all alike."""
import argparse
import json
import subprocess
import time
import urllib.request
from collections.abc import Callable

from .contenders import Contender
from .fleet import Fleet
from .place import Place
from .ratios import Rounds
from .scenarios import Scenario
from .servers import LOAD_CORE, BenchError, Server, prepare
from .setups import PLAIN, Setup

SETTLE_SECONDS = 0.1  # for a writer of logs to finish
WARM_SECONDS = 0.2    # until a cache has the answer, and connections to the upstream are open


def load_command(place: Place, port: int, arguments: list[str]) -> list[str]:
    return [str(place.tools / "bench_load"), "--port", str(port), *arguments]


def run_load(place: Place, contender: Contender, setup: Setup, server: Server | None, arguments: list[str],
             cores: set[int]) -> dict:
    """The load's report, with the processor time of the proxy meanwhile."""
    port = server.port if server else place.upstream_port(setup)
    before = server.cpu_time() if server else None
    done = subprocess.run(load_command(place, port, [*arguments, *contender.load_arguments(place, setup)]),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=prepare(cores))
    time.sleep(SETTLE_SECONDS)
    used = server.cpu_time().seconds_since(before) if server else 0
    if not done.stdout.startswith("{"):
        raise BenchError(f"bench_load failed: {done.stderr.strip() or done.returncode}")
    report = json.loads(done.stdout)
    if report["errors"] or not report["requests"]:
        raise BenchError(f"{contender.title}: {report['errors']} wrong answers, the first: {report.get('first_error')}")
    return {**report, "cpu_seconds": used}


def answered(place: Place) -> int:
    """How many requests the mock has answered so far."""
    with urllib.request.urlopen(place.upstream_url(PLAIN), timeout=20) as answer:
        return json.load(answer)["answered"]


def run_warm(place: Place, contender: Contender, setup: Setup, server: Server | None, arguments: list[str]) -> dict:
    """The same after a while under the same load. Where answers are kept, all must come from there."""
    run_load(place, contender, setup, server, [*arguments, "--seconds", str(WARM_SECONDS)], {LOAD_CORE})
    before = answered(place) if setup.cache else 0
    report = run_load(place, contender, setup, server, arguments, {LOAD_CORE})
    asked = answered(place) - before if setup.cache else 0
    if asked and server:
        raise BenchError(f"{contender.title}: {asked} answers were not the cache's")
    return report


def figures(report: dict, scenario: Scenario) -> dict[str, float]:
    """What counts of one run."""
    units = report["events"] if scenario.unit == "event" else report["requests"]
    found = {"rate": report["requests"] / report["seconds"],
             "busy": report["cpu_seconds"] / (report["seconds"] + SETTLE_SECONDS)}
    if report["cpu_seconds"]:
        found["cpu_us"] = report["cpu_seconds"] / units * 1e6
    for name, value in report[scenario.times].items():
        found[name.replace("p99.9", "p999")] = value
    return found


def turns(several: list, number: int) -> list:
    """A B C, then C B A: who comes first has no advantage."""
    return several if number % 2 == 0 else list(reversed(several))


class Measurement:
    """Of each scenario and contender one set of figures a round; what failed is kept apart, with its reason."""

    def __init__(self, place: Place, fleet: Fleet, options: argparse.Namespace, say: Callable[[str], None]):
        self.place, self.fleet, self.options, self.say = place, fleet, options, say
        self.rounds: dict[str, dict[str, Rounds]] = {}
        self.failed: dict[tuple[str, str], str] = {}

    def run(self, scenario: Scenario, contenders: list[Contender]) -> None:
        taking_part = [each for each in contenders if self.fleet.has(each, scenario.setup)
                       and (each.only is None or scenario.name in each.only)]
        self.rounds[scenario.name] = {each.name: [] for each in taking_part}
        for number in range(self.options.rounds):
            self.say(f"{scenario.title}: round {number + 1} of {self.options.rounds}")
            for contender in turns(taking_part, number):
                if number == 0 or not contender.slow or self.options.extent == "full":
                    self.measure(scenario, contender)
            self.place.trim_logs()
        for contender in taking_part:
            if (scenario.name, contender.name) in self.failed:
                del self.rounds[scenario.name][contender.name]

    def measure(self, scenario: Scenario, contender: Contender) -> None:
        if (scenario.name, contender.name) in self.failed:
            return
        setup = scenario.setup
        server = self.fleet.server(contender, setup)
        arguments = scenario.arguments(self.options.seconds, contender.slow)
        try:
            if setup == PLAIN:
                report = run_load(self.place, contender, setup, server, arguments, {LOAD_CORE})
            else:
                report = run_warm(self.place, contender, setup, server, arguments)
        except BenchError as error:
            self.failed[scenario.name, contender.name] = str(error)
            self.say(f"FAILED {scenario.name}: {error}")
            return
        self.rounds[scenario.name][contender.name].append(figures(report, scenario))
