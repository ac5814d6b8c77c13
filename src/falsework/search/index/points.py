"""Entries as Qdrant's points: the same for the shard in this process and for a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import islice
from typing import TypeVar
from uuid import UUID

import numpy as np
import numpy.typing as npt

from falsework.search.index.manifests import searchable
from falsework.search.index.protocol import Entry

__all__ = [
    "DENSE",
    "EXACT_UNTIL",
    "GRAPH_CANDIDATES",
    "GRAPH_EDGES",
    "GRAPH_VIEW",
    "ID",
    "SPARSE",
    "in_batches",
    "payload",
    "point_id",
    "sparse",
    "vector",
]

DENSE, SPARSE = "meaning", "terms"  # the names of a point's two vectors
EXACT_UNTIL = 65_536  # titles: up to here all vectors are compared (a few ms); beyond, a graph is walked
GRAPH_EDGES, GRAPH_CANDIDATES = 16, 128  # HNSW's m and ef_construct
# HNSW's ef: how many titles a walk keeps in view. Over 34,375 films the 100 found are .88 of the 100 nearest
# with 128, .96 with 256, .99 with 512.
GRAPH_VIEW = 512
ID = "id"  # the payload's field that holds the title's id

Item = TypeVar("Item")


def point_id(title_id: str) -> UUID:
    """The engine's id of a title: Qdrant takes UUIDs and numbers, no strings."""
    return UUID(bytes=blake2b(title_id.encode("utf-8", "surrogatepass"), digest_size=16).digest())


def payload(entry: Entry) -> dict[str, object]:
    return {**entry.fields, ID: entry.id}


def vector(entry: Entry, dimensions: int) -> npt.NDArray[np.float32]:
    """(dimensions,) float32; FalseworkError, naming the title, where it is no such thing."""
    return searchable(entry.vector, dimensions, f"title {entry.id}")


def sparse(terms: Mapping[int, float]) -> tuple[list[int], list[float]]:
    """Term ids in rising order and their weights, as sparse vectors are given."""
    indices = sorted(terms)
    return indices, [float(terms[index]) for index in indices]


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
