"""The bench's order of work: index a catalogue, ask every system the same queries, measure."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from falsework.bench.search.memory import in_a_child
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
from falsework.search.ranking.reranker import Reranker
from falsework.search.ranking.train import Examples, Remembering, cross_validated_models, measures
from falsework.search.searcher import Searcher

__all__ = ["Indexing", "Row", "SearchBench", "Serving", "bench_search"]

DEPTH: Final = 100  # results that are measured; the first ten are what is timed
SHOWN: Final = 10
WARM: Final = 3  # queries asked before any is timed: the first one opens files
TEXTS_AT_ONCE: Final = 4_096

SHIPPED: Final = "falsework"
CROSS_VALIDATED: Final = "falsework, cross-validated"
BM25_ALONE: Final = "BM25 alone"
DENSE_ALONE: Final = "MiniLM alone"
FUSION: Final = "plain fusion (RRF, k = 60)"


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
    """Building the index: titles, seconds for the import and for the index, bytes at the peak."""

    titles: int
    refused: int
    import_seconds: float
    index_seconds: float
    peak_bytes: int


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

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def bench_search(
    catalogue: Path, files: Sequence[Path], *, index: Path | None = None, number: int = 5
) -> SearchBench:
    """Measure the shipped search on a catalogue (any file that can be imported) and query files, beside
    BM25, MiniLM and their fusion. `index` keeps the catalogue and the index in a folder for the next time;
    `number` of folds, where queries are those the model was trained on."""
    if len({path.stem for path in files}) < len(files):
        raise FalseworkError("two query files have one name", where="bench", todo="Rename one of them.")
    judged = {path.stem: read_queries(path) for path in files}
    with _place(index) as place:
        (titles, refused, importing, indexing), index_peak = in_a_child(_index, catalogue, place)
        texts = [query.text for queries in judged.values() for query in queries]
        (ranked, waited, opening), peak = in_a_child(_serve, place, texts)
        rows = list(_rows(SHIPPED, judged, ranked))
        if any(row.trained for row in rows):
            rows += _rows(CROSS_VALIDATED, judged, _cross_validated(place, judged, number))
        for system, listed in _plain(place, texts).items():
            rows += _rows(system, judged, listed)
    p50, p95, p99 = (float(np.percentile(waited, part)) * 1000 for part in (50, 95, 99))
    return SearchBench(
        catalogue=str(catalogue),
        files={name: digest(queries) for name, queries in judged.items()},
        model={key: value for key, value in load_model().card.items() if key != "query digests"},
        indexing=Indexing(titles, refused, importing, indexing, index_peak),
        serving=Serving(opening * 1000, p50, p95, p99, peak),
        rows=sorted(rows, key=lambda row: list(judged).index(row.file)),
        folds=number,
    )


@contextmanager
def _place(index: Path | None) -> Iterator[Path]:
    if index is not None:
        index.mkdir(parents=True, exist_ok=True)
        yield index
        return
    with TemporaryDirectory(prefix="falsework-bench-") as folder:
        yield Path(folder)


def _index(file: Path, place: Path) -> tuple[int, int, float, float]:
    """Import and index: titles, refused rows, seconds of either."""
    with Catalogue.open(place / "catalogue.db") as catalogue:
        began = time.perf_counter()
        imported = import_file(catalogue, file)
        between = time.perf_counter()
        if not catalogue.count():
            raise FalseworkError(
                "holds no title that could be read",
                where=file,
                todo="Try `falsework catalogue import` on it, which says why.",
            )
        build(catalogue, place / "index", encoder=Encoder.load())
        return catalogue.count(), len(imported.refused), between - began, time.perf_counter() - between


def _serve(place: Path, texts: Sequence[str]) -> tuple[list[list[str]], list[float], float]:
    """Ids for each text, seconds that the first ten took, seconds to open."""
    began = time.perf_counter()
    with (
        Catalogue.open(place / "catalogue.db") as catalogue,
        Searcher.open(catalogue, place / "index") as search,
    ):
        opening = time.perf_counter() - began
        for text in texts[:WARM]:
            search.search(text, limit=SHOWN)
        waited = []
        for text in texts:
            began = time.perf_counter()
            search.search(text, limit=SHOWN)
            waited.append(time.perf_counter() - began)
        return [_asked(search, text) for text in texts], waited, opening


def _asked(search: Searcher, text: str) -> list[str]:
    return [result.title.id for result in search.search(text, limit=DEPTH).results]


def _cross_validated(
    place: Path, judged: Mapping[str, Sequence[JudgedQuery]], number: int
) -> list[list[str]]:
    """Ids for each text, each ranked by weights learned from the folds that hold none of its answers."""
    every = [
        JudgedQuery(f"{name} {query.id}", query.text, query.relevant)
        for name, queries in judged.items()
        for query in queries
    ]
    encoder = Encoder.load()
    ranked: list[list[str]] = [[] for _ in every]
    with (
        Catalogue.open(place / "catalogue.db") as catalogue,
        open_index(place / "index", encoder=encoder) as opened,
    ):
        gatherer = Gatherer(Remembering(opened.index), opened.table)
        examples = Examples.read(every, gatherer, encoder, opened.names)
        for model, places in cross_validated_models(examples, number=number, seed=0):
            search = _with(model, catalogue, opened, encoder)
            for at in places.tolist():
                ranked[at] = _asked(search, every[at].text)
    return ranked


def _with(model: Model, catalogue: Catalogue, opened: Any, encoder: Encoder) -> Searcher:
    """The shipped search with other weights."""
    return Searcher(
        catalogue,
        opened,
        encoder=encoder,
        ranker=Reranker(model),
        gatherer=Gatherer(opened.index, opened.table, model.quick),
    )


def _plain(place: Path, texts: Sequence[str]) -> dict[str, list[list[str]]]:
    """Ids for each text, of each plain system."""
    with Catalogue.open(place / "catalogue.db") as catalogue:
        titles = [(title.id, plain_text(title)) for title in catalogue.every()]
    ids = [id for id, _ in titles]
    documents = [text for _, text in titles]
    encoder = Encoder.load()
    with VectorCache(place / "plain vectors", encoder) as cache:
        vectors = np.concatenate(
            [cache.vectors(documents[at : at + TEXTS_AT_ONCE]) for at in range(0, len(ids), TEXTS_AT_ONCE)]
        )
        cache.flush()
    words, meaning = BM25(documents), Dense(vectors)
    by_words = [words.ranked(text) for text in texts]
    by_meaning = [meaning.ranked(vector) for vector in encoder.encode(texts)]
    fusion = [fused(both) for both in zip(by_words, by_meaning, strict=True)]
    return {
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
