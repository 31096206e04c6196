"""What the tests of limits share: callers, crowds, and the fields that tell a client how much is left."""
import math
import re
import threading
from typing import Callable, Iterable, List, Sequence, Tuple

from .daemon import Daemon
from .http1 import Response

STRATEGIES = ("fixed-window", "moving-window", "fixed-window-elastic-expiry", "sliding-window-counter", "gcra")
DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?|(\d+)ms")


def bearer(key: str) -> List[Tuple[str, str]]:
    return [("Authorization", f"Bearer {key}")]


def duration(text: str) -> float:
    """Seconds of "6m0s", "1s", "120ms": the notation of OpenAI's x-ratelimit-reset fields."""
    match = DURATION.fullmatch(text)
    assert match and text, f"not a duration as OpenAI writes it: {text!r}"
    hours, minutes, seconds, milliseconds = match.groups()
    if milliseconds is not None:
        return int(milliseconds) / 1000
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)


def allowance(response: Response) -> Tuple[int, int, float]:
    """(limit, remaining, seconds until reset), each named exactly once."""
    values = []
    for name in ("limit", "remaining", "reset"):
        found = response.all(f"x-ratelimit-{name}-requests")
        assert len(found) == 1, (name, response.fields)
        values.append(found[0])
    return int(values[0]), int(values[1]), duration(values[2])


def wait_told(response: Response) -> float:
    """Seconds that a refusal asks for, after a check that its fields say the same."""
    assert response.status == 429, (response.status, response.body)
    seconds, milliseconds = int(response.get("retry-after")), int(response.get("retry-after-ms"))
    assert seconds == max(1, math.ceil(milliseconds / 1000)), response.fields
    assert milliseconds >= 1
    assert response.all("x-should-retry") == (["false"] if milliseconds > 60_000 else []), response.fields
    return milliseconds / 1000


def ask_in_turn(daemon: Daemon, target: str, callers: Iterable[Sequence[Tuple[str, str]]]) -> List[int]:
    """The statuses of one request for each of the callers' fields, one after the other."""
    with daemon.client() as client:
        return [client.ask("GET", target, fields).status for fields in callers]


def crowd(daemons: Sequence[Daemon], count: int, ask: Callable, each: int = 1) -> List[Response]:
    """`count` clients on connections of their own, spread over the daemons, let go at once.

    `ask(client, number)` makes one request and gives its answer; each client makes `each`.
    """
    ready, answers, failures = threading.Barrier(count), [], []

    def one(number: int) -> None:
        try:
            with daemons[number % len(daemons)].client() as client:
                assert client.ask("GET", "/healthz").status == 200
                ready.wait(60)
                answers.extend([ask(client, number) for _ in range(each)])
        except BaseException as failure:
            failures.append(f"client {number}: {type(failure).__name__}: {failure}")
            ready.abort()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert not failures, failures
    assert len(answers) == count * each
    return answers


def admitted(answers: Iterable[Response]) -> int:
    """How many were let through; whatever was not must be a plain 429."""
    statuses = [answer.status for answer in answers]
    assert set(statuses) <= {200, 429}, statuses
    return statuses.count(200)
