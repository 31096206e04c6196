"""The files of the conversation log: their turn, their number, their compression; taken away by others; torn by a kill."""
import json
import os
import random
import shutil
import signal
import threading
import time

import pytest

from harness import CHAT, JSON, ChatLog, Cut, Daemon, ModelUpstream, chat_of, eventually, logged, post, routes
from harness.chat_log import ROTATED, content_of, paired, unpaired


@pytest.fixture
def upstream():
    with ModelUpstream() as upstream:
        yield upstream


def prompts_of(exchanges):
    return [exchange.request["messages"][0]["content"] for exchange in exchanges]


def ask_many(daemon, count, size=1000, begin=0):
    prompts = [f"{number:04} " + "x" * size for number in range(begin, begin + count)]
    with daemon.client() as client:
        for prompt in prompts:
            assert client.ask("POST", CHAT, JSON, chat_of(prompt)).status == 200
    return prompts


# --- Rotation ---

def test_a_file_that_is_full_is_turned(upstream):
    with logged(upstream, LOG_ROTATE_BYTES="20000") as daemon:
        log = ChatLog(daemon)
        prompts = ask_many(daemon, 40)
        assert prompts_of(log.wait_for(40)) == prompts, "in the order of time over all files"
        rotated = log.rotated()
        assert len(rotated) >= 4 and log.file.exists()
        for path in rotated:
            assert ROTATED.fullmatch(path.name)[1] == "chat" and 10_000 < path.stat().st_size <= 20_000, path
            assert path.stat().st_mode & 0o777 == 0o600 and path.read_bytes().endswith(b"}\n")
        turned = time.strptime(rotated[0].name[5:24], "%Y-%m-%d_%H-%M-%S")
        assert abs(time.mktime(turned) - time.time()) < 60, "named by the local time"


def test_a_record_larger_than_a_file_is_written_whole(upstream):
    with logged(upstream, LOG_ROTATE_BYTES="20000") as daemon:
        prompts = ask_many(daemon, 2) + ask_many(daemon, 2, 50_000, 2) + ask_many(daemon, 2, begin=4)
        assert prompts_of(ChatLog(daemon).wait_for(6)) == prompts


def test_so_many_are_kept(upstream):
    with logged(upstream, LOG_ROTATE_BYTES="10000", LOG_KEEP="2") as daemon:
        log = ChatLog(daemon)
        stranger = log.folder / "chat.notes.log"
        log.folder.mkdir(parents=True, mode=0o700)
        stranger.write_text("an operator's own file")
        ask_many(daemon, 30)

        def has_last() -> bool:
            records = log.records()
            last = [record["uid"] for record in records if record.get("messages", [{}])[0].get("content", "")[:4] == "0029"]
            return any("ended_by" in record and record["uid"] in last for record in records)

        eventually(has_last, "the last exchange")
        eventually(lambda: len(log.rotated()) == 2, "two of the rotated files")
        records = log.records()
        numbers = [int(record["messages"][0]["content"][:4]) for record in records if "messages" in record]
        assert numbers == list(range(numbers[0], 30)), "the youngest are kept"
        assert stranger.exists(), "nothing is removed that is not aifd's"


def test_rotated_files_are_compressed(upstream):
    with logged(upstream, LOG_ROTATE_BYTES="20000", LOG_COMPRESS="zstd") as daemon:
        log = ChatLog(daemon)
        prompts = ask_many(daemon, 40)
        log.wait_for(40)
        eventually(lambda: all(path.suffix == ".zst" for path in log.rotated()), "all rotated files are compressed")
        rotated = log.rotated()
        assert len(rotated) >= 4 and prompts_of(log.exchanges()) == prompts
        for path in rotated:
            assert path.stat().st_mode & 0o777 == 0o600 and path.stat().st_size < len(content_of(path)) / 2
        assert {path.name for path in log.folder.iterdir()} == {path.name for path in log.files()}, "nothing else is left"


# --- Taken away ---

def test_renamed_and_told_by_a_signal(upstream):
    """As logrotate does it."""
    with logged(upstream, args=["--workers", "1"]) as daemon:
        log = ChatLog(daemon)
        ask_many(daemon, 3)
        log.wait_for(3)
        aside = log.folder / "chat.log.1"
        log.file.rename(aside)
        daemon.signal(signal.SIGUSR1)
        ask_many(daemon, 3, begin=3)
        eventually(lambda: log.file.exists() and log.file.read_bytes().count(b"\n") + aside.read_bytes().count(b"\n") == 12,
                   "all records in one file or the other")
        ask_many(daemon, 1, begin=6)
        eventually(lambda: b'"0006 ' in log.file.read_bytes(), "the new file is written")
        assert log.file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("how", ["renamed", "removed", "folder removed"])
def test_taken_away_without_a_word(upstream, how):
    with logged(upstream) as daemon:
        log = ChatLog(daemon)
        ask_many(daemon, 3)
        log.wait_for(3)
        aside = log.root / "aside.log"
        if how == "renamed":
            log.file.rename(aside)
        elif how == "removed":
            log.file.unlink()
        else:
            shutil.rmtree(log.root)
        asked = 3

        def is_back():
            nonlocal asked
            ask_many(daemon, 1, 10, asked)
            asked += 1
            return log.file.exists() and log.file.stat().st_size
        eventually(is_back, "a new file")
        last = ask_many(daemon, 1, 10, asked)[0]
        eventually(lambda: last.encode() in log.text(), "its records")
        if how == "renamed":
            eventually(lambda: len(paired(records_of(log, aside) + log.records())) == asked + 1, "nothing is lost")


def records_of(log, path):
    return [log.read(line) for line in path.read_bytes().splitlines()]


# --- Torn ---

def test_a_torn_line_is_closed_off(upstream, tmp_path):
    for number, torn in enumerate((b'{"messages":[{"role":"us', b'{"whole":1}\n{"half', b"", b"{}\n"), 1):
        log = ChatLog(tmp_path / str(number))
        log.folder.mkdir(parents=True, mode=0o700)
        log.file.write_bytes(torn)
        log.file.chmod(0o600)
        with logged(upstream, LOG_FOLDER=str(log.root)) as daemon:
            ask_many(daemon, 2)
            due = torn + b"\n" if torn and not torn.endswith(b"\n") else torn
            eventually(lambda: log.file.read_bytes().count(b"\n") == due.count(b"\n") + 4, "both exchanges")
        content = log.file.read_bytes()
        assert content.startswith(due)
        assert len(paired([log.read(line) for line in content[len(due):].splitlines()])) == 2


class Load:
    """Clients that ask without end; `done` says when each answer was read."""

    def __init__(self, daemon, round_number, count=4):
        self.daemon, self.done, self.stopped = daemon, {}, threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(f"{round_number}-{number}",)) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def _ask(self, name):
        try:
            with self.daemon.client() as client:
                number = 0
                while not self.stopped.is_set():
                    number += 1
                    prompt = f"{name}-{number}"
                    response = client.ask("POST", CHAT, JSON, chat_of(prompt, stream=number % 2 == 0))
                    if response.status != 200 or response.ended != "complete":
                        return
                    self.done[prompt] = time.monotonic()
        except (Cut, ConnectionError):
            pass

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(30)


def test_killed_under_load(upstream, tmp_path):
    """What ended 200 ms before is there, and whole; at most one line of each life is torn, and the next is not."""
    log = ChatLog(tmp_path / "Log")
    choose = random.Random(5)
    ended, lives = {}, 4
    for life in range(lives):
        daemon = Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "LOG_OPENAI": "true", "LOG_FOLDER": str(log.root),
                         "LOG_ROTATE_BYTES": "200000"})
        load = Load(daemon, life)
        eventually(lambda: load.done, "the first answers")
        moment = max(load.done.values()) + 0.25 + choose.random() * 0.25
        eventually(lambda: time.monotonic() >= moment and len(load.done) > 20, "enough of them")
        os.kill(daemon.process.pid, signal.SIGKILL)
        killed = time.monotonic()
        load.stop()
        daemon.kill()
        ended.update({prompt: at < killed - 0.2 for prompt, at in load.done.items()})
    with logged(upstream, LOG_FOLDER=str(log.root)) as daemon:
        assert post(daemon, chat_of("last")).status == 200
        eventually(lambda: b'"last"' in log.text() and log.text().endswith(b"}\n"), "the last one")
        records, torn = [], 0
        for line in log.text().splitlines():
            try:
                json.loads(line)
            except ValueError:
                torn += 1
            else:
                records.append(log.read(line))
    assert torn <= lives
    found = {exchange.request["messages"][0]["content"]: exchange for exchange in paired(records)}
    missing = [prompt for prompt, due in ended.items() if due and prompt not in found]
    assert sum(ended.values()) > 40 and not missing, f"{len(missing)} of {sum(ended.values())}: {missing[:5]}"
    assert len(unpaired(records)) <= 5 * lives and "last" in found
