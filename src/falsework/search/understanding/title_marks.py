"""What a sentence says around a title: that one comes, that it is wanted or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from falsework.search.understanding.lexicon import (
    FILM_WORDS,
    LIKE,
    UNLIKE,
    UNLIKE_AFTER,
    meanings,
    phrases,
)
from falsework.search.understanding.names import Linked
from falsework.search.understanding.sentence import Sentence

__all__ = ["JOINING", "LONGEST_TITLE", "TitleSaid", "cue_before", "is_capital", "title_said"]

LONGEST_TITLE: Final = 12  # words of a title that is looked for in a sentence
JOINING: Final = phrases("""
    of|the|and|a|an|in|on|at|to|for|with|from|in|de|la|el|los|las|le|les|du|des|und|der|die|das|&|vs
    s
""")
_FRANCHISE: Final = phrases("series|saga|franchise|trilogy|movies|films|universe|movie|film")


@dataclass(frozen=True)
class TitleSaid:
    """A title named by words `first` up to `after`; `linked` is None where the catalogue has none of that
    name. `wanted`: like it, or by no means like it. `asked`: it is asked for itself."""

    said: str
    linked: Linked | None
    first: int
    after: int
    wanted: bool = True
    asked: bool = False


def title_said(
    sentence: Sentence,
    first: int,
    end: int,
    after: int,
    linked: Linked | None,
    year: int | None,
    *,
    asked: bool = False,
) -> TitleSaid:
    wanted = not _unwanted(sentence, first, after)
    cue = cue_before(sentence, first)
    said = sentence.said(first, end) + (f" ({year})" if year is not None else "")
    sentence.use(first, after)
    if cue is not None:
        sentence.use(cue, first)
    if (
        after < len(sentence.words)
        and sentence.keys[after] in _FRANCHISE
        and sentence.used[after] is False
        and not sentence.words[after].breaks
        and sentence.keys[after] not in FILM_WORDS
    ):
        sentence.use(after, after + 1)
    return TitleSaid(said, linked, first, after, wanted, asked)


def _unwanted(sentence: Sentence, first: int, after: int) -> bool:
    before = " ".join(sentence.keys[max(0, first - 5) : first])
    behind = " ".join(sentence.keys[after : after + 5])
    if any(before.endswith(phrase) or f"{phrase} the" == before[-len(phrase) - 4 :] for phrase in UNLIKE):
        return True
    if any(behind.startswith(phrase) for phrase in UNLIKE_AFTER):
        return True
    words = before.split()
    return bool(words) and (
        words[-1] in ("not", "no", "except", "without")
        or " ".join(words[-2:]) in ("anything but", "other than", "apart from", "thought it")
    )


def cue_before(sentence: Sentence, first: int) -> int | None:
    """Where the words that point at a title begin, right before word `first`."""
    for size in (4, 3, 2, 1):
        begin = first - size
        if (
            begin >= 0
            and " ".join(sentence.keys[begin:first]) in LIKE
            and sentence.words[begin].sentence == sentence.words[min(first, len(sentence.words) - 1)].sentence
        ):
            # "a horror movie like X": the kind and the genre said before "like" stay to be understood.
            while begin < first and sentence.keys[begin] in meanings():
                begin += 1
            while (
                begin > 0
                and sentence.keys[begin - 1] in ("not", "i", "really", "nothing", "no", "too")
                and not sentence.used[begin - 1]
            ):
                begin -= 1
            return begin
    return None


def is_capital(sentence: Sentence, place: int) -> bool:
    if place >= len(sentence.words):
        return False
    word = sentence.words[place]
    return (word.capital and word.key != "i") or (word.key[:1].isdigit() and not word.key.endswith("s"))
