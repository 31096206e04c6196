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

from . import machine, plots, ratios, tables
from . import contenders as ours
from .contenders import prove
from .measure import Measurement
from .memory import memory
from .peers import ALL as PEERS
from .peers import install
from .place import SOURCE, Place
from .scenarios import scenarios
from .servers import LOAD_CORE, BenchError, Server, raise_file_limit, stop_all

EVERYTHING = [*ours.ALL, *PEERS]
QUICK = {"direct", "relay", "nginx", "aifd-off", "aifd-log", "aifd-model", "aifd-all"}
ROUNDS = {"quick": (2, 0.4), "default": (3, 1.0), "full": (7, 3.0)}  # and seconds of each measurement
HELD = {"quick": (1000, 500), "default": (1000, 1000), "full": (10_000, 10_000)}  # connections, streams
SPARE_FILES = 300


def say(words):
    print(f"[bench {time.monotonic() - STARTED:4.0f}s] {words}", flush=True)


STARTED = time.monotonic()


def options_from(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    extent = parser.add_mutually_exclusive_group()
    for name, what in (("quick", "two minutes: aifd, nginx and the relay"), ("full", "an hour, 10,000 connections")):
        extent.add_argument(f"--{name}", dest="extent", action="store_const", const=name, default="default", help=what)
    parser.add_argument("--peers", action="store_true", help="install openai-forward, LiteLLM and Portkey's gateway first")
    parser.add_argument("--binary", default=SOURCE / "build/bench/aifd", help="the aifd to measure (default: built here)")
    parser.add_argument("--tools", default=SOURCE / "build/bench", help=argparse.SUPPRESS)
    parser.add_argument("--only", help="contenders, separated by commas: " + ", ".join(each.name for each in EVERYTHING))
    parser.add_argument("--scenarios", help="separated by commas: " + ", ".join([*scenarios("default"), "memory"]))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of each measurement")
    parser.add_argument("--results", type=pathlib.Path, default=SOURCE / "bench/results", help="where the report goes")
    options = parser.parse_args(arguments)
    rounds, seconds = ROUNDS[options.extent]
    options.rounds, options.seconds = options.rounds or rounds, options.seconds or seconds
    options.date = datetime.datetime.now().strftime("%Y-%m-%d %H:%M")
    return options


def chosen(given, known, default):
    names = given.split(",") if given else default
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BenchError(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    return [name for name in known if name in names]


def choose_contenders(options, place):
    """Those to measure, and by title why others cannot be."""
    known = {each.name: each for each in EVERYTHING}
    names = chosen(options.only, known, [name for name in known if options.extent != "quick" or name in QUICK])
    contenders = [known[name] for name in names]
    absent = {each.title: each.missing(place) for each in contenders if each.missing(place)}
    for title, reason in absent.items():
        say(f"NOT measured: {title}: {reason}")
    return [each for each in contenders if each.title not in absent], absent


def start_all(contenders, place, absent):
    """Servers by name. One that does not start or does not do its work is left out, and said so."""
    servers = {}
    for contender in contenders:
        say(f"starting {contender.title}")
        try:
            servers[contender.name] = contender.start(place)
            if servers[contender.name]:
                prove(contender, servers[contender.name], place)
        except BenchError as error:
            absent[contender.title] = str(error)
            say(f"NOT measured: {contender.title}: {error}")
            server = servers.pop(contender.name, None)
            if server:
                server.stop()
    return servers


def measure_memory(contenders, place, options, absent):
    connections, streams = HELD[options.extent]
    counts = {"connection": min(connections, place.file_limit // 2 - SPARE_FILES),
              "stream": min(streams, place.file_limit // 2 - SPARE_FILES)}  # a proxy needs two for each
    found = {}
    for contender in contenders:
        if contender.name != "direct" and contender.only is None:
            try:
                found[contender.name] = memory(place, contender, counts, say)
            except BenchError as error:
                absent[f"{contender.title}, memory"] = str(error)
                say(f"FAILED: {error}")
    return found


def results_folder(options, about):
    name = re.sub(r"[^a-z0-9]+", "-", f"{about['cpu']} {about['cores']} cores".lower()).strip("-")
    folder = options.results / f"{name}-{options.date.replace(' ', '-').replace(':', '')}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write(options, about, known, contenders, measured, memories, absent):
    summaries = {name: ratios.summary(found) for name, found in measured.rounds.items() if any(found.values())}
    folder = results_folder(options, about)
    report = tables.report(about, options, known, summaries, memories, contenders, absent, measured.failed)
    (folder / "results.md").write_text(report)
    failed = [{"scenario": scenario, "contender": name, "reason": why} for (scenario, name), why in measured.failed.items()]
    everything = {"date": options.date, "machine": about, "rounds": options.rounds, "seconds": options.seconds,
                  "absent": absent, "failed": failed, "summaries": summaries, "memory_kib": memories,
                  "measured": measured.rounds}
    (folder / "results.json").write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n")
    for name, drawing in plots.plots(known, summaries, contenders, about).items():
        (folder / name).write_text(drawing)
    print(report)
    say(f"written to {folder}")


def run(options, place):
    known = scenarios(options.extent)
    wanted = chosen(options.scenarios, [*known, "memory"], [*known, "memory"])
    contenders, absent = choose_contenders(options, place)
    about = machine.describe(place)
    upstream = Server("the mock upstream", [str(place.tools / "bench_upstream")], place.folder("upstream"), LOAD_CORE)
    place.upstream_port = upstream.port
    servers = start_all(contenders, place, absent)
    contenders = [each for each in contenders if each.name in servers]
    measured = Measurement(place, options, say)
    for name in wanted:
        if name != "memory":
            measured.run(known[name], contenders, servers)
    for server in filter(None, servers.values()):
        server.stop()
    memories = measure_memory(contenders, place, options, absent) if "memory" in wanted else {}
    write(options, about, known, contenders, measured, memories, absent)
    return 1 if measured.failed else 0


def main():
    options = options_from(sys.argv[1:])
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
