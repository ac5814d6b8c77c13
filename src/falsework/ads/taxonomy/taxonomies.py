"""The two taxonomies as trees: Ad Product Taxonomy 2.0 and Content Taxonomy 3.1 of the IAB Tech Lab."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Taxonomy", "content", "products"]


@dataclass(frozen=True)
class Taxonomy:
    """`names` by id, `parents` by id ("" at the top)."""

    names: Mapping[str, str]
    parents: Mapping[str, str]

    def with_all_below(self, ids: Iterable[str]) -> frozenset[str]:
        """The ids and everything under them; those that are not in the taxonomy stay as they are."""
        wanted = set(ids)
        return frozenset(wanted | {one for one in self.names if wanted.intersection(self.above(one))})

    def above(self, identifier: str) -> tuple[str, ...]:
        """From the parent to the top."""
        found: list[str] = []
        parent = self.parents.get(identifier, "")
        # Some rows of the published file name themselves as their parent.
        while parent and parent != identifier and parent not in found:
            found.append(parent)
            parent = self.parents.get(parent, "")
        return tuple(found)


@cache
def products() -> Taxonomy:
    return _read("product_2.0.tsv", "Unique ID", "Parent ID")


@cache
def content() -> Taxonomy:
    return _read("content_3.1.tsv", "Unique ID", "Parent")


def _read(name: str, identifier: str, parent: str) -> Taxonomy:
    text = files("falsework.ads.taxonomy").joinpath(name).read_text(encoding="utf-8-sig")
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(identifier))
    rows = [row for row in csv.DictReader(lines[start:], delimiter="\t") if (row[identifier] or "").strip()]
    return Taxonomy(
        names={row[identifier].strip(): (row["Name"] or "").strip() for row in rows},
        parents={row[identifier].strip(): (row[parent] or "").strip() for row in rows},
    )
