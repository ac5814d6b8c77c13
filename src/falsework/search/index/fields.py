"""What of a title conditions look at, and conditions as clauses over it: one form for every engine.

Engines turn a `Clause` into their own filter and keep a title's fields as their payload. Numbers stand
where a truth value would: Qdrant Edge 0.9 reads a sought True as the number 1, which equals no stored
true.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from falsework.catalogue.ratings import fit_for_children
from falsework.catalogue.records import Availability, Title
from falsework.search.index.protocol import Conditions
from falsework.search.text import folded

__all__ = ["NUMBERS", "WINDOWS", "WORDS", "Among", "Between", "Clause", "Inside", "clauses", "fields_of"]

WINDOWS = "windows"  # the field of a title's availability: a list of records
NUMBERS = ("kids", "year", "runtime")  # fields that engines index for comparing, and
WORDS = ("kind", "languages", "people", "tags")  # for equality
ALWAYS = 1e15  # seconds, either way from 1970: thirty million years, and exact in a float
EVERYWHERE = "worldwide"


@dataclass(frozen=True)
class Among:
    """The field, or one of its elements, is one of `values`."""

    field: str
    values: tuple[str, ...] | tuple[int, ...]


@dataclass(frozen=True)
class Between:
    """The field is at least `least`, at most `most` and more than `above`; None is open."""

    field: str
    least: float | None = None
    most: float | None = None
    above: float | None = None


@dataclass(frozen=True)
class Inside:
    """One record of the list `field` fulfils all of `clauses`."""

    field: str
    clauses: tuple[Among | Between, ...]


Clause = Among | Between | Inside


def fields_of(title: Title) -> dict[str, object]:
    """A title's fields by name. Unknown years and runtimes are left out: no comparison holds for them."""
    fields: dict[str, object] = {
        "kids": int(fit_for_children(title.rating)),
        "kind": title.kind,
        "languages": [language.lower() for language in title.languages],
        "people": _names(credit.name for credit in title.credits),
        "tags": _names((*title.genres, *title.moods)),
        WINDOWS: [_window(each) for each in title.availability or (Availability(),)],
    }
    if title.year is not None:
        fields["year"] = title.year
    if title.runtime is not None:
        fields["runtime"] = title.runtime
    return fields


def clauses(conditions: Conditions) -> tuple[list[Clause], list[Clause]]:
    """What must hold, and what must not."""
    must: list[Clause] = []
    if conditions.kids:
        must.append(Among("kids", (1,)))
    if conditions.kind:
        must.append(Among("kind", (conditions.kind,)))
    for field, span in (("year", conditions.years), ("runtime", conditions.runtime)):
        if span is not None and (span.least, span.most) != (None, None):
            must.append(Between(field, span.least, span.most))
    if conditions.languages:
        must.append(Among("languages", tuple(language.lower() for language in conditions.languages)))
    if conditions.people:
        must.append(Among("people", tuple(map(folded, conditions.people))))
    open_window: list[Among | Between] = []
    if conditions.territory:
        open_window.append(Among("territory", (conditions.territory.upper(), EVERYWHERE)))
    if conditions.at is not None:
        open_window.append(Between("starts", most=conditions.at))
        open_window.append(Between("ends", above=conditions.at))
    if open_window:
        must.append(Inside(WINDOWS, tuple(open_window)))
    must_not: list[Clause] = []
    if conditions.without:
        unwanted = tuple(map(folded, conditions.without))
        must_not += [Among("tags", unwanted), Among("people", unwanted)]
    return must, must_not


def _names(names: Iterable[str]) -> list[str]:
    """Each once, as they are compared; what has no letters is no name."""
    return list(filter(None, dict.fromkeys(map(folded, names))))


def _window(availability: Availability) -> dict[str, object]:
    starts, ends = availability.starts, availability.ends
    everywhere = availability.territory.lower() == EVERYWHERE
    return {
        "territory": EVERYWHERE if everywhere else availability.territory.upper(),
        "starts": -ALWAYS if starts is None else starts.timestamp(),
        "ends": ALWAYS if ends is None else ends.timestamp(),
    }
