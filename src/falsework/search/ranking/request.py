"""A wish as ranking reads it: what was said taken apart once, before any title is looked at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from falsework.search.query import LONGEST_TEXT, Query
from falsework.search.ranking.genre_bits import genre_bits, genres_said
from falsework.search.ranking.signals import Signal, title_key
from falsework.search.ranking.table import UNKNOWN, Table
from falsework.search.ranking.wording import (
    Years,
    looks,
    naming,
    recommending,
    remembering,
    telling,
    telling_sentences,
    years_said,
)
from falsework.search.text import term_id

__all__ = ["Request", "read_request"]

Floats = npt.NDArray[np.float32]

LONGEST_NAME: Final = 8  # words of a title that is looked for in a sentence
NEAR: Final = 1  # years by which a title's year and the one said with it may differ
_NAMED: Final = re.compile(r"(?P<before>[^.!?\n()]*)\((?P<year>(?:19|20)\d\d)\)")
_ARTICLES: Final = ("the", "a", "an")


class Encodes(Protocol):
    def encode(self, texts: Sequence[str]) -> Floats: ...


@dataclass(frozen=True)
class Request:
    """A wish, read. `said` is what was typed (in English), `query` as it was understood.

    `terms` are the telling words' term ids with how often each was said, in the order they were said first;
    `pairs` those that stood side by side. `whole` is the vector of all that was said and `vectors` those of
    its telling sentences: (1 + sentences, dimensions). `liked`, `unliked` and `named` are rows of the table.
    """

    said: str
    query: Query
    terms: dict[int, int]
    vectors: Floats
    years: Years
    looks: Signal
    genres: int  # bits
    liked: npt.NDArray[np.int64]
    unliked: npt.NDArray[np.int64]
    recommending: int
    remembering: int

    @property
    def words(self) -> int:
        return len(self.said.split())


def read_request(said: str, query: Query, table: Table, encoder: Encodes) -> Request:
    """Take a wish apart. `said` in English; the titles `query` likes or dislikes are looked up in the table,
    and so are titles that are written with their year, "Alien (1979)"."""
    said = said[:LONGEST_TEXT]
    plain, named = _without_names(said, table)
    sentences = telling_sentences(plain)
    whole = " ".join(sentences) or said
    vectors = encoder.encode([whole, *sentences]) if len(sentences) > 1 else encoder.encode([whole])
    terms: dict[int, int] = {}
    for token in telling(plain):
        terms[term_id(token)] = terms.get(term_id(token), 0) + 1
    liked = [row for name in query.like for row in _rows_of(name, table)]
    unliked = [row for name in query.unlike for row in _rows_of(name, table)]
    years = years_said(said)
    if years.least is None and query.around is not None:
        years = Years(query.around.least, query.around.most, years.seen)
    return Request(
        said=said,
        query=query,
        terms=terms,
        vectors=vectors,
        years=years,
        looks=looks(said),
        genres=genres_said(plain) | genre_bits(query.genres),
        liked=np.array([row for row in dict.fromkeys(named + liked) if row not in unliked], np.int64),
        unliked=np.array(list(dict.fromkeys(unliked)), np.int64),
        recommending=recommending(said) + naming(said),
        remembering=remembering(said),
    )


def _without_names(said: str, table: Table) -> tuple[str, list[int]]:
    """What was said without the titles written with their year, and the rows of those titles."""
    rows: list[int] = []
    kept: list[str] = []
    at = 0
    for match in _NAMED.finditer(said):
        words = list(re.finditer(r"\S+", match["before"]))
        for first in words[-LONGEST_NAME:]:
            name = match["before"][first.start() :].strip()
            row = _row_named(name, int(match["year"]), table)
            if row is not None:
                rows.append(row)
                kept.append(said[at : match.start() + first.start()])
                at = match.end()
                break
    kept.append(said[at:])
    return " ".join(kept), rows


def _row_named(name: str, year: int, table: Table) -> int | None:
    for row in _rows_keyed(name, table):
        if abs(int(table.years[row]) - year) <= NEAR:
            return row
    return None


def _rows_of(name: str, table: Table) -> list[int]:
    """The rows of a title as a query writes it, with or without its year; the best-known where several
    share it."""
    match = re.fullmatch(r"(?P<name>.*\S)\s*\((?P<year>\d{4})\)", name)
    if match:
        row = _row_named(match["name"], int(match["year"]), table)
        return [] if row is None else [row]
    rows = _rows_keyed(name, table)
    return [max(rows, key=lambda row: float(table.standings[row]))] if rows else []


def _rows_keyed(name: str, table: Table) -> list[int]:
    key = title_key(name)
    keys = [key, *(f"{article} {key}" for article in _ARTICLES)] if key else []
    return [int(row) for each in keys for row in table.rows_named(each) if row != UNKNOWN]
