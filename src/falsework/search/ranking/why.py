"""Why a title answers a wish: words that are stored with it, quoted as they stand there, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from falsework.catalogue.records import Title
from falsework.catalogue.vocabularies import words_of
from falsework.search.query import Query, Span
from falsework.search.ranking.document import LONGEST_SYNOPSIS
from falsework.search.text import folded, tokens
from falsework.search.understanding.chips import Chip, chips_of

__all__ = ["MOST_REASONS", "Field", "Reason", "opening", "stored", "why"]

Field = Literal[
    "title",
    "year",
    "synopsis",
    "genres",
    "moods",
    "people",
    "runtime",
    "rating",
    "languages",
    "countries",
    "kind",
]

MOST_REASONS: Final = 5
MOST_OF_A_FIELD: Final = 2
LONGEST_QUOTE: Final = 160  # characters of a synopsis
LEAD: Final = 36  # characters before the first word that matches, at most, where a sentence is cut
SAID, MEANT = 1.0, 0.5  # a word of the wish weighs more than one that a genre or mood is told by
_SENTENCE: Final = re.compile(r"[^.!?]+[.!?]*[\"'”’)\]]*")
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_CLAUSE: Final = re.compile(r"(?<=[,;:–—])\s+")
_YEAR_BEHIND: Final = re.compile(r"\s*\(\d{4}\)$")


@dataclass(frozen=True)
class Reason:
    """Stored words that speak for a title: `quote` stands so in its `field`. `wish` is what they answer, as
    people say it: a word of the wish, a name it gives, a title that is liked, or the words of its chip ("up
    to 95 min", "in French"); empty where nothing asked for them."""

    field: Field
    quote: str
    wish: str = ""


def stored(title: Title, field: Field) -> tuple[str, ...]:
    """A title's field as the texts it consists of."""
    values: dict[Field, tuple[object, ...]] = {
        "title": (title.title, title.original_title),
        "year": (title.year,),
        "synopsis": (title.synopsis,),
        "genres": title.genres,
        "moods": title.moods,
        "people": tuple(credit.name for credit in title.credits),
        "runtime": (title.runtime,),
        "rating": (title.rating,),
        "languages": title.languages,
        "countries": title.countries,
        "kind": (title.kind,),
    }
    return tuple(str(value) for value in values[field] if value not in (None, ""))


def why(title: Title, query: Query, *, liked: Sequence[Title] = (), language: str = "en") -> list[Reason]:
    """Up to MOST_REASONS reasons, the most telling first. `liked` are the records of titles `query` likes;
    `language` is that of the words of chips, "en" or "es".

    A title that matches nothing by its words was found by its meaning: then its synopsis speaks for itself.
    """
    found: dict[tuple[Field, str], Reason] = {}
    counts: dict[Field, int] = {}
    for reason in _reasons(title, query, liked, language):
        key = (reason.field, reason.quote)
        if key not in found and counts.get(reason.field, 0) < MOST_OF_A_FIELD:
            found[key] = reason
            counts[reason.field] = counts.get(reason.field, 0) + 1
    if not found and (first := opening(title.synopsis)):
        return [Reason("synopsis", first)]
    return list(found.values())[:MOST_REASONS]


def _reasons(title: Title, query: Query, liked: Sequence[Title], language: str) -> Iterator[Reason]:
    chips = chips_of(query, language=language)
    named = {folded(_YEAR_BEHIND.sub("", name)): name for name in query.titles}
    for name in stored(title, "title"):
        if folded(name) in named:
            yield Reason("title", name, named[folded(name)])
    yield from _shared("people", title, query.people)
    passage = _passage(title, query)
    if passage is not None:
        yield passage
    yield from _shared("genres", title, query.genres)
    yield from _shared("moods", title, (*query.moods, *query.mild))
    for other in liked:
        for field in ("people", "moods", "genres"):
            for quote in _common(stored(title, field), stored(other, field)):
                yield Reason(field, quote, other.title)
    yield from _by_chip("languages", _shared("languages", title, query.languages), chips)
    yield from _within("runtime", title.runtime, query.runtime, "runtime", chips)
    years, key = (query.years, "years") if query.years else (query.around, "around")
    yield from _within("year", title.year, years, key, chips)
    yield from _by_chip("countries", _shared("countries", title, query.countries), chips)
    if query.kids and title.rating:
        yield from _by_chip("kids", [Reason("rating", title.rating)], chips)
    if query.kind == title.kind:
        yield from _by_chip("kind", [Reason("kind", title.kind)], chips)


def _by_chip(key: str, reasons: Iterable[Reason], chips: Sequence[Chip]) -> Iterator[Reason]:
    """Reasons whose wish is said as their chip says it: that of the wish's value, or the only one."""
    for reason in reasons:
        said = {chip.value: chip.words for chip in chips if chip.key == key}
        yield replace(reason, wish=said.get(reason.wish) or next(iter(said.values()), reason.wish))


def _shared(field: Field, title: Title, wanted: Iterable[str]) -> Iterator[Reason]:
    asked = {folded(each): each for each in wanted}
    for value in stored(title, field):
        if folded(value) in asked:
            yield Reason(field, value, asked[folded(value)])


def _common(these: Iterable[str], others: Iterable[str]) -> list[str]:
    known = {folded(each) for each in others}
    return [each for each in these if folded(each) in known]


def _within(
    field: Literal["runtime", "year"], value: int | None, span: Span | None, key: str, chips: Sequence[Chip]
) -> Iterator[Reason]:
    if span is None or value is None or (span.least is span.most is None):
        return
    if span.holds(value):
        yield from _by_chip(key, [Reason(field, str(value))], chips)


def _passage(title: Title, query: Query) -> Reason | None:
    """The sentence of the synopsis that says most of the wish, cut to what says it; no more of the synopsis
    is read than is indexed."""
    wanted = _wanted(title, query)
    if not wanted or not title.synopsis:
        return None
    synopsis = _indexed(title.synopsis)
    best: tuple[float, int, int, list[tuple[int, float]], str] | None = None
    for sentence in _SENTENCE.finditer(synopsis):
        hits: list[tuple[int, float]] = []
        heard: dict[str, float] = {}
        for word in _WORD.finditer(synopsis, sentence.start(), sentence.end()):
            for token in _stems(word[0]):
                if token in wanted:
                    wish, weight = wanted[token]
                    hits.append((word.start(), 0.0 if wish in heard else weight))
                    heard.setdefault(wish, weight)
        weight = sum(heard.values())
        if hits and (best is None or weight > best[0]):
            told = max(heard, key=lambda wish: heard[wish])
            best = (weight, sentence.start(), sentence.end(), hits, told)
    if best is None:
        return None
    _, begin, end, hits, told = best
    return Reason("synopsis", _excerpt(synopsis, begin, end, hits), told)


def _indexed(synopsis: str) -> str:
    """As much of a synopsis as is indexed, to the end of a word."""
    if len(synopsis) <= LONGEST_SYNOPSIS:
        return synopsis
    end = synopsis.rfind(" ", 0, LONGEST_SYNOPSIS)
    return synopsis[: end if end > 0 else LONGEST_SYNOPSIS]


def _wanted(title: Title, query: Query) -> dict[str, tuple[str, float]]:
    """Terms to look for in the synopsis, each with what of the wish it stands for and its weight."""
    wanted: dict[str, tuple[str, float]] = {}
    for word in _WORD.findall(query.text):
        if len(word) > 2:
            wanted |= {token: (word, SAID) for token in tokens(word)}
    tags = {folded(each) for each in (*title.genres, *title.moods)}
    for name in (*query.genres, *query.moods):
        if folded(name) not in tags:  # where it is stored the entry itself is quoted
            for token in _tokens_of(name):
                wanted.setdefault(token, (name, MEANT))
    return wanted


@lru_cache(maxsize=16_384)
def _stems(word: str) -> tuple[str, ...]:
    """The terms of one word: a page of results says most words many times."""
    return tuple(tokens(word))


@lru_cache(maxsize=512)
def _tokens_of(name: str) -> tuple[str, ...]:
    """The terms that alone tell of a genre or mood."""
    found = [tokens(word) for word in words_of(name)]
    return tuple(one[0] for one in found if len(one) == 1)


def _excerpt(text: str, begin: int, end: int, hits: Sequence[tuple[int, float]]) -> str:
    """A sentence, or where it is long the stretch of it with the weightiest words, from one word's edge to
    another's."""
    begin += len(text[begin:end]) - len(text[begin:end].lstrip())
    if end - begin <= LONGEST_QUOTE:
        return text[begin:end].rstrip()

    def weight(start: int) -> float:
        return sum(weight for at, weight in hits if start <= at < start + LONGEST_QUOTE - LEAD)

    first = max((at for at, _ in hits), key=lambda at: (weight(at), -at))
    clauses = [begin, *(match.end() for match in _CLAUSE.finditer(text, begin, first))]
    words = [match.start() for match in _WORD.finditer(text, max(begin, first - LEAD), first + 1)]
    start = clauses[-1] if first - clauses[-1] <= LEAD else words[1] if len(words) > 1 else first
    if start + LONGEST_QUOTE >= end:
        return text[start:end].rstrip()
    stop = text.rfind(" ", first, start + LONGEST_QUOTE)
    return text[start : stop if stop > first else start + LONGEST_QUOTE].rstrip(" ,;:–—")


def opening(synopsis: str) -> str:
    """The first sentence of a synopsis, or as much of it as is quoted."""
    synopsis = _indexed(synopsis)
    sentence = _SENTENCE.search(synopsis)
    return _excerpt(synopsis, sentence.start(), sentence.end(), [(sentence.start(), 1.0)]) if sentence else ""
