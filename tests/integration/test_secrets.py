"""Canaries in every place where a secret can stand, and a search of every place where one could come out."""
import base64
import hashlib
import json
import os

import pytest

from harness import Cut, Daemon, Redis, RefusingPort, Upstream, answer, bearer, cut, expect_request, routes, run, send

CHAT = "/v1/chat/completions"
UPGRADE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]


def canary(where: str) -> str:
    """A secret that names where it was put; its middle may be shown nowhere, its ends may."""
    return f"sk-{where}-canary-of-{where}-9876"


def core(secret: str) -> str:
    return secret[3:-4]


REAL = [canary("real-a"), canary("real-b")]
FORWARD, HASHED = canary("forward"), canary("hashed")
DIGEST = hashlib.sha256(HASHED.encode()).hexdigest()
REDIS, PROXY = canary("redis"), canary("proxy")
IN_REQUESTS = [canary(place) for place in ("bearer", "xapikey", "apikey", "googkey", "query", "cookie", "basic", "socket",
                                           "userinfo", "malformed", "twice", "encoded")]
ALL = [*REAL, FORWARD, HASHED, REDIS, PROXY, *IN_REQUESTS]
BASIC = base64.b64encode(f"user:{canary('basic')}".encode()).decode()


def found_in(text: str):
    """The secrets of which more than the ends is there, also as percent- or base64-encoded."""
    needles = {secret: (core(secret), core(secret).replace("-", "%2D"), core(secret).replace("-", "%2d")) for secret in ALL}
    needles[DIGEST] = (DIGEST,)
    needles[BASIC] = (BASIC, base64.b64encode(f"user:{PROXY}".encode()).decode())
    return sorted(secret for secret, forms in needles.items() if any(form in text for form in forms))


def files_below(directory):
    for folder, _, names in os.walk(directory):
        for name in names:
            with open(os.path.join(folder, name), errors="replace") as file:
                yield os.path.relpath(os.path.join(folder, name), directory), file.read()


def dotenv(**settings):
    return "".join(f"{name}='{value}'\n" for name, value in settings.items())


@pytest.fixture
def world():
    """An upstream, a refusing one, a proxy and a Redis with a password."""
    with Upstream() as upstream, Upstream(proxy=True) as proxy, RefusingPort() as refusing, Redis(password=REDIS) as redis:
        yield {"upstream": upstream, "proxy": proxy, "refusing": refusing, "redis": redis}


def settings_of(world, **more):
    return {"FORWARD_CONFIG": routes(("/", world["upstream"].url), ("/out", "http://api.test.example"),
                                     ("/gone", world["refusing"].url)),
            "OPENAI_API_KEY_CONFIG": json.dumps(REAL), "FORWARD_KEY_CONFIG": json.dumps([FORWARD, f"sha256:{DIGEST}"]),
            "REQ_RATE_LIMIT": json.dumps({"/v1/limited": "1/hour", "/v1": "1000/hour"}),
            "REQ_RATE_LIMIT_BACKEND": world["redis"].url, "TOKEN_RATE_LIMIT": '{"/v1": "1000/second"}',
            "BENCHMARK_MODE": "true", "NO_PROXY": "127.0.0.1",
            "HTTP_PROXY": world["proxy"].url.replace("http://", f"http://user:{PROXY}@"), **more}


def answers_to_everything(daemon, upstream):
    """Every kind of request and of refusal; the bytes that came back."""
    said = []

    def ask(target, fields=(), method="POST", body=b"{}"):
        with daemon.client() as client:
            try:
                response = client.ask(method, target, fields, body)
                said.append(response.raw.decode("latin-1") + response.body.decode("latin-1"))
            except Cut:
                said.append("")

    def say(data: bytes):
        with daemon.client() as client:
            client.send(data)
            try:
                client.reader.to_end()
            except ConnectionError:
                pass
            said.append(client.reader.buffer.decode("latin-1"))

    bearers = bearer(canary("bearer"))
    for target in (CHAT, "/v1/limited", "/v1/limited", "/v1/v1/x", "/gone/v1/x", "/out/v1/x", "/v1/messages", "/api/chat",
                   "/v1beta/models/m:generateContent", "/benchmark" + CHAT, "/benchmark/nothing", "/healthz"):
        query = f"?key={canary('query')}&a=b"
        encoded = f"?%6bey={canary('encoded').replace('-', '%2D')}"
        for secret in (FORWARD, HASHED):
            ask(target, bearer(secret))
            ask(target + f"?key={secret}")
        ask(target, bearers)
        ask(target + query, [*bearers, ("x-api-key", canary("xapikey"))])
        ask(target + encoded, [("api-key", canary("apikey")), ("x-goog-api-key", canary("googkey"))])
        ask(target, [("Cookie", f"session={canary('cookie')}"), ("Authorization", f"Basic {BASIC}")])
        ask(target, [("Authorization", FORWARD)])
        ask(target, [("Authorization", f"Token {HASHED}")])
        ask(target, [*bearers, ("Authorization", f"Bearer {canary('twice')}")])
        upstream.script(expect_request(), cut())
        ask(target + query, bearers)
        upstream.scripts.clear()
    ask(f"http://user:{canary('userinfo')}@{daemon.host}:{daemon.port}{CHAT}", bearers)
    ask(CHAT, [*UPGRADE, ("Sec-WebSocket-Protocol", f"realtime, openai-insecure-api-key.{canary('socket')}")], "GET", None)
    ask("/benchmark" + CHAT, [*UPGRADE, ("Sec-WebSocket-Protocol", f"openai-insecure-api-key.{canary('socket')}")], "GET", None)
    secret = canary("malformed").encode()
    for bad in (b"POST /v1/x HTTP/1.1\r\nHost: a\r\nAuthorization Bearer " + secret + b"\r\n\r\n",
                b"POST /v1/x HTTP/1.1\r\nHost: a\r\nAuthorization : Bearer " + secret + b"\r\n\r\n",
                b"POST /v1/\\?key=" + secret + b" HTTP/1.1\r\nHost: a\r\n\r\n",
                b"POST /v1/x?key=" + secret + b"\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
                b"POST /v1/../x?key=" + secret + b" HTTP/1.1\r\nHost: a\r\n\r\n",
                b"POST /v1/x HTTP/1.1\r\nHost: a\r\nx-api-key: " + secret + b"\x00\r\n\r\n",
                b"POST /v1/x?key=" + secret + b" HTTP/9.9\r\nHost: a\r\n\r\n",
                b"POST /v1/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + secret + b"\r\nContent-Length: x\r\n\r\n",
                b"POST /v1/x?key=" + secret + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\nab"):
        say(bad)
    return said


def refuse_keys(upstream):
    """Has the upstream refuse both keys, so that their rest is told."""
    for status in ("429 Too Many Requests", "401 Unauthorized"):
        upstream.script(expect_request(), send(answer(status, [("Retry-After", "1")], b"no")))


@pytest.mark.parametrize("target, required", [("stdout", "true"), ("stdout", "false"), ("access.log", "true")])
def test_no_secret_comes_out_anywhere(world, target, required):
    upstream, redis, proxy = world["upstream"], world["redis"], world["proxy"]
    settings = settings_of(world, ACCESS_LOG=target, REQUIRE_FORWARD_KEY=required, LOG_LEVEL="debug")
    with Daemon(dotenv=dotenv(**settings)) as daemon:
        refuse_keys(upstream)
        for _ in range(2):
            daemon.ask("POST", CHAT, bearer(FORWARD), b"{}")
        said = answers_to_everything(daemon, upstream)
        redis.kill()
        daemon.ask("POST", CHAT, bearer(FORWARD), b"{}")
        stored = {name: content for name, content in files_below(daemon.path)}
    output = daemon.output()

    assert set(found_in(stored.pop(".env"))) >= {*REAL, FORWARD, REDIS, PROXY, DIGEST}, "the search finds nothing at all"
    arrived = "".join(request.raw.decode("latin-1") for request in upstream.requests)
    assert set(found_in(arrived)) >= set(REAL), "the real keys did not reach the upstream"
    assert any(base64.b64encode(f"user:{PROXY}".encode()).decode() in str(request.fields) for request in proxy.requests)
    assert FORWARD not in arrived and HASHED not in arrived
    assert {status for answer in said for status in ("200", "401", "429", "502") if f" {status} " in answer[:13]} == {
        "200", "401", "429", "502"}

    if target == "access.log":
        assert stored["access.log"].count("\n") > 50
    else:
        assert output.count('"msg":"request"') > 50
    assert found_in(output) == []
    assert {name: found for name, content in stored.items() if (found := found_in(content))} == {}
    assert {answer[:200]: found for answer in said if (found := found_in(answer))} == {}


def test_redis_is_told_no_key(world):
    with Daemon(settings_of(world)) as daemon:
        for fields in (bearer(FORWARD), bearer(HASHED), bearer(canary("bearer")), [("x-api-key", canary("xapikey"))]):
            assert daemon.ask("POST", CHAT, fields, b"{}").status == 200
        daemon.ask("POST", f"{CHAT}?key={canary('query')}", [], b"{}")
        stored = world["redis"].everything()
        assert len(stored) >= 2 * 5, "nothing was counted there"
        assert found_in(str(stored)) == []


# --- The configuration itself ---

@pytest.mark.parametrize("where", ["environment", ".env"])
def test_check_masks_what_is_secret(world, where):
    settings = settings_of(world)
    result = run("check", **({"env": settings} if where == "environment" else {"files": {".env": dotenv(**settings)}}))
    assert result.returncode == 0, result.stderr
    assert "OPENAI_API_KEY_CONFIG" in result.stdout
    assert found_in(result.stdout + result.stderr) == []


A, B = REAL
BAD = [
    ("OPENAI_API_KEY_CONFIG", f'{{"{A}": "x"}}'), ("OPENAI_API_KEY_CONFIG", f'{{"{A}": [0], "{B}"'),
    ("OPENAI_API_KEY_CONFIG", f'{{"{A}": [0], "{A}": [1]}}'), ("OPENAI_API_KEY_CONFIG", f'["{A}", 7]'),
    ("OPENAI_API_KEY_CONFIG", f'{{"{A}": [-1]}}'), ("OPENAI_API_KEY_CONFIG", f'["{A}\\n{B}"]'),
    ("OPENAI_API_KEY_CONFIG", f'["{A} {B}"]'), ("OPENAI_API_KEY_CONFIG", f'{{"{A}": []}}'),
    ("FORWARD_KEY_CONFIG", f'{{"{FORWARD}": "zero"}}'), ("FORWARD_KEY_CONFIG", f'{{"0": ["{FORWARD}"'),
    ("FORWARD_KEY_CONFIG", f'{{"{FORWARD}": 7}}'), ("FORWARD_KEY_CONFIG", f'["{FORWARD}", "{FORWARD}"]'),
    ("FORWARD_KEY_CONFIG", f'{{"{FORWARD}": 0, "1": ["{FORWARD}"]}}'), ("FORWARD_KEY_CONFIG", f'["sha256:{DIGEST}00"]'),
    ("FORWARD_KEY_CONFIG", f'["{A}"]'),
    ("PROXY", f"http://user:{PROXY}@:x"), ("PROXY", f"user:{PROXY}@host:1"), ("PROXY", f"ftp://user:{PROXY}@host:1"),
    ("PROXY", f"http://user:{PROXY}@host:99999"), ("HTTPS_PROXY", f"http://user:{PROXY}@:x"),
    ("REQ_RATE_LIMIT_BACKEND", f"redis://:{REDIS}@host:port/0"), ("REQ_RATE_LIMIT_BACKEND", f"reddis://:{REDIS}@host:1"),
    ("REQ_RATE_LIMIT_BACKEND", f"redis://user:{REDIS}@host:1/zero"), ("REQ_RATE_LIMIT_BACKEND", f"redis:/:{REDIS}@host"),
    ("REQ_RATE_LIMIT_BACKEND", f"redis://{REDIS}@/"),
    ("FORWARD_CONFIG", f'[{{"base_url":"https://user:{PROXY}@api.test.example","route":"/"}}]'),
    ("FORWARD_CONFIG", f'[{{"base_url":"https://api.test.example?key={PROXY}","route":"/"}}]'),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_errors_about_settings_name_no_secret(number):
    name, value = BAD[number]
    for command in (["check"], ["run", "--port", "0"]):
        if command[0] == "run" and number % 5:
            continue  # the same texts; a few are enough
        for place in ({"env": {name: value}}, {"files": {".env": dotenv(**{name: value})}}):
            if name == "FORWARD_KEY_CONFIG":
                place.setdefault("env", {})["OPENAI_API_KEY_CONFIG"] = '{"sk-level-zero-only": [0]}'
            result = run(*command, **place)
            assert found_in(result.stdout + result.stderr) == [], result.stderr
            assert result.returncode in (0, 78), result
            if result.returncode:
                assert name in result.stderr
