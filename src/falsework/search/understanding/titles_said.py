"""Titles named in a sentence.

An ordinary word may be a title (It, Up, Heat, Home): it is taken for one only where something says so:
quotes, a year in brackets, "like" before it, or capitals where a sentence has no reason for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from falsework.search.understanding.lexicon import (
    FILLERS,
    FILM_WORDS,
    LIKE,
    UNLIKE,
    UNLIKE_AFTER,
    meanings,
    phrases,
)
from falsework.search.understanding.matching import is_vocabulary
from falsework.search.understanding.name_table import name_key
from falsework.search.understanding.names import Linked, Names
from falsework.search.understanding.sentence import Sentence

__all__ = ["TitleSaid", "titles_in", "whole_title"]

MISDATED: Final = 20  # years that people are off when they give a film's year
LONGEST_TITLE: Final = 12  # words of a title that is looked for in a sentence
_QUOTED: Final = re.compile(r"[\"“„«‘]([^\"“”„«»‘’]{1,100}(?:[’'][^\"“”„«»‘’]{1,60})?)[\"”“»’]")
_YEAR: Final = re.compile(r"[(\[]\s?((?:18|19|20)\d\d)\s?[)\]]")
_JOINING: Final = phrases("""
    of|the|and|a|an|in|on|at|to|for|with|from|in|de|la|el|los|las|le|les|du|des|und|der|die|das|&|vs
    s
""")
_TOLD_OF_ONE: Final = phrases("liked|loved|enjoyed|watched|adored|hated|disliked|seen|saw")
_TOLD: Final = _TOLD_OF_ONE | {"like", "love", "enjoy", "adore", "hate"}
_DENIED: Final = frozenset(("not", "isnt"))  # "not Disney": near a title is not near enough
_EXCEPTED: Final = frozenset(("except", "than", "besides"))
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


def titles_in(sentence: Sentence, names: Names) -> list[TitleSaid]:
    """All titles named, in their order; marks their words, and the words that pointed at them, as used."""
    found = [*_with_year(sentence, names), *_quoted(sentence, names)]
    found += _meeting(sentence, names)
    found += _after_cues(sentence, names)
    found += _listed(sentence, names, found)
    return sorted(found, key=lambda title: title.first)


def whole_title(sentence: Sentence, names: Names) -> TitleSaid | None:
    """The title that the whole text is, if it is one: what is typed into a search box."""
    count = len(sentence.words)
    if not 1 <= count <= LONGEST_TITLE:
        return None
    linked = names.title(sentence.text, typos=False)
    if linked is None and count <= 8 and not is_vocabulary(sentence, 0, count):
        linked = names.title(sentence.text)
    if linked is None or (count == 1 and linked.likeness < 1 and sentence.keys[0] in meanings()):
        return None
    return TitleSaid(sentence.text, linked, 0, count, asked=True)


def _with_year(sentence: Sentence, names: Names) -> list[TitleSaid]:
    """Titles with their year in brackets: "Super Troopers (2001)"."""
    found = []
    for bracket in _YEAR.finditer(sentence.text):
        year = int(bracket[1])
        after = next((n for n, word in enumerate(sentence.words) if word.start >= bracket.start()), None)
        if after is None or after == 0 or not sentence.free(after - 1, after + 1):
            continue
        # The words right before the bracket, back to where the title may begin.
        begin = after
        while (
            begin > max(0, after - LONGEST_TITLE)
            and not sentence.used[begin - 1]
            and sentence.words[begin - 1].end <= bracket.start()
        ):
            begin -= 1
        starts = range(begin, after)
        candidates = [
            (first, names.title(sentence.said(first, after), year, typos=False)) for first in starts
        ]
        exact = [(first, linked) for first, linked in candidates if linked is not None]
        dated = [each for each in exact if each[1].year is not None and abs(each[1].year - year) <= 1]
        named = dated[0] if dated else _spelt_nearly(sentence, names, begin, after, year)
        if named is None:
            named = next((each for each in exact if _dated_wrongly(sentence, begin, after, year, each)), None)
        if named is not None:
            found.append(_said(sentence, named[0], after, after + 1, named[1], year))
        elif (start := _title_start(sentence, begin, after)) is not None:
            found.append(_said(sentence, start, after, after + 1, None, year))
    return found


def _dated_wrongly(sentence: Sentence, begin: int, after: int, year: int, exact: tuple[int, Linked]) -> bool:
    """Whether a title of another year is meant all the same: it is all there is of the name, or not far
    off.
    """
    first, linked = exact
    return first == _title_start(sentence, begin, after) or (
        linked.year is not None and abs(linked.year - year) <= MISDATED
    )


def _spelt_nearly(
    sentence: Sentence, names: Names, begin: int, after: int, year: int
) -> tuple[int, Linked] | None:
    first = _title_start(sentence, begin, after)
    if first is None:
        return None
    linked = names.title(sentence.said(first, after), year)
    return (first, linked) if linked is not None else None


def _title_start(sentence: Sentence, begin: int, after: int) -> int | None:
    """Where a run of capitals (with the small words titles have) that ends before `after` begins."""
    first = None
    for place in range(after - 1, begin - 1, -1):
        word = sentence.words[place]
        capital = word.capital or word.key[:1].isdigit()
        if not capital and word.key not in _JOINING:
            break
        if capital and not (word.key == "i" and place + 1 < after):
            first = place
        if word.breaks and ":" not in sentence.text[sentence.words[place - 1].end : word.start]:
            break
    return first


def _quoted(sentence: Sentence, names: Names) -> list[TitleSaid]:
    found = []
    for quote in _QUOTED.finditer(sentence.text):
        inside = [
            n
            for n, word in enumerate(sentence.words)
            if quote.start() <= word.start and word.end <= quote.end()
        ]
        if not inside or len(inside) > LONGEST_TITLE or not sentence.free(inside[0], inside[-1] + 1):
            continue
        linked = names.title(quote[1])
        cue = _cue_before(sentence, inside[0])
        if linked is None and cue is None:
            continue
        found.append(
            _said(sentence, inside[0], inside[-1] + 1, inside[-1] + 1, linked, None, asked=cue is None)
        )
    return found


def _meeting(sentence: Sentence, names: Names) -> list[TitleSaid]:
    """ "Blade Runner meets Alien": both of them."""
    found = []
    for middle, key in enumerate(sentence.keys):
        if key not in ("meets", "x") or not 0 < middle < len(sentence.keys) - 1 or sentence.used[middle]:
            continue
        for first in range(max(0, middle - LONGEST_TITLE), middle):
            linked = (
                names.title(sentence.said(first, middle), typos=False)
                if sentence.free(first, middle)
                else None
            )
            if (
                linked is not None
                and _is_capital(sentence, first)
                and not is_vocabulary(sentence, first, middle)
            ):
                other = _title_at(sentence, names, middle + 1, strong=True)
                if other is not None and other.linked is not None:
                    found += [_said(sentence, first, middle, middle + 1, linked, None), other]
                break
    return found


def _after_cues(sentence: Sentence, names: Names) -> list[TitleSaid]:
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
        strong = LIKE[" ".join(sentence.keys[place : place + size])] == "strong"
        first = place + size
        title = _title_at(sentence, names, first, strong=strong)
        if title is not None:
            found.append(title)
        place = first if title is None else title.after
    return found


def _title_at(sentence: Sentence, names: Names, first: int, *, strong: bool) -> TitleSaid | None:
    """The longest title that begins at word `first`; or an unknown one, where its capitals say it is one."""
    while (
        first < len(sentence.words)
        and sentence.keys[first] in ("movies", "the", "movie", "film", "films")
        and not sentence.words[first].capital
        and _is_capital(sentence, first + 1)
    ):
        if sentence.keys[first] == "the":
            break
        first += 1
    if first >= len(sentence.words) or sentence.used[first]:
        return None
    capital = (
        sentence.words[first].capital
        or sentence.keys[first][:1].isdigit()
        or (sentence.keys[first] in ("the", "a") and _is_capital(sentence, first + 1))
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
            sentence.words[n].capital or sentence.keys[n] in _JOINING or sentence.keys[n].isdigit()
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
            return _said(sentence, first, end, end, linked, None)
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
        and not (end > first and (_closes(sentence, end) and sentence.keys[end] not in _JOINING))
    ):
        end += 1
    said = sentence.said(first, end)
    single = end - first == 1
    if is_vocabulary(sentence, first, end) or (
        single and (len(said) < 5 or sentence.keys[begin] not in _TOLD_OF_ONE)
    ):
        return None
    linked = names.title(said, typos=told and not single)
    return None if linked is None else _said(sentence, first, end, end, linked, None)


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
                or sentence.keys[end] in _JOINING
                or sentence.keys[end][:1].isdigit()
            )
            and not (end > first and sentence.words[end].breaks)
        ):
            end += 1
        while end > first and sentence.keys[end - 1] in _JOINING and not sentence.words[end - 1].capital:
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
        not capital or not strong or (end - first == 1 and sentence.words[first].key in meanings())
    ):
        return None
    return _said(sentence, first, end, end, linked, None)


def _listed(sentence: Sentence, names: Names, found: list[TitleSaid]) -> list[TitleSaid]:
    """Titles that go on a list: "like Heat, Ronin and Collateral"."""
    more: list[TitleSaid] = []
    ends = [(title.after, title.wanted, title.asked) for title in found]
    while ends:
        after, wanted, asked = ends.pop()
        first = after
        while (
            first < len(sentence.words) and sentence.keys[first] in ("and", "or") and not sentence.used[first]
        ):
            first += 1
        if first >= len(sentence.words) or sentence.used[first] or not _is_capital(sentence, first):
            continue
        if (first == after and not sentence.words[first].breaks) or sentence.words[
            first
        ].sentence != sentence.words[after - 1].sentence:
            continue
        title = _title_at(sentence, names, first, strong=False)
        if title is not None and title.linked is not None:
            more.append(TitleSaid(title.said, title.linked, title.first, title.after, wanted, asked))
            ends.append((title.after, wanted, asked))
    return more


def _said(
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
    cue = _cue_before(sentence, first)
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


def _cue_before(sentence: Sentence, first: int) -> int | None:
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


def _is_capital(sentence: Sentence, place: int) -> bool:
    if place >= len(sentence.words):
        return False
    word = sentence.words[place]
    return (word.capital and word.key != "i") or (word.key[:1].isdigit() and not word.key.endswith("s"))


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
