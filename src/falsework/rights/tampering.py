"""What is wrong with a ledger, event by event: rows in, faults out.

Each row is checked for itself (its digest against its payload), in its place (the sequence it was written
with) and in the chain (the digest of the one before); the end is checked against the ledger's head, all of
it against anchors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from falsework.rights import merkle
from falsework.rights.anchors import Anchor
from falsework.rights.clock import CLOCK, corrects
from falsework.rights.events import BACKWARDS, BEFORE_ALL, Event, time_text

__all__ = ["Fault", "Head", "Link", "check", "in_order", "links_of", "read_row"]

Kind = Literal[
    "edited", "removed", "reordered", "truncated", "added", "rewritten", "unreadable", "time", "head",
    "anchor",
]  # fmt: skip
Row = tuple[object, object, object]  # sequence, payload, digest, as the database gives them


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a ledger.

    kind    what was done to it
    event   sequence of the (first) event it was done to; None for the head or a file of anchors
    words   a sentence for people
    """

    kind: Kind
    event: int | None
    words: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "event": self.event, "words": self.words}


@dataclass(frozen=True)
class Head:
    """The ledger's own note of its end: number of events, tree root, digest of the last event."""

    size: int = 0
    root: bytes = merkle.EMPTY_ROOT
    last: bytes = BEFORE_ALL

    @classmethod
    def read(cls, size: object, root: object, last: object) -> Head:
        """The head of a row; ValueError where it cannot be one."""
        if type(size) is not int or size < 0:
            raise ValueError("its size is not a number of events")
        for one in (root, last):
            if not isinstance(one, bytes) or len(one) != merkle.HASH_SIZE:
                raise ValueError("its root or last digest is not a hash")
        assert isinstance(root, bytes)
        assert isinstance(last, bytes)
        return cls(size, root, last)


@dataclass(frozen=True)
class Link:
    """A row as the checks need it: its place, and what was written there (None where that is damaged)."""

    place: int
    sequence: int | None = None
    previous: bytes = b""
    digest: bytes = b""
    time: datetime | None = None
    why: str = ""  # what is wrong with a damaged one
    event: Event | None = field(default=None, compare=False, repr=False)  # of one that may correct a clock

    @classmethod
    def of(cls, row: Row, expected: int) -> Link:
        place = row[0]
        if type(place) is not int:
            return cls(expected, why="its number is no number")
        try:
            event = read_row(row)
        except ValueError as error:
            return cls(place, why=str(error))
        kept = event if event.body.get("about") == CLOCK else None
        return cls(place, event.sequence, event.previous, event.digest, event.time, event=kept)


def read_row(row: Row) -> Event:
    """The event of a row; ValueError, in words, where payload and digest do not belong together."""
    _, payload, digest = row
    if not isinstance(payload, bytes) or not isinstance(digest, bytes):
        raise ValueError("what is stored are no bytes")
    if merkle.leaf_hash(payload) != digest:
        raise ValueError("its content does not have the digest that is stored with it")
    return Event.read(payload)


def check(links: Sequence[Link], head: Head | None, anchors: Sequence[Anchor] = ()) -> list[Fault]:
    """Faults of these rows; `head` is None where it cannot be read, which the caller reports."""
    faults = [] if _chained(links) else _in_detail(links)
    faults += _against_head(links, head, damaged=bool(faults))
    faults += _against_anchors(links, anchors, faults)
    faults += _backwards(links)
    return in_order(faults)


def in_order(faults: Iterable[Fault]) -> list[Fault]:
    """In the order of the events; what concerns none comes last."""
    return sorted(faults, key=lambda fault: math.inf if fault.event is None else fault.event)


def _chained(links: Sequence[Link]) -> bool:
    """Whether all is as it was written, up to the last row."""
    previous = BEFORE_ALL
    for number, link in enumerate(links):
        if not number == link.place == link.sequence or link.previous != previous:
            return False
        previous = link.digest
    return True


def _in_detail(links: Sequence[Link]) -> list[Fault]:
    """What was done to which of the rows, from what is written in each."""
    faults: list[Fault] = []
    written: dict[int, Link] = {}
    for link in links:
        if link.sequence is None:
            faults.append(Fault("edited", link.place, f"event {link.place} was edited: {link.why}"))
        elif link.sequence in written:
            words = f"event {link.sequence} is there twice, again at {link.place}"
            faults.append(Fault("added", link.sequence, words))
        else:
            written[link.sequence] = link
    moved = [(sequence, link.place) for sequence, link in written.items() if link.place != sequence]
    for first, last, by in _shifts(moved):
        if first == last:
            words = f"event {first} was moved to place {first + by}"
        else:
            words = f"{_span(first, last + 1)} moved by {by:+d}, to place {first + by} and on"
        faults.append(Fault("reordered", first, words))
    damaged = {link.place for link in links if link.sequence is None}
    for first, stop in _gaps(sorted(damaged | set(written))):
        faults.append(Fault("removed", first, f"{_span(first, stop)} removed"))
    faults += _unchained(written)
    if not faults:
        faults.append(Fault("unreadable", None, "the events do not come in their order; the file is damaged"))
    return faults


def _unchained(written: Mapping[int, Link]) -> Iterator[Fault]:
    """Events, by the sequence they were written with, that the next one was not chained to."""
    for sequence, link in sorted(written.items()):
        before = written.get(sequence - 1)
        if sequence == 0 and link.previous != BEFORE_ALL:
            yield Fault("edited", 0, "event 0 was edited: it is chained to an event before it")
        elif before is not None and link.previous != before.digest:
            after = written.get(sequence + 1)
            either = "" if after is None or after.previous == link.digest else f" or event {sequence}"
            words = f"event {sequence - 1}{either} was edited: event {sequence} is chained to another digest"
            yield Fault("edited", sequence - 1, words)


def _backwards(links: Sequence[Link]) -> Iterator[Fault]:
    """Events dated by a clock that had been set back: what had ended may have been taken to hold. A named
    person's decision that the clock was ahead is none."""
    latest: Link | None = None
    was: datetime | None = None
    for link in links:
        if link.time is None:
            continue
        before, was = was, link.time
        corrected = link.event is not None and before is not None and corrects(link.event, before)
        if corrected or latest is None or latest.time is None or link.time >= latest.time:
            latest = link
        elif latest.time - link.time > BACKWARDS:
            words = (
                f"event {link.place} is dated {time_text(link.time)}, before event {latest.place}, "
                f"of {time_text(latest.time)}: the clock was set back"
            )
            yield Fault("time", link.place, words)
            latest = link  # the first that runs back is named, not all after it


def _against_head(links: Sequence[Link], head: Head | None, *, damaged: bool) -> Iterator[Fault]:
    if head is None:
        return
    end = _end(links)
    if end < head.size:
        yield Fault(
            "truncated", end,
            f"the end was cut off: {_span(end, head.size)} missing of the {head.size} that the head counts",
        )  # fmt: skip
    elif end > head.size:
        yield Fault(
            "added", head.size,
            f"{_span(head.size, end)} added, or the head edited: it counts {head.size} events",
        )  # fmt: skip
    elif not damaged:
        same_last = head.last == (links[-1].digest if links else BEFORE_ALL)
        same_root = head.root == merkle.root(link.digest for link in links)
        if not same_last and not same_root and links:
            yield Fault("edited", end - 1, f"event {end - 1} was edited: the head counts another as the last")
        elif not (same_last and same_root):
            yield Fault("head", None, "the head was edited: it does not fit the events, which fit each other")


def _against_anchors(
    links: Sequence[Link], anchors: Sequence[Anchor], faults: Sequence[Fault]
) -> Iterator[Fault]:
    """What only anchors show: an end that was cut off together with the head, and events all written anew."""
    end = _end(links)
    cut = any(fault.kind == "truncated" for fault in faults)
    first = min((fault.event for fault in faults if fault.event is not None), default=end)
    leaves = [link.digest for link in links[:first]]  # before the first fault all lie in their places
    peaks, good = merkle.Peaks(), 0
    for anchor in sorted(anchors, key=lambda anchor: anchor.size):
        taken = f"the anchor of {time_text(anchor.time)}"
        if anchor.size > end and not cut:
            cut = True
            what = f"{_span(end, anchor.size)} missing of the {anchor.size} that {taken} counts"
            yield Fault("truncated", end, f"the end was cut off: {what}")
        if anchor.size > first:
            continue  # an event within has been named already
        for leaf in leaves[peaks.size : anchor.size]:
            peaks.add(leaf)
        if peaks.root() == anchor.root:
            good = anchor.size
            continue
        what = f"{_span(good, anchor.size)} not what {taken} was taken of"
        words = f"{what}: written anew since, or the anchor belongs to another ledger"
        yield Fault("rewritten", min(good, max(anchor.size - 1, 0)), words)
        first = good


def _end(links: Iterable[Link]) -> int:
    """The sequence after the last event's."""
    return 1 + max((link.place if link.sequence is None else link.sequence for link in links), default=-1)


def _span(start: int, stop: int) -> str:
    """Words for the events from `start` to before `stop`, with their verb."""
    if stop - start <= 1:
        return f"event {start} is"
    return f"events {start} to {stop - 1} are"


def _gaps(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Stretches (start, stop) of whole numbers from 0 that are missing before the last of `numbers`."""
    expected = 0
    for number in numbers:
        if number > expected:
            yield expected, number
        expected = number + 1


def _shifts(moved: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Moves (sequence, place) gathered into stretches (first, last, by) that moved by the same number."""
    stretch: tuple[int, int, int] | None = None
    for sequence, place in sorted(moved):
        by = place - sequence
        if stretch is not None and stretch[2] == by and sequence == stretch[1] + 1:
            stretch = (stretch[0], sequence, by)
            continue
        if stretch is not None:
            yield stretch
        stretch = (sequence, sequence, by)
    if stretch is not None:
        yield stretch


def links_of(rows: Iterable[Row]) -> Iterator[Link]:
    """Rows as the checks need them; a place that is no number counts as the next one."""
    expected = 0
    for row in rows:
        link = Link.of(row, expected)
        expected = link.place + 1
        yield link
