"""What anybody would build in an afternoon: BM25, sentence vectors, and their reciprocal rank fusion.

Kept apart from falsework's own index on purpose, and exact: every title is scored.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from falsework.catalogue.records import Title
from falsework.search.text import tokens

__all__ = ["BM25", "Dense", "fused", "plain_text"]

K1: Final = 1.2
B: Final = 0.75
RANK_CONSTANT: Final = 60
DEPTH: Final = 1_000  # titles of each list

Floats = npt.NDArray[np.float32]


def plain_text(title: Title) -> str:
    """A title as the plain systems read it: its name and its text."""
    return f"{title.title}. {title.synopsis}"


class BM25:
    """Robertson's BM25, k1 = 1.2 and b = 0.75, over terms as falsework cuts them."""

    def __init__(self, texts: Sequence[str]) -> None:
        lengths = np.zeros(len(texts))
        places: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for at, text in enumerate(texts):
            counts = Counter(tokens(text))
            lengths[at] = sum(counts.values())
            for term, count in counts.items():
                places[term].append((at, count))
        self.titles = len(texts)
        held_back = K1 * (1 - B + B * lengths / max(lengths.mean(), 1e-9)) if len(texts) else lengths
        self._postings: dict[str, tuple[npt.NDArray[np.int32], Floats]] = {}
        for term, listed in places.items():
            rows, counts_of = np.array(listed).T
            idf = np.log1p((len(texts) - len(rows) + 0.5) / (len(rows) + 0.5))
            weights = idf * counts_of * (K1 + 1) / (counts_of + held_back[rows])
            self._postings[term] = rows.astype(np.int32), weights.astype(np.float32)

    def ranked(self, query: str) -> npt.NDArray[np.int64]:
        """Rows of the titles that hold any of the query's terms, best first, at most `DEPTH`."""
        scores = np.zeros(self.titles, np.float32)
        for term, times in Counter(tokens(query)).items():
            if term in self._postings:
                rows, weights = self._postings[term]
                scores[rows] += times * weights
        best = _best(scores)
        return best[scores[best] > 0]


class Dense:
    """The product of unit vectors with each title's: `vectors` (titles, dimensions)."""

    def __init__(self, vectors: Floats) -> None:
        self._vectors = vectors

    def ranked(self, vector: Floats) -> npt.NDArray[np.int64]:
        """Rows of the nearest titles, nearest first, at most `DEPTH`."""
        return _best(self._vectors @ vector)


def fused(lists: Sequence[npt.NDArray[np.int64]]) -> list[int]:
    """Rows by reciprocal rank fusion, k = 60 (Cormack, Clarke and Büttcher, SIGIR 2009)."""
    scores: dict[int, float] = defaultdict(float)
    for listed in lists:
        for place, row in enumerate(listed.tolist(), 1):
            scores[row] += 1.0 / (RANK_CONSTANT + place)
    return _by_score(scores)


def _by_score(scores: Mapping[int, float]) -> list[int]:
    return sorted(scores, key=lambda row: (-scores[row], row))


def _best(scores: Floats) -> npt.NDArray[np.int64]:
    return np.argsort(-scores, kind="stable")[:DEPTH]
