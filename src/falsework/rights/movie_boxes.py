"""What a movie's hash leaves out by the standard, and may still not hold: room for anything anyone adds.

C2PA leaves the boxes `ftyp` and `mfra` of an MP4 or MOV out of its hash, wherever they stand and however many
there are (C2PA 2.4, "BMFF-based hash"). So a second one could be appended to a signed movie, with anything
in it, and the hash would hold.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from falsework.rights.statuses import Fault

__all__ = ["Additions", "Box", "added_boxes", "top_boxes"]

MOST_BOXES = 1_000_000  # a fragmented movie has some for every few seconds
LARGEST_FILE_TYPE = 256  # bytes: a brand, its version, and some sixty compatible brands
LARGEST_INDEX = 1 << 24  # bytes: some 20 for every fragment
# Before the file type there may stand the eight bytes that some writers of QuickTime begin with.
BEFORE_FILE_TYPE = frozenset({b"wide", b"free", b"skip"})


@dataclass(frozen=True)
class Box:
    """A top-level box: its four letters, and where it lies in bytes."""

    kind: bytes
    start: int
    size: int


@dataclass(frozen=True)
class Additions:
    """What stands in a signed movie where its hash does not look: what has no place there, and what may."""

    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()


def top_boxes(path: Path) -> Iterator[Box]:
    """The top-level boxes of a movie, as far as they follow one another."""
    length = path.stat().st_size
    start = 0
    with path.open("rb") as file:
        for _ in range(MOST_BOXES):
            if start >= length:
                return
            file.seek(start)
            head = file.read(16)
            if len(head) < 8:
                yield Box(b"", start, length - start)
                return
            size, kind = struct.unpack(">I4s", head[:8])
            if size == 1 and len(head) == 16:
                size = struct.unpack(">Q", head[8:])[0]
            elif size == 0:  # up to the end
                size = length - start
            if size < 8 or start + size > length:
                yield Box(b"", start, length - start)
                return
            yield Box(kind, start, size)
            start += size
    yield Box(b"", start, length - start)


def added_boxes(path: Path) -> Additions:
    """Walk the top-level boxes of a signed movie."""
    found: list[Fault] = []
    notes: list[str] = []

    def add(code: str, words: str) -> None:
        found.append(Fault(f"movie.{code}", words))

    types = 0
    before, fragments = True, False
    for box in top_boxes(path):
        where = f"{box.size:,} bytes from byte {box.start:,}"
        if box.kind == b"ftyp":
            types += 1
            if types > 1 or not before:
                add("fileType", f"it holds a second file type box, which nothing binds ({where})")
            elif box.size > LARGEST_FILE_TYPE:
                add("fileType", f"its file type box holds more than brands, and nothing binds it ({where})")
        elif box.kind == b"mfra" and not (fragments and _is_index(path, box)):
            add("index", f"it holds an index of fragments (mfra) that it has no use for ({where})")
        elif box.kind == b"mfra":
            notes.append(f"its index of fragments (mfra) is not bound, as the standard has it ({where})")
        elif not box.kind:
            add("boxes", f"it ends in what is no box of a movie ({where})")
        before = before and box.kind in BEFORE_FILE_TYPE
        fragments = fragments or box.kind == b"moof"
    return Additions(tuple(found), tuple(notes))


def _is_index(path: Path, box: Box) -> bool:
    """Whether an `mfra` holds what it should and nothing else: tables (`tfra`), then its size (`mfro`)."""
    if box.size > LARGEST_INDEX:
        return False
    with path.open("rb") as file:
        file.seek(box.start)
        content = file.read(box.size)
    at, kinds = 8, []
    while at + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        if size < 16:
            return False
        kinds.append(kind)
        at += size
    whole = at == len(content) and kinds[:-1] == [b"tfra"] * (len(kinds) - 1) and kinds[-1:] == [b"mfro"]
    return whole and struct.unpack(">I", content[-4:])[0] == len(content)
