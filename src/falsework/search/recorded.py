"""What a catalogue records of a title, beside the order that was learned: its form, its countries, how harsh
it is.

"A documentary about penguins" asks for a form: a cartoon that speaks of penguins and documentaries has all
the words and is none. A country that was named is a fact, and "not too scary" is a matter of ratings and
moods. Whoever misses what was asked for falls behind by so many places, and whoever's record says nothing by
half as many; nobody is shut out. Only stored fields are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from falsework.catalogue.ratings import least_age
from falsework.catalogue.records import Title
from falsework.search.agreement import COMPARED
from falsework.search.answer import Result
from falsework.search.query import Query
from falsework.search.ranking.genre_bits import genre_bits, title_genres
from falsework.search.text import folded

__all__ = ["FORMS", "as_recorded", "looks_at_records"]

# Genres that say how a title is made, not what it tells of.
FORMS: Final = frozenset(
    ("Documentary", "Animation", "Anime", "Stand-up", "Short", "Silent", "Reality", "Performance")
)
MOST_BESIDE: Final = 1  # genres named with a form: "an animated comedy". Of a longer list any will do
BEHIND: Final = 20  # places, for a missed form and for what is too harsh, where words describe the title too
FAR_BEHIND: Final = COMPARED  # places, for a missed country, and for all where nothing else is asked for

GROWN_UP: Final = 17  # least age, in years, of what is harsh whatever its moods
YOUNG: Final = 13  # least age up to which a rating says that a title is not
_HARSH: Final = frozenset(("violent", "gory", "cruel", "bleak", "dark", "shocking", "visceral", "disturbing"))
_FRIGHT: Final = frozenset(
    ("scary", "chilling", "violent", "gory", "dark", "cruel", "tense", "suspenseful", "gritty", "visceral",
     "shocking")
)  # fmt: skip
_RATED: Final = _FRIGHT | {"sexual", "passionate", "swearing", "drug-laden", "edgy"}
_EXTREMES: Final = {
    **dict.fromkeys(_FRIGHT, _HARSH),
    "sad": frozenset(("bleak",)),
    "sexual": frozenset(("sexual",)),
    "passionate": frozenset(("sexual",)),
}
_EXTREME_GENRES: Final = {
    **dict.fromkeys(_FRIGHT, "slasher"),
    "sexual": "erotic",
    "passionate": "erotic",
}

Missed = Callable[[Title], float]  # 0: as asked for, 1: not; between where the record does not say


def looks_at_records(query: Query) -> bool:
    """Whether a wish asks for anything that is looked up here."""
    return bool(query.countries or query.mild or _forms(query))


def as_recorded(results: Sequence[Result], query: Query) -> list[Result]:
    """The same results, those behind whose records miss what was asked for; the rest in their order.

    Scores fall with the new order. Among a result's parts, "form", "countries" and "mild" are 1 where it is
    as asked for, 0 where not, and 0.5 where nothing is recorded.
    """
    first, rest = list(results[:COMPARED]), list(results[COMPARED:])
    behind = BEHIND if query.text.strip() or query.like else FAR_BEHIND
    asked: dict[str, tuple[int, Missed]] = {}
    if forms := _forms(query):
        asked["form"] = (behind, _form_missed(forms))
    if query.countries:
        asked["countries"] = (FAR_BEHIND, _countries_missed(query))
    if query.mild:
        asked["mild"] = (behind, _too_much(query))
    if not asked or not first:
        return [*first, *rest]
    missed = {name: [miss(one.title) for one in first] for name, (_, miss) in asked.items()}
    falls = [sum(asked[name][0] * missed[name][at] for name in asked) for at in range(len(first))]
    order = sorted(range(len(first)), key=lambda at: (at + falls[at], at))
    scores = sorted((one.score for one in first), reverse=True)
    moved = [
        replace(
            first[at],
            score=score,
            parts={**first[at].parts, **{name: 1.0 - missed[name][at] for name in asked}},
        )
        for at, score in zip(order, scores, strict=True)
    ]
    return [*moved, *rest]


def _forms(query: Query) -> frozenset[str]:
    """The forms a wish asks for; none where they are some among several genres."""
    forms = FORMS.intersection(query.genres)
    return forms if len(set(query.genres) - forms) <= MOST_BESIDE else frozenset()


def _form_missed(forms: frozenset[str]) -> Missed:
    wanted = genre_bits(forms)

    def missed(title: Title) -> float:
        # A synopsis counts only where no genre is recorded: that of a mock documentary speaks of one.
        bits = genre_bits(title.genres) or title_genres(title)
        return 0.0 if bits & wanted else 1.0 if bits else 0.5

    return missed


def _countries_missed(query: Query) -> Missed:
    wanted = frozenset(query.countries)

    def missed(title: Title) -> float:
        return 0.5 if not title.countries else 0.0 if wanted.intersection(title.countries) else 1.0

    return missed


def _too_much(query: Query) -> Missed:
    """How far a title goes beyond a little of a mood: by its rating, and by moods and genres that are its
    extreme or, where the mood itself was not wished for, the mood."""
    by_rating = any(mood in _RATED for mood in query.mild)
    extremes = frozenset(
        each for mood in query.mild for each in (*_EXTREMES.get(mood, ()), mood) if each not in query.moods
    )
    genres = {_EXTREME_GENRES[mood] for mood in query.mild if mood in _EXTREME_GENRES}

    def missed(title: Title) -> float:
        carried = len(extremes.intersection(map(folded, title.moods)))
        if carried > 1 or genres.intersection(map(folded, title.genres)):
            return 1.0
        age = least_age(title.rating) if title.rating else None
        if not by_rating or (age is not None and age <= YOUNG):
            return 0.5 if carried else 0.0
        return 1.0 if age is not None and age >= GROWN_UP else 0.5

    return missed
