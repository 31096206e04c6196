"""A great number of streams, some of which are cut: an upstream that knows what it said, and clients that know what
they got. Each stream's plan comes from a seed and its number, so that all sides know it."""
import asyncio
import json
import random
import socket
import struct
import threading
from typing import Dict, List, NamedTuple, Optional

from .cache_upstream import CHAT

ENDS = ("complete", "cut", "reset")
WAYS = ("read all", "leave", "reset", "at once", "upload", "never read")


class Plan(NamedTuple):
    number: int
    words: List[str]
    reports: bool  # its usage
    end: str  # of the upstream: one of ENDS
    cut_after: int  # events
    client: str  # one of WAYS
    leave_after: int  # bytes of the answer
    pauses: List[int]  # after these events

    @property
    def text(self) -> str:
        return "".join(self.words)

    @property
    def usage(self) -> Dict:
        return {"prompt_tokens": self.number, "completion_tokens": len(self.words),
                "total_tokens": self.number + len(self.words)}


def plan_of(seed: int, number: int) -> Plan:
    choose = random.Random(seed * 1_000_003 + number)
    count = choose.randrange(1, 30)
    client = choose.choices(WAYS, (40, 30, 12, 10, 5, 0.5))[0]
    if client == "never read":
        count = 60
    words = [f"{number}:{at} " + choose.choice(("", "é", "你好", "\U0001f600", "x" * 50))
             + ("z" * 20_000 if client == "never read" else "") for at in range(count)]
    size = sum(len(word.encode()) + 120 for word in words)
    return Plan(number, words, choose.random() < 0.8, choose.choices(ENDS, (75, 15, 10))[0], choose.randrange(count),
                client, choose.randrange(1, size), [choose.randrange(count) for _ in range(3)])


def _event(value) -> bytes:
    data = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    event = f"data: {data}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(event), event)


class TruthUpstream:
    """Answers on a loop and thread of its own. `said` is the text that was sent for each number."""

    def __init__(self, seed: int):
        self.seed = seed
        self.asked: Dict[int, int] = {}  # how often
        self.said: Dict[int, str] = {}
        self.faults: List[str] = []
        self.loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "TruthUpstream":
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, kind, *_) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(30)
        assert kind or not self.faults, self.faults

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512))
        port = server.sockets[0].getsockname()[1]
        self.authority, self.url = f"127.0.0.1:{port}", f"http://127.0.0.1:{port}"
        self._ready.set()
        self.loop.run_forever()

    async def _serve(self, reader, writer) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except Exception as fault:
            self.faults.append(f"{type(fault).__name__}: {fault}")
        finally:
            writer.transport.abort()

    async def _one(self, reader, writer) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        plan = plan_of(self.seed, json.loads(await reader.readexactly(length))["number"])
        self.asked[plan.number] = self.asked.get(plan.number, 0) + 1
        self.said[plan.number] = ""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at, word in enumerate(plan.words):
            if writer.transport.is_closing():
                return False
            if plan.end != "complete" and at == plan.cut_after:
                return self._cut(writer, plan.end)
            self.said[plan.number] += word
            writer.write(_event({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": word},
                                                                       "finish_reason": None}]}))
            if at in plan.pauses:
                await writer.drain()
                await asyncio.sleep(0.001 * (at % 4))
        writer.write(_event({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
        if plan.reports:
            writer.write(_event({"id": "c", "model": "m", "choices": [], "usage": plan.usage}))
        writer.write(_event("[DONE]") + b"0\r\n\r\n")
        await writer.drain()
        return True

    @staticmethod
    def _cut(writer, end: str) -> bool:
        if end == "cut":
            writer.close()
        else:
            linger(writer)
            writer.transport.abort()
        return False


def linger(writer) -> None:
    """Has its end be a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Callers:
    """The clients of all numbers, some at a time. `got` is what each read of its answer's bytes."""

    def __init__(self, address, seed: int, count: int, at_once: int = 100):
        self.address, self.seed, self.count = address, seed, count
        self.got: Dict[int, bytes] = {}
        self.whole: Dict[int, bool] = {}  # whether the answer ended as it should
        self.silent: List = []  # connections that are not read until the end
        self.gate: Optional[asyncio.Semaphore] = None
        self.at_once = at_once

    def run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        self.gate = asyncio.Semaphore(self.at_once)
        await asyncio.gather(*(self._one(plan_of(self.seed, number)) for number in range(self.count)))
        for writer in self.silent:
            writer.transport.abort()

    async def _one(self, plan: Plan) -> None:
        async with self.gate:
            limit = 4096 if plan.client == "never read" else 65536
            reader, writer = await asyncio.open_connection(*self.address, limit=limit)
            try:
                await self._ask(plan, reader, writer)
            except ConnectionError:
                pass
            if plan.client == "never read":
                self.silent.append(writer)
                return
            if plan.client in ("reset", "upload"):
                linger(writer)
            writer.transport.abort()

    async def _ask(self, plan: Plan, reader, writer) -> None:
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": f"number {plan.number}"}], "stream": True,
                           "number": plan.number}).encode()
        head = (f"POST {CHAT}?n={plan.number} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        writer.write(head + (body[:len(body) // 2] if plan.client == "upload" else body))
        await writer.drain()
        if plan.client in ("upload", "at once", "never read"):
            return await asyncio.sleep(0.001 * (plan.number % 5))
        got = b""
        while plan.client == "read all" or len(got) < plan.leave_after:
            piece = await reader.read(4096 if plan.client == "read all" else min(4096, plan.leave_after - len(got)))
            got += piece
            if not piece or got.endswith(b"\r\n0\r\n\r\n"):
                break
        self.got[plan.number] = got
        self.whole[plan.number] = got.endswith(b"\r\n0\r\n\r\n")
