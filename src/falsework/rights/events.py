"""An event: one record as it was written into the ledger, chained to the one before.

Its payload is the canonical JSON of sequence, time, kind, body and the previous event's digest; its digest
is the RFC 6962 leaf hash of that payload, so that the chain and the Merkle tree rest on the same bytes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from falsework.errors import FalseworkError
from falsework.rights.merkle import HASH_SIZE, leaf_hash
from falsework.rights.records import KINDS, Record, canonical

__all__ = ["BACKWARDS", "BEFORE_ALL", "LARGEST", "Event", "kind_of", "time_of", "time_text"]

BEFORE_ALL = bytes(HASH_SIZE)  # what the first event is chained to
BACKWARDS = timedelta(days=1)  # how far two clocks may differ, or a long delivery reach back
LARGEST = 16 << 20  # bytes of one payload; a delivery of 10,000 files takes about 1 MB
PRIVATE = b"PRIVATE KEY-----"  # how every PEM private key begins, whatever its kind (RFC 7468)
FIELDS = {"sequence", "time", "kind", "body", "previous"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
KIND_OF = {model: kind for kind, model in KINDS.items()}


@dataclass(frozen=True)
class Event:
    """What was recorded and when.

    sequence   place in the ledger, from 0
    time       when it was written (UTC)
    kind       which of the six kinds `body` is (a key of records.KINDS)
    body       the record as JSON values
    previous   digest of the event before, 32 bytes; zeros for the first
    digest     leaf hash of the payload, 32 bytes
    """

    sequence: int
    time: datetime
    kind: str
    body: dict[str, Any]
    previous: bytes
    digest: bytes

    @classmethod
    def of(cls, record: Record, *, sequence: int, at: datetime, previous: bytes) -> Event:
        """The event that writes `record` at `at` (with its zone) after the event of digest `previous`."""
        kind = kind_of(record)
        try:
            # Through JSON and back, so that the body is what a reader of the ledger will see.
            body = json.loads(canonical(record.model_dump(mode="json")))
        except (ValueError, RecursionError) as error:
            raise FalseworkError(
                f"the {kind} cannot be written down as JSON ({error})",
                where=record.id,
                todo="Parameters, facts and details may hold text, finite numbers, lists and tables.",
            ) from error
        payload = _payload(sequence, time_text(at), kind, body, previous)
        if len(payload) > LARGEST:
            raise FalseworkError(
                f"the {kind} takes {len(payload) / 1e6:.0f} MB, more than {LARGEST / 1e6:.0f} MB",
                where=record.id,
                todo="Keep large data in a file and record that file's hash as an asset.",
            )
        if PRIVATE in payload:
            raise FalseworkError(
                f"the {kind} holds a private key, which a ledger would keep for ever",
                where=record.id,
                todo="Take it out; record the certificate's hash if anything.",
            )
        return cls(sequence, at.astimezone(UTC), kind, body, previous, leaf_hash(payload))

    @classmethod
    def read(cls, payload: bytes) -> Event:
        """The event of a payload; ValueError unless it is exactly what an event writes."""
        if len(payload) > LARGEST:
            raise ValueError("it is too large")
        try:
            value = json.loads(payload)
            if not isinstance(value, dict) or set(value) != FIELDS or canonical(value) != payload:
                raise ValueError("it is not in the canonical form")
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        sequence, kind, body = value["sequence"], value["kind"], value["body"]
        texts = kind, value["time"], value["previous"]
        if (
            type(sequence) is not int
            or sequence < 0
            or type(body) is not dict
            or {*map(type, texts)} != {str}
        ):
            raise ValueError("its fields have the wrong types")
        previous = bytes.fromhex(value["previous"])
        if len(previous) != HASH_SIZE or previous.hex() != value["previous"]:
            raise ValueError("its previous digest is not in the canonical form")
        return cls(sequence, time_of(value["time"]), kind, body, previous, leaf_hash(payload))

    @property
    def payload(self) -> bytes:
        """The bytes that are stored and hashed."""
        return _payload(self.sequence, time_text(self.time), self.kind, self.body, self.previous)

    @property
    def id(self) -> str:
        """The id of the record."""
        return str(self.body.get("id", ""))

    def record(self) -> Record:
        """The record that was written."""
        model = KINDS.get(self.kind)
        if model is None:
            raise FalseworkError(
                f"it is of the kind {self.kind!r}, which this version does not know",
                where=f"event {self.sequence}",
                todo="Read the ledger with the version of falsework that wrote it, or a later one.",
            )
        try:
            return model.model_validate(self.body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise FalseworkError(
                f"its {self.kind} does not read: {place}: {first['msg']}",
                where=f"event {self.sequence}",
                todo="Read the ledger with the version of falsework that wrote it, or a later one.",
            ) from error


def kind_of(record: Record) -> str:
    """Which of the six kinds a record is."""
    return KIND_OF[type(record)]


def time_text(time: datetime) -> str:
    """A time as it is written: UTC to the microsecond, such as 2026-11-22T12:00:00.000000Z."""
    if time.tzinfo is None:
        raise ValueError("a time needs its zone")
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def time_of(text: str) -> datetime:
    """The time that `time_text` wrote so; ValueError for any other text."""
    if not TIME.fullmatch(text):
        raise ValueError(f"{text!r} is not a time such as 2026-11-22T12:00:00.000000Z")
    return datetime.fromisoformat(text)


def _payload(sequence: int, time: str, kind: str, body: dict[str, Any], previous: bytes) -> bytes:
    return canonical(
        {"sequence": sequence, "time": time, "kind": kind, "body": body, "previous": previous.hex()}
    )
