"""What is asked of each contender."""
import dataclasses

from .setups import BOTH_TLS, CACHED, PLAIN, UPSTREAM_TLS, Setup


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    load: dict                 # options of bench_load
    unit: str = "request"      # what the processor time is divided by
    slow_load: dict = dataclasses.field(default_factory=dict)  # for the gateways in script languages
    times: str = "latency_us"  # which of the load's times the table shows
    setup: Setup = PLAIN

    def arguments(self, seconds: float, slow: bool) -> list[str]:
        options = {"seconds": seconds, **self.load, **(self.slow_load if slow else {})}
        words: list[str] = []
        for name, value in options.items():
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
        return words


def scenarios(extent: str) -> dict[str, Scenario]:
    """By name, in order. The slow streams take two seconds each, whatever is set."""
    streams = 1000 if extent == "full" else 500
    slow_streams = {"events": 100, "gap-us": 20_000, "ramp": 0.2, "seconds": 0.3}
    found = [
        Scenario("json-600", "JSON answers of 600 B, 64 connections", {"connections": 64}),
        Scenario("json-30k", "JSON answers of 30 KB, 64 connections", {"connections": 64, "bytes": 30_000}),
        Scenario("body-100k", "request bodies of 100 KB, 64 connections", {"connections": 64, "pad": 100_000}),
        Scenario("burst", "streams of 100 events sent at once, 64 connections", {"connections": 64, "events": 100},
                 unit="event"),
        Scenario("slow", f"{streams} streams of 100 events, one each 20 ms", {"connections": streams, **slow_streams},
                 unit="event", slow_load={"connections": 50}, times="event_delay_us"),
        Scenario("fresh", "a new connection for each request, 64 at a time", {"connections": 64, "fresh": True}),
        Scenario("calm", "500 requests a second, well below saturation", {"connections": 64, "rate": 500},
                 slow_load={"rate": 50}),
        Scenario("calm-stream", "200 streams a second of 10 events, one each 2 ms; until the first byte",
                 {"connections": 128, "rate": 200, "events": 10, "gap-us": 2000}, unit="event",
                 slow_load={"rate": 20}, times="first_byte_us"),
        Scenario("saturated", "past saturation: JSON of 600 B, 256 connections", {"connections": 256}),
        Scenario("tls-upstream", "TLS to the upstream: JSON answers of 600 B, 64 connections", {"connections": 64},
                 setup=UPSTREAM_TLS),
        Scenario("tls-both", "TLS on both sides: JSON answers of 600 B, 64 connections", {"connections": 64},
                 setup=BOTH_TLS),
        Scenario("tls-burst", "TLS on both sides: streams of 100 events sent at once, 64 connections",
                 {"connections": 64, "events": 100}, unit="event", setup=BOTH_TLS),
        Scenario("cache-600", "from the cache: JSON answers of 600 B, 64 connections",
                 {"connections": 64, "same": True}, setup=CACHED),
        Scenario("cache-30k", "from the cache: JSON answers of 30 KB, 64 connections",
                 {"connections": 64, "same": True, "bytes": 30_000}, setup=CACHED),
    ]
    return {scenario.name: scenario for scenario in found}
