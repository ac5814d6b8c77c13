"""How often viewers name a title, as far as the wishes go that the order was learned from.

"Something like Super Troopers": what people name when they say what they like is what people know, and what
they know is what they take. The counts are of wishes, never of answers, and a title is told by its name and
year, so that they hold for any catalogue that has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from falsework.search.ranking.request import Request
from falsework.search.ranking.table import Table

__all__ = ["Named", "names_in"]

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


def names_in(requests: Iterable[Request], table: Table) -> dict[str, int]:
    """In how many requests each title is named as one that is liked or disliked: by the digest of its name,
    and its year."""
    rows = Counter(
        row for request in requests for row in {*request.liked.tolist(), *request.unliked.tolist()}
    )
    every = np.array(sorted(rows), np.int64)
    names = [
        f"{key:016x} {year}"
        for key, year in zip(table.keys_of(every).tolist(), table.years[every].tolist(), strict=True)
    ]
    counts: Counter[str] = Counter()
    for name, row in zip(names, every.tolist(), strict=True):
        counts[name] += rows[row]
    return dict(sorted(counts.items()))


@dataclass(frozen=True)
class Named:
    """`weights` (titles of one table,): the logarithm of one more than how often each is named."""

    weights: Floats

    @classmethod
    def of(cls, counts: Mapping[str, int], table: Table) -> Self:
        """Find the titles that `names_in` counted in a table; what it does not hold is left out."""
        weights = np.zeros(table.titles, np.float32)
        for name, count in counts.items():
            key, year = name.split(" ")
            rows = table.rows_keyed(int(key, 16))
            weights[rows[table.years[rows] == int(year)]] = np.log1p(count)
        return cls(weights)

    def column(self, rows: Rows) -> Floats:
        """(len(rows),): the weight of each."""
        return self.weights[rows]
