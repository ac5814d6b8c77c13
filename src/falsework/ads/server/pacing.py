"""Pacing at work: the price of each line item's budget, learned from what the state says was spent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from falsework.ads.campaigns.book import Book
from falsework.ads.decision.pacing import Pacer, SpendPlan
from falsework.ads.state.protocol import State

__all__ = ["EVERY", "Paced"]

EVERY = 10.0  # seconds between two looks at what was spent
FIRST = 0.5  # of a usual row's worth: a server that begins shows what it has, and learns to hold back


class Paced:
    """Called for the prices (line items,), in the order of the book's numbers. Line items that are to be
    spent fast, and those without a budget, have none."""

    def __init__(self, book: Book, state: State, plan: SpendPlan | None = None) -> None:
        self._state = state
        rows = list(book.line_items.values())
        self._names = [row.line_item.id for row in rows]
        even = (row.line_item.budget > 0 and row.line_item.goal == "even" for row in rows)
        self._even = np.fromiter(even, dtype=np.bool_, count=len(rows))
        budget = np.array(
            [row.line_item.budget if even else 0 for row, even in zip(rows, self._even, strict=True)]
        )
        self._pacer = Pacer(
            budget.astype(np.int64),
            np.array([row.campaign.flight.starts for row in rows], dtype=np.float64),
            np.array([row.campaign.flight.ends for row in rows], dtype=np.float64),
            plan or SpendPlan(),
            np.full(len(rows), FIRST),
        )
        self._prices = np.where(self._even, self._pacer.price, 0.0)
        self._due = 0.0

    def __call__(self) -> npt.NDArray[np.float64]:
        return self._prices

    def update(self, now: float) -> None:
        """Look again, where it is time."""
        if now < self._due:
            return
        self._due = now + EVERY
        spent = self._state.spent(self._names)
        self._pacer.update(now, np.array([spent[name] for name in self._names], dtype=np.int64))
        self._prices = np.where(self._even, self._pacer.price, 0.0)
