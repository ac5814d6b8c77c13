"""Anchors: the ledger's root written down outside the ledger.

A chain alone does not show that its end was cut off, or that all of it was written anew. An anchor
remembers how many events there were and the root over them; one lies beside the ledger
(`NAME.anchors.jsonl`), one goes into every signed delivery, and a time-stamp authority may have sealed it
(`token`).
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from falsework.errors import FalseworkError
from falsework.rights.events import time_of, time_text
from falsework.rights.merkle import HASH_SIZE
from falsework.rights.records import canonical

__all__ = ["Anchor", "add_anchor", "anchors_beside", "read_anchors"]

LARGEST = 64 << 20  # bytes of a file of anchors
FIELDS = {"size", "root", "time", "token"}


@dataclass(frozen=True)
class Anchor:
    """What the ledger was at one time.

    size    number of events
    root    hash of the RFC 6962 tree over them, 32 bytes
    time    when it was taken (UTC)
    token   RFC 3161 time-stamp response over `statement()`, DER; empty without an authority
    """

    size: int
    root: bytes
    time: datetime
    token: bytes = b""

    def statement(self) -> bytes:
        """The bytes that a time-stamp authority seals."""
        return canonical({"root": self.root.hex(), "size": self.size})

    def to_json(self) -> dict[str, Any]:
        return {
            "size": self.size,
            "root": self.root.hex(),
            "time": time_text(self.time),
            "token": base64.b64encode(self.token).decode(),
        }

    @classmethod
    def from_json(cls, value: object) -> Anchor:
        """The anchor of such a table; ValueError where it is none."""
        if not isinstance(value, dict) or set(value) != FIELDS:
            raise ValueError("an anchor has size, root, time and token")
        size, texts = value["size"], [value[key] for key in ("root", "time", "token")]
        if type(size) is not int or size < 0 or not all(isinstance(text, str) for text in texts):
            raise ValueError("a field of the anchor has the wrong type")
        root = bytes.fromhex(texts[0])
        if len(root) != HASH_SIZE:
            raise ValueError("the anchor's root is no hash")
        return cls(size, root, time_of(texts[1]), base64.b64decode(texts[2], validate=True))


def anchors_beside(ledger: Path) -> Path:
    """The file of anchors of a ledger in a file."""
    return ledger.with_name(ledger.name + ".anchors.jsonl")


def read_anchors(path: Path) -> tuple[list[Anchor], list[int]]:
    """The anchors of a file in their order, and the numbers (from 1) of the lines that are none."""
    try:
        if not path.exists():
            return [], []
        if path.stat().st_size > LARGEST:
            raise FalseworkError(
                f"is larger than {LARGEST / 1e6:.0f} MB, which no file of anchors is", where=path
            )
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise FalseworkError(f"could not be read ({error.strerror or error})", where=path) from error
    anchors: list[Anchor] = []
    broken: list[int] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            anchors.append(Anchor.from_json(json.loads(line)))
        except (ValueError, RecursionError):
            broken.append(number)
    return anchors, broken


def add_anchor(path: Path, anchor: Anchor) -> None:
    """Add one line to the file of anchors; on return it is on the disk."""
    line = canonical(anchor.to_json()) + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":  # a line that a kill cut short
                line = b"\n" + line
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise FalseworkError(
            f"the anchor could not be written ({error.strerror or error})",
            where=path,
            todo="Check the folder and the disk, and run again; the ledger itself is untouched.",
        ) from error
