"""Spending a budget over its flight as planned, by a price that each line item's own budget has.

Dual mirror descent (Balseiro, Lu and Mirrokni, arXiv 2011.10124) with a spend plan: a line item's score is
lowered by a multiplier that rises while spend is ahead of the plan and falls while it is behind. The plan is
the share of a day's traffic that comes in each of its slices, so that a quiet night is no reason to catch up
at breakfast. The update is multiplicative (mirror descent with entropy), in steps of the plan's share that
has passed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["DAY", "Pacer", "SpendPlan"]

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

DAY = 86_400.0
STRENGTH = 30.0  # how sharply the price answers a spend that is off by the whole budget
LARGEST = 0.5  # step of the price's logarithm
LOWEST, HIGHEST = 1e-3, 1e3
FIRST = 1.0  # before anything is known: as if a usual row were just worth its price


class SpendPlan:
    """How traffic lies over a day: `weights` of equal slices of it, in UTC."""

    def __init__(self, weights: Sequence[float] = (1.0,)) -> None:
        given = np.asarray(weights, dtype=np.float64)
        if (
            given.ndim != 1
            or not len(given)
            or not np.isfinite(given).all()
            or (given < 0).any()
            or not given.sum()
        ):
            raise ValueError("a spend plan needs weights of at least 0, one of them above it")
        self._through = np.concatenate([[0.0], np.cumsum(given / given.sum())])

    def passed(self, time: Floats | float) -> Floats:
        """Days' worth of traffic from 1970 to `time`, seconds in UTC."""
        days, within = np.divmod(np.asarray(time, dtype=np.float64) / DAY, 1.0)
        places = np.linspace(0.0, 1.0, len(self._through))
        return np.asarray(days + np.interp(within, places, self._through))

    def share(self, starts: Floats, ends: Floats, now: float) -> Floats:
        """How much of a flight's traffic has passed by `now`, 0 to 1."""
        whole = np.maximum(self.passed(ends) - self.passed(starts), 1e-12)
        return np.clip((self.passed(now) - self.passed(starts)) / whole, 0.0, 1.0)


class Pacer:
    """Prices of budget for all line items together; arrays are (line items,). `budget` micros, 0 for none."""

    def __init__(
        self, budget: Counts, starts: Floats, ends: Floats, plan: SpendPlan, first: Floats | None = None
    ) -> None:
        self._budget, self._starts, self._ends, self._plan = budget.astype(np.float64), starts, ends, plan
        self.price = np.full(len(budget), FIRST) if first is None else np.clip(first, LOWEST, HIGHEST)
        self._at = -np.inf
        self._spent = np.zeros(len(budget))

    def update(self, now: float, spent: Counts) -> None:
        """Learn from what was spent since the last time; called every few seconds, not with every break."""
        share = self._plan.share(self._starts, self._ends, now)
        before = self._plan.share(self._starts, self._ends, self._at) if np.isfinite(self._at) else share
        left = np.maximum(self._budget - self._spent, 0.0)
        to_come = np.maximum(1.0 - before, 1e-9)
        # What is left, spread over what of the plan is left: an early slip is made good, not carried along.
        wanted = left * np.clip((share - before) / to_come, 0.0, 1.0)
        paid = spent - self._spent
        # Off by the whole budget's hundredth is a step of STRENGTH hundredths, however long that took.
        step = STRENGTH * (paid - wanted) / np.maximum(self._budget, 1.0)
        step = np.where(self._budget > 0, np.clip(step, -LARGEST, LARGEST), 0.0)
        self.price = np.clip(self.price * np.exp(step), LOWEST, HIGHEST)
        self._spent, self._at = spent.astype(np.float64), now
