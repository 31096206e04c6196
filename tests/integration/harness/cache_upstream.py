"""A small OpenAI, each of whose answers is another, so that equal answers are one call's answer.

A chat's form is asked for by its model ("tools", "choices", "error-429", "break", ...: see CHAT_FORMS and ERRORS).
pause() stops every call at one place until the test lets it go on: no test has to guess how long something takes.
"""
import json
import threading
from typing import Dict, Iterable, List, Tuple

from .http1 import Cut, Request
from .openai_answers import (CHAT_FORMS, base64_of, chat_answer, chat_chunks, completion_answer, completion_chunks,
                             response_answer, response_events, vector_of)
from .upstream import LAST_CHUNK, Connection, Upstream, answer, chunk, expect_request

CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"
ERRORS = {"error-400": "400 Bad Request", "error-401": "401 Unauthorized", "error-404": "404 Not Found",
          "error-429": "429 Too Many Requests", "error-500": "500 Internal Server Error",
          "error-503": "503 Service Unavailable"}
JSON = [("Content-Type", "application/json")]


class Pause:
    """Where calls wait for the test: `after` pieces of their answer, 0 being before its head."""

    def __init__(self, after: int):
        self.after = after
        self.reached = threading.Semaphore(0)
        self.go_on = threading.Event()

    def wait_for(self, calls: int = 1, seconds: float = 30) -> None:
        for _ in range(calls):
            assert self.reached.acquire(timeout=seconds), f"no {calls} calls came to the pause"


class CacheUpstream(Upstream):
    takes_caching = False  # whether the field may come to it: without a cache it is not aifd's

    def __init__(self, **more):
        super().__init__(**more)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.otherwise = [expect_request(), self._answer]
        self.fields: List[Tuple[str, str]] = []  # of every answer, besides its own
        self.status = "200 OK"  # of every answer on general paths
        self.chunked = False  # whether plain answers are
        self.pauses: List[Pause] = []
        self.filling = ""  # more text for every chat, to make it large
        self.only_key = ""  # if set, the one that is not answered with 401

    def reset(self) -> None:
        super().reset()
        self._begin_anew()

    def pause(self, after: int = 0) -> Pause:
        pause = Pause(after)
        self.pauses.append(pause)
        return pause

    def calls(self, path: str = "") -> List[Request]:
        """The requests so far, to all paths or to one."""
        with self.lock:
            return [request for request in self.requests if not path or request.target.partition("?")[0] == path]

    def _answer(self, connection: Connection) -> None:
        request = connection.request
        with self.lock:
            number = self.requests.index(request) + 1
        handlers = {CHAT: self._chat, COMPLETIONS: self._completion, RESPONSES: self._response,
                    EMBEDDINGS: self._embeddings}
        handler = handlers.get("/v1" + request.target.partition("?")[0].rpartition("/v1")[2])
        if self.only_key and request.get("authorization") != f"Bearer {self.only_key}":
            return self._error(connection, "401 Unauthorized")
        if handler is None or request.method != "POST":
            return self._general(connection, number)
        asked = json.loads(request.body)
        assert self.takes_caching or "caching" not in asked, "the field caching came to the upstream"
        if asked["model"] in ERRORS:
            return self._error(connection, ERRORS[asked["model"]])
        handler(connection, number, asked)

    def _chat(self, connection: Connection, number: int, asked: Dict) -> None:
        form = asked["model"] if asked["model"] in CHAT_FORMS else "text"
        text = self.filling + str(asked["messages"][-1]["content"])
        whole = chat_answer(form, number, text, asked["model"])
        self._plain_or_stream(connection, asked, whole, chat_chunks)

    def _completion(self, connection: Connection, number: int, asked: Dict) -> None:
        self._plain_or_stream(connection, asked, completion_answer(number, asked["prompt"], asked["model"]), completion_chunks)

    def _plain_or_stream(self, connection: Connection, asked: Dict, whole: Dict, chunks_of_it) -> None:
        if not asked.get("stream"):
            return self.send_json(connection, whole, breaks=asked["model"] == "break")
        include_usage = (asked.get("stream_options") or {}).get("include_usage", False)
        events = [f"data: {json.dumps(part)}\n\n" for part in chunks_of_it(whole, include_usage)] + ["data: [DONE]\n\n"]
        self.send_stream(connection, events, breaks=asked["model"] == "break")

    def _response(self, connection: Connection, number: int, asked: Dict) -> None:
        whole = response_answer(number, str(asked["input"]), asked["model"])
        if not asked.get("stream"):
            return self.send_json(connection, whole, breaks=asked["model"] == "break")
        self.send_stream(connection, [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
                                      for event in response_events(whole)], breaks=asked["model"] == "break")

    def _embeddings(self, connection: Connection, number: int, asked: Dict) -> None:
        given = asked["input"]
        single = isinstance(given, str) or (given and isinstance(given[0], int))
        inputs = [given] if single else given
        vectors = [vector_of(one, int(asked.get("dimensions", 5))) for one in inputs]
        tokens = sum(len(one) for one in inputs)
        coded = base64_of if asked.get("encoding_format") == "base64" else list
        self.send_json(connection, {
            "object": "list", "model": asked["model"] + "-v1", "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            "data": [{"object": "embedding", "index": at, "embedding": coded(vector)} for at, vector in enumerate(vectors)],
        })

    def _general(self, connection: Connection, number: int) -> None:
        request = connection.request
        body = f"general {number} {request.method} {request.target} ".encode() + request.body
        self._send(connection, self.status, [("Content-Type", "text/plain")], body)

    def _error(self, connection: Connection, status: str) -> None:
        error = {"message": f"the upstream says {status}", "type": "requests", "param": None, "code": "of_the_upstream"}
        self._send(connection, status, JSON, json.dumps({"error": error}).encode())

    def send_json(self, connection: Connection, value: Dict, breaks: bool = False) -> None:
        """Not as anybody would write it again, so that a copy can be told from a new writing."""
        body = (json.dumps(value, indent=1, separators=(",", " :  ")) + "\n\n").encode()
        self._send(connection, "200 OK", JSON, body, breaks)

    def _send(self, connection: Connection, status: str, fields, body: bytes, breaks: bool = False) -> None:
        half = len(body) // 2
        if self.chunked:
            head = answer(status, [*fields, *self.fields, ("Transfer-Encoding", "chunked")], None)
            pieces = [chunk(body[:half]) if half else b"", chunk(body[half:]) + LAST_CHUNK]
        else:
            head = answer(status, [*fields, *self.fields, ("Content-Length", str(len(body)))], None)
            pieces = [body[:half], body[half:]]
        if connection.request.method == "HEAD":
            pieces = []
        self._send_pieces(connection, head, pieces[:1] if breaks else pieces, breaks)

    def send_stream(self, connection: Connection, events: Iterable[str], breaks: bool = False) -> None:
        """Piece by piece, or half of it and then no more."""
        pieces = [chunk(event.encode()) for event in events]
        head = answer(fields=[("Content-Type", "text/event-stream; charset=utf-8"), ("Cache-Control", "no-cache"),
                              *self.fields, ("Transfer-Encoding", "chunked")], body=None)
        pieces = pieces[:len(pieces) // 2] if breaks else [*pieces[:-1], pieces[-1] + LAST_CHUNK]
        self._send_pieces(connection, head, pieces, breaks)

    def _send_pieces(self, connection: Connection, head: bytes, pieces: List[bytes], breaks: bool) -> None:
        self._wait_at(connection, 0)
        connection.sock.sendall(head)
        for number, piece in enumerate(pieces, 1):
            connection.sock.sendall(piece)
            connection.sent += len(piece)
            self._wait_at(connection, number)
        if breaks:
            connection.abandon()

    def _wait_at(self, connection: Connection, place: int) -> None:
        for pause in [pause for pause in self.pauses if pause.after == place]:
            pause.reached.release()
            while not pause.go_on.is_set():
                if connection.stopping.is_set() or connection.watch(0.02):
                    raise Cut("the call ended while it was paused")
