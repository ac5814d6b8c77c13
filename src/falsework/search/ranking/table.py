"""All that ranking looks at, as memory-mapped columns: one row a title, in the order they were written.

About 2.3 kB a title with four sentences: 388 bytes a vector (whole text and each sentence, int8 with a
scale), 6 bytes a term, 4 a person, 60 for all else. A million titles stay on disk; what is ranked is loaded
by pages.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from falsework.catalogue.records import Title
from falsework.errors import FalseworkError
from falsework.search.ranking.columns import Spool, map_columns, write_columns
from falsework.search.ranking.document import LONGEST_SYNOPSIS, cast, standing
from falsework.search.ranking.genre_bits import title_genres
from falsework.search.ranking.mentions import names_written
from falsework.search.ranking.signals import signals, takings, title_key
from falsework.search.text import term_id, tokens

__all__ = ["FILE", "IN_CAST", "IN_GENRES", "IN_TEXT", "IN_TITLE", "Ragged", "Table", "TableWriter"]

FILE: Final = "table.safetensors"
FORMAT: Final = 3
IN_TITLE, IN_CAST, IN_GENRES, IN_TEXT = 1, 2, 4, 8  # bits of `term_fields`
MOST: Final = 255  # the highest count a term's byte can hold
UNKNOWN: Final = -1
STEP: Final = 4_000_000  # numbers that are counted at a time while a table is finished

Ints = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]


def digest(text: str) -> int:
    """64 bits of BLAKE2 of a text, as ids and names are looked up by."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


@dataclass(frozen=True)
class Ragged:
    """Lists of numbers of different lengths: list i is `values[offsets[i]:offsets[i + 1]]`."""

    values: npt.NDArray[Any]
    offsets: npt.NDArray[np.int64]  # (rows + 1,)

    def take(self, rows: Ints) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Where in `values` the lists of `rows` stand, one behind the other, and to which of `rows` (its
        place, not its number) each belongs."""
        begin = self.offsets[rows]
        lengths = self.offsets[rows + 1] - begin
        owners = np.repeat(np.arange(len(rows)), lengths)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]) if len(rows) else np.zeros(0, np.int64)
        return np.arange(len(owners)) + np.repeat(begin - starts, lengths), owners

    def __getitem__(self, row: int) -> npt.NDArray[Any]:
        return self.values[self.offsets[row] : self.offsets[row + 1]]


@dataclass(frozen=True)
class Table:
    """The opened table. All arrays are mapped and read-only; `n` titles, `moods` of which record any,
    and `m` vectors of `dimensions`.

    `mentions` counts the titles whose texts write a title's name (shared evenly where several have that
    name). `years`, `runtimes` (minutes) and `popularity` are UNKNOWN
    (-1) where nobody said; `flags` are the bits of `falsework.search.ranking.signals`; `lengths` the terms of
    the synopsis. `terms` holds each title's term ids in rising order with `term_counts` and `term_fields`
    beside them; `vocabulary` (rising) and `document_frequencies` all terms of the catalogue. `people` are
    digests of names, `person_titles` in how many titles each stands.
    """

    titles: int
    dimensions: int
    moods: int
    years: npt.NDArray[np.int16]
    runtimes: npt.NDArray[np.int16]
    lengths: npt.NDArray[np.uint16]
    popularity: Floats
    takings: Floats
    flags: npt.NDArray[np.uint32]
    genre_bits: npt.NDArray[np.uint64]
    standings: Floats
    mentions: Floats
    vectors: Ragged  # (m, dimensions) int8
    scales: Floats  # (m,)
    terms: Ragged  # uint32
    term_counts: npt.NDArray[np.uint8]
    term_fields: npt.NDArray[np.uint8]
    vocabulary: npt.NDArray[np.uint32]
    document_frequencies: npt.NDArray[np.uint32]
    people: Ragged  # uint32
    person_vocabulary: npt.NDArray[np.uint32]
    person_titles: npt.NDArray[np.uint32]
    person_fame: Floats
    id_bytes: Ragged  # uint8
    id_digests: npt.NDArray[np.uint64]
    id_rows: npt.NDArray[np.uint32]
    key_digests: npt.NDArray[np.uint64]
    key_rows: npt.NDArray[np.uint32]

    @classmethod
    def open(cls, folder: Path) -> Table:
        """Map the table of an index. Raises FalseworkError where there is none or another version wrote
        it."""
        path = Path(folder) / FILE
        columns, values = map_columns(path)
        if values.get("format") != FORMAT:
            raise FalseworkError(
                f"is a table of format {values.get('format')}; this version reads {FORMAT}",
                where=path,
                todo="Build the index again: `falsework search --rebuild`.",
            )
        ragged: dict[str, Any] = {
            name: Ragged(columns.pop(name), columns.pop(f"{name}_offsets"))
            for name in ("vectors", "terms", "people", "id_bytes")
        }
        return cls(
            titles=values["titles"],
            dimensions=values["dimensions"],
            moods=values["moods"],
            **ragged,
            **dict[str, Any](columns),
        )

    @cached_property
    def usual_length(self) -> float:
        """The mean length of a synopsis, in terms; at least 1."""
        return max(float(self.lengths.mean()), 1.0) if self.titles else 1.0

    @cached_property
    def newest(self) -> float:
        """The latest year of any title."""
        return float(self.years.max(initial=0))

    def ids_of(self, rows: Ints) -> list[str]:
        """The id of each row."""
        begins, ends = self.id_bytes.offsets[rows].tolist(), self.id_bytes.offsets[rows + 1].tolist()
        raw = self.id_bytes.values.data
        return [
            str(raw[begin:end], "utf-8", "surrogatepass") for begin, end in zip(begins, ends, strict=True)
        ]

    def rows_of(self, ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """The row of each id; UNKNOWN for one the table does not hold."""
        return _found(self.id_digests, self.id_rows, np.array([digest(each) for each in ids], np.uint64))

    def rows_named(self, key: str) -> npt.NDArray[np.int64]:
        """All rows whose title reads as `key` (see `signals.title_key`)."""
        return self.rows_keyed(digest(key))

    def rows_keyed(self, wanted: int) -> npt.NDArray[np.int64]:
        """All rows the digest of whose key is `wanted`."""
        begin, end = (
            np.searchsorted(self.key_digests, np.uint64(wanted)),
            np.searchsorted(self.key_digests, np.uint64(wanted), "right"),
        )
        return np.asarray(self.key_rows[begin:end], np.int64)

    def keys_of(self, rows: Ints) -> npt.NDArray[np.uint64]:
        """The digest of each row's key."""
        keys = np.zeros(self.titles, np.uint64)
        keys[self.key_rows] = self.key_digests
        return keys[rows]

    def whole_vectors(self, rows: Ints) -> Floats:
        """(len(rows), dimensions) float32: each title's vector of its whole text, of length 1."""
        at = self.vectors.offsets[rows]
        vectors = self.vectors.values[at].astype(np.float32)
        vectors *= self.scales[at, None]
        return vectors

    def frequencies(self, terms: Ints) -> npt.NDArray[np.int64]:
        """In how many titles each term id stands."""
        return _counted(self.vocabulary, self.document_frequencies, terms)

    def fame(self, people: Ints) -> Floats:
        """For each person, the standings of all titles they are in, together."""
        at = _found(self.person_vocabulary, np.arange(len(self.person_vocabulary)), people)
        return np.where(at == UNKNOWN, 0, self.person_fame[at]).astype(np.float32)


def _found(keys: Ints, rows: Ints, wanted: Ints) -> npt.NDArray[np.int64]:
    if not len(keys):
        return np.full(len(wanted), UNKNOWN, np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, rows[at].astype(np.int64), UNKNOWN)


def _counted(keys: Ints, counts: Ints, wanted: Ints) -> npt.NDArray[np.int64]:
    return np.maximum(_found(keys, counts, np.asarray(wanted, keys.dtype)), 0)


class TableWriter:
    """Writes a table title by title; memory stays that of the column statistics, whatever the catalogue's
    size.

    `folder` must exist; the table appears in it whole with `finish`. A writer that is not finished leaves
    only a folder of spools, which the next writer clears.
    """

    def __init__(self, folder: Path, dimensions: int) -> None:
        self.folder = Path(folder)
        self.dimensions = dimensions
        self._spooled = self.folder / "table.spools"
        shutil.rmtree(self._spooled, ignore_errors=True)
        self._spooled.mkdir(parents=True)
        self._rows = self._moods = 0
        self._spools: list[Spool] = []

        def spool(name: str, dtype: npt.DTypeLike, width: int | None = None) -> Spool:
            self._spools.append(Spool(self._spooled / name, dtype, width))
            return self._spools[-1]

        self._columns = {
            "years": spool("years", np.int16),
            "runtimes": spool("runtimes", np.int16),
            "lengths": spool("lengths", np.uint16),
            "popularity": spool("popularity", np.float32),
            "takings": spool("takings", np.float32),
            "flags": spool("flags", np.uint32),
            "genre_bits": spool("genre_bits", np.uint64),
            "standings": spool("standings", np.float32),
            "vectors": spool("vectors", np.int8, dimensions),
            "scales": spool("scales", np.float32),
            "terms": spool("terms", np.uint32),
            "term_counts": spool("term_counts", np.uint8),
            "term_fields": spool("term_fields", np.uint8),
            "people": spool("people", np.uint32),
            "id_bytes": spool("id_bytes", np.uint8),
        }
        self._offsets = {
            name: spool(f"{name}_offsets", np.int64) for name in ("vectors", "terms", "people", "id_bytes")
        }
        for each in self._offsets.values():
            each.append([0])
        self._ids = spool("ids", np.uint64)
        self._keys = spool("keys", np.uint64)
        self._written = spool("written", np.uint64)

    def add(self, title: Title, vectors: npt.NDArray[np.float32]) -> None:
        """Add a title with the vectors of its `passages`: (k, dimensions) float32 of length 1, k at least
        1."""
        if vectors.ndim != 2 or vectors.shape[1] != self.dimensions or not len(vectors):
            raise ValueError(f"vectors of shape {vectors.shape}; wanted (k, {self.dimensions})")
        columns = self._columns
        ids, counts, fields, length = _terms_of(title)
        columns["years"].append([UNKNOWN if title.year is None else min(title.year, 9999)])
        columns["runtimes"].append([UNKNOWN if title.runtime is None else min(max(title.runtime, 0), 9999)])
        columns["lengths"].append([min(length, 65_535)])
        columns["popularity"].append([UNKNOWN if title.popularity is None else title.popularity])
        columns["takings"].append([takings(title)])
        columns["flags"].append([signals(title)])
        columns["genre_bits"].append([title_genres(title)])
        columns["standings"].append([standing(title)])
        scales = np.maximum(np.abs(vectors).max(axis=1), 1e-6) / 127.0
        columns["vectors"].append(np.rint(vectors / scales[:, None]).astype(np.int8))
        columns["scales"].append(scales)
        columns["terms"].append(ids)
        columns["term_counts"].append(counts)
        columns["term_fields"].append(fields)
        columns["people"].append(
            [digest(name.casefold()) & 0xFFFFFFFF for name in dict.fromkeys(cast(title))]
        )
        columns["id_bytes"].append(np.frombuffer(title.id.encode("utf-8", "surrogatepass"), np.uint8))
        for name, offsets in self._offsets.items():
            offsets.append([columns[name].rows])
        self._ids.append([digest(title.id)])
        self._keys.append([digest(title_key(title.title))])
        written = sorted(names_written(title))
        self._written.append(np.array([digest(name) for name in written], np.uint64))
        self._rows += 1
        self._moods += bool(title.moods)

    def _fame(self, people: npt.NDArray[np.uint32]) -> Floats:
        """For each person, the standings of the titles they are in, together."""
        credits, standings = self._columns["people"].read(), self._columns["standings"].read()
        lengths = np.diff(self._offsets["people"].read())
        fame = np.zeros(len(people), np.float64)
        for at in range(0, self._rows, STEP // 16):
            some = slice(at, at + STEP // 16)
            begin = int(lengths[:at].sum())
            end = begin + int(lengths[some].sum())
            places = np.searchsorted(people, credits[begin:end])
            fame += np.bincount(
                places, weights=np.repeat(standings[some], lengths[some]), minlength=len(people)
            )
        return fame.astype(np.float32)

    def _mentions(self, keys: npt.NDArray[np.uint64]) -> Floats:
        """For each title of these names, in how many texts its name is written; titles of one name share
        them."""
        written = self._written.read()
        names, titles = np.unique(keys, return_counts=True)
        counts = np.zeros(len(names), np.int64)
        for at in range(0, len(written), STEP):
            found = _found(names, np.arange(len(names)), np.asarray(written[at : at + STEP]))
            counts += np.bincount(found[found != UNKNOWN], minlength=len(names))
        return (counts / titles)[np.searchsorted(names, keys)].astype(np.float32)

    def finish(self) -> None:
        """Count what is counted over all titles, put the columns together, clear the spools."""
        terms, frequencies = _counts(self._columns["terms"].read())
        people, person_titles = _counts(self._columns["people"].read())
        fame = self._fame(people)
        id_order = np.argsort(self._ids.read(), kind="stable")
        keys = np.asarray(self._keys.read())
        key_order = np.argsort(keys, kind="stable")
        write_columns(
            self.folder / FILE,
            {
                **self._columns,
                **{f"{name}_offsets": offsets for name, offsets in self._offsets.items()},
                "mentions": self._mentions(keys),
                "vocabulary": terms,
                "document_frequencies": frequencies,
                "person_vocabulary": people,
                "person_titles": person_titles,
                "person_fame": fame,
                "id_digests": self._ids.read()[id_order],
                "id_rows": id_order.astype(np.uint32),
                "key_digests": keys[key_order],
                "key_rows": key_order.astype(np.uint32),
            },
            {
                "format": FORMAT,
                "titles": self._rows,
                "dimensions": self.dimensions,
                "moods": self._moods,
            },
        )
        for each in self._spools:
            each.close()
        shutil.rmtree(self._spooled, ignore_errors=True)


def _terms_of(title: Title) -> tuple[Ints, Ints, Ints, int]:
    """A title's term ids in rising order, how often each stands in it, in which fields; the synopsis'
    length."""
    found: dict[int, list[int]] = {}
    length = 0
    for text, field in (
        (f"{title.title} {title.original_title}", IN_TITLE),
        (" ".join(f"{credit.name} {credit.character}" for credit in title.credits), IN_CAST),
        (" ".join(title.genres + title.moods), IN_GENRES),
        (title.synopsis[:LONGEST_SYNOPSIS], IN_TEXT),
    ):
        words = tokens(text)
        for word in words:
            entry = found.setdefault(term_id(word), [0, 0])
            entry[0] += 1
            entry[1] |= field
        if field == IN_TEXT:
            length = len(words)
    ids = np.array(sorted(found), np.uint32)
    counts = np.array([min(found[each][0], MOST) for each in ids.tolist()], np.uint8)
    fields = np.array([found[each][1] for each in ids.tolist()], np.uint8)
    return ids, counts, fields, length


def _counts(column: Ints) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """The distinct values of a long column in rising order, and how often each stands in it. Counted a
    stretch at a time, so that only the distinct values are held."""
    values, counts = np.zeros(0, np.uint32), np.zeros(0, np.int64)
    for at in range(0, len(column), STEP):
        more, each = np.unique(np.asarray(column[at : at + STEP]), return_counts=True)
        values, places = np.unique(np.concatenate([values, more]), return_inverse=True)
        counts = np.bincount(places, weights=np.concatenate([counts, each]), minlength=len(values)).astype(
            np.int64
        )
    return values.astype(np.uint32), counts.astype(np.uint32)
