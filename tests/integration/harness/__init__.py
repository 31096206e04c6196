"""The black-box test harness: a scripted upstream, a raw client, and the real daemon between them."""
from .cache import CACHED, Swarm, caching, chat_of, fresh, post, raw_post, read_whole, settle, state, states
from .cache_upstream import CHAT, COMPLETIONS, EMBEDDINGS, JSON, RESPONSES, CacheUpstream
from .chat_log import ChatLog, access_lines, logged, says, told
from .client import PATIENCE, RawClient, eventually
from .daemon import Daemon, binary, clean_environment, is_sanitized, routes, run
from .http1 import Cut, Malformed
from .limits import STRATEGIES, admitted, allowance, ask_in_turn, bearer, crowd, duration, wait_told
from .listeners import RefusingPort, SilentPort, refused_connects
from .model_answers import MESSAGES, TRANSCRIPTIONS, TRANSLATIONS
from .model_upstream import ModelUpstream
from .redis import Redis
from .tls import Authority
from .upstream import (LAST_CHUNK, SSE_HEAD, Connection, Upstream, answer, chunk, cut, cut_without_close_notify,
                       echo_raw, event, expect_connect, expect_head, expect_request, hold, mark, ok,
                       one_byte_at_a_time, read_body, reset, send, send_all, start_tls, wait)

__all__ = [
    "CACHED", "CHAT", "COMPLETIONS", "EMBEDDINGS", "JSON", "LAST_CHUNK", "MESSAGES", "PATIENCE", "RESPONSES",
    "SSE_HEAD", "STRATEGIES", "TRANSCRIPTIONS", "TRANSLATIONS", "Authority", "CacheUpstream", "ChatLog", "Connection",
    "Cut", "Daemon", "Malformed", "ModelUpstream", "RawClient", "Redis", "RefusingPort", "SilentPort", "Swarm",
    "Upstream", "access_lines", "admitted", "allowance", "answer", "ask_in_turn", "bearer", "binary", "caching",
    "chat_of", "chunk", "clean_environment", "crowd", "cut", "cut_without_close_notify", "duration", "echo_raw",
    "event", "eventually", "expect_connect", "expect_head", "expect_request", "fresh", "hold", "is_sanitized",
    "logged", "mark", "ok", "one_byte_at_a_time", "post", "raw_post", "read_body", "read_whole", "refused_connects",
    "reset", "routes", "run", "says", "send", "send_all", "settle", "start_tls", "state", "states", "told", "wait",
    "wait_told",
]
