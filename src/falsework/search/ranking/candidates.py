"""Which titles are ranked: some hundreds from each way of looking, all under the same conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from falsework.search.index.protocol import Conditions, Hit
from falsework.search.ranking.features import MOST_LIKED, Titles, quick_features, quick_scores
from falsework.search.ranking.model import load_model
from falsework.search.ranking.named import Named
from falsework.search.ranking.request import Request
from falsework.search.ranking.shelf import Asked, Shelves
from falsework.search.ranking.table import UNKNOWN, Table

__all__ = ["Candidates", "Gatherer"]

DEPTH: Final = 600  # titles asked of the index by words
TAKEN: Final = 400  # of them, whatever they are; and as many by meaning
KNOWN_TAKEN: Final = 200  # more of them, if they are well known
SHELF_TAKEN: Final = 1_000  # of the well-known titles, by all that can be compared quickly
LIKED_TAKEN: Final = 200  # neighbours of the titles that are liked, of the mean of their vectors
AT_ONCE: Final = 4  # searches of the index
MOST_TERMS: Final = 64  # of a wish, the rarest in the catalogue
ANYTHING: Final = Conditions()

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Candidates:
    """Titles to be ranked: their `rows` in the table, each once, and their places (from 0, UNKNOWN where they
    are not in it) in the lists by words and by meaning; and how often they are named."""

    rows: Rows
    lexical: Rows
    dense: Rows
    named: Floats


class Gatherer:
    """Finds candidates in one index, whose table is `table`. `quick` are weights of `quick_features`, by
    which the well-known titles are gone through, `named` the titles of that table that viewers name; None for
    those that ship with falsework."""

    def __init__(
        self,
        index: Asked,
        table: Table,
        quick: Mapping[str, float] | None = None,
        named: Named | None = None,
    ) -> None:
        self.table = table
        self._index = index
        self._quick = dict(load_model().quick if quick is None else quick)
        self._named = Named.of(load_model().named, table) if named is None else named
        self._shelves = Shelves(index, table)
        self._asking = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="falsework-index")

    def gather(
        self,
        request: Request,
        conditions: Conditions = ANYTHING,
        *,
        quick: Mapping[str, float] | None = None,
        named: Named | None = None,
    ) -> Candidates:
        """Whatever may answer a wish. Titles that are disliked, or liked and so known, are left out, as is
        anything the table does not hold. `quick` and `named` are others for this once."""
        named = self._named if named is None else named
        # The index works in other threads and lets go of this one's lock, so all three go on at once.
        asked_words = self._asking.submit(self._by_words, request, conditions)
        asked_meaning = self._asking.submit(self._by_meaning, request.vectors[0], conditions, TAKEN)
        asked_liked = self._asking.submit(self._neighbours, request, conditions)
        shelf = self._shelves.under(conditions)
        weights = self._quick if quick is None else quick
        scores = quick_scores(request, shelf, self.table, named.column(shelf.rows), weights)
        words, meaning = asked_words.result(), asked_meaning.result()
        known = words[np.isin(words, shelf.rows)][:KNOWN_TAKEN]
        rows = _distinct([words[:TAKEN], meaning, known, asked_liked.result(), shelf.rows[_best(scores)]])
        rows = rows[~np.isin(rows, np.concatenate([request.liked, request.unliked]))]
        return Candidates(rows, _places(words, rows), _places(meaning, rows), named.column(rows))

    def shelf(
        self, request: Request, conditions: Conditions = ANYTHING, *, named: Named | None = None
    ) -> tuple[Titles, dict[str, Floats]]:
        """The well-known titles that fulfil the conditions, and the columns they are compared by."""
        shelf = self._shelves.under(conditions)
        column = (self._named if named is None else named).column(shelf.rows)
        return shelf, quick_features(request, shelf, self.table, column)

    def _neighbours(self, request: Request, conditions: Conditions) -> Rows:
        """The titles nearest in meaning to those that are liked, taken together."""
        if not len(request.liked):
            return np.zeros(0, np.int64)
        mean = self.table.whole_vectors(request.liked[:MOST_LIKED]).mean(axis=0)
        length = max(float(np.linalg.norm(mean)), 1e-6)
        return self._by_meaning(mean / length, conditions, LIKED_TAKEN)

    def _by_meaning(self, vector: Floats, conditions: Conditions, limit: int) -> Rows:
        return self._rows(self._index.dense(vector, conditions, limit))

    def _by_words(self, request: Request, conditions: Conditions) -> Rows:
        """A word that is said again counts more, but not as often more."""
        terms = np.array(list(request.terms), np.uint32)
        if not len(terms):
            return np.zeros(0, np.int64)
        said = np.sqrt(np.array(list(request.terms.values()), np.float64))
        rarest = np.argsort(self.table.frequencies(terms), kind="stable")[:MOST_TERMS]
        weights = {int(terms[at]): float(said[at]) for at in rarest}
        return self._rows(self._index.lexical(weights, conditions, DEPTH))

    def _rows(self, hits: Sequence[Hit]) -> Rows:
        rows = self.table.rows_of([hit.id for hit in hits])
        return np.asarray(rows[rows != UNKNOWN])


def _distinct(lists: Sequence[Rows]) -> Rows:
    """Each row once, in the order of the first list it is in."""
    every = np.concatenate(lists)
    _, first = np.unique(every, return_index=True)
    return np.asarray(every[np.sort(first)])


def _best(scores: Floats) -> Rows:
    """Where the `SHELF_TAKEN` highest scores stand, the highest first."""
    if len(scores) > SHELF_TAKEN:
        some = np.argpartition(-scores, SHELF_TAKEN)[:SHELF_TAKEN]
        return np.asarray(some[np.argsort(-scores[some], kind="stable")])
    return np.argsort(-scores, kind="stable")


def _places(listed: Rows, rows: Rows) -> Rows:
    """Where in `listed` each of `rows` stands."""
    if not len(listed):
        return np.full(len(rows), UNKNOWN, np.int64)
    order = np.argsort(listed)
    at = order[np.minimum(np.searchsorted(listed, rows, sorter=order), len(listed) - 1)]
    return np.where(listed[at] == rows, at, UNKNOWN)
