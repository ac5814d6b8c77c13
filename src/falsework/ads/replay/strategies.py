"""How much to bid, by rules that are told nothing of the log they run on.

- constant: the same for every auction.
- mcpc: the most a click may cost, times the predicted rate (Lee et al. 2012).
- linear: in proportion to the predicted rate, at a base bid (Perlich et al. 2012).
- value: ours. The bid up to which winning is worth more than the budget it takes, by what the rest of the
  budget is worth in the auctions that are left (`value.py`); with many auctions a budget, the multiplier that
  would spend the rest of it evenly, found anew as it is spent (`multiplier.py`).

What a strategy knows of prices and rates comes from the tuning log alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from falsework.ads.replay.episodes import Outcome, run_bids, run_multiplier, run_value
from falsework.ads.replay.log import AuctionLog
from falsework.ads.replay.multiplier import multipliers
from falsework.ads.replay.value import Landscape, fits, marginal_values
from falsework.errors import FalseworkError

__all__ = ["STRATEGIES", "Name", "Strategy", "fixed", "tuned"]

Floats = npt.NDArray[np.float64]
Name = Literal["constant", "mcpc", "linear", "value"]
STRATEGIES: tuple[Name, ...] = ("constant", "mcpc", "linear", "value")
BASES = 200  # base bids tried when tuning


@dataclass(frozen=True)
class Strategy:
    """A tuned rule: `run(log)` gives what it would have won. `parameter` is its base bid or the most a click
    may cost; None where it has more than one."""

    name: Name
    parameter: float | None
    run: Callable[[AuctionLog], Outcome]


def tuned(name: Name, train: AuctionLog, *, budget: float, horizon: int) -> Strategy:
    """The strategy with what it needs taken from `train`, for `budget` in every `horizon` auctions."""
    if name == "value":
        return _value(train, budget, horizon)
    if name == "mcpc":
        clicks = train.click.sum()
        most = float(train.price.sum() / clicks) if clicks else float(train.price.max())
        return _with_bids(name, most, lambda log: most * log.rate, budget, horizon)
    shape = _flat if name == "constant" else _relative(train)
    tried = np.unique(np.quantile(train.price, np.linspace(0, 1, BASES)))
    if name == "linear":
        tried = np.geomspace(max(train.price.min(), 1e-6) * 0.1, max(train.price.max(), 1e-6) * 10, BASES)
    won = [run_bids(train, base * shape(train), budget, horizon) for base in tried]
    # Most clicks; among equals the most predicted ones, as clicks are few.
    best = max(range(len(tried)), key=lambda at: (won[at].clicks, won[at].predicted))
    base = float(tried[best])
    return _with_bids(name, base, lambda log: base * shape(log), budget, horizon)


def fixed(name: Name, parameter: float, *, usual_rate: float, budget: float, horizon: int) -> Strategy:
    """A strategy with its parameter given instead of tuned: the bid (constant), the most a click may cost
    (mcpc), the bid for an auction of the `usual_rate` (linear). "value" has no such number."""
    if name == "value":
        raise FalseworkError(
            'the strategy "value" has no single parameter',
            where="--parameter",
            todo="Give it a log to tune on.",
        )
    if name == "constant":
        return _with_bids(name, parameter, lambda log: np.full(len(log), parameter), budget, horizon)
    each = parameter if name == "mcpc" else parameter / max(usual_rate, np.finfo(np.float64).tiny)
    return _with_bids(name, parameter, lambda log: each * log.rate, budget, horizon)


def _with_bids(
    name: Name, parameter: float, bids: Callable[[AuctionLog], Floats], budget: float, horizon: int
) -> Strategy:
    return Strategy(name, parameter, lambda log: run_bids(log, bids(log), budget, horizon))


def _flat(log: AuctionLog) -> Floats:
    return np.ones(len(log))


def _relative(train: AuctionLog) -> Callable[[AuctionLog], Floats]:
    mean = max(float(train.rate.mean()), np.finfo(np.float64).tiny)
    return lambda log: log.rate / mean


def _value(train: AuctionLog, budget: float, horizon: int) -> Strategy:
    if fits(budget, horizon, train):
        landscape = Landscape.of(train, budget)
        values = marginal_values(landscape, horizon)
        return Strategy("value", None, lambda log: run_value(log, values, landscape.unit, budget, horizon))
    table = multipliers(train)
    return Strategy("value", None, lambda log: run_multiplier(log, table, budget, horizon))
