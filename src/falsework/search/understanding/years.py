"""Years in a sentence: which are conditions, which are only guessed at, which are what a story is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from falsework.search.query import Span
from falsework.search.understanding.lexicon import DOUBT, FILM_WORDS, SERIES_WORDS, meanings
from falsework.search.understanding.numerals import NUMBER, UNITS, number
from falsework.search.understanding.sentence import Sentence

__all__ = ["OLDEST", "YearsSaid", "years_in"]

OLDEST: Final = 1880  # no film is older: an earlier year is what a story is about
RECENT, NEW, OLD = 8, 5, 30  # years before the newest of the catalogue
CLASSIC: Final = 1980
_DECADES: Final = {
    "twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70,
    "eighties": 80,
    "nineties": 90, "noughties": 100, "aughts": 100,
}  # fmt: skip
_DECADE: Final = r"(?:(?:1[789]|20)\d0s|\d0s|" + "|".join(_DECADES) + ")"
_YEAR: Final = r"(?:1[89]|20)\d\d"
_WHEN: Final = (
    rf"(?:(?:the )?(?:(?:very )?(?P<%s>early|mid|late|middle|end of the|beginning of the)(?: to (?:early|"
    rf"mid|late))? (?:the )?)?(?:{_DECADE}|{_YEAR}))"
)
_YEARS: Final = re.compile(
    rf" (?:(?:between|from|anywhere from|sometime between|somewhere between|"
    rf"from between) (?P<a>{_WHEN % 'pa'}) (?:and|to|until|till|through|or) (?P<b>{_WHEN % 'pb'})"
    rf"|(?P<until>before|until|till|pre|up to|prior to|older than|earlier than|no later than|not after|"
    rf"not newer than|nothing after|nothing newer than|not later than|by) (?P<most>{_WHEN % 'pc'})"
    rf"|(?P<since>after|since|post|newer than|later than|more recent than|from|not before|not older than|"
    rf"nothing before|nothing older than|no older than|no earlier than|starting in|"
    rf"as of) (?P<least>{_WHEN % 'pd'})(?P<on> on| onwards?| and later| or later| and newer| or newer|"
    rf" to now| until now| to today| to the present)?"
    rf"|(?P<c>{_WHEN % 'pe'})(?P<older> or (?:older|earlier|before)| and (?:older|earlier|"
    rf"before))?(?P<newer> or (?:newer|later)| and (?:newer|later)| onwards?)?"
    rf"(?: (?:and |or |to |and maybe |or maybe |or even |or the |and the |slash )?(?P<d>{_WHEN % 'pf'}))?"
    rf"|(?:the |in the |from the |of the )?(?:last|past) (?P<back>{NUMBER} years?|years?|few years|"
    rf"couple of years|decade|{NUMBER} decades?)"
    rf"|(?P<ago>at least |over |about |around |more than )?(?P<n>\d{{1,2}}|{'|'.join(UNITS)}|twenty|"
    rf"thirty|forty|fifty)(?: plus| or so| or more)? years? ago"
    r"|(?P<this>(?:from |made )?this year)|(?P<lastyear>(?:from |made )?last year))(?= )"
)
_VAGUE: Final = re.compile(
    r" (?:(?P<notold>not the old|not too old|not that old|not so old|not very old|not old|nothing old|"
    r"nothing too old|"
    r"nothing very old|nothing that old|no old|not an old|isnt too old|not really old)"
    r"|(?P<notnew>not the recent|not the new|not the newest|not the modern|not too new|not too recent|"
    r"not new|nothing new|nothing too new|nothing recent|"
    r"not recent|nothing modern|not modern|no new)"
    r"|(?P<recent>(?:more |fairly |quite |relatively |pretty |very )?(?:recent|modern|contemporary|"
    r"up to date)|recently (?:released|made)|newer)"
    r"|(?P<new>brand new|(?:new|newest|latest|just released|new releases?|out right now|out now|"
    r"in theaters|in cinemas))"
    r"|(?P<old>(?:really |very |quite |pretty |good |great )?(?:old|older|oldies?|vintage|old fashioned|"
    r"old timey|golden age|black and white))"
    r"|(?P<classic>(?:old |all time |great |timeless )?(?:classics?)))(?= )"
)
_ABOUT_THEN: Final = re.compile(
    r" (?:set|takes? place|taking place|placed|happens|happening|story|about|during|plays|playing|located|"
    r"era|life|living|lived|born|events|reminds|soldiers?|war) "
    r"(?:\w+ ){0,2}$"
)


@dataclass(frozen=True)
class YearsSaid:
    """Years in a sentence: `sure` are a condition, others are guessed or vague; of word `first` up to
    `after`.

    `setting`: what a story is about, not when it was made.
    """

    span: Span
    first: int
    after: int
    sure: bool
    setting: bool = False


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
    ends = not following or sentence.words[after].breaks or sentence.used[after]
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


def _checked(least: int | None, most: int | None, newest: int) -> Span | None:
    if least is not None and most is not None and least > most:
        least, most = most, least
    if (most is not None and most < OLDEST) or (least is not None and least > newest + 5):
        return None
    return Span(least=least, most=most)


def _words(sentence: Sentence, match: re.Match[str]) -> tuple[int, int]:
    return sentence.numbers(match.start() + 1, match.end())
