"""Consent strings' pieces: base64url text of bits, and lists of ids as bit fields or ranges."""

from __future__ import annotations

import base64
import binascii
import re

import msgspec

from falsework.ads.bits import BitReader, BitWriter

__all__ = [
    "IdRange",
    "Ids",
    "bits_of",
    "nothing_left",
    "read_ids",
    "read_ranges",
    "text_of",
    "write_ids",
    "write_ranges",
]

LONGEST = 65_536  # characters of one piece; more than any list of all vendors needs
HIGHEST_ID = 0xFFFF
STRANGE = re.compile("[^A-Za-z0-9_-]")


class IdRange(msgspec.Struct, frozen=True, kw_only=True):
    """Ids from `first` to `last`; one alone may be written as itself (`alone`) or as a range of one."""

    first: int
    last: int
    alone: bool


class Ids(msgspec.Struct, frozen=True, kw_only=True):
    """Ids up to `highest`. `ranges` keep how a list of ranges was written; None for a bit field."""

    highest: int = 0
    ids: frozenset[int] = frozenset()
    ranges: tuple[IdRange, ...] | None = None

    def __contains__(self, one: int) -> bool:
        return one in self.ids


def bits_of(text: str) -> BitReader:
    """The bits that base64url text of any length stands for, six for each character."""
    if len(text) > LONGEST:
        raise ValueError(f"a piece of {len(text)} characters is too long")
    bare = text.rstrip("=")
    if not bare:
        raise ValueError("it is empty")
    strange = STRANGE.search(bare)
    if strange is not None:
        raise ValueError(f'"{strange[0]}", its character {strange.start() + 1}, is none of base64url')
    try:
        data = base64.urlsafe_b64decode(bare + "A" * (-len(bare) % 4))
    except binascii.Error as error:
        raise ValueError("it is no base64url text") from error
    return BitReader(data, end=6 * len(bare))


def text_of(writer: BitWriter, length: int | None = None) -> str:
    """The bits as base64url text without padding characters. `length` in characters, zeros behind the bits;
    whole bytes where it is None, as most encoders write."""
    data = writer.data()
    needed = -(-writer.length // 6)
    wanted = -(-8 * len(data) // 6) if length is None else max(length, needed)
    text = base64.urlsafe_b64encode(data + b"\0\0\0").decode("ascii").rstrip("=")
    return text[:wanted].ljust(wanted, "A")


def read_ids(reader: BitReader) -> Ids:
    """TCF's vendor section: highest id, then a bit for each or ranges."""
    highest = reader.unsigned(16)
    if not reader.flag():
        field = reader.unsigned(highest)
        ids = frozenset(one for one in range(1, highest + 1) if field >> (highest - one) & 1)
        return Ids(highest=highest, ids=ids)
    ranges = read_ranges(reader)
    for each in ranges:
        if each.last > highest:
            raise ValueError(f"vendor {each.last} stands in a list that ends at {highest}")
    return Ids(highest=highest, ids=_all_of(ranges), ranges=ranges)


def write_ids(writer: BitWriter, ids: Ids) -> None:
    writer.unsigned(ids.highest, 16)
    writer.flag(ids.ranges is not None)
    if ids.ranges is not None:
        write_ranges(writer, ids.ranges)
        return
    field = 0
    for one in ids.ids:
        if not 1 <= one <= ids.highest:
            raise ValueError(f"vendor {one} does not fit into a list that ends at {ids.highest}")
        field |= 1 << (ids.highest - one)
    writer.unsigned(field, ids.highest)


def read_ranges(reader: BitReader) -> tuple[IdRange, ...]:
    found = []
    for _ in range(reader.unsigned(12)):
        is_range = reader.flag()
        first = reader.unsigned(16)
        last = reader.unsigned(16) if is_range else first
        if not 1 <= first <= last:
            raise ValueError(f"a range runs from {first} to {last}")
        found.append(IdRange(first=first, last=last, alone=not is_range))
    return tuple(found)


def write_ranges(writer: BitWriter, ranges: tuple[IdRange, ...]) -> None:
    writer.unsigned(len(ranges), 12)
    for each in ranges:
        writer.flag(not each.alone)
        writer.unsigned(each.first, 16)
        if not each.alone:
            writer.unsigned(each.last, 16)


def _all_of(ranges: tuple[IdRange, ...]) -> frozenset[int]:
    return frozenset(one for each in ranges for one in range(each.first, each.last + 1))


def nothing_left(reader: BitReader) -> None:
    """Encoders fill up with zeros; anything else means that the fields were misread."""
    if reader.unsigned(reader.left):
        raise ValueError("something stands behind its last field")
