"""The distributed engine: a Qdrant cluster, asked by qdrant-client.

A rebuilt catalogue goes into a collection of its own; when that is whole, an alias moves to it in one step.
With more than one shard a term's inverse document frequency is its shard's, so that scores differ a little
from those of one shard; titles are spread by a hash of their id, which keeps the shards alike.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.search.index.fields import NUMBERS, WINDOWS, WORDS, Among, Between, Clause, Inside, clauses
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
from falsework.search.index.protocol import Conditions, Entry, Hit, Manifest

__all__ = ["API_KEY", "Cluster", "ClusterIndex"]

API_KEY = "FALSEWORK_QDRANT_API_KEY"  # the environment variable that holds it; it is written nowhere
SECONDS = 5  # a question may take
SECONDS_TO_WRITE = 60  # a batch of points, or a change of collections, may take
AT_ONCE = 256  # points of an upsert: about a megabyte
MANIFEST = "falsework"  # where in a collection's metadata its manifest stands

ANYTHING = Conditions()
Answer = TypeVar("Answer")


@dataclass
class Cluster:
    """Where a cluster is, and the open connection to it. The API key is taken from the environment variable
    FALSEWORK_QDRANT_API_KEY and sent to that address only.

    `client` is made from `url` unless one is given (qdrant-client's QdrantClient).
    """

    url: str
    shards: int = 1
    client: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.client is None:
            client = _library().QdrantClient
            # The check would ask the server before anything is wanted of it.
            self.client = client(
                url=self.url,
                api_key=os.environ.get(API_KEY) or None,
                timeout=SECONDS,
                check_compatibility=False,
            )

    @property
    def where(self) -> str:
        """The address for people, without a name or password that may stand in it."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    def collections(self) -> list[str]:
        """The names of all collections, sorted."""
        answer = self.ask(lambda: self.client.get_collections())
        return sorted(each.name for each in answer.collections)

    def serving(self, alias: str) -> str | None:
        """The collection an alias stands for; None where there is no such alias."""
        answer = self.ask(lambda: self.client.get_aliases())
        return next((each.collection_name for each in answer.aliases if each.alias_name == alias), None)

    def switch(self, alias: str, collection: str) -> None:
        """Let `alias` stand for `collection`, in one step: there is no moment without an answer."""
        models = _library().models
        create = models.CreateAliasOperation(
            create_alias=models.CreateAlias(collection_name=collection, alias_name=alias)
        )
        steps: list[Any] = [create]
        if self.serving(alias) is not None:
            delete = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias))
            steps = [delete, create]
        self.ask(
            lambda: self.client.update_collection_aliases(
                change_aliases_operations=steps, timeout=SECONDS_TO_WRITE
            )
        )

    def delete(self, collection: str) -> None:
        self.ask(lambda: self.client.delete_collection(collection, timeout=SECONDS_TO_WRITE))

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """The answer to a question; FalseworkError where the cluster is out of reach, refuses or is slow."""
        import httpx
        from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

        try:
            return question()
        except UnexpectedResponse as error:
            # Of the server's answer only the status is told: a proxy may put what it was sent into the rest.
            status = error.status_code
            todo = f"Check the API key in {API_KEY}." if status in (401, 403) else "Check the cluster's log."
            raise FalseworkError(
                f"the cluster refused ({status} {error.reason_phrase})", where=self.where, todo=todo
            ) from error
        except (ApiException, httpx.HTTPError, OSError) as error:
            raise FalseworkError(
                f"the cluster cannot be reached ({type(error).__name__})",
                where=self.where,
                todo="Check the address and that the cluster runs.",
            ) from error

    def close(self) -> None:
        self.client.close()


class ClusterIndex:
    """A `CatalogueIndex` in a collection of a cluster."""

    def __init__(self, cluster: Cluster, collection: str, manifest: Manifest, *, own: bool = False) -> None:
        """With `own` the connection is the index's: it is closed with it."""
        self.cluster = cluster
        self.collection = collection
        self._manifest = manifest
        self._own = own

    @classmethod
    def create(cls, cluster: Cluster, collection: str, *, model: str, dimensions: int) -> Self:
        """An empty index in a new collection; one of this name that is there is deleted first."""
        client, models = cluster.client, _library().models
        manifest = Manifest(model=model, dimensions=dimensions, revision=0, titles=0)
        if collection in cluster.collections():
            cluster.delete(collection)
        cluster.ask(
            lambda: client.create_collection(
                collection,
                vectors_config={
                    DENSE: models.VectorParams(size=dimensions, distance=models.Distance.DOT, on_disk=True)
                },
                sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                hnsw_config=models.HnswConfigDiff(m=GRAPH_EDGES, ef_construct=GRAPH_CANDIDATES),
                shard_number=cluster.shards,
                metadata={MANIFEST: as_record(manifest)},
                timeout=SECONDS_TO_WRITE,
            )
        )
        indexed = {name: models.PayloadSchemaType.INTEGER for name in NUMBERS}
        indexed |= {name: models.PayloadSchemaType.KEYWORD for name in (*WORDS, f"{WINDOWS}[].territory")}
        for name, kind in indexed.items():
            cluster.ask(
                partial(client.create_payload_index, collection, name, kind, timeout=SECONDS_TO_WRITE)
            )
        return cls(cluster, collection, manifest)

    @classmethod
    def open(
        cls, cluster: Cluster, collection: str, *, model: str, dimensions: int, own: bool = False
    ) -> Self:
        """The index in a collection or behind an alias; FalseworkError where there is none, or one of another
        model. With `own` the connection is closed with the index, and where there is none."""
        try:
            return cls._opened(cluster, collection, model, dimensions, own)
        except BaseException:
            if own:
                cluster.close()
            raise

    @classmethod
    def _opened(cls, cluster: Cluster, collection: str, model: str, dimensions: int, own: bool) -> Self:
        where = f"{cluster.where}/{collection}"
        name = cluster.serving(collection) or collection
        if name not in cluster.collections():
            raise FalseworkError(
                "holds no index", where=where, todo="Build it: `falsework search --rebuild`."
            )
        metadata = cluster.ask(lambda: cluster.client.get_collection(name)).config.metadata or {}
        manifest = from_record(metadata.get(MANIFEST), where)
        manifest = checked(manifest, model=model, dimensions=dimensions, where=where)
        return cls(cluster, name, manifest, own=own)

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    def count(self, conditions: Conditions = ANYTHING) -> int:
        client, allowed = self.cluster.client, _filter(conditions)
        answer = self.cluster.ask(lambda: client.count(self.collection, count_filter=allowed, exact=True))
        return int(answer.count)

    def put(self, entries: Iterable[Entry]) -> None:
        client, models = self.cluster.client, _library().models
        for batch in in_batches(entries, AT_ONCE):
            points = []
            for entry in batch:
                dense = vector(entry, self._manifest.dimensions)
                indices, values = sparse(entry.terms)
                vectors = {DENSE: dense.tolist(), SPARSE: models.SparseVector(indices=indices, values=values)}
                points.append(
                    models.PointStruct(id=str(point_id(entry.id)), vector=vectors, payload=payload(entry))
                )
            self.cluster.ask(
                partial(client.upsert, self.collection, points, wait=True, timeout=SECONDS_TO_WRITE)
            )

    def remove(self, ids: Sequence[str]) -> None:
        client, points = self.cluster.client, [str(point_id(each)) for each in ids]
        if points:
            self.cluster.ask(
                lambda: client.delete(self.collection, points, wait=True, timeout=SECONDS_TO_WRITE)
            )

    def settle(self, revision: int, catalogue: str = "") -> Manifest:
        manifest = replace(self._manifest, revision=revision, titles=self.count(), catalogue=catalogue)
        metadata = {MANIFEST: as_record(manifest)}
        client = self.cluster.client
        self.cluster.ask(
            lambda: client.update_collection(self.collection, metadata=metadata, timeout=SECONDS_TO_WRITE)
        )
        self._manifest = manifest
        return manifest

    def lexical(self, terms: Mapping[int, float], conditions: Conditions, limit: int) -> list[Hit]:
        if not terms:
            return []
        indices, values = sparse(terms)
        models = _library().models
        return self._nearest(models.SparseVector(indices=indices, values=values), SPARSE, conditions, limit)

    def dense(self, vector: npt.NDArray[np.float32], conditions: Conditions, limit: int) -> list[Hit]:
        sought = searchable(vector, self._manifest.dimensions, "the question")
        return self._nearest(sought.tolist(), DENSE, conditions, limit)

    def close(self) -> None:
        """Close the connection, where it is the index's own."""
        if self._own:
            self.cluster.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _nearest(self, sought: Any, name: str, conditions: Conditions, limit: int) -> list[Hit]:
        client, models, allowed = self.cluster.client, _library().models, _filter(conditions)
        how = models.SearchParams(
            exact=name == DENSE and self._manifest.titles <= EXACT_UNTIL, hnsw_ef=max(GRAPH_VIEW, limit)
        )

        def best(number: int) -> list[Hit]:
            answer = self.cluster.ask(
                lambda: client.query_points(
                    self.collection,
                    query=sought,
                    using=name,
                    query_filter=allowed,
                    search_params=how,
                    limit=number,
                    with_payload=[ID],
                )
            )
            return [Hit(point.payload[ID], float(point.score)) for point in answer.points]

        return in_order(best, limit)


def _library() -> Any:
    try:
        import qdrant_client
    except ImportError as error:
        raise FalseworkError(
            "the package qdrant-client is not installed",
            where="search",
            todo='Run `pip install "falsework[search]"`.',
        ) from error
    return qdrant_client


def _filter(conditions: Conditions) -> Any:
    must, must_not = clauses(conditions)
    if not must and not must_not:
        return None
    return _library().models.Filter(
        must=[_condition(each) for each in must], must_not=[_condition(each) for each in must_not]
    )


def _condition(clause: Clause) -> Any:
    models = _library().models
    match clause:
        case Among(field, values):
            return models.FieldCondition(key=field, match=models.MatchAny(any=list(values)))
        case Between(field, least, most, above):
            return models.FieldCondition(key=field, range=models.Range(gte=least, lte=most, gt=above))
        case Inside(field, inner):
            records = models.Filter(must=[_condition(each) for each in inner])
            return models.NestedCondition(nested=models.Nested(key=field, filter=records))
