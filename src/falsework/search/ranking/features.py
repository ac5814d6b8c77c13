"""What a title is judged by: one row of numbers for each candidate, without its id or anything learned from
it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from falsework.search.ranking.candidates import Candidates
from falsework.search.ranking.request import Request
from falsework.search.ranking.signals import Signal
from falsework.search.ranking.table import IN_CAST, IN_TEXT, IN_TITLE, UNKNOWN, Table

__all__ = ["features"]

Floats = npt.NDArray[np.float32]

RANK_CONSTANT: Final = 60  # of reciprocal rank fusion
K1: Final = 1.2
B: Final = 0.75
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


def features(request: Request, candidates: Candidates, table: Table) -> dict[str, Floats]:
    """Columns by name, each (candidates,) float32."""
    rows = candidates.rows
    return {
        **_places(candidates),
        **_words(request, rows, table),
        **_meaning(request, rows, table),
        **_standing(rows, table),
        **_years(request, rows, table),
        **_kinds(request, rows, table),
        **_likes(request, rows, table),
        **_wish(request, len(rows)),
    }


def _places(candidates: Candidates) -> dict[str, Floats]:
    def reciprocal(places: npt.NDArray[np.int64]) -> Floats:
        return np.where(places == UNKNOWN, 0.0, RANK_CONSTANT / (RANK_CONSTANT + places + 1)).astype(
            np.float32
        )

    lexical, dense = reciprocal(candidates.lexical), reciprocal(candidates.dense)
    return {"lexical place": lexical, "dense place": dense, "fused": lexical + dense}


def _words(request: Request, rows: npt.NDArray[np.int64], table: Table) -> dict[str, Floats]:
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
    usual = max(float(table.lengths.mean()), 1.0)
    held_back = K1 * (1 - B + B * lengths / usual)
    gain = idf[place] * said[place] * counts * (K1 + 1) / (counts + held_back[owners])

    def summed(values: npt.NDArray[np.floating], where: npt.NDArray[np.bool_]) -> Floats:
        return np.bincount(owners[where], weights=values[where], minlength=n).astype(np.float32)

    everywhere = np.ones(len(at), bool)
    total = float((idf * said).sum())
    titled = (fields & IN_TITLE) > 0
    rarest = np.zeros(n, np.float32)
    np.maximum.at(rarest, owners, idf[place])
    return {
        "bm25": summed(gain, everywhere) / np.sqrt(total),
        "covered": summed(idf[place] * said[place], everywhere) / total,
        "rarest": rarest,
        "title covered": summed(np.ones(len(at)), titled) / titles_words,
        "title said": summed(idf[place], titled),
        "cast said": summed(idf[place], (fields & (IN_CAST | IN_TEXT)) == IN_CAST | IN_TEXT),
    }


def _meaning(request: Request, rows: npt.NDArray[np.int64], table: Table) -> dict[str, Floats]:
    """The whole wish against the whole text, and sentence against sentence."""
    at, owners = table.vectors.take(rows)
    passages = table.vectors.values[at].astype(np.float32)
    near = passages @ request.vectors.T
    near *= table.scales[at, None]
    starts = np.searchsorted(owners, np.arange(len(rows)))
    best = np.maximum.reduceat(near, starts, axis=0) if len(rows) else near  # (rows, 1 + sentences)
    whole = near[starts, 0] if len(rows) else near[:, 0]
    of_sentences = best[:, 1:] if best.shape[1] > 1 else best
    return {
        "near": whole,
        "near, centred": whole - whole.mean() if len(rows) else whole,
        "nearest passage": best[:, 0],
        "sentences near": of_sentences.mean(axis=1),
        "sentence nearest": of_sentences.max(axis=1),
        "sentences near, centred": of_sentences.mean(axis=1) - of_sentences.mean() if len(rows) else whole,
    }


def _standing(rows: npt.NDArray[np.int64], table: Table) -> dict[str, Floats]:
    """What the catalogue shows of how well a title is known."""
    at, owners = table.people.take(rows)
    elsewhere = np.log1p(table.titles_with(table.people.values[at])).astype(np.float32)
    cast = np.bincount(owners, minlength=len(rows))
    known = np.bincount(owners, weights=elsewhere, minlength=len(rows)) / np.maximum(cast, 1)
    flags = table.flags[rows]
    usual = max(float(table.lengths.mean()), 1.0)
    found = {
        "length": np.log((table.lengths[rows] + 1) / usual),
        "cast": np.log1p(cast),
        "cast known": known,
        "standing": table.standings[rows],
        **{signal.name.lower(): (flags & signal) > 0 for signal in SIGNALS if signal.name},
    }
    return {name: np.asarray(values, np.float32) for name, values in found.items()}


def _years(request: Request, rows: npt.NDArray[np.int64], table: Table) -> dict[str, Floats]:
    years = table.years[rows].astype(np.float32)
    unknown = years == UNKNOWN
    newest = float(table.years.max()) if table.titles else 0.0
    said = request.years
    apart = np.zeros(len(rows), np.float32)
    inside = np.zeros(len(rows), np.float32)
    if said.least is not None and said.most is not None:
        apart = np.maximum(np.maximum(said.least - years, years - said.most), 0)
        inside = (apart == 0).astype(np.float32)
    after = np.maximum(years - said.seen, 0) if said.seen is not None else np.zeros(len(rows), np.float32)
    before = np.clip(said.seen - years, 0, 40) if said.seen is not None else np.full(len(rows), 20.0)
    found = {
        "age": np.where(unknown, 40.0, newest - years),
        "years apart": np.where(unknown, 5.0, np.minimum(apart, 30)),
        "inside years": np.where(unknown, 0.0, inside),
        "after seen": np.where(unknown, 0.0, np.minimum(after, 30)),
        "before seen": before,
    }
    return {name: np.asarray(values, np.float32) for name, values in found.items()}


def _kinds(request: Request, rows: npt.NDArray[np.int64], table: Table) -> dict[str, Floats]:
    """Genres and looks that were said and are so, or are not."""
    genres = table.genre_bits[rows]
    asked = np.uint64(request.genres)
    both = np.bitwise_count(genres & asked).astype(np.float32)
    wanted = float(np.bitwise_count(asked))
    flags = table.flags[rows]
    said = np.uint32(int(request.looks))
    return {
        "genres met": both / max(wanted, 1.0),
        "genres missed": (wanted - both).astype(np.float32) if wanted else np.zeros(len(rows), np.float32),
        "genres beside": (np.bitwise_count(genres) - both).astype(np.float32),
        "looks met": np.bitwise_count(flags & said).astype(np.float32),
        "looks missed": np.bitwise_count(~flags & said).astype(np.float32),
    }


def _likes(request: Request, rows: npt.NDArray[np.int64], table: Table) -> dict[str, Floats]:
    """Nearness to the titles that are liked: in meaning, genres, cast, names, years."""
    names = ("like nearest", "like near", "like genres", "like cast", "like name", "like years")
    liked = request.liked
    if not len(liked) or not len(rows):
        return dict.fromkeys(names, np.zeros(len(rows), np.float32))
    near = table.whole_vectors(rows) @ table.whole_vectors(liked).T
    genres = table.genre_bits[rows][:, None]
    theirs = table.genre_bits[liked][None, :]
    alike = np.bitwise_count(genres & theirs) / np.maximum(np.bitwise_count(genres | theirs), 1)
    at, owners = table.people.take(rows)
    people = np.concatenate([table.people[int(row)] for row in liked])
    shared = np.bincount(owners[np.isin(table.people.values[at], people)], minlength=len(rows))
    at, owners = table.terms.take(rows)
    named = (table.term_fields[at] & IN_TITLE) > 0
    words = np.concatenate(
        [table.terms[int(row)][(table.term_fields[_span(table, int(row))] & IN_TITLE) > 0] for row in liked]
    )
    hit = named & np.isin(table.terms.values[at], words)
    rare = np.log1p(table.titles / (table.frequencies(table.terms.values[at[hit]]) + 1.0))
    years = np.abs(
        table.years[rows].astype(np.float32)[:, None] - table.years[liked].astype(np.float32)[None, :]
    )
    found = {
        "like nearest": near.max(axis=1),
        "like near": near.mean(axis=1),
        "like genres": alike.mean(axis=1),
        "like cast": np.log1p(shared),
        "like name": np.bincount(owners[hit], weights=rare, minlength=len(rows)),
        "like years": np.minimum(years.mean(axis=1), 40),
    }
    return {name: np.asarray(values, np.float32) for name, values in found.items()}


def _span(table: Table, row: int) -> slice:
    return slice(int(table.terms.offsets[row]), int(table.terms.offsets[row + 1]))


def _wish(request: Request, n: int) -> dict[str, Floats]:
    """What kind of wish it is: the same for all of its candidates."""
    found = {
        "words": np.log1p(request.words),
        "telling words": np.log1p(sum(request.terms.values())),
        "likes": min(len(request.liked), 4),
        "recommending": np.log1p(request.recommending),
        "remembering": np.log1p(request.remembering),
    }
    return {name: np.full(n, value, np.float32) for name, value in found.items()}
