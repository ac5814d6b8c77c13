"""A viewer's sentence in Spanish, in the English that the catalogue, its rules and its embedding model
understand."""

from __future__ import annotations

from typing import NamedTuple

from falsework.search.understanding.spanish.detection import language_of
from falsework.search.understanding.spanish.grammar import as_english
from falsework.search.understanding.spanish.lexicon import lexicon
from falsework.search.understanding.spanish.tokens import Token, mark_names, split
from falsework.search.understanding.spanish.units import units_of

__all__ = ["English", "in_english", "to_english"]


class English(NamedTuple):
    """`text` in English if `language` is "es", and otherwise as it was typed. `glossed` are the pairs
    (Spanish, English base form) it was made with, in their order; `unknown` the words left as they are,
    names not among them."""

    text: str
    language: str
    glossed: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()


def to_english(text: str) -> English:
    """What a Spanish sentence says, in English. Titles and names stay as they are, release titles in Spanish
    become the original ones. Any text is accepted, the time grows in proportion to its length, and
    nothing is raised."""
    known = lexicon()
    tokens = mark_names(split(text), known)
    if renamed := _only_a_title(tokens):
        return English(renamed, "es", ((text.strip(), renamed),))
    language = language_of(tokens, known)
    if language != "es":
        return English(text, language)
    units = units_of(tokens, known)
    glossed = tuple((unit.spanish, unit.english) for unit in units if unit.part not in ("sign", "unknown"))
    unknown = tuple(unit.spanish for unit in units if unit.part == "unknown")
    return English(as_english(units), "es", glossed, unknown)


def in_english(text: str) -> str:
    """A phrase that is Spanish for sure, however short, in English."""
    known = lexicon()
    tokens = mark_names(split(text), known)
    return _only_a_title(tokens) or as_english(units_of(tokens, known))


def _only_a_title(tokens: list[Token]) -> str:
    """The original title, if nothing is said but a Spanish release title; otherwise ""."""
    words = [token for token in tokens if token.word or token.kept is not None]
    if len(words) != 1 or words[0].kept is None or words[0].kept == words[0].text:
        return ""
    return words[0].kept
