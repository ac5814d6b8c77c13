"""Auctions run one after another under a budget. A budget is for `horizon` auctions, then the next one
begins."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from falsework.ads.replay.log import AuctionLog
from falsework.ads.replay.multiplier import Multipliers

__all__ = ["Outcome", "hindsight", "run_bids", "run_multiplier", "run_value"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Outcome:
    """What was won. `cost` in the log's unit; `predicted` is the sum of the predicted rates of what was
    won."""

    auctions: int
    wins: int
    clicks: int
    predicted: float
    cost: float
    budget: float  # of all episodes together

    @property
    def spent(self) -> float:
        """The share of the budget."""
        return self.cost / self.budget if self.budget else 0.0


def run_bids(log: AuctionLog, bids: Floats, budget: float, horizon: int) -> Outcome:
    """Bids that do not depend on what was spent; each is cut to what is left."""
    return _outcome(log, _by_bids(log.price, bids, budget, horizon), budget, horizon)


def run_value(log: AuctionLog, values: Floats, unit: float, budget: float, horizon: int) -> Outcome:
    """Bids up to which winning is worth more than the budget it takes; `values` (horizon + 1, levels): what a
    budget of so many units is worth with so many auctions to come."""
    return _outcome(log, _by_value(log.price, log.rate, values, unit, budget, horizon), budget, horizon)


def run_multiplier(log: AuctionLog, table: Multipliers, budget: float, horizon: int) -> Outcome:
    """Bids of rate over multiplier, the multiplier being what would spend the rest of the budget evenly."""
    won = _by_multiplier(log.price, log.rate, table.spend, table.multiplier, budget, horizon)
    return _outcome(log, won, budget, horizon)


def hindsight(log: AuctionLog, budget: float, horizon: int) -> Outcome:
    """The most predicted clicks that could have been had, every price and rate known beforehand: by rate over
    price, greedily. At most one auction an episode off the true optimum (Dantzig 1957)."""
    won = np.zeros(len(log), dtype=np.bool_)
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.where(log.price > 0, log.rate / log.price, np.inf)
    for start in range(0, len(log), horizon):
        end = min(start + horizon, len(log))
        order = start + np.argsort(-worth[start:end], kind="stable")
        left = budget
        for at in order:
            if log.price[at] <= left:
                won[at] = True
                left -= log.price[at]
    return _outcome(log, won, budget, horizon)


def _outcome(log: AuctionLog, won: Flags, budget: float, horizon: int) -> Outcome:
    # A last, shorter episode has its share of a budget in what there was to spend.
    return Outcome(
        auctions=len(log),
        wins=int(won.sum()),
        clicks=int(log.click[won].sum()),
        predicted=float(log.rate[won].sum()),
        cost=float(log.price[won].sum()),
        budget=budget * -(-len(log) // horizon),
    )


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _by_bids(price: Floats, bids: Floats, budget: float, horizon: int) -> Flags:
    won = np.zeros(len(price), dtype=np.bool_)
    left = budget
    for at in range(len(price)):
        if at % horizon == 0:
            left = budget
        if min(bids[at], left) >= price[at]:
            won[at] = True
            left -= price[at]
    return won


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _by_value(price: Floats, rate: Floats, values: Floats, unit: float, budget: float, horizon: int) -> Flags:
    won = np.zeros(len(price), dtype=np.bool_)
    left = budget
    for at in range(len(price)):
        if at % horizon == 0:
            left = budget
        to_come = horizon - 1 - at % horizon
        level = int(left / unit)
        # Values rise with the budget, so the bid is the largest whose loss the click makes good.
        low, high = -1, level
        while low < high:
            middle = (low + high + 1) // 2
            if rate[at] >= values[to_come, level] - values[to_come, level - middle]:
                low = middle
            else:
                high = middle - 1
        if low >= 0 and min(low * unit, left) >= price[at]:
            won[at] = True
            left -= price[at]
    return won


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _by_multiplier(
    price: Floats, rate: Floats, spend: Floats, multiplier: Floats, budget: float, horizon: int
) -> Flags:
    won = np.zeros(len(price), dtype=np.bool_)
    left = budget
    for at in range(len(price)):
        if at % horizon == 0:
            left = budget
        even = left / (horizon - at % horizon)
        now = np.interp(even, spend, multiplier)
        bid = rate[at] / now if now > 0 else left
        if min(bid, left) >= price[at]:
            won[at] = True
            left -= price[at]
    return won
