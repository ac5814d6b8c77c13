"""Advertisements put into a break: the best value that fits its time and in which none disturbs another.

Candidates are few (the best ones by score), and a narrow beam over the slots finds most of what a greedy
choice would miss, such as two short ones that are worth more than a long one. A break of open length is
filled as long as something fits. Which candidates are out because of those placed is one whole number with a
bit for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

    placed: tuple[tuple[int, int], ...] = ()
    shown: int = 0
    out: int = 0
    worth: float = 0.0
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
        self._durations = [one.row.creative.duration for one in candidates]
        # By what is occupied, or not borne beside itself, the candidates that do so.
        self._occupy: dict[str, int] = {}
        self._rival: dict[str, int] = {}
        bit = 1
        for one in candidates:
            for name in one.row.occupies:
                self._occupy[name] = self._occupy.get(name, 0) | bit
            for name in one.row.rivals:
                self._rival[name] = self._rival.get(name, 0) | bit
            bit <<= 1
        self._conflicts: dict[int, int] = {}
        self._out = 0
        for row in beside:
            self._out |= self._conflicting(row)
        self._all = (1 << len(candidates)) - 1
        self._of_length: dict[float, int] = {}
        for number, seconds in enumerate(self._durations):
            self._of_length[seconds] = self._of_length.get(seconds, 0) | 1 << number
        self._alike = len({key_of(slot) for slot in asked.slots}) <= 1

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
        best = max(found, key=lambda partial: partial.worth)
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
        found: list[_Partial] = []
        open_ = 0
        for seconds, of_length in self._of_length.items():
            if seconds <= left + SLACK:
                open_ |= of_length
        open_ &= fitting & ~partial.out
        while open_ and len(found) < BEAM:
            bit = open_ & -open_
            open_ ^= bit
            number = bit.bit_length() - 1
            found.append(
                _Partial(
                    (*partial.placed, (number, slot)),
                    partial.shown | bit,
                    partial.out | self._conflict(number),
                    partial.worth + self._candidates[number].worth,
                    partial.ends + self._durations[number],
                )
            )
        return found

    def _conflict(self, number: int) -> int:
        found = self._conflicts.get(number)
        if found is None:
            found = self._conflicts[number] = self._conflicting(self._candidates[number].row) | 1 << number
        return found

    def _conflicting(self, row: Row) -> int:
        """The candidates that may not stand beside a row."""
        found = 0
        for name in row.occupies:
            found |= self._occupy.get(name, 0) | self._rival.get(name, 0)
        for name in row.rivals:
            found |= self._occupy.get(name, 0)
        return found


def _best(grown: list[_Partial]) -> list[_Partial]:
    """The best of those that show different rows."""
    kept: dict[int, _Partial] = {}
    for partial in sorted(grown, key=lambda one: -one.worth):
        kept.setdefault(partial.shown, partial)
        if len(kept) == BEAM:
            break
    return list(kept.values())
