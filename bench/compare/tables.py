"""The results as Markdown."""
import argparse
from collections.abc import Sequence

from .contenders import Contender
from .ratios import Spread
from .scenarios import Scenario
from .targets import check
from .workers import shared_cores

BUSY = 0.05  # of the machine with other work: then no figure counts
TIMES = {"latency_us": "latency", "event_delay_us": "delay of an event", "first_byte_us": "first byte"}


def number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def ratio(entry: dict | None, reference: str) -> str:
    return spread((entry or {}).get(f"x_{reference}"))


def spread(found: Spread | None) -> str:
    return f"{found['median']:.2f} ({found['min']:.2f}–{found['max']:.2f})" if found else "–"


def value(entry: Spread | None) -> str:
    return number(entry["median"]) if entry else "–"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def cpu_row(contender: Contender, figures: dict) -> list[str]:
    cpu = figures.get("cpu_us")
    return [contender.title, value(figures["rate"]), value(cpu), ratio(cpu, "nginx"), ratio(cpu, "relay"),
            f"{figures['busy']['median']:.0%}"]


def times_row(contender: Contender, figures: dict) -> list[str]:
    return [contender.title, *(value(figures[name]) for name in ("p50", "p99", "p999")),
            *(ratio(figures.get(name), "nginx") for name in ("p50", "p99", "added_p50", "added_p99"))]


def scenario_table(scenario: Scenario, found: dict, contenders: list[Contender], failed: dict) -> str:
    cpu_rows, times_rows = [], []
    for contender in contenders:
        if contender.name in found:
            cpu_rows.append(cpu_row(contender, found[contender.name]))
            times_rows.append(times_row(contender, found[contender.name]))
        elif (scenario.name, contender.name) in failed:
            cpu_rows.append([contender.title, "failed"] + ["–"] * 4)
    cpu = table(["", "requests/s", f"CPU µs / {scenario.unit}", "× nginx", "× relay", "core busy"], cpu_rows)
    times = table([f"{TIMES[scenario.times]}, µs", "p50", "p99", "p99.9", "p50 × nginx", "p99 × nginx",
                   "added p50 × nginx", "added p99 × nginx"], times_rows)
    return f"## {scenario.title}\n\n{slow_note(scenario, contenders, found)}{cpu}\n{times}"


def slow_note(scenario: Scenario, contenders: list[Contender], found: dict) -> str:
    if not scenario.slow_load or not any(each.slow and each.name in found for each in contenders):
        return ""
    load = ", ".join(f"{name} {size}" for name, size in scenario.slow_load.items())
    return f"The gateways in script languages get less to do: {load}.\n\n"


def memory_table(memories: dict[str, dict], contenders: list[Contender]) -> str:
    if not memories:
        return ""
    rows = []
    for contender in contenders:
        found = memories.get(contender.name)
        if found:
            mib = {name: number(found[name] / 1024) for name in ("rest", "private", "after_connections", "after_streams")}
            rows.append([contender.title, mib["rest"], mib["private"], number(found["connection"]), found["connections"],
                         mib["after_connections"], number(found["stream"]), found["streams"], mib["after_streams"]])
    return "## Memory\n\nResident in the processes themselves; the kernel's socket buffers are not in it.\n\n" + table(
        ["", "at rest, MiB", "of it private", "an idle connection, KiB", "of", "after these, MiB",
         "an open stream, KiB", "of", "after these, MiB"], rows)


def workers_table(scales: dict[str, dict], contenders: list[Contender]) -> str:
    if not scales:
        return ""
    note = "Mock and load have cores of their own: requests/s tell how it grows."
    if shared_cores():
        note = ("**This machine has too few cores to show it in requests/s**: mock and load run on the proxy's own. What tells "
                "is the processor time of a request: two workers do twice the work of one, less what a request costs them more.")
    rows = []
    for contender in contenders:
        found = scales.get(contender.name)
        if found:
            rows.append([contender.title, *(value(found[f"{figure}_{workers}"]) for figure in ("rate", "cpu_us")
                                            for workers in ("one", "two")),
                         spread(found["scale_by_rate"]), spread(found["scale_by_cpu"])])
    return f"## One worker and two: JSON answers of 600 B, 64 connections\n\n{note}\n\n" + table(
        ["", "requests/s, one", "two", "CPU µs / request, one", "two", "two do × one, by requests/s", "by CPU"], rows)


def target_table(summaries: dict[str, dict], memories: dict[str, dict], scales: dict[str, dict]) -> str:
    rows = [(what, number(found), must, aim, how)
            for what, found, must, aim, how in check(summaries, memories, scales)]
    return "## Targets of aifd\n\n" + table(["", "found", "must", "aim", ""], rows)


def one_line(reason: str) -> str:
    return " ".join(reason.split())[:400]


def machine_lines(machine: dict, options: argparse.Namespace, contenders: list[Contender], absent: dict[str, str],
                  failed: dict) -> str:
    versions = "; ".join(f"{name}: {version}" for name, version in machine["versions"].items())
    lines = [f"- Machine: {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
             f"{machine['system']}, Linux {machine['kernel']}; "
             f"other work before and after: {machine['others_before']:.0%} and {machine['others_after']:.0%} of it",
             f"- Versions: {versions}",
             f"- {options.rounds} rounds of {options.seconds} s, interleaved; the proxy on core 0, mock and load on core 1. "
             "Each figure is the median of the rounds; ratios are taken within a round, with their least and greatest.",
             *(["- Gateways in script languages: in the first round alone."]
               if options.extent != "full" and any(each.slow for each in contenders) else []),
             f"- Measured: {', '.join(each.title for each in contenders)}"]
    lines += [f"- Not measured: {title}: {one_line(reason)}" for title, reason in absent.items()]
    lines += [f"- Failed: {name}, scenario {scenario}: {one_line(reason)}" for (scenario, name), reason in failed.items()]
    if max(machine["others_before"], machine["others_after"]) > BUSY:
        lines.append("- **The machine was busy with other work. Do not quote these figures.**")
    return "\n".join(lines) + "\n"


def report(machine: dict, options: argparse.Namespace, scenarios: dict[str, Scenario], summaries: dict[str, dict],
           memories: dict[str, dict], scales: dict[str, dict], contenders: list[Contender], absent: dict[str, str],
           failed: dict) -> str:
    parts = [f"# aifd beside others, {options.date}\n", machine_lines(machine, options, contenders, absent, failed)]
    parts.append(target_table(summaries, memories, scales))
    parts += [scenario_table(scenarios[name], found, contenders, failed) for name, found in summaries.items()]
    parts += [workers_table(scales, contenders), memory_table(memories, contenders)]
    return "\n".join(part for part in parts if part)
