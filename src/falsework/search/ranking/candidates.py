"""Which titles are ranked: a few hundred from each way of asking the index, all under the same conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from falsework.search.index.protocol import CatalogueIndex, Conditions, Hit
from falsework.search.ranking.document import KNOWN, genre_term
from falsework.search.ranking.genre_bits import names_of
from falsework.search.ranking.request import Request
from falsework.search.ranking.table import UNKNOWN, Table

__all__ = ["Candidates", "gather"]

DEPTH: Final = 400  # titles from the words, and as many from the meaning
SENTENCE_DEPTH: Final = 60  # from each sentence of a long wish
LIKED_DEPTH: Final = 150  # neighbours of each title that is liked
MOST_LIKED: Final = 4
KNOWN_DEPTH: Final = 300  # well-known titles, and as many of each genre asked for
MOST_GENRES: Final = 4
UNCONDITIONAL: Final = Conditions()
MOST_TERMS: Final = 64  # of a wish, the rarest in the catalogue


@dataclass(frozen=True)
class Candidates:
    """Titles to be ranked: their `rows` in the table, each once, and their places (from 0, UNKNOWN where
    they are not in it) in the lists by words and by meaning."""

    rows: npt.NDArray[np.int64]
    lexical: npt.NDArray[np.int64]
    dense: npt.NDArray[np.int64]


def gather(
    request: Request, index: CatalogueIndex, table: Table, conditions: Conditions = UNCONDITIONAL
) -> Candidates:
    """Ask the index for whatever may answer a wish. Titles that are disliked, or liked and so known, are left
    out, as is anything the table does not hold."""
    lexical = index.lexical(asked_terms(request, table), conditions, DEPTH) if request.terms else []
    dense = index.dense(request.vectors[0], conditions, DEPTH)
    lists: list[Iterable[Hit]] = [lexical, dense]
    lists += [index.dense(vector, conditions, SENTENCE_DEPTH) for vector in request.vectors[1:]]
    liked = request.liked[:MOST_LIKED]
    lists += [index.dense(vector, conditions, LIKED_DEPTH) for vector in table.whole_vectors(liked)]
    lists.append(index.lexical({KNOWN: 1.0}, conditions, KNOWN_DEPTH))
    for genre in names_of(request.genres)[:MOST_GENRES]:
        lists.append(index.lexical({genre_term(genre): 1.0}, conditions, KNOWN_DEPTH))
    ids = list(dict.fromkeys(hit.id for hits in lists for hit in hits))
    rows = table.rows_of(ids)
    kept = (rows != UNKNOWN) & ~np.isin(rows, np.concatenate([request.liked, request.unliked]))
    return Candidates(rows[kept], _places(lexical, ids)[kept], _places(dense, ids)[kept])


def asked_terms(request: Request, table: Table) -> Mapping[int, float]:
    """The wish's terms with their weights: a word that is repeated counts more, but not as often more."""
    terms = np.array(list(request.terms), np.uint32)
    counts = np.array(list(request.terms.values()), np.float64)
    rarest = np.argsort(table.frequencies(terms), kind="stable")[:MOST_TERMS]
    return {int(terms[at]): float(np.sqrt(counts[at])) for at in sorted(rarest.tolist())}


def _places(hits: Iterable[Hit], ids: list[str]) -> npt.NDArray[np.int64]:
    place = {hit.id: rank for rank, hit in enumerate(hits)}
    return np.array([place.get(each, UNKNOWN) for each in ids], np.int64)
