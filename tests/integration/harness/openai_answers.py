"""What an OpenAI answers: whole answers, the events that say the same, and back again by rules of its own.

Written from the API's reference, not from aifd: the tests of conversions compare aifd's work with it.
"""
import base64
import json
import struct
import zlib
from typing import Dict, Iterable, List, Optional

CHAT_FORMS = ("text", "tools", "choices", "logprobs", "reasoning", "refusal", "mixed", "function")
USAGE = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21,
         "completion_tokens_details": {"reasoning_tokens": 3}}
ARGUMENTS = '{"city": "K\\u00f6ln \\"Süd\\"", "days": [1, 2.50], "emoji": "\U0001f600"}'


def pieces_of(text: str, size: int = 4) -> List[str]:
    return [text[at:at + size] for at in range(0, len(text), size)]


def _logprobs(text: str) -> Dict:
    def token(piece, logprob):
        return {"token": piece, "logprob": logprob, "bytes": list(piece.encode())}
    return {"content": [{**token(piece, -0.25), "top_logprobs": [token(piece, -0.25), token("x", -1e-05)]}
                        for piece in pieces_of(text)], "refusal": None}


def _calls() -> List[Dict]:
    return [{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ARGUMENTS}},
            {"id": "call_2", "type": "function", "function": {"name": "time", "arguments": "{}"}}]


def _choices(form: str, text: str) -> List[Dict]:
    def choice(index, finish, logprobs=None, **message):
        return {"index": index, "message": {"role": "assistant", "content": None, "refusal": None, **message},
                "logprobs": logprobs, "finish_reason": finish}
    refusal = "I'm sorry, I cannot assist with that request."
    forms = {
        "tools": lambda: [choice(0, "tool_calls", tool_calls=_calls())],
        "choices": lambda: [choice(at, finish, content=f"{text} ({at})")
                            for at, finish in enumerate(("stop", "length", "stop"))],
        "logprobs": lambda: [choice(0, "stop", _logprobs(text), content=text)],
        "reasoning": lambda: [choice(0, "stop", reasoning_content="First I think about it.", content=text)],
        "refusal": lambda: [choice(0, "stop", refusal=refusal)],
        "mixed": lambda: [choice(0, "tool_calls", content=text, tool_calls=_calls()), choice(1, "stop", refusal=refusal)],
        "function": lambda: [choice(0, "function_call", function_call={"name": "weather", "arguments": ARGUMENTS})],
    }
    return forms.get(form, lambda: [choice(0, "stop", content=text)])()


def text_of(call: int, asked: str) -> str:
    return f"Answer {call} to {asked}: h\u00e9llo \u4f60\u597d \U0001f600 \"quoted\"\n\tand more."


def chat_answer(form: str, call: int, asked: str, model: str) -> Dict:
    return {"id": f"chatcmpl-{call}", "object": "chat.completion", "created": 1700000000 + call, "model": model,
            "system_fingerprint": "fp_1", "choices": _choices(form, text_of(call, asked)), "usage": USAGE}


def completion_answer(call: int, asked: str, model: str) -> Dict:
    return {"id": f"cmpl-{call}", "object": "text_completion", "created": 1700000000 + call, "model": model,
            "choices": [{"text": f"{text_of(call, asked)} ({at})", "index": at, "logprobs": None, "finish_reason": finish}
                        for at, finish in enumerate(("stop", "length"))], "usage": USAGE}


def _deltas(message: Dict, logprobs: Optional[Dict]) -> Iterable[Dict]:
    """The parts of a choice, each what a chunk has beside its index."""
    yield {"delta": {"role": "assistant", "content": "" if message["content"] is not None else None}}
    for name in ("reasoning_content", "refusal"):
        yield from ({"delta": {name: piece}} for piece in pieces_of(message.get(name) or ""))
    for at, piece in enumerate(pieces_of(message["content"] or "")):
        told = {"logprobs": {"content": [logprobs["content"][at]], "refusal": None}} if logprobs else {}
        yield {"delta": {"content": piece}, **told}
    for at, call in enumerate(message.get("tool_calls", [])):
        function = {"name": call["function"]["name"], "arguments": ""}
        yield {"delta": {"tool_calls": [{"index": at, "id": call["id"], "type": "function", "function": function}]}}
        for piece in pieces_of(call["function"]["arguments"], 7):
            yield {"delta": {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}}
    if "function_call" in message:
        yield {"delta": {"function_call": {"name": message["function_call"]["name"], "arguments": ""}}}
        for piece in pieces_of(message["function_call"]["arguments"]):
            yield {"delta": {"function_call": {"arguments": piece}}}


def _interleaved(lists: List[List]) -> Iterable:
    for at in range(max(map(len, lists))):
        yield from (items[at] for items in lists if at < len(items))


def chat_chunks(answer: Dict, include_usage: bool) -> List[Dict]:
    """Its chunks, the choices mixed; with usage as OpenAI does it: null in all chunks, then one of its own."""
    base = {**{name: answer[name] for name in ("id", "created", "model", "system_fingerprint")},
            "object": "chat.completion.chunk"}
    choices = [[{"index": choice["index"], "logprobs": None, "finish_reason": None, **part}
                for part in _deltas(choice["message"], choice["logprobs"])]
               + [{"index": choice["index"], "delta": {}, "logprobs": None, "finish_reason": choice["finish_reason"]}]
               for choice in answer["choices"]]
    return _with_usage([{**base, "choices": [choice]} for choice in _interleaved(choices)], base, answer, include_usage)


def completion_chunks(answer: Dict, include_usage: bool) -> List[Dict]:
    base = {name: answer[name] for name in ("id", "object", "created", "model")}
    choices = [[{"text": piece, "index": choice["index"], "logprobs": None, "finish_reason": None}
                for piece in pieces_of(choice["text"])]
               + [{"text": "", "index": choice["index"], "logprobs": None, "finish_reason": choice["finish_reason"]}]
               for choice in answer["choices"]]
    return _with_usage([{**base, "choices": [choice]} for choice in _interleaved(choices)], base, answer, include_usage)


def _with_usage(chunks: List[Dict], base: Dict, answer: Dict, include_usage: bool) -> List[Dict]:
    if not include_usage:
        return chunks
    return [{**chunk, "usage": None} for chunk in chunks] + [{**base, "choices": [], "usage": answer["usage"]}]


def response_answer(call: int, asked: str, model: str) -> Dict:
    text = text_of(call, asked)
    return {"id": f"resp_{call}", "object": "response", "created_at": 1700000000 + call, "status": "completed",
            "model": model, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None,
            "incomplete_details": None, "instructions": None, "metadata": {}, "temperature": 1.0, "top_p": 1.0,
            "output": [
                {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
                 "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]},
                {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "status": "completed",
                 "arguments": ARGUMENTS}],
            "usage": {"input_tokens": 3, "output_tokens": 7, "total_tokens": 10,
                      "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}}


def response_events(answer: Dict) -> List[Dict]:
    message, call = answer["output"]
    part = message["content"][0]
    begun = {**answer, "status": "in_progress", "output": [], "usage": None}
    at_text = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    at_call = {"item_id": "fc_1", "output_index": 1}
    events = [{"type": "response.created", "response": begun}, {"type": "response.in_progress", "response": begun},
              {"type": "response.output_item.added", "output_index": 0,
               "item": {**message, "status": "in_progress", "content": []}},
              {"type": "response.content_part.added", **at_text, "part": {**part, "text": ""}}]
    events += [{"type": "response.output_text.delta", **at_text, "delta": piece, "logprobs": []}
               for piece in pieces_of(part["text"])]
    events += [{"type": "response.output_text.done", **at_text, "text": part["text"], "logprobs": []},
               {"type": "response.content_part.done", **at_text, "part": part},
               {"type": "response.output_item.done", "output_index": 0, "item": message},
               {"type": "response.output_item.added", "output_index": 1,
                "item": {**call, "status": "in_progress", "arguments": ""}}]
    events += [{"type": "response.function_call_arguments.delta", **at_call, "delta": piece}
               for piece in pieces_of(call["arguments"])]
    events += [{"type": "response.function_call_arguments.done", **at_call, "name": call["name"],
                "arguments": call["arguments"]},
               {"type": "response.output_item.done", "output_index": 1, "item": call},
               {"type": "response.completed", "response": answer}]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def vector_of(given, dimensions: int = 5) -> List[float]:
    """An embedding of a string or a list of tokens: numbers that a float32 holds exactly, and others."""
    seed = zlib.crc32(json.dumps(given).encode())
    return [((seed >> (at % 24)) % 256 - 128) / (64 if at % 2 else 1000) for at in range(dimensions)]


def narrow(vector: List[float]) -> List[float]:
    """The same numbers as float32 holds them."""
    return list(struct.unpack(f"<{len(vector)}f", struct.pack(f"<{len(vector)}f", *vector)))


def base64_of(vector: List[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


# --- Reading what a client got ---

def events_of(body: bytes) -> List[str]:
    """The data of each event of a whole stream, by the rules of text/event-stream for what OpenAI sends."""
    text = body.decode().replace("\r\n", "\n")
    assert text.endswith("\n\n"), f"a stream ends with a whole event: {text[-80:]!r}"
    found = []
    for block in text[:-2].split("\n\n"):
        data = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        if data:
            found.append("\n".join(data))
    return found


def chunks_of(body: bytes) -> List[Dict]:
    """The chunks of a chat or completions stream that ended as it should."""
    events = events_of(body)
    assert events[-1] == "[DONE]" and "[DONE]" not in events[:-1], events[-2:]
    return [json.loads(data) for data in events[:-1]]


def whole_of(chunks: List[Dict]) -> Dict:
    """The answer that the chunks of a chat or completions stream tell."""
    answer: Dict = {"choices": {}, "usage": None}
    for chunk in chunks:
        answer.update({name: chunk[name] for name in ("id", "created", "model", "system_fingerprint") if name in chunk})
        answer["object"] = chunk["object"].removesuffix(".chunk")
        answer["usage"] = chunk.get("usage") or answer["usage"]
        for part in chunk["choices"]:
            _add_part(answer["choices"].setdefault(part["index"], {"index": part["index"], "message": {}}), part)
    answer["choices"] = [choice for _, choice in sorted(answer["choices"].items())]
    return answer


def _add_part(choice: Dict, part: Dict) -> None:
    assert not choice.get("finish_reason"), "nothing comes after a choice's finish_reason"
    choice["finish_reason"] = part["finish_reason"]
    if "text" in part:
        choice["text"] = choice.get("text", "") + part["text"]
    for name, found in (part.get("logprobs") or {}).items():
        held = choice.setdefault("logprobs", {}).setdefault(name, [])
        held += found or []
    message, delta = choice["message"], part.get("delta", {})
    for name, value in delta.items():
        if name == "tool_calls":
            for call in value:
                _add_call(message.setdefault("tool_calls", {}).setdefault(call["index"], {}), call)
        elif isinstance(value, dict):
            _add_call(message.setdefault(name, {}), {"function": value})
        elif name == "role":
            message["role"] = value
        elif value is not None:
            message[name] = (message.get(name) or "") + value


def _add_call(held: Dict, call: Dict) -> None:
    held.update({name: call[name] for name in ("id", "type") if name in call})
    function = held.setdefault("function", {})
    function["name"] = function.get("name", "") + call["function"].get("name", "")
    function["arguments"] = function.get("arguments", "") + call["function"].get("arguments", "")


def said(answer: Dict) -> Dict:
    """What an answer says, without the ways to say nothing: null, empty lists, an empty message."""
    def bare(value):
        if isinstance(value, dict):
            kept = {name: bare(item) for name, item in value.items() if name != "obfuscation"}
            return {name: item for name, item in kept.items() if item not in (None, [], {})}
        return [bare(item) for item in value] if isinstance(value, list) else value
    answer = bare(answer)
    for choice in answer.get("choices", []):
        message = choice.get("message", {})
        if isinstance(message.get("tool_calls"), dict):
            message["tool_calls"] = [call for _, call in sorted(message["tool_calls"].items())]
        for call in message.get("tool_calls", []):
            call.pop("index", None)
        if "function_call" in message:
            message["function_call"] = message["function_call"].get("function", message["function_call"])
    return answer
