"""Memory of each contender: at rest, for each idle connection, for each open stream, and afterwards."""
import subprocess
import time
from collections.abc import Callable

from .contenders import Contender
from .measure import load_command
from .place import Place
from .servers import LOAD_CORE, BenchError, Server, prepare
from .setups import PLAIN

COUNTS = {"quick": (1000, 500), "default": (10_000, 10_000), "full": (10_000, 10_000)}  # connections, streams
SHARE_OF_FILES = 0.45  # a proxy has two a stream, and nginx closes idle ones when 15 in 16 are in use
SLOW_SHARE = 0.01      # of it for the gateways in script languages: theirs close after 5 s without a request
SETTLE_SECONDS = 1.0
PATIENCE_SECONDS = "20"  # until all are open
HELD = {"connection": ["--hold", "idle"],
        "stream": ["--hold", "streams", "--events", "2", "--gap-us", "600000000"]}


def counts(extent: str, place: Place, say: Callable[[str], None]) -> dict[str, int]:
    most = int(place.file_limit * SHARE_OF_FILES)
    connections, streams = COUNTS[extent]
    if most < max(connections, streams):
        say(f"memory: at most {most} at a time, since a process may have {place.file_limit} files open (ulimit -Hn)")
    return {"connection": min(connections, most), "stream": min(streams, most)}


def measure_memory(place: Place, contenders: list[Contender], extent: str, absent: dict[str, str],
                   say: Callable[[str], None]) -> dict[str, dict]:
    """By contender; why there is none goes to `absent`."""
    found = {}
    wanted = counts(extent, place, say)
    for contender in contenders:
        if contender.name != "direct" and contender.only is None:
            try:
                found[contender.name] = memory(place, contender, wanted, say)
            except BenchError as error:
                absent[f"{contender.title}, memory"] = str(error)
                say(f"FAILED: {error}")
    return found


def memory(place: Place, contender: Contender, wanted: dict[str, int], say: Callable[[str], None]) -> dict[str, float]:
    """KiB: at rest, for each idle connection and open stream, and after these are closed."""
    found = {}
    for kind, arguments in HELD.items():
        count = int(wanted[kind] * (SLOW_SHARE if contender.slow else 1))
        say(f"memory: {contender.title}, {count} {kind}s")
        found[f"{kind}s"] = count
        (found["rest"], found["private"]), found[kind], found[f"after_{kind}s"] = growth(
            place, contender, arguments, count, kind)
    return found


def growth(place: Place, contender: Contender, arguments: list[str], count: int,
           kind: str) -> tuple[tuple[int, int], float, int]:
    """At rest, for each held, afterwards. The first tenth pays for what is made once, and does not count."""
    few = count // 10
    server = contender.start(place, PLAIN, f"-memory-{kind}")
    try:
        time.sleep(SETTLE_SECONDS)
        rest = server.memory_kib()
        with_few = hold(place, contender, server, [*arguments, "--connections", str(few)])
        with_all = hold(place, contender, server, [*arguments, "--connections", str(count)])
        time.sleep(2 * SETTLE_SECONDS)
        return rest, (with_all - with_few) / (count - few), server.memory_kib()[0]
    finally:
        server.stop()


def hold(place: Place, contender: Contender, server: Server, arguments: list[str]) -> int:
    """Memory while all are open."""
    arguments = [*arguments, "--ramp", "1", "--patience", PATIENCE_SECONDS, *contender.load_arguments(place, PLAIN)]
    with subprocess.Popen(load_command(place, server.port, arguments), stdin=subprocess.PIPE, text=True,
                          stdout=subprocess.PIPE, preexec_fn=prepare({LOAD_CORE})) as load:
        first = load.stdout.readline()
        time.sleep(SETTLE_SECONDS)
        held = server.memory_kib()[0]
        load.stdin.close()  # and so all that it holds
        rest = load.stdout.read()
    if first.strip() != "READY" or load.returncode != 0:
        raise BenchError(f"{contender.title}, memory: {rest or first}")
    return held
