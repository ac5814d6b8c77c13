"""What every engine of the catalogue's index can do. Engines differ in where they run, never in what they
answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from falsework.errors import FalseworkError
from falsework.search.query import Span

__all__ = ["CatalogueIndex", "Conditions", "Entry", "Hit", "Manifest", "UnreadableIndexError"]


class UnreadableIndexError(FalseworkError):
    """An index is there, and this falsework cannot answer from it: of another format or model, or damaged.
    Building it again mends that."""


@dataclass(frozen=True)
class Manifest:
    """What an index was built from. One built by another model, or of other dimensions, is refused."""

    model: str  # the encoder's name with the digest of its weights
    dimensions: int
    revision: int  # the catalogue's, when it was read
    titles: int
    format: int = 1
    catalogue: str = ""  # the identity of the catalogue; "" where it has none


@dataclass(frozen=True)
class Conditions:
    """What a title must fulfil before anything is ranked. Empty means no condition.

    `kids`: only titles whose rating is known and fit for children. `languages`, `people`: at least one of
    them. `without`: none of these genres, moods or people. A title of unknown year or runtime fails a
    condition on it. `territory` and `at` (seconds since 1970, UTC): to be watched there and then; a title of
    which no window is recorded may be watched anywhere and always. Names are compared without case and
    accents.
    """

    kids: bool = False
    kind: str | None = None
    years: Span | None = None
    runtime: Span | None = None
    languages: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    territory: str | None = None
    at: float | None = None


@dataclass(frozen=True)
class Entry:
    """One title as the index keeps it: `terms` are term ids with their BM25 weights (the inverse document
    frequency is the index's part), `vector` is (dimensions,) float32 of length 1, `fields` what
    conditions look at."""

    id: str
    terms: Mapping[int, float]
    vector: np.ndarray
    fields: Mapping[str, object]


@dataclass(frozen=True)
class Hit:
    id: str
    score: float


class CatalogueIndex(Protocol):
    """Titles by term and by meaning. One behaviour suite (tests/search_index_suite.py) holds for every
    engine.

    Hits come best first; those of one score in the order of their ids.
    """

    @property
    def manifest(self) -> Manifest: ...

    def count(self, conditions: Conditions = ...) -> int: ...

    def put(self, entries: Iterable[Entry]) -> None:
        """Add entries; one of an id that is there replaces it whole. FalseworkError where a vector is not of
        the index's dimensions or holds what is no number."""

    def remove(self, ids: Sequence[str]) -> None:
        """Take titles out; an id that is not there is no error."""

    def settle(self, revision: int, catalogue: str = "") -> Manifest:
        """After the last `put`: make all of it durable and quick to read, and note the catalogue's revision
        and identity."""

    def lexical(self, terms: Mapping[int, float], conditions: Conditions, limit: int) -> list[Hit]:
        """At most `limit` titles with any of the terms: the sum over the terms of both weights times the
        term's inverse document frequency, ln((n - df + .5) / (df + .5) + 1) over the whole index."""

    def dense(self, vector: np.ndarray, conditions: Conditions, limit: int) -> list[Hit]:
        """At most `limit` titles by the product of their vector with `vector`, (dimensions,) float32."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
