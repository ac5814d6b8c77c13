"""What a title is judged by: one row of numbers for each candidate, without its id or anything learned from
it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from falsework.search.ranking.request import Request
from falsework.search.ranking.signals import Signal
from falsework.search.ranking.table import IN_CAST, IN_TEXT, IN_TITLE, UNKNOWN, Table

if TYPE_CHECKING:
    from falsework.search.ranking.candidates import Candidates

__all__ = ["Titles", "features", "quick_features", "quick_scores"]

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

RANK_CONSTANT: Final = 60  # of reciprocal rank fusion
K1: Final = 1.2
B: Final = 0.75
MOST_LIKED: Final = 4  # titles a wish is compared with
KNOTS: Final = (4, 8, 12, 25, 40, 65)  # years at which the weight of a title's age may change
FINER_KNOTS: Final = (6, 15, 19, 33)  # more of them, where a recommendation is asked for
UNKNOWN_AGE: Final = 40.0  # years
UNKNOWN_APART: Final = 2.0
SIGNALS: Final = (
    Signal.SILENT,
    Signal.SHORT,
    Signal.FOREIGN,
    Signal.SEQUEL,
    Signal.AWARDED,
    Signal.TAKINGS,
    Signal.SUCCESSFUL,
    Signal.REVIEWED,
    Signal.CULT,
    Signal.STUDIO,
    Signal.AMERICAN,
    Signal.TELEVISION,
    Signal.PLOT,
    Signal.ANIMATED,
    Signal.DOCUMENTARY,
    Signal.SERIES,
)

QUICK_BY_KIND: Final = (
    "near",
    "standing",
    "length",
    "cast",
    "cast's fame",
    "star's fame",
    "takings",
    "mentions",
    "named",
    "age",
    *(f"age over {knot}" for knot in KNOTS[:4] + FINER_KNOTS),
    "sequel",
    "studio",
    "animated",
    "foreign",
    "awarded",
    "reviewed",
    "genres met",
    "genres missed",
    "genres beside",
)
BY_ASKING: Final = ", recommending"  # after the name of a column that counts by the kind of the wish
ONLY_BY_KIND: Final = frozenset(f"age over {knot}" for knot in FINER_KNOTS)
BY_KIND: Final = ("fused", "bm25", "covered", "title said", "sentence near", "nearest passage")


@dataclass(frozen=True)
class Titles:
    """Titles as every request compares them: what does not change between requests is worked out once.

    `vectors` are of their whole texts, `standing` the columns that hold whatever is asked.
    """

    rows: Rows
    vectors: Floats
    genres: npt.NDArray[np.uint64]
    years: Floats
    standing: dict[str, Floats]
    stacked: Floats  # the columns of `standing` in one array, (columns, titles)

    @classmethod
    def of(cls, rows: Rows, table: Table) -> Titles:
        standing = _standing(rows, table)
        stacked = np.stack(list(standing.values()))
        return cls(
            rows=rows,
            vectors=table.whole_vectors(rows),
            genres=table.genre_bits[rows],
            years=table.years[rows].astype(np.float32),
            standing=dict(zip(standing, stacked, strict=True)),
            stacked=stacked,
        )


def quick_features(request: Request, titles: Titles, table: Table, named: Floats) -> dict[str, Floats]:
    """Columns that thousands of titles can be compared by: (titles,) float32 each. `named` is that of
    `Named.column`."""
    columns = {**titles.standing, "named": named, **_asked(request, titles, table)}
    columns |= _by_kind(request, columns, QUICK_BY_KIND)
    return {name: column for name, column in columns.items() if name not in ONLY_BY_KIND}


def quick_scores(
    request: Request, titles: Titles, table: Table, named: Floats, weights: Mapping[str, float]
) -> Floats:
    """The sum of the `quick_features` by their weights, (titles,), without working the columns out that a
    request's kind only multiplies."""
    kind = _kind(request)

    def weight(name: str) -> np.float32:
        return np.float32(weights.get(name, 0.0) + kind * weights.get(f"{name}{BY_ASKING}", 0.0))

    total = np.array([weight(name) for name in titles.standing], np.float32) @ titles.stacked
    for name, column in {"named": named, **_asked(request, titles, table)}.items():
        total += weight(name) * column
    return np.asarray(total, np.float32)


def _asked(request: Request, titles: Titles, table: Table) -> dict[str, Floats]:
    """The quick columns that depend on the request."""
    near = titles.vectors @ request.vectors.T
    return {
        "near": near[:, 0],
        "sentence near": near[:, 1:].max(axis=1) if near.shape[1] > 1 else near[:, 0],
        **_years(request, titles),
        **_genres(request, titles),
        **_likes(request, titles, table),
    }


def features(request: Request, candidates: Candidates, table: Table) -> dict[str, Floats]:
    """All columns by name: (candidates,) float32 each."""
    rows = candidates.rows
    columns = {
        **quick_features(request, Titles.of(rows, table), table, candidates.named),
        **_places(candidates),
        **_words(request, rows, table),
        **_passages(request, rows, table),
        **_looks(request, rows, table),
        **_liked_names(request, rows, table),
    }
    return columns | _by_kind(request, columns, BY_KIND)


def _by_kind(request: Request, columns: dict[str, Floats], names: tuple[str, ...]) -> dict[str, Floats]:
    """Columns that weigh differently in a wish for a recommendation than in the search for a title once seen:
    times the share, 0 to 1, of the request's wording that asks for the former."""
    kind = np.float32(_kind(request))
    return {f"{name}{BY_ASKING}": columns[name] * kind for name in names}


def _kind(request: Request) -> float:
    asks, recalls = request.recommending, request.remembering
    return (asks + 0.5) / (asks + recalls + 1.0)


def _places(candidates: Candidates) -> dict[str, Floats]:
    def reciprocal(places: npt.NDArray[np.int64]) -> Floats:
        return np.where(places == UNKNOWN, 0.0, RANK_CONSTANT / (RANK_CONSTANT + places + 1)).astype(
            np.float32
        )

    lexical, dense = reciprocal(candidates.lexical), reciprocal(candidates.dense)
    return {"lexical place": lexical, "dense place": dense, "fused": lexical + dense}


def _words(request: Request, rows: Rows, table: Table) -> dict[str, Floats]:
    """BM25 over all fields and over names alone, and how much of the wish is covered at all."""
    n = len(rows)
    terms = np.array(sorted(request.terms), np.uint32)
    empty = np.zeros(n, np.float32)
    names = ("bm25", "covered", "rarest", "title covered", "title said", "cast said")
    if not len(terms):
        return dict.fromkeys(names, empty)
    said = np.sqrt(np.array([request.terms[int(term)] for term in terms], np.float32))
    frequency = table.frequencies(terms)
    idf = np.log1p((table.titles - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
    at, owners = table.terms.take(rows)
    values = table.terms.values[at]
    place = np.minimum(np.searchsorted(terms, values), len(terms) - 1)
    matches = terms[place] == values
    fields = table.term_fields[at]
    in_title = (fields & IN_TITLE) > 0
    titles_words = np.maximum(np.bincount(owners[in_title], minlength=n), 1)
    at, owners, place, fields = at[matches], owners[matches], place[matches], fields[matches]
    counts = table.term_counts[at].astype(np.float32)
    lengths = table.lengths[rows].astype(np.float32)
    usual = table.usual_length
    held_back = K1 * (1 - B + B * lengths / usual)
    gain = idf[place] * said[place] * counts * (K1 + 1) / (counts + held_back[owners])

    def summed(values: npt.NDArray[np.floating], where: npt.NDArray[np.bool_]) -> Floats:
        return np.bincount(owners[where], weights=values[where], minlength=n).astype(np.float32)

    everywhere = np.ones(len(at), bool)
    total = float((idf * said).sum())
    titled = (fields & IN_TITLE) > 0
    rarest = np.zeros(n, np.float32)
    first = np.flatnonzero(np.diff(owners, prepend=-1))  # owners come in order
    rarest[owners[first]] = np.maximum.reduceat(idf[place], first) if len(first) else 0.0
    return {
        "bm25": summed(gain, everywhere) / np.sqrt(total),
        "covered": summed(idf[place] * said[place], everywhere) / total,
        "rarest": rarest,
        "title covered": summed(np.ones(len(at)), titled) / titles_words,
        "title said": summed(idf[place], titled),
        "cast said": summed(idf[place], (fields & (IN_CAST | IN_TEXT)) == IN_CAST | IN_TEXT),
    }


def _passages(request: Request, rows: Rows, table: Table) -> dict[str, Floats]:
    """The wish and its sentences against each sentence of a title (late interaction, after ColBERT)."""
    at, owners = table.vectors.take(rows)
    near = table.vectors.values[at].astype(np.float32) @ request.vectors.T
    near *= table.scales[at, None]
    if not len(rows):
        return dict.fromkeys(("nearest passage", "sentences near", "sentence nearest"), near[:, 0])
    starts = np.searchsorted(owners, np.arange(len(rows)))
    best = np.maximum.reduceat(near, starts, axis=0)  # (rows, 1 + sentences)
    of_sentences = best[:, 1:] if best.shape[1] > 1 else best
    return {
        "nearest passage": best[:, 0],
        "sentences near": of_sentences.mean(axis=1),
        "sentence nearest": of_sentences.max(axis=1),
    }


def _standing(rows: Rows, table: Table) -> dict[str, Floats]:
    """What the catalogue shows of how well a title is known. Lengths are compared with the catalogue's own,
    years with its newest: catalogues differ in how much they tell."""
    at, owners = table.people.take(rows)
    fame = table.fame(table.people.values[at])
    cast = np.bincount(owners, minlength=len(rows))
    of_all = np.bincount(owners, weights=fame, minlength=len(rows)) / np.maximum(cast, 1)
    of_best = np.zeros(len(rows), np.float32)
    first = np.flatnonzero(np.diff(owners, prepend=-1))  # owners come in order
    of_best[owners[first]] = np.maximum.reduceat(fame, first) if len(first) else 0.0
    flags = table.flags[rows]
    years = table.years[rows].astype(np.float32)
    age = np.where(years == UNKNOWN, UNKNOWN_AGE, table.newest - years)
    found = {
        "standing": table.standings[rows],
        "length": np.log((table.lengths[rows] + 4) / table.usual_length),
        "cast": np.log1p(cast),
        "cast's fame": np.log1p(of_all),
        "star's fame": np.log1p(of_best),
        "takings": np.log1p(table.takings[rows]),
        "mentions": np.log1p(table.mentions[rows]),
        "age": age,
        **{f"age over {knot}": np.maximum(age - knot, 0) for knot in KNOTS + FINER_KNOTS},
        **{signal.name.lower(): (flags & signal) > 0 for signal in SIGNALS if signal.name},
    }
    return {name: np.asarray(values, np.float32) for name, values in found.items()}


def _years(request: Request, titles: Titles) -> dict[str, Floats]:
    """How far a title's year is from the years said, and whether it was there to be seen when it was seen."""
    said, years = request.years, titles.years
    apart, inside, after = (np.zeros(len(years), np.float32) for _ in range(3))
    if said.least is not None and said.most is not None:
        apart = np.maximum(np.maximum(said.least - years, years - said.most), 0)
        inside = (apart == 0).astype(np.float32)
    if said.seen is not None:
        after = np.maximum(years - said.seen, 0)
    unknown = years == UNKNOWN
    return {
        "years apart": np.where(unknown, UNKNOWN_APART, np.sqrt(np.minimum(apart, 30))).astype(np.float32),
        "inside years": np.where(unknown, 0, inside).astype(np.float32),
        "after seen": np.where(unknown, 0, np.minimum(after, 10)).astype(np.float32),
    }


def _genres(request: Request, titles: Titles) -> dict[str, Floats]:
    asked = np.uint64(request.genres)
    wanted = float(np.bitwise_count(asked))
    both = np.bitwise_count(titles.genres & asked).astype(np.float32)
    if not wanted:
        return dict.fromkeys(
            ("genres met", "genres missed", "genres beside"), np.zeros(len(both), np.float32)
        )
    return {
        "genres met": both / wanted,
        "genres missed": wanted - both,
        "genres beside": np.bitwise_count(titles.genres) - both,
    }


def _looks(request: Request, rows: Rows, table: Table) -> dict[str, Floats]:
    """Looks that were said and are so, or are not."""
    flags, said = table.flags[rows], np.uint32(int(request.looks))
    return {
        "looks met": np.bitwise_count(flags & said).astype(np.float32),
        "looks missed": np.bitwise_count(~flags & said).astype(np.float32),
    }


def _likes(request: Request, titles: Titles, table: Table) -> dict[str, Floats]:
    """Nearness to the titles that are liked, in meaning, genres and years."""
    liked = request.liked[:MOST_LIKED]
    if not len(liked):
        return dict.fromkeys(
            ("like nearest", "like near", "like genres", "like years"), np.zeros(len(titles.rows), np.float32)
        )
    near = titles.vectors @ table.whole_vectors(liked).T
    ours, theirs = titles.genres[:, None], table.genre_bits[liked][None, :]
    alike = np.bitwise_count(ours & theirs) / np.maximum(np.bitwise_count(ours | theirs), 1)
    apart = np.abs(titles.years[:, None] - table.years[liked].astype(np.float32)[None, :]).min(axis=1)
    return {
        "like nearest": near.max(axis=1),
        "like near": near.mean(axis=1),
        "like genres": alike.mean(axis=1).astype(np.float32),
        "like years": np.sqrt(np.minimum(apart, 40)).astype(np.float32),
    }


def _liked_names(request: Request, rows: Rows, table: Table) -> dict[str, Floats]:
    """Cast and words of the name shared with a liked title: the sequel, the other film of the same star."""
    liked = request.liked[:MOST_LIKED]
    if not len(liked):
        return dict.fromkeys(("like cast", "like name"), np.zeros(len(rows), np.float32))
    at, owners = table.people.take(rows)
    people = np.concatenate([table.people[int(row)] for row in liked])
    shared = np.bincount(owners[np.isin(table.people.values[at], people)], minlength=len(rows))
    theirs, _ = table.terms.take(liked)
    words = table.terms.values[theirs][(table.term_fields[theirs] & IN_TITLE) > 0]
    at, owners = table.terms.take(rows)
    hit = ((table.term_fields[at] & IN_TITLE) > 0) & np.isin(table.terms.values[at], words)
    rare = np.log1p(table.titles / (table.frequencies(table.terms.values[at[hit]]) + 1.0))
    return {
        "like cast": np.log1p(shared).astype(np.float32),
        "like name": np.bincount(owners[hit], weights=rare, minlength=len(rows)).astype(np.float32),
    }
