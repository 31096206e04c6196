"""What Anthropic's messages and OpenAI's transcriptions answer: whole, and as the events that say the same.

Written from the references of these APIs, not from aifd.
"""
import json
from typing import Dict, List, Tuple

from .openai_answers import pieces_of, text_of

THOUGHT = "First I think about it: 你好."
INPUT = '{"city": "K\\u00f6ln \\"Süd\\"", "days": [1, 2.50]}'
MESSAGES, TRANSCRIPTIONS, TRANSLATIONS = "/v1/messages", "/v1/audio/transcriptions", "/v1/audio/translations"


def message_answer(call: int, asked: str, model: str) -> Dict:
    return {"id": f"msg_{call}", "type": "message", "role": "assistant", "model": model + "-20250101",
            "content": [{"type": "thinking", "thinking": THOUGHT, "signature": "c2lnbmVk"},
                        {"type": "text", "text": text_of(call, asked)},
                        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": json.loads(INPUT)}],
            "stop_reason": "tool_use", "stop_sequence": None,
            "usage": {"input_tokens": 25, "cache_read_input_tokens": 3, "output_tokens": 15}}


def message_events(answer: Dict) -> List[Dict]:
    thinking, text, tool = answer["content"]
    start = {**answer, "content": [], "stop_reason": None, "usage": {**answer["usage"], "output_tokens": 1}}
    events = [{"type": "message_start", "message": start}]

    def block(index: int, begin: Dict, deltas: List[Dict]) -> None:
        events.append({"type": "content_block_start", "index": index, "content_block": begin})
        events.extend({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        events.append({"type": "content_block_stop", "index": index})
    block(0, {"type": "thinking", "thinking": "", "signature": ""},
          [{"type": "thinking_delta", "thinking": piece} for piece in pieces_of(thinking["thinking"])]
          + [{"type": "signature_delta", "signature": thinking["signature"]}])
    events.append({"type": "ping"})
    block(1, {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in pieces_of(text["text"])])
    block(2, {**tool, "input": {}},
          [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces_of(INPUT, 5)]])
    events.append({"type": "message_delta", "delta": {"stop_reason": answer["stop_reason"], "stop_sequence": None},
                   "usage": {"output_tokens": answer["usage"]["output_tokens"]}})
    return events + [{"type": "message_stop"}]


def transcript_of(call: int) -> str:
    return f"Transcript {call}: héllo 你好 \U0001f600, und \"mehr\"."


def transcription(call: int, form: str) -> Tuple[str, bytes]:
    """Content-Type and body in one of the forms that can be asked for."""
    text = transcript_of(call)
    if form == "verbose_json":
        whole = {"task": "transcribe", "language": "de", "duration": 2.5, "text": text,
                 "segments": [{"id": 0, "start": 0.0, "end": 2.5, "text": text}],
                 "usage": {"type": "duration", "seconds": 3}}
        return "application/json", json.dumps(whole).encode()
    if form == "srt":
        return "text/plain; charset=utf-8", f"1\n00:00:00,000 --> 00:00:02,500\n{text}\n\n".encode()
    if form == "text":
        return "text/plain; charset=utf-8", f"{text}\n".encode()
    usage = {"type": "tokens", "input_tokens": 14, "output_tokens": 9, "total_tokens": 23}
    return "application/json", json.dumps({"text": text, "usage": usage}).encode()


def transcription_events(call: int) -> List[Dict]:
    text = transcript_of(call)
    usage = {"type": "tokens", "input_tokens": 14, "output_tokens": 9, "total_tokens": 23}
    return ([{"type": "transcript.text.delta", "delta": piece} for piece in pieces_of(text)]
            + [{"type": "transcript.text.done", "text": text, "usage": usage}])


def form_of(fields: Dict[str, str], file_name: str, content: bytes, boundary: str = "x-boundary-x") -> Tuple[str, bytes]:
    """A multipart form with one file: its Content-Type and body."""
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in fields.items()]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
                 f"Content-Type: audio/wav\r\n\r\n".encode() + content + b"\r\n")
    return f"multipart/form-data; boundary={boundary}", b"".join(parts) + f"--{boundary}--\r\n".encode()
