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

__all__ = ["MOST_IN_A_BREAK", "SLACK", "Candidate", "Placed", "fill"]

BEAM = 3
FIRST_LOOK = 24  # candidates that fill most breaks; the others are looked at where these do not
MOST_IN_A_BREAK = 30
ENDLESS = float("inf")
_WORTH = itemgetter(0)  # of a partial


class Candidate(NamedTuple):
    """A row of the book with what it is worth in this break; above nothing, or it would not be here."""

    number: int
    row: Row
    worth: float


class Placed(NamedTuple):
    """`starts`: seconds from the break's beginning."""

    candidate: Candidate
    slot: str
    starts: float


class _Partial(NamedTuple):
    """`placed` are (candidate, slot), both by number; `out` are the candidates that none of them bears."""

    worth: float = 0.0
    placed: tuple[tuple[int, int], ...] = ()
    shown: int = 0
    out: int = 0
    ends: float = 0.0


def fill(asked: Break, candidates: Sequence[Candidate], beside: Iterable[Row] = ()) -> tuple[Placed, ...]:
    """`candidates`, best first, each of which fits at least one slot. At most one for each slot; no line
    item, advertiser, category or competitor twice in the break, nor one that may not stand beside those of
    `beside`. What stays empty is for house advertisements."""
    if not candidates:
        return ()
    beside = tuple(beside)
    if len(candidates) > FIRST_LOOK:
        first = _Filling(asked, candidates[:FIRST_LOOK], beside)
        placed = first.placed()
        if first.is_full(placed, min(one.row.creative.duration for one in candidates[FIRST_LOOK:])):
            return placed
    return _Filling(asked, candidates, beside).placed()


class _Filling:
    def __init__(self, asked: Break, candidates: Sequence[Candidate], beside: Iterable[Row]) -> None:
        self._asked, self._candidates = asked, candidates
        self._rows = [one.row for one in candidates]
        self._durations = [row.creative.duration for row in self._rows]
        self._worth = [one.worth for one in candidates]
        self._near = [row.near for row in self._rows]
        self._conflicts: dict[int, int] = {}
        self._out = 0
        for row in beside:
            self._out |= self._conflicting(row)
        self._all = (1 << len(candidates)) - 1
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
        ends = sum(one.candidate.row.creative.duration for one in placed)
        return len(placed) == asked.most or ends + shortest > asked.duration + SLACK

    def placed(self) -> tuple[Placed, ...]:
        asked = self._asked
        found = self._slots(asked.slots) if asked.slots else self._time()
        best = max(found, key=_WORTH)
        result, ends = [], 0.0
        for number, slot in best.placed:
            name = asked.slots[slot].id if asked.slots else f"{asked.id}-{slot + 1}"
            result.append(Placed(self._candidates[number], name, ends))
            ends += self._durations[number]
        return tuple(result)

    def _slots(self, slots: Sequence[Slot]) -> list[_Partial]:
        beam = [_Partial(out=self._out)]
        for number, slot in enumerate(slots):
            grown = list(beam)  # the slot may stay empty
            fitting = self._that_fit(slot)
            for partial in beam:
                left = self._asked.duration - partial.ends if self._asked.duration else ENDLESS
                grown += self._grown(partial, number, fitting, left)
            beam = _best(grown)
        return beam

    def _time(self) -> list[_Partial]:
        asked = self._asked
        beam, finished = [_Partial(out=self._out)], list[_Partial]()
        each = asked.each or Slot(id=asked.id, most=asked.duration)
        fitting = self._that_fit(each)
        for number in range(min(asked.most or MOST_IN_A_BREAK, MOST_IN_A_BREAK)):
            grown = []
            for partial in beam:
                more = self._grown(partial, number, fitting, asked.duration - partial.ends)
                grown += more
                if not more:
                    finished.append(partial)
            if not grown:
                return finished
            beam = _best(grown)
        return finished + beam

    def _that_fit(self, slot: Slot) -> int:
        if self._alike:
            return self._all
        found, bit = 0, 1
        for one in self._candidates:
            if one.row.line_item.price >= floor_of(slot, one.row.creative.duration) and fits(one.row, slot):
                found |= bit
            bit <<= 1
        return found

    def _grown(self, partial: _Partial, slot: int, fitting: int, left: float) -> list[_Partial]:
        """By each of the best candidates that fit."""
        worth, placed, shown, out, ends = partial
        open_ = self._within[bisect_right(self._lengths, left + SLACK)] & fitting & ~out
        found: list[_Partial] = []
        while open_ and len(found) < BEAM:
            bit = open_ & -open_
            open_ ^= bit
            number = bit.bit_length() - 1
            conflict = self._conflicts.get(number)
            if conflict is None:
                conflict = self._conflicts[number] = self._conflicting(self._rows[number]) | bit
            found.append(
                _Partial._make(
                    (
                        worth + self._worth[number],
                        (*placed, (number, slot)),
                        shown | bit,
                        out | conflict,
                        ends + self._durations[number],
                    )
                )
            )
        return found

    def _conflicting(self, row: Row) -> int:
        """The candidates that may not stand beside a row."""
        found, near = 0, row.near
        for number, its in enumerate(self._near):
            if its & near and not row.bears(self._rows[number]):
                found |= 1 << number
        return found


def _best(grown: list[_Partial]) -> list[_Partial]:
    """The best of those that show different rows."""
    grown.sort(key=_WORTH, reverse=True)
    kept: dict[int, _Partial] = {}
    for partial in grown:
        kept.setdefault(partial.shown, partial)
        if len(kept) == BEAM:
            break
    return list(kept.values())
