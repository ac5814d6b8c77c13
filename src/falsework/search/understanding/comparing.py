"""What "shorter", "newer" and "funnier" make of a wish."""

from __future__ import annotations

import re
from typing import Any, Final

from falsework.search.query import Query, Span
from falsework.search.understanding.draft import terms
from falsework.search.understanding.sentence import Sentence
from falsework.search.understanding.years import OLDEST

__all__ = ["MORE_OF", "compared", "compares"]

SHORTER, LONGER = 0.8, 1.25  # of the running time before
USUAL_SHORT, USUAL_LONG = 95, 125  # minutes, where no running time was said before
SHORTEST: Final = 10
NEWER_THAN, NOT_OLDER_THAN, OLDER_THAN = 10, 20, 25  # years before the newest
_COMPARED: Final = re.compile(
    r" (?P<way>shorter|not (?:so|that|as) long|less long|briefer|longer|not (?:so|that|as) short|newer|"
    r"more (?:recent|modern|up to date)|not (?:so|that|as|too) old|less old|younger|older|more classic|"
    r"not (?:so|that|as|too) (?:new|recent|modern)|less (?:recent|modern|new)|earlier)(?= )"
)
MORE_OF: Final = {
    "funnier": "funny", "scarier": "scary", "darker": "dark", "lighter": "light", "happier": "feel-good",
    "sadder": "sad", "weirder": "dreamlike",
    "stranger": "dreamlike", "creepier": "chilling", "gorier": "gory", "bloodier": "gory", "sexier":
    "passionate", "smarter": "clever", "cleverer": "clever",
    "cuter": "charming", "sweeter": "charming", "calmer": "calm", "quieter": "calm", "slower": "slow",
    "faster": "adrenaline", "wilder": "adrenaline", "tenser": "tense",
    "sillier": "absurd", "deeper": "philosophical", "grittier": "gritty", "warmer": "heart-warming",
    "cosier": "cosy", "cozier": "cosy", "bleaker": "bleak",
    "edgier": "edgy", "moodier": "atmospheric", "spookier": "chilling", "campier": "campy", "cheesier":
    "campy", "dirtier": "edgy", "harder": "gritty", "softer": "calm",
    "easier": "light", "grimmer": "bleak",
}  # fmt: skip


_HINGES: Final = frozenset(("but", "only", "just", "something", "bit", "much", "little", "even", "way"))


def compares(sentence: Sentence) -> bool:
    """Whether a sentence compares with what was before."""
    return _COMPARED.search(sentence.joined) is not None or any(key in MORE_OF for key in sentence.keys)


def compared(sentence: Sentence, previous: Query, newest: int, *, alone: bool = False) -> dict[str, Any]:
    """What "shorter", "newer", "funnier" make of the query; their words are used up. `alone`: there was no
    query before, so it must be said of a title or a kind ("like Heat but shorter") and not in a plot.
    """
    fields: dict[str, Any] = {}
    for match in _COMPARED.finditer(sentence.joined):
        way = match["way"]
        first, after = sentence.numbers(match.start() + 1, match.end())
        if after < len(sentence.keys) and sentence.keys[after] == "than":
            continue  # "longer than 90 minutes" says itself how long
        if alone and not _hinges(sentence, first):
            continue
        sentence.use(first, after)
        if any(word in way for word in ("short", "long", "brief")):
            fields["runtime"] = _length(
                previous.runtime, shorter=way in ("shorter", "briefer") or way.endswith("long")
            )
        else:
            newer = (
                way in ("newer", "younger")
                or way.endswith("old")
                or (way.startswith("more") and "classic" not in way)
            )
            key = "years" if previous.years is not None else "around"
            before = previous.years or previous.around
            if before is None or (before.least is None and before.most is None):
                back = (NOT_OLDER_THAN if way.endswith("old") else NEWER_THAN) if newer else OLDER_THAN
                fields[key] = (
                    Span(least=newest - back, most=None) if newer else Span(least=None, most=newest - back)
                )
            else:
                fields[key] = shifted(before, newer=newer)
    moods = list(previous.moods)
    for place, key in enumerate(sentence.keys):
        if key in MORE_OF and not sentence.used[place] and (not alone or _hinges(sentence, place)):
            sentence.use(place, place + 1)
            moods.append(MORE_OF[key])
            fields["moods"] = terms(moods)
    return fields


def _hinges(sentence: Sentence, place: int) -> bool:
    return place > 0 and sentence.keys[place - 1] in _HINGES and not sentence.used[place]


def _length(before: Span | None, *, shorter: bool) -> Span:
    before = before or Span(least=None, most=None)
    if shorter:
        bound = before.most if before.most is not None else before.least
        most = USUAL_SHORT if bound is None else max(SHORTEST, round(bound * SHORTER))
        return Span(least=None, most=most)
    bound = before.least if before.least is not None and before.most is None else before.most
    if bound is None:
        return Span(least=USUAL_LONG, most=None)
    return Span(least=min(9999, round(bound * LONGER) if before.most is None else bound), most=None)


def shifted(span: Span, *, newer: bool) -> Span:
    """The years right after (or before) those: what "newer" and "older" ask for."""
    if newer:
        bound = span.most if span.most is not None else (span.least or OLDEST) + 5
        return Span(least=min(bound + 1, 9999), most=None)
    bound = span.least if span.least is not None else (span.most or 2000) - 10
    return Span(least=None, most=max(bound - 1, 0))
