"""From the catalogue to an index that can be asked: one call builds it, one opens it.

A build encodes only texts that were never encoded before, can be killed at any point and run again, and
leaves the index that was there in use until the new one is whole (generations.py).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from uuid import uuid4

from falsework.catalogue.records import Title
from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.search.index.cluster import Cluster, ClusterIndex
from falsework.search.index.edge import EdgeIndex
from falsework.search.index.fields import fields_of
from falsework.search.index.generations import Reading, begin, building, current, finish, in_use, sweep
from falsework.search.index.manifests import REBUILD
from falsework.search.index.points import in_batches
from falsework.search.index.protocol import CatalogueIndex, Entry, Manifest, UnreadableIndexError
from falsework.search.index.vectors import Encodes, VectorCache
from falsework.search.ranking.document import lexical_weights, passages
from falsework.search.ranking.table import Table, TableWriter
from falsework.search.understanding.names import Names

__all__ = ["Built", "OpenIndex", "Source", "build", "open_index"]

ALIAS = "falsework"  # what a cluster's current collection is called, and how the names of all begin
PLACE = "cluster.json"  # in a generation whose index is a collection: which one, and where
VECTORS, INDEX, TABLE, NAMES = "vectors", "index", "table", "names.safetensors"
AT_ONCE = 1_024  # titles: enough texts of each length for full batches of the encoder


class Source(Protocol):
    """What is needed of a catalogue; `falsework.catalogue.database.Catalogue` is one."""

    @property
    def revision(self) -> int: ...

    @property
    def identity(self) -> str: ...

    def count(self) -> int: ...

    def every(self) -> Iterator[Title]: ...


@dataclass(frozen=True)
class Built:
    """What a build made: its manifest, its folder, and how many texts had to be encoded for it."""

    manifest: Manifest
    generation: Path
    encoded: int


@dataclass
class OpenIndex:
    """The index, the ranking table and the names of one generation, held open together; use it in a `with`
    block."""

    index: CatalogueIndex
    table: Table
    names: Names
    folder: Path
    reading: Reading

    @property
    def manifest(self) -> Manifest:
        return self.index.manifest

    @property
    def superseded(self) -> bool:
        """Whether a newer generation is there: opening the folder again gives that one."""
        return current(self.folder) != self.reading.generation.name

    def close(self) -> None:
        self.index.close()
        self.reading.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def build(
    catalogue: Source,
    folder: Path,
    *,
    encoder: Encodes,
    cluster: Cluster | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Built:
    """Build the index of all titles of `catalogue` in `folder`, and make it the one that is opened.

    With a `cluster` the index is a collection there and the ranking's table a file here; the cluster's alias
    ALIAS moves to the new collection when both are whole. `progress` is called with the titles done and the
    titles there are. FalseworkError where another build is at work on the folder, it cannot be written to, or
    the cluster fails.
    """
    folder = Path(folder)
    discard = partial(_discard, cluster)
    with building(folder), VectorCache(folder / VECTORS, encoder) as cache:
        sweep(folder, discard)
        # Read before the titles are: a change in between is built in, and built once more the next time.
        revision = catalogue.revision
        part = begin(folder)
        (part / TABLE).mkdir()
        table = TableWriter(part / TABLE, encoder.dimensions)
        with _new_index(part, encoder, cluster) as index:
            names = _fill(catalogue, index, table, cache, progress)
            table.finish()
            names.save(part / NAMES)
            manifest = index.settle(revision, catalogue.identity)
        generation = finish(part)
        if isinstance(index, ClusterIndex):
            index.cluster.switch(ALIAS, index.collection)
        cache.flush()
        cache.forget_unused()
        sweep(folder, discard)
    return Built(manifest, generation, cache.encoded)


def open_index(folder: Path, *, encoder: Encodes, cluster: Cluster | None = None) -> OpenIndex:
    """The current generation in `folder`, to be asked with `encoder`.

    FalseworkError where there is none; UnreadableIndexError where it was built by another model, written in
    another format, or is damaged. Any number of processes may hold it open, while others build. An index that
    is in a cluster is asked at the address it was built at, unless `cluster` gives another.
    """
    folder = Path(folder)
    reading = in_use(folder)
    try:
        index = _built_index(reading.generation, encoder, cluster)
        try:
            table, names = _columns_of(reading.generation)
            return OpenIndex(index, table, names, folder, reading)
        except BaseException:
            index.close()
            raise
    except BaseException:
        reading.close()
        raise


def _new_index(part: Path, encoder: Encodes, cluster: Cluster | None) -> CatalogueIndex:
    if cluster is None:
        return EdgeIndex.create(part / INDEX, model=encoder.name, dimensions=encoder.dimensions)
    collection = f"{ALIAS}-{uuid4().hex}"
    # Noted before it is there, so that a killed build's collection is found and deleted by the next one.
    write_text(part / PLACE, json.dumps({"url": cluster.where, "collection": collection}) + "\n")
    return ClusterIndex.create(cluster, collection, model=encoder.name, dimensions=encoder.dimensions)


def _built_index(generation: Path, encoder: Encodes, cluster: Cluster | None) -> CatalogueIndex:
    place = _place(generation)
    if place is None:
        return EdgeIndex.open(generation / INDEX, model=encoder.name, dimensions=encoder.dimensions)
    return ClusterIndex.open(
        cluster or Cluster(place["url"]),
        place["collection"],
        model=encoder.name,
        dimensions=encoder.dimensions,
        own=cluster is None,
    )


def _columns_of(generation: Path) -> tuple[Table, Names]:
    """The table and the names of a generation; UnreadableIndexError where they are not this version's."""
    try:
        return Table.open(generation / TABLE), Names.open(generation / NAMES)
    except FalseworkError as error:
        raise UnreadableIndexError(error.what, where=error.where, todo=error.todo) from error
    except (KeyError, TypeError, ValueError) as error:  # columns this version has and that one had not
        raise UnreadableIndexError(
            f"was written by another version ({error})", where=generation, todo=REBUILD
        ) from error


def _place(generation: Path) -> dict[str, str] | None:
    """Where in which cluster a generation's index is; None for one that is in its own folder."""
    try:
        place = json.loads((generation / PLACE).read_bytes())
        return {"url": str(place["url"]), "collection": str(place["collection"])}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableIndexError(
            f"does not say where its index is ({error})", where=generation, todo=REBUILD
        ) from error


def _discard(cluster: Cluster | None, generation: Path) -> None:
    """Delete the collection of a generation that goes; without a cluster at hand it is left there, and so is
    one that nothing names any more."""
    try:
        place = _place(generation)
    except UnreadableIndexError:
        return
    if cluster is not None and place is not None and place["collection"] in cluster.collections():
        cluster.delete(place["collection"])


def _fill(
    catalogue: Source,
    index: CatalogueIndex,
    table: TableWriter,
    cache: VectorCache,
    progress: Callable[[int, int], None] | None,
) -> Names:
    """Every title into the index and the table, in the order of the catalogue; gives their names and those of
    their people."""
    titles, done = catalogue.count(), 0
    called: list[tuple[str, str, int | None, float | None]] = []
    people: Counter[str] = Counter()
    for batch in in_batches(catalogue.every(), AT_ONCE):
        texts = [passages(title) for title in batch]
        vectors = cache.vectors([text for each in texts for text in each])
        entries, at = [], 0
        for title, each in zip(batch, texts, strict=True):
            own = vectors[at : at + len(each)]
            at += len(each)
            table.add(title, own)
            entries.append(Entry(title.id, lexical_weights(title), own[0], fields_of(title)))
            called.append((title.id, title.title, title.year, title.popularity))
            people.update(credit.name for credit in title.credits)
        index.put(entries)
        done += len(batch)
        if progress is not None:
            progress(done, max(titles, done))
    return Names.of(called, people)
