"""The price of budget: by how much a predicted click is divided so that bids spend what they may.

In auctions of the second price the best bids under a budget are rate over multiplier, the same multiplier for
all (Balseiro, Besbes and Weintraub 2015); which one spends how much an auction is read from a log.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from falsework.ads.replay.log import AuctionLog

__all__ = ["Multipliers", "multipliers"]

Floats = npt.NDArray[np.float64]
STEPS = 512


@dataclass(frozen=True)
class Multipliers:
    """`spend` (k,), rising, is what an auction costs on average under bids of rate over `multiplier` (k,),
    falling."""

    spend: Floats
    multiplier: Floats


def multipliers(log: AuctionLog) -> Multipliers:
    """An auction is won where its own ratio of rate to price reaches the multiplier: so the costs, summed in
    the order of that ratio, are the spend."""
    ratio = np.divide(log.rate, log.price, out=np.full(len(log), np.inf), where=log.price > 0)
    order = np.argsort(-ratio, kind="stable")
    spend = np.cumsum(log.price[order]) / len(log)
    finite = np.isfinite(ratio[order])
    spend, ordered = spend[finite], ratio[order][finite]
    if not len(spend):
        return Multipliers(np.zeros(1), np.zeros(1))
    kept = np.unique(np.linspace(0, len(spend) - 1, STEPS).astype(np.int64))
    # Beyond the last there is nothing more to buy: everything may be bid.
    return Multipliers(
        np.concatenate([[0.0], spend[kept], [spend[-1] * 1.001 + 1e-9]]),
        np.concatenate([[ordered[0]], ordered[kept], [0.0]]),
    )
