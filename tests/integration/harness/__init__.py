"""The black-box test harness: a scripted upstream, a raw client, and the real daemon between them."""
from .client import PATIENCE, RawClient, eventually
from .daemon import Daemon, binary, clean_environment, is_sanitized, routes, run
from .http1 import Cut, Malformed
from .listeners import RefusingPort, SilentPort, refused_connects
from .tls import Authority
from .upstream import (LAST_CHUNK, SSE_HEAD, Connection, Upstream, answer, chunk, cut, cut_without_close_notify,
                       echo_raw, event, expect_connect, expect_head, expect_request, hold, mark, ok,
                       one_byte_at_a_time, read_body, reset, send, send_all, start_tls, wait)

__all__ = [
    "LAST_CHUNK", "PATIENCE", "SSE_HEAD", "Authority", "Connection", "Cut", "Daemon", "Malformed", "RawClient",
    "RefusingPort", "SilentPort", "Upstream", "answer", "binary", "chunk", "clean_environment", "cut",
    "cut_without_close_notify", "echo_raw", "event", "eventually", "expect_connect", "expect_head", "expect_request",
    "hold", "is_sanitized", "mark", "ok", "one_byte_at_a_time", "read_body", "refused_connects", "reset", "routes",
    "run", "send", "send_all", "start_tls", "wait",
]
