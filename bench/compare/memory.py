"""Memory of each contender: at rest, for each idle connection, for each open stream, and afterwards."""
import subprocess
import time

from .measure import load_command
from .servers import LOAD_CORE, BenchError, prepare

SETTLE_SECONDS = 1.0
HELD = {"connection": ["--hold", "idle"],
        "stream": ["--hold", "streams", "--events", "2", "--gap-us", "600000000"]}


def memory(place, contender, counts, say):
    """KiB: at rest, for each idle connection and open stream, and after these are closed."""
    found = {}
    for kind, arguments in HELD.items():
        count = counts[kind] // 5 if contender.slow else counts[kind]
        say(f"memory: {contender.title}, {count} {kind}s")
        found[f"{kind}s"] = count
        found["rest"], found[kind], found[f"after_{kind}s"] = growth(place, contender, arguments, count, kind)
    return found


def growth(place, contender, arguments, count, kind):
    """At rest, for each held, afterwards. The first tenth pays for what is made once, and does not count."""
    few = count // 10
    server = contender.start(place, f"-memory-{kind}")
    try:
        time.sleep(SETTLE_SECONDS)
        rest = server.memory_kib()
        with_few, _ = hold(place, contender, server, [*arguments, "--connections", str(few)])
        with_all, after = hold(place, contender, server, [*arguments, "--connections", str(count)])
        return rest, (with_all - with_few) / (count - few), after
    finally:
        server.stop()


def hold(place, contender, server, arguments):
    """Memory while all are open, and some time after they are closed."""
    arguments = [*arguments, "--ramp", "1", *contender.load_arguments(place)]
    with subprocess.Popen(load_command(place, server.port, arguments), stdin=subprocess.PIPE, text=True,
                          stdout=subprocess.PIPE, preexec_fn=prepare(LOAD_CORE)) as load:
        first = load.stdout.readline()
        time.sleep(SETTLE_SECONDS)
        held = server.memory_kib()
        rest = load.communicate()[0]  # which closes its standard input, and so all that it holds
    if first.strip() != "READY" or load.returncode != 0:
        raise BenchError(f"{contender.title}, memory: {rest or first}")
    time.sleep(2 * SETTLE_SECONDS)
    return held, server.memory_kib()
