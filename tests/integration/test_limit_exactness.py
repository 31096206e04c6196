"""A limit of N is N, however many ask at once and however many workers serve them."""
import json

import pytest

from harness import Daemon, Upstream, admitted, bearer, crowd, routes

CLIENTS, LIMIT = 64, 50


def assert_exact(workers, strategy, ask, due, clients=CLIENTS, each=3, limit=f"{LIMIT}/hour"):
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "RATE_LIMIT_STRATEGY": strategy,
                                         "REQ_RATE_LIMIT": json.dumps({"/v1/chat": limit})},
                                        args=["--workers", str(workers)]) as daemon:
        assert admitted(crowd([daemon], clients, ask, each)) == due
        assert len(upstream.requests) == due


def as_one_caller(client, number):
    return client.ask("POST", "/v1/chat/completions", bearer("sk-one"), b"{}")


@pytest.mark.parametrize("workers, strategy", [
    (1, "fixed-window"), (2, "fixed-window"), (4, "fixed-window"), (4, "moving-window"), (2, "fixed-window-elastic-expiry"),
    (4, "sliding-window-counter"), (4, "gcra")])
def test_one_caller_with_many_connections(workers, strategy):
    assert_exact(workers, strategy, as_one_caller, LIMIT)


@pytest.mark.parametrize("workers", [1, 4])
def test_several_limits_at_once(workers):
    """What the second limit refuses must not have used up the first."""
    assert_exact(workers, "fixed-window", as_one_caller, 33, limit="70/hour;33/day")


def test_a_caller_without_a_key():
    def ask(client, number):
        return client.ask("GET", f"/v1/chat/{number}", [])
    assert_exact(4, "moving-window", ask, LIMIT)


def test_many_callers_have_a_limit_each():
    def ask(client, number):
        return client.ask("GET", "/v1/chat", bearer(f"sk-{number % 8}"))
    assert_exact(4, "fixed-window", ask, 8 * 10, each=3, limit="10/hour")


def test_one_key_written_in_many_ways():
    ways = [[("Authorization", "bearer  sk-one")], [("x-api-key", "sk-one")], [("api-key", "sk-one")], bearer("sk-one")]

    def ask(client, number):
        return client.ask("GET", "//v1/ch%61t/?x=1" if number % 2 else "/v1/chat", ways[number % 4])
    assert_exact(4, "fixed-window", ask, LIMIT)
