"""A title asked for by its name that the catalogue does not have: "Titanic 9", "the godfather".

There is no list of all films, so a name is known by its look: it is a famous one, a sequel of a title that
is there, written in capitals, or has a word that neither the language nor the catalogue's texts know.
A description ("space", "two brothers at sea") has none of these.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from falsework.search.text import tokens
from falsework.search.understanding.lexicon import ASKING, FILLERS, OPERATORS, meanings
from falsework.search.understanding.matching import is_vocabulary
from falsework.search.understanding.name_table import name_key
from falsework.search.understanding.names import Names
from falsework.search.understanding.sentence import Sentence
from falsework.search.understanding.spanish import english_words, famous_titles
from falsework.search.understanding.title_marks import JOINING

__all__ = ["Told", "absent_title", "sounds_like_title", "unknown_words"]

LONGEST: Final = 6  # words of a wish that may be nothing but a name
LONGEST_CUE: Final = 5  # words before it that ask for it: "where can i watch"
FEWEST_LETTERS: Final = 4  # of a word that is odd enough to be a name's
SAME_WORD: Final = 85  # likeness (rapidfuzz's ratio, 0 to 100) from which a word is an ordinary one misspelt
MOST_LOOKED_AT: Final = 12  # words of a wish of which it is said that nobody knows them
NEARLY: Final = 0.8  # likeness of a title that is there from which another of its kind is meant

Told = Callable[[str], int]  # in how many titles' texts a word stands


def absent_title(sentence: Sentence, names: Names, *, told: Told | None = None) -> str | None:
    """The name, as said, if the whole sentence asks for a title that `names` does not have; else None.

    `told` says of a word in how many titles' texts it stands.
    """
    first, after = _asked_for(sentence), len(sentence.words)
    if not 0 < after - first <= LONGEST or any(word.sentence for word in sentence.words):
        return None
    if names.person(sentence.said(first, after), surname=True) is not None:
        return None
    return (
        sentence.said(first, after) if sounds_like_title(sentence, first, after, names, told=told) else None
    )


def sounds_like_title(
    sentence: Sentence, first: int, after: int, names: Names, *, told: Told | None = None
) -> bool:
    """Whether words `first` up to `after` have the look of a title that `names` does not have."""
    if is_vocabulary(sentence, first, after):
        return False
    said = sentence.said(first, after)
    if name_key(said) in _famous():
        return True
    if _is_sequel(said, names) or _in_capitals(sentence, first, after):
        return True
    words = [
        word for word in sentence.keys[first:after] if word not in FILLERS and not is_ordinary(word, told)
    ]
    return bool(words) and (
        any(len(word) >= FEWEST_LETTERS and word.isalpha() for word in words)
        or any(near.likeness >= NEARLY for near in names.nearest(said, limit=1))
    )


def unknown_words(text: str, told: Told) -> tuple[tuple[str, ...], bool]:
    """The words of a text that neither the language nor the catalogue's texts have ("asdfgh"), as said, and
    whether there is no other that says anything. Of a long text no word is looked at."""
    sentence = Sentence.of(text)
    telling = [at for at, key in enumerate(sentence.keys) if key not in FILLERS]
    if not 0 < len(telling) <= MOST_LOOKED_AT:
        return (), False
    unknown = [
        at for at in telling if sentence.keys[at].isalpha() and not is_ordinary(sentence.keys[at], told)
    ]
    words = dict.fromkeys(sentence.said(at, at + 1) for at in unknown)
    return tuple(words), len(unknown) == len(telling)


def is_ordinary(word: str, told: Told | None) -> bool:
    """Whether a word is English, nearly so, or one the catalogue's texts have."""
    if word in meanings() or word in OPERATORS or not tokens(word):
        return True
    if (told is not None and told(word)) or set(tokens(word)) <= _stems():
        return True
    from rapidfuzz.fuzz import ratio
    from rapidfuzz.process import extractOne

    return extractOne(word, english_words(), scorer=ratio, score_cutoff=SAME_WORD) is not None


def _asked_for(sentence: Sentence) -> int:
    """Where the name begins, behind "do you have" and the like."""
    for size in range(min(LONGEST_CUE, len(sentence.keys) - 1), 0, -1):
        if " ".join(sentence.keys[:size]) in ASKING:
            return size
    return 0


def _is_sequel(said: str, names: Names) -> bool:
    """ "Jaws 19": a number behind a title that is there."""
    head, _, number = name_key(said).rpartition(" ")
    return bool(head) and number.isdigit() and len(number) <= 2 and names.is_title(head)


def _in_capitals(sentence: Sentence, first: int, after: int) -> bool:
    """Whether at least two words, an article among them, are written as a title's are; not all in capitals,
    as some people write everything."""
    words, keys = sentence.words[first:after], sentence.keys[first:after]
    said = sentence.said(first, after)
    if len(words) < 2 or said.isupper() or " ".join(keys) in _expressions():
        return False
    capitals = sum(word.capital for word in words)
    large = all(
        word.capital or key in JOINING or key.isdigit() for word, key in zip(words, keys, strict=True)
    )
    return words[0].capital and large and (capitals >= 2 or (keys[-1].isdigit() and keys[0] not in FILLERS))


@cache
def _famous() -> frozenset[str]:
    return frozenset(name_key(title) for title in famous_titles())


@cache
def _expressions() -> frozenset[str]:
    return frozenset(word for word in english_words() if " " in word)


@cache
def _stems() -> frozenset[str]:
    return frozenset(stem for word in english_words() for stem in tokens(word))
