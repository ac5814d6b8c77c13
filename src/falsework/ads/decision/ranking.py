"""The best rows of the book by price and pacing, the same for every break until pacing looks again.

So the book is put in order once, and a break looks at it from the top only as far as it needs: what that
takes grows with how much is refused, and hardly with how large the book is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from falsework.ads.campaigns.book import Book

__all__ = ["Ranking", "largest"]

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

FIRST_LOOK = 1_024  # rows; the next look is at four times as many


class Ranking:
    """What a row is worth is its price for a thousand (micros) times one less the price of its budget."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._price = np.maximum(book.price.astype(np.float64), 1.0)
        self._dual: Floats | None = None
        self._sort(None)

    def first(
        self, most: int, dual: Floats | None, masks: Sequence[Flags], funded: Flags
    ) -> tuple[Rows, Floats]:
        """The best rows (n,) that all masks (rows of the book,) let through and that are worth something, and
        what they are worth (n,). `dual` and `funded` are by line item: the price of its budget, and whether
        there is money. The same array of prices is taken to hold the same prices."""
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
        worth = self._price if dual is None else self._price * (1.0 - dual[self._book.item])
        rows = np.flatnonzero(~self._book.house & (worth > 0))
        self._rows = rows[np.argsort(-worth[rows], kind="stable")]
        self._items, self._worth = self._book.item[self._rows], worth[self._rows]
        self._dual = dual


def largest(worth: Floats, most: int) -> Rows:
    """Places of the largest, in order; the earlier of equals first."""
    if len(worth) <= most:
        return np.argsort(-worth, kind="stable")
    some = np.sort(np.argpartition(worth, -most)[-most:])
    return some[np.argsort(-worth[some], kind="stable")]
