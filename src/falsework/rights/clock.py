"""A clock that stood ahead, set right: the one event that may be dated before the event it comes after.

A named person says so, in a decision that names the date the ledger had come to and the date it is. From
there on the ledger's dates go by the corrected clock. What was written before, and is dated after it, keeps
its place and its bytes; of that, who let something pass has to say so again (`State.misdated`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from falsework.rights.events import Event, time_text
from falsework.rights.records import Decision, record_id

__all__ = [
    "CLOCK",
    "Correction",
    "contradicted",
    "correction",
    "corrections",
    "corrects",
    "ledger_clock",
]

CLOCK = "clock corrected"
SUBJECT = "ledger:clock"  # no production and no asset can be called so


@dataclass(frozen=True)
class Correction:
    """What one of them came to.

    sequence  its place in the ledger;  by, role, why  the person's id and words
    was       when the event before it is dated;  now  when it is itself
    """

    sequence: int
    by: str
    role: str
    why: str
    was: datetime
    now: datetime

    def undoes(self, sequence: int, time: datetime) -> bool:
        """Whether an event stands before this one and is dated after it: in a future that was none."""
        return sequence < self.sequence and time > self.now

    def asks_again(self, dated: datetime) -> str:
        """What is said of a decision that it undoes, as a clause."""
        return (
            f"it is dated {dated:%Y-%m-%d}, by a clock that was ahead and was set right on "
            f"{self.now:%Y-%m-%d}, so it has to be taken again"
        )

    def words(self, name: str = "") -> str:
        """It as a sentence without its stop, with the person's name where that is known."""
        return (
            f"event {self.sequence}: the clock stood at {time_text(self.was)} and was set right to "
            f'{time_text(self.now)} by {name or self.by.removeprefix("party:")}, {self.role} ("{self.why}")'
        )


def ledger_clock(was: datetime, now: datetime, sequence: int, *, by: str, role: str, why: str) -> Decision:
    """The decision of a person that the clock is right now (`now`) and was not when the last event was
    dated (`was`); `sequence` is its place in the ledger, so that none replaces another."""
    return Decision(
        id=record_id("decision", CLOCK, sequence, time_text(now), by),
        type="declaration",
        by=by,
        role=role,
        subject=SUBJECT,
        about=CLOCK,
        why=why,
        facts={"from": time_text(was), "to": time_text(now)},
    )


def corrects(event: Event, was: datetime) -> bool:
    """Whether an event is exactly such a decision, for an event before it that is dated `was`."""
    body = event.body
    return (
        event.kind == "decision"
        and event.time < was
        and (body.get("type"), body.get("subject"), body.get("about")) == ("declaration", SUBJECT, CLOCK)
        and body.get("facts") == {"from": time_text(was), "to": time_text(event.time)}
        and str(body.get("by", "")).startswith("party:")
        and body.get("withdrawn") is False
    )


def correction(event: Event, was: datetime | None) -> Correction | None:
    """What an event corrects, None where it is no correction; `was` is the date of the one before it."""
    if was is None or not corrects(event, was):
        return None
    body = event.body
    return Correction(
        event.sequence, str(body["by"]), str(body.get("role", "")), str(body.get("why", "")), was, event.time
    )


def corrections(events: Iterable[Event]) -> tuple[Correction, ...]:
    """Every correction among the events of a ledger, from its first on."""
    found: list[Correction] = []
    was: datetime | None = None
    for event in events:
        one = correction(event, was)
        if one is not None:
            found.append(one)
        was = event.time
    return tuple(found)


def contradicted(
    found: Iterable[Correction], sealed: Iterable[tuple[int, datetime]]
) -> Iterator[tuple[int, str]]:
    """Corrections that a time-stamp authority says are wrong, by their place and in a sentence each.

    sealed   how many events there were, and when by the authority's clock: it had sealed what came before
    """
    seals = tuple(sealed)
    for one in found:
        later = [time for size, time in seals if size <= one.sequence and time > one.now]
        if later:
            yield (
                one.sequence,
                f"event {one.sequence} says that the clock was ahead and it was {time_text(one.now)}; an "
                f"authority sealed events before it at {time_text(max(later))}: the clock was set back",
            )
