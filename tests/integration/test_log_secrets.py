"""No key, no `?key=` and no cookie in a conversation's record, wherever it stands; and what LOG_REDACT names is masked."""
import base64
import hashlib
import json

import pytest

from harness import (CHAT, COMPLETIONS, EMBEDDINGS, JSON, LAST_CHUNK, MESSAGES, RESPONSES, SSE_HEAD, TRANSCRIPTIONS, ChatLog,
                     Daemon, ModelUpstream, access_lines, answer, bearer, chat_of, chunk, event, eventually, expect_request, logged, ok,
                     one_byte_at_a_time, post, routes, run, send)
from harness.model_answers import form_of


def canary(where: str) -> str:
    return f"sk-{where}-canary-of-{where}-9876"


REAL, FORWARD, HASHED = canary("real"), canary("forward"), canary("hashed")
OWN = [canary(place) for place in ("bearer", "xapikey", "apikey", "googkey", "query", "cookie")]
KEYS = {"OPENAI_API_KEY_CONFIG": json.dumps([REAL]),
        "FORWARD_KEY_CONFIG": json.dumps([FORWARD, "sha256:" + hashlib.sha256(HASHED.encode()).hexdigest()])}


@pytest.fixture
def upstream():
    with ModelUpstream() as upstream:
        yield upstream


def delta(content):
    return json.dumps({"choices": [{"index": 0, "delta": {"content": content}}]})


def everything(daemon):
    root = ChatLog(daemon).root
    return "".join(path.read_text() for path in sorted(root.rglob("*.log")))


def found_in(text, secrets):
    """Of which more than the ends is there."""
    return [secret for secret in secrets if secret[3:-4] in text]


CALLERS = {  # fields, query, the secrets of the exchange
    "bearer": (bearer(OWN[0]), "", [OWN[0]]),
    "x-api-key": ([("x-api-key", OWN[1])], "", [OWN[1]]),
    "api-key": ([("api-key", OWN[2])], "", [OWN[2]]),
    "x-goog-api-key": ([("x-goog-api-key", OWN[3])], "", [OWN[3]]),
    "query": ([], f"?key={OWN[4]}&a=b", [OWN[4]]),
    "beside a cookie": ([*bearer(OWN[0]), ("Cookie", f"session={OWN[5]}")], "", [OWN[0]]),
    "a forward key": (bearer(FORWARD), "", [FORWARD, REAL]),
    "a hashed forward key": (bearer(HASHED), "", [HASHED, REAL]),
}


def echo_the_head(connection):
    fields = {f"{name} {at}": value for at, (name, value) in enumerate(connection.request.fields)}
    connection.sock.sendall(ok(json.dumps([fields, connection.request.target]).encode(), "application/json"))


def test_keys_in_places_where_aifd_knows_none(upstream):
    """Of a head that the upstream repeats, and in the path: two of them, other schemes, other names."""
    basic = base64.b64encode(f"user:{OWN[0]}".encode()).decode()
    cases = [
        ([*bearer(OWN[0]), *bearer(OWN[1])], "", [OWN[0], OWN[1]]),
        ([], f"?key={OWN[0]}&key={OWN[1]}", [OWN[0], OWN[1]]),
        ([("Authorization", OWN[0])], "", [OWN[0]]),
        ([("Authorization", f"Token {OWN[0]}")], "", [OWN[0]]),
        ([("Authorization", f"Basic {basic}")], f"?said={OWN[0]}", [OWN[0], basic]),
        ([("Cookie", f"session={OWN[0]}")], "", [OWN[0]]),
        ([("xi-api-key", OWN[0])], "", [OWN[0]]),
        ([("Ocp-Apim-Subscription-Key", OWN[0])], f"?subscription-key={OWN[1]}", [OWN[0], OWN[1]]),
        ([], f"?apikey={OWN[0]}&X-Amz-Signature={OWN[1]}&code={OWN[2]}", OWN[:3]),
    ]
    with logged(upstream, ("/g", upstream.url, "general"), LOG_GENERAL="true") as daemon:
        for fields, query, _ in cases:
            upstream.script(expect_request(), echo_the_head)
            assert daemon.ask("GET", "/g/x" + query, fields).status == 200
        exchanges = ChatLog(daemon, "g", "general").wait_for(len(cases))
        lines = eventually(lambda: len(access_lines(daemon)) == len(cases) and access_lines(daemon), "all lines")
        for exchange, line, (_, query, secrets) in zip(exchanges, lines, cases):
            told = json.dumps([exchange, line])
            assert not found_in(told.replace(f"said={OWN[0]}", ""), secrets), (query, told)


def test_keys_that_are_echoed(upstream):
    """By the question, by an error's text, by an answer's text, cut anywhere."""
    with logged(upstream, **KEYS) as daemon:
        count = 0
        for name, (fields, query, secrets) in CALLERS.items():
            echo = " ".join(secrets)
            error = json.dumps({"error": {"message": f"Incorrect API key provided: {echo}.", "code": "invalid_api_key"}})
            whole = json.dumps({"choices": [{"index": 0, "message": {"content": f"You said {echo} here"}}]})
            stream = [delta(part) for part in ("You said ", *echo, " here")] + ["[DONE]"]
            replies = [
                [send(answer("401 Unauthorized", JSON, error.encode()))],
                [send(ok(whole.encode(), "application/json"))],
                [send(SSE_HEAD), one_byte_at_a_time(b"".join(chunk(event(data)) for data in stream) + LAST_CHUNK)],
            ]
            for reply in replies:
                upstream.script(expect_request(), *reply)
                response = post(daemon, chat_of(f"My key is {echo}, again {echo}!", user=secrets[0]), fields, CHAT + query)
                assert response.ended == "complete"
                count += 1
            log = ChatLog(daemon)
            exchanges = log.wait_for(count)[-3:]
            assert found_in(everything(daemon), [REAL, FORWARD, HASHED, *OWN]) == [], name
            for request, _ in exchanges:
                stars = " ".join("***" for _ in secrets)
                assert request["messages"][0]["content"] == f"My key is {stars}, again {stars}!" and request["user"] == "***"
            failed, whole, streamed = (exchange.response for exchange in exchanges)
            assert failed["error_text"] == f"Incorrect API key provided: {stars}."
            assert whole["assistant"] == streamed["assistant"] == f"You said {stars} here", name
        assert set(found_in("".join(request.raw.decode("latin-1") for request in upstream.requests), [REAL])) == {REAL}


def test_every_api(upstream):
    with logged(upstream, **KEYS) as daemon:
        words = f"say {OWN[0]}"
        fields = bearer(OWN[0])
        post(daemon, json.dumps({"model": "m", "prompt": words}).encode(), fields, COMPLETIONS)
        post(daemon, json.dumps({"model": "m", "input": [words]}).encode(), fields, EMBEDDINGS)
        post(daemon, json.dumps({"model": "m", "input": words, "instructions": words}).encode(), fields, RESPONSES)
        post(daemon, json.dumps({"model": "m", "messages": [{"role": "user", "content": words}]}).encode(),
             [("x-api-key", OWN[1]), *fields], MESSAGES)
        content_type, form = form_of({"model": "whisper-1", "prompt": words}, f"{OWN[0]}.wav", b"sound")
        daemon.ask("POST", TRANSCRIPTIONS, [("Content-Type", content_type), *fields], form)
        for kind, count in (("completion", 1), ("embedding", 1), ("chat", 2), ("whisper", 1)):
            ChatLog(daemon, kind=kind).wait_for(count)
        text = everything(daemon)
        assert found_in(text, [REAL, *OWN]) == [] and text.count("say ***") >= 5


def test_general_routes(upstream):
    table = routes(("/", upstream.url), ("/g", upstream.url, "general"))
    with Daemon({"FORWARD_CONFIG": table, "LOG_GENERAL": "true", **KEYS}) as daemon:
        bodies = [(json.dumps({"key": OWN[4], "more": [OWN[4]]}).encode(), "application/json"),
                  (OWN[4].encode(), "text/plain")]
        for (body, content_type), (name, dash) in zip(bodies, (("key", "-"), ("%6bey", "%2D"))):
            fields = [("Content-Type", content_type), ("Cookie", f"a={OWN[5]}; b=2")]
            daemon.ask("POST", f"/g/do?{name}={OWN[4].replace('-', dash)}&x=1", fields, body)
        ChatLog(daemon, "g", "general").wait_for(2)
        text = everything(daemon)
        assert found_in(text, OWN) == [] and OWN[4][3:-4].replace("-", "%2D") not in text
        assert "x=1" in text


def test_escaped_keys(upstream):
    """JSON can write a letter in more than one way."""
    with logged(upstream, **KEYS) as daemon:
        escaped = "".join(f"\\u{ord(letter):04x}" for letter in OWN[0])
        body = ('{"model":"m","messages":[{"role":"user","content":"My key is ' + escaped + '"}]}').encode()
        whole = ('{"choices":[{"index":0,"message":{"content":"' + escaped + '"}}]}').encode()
        upstream.script(expect_request(), send(ok(whole, "application/json")))
        post(daemon, body, bearer(OWN[0]))
        request, response = ChatLog(daemon).wait_for()[0]
        assert OWN[0] not in json.dumps([request, response])
        assert response["assistant"] == "***"


PATTERNS = [r"\b\d{4}-\d{4}-\d{4}-\d{4}\b", r"(?i)password:\s*\S+", r"[\w.]+@[\w.]+\.\w+"]
CARD, MAIL = "1234-5678-9012-3456", "somebody@mail.example.org"


def test_what_log_redact_names(upstream):
    """Also where it comes in several events, and in what a tool is called with."""
    with logged(upstream, LOG_REDACT=json.dumps(PATTERNS)) as daemon:
        log = ChatLog(daemon)
        text = f"Card {CARD}, Password: hunter2 and {MAIL}."
        masked = "Card ***, *** and ***."
        upstream.script(expect_request(), send(SSE_HEAD), send(b"".join(chunk(event(delta(letter))) for letter in text)),
                        send(LAST_CHUNK))
        assert post(daemon, chat_of(text, stream=True)).body.count(b"data:") == len(text), "the client has it all"
        assert CARD in upstream.requests[0].body.decode(), "and so has the upstream"
        request, response = log.wait_for()[0]
        assert request["messages"][0]["content"] == response["assistant"] == masked

        arguments = json.dumps({"card": CARD, "n": 1})
        call = {"id": "call_1", "type": "function", "function": {"name": "pay", "arguments": arguments}}
        whole = {"choices": [{"index": 0, "message": {"content": None, "tool_calls": [call], "reasoning_content": MAIL}}]}
        upstream.script(expect_request(), send(ok(json.dumps(whole).encode(), "application/json")))
        post(daemon, chat_of("q", user=MAIL, tools=[{"type": "function", "function": {"name": "f", "description": MAIL}}]))
        request, response = log.last(2)
        assert json.loads(response["assistant"][0]["function"]["arguments"]) == {"card": "***", "n": 1}
        assert (response["reasoning"], request["user"], request["tools"][0]["function"]["description"]) == ("***",) * 3
        assert CARD not in log.text().decode() and MAIL not in log.text().decode()


def test_one_pattern_as_it_is(upstream):
    with logged(upstream, LOG_REDACT=PATTERNS[0], PRINT_CHAT="true") as daemon:
        post(daemon, chat_of(f"Card {CARD}"))
        assert ChatLog(daemon).wait_for()[0].request["messages"][0]["content"] == "Card ***"
        eventually(lambda: any("Card ***" in line for line in list(daemon.stdout)), "the console has it masked too")
        assert CARD not in daemon.output()


def test_patterns_and_settings_that_are_wrong():
    for name, value in (("LOG_REDACT", "(unclosed"), ("LOG_REDACT", '["ok", 7]'), ("LOG_OVERFLOW", "perhaps"),
                        ("LOG_COMPRESS", "rar"), ("LOG_ROTATE_BYTES", "much"), ("LOG_KEEP", "-1"), ("LOG_QUEUE_BYTES", "0x"),
                        ("CLIENT_GONE", "drown"), ("CLIENT_GONE", "drain:fast"), ("CLIENT_GONE", '{"/v1": "drown"}')):
        result = run("check", env={name: value})
        assert result.returncode == 78 and name in result.stderr, (name, value, result)
