"""Blocked and allowed categories of any of AdCOM's taxonomies, as products of Ad Product Taxonomy 2.0.

`mapping.csv` is our own judgement, row by row. A category without a row has that of the nearest one above
it, and where even that fails, of the narrowest block of numbers that holds it: rather too much is blocked
than too little. What cannot be placed at all is said in words, for the trace.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from falsework.ads.taxonomy.taxonomies import content, products

__all__ = ["AD_PRODUCT", "CONTENT", "DEFAULT", "NAMES", "Placed", "placed"]

# AdCOM 1.0, List: Category Taxonomies.
NAMES = {
    1: "Content Taxonomy 1.0",
    2: "Content Taxonomy 2.0",
    3: "Ad Product Taxonomy 1.0",
    4: "Audience Taxonomy 1.1",
    5: "Content Taxonomy 2.1",
    6: "Content Taxonomy 2.2",
    7: "Content Taxonomy 3.0",
    8: "Ad Product Taxonomy 2.0",
    9: "Content Taxonomy 3.1",
}
DEFAULT = 1  # OpenRTB's, where a request names no taxonomy
AD_PRODUCT = 8
CONTENT = (7, 9)  # those whose ids our catalogue's scenes have
# Content 2.x and 3.x give the same thing the same id; the few ids that only 2.x has stand in blocks.
TABLES = {1: "content 1", 3: "product 1", **dict.fromkeys((2, 5, 6, 7, 9), "content")}
OLDEST = re.compile(r"IAB\d{1,2}(-\d{1,4})?", re.IGNORECASE)  # a code of Content 1.0 cannot be mistaken
BLOCK = re.compile(r"(\d+)-(\d+)")
LONGEST_LIST = 1_000
REMEMBERED = 4_096  # lists; an exchange sends the same ones over and over


@dataclass(frozen=True)
class Placed:
    """Products (ids of Ad Product 2.0; what is below them is meant too); `notes` say what was not found."""

    products: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Table:
    """`rows` by id, `blocks` are (first, last, products), the narrowest first."""

    rows: dict[str, tuple[str, ...]]
    blocks: tuple[tuple[int, int, tuple[str, ...]], ...]

    def products_of(self, identifier: str, above: Iterable[str]) -> tuple[str, ...]:
        for one in (identifier, *above):
            if one in self.rows:
                return self.rows[one]
        if identifier.isascii() and identifier.isdigit():
            number = int(identifier)
            return next((found for first, last, found in self.blocks if first <= number <= last), ())
        return ()


@lru_cache(maxsize=REMEMBERED)
def placed(taxonomy: int | None, ids: tuple[str, ...]) -> Placed:
    """`taxonomy` by AdCOM's numbers, None where the request names none: OpenRTB then means Content 1.0, and
    ids that this has not are looked for in Ad Product 2.0."""
    found: dict[str, None] = {}
    unknown: list[str] = []
    for one in ids[:LONGEST_LIST]:
        of_one = _products(taxonomy, one.strip())
        if not of_one:
            unknown.append(one)
        found.update(dict.fromkeys(of_one))
    return Placed(tuple(found), _notes(taxonomy, unknown, len(ids)))


def _products(taxonomy: int | None, identifier: str) -> Sequence[str]:
    if OLDEST.fullmatch(identifier):
        code = identifier.upper()
        return _tables()["content 1"].products_of(code, (code.partition("-")[0],))
    if taxonomy is None or taxonomy == AD_PRODUCT:
        return (identifier,) if identifier in products().names else ()
    name = TABLES.get(taxonomy)
    if name is None:
        return ()
    above = content().above(identifier) if name == "content" else ()
    return _tables()[name].products_of(identifier, above)


def _notes(taxonomy: int | None, unknown: Sequence[str], given: int) -> tuple[str, ...]:
    notes = []
    if unknown:
        some = ", ".join(one[:20] for one in unknown[:5]) + (
            f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        )
        name = NAMES.get(taxonomy or DEFAULT, f"taxonomy {taxonomy}, which AdCOM does not have")
        notes.append(f"{some}: not found in {name}")
    if given > LONGEST_LIST:
        notes.append(f"only the first {LONGEST_LIST} of {given} categories were read")
    return tuple(notes)


@cache
def _tables() -> dict[str, _Table]:
    text = files("falsework.ads.taxonomy").joinpath("mapping.csv").read_text(encoding="utf-8")
    rows: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in TABLES.values()}
    blocks: dict[str, list[tuple[int, int, tuple[str, ...]]]] = {name: [] for name in TABLES.values()}
    for row in csv.DictReader(text.splitlines()):
        table, found = row["taxonomy"], tuple(row["products"].split())
        block = BLOCK.fullmatch(row["ids"])
        if block:
            blocks[table].append((int(block[1]), int(block[2]), found))
        else:
            rows[table][row["ids"]] = found
    return {
        name: _Table(rows[name], tuple(sorted(blocks[name], key=lambda block: block[1] - block[0])))
        for name in rows
    }
