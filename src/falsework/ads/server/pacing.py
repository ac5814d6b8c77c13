"""Pacing at work: the price of each line item's budget, learned from what the state says was spent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from falsework.ads.campaigns.book import Book
from falsework.ads.decision.pacing import Pacer, SpendPlan
from falsework.ads.state.protocol import State

__all__ = ["EVERY", "Paced"]

EVERY = 10.0  # seconds between two looks at what was spent
AT_A_TIME = 2_000  # line items looked at between two breaks
FIRST = 0.5  # a server that begins shows all but what suits less than half as well as usual, and learns


class Paced:
    """Called for the prices (line items,), in the order of the book's numbers. Line items that are to be
    spent fast, and those without a budget, have none."""

    def __init__(self, book: Book, state: State, plan: SpendPlan | None = None) -> None:
        self._state = state
        rows = list(book.line_items.values())
        even = [row.line_item.budget > 0 and row.line_item.goal == "even" for row in rows]
        self._even = np.flatnonzero(even)
        paced = [rows[at] for at in self._even.tolist()]
        self._names = [row.line_item.id for row in paced]
        self._pacer = Pacer(
            np.array([row.line_item.budget for row in paced], dtype=np.int64),
            np.array([row.campaign.flight.starts for row in paced], dtype=np.float64),
            np.array([row.campaign.flight.ends for row in paced], dtype=np.float64),
            plan or SpendPlan(),
            np.full(len(paced), FIRST),
        )
        self._all = len(rows)
        self._spent: list[int] = []  # of the first of them, while they are being asked for
        self._prices = self._priced()
        self._due = 0.0

    def __call__(self) -> npt.NDArray[np.float64]:
        return self._prices

    def update(self, now: float) -> None:
        """Look again, where it is time: at some of the line items at each call, so that no break waits for
        all."""
        if now < self._due or not self._names:
            return
        names = self._names[len(self._spent) : len(self._spent) + AT_A_TIME]
        spent = self._state.spent(names)
        self._spent += [spent[name] for name in names]
        if len(self._spent) == len(self._names):
            self._pacer.update(now, np.array(self._spent, dtype=np.int64))
            self._prices, self._spent, self._due = self._priced(), [], now + EVERY

    def _priced(self) -> npt.NDArray[np.float64]:
        prices = np.zeros(self._all)
        prices[self._even] = self._pacer.price
        return prices
