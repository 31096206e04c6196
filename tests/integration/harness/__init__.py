"""The black-box test harness: a scripted upstream, a raw client, and the real daemon between them."""
from .client import PATIENCE, RawClient, eventually
from .daemon import Daemon, binary, clean_environment, is_sanitized, routes, run
from .http1 import Cut, Malformed
from .limits import STRATEGIES, admitted, allowance, ask_in_turn, bearer, crowd, duration, wait_told
from .listeners import RefusingPort, SilentPort, refused_connects
from .redis import Redis
from .tls import Authority
from .upstream import (LAST_CHUNK, SSE_HEAD, Connection, Upstream, answer, chunk, cut, cut_without_close_notify,
                       echo_raw, event, expect_connect, expect_head, expect_request, hold, mark, ok,
                       one_byte_at_a_time, read_body, reset, send, send_all, start_tls, wait)

__all__ = [
    "LAST_CHUNK", "PATIENCE", "SSE_HEAD", "STRATEGIES", "Authority", "Connection", "Cut", "Daemon", "Malformed",
    "RawClient", "Redis", "RefusingPort", "SilentPort", "Upstream", "admitted", "allowance", "answer", "ask_in_turn",
    "bearer", "binary", "chunk", "clean_environment", "crowd", "cut", "cut_without_close_notify", "duration",
    "echo_raw", "event", "eventually", "expect_connect", "expect_head", "expect_request", "hold", "is_sanitized",
    "mark", "ok", "one_byte_at_a_time", "read_body", "refused_connects", "reset", "routes", "run", "send", "send_all",
    "start_tls", "wait", "wait_told",
]
