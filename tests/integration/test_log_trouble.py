"""A log that cannot be written: serving goes on, what was lost is counted and said, and it goes on when it can."""
import os
import pathlib
import re
import resource
import shutil
import subprocess
import threading

import pytest

from harness import CHAT, JSON, ChatLog, ModelUpstream, chat_of, eventually, logged, post
from harness.chat_log import one_object, paired


@pytest.fixture
def upstream():
    with ModelUpstream() as upstream:
        yield upstream


def ask(daemon, count, begin=0, size=200):
    for number in range(begin, begin + count):
        assert post(daemon, chat_of(f"{number:04} " + "x" * size)).status == 200


LOST = re.compile(r"lost were (\d+) exchanges, (\d+) records and parts of (\d+) answers")


def lost_told(daemon):
    """Of how many records stderr says that they were lost, each time."""
    found = [LOST.search(line) for line in list(daemon.stderr) if "lost were" in line]
    return [2 * int(line[1]) + int(line[2]) for line in found]


def in_trouble(daemon):
    return "conversation log is in trouble" in "".join(list(daemon.stderr))


def ask_until(daemon, condition, what, begin=9000):
    """Each round asks something, so that the writer has something to try."""
    asked = 0

    def step():
        nonlocal asked
        ask(daemon, 1, begin + asked)
        asked += 1
        return condition()
    eventually(step, what)
    return asked


def whole_lines(log):
    """The lines of the file that are whole; a full disk may leave a torn one."""
    records, torn = [], 0
    for line in log.file.read_bytes().splitlines():
        try:
            records.append(one_object(line))
        except ValueError:
            torn += 1
    return records, torn


def prompts(records):
    return {record["messages"][0]["content"][:4] for record in records if record.get("messages")}


def assert_books_balance(daemon, log, asked):
    """What is not in the file was said to be lost; each exchange has two records."""
    def balanced():
        records, torn = whole_lines(log)
        return len(records) + sum(lost_told(daemon)) == 2 * asked and torn <= 1
    eventually(balanced, "records in the file and records said to be lost are all there were")
    records, _ = whole_lines(log)
    assert len({(record["uid"], "ended_by" in record) for record in records}) == len(records), "none is there twice"


# --- Full ---

def test_a_file_that_cannot_grow(upstream):
    with logged(upstream) as daemon:
        log = ChatLog(daemon)
        ask(daemon, 3)
        log.wait_for(3)
        size = log.file.stat().st_size
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (size + 500, resource.RLIM_INFINITY))
        ask(daemon, 20, begin=3)
        eventually(lambda: in_trouble(daemon), "a word about it")
        assert len(daemon.stderr) < 20, "not one for each record"
        assert log.file.stat().st_size <= size + 500
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        asked = 23 + ask_until(daemon, lambda: lost_told(daemon), "a word about what was lost")
        assert_books_balance(daemon, log, asked)
        records, _ = whole_lines(log)
        assert {"0000", "0001", "0002", f"{9000 + asked - 24:04}"} <= prompts(records)


def test_nothing_is_lost_where_it_may_wait(upstream):
    """What cannot be written is kept until it can be."""
    with logged(upstream, LOG_OVERFLOW="wait") as daemon:
        log = ChatLog(daemon)
        ask(daemon, 3)
        log.wait_for(3)
        size = log.file.stat().st_size
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (size + 500, resource.RLIM_INFINITY))
        ask(daemon, 20, begin=3)
        eventually(lambda: in_trouble(daemon), "a word about it")
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert [exchange.request["messages"][0]["content"][:4] for exchange in log.wait_for(23)] == [
            f"{number:04}" for number in range(23)]


def mounted(path: pathlib.Path, *options: str) -> None:
    path.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(path)], capture_output=True)
    if done.returncode != 0:
        pytest.skip("no file system can be mounted here")


def test_a_full_disk(upstream, tmp_path):
    log = ChatLog(tmp_path / "Log")
    mounted(log.root, "size=128k,mode=0700")
    try:
        with logged(upstream, LOG_FOLDER=str(log.root)) as daemon:
            ask(daemon, 60, size=2000)
            eventually(lambda: log.file.exists() and log.file.stat().st_size > 100_000, "it is full")
            with open(log.root / "filler", "wb", buffering=0) as file:
                with pytest.raises(OSError):
                    while True:
                        file.write(b"x" * 512)
            ask(daemon, 20, begin=60, size=2000)
            subprocess.run(["mount", "-o", "remount,size=8m", str(log.root)], check=True)
            asked = 80 + ask_until(daemon, lambda: lost_told(daemon), "a word about what was lost")
            assert_books_balance(daemon, log, asked)
    finally:
        subprocess.run(["umount", "-l", str(log.root)], check=True)


# --- Not to be written ---

def test_a_folder_that_cannot_be_made(upstream, tmp_path):
    """From the start: said once, and served."""
    place = tmp_path / "file"
    place.write_text("not a folder")
    for folder in ("/proc/no/such/folder", str(place)):
        with logged(upstream, LOG_FOLDER=folder) as daemon:
            ask(daemon, 10)
            def told(word):
                return [line for line in list(daemon.stderr) if word in line and folder in line]
            said = eventually(lambda: told("trouble"), "a word about it")
            assert len(said) < 5, said
            assert folder.startswith("/proc") or told("(LOG_FOLDER)"), "already at the start, where it can be told"
    assert place.read_text() == "not a folder"


def test_a_folder_that_is_gone_and_comes_back(upstream, tmp_path):
    log = ChatLog(tmp_path / "Log")
    with logged(upstream, LOG_FOLDER=str(log.root)) as daemon:
        ask(daemon, 3)
        log.wait_for(3)
        shutil.rmtree(log.root)
        log.root.write_text("in its way")
        ask_until(daemon, lambda: in_trouble(daemon), "a word about it")
        ask(daemon, 5)
        assert log.root.read_text() == "in its way"
        log.root.unlink()
        ask_until(daemon, lambda: lost_told(daemon), "a word about what was lost")
        eventually(lambda: log.file.exists() and log.file.stat().st_size, "a new file")


# --- Stuck ---

class StuckLog:
    """A pipe in the file's place that takes some KiB and then nothing, like a disk that hangs, until it is read."""

    def __init__(self, root):
        self.log = ChatLog(root)
        self.log.folder.mkdir(parents=True, mode=0o700)
        os.mkfifo(self.log.file, 0o600)
        self.pipe = os.open(self.log.file, os.O_RDWR)
        self.data = bytearray()
        self.reader = None

    def go_on(self):
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            self.data += os.read(self.pipe, 1 << 20)

    def records(self):
        whole, _, _ = bytes(self.data).rpartition(b"\n")
        return [self.log.read(line) for line in whole.split(b"\n")] if whole else []


SIZE = 16_384  # of a question, of which four fill the pipe


@pytest.fixture
def stuck(tmp_path):
    return StuckLog(tmp_path / "Log")


def test_a_stuck_disk_and_records_are_dropped(upstream, stuck):
    with logged(upstream, LOG_FOLDER=str(stuck.log.root), LOG_QUEUE_BYTES="200000", LOG_OVERFLOW="drop") as daemon:
        ask(daemon, 60, size=SIZE)
        stuck.go_on()
        asked = 60 + ask_until(daemon, lambda: lost_told(daemon), "a word about what was lost")
        eventually(lambda: len(stuck.records()) + sum(lost_told(daemon)) == 2 * asked, "what is not there was counted")
        assert sum(lost_told(daemon)) >= 30 and f"{9000 + asked - 61:04}" in prompts(stuck.records())


def test_a_stuck_disk_and_requests_wait(upstream, stuck):
    """A new request is held while there is no room, and nothing is lost. One that ran is finished."""
    with logged(upstream, LOG_FOLDER=str(stuck.log.root), LOG_QUEUE_BYTES="200000", LOG_OVERFLOW="wait") as daemon:
        clients = [daemon.client() for _ in range(60)]
        for number, client in enumerate(clients):
            client.request("POST", CHAT, JSON, chat_of(f"{number:04} " + "x" * SIZE))
        eventually(lambda: len(upstream.requests) >= 4, "some are served")
        last = clients[-1]
        assert last.silent_for(1.0), "the last is held"
        asked = len(upstream.requests)
        assert asked < 60
        assert daemon.ask("GET", "/healthz").status == 200
        assert daemon.ask("GET", "/v1/models").status == 200, "what is not logged is served"
        stuck.go_on()
        assert [client.read_response("POST").status for client in clients] == [200] * 60
        eventually(lambda: len(stuck.records()) == 120, "all records")
        assert len(paired(stuck.records())) == 60 and sum(lost_told(daemon)) == 0
        for client in clients:
            client.close()


def test_who_leaves_while_held_is_not_forwarded(upstream, stuck):
    with logged(upstream, LOG_FOLDER=str(stuck.log.root), LOG_QUEUE_BYTES="200000", LOG_OVERFLOW="wait") as daemon:
        clients = [daemon.client() for _ in range(40)]
        for number, client in enumerate(clients):
            client.request("POST", CHAT, JSON, chat_of(f"{number:04} " + "x" * SIZE))
        held = clients[-1]
        assert held.silent_for(1.0)
        held.close()
        stuck.go_on()
        assert [client.read_response("POST").status for client in clients[:-1]] == [200] * 39
        ask(daemon, 1, begin=100)
        eventually(lambda: "0100" in prompts(stuck.records()), "the next is recorded")
        assert len(upstream.calls(CHAT)) <= 41
