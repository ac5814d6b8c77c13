"""Genres as bits of one number, so that what a request asks for and what a title is compare in one
instruction.

Bit i is entry i of `falsework.catalogue.vocabularies.GENRES`. A catalogue's own labels and a viewer's words
come to the same bits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from falsework.catalogue.records import Title
from falsework.catalogue.vocabularies import GENRES, MOODS, Term, folded, genres_named

__all__ = ["genre_bits", "genres_said", "names_of", "title_genres"]

LEAD: Final = 240  # characters of a synopsis in which an encyclopaedia says the genre

_BITS: Final = {term.name: 1 << index for index, term in enumerate(GENRES)}


def genre_bits(names: Iterable[str]) -> int:
    """The bits of genres by their names; what is no genre of the vocabulary has none."""
    bits = 0
    for name in names:
        bits |= _BITS.get(name, 0)
    return bits


def names_of(bits: int) -> tuple[str, ...]:
    """The genres of these bits."""
    return tuple(name for name, bit in _BITS.items() if bits & bit)


def genres_said(text: str) -> int:
    """The genres a request speaks of, by name or by a mood that goes with them ("something scary")."""
    bits = 0
    for word in _aliases_of_requests().findall(folded(text)):
        bits |= _meanings()[word]
    return bits


def title_genres(title: Title) -> int:
    """A title's genres: those of its record, and those its first words say ("is an American horror film")."""
    bits = genre_bits(name for label in title.genres for name in _named(label))
    for word in _aliases_of_titles().findall(folded(title.synopsis[:LEAD])):
        bits |= _meanings()[word]
    return bits


@cache
def _named(label: str) -> tuple[str, ...]:
    return genres_named(label)


@cache
def _meanings() -> dict[str, int]:
    """Bits by folded alias; of a mood, those of the genres that usually carry it."""
    found: dict[str, int] = {}
    for term in GENRES:
        for alias in (term.name, *term.english):
            found[folded(alias)] = found.get(folded(alias), 0) | _BITS[term.name]
    for mood in MOODS:
        for alias in (mood.name, *mood.english):
            found.setdefault(folded(alias), genre_bits(mood.near))
    return found


@cache
def _aliases_of_requests() -> re.Pattern[str]:
    return _pattern(alias for alias, bits in _meanings().items() if bits)


@cache
def _aliases_of_titles() -> re.Pattern[str]:
    """Of a title's own words only the plain names of genres: a film about the police need not be a crime
    film."""
    return _pattern(folded(alias) for term in GENRES for alias in (term.name, *_adjectives(term)))


def _adjectives(term: Term) -> tuple[str, ...]:
    return tuple(alias for alias in term.english if alias.startswith(term.name.casefold()[:5]))


def _pattern(aliases: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(set(aliases), key=lambda alias: (-len(alias), alias))
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b")
