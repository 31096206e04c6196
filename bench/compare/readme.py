"""The ratios of a report, as the small table in the README files."""
import json
import pathlib

from .contenders import ALL
from .peers import ALL as PEERS
from .place import SOURCE
from .tables import table

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
COLUMNS = [  # scenario, figure, its name
    ("json-600", "cpu_us", {"en": "CPU, JSON of 600 B", "zh": "CPU，600 B 的 JSON"}),
    ("burst", "cpu_us", {"en": "CPU, events sent at once", "zh": "CPU，连发的事件"}),
    ("slow", "cpu_us", {"en": "CPU, slow streams", "zh": "CPU，慢速的流"}),
    ("body-100k", "cpu_us", {"en": "CPU, requests of 100 KB", "zh": "CPU，100 KB 的请求"}),
    ("calm-stream", "added_p50", {"en": "added until the first byte", "zh": "首字节的额外延迟"}),
    ("memory", "rest", {"en": "memory at rest", "zh": "空闲时的内存"}),
    ("memory", "stream", {"en": "memory of an open stream", "zh": "每条流的内存"}),
]
CHINESE = {  # the rows, in order; in English they have the contenders' titles
    "nginx": "nginx",
    "nginx-lua": "nginx + Lua，做同样的工作",
    "haproxy": "HAProxy",
    "aifd-off": "aifd，功能全关",
    "aifd-all": "aifd，功能全开",
    "openai-forward": "openai-forward",
    "openai-forward-all": "openai-forward，日志与限流",
    "litellm": "LiteLLM",
    "portkey": "Portkey",
}
TITLES = {each.name: each.title for each in [*ALL, *PEERS]}
FILES = {"README.md": "en", "README.zh.md": "zh"}


def cell(results: dict, name: str, scenario: str, figure: str) -> str:
    if scenario == "memory":
        own, base = (results["memory_kib"].get(each, {}).get(figure) for each in (name, "nginx"))
        ratio = own / base if own and base else None
    else:
        entry = results["summaries"].get(scenario, {}).get(name, {}).get(figure) or {}
        ratio = entry["x_nginx"]["median"] if entry.get("x_nginx") else None
    return "–" if ratio is None else f"{ratio:.2f}" if ratio < 9.95 else f"{ratio:.0f}"


def ratio_table(results: dict, language: str) -> str:
    rows = []
    for name, chinese in CHINESE.items():
        cells = [cell(results, name, scenario, figure) for scenario, figure, _ in COLUMNS]
        if any(each != "–" for each in cells):
            rows.append([chinese if language == "zh" else TITLES[name], *cells])
    return table(["× nginx", *(names[language] for _, _, names in COLUMNS)], rows)


def between_markers(text: str, inside: str) -> str | None:
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin:
        return None
    return text[: begin + len(BEGIN)] + "\n" + inside + text[end:]


def write(folder: pathlib.Path) -> int:
    results = json.loads((folder / "results.json").read_text())
    for name, language in FILES.items():
        path = SOURCE / name
        text = between_markers(path.read_text(), ratio_table(results, language))
        if text is None:
            print(f"[bench] {name} has no place for the table: {BEGIN} and {END}")
            return 1
        path.write_text(text)
    print(ratio_table(results, "en"))
    return 0
