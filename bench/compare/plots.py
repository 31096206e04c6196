"""The results as SVG, written by hand: horizontal bars on a logarithmic scale, with least and greatest."""
import html
import math

from .contenders import Contender
from .ratios import Spread
from .scenarios import Scenario
from .tables import TIMES

WIDTH, LABEL, RIGHT, BAR, GAP = 860, 230, 70, 16, 8
OURS, THEIRS, FLOOR = "#2563eb", "#9ca3af", "#d1d5db"


def colour(name: str) -> str:
    return OURS if name.startswith("aifd") else FLOOR if name in ("relay", "direct") else THEIRS


class Scale:
    def __init__(self, values: list[float]):
        low, high = math.log10(min(values)), math.log10(max(values))
        self.low = min(math.floor(low * 4) / 4 - 0.25, -0.25)
        self.high = max(math.ceil(high * 4) / 4, 0.25)

    def x(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return LABEL + share * (WIDTH - LABEL - RIGHT)

    def ticks(self) -> list[float]:
        candidates = [step * 10**power for power in range(-3, 6) for step in (1, 2, 5)]
        return [tick for tick in candidates if self.low <= math.log10(tick) <= self.high]


def text(x: float, y: float, words: str, anchor: str = "start", size: int = 12, extra: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" {extra}>{html.escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" stroke-width="{width}"/>'


def bar(scale: Scale, y: float, name: str, title: str, entry: Spread) -> list[str]:
    middle, end = y + BAR / 2, scale.x(entry["median"])
    return [text(LABEL - 8, middle + 4, title, "end"),
            f'<rect x="{LABEL}" y="{y}" width="{max(end - LABEL, 1):.1f}" height="{BAR}" fill="{colour(name)}"/>',
            line(scale.x(entry["min"]), middle, scale.x(entry["max"]), middle, "#111827", 1.5),
            text(max(end, scale.x(entry["max"])) + 6, middle + 4, f"{entry['median']:.2f}")]


def bars(heading: str, below: str, rows: list[tuple[str, str, Spread]]) -> str:
    """`rows`: name, title, {"median", "min", "max"}."""
    scale = Scale([entry[key] for _, _, entry in rows for key in ("min", "max")])
    top, height = 54, 54 + len(rows) * (BAR + GAP) + 44
    bottom = height - 40
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
             f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" fill="#111827">',
             f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>', text(16, 24, heading, size=16),
             text(16, 42, below, extra='fill="#6b7280"')]
    for tick in scale.ticks():
        parts.append(line(scale.x(tick), top, scale.x(tick), bottom, "#111827" if tick == 1 else "#e5e7eb"))
        parts.append(text(scale.x(tick), bottom + 16, f"{tick:g}", "middle", 11))
    for number, (name, title, entry) in enumerate(rows):
        parts += bar(scale, top + 4 + number * (BAR + GAP), name, title, entry)
    return "\n".join(parts) + "\n</svg>\n"


def plots(scenarios: dict[str, Scenario], summaries: dict[str, dict], contenders: list[Contender],
          machine: dict) -> dict[str, str]:
    """By file name."""
    found = {}
    where = f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}; times nginx, logarithmic, less is better"
    for name, figures in summaries.items():
        for figure, what in (("cpu_us", f"CPU time per {scenarios[name].unit}"), ("p99", f"99th percentile, {TIMES[scenarios[name].times]}")):
            rows = [(each.name, each.title, figures[each.name][figure]["x_nginx"]) for each in contenders
                    if figures.get(each.name, {}).get(figure, {}).get("x_nginx")]
            rows = [row for row in rows if row[2]["min"] > 0]
            if rows:
                kind = "cpu" if figure == "cpu_us" else "p99"
                found[f"{name}-{kind}.svg"] = bars(f"{scenarios[name].title}: {what}", where, rows)
    return found
