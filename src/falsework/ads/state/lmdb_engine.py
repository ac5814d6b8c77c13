"""State in a file that several processes of one machine have open together.

LMDB: one transaction writes at a time and is there whole or not at all; readers never wait. What is recorded
in one transaction stays recorded: a commit hands it to the operating system, which no kill of a process takes
back (`sync=True` waits for the disk besides; without it a loss of power may damage the file). A process that
is killed inside a transaction leaves nothing of it and holds up nobody.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from falsework.ads.state.protocol import Event, Lease
from falsework.errors import FalseworkError

__all__ = ["LmdbState"]

KEPT_SECONDS = 35 * 86_400.0  # of history: longer than the longest cap
REMEMBERED_SECONDS = 86_400.0  # of identities: longer than a beacon is good for
DAY = 86_400.0
SWEPT = 64  # old entries taken out with each batch, so that no batch waits for a great clearing
MAP_SIZE = 16 << 30  # bytes of addresses; the file takes what it needs of them
READERS = 1_024
TABLES = ("seen", "seen_at", "spent", "leased", "leases", "lease_ends", "history", "history_days")

AMOUNT = struct.Struct("<q")
TIME = struct.Struct(">Q")  # microseconds, so that keys are in the order of time


class LmdbState:
    """See `falsework.ads.state.protocol.State`. Every worker opens the folder for itself, after it was
    forked; threads of one process share an open one."""

    def __init__(self, folder: Path, *, sync: bool = False) -> None:
        """Raises `FalseworkError` where the folder cannot be opened or LMDB is not installed."""
        try:
            import lmdb
        except ModuleNotFoundError as error:
            raise FalseworkError(
                "the library for LMDB is missing", todo="Install it with `pip install 'falsework[ads]'`."
            ) from error
        self._folder, self._error, self._full = folder, lmdb.Error, lmdb.MapFullError
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._open = lmdb.open(
                str(folder),
                map_size=MAP_SIZE,
                max_dbs=len(TABLES),
                max_readers=READERS,
                sync=sync,
                metasync=sync,
                mode=0o600,
            )
            self._open.reader_check()  # places of readers that were killed
            tables = {name: self._open.open_db(name.encode()) for name in TABLES}
        except (OSError, lmdb.Error) as error:
            raise FalseworkError(
                f"cannot be opened as a state of several workers ({error})",
                where=folder,
                todo="Name a folder of its own that may be written to, on a local disk.",
            ) from error
        self._table: dict[str, Any] = tables
        self._decoder = msgspec.msgpack.Decoder(Lease)

    def record(self, events: Sequence[Event]) -> list[bool]:
        fresh = []
        with self._writing() as transaction:
            for event in events:
                identity = _digest(event.stream, event.served, event.kind)
                new = transaction.put(
                    identity, TIME.pack(_micros(event.at)), overwrite=False, db=self._table["seen"]
                )
                fresh.append(bool(new))
                if new:
                    transaction.put(TIME.pack(_micros(event.at)) + identity, b"", db=self._table["seen_at"])
                    self._count(transaction, event)
            if any(fresh):
                self._sweep(transaction, max(event.at for event in events))
        return fresh

    def history(self, who: str) -> Mapping[str, Sequence[float]]:
        found: dict[str, Sequence[float]] = {}
        prefix = _digest(who)
        with self._reading() as transaction, transaction.cursor(db=self._table["history"]) as cursor:
            there = cursor.set_range(prefix)
            while there and cursor.key().startswith(prefix):
                counter, times = _unpacked(cursor.value())
                found[counter] = times
                there = cursor.next()
        return found

    def lease(self, line_item: str, amount: int, *, budget: int, now: float, seconds: float) -> Lease | None:
        with self._writing() as transaction:
            self._expire(transaction, now)
            key = _digest(line_item)
            left = budget - self._amount(transaction, "spent", key) - self._amount(transaction, "leased", key)
            if left <= 0:
                return None
            lease = Lease(
                id=secrets.token_hex(8), line_item=line_item, amount=min(amount, left), expires=now + seconds
            )
            transaction.put(lease.id.encode(), msgspec.msgpack.encode(lease), db=self._table["leases"])
            transaction.put(_end(lease), b"", db=self._table["lease_ends"])
            self._add(transaction, "leased", key, lease.amount)
        return lease

    def give_back(self, lease: Lease) -> None:
        with self._writing() as transaction:
            self._release(transaction, lease.id.encode())

    def spent(self, line_items: Sequence[str]) -> Mapping[str, int]:
        with self._reading() as transaction:
            return {item: self._amount(transaction, "spent", _digest(item)) for item in line_items}

    def outstanding(self, line_items: Sequence[str], now: float) -> Mapping[str, int]:
        with self._writing() as transaction:
            self._expire(transaction, now)
            return {item: self._amount(transaction, "leased", _digest(item)) for item in line_items}

    def close(self) -> None:
        self._open.close()

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        """A transaction that is committed at the end of the block, or leaves nothing."""
        try:
            with self._open.begin(write=True) as transaction:
                yield transaction
        except self._error as error:
            raise self._explained(error) from error

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        try:
            with self._open.begin() as transaction:
                yield transaction
        except self._error as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> FalseworkError:
        if isinstance(error, self._full):
            return FalseworkError(
                f"is full ({MAP_SIZE >> 30} GiB)", where=self._folder, todo="Begin a new folder."
            )
        return FalseworkError(
            f"could not be read or written ({error})",
            where=self._folder,
            todo="Check the disk; what was acknowledged before is kept.",
        )

    def _count(self, transaction: Any, event: Event) -> None:
        if event.cost:
            self._add(transaction, "spent", _digest(event.line_item), event.cost)
        if event.kind != "impression":
            return
        day = TIME.pack(int(event.at // DAY))
        for who in dict.fromkeys((event.stream, event.viewer)):
            if not who:
                continue
            for counter in event.counters:
                key = _digest(who) + _digest(counter)
                value = transaction.get(key, db=self._table["history"])
                times = [] if value is None else _unpacked(value)[1]
                newest = max(event.at, times[-1] if times else event.at)
                kept = sorted([*(at for at in times if newest - at < KEPT_SECONDS), event.at])
                transaction.put(key, _packed(counter, kept), db=self._table["history"])
                transaction.put(day + key, b"", db=self._table["history_days"])

    def _sweep(self, transaction: Any, now: float) -> None:
        """Take out some of what is too old to be asked for."""
        for key in self._before(transaction, "seen_at", TIME.pack(_micros(now - REMEMBERED_SECONDS)), SWEPT):
            transaction.delete(key, db=self._table["seen_at"])
            transaction.delete(key[TIME.size :], db=self._table["seen"])
        limit = now - KEPT_SECONDS
        for key in self._before(transaction, "history_days", TIME.pack(max(int(limit // DAY), 0)), SWEPT):
            transaction.delete(key, db=self._table["history_days"])
            value = transaction.get(key[TIME.size :], db=self._table["history"])
            if value is not None and _unpacked(value)[1][-1] < limit:
                transaction.delete(key[TIME.size :], db=self._table["history"])

    def _before(self, transaction: Any, table: str, end: bytes, most: int | None) -> list[bytes]:
        """The first keys of a table that lie before `end`."""
        found: list[bytes] = []
        with transaction.cursor(db=self._table[table]) as cursor:
            there = cursor.first()
            while there and cursor.key() < end and (most is None or len(found) < most):
                found.append(bytes(cursor.key()))
                there = cursor.next()
        return found

    def _expire(self, transaction: Any, now: float) -> None:
        # One past now: a lease that ends now has ended.
        for key in self._before(transaction, "lease_ends", TIME.pack(_micros(now) + 1), None):
            self._release(transaction, key[TIME.size :])

    def _release(self, transaction: Any, identifier: bytes) -> None:
        value = transaction.pop(identifier, db=self._table["leases"])
        if value is not None:
            lease = self._decoder.decode(value)
            transaction.delete(_end(lease), db=self._table["lease_ends"])
            self._add(transaction, "leased", _digest(lease.line_item), -lease.amount)

    def _amount(self, transaction: Any, table: str, key: bytes) -> int:
        value = transaction.get(key, db=self._table[table])
        return int(AMOUNT.unpack(value)[0]) if value is not None else 0

    def _add(self, transaction: Any, table: str, key: bytes, amount: int) -> None:
        now = self._amount(transaction, table, key) + amount
        transaction.put(key, AMOUNT.pack(now), db=self._table[table])


def _digest(*parts: str) -> bytes:
    """16 bytes that stand for texts of any length: LMDB's keys are short. Each part has its length before
    it, so that no two lists of parts are the same text."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode()
        digest.update(TIME.pack(len(data)))
        digest.update(data)
    return digest.digest()


def _micros(at: float) -> int:
    return max(round(at * 1e6), 0)


def _end(lease: Lease) -> bytes:
    return TIME.pack(_micros(lease.expires)) + lease.id.encode()


def _packed(counter: str, times: Sequence[float]) -> bytes:
    name = counter.encode()
    return struct.pack(f"<I{len(name)}s{len(times)}d", len(name), name, *times)


def _unpacked(value: bytes) -> tuple[str, list[float]]:
    (length,) = struct.unpack_from("<I", value)
    name = bytes(value[4 : 4 + length]).decode()
    return name, list(struct.unpack_from(f"<{(len(value) - 4 - length) // 8}d", value, 4 + length))
