"""What every engine of counters, budgets and events can do. One behaviour suite holds for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

__all__ = ["Event", "Lease", "State"]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to an advertisement. (`stream`, `served`, `kind`) is its identity: a second one
    like it is a duplicate and counts nothing.

    An impression raises `counters` ("campaign:7", "advertiser:shoes.example") in the history of its stream,
    and in that of `viewer`, which is a keyed hash and "" wherever a person may not be counted. `cost` micros.
    """

    stream: str
    served: str
    kind: str  # impression, start, firstQuartile, midpoint, thirdQuartile, complete, click, skip, error
    line_item: str
    at: float
    cost: int = 0
    viewer: str = ""
    counters: tuple[str, ...] = ()


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """`amount` micros of a line item's budget that one worker may spend without asking again, until
    `expires`.
    """

    id: str
    line_item: str
    amount: int
    expires: float


class State(Protocol):
    """Acknowledged means durable: what `record` returned for is there after a SIGKILL."""

    def record(self, events: Sequence[Event]) -> list[bool]:
        """Take events in; False for each that was there already."""
        ...

    def history(self, who: str) -> Mapping[str, Sequence[float]]:
        """When each counter of a stream or viewer was raised, oldest first; what no cap can ask for any more
        may be gone."""
        ...

    def lease(self, line_item: str, amount: int, *, budget: int, now: float, seconds: float) -> Lease | None:
        """Up to `amount` of what `budget` has left after spending and leases; None where nothing is."""
        ...

    def give_back(self, lease: Lease) -> None:
        """End a lease; what events have not spent of it may be leased again."""
        ...

    def spent(self, line_items: Sequence[str]) -> Mapping[str, int]: ...

    def outstanding(self, line_items: Sequence[str], now: float) -> Mapping[str, int]:
        """Leased and neither given back nor expired: the most by which a budget can be overspent."""
        ...

    def close(self) -> None: ...
