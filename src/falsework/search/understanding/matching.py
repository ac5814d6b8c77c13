"""Where in a sentence the phrases of the vocabularies and the operators stand."""

from __future__ import annotations

from typing import Final

from falsework.search.understanding.lexicon import (
    FILLERS,
    FILM_WORDS,
    LONGEST_PHRASE,
    OPERATORS,
    SERIES_WORDS,
    Meaning,
    Operator,
    meanings,
    phrases,
)
from falsework.search.understanding.sentence import Sentence

__all__ = [
    "ABOUT",
    "ends_clause",
    "in_story",
    "is_vocabulary",
    "meanings_at",
    "operator_at",
    "operator_before",
]

# After these words it is told what a film is about.
ABOUT: Final = phrases("about|where|who|whose|whom|involving|featuring")


def meanings_at(
    sentence: Sentence, place: int, table: dict[str, tuple[Meaning, ...]]
) -> tuple[int, tuple[Meaning, ...]] | None:
    """The longest phrase that begins at a word, with what it means."""
    for size in range(min(LONGEST_PHRASE, len(sentence.keys) - place), 0, -1):
        found = table.get(" ".join(sentence.keys[place : place + size]))
        if (
            found is not None
            and sentence.free(place, place + size)
            and not any(word.breaks for word in sentence.words[place + 1 : place + size])
        ):
            return size, found
    return None


def operator_at(sentence: Sentence, place: int) -> tuple[int, Operator | None]:
    for size in range(min(LONGEST_PHRASE, len(sentence.keys) - place), 0, -1):
        operator = OPERATORS.get(" ".join(sentence.keys[place : place + size]))
        if (
            operator is not None
            and sentence.free(place, place + size)
            and not any(word.breaks for word in sentence.words[place + 1 : place + size])
        ):
            return size, operator
    return 0, None


def operator_before(sentence: Sentence, first: int) -> Operator | None:
    """The operator whose phrase ends right before word `first`, articles aside."""
    end = first
    while end > 0 and sentence.keys[end - 1] in ("a", "an", "any", "really", "only", "just", "something"):
        end -= 1
    for size in (4, 3, 2, 1):
        if end >= size and (operator := OPERATORS.get(" ".join(sentence.keys[end - size : end]))) is not None:
            if operator in ("exclude", "not", "mild"):
                sentence.use(end - size, end)
            return operator
    return None


def in_story(sentence: Sentence, place: int) -> bool:
    """Whether a word tells what the film is about."""
    clause = sentence.words[place].clause
    while place > 0 and sentence.words[place - 1].clause == clause:
        place -= 1
        if sentence.keys[place] in ABOUT:
            return True
    return False


def ends_clause(sentence: Sentence, place: int) -> bool:
    return place >= len(sentence.words) or sentence.words[place].breaks


def is_vocabulary(sentence: Sentence, first: int, end: int) -> bool:
    """Whether words are wholly genres, moods, languages and small words."""
    table, place = meanings(), first
    while place < end:
        size = next(
            (
                size
                for size in range(min(5, end - place), 0, -1)
                if " ".join(sentence.keys[place : place + size]) in table
            ),
            0,
        )
        if not size and (
            sentence.keys[place] in FILLERS
            or sentence.keys[place] in OPERATORS
            or sentence.keys[place] in FILM_WORDS | SERIES_WORDS
        ):
            size = 1
        if not size:
            return False
        place += size
    return True
