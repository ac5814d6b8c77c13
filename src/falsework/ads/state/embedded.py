"""State in this process's memory, with a log that it is built up from again.

Each batch of events is one write to a file opened for appending: once `record` returns, the operating system
has it, and no kill of this process can take it back (`sync=True` waits for the disk besides, against loss of
power). A batch has its length and CRC-32 before it, so that one cut short is known for what it is and left
out. From time to time the state is written whole, by rename, and the log begins anew.
"""

from __future__ import annotations

import fcntl
import heapq
import os
import secrets
import struct
import zlib
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from falsework.ads.state.protocol import Event, Lease
from falsework.errors import FalseworkError
from falsework.media.atomic import write_bytes

__all__ = ["EmbeddedState"]

HEAD = struct.Struct("<II")  # length and CRC-32 of what follows
KEPT_SECONDS = 35 * 86_400.0  # of history: longer than the longest cap
REMEMBERED = 2_000_000  # identities of events, after which the oldest are forgotten
MOST_LOG = 256 << 20  # bytes, after which the state is written whole


class _Whole(msgspec.Struct, kw_only=True):
    """The state as it is written whole; `log` numbers the log that goes on from it."""

    log: int
    spent: dict[str, int]
    leases: dict[str, Lease]
    history: dict[str, dict[str, list[float]]]
    identities: list[tuple[str, str, str]]


class _Entry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One write to the log."""

    events: tuple[Event, ...] = ()
    leased: Lease | None = None
    returned: str = ""


class EmbeddedState:
    """See `falsework.ads.state.protocol.State`. One process at a time has a folder; another one is
    refused."""

    def __init__(self, folder: Path, *, sync: bool = False, most_log: int = MOST_LOG) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._sync, self._most_log = folder, sync, most_log
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise FalseworkError(
                "is another process's", where=folder, todo="Stop that one, or give each its own folder."
            ) from error
        self._encoder, self._decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(_Entry)
        self._spent: dict[str, int] = defaultdict(int)
        self._leases: dict[str, Lease] = {}
        self._ends: list[tuple[float, str]] = []
        self._leased: dict[str, int] = defaultdict(int)
        self._history: dict[str, dict[str, list[float]]] = {}
        self._identities: OrderedDict[tuple[str, str, str], None] = OrderedDict()
        self._number, self._size = 0, 0
        self._read()
        self._log = self._open_log()

    def record(self, events: Sequence[Event]) -> list[bool]:
        new, fresh = [], []
        for event in events:
            identity = (event.stream, event.served, event.kind)
            is_new = identity not in self._identities
            fresh.append(is_new)
            if is_new:
                new.append(event)
                self._identities[identity] = None
        if new:
            try:
                self._append(_Entry(events=tuple(new)))
            except OSError:
                for event in new:  # not acknowledged: the sender will come again
                    del self._identities[event.stream, event.served, event.kind]
                raise
            for event in new:
                self._count(event)
            self._shrink(new[-1].at)
        return fresh

    def history(self, who: str) -> Mapping[str, Sequence[float]]:
        return self._history.get(who, {})

    def lease(self, line_item: str, amount: int, *, budget: int, now: float, seconds: float) -> Lease | None:
        self._expire(now)
        left = budget - self._spent[line_item] - self._leased[line_item]
        if left <= 0:
            return None
        lease = Lease(
            id=secrets.token_hex(8), line_item=line_item, amount=min(amount, left), expires=now + seconds
        )
        self._append(_Entry(leased=lease))
        self._hold(lease)
        return lease

    def give_back(self, lease: Lease) -> None:
        if lease.id in self._leases:
            self._append(_Entry(returned=lease.id))
            self._release(lease.id)

    def spent(self, line_items: Sequence[str]) -> Mapping[str, int]:
        return {item: self._spent.get(item, 0) for item in line_items}

    def outstanding(self, line_items: Sequence[str], now: float) -> Mapping[str, int]:
        self._expire(now)
        return {item: self._leased.get(item, 0) for item in line_items}

    def close(self) -> None:
        os.close(self._log)
        os.close(self._lock)

    def write_whole(self) -> None:
        """All of it in one file, and a new log; what was before goes once that stands."""
        self._number += 1
        whole = _Whole(
            log=self._number,
            spent=dict(self._spent),
            leases=self._leases,
            history=self._history,
            identities=list(self._identities),
        )
        write_bytes(self._folder / "state", _framed(self._encoder.encode(whole)))
        os.close(self._log)
        self._log = self._open_log()
        for old in self._folder.glob("log.*"):
            if old.name != f"log.{self._number}":
                old.unlink(missing_ok=True)

    def _append(self, entry: _Entry) -> None:
        data = _framed(self._encoder.encode(entry))
        written = os.write(self._log, data)
        if written != len(data):
            os.ftruncate(self._log, self._size)
            raise OSError(28, "no room for the log")
        self._size += written
        if self._sync:
            os.fdatasync(self._log)

    def _shrink(self, now: float) -> None:
        while len(self._identities) > REMEMBERED:
            self._identities.popitem(last=False)
        if self._size > self._most_log:
            for who, counters in list(self._history.items()):
                for counter, times in list(counters.items()):
                    counters[counter] = [at for at in times if now - at < KEPT_SECONDS]
                    if not counters[counter]:
                        del counters[counter]
                if not counters:
                    del self._history[who]
            self.write_whole()

    def _count(self, event: Event) -> None:
        self._spent[event.line_item] += event.cost
        if event.kind != "impression":
            return
        for who in (event.stream, event.viewer):
            if who:
                counters = self._history.setdefault(who, {})
                for counter in event.counters:
                    _insert(counters.setdefault(counter, []), event.at)

    def _hold(self, lease: Lease) -> None:
        self._leases[lease.id] = lease
        heapq.heappush(self._ends, (lease.expires, lease.id))
        self._leased[lease.line_item] += lease.amount

    def _release(self, identifier: str) -> None:
        lease = self._leases.pop(identifier, None)
        if lease is not None:
            self._leased[lease.line_item] -= lease.amount

    def _expire(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now:
            self._release(heapq.heappop(self._ends)[1])

    def _open_log(self) -> int:
        path = self._folder / f"log.{self._number}"
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(log).st_size  # nobody else writes to it
        return log

    def _read(self) -> None:
        path = self._folder / "state"
        if path.exists():
            frames, _ = _unframed(path.read_bytes())
            if len(frames) != 1:
                raise FalseworkError("is damaged", where=path, todo="Restore it from a copy.")
            whole = msgspec.msgpack.decode(frames[0], type=_Whole)
            self._number = whole.log
            self._spent.update(whole.spent)
            self._history = whole.history
            self._identities.update(dict.fromkeys(whole.identities))
            for lease in whole.leases.values():
                self._hold(lease)
        log = self._folder / f"log.{self._number}"
        if not log.exists():
            return
        frames, good = _unframed(log.read_bytes())
        for frame in frames:
            self._apply(self._decoder.decode(frame))
        if good < log.stat().st_size:  # a write that was cut short, never acknowledged
            os.truncate(log, good)

    def _apply(self, entry: _Entry) -> None:
        for event in entry.events:
            self._identities[event.stream, event.served, event.kind] = None
            self._count(event)
        if entry.leased is not None:
            self._hold(entry.leased)
        if entry.returned:
            self._release(entry.returned)


def _insert(times: list[float], at: float) -> None:
    """In order, nearly always at the end: events may come late."""
    place = len(times)
    while place and times[place - 1] > at:
        place -= 1
    times.insert(place, at)


def _framed(data: bytes) -> bytes:
    return HEAD.pack(len(data), zlib.crc32(data)) + data


def _unframed(data: bytes) -> tuple[list[Any], int]:
    """The whole frames, and where the last of them ends."""
    frames, at = [], 0
    while at + HEAD.size <= len(data):
        length, crc = HEAD.unpack_from(data, at)
        body = data[at + HEAD.size : at + HEAD.size + length]
        if len(body) < length or zlib.crc32(body) != crc:
            break
        frames.append(body)
        at += HEAD.size + length
    return frames, at
