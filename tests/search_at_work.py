"""Searchers over small catalogues, and stand-ins for what search listens to."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from falsework.catalogue.database import Catalogue
from falsework.catalogue.records import Availability, Credit, Title
from falsework.catalogue.sample import fill
from falsework.search.encoder import Encoder
from falsework.search.index.build import build, open_index
from falsework.search.query import Query
from falsework.search.ranking.candidates import Candidates
from falsework.search.ranking.table import Table
from falsework.search.searcher import Searcher


@dataclass(frozen=True)
class Placed:
    id: str
    score: float
    parts: dict[str, float] = field(default_factory=dict)


class Fused:
    """Reciprocal rank fusion: an order nobody had to learn, so that tests of the rest stand on their own."""

    def rank(self, request: Any, candidates: Candidates, table: Table) -> Sequence[Placed]:
        lists = (candidates.lexical, candidates.dense)
        scores = sum(np.where(places >= 0, 1.0 / (61 + places), 0.0) for places in lists)
        order = np.argsort(-scores, kind="stable")
        ids = table.ids_of(candidates.rows[order])
        return [Placed(id_, float(score)) for id_, score in zip(ids, scores[order], strict=True)]


class Naming:
    """Ranks what it is told to, whether or not it is there."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = list(ids)

    def rank(self, request: Any, candidates: Candidates, table: Table) -> Sequence[Placed]:
        return [Placed(id_, 1.0 - at / 100) for at, id_ in enumerate(self.ids)]


@dataclass(frozen=True)
class Said:
    value: Any
    notes: tuple[str, ...] = ()

    def heard(self) -> Said:
        return self


class FakeEndpoint:
    """Answers what it was given to say; `None` is an endpoint that is down."""

    model = "fake-1"

    def __init__(self, query: Query | None = None, order: Sequence[str] | None = None) -> None:
        self.query, self.order = query, order
        self.asked: list[str] = []
        self.before: Query | None = None  # the query that was handed with the last wish

    def deadline(self) -> float:
        return 0.0

    def understand(self, wish: str, *, previous: Query | None = None, **_: Any) -> Said:
        self.asked.append("understand")
        self.before = previous
        return Said(self.query, () if self.query else ("The endpoint is down: this is the offline answer",))

    def rerank(self, query: Query, candidates: Sequence[Title], **_: Any) -> Said:
        self.asked.append("rerank")
        return Said(self.order, () if self.order else ("The endpoint is down: this is the offline answer",))

    def explain(self, query: Query, titles: Sequence[Title], **_: Any) -> Iterator[Any]:
        raise AssertionError("nobody asked for an explanation")

    def close(self) -> None:
        self.asked.append("close")


@cache
def encoder() -> Encoder:
    return Encoder.load()


def _folder() -> Path:
    """A folder that goes with the process; in memory where that can be, for an index is a hundred files that
    are made durable."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="falsework-search-", dir=memory))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def sample_folder() -> Path:
    """The sample catalogue with its index, made once a process: `catalogue.db` and `index`."""
    folder = _folder()
    with Catalogue.open(folder / "catalogue.db") as catalogue:
        fill(catalogue)
        build(catalogue, folder / "index", encoder=encoder())
    return folder


def sample_searcher(**others: Any) -> Searcher:
    folder = sample_folder()
    catalogue = Catalogue.open(folder / "catalogue.db")
    opened = open_index(folder / "index", encoder=encoder())
    return Searcher(catalogue, opened, encoder=encoder(), **{"ranker": Fused(), **others})


@cache
def small_folder(titles: tuple[Title, ...]) -> Path:
    folder = _folder()
    with Catalogue.open(folder / "catalogue.db") as catalogue:
        catalogue.upsert(titles)
        build(catalogue, folder / "index", encoder=encoder())
    return folder


def small_searcher(folder: Path, titles: Sequence[Title], **others: Any) -> Searcher:
    """A searcher over a copy of its own, which a test may change."""
    shutil.copytree(small_folder(tuple(titles)), folder, dirs_exist_ok=True)
    catalogue = Catalogue.open(folder / "catalogue.db")
    opened = open_index(folder / "index", encoder=encoder())
    return Searcher(catalogue, opened, encoder=encoder(), **{"ranker": Fused(), **others})


def title(id: str, name: str, synopsis: str = "", **others: Any) -> Title:
    cast = tuple(Credit(person) for person in others.pop("cast", ()))
    windows = tuple(Availability(**window) for window in others.pop("windows", ()))
    return Title(
        id=id, title=name, synopsis=synopsis or f"{name} tells of a journey.", credits=cast,
        availability=windows, **others,
    )  # fmt: skip
