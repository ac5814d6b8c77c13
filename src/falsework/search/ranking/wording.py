"""How people word what they look for: what of it is about the title, what is about themselves.

"I saw this on TV as a kid, maybe 1995, it was driving me crazy" holds one fact, and it is not the year of
the film. The lists here are our own, written by hand with queries of both kinds at hand, and not fitted to
their answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from falsework.search.ranking.document import sentences
from falsework.search.ranking.signals import Signal
from falsework.search.text import tokens

__all__ = [
    "Years",
    "looks",
    "naming",
    "recommending",
    "remembering",
    "telling",
    "telling_sentences",
    "years_said",
]

# Words of remembering, asking and hedging, of no use to tell one title from another.
_TALK: Final = frozenset(
    tokens(
        """
        remember recall recollect forget forgot forgotten memory memories vague vaguely barely think thought
        guess believe believed maybe perhaps possibly probably might may sure unsure certain fairly pretty
        quite kind kinda sort sorta something someone somewhere somehow anything anyone anybody everyone
        else idea clue hint detail details scene scenes part parts bit end ending beginning start started
        starts began movie movies film films flick show shows watch watched watching saw see seen seeing
        look looked looking looks find finding found search searching searched google googled imdb title
        titled name named called call help helps helped please thanks thank thx appreciate appreciated
        grateful advance hey hi hello hope know knew known knows tell told anyways anyway random randomly
        bugging bug driving crazy mind head stuck ages ago year years day days time times week weeks month
        months long recent recently old older new newer early late mid around about roughly approximately
        made released release came come comes out television tv channel cable netflix vhs dvd rental rented
        rent video store theater theatre cinema cassette tape aired airing broadcast born child childhood
        kid kids younger young age teen grew mom dad sister brother parents grandma grandpa wife husband
        friend like liked likes love loved really very actually basically literally also even just still
        ever never always sometimes got get gets getting go goes going went want wanted wants need good
        great nice awesome fine cool okay ok yes yeah no not well much many lot lots thing things stuff way
        plot story storyline main character characters actor actress actors play played plays role starring
        star stars english color colour colored black white language country subtitles recommend recommends
        recommended recommendation recommendations suggest suggested suggestion suggestions favorite
        favourite enjoy enjoyed type types genre genres option options open welcome interested mood tonight
        today evening weekend bye heard seem seems seemed lol haha oh um im ive dont cant didnt wasnt
        couldnt wont isnt
        """
    )
)
_ASIDE: Final = frozenset(
    tokens(
        "help thanks thank appreciate advance remember recall forget watched watch saw seen tv dvd vhs"
        " rented rental channel cable netflix imdb google title name kid child years ago bugging crazy"
        " anybody anyone know"
    )
)
LEAST_TELLING: Final = 2  # words about the title that a sentence must hold to be kept
MOST_SENTENCES: Final = 8

_DECADES: Final = {
    "twenties": 1920,
    "thirties": 1930,
    "forties": 1940,
    "fifties": 1950,
    "sixties": 1960,
    "seventies": 1970,
    "eighties": 1980,
    "nineties": 1990,
}
_YEAR: Final = re.compile(
    r"(?P<part>\b(?:early|mid|late|beginning of the|end of the)[- ]+(?:to[- ]+)?(?:the )?)?"
    r"(?:\b(?P<full>(?:18|19|20)\d0)['’]?s\b|(?<![\d$])['’]?\b(?P<short>[2-9]0|00)['’]?s\b"
    r"|\b(?P<word>" + "|".join(_DECADES) + r")\b|(?<![\d$.,])\b(?P<year>(?:19|20)\d\d)\b(?![\d,]))",
    re.IGNORECASE,
)
_SEEN: Final = re.compile(
    r"\b(?:saw|seen|see|watch\w*|view\w*|born|kid|child\w*|young\w*|rented|rental|tv|television|aired|airing|"
    r"grew|remember\w*|school|ago|showing|played on|caught)\b",
    re.IGNORECASE,
)
_MADE: Final = re.compile(
    r"\b(?:made|from|released?|came out|filmed|era|style\w*|looks?|looked|circa|dated?)\b", re.IGNORECASE
)
_ELSEWHEN: Final = re.compile(
    r"\b(?:set in|takes? place|took place|placed|his|her|their|my)\b", re.IGNORECASE
)
_CLAUSE: Final = re.compile(r"[.!?;:,\n()]|\b(?:but|and i|because|so)\b", re.IGNORECASE)

_LOOKS: Final = {
    Signal.BLACK_AND_WHITE: r"\bblack[- &]*(?:and|n)?[- ]*white\b|\bb ?[&/] ?w\b",
    Signal.ANIMATED: r"(?<!live action )\b(?:animat\w+|cartoons?|anime|claymation|stop[- ]motion)\b",
    Signal.SILENT: r"\bsilent (?:film|movie|era)",
    Signal.DOCUMENTARY: r"\bdocumentar(?:y|ies)\b",
    Signal.FOREIGN: r"\b(?:foreign|subtitle[sd]?|subbed|dubbed|bollywood|hindi|"
    r"french|german|italian|spanish|japanese|chinese|korean|indian|russian|swedish|mexican)\b",
    Signal.SHORT: r"\bshort (?:film|movie)",
    Signal.MUSICAL: r"\bmusicals?\b|\bbroke into song",
    Signal.TELEVISION: r"\b(?:made[- ]for[- ](?:tv|television)|tv[- ]movie|lifetime|hallmark)\b",
    Signal.SEQUEL: r"\b(?:sequel|part (?:2|3|two|three|ii|iii)|franchise)\b",
    Signal.SERIES: r"\b(?:tv|television)[- ](?:show|series)|\bmini-?series|\bepisodes?\b|\bsitcom\b",
    Signal.BRITISH: r"\b(?:british|england|london|uk)\b",
}
_LOOKS_COMPILED: Final = tuple((each, re.compile(said, re.IGNORECASE)) for each, said in _LOOKS.items())

_RECOMMENDING: Final = re.compile(
    r"\b(?:recommend\w*|suggest\w*|in the mood|any (?:good|ideas)|similar to|favou?rite|open to"
    r"|something (?:like|similar|to watch|funny|scary|new)|(?:movies?|films?|anything) (?:like|similar)"
    r"|what (?:kind|type|sort)|i (?:\w+ )?(?:like|love|enjoy)d?|looking for (?:a|some|any)"
    r"|(?:should|can|could) (?:i|we) watch|have you (?:seen|watched))\b",
    re.IGNORECASE,
)
_REMEMBERING: Final = re.compile(
    r"\b(?:remember\w*|recall\w*|forg[eo]t\w*|(?:what|which) (?:was|is|were) (?:the|that|this|it)"
    r"|trying to (?:find|figure)|(?:the|this|that|a) (?:movie|film|one) (?:where|about|with|in which|i)"
    r"|(?:ages|years) ago|scenes?|at the end|can'?t (?:think|find)|name of|turns out|he|she|they|who)\b",
    re.IGNORECASE,
)
_NAMING: Final = re.compile(r"\((?:19|20)\d\d\)")


@dataclass(frozen=True)
class Years:
    """Years read in a request: made between `least` and `most` (None: nothing said), and seen by `seen`."""

    least: int | None = None
    most: int | None = None
    seen: int | None = None


def years_said(text: str) -> Years:
    """What a request says of when the title was made. A year beside "I saw it" bounds it from above only."""
    made: list[tuple[int, int]] = []
    seen: list[int] = []
    for match in _YEAR.finditer(text):
        span = _span(match)
        if span is None or _NAMING.match(text, match.start() - 1):
            continue  # a year in brackets belongs to the title before it
        clause = _CLAUSE.split(text[max(0, match.start() - 70) : match.start()])[-1]
        after = _CLAUSE.split(text[match.end() : match.end() + 30])[0]
        if _ELSEWHEN.search(clause):
            continue  # when the story plays, how old somebody is
        by_eye = [found.start() for found in _SEEN.finditer(clause)]
        by_maker = [found.start() for found in _MADE.finditer(clause)]
        if (_SEEN.search(after) and not by_maker) or (by_eye and max(by_eye) > max(by_maker, default=-1)):
            seen.append(span[1])
        else:
            made.append(span)
    return Years(
        min((least for least, _ in made), default=None),
        max((most for _, most in made), default=None),
        max(seen, default=None),
    )


def _span(match: re.Match[str]) -> tuple[int, int] | None:
    if match["year"]:
        year = int(match["year"])
        return (year, year) if match["part"] is None else (year - 2, year + 2)
    if match["word"]:
        decade = _DECADES[match["word"].lower()]
    elif match["short"]:
        short = int(match["short"])
        decade = 2000 + short if short < 20 else 1900 + short
    else:
        decade = int(match["full"])
    part = (match["part"] or "").lower()
    if part.startswith(("early", "beginning")):
        return decade - 1, decade + 4
    if part.startswith("mid"):
        return decade + 3, decade + 7
    if part.startswith(("late", "end")):
        return decade + 5, decade + 10
    return decade, decade + 9


def telling(text: str) -> list[str]:
    """The terms of a text that may tell one title from another; all of them where nothing else is left."""
    every = tokens(text)
    return [each for each in every if each not in _TALK] or every


def telling_sentences(text: str) -> list[str]:
    """Its sentences without those that are about the asker; at most `MOST_SENTENCES`, the fullest first
    kept."""
    parts = [part for line in text.splitlines() for part in sentences(line, 1)]
    weights = [_weight(part) for part in parts]
    kept = [index for index, weight in enumerate(weights) if weight >= LEAST_TELLING]
    if len(kept) > MOST_SENTENCES:
        kept = sorted(sorted(kept, key=lambda index: -weights[index])[:MOST_SENTENCES])
    return [parts[index] for index in kept] or parts[:1]


def _weight(sentence: str) -> int:
    words = tokens(sentence)
    told = sum(word not in _TALK for word in words)
    return told if told > sum(word in _ASIDE for word in words) else 0


def looks(text: str) -> Signal:
    """What a request says of how the title looked or was made ("black and white", "a cartoon")."""
    said = Signal(0)
    for signal, pattern in _LOOKS_COMPILED:
        if pattern.search(text):
            said |= signal
    if said & Signal.ANIMATED and re.search(
        r"\b(?:not|wasn.?t|isn.?t) (?:a )?(?:animated|cartoon)", text, re.I
    ):
        said &= ~Signal.ANIMATED
    return said


def recommending(text: str) -> int:
    """How often a request words itself as a wish for recommendations."""
    return len(_RECOMMENDING.findall(text))


def remembering(text: str) -> int:
    """How often a request words itself as a search for something once seen."""
    return len(_REMEMBERING.findall(text))


def naming(text: str) -> int:
    """How many titles stand in it with their year in brackets."""
    return len(_NAMING.findall(text))
