"""Recorded moods beside the learned order.

The order is learned on catalogues that record no moods. Where one does, and a wish names moods or titles to
be like, two orders are fused by reciprocal rank (Cormack, Clarke and Büttcher, SIGIR 2009): the learned one,
and that of how far a title carries the moods asked for and how near its genres and moods are to those of the
titles liked, both together. A wish of nothing but moods, genres and titles has no words for the learned order
to go by: there what is recorded decides, and the learned order among equals.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from falsework.catalogue.records import Title
from falsework.catalogue.vocabularies import term
from falsework.search.answer import Result
from falsework.search.query import Query
from falsework.search.text import folded

__all__ = ["COMPARED", "agreed"]

CONSTANT: Final = 60  # of reciprocal rank fusion
COMPARED: Final = 100  # results; who comes after them stays there
NEAR_GENRE: Final = 0.5  # of a mood, where it is not recorded but a genre is that usually carries it
ALONE: Final = 2.0  # what likeness weighs where nothing else is asked for
GENRE: Final = 2  # moods that a genre weighs in likeness
MILD: Final = 0.75  # the weight of a mood that is to be there only a little
MET, NEAR = "moods met", "near what is liked"

Measure = Callable[[Title], float]


def agreed(results: Sequence[Result], query: Query, liked: Sequence[Title] = ()) -> list[Result]:
    """The same results, those with more of the wished moods and nearer to what is liked further up; unchanged
    where no mood is recorded.

    Scores fall with the new order. Among a result's parts, "moods met" is the share of the moods it carries
    and "near what is liked" a cosine, both 0 to 1.
    """
    first, rest = list(results[:COMPARED]), list(results[COMPARED:])
    if not any(result.title.moods for result in first):
        return [*first, *rest]
    titles = [result.title for result in first]
    measures: dict[str, Measure] = {}
    if query.moods:
        measures[MET] = _moods_met(query)
    if any(title.moods for title in liked):
        measures[NEAR] = _nearness(liked, [*titles, *liked])
    if not measures:
        return [*first, *rest]
    measured = {name: [measure(title) for title in titles] for name, measure in measures.items()}
    together = [sum(each) for each in zip(*measured.values(), strict=True)]
    if query.text.strip() or query.titles:
        worth = _fused(together)
    elif liked and not query.moods:
        worth = _fused(together, weight=ALONE)
    else:
        worth = [sum_ + share for sum_, share in zip(together, _genres_met(query, titles), strict=True)]
    order = sorted(range(len(first)), key=lambda at: (-worth[at], at))
    scores = sorted((result.score for result in first), reverse=True)
    moved = [
        replace(
            first[at],
            score=score,
            parts={**first[at].parts, **{name: found[at] for name, found in measured.items()}},
        )
        for at, score in zip(order, scores, strict=True)
    ]
    return [*moved, *rest]


def _genres_met(query: Query, titles: Sequence[Title]) -> list[float]:
    """How many of the wished genres each title has, a genre weighing what a mood does."""
    genres, each = {folded(genre) for genre in query.genres}, 1 / max(len(query.moods), 1)
    return [each * len(genres & {folded(genre) for genre in title.genres}) for title in titles]


def _fused(values: Sequence[float], *, weight: float = 1.0) -> list[float]:
    """Each place's reciprocal rank, and `weight` times that by `values`. Equals share the first place of
    theirs."""
    place = {value: sum(other > value for other in values) for value in set(values)}
    return [
        1 / (CONSTANT + 1 + at) + weight / (CONSTANT + 1 + place[value]) for at, value in enumerate(values)
    ]


def _moods_met(query: Query) -> Measure:
    wished = {folded(mood): (MILD if mood in query.mild else 1.0, _genres_near(mood)) for mood in query.moods}
    whole = sum(weight for weight, _ in wished.values())

    def measure(title: Title) -> float:
        moods = {folded(mood) for mood in title.moods}
        genres = {folded(genre) for genre in title.genres}
        met = (
            weight * (1.0 if mood in moods else NEAR_GENRE if near & genres else 0.0)
            for mood, (weight, near) in wished.items()
        )
        return sum(met) / whole

    return measure


def _genres_near(mood: str) -> frozenset[str]:
    known = term(mood)
    return frozenset(folded(genre) for genre in known.near) if known is not None else frozenset()


def _nearness(liked: Sequence[Title], titles: Sequence[Title]) -> Measure:
    """The cosine of a title's genres and moods with those of the liked titles together, rare ones counting
    for more (inverse document frequency over `titles`)."""
    frequency = Counter(tag for title in titles for tag in _tags(title))

    def weighed(tags: Counter[str]) -> dict[str, float]:
        return {
            tag: count * math.log(1 + len(titles) / max(frequency[tag], 1)) for tag, count in tags.items()
        }

    wanted = weighed(sum((_tags(title) for title in liked), Counter()))
    length = math.hypot(*wanted.values())

    def measure(title: Title) -> float:
        own = weighed(_tags(title))
        both = length * math.hypot(*own.values())
        return sum(weight * wanted.get(tag, 0.0) for tag, weight in own.items()) / both if both else 0.0

    return measure


def _tags(title: Title) -> Counter[str]:
    """Genres and moods, a genre as often as makes it weigh more: a thriller is like a thriller first."""
    genres = {folded(genre): GENRE for genre in title.genres}
    return Counter({folded(mood): 1 for mood in title.moods} | genres)
