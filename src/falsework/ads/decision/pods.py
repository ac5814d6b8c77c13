"""Advertisements put into a break: the best value that fits its time and in which none disturbs another.

Candidates are few (the best ones by score), and a narrow beam over the slots finds most of what a greedy
choice would miss, such as two short ones that are worth more than a long one. A break of open length is
filled as long as something fits. Which candidates are out because of those placed is one whole number with a
bit for each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import itemgetter, or_
from typing import NamedTuple

from falsework.ads.campaigns.book import Row
from falsework.ads.decision.filters import floor_of, key_of
from falsework.ads.decision.forms import SLACK, fits
from falsework.ads.opportunity import Break, Slot

__all__ = ["MOST_IN_A_BREAK", "SLACK", "Placed", "fill"]

BEAM = 3
FIRST_LOOK = 24  # candidates that fill most breaks; the others are looked at where these do not
MOST_IN_A_BREAK = 30
ENDLESS = float("inf")
_WORTH = itemgetter(0)  # of a partial


class Placed(NamedTuple):
    """`candidate` by its place among them; `starts`: seconds from the break's beginning."""

    candidate: int
    row: Row
    slot: str
    starts: float


# What a part of a break is worth; (candidate, slot) for each placed in it, by number; who they are and who
# none of them bears beside it, a bit for each; and where they end. Plain, since many are made for a break.
_Partial = tuple[float, tuple[tuple[int, int], ...], int, int, float]


def fill(
    asked: Break, rows: Sequence[Row], worth: Sequence[float], beside: Iterable[Row] = ()
) -> tuple[Placed, ...]:
    """The candidates' `rows`, best first, each of which fits at least one slot, and what they are `worth` in
    this break, above nothing. At most one for each slot; no line item, advertiser, category or competitor
    twice in the break, nor one that may not stand beside those of `beside`. What stays empty is for house
    advertisements."""
    if not rows:
        return ()
    beside = tuple(beside)
    if len(rows) > FIRST_LOOK:
        first = _Filling(asked, rows[:FIRST_LOOK], worth, beside)
        placed = first.placed()
        if first.is_full(placed, min([row.creative.duration for row in rows[FIRST_LOOK:]])):
            return placed
    return _Filling(asked, rows, worth, beside).placed()


class _Filling:
    def __init__(
        self, asked: Break, rows: Sequence[Row], worth: Sequence[float], beside: Iterable[Row]
    ) -> None:
        self._asked, self._rows, self._worth = asked, rows, worth
        self._durations = [row.creative.duration for row in rows]
        self._near = [row.near for row in rows]
        self._conflicts: dict[int, int] = {}
        self._out = 0
        for row in beside:
            self._out |= self._conflicting(row)
        self._all = (1 << len(rows)) - 1
        # The candidates that are no longer than each length there is.
        of_length: dict[float, int] = {}
        for number, seconds in enumerate(self._durations):
            of_length[seconds] = of_length.get(seconds, 0) | 1 << number
        self._lengths = sorted(of_length)
        self._within = list(accumulate([of_length[seconds] for seconds in self._lengths], or_, initial=0))
        self._alike = len({key_of(slot) for slot in asked.slots}) <= 1 if asked.slots else True

    def is_full(self, placed: Sequence[Placed], shortest: float) -> bool:
        """Whether nothing of this many seconds could be added."""
        asked = self._asked
        if asked.slots:
            return len(placed) == len(asked.slots)
        ends = sum([one.row.creative.duration for one in placed])
        return len(placed) == asked.most or ends + shortest > asked.duration + SLACK

    def placed(self) -> tuple[Placed, ...]:
        asked = self._asked
        found = self._slots(asked.slots) if asked.slots else self._time()
        best = max(found, key=_WORTH)
        result, ends = [], 0.0
        for number, slot in best[1]:
            name = asked.slots[slot].id if asked.slots else f"{asked.id}-{slot + 1}"
            result.append(Placed(number, self._rows[number], name, ends))
            ends += self._durations[number]
        return tuple(result)

    def _slots(self, slots: Sequence[Slot]) -> list[_Partial]:
        beam = [_nothing(self._out)]
        for number, slot in enumerate(slots):
            # The slot may stay empty.
            beam = _best(beam + self._grown(beam, number, self._that_fit(slot), BEAM))
        return beam

    def _time(self) -> list[_Partial]:
        asked = self._asked
        beam, finished = [_nothing(self._out)], list[_Partial]()
        fitting = self._that_fit(asked.each or Slot(id=asked.id, most=asked.duration))
        most = min(asked.most or MOST_IN_A_BREAK, MOST_IN_A_BREAK)
        for number in range(most):
            finished += beam
            # Nothing comes after the last one, so nothing but the best can be.
            beam = _best(self._grown(beam, number, fitting, BEAM if number + 1 < most else 1))
            if not beam:
                break
        return finished + beam

    def _that_fit(self, slot: Slot) -> int:
        if self._alike:
            return self._all
        found, bit = 0, 1
        for row in self._rows:
            if row.line_item.price >= floor_of(slot, row.creative.duration) and fits(row, slot):
                found |= bit
            bit <<= 1
        return found

    def _grown(self, beam: Sequence[_Partial], slot: int, fitting: int, most: int) -> list[_Partial]:
        """Each by so many, at most, of the best candidates that fit; those that show the same once."""
        worths, durations, conflicts = self._worth, self._durations, self._conflicts
        room = (self._asked.duration or ENDLESS) + SLACK
        found: dict[int, _Partial] = {}
        for worth, placed, shown, out, ends in beam:
            open_ = self._within[bisect_right(self._lengths, room - ends)] & fitting & ~out
            left = most
            while open_ and left:
                bit = open_ & -open_
                open_ ^= bit
                left -= 1
                if shown | bit in found:
                    continue
                number = bit.bit_length() - 1
                conflict = conflicts.get(number)
                if conflict is None:
                    conflict = conflicts[number] = self._conflicting(self._rows[number]) | bit
                found[shown | bit] = (
                    worth + worths[number],
                    (*placed, (number, slot)),
                    shown | bit,
                    out | conflict,
                    ends + durations[number],
                )
        return list(found.values())

    def _conflicting(self, row: Row) -> int:
        """The candidates that may not stand beside a row."""
        near, rows = row.near, self._rows
        found = 0
        for number in [number for number, its in enumerate(self._near) if its & near]:
            if rows[number] is row or not row.bears(rows[number]):
                found |= 1 << number
        return found


def _nothing(out: int) -> _Partial:
    return 0.0, (), 0, out, 0.0


def _best(grown: list[_Partial]) -> list[_Partial]:
    """The best of those that show different rows."""
    grown.sort(key=_WORTH, reverse=True)
    kept: dict[int, _Partial] = {}
    for partial in grown:
        kept.setdefault(partial[2], partial)
        if len(kept) == BEAM:
            break
    return list(kept.values())
