"""People named in a sentence: by their whole name, misspelt after "with", by the surname in "a Kubrick
film".
"""

from __future__ import annotations

from dataclasses import dataclass

from falsework.search.understanding.lexicon import (
    FILLERS,
    FILM_WORDS,
    OPERATORS,
    PERSON,
    PERSON_SURE,
    meanings,
)
from falsework.search.understanding.matching import is_vocabulary
from falsework.search.understanding.names import Names
from falsework.search.understanding.sentence import Sentence

__all__ = ["PersonSaid", "people_in"]


@dataclass(frozen=True)
class PersonSaid:
    """A person named; `name` is None where the catalogue has none of that name. `wanted`: with them or
    without.
    """

    said: str
    name: str | None
    first: int
    after: int
    wanted: bool = True


def people_in(sentence: Sentence, names: Names) -> list[PersonSaid]:
    """All people named, in their order; marks their words, and the words that pointed at them, as used."""
    found: list[PersonSaid] = []
    keys, places = [], []
    for size in (4, 3, 2):
        for first in range(len(sentence.words) - size + 1):
            if (
                sentence.free(first, first + size)
                and sentence.words[first].sentence == sentence.words[first + size - 1].sentence
            ):
                keys.append(" ".join(sentence.keys[first : first + size]))
                places.append((first, first + size))
    for (first, after), known in zip(places, names.are_people(keys), strict=True):
        if known and sentence.free(first, after) and _may_be_person(sentence, names, first, after):
            found.append(_person(sentence, first, after, names.person(sentence.said(first, after))))
    for place in range(len(sentence.words)):
        cue = next(
            (size for size in (2, 1) if " ".join(sentence.keys[place : place + size]) in PERSON_SURE), 0
        )
        first = place + cue
        if not cue or first >= len(sentence.words) or not sentence.free(place, first + 1):
            continue
        person = _after_cue(sentence, names, first)
        if person is not None:
            found.append(person)
    for place in range(len(sentence.words) - 2):
        if (person := _before_films(sentence, names, place)) is not None:
            found.append(person)
    found += [
        person
        for place in range(len(sentence.words))
        if (person := _by_surname(sentence, names, place)) is not None
    ]
    return sorted(found, key=lambda person: person.first)


def _may_be_person(sentence: Sentence, names: Names, first: int, after: int) -> bool:
    capitals = [word.capital for word in sentence.words[first:after]]
    if any(word.breaks for word in sentence.words[first + 1 : after]):
        return False
    if all(capitals):
        return True
    if any(capitals[1:]) or is_vocabulary(sentence, first, after):
        return False
    pointed = first > 0 and sentence.keys[first - 1] in PERSON
    # All in lower case: a name, if something points at it or it is a name that is often asked for.
    return pointed or names.credits(sentence.said(first, after)) >= 8


def _after_cue(sentence: Sentence, names: Names, first: int) -> PersonSaid | None:
    """A person after "with" or "directed by": perhaps misspelt, or unknown to the catalogue."""
    if sentence.keys[first] in meanings() and not sentence.words[first].capital:
        return None
    end = first
    while (
        end < min(len(sentence.words), first + 4)
        and sentence.words[end].capital
        and not (end > first and sentence.words[end].breaks)
        and not sentence.used[end]
    ):
        end += 1
    if end - first >= 2:
        said = sentence.said(first, end)
        return _person(sentence, first, end, names.person(said, typos=True))
    if end - first == 1 and (name := names.person(sentence.said(first, end), surname=True)) is not None:
        return _person(sentence, first, end, name)
    if (
        end == first
        and first + 1 < len(sentence.words)
        and sentence.free(first, first + 2)
        and not sentence.words[first + 1].breaks
    ):
        if sentence.keys[first] in FILLERS or sentence.keys[first + 1] in FILLERS:
            return None
        name = names.person(sentence.said(first, first + 2), typos=True)
        if name is not None and names.credits(name) >= 8:
            return _person(sentence, first, first + 2, name)
    return None


def _before_films(sentence: Sentence, names: Names, place: int) -> PersonSaid | None:
    """ "Al Paccino movies": two capitals, perhaps misspelt, before a film word."""
    words = sentence.words[place : place + 3]
    if (
        not (words[0].capital and words[1].capital)
        or words[1].breaks
        or words[2].breaks
        or words[2].key not in FILM_WORDS
    ):
        return None
    if not sentence.free(place, place + 2) or is_vocabulary(sentence, place, place + 2):
        return None
    name = names.person(sentence.said(place, place + 2), typos=True)
    return None if name is None else _person(sentence, place, place + 2, name)


def _by_surname(sentence: Sentence, names: Names, place: int) -> PersonSaid | None:
    """ "Tarantino movies", "a Kubrick film": a capital surname before a film word."""
    word = sentence.words[place]
    if (
        not word.capital
        or sentence.used[place]
        or place + 1 >= len(sentence.words)
        or sentence.keys[place] in meanings()
        or sentence.keys[place] in FILLERS
    ):
        return None
    if (
        sentence.keys[place + 1] not in FILM_WORDS
        or sentence.words[place + 1].breaks
        or (place > 0 and sentence.words[place - 1].capital and not sentence.words[place].breaks)
    ):
        return None
    name = names.person(sentence.said(place, place + 1), surname=True)
    return None if name is None else _person(sentence, place, place + 1, name)


def _person(sentence: Sentence, first: int, after: int, name: str | None) -> PersonSaid:
    begin = first
    for size in (2, 1):
        if (
            first >= size
            and " ".join(sentence.keys[first - size : first]) in PERSON
            and sentence.keys[first - 1] not in ("and", "or", "from", "of", "than")
        ):
            begin = first - size
            break
    before = " ".join(sentence.keys[max(0, begin - 2) : begin])
    operator = next(
        (
            OPERATORS.get(" ".join(before.split()[-size:]))
            for size in (2, 1)
            if " ".join(before.split()[-size:]) in OPERATORS
        ),
        None,
    )
    if sentence.keys[begin:first] == ("with",) and before.split()[-1:] == ["something"]:
        operator = None
    unwanted = operator in ("exclude", "not")
    said = sentence.said(first, after)
    sentence.use(begin, after)
    return PersonSaid(said, name, first, after, not unwanted)
