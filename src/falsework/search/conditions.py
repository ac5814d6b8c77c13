"""What of a query must hold: as conditions for the index, and once more against the catalogue's record."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from falsework.catalogue.ratings import fit_for_children
from falsework.catalogue.records import Availability, Title
from falsework.catalogue.vocabularies import COUNTRIES, GENRES, LANGUAGES, Term, term, words_of
from falsework.search.answer import Loosening
from falsework.search.index.protocol import CatalogueIndex, Conditions
from falsework.search.query import Query, Span
from falsework.search.text import folded
from falsework.search.understanding import chips_of, without
from falsework.search.understanding.lexicon import compound

__all__ = ["conditions_of", "fulfils", "loosenings"]

EVERYWHERE = "worldwide"
MOST_READ = 2_000  # titles whose texts are read to count what a word leaves
_GENRES = frozenset(genre.name for genre in GENRES)
_COUNTRIES = frozenset(country.name for country in COUNTRIES)
_LANGUAGES = {folded(word): language.name for language in LANGUAGES for word in language.english}


def conditions_of(query: Query, *, territory: str | None = None, at: float | None = None) -> Conditions:
    """What an index can hold a title to. `at`, in seconds since 1970, counts only where there is a territory.

    Of what is excluded an index knows genres, moods and people; plain words are looked for in the texts
    afterwards.
    """
    return Conditions(
        kids=query.kids,
        kind=query.kind or ("series" if query.seasons is not None else None),
        years=query.years,
        runtime=query.runtime,
        languages=query.languages,
        people=query.people,
        without=query.exclude,
        territory=territory,
        at=at if territory else None,
    )


def fulfils(
    title: Title, query: Query, conditions: Conditions, seasons: Mapping[str, int] | None = None
) -> bool:
    """Whether the catalogue's own record meets everything: an index may be older than a rating. `seasons`:
    how many each title has, by id; None where none are recorded, so that nothing can be held to them."""
    if conditions.kids and not fit_for_children(title.rating):
        return False
    return (
        query.kind in (None, title.kind)
        and _inside(title.year, query.years)
        and _inside(title.runtime, query.runtime)
        and (seasons is None or _inside(seasons.get(title.id), query.seasons))
        and (not query.languages or any(code in query.languages for code in title.languages))
        and (not query.people or _has_any(query.people, [credit.name for credit in title.credits]))
        and _to_be_watched(title, conditions)
        and not any(_carries(title, each) for each in query.exclude)
    )


def loosenings(
    query: Query,
    conditions: Conditions,
    index: CatalogueIndex,
    titles: Callable[[list[str]], Mapping[str, Title]],
    *,
    seasons: Callable[[Sequence[str]], Mapping[str, int]] | None = None,
    language: str = "en",
) -> tuple[Loosening, ...]:
    """For each chip of a query, how many titles there would be without it; those that would give any, most
    first. A child's filter is nobody's to loosen. `titles` gives the catalogue's records by their ids,
    `seasons` how many each has, None where none are recorded."""
    found = []
    for chip in chips_of(query, language=language):
        less = without(query, chip)
        wider = conditions_of(less, territory=conditions.territory, at=conditions.at)
        if chip.key == "kids" or (chip.key != "seasons" and wider == conditions):
            continue
        if count := _count(less, wider, index, titles, seasons if less.seasons is not None else None):
            found.append(Loosening(chip, count))
    return tuple(sorted(found, key=lambda one: -one.titles))


def _count(
    query: Query,
    conditions: Conditions,
    index: CatalogueIndex,
    titles: Callable[[list[str]], Mapping[str, Title]],
    seasons: Callable[[Sequence[str]], Mapping[str, int]] | None,
) -> int:
    """How many titles meet a query: by the index, and where words are shut out or seasons counted, by the
    records too. Of more than MOST_READ titles these are not read: a word takes few of so many away."""
    count = index.count(conditions)
    if not (query.exclude or seasons is not None) or not 0 < count <= MOST_READ:
        return count
    anywhere = np.full(index.manifest.dimensions, index.manifest.dimensions**-0.5, np.float32)
    ids = [hit.id for hit in index.dense(anywhere, conditions, count)]
    counts = None if seasons is None else seasons(ids)
    return sum(fulfils(title, query, conditions, counts) for title in titles(ids).values())


def _inside(value: int | None, span: Span | None) -> bool:
    return span is None or (span.least is span.most is None) or (value is not None and span.holds(value))


def _has_any(wanted: tuple[str, ...], names: list[str]) -> bool:
    have = {folded(name) for name in names}
    return any(folded(name) in have for name in wanted)


def _to_be_watched(title: Title, conditions: Conditions) -> bool:
    territory, at = conditions.territory, conditions.at
    if territory is None or not title.availability:
        return True

    def is_open(window: Availability) -> bool:
        here = window.territory.casefold() in (territory.casefold(), EVERYWHERE)
        begun = at is None or window.starts is None or window.starts.timestamp() <= at
        return here and begun and (at is None or window.ends is None or at < window.ends.timestamp())

    return any(map(is_open, title.availability))


def _carries(title: Title, excluded: str) -> bool:
    """Whether a title has what no result may have: among its genres and moods, or, where nobody recorded any,
    in words of its text that tell of it. What is several of these together ("rom coms") it carries where it
    carries them all. A plain word is looked for among the people and in the text
    always; a country's code and a language's name among the countries and languages."""
    if together := compound(excluded):
        return all(_carries(title, each) for each in together)
    if excluded in _COUNTRIES:
        return excluded in title.countries
    if (language := _LANGUAGES.get(folded(excluded))) is not None and title.languages:
        return language in title.languages
    tags = {folded(each) for each in (*title.genres, *title.moods)}
    known = _known(excluded)
    if folded(excluded if known is None else known.name) in tags:
        return True
    if known is None and _has_any((excluded,), [credit.name for credit in title.credits]):
        return True
    recorded = known is not None and bool(title.genres if known.name in _GENRES else title.moods)
    return not recorded and _told_by(excluded).search(f"{title.title} {title.synopsis}") is not None


@lru_cache(maxsize=512)
def _known(name: str) -> Term | None:
    return term(name)


@lru_cache(maxsize=512)
def _told_by(excluded: str) -> re.Pattern[str]:
    words = "|".join(map(re.escape, words_of(excluded)))
    return re.compile(rf"(?<!\w)(?:{words})(?:s|es)?(?!\w)", re.IGNORECASE)
