"""Where answers are kept: they outlive the daemon, and whatever becomes of a store, no caller gets a wrong byte."""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import threading

import pytest

from harness import (CacheUpstream, Cut, Redis, caching, chat_of, eventually, fresh, post, state, states)

DISK = ("LMDB", "LevelDB")
LASTING = (*DISK, "REDIS")
NOISE = random.Random(4).randbytes(50_000).hex()  # 100 KB that take as much on disk
on_disk = pytest.mark.parametrize("place", DISK, indirect=True)
lasting = pytest.mark.parametrize("place", LASTING, indirect=True)


@pytest.fixture
def upstream():
    with CacheUpstream() as upstream:
        yield upstream


@pytest.fixture
def place(request, tmp_path):
    """The settings of a store of its own."""
    backend = request.param
    if backend == "REDIS":
        with Redis() as redis:
            yield {"CACHE_BACKEND": backend, "CACHE_ROOT_PATH_OR_URL": redis.url, "REDIS_TIMEOUT": "5"}
    else:
        yield {"CACHE_BACKEND": backend, "CACHE_ROOT_PATH_OR_URL": str(tmp_path / "cache")}


def folder_of(place) -> pathlib.Path:
    return pathlib.Path(place["CACHE_ROOT_PATH_OR_URL"])


def files_of(place):
    return [path for path in folder_of(place).rglob("*") if path.is_file()]


def fill(daemon, count, **more):
    """Asks `count` new things until each is kept; gives the answers to each."""
    told = {}
    for _ in range(count):
        prompt, bodies = fresh(), []

        def kept():
            answer = post(daemon, chat_of(prompt, **more))
            bodies.append(answer.body)
            return state(answer) == "hit"
        eventually(kept, "it is kept")
        told[prompt] = bodies
    return told


def assert_right(daemon, told, **more) -> int:
    """Every answer is one told before, byte for byte, or a new one, which is noted; gives how many were kept."""
    kept = 0
    for prompt, bodies in told.items():
        answer = post(daemon, chat_of(prompt, **more))
        assert answer.status == 200 and answer.ended == "complete"
        if state(answer) == "hit":
            assert answer.body in bodies
            kept += 1
        else:
            assert prompt.encode() in answer.body and answer.body not in bodies
            bodies.append(answer.body)
    return kept


def complaints(daemon):
    return [line for line in list(daemon.stderr) if " warning " in line or " error " in line]


# --- They outlive the daemon ---

@lasting
@pytest.mark.parametrize("stream", [False, True])
def test_a_restart_forgets_nothing(upstream, place, stream):
    with caching(upstream, **place) as daemon:
        told = fill(daemon, 20, stream=stream)
        calls = len(upstream.requests)
    with caching(upstream, **place) as daemon:
        assert assert_right(daemon, told, stream=stream) == 20 and complaints(daemon) == []
    assert len(upstream.requests) == calls


@on_disk
def test_a_stop_just_after_an_answer_forgets_nothing(upstream, place):
    for _ in range(5):
        prompt = fresh()
        with caching(upstream, **place) as daemon:
            assert states(daemon, [chat_of(prompt)]) == ["miss"]
        with caching(upstream, **place) as daemon:
            assert states(daemon, [chat_of(prompt)]) == ["hit"]


def test_memory_forgets(upstream):
    for _ in range(2):
        with caching(upstream) as daemon:
            assert states(daemon, [chat_of("one")] * 2) == ["miss", "hit"]


@lasting
def test_kill_9_under_load_and_no_wrong_byte(upstream, place):
    """What was kept before is there; what was being written is there whole, or not at all."""
    upstream.filling = "filling " * 2000
    told = {}
    for _ in range(3):
        daemon = caching(upstream, args=["--workers", "2"], **place)
        assert assert_right(daemon, told) == len(told)
        told |= fill(daemon, 5)
        ends = load_until_killed(daemon)
        with caching(upstream, **place) as daemon:
            assert assert_right(daemon, told) == len(told), "what was kept before the load"
            assert_right(daemon, ends)


def load_until_killed(daemon):
    """Many callers at once while the daemon is killed; gives what was told whole until then."""
    told, ready = {}, threading.Barrier(9)

    def one():
        ready.wait()
        try:
            for _ in range(200):
                prompt = fresh()
                answer = post(daemon, chat_of(prompt))
                if answer.ended == "complete":
                    told[prompt] = [answer.body]
        except (OSError, Cut):
            pass
    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    ready.wait()
    eventually(lambda: len(told) > 40, "the load runs")
    daemon.signal(signal.SIGKILL)
    for thread in threads:
        thread.join(60)
    daemon.kill()
    return told


# --- Damage ---

def garbage(path):
    path.write_bytes(random.Random(1).randbytes(max(100, path.stat().st_size)))


def flip(path):
    data = bytearray(path.read_bytes())
    for at in random.Random(2).sample(range(len(data)), min(len(data), 1 + len(data) // 500)):
        data[at] ^= 1 << (at % 8)
    path.write_bytes(data)


def zero_half(path):
    data = path.read_bytes()
    path.write_bytes(data[:len(data) // 2] + bytes(len(data) - len(data) // 2))


def to_folder(path):
    path.unlink()
    path.mkdir()


DAMAGE = {
    "garbage": garbage, "bits flipped": flip, "half of it zeros": zero_half,
    "cut in half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "cut by a byte": lambda path: os.truncate(path, max(0, path.stat().st_size - 1)),
    "empty": lambda path: os.truncate(path, 0), "gone": lambda path: path.unlink(), "a folder": to_folder,
}


@on_disk
@pytest.mark.parametrize("name", sorted(DAMAGE))
def test_a_damaged_store_is_at_worst_a_miss(upstream, place, name):
    with caching(upstream, **place) as daemon:
        told = fill(daemon, 10)
    for path in files_of(place):
        DAMAGE[name](path)
    with caching(upstream, **place) as daemon:
        assert_right(daemon, told)
        assert_right(daemon, told)
        assert len(complaints(daemon)) <= 1, complaints(daemon)
    with caching(upstream, **place) as daemon:
        assert post(daemon, chat_of("after all that")).status == 200


@pytest.mark.parametrize("place, name", [
    *((backend, name) for backend in DISK for name in ("cut in half", "empty", "gone", "garbage")),
    ("LevelDB", "bits flipped"),  # not LMDB, which maps the file and trusts its pages once it is open
], indirect=["place"])
def test_damage_while_it_runs(upstream, place, name):
    """An operator's mistake, or a disk's: the daemon lives on."""
    with caching(upstream, **place) as daemon:
        told = fill(daemon, 10)
        for path in files_of(place):
            DAMAGE[name](path)
        assert_right(daemon, told)
        more = {prompt: [post(daemon, chat_of(prompt)).body] for prompt in (fresh() for _ in range(10))}
        assert_right(daemon, more)


@on_disk
def test_a_folder_taken_away_while_it_runs(upstream, place):
    with caching(upstream, **place) as daemon:
        told = fill(daemon, 3)
        shutil.rmtree(folder_of(place))
        assert_right(daemon, told)
        assert post(daemon, chat_of(fresh())).status == 200


@on_disk
def test_each_flipped_byte_is_found(upstream, place):
    """Of a small store, bit by bit: never a wrong answer."""
    with caching(upstream, **place) as daemon:
        told = fill(daemon, 2)
    kept = {path: path.read_bytes() for path in files_of(place)}
    choose = random.Random(3)
    for _ in range(12):
        path = choose.choice([path for path, data in kept.items() if data])
        data = bytearray(kept[path])
        held = [at for at in range(len(data)) if data[at]]
        for at in choose.sample(held, min(len(held), 40)):
            data[at] ^= 1 << choose.randrange(8)
        path.write_bytes(data)
        with caching(upstream, **place) as daemon:
            assert_right(daemon, told)
        shutil.rmtree(folder_of(place))
        for path, data in kept.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


# --- Not to be used ---

def assert_serves_without_store(daemon, count=10):
    for _ in range(count):
        assert states(daemon, [chat_of(fresh())]) == ["miss"]
    body = chat_of(fresh())
    assert states(daemon, [body] * 3) == ["miss"] * 3
    assert len(eventually(lambda: complaints(daemon), "a line about it")) == 1, complaints(daemon)


@on_disk
def test_locked_by_another_daemon(upstream, place):
    """The first one goes on; the second serves without, says so once, and takes nothing from the first."""
    with caching(upstream, **place) as first:
        told = fill(first, 3)
        with caching(upstream, **place) as second:
            assert_right(second, told)
            assert_serves_without_store(second)
        assert assert_right(first, told) == 3 and complaints(first) == []
        told |= fill(first, 3)
    with caching(upstream, **place) as third:
        assert assert_right(third, told) == 6


@on_disk
def test_a_file_in_place_of_the_folder(upstream, place):
    folder_of(place).write_text("not a folder")
    with caching(upstream, **place) as daemon:
        assert_serves_without_store(daemon)
    assert folder_of(place).read_text() == "not a folder"


@on_disk
def test_a_folder_that_cannot_be_made(upstream, place):
    with caching(upstream, **{**place, "CACHE_ROOT_PATH_OR_URL": "/proc/no/such/folder"}) as daemon:
        assert_serves_without_store(daemon)


def mounted(path: pathlib.Path, *options: str) -> None:
    """A small file system of its own; skips where that is not allowed."""
    path.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(path)], capture_output=True)
    if done.returncode != 0:
        pytest.skip("no file system can be mounted here")


def unmount(path: pathlib.Path) -> None:
    subprocess.run(["umount", "-l", str(path)], check=True)


@on_disk
def test_a_file_system_that_is_read_only(upstream, place):
    mounted(folder_of(place), "size=64m")
    try:
        with caching(upstream, **place) as daemon:
            told = fill(daemon, 3)
        subprocess.run(["mount", "-o", "remount,ro", str(folder_of(place))], check=True)
        with caching(upstream, **place) as daemon:
            assert_right(daemon, told)
            assert states(daemon, [chat_of(fresh())]) == ["miss"]
            eventually(lambda: len(complaints(daemon)) == 1, "one line about it")
    finally:
        unmount(folder_of(place))


@on_disk
def test_a_full_disk(upstream, place):
    """What finds no room is not kept, or takes the place of the oldest; nothing breaks."""
    upstream.filling = NOISE
    mounted(folder_of(place), "size=4m")
    try:
        with caching(upstream, **place) as daemon:
            told = {prompt: [post(daemon, chat_of(prompt)).body] for prompt in (fresh() for _ in range(100))}
            assert_right(daemon, told)
            assert len(complaints(daemon)) <= 2
        with caching(upstream, **place) as daemon:
            assert_right(daemon, told)
    finally:
        unmount(folder_of(place))


# --- Bounds ---

def test_memory_is_bounded_and_the_least_used_goes_first(upstream):
    """About five of these have room."""
    upstream.filling = "x" * 200_000
    with caching(upstream, CACHE_MAX_BYTES="1200000", CACHE_MAX_ENTRY_BYTES="400000") as daemon:
        prompts = [fresh() for _ in range(4)]
        assert states(daemon, map(chat_of, prompts)) == ["miss"] * 4
        assert states(daemon, map(chat_of, prompts)) == ["hit"] * 4
        for _ in range(20):
            assert states(daemon, [chat_of(prompts[0]), chat_of(fresh())]) == ["hit", "miss"], "it is used again and again"
        assert states(daemon, map(chat_of, prompts[1:])) == ["miss"] * 3


@on_disk
def test_a_store_on_disk_is_bounded_too(upstream, place):
    upstream.filling = NOISE
    with caching(upstream, CACHE_MAX_BYTES=str(4 << 20), CACHE_MAX_ENTRY_BYTES="400000", **place) as daemon:
        told = {prompt: [post(daemon, chat_of(prompt)).body] for prompt in (fresh() for _ in range(200))}
        youngest = chat_of(list(told)[-1])
        eventually(lambda: state(post(daemon, youngest)) == "hit", "the youngest is kept")
        assert assert_right(daemon, told) < 200, "not everything is"
        size = sum(path.stat().st_blocks * 512 for path in files_of(place))
        assert size < 40 << 20
