"""Measures aifd beside other proxies and gateways; scripts/bench is its command."""
import argparse
import datetime
import json
import os
import pathlib
import re
import signal
import sys
import time
from collections.abc import Iterable

from . import contenders as ours
from . import machine, memory, plots, ratios, readme, tables, workers
from .contenders import Contender
from .fleet import Fleet
from .measure import Measurement
from .peers import ALL as PEERS
from .peers import install
from .place import SOURCE, Place
from .scenarios import Scenario, scenarios
from .servers import LOAD_CORE, BenchError, raise_file_limit, stop_all

EVERYTHING = [*ours.ALL, *PEERS]
QUICK = {"direct", "relay", "nginx", "aifd-off", "aifd-model", "aifd-all"}
ROUNDS = {"quick": (2, 0.4), "default": (3, 1.0), "full": (7, 3.0)}  # and seconds of each measurement
APART = ["workers", "memory"]  # measured in their own ways
STARTED = time.monotonic()


def say(words: str) -> None:
    print(f"[bench {time.monotonic() - STARTED:4.0f}s] {words}", flush=True)


def options_from(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    extent = parser.add_mutually_exclusive_group()
    for name, what in (("quick", "three minutes: aifd, nginx and the relay"), ("full", "an hour")):
        extent.add_argument(f"--{name}", dest="extent", action="store_const", const=name, default="default", help=what)
    parser.add_argument("--peers", action="store_true", help="install openai-forward, LiteLLM and Portkey's gateway first")
    parser.add_argument("--binary", default=SOURCE / "build/bench/aifd", help="the aifd to measure (default: built here)")
    parser.add_argument("--tools", default=SOURCE / "build/bench", help=argparse.SUPPRESS)
    parser.add_argument("--only", help="contenders, separated by commas: " + ", ".join(each.name for each in EVERYTHING))
    parser.add_argument("--scenarios", help="separated by commas: " + ", ".join([*scenarios("default"), *APART]))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of each measurement")
    parser.add_argument("--results", type=pathlib.Path, default=SOURCE / "bench/results", help="where the report goes")
    parser.add_argument("--readme", type=pathlib.Path, metavar="FOLDER",
                        help="measure nothing; write the ratios of this report into the README files")
    options = parser.parse_args(arguments)
    rounds, seconds = ROUNDS[options.extent]
    options.rounds, options.seconds = options.rounds or rounds, options.seconds or seconds
    options.date = datetime.datetime.now().strftime("%Y-%m-%d %H:%M")
    return options


def chosen(given: str | None, known: Iterable[str], default: list[str]) -> list[str]:
    names = given.split(",") if given else default
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BenchError(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    return [name for name in known if name in names]


def choose_contenders(options: argparse.Namespace, place: Place) -> tuple[list[Contender], dict[str, str]]:
    """Those to measure, and by title why others cannot be."""
    known = {each.name: each for each in EVERYTHING}
    names = chosen(options.only, known, [name for name in known if options.extent != "quick" or name in QUICK])
    contenders = [known[name] for name in names]
    absent = {each.title: each.missing(place) for each in contenders if each.missing(place)}
    for title, reason in absent.items():
        say(f"NOT measured: {title}: {reason}")
    return [each for each in contenders if each.title not in absent], absent


def results_folder(options: argparse.Namespace, about: dict) -> pathlib.Path:
    name = re.sub(r"[^a-z0-9]+", "-", f"{about['cpu']} {about['cores']} cores".lower()).strip("-")
    folder = options.results / f"{name}-{options.date.replace(' ', '-').replace(':', '')}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write(options: argparse.Namespace, about: dict, known: dict[str, Scenario], contenders: list[Contender],
          measured: Measurement, memories: dict, scales: dict, absent: dict[str, str]) -> None:
    summaries = {name: ratios.summary(found) for name, found in measured.rounds.items() if any(found.values())}
    folder = results_folder(options, about)
    report = tables.report(about, options, known, summaries, memories, scales, contenders, absent, measured.failed)
    (folder / "results.md").write_text(report)
    failed = [{"scenario": scenario, "contender": name, "reason": why} for (scenario, name), why in measured.failed.items()]
    everything = {"date": options.date, "machine": about, "rounds": options.rounds, "seconds": options.seconds,
                  "absent": absent, "failed": failed, "summaries": summaries, "memory_kib": memories, "workers": scales,
                  "measured": measured.rounds}
    (folder / "results.json").write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n")
    for name, drawing in plots.plots(known, summaries, contenders, about).items():
        (folder / name).write_text(drawing)
    print(report)
    say(f"written to {folder}")


def run(options: argparse.Namespace, place: Place) -> int:
    known = scenarios(options.extent)
    wanted = chosen(options.scenarios, [*known, *APART], [*known, *APART])
    contenders, absent = choose_contenders(options, place)
    about = machine.describe(place)
    place.start_upstreams(LOAD_CORE)
    fleet = Fleet(place, say)
    measured_here = [known[name] for name in wanted if name not in APART]
    fleet.start(contenders, dict.fromkeys(scenario.setup for scenario in measured_here))
    measured = Measurement(place, fleet, options, say)
    for scenario in measured_here:
        measured.run(scenario, contenders)
    fleet.stop()
    absent |= fleet.absent
    scales = workers.measure_workers(place, contenders, options, absent, say) if "workers" in wanted else {}
    memories = memory.measure_memory(place, contenders, options.extent, absent, say) if "memory" in wanted else {}
    about["others_after"] = machine.others_share()
    write(options, about, known, contenders, measured, memories, scales, absent)
    return 1 if measured.failed else 0


def main() -> int:
    options = options_from(sys.argv[1:])
    if options.readme:
        return readme.write(options.readme)
    if os.cpu_count() < 2:
        sys.exit("[bench] two cores are needed: one for the proxy, one for the load")
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: sys.exit(130))
    place = Place(options, raise_file_limit())
    try:
        if options.peers:
            install(place.peers)
        return run(options, place)
    except BenchError as error:
        print(f"[bench] {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        stop_all()
        place.remove()


if __name__ == "__main__":
    sys.exit(main())
