"""The titles that are looked at whatever the request: the best known among those that fulfil its
conditions.

Most wishes are for titles many people know, and say so little that neither their words nor their meaning
would bring the title up among the first few hundred of a large catalogue. So the best-known thousands are
always compared, all of them and exactly; their number, not the catalogue's, bounds the work. Which they are
depends on the conditions alone, and is remembered for the last few.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from falsework.search.index.protocol import Conditions, Hit
from falsework.search.ranking.document import KNOWN
from falsework.search.ranking.features import Titles
from falsework.search.ranking.table import UNKNOWN, Table

__all__ = ["SIZE", "Asked", "Shelves"]

SIZE: Final = 12_288  # titles; 19 MB of vectors
KEPT: Final = 6  # shelves that are remembered


class Asked(Protocol):
    """As much of a `CatalogueIndex` as ranking needs."""

    def lexical(self, terms: Mapping[int, float], conditions: Conditions, limit: int) -> list[Hit]: ...

    def dense(self, vector: npt.NDArray[np.float32], conditions: Conditions, limit: int) -> list[Hit]: ...


class Shelves:
    """The shelves of one index, by conditions. May be used from many threads at once."""

    def __init__(self, index: Asked, table: Table) -> None:
        self._index = index
        self._table = table
        self._kept: OrderedDict[Conditions, Titles] = OrderedDict()
        self._lock = threading.Lock()

    def under(self, conditions: Conditions) -> Titles:
        """The well-known titles that fulfil `conditions`, the best known first."""
        with self._lock:
            shelf = self._kept.get(conditions)
            if shelf is not None:
                self._kept.move_to_end(conditions)
                return shelf
        hits = self._index.lexical({KNOWN: 1.0}, conditions, SIZE)
        rows = self._table.rows_of([hit.id for hit in hits])
        rows = rows[rows != UNKNOWN]
        shelf = Titles.of(rows, self._table)
        with self._lock:
            self._kept[conditions] = shelf
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return shelf
