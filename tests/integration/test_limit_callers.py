"""Limits are counted for each caller, and no way of writing a request makes another caller of it."""
import itertools

import pytest

from harness import Daemon, ask_in_turn, bearer, routes

FORWARD_KEYS = [f"fk-number-{number}" for number in range(200)]
UNUSED = iter(FORWARD_KEYS)
NUMBERS = itertools.count()
TARGET = "/v1/chat/completions"
SETTINGS = {"REQ_RATE_LIMIT": '{"/v1/chat/completions": "2/hour", "/v1beta": "2/hour"}',
            "OPENAI_API_KEY_CONFIG": '["sk-real"]',
            "FORWARD_KEY_CONFIG": "[" + ",".join(f'"{key}"' for key in FORWARD_KEYS) + "]"}


@pytest.fixture
def forward_key():
    """A forward key that nothing was counted for."""
    return next(UNUSED)


@pytest.fixture
def own_key():
    """A key of the caller's own, which passes through."""
    return f"sk-own-{next(NUMBERS)}"


@pytest.fixture
def address():
    """An address of loopback that nothing was counted for."""
    return f"127.1.{next(NUMBERS) % 250}.1"


def fresh(prefix="decoy"):
    return f"{prefix}-{next(NUMBERS)}"


def used_up(daemon, fields, target=TARGET):
    assert ask_in_turn(daemon, target, [fields] * 3) == [200, 200, 429]


# --- Who a caller is ---

@pytest.mark.parametrize("field", ["x-api-key", "api-key", "x-goog-api-key", "X-API-Key"])
def test_callers_with_keys_in_other_fields(daemon, upstream, field):
    used_up(daemon, [(field, fresh())])
    used_up(daemon, [(field, fresh())])


def test_callers_with_bearer_keys(daemon, upstream, own_key, forward_key):
    used_up(daemon, bearer(own_key))
    used_up(daemon, bearer(forward_key))
    used_up(daemon, bearer(own_key + "x"))


def test_callers_with_keys_in_the_query(daemon, upstream):
    for key in (fresh(), fresh()):
        used_up(daemon, [], f"/v1beta/models?key={key}")


def test_a_key_is_the_same_caller_from_everywhere(daemon, upstream, own_key):
    used_up(daemon, bearer(own_key))
    with daemon.client(source="127.2.0.1") as client:
        assert client.ask("GET", TARGET, bearer(own_key)).status == 429


def statuses_from(daemon, source, fields, count):
    with daemon.client(source=source) as client:
        return [client.ask("GET", TARGET, fields).status for _ in range(count)]


def test_callers_without_a_key_are_known_by_their_address(daemon, upstream, address):
    assert statuses_from(daemon, address, [], 3) == [200, 200, 429]
    assert statuses_from(daemon, address[:-1] + "2", [], 3) == [200, 200, 429]


def test_addresses_behind_a_trusted_proxy_are_told_apart(daemon, upstream):
    """The harness comes from 127.0.0.1, which is trusted."""
    for client in ("203.0.113.7", "2001:db8::7"):
        used_up(daemon, [("X-Forwarded-For", client)])
    assert ask_in_turn(daemon, TARGET, [[("X-Forwarded-For", f"10.9.8.{number}, 203.0.113.7")] for number in range(3)]) == [429] * 3


def test_an_untrusted_caller_cannot_choose_its_address(daemon, upstream, address):
    with daemon.client(source=address) as client:
        got = [client.ask("GET", TARGET, [("X-Forwarded-For", f"203.0.114.{number}")]).status for number in range(4)]
    assert got == [200, 200, 429, 429]


def test_nobody_is_believed_without_trusted_proxies(shared_upstream, upstream):
    with Daemon({"FORWARD_CONFIG": routes(("/", shared_upstream.url)), "GLOBAL_RATE_LIMIT": "2/hour",
                 "TRUSTED_PROXIES": ""}) as daemon:
        callers = [[("X-Forwarded-For", f"203.0.115.{number}")] for number in range(4)]
        assert ask_in_turn(daemon, TARGET, callers) == [200, 200, 429, 429]


# --- The same path, however it is written ---

@pytest.mark.parametrize("target", [
    "/v1/chat/completions/", "/v1/chat/completions//", "//v1/chat/completions", "/v1//chat///completions",
    "/v1/ch%61t/completions", "/v1/%63hat/completions", "/v1/chat/complet%69ons", "/%76%31/chat/completions",
    "/v1/chat/completions?", "/v1/chat/completions?x=1", "/v1/chat/completions/?a=b&c", "/v1/chat/completions/below",
    "/v1/chat%2Fcompletions", "/v1%2fchat%2Fcompletions?x", "/V1/Chat/Completions", "/v1/chat/completions;x",
])
def test_no_spelling_of_the_path_dodges_the_limit(daemon, upstream, own_key, target):
    used_up(daemon, bearer(own_key))
    assert ask_in_turn(daemon, target, [bearer(own_key)]) == [429], upstream.starts()


@pytest.mark.parametrize("target", ["/v1/ch%61t/completions//", "//v1/chat/completions?x=1"])
def test_every_spelling_counts(daemon, upstream, own_key, target):
    assert ask_in_turn(daemon, target, [bearer(own_key)] * 2) == [200, 200]
    assert ask_in_turn(daemon, TARGET, [bearer(own_key)]) == [429]


def test_an_absolute_target_does_not_dodge_the_limit(daemon, upstream, own_key):
    used_up(daemon, bearer(own_key))
    for target in (f"{daemon.url}{TARGET}", f"{daemon.url}//v1/chat/completions", f"{daemon.url}/v1/ch%61t/completions?x"):
        assert ask_in_turn(daemon, target, [bearer(own_key)]) == [429], target


# --- The same caller, however it is written ---

@pytest.mark.parametrize("value", ["bearer {}", "BEARER {}", "BeArEr   {}", "Bearer\t{}", "Bearer  {}  "])
def test_no_spelling_of_bearer_dodges_the_limit(daemon, upstream, own_key, value):
    used_up(daemon, bearer(own_key))
    assert ask_in_turn(daemon, TARGET, [[("AUTHORIZATION", value.format(own_key))]]) == [429]


@pytest.mark.parametrize("fields", [[("x-api-key", "{}")], [("api-key", "{}")], [("x-goog-api-key", "{}")]])
def test_a_key_is_the_same_caller_in_every_field(daemon, upstream, forward_key, own_key, fields):
    for key in (forward_key, own_key):
        used_up(daemon, bearer(key))
        moved = [(name, value.format(key)) for name, value in fields]
        assert ask_in_turn(daemon, TARGET, [moved]) == [429], key


@pytest.mark.parametrize("query", ["key={}", "alt=sse&key={}", "%6Bey={}", "k%65y={}"])
def test_a_key_is_the_same_caller_in_the_query(daemon, upstream, forward_key, own_key, query):
    for key in (forward_key, own_key):
        for written in (key, key.replace("-", "%2D"), key.replace("k", "%6b")):
            assert "-" in key and written
        used_up(daemon, bearer(key))
        for written in (key, key.replace("-", "%2D"), key.replace("k", "%6b")):
            assert ask_in_turn(daemon, f"{TARGET}?{query.format(written)}", [[]]) == [429], written


@pytest.mark.parametrize("field", ["x-api-key", "api-key", "x-goog-api-key"])
def test_decoys_beside_a_forward_key_do_not_matter(daemon, upstream, forward_key, field):
    callers = [[*bearer(forward_key), (field, fresh())] for _ in range(4)]
    assert ask_in_turn(daemon, TARGET, callers) == [200, 200, 429, 429]


@pytest.mark.parametrize("field", ["x-api-key", "api-key", "x-goog-api-key"])
def test_decoys_in_authorization_beside_a_forward_key_do_not_matter(daemon, upstream, forward_key, field):
    callers = [[*bearer(fresh()), (field, forward_key)] for _ in range(4)]
    assert ask_in_turn(daemon, TARGET, callers) == [200, 200, 429, 429]


def test_decoys_in_the_query_do_not_matter(daemon, upstream, forward_key, own_key):
    for key in (forward_key, own_key):
        got = [ask_in_turn(daemon, f"{TARGET}?key={fresh()}", [bearer(key)])[0] for _ in range(4)]
        assert got == [200, 200, 429, 429], key


@pytest.mark.parametrize("field", ["x-api-key", "api-key", "x-goog-api-key"])
@pytest.mark.parametrize("decoy_first", [False, True])
def test_decoys_beside_a_key_of_ones_own_do_not_matter(daemon, upstream, own_key, address, field, decoy_first):
    """Which of them the upstream reads is unknown here: such a caller is known by the address."""
    def fields():
        return [*bearer(fresh()), (field, own_key)] if decoy_first else [*bearer(own_key), (field, fresh())]
    with daemon.client(source=address) as client:
        assert [client.ask("GET", TARGET, fields()).status for _ in range(4)] == [200, 200, 429, 429]


def test_decoy_addresses_beside_a_key_do_not_matter(daemon, upstream, own_key):
    callers = [[*bearer(own_key), ("X-Forwarded-For", f"203.0.116.{number}")] for number in range(4)]
    assert ask_in_turn(daemon, TARGET, callers) == [200, 200, 429, 429]


@pytest.mark.parametrize("value", ["Basic {}", "Bearer", "{}", "Bearer{}"])
def test_what_is_no_bearer_key_makes_no_caller(daemon, upstream, address, value):
    """Else anyone could be as many callers as there are words."""
    with daemon.client(source=address) as client:
        got = [client.ask("GET", TARGET, [("Authorization", value.format(fresh()))]).status for _ in range(4)]
    assert got in ([200, 200, 429, 429], [400] * 4, [401] * 4)


def test_two_forward_keys_are_not_twice_the_limit(daemon, upstream):
    """Whoever holds two has two allowances, and cannot make more of them by mixing."""
    first, second = next(UNUSED), next(UNUSED)
    mixed = [[*bearer(a), ("x-api-key", b)] for a, b in [(first, second), (second, first)] * 3]
    got = ask_in_turn(daemon, TARGET, mixed + [bearer(first), bearer(second)] * 3)
    assert got.count(200) <= 4


def test_a_refused_caller_does_not_hold_up_the_others(daemon, upstream, own_key, forward_key):
    used_up(daemon, bearer(own_key))
    used_up(daemon, bearer(forward_key))
    assert len(upstream.requests) == 4
