"""Medians and ratios. A ratio is one of two runs of the same round; then the median of these is taken."""
import statistics
from collections.abc import Sequence

Spread = dict[str, float]     # median, min, max
Rounds = list[dict[str, float]]  # of each round the figures by name


def spread(values: Sequence[float]) -> Spread:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratios(rounds: Rounds, others: Rounds, figure: str) -> Spread | None:
    pairs = [(one[figure], other[figure]) for one, other in zip(rounds, others) if figure in one and other.get(figure)]
    return spread([one / other for one, other in pairs]) if pairs else None


def summary(by_contender: dict[str, Rounds], references: Sequence[str] = ("nginx", "relay")) -> dict[str, dict]:
    """Of each contender and figure: value, and times that of each reference."""
    found: dict[str, dict] = {}
    for name, rounds in by_contender.items():
        found[name] = {}
        for figure in rounds[0]:
            entry = spread([one[figure] for one in rounds])
            for reference in references:
                if reference in by_contender:
                    entry[f"x_{reference}"] = ratios(rounds, by_contender[reference], figure)
            found[name][figure] = entry
        found[name].update(added(rounds, by_contender))
    return found


def added(rounds: Rounds, by_contender: dict[str, Rounds]) -> dict[str, dict]:
    """Times less those of the same round without a proxy, beside what nginx adds."""
    direct, nginx = by_contender.get("direct"), by_contender.get("nginx")
    found = {}
    for figure in ("p50", "p99", "p999"):
        if not direct or not nginx or figure not in rounds[0]:
            continue
        own = [one[figure] - base[figure] for one, base in zip(rounds, direct)]
        its = [one[figure] - base[figure] for one, base in zip(nginx, direct)]
        found[f"added_{figure}"] = {**spread(own), "x_nginx": None}
        if all(value > 0 for value in own + its):
            found[f"added_{figure}"]["x_nginx"] = spread([one / other for one, other in zip(own, its)])
    return found
