"""Advertisements put into a break: the best value that fits its time and in which none disturbs another.

Candidates are few (the best ones by score), and a narrow beam over the slots finds most of what a greedy
choice would miss, such as two short ones that are worth more than a long one. A break of open length is
filled as long as something fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from falsework.ads.campaigns.book import Row
from falsework.ads.opportunity import Break, Slot

__all__ = ["SLACK", "Candidate", "Placed", "fill"]

BEAM = 4
MOST_IN_A_BREAK = 30
SLACK = 0.5  # seconds by which a length may be missed


@dataclass(frozen=True)
class Candidate:
    """A row of the book with what it is worth in this break; above nothing, or it would not be here."""

    number: int
    row: Row
    worth: float


@dataclass(frozen=True)
class Placed:
    candidate: Candidate
    slot: str
    starts: float  # seconds from the break's beginning


@dataclass(frozen=True)
class _Partial:
    placed: tuple[Placed, ...] = ()
    worth: float = 0.0
    ends: float = 0.0
    occupied: frozenset[str] = frozenset()
    avoided: frozenset[str] = frozenset()

    def grown(self, candidates: Sequence[Candidate], slot: Slot, left: float) -> list[_Partial]:
        """By each of the best candidates that fit."""
        found: list[_Partial] = []
        for one in candidates:
            row = one.row
            if not (self.avoided.isdisjoint(row.occupies) and self.occupied.isdisjoint(row.avoids)):
                continue
            if row.creative.duration > left + SLACK or not _fits(row, slot):
                continue
            found.append(
                _Partial(
                    (*self.placed, Placed(one, slot.id, self.ends)),
                    self.worth + one.worth,
                    self.ends + row.creative.duration,
                    self.occupied | row.occupies,
                    self.avoided | row.avoids,
                )
            )
            if len(found) == BEAM:
                break
        return found


def fill(asked: Break, candidates: Sequence[Candidate]) -> tuple[Placed, ...]:
    """`candidates` best first. At most one for each slot; no line item, advertiser, category or competitor
    twice in the break. What stays empty is for house advertisements."""
    found = _fill_slots(asked, candidates) if asked.slots else _fill_time(asked, candidates)
    return max(found, key=lambda partial: partial.worth, default=_Partial()).placed


def _fill_slots(asked: Break, candidates: Sequence[Candidate]) -> list[_Partial]:
    beam = [_Partial()]
    for slot in asked.slots:
        grown = list(beam)  # the slot may stay empty
        for partial in beam:
            left = asked.duration - partial.ends if asked.duration else float("inf")
            grown += partial.grown(candidates, slot, left)
        beam = _best(grown)
    return beam


def _fill_time(asked: Break, candidates: Sequence[Candidate]) -> list[_Partial]:
    beam, finished = [_Partial()], list[_Partial]()
    for number in range(min(asked.most or MOST_IN_A_BREAK, MOST_IN_A_BREAK)):
        slot = Slot(id=f"{asked.id}-{number + 1}", most=asked.duration)
        grown = []
        for partial in beam:
            more = partial.grown(candidates, slot, asked.duration - partial.ends)
            grown += more
            if not more:
                finished.append(partial)
        beam = _best(grown)
        if not beam:
            break
    return finished + beam


def _fits(row: Row, slot: Slot) -> bool:
    creative = row.creative
    if row.line_item.price < slot.floor or not set(creative.attributes).isdisjoint(slot.blocked_attributes):
        return False
    if slot.mime_types and creative.media and row.mime_types.isdisjoint(slot.mime_types):
        return False
    if slot.lengths:
        return any(abs(creative.duration - length) <= SLACK for length in slot.lengths)
    return slot.least - SLACK <= creative.duration <= slot.most + SLACK


def _best(grown: list[_Partial]) -> list[_Partial]:
    """The best of those that show different rows."""
    kept: dict[frozenset[int], _Partial] = {}
    for partial in sorted(grown, key=lambda one: -one.worth):
        kept.setdefault(frozenset(each.candidate.number for each in partial.placed), partial)
        if len(kept) == BEAM:
            break
    return list(kept.values())
