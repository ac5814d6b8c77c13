"""The log of what was decided and what happened: segment files that are only appended to, or Kafka.

A record is one frame: its length, its CRC-32, its bytes. Each process writes a segment of its own, so that no
two writes meet; a segment that is large or old enough is closed by taking its final name. Readers may read
the one being written: they end at its last whole frame. What `append` returned for, the operating system has.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from falsework.errors import FalseworkError

__all__ = ["CLOSED", "EventLog", "KafkaLog", "Segments", "frames", "segments_of"]

ENCODER = msgspec.msgpack.Encoder()
HEAD = struct.Struct("<II")  # length and CRC-32 of what follows
NEW, OPEN, CLOSED = ".new", ".open", ".segment"
MOST_BYTES = 64 << 20
MOST_SECONDS = 3_600.0
LONGEST = 1 << 20  # bytes of one record; a longer one is a damaged length
KAFKA_WAITS = 5.0  # seconds for a broker's answer


class EventLog(Protocol):
    """Takes records in the order they come."""

    def append(self, records: Sequence[msgspec.Struct]) -> None:
        """`write` of what `encoded` makes of each."""
        ...

    def encoded(self, record: msgspec.Struct) -> bytes:
        """A record as `write` takes it. Any thread may ask."""
        ...

    def write(self, records: Sequence[bytes]) -> None:
        """Raises `FalseworkError` where they could not be written: then none of them is in the log."""
        ...

    def close(self) -> None: ...


class Segments:
    """Segment files of one process in `folder`. What a killed process left open is closed by the next one
    that opens the folder."""

    def __init__(
        self,
        folder: Path,
        *,
        most_bytes: int = MOST_BYTES,
        most_seconds: float = MOST_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder, self._most_bytes, self._most_seconds = folder, most_bytes, most_seconds
        self._clock = clock
        self._file, self._path, self._size, self._began = -1, folder, 0, 0.0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.glob(f"*{OPEN}"):
                _close_left(path)
        except OSError as error:
            raise _explained(error, folder) from error

    def append(self, records: Sequence[msgspec.Struct]) -> None:
        self.write([self.encoded(record) for record in records])

    def encoded(self, record: msgspec.Struct) -> bytes:
        data = ENCODER.encode(record)
        return HEAD.pack(len(data), zlib.crc32(data)) + data

    def write(self, records: Sequence[bytes]) -> None:
        data = b"".join(records)
        if not data:
            return
        try:
            if self._file >= 0 and self._is_full(len(data)):
                self._rotate()
            if self._file < 0:
                self._begin()
            written = os.write(self._file, data)
            if written != len(data):
                os.ftruncate(self._file, self._size)
                raise OSError(28, "no room for the log")
        except OSError as error:
            raise _explained(error, self._folder) from error
        self._size += written

    def rotate(self) -> None:
        """Close the present segment, if there is one, so that it may be compacted."""
        try:
            self._rotate()
        except OSError as error:
            raise _explained(error, self._folder) from error

    def close(self) -> None:
        self.rotate()

    def _is_full(self, more: int) -> bool:
        old = self._clock() - self._began > self._most_seconds
        return bool(self._size) and (old or self._size + more > self._most_bytes)

    def _begin(self) -> None:
        self._began = self._clock()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._began))
        path = self._folder / f"{stamp}-{secrets.token_hex(4)}{OPEN}"
        # Locked before it has a name by which another process could take it for a dead one's.
        unnamed = path.with_suffix(NEW)
        file = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)  # ends with this process, however that ends
        os.rename(unnamed, path)
        self._file, self._path, self._size = file, path, 0

    def _rotate(self) -> None:
        if self._file >= 0:
            file, self._file = self._file, -1
            try:
                os.fsync(file)
                os.rename(self._path, self._path.with_suffix(CLOSED))
            finally:
                os.close(file)


class KafkaLog:
    """The same records as messages of one topic, acknowledged by all replicas before `append` returns.

    Tested here only against brokers that do not answer: none was to be had.
    """

    def __init__(self, servers: str, topic: str, *, waits: float = KAFKA_WAITS) -> None:
        """`servers`: HOST:PORT,…; `waits` seconds for an acknowledgement."""
        try:
            from confluent_kafka import KafkaException, Producer
        except ModuleNotFoundError as error:
            raise FalseworkError(
                "the client for Kafka is missing", todo="Install it with `pip install confluent-kafka`."
            ) from error
        self._topic, self._where, self._waits = topic, f"kafka {servers}", waits
        self._fault = KafkaException
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "acks": "all",
                "enable.idempotence": True,
                "message.timeout.ms": max(int(waits * 1000), 1),
                "log_level": 0,
            }
        )

    def append(self, records: Sequence[msgspec.Struct]) -> None:
        self.write([self.encoded(record) for record in records])

    def encoded(self, record: msgspec.Struct) -> bytes:
        return ENCODER.encode(record)

    def write(self, records: Sequence[bytes]) -> None:
        """Part of a batch may be in the topic when this raises: readers take an identity once."""
        failed: list[str] = []

        def told(error: object, _: object) -> None:
            if error is not None:
                failed.append(str(error))

        try:
            for record in records:
                self._producer.produce(self._topic, record, on_delivery=told)
            left = self._producer.flush(self._waits + 1.0)
        except (self._fault, BufferError) as error:
            raise self._away(str(error)) from error
        if left or failed:
            raise self._away(failed[0] if failed else "no answer in time")

    def close(self) -> None:
        self._producer.flush(self._waits)

    def _away(self, why: str) -> FalseworkError:
        return FalseworkError(
            f"took no records ({why})", where=self._where, todo="Check that it runs and is reachable."
        )


def segments_of(folder: Path, *, closed_only: bool = False) -> list[Path]:
    """The segments of a folder, oldest first."""
    kinds = (CLOSED,) if closed_only else (CLOSED, OPEN)
    return sorted(path for kind in kinds for path in folder.glob(f"*{kind}"))


def frames(path: Path) -> Iterator[bytes]:
    """The whole records of a segment; one that is being written may end in the middle of one, which is left
    out.

    Raises `FalseworkError` where a closed segment is damaged.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if path.suffix != OPEN:
            raise
        path = path.with_suffix(CLOSED)  # it was closed meanwhile
        data = path.read_bytes()
    at = 0
    while at + HEAD.size <= len(data):
        length, crc = HEAD.unpack_from(data, at)
        body = data[at + HEAD.size : at + HEAD.size + length]
        if length > LONGEST or len(body) < length or zlib.crc32(body) != crc:
            break
        yield body
        at += HEAD.size + length
    if at != len(data) and path.suffix == CLOSED:
        raise FalseworkError(
            f"is damaged from byte {at} of {len(data)} on",
            where=path,
            todo="Restore it from a copy, or take it out of the folder.",
        )


def _close_left(path: Path) -> None:
    """Give a segment of a process that is gone its final name, without what was cut short at its end."""
    with suppress(FileNotFoundError):
        file = os.open(path, os.O_RDWR)
        try:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(file, sum(HEAD.size + len(frame) for frame in frames(path)))
                os.fsync(file)
                os.rename(path, path.with_suffix(CLOSED))
        finally:
            os.close(file)


def _explained(error: OSError, folder: Path) -> FalseworkError:
    return FalseworkError(
        f"the log of events could not be written ({error.strerror or error})",
        where=folder,
        todo="Check the folder and the disk.",
    )
