"""What aifd must reach, as ratios of one run, and what it aims at."""

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
    ("calm-stream", "added_p50", "aifd-all", "added until the first byte, p50", 1.1, 0.9),
    ("calm-stream", "added_p99", "aifd-all", "added until the first byte, p99", 1.1, 0.9),
    ("slow", "added_p50", "aifd-all", "added delay of an event, p50", 1.1, 0.9),
    ("slow", "added_p99", "aifd-all", "added delay of an event, p99", 1.1, 0.9),
]
# figure of the memory scenario, what it is, must, aim: KiB
MEMORY = [
    ("rest", "memory at rest, KiB", 12 * 1024, 8 * 1024),
    ("connection", "memory an idle connection, KiB", 4, 2),
    ("stream", "memory an open stream, KiB", 16, 10),
]


def verdict(value, must, aim):
    return "aim reached" if value <= aim else "reached" if value <= must else "**missed**"


def check(summaries, memories):
    """Rows of what, value, must, aim, verdict; what was not measured has no value."""
    rows = []
    for scenario, figure, contender, what, must, aim in RATIOS:
        entry = summaries.get(scenario, {}).get(contender, {}).get(figure) or {}
        ratio = entry.get("x_nginx")
        value = ratio and ratio["median"]
        rows.append((what, value, f"{must} ×", f"{aim} ×", verdict(value, must, aim) if value else "not measured"))
    rows.append(past_saturation(summaries))
    for figure, what, must, aim in MEMORY:
        value = memories.get("aifd-all", {}).get(figure)
        rows.append((what, value, must, aim, "not measured" if value is None else verdict(value, must, aim)))
    return rows


def past_saturation(summaries):
    what = "throughput at 256 connections, of that at 64, everything on"
    try:
        many, few = (summaries[name]["aifd-all"]["rate"]["median"] for name in ("saturated", "json-600"))
    except KeyError:
        return what, None, "≥ 0.9 ×", "", "not measured"
    return what, many / few, "≥ 0.9 ×", "", "reached" if many >= 0.9 * few else "**missed**"
