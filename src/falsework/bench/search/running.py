"""The bench's order of work: index a catalogue, ask every system the same queries, measure."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from falsework.bench.search.memory import Telling, in_a_child
from falsework.bench.search.place import CATALOGUE, INDEX, PLAIN, place_for
from falsework.bench.search.plain import BM25, Dense, fused, plain_text
from falsework.catalogue.database import Catalogue
from falsework.catalogue.importing import import_file
from falsework.errors import FalseworkError
from falsework.search.encoder import Encoder
from falsework.search.index.build import build, open_index
from falsework.search.index.vectors import VectorCache
from falsework.search.ranking.candidates import Gatherer
from falsework.search.ranking.judged import JudgedQuery, digest, read_queries
from falsework.search.ranking.model import Model, load_model
from falsework.search.ranking.named import Named
from falsework.search.ranking.reranker import Reranker
from falsework.search.ranking.train import Examples, Remembering, cross_validated_models, measures
from falsework.search.searcher import Searcher

__all__ = ["Indexing", "Listener", "Row", "SearchBench", "Serving", "bench_search"]

DEPTH: Final = 100  # results that are measured; the first ten are what is timed
SHOWN: Final = 10
WARM: Final = 3  # queries asked before any is timed: the first one opens files
TEXTS_AT_ONCE: Final = 4_096

SHIPPED: Final = "falsework"
CROSS_VALIDATED: Final = "falsework, cross-validated"
BM25_ALONE: Final = "BM25 alone"
DENSE_ALONE: Final = "MiniLM alone"
FUSION: Final = "plain fusion (RRF, k = 60)"


class Listener(Protocol):
    """Who is told how far the bench is (`falsework.cli.bars.Bars` is one)."""

    def progress(self, stage: str, done: int, total: int) -> None: ...

    def finished(self, stage: str, seconds: float, reused: bool) -> None: ...


class _Nobody:
    def progress(self, stage: str, done: int, total: int) -> None: ...

    def finished(self, stage: str, seconds: float, reused: bool) -> None: ...


@dataclass(frozen=True)
class Row:
    """How well one system answers the queries of one file. `trained` of them were in the training of the
    model it ranks by, and so say nothing about others."""

    file: str
    system: str
    queries: int
    trained: int
    measures: Mapping[str, float]


@dataclass(frozen=True)
class Indexing:
    """Building the index: titles, seconds for the import and for the index, bytes at the peak, and texts that
    were `encoded`: where a folder is used again, others' vectors are kept, and the seconds are no build's."""

    titles: int
    refused: int
    import_seconds: float
    index_seconds: float
    peak_bytes: int
    encoded: int


@dataclass(frozen=True)
class Serving:
    """The whole search, understanding and encoding included: milliseconds by percentile, opening, bytes."""

    opening_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    peak_bytes: int


@dataclass(frozen=True)
class SearchBench:
    catalogue: str
    files: Mapping[str, str]  # name to digest
    model: Mapping[str, Any]  # the card of the shipped one
    indexing: Indexing
    serving: Serving
    rows: Sequence[Row]
    folds: int
    absent: Mapping[str, int]  # answers of each file that are no titles of the catalogue

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def bench_search(
    catalogue: Path,
    files: Sequence[Path],
    *,
    index: Path | None = None,
    number: int = 5,
    listener: Listener | None = None,
) -> SearchBench:
    """Measure the shipped search on a catalogue (any file that can be imported) and query files, beside
    BM25, MiniLM and their fusion. `index` keeps the catalogue and the index in a folder for the next time;
    `number` of folds, where queries are those the model was trained on. `listener` is told how far it is:
    the stages are import, index, search, folds and plain."""
    listener = _Nobody() if listener is None else listener
    if len({path.stem for path in files}) < len(files):
        raise FalseworkError("two query files have one name", where="bench", todo="Rename one of them.")
    judged = {path.stem: read_queries(path) for path in files}
    with place_for(catalogue, index) as place:
        made, index_peak = in_a_child(_index, catalogue, place, telling=listener.progress)
        listener.finished("import", made.import_seconds, False)
        listener.finished("index", made.index_seconds, False)
        texts = [query.text for queries in judged.values() for query in queries]
        with _timed(listener, "search"):
            (ranked, waited, opening), peak = in_a_child(_serve, place, texts, telling=listener.progress)
        rows = list(_rows(SHIPPED, judged, ranked))
        if any(row.trained for row in rows):
            with _timed(listener, "folds"):
                rows += _rows(
                    CROSS_VALIDATED, judged, _cross_validated(place, judged, number, listener.progress)
                )
        with _timed(listener, "plain"):
            ids, plain = _plain(place, texts, listener.progress)
        for system, listed in plain.items():
            rows += _rows(system, judged, listed)
    p50, p95, p99 = (float(np.percentile(waited, part)) * 1000 for part in (50, 95, 99))
    return SearchBench(
        catalogue=str(catalogue),
        files={name: digest(queries) for name, queries in judged.items()},
        model={key: value for key, value in load_model().card.items() if key != "query digests"},
        indexing=replace(made, peak_bytes=index_peak),
        serving=Serving(opening * 1000, p50, p95, p99, peak),
        rows=sorted(rows, key=lambda row: list(judged).index(row.file)),
        folds=number,
        absent={name: _absent(queries, ids) for name, queries in judged.items()},
    )


@contextmanager
def _timed(listener: Listener, stage: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    listener.finished(stage, time.perf_counter() - began, False)


def _index(file: Path, place: Path, telling: Telling) -> Indexing:
    """Import and index; the memory is measured by whoever began this process."""
    with Catalogue.open(place / CATALOGUE) as catalogue:
        began = time.perf_counter()
        imported = import_file(catalogue, file, progress=partial(telling, "import"))
        between = time.perf_counter()
        if not catalogue.count():
            raise FalseworkError(
                "holds no title that could be read",
                where=file,
                todo="Try `falsework catalogue import` on it, which says why.",
            )
        built = build(catalogue, place / INDEX, encoder=Encoder.load(), progress=partial(telling, "index"))
        seconds = between - began, time.perf_counter() - between
        return Indexing(catalogue.count(), len(imported.refused), *seconds, 0, built.encoded)


def _serve(place: Path, texts: Sequence[str], telling: Telling) -> tuple[list[list[str]], list[float], float]:
    """Ids for each text, seconds that the first ten took, seconds to open."""
    began = time.perf_counter()
    with (
        Catalogue.open(place / CATALOGUE) as catalogue,
        Searcher.open(catalogue, place / INDEX) as search,
    ):
        opening = time.perf_counter() - began
        for text in texts[:WARM]:
            search.search(text, limit=SHOWN)
        waited, ranked = list[float](), list[list[str]]()
        for text in texts:
            began = time.perf_counter()
            search.search(text, limit=SHOWN)
            waited.append(time.perf_counter() - began)
            telling("search", len(waited), 2 * len(texts))
        for text in texts:
            ranked.append(_asked(search, text))
            telling("search", len(texts) + len(ranked), 2 * len(texts))
        return ranked, waited, opening


def _asked(search: Searcher, text: str) -> list[str]:
    return [result.title.id for result in search.search(text, limit=DEPTH).results]


def _cross_validated(
    place: Path, judged: Mapping[str, Sequence[JudgedQuery]], number: int, telling: Telling
) -> list[list[str]]:
    """Ids for each text, each ranked by weights learned from the folds that hold none of its answers."""
    every = [
        JudgedQuery(f"{name} {query.id}", query.text, query.relevant)
        for name, queries in judged.items()
        for query in queries
    ]
    encoder = Encoder.load()
    ranked: list[list[str]] = [[] for _ in every]
    done = 0
    with (
        Catalogue.open(place / CATALOGUE) as catalogue,
        open_index(place / INDEX, encoder=encoder) as opened,
    ):
        gatherer = Gatherer(Remembering(opened.index), opened.table)
        examples = Examples.read(every, gatherer, encoder, opened.names)
        for model, places in cross_validated_models(examples, number=number, seed=0):
            search = _with(model, catalogue, opened, encoder)
            for at in places.tolist():
                ranked[at] = _asked(search, every[at].text)
                done += 1
                telling("folds", done, len(every))
    return ranked


def _with(model: Model, catalogue: Catalogue, opened: Any, encoder: Encoder) -> Searcher:
    """The shipped search with other weights."""
    return Searcher(
        catalogue,
        opened,
        encoder=encoder,
        ranker=Reranker(model),
        gatherer=Gatherer(opened.index, opened.table, model.quick, Named.of(model.named, opened.table)),
    )


def _absent(queries: Sequence[JudgedQuery], ids: Collection[str]) -> int:
    return len({id for query in queries for id in query.relevant}.difference(ids))


def _plain(
    place: Path, texts: Sequence[str], telling: Telling
) -> tuple[list[str], dict[str, list[list[str]]]]:
    """The ids of all titles, and those for each text, of each plain system."""
    with Catalogue.open(place / CATALOGUE) as catalogue:
        titles = [(title.id, plain_text(title)) for title in catalogue.every()]
    ids = [id for id, _ in titles]
    documents = [text for _, text in titles]
    encoder = Encoder.load()
    parts = []
    with VectorCache(place / PLAIN, encoder) as cache:
        for at in range(0, len(ids), TEXTS_AT_ONCE):
            parts.append(cache.vectors(documents[at : at + TEXTS_AT_ONCE]))
            telling("plain", at + len(parts[-1]), len(ids))
        cache.flush()
        cache.forget_unused()
    vectors = np.concatenate(parts)
    words, meaning = BM25(documents), Dense(vectors)
    by_words = [words.ranked(text) for text in texts]
    by_meaning = [meaning.ranked(vector) for vector in encoder.encode(texts)]
    fusion = [fused(both) for both in zip(by_words, by_meaning, strict=True)]
    return ids, {
        BM25_ALONE: [[ids[row] for row in rows] for rows in by_words],
        DENSE_ALONE: [[ids[row] for row in rows] for rows in by_meaning],
        FUSION: [[ids[row] for row in rows] for rows in fusion],
    }


def _rows(
    system: str, judged: Mapping[str, Sequence[JudgedQuery]], ranked: Sequence[Sequence[str]]
) -> Iterator[Row]:
    """A row for each file; `ranked` are the results of all files' queries, one after the other."""
    known = set(load_model().card.get("query digests", ())) if system == SHIPPED else set()
    at = 0
    for name, queries in judged.items():
        trained = sum(query.digest in known for query in queries)
        found = measures(queries, [ids[:DEPTH] for ids in ranked[at : at + len(queries)]])
        yield Row(name, system, len(queries), trained, found)
        at += len(queries)
