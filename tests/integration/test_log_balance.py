"""The books balance: of 2,000 streams, cut at random moments, each has one request and one answer that say the truth."""
import collections
import json

from harness import CHAT, ChatLog, access_lines, eventually, logged
from harness.truth import Callers, TruthUpstream, plan_of

COUNT = 2000
SEED = 20261128


def without_chunks(body):
    """Of a chunked body that may be cut; a chunk may end within an event."""
    data = b""
    while True:
        size, _, rest = body.partition(b"\r\n")
        try:
            length = int(size, 16)
        except ValueError:
            return data
        data, body = data + rest[:length], rest[length + 2:]


def text_in(got):
    """What the client was told, of the whole events it has."""
    body = without_chunks(got.partition(b"\r\n\r\n")[2])
    text = ""
    for line in body.split(b"\n"):
        try:
            chunk = json.loads(line.removeprefix(b"data: ")) if line.startswith(b"data: {") else {}
        except ValueError:
            break
        for choice in chunk.get("choices", []):
            text += choice["delta"].get("content", "")
    return text


def number_of(exchange):
    """Of one whose request's body arrived."""
    messages = exchange.request["messages"]
    return int(messages[0]["content"].split()[1]) if messages else None


def balance(gone):
    with TruthUpstream(SEED) as truth, logged(truth, CLIENT_GONE=gone, DRAIN_TIMEOUT="30") as daemon:
        callers = Callers((daemon.host, daemon.port), SEED, COUNT)
        callers.run()
        log = ChatLog(daemon)

        def came():
            """The lines of what came whole: what did not was not asked, and has no records."""
            return [line for line in access_lines(daemon)
                    if (line["ended_by"], line.get("phase")) != ("client", "links")]

        def balanced():
            return log.text().count(b"\n") == 2 * len(came())
        eventually(lambda: len(access_lines(daemon)) >= len(truth.asked), "a line for each", 60)
        eventually(balanced, "two records for each line of the access log", 60)
        assert len(access_lines(daemon)) - len(came()) <= sum(
            plan_of(SEED, number).client in ("upload", "at once") for number in range(COUNT))
        lines = {line["request_id"]: line for line in came()}
        exchanges = log.exchanges()
        assert len(log.records()) == 2 * len(exchanges) == 2 * len(lines)
        assert {exchange.request["uid"] for exchange in exchanges} == set(lines)
        assert max(truth.asked.values()) == 1, "nothing was asked twice"
        by_number = collections.Counter(map(number_of, exchanges))
        by_number.pop(None, None)
        assert set(by_number.values()) == {1} and set(truth.asked) <= set(by_number)
        for exchange in exchanges:
            check_line(exchange, lines[exchange.request["uid"]])
            if number_of(exchange) is not None:
                check_truth(exchange, truth, callers, gone)
        missing = [number for number in range(COUNT) if number not in by_number
                   and plan_of(SEED, number).client in ("read all", "leave")]
        assert not missing, "who had an answer has a record"
        return collections.Counter((exchange.response["ended_by"], exchange.response.get("drained"),
                                    exchange.response["usage_source"]) for exchange in exchanges)


def check_line(exchange, line):
    response = exchange.response
    assert line["path"].startswith(CHAT)
    for name in ("ended_by", "phase", "status", "attempts"):
        if name in line:
            assert response[name] == line[name], (name, response, line)


def check_truth(exchange, truth, callers, gone):
    response, number = exchange.response, number_of(exchange)
    plan = plan_of(SEED, number)
    text, said = response["assistant"] or "", truth.said.get(number, "")
    assert plan.text.startswith(text) and said.startswith(text), (plan, response)
    assert text.startswith(text_in(callers.got.get(number, b""))), (plan, response)
    if callers.whole.get(number):
        assert response["ended_by"] == "complete", (plan, response)
    if response["ended_by"] == "complete" or response.get("drained") == "whole":
        assert text == plan.text and plan.end == "complete", (plan, response)
        assert response["usage_source"] == ("exact" if plan.reports else "estimated"), (plan, response)
        assert response["finish_reason"] == "stop"
    if response["usage_source"] == "exact":
        assert response["usage"] == plan.usage and text == plan.text and plan.end == "complete", (plan, response)
    if plan.client == "read all":
        assert response["ended_by"] == ("complete" if plan.end == "complete" else "upstream"), (plan, response)
    if gone == "cancel" or response["ended_by"] != "client":
        assert "drained" not in response, (plan, response)
    elif response["phase"] in ("wait_head", "stream") and number in truth.asked and text != plan.text:
        assert response["drained"] == ("whole" if plan.end == "complete" else "cut"), (plan, response)


def test_with_cancel():
    ends = balance("cancel")
    assert ends["complete", None, "exact"] > 400 and ends["upstream", None, "estimated"] > 100, ends
    assert sum(count for (ended_by, _, _), count in ends.items() if ended_by == "client") > 100, ends


def test_with_drain():
    ends = balance("drain")
    assert ends["complete", None, "exact"] > 400 and ends["client", "whole", "exact"] > 100, ends
    assert sum(count for (_, drained, _), count in ends.items() if drained == "cut") > 20, ends
