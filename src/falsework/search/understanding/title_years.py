"""Titles with their year in brackets: "Super Troopers (2001)"."""

from __future__ import annotations

import re
from typing import Final

from falsework.search.understanding.names import Linked, Names
from falsework.search.understanding.sentence import Sentence
from falsework.search.understanding.title_marks import (
    JOINING,
    LONGEST_TITLE,
    TitleSaid,
    title_said,
)

__all__ = ["titles_with_year"]

MISDATED: Final = 20  # years that people are off when they give a film's year
_YEAR: Final = re.compile(r"[(\[]\s?((?:18|19|20)\d\d)\s?[)\]]")


def titles_with_year(sentence: Sentence, names: Names) -> list[TitleSaid]:
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
            found.append(title_said(sentence, named[0], after, after + 1, named[1], year))
        elif (start := _title_start(sentence, begin, after)) is not None:
            found.append(title_said(sentence, start, after, after + 1, None, year))
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
        if not capital and word.key not in JOINING:
            break
        if capital and not (word.key == "i" and place + 1 < after):
            first = place
        if word.breaks and ":" not in sentence.text[sentence.words[place - 1].end : word.start]:
            break
    return first
