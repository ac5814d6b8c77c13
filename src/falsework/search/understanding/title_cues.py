"""Titles after "like", "similar to", "I loved", however they are typed."""

from __future__ import annotations

from typing import Final

from falsework.search.understanding.absent import sounds_like_title
from falsework.search.understanding.lexicon import (
    FILLERS,
    LIKE,
    meanings,
    phrases,
)
from falsework.search.understanding.matching import is_vocabulary
from falsework.search.understanding.name_table import name_key
from falsework.search.understanding.names import Names
from falsework.search.understanding.sentence import Sentence
from falsework.search.understanding.title_marks import (
    JOINING,
    LONGEST_TITLE,
    TitleSaid,
    is_capital,
    title_said,
)

__all__ = ["title_at", "titles_after_cues"]

_TOLD_OF_ONE: Final = phrases("liked|loved|enjoyed|watched|adored|hated|disliked|seen|saw")
_TOLD: Final = _TOLD_OF_ONE | {"like", "love", "enjoy", "adore", "hate"}
LONGEST_ABSENT: Final = 6  # words in small letters that may be the name of a title that is not there
_DENIED: Final = frozenset(("not", "isnt"))  # "not Disney": near a title is not near enough
_EXCEPTED: Final = frozenset(("except", "than", "besides"))


def titles_after_cues(sentence: Sentence, names: Names) -> list[TitleSaid]:
    """Titles after "like", "similar to", "I loved"."""
    found = []
    place = 0
    while place < len(sentence.keys):
        size = next(
            (size for size in (4, 3, 2, 1) if " ".join(sentence.keys[place : place + size]) in LIKE), 0
        )
        if not size or sentence.used[place]:
            place += 1
            continue
        cue = " ".join(sentence.keys[place : place + size])
        strong = LIKE[cue] == "strong" or (cue == "like" and place == 0)
        first = place + size
        title = title_at(sentence, names, first, strong=strong)
        if title is not None:
            found.append(title)
        place = first if title is None else title.after
    return found


def title_at(sentence: Sentence, names: Names, first: int, *, strong: bool) -> TitleSaid | None:
    """The longest title that begins at word `first`; or an unknown one, where its capitals say it is one."""
    while (
        first < len(sentence.words)
        and sentence.keys[first] in ("movies", "the", "movie", "film", "films")
        and not sentence.words[first].capital
        and is_capital(sentence, first + 1)
    ):
        if sentence.keys[first] == "the":
            break
        first += 1
    if first >= len(sentence.words) or sentence.used[first]:
        return None
    capital = (
        sentence.words[first].capital
        or sentence.keys[first][:1].isdigit()
        or (sentence.keys[first] in ("the", "a") and is_capital(sentence, first + 1))
    )
    if not capital and not strong:
        return _in_small_letters(sentence, names, first)
    last = first
    while last < min(len(sentence.words), first + LONGEST_TITLE) and not sentence.used[last]:
        if last > first and sentence.words[last].sentence != sentence.words[first].sentence:
            break
        last += 1
    ends = range(last, first, -1)
    keys = [name_key(sentence.said(first, end)) for end in ends]
    known = names.are_titles(keys)
    for end, key, is_known in zip(ends, keys, known, strict=True):
        if not is_known or not key:
            continue
        whole_capital = capital and all(
            sentence.words[n].capital or sentence.keys[n] in JOINING or sentence.keys[n].isdigit()
            for n in range(first, end)
        )
        if not strong and (not whole_capital or key.isdigit()):
            continue  # "no older than 2010" is a year
        if is_vocabulary(sentence, first, end):
            continue  # "like horror" is a genre; only a year or quotes make it a title
        if (
            end - first == 1
            and not whole_capital
            and (
                sentence.keys[first] in FILLERS
                or not strong
                or (end < len(sentence.words) and not _closes(sentence, end))
            )
        ):
            continue
        if end < len(sentence.words) and not whole_capital and not _closes(sentence, end) and end - first < 3:
            continue
        linked = names.title(sentence.said(first, end), typos=False)
        if linked is not None and not (
            end < len(sentence.words)
            and whole_capital
            and sentence.words[end].capital
            and not sentence.words[end].breaks
            and end - first == 1
        ):
            return title_said(sentence, first, end, end, linked, None)
    return _misspelt(sentence, names, first, last, capital=capital, strong=strong)


def _in_small_letters(sentence: Sentence, names: Names, first: int) -> TitleSaid | None:
    """A title typed without capitals after "i liked": all of the clause, and more than one short word."""
    begin = first - 1
    excepted = sentence.keys[begin] in _EXCEPTED
    told = sentence.keys[begin] in _TOLD and "i" in sentence.keys[max(0, begin - 3) : begin]
    if not (told or excepted):
        return None
    end = first
    while (
        end < min(len(sentence.words), first + LONGEST_TITLE)
        and not sentence.used[end]
        and not (end > first and (_closes(sentence, end) and sentence.keys[end] not in JOINING))
    ):
        end += 1
    said = sentence.said(first, end)
    single = end - first == 1
    if is_vocabulary(sentence, first, end) or (
        single and (len(said) < 5 or sentence.keys[begin] not in _TOLD_OF_ONE | _EXCEPTED)
    ):
        return None
    linked = names.title(said, typos=told and not single)
    return None if linked is None else title_said(sentence, first, end, end, linked, None)


def _misspelt(
    sentence: Sentence, names: Names, first: int, last: int, *, capital: bool, strong: bool
) -> TitleSaid | None:
    """A title spelt nearly so, or one the catalogue does not have."""
    if capital:
        end = first
        while (
            end < last
            and (
                sentence.words[end].capital
                or sentence.keys[end] in JOINING
                or sentence.keys[end][:1].isdigit()
            )
            and not (end > first and sentence.words[end].breaks)
        ):
            end += 1
        while end > first and sentence.keys[end - 1] in JOINING and not sentence.words[end - 1].capital:
            end -= 1
    else:
        end = first
        while end < last and not (
            end > first
            and (
                sentence.words[end].breaks
                or sentence.keys[end]
                in ("but", "with", "and", "or", "from", "in", "without", "only", "except", "set")
            )
        ):
            end += 1
    if end <= first or is_vocabulary(sentence, first, end) or _all_small(sentence, first, end):
        return None
    said = sentence.said(first, end)
    if names.person(said) is not None:
        return None
    linked = names.title(said) if len(said) >= 5 and sentence.keys[first - 1] not in _DENIED else None
    if linked is None and (
        not strong
        or (end - first == 1 and sentence.words[first].key in meanings())
        or not (capital or _is_absent(sentence, first, end, names))
    ):
        return None
    return title_said(sentence, first, end, end, linked, None)


def _is_absent(sentence: Sentence, first: int, end: int, names: Names) -> bool:
    """Whether words in small letters are a title nonetheless: "like the exorcist"."""
    return (
        end - first <= LONGEST_ABSENT
        and names.person(sentence.said(first, end), surname=True) is None
        and sounds_like_title(sentence, first, end, names)
    )


def _closes(sentence: Sentence, place: int) -> bool:
    """Whether a title may end before word `place`: there something else begins."""
    word = sentence.words[place]
    return (
        word.breaks
        or sentence.used[place]
        or word.key
        in (
            "but",
            "and",
            "or",
            "in",
            "with",
            "from",
            "only",
            "without",
            "please",
            "set",
            "except",
            "not",
            "no",
            "where",
            "though",
            "more",
            "less",
            "just",
            "movie",
            "movies",
            "film",
            "films",
            "series",
            "show",
            "style",
            "vibes",
            "under",
            "over",
            "for",
            "made",
        )
    )


def _all_small(sentence: Sentence, first: int, end: int) -> bool:
    return all(key in FILLERS for key in sentence.keys[first:end])
