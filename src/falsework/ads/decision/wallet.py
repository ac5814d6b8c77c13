"""Money that this worker may spend without asking: leases, what is promised of them, and when to ask for
more.

A decision promises the price of what it shows; an impression makes the promise a cost. A promise that no
impression follows within `PATIENCE` is taken back. Nothing here waits for another machine: `refresh` does,
between breaks.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from falsework.ads.state.protocol import Lease, State

__all__ = ["Wallet"]

PATIENCE = 600.0  # seconds; as long as a break may take to be shown
LEASE_SECONDS = 120.0
CHUNK = 0.002  # of a budget, so that a few workers' leases are a small part of it
SPREAD = 101  # different times at which leases taken together are renewed
NOTHING_LEFT = 5.0  # seconds until it is asked again whether a budget has something
LEAST_IMPRESSIONS = 50  # that a lease is good for, where the budget allows


class Wallet:
    """`budgets` micros by line item, in the order that `available` has; 0 is without limit (it costs
    nothing)."""

    def __init__(self, state: State, budgets: Mapping[str, int], prices: Mapping[str, int]) -> None:
        self._state = state
        self._budgets = dict(budgets)
        self._costs = {item: -(-prices[item] // 1000) for item in budgets}  # micros an impression, rounded up
        self._number = {item: at for at, item in enumerate(budgets)}
        self._leases: dict[str, Lease] = {}
        self._left = dict.fromkeys(budgets, 0)
        self._promised = dict.fromkeys(budgets, 0)
        self._open: set[str] = set()
        self._due: deque[tuple[float, str, str]] = deque()  # in the order they were made
        self._low = {item for item, budget in budgets.items() if budget}
        self._renewals: list[tuple[float, str]] = []
        self._renewal = dict.fromkeys(budgets, 0.0)
        self.available: npt.NDArray[np.bool_] = np.array(
            [not budget for budget in budgets.values()], dtype=np.bool_
        )

    def cost(self, line_item: str) -> int:
        """Micros of one impression."""
        return self._costs[line_item]

    def leased(self) -> int:
        """Micros of all leases together: the most that this worker may spend beyond what is counted."""
        return sum(lease.amount for lease in self._leases.values())

    def promise(self, served: str, line_item: str, now: float) -> int:
        """Set aside what an advertisement costs if it is shown; micros."""
        cost = self._costs[line_item]
        if self._budgets[line_item]:
            self._open.add(served)
            self._due.append((now + PATIENCE, served, line_item))
            self._promised[line_item] += cost
            self._take(line_item, cost)
        return cost

    def keep(self, served: str, line_item: str) -> None:
        """The impression came, and is among the state's events: the promise is no longer owed."""
        if served in self._open:
            self._open.remove(served)
            self._promised[line_item] -= self._costs[line_item]

    def take_back(self, served: str, line_item: str) -> None:
        """No impression will come: what was set aside may be spent again."""
        if served in self._open:
            self.keep(served, line_item)
            self._take(line_item, -self._costs[line_item])

    def refresh(self, now: float, most: int | None = None) -> None:
        """Take back promises nobody came for, end leases that run out, and lease where little is left: for
        `most` line items at a time, so that no break waits for ten thousand; None for all that are due."""
        while self._due and self._due[0][0] <= now:
            _, served, line_item = self._due.popleft()
            self.take_back(served, line_item)
        done = 0
        while self._low and done != most:
            self._renew(self._low.pop(), now)
            done += 1
        while self._renewals and self._renewals[0][0] <= now and done != most:
            at, line_item = heapq.heappop(self._renewals)
            if self._renewal[line_item] == at:  # not renewed meanwhile, because little was left
                self._renew(line_item, now)
                done += 1

    def close(self) -> None:
        for line_item, lease in list(self._leases.items()):
            self._return(line_item, lease)

    def _renew(self, line_item: str, now: float) -> None:
        lease = self._leases.get(line_item)
        if lease is not None:
            self._return(line_item, lease)
        cost, budget = self._costs[line_item], self._budgets[line_item]
        amount = max(int(budget * CHUNK), LEAST_IMPRESSIONS * cost, 1) + self._promised[line_item]
        found = self._state.lease(line_item, amount, budget=budget, now=now, seconds=LEASE_SECONDS)
        again = now + NOTHING_LEFT
        if found is not None:
            self._leases[line_item] = found
            # What was promised under an earlier lease is still to be paid, out of this one.
            self._left[line_item] = found.amount - self._promised[line_item]
        if self._left[line_item] >= cost:
            # Not all at once: leases taken together are renewed one after another.
            again = now + LEASE_SECONDS * (0.4 + 0.4 * (self._number[line_item] % SPREAD) / SPREAD)
        self.available[self._number[line_item]] = self._left[line_item] >= cost
        self._renewal[line_item] = again
        heapq.heappush(self._renewals, (again, line_item))

    def _return(self, line_item: str, lease: Lease) -> None:
        self._state.give_back(lease)
        del self._leases[line_item]
        self._left[line_item] = 0
        self.available[self._number[line_item]] = False

    def _take(self, line_item: str, cost: int) -> None:
        self._left[line_item] -= cost
        enough = self._left[line_item] >= self._costs[line_item]
        self.available[self._number[line_item]] = enough
        if not enough and line_item in self._leases:
            self._low.add(line_item)
