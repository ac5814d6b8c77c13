"""Hits in an order that does not depend on the engine."""

from __future__ import annotations

from collections.abc import Callable

from falsework.search.index.protocol import Hit

__all__ = ["in_order"]

DECIMALS = 6  # of a score: beyond them engines round differently, and equal vectors would not tie
SPARE = 16  # hits asked for beyond the wanted ones, to see whether a tie ends there
MOST = 1 << 16  # hits are asked for at most: a tie of more is cut where the engine cuts it


def in_order(fetch: Callable[[int], list[Hit]], limit: int) -> list[Hit]:
    """The best `limit` hits, ties by id. `fetch` gives the engine's best n in whatever order ties have there;
    it is asked for more until the tie that `limit` would cut through is seen whole."""
    if limit <= 0:
        return []
    asked = limit + SPARE
    hits = _rounded(fetch(asked))
    while len(hits) == asked and hits[-1].score == hits[limit - 1].score and asked < MOST:
        asked *= 4
        hits = _rounded(fetch(asked))
    return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit]


def _rounded(hits: list[Hit]) -> list[Hit]:
    return [Hit(hit.id, round(hit.score, DECIMALS)) for hit in hits]
