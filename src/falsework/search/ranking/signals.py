"""What a title's own text says about what kind of title it is, as bits: where popularity was never
measured, an encyclopaedia's sentence about takings, awards, a studio or a sequel is what is left of it."""

from __future__ import annotations

import re
import unicodedata
from enum import IntFlag
from typing import Final

from falsework.catalogue.records import Title

__all__ = ["Signal", "signals", "takings", "title_key"]

READ: Final = 4_000  # characters of a synopsis these are looked for in


class Signal(IntFlag):
    """Bits of `Table.flags`. Renumbering them changes the table's format."""

    SILENT = 1 << 0
    SHORT = 1 << 1
    ANIMATED = 1 << 2
    DOCUMENTARY = 1 << 3
    FOREIGN = 1 << 4  # in another language than English, as far as the text says
    SEQUEL = 1 << 5
    AWARDED = 1 << 6
    TAKINGS = 1 << 7
    BLACK_AND_WHITE = 1 << 8
    TELEVISION = 1 << 9  # made for television or sold without a release in cinemas
    ADAPTED = 1 << 10
    MUSICAL = 1 << 11
    LOST = 1 << 12
    CULT = 1 << 13
    SERIES = 1 << 14
    REVIEWED = 1 << 15
    REMAKE = 1 << 16
    PLOT = 1 << 17  # says what it is about
    AMERICAN = 1 << 18
    BRITISH = 1 << 19
    STUDIO = 1 << 20  # one of the large American studios
    INDEPENDENT = 1 << 21
    SCREENED = 1 << 22  # at a festival
    SUCCESSFUL = 1 << 23


_LANGUAGES = (
    "French|German|Italian|Spanish|Mexican|Japanese|Chinese|Mandarin|Cantonese|Hong Kong|Korean|Indian|Hindi|"
    "Bollywood|Tamil|Telugu|Malayalam|Kannada|Bengali|Russian|Soviet|Swedish|Danish|Norwegian|Finnish|Dutch|"
    "Polish|Czech|Hungarian|Turkish|Persian|Iranian|Arabic|Egyptian|Portuguese|Brazilian|Argentine|Greek|"
    "Thai|Filipino|Indonesian|Israeli|Hebrew"
)
_STUDIOS = (
    "Disney|Pixar|Warner Bros|Universal Pictures|Paramount|Columbia Pictures|20th Century|Metro-Goldwyn|MGM|"
    "New Line|DreamWorks|Miramax|TriStar|United Artists|Orion|Touchstone|Lionsgate|Sony Pictures|Marvel"
)
# With their capitals: "english" may be a class, "English" is a country's.
_NAMED: Final = {
    Signal.FOREIGN: rf"\b(?:{_LANGUAGES})\b[^.]{{0,60}}\b(?:film|movie|drama|comedy|series)\b",
    Signal.AWARDED: r"\b(?:Academy Award|Oscar|Golden Globe|BAFTA|Palme d|Golden Lion|Emmy)",
    Signal.AMERICAN: r"\bAmerican\b",
    Signal.BRITISH: r"\b(?:British|English)\b",
    Signal.STUDIO: rf"\b(?:{_STUDIOS})\b",
}
_NUMBERED = "second|third|fourth|fifth|sixth|seventh|eighth"
_SAID: Final = {
    Signal.SILENT: r"\bsilent\b",
    Signal.SHORT: r"\b(?:short (?:film|subject|comedy|drama|silent)|(?:one|two)-reel)",
    Signal.ANIMATED: r"\banimat(?:ed|ion)\b",
    Signal.DOCUMENTARY: r"\bdocumentary\b",
    Signal.SEQUEL: rf"\b(?:sequel|prequel|franchise|(?:{_NUMBERED}) (?:instal|film|entry|chapter|part))",
    Signal.TAKINGS: r"\bgross(?:ed|ing)\b|box[- ]office|\$\s?\d[\d.,]* ?[mb]illion",
    Signal.BLACK_AND_WHITE: r"\bblack[- ]and[- ]white\b",
    Signal.TELEVISION: r"\b(?:television|TV) (?:film|movie)|\b(?:direct|straight)-to-",
    Signal.ADAPTED: r"\b(?:based (?:up)?on|adapted from|adaptation of)\b",
    Signal.MUSICAL: r"\bmusical\b",
    Signal.LOST: r"\b(?:lost film|presumed lost|no longer exist|survives?\b)",
    Signal.CULT: r"\bcult (?:film|classic|following|status|movie)",
    Signal.REVIEWED: r"\b(?:reviews?|critics?|critical(?:ly)?|acclaim(?:ed)?|panned|praised)\b",
    Signal.REMAKE: r"\b(?:remake|reboot|re-imagining)\b",
    Signal.PLOT: r"\b(?:plot|story|follows?|tells?|about|revolves|cent(?:er|re)s|depicts|who)\b",
    Signal.INDEPENDENT: r"\bindependent\b",
    Signal.SCREENED: r"\b(?:film festival|sundance|premiered)\b",
    Signal.SUCCESSFUL: r"\bhighest-grossing\b|\b(?:commercial|financial|office) success|\bnumber one\b",
}
_PATTERNS: Final = tuple(
    [(signal, re.compile(pattern)) for signal, pattern in _NAMED.items()]
    + [(signal, re.compile(pattern, re.IGNORECASE)) for signal, pattern in _SAID.items()]
)
_GENRES: Final = {
    "silent": Signal.SILENT,
    "short": Signal.SHORT,
    "animated": Signal.ANIMATED,
    "animation": Signal.ANIMATED,
    "documentary": Signal.DOCUMENTARY,
    "documentaries": Signal.DOCUMENTARY,
    "musical": Signal.MUSICAL,
    "independent": Signal.INDEPENDENT,
}
_MONEY: Final = re.compile(
    r"[$£€]\s?(?P<sum>\d{1,4}(?:,\d{3})*(?:\.\d+)?)\s?(?P<unit>[mb])illion", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+")


def signals(title: Title) -> int:
    """The bits of `Signal` for a title."""
    text = title.synopsis[:READ]
    found = Signal(0)
    for signal, pattern in _PATTERNS:
        if pattern.search(text):
            found |= signal
    for genre in title.genres:
        found |= _GENRES.get(genre.casefold(), Signal(0))
    if title.kind == "series":
        found |= Signal.SERIES
    if any(language != "en" for language in title.languages) and "en" not in title.languages:
        found |= Signal.FOREIGN
    return int(found)


def takings(title: Title) -> float:
    """The largest sum of money its text speaks of, in millions of whatever currency; 0 where it speaks of
    none."""
    sums = [
        float(match["sum"].replace(",", "")) * (1_000.0 if match["unit"].lower() == "b" else 1.0)
        for match in _MONEY.finditer(title.synopsis[:READ])
    ]
    return max(sums, default=0.0)


def title_key(title: str) -> str:
    """A name as it is compared: words in one case, without accents, apostrophes or punctuation."""
    plain = unicodedata.normalize("NFKD", title.casefold().replace("&", " and "))
    plain = "".join(each for each in plain if not unicodedata.combining(each) and each not in "'’")
    return " ".join(_WORD.findall(plain))
