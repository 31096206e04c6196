"""The conversation log, read strictly: one JSON object a line, the fields of each record in their order, a request
and its answer joined by uid."""
import io
import json
import pathlib
import re
from typing import Dict, List, NamedTuple, Optional

import zstandard

from .client import PATIENCE, eventually
from .daemon import Daemon, routes

UID = re.compile(r"[0-9a-f]{32}")
DATETIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
ROTATED = re.compile(r"(\w+)\.\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_\d{6}\.log(\.zst)?")

# In their order; "?": not always there.
ASKED = {
    "chat": "messages model stream max_tokens max_completion_tokens? response_format n temperature top_p logit_bias "
            "frequency_penalty presence_penalty seed stop user tools tool_choice ip uid caching datetime",
    "completion": "prompt model stream temperature ip uid datetime",
    "embedding": "input model encoding_format ip uid caching datetime",
    "whisper": "file model language prompt response_format temperature ip uid datetime",
    "general": "method path content_type payload payload_bytes ip uid datetime",
}
ANSWERED = {
    "chat": "assistant is_tool_calls uid content? reasoning? refusal? choices?",
    "completion": "text uid choices?",
    "embedding": "object uid",
    "whisper": "text uid",
    "general": "response response_bytes content_type uid",
}
ASKED_END = " shortened? api route key?"
ANSWERED_END = (" datetime model status finish_reason usage usage_source ended_by phase error? error_text? drained? ttft_ms "
                "duration_ms cache? attempts api route upstream key? truncated?")
APIS = {"chat": {"chat", "responses", "messages"}, "completion": {"completion"}, "embedding": {"embedding"},
        "whisper": {"whisper"}, "general": {"general"}}
PHASES = {"links", "connect", "upload", "wait_head", "stream", "tunnel"}


class Exchange(NamedTuple):
    request: Dict
    response: Dict


def logged(upstream, *more_routes, args=(), **settings: str) -> Daemon:
    """A daemon with the openai route `/` to the upstream, and its conversations logged in `Log`."""
    return Daemon({"FORWARD_CONFIG": routes(("/", upstream.url), *more_routes), "LOG_OPENAI": "true", **settings}, args=args)


class ChatLog:
    """The files of one log: of a daemon in its working directory, or below any folder."""

    def __init__(self, where, prefix: str = "openai", kind: str = "chat", folder: str = "Log"):
        self.root = pathlib.Path(where.path) / folder if isinstance(where, Daemon) else pathlib.Path(where)
        self.kind = kind
        self.folder = self.root / prefix / kind
        self.file = self.folder / f"{kind}.log"

    def rotated(self) -> List[pathlib.Path]:
        """In the order of time; a file that is just being compressed counts once."""
        found = {path.name: path for path in self.folder.iterdir() if path != self.file} if self.folder.is_dir() else {}
        return [path for name, path in sorted(found.items())
                if ROTATED.fullmatch(name) and not (name.endswith(".zst") and name[:-4] in found)]

    def files(self) -> List[pathlib.Path]:
        return self.rotated() + ([self.file] if self.file.exists() else [])

    def text(self) -> bytes:
        """Of all files, again from the start where one was rotated or compressed meanwhile."""
        while True:
            files = self.files()
            try:
                found = b"".join(content_of(path) for path in files)
            except FileNotFoundError:
                continue
            if self.files() == files:
                return found

    def records(self) -> List[Dict]:
        """Of all whole lines."""
        whole, _, _ = self.text().rpartition(b"\n")
        return [self.read(line) for line in whole.split(b"\n")] if whole else []

    def read(self, line: bytes) -> Dict:
        record = one_object(line)
        check_record(self.kind, record)
        return record

    def exchanges(self) -> List[Exchange]:
        """In the order of their ends. Nothing may be there twice, and no answer before or without its request."""
        return paired(self.records())

    def wait_for(self, count: int = 1, seconds: float = PATIENCE) -> List[Exchange]:
        """As many as there must be, and not one more."""
        eventually(lambda: len(self.exchanges()) >= count, f"{count} exchanges in {self.file}", seconds)
        found = self.exchanges()
        assert len(found) == count, [exchange.request for exchange in found]
        return found

    def last(self, count: int) -> Exchange:
        """The last of so many."""
        return self.wait_for(count)[-1]


def content_of(path: pathlib.Path) -> bytes:
    if path.suffix != ".zst":
        return path.read_bytes()
    with open(path, "rb") as file, zstandard.ZstdDecompressor().stream_reader(io.BufferedReader(file)) as reader:
        return reader.read()


def one_object(line: bytes) -> Dict:
    def without_doubles(pairs):
        made = dict(pairs)
        assert len(made) == len(pairs), f"a field is there twice: {[name for name, _ in pairs]}"
        return made
    record = json.loads(line.decode(), object_pairs_hook=without_doubles)
    assert isinstance(record, dict), line
    return record


def is_answer(record: Dict) -> bool:
    return "ended_by" in record


def paired(records: List[Dict]) -> List[Exchange]:
    open_ones: Dict[str, Dict] = {}
    found, seen = [], set()
    for record in records:
        uid = record["uid"]
        if is_answer(record):
            assert uid in open_ones, f"an answer without its request: {record}"
            found.append(Exchange(open_ones.pop(uid), record))
        else:
            assert uid not in seen, f"a request that is there twice: {record}"
            seen.add(uid)
            open_ones[uid] = record
    return found


def unpaired(records: List[Dict]) -> List[Dict]:
    answered = {record["uid"] for record in records if is_answer(record)}
    return [record for record in records if record["uid"] not in answered]


def check_record(kind: str, record: Dict) -> None:
    """What holds of every record of a kind."""
    answered = is_answer(record)
    order = (ANSWERED[kind] + ANSWERED_END if answered else ASKED[kind] + ASKED_END).split()
    due = [name.rstrip("?") for name in order if not name.endswith("?") or name[:-1] in record]
    assert list(record) == due, f"fields of a record of {kind}:\n{list(record)}\nshould be\n{due}"
    assert UID.fullmatch(record["uid"]) and DATETIME.fullmatch(record["datetime"]), record
    assert record["api"] in APIS[kind] and record["route"].startswith("/"), record
    if answered:
        _check_end(record)


def _check_end(record: Dict) -> None:
    assert record["usage_source"] in ("exact", "estimated", "unknown"), record
    assert (record["usage"] is None) == (record["usage_source"] == "unknown"), record
    if record["usage_source"] == "estimated":
        usage = record["usage"]
        assert list(usage) == ["prompt_tokens", "completion_tokens", "total_tokens"], record
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"], record
    assert record["ended_by"] in ("complete", "client", "upstream", "aifd") and record["phase"] in PHASES, record
    assert record.get("drained", "whole") in ("whole", "cut") and record.get("cache", "hit") in ("hit", "miss", "bypass")
    assert record["duration_ms"] >= (record["ttft_ms"] or 0) >= 0, record
    assert isinstance(record["attempts"], int) and isinstance(record["status"], int), record
    assert record.get("truncated", True) is True, record
    if record.get("is_tool_calls"):
        check_calls(record["assistant"])


def check_calls(calls: List[Dict]) -> None:
    for at, call in enumerate(calls):
        assert list(call) == ["index", "id", "type", "function"] and call["index"] == at, call
        assert list(call["function"]) == ["name", "arguments"] and call["type"] == "function", call
        assert isinstance(call["function"]["arguments"], str), call


def told(choice: Dict) -> Dict:
    """What a record says of a chat's choice that the upstream gave as a whole."""
    message = choice["message"]
    calls = message.get("tool_calls")
    if isinstance(calls, dict):  # put together from a stream
        calls = [call for _, call in sorted(calls.items())]
    says = {"assistant": message.get("content"), "is_tool_calls": False}
    if calls:
        says = {"assistant": [{"index": at, "id": call["id"], "type": "function", "function": call["function"]}
                              for at, call in enumerate(calls)], "is_tool_calls": True}
        if message.get("content"):
            says["content"] = message["content"]
    if message.get("reasoning_content"):
        says["reasoning"] = message["reasoning_content"]
    if message.get("refusal"):
        says["refusal"] = message["refusal"]
    return says


def says(response: Dict) -> Dict:
    """The same part of a record of an answer."""
    return {name: response[name] for name in ("assistant", "is_tool_calls", "content", "reasoning", "refusal")
            if name in response}


def access_lines(daemon: Daemon, path: Optional[str] = None) -> List[Dict]:
    """The lines of the access log on stdout but for the harness's own requests."""
    lines = [json.loads(line) for line in list(daemon.stdout) if line.startswith('{"ts"')]
    return [line for line in lines if line["path"] != "/healthz" and (path is None or line["path"] == path)]
