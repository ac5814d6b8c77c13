"""Units of Spanish put together as an English sentence: verbs and nouns in their order, then written out."""

from __future__ import annotations

import re

from falsework.search.understanding.spanish import english
from falsework.search.understanding.spanish.noun_phrases import (
    compounds,
    degrees,
    possessives,
    qualities_first,
)
from falsework.search.understanding.spanish.units import Unit
from falsework.search.understanding.spanish.verb_phrases import (
    linked,
    negated_with_objects,
    perfects,
    without_personal_a,
    written_verb,
)

__all__ = ["as_english"]

CLOSING = frozenset(".,;:!?)]}…%")
OPENING = frozenset("([{")
DENIED = re.compile(r"\b((?:do|does|did|will|would)(?:n't| not) (?:\w+ )?\w+)( no| nothing)\b")
ONCE = {" no": " any", " nothing": " anything"}
ONLY_SPANISH = frozenset("¿¡")


def as_english(units: list[Unit]) -> str:
    """The sentence in English. The units are changed in place."""
    units = linked(perfects(units))
    units = without_personal_a(negated_with_objects(units))
    units = qualities_first(degrees(units))
    possessives(units)
    return _denied_once(_joined(compounds(units)))


def _joined(units: list[Unit]) -> str:
    words: list[str] = []
    glue = True
    for place, unit in enumerate(units):
        text = _written(unit, units[place - 1] if place else None)
        if not text or text in ONLY_SPANISH:
            continue
        attached = glue or (unit.part == "sign" and (text in CLOSING or unit.glued))
        words.append(text if attached else f" {text}")
        glue = unit.part == "sign" and text in OPENING
    return _with_articles("".join(words).strip())


def _written(unit: Unit, before: Unit | None) -> str:
    if unit.settled:
        return unit.english
    if unit.part == "verb":
        return written_verb(unit, before)
    text = unit.english
    marked = unit.reading.marked if unit.reading is not None else ""
    if marked == "ly":
        text = english.adverb(text)
    elif marked:
        text = f"{marked} {text}"
    return english.plural(text) if unit.part == "noun" and unit.plural else text


def _denied_once(text: str) -> str:
    """What Spanish denies twice, English denies once: "no quiero nada de sangre", "no me gusta nada"."""
    return DENIED.sub(lambda found: f"{found[1]}{ONCE[found[2]]}", text)


def _with_articles(text: str) -> str:
    """ "a" before a vowel is "an"; two articles that met are one."""
    words = text.split(" ")
    for place, word in enumerate(words[:-1]):
        if word == "a":
            words[place] = english.article(words[place + 1])
    return " ".join(words)
