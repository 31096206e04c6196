"""Runs the load against each contender in turn, so that the machine's moods hit all alike."""
import json
import subprocess
import time

from .servers import LOAD_CORE, BenchError, prepare

SETTLE_SECONDS = 0.1  # for a writer of logs to finish


def load_command(place, port, arguments):
    return [str(place.tools / "bench_load"), "--port", str(port), *arguments]


def run_load(place, contender, server, arguments):
    """The load's report, with the processor time of the proxy meanwhile."""
    port = server.port if server else place.upstream_port
    before = server.cpu_time() if server else None
    done = subprocess.run(load_command(place, port, [*arguments, *contender.load_arguments(place)]),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=prepare(LOAD_CORE))
    time.sleep(SETTLE_SECONDS)
    used = server.cpu_time().seconds_since(before) if server else 0
    if not done.stdout.startswith("{"):
        raise BenchError(f"bench_load failed: {done.stderr.strip() or done.returncode}")
    report = json.loads(done.stdout)
    if report["errors"] or not report["requests"]:
        raise BenchError(f"{contender.title}: {report['errors']} wrong answers, the first: {report.get('first_error')}")
    return {**report, "cpu_seconds": used}


def figures(report, scenario):
    """What counts of one run."""
    units = report["events"] if scenario.unit == "event" else report["requests"]
    found = {"rate": report["requests"] / report["seconds"],
             "busy": report["cpu_seconds"] / (report["seconds"] + SETTLE_SECONDS)}
    if report["cpu_seconds"]:
        found["cpu_us"] = report["cpu_seconds"] / units * 1e6
    for name, value in report[scenario.times].items():
        found[name.replace("p99.9", "p999")] = value
    return found


def turns(contenders, number):
    """A B C, then C B A: who comes first has no advantage."""
    return contenders if number % 2 == 0 else list(reversed(contenders))


class Measurement:
    """Of each scenario and contender one set of figures a round; what failed is kept apart, with its reason."""

    def __init__(self, place, options, say):
        self.place, self.options, self.say = place, options, say
        self.rounds = {}
        self.failed = {}

    def run(self, scenario, contenders, servers):
        taking_part = [each for each in contenders if each.only is None or scenario.name in each.only]
        self.rounds[scenario.name] = {each.name: [] for each in taking_part}
        for number in range(self.options.rounds):
            self.say(f"{scenario.title}: round {number + 1} of {self.options.rounds}")
            for contender in turns(taking_part, number):
                if number == 0 or not contender.slow or self.options.extent == "full":
                    self.measure(scenario, contender, servers[contender.name])
            self.place.trim_logs()
        for contender in taking_part:
            if (scenario.name, contender.name) in self.failed:
                del self.rounds[scenario.name][contender.name]

    def measure(self, scenario, contender, server):
        if (scenario.name, contender.name) in self.failed:
            return
        arguments = scenario.arguments(self.options.seconds, contender.slow)
        try:
            report = run_load(self.place, contender, server, arguments)
        except BenchError as error:
            self.failed[scenario.name, contender.name] = str(error)
            self.say(f"FAILED {scenario.name}: {error}")
            return
        self.rounds[scenario.name][contender.name].append(figures(report, scenario))
