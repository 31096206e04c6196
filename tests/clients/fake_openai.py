"""A small OpenAI: enough of the API for its SDKs to be satisfied, on the scripted upstream."""
import base64
import json
import struct
import threading
from typing import Callable, Dict, Tuple

from harness import LAST_CHUNK, SSE_HEAD, Connection, Upstream, answer, chunk, expect_request

TEXT = "Hello! How can I assist you today? \u4f60\u597d \U0001f600"
SPEECH = bytes(range(256)) * 1000
FILE = b"\x00\x01\x02binary\r\n\r\n\xff" * 5000
IDENTITY = [("x-request-id", "req_from_upstream"), ("openai-processing-ms", "5"), ("openai-version", "2020-10-01"),
            ("x-ratelimit-remaining-requests", "59")]
USAGE = {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10}


def completion(message: Dict, finish: str = "stop") -> Dict:
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "gpt-4o-mini",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}], "usage": USAGE}


def piece(delta: Dict, finish=None) -> str:
    return json.dumps({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "gpt-4o-mini",
                       "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]})


CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Berlin"}'}}
ERRORS = {  # model name -> (status line, type, code)
    "error-400": ("400 Bad Request", "invalid_request_error", "bad"),
    "error-401": ("401 Unauthorized", "invalid_request_error", "invalid_api_key"),
    "error-403": ("403 Forbidden", "invalid_request_error", "permission_denied"),
    "error-404": ("404 Not Found", "invalid_request_error", "model_not_found"),
    "error-409": ("409 Conflict", "invalid_request_error", None),
    "error-422": ("422 Unprocessable Entity", "invalid_request_error", None),
    "error-429": ("429 Too Many Requests", "requests", "rate_limit_exceeded"),
    "error-500": ("500 Internal Server Error", "server_error", None),
    "error-503": ("503 Service Unavailable", "server_error", None),
}


class FakeOpenAI(Upstream):
    def __init__(self, **more):
        super().__init__(**more)
        self.otherwise = [expect_request(), self._answer]
        self.left = threading.Event()  # a client broke a stream off
        self.handlers: Dict[Tuple[str, str], Callable[[Connection], None]] = {
            ("POST", "/v1/chat/completions"): self._chat, ("POST", "/v1/embeddings"): self._embeddings,
            ("POST", "/v1/audio/transcriptions"): self._transcription, ("POST", "/v1/audio/speech"): self._speech,
            ("GET", "/v1/models"): self._models, ("POST", "/v1/files"): self._file,
            ("GET", "/v1/files/file-1/content"): self._file_content, ("POST", "/v1/responses"): self._responses,
        }

    def _answer(self, connection: Connection) -> None:
        request = connection.request
        handler = self.handlers.get((request.method, request.target.partition("?")[0]))
        if handler:
            handler(connection)
        else:
            self._error(connection, "404 Not Found", "invalid_request_error", "unknown_url")

    def _json(self, connection: Connection, value, status: str = "200 OK", fields=()) -> None:
        body = json.dumps(value).encode()
        connection.sock.sendall(answer(status, [("Content-Type", "application/json"), *IDENTITY, *fields], body))

    def _error(self, connection: Connection, status: str, kind: str, code) -> None:
        fields = [("retry-after", "1"), ("x-should-retry", "false")] if status.startswith("429") else []
        self._json(connection, {"error": {"message": f"the upstream says {status}", "type": kind, "param": None,
                                          "code": code}}, status, fields)

    def _stream(self, connection: Connection, events, done: bool = True) -> None:
        connection.sock.sendall(SSE_HEAD[:-2] + "".join(f"{name}: {value}\r\n" for name, value in IDENTITY).encode() + b"\r\n")
        for event in events:
            connection.sock.sendall(chunk(event.encode()))
        connection.sock.sendall((chunk(b"data: [DONE]\n\n") if done else b"") + LAST_CHUNK)

    def _chat(self, connection: Connection) -> None:
        asked = json.loads(connection.request.body)
        if asked["model"] in ERRORS:
            return self._error(connection, *ERRORS[asked["model"]])
        if asked["model"] == "endless":
            return self._endless(connection)
        if asked["model"] == "cut":
            connection.sock.sendall(SSE_HEAD + chunk(f"data: {piece({'content': 'half'})}\n\n".encode()))
            return connection.abandon()
        if asked["model"] == "silent":
            connection.watch()
            return self.left.set()
        tools = asked.get("tools")
        if not asked.get("stream"):
            message = {"role": "assistant", "content": None if tools else TEXT, "refusal": None}
            return self._json(connection, completion({**message, "tool_calls": [CALL]} if tools else message,
                                                     "tool_calls" if tools else "stop"))
        if tools:
            deltas = [{"role": "assistant", "tool_calls": [{"index": 0, **CALL, "function": {"name": "weather", "arguments": ""}}]}]
            deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": part}}]} for part in ('{"city"', ': "Ber', 'lin"}')]
        else:
            deltas = [{"role": "assistant", "content": ""}, *({"content": letter} for letter in TEXT)]
        pieces = [*(piece(delta) for delta in deltas), piece({}, "tool_calls" if tools else "stop")]
        self._stream(connection, [f"data: {text}\n\n" for text in pieces])

    def _endless(self, connection: Connection) -> None:
        connection.sock.sendall(SSE_HEAD)
        try:
            while not connection.stopping.wait(0.005):
                connection.sock.sendall(chunk(f"data: {piece({'content': 'more '})}\n\n".encode()))
        except OSError:
            connection.peer_closed()
            self.left.set()
        connection.ended = True

    def _embeddings(self, connection: Connection) -> None:
        asked = json.loads(connection.request.body)
        inputs = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        vector = [0.5, -0.25, 1.0]
        coded = base64.b64encode(struct.pack("<3f", *vector)).decode() if asked.get("encoding_format") == "base64" else vector
        self._json(connection, {"object": "list", "model": asked["model"], "usage": {"prompt_tokens": 1, "total_tokens": 1},
                                "data": [{"object": "embedding", "index": at, "embedding": coded} for at in range(len(inputs))]})

    def _transcription(self, connection: Connection) -> None:
        request = connection.request
        assert request.get("content-type").startswith("multipart/form-data; boundary=")
        self._json(connection, {"text": f"{request.body.count(SPEECH)} files of {len(SPEECH)} bytes"})

    def _speech(self, connection: Connection) -> None:
        connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(SPEECH), 10000):
            connection.sock.sendall(chunk(SPEECH[at:at + 10000]))
        connection.sock.sendall(LAST_CHUNK)

    def _models(self, connection: Connection) -> None:
        self._json(connection, {"object": "list", "data": [
            {"id": "gpt-4o-mini", "object": "model", "created": 1, "owned_by": "openai"}]})

    def _file(self, connection: Connection) -> None:
        whole = FILE in connection.request.body
        self._json(connection, {"id": "file-1", "object": "file", "bytes": len(FILE) if whole else -1, "created_at": 1,
                                "filename": "a.bin", "purpose": "assistants", "status": "processed"})

    def _file_content(self, connection: Connection) -> None:
        connection.sock.sendall(answer(fields=[("Content-Type", "application/octet-stream"), *IDENTITY], body=FILE))

    def _responses(self, connection: Connection) -> None:
        asked = json.loads(connection.request.body)
        message = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
                   "content": [{"type": "output_text", "text": TEXT, "annotations": []}]}
        whole = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": asked["model"],
                 "output": [message], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None,
                 "incomplete_details": None, "instructions": None, "metadata": {}, "temperature": 1, "top_p": 1,
                 "usage": {"input_tokens": 3, "output_tokens": 7, "total_tokens": 10,
                           "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}}
        if not asked.get("stream"):
            return self._json(connection, whole)
        events = [{"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}}]
        events += [{"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0,
                    "delta": letter, "logprobs": []} for letter in TEXT]
        events += [{"type": "response.completed", "response": whole}]
        self._stream(connection, [f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': at})}\n\n"
                                  for at, event in enumerate(events)], done=False)
