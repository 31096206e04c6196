#!/usr/bin/env python3
"""What scripts/bench makes of its measurements."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True

from compare import ratios, readme, targets, workers  # noqa: E402
from compare.contenders import ALL  # noqa: E402
from compare.proxies import nginx_parts  # noqa: E402
from compare.scenarios import scenarios  # noqa: E402
from compare.setups import BOTH_TLS, CACHED, PLAIN, UPSTREAM_TLS  # noqa: E402


def rounds(*values: float) -> ratios.Rounds:
    return [{"cpu_us": value, "rate": 1000 / value} for value in values]


class RatiosTest(unittest.TestCase):
    def test_within_a_round(self) -> None:
        found = ratios.summary({"nginx": rounds(10, 20, 40), "aifd-all": rounds(5, 20, 20)})
        self.assertEqual(found["aifd-all"]["cpu_us"]["x_nginx"], {"median": 0.5, "min": 0.5, "max": 1})
        self.assertEqual(found["aifd-all"]["cpu_us"]["median"], 20)


class ScaleTest(unittest.TestCase):
    def test_by_cpu(self) -> None:
        found = workers.summary(rounds(10, 10), rounds(10, 12.5))
        self.assertAlmostEqual(found["scale_by_cpu"]["max"], 2)
        self.assertAlmostEqual(found["scale_by_cpu"]["min"], 1.6)

    def test_by_rate(self) -> None:
        one, two = [{"cpu_us": 10, "rate": 1000}], [{"cpu_us": 10, "rate": 1900}]
        self.assertAlmostEqual(workers.summary(one, two)["scale_by_rate"]["median"], 1.9)


class TargetsTest(unittest.TestCase):
    MEMORY = {"rest": 8192, "connection": 1, "stream": 12, "connections": 10, "streams": 10,
              "after_connections": 14336, "after_streams": 14337}

    def verdicts(self, summaries: dict, memories: dict, scales: dict) -> dict[str, str]:
        return {what: said for what, _, _, _, said in targets.check(summaries, memories, scales)}

    def test_nothing_measured(self) -> None:
        self.assertEqual(set(self.verdicts({}, {}, {}).values()), {"not measured"})

    def test_ratios(self) -> None:
        for ratio, said in ((0.95, "aim reached"), (1.15, "reached"), (1.16, "**missed**")):
            found = self.verdicts({"json-600": {"aifd-all": {"cpu_us": {"x_nginx": {"median": ratio}}}}}, {}, {})
            self.assertEqual(found["CPU a JSON request, everything on"], said)

    def test_memory(self) -> None:
        found = self.verdicts({}, {"aifd-all": self.MEMORY}, {})
        self.assertEqual(found["memory at rest, KiB"], "aim reached")
        self.assertEqual(found["memory an open stream, KiB"], "reached")
        self.assertEqual(found["memory after 10 connections, KiB"], "reached")  # 8192 * 1.25 + 4096
        self.assertEqual(found["memory after 10 streams, KiB"], "**missed**")

    def test_two_workers(self) -> None:
        for scale, said in ((1.8, "reached"), (1.79, "**missed**")):
            found = self.verdicts({}, {}, {"aifd-all": {"scale": {"median": scale}}})
            self.assertEqual(found["two workers, of one's work, everything on"], said)


class ReadmeTest(unittest.TestCase):
    RESULTS = {"summaries": {"json-600": {"nginx": {"cpu_us": {"x_nginx": {"median": 1.0}}},
                                          "litellm": {"cpu_us": {"x_nginx": {"median": 123.4}}}}},
               "memory_kib": {"nginx": {"rest": 1000}, "aifd-all": {"rest": 500}}}

    def test_rows(self) -> None:
        table = readme.ratio_table(self.RESULTS, "en")
        self.assertIn("| nginx | 1.00 |", table)
        self.assertIn("| LiteLLM proxy | 123 |", table)
        self.assertIn("0.50", table.split("| aifd, everything on |")[1])
        self.assertNotIn("HAProxy", table)  # was not measured

    def test_markers(self) -> None:
        text = f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n"
        self.assertEqual(readme.between_markers(text, "new\n"), f"before\n{readme.BEGIN}\nnew\n{readme.END}\nafter\n")
        self.assertIsNone(readme.between_markers("nowhere", "new"))


class SetupsTest(unittest.TestCase):
    def test_each_scenario_has_aifd_and_nginx(self) -> None:
        for scenario in scenarios("default").values():
            able = {each.name for each in ALL if scenario.setup in each.setups}
            self.assertLessEqual({"nginx", "aifd-all"}, able, scenario.name)

    def test_nginx(self) -> None:
        self.assertIn("proxy_buffering off", nginx_parts(PLAIN)[2])
        self.assertNotIn("proxy_buffering off", nginx_parts(CACHED)[2])
        self.assertIn("proxy_ssl_verify on", nginx_parts(UPSTREAM_TLS)[2])
        self.assertEqual(nginx_parts(UPSTREAM_TLS)[1], "")
        self.assertEqual(nginx_parts(BOTH_TLS)[1], " ssl")


if __name__ == "__main__":
    unittest.main()
