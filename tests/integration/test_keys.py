"""Forward keys are exchanged for API keys, exactly; every other key passes as it is."""
from collections import Counter

import pytest

from harness import Daemon, Upstream, cut, expect_request, routes, run, send

API_KEYS = '{"sk-zero-a": [0], "sk-zero-b": [0], "sk-one": [1], "sk-both": [0, 1]}'
SETTINGS = {"OPENAI_API_KEY_CONFIG": API_KEYS, "FORWARD_KEY_CONFIG": '{"fk-zero": 0, "fk-one": 1}'}
LEVEL_0 = {"sk-zero-a", "sk-zero-b", "sk-both"}
LEVEL_1 = {"sk-one", "sk-both"}


def sent_up(daemon, upstream, fields, target="/v1/models"):
    assert daemon.ask("GET", target, fields).status == 200
    return upstream.requests[-1]


@pytest.mark.parametrize("name, prefix", [("Authorization", "Bearer "), ("authorization", "bearer "), ("x-api-key", ""),
                                          ("api-key", ""), ("x-goog-api-key", ""), ("X-API-Key", "")])
def test_forward_key_is_exchanged_wherever_clients_put_it(daemon, upstream, name, prefix):
    request = sent_up(daemon, upstream, [("X-Before", "1"), (name, prefix + "fk-one"), ("X-After", "2")])
    value = request.get(name)
    assert value.lower().startswith(prefix.lower()) and value[len(prefix):] in LEVEL_1
    assert b"fk-one" not in request.raw
    names = [field for field, _ in request.fields]
    assert names.index("X-Before") < names.index(name) < names.index("X-After")


@pytest.mark.parametrize("target, before, after", [
    ("/v1beta/models/m:generateContent?key=fk-one", "/v1beta/models/m:generateContent?key=", ""),
    ("/v1beta/models?alt=sse&key=fk-one&x=%20", "/v1beta/models?alt=sse&key=", "&x=%20"),
    ("/v1beta/models?key=fk%2Done", "/v1beta/models?key=", ""),
])
def test_forward_key_in_the_query_is_exchanged(daemon, upstream, target, before, after):
    got = sent_up(daemon, upstream, [], target).target
    assert got.startswith(before) and got.endswith(after)
    assert got[len(before):len(got) - len(after)] in LEVEL_1
    assert "fk-one" not in daemon.output()


def test_an_answer_that_repeats_the_query_or_the_subprotocol_shows_no_api_key(upstream):
    """As a redirect to a trailing slash does, Gemini's X-Goog-Upload-URL, and the ws package of Node."""
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
               ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Protocol", "openai-insecure-api-key.fk-one, x")]
    with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "OPENAI_API_KEY_CONFIG": "sk-canary-1", "FORWARD_KEY_CONFIG": "fk-one"}) as daemon:
        upstream.script(expect_request(), send(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://a/v1/x/?key=sk-canary-1&b=c\r\n"
                                               b"X-Goog-Upload-URL: https://a/?upload_id=1&key=sk-canary-1\r\nContent-Length: 0\r\n\r\n"))
        response = daemon.ask("GET", "/v1/x?key=fk-one&b=c")
        assert upstream.requests[-1].target == "/v1/x?key=sk-canary-1&b=c"
        assert response.get("location") == "http://a/v1/x/?key=fk-one&b=c"
        assert response.get("x-goog-upload-url") == "https://a/?upload_id=1&key=fk-one"
        upstream.script(expect_request(), send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                               b"Sec-WebSocket-Protocol: openai-insecure-api-key.sk-canary-1\r\n\r\n"))
        with daemon.client() as client:
            assert client.request("GET", "/v1/realtime?model=m", upgrade).read_head().get("sec-websocket-protocol") == \
                "openai-insecure-api-key.fk-one"


def test_other_query_parameters_are_not_keys(daemon, upstream):
    target = "/v1/x?monkey=fk-one&a=key=fk-one&KEY=fk-one"
    assert sent_up(daemon, upstream, [], target).target == target


@pytest.mark.parametrize("value", [
    "Bearer sk-users-own", "Bearer fk-zero2", "Bearer xfk-zero", "Bearer FK-ZERO", "Bearer fk-zer", "Basic fk-zero2",
    "1234567fk-zero", "Bearer-fk-zero", "Bearer sk-zero-a", "Bearer fk-zero,fk-one", "fk-zerofk-zero",
])
def test_what_is_not_exactly_a_forward_key_passes(daemon, upstream, value):
    assert sent_up(daemon, upstream, [("Authorization", value)]).get("authorization") == value


@pytest.mark.parametrize("name, value", [
    ("Authorization", "fk-zero"), ("Authorization", "Basic fk-zero"), ("Authorization", "Token fk-zero"),
    ("Authorization", "Token\tfk-zero"), ("x-api-key", "Bearer fk-zero"), ("api-key", "bearer fk-zero"),
])
def test_a_forward_key_under_another_scheme_is_refused_and_not_sent_on(daemon, upstream, name, value):
    upstream.reset()
    assert daemon.ask("GET", "/v1/models", [(name, value)]).status == 401
    assert upstream.requests == []


def test_round_robin_over_the_keys_of_the_level(daemon, upstream):
    used = Counter()
    with daemon.client() as client:
        for _ in range(30):
            assert client.ask("GET", "/v1/models", [("Authorization", "Bearer fk-zero")]).status == 200
    for request in upstream.requests:
        used[request.get("authorization")[7:]] += 1
    assert used == {key: 10 for key in LEVEL_0}


def test_both_levels_have_rounds_of_their_own(daemon, upstream):
    for _ in range(6):
        for key in ("fk-zero", "fk-one"):
            sent_up(daemon, upstream, [("Authorization", f"Bearer {key}")])
    values = [request.get("authorization")[7:] for request in upstream.requests]
    assert Counter(values[0::2]) == {key: 2 for key in LEVEL_0}
    assert Counter(values[1::2]) == {key: 3 for key in LEVEL_1}


def test_a_level_without_an_api_key_stops_the_start():
    result = run("check", env={"OPENAI_API_KEY_CONFIG": '{"sk-zero": [0]}', "FORWARD_KEY_CONFIG": '{"fk-lost": 7}'})
    assert result.returncode == 78 and "FORWARD_KEY_CONFIG" in result.stderr and "7" in result.stderr
    assert "fk-lost" not in result.stdout + result.stderr


def test_two_credentials_are_both_exchanged(daemon, upstream):
    request = sent_up(daemon, upstream, [("Authorization", "Bearer fk-one"), ("x-api-key", "fk-one")])
    assert b"fk-one" not in request.raw
    assert request.get("authorization")[7:] in LEVEL_1 and request.get("x-api-key") in LEVEL_1


def test_no_key_passes_without_one(daemon, upstream):
    """As the original: an API key is never lent to a caller without a forward key."""
    request = sent_up(daemon, upstream, [])
    assert b"sk-" not in request.raw


def test_keys_are_exchanged_with_a_body_of_any_framing(daemon, upstream):
    with daemon.client() as client:
        client.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer fk-one\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"6\r\nfk-one\r\n0\r\n\r\n")
        assert client.read_response("POST").status == 200
    request = upstream.requests[0]
    assert request.get("authorization")[7:] in LEVEL_1
    assert request.body == b"fk-one"


@pytest.mark.parametrize("api_keys, forward_keys", [
    ('{"sk-a": [0]}', '{"0": ["fk-a"]}'), ('["sk-a"]', '["fk-a"]'), ("sk-a", "fk-a"), ('"sk-a"', '["fk-a"]'),
    ('["sk-a"]', '{"fk-a": 3}'),
])
def test_every_notation_of_keys(api_keys, forward_keys):
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)),
                                         "OPENAI_API_KEY_CONFIG": api_keys,
                                         "FORWARD_KEY_CONFIG": forward_keys}) as daemon:
        assert sent_up(daemon, upstream, [("Authorization", "Bearer fk-a")]).get("authorization") == "Bearer sk-a"


def test_old_names_of_the_key_settings():
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "OPENAI_API_KEY": '["sk-a"]',
                                         "FORWARD_KEY": '["fk-a"]'}) as daemon:
        assert sent_up(daemon, upstream, [("Authorization", "Bearer fk-a")]).get("authorization") == "Bearer sk-a"


def test_no_key_in_any_output():
    with Upstream() as upstream, Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), **SETTINGS}) as daemon:
        daemon.ask("GET", "/v1/models?key=fk-zero", [("Authorization", "Bearer fk-one"), ("x-api-key", "sk-users-own")])
        daemon.ask("GET", "/v1/models?key=sk-in-query", [("Authorization", "Bearer sk-users-own")])
        daemon.ask("GET", "/v1/v1/x?key=fk-zero", [("api-key", "fk-one"), ("Cookie", "session=fk-zero")])
        upstream.script(expect_request(), cut())
        daemon.ask("POST", "/v1/x?key=fk-zero", [("Authorization", "Bearer fk-one")])
    text = daemon.output()
    assert not [key for key in ("fk-zero", "fk-one", "sk-zero", "sk-one", "sk-both", "sk-users-own", "sk-in-query") if key in text]
