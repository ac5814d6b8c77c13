"""Requests sent at a given rate, whether the answers keep up or not, and how long each answer took.

A request is due at its time, and its latency counts from then: where a server stalls, those that wait for it
are counted as waiting. Answers are looked at just enough to know that a break was filled.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Measured", "measure"]

CONNECTIONS = 64
TICK = 0.0005  # seconds
LATEST = 10.0  # seconds after the last request that answers are waited for
HEAD_ENDS = b"\r\n\r\n"
LENGTH = b"content-length: "
FILLED = b'"seatbid":[{"bid":[{'


@dataclass(frozen=True)
class Measured:
    """Latencies in milliseconds. `unfilled`: answers without a bid, errors, and those that never came."""

    rate: float
    requests: int
    unfilled: int
    p50: float
    p95: float
    p99: float
    most: float
    seconds: float


def measure(host: str, port: int, bodies: Sequence[bytes], rate: float, seconds: float) -> Measured:
    """`rate` requests a second over `seconds`, from this process."""
    return asyncio.run(_Load(host, port, bodies, rate, seconds).run())


class _Load:
    def __init__(self, host: str, port: int, bodies: Sequence[bytes], rate: float, seconds: float) -> None:
        self._address = host, port
        head = f"POST /openrtb2 HTTP/1.1\r\nHost: {host}\r\nContent-Length: "
        self._requests = [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]
        self._rate, self._seconds = rate, seconds
        self._free: deque[_Connection] = deque()
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._took: list[float] = []
        self._filled = 0

    async def run(self) -> Measured:
        loop = asyncio.get_running_loop()
        connections = [
            (await loop.create_connection(lambda: _Connection(self), *self._address))[1]
            for _ in range(CONNECTIONS)
        ]
        self._free.extend(connections)
        count = round(self._rate * self._seconds)
        began = time.perf_counter()
        sent = 0
        while sent < count:
            now = time.perf_counter()
            while sent < count and began + sent / self._rate <= now:
                self._waiting.append((began + sent / self._rate, self._requests[sent % len(self._requests)]))
                sent += 1
            self.send_waiting()
            await asyncio.sleep(TICK)
        ends = time.perf_counter() + LATEST
        while len(self._took) < count and time.perf_counter() < ends:
            await asyncio.sleep(0.01)
        whole = time.perf_counter() - began
        for connection in connections:
            connection.close()
        took = np.array(self._took or [LATEST]) * 1000
        p50, p95, p99 = np.percentile(took, [50, 95, 99])
        return Measured(
            rate=self._rate,
            requests=count,
            unfilled=count - self._filled,
            p50=float(p50),
            p95=float(p95),
            p99=float(p99),
            most=float(took.max()),
            seconds=whole,
        )

    def send_waiting(self) -> None:
        while self._waiting and self._free:
            self._free.popleft().ask(*self._waiting.popleft())

    def answered(self, connection: _Connection, due: float, filled: bool) -> None:
        self._took.append(time.perf_counter() - due)
        self._filled += filled
        self._free.append(connection)
        self.send_waiting()


class _Connection(asyncio.Protocol):
    def __init__(self, load: _Load) -> None:
        self._load = load
        self._transport: asyncio.WriteTransport | None = None
        self._due, self._left = 0.0, 0
        self._head, self._filled = b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def ask(self, due: float, request: bytes) -> None:
        self._due, self._left, self._head = due, -1, b""
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._left < 0:
            self._head += data
            head, found, body = self._head.partition(HEAD_ENDS)
            if not found:
                return
            lower = head.lower()
            at = lower.index(LENGTH) + len(LENGTH)
            self._left = int(lower[at:].partition(b"\r")[0]) - len(body)
            self._filled = head[9:12] == b"200" and FILLED in body[:256]
        else:
            self._left -= len(data)
        if self._left == 0:
            self._left = -1
            self._load.answered(self, self._due, self._filled)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
