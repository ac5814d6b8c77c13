"""The sections of US privacy law in a GPP string: the national one and those of the states.

All are alike: a version, then values of two bits under names that `us_sections.csv` lists from the IAB Tech
Lab's specifications of each section, then, in most, a segment with the Global Privacy Control. Maryland,
Indiana, Kentucky and Rhode Island put a header before and move sensitive data into a segment; strings without
their header are about as well, and both are read.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec

from falsework.ads.bits import BitReader, BitWriter
from falsework.ads.consent.fibonacci import read_fibonacci_ranges
from falsework.ads.consent.segments import bits_of, nothing_left, text_of

__all__ = ["UsSection", "layouts", "prefix_of", "read_us_section", "write_us_section"]

GPC = SENSITIVE = 1  # the type of the one optional segment there is
SENSITIVE_CATEGORIES = 8
BARE_SENSITIVE = 3  # characters
WITHIN_A_CHARACTER = 6  # bits
Values = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Layout:
    """One section at one version: `fields` are (name, how many values of two bits)."""

    id: int
    prefix: str
    version: int
    fields: tuple[tuple[str, int], ...]
    has_gpc: bool
    headed: bool
    has_sensitive: bool


class UsSection(msgspec.Struct, frozen=True, kw_only=True, tag="us"):
    """`values`: 0 not applicable, 1 yes (a notice was given, opted out) or no consent, 2 no (did not opt out)
    or consent; several where a field has categories. `gpc`: the browser's Global Privacy Control, None where
    it is not told. `header`: the section's own, as it was written. `lengths`: characters of each piece."""

    id: int
    version: int
    values: dict[str, tuple[int, ...]]
    gpc: bool | None = None
    sensitive: tuple[int, ...] | None = None
    header: str = ""
    rest: int = 0
    lengths: tuple[int, ...] | None = None

    def first(self, name: str) -> int | None:
        """A field's first or only value; None where the section has no such field."""
        found = self.values.get(name)
        return found[0] if found else None


@cache
def layouts() -> dict[tuple[int, int], Layout]:
    """By section id and version."""
    table = files("falsework.ads.consent").joinpath("us_sections.csv").read_text(encoding="utf-8")
    found = {}
    for row in csv.DictReader(table.splitlines()):
        fields = []
        for field in row["core"].split():
            name, _, count = field.partition(":")
            fields.append((name, int(count or 1)))
        signals = row["signals"].split()
        layout = Layout(
            id=int(row["id"]),
            prefix=row["prefix"],
            version=int(row["version"]),
            fields=tuple(fields),
            has_gpc="gpc" in signals,
            headed="headed" in signals,
            has_sensitive="sensitive" in signals,
        )
        found[layout.id, layout.version] = layout
    return found


@cache
def prefix_of(section: int) -> str:
    return next((layout.prefix for layout in layouts().values() if layout.id == section), "")


def read_us_section(section: int, text: str) -> UsSection:
    """Raises ValueError with what does not fit."""
    pieces = text.split(".")
    lengths = tuple(len(piece.rstrip("=")) for piece in pieces)
    header = ""
    if any(layout.headed for layout in layouts().values() if layout.id == section):
        start = bits_of(pieces[0])
        if start.unsigned(6) == section:
            header, pieces = pieces[0], pieces[1:]
            start.unsigned(6)
            read_fibonacci_ranges(start)
        if not pieces:
            raise ValueError("its core is missing")
    version = bits_of(pieces[0]).unsigned(6)
    layout, values, rest = _read_core(section, version, pieces[0])
    gpc, sensitive = None, None
    for piece in pieces[1:]:
        reader = bits_of(piece)
        if layout.has_sensitive and (header or _is_bare(piece)) and sensitive is None:
            sensitive = _two_bit_values(reader, SENSITIVE_CATEGORIES)
        elif reader.unsigned(2) != GPC or (gpc, sensitive) != (None, None):
            raise ValueError("it has a segment that is not known, or one twice")
        elif layout.has_sensitive:
            sensitive = _two_bit_values(reader, SENSITIVE_CATEGORIES)
        elif layout.has_gpc:
            gpc = reader.flag()
        else:
            raise ValueError("it has a segment that its specification does not have")
        nothing_left(reader)
    return UsSection(
        id=section,
        version=version,
        values=values,
        gpc=gpc,
        sensitive=sensitive,
        header=header,
        rest=rest,
        lengths=lengths,
    )


def _read_core(section: int, version: int, piece: str) -> tuple[Layout, Values, int]:
    """(layout, values, rest). The version's own layout; where that leaves something over, one of another
    version that leaves nothing: several consent platforms write the fields of 2 under the number 1."""
    own = layouts().get((section, version))
    if own is None:
        raise ValueError(f"its version {version} is not known")
    left = 0
    for layout in (own, *(one for one in layouts().values() if one.id == section and one is not own)):
        reader = bits_of(piece)
        reader.unsigned(6)
        if reader.left < 2 * sum(count for _, count in layout.fields) and layout is not own:
            continue
        values = {name: _two_bit_values(reader, count) for name, count in layout.fields}
        bits = reader.left
        rest = reader.unsigned(bits)
        if not rest:
            return layout, values, 0
        if layout is own and bits < WITHIN_A_CHARACTER:
            left = rest
            found = values
    if left:
        return own, found, left
    raise ValueError("something stands behind its last field")


def _is_bare(piece: str) -> bool:
    """Sensitive data as the IAB's own encoder writes them, without the segment's type."""
    return len(piece.rstrip("=")) == BARE_SENSITIVE


def write_us_section(section: UsSection) -> str:
    """Raises ValueError with what does not fit."""
    layout = _layout_for(section)
    lengths = list(section.lengths or ())
    pieces = []
    if section.header:
        pieces.append(section.header)
        lengths = lengths[1:]
    writer = BitWriter()
    writer.unsigned(section.version, 6)
    for name, count in layout.fields:
        given = section.values.get(name, ())
        if len(given) != count:
            raise ValueError(f"{name} needs {count} values and has {len(given)}")
        for value in given:
            writer.unsigned(value, 2)
    if section.rest:
        writer.unsigned(section.rest, -writer.length % 6)
    writers = [writer]
    if section.gpc is not None:
        writers.append(BitWriter())
        writers[-1].unsigned(GPC, 2)
        writers[-1].flag(section.gpc)
    if section.sensitive is not None:
        writers.append(BitWriter())
        if not section.header and lengths[-1:] != [BARE_SENSITIVE]:
            writers[-1].unsigned(SENSITIVE, 2)
        for value in section.sensitive:
            writers[-1].unsigned(value, 2)
    told = lengths if len(lengths) == len(writers) else [None] * len(writers)
    pieces += [text_of(each, length) for each, length in zip(writers, told, strict=True)]
    return ".".join(pieces)


def _layout_for(section: UsSection) -> Layout:
    """That of its version, or the one whose fields it has."""
    own = layouts().get((section.id, section.version))
    if own is None:
        raise ValueError(f"section {section.id} of version {section.version} is not known")
    others = (one for one in layouts().values() if one.id == section.id)
    fitting = (
        one
        for one in (own, *others)
        if all(len(section.values.get(name, ())) == count for name, count in one.fields)
    )
    return next(fitting, own)


def _two_bit_values(reader: BitReader, count: int) -> tuple[int, ...]:
    return tuple(reader.unsigned(2) for _ in range(count))
