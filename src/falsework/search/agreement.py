"""Recorded moods beside the learned order.

The order is learned on catalogues that record no moods. Where one does, and a wish names some, two orders are
fused by reciprocal rank (Cormack, Clarke and Büttcher, SIGIR 2009): the learned one, and that of how many of
the moods asked for a title carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from falsework.search.answer import Result
from falsework.search.query import Query
from falsework.search.text import folded

__all__ = ["COMPARED", "ordered_by_moods"]

CONSTANT: Final = 60  # of reciprocal rank fusion
COMPARED: Final = 60  # results; who comes after them stays there


def ordered_by_moods(results: Sequence[Result], query: Query) -> list[Result]:
    """The same results, those with more of the wished moods further up; unchanged where none is recorded.

    Scores fall with the new order; "moods met" among a result's parts is the share of the moods it carries.
    """
    wished = {folded(mood) for mood in query.moods}
    first, rest = list(results[:COMPARED]), list(results[COMPARED:])
    if not wished or not any(result.title.moods for result in first):
        return [*first, *rest]
    met = [len(wished & {folded(mood) for mood in result.title.moods}) / len(wished) for result in first]
    # Titles that meet equally many share a place: the first of theirs.
    place = {share: sum(other > share for other in met) for share in set(met)}

    def fused(at: int) -> float:
        return 1 / (CONSTANT + 1 + at) + 1 / (CONSTANT + 1 + place[met[at]])

    order = sorted(range(len(first)), key=lambda at: (-fused(at), at))
    scores = sorted((result.score for result in first), reverse=True)
    moved = [
        replace(first[at], score=score, parts={**first[at].parts, "moods met": met[at]})
        for at, score in zip(order, scores, strict=True)
    ]
    return [*moved, *rest]
