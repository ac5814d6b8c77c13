"""The best rows of the book by price and pacing, the same for every break until pacing looks again.

So the book is put in order once, and a break looks at it from the top only as far as it needs: what that
takes grows with how much is refused, and hardly with how large the book is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from falsework.ads.campaigns.book import Book

__all__ = ["Ranking", "hoped", "largest", "worth_of"]

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

FIRST_LOOK = 1_024  # rows; the next look is at four times as many


def worth_of(prices: npt.NDArray[np.generic], fit: Floats | float, dual: Floats | float) -> Floats:
    """What rows (n,) are worth: their price for a thousand (micros, at least 1) times how well they suit the
    break less the price of their budget. `fit` is relevance times response, 1.0 where a row suits as usual;
    above `dual` it is worth showing, however much it is held back."""
    return np.asarray(np.maximum(prices.astype(np.float64), 1.0) * (fit - dual))


def hoped(worth: Floats, prices: npt.NDArray[np.generic]) -> Floats:
    """By what rows come to be asked for their response, the largest first: by their `worth_of` as usual, and
    behind all that are worth something, those that the least more of a response would make so."""
    return np.where(worth > 0, worth, worth / np.maximum(prices.astype(np.float64), 1.0))


class Ranking:
    """What a row is worth is its price times one less the price of its budget. `hopeful`: those worth nothing
    are found as well, behind all others, as a response that is yet to be asked for may lift them."""

    def __init__(self, book: Book, *, hopeful: bool = False) -> None:
        self._book, self._hopeful = book, hopeful
        self._dual: Floats | None = None
        self._sort(None)

    def first(
        self, most: int, dual: Floats | None, masks: Sequence[Flags], funded: Flags
    ) -> tuple[Rows, Floats]:
        """The best rows (n,) that all masks (rows of the book,) let through, and what they are worth (n,).
        `dual` and `funded` are by line item: the price of its budget, and whether there is money. The same
        array of prices is taken to hold the same prices."""
        if dual is not self._dual:
            self._sort(dual)
        found: list[Rows] = []
        at, size, missing = 0, FIRST_LOOK, most
        while missing > 0 and at < len(self._rows):
            rows = self._rows[at : at + size]
            lets = funded.take(self._items[at : at + size])
            for mask in masks:
                lets &= mask.take(rows)
            places = lets.nonzero()[0][:missing]
            found.append(places + at)
            at, size, missing = at + size, 4 * size, missing - len(places)
        places = found[0] if len(found) == 1 else np.concatenate(found or [np.zeros(0, dtype=np.intp)])
        return self._rows[places], self._worth[places]

    def _sort(self, dual: Floats | None) -> None:
        price = self._book.price
        worth = worth_of(price, 1.0, 0.0 if dual is None else dual[self._book.item])
        order = hoped(worth, price)
        rows = np.flatnonzero(~self._book.house & (self._hopeful | (worth > 0)))
        self._rows = rows[np.argsort(-order[rows], kind="stable")]
        self._items, self._worth = self._book.item[self._rows], worth[self._rows]
        self._dual = dual


def largest(worth: Floats, most: int) -> Rows:
    """Places of the largest, in order; the earlier of equals first."""
    if len(worth) <= most:
        return np.argsort(-worth, kind="stable")
    some = np.sort(np.argpartition(worth, -most)[-most:])
    return some[np.argsort(-worth[some], kind="stable")]
