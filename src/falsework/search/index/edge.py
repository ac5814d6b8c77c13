"""The embedded engine: Qdrant Edge, a shard of Qdrant in this process, on files in a folder.

Dense vectors are compared by their product, terms by Qdrant's inverted index with its inverse document
frequency, and conditions are filters on indexed payload fields, looked at before anything is ranked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.search.index.fields import NUMBERS, WORDS, Among, Between, Clause, Inside, clauses
from falsework.search.index.manifests import as_record, checked, from_record, searchable
from falsework.search.index.order import in_order
from falsework.search.index.points import (
    DENSE,
    EXACT_UNTIL,
    GRAPH_CANDIDATES,
    GRAPH_EDGES,
    GRAPH_VIEW,
    ID,
    SPARSE,
    in_batches,
    payload,
    point_id,
    sparse,
    vector,
)
from falsework.search.index.protocol import Conditions, Entry, Hit, Manifest, UnreadableIndexError

__all__ = ["EdgeIndex"]

MANIFEST, SHARD = "manifest.json", "shard"
AT_ONCE = 1_000  # points of an upsert
SEALED_FROM = 1  # kB of vectors: `settle` puts everything into its compact, mapped form, however little

ANYTHING = Conditions()


class EdgeIndex:
    """A `CatalogueIndex` in `folder`. What was put is durable once `settle` returns.

    Any number of processes may read one folder; one at a time may write, and only where nobody reads:
    `falsework.search.index.build` never writes to what is read.
    """

    def __init__(self, folder: Path, shard: Any, manifest: Manifest) -> None:
        self.folder = folder
        self._shard = shard
        self._manifest = manifest

    @classmethod
    def create(cls, folder: Path, *, model: str, dimensions: int) -> Self:
        """An empty index in a new folder."""
        edge = _edge()
        (folder / SHARD).mkdir(parents=True)
        shard = edge.EdgeShard.create(str(folder / SHARD), _config(dimensions, graph=False))
        for fields, kind in ((NUMBERS, "Integer"), (WORDS, "Keyword")):
            for field in fields:
                schema = getattr(edge.PayloadSchemaType, kind)
                shard.update(edge.UpdateOperation.create_field_index(field, schema))
        index = cls(folder, shard, Manifest(model=model, dimensions=dimensions, revision=0, titles=0))
        index._note(index.manifest)
        return index

    @classmethod
    def open(cls, folder: Path, *, model: str, dimensions: int) -> Self:
        """The index in `folder`; UnreadableIndexError where there is none, or one of another model."""
        edge = _edge()
        try:
            record = (folder / MANIFEST).read_text()
        except (OSError, UnicodeError) as error:
            raise UnreadableIndexError(
                f"holds no index ({error})", where=folder, todo="Build it: `falsework search --rebuild`."
            ) from error
        manifest = checked(from_record(record, folder), model=model, dimensions=dimensions, where=folder)
        try:
            shard = edge.EdgeShard.load(str(folder / SHARD))
        except Exception as error:  # the engine raises bare exceptions
            raise UnreadableIndexError(
                f"the index cannot be opened ({error})",
                where=folder,
                todo="Build it again: `falsework search --rebuild`.",
            ) from error
        return cls(folder, shard, manifest)

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    def count(self, conditions: Conditions = ANYTHING) -> int:
        return int(self._shard.count(_edge().CountRequest(exact=True, filter=_filter(conditions))))

    def put(self, entries: Iterable[Entry]) -> None:
        edge = _edge()
        for batch in in_batches(entries, AT_ONCE):
            points = []
            for entry in batch:
                dense = vector(entry, self._manifest.dimensions)
                vectors = {DENSE: dense.tolist(), SPARSE: edge.SparseVector(*sparse(entry.terms))}
                points.append(edge.Point(point_id(entry.id), vectors, payload(entry)))
            self._shard.update(edge.UpdateOperation.upsert_points(points))

    def remove(self, ids: Sequence[str]) -> None:
        if ids:
            self._shard.update(_edge().UpdateOperation.delete_points([point_id(each) for each in ids]))

    def settle(self, revision: int, catalogue: str = "") -> Manifest:
        titles = self.count()
        if titles > EXACT_UNTIL:
            self._reopen(_config(self._manifest.dimensions, graph=True))
        self._shard.optimize()
        # The first opening takes the journals in; later ones change no file, so that readers never write.
        self._reopen()
        return self._note(replace(self._manifest, revision=revision, titles=titles, catalogue=catalogue))

    def lexical(self, terms: Mapping[int, float], conditions: Conditions, limit: int) -> list[Hit]:
        if not terms:
            return []
        return self._nearest(_edge().SparseVector(*sparse(terms)), SPARSE, conditions, limit)

    def dense(self, vector: npt.NDArray[np.float32], conditions: Conditions, limit: int) -> list[Hit]:
        sought = searchable(vector, self._manifest.dimensions, "the question")
        return self._nearest(sought.tolist(), DENSE, conditions, limit)

    def close(self) -> None:
        if self._shard is not None:
            self._shard.close()
            self._shard = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _reopen(self, config: Any = None) -> None:
        self._shard.flush()
        self._shard.close()
        self._shard = _edge().EdgeShard.load(str(self.folder / SHARD), config)

    def _note(self, manifest: Manifest) -> Manifest:
        write_text(self.folder / MANIFEST, json.dumps(as_record(manifest), indent=1) + "\n")
        self._manifest = manifest
        return manifest

    def _nearest(self, sought: Any, name: str, conditions: Conditions, limit: int) -> list[Hit]:
        edge = _edge()
        query, allowed = edge.Query.Nearest(sought, using=name), _filter(conditions)
        how = edge.SearchParams(
            hnsw_ef=max(GRAPH_VIEW, limit), acorn=edge.AcornSearchParams(enable=allowed is not None)
        )

        def best(number: int) -> list[Hit]:
            request = edge.SearchRequest(query, number, filter=allowed, params=how, with_payload=[ID])
            return [Hit(point.payload[ID], point.score) for point in self._shard.search(request)]

        return in_order(best, limit)


def _edge() -> Any:
    try:
        import qdrant_edge
    except ImportError as error:
        raise FalseworkError(
            "the package qdrant-edge-py is not installed",
            where="search",
            todo='Run `pip install "falsework[search]"`.',
        ) from error
    return qdrant_edge


def _config(dimensions: int, *, graph: bool) -> Any:
    edge = _edge()
    return edge.EdgeConfig(
        vectors={
            DENSE: edge.EdgeVectorParams(
                size=dimensions, distance=edge.Distance.Dot, memory=edge.Memory.Cached
            )
        },
        sparse_vectors={
            SPARSE: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf, memory=edge.Memory.Cached)
        },
        payload_memory=edge.Memory.Cached,
        hnsw_config=edge.HnswIndexConfig(
            m=GRAPH_EDGES if graph else 0,
            # Edges for every value of every field take several times as long as the graph itself, and join
            # only titles of one value: a wish has several. ACORN finds the way under any filter.
            payload_m=0,
            ef_construct=GRAPH_CANDIDATES,
            full_scan_threshold=10_000,
        ),
        optimizers=edge.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=SEALED_FROM),
        # A build that is killed is begun again from the cache of vectors: a log would only be written twice.
        wal_enabled=False,
    )


def _filter(conditions: Conditions) -> Any:
    must, must_not = clauses(conditions)
    if not must and not must_not:
        return None
    return _edge().Filter(
        must=[_condition(each) for each in must], must_not=[_condition(each) for each in must_not]
    )


def _condition(clause: Clause) -> Any:
    edge = _edge()
    match clause:
        case Among(field, values):
            return edge.FieldCondition(field, match=edge.MatchAny(list(values)))
        case Between(field, least, most, above):
            return edge.FieldCondition(field, range=edge.RangeFloat(gte=least, lte=most, gt=above))
        case Inside(field, inner):
            return edge.NestedCondition(field, edge.Filter(must=[_condition(each) for each in inner]))
