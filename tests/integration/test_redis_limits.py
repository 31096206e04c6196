"""Limits that several daemons share through a Redis, and what becomes of them while it is away."""
import itertools
import json
import socket
import threading
import time

import pytest

from harness import (STRATEGIES, Daemon, Redis, RefusingPort, Upstream, admitted, allowance, ask_in_turn, bearer, crowd,
                     eventually, is_sanitized, routes, wait_told)

TARGET = "/v1/chat/completions"
NUMBERS = itertools.count()
PATIENT, QUICK = "5", "0.2"  # REDIS_TIMEOUT where a slow machine must not matter, and where waiting for it must not


@pytest.fixture
def redis():
    with Redis() as redis:
        yield redis


@pytest.fixture
def upstream():
    with Upstream() as upstream:
        yield upstream


def limited(upstream, url, limit="5/hour", timeout=PATIENT, args=(), **settings):
    return Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "REQ_RATE_LIMIT": json.dumps({"/v1": limit}),
                   "REQ_RATE_LIMIT_BACKEND": url, "REDIS_TIMEOUT": timeout, **settings}, args=args)


def caller():
    """The fields of a caller that nothing was counted for."""
    return bearer(f"sk-caller-{next(NUMBERS)}")


def status(daemon, fields):
    return daemon.ask("GET", TARGET, fields).status


def lines_about_redis(daemon):
    return [line for line in list(daemon.stderr) if "redis" in line.lower()]


def they_share(first, second, limit):
    """Whether one caller has one allowance at both."""
    fields = caller()
    got = ask_in_turn(first, TARGET, [fields] * limit) + ask_in_turn(second, TARGET, [fields])
    return got == [200] * limit + [429]


# --- Shared ---

@pytest.mark.parametrize("strategy", STRATEGIES)
def test_two_daemons_share_one_limit_exactly(redis, upstream, strategy):
    with limited(upstream, redis.url, "50/hour", RATE_LIMIT_STRATEGY=strategy, args=["--workers", "2"]) as first, \
            limited(upstream, redis.url, "50/hour", RATE_LIMIT_STRATEGY=strategy) as second:
        fields = caller()
        answers = crowd([first, second], 64, lambda client, number: client.ask("GET", TARGET, fields), each=2)
        assert admitted(answers) == 50 and len(upstream.requests) == 50
        assert all(wait_told(answer) > 0 for answer in answers if answer.status == 429)
        assert lines_about_redis(first) == lines_about_redis(second) == []


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_both_tell_the_same(redis, upstream, strategy):
    with limited(upstream, redis.url, RATE_LIMIT_STRATEGY=strategy) as first, \
            limited(upstream, redis.url, RATE_LIMIT_STRATEGY=strategy) as second:
        fields = caller()
        told = [allowance(daemon.ask("GET", TARGET, fields)) for daemon in (first, second, first, second)]
        assert [(limit, remaining) for limit, remaining, _ in told] == [(5, 4), (5, 3), (5, 2), (5, 1)]
        assert all(0 < reset <= 7200 for _, _, reset in told)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_strategy_keeps_its_promise_of_when_to_come_back(redis, upstream, strategy):
    with limited(upstream, redis.url, "3/second", RATE_LIMIT_STRATEGY=strategy) as first, \
            limited(upstream, redis.url, "3/second", RATE_LIMIT_STRATEGY=strategy) as second:
        fields = caller()

        def refusal():
            answers = (first.ask("GET", TARGET, fields) for _ in range(4))
            return next((answer for answer in answers if answer.status == 429), None)
        time.sleep(wait_told(eventually(refusal, "more than three in a second")) + 0.02)
        assert status(second, fields) == 200


def test_several_limits_are_shared_exactly(redis, upstream):
    """What the second limit refuses must not have used up the first."""
    with limited(upstream, redis.url, "70/hour;33/day") as first, limited(upstream, redis.url, "70/hour;33/day") as second:
        fields = caller()
        answers = crowd([first, second], 32, lambda client, number: client.ask("GET", TARGET, fields), each=3)
        assert admitted(answers) == 33
        assert {allowance(answer)[:2] for answer in answers if answer.status == 429} == {(33, 0)}


def test_a_daemon_that_starts_again_goes_on_counting(redis, upstream):
    fields = caller()
    for due in ([200, 200, 200], [200, 200, 429]):
        with limited(upstream, redis.url) as daemon:
            assert ask_in_turn(daemon, TARGET, [fields] * 3) == due


def test_databases_are_apart(redis, upstream):
    with limited(upstream, redis.url_of(None, 0)) as first, limited(upstream, redis.url_of(None, 1)) as second:
        fields = caller()
        assert ask_in_turn(first, TARGET, [fields] * 6) == [200] * 5 + [429]
        assert ask_in_turn(second, TARGET, [fields] * 6) == [200] * 5 + [429]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_everything_stored_expires_and_names_no_key(redis, upstream, strategy):
    with limited(upstream, redis.url, RATE_LIMIT_STRATEGY=strategy) as daemon:
        ask_in_turn(daemon, TARGET, [bearer("sk-in-plain-sight")] * 6)
        keys = redis.ask("KEYS", "*")
        assert keys and all(0 < redis.ask("TTL", key) <= 2 * 3600 + 1 for key in keys)
        assert "sk-in-plain-sight" not in str(redis.everything())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_flush_of_scripts_is_survived(redis, upstream, strategy):
    with limited(upstream, redis.url, RATE_LIMIT_STRATEGY=strategy) as daemon:
        fields = caller()
        assert ask_in_turn(daemon, TARGET, [fields] * 3) == [200] * 3
        redis.ask("SCRIPT", "FLUSH")
        assert ask_in_turn(daemon, TARGET, [fields] * 3) == [200, 200, 429]
        assert lines_about_redis(daemon) == []


# --- Passwords ---

def test_password_in_the_url():
    with Redis(password="s3cret-pass") as redis, Upstream() as upstream:
        with limited(upstream, redis.url) as first, limited(upstream, redis.url) as second:
            assert they_share(first, second, 5)
            assert redis.ask("DBSIZE") >= 1
        assert "s3cret-pass" not in first.output() + second.output()


def test_user_and_password_in_the_url():
    with Redis(password="s3cret-pass") as redis, Upstream() as upstream:
        redis.ask("ACL", "SETUSER", "aifd", "on", ">p@ss:w/rd", "~*", "+@all")
        url = f"redis://aifd:p%40ss%3Aw%2Frd@127.0.0.1:{redis.port}/0"
        with limited(upstream, url) as first, limited(upstream, url) as second:
            assert they_share(first, second, 5)
        assert "p@ss" not in first.output() and "p%40ss" not in first.output()


def test_a_wrong_password_is_told_and_limits_hold_here():
    with Redis(password="s3cret-pass") as redis, Upstream() as upstream:
        with limited(upstream, redis.url_of("wr0ng-pass")) as daemon:
            assert ask_in_turn(daemon, TARGET, [caller()] * 6) != []
            fields = caller()
            assert ask_in_turn(daemon, TARGET, [fields] * 6) == [200] * 5 + [429]
            eventually(lambda: lines_about_redis(daemon), "a line about it")
            assert redis.ask("DBSIZE") == 0
        assert "wr0ng-pass" not in daemon.output()


# --- TLS ---

def test_over_tls(authority, upstream):
    with Redis(password="s3cret-pass", tls=authority.issue("localhost")) as redis, \
            limited(upstream, redis.tls_url, SSL_CERT_FILE=authority.certificate) as first, \
            limited(upstream, redis.tls_url, SSL_CERT_FILE=authority.certificate) as second:
        assert they_share(first, second, 5)
        assert redis.ask("DBSIZE") >= 1 and lines_about_redis(first) == []


def test_a_certificate_of_another_is_not_trusted(authority, upstream):
    """Else whoever is in the middle reads the password."""
    with Redis(tls=authority.issue("other.example")) as redis, \
            limited(upstream, redis.tls_url, SSL_CERT_FILE=authority.certificate) as daemon:
        fields = caller()
        assert ask_in_turn(daemon, TARGET, [fields] * 6) == [200] * 5 + [429]
        eventually(lambda: lines_about_redis(daemon), "a line about it")
        assert redis.ask("DBSIZE") == 0


def test_tls_to_a_plain_port(redis, upstream):
    with limited(upstream, redis.url.replace("redis://", "rediss://"), timeout=QUICK) as daemon:
        fields = caller()
        assert ask_in_turn(daemon, TARGET, [fields] * 6) == [200] * 5 + [429]
        eventually(lambda: lines_about_redis(daemon), "a line about it")


# --- Away ---

@pytest.mark.parametrize("workers", ["1", "4"])
def test_a_frozen_redis_costs_little_and_limits_hold_here(redis, upstream, workers, record_property):
    with limited(upstream, redis.url, "20/hour", QUICK, args=["--workers", workers]) as first, \
            limited(upstream, redis.url, "20/hour", QUICK) as second:
        eventually(lambda: they_share(first, second, 20), "they share at first")
        told_before = len(lines_about_redis(first))
        started = time.monotonic()
        ask_in_turn(first, TARGET, [caller() for _ in range(10)])
        usual = time.monotonic() - started

        redis.freeze()
        try:
            fields, started = caller(), time.monotonic()
            assert ask_in_turn(first, TARGET, [fields] * 10) == [200] * 10
            cost = time.monotonic() - started - usual
            record_property("seconds_for_ten", round(cost, 3))
            assert cost < 1.0
            rest = ask_in_turn(first, TARGET, [fields] * 11)
            assert rest == [200] * 10 + [429], rest
            fields = caller()
            answers = crowd([first], 30, lambda client, number: client.ask("GET", TARGET, fields))
            assert admitted(answers) == 20
            eventually(lambda: len(lines_about_redis(first)) > told_before, "a line about it")
            assert len(lines_about_redis(first)) == told_before + 1, lines_about_redis(first)
        finally:
            redis.thaw()

        eventually(lambda: they_share(first, second, 20), "they share again")
        eventually(lambda: len(lines_about_redis(first)) == told_before + 2, "a line that it is back")
        assert they_share(first, second, 20)
        assert len(lines_about_redis(first)) == told_before + 2, lines_about_redis(first)


def test_a_redis_that_is_not_there_at_the_start(upstream):
    with RefusingPort() as port, limited(upstream, f"redis://127.0.0.1:{port.port}/0") as daemon:
        for _ in range(2):
            fields = caller()
            assert ask_in_turn(daemon, TARGET, [fields] * 6) == [200] * 5 + [429]
        eventually(lambda: lines_about_redis(daemon), "a line about it")
        assert len(lines_about_redis(daemon)) == 1, lines_about_redis(daemon)


def test_a_redis_whose_name_is_unknown(upstream):
    with limited(upstream, "redis://no-such-host.invalid:6379/0", timeout=QUICK) as daemon:
        fields = caller()
        assert ask_in_turn(daemon, TARGET, [fields] * 6) == [200] * 5 + [429]
        eventually(lambda: lines_about_redis(daemon), "a line about it")


def test_a_redis_that_comes_later(redis, upstream):
    redis.kill()
    with limited(upstream, redis.url) as first, limited(upstream, redis.url) as second:
        assert [status(daemon, caller()) for daemon in (first, second)] == [200, 200]
        redis.start()
        eventually(lambda: they_share(first, second, 5), "they share")


def test_a_redis_that_is_restarted(redis, upstream):
    with limited(upstream, redis.url) as first, limited(upstream, redis.url) as second:
        assert they_share(first, second, 5)
        redis.kill()
        fields = caller()
        assert ask_in_turn(first, TARGET, [fields] * 6) == [200] * 5 + [429]
        redis.start()
        eventually(lambda: they_share(first, second, 5), "they share again")


def test_a_redis_that_dies_under_load(redis, upstream):
    """Nobody gets anything but an answer of the upstream or a refusal."""
    with limited(upstream, redis.url, "100000/hour", QUICK, args=["--workers", "2"]) as daemon:
        fields = caller()

        def ask(client, number):
            if number == 0:
                redis.kill()
            return client.ask("GET", TARGET, fields)
        assert admitted(crowd([daemon], 32, ask, each=5)) == 160


def test_a_daemon_ends_in_time_while_redis_is_frozen(redis, upstream):
    with limited(upstream, redis.url, timeout=QUICK) as daemon:
        assert status(daemon, caller()) == 200
        redis.freeze()
        try:
            assert status(daemon, caller()) == 200
            daemon.signal()
            assert daemon.wait(20) == 0
        finally:
            redis.thaw()


# --- What is no Redis, or not a good one ---

class Impostor:
    """Listens like a Redis and answers each piece it reads with the same bytes."""

    def __init__(self, says: bytes, closes: bool = False, endless: bool = False):
        self.says, self.closes, self.endless = says, closes, endless
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}/0"
        self.asked = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock) -> None:
        try:
            with sock:
                while sock.recv(65536):
                    self.asked += 1
                    sock.sendall(self.says)
                    while self.endless:
                        sock.sendall(self.says)
                    if self.closes:
                        return
        except OSError:
            pass

    def __enter__(self) -> "Impostor":
        return self

    def __exit__(self, *_) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


STRANGE_ANSWERS = {
    "an error": b"-ERR what\r\n" * 4, "loading": b"-LOADING Redis is loading the dataset in memory\r\n" * 4,
    "a replica": b"-READONLY You can't write against a read only replica.\r\n" * 4, "no memory": b"-OOM not now\r\n" * 4,
    "a cluster": b"-MOVED 3999 127.0.0.1:6381\r\n" * 4, "no script, ever": b"-NOSCRIPT No matching script.\r\n" * 4,
    "needs a password": b"-NOAUTH Authentication required.\r\n" * 4, "only OK": b"+OK\r\n" * 4, "a number": b":7\r\n" * 4,
    "nothing": b"$-1\r\n" * 4, "an empty list": b"*0\r\n" * 4, "a list of nothing": b"*4\r\n$-1\r\n$-1\r\n*-1\r\n:1\r\n" * 4,
    "a list of words": b"*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n" * 4,
    "huge numbers": b"*4\r\n:9223372036854775807\r\n:-9223372036854775808\r\n:-1\r\n:9223372036854775807\r\n" * 4,
    "too long a list": b"*6\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n" * 4, "a huge text to come": b"$2147483647\r\nab",
    "a huge list to come": b"*2147483647\r\n", "deep": b"*1\r\n" * 100_000, "half an answer": b"*4\r\n:1\r\n:",
    "another protocol": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "zeros": bytes(1000),
}


@pytest.mark.parametrize("name", sorted(STRANGE_ANSWERS))
@pytest.mark.parametrize("closes", [False, True])
def test_whatever_a_false_redis_says_limits_hold_here(upstream, name, closes):
    with Impostor(STRANGE_ANSWERS[name], closes) as impostor, limited(upstream, impostor.url, timeout=QUICK) as daemon:
        fields = caller()
        assert ask_in_turn(daemon, TARGET, [fields] * 7) == [200] * 5 + [429] * 2
        eventually(lambda: impostor.asked, "it was asked at all")


@pytest.mark.parametrize("says", [b"x" * 65536, b"+" + b"x" * 65536, b"*1\r\n" * 10_000, b":1\r\n" * 10_000])
def test_an_endless_answer_is_not_kept(upstream, says):
    with Impostor(says, endless=True) as impostor, limited(upstream, impostor.url, timeout=QUICK) as daemon:
        before = daemon.peak_memory()
        for _ in range(3):
            fields = caller()
            assert ask_in_turn(daemon, TARGET, [fields] * 6) == [200] * 5 + [429]
        time.sleep(0.5)
        assert daemon.ask("GET", "/healthz").status == 200
        if not is_sanitized():
            assert daemon.peak_memory() - before < 32 << 20
