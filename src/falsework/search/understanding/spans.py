"""Years and running times in a sentence: which are conditions, which are only guessed at."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final, Literal

from falsework.search.query import Span
from falsework.search.understanding.lexicon import DOUBT, FILM_WORDS, SERIES_WORDS, meanings
from falsework.search.understanding.sentence import Sentence

__all__ = ["YearsSaid", "runtime_in", "shifted", "years_in"]

OLDEST: Final = 1880  # no film is older: an earlier year is what a story is about
ABOUT: Final = 0.15  # "about 90 minutes" allows this share more or less
SHORT, LONG, NOT_LONG, NOT_SHORT = 90, 150, 120, 80  # minutes
RECENT, NEW, OLD = 8, 5, 30  # years before the newest of the catalogue
CLASSIC: Final = 1980

_UNITS: Final = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS: Final = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "hundred": 100,
}  # fmt: skip
_NUMBERS: Final = {
    "a": 1,
    "an": 1,
    "couple": 2,
    "couple of": 2,
    "a couple of": 2,
    "a hundred": 100,
    **_UNITS,
    **_TENS,
}
_N: Final = (
    r"(?:\d{1,3}(?:[.,]\d)?|(?:a )?couple of|a hundred(?: and)?(?: (?:ten|twenty|thirty))?|"
    + "|".join(sorted((word for word in _NUMBERS if " " not in word), key=len, reverse=True))
    + r")(?: (?:one|two|three|four|five|six|seven|eight|nine)\b)?"
)
_HOURS, _MINUTES = r"(?:hours?|hrs?|h)", r"(?:minutes?|mins?|min|m)"
_DURATION: Final = (
    rf"(?:half an hour|an hour and a half|(?:{_N}) (?:and a half )?{_HOURS}(?: and a half\b| (?:and )?(?:{_N})(?: {_MINUTES}\b)?)?"
    rf"|(?:{_N}) {_MINUTES})"
)
_BELOW: Final = (
    r"(?:under|less than|below|shorter than|at most|no more than|not more than|not longer than|no longer than|isnt longer than|"
    r"max|maximum|maximum of|up to|within|not over|nothing over|nothing longer than|fits in|fits into|not exceed|not exceeding|"
    r"i have|i only have|only have|i have only|weve got|ive got|we have|we only have|i got|just under|dont have more than|in less than|never longer than)"
)
_ABOVE: Final = r"(?:over|more than|longer than|at least|minimum|min|above|upwards of|no less than|not less than|no shorter than|not shorter than|not under|just over)"
_NEAR: Final = r"(?:about|around|roughly|approximately|circa|approx|like|lasting|lasts|for)"
_RUNTIME: Final = re.compile(
    rf" (?:(?P<low>between|from) (?P<a>{_DURATION}|{_N}) (?:and|to) (?P<b>{_DURATION})"
    rf"|(?P<below>{_BELOW}) (?:of )?(?:about |around |only |just )?(?P<most>{_DURATION})"
    rf"|(?P<above>{_ABOVE}) (?P<least>{_DURATION})"
    rf"|(?P<c>\d{{1,3}}(?: to| or)?|(?:{_N}) (?:to|or)) (?P<d>{_DURATION})"
    rf"|(?P<near>{_NEAR} )?(?P<bare>{_DURATION})(?P<after> or less| or under| max| maximum| tops| at most| or shorter| or more| plus| at least| or longer| minimum)?)(?= )"
)
_LENGTH_WORDS: Final = re.compile(
    r" (?:(?P<notlong>not too long|not very long|not so long|not that long|isnt too long|nothing too long|nothing long|not long|not overly long|not a long|not really long)"
    r"|(?P<notshort>not too short|not short|nothing short)"
    r"|(?P<short>(?:quite |rather |very |fairly |pretty )?(?:short|quick)|short running time|short runtime)"
    r"|(?P<long>(?:quite |rather |very |really |fairly |pretty |nice and )?(?:long|lengthy)|feature length epic))(?= )"
)
_SHORT_OBJECTS: Final = frozenset(
    [
        "film",
        "films",
        "subject",
        "subjects",
        "story",
        "stories",
        "circuit",
        "term",
        "haired",
        "hair",
        "time",
        "ago",
        "after",
        "before",
    ]
)
_LONG_OBJECTS: Final = frozenset(
    ["ago", "time", "lost", "as", "hair", "haired", "distance", "term", "lasting", "way", "story"]
)

_DECADES: Final = {
    "twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70, "eighties": 80,
    "nineties": 90, "noughties": 100, "aughts": 100,
}  # fmt: skip
_DECADE: Final = r"(?:(?:1[789]|20)\d0s|\d0s|" + "|".join(_DECADES) + ")"
_YEAR: Final = r"(?:1[89]|20)\d\d"
_WHEN: Final = rf"(?:(?:the )?(?:(?:very )?(?P<%s>early|mid|late|middle|end of the|beginning of the)(?: to (?:early|mid|late))? (?:the )?)?(?:{_DECADE}|{_YEAR}))"
_YEARS: Final = re.compile(
    rf" (?:(?:between|from|anywhere from|sometime between|somewhere between|from between) (?P<a>{_WHEN % 'pa'}) (?:and|to|until|till|through|or) (?P<b>{_WHEN % 'pb'})"
    rf"|(?P<until>before|until|till|pre|up to|prior to|older than|earlier than|no later than|not after|not newer than|nothing after|nothing newer than|not later than|by) (?P<most>{_WHEN % 'pc'})"
    rf"|(?P<since>after|since|post|newer than|later than|more recent than|from|not before|not older than|nothing before|nothing older than|no older than|no earlier than|starting in|as of) (?P<least>{_WHEN % 'pd'})(?P<on> on| onwards?| and later| or later| and newer| or newer| to now| until now| to today| to the present)?"
    rf"|(?P<c>{_WHEN % 'pe'})(?P<older> or (?:older|earlier|before)| and (?:older|earlier|before))?(?P<newer> or (?:newer|later)| and (?:newer|later)| onwards?)?"
    rf"(?: (?:and |or |to |and maybe |or maybe |or even |or the |and the |slash )?(?P<d>{_WHEN % 'pf'}))?"
    rf"|(?:the |in the |from the |of the )?(?:last|past) (?P<back>{_N} years?|years?|few years|couple of years|decade|{_N} decades?)"
    rf"|(?P<ago>at least |over |about |around |more than )?(?P<n>\d{{1,2}}|{'|'.join(_UNITS)}|twenty|thirty|forty|fifty)(?: plus| or so| or more)? years? ago"
    r"|(?P<this>(?:from |made )?this year)|(?P<lastyear>(?:from |made )?last year))(?= )"
)
_VAGUE: Final = re.compile(
    r" (?:(?P<notold>not too old|not that old|not so old|not very old|not old|nothing old|nothing too old|nothing very old|nothing that old|no old|not an old|isnt too old|not really old)"
    r"|(?P<notnew>not too new|not too recent|not new|nothing new|nothing too new|nothing recent|not recent|nothing modern|not modern|no new)"
    r"|(?P<recent>(?:more |fairly |quite |relatively |pretty |very )?(?:recent|modern|contemporary|up to date)|recently (?:released|made)|newer)"
    r"|(?P<new>brand new|(?:new|newest|latest|just released|new releases?|out right now|out now|in theaters|in cinemas))"
    r"|(?P<old>(?:really |very |quite |pretty |good |great )?(?:old|older|oldies?|vintage|old fashioned|old timey|golden age|black and white))"
    r"|(?P<classic>(?:old |all time |great |timeless )?(?:classics?)))(?= )"
)
_ABOUT_THEN: Final = re.compile(
    r" (?:set|takes? place|taking place|placed|happens|happening|story|about|during|plays|playing|located|era|life|living|lived|born|events|reminds|soldiers?|war) "
    r"(?:\w+ ){0,2}$"
)

Sort = Literal["made", "seen"]


@dataclass(frozen=True)
class YearsSaid:
    """Years in a sentence: `sure` are a condition, others are guessed or vague; of word `first` up to `after`.

    `setting`: what a story is about, not when it was made."""

    span: Span
    first: int
    after: int
    sure: bool
    setting: bool = False


def number(text: str) -> float:
    """The number that digits or words say; 0 where they say none."""
    plain = text.strip().replace(",", ".")
    try:
        return float(plain)
    except ValueError:
        words = plain.removeprefix("a hundred and ").removeprefix("a hundred ").split()
        start = 100.0 if plain.startswith("a hundred") and words else 0.0
        return start + sum(_NUMBERS.get(word, 0) for word in words) if words else _NUMBERS.get(plain, 0)


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


def runtime_in(sentence: Sentence) -> Span | None:
    """The running time asked for; marks its words as used. Words like "short" count where no figure is said."""
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
    if found is None:
        for match in _LENGTH_WORDS.finditer(sentence.joined):
            first, after = _words(sentence, match)
            following = sentence.keys[after] if after < len(sentence.keys) else ""
            if not sentence.free(first, after) or following in (
                _LONG_OBJECTS if match["long"] else _SHORT_OBJECTS
            ):
                continue
            if first and sentence.keys[first - 1] in SERIES_WORDS and not sentence.words[first].breaks:
                continue  # "series short of crimes": a translation keeps the order
            if following in SERIES_WORDS or (
                match["long"]
                and sentence.keys[first - 1 : first] in (("as",), ("how",), ("a",))
                and following not in FILM_WORDS
                and following
            ):
                continue
            sentence.use(first, after)
            if match["notlong"]:
                return Span(least=None, most=NOT_LONG)
            if match["notshort"]:
                return Span(least=NOT_SHORT, most=None)
            return Span(least=None, most=SHORT) if match["short"] else Span(least=LONG, most=None)
    return found


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
        return Span(least=None, most=minutes(match["most"]) or None)
    if match["above"]:
        return Span(least=minutes(match["least"]), most=None)
    if match["c"]:
        unit = 60 if re.search(rf" {_HOURS}", match["d"]) else 1
        return _ordered(round(number(re.sub(r" (?:to|or)$", "", match["c"])) * unit), minutes(match["d"]))
    length = minutes(match["bare"])
    after = (match["after"] or "").strip()
    if not length:
        return None
    if after in ("or more", "plus", "at least", "or longer", "minimum"):
        return Span(least=length, most=None)
    if after:
        return Span(least=None, most=length)
    return Span(least=math.floor(length * (1 - ABOUT)), most=math.ceil(length * (1 + ABOUT)))


def years_in(sentence: Sentence, newest: int) -> list[YearsSaid]:
    """All years in a sentence that no rule has taken yet, in their order. Marks nothing as used."""
    found = []
    taken: list[tuple[int, int]] = []
    for pattern, vague in ((_YEARS, False), (_VAGUE, True)):
        for match in pattern.finditer(sentence.joined):
            first, after = _words(sentence, match)
            if not sentence.free(first, after) or any(first < end and begin < after for begin, end in taken):
                continue
            if not vague and _is_age(sentence, first, after):
                continue
            span = _vague(sentence, match, after, newest) if vague else _years(match, newest)
            if span is None:
                continue
            taken.append((first, after))
            ago = not vague and bool(match["n"])
            setting = not vague and bool(_ABOUT_THEN.search(sentence.joined[: match.start() + 1]))
            found.append(
                YearsSaid(
                    span, first, after, not (vague or ago or _doubtful(sentence, first, after)), setting
                )
            )
    return sorted(found, key=lambda said: said.first)


def _is_age(sentence: Sentence, first: int, after: int) -> bool:
    """ "A man in his 60s", "30s something": somebody's age, not a decade."""
    decades = [key for key in sentence.keys[first:after] if key.endswith("s")]
    if not decades or any(key[:2] in ("19", "20") and len(key) == 5 for key in decades):
        return False
    near = sentence.keys[max(0, first - 3) : after + 1]
    return any(
        key in ("his", "her", "their", "my", "your", "our", "aged", "age", "something", "s") for key in near
    )


def _years(match: re.Match[str], newest: int) -> Span | None:
    """The years of a match of _YEARS; None where they are of no film's time."""
    if match["a"]:
        low, high = _when(match["a"], newest), _when(match["b"], newest)
        return _checked(low[0], high[1], newest)
    if match["until"]:
        begin, end = _when(match["most"], newest)
        upto = match["until"] in (
            "until",
            "till",
            "up to",
            "no later than",
            "not after",
            "not newer than",
            "nothing after",
            "nothing newer than",
            "not later than",
            "by",
        )
        return _checked(None, end if upto else begin - 1, newest)
    if match["since"]:
        begin, end = _when(match["least"], newest)
        word = match["since"]
        if word in ("from", "starting in", "as of"):
            return _checked(begin, None if match["on"] else end, newest)
        if word in ("after", "post", "newer than", "later than", "more recent than"):
            return _checked(end + 1, None, newest)
        return _checked(begin, None, newest)
    if match["c"]:
        begin, end = _when(match["c"], newest)
        if match["d"]:
            other = _when(match["d"], newest)
            begin, end = min(begin, other[0]), max(end, other[1])
        return _checked(None if match["older"] else begin, None if match["newer"] else end, newest)
    if match["back"]:
        unit = 10 if "decade" in match["back"] else 1
        count = (
            number(match["back"].split(" year")[0].split(" decade")[0])
            if match["back"] not in ("decade", "few years", "years", "year")
            else 0
        )
        return Span(
            least=newest - round(unit * (count or {"decade": 1, "year": 1}.get(match["back"], 4))), most=None
        )
    if match["n"]:
        years = round(number(match["n"]))
        if years > 120:
            return None
        return (
            Span(least=None, most=newest - years)
            if (match["ago"] or "").strip() in ("at least", "over", "more than") or "plus" in match[0]
            else Span(least=newest - years - 6, most=newest - years + 4)
        )
    return Span(least=newest, most=None) if match["this"] else Span(least=newest - 1, most=newest - 1)


def _when(text: str, newest: int) -> tuple[int, int]:
    """The first and last year of a decade, a part of one, or a year."""
    last = text.split()[-1]
    if last.isdigit():
        return int(last), int(last)
    if last in _DECADES:
        begin = 1900 + _DECADES[last]
    else:
        begin = int(last[:-1])
        if begin < 100:
            begin += 2000 if 2000 + begin <= newest and begin < 20 else 1900
    if "early" in text or "beginning" in text:
        return begin, begin + 4
    if "mid" in text:
        return begin + 3, begin + 7
    if "late" in text or "end of" in text:
        return begin + 5, begin + 9
    return begin, begin + 9


def _vague(sentence: Sentence, match: re.Match[str], after: int, newest: int) -> Span | None:
    kind = match.lastgroup
    if kind in ("notold", "notnew"):
        return (
            Span(least=newest - OLD, most=None) if kind == "notold" else Span(least=None, most=newest - NEW)
        )
    following = sentence.keys[after] if after < len(sentence.keys) else ""
    first = sentence.numbers(match.start() + 1, match.end())[0]
    before = sentence.keys[first - 1] if first else ""
    ends = not following or sentence.words[after].breaks
    of_films = (
        following in FILM_WORDS | SERIES_WORDS
        or following in ("one", "ones", "stuff", "and", "or", "release", "releases", "but", "titles")
        or following in meanings()
    )
    if before in ("year", "years", "yr", "yrs", "months", "how") or not (ends or of_films):
        return None
    if kind == "old":
        return (
            Span(least=None, most=newest - OLD)
            if "black and white" not in match[0]
            else Span(least=None, most=1966)
        )
    if kind == "classic":
        return Span(least=None, most=CLASSIC)
    return Span(least=newest - (NEW if kind == "new" else RECENT), most=None)


def _doubtful(sentence: Sentence, first: int, after: int) -> bool:
    clause = sentence.words[first].clause
    around = [
        key
        for key, word in zip(
            sentence.keys[max(0, first - 4) : first], sentence.words[max(0, first - 4) : first], strict=True
        )
        if word.clause == clause
    ]
    behind = [
        key
        for key, word in zip(sentence.keys[after : after + 3], sentence.words[after : after + 3], strict=True)
        if word.clause == clause
    ]
    said = f" {' '.join(around)} "
    return any(f" {each} " in said for each in DOUBT) or any(
        f" {each} " in f" {' '.join(behind)} "
        for each in (
            "or so",
            "ish",
            "i think",
            "maybe",
            "i guess",
            "or something",
            "i believe",
            "preferably",
            "probably",
        )
    )


def shifted(span: Span, *, newer: bool) -> Span:
    """The years right after (or before) those: what "newer" and "older" ask for."""
    if newer:
        bound = span.most if span.most is not None else (span.least or OLDEST) + 5
        return Span(least=min(bound + 1, 9999), most=None)
    bound = span.least if span.least is not None else (span.most or 2000) - 10
    return Span(least=None, most=max(bound - 1, 0))


def _checked(least: int | None, most: int | None, newest: int) -> Span | None:
    if least is not None and most is not None and least > most:
        least, most = most, least
    if (most is not None and most < OLDEST) or (least is not None and least > newest + 5):
        return None
    return Span(least=least, most=most)


def _ordered(low: int, high: int) -> Span:
    return Span(least=min(low, high), most=max(low, high))


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
