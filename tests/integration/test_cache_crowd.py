"""A crowd that asks, shares, leaves and is failed at random: whoever stays gets a right answer, and nothing is left behind."""
import os
import random

import pytest

from harness import CacheUpstream, Swarm, caching, chat_of, eventually, post, raw_post, read_whole, state
from harness.openai_answers import CHAT_FORMS, chunks_of, said, whole_of

FORMS = [*CHAT_FORMS, "break", "error-500", "error-429"]
PROMPTS = 12
OPTIONS = [{}, {"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}]


def asked(choose):
    return {"prompt": f"question {choose.randrange(PROMPTS)}", "model": choose.choice(FORMS), **choose.choice(OPTIONS)}


def assert_right(answer, given) -> None:
    form, stream = given["model"], given.get("stream", False)
    if form.startswith("error-"):
        assert answer.status == int(form[6:]) and answer.ended == "complete"
        return
    if form == "break":
        # Of the other form than the call has, and nothing told yet: an error, else the half that came.
        assert answer.status == 502 or answer.ended == "cut", (answer.status, answer.ended)
        return
    assert (answer.status, answer.ended) == (200, "complete"), (answer.status, answer.ended, answer.body[:200])
    chunks = chunks_of(answer.body) if stream else []
    whole = said(whole_of(chunks) if stream else answer.json())
    if form in ("text", "choices", "logprobs", "reasoning", "mixed"):
        assert f'to {given["prompt"]}:' in whole["choices"][0]["message"]["content"]
    assert whole["model"] == form and len(whole["choices"]) == {"choices": 3, "mixed": 2}.get(form, 1)
    assert all(choice["finish_reason"] for choice in whole["choices"])
    if stream:
        assert bool(whole.get("usage")) == ("stream_options" in given)


def descriptors(daemon) -> int:
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


class Crowd(Swarm):
    """Some of whom leave when they have so many bytes, or none at all."""

    def __init__(self, daemon, given, choose):
        self.leaves = [choose.choice([0, 1, 300, 2000]) if choose.random() < 0.3 else None for _ in given]
        self.left = set()
        super().__init__(daemon, [raw_post(daemon, chat_of(**one)) for one in given])
        for key in list(self.selector.get_map().values()):
            if self.leaves[key.data] == 0:
                self._leave(key)

    def _leave(self, ready) -> None:
        self.selector.unregister(ready.fileobj)
        ready.fileobj.close()
        self.left.add(ready.data)
        self.open -= 1

    def _read(self, ready) -> None:
        super()._read(ready)
        limit = self.leaves[ready.data]
        if limit is not None and limit <= len(self.received[ready.data]) and ready.fileobj.fileno() >= 0:
            self._leave(ready)


    def answers_of_those_who_stayed(self):
        """None for those who left."""
        self.read_until(lambda: self.open == 0, "the end of all answers")
        self.selector.close()
        return [None if number in self.left else read_whole(bytes(got)) for number, got in enumerate(self.received)]


@pytest.mark.parametrize("seed, settings", [
    (0, {}), (1, {}), (2, {"CACHE_SINGLE_FLIGHT": "false"}), (3, {"CACHE_MAX_ENTRY_BYTES": "3000"}),
    (4, {"CACHE_BACKEND": "LMDB"}),
])
def test_whoever_stays_gets_a_right_answer(seed, settings, tmp_path):
    choose = random.Random(seed)
    with CacheUpstream() as upstream, caching(upstream, args=["--workers", "2"], **settings,
                                              CACHE_ROOT_PATH_OR_URL=str(tmp_path / "cache")) as daemon:
        before = descriptors(daemon)
        for _ in range(3):
            given = [asked(choose) for _ in range(150)]
            for answer, one in zip(Crowd(daemon, given, choose).answers_of_those_who_stayed(), given):
                if answer is not None:
                    assert_right(answer, one)
        upstream.verify()
        eventually(lambda: descriptors(daemon) <= before + 20, "all connections are closed, idle ones too")
        assert state(post(daemon, chat_of("the last"))) == "miss"
