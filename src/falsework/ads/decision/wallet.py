"""Money that this worker may spend without asking: leases, what is promised of them, and when to ask for
more.

A decision promises the price of what it shows; an impression makes the promise a cost. A promise that no
impression follows within `PATIENCE` is taken back. Nothing here waits for another machine: `refresh` does,
between breaks.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from falsework.ads.state.protocol import Lease, State

__all__ = ["Wallet"]

PATIENCE = 600.0  # seconds; as long as a break may take to be shown
LEASE_SECONDS = 120.0
CHUNK = 0.002  # of a budget, so that a few workers' leases are a small part of it
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
        self._due: list[tuple[float, str, str]] = []
        self.available: npt.NDArray[np.bool_] = np.array([not budget for budget in budgets.values()])

    def cost(self, line_item: str) -> int:
        """Micros of one impression."""
        return self._costs[line_item]

    def promise(self, served: str, line_item: str, now: float) -> None:
        """Set aside what an advertisement costs if it is shown."""
        if self._budgets[line_item]:
            self._open.add(served)
            heapq.heappush(self._due, (now + PATIENCE, served, line_item))
            self._promised[line_item] += self._costs[line_item]
            self._take(line_item, self._costs[line_item])

    def keep(self, served: str, line_item: str) -> None:
        """The impression came, and is among the state's events: the promise is no longer owed."""
        if served in self._open:
            self._open.remove(served)
            self._promised[line_item] -= self._costs[line_item]

    def refresh(self, now: float) -> None:
        """Take back promises nobody came for, end leases that run out, and lease where little is left."""
        while self._due and self._due[0][0] <= now:
            _, served, line_item = heapq.heappop(self._due)
            if served in self._open:
                self.keep(served, line_item)
                self._take(line_item, -self._costs[line_item])
        for line_item, budget in self._budgets.items():
            if not budget:
                continue
            cost = self._costs[line_item]
            lease = self._leases.get(line_item)
            ends = lease is not None and lease.expires - now < LEASE_SECONDS / 2
            if lease is not None and (ends or self._left[line_item] < cost):
                self._return(line_item, lease)
                lease = None
            if lease is None:
                self._lease(line_item, budget, cost, now)

    def close(self) -> None:
        for line_item, lease in list(self._leases.items()):
            self._return(line_item, lease)

    def _lease(self, line_item: str, budget: int, cost: int, now: float) -> None:
        amount = max(int(budget * CHUNK), LEAST_IMPRESSIONS * cost, 1)
        found = self._state.lease(line_item, amount, budget=budget, now=now, seconds=LEASE_SECONDS)
        if found is not None:
            self._leases[line_item] = found
            # What was promised under an earlier lease is still to be paid, out of this one.
            self._left[line_item] = found.amount - self._promised[line_item]
        self.available[self._number[line_item]] = self._left[line_item] >= cost

    def _return(self, line_item: str, lease: Lease) -> None:
        self._state.give_back(lease)
        del self._leases[line_item]
        self._left[line_item] = 0
        self.available[self._number[line_item]] = False

    def _take(self, line_item: str, cost: int) -> None:
        self._left[line_item] -= cost
        self.available[self._number[line_item]] = self._left[line_item] >= self._costs[line_item]
