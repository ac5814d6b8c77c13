"""From the catalogue to an index that can be asked: one call builds it, one opens it.

A build encodes only texts that were never encoded before, can be killed at any point and run again, and
leaves the index that was there in use until the new one is whole (generations.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from falsework.catalogue.records import Title
from falsework.search.index.edge import EdgeIndex
from falsework.search.index.fields import fields_of
from falsework.search.index.generations import Reading, begin, building, current, finish, in_use, sweep
from falsework.search.index.points import in_batches
from falsework.search.index.protocol import CatalogueIndex, Entry, Manifest
from falsework.search.index.vectors import Encodes, VectorCache
from falsework.search.ranking.document import lexical_weights, passages
from falsework.search.ranking.table import Table, TableWriter

__all__ = ["Built", "OpenIndex", "Source", "build", "open_index"]

VECTORS, INDEX, TABLE = "vectors", "index", "table"
AT_ONCE = 1_024  # titles: enough texts of each length for full batches of the encoder


class Source(Protocol):
    """What is needed of a catalogue; `falsework.catalogue.database.Catalogue` is one."""

    @property
    def revision(self) -> int: ...

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
    """The index and the ranking table of one generation, held open together; use it in a `with` block."""

    index: CatalogueIndex
    table: Table
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
    progress: Callable[[int, int], None] | None = None,
) -> Built:
    """Build the index of all titles of `catalogue` in `folder`, and make it the one that is opened.

    `progress` is called with the titles done and the titles there are. FalseworkError where another build is
    at work on the folder, or it cannot be written to.
    """
    folder = Path(folder)
    with building(folder), VectorCache(folder / VECTORS, encoder) as cache:
        sweep(folder)
        # Read before the titles are: a change in between is built in, and built once more the next time.
        revision = catalogue.revision
        part = begin(folder)
        (part / TABLE).mkdir()
        table = TableWriter(part / TABLE, encoder.dimensions)
        with EdgeIndex.create(part / INDEX, model=encoder.name, dimensions=encoder.dimensions) as index:
            _fill(catalogue, index, table, cache, progress)
            table.finish()
            manifest = index.settle(revision)
        generation = finish(part)
        cache.flush()
        cache.forget_unused()
        sweep(folder)
    return Built(manifest, generation, cache.encoded)


def open_index(folder: Path, *, encoder: Encodes) -> OpenIndex:
    """The current generation in `folder`, to be asked with `encoder`.

    FalseworkError where there is none, or one that was built by another model. Any number of processes may
    hold it open, while others build.
    """
    folder = Path(folder)
    reading = in_use(folder)
    try:
        index = EdgeIndex.open(reading.generation / INDEX, model=encoder.name, dimensions=encoder.dimensions)
        try:
            return OpenIndex(index, Table.open(reading.generation / TABLE), folder, reading)
        except BaseException:
            index.close()
            raise
    except BaseException:
        reading.close()
        raise


def _fill(
    catalogue: Source,
    index: CatalogueIndex,
    table: TableWriter,
    cache: VectorCache,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Every title into the index and the table, in the order of the catalogue."""
    titles, done = catalogue.count(), 0
    for batch in in_batches(catalogue.every(), AT_ONCE):
        texts = [passages(title) for title in batch]
        vectors = cache.vectors([text for each in texts for text in each])
        entries, at = [], 0
        for title, each in zip(batch, texts, strict=True):
            own = vectors[at : at + len(each)]
            at += len(each)
            table.add(title, own)
            entries.append(Entry(title.id, lexical_weights(title), own[0], fields_of(title)))
        index.put(entries)
        done += len(batch)
        if progress is not None:
            progress(done, max(titles, done))
