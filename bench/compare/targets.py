"""What aifd must reach, as ratios of one run, and what it aims at."""
Row = tuple[str, float | None, str, str, str]  # what, found, must, aim, verdict

# scenario, figure, contender, what it is, must, aim: times that of nginx
RATIOS = [
    ("json-600", "cpu_us", "aifd-all", "CPU a JSON request, everything on", 1.15, 0.95),
    ("json-600", "cpu_us", "aifd-off", "CPU a JSON request, features off", 0.95, 0.85),
    ("burst", "cpu_us", "aifd-all", "CPU an event sent at once, everything on", 1.15, 0.95),
    ("burst", "cpu_us", "aifd-off", "CPU an event sent at once, features off", 0.95, 0.85),
    ("slow", "cpu_us", "aifd-all", "CPU an event of slow streams, everything on", 1.15, 0.95),
    ("slow", "cpu_us", "aifd-off", "CPU an event of slow streams, features off", 0.95, 0.85),
    ("body-100k", "cpu_us", "aifd-all", "CPU a request of 100 KB with model check", 1.5, 1.1),
    ("fresh", "cpu_us", "aifd-all", "CPU a request with a new connection", 1.15, 1.0),
    ("tls-upstream", "cpu_us", "aifd-all", "CPU a JSON request, TLS to the upstream", 1.15, 1.0),
    ("tls-both", "cpu_us", "aifd-all", "CPU a JSON request, TLS on both sides", 1.15, 1.0),
    ("tls-burst", "cpu_us", "aifd-all", "CPU an event sent at once, TLS on both sides", 1.15, 1.0),
    ("cache-600", "cpu_us", "aifd-log", "CPU an answer of 600 B from the cache, access log", 1.2, 1.0),
    ("cache-30k", "cpu_us", "aifd-log", "CPU an answer of 30 KB from the cache, access log", 1.2, 1.0),
    ("cache-600", "cpu_us", "aifd-all", "CPU an answer of 600 B from the cache, everything on", 1.2, 1.0),
    ("cache-30k", "cpu_us", "aifd-all", "CPU an answer of 30 KB from the cache, everything on", 1.2, 1.0),
    ("calm-stream", "added_p50", "aifd-all", "added until the first byte, p50", 1.1, 0.9),
    ("calm-stream", "added_p99", "aifd-all", "added until the first byte, p99", 1.1, 0.9),
    ("slow", "added_p50", "aifd-all", "added delay of an event, p50", 1.1, 0.9),
    ("slow", "added_p99", "aifd-all", "added delay of an event, p99", 1.1, 0.9),
]
# Of what stands beside a name: the least that counts.
SATURATED, SCALE = 0.9, 1.8
# Memory after all connections or streams, as times that at rest, and KiB on top.
GIVEN_BACK, GIVEN_BACK_KIB = 1.25, 4096
# figure of the memory scenario, what it is, must, aim: KiB
MEMORY = [
    ("rest", "memory at rest, KiB", 12 * 1024, 8 * 1024),
    ("connection", "memory an idle connection, KiB", 4, 2),
    ("stream", "memory an open stream, KiB", 16, 10),
]


def verdict(value: float | None, must: float, aim: float | None = None) -> str:
    if value is None:
        return "not measured"
    return "aim reached" if aim is not None and value <= aim else "reached" if value <= must else "**missed**"


def check(summaries: dict[str, dict], memories: dict[str, dict], scales: dict[str, dict]) -> list[Row]:
    """What was not measured has no value."""
    rows: list[Row] = []
    for scenario, figure, contender, what, must, aim in RATIOS:
        entry = summaries.get(scenario, {}).get(contender, {}).get(figure) or {}
        ratio = entry.get("x_nginx")
        value = ratio["median"] if ratio else None
        rows.append((what, value, f"{must} ×", f"{aim} ×", verdict(value, must, aim)))
    rows += [past_saturation(summaries), two_workers(scales)]
    memory = memories.get("aifd-all", {})
    for figure, what, must, aim in MEMORY:
        rows.append((what, memory.get(figure), str(must), str(aim), verdict(memory.get(figure), must, aim)))
    return rows + [given_back(memory, kind) for kind in ("connections", "streams")]


def at_least(what: str, value: float | None, least: float) -> Row:
    said = "not measured" if value is None else "reached" if value >= least else "**missed**"
    return what, value, f"≥ {least} ×", "", said


def past_saturation(summaries: dict[str, dict]) -> Row:
    what = "throughput at 256 connections, of that at 64, everything on"
    try:
        many, few = (summaries[name]["aifd-all"]["rate"]["median"] for name in ("saturated", "json-600"))
    except KeyError:
        return at_least(what, None, SATURATED)
    return at_least(what, many / few, SATURATED)


def two_workers(scales: dict[str, dict]) -> Row:
    scale = scales.get("aifd-all", {}).get("scale")
    return at_least("two workers, of one's work, everything on", scale["median"] if scale else None, SCALE)


def given_back(memory: dict[str, float], kind: str) -> Row:
    """What was open is closed again, and its memory is the system's."""
    value = memory.get(f"after_{kind}")
    must = memory["rest"] * GIVEN_BACK + GIVEN_BACK_KIB if memory else 0
    what = f"memory after {memory.get(kind, 'all')} {kind}, KiB"
    return what, value, f"{must:.0f}" if memory else "", "", verdict(value, must)
