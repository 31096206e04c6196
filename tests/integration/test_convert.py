"""`aifd convert`: JSON out of the conversation log, and out of openai-forward's.

samples/openai_forward holds logs that openai-forward 0.8.1 wrote (its ChatLogger, through loguru, with the rotation at 12 KB
in place of 50 MB), and in converted.json what its own converter makes of them.
"""
import ast
import gzip
import json
import math
import os
import pty
import random
import resource
import stat
import subprocess
from pathlib import Path

import pytest

from harness import run
from harness.daemon import binary, clean_environment, is_sanitized, routes

SAMPLE = Path(__file__).parent / "samples" / "openai_forward"
FIELDS = ["datetime", "ip", "model", "temperature", "messages", "tools", "is_tool_calls", "assistant"]
ROTATED = "chat.2026-11-28_03-35-{:02}_123456.log"


def convert(*arguments, code=0, **more):
    result = run("convert", *map(str, arguments), **more)
    assert result.returncode == code, result
    return result


def converted(folder, *arguments, form="json"):
    """What the folder's logs become."""
    target = Path(folder) / "target"
    convert("--log-folder", folder, "--target", target, "--format", form, *arguments)
    text = target.read_text()
    return json.loads(text) if form == "json" else [json.loads(line) for line in text.splitlines()]


def request(uid, text="hi", **more):
    return {"messages": [{"role": "user", "content": text}], "model": "m", "temperature": 1, "ip": "127.0.0.1", "uid": uid,
            "datetime": "2026-11-28 03:35:42", **more}


def answer(uid, text="Hello!", **more):
    return {"assistant": text, "is_tool_calls": False, "uid": uid, **more}


def exchange(number):
    return [request(f"u{number}", f"question {number}"), answer(f"u{number}", f"answer {number}")]


def lines(*records) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def zstd_of(data: bytes) -> bytes:
    """A frame of one raw block."""
    assert len(data) < 1 << 17
    return b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little") + (len(data) << 3 | 1).to_bytes(3, "little") + data


def questions(conversations):
    return [conversation["messages"][0]["user"] for conversation in conversations]


# --- Logs of openai-forward ---

def test_a_sample_of_openai_forward_field_by_field(tmp_path):
    expected = json.loads((SAMPLE / "converted.json").read_text())
    target = tmp_path / "out.json"
    result = convert("--log-folder", SAMPLE, "--target", target)
    found = json.loads(target.read_text())
    assert len(found) == len(expected) == 30
    assert "(2 files)" in result.stdout and "30 conversations; not paired: 1 request and 1 answer" in result.stdout
    assert "chat.log:21: a request without an answer" in result.stderr
    assert "chat.log:24: an answer without a request (uid " + "0" * 32 in result.stderr
    for ours, theirs in zip(found, expected):
        assert list(ours) == list(theirs) == FIELDS
        for name in set(FIELDS) - {"messages", "assistant"}:
            assert ours[name] == theirs[name]
        assert as_text(ours["assistant"]) == theirs["assistant"]
        assert [{role: as_text(content) for role, content in message.items()} for message in ours["messages"]] == theirs["messages"]


def as_text(value):
    """As openai-forward's converter has it: everything is a string."""
    return value if isinstance(value, str) else str(value)


def test_the_sample_has_what_matters(tmp_path):
    """So that the test before does not hold for want of cases."""
    found = converted_sample(tmp_path)
    text = "".join(str(conversation["assistant"]) for conversation in found)
    for part in ["'", '"', "\n", "\r", "\t", "\\", "你好", "🌍", "\x00", "\x7f", "\u2028", "\xad", "\U000E0001", "\\N{DASH}"]:
        assert part in text
    assert any(conversation["is_tool_calls"] and conversation["assistant"][0]["function"]["name"] == "get_weather"
               for conversation in found)
    contents = [content for conversation in found for message in conversation["messages"] for content in message.values()]
    assert None in contents and any(isinstance(content, list) for content in contents)
    assert {"tool", "assistant", "system", "user"} == {role for conversation in found for message in conversation["messages"] for role in message}
    assert {0.7, 1e-05, 0, 2.0} < {conversation["temperature"] for conversation in found}


def converted_sample(tmp_path):
    convert("--log-folder", SAMPLE, "--target", tmp_path / "sample.json")
    return json.loads((tmp_path / "sample.json").read_text())


def test_the_file_looks_as_theirs_does(tmp_path):
    """Byte for byte, but for what is no string there or is spelled otherwise."""
    convert("--log-folder", SAMPLE, "--target", tmp_path / "sample.json")
    ours = (tmp_path / "sample.json").read_text()[: 3000].replace("1e-05", "0.00001")
    assert ours == (SAMPLE / "converted.json").read_text()[: len(ours)]


def random_text(rng):
    alphabets = ["abc '\"\\\n\r\t{}[](),:", "".join(map(chr, range(256))), "你好é\u2028\u2029\ufeff\u200b\U0001F600\U0010FFFF\ue000",
                 "\ud800\udfff\x00x", "\\'\"", "nNuUx0123"]
    return "".join(rng.choices(rng.choice(alphabets), k=rng.choice([0, 1, 3, 20])))


def random_value(rng, depth=0):
    kinds = ["text"] * 4 + ["int", "float", "word"] + (["list", "tuple", "dict"] * 2 if depth < 5 else [])
    kind = rng.choice(kinds)
    size = rng.choice([0, 1, 2, 4])
    if kind == "int":
        return rng.choice([0, -1, 7, 10 ** 30, -2 ** 63, rng.getrandbits(64)])
    if kind == "float":
        return rng.choice([0.0, -0.0, 1e-05, 1e22, 1.5e300, 5e-324, 0.1, math.inf, -math.inf, math.nan, rng.random(), -rng.expovariate(1e9)])
    if kind == "word":
        return rng.choice([None, True, False])
    if kind == "text":
        return random_text(rng)
    if kind == "dict":
        return {random_text(rng): random_value(rng, depth + 1) for _ in range(size)}
    values = [random_value(rng, depth + 1) for _ in range(size)]
    return values if kind == "list" else tuple(values)


def in_json(value):
    """What JSON can say of a value of Python; dicts as lists of pairs."""
    if isinstance(value, str):
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return list({in_json(name): in_json(item) for name, item in value.items()}.items())
    return [in_json(item) for item in value] if isinstance(value, (list, tuple)) else value


def same(one, other):
    return repr(one) == repr(other)  # tells True from 1, 1 from 1.0, 0.0 from -0.0


def answers_of(tmp_path, records):
    """The assistant of each of these answers' lines, by number; its objects as pairs. The lines may be no records at all."""
    with open(tmp_path / "chat.log", "wb") as file:
        for number, record in enumerate(records):
            file.write(f"{{'messages': {number}, 'uid': '{number}'}}\n".encode() + record + b"\n")
    convert("--log-folder", tmp_path, "--target", tmp_path / "out", "--format", "jsonl")
    found = {}
    for line in (tmp_path / "out").read_text(encoding="utf-8").split("\n")[:-1]:
        top = dict(json.loads(line, object_pairs_hook=lambda pairs: list(dict(pairs).items())))
        found[top["messages"]] = top["assistant"]
    return found


def test_pythons_notation_is_read_as_python_reads_it(tmp_path):
    rng = random.Random(1)
    values = [random_value(rng) for _ in range(6000)]
    records = [repr({"assistant": value, "uid": str(number)}).encode() for number, value in enumerate(values)]
    found = answers_of(tmp_path, records)
    assert len(found) == len(values)
    for number, (value, record) in enumerate(zip(values, records)):
        assert same(found[number], in_json(value)), record
        if b"inf" not in record and b"nan" not in record:
            assert same(ast.literal_eval(record.decode()), {"assistant": value, "uid": str(number)}), record


def test_damaged_notation_is_refused_or_read_as_python_reads_it(tmp_path):
    rng = random.Random(2)
    records = []
    for number in range(6000):
        record = bytearray(repr({"uid": str(number), "assistant": random_value(rng)}), "utf-8")
        first = record.index(b"assistant") + len("assistant': ")
        for _ in range(rng.choice([1, 1, 2])):
            at = rng.randrange(first, len(record))
            change = rng.choice(["drop", "put", "copy"])
            if change == "drop":
                del record[at]
            elif change == "put":
                record[at] = rng.choice(b"'\"\\,:{}[]()01.e-+xnNu bT#_j\t")
            else:
                record[at:at] = record[rng.randrange(len(record)):][:rng.randrange(4)]
        records.append(bytes(record.replace(b"\n", b" ")))
    found = answers_of(tmp_path, records)
    assert 200 < len(found) < 5800, len(found)
    for number, value in found.items():
        record = records[number].decode("utf-8", "replace")
        if "inf" in record or "nan" in record:
            continue
        expected = ast.literal_eval(record)["assistant"]
        assert same(value, in_json(expected)) or "inf" in repr(expected), record  # 5e324


# --- Files ---

def test_rotated_and_packed_files_are_read_in_the_order_of_time(tmp_path):
    exchanges = [exchange(number) for number in range(5)]
    (tmp_path / "chat.log").write_text(lines(*exchanges[4]))
    (tmp_path / ROTATED.format(30)).write_text(lines(*exchanges[3]))
    (tmp_path / (ROTATED.format(20) + ".zst")).write_bytes(zstd_of(lines(*exchanges[2]).encode()))
    (tmp_path / (ROTATED.format(10) + ".gz")).write_bytes(gzip.compress(lines(*exchanges[1]).encode()))
    (tmp_path / "old.log").write_text("".join(f"{record}\n" for record in exchange(0)).replace("2026-11-28", "2023-10-17"))
    assert questions(converted(tmp_path)) == [f"question {number}" for number in range(5)]


def test_an_answer_may_be_in_another_file(tmp_path):
    records = [record for number in range(3) for record in exchange(number)]
    (tmp_path / ROTATED.format(1)).write_text(lines(*records[:3]))
    (tmp_path / "chat.log").write_text(lines(*records[3:]))
    assert questions(converted(tmp_path)) == ["question 0", "question 1", "question 2"]


def test_what_is_no_record_is_passed_over_and_named(tmp_path):
    first, second = exchange(1), exchange(2)
    torn = json.dumps(answer("u9", "x" * 100))[:-20]
    (tmp_path / "chat.log").write_text(lines(first[0]) + "\n   \n" + torn + "\n" + "Traceback (most recent call last):\n"
                                       + lines(first[1], {"prompt": "p", "uid": "z"}, *second) + torn)
    (tmp_path / (ROTATED.format(1) + ".gz")).write_bytes(gzip.compress(lines(*exchange(3)).encode() * 50)[:-20])
    result = convert("--log-folder", tmp_path, "--target", tmp_path / "out.json")
    assert [f"chat.log:{number}:" in result.stderr for number in range(1, 10)] == [n in (4, 5, 7, 10) for n in range(1, 10)]
    assert "chat.log:10: this is not valid JSON; passed over" in result.stderr
    assert ".gz: its packed data ends in the middle" in result.stderr
    assert "passed over: 4 lines" in result.stdout
    assert questions(json.loads((tmp_path / "out.json").read_text()))[-2:] == ["question 1", "question 2"]


def test_records_without_a_partner_are_counted_and_the_first_named(tmp_path):
    (tmp_path / "chat.log").write_text(lines(*[request(f"q{n}") for n in range(1200)], *[answer(f"a{n}") for n in range(3)]))
    result = convert("--log-folder", tmp_path, "--target", tmp_path / "out.json")
    assert "0 conversations; not paired: 1,200 requests and 3 answers" in result.stdout
    assert result.stderr.count("a request without an answer") == 10 and "(uid q9)" in result.stderr
    assert "and 1190 more of these" in result.stderr
    assert result.stderr.count("an answer without a request") == 3
    assert (tmp_path / "out.json").read_text() == "[]"


def test_overlapping_exchanges_and_one_uid_twice(tmp_path):
    (tmp_path / "chat.log").write_text(lines(request("a", "1"), request("b", "2"), request("a", "3"), answer("a", "to 1"),
                                             answer("a", "to 3"), answer("b", "to 2")))
    found = converted(tmp_path)
    assert [(c["messages"][0]["user"], c["assistant"]) for c in found] == [("1", "to 1"), ("2", "to 2"), ("3", "to 3")]


# --- Forms ---

def test_json_lines_are_the_same_objects(tmp_path):
    (tmp_path / "chat.log").write_text(lines(*exchange(1), *exchange(2)))
    assert converted(tmp_path, form="jsonl") == converted(tmp_path)
    assert (tmp_path / "target").read_text() == json.dumps(converted(tmp_path), indent=2)


def test_fine_tuning_has_only_what_ended_well(tmp_path):
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    tools = [{"type": "function", "function": {"name": "f"}}]
    good = {"status": 200, "ended_by": "complete", "finish_reason": "stop"}
    (tmp_path / "chat.log").write_text(lines(
        request("1", "one"), answer("1", "good", **good),
        request("2", "cut"), answer("2", "no", **{**good, "ended_by": "client"}),
        request("3", "refused"), answer("3", None, **{**good, "status": 429, "error_text": "slow down"}),
        request("4", "long"), answer("4", "no", **{**good, "finish_reason": "length"}),
        request("5", "empty"), answer("5", None, **good),
        request("6", "tools", tools=tools), {**answer("6", [call], **good), "is_tool_calls": True, "content": "so"},
        request("7", "old"), answer("7", "of openai-forward")))
    result = convert("--log-folder", tmp_path, "--target", tmp_path / "out", "--format", "openai")
    assert [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()] == [
        {"messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "good"}]},
        {"messages": [{"role": "user", "content": "tools"}, {"role": "assistant", "content": "so", "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}], "tools": tools},
        {"messages": [{"role": "user", "content": "old"}, {"role": "assistant", "content": "of openai-forward"}]}]
    assert "3 examples; left out: 1 failed, 1 cut off, 1 stopped by a limit or filter, 1 without an answer\n" in result.stdout


# --- Places ---

def make_log(folder, number=1):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chat.log").write_text(lines(*exchange(number)))


def test_the_routes_of_the_configuration(tmp_path):
    make_log(tmp_path / "Log/openai/chat", 1)
    make_log(tmp_path / "Log/a_b/chat", 2)
    env = {"FORWARD_CONFIG": routes(("/", "http://127.0.0.1:9"), ("/a/b", "http://127.0.0.1:9"), ("/new", "http://127.0.0.1:9"),
                                    ("/g", "http://127.0.0.1:9", "general"))}
    result = convert(cwd=str(tmp_path), env=env)
    assert result.stdout.splitlines() == ["Log/a_b/chat (1 file) -> Log/chat_a_b.json: 1 conversation",
                                          "Log/openai/chat (1 file) -> Log/chat_openai.json: 1 conversation"]
    assert result.stderr == "aifd: Log/new/chat is not there: passed over\n"
    assert questions(json.loads((tmp_path / "Log/chat_openai.json").read_text())) == ["question 1"]
    assert questions(json.loads((tmp_path / "Log/chat_a_b.json").read_text())) == ["question 2"]
    convert("--format", "jsonl", cwd=str(tmp_path), env=env)
    assert (tmp_path / "Log/chat_a_b.jsonl").exists()


def test_log_folder_of_the_settings(tmp_path):
    make_log(tmp_path / "elsewhere/openai/chat")
    convert(env={"LOG_FOLDER": str(tmp_path / "elsewhere")})
    assert (tmp_path / "elsewhere/chat_openai.json").exists()


def test_a_whole_log_folder(tmp_path):
    make_log(tmp_path / "Log/openai/chat", 1)
    make_log(tmp_path / "Log/b/chat", 2)
    result = convert("--log-folder", "Log", cwd=str(tmp_path))
    assert "Log/b/chat (1 file) -> Log/chat_b.json" in result.stdout
    convert("--log-folder", "Log/openai/chat/", cwd=str(tmp_path))
    convert("--log-folder", ".", cwd=str(tmp_path / "Log/b/chat"))
    assert sorted(path.name for path in (tmp_path / "Log").glob("*.json")) == ["chat_b.json", "chat_openai.json"]


def test_a_target_is_replaced_as_a_whole(tmp_path):
    make_log(tmp_path)
    target = tmp_path / "out.json"
    target.write_text("x" * 10_000)
    target.chmod(0o644)
    convert("--log-folder", tmp_path, "--target", target)
    assert len(json.loads(target.read_text())) == 1
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chat.log", "out.json"]


# --- Errors ---

@pytest.mark.parametrize("arguments, code, text", [
    (["--log-folder", "nowhere"], 64, "nowhere is not a directory"),
    (["--log-folder", "."], 1, "there are no logs"),
    (["--format", "xml"], 64, "--format"),
    ([], 1, "there is no log yet"),
    (["--port", "x"], 78, "--port"),
])
def test_wrong_usage(tmp_path, arguments, code, text):
    result = convert(*arguments, cwd=str(tmp_path), code=code)
    assert text in result.stderr and result.stdout == ""


def test_a_target_needs_one_log(tmp_path):
    for name in ("a", "b"):
        make_log(tmp_path / f"Log/{name}/chat")
    env = {"FORWARD_CONFIG": routes(("/a", "http://127.0.0.1:9"), ("/b", "http://127.0.0.1:9"))}
    assert "--log-folder" in convert("--target", "t", env=env, cwd=str(tmp_path), code=64).stderr
    convert("--target", "t", "--log-folder", "Log", cwd=str(tmp_path), code=64)
    env = {"FORWARD_CONFIG": routes(("/a", "http://127.0.0.1:9"))}
    convert("--target", "t", env=env, cwd=str(tmp_path))
    assert len(json.loads((tmp_path / "t").read_text())) == 1


@pytest.mark.parametrize("target, text", [("nowhere/out.json", "No such file or directory"), (".", "no file that can be replaced"),
                                          ("/dev/null", "no file that can be replaced")])
def test_a_target_that_cannot_be(tmp_path, target, text):
    make_log(tmp_path)
    assert text in convert("--log-folder", ".", "--target", target, cwd=str(tmp_path), code=1).stderr


def test_a_full_disk_leaves_the_target_as_it_was(tmp_path):
    (tmp_path / "chat.log").write_text(lines(*[record for number in range(5000) for record in exchange(number)]))
    (tmp_path / "out.json").write_text("as it was")
    result = subprocess.run([binary(), "convert", "--log-folder", ".", "--target", "out.json"], cwd=tmp_path, timeout=60,
                            env=clean_environment(), capture_output=True, text=True, restore_signals=False,
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)))
    assert result.returncode == 1 and "out.json cannot be written: File too large" in result.stderr, result
    assert (tmp_path / "out.json").read_text() == "as it was"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chat.log", "out.json"]


def test_a_file_that_cannot_be_read(tmp_path):
    make_log(tmp_path)
    (tmp_path / ROTATED.format(1)).symlink_to("/proc/self/mem")  # not even root reads its beginning
    result = convert("--log-folder", tmp_path, "--target", tmp_path / "out.json", code=1)
    assert "cannot be read: Input/output error" in result.stderr
    assert not (tmp_path / "out.json").exists()


# --- Size ---

def test_progress_is_shown_on_a_terminal_only(tmp_path):
    make_log(tmp_path)
    assert convert("--log-folder", tmp_path, "--target", tmp_path / "out.json").stderr == ""
    ours, theirs = pty.openpty()
    with subprocess.Popen([binary(), "convert", "--log-folder", ".", "--target", "out.json"], cwd=tmp_path,
                          env=clean_environment(), stdout=subprocess.DEVNULL, stderr=theirs) as process:
        assert process.wait(60) == 0
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert shown.startswith("\r[####") and "100%" in shown and shown.endswith("\r\x1b[K")


def test_memory_does_not_grow_with_the_log(tmp_path):
    """Half of the requests are never answered, and one answer comes at the very end."""
    text = "some text, and more of it. " * 4000
    with open(tmp_path / "chat.log", "w") as file:
        file.write(lines(request("late", "first")))
        for number in range(700):
            file.write(lines(request(f"u{number}", text), request(f"lone{number}", text), answer(f"u{number}", "short")))
        file.write(lines(answer("late", "at last")))
    assert (tmp_path / "chat.log").stat().st_size > 150e6
    with subprocess.Popen([binary(), "convert", "--log-folder", ".", "--target", "out.jsonl", "--format", "jsonl"], cwd=tmp_path,
                          env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        stdout = process.stdout.read()
        process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0 and "701 conversations, 1 of them out of order; not paired: 700 requests\n" in stdout, stdout
    assert (tmp_path / "out.jsonl").read_text().count('"messages":[{"user":"first"}]') == 1
    if not is_sanitized():
        assert usage.ru_maxrss < 64 * 1024, usage
