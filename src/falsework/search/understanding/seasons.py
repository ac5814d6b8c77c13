"""How many seasons a series is to have: "two seasons", "at least three seasons", "a single season"."""

from __future__ import annotations

import re
from typing import Final

from falsework.search.query import Span
from falsework.search.understanding.matching import in_story
from falsework.search.understanding.numerals import UNITS, number
from falsework.search.understanding.sentence import Sentence

__all__ = ["seasons_in"]

MOST: Final = 99
_COUNT: Final = rf"(?:\d{{1,2}}|{'|'.join(word for word in UNITS if word != 'zero')}|(?:a )?couple of)"
_LESS: Final = r"(?:under|less than|fewer than|below)"
_AT_MOST: Final = r"(?:at most|up to|no more than|not more than|max|maximum|a maximum of)"
_MORE: Final = r"(?:over|more than|above)"
_AT_LEAST: Final = r"(?:at least|minimum|a minimum of|no less than|no fewer than|not less than)"
_SEASONS: Final = re.compile(
    rf" (?:(?:with |of |has |have |having |that has |lasting |for )?"
    rf"(?:(?:between|from) (?P<low>{_COUNT}) (?:and|to) (?P<high>{_COUNT})"
    rf"|(?P<c>{_COUNT}) (?:to|or) (?P<d>{_COUNT})"
    rf"|(?P<less>{_LESS}) (?P<below>{_COUNT})|{_AT_MOST} (?P<most>{_COUNT})"
    rf"|(?P<more>{_MORE}) (?P<above>{_COUNT})|{_AT_LEAST} (?P<least>{_COUNT})"
    rf"|(?:only |just |exactly )?"
    rf"(?:(?P<single>(?:a |one |an )?(?:single|only one|sole))|(?P<bare>{_COUNT}))))"
    rf" (?:tv )?seasons?(?P<after> or (?:less|fewer|under)| at (?:the )?most| max| maximum| tops| or more|"
    rf" plus| at least| minimum)?(?: long| only| in total)?(?= )"
)


def seasons_in(sentence: Sentence) -> Span | None:
    """The number of seasons asked for; marks its words as used. Those of a story are none, nor is a season by
    its place ("season two", "the third season")."""
    for match in _SEASONS.finditer(sentence.joined):
        first, after = sentence.numbers(match.start() + 1, match.end())
        if sentence.free(first, after) and not in_story(sentence, first):
            sentence.use(first, after)
            return _span(match)
    return None


def _span(match: re.Match[str]) -> Span:
    if match["low"] or match["c"]:
        ends = sorted((_count(match["low"] or match["c"]), _count(match["high"] or match["d"])))
        return Span(least=ends[0], most=ends[1])
    if match["less"]:
        return Span(least=None, most=max(1, _count(match["below"]) - 1))
    if match["more"]:
        return Span(least=_count(match["above"]) + 1, most=None)
    if match["most"]:
        return Span(least=None, most=_count(match["most"]))
    if match["least"]:
        return Span(least=_count(match["least"]), most=None)
    count = 1 if match["single"] else _count(match["bare"])
    after = (match["after"] or "").strip()
    if not after:
        return Span(least=count, most=count)
    at_least = after in ("or more", "plus", "at least", "minimum")
    return Span(least=count, most=None) if at_least else Span(least=None, most=count)


def _count(said: str) -> int:
    return min(MOST, max(1, round(number(said))))
