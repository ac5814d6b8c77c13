"""All line items side by side: a row for each creative, a column for each thing a break may ask.

A question about one attribute is a mask over all rows, made from the rows that name each value there is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from typing import TypeVar
from zlib import crc32

import numpy as np
import numpy.typing as npt

from falsework.ads.records import Campaign, Cap, Creative, LineItem

__all__ = ["Book", "Capped", "Row", "Targets"]

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
T = TypeVar("T", bound=np.generic)
NEAR = 240  # bits: eight digits of Python's whole numbers


@dataclass(frozen=True, eq=False)
class Row:
    """One creative of one line item of one campaign, equal to nothing but itself. `occupies` are the line
    item, advertiser and categories that a break then holds; `rivals`, besides these, are what may not be in
    it beside this row."""

    campaign: Campaign
    line_item: LineItem
    creative: Creative
    occupies: frozenset[str]
    rivals: frozenset[str] = frozenset()

    @classmethod
    def of(cls, campaign: Campaign, item: LineItem, creative: Creative) -> Row:
        domain = f"domain:{campaign.domain}"
        occupies = {domain, f"line_item:{item.id}", *(f"category:{one}" for one in item.categories)}
        rivals = {f"domain:{one}" for one in campaign.competitors}
        return cls(campaign, item, creative, frozenset(occupies), frozenset(rivals))

    def bears(self, other: Row) -> bool:
        """Whether both may stand in one break."""
        return (
            self.occupies.isdisjoint(other.occupies)
            and self.rivals.isdisjoint(other.occupies)
            and self.occupies.isdisjoint(other.rivals)
        )

    @cached_property
    def near(self) -> int:
        """A bit for each name in `occupies` and `rivals`, of a few hundred: rows that have none in common
        bear each other."""
        return reduce(or_, (1 << crc32(name.encode()) % NEAR for name in self.occupies | self.rivals), 0)

    @cached_property
    def mime_types(self) -> frozenset[str]:
        return frozenset(file[1] for file in self.creative.media)

    @cached_property
    def counters(self) -> tuple[str, ...]:
        """What an impression is counted under."""
        return (
            f"creative:{self.creative.id}",
            f"line_item:{self.line_item.id}",
            f"campaign:{self.campaign.id}",
            f"advertiser:{self.campaign.domain}",
        )


class Targets:
    """Which rows an attribute's value suits: those that name it, and those that name none. The masks are not
    the caller's to change."""

    def __init__(self, named: Sequence[Iterable[Hashable]]) -> None:
        self.open = np.array([not list(values) for values in named], dtype=np.bool_)
        rows: dict[Hashable, list[int]] = {}
        for row, values in enumerate(named):
            for value in values:
                rows.setdefault(value, []).append(row)
        # No masks: of thousands of advertisers, each has a few rows.
        self._named = {value: np.array(found, dtype=np.int32) for value, found in rows.items()}

    def suits(self, value: Hashable) -> Flags:
        return self.suits_any((value,))

    def suits_any(self, values: Iterable[Hashable]) -> Flags:
        return self._with(self.open, values)

    def names_any(self, values: Iterable[Hashable]) -> Flags:
        """Rows that name one of the values themselves."""
        return self._with(np.zeros_like(self.open), values)

    def _with(self, mask: Flags, values: Iterable[Hashable]) -> Flags:
        rows = [self._named[value] for value in values if value in self._named]
        if not rows:
            return mask
        found = mask.copy()
        for some in rows:
            found[some] = True
        return found


@dataclass(frozen=True)
class Capped:
    """`rows` (n,) may be shown `count` times in `seconds`, 0 for one stream."""

    count: int
    seconds: int
    rows: npt.NDArray[np.intp]


class Book:
    """Rows in the order of the campaigns' ids, so that the same campaigns always give the same book."""

    def __init__(self, campaigns: Iterable[Campaign]) -> None:
        self.campaigns = tuple(sorted(campaigns, key=lambda campaign: campaign.id))
        self.rows = tuple(
            Row.of(campaign, item, creative)
            for campaign in self.campaigns
            for item in campaign.line_items
            for creative in item.creatives
        )
        self.line_items = {row.line_item.id: row for row in self.rows}

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def starts(self) -> Floats:
        return self._column(lambda row: row.campaign.flight.starts, np.float64)

    @cached_property
    def ends(self) -> Floats:
        return self._column(lambda row: row.campaign.flight.ends, np.float64)

    @cached_property
    def price(self) -> Counts:
        """Micros for a thousand impressions."""
        return self._column(lambda row: row.line_item.price, np.int64)

    @cached_property
    def duration(self) -> Floats:
        """Seconds."""
        return self._column(lambda row: row.creative.duration, np.float64)

    @cached_property
    def still(self) -> Flags:
        return self._column(lambda row: row.creative.duration == 0, np.bool_)

    @cached_property
    def lengths(self) -> tuple[Floats, npt.NDArray[np.intp]]:
        """The different durations there are, and which of them each row has."""
        lengths, length = np.unique(self.duration, return_inverse=True)
        return lengths, length

    @cached_property
    def house(self) -> Flags:
        return self._column(lambda row: row.line_item.house, np.bool_)

    @cached_property
    def child_safe(self) -> Flags:
        return self._column(lambda row: row.line_item.child_safe, np.bool_)

    @cached_property
    def item(self) -> npt.NDArray[np.intp]:
        """The number of each row's line item."""
        return self._numbered(lambda row: row.line_item.id)

    @cached_property
    def domain(self) -> npt.NDArray[np.intp]:
        """The number of each row's advertiser."""
        return self._numbered(lambda row: row.campaign.domain)

    @cached_property
    def countries(self) -> Targets:
        return Targets([row.line_item.targeting.countries for row in self.rows])

    @cached_property
    def regions(self) -> Targets:
        return Targets([row.line_item.targeting.regions for row in self.rows])

    @cached_property
    def devices(self) -> Targets:
        return Targets([row.line_item.targeting.devices for row in self.rows])

    @cached_property
    def placements(self) -> Targets:
        return Targets([row.line_item.targeting.placements for row in self.rows])

    @cached_property
    def languages(self) -> Targets:
        return Targets([row.line_item.targeting.languages for row in self.rows])

    @cached_property
    def genres(self) -> Targets:
        return Targets([row.line_item.targeting.genres for row in self.rows])

    @cached_property
    def without_genres(self) -> Targets:
        return Targets([row.line_item.targeting.without_genres for row in self.rows])

    @cached_property
    def categories(self) -> Targets:
        return Targets([row.line_item.categories for row in self.rows])

    @cached_property
    def domains(self) -> Targets:
        return Targets([(row.campaign.domain,) for row in self.rows])

    @cached_property
    def attributes(self) -> Targets:
        return Targets([row.creative.attributes for row in self.rows])

    @cached_property
    def mime_types(self) -> Targets:
        return Targets([row.mime_types for row in self.rows])

    @cached_property
    def vendors(self) -> tuple[tuple[frozenset[int], Flags], ...]:
        """Each set of vendors that rows need consent for, with its rows."""
        sets: dict[frozenset[int], Flags] = {}
        for at, row in enumerate(self.rows):
            needed = frozenset(row.line_item.vendors)
            sets.setdefault(needed, np.zeros(len(self), dtype=np.bool_))[at] = True
        return tuple(sets.items())

    @cached_property
    def caps(self) -> Mapping[str, tuple[Capped, ...]]:
        """By the name an impression is counted under (creative, line item, campaign, advertiser): what it may
        close."""
        levels: tuple[Callable[[Row], tuple[Cap, ...]], ...] = (
            lambda row: row.creative.caps,
            lambda row: row.line_item.caps,
            lambda row: row.campaign.caps,
            lambda row: row.campaign.advertiser_caps,
        )
        found: dict[str, dict[Cap, list[int]]] = {}
        for at, row in enumerate(self.rows):
            for counter, caps_of in zip(row.counters, levels, strict=True):
                for cap in caps_of(row):
                    found.setdefault(counter, {}).setdefault(cap, []).append(at)
        return {
            counter: tuple(
                Capped(cap.count, cap.seconds, np.array(rows, dtype=np.intp)) for cap, rows in caps.items()
            )
            for counter, caps in found.items()
        }

    @cached_property
    def seats(self) -> Targets:
        return Targets([(row.campaign.advertiser,) for row in self.rows])

    def _column(self, value: Callable[[Row], object], kind: type[T]) -> npt.NDArray[T]:
        return np.array([value(row) for row in self.rows], dtype=kind)

    def _numbered(self, value: Callable[[Row], str]) -> npt.NDArray[np.intp]:
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(value(row), len(numbers)) for row in self.rows], dtype=np.intp)
