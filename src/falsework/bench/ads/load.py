"""Requests sent at a given rate, whether the answers keep up or not, and how long each answer took.

A request is due at its time, and its latency counts from then: where a server stalls, those that wait for it
are counted as waiting. Answers are looked at just enough to know that a break was filled, by one thread that
asks its sockets every half millisecond: what measures shares its processors with what is measured.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from falsework.errors import FalseworkError

__all__ = ["Measured", "measure"]

CONNECTIONS = 64
TICK = 0.0005  # seconds
LATEST = 10.0  # seconds after the last request that answers are waited for
READ = 1 << 18  # bytes
HEAD_ENDS = b"\r\n\r\n"
LENGTH = b"content-length: "
LOOKED_AT = 256  # bytes of a body
FILLED = b'"seatbid":[{"bid":[{'
UNPAID = b'"price":0.0,'  # of the first bid: where anything is paid, that comes first


@dataclass(frozen=True)
class Measured:
    """Latencies in milliseconds. `unfilled`: answers without a bid, errors, and those that never came;
    `house`: those with nothing paid in them. `seconds`: until the last answer."""

    rate: float
    requests: int
    unfilled: int
    house: int
    p50: float
    p95: float
    p99: float
    most: float
    seconds: float

    @property
    def reached(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def measure(host: str, port: int, bodies: Sequence[bytes], rate: float, seconds: float) -> Measured:
    """`rate` requests a second over `seconds`, from this thread. Raises `FalseworkError` where nobody
    listens."""
    with _Load(host, port, bodies) as load:
        return load.run(rate, seconds)


class _Load:
    def __init__(self, host: str, port: int, bodies: Sequence[bytes]) -> None:
        head = f"POST /openrtb2 HTTP/1.1\r\nHost: {host}\r\nContent-Length: "
        self._requests = [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]
        self._ready = select.epoll()
        self._connections: dict[int, _Connection] = {}
        try:
            for _ in range(CONNECTIONS):
                connection = _Connection(socket.create_connection((host, port), timeout=LATEST))
                self._connections[connection.socket.fileno()] = connection
                self._ready.register(connection.socket, select.EPOLLIN)
        except OSError as error:
            self.__exit__()
            raise FalseworkError(f"nobody answers ({error.strerror})", where=f"{host}:{port}") from error
        self._free = deque(self._connections.values())
        self._took: list[float] = []
        self._filled = self._house = self._lost = 0

    def __enter__(self) -> _Load:
        return self

    def __exit__(self, *_: object) -> None:
        self._ready.close()
        for connection in self._connections.values():
            connection.socket.close()

    def run(self, rate: float, seconds: float) -> Measured:
        count, sent = round(rate * seconds), 0
        began = time.perf_counter()
        ends = began + seconds + LATEST
        while len(self._took) + self._lost < count:
            now = time.perf_counter()
            if now > ends or not self._connections:
                break
            while sent < count and self._free and began + sent / rate <= now:
                self._ask(began + sent / rate, self._requests[sent % len(self._requests)])
                sent += 1
            for number, _ in self._ready.poll(0):
                self._read(number)
            time.sleep(TICK)
        whole = time.perf_counter() - began
        took = np.array(self._took or [LATEST]) * 1000
        p50, p95, p99 = np.percentile(took, [50, 95, 99])
        return Measured(
            rate=rate,
            requests=count,
            unfilled=count - self._filled,
            house=self._house,
            p50=float(p50),
            p95=float(p95),
            p99=float(p99),
            most=float(took.max()),
            seconds=whole,
        )

    def _ask(self, due: float, request: bytes) -> None:
        connection = self._free.popleft()
        connection.ask(due)
        try:
            connection.socket.sendall(request)
        except OSError:
            self._lose(connection)

    def _read(self, number: int) -> None:
        connection = self._connections[number]
        try:
            done = connection.read()
        except OSError:
            self._lose(connection)
            return
        if done:
            self._took.append(time.perf_counter() - connection.due)
            self._filled += connection.filled
            self._house += connection.house
            self._free.append(connection)

    def _lose(self, connection: _Connection) -> None:
        """The server closed it: what was asked there is not answered any more."""
        del self._connections[connection.socket.fileno()]
        self._lost += connection.due > 0
        if connection in self._free:
            self._free.remove(connection)
        self._ready.unregister(connection.socket)
        connection.socket.close()


class _Connection:
    """One request at a time. `due` 0.0 while there is none."""

    buffer = bytearray(READ)  # of all: each is read to its end before the next

    def __init__(self, connected: socket.socket) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connected
        self.due = 0.0
        self.filled = self.house = False
        self._begins, self._left = b"", -1

    def ask(self, due: float) -> None:
        self.due, self.filled, self.house = due, False, False
        self._begins, self._left = b"", -1

    def read(self) -> bool:
        """Whether the answer is whole now. Raises `OSError` where there is none to come."""
        length = self.socket.recv_into(self.buffer)
        if not length:
            raise ConnectionResetError
        if self._left < 0:
            self._begins += self.buffer[:length]
            head, found, body = self._begins.partition(HEAD_ENDS)
            if not found:
                return False
            lower = head.lower()
            at = lower.index(LENGTH) + len(LENGTH)
            left = int(lower[at:].partition(b"\r")[0]) - len(body)
            if left > 0 and len(body) < LOOKED_AT:
                return False
            self._left, body = left, body[:LOOKED_AT]
            self.filled = head[9:12] == b"200" and FILLED in body
            self.house = self.filled and UNPAID in body
        else:
            self._left -= length
        return self._left == 0
