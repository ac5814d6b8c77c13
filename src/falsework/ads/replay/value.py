"""What a budget is worth with so many auctions to come, where it buys only few of them.

Each auction brings a predicted rate and a price, drawn as they were in the tuning log. With V(t, b) the
clicks that a budget b is worth before t auctions, one wins at price p what is worth r + V(t - 1, b - p)
against V(t - 1, b), so

    V(t, b) = V(t - 1, b) + E[ max(0, r + V(t - 1, b - p) - V(t - 1, b)) ]

over the rates and prices of the log, p up to b. Cai et al. 2017 ("Real-time bidding by reinforcement
learning") put the mean rate into the step; here the rates' spread is kept, with the prices that go with each
of them, as a rare good auction is what a short budget should be saved for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from falsework.ads.replay.log import AuctionLog

__all__ = ["Landscape", "fits", "marginal_values"]

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
LEVELS = 2_000  # of the budget
GROUPS = 12  # of auctions with like rates
MOST_WORK = 4e10  # additions; some ten seconds


@dataclass(frozen=True)
class Landscape:
    """Groups of auctions with like rates: `rate` (g,), `share` (g,) of all auctions, and `chance` (g, p + 1)
    of a price of so many units, which need not add up to 1 as higher prices than the budget are left out."""

    rate: Floats
    share: Floats
    chance: Floats
    unit: float
    levels: int

    @classmethod
    def of(cls, log: AuctionLog, budget: float) -> Landscape:
        unit = max(budget / LEVELS, _grain(log.price))
        levels = int(budget / unit)
        order = np.argsort(log.rate, kind="stable")
        # Finer towards the high rates, which a short budget is spent on.
        edges = np.unique((len(log) * (1 - 0.5 ** np.arange(GROUPS))).astype(np.int64))
        groups = [part for part in np.split(order, edges[1:]) if len(part)]
        units = np.ceil(log.price / unit - 1e-9).astype(np.int64)
        chance = np.zeros((len(groups), levels + 1))
        for row, part in enumerate(groups):
            within = units[part][units[part] <= levels]
            chance[row] = np.bincount(within, minlength=levels + 1)[: levels + 1] / len(part)
        highest = int(np.max(np.nonzero(chance.any(axis=0))[0], initial=0))
        return cls(
            rate=np.array([log.rate[part].mean() for part in groups]),
            share=np.array([len(part) / len(log) for part in groups]),
            chance=np.ascontiguousarray(chance[:, : highest + 1]),
            unit=unit,
            levels=levels,
        )


def fits(budget: float, horizon: int, log: AuctionLog) -> bool:
    """Whether a budget buys so few auctions that their grain matters, and the table can be had in seconds."""
    if budget <= 0:
        return True
    unit = max(budget / LEVELS, _grain(log.price))
    prices = min(float(log.price.max()), budget) / unit
    return horizon * (budget / unit) * prices * GROUPS <= MOST_WORK and horizon * LEVELS * 8 < 1 << 30


def marginal_values(landscape: Landscape, horizon: int) -> Floats:
    """V as (horizon + 1, levels + 1)."""
    return np.asarray(_values(landscape.rate, landscape.share, landscape.chance, horizon, landscape.levels))


def _grain(price: Floats) -> float:
    """1 where all prices are whole numbers, else nothing."""
    return 1.0 if bool(np.all(price == np.floor(price))) else 0.0


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _values(rate: Floats, share: Floats, chance: Floats, horizon: int, levels: int) -> Floats:
    values = np.zeros((horizon + 1, levels + 1))
    prices = chance.shape[1]
    for to_come in range(1, horizon + 1):
        before = values[to_come - 1]
        for level in range(levels + 1):
            gain = 0.0
            for group in range(len(rate)):
                for price in range(min(level + 1, prices)):
                    better = rate[group] + before[level - price] - before[level]
                    if better < 0:
                        break
                    gain += share[group] * chance[group, price] * better
            values[to_come, level] = before[level] + gain
    return values
