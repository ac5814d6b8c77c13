"""Running times in a sentence: "under two hours", "about 90 minutes", "not too long"."""

from __future__ import annotations

import math
import re
from typing import Final

from falsework.search.query import Span
from falsework.search.understanding.lexicon import FILM_WORDS, OPERATORS, SERIES_WORDS, phrases
from falsework.search.understanding.numerals import NUMBER, number
from falsework.search.understanding.sentence import Sentence

__all__ = ["runtime_in"]

LONGEST: Final = 9_999  # minutes that a query can say
ABOUT: Final = 0.15  # "about 90 minutes" allows this share more or less
SHORT, LONG, NOT_LONG, NOT_SHORT = 90, 150, 120, 80  # minutes
_HOURS, _MINUTES = r"(?:hours?|hrs?|h)", r"(?:minutes?|mins?|min|m)"
_DURATION: Final = (
    rf"(?:half an hour|an hour and a half|(?:{NUMBER}) (?:and a half )?{_HOURS}(?: and a half\b|"
    rf" (?:and )?(?:{NUMBER})(?: {_MINUTES}\b)?)?"
    rf"|(?:{NUMBER}) {_MINUTES})"
)
_BELOW: Final = (
    r"(?:under|less than|below|shorter than|at most|no more than|not more than|not longer than|"
    r"no longer than|isnt longer than|"
    r"max|maximum|maximum of|up to|within|not over|nothing over|nothing longer than|fits in|fits into|"
    r"not exceed|not exceeding|"
    r"i have|i only have|only have|i have only|weve got|ive got|we have|we only have|i got|just under|"
    r"dont have more than|in less than|never longer than)"
)
_ABOVE: Final = (
    r"(?:over|more than|longer than|at least|minimum|min|above|upwards of|no less than|not less than|"
    r"no shorter than|not shorter than|not under|just over)"
)
_NEAR: Final = r"(?:about|around|roughly|approximately|circa|approx|like|lasting|lasts|for)"
_RUNTIME: Final = re.compile(
    rf" (?:(?P<low>between|from) (?P<a>{_DURATION}|{NUMBER}) (?:and|to) (?P<b>{_DURATION})"
    rf"|(?P<below>{_BELOW}) (?:of )?(?:about |around |only |just )?(?P<most>{_DURATION})"
    rf"|(?P<above>{_ABOVE}) (?P<least>{_DURATION})"
    rf"|(?P<c>\d{{1,3}}(?: to| or)?|(?:{NUMBER}) (?:to|or)) (?P<d>{_DURATION})"
    rf"|(?P<near>{_NEAR} )?(?P<bare>{_DURATION})(?P<after> or less| or under| max| maximum| tops| at most|"
    rf" or shorter| or more| plus| at least| or longer| minimum)?)(?= )"
)
_LENGTH_WORDS: Final = re.compile(
    r" (?:(?P<notlong>not too long|not very long|not so long|not that long|isnt too long|nothing too long|"
    r"nothing long|not long|not overly long|not a long|not really long)"
    r"|(?P<notshort>not too short|not short|nothing short)"
    r"|(?P<short>(?:quite |rather |very |fairly |pretty )?(?:short|quick)|short running time|short runtime)"
    r"|(?P<long>(?:quite |rather |very |really |fairly |pretty |nice and )?(?:long|lengthy)|"
    r"feature length epic))(?= )"
)
_SHORT_OBJECTS: Final = phrases(
    "film|films|subject|subjects|story|stories|circuit|term|haired|hair|time|ago|after|before"
)
_LONG_OBJECTS: Final = phrases("ago|time|lost|as|hair|haired|distance|term|lasting|way|story")
_BETWEEN: Final = phrases(
    "it|this|that|one|anything|something|any|to|be|is|thats|which|being|a|an|too|so|very|overly|really"
)


def runtime_in(sentence: Sentence) -> Span | None:
    """The running time asked for; marks its words as used. Words like "short" count where no figure is
    said.
    """
    found: Span | None = None
    for match in _RUNTIME.finditer(sentence.joined):
        first, after = _words(sentence, match)
        if not sentence.free(first, after):
            continue
        span = _runtime(match)
        if span is not None and _is_length(sentence, first, after):
            found = span if found is None else _both(found, span)
            sentence.use(first, after)
            _use_around(
                sentence,
                first,
                after,
                "long",
                "in length",
                "running time",
                "runtime",
                "length",
                "or so",
                "that is",
                "of",
                "which is",
                "thats",
            )
    return _said_in_words(sentence) if found is None else found


def _said_in_words(sentence: Sentence) -> Span | None:
    for match in _LENGTH_WORDS.finditer(sentence.joined):
        first, after = _words(sentence, match)
        following = sentence.keys[after] if after < len(sentence.keys) else ""
        objects = _LONG_OBJECTS if match["long"] or match["notlong"] else _SHORT_OBJECTS
        if not sentence.free(first, after) or following in objects or _of_a_series(sentence, first, after):
            continue
        plot = sentence.keys[first - 1 : first] in (("as",), ("how",), ("a",))  # "a long road", "as long as"
        if match["long"] and plot and following and following not in FILM_WORDS:
            continue
        sentence.use(first, after)
        unwanted = _is_unwanted(sentence, first)
        if match["notlong"] or (match["long"] and unwanted):
            return Span(least=None, most=NOT_LONG)
        if match["notshort"] or (match["short"] and unwanted):
            return Span(least=NOT_SHORT, most=None)
        return Span(least=None, most=SHORT) if match["short"] else Span(least=LONG, most=None)
    return None


def _is_unwanted(sentence: Sentence, first: int) -> bool:
    """Whether a length is what nobody wants: "I don't want it to be short". The words that say so stay, for
    what else they may shut out."""
    clause = sentence.words[first].clause
    end = first
    while end and sentence.words[end - 1].clause == clause:
        for size in (4, 3, 2, 1):
            begin = end - size
            operator = OPERATORS.get(" ".join(sentence.keys[begin:end])) if begin >= 0 else None
            if operator is not None and sentence.words[begin].clause == clause:
                return operator in ("exclude", "not") and (size > 1 or end == first)
        if sentence.keys[end - 1] not in _BETWEEN:
            return False
        end -= 1
    return False


def _of_a_series(sentence: Sentence, first: int, after: int) -> bool:
    """A short series has few episodes, not short ones: "short crime series"."""
    clause = sentence.words[first].clause
    near = range(max(0, first - 1), min(len(sentence.words), after + 3))
    return any(sentence.keys[n] in SERIES_WORDS and sentence.words[n].clause == clause for n in near)


def _is_length(sentence: Sentence, first: int, after: int) -> bool:
    """Not "a man has 24 hours to live", "in 90 minutes the bomb goes off", "48 hours ago"."""
    following = sentence.keys[after : after + 1]
    if following and following[0] in (
        "to",
        "later",
        "ago",
        "before",
        "left",
        "earlier",
        "into",
        "away",
        "until",
        "per",
    ):
        return False
    before = sentence.keys[max(0, first - 2) : first]
    return not (
        "every" in before
        or "within" in before
        or ("has" in before)
        or "last" in before
        or "first" in before
        or "after" in before
    )


def _runtime(match: re.Match[str]) -> Span | None:
    if match["low"]:
        low, high = minutes(match["a"]), minutes(match["b"])
        if not re.search(_HOURS + "|" + _MINUTES, match["a"]):
            low = round(number(match["a"]) * (60 if re.search(rf" {_HOURS}", match["b"]) else 1))
        return _ordered(low, high)
    if match["below"]:
        return _span(least=None, most=minutes(match["most"]) or None)
    if match["above"]:
        return _span(least=minutes(match["least"]), most=None)
    if match["c"]:
        unit = 60 if re.search(rf" {_HOURS}", match["d"]) else 1
        return _ordered(round(number(re.sub(r" (?:to|or)$", "", match["c"])) * unit), minutes(match["d"]))
    length = minutes(match["bare"])
    after = (match["after"] or "").strip()
    if not length:
        return None
    if after in ("or more", "plus", "at least", "or longer", "minimum"):
        return _span(least=length, most=None)
    if after:
        return _span(least=None, most=length)
    return _span(least=math.floor(length * (1 - ABOUT)), most=math.ceil(length * (1 + ABOUT)))


def minutes(text: str) -> int:
    """A running time in minutes: "1 h 30", "an hour and a half", "two and a half hours", "95 min"."""
    plain = text.strip()
    if plain == "half an hour":
        return 30
    half = 30 if "and a half" in plain else 0
    plain = plain.replace("and a half", " ")
    hours = re.split(r" (?:hours?|hrs?|h)(?: |$)", f" {plain} ", maxsplit=1)
    if len(hours) == 2:
        rest = re.sub(r"\b(?:minutes?|mins?|min|m|and)\b", " ", hours[1])
        return round(60 * number(hours[0])) + half + round(number(rest))
    return round(number(re.sub(r"\b(?:minutes?|mins?|min|m)\b", " ", plain)))


def _ordered(low: int, high: int) -> Span:
    return _span(least=min(low, high), most=max(low, high))


def _span(*, least: int | None, most: int | None) -> Span:
    """A span within what a query can say: nobody who asks for 500 hours means it to the minute."""
    return Span(
        least=None if least is None else min(least, LONGEST),
        most=None if most is None else min(most, LONGEST),
    )


def _both(one: Span, other: Span) -> Span:
    """Both conditions at once; where they contradict, the later."""
    least = max((each for each in (one.least, other.least) if each is not None), default=None)
    most = min((each for each in (one.most, other.most) if each is not None), default=None)
    return other if least is not None and most is not None and least > most else Span(least=least, most=most)


def _words(sentence: Sentence, match: re.Match[str]) -> tuple[int, int]:
    return sentence.numbers(match.start() + 1, match.end())


def _use_around(sentence: Sentence, first: int, after: int, *phrases: str) -> None:
    """Words that belong to a length: "90 minutes long"."""
    for phrase in phrases:
        size = phrase.count(" ") + 1
        if " ".join(sentence.keys[after : after + size]) == phrase:
            sentence.use(after, after + size)
        if first >= size and " ".join(sentence.keys[first - size : first]) == phrase:
            sentence.use(first - size, first)
