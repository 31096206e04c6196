"""PRINT_CHAT: conversations on the console, in order, streamed answers whole, in colour where it is a terminal."""
import re
import threading

import pytest

from harness import (CHAT, JSON, RESPONSES, ChatLog, Daemon, ModelUpstream, chat_of, eventually, post, routes)
from harness.openai_answers import chunks_of, whole_of

SGR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def upstream():
    with ModelUpstream() as upstream:
        yield upstream


def printing(upstream, terminal=False, **settings):
    return Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "PRINT_CHAT": "true", "ACCESS_LOG": "off", **settings},
                  terminal=terminal)


def shown(daemon):
    return "".join(list(daemon.stdout)).replace("\r\n", "\n")


def plain(daemon):
    return SGR.sub("", shown(daemon))


def wait_for(daemon, text):
    eventually(lambda: text in plain(daemon), f"{text!r} on the console")
    return plain(daemon)


def answer_of(response):
    """Its first line: how lines are broken is the console's own matter."""
    return response["choices"][0]["message"]["content"].split("\n")[0]


MESSAGES = [{"role": "system", "content": "Be brief, machine"}, {"role": "user", "content": "The first question"},
            {"role": "assistant", "content": "The first answer"}, {"role": "user", "content": "The second question"}]


def test_conversations_are_shown_in_order(upstream):
    with printing(upstream) as daemon:
        whole = post(daemon, chat_of("", messages=MESSAGES, caching=None)).json()
        wait_for(daemon, answer_of(whole))
        streamed = whole_of(chunks_of(post(daemon, chat_of("And the third", stream=True, caching=None)).body))
        text = wait_for(daemon, answer_of(streamed))
        order = [text.index(part) for part in [*(message["content"] for message in MESSAGES), answer_of(whole),
                                               "And the third", answer_of(streamed)]]
        assert order == sorted(order), text
        for role in ("system", "user", "assistant"):
            assert role in text
        assert "\x1b" not in shown(daemon), "no colours where it is no terminal"
        assert not ChatLog(daemon).root.exists(), "it is shown, and not written"


def test_tool_calls_and_other_apis_are_shown(upstream):
    with printing(upstream) as daemon:
        post(daemon, chat_of("call it", "tools", stream=True, caching=None))
        assert "call it" in wait_for(daemon, "weather")
        post(daemon, b'{"model":"m","input":"of the responses"}', target=RESPONSES)
        assert "Answer 2 to of the responses" in wait_for(daemon, "Answer 2")


def test_each_answer_is_shown_in_one_piece(upstream):
    """However the streams of many come between each other."""
    with printing(upstream) as daemon:
        answers = {}

        def ask(number):
            response = post(daemon, chat_of(f"<{number:02}>" + "word " * 40, stream=True, caching=None))
            answers[number] = answer_of(whole_of(chunks_of(response.body)))
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(answers) == 20
        eventually(lambda: all(answer in plain(daemon) for answer in answers.values()), "each answer in one piece")


def colour_before(text, part):
    """The last that was chosen before a text is shown."""
    return SGR.findall(text[:text.index(part)])[-1]


def test_colours_tell_the_roles_on_a_terminal(upstream):
    with printing(upstream, terminal=True) as daemon:
        whole = post(daemon, chat_of("", messages=MESSAGES[:2], caching=None)).json()
        wait_for(daemon, answer_of(whole)[:20])
        text = shown(daemon)
        parts = ["Be brief, machine", "The first question", answer_of(whole)[:20]]
        colours = [colour_before(text, part) for part in parts]
        assert len(set(colours)) == 3, colours
        eventually(lambda: SGR.findall(shown(daemon))[-1] in ("\x1b[0m", "\x1b[m", "\x1b[39m"), "the colour ends with it")


def test_no_color(upstream):
    with printing(upstream, terminal=True, NO_COLOR="1") as daemon:
        whole = post(daemon, chat_of("a question", caching=None)).json()
        wait_for(daemon, answer_of(whole)[:20])
        assert "\x1b[" not in shown(daemon)


def test_nobody_can_write_to_the_terminal_through_it(upstream):
    """Escape sequences in what was asked or answered do not reach it."""
    with printing(upstream, terminal=True, NO_COLOR="1") as daemon:
        post(daemon, chat_of("before \x1b]0;title\x07 \x1b[2J \x9b31m after", caching=None))
        text = wait_for(daemon, "after")
        assert "\x1b" not in text and "\x07" not in text and "\x9b" not in text


def test_both_shown_and_written(upstream):
    with printing(upstream, LOG_OPENAI="true") as daemon:
        with daemon.client() as client:
            assert client.ask("POST", CHAT, JSON, chat_of("both")).status == 200
        assert ChatLog(daemon).wait_for()[0].request["messages"][0]["content"] == "both"
        wait_for(daemon, "both")
