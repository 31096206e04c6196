"""CacheUpstream's small OpenAI, which also knows Anthropic's messages and transcribes what is spoken."""
import json
import re

from .cache_upstream import JSON, CacheUpstream
from .model_answers import (MESSAGES, TRANSCRIPTIONS, TRANSLATIONS, message_answer, message_events, transcription,
                            transcription_events)
from .upstream import Connection


class ModelUpstream(CacheUpstream):
    takes_caching = True

    def _answer(self, connection: Connection) -> None:
        request = connection.request
        path = "/v1" + request.target.partition("?")[0].rpartition("/v1")[2]
        if request.method != "POST" or path not in (MESSAGES, TRANSCRIPTIONS, TRANSLATIONS):
            return super()._answer(connection)
        with self.lock:
            number = self.requests.index(request) + 1
        if path == MESSAGES:
            return self._message(connection, number)
        self._transcribe(connection, number)

    def _message(self, connection: Connection, number: int) -> None:
        asked = json.loads(connection.request.body)
        if asked["model"].startswith("error"):
            error = {"type": "error", "error": {"type": "overloaded_error", "message": "the upstream is overloaded"}}
            return self._send(connection, "529 Overloaded", JSON, json.dumps(error).encode())
        whole = message_answer(number, str(asked["messages"][-1]["content"]), asked["model"])
        if not asked.get("stream"):
            return self.send_json(connection, whole)
        self.send_stream(connection, [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
                                      for event in message_events(whole)])

    def _transcribe(self, connection: Connection, number: int) -> None:
        fields = dict(re.findall(rb'name="(\w+)"\r\n\r\n(.*?)\r\n', connection.request.body))
        if fields.get(b"stream") == b"true":
            return self.send_stream(connection, [f"data: {json.dumps(event)}\n\n" for event in transcription_events(number)])
        content_type, body = transcription(number, fields.get(b"response_format", b"json").decode())
        self._send(connection, "200 OK", [("Content-Type", content_type)], body)
