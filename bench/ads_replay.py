"""Bidding under budgets on synthetic logs of auctions: each strategy's predicted clicks as a share of what
hindsight could have had.

    python bench/ads_replay.py [--auctions 60000] [--horizon 1000] [--seeds 3] [--json]

Strategies are tuned on one log and run on another; in half of the rows the second one's auctions are
dearer. Budgets are fractions of what the horizon costs at the tuning log's mean price (the protocol of Cai et
al. 2017 on iPinYou: episodes of 1,000 auctions, whole numbers of price). Clicks are few and noisy; predicted
clicks say what a strategy is worth, clicks stand beside them. No number here says anything about another log:
`falsework ads replay` runs on yours.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from falsework.ads.replay.episodes import hindsight
from falsework.ads.replay.log import AuctionLog
from falsework.ads.replay.strategies import STRATEGIES, tuned
from falsework.seeds import generator

BUDGETS = (Fraction(1, 64), Fraction(1, 32), Fraction(1, 16), Fraction(1, 8), Fraction(1, 4), Fraction(1, 2))
DEARER = (1.0, 1.4)


def auctions(count: int, seed: int, name: str, dearer: float = 1.0) -> AuctionLog:
    """Log-normal prices that rise a little with an auction's worth; rates predicted with some error."""
    rng = generator(seed, "auctions", name)
    worth = rng.normal(size=count)
    seen = worth + 0.35 * rng.normal(size=count)
    price = np.exp(4 + 0.6 * rng.normal(size=count) + 0.25 * worth) * dearer
    return AuctionLog(
        price=np.clip(np.round(price), 1, 300),
        click=(rng.random(count) < 1 / (1 + np.exp(5.5 - 1.3 * worth))).astype(np.float64),
        rate=1 / (1 + np.exp(5.5 - 1.3 * seen)),
    )


def rows(count: int, horizon: int, seeds: int) -> Iterator[dict[str, Any]]:
    """One for each budget, dearness and seed."""
    for seed in range(seeds):
        train = auctions(count, seed, "train")
        for dearer in DEARER:
            test = auctions(count, seed, "test", dearer)
            for share in BUDGETS:
                budget = float(int(train.price.mean() * horizon * share))
                best = hindsight(test, budget, horizon)
                won = {
                    name: tuned(name, train, budget=budget, horizon=horizon).run(test) for name in STRATEGIES
                }
                yield {
                    "seed": seed,
                    "dearer": dearer,
                    "budget": str(share),
                    "hindsight": {"predicted": best.predicted, "clicks": best.clicks},
                    **{
                        name: {
                            "of_hindsight": one.predicted / best.predicted,
                            "clicks": one.clicks,
                            "spent": one.spent,
                        }
                        for name, one in won.items()
                    },
                }


def table(found: list[dict[str, Any]]) -> Table:
    """Medians over the seeds."""
    drawn = Table("budget", "prices", *STRATEGIES, "spent by value", box=None, header_style="bold")
    for dearer in DEARER:
        for share in map(str, BUDGETS):
            same = [row for row in found if row["budget"] == share and row["dearer"] == dearer]
            drawn.add_row(
                share,
                "as before" if dearer == 1 else f"{dearer - 1:.0%} up",
                *(
                    f"{statistics.median(row[name]['of_hindsight'] for row in same):.3f}"
                    for name in STRATEGIES
                ),
                f"{statistics.median(row['value']['spent'] for row in same):.1%}",
            )
    return drawn


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--auctions", type=int, default=60_000)
    parser.add_argument("--horizon", type=int, default=1_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = list(rows(given.auctions, given.horizon, given.seeds))
    if given.json:
        print(json.dumps({"auctions": given.auctions, "horizon": given.horizon, "rows": found}))
    else:
        Console(highlight=False).print(table(found))


if __name__ == "__main__":
    main()
