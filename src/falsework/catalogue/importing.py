"""Files into the catalogue: a chunk of rows at a time, each chunk whole, and on from there after a break."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from falsework.catalogue import values
from falsework.catalogue.database import Catalogue
from falsework.catalogue.mapping import (
    LONGEST_ID,
    Mapping,
    Reading,
    guessed,
    identity,
    missing_columns,
    read,
    read_id,
)
from falsework.catalogue.parts import Parts, parts_of, scene_of
from falsework.catalogue.records import Scene, Title
from falsework.catalogue.schema import ImportRow, RefusalRow
from falsework.catalogue.sources import Row, Source, open_source
from falsework.catalogue.writing import Changes, Writer
from falsework.errors import FalseworkError, shown
from falsework.progress import Progress, silent

__all__ = ["CHUNK", "Imported", "Refusal", "import_file", "import_scenes"]

CHUNK = 2_000  # rows of one transaction: a break costs these at most, a writer waits for no more than these

T = TypeVar("T")


@dataclass(frozen=True)
class Refusal:
    """A row that was not imported: the line it begins on, its id where it has one, and why, as a clause."""

    line: int
    id: str
    reason: str


@dataclass(frozen=True)
class Imported:
    """What came of an import.

    rows       that were read, refused ones too;  unchanged: that were in the catalogue already, word for word
    refused    by line
    notes      what was left out of rows that were imported, with how often
    went_on    the line after which an interrupted import went on; 0 where it began at the beginning
    before     everything was imported before, and nothing has changed since: the file was not read again
    encoding   as which its text was read
    """

    file: str
    rows: int = 0
    added: int = 0
    changed: int = 0
    refused: tuple[Refusal, ...] = ()
    notes: Dictionary[str, int] = field(default_factory=dict)
    went_on: int = 0
    before: bool = False
    dry_run: bool = False
    encoding: str = ""

    @property
    def unchanged(self) -> int:
        return self.rows - self.added - self.changed - len(self.refused)


def import_file(
    catalogue: Catalogue,
    file: Path | str,
    mapping: Mapping | None = None,
    *,
    kind: Literal["film", "series"] | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """Put the titles of a file into the catalogue, by their ids: new ones are added, others replaced.

    mapping   which column holds which field; guessed from the columns' names without it
    kind      of the titles whose rows do not say
    dry_run   read and compare, and write nothing

    Rows that cannot be read are reported and the others go on; of two rows with one id the first counts. An
    import that was interrupted goes on where it stopped. Raises FalseworkError where the file or the mapping
    as a whole cannot be used, and while the same import is at work elsewhere.
    """
    source = open_source(Path(file))
    mapping = mapping or guessed(source.columns)
    if source.form != "json lines" and (fault := missing_columns(mapping, source.columns)):
        raise FalseworkError(fault.what, where=source.path, todo=fault.todo)
    if kind is not None:
        mapping = mapping.model_copy(update={"constants": {"kind": kind} | mapping.constants})
    return _Import(catalogue, source, _Titles(mapping), dry_run, progress or silent).run()


def import_scenes(
    catalogue: Catalogue, file: Path | str, *, dry_run: bool = False, progress: Progress | None = None
) -> Imported:
    """Put the scenes of a file into the catalogue, by their ids; their titles have to be there.

    Columns or keys: `title_id`, and of a scene `id`, `number`, `episode_id`, `starts`, `ends` (seconds, or
    h:mm:ss), `description`, `moods`, `events`. In all else as `import_file`.
    """
    source = open_source(Path(file))
    if "title_id" not in source.columns:
        raise FalseworkError(
            "has no column title_id",
            where=source.path,
            todo="See docs/catalogue.md on scenes and their columns.",
        )
    return _Import(catalogue, source, _Scenes(), dry_run, progress or silent).run()


class _Sort(Protocol[T]):
    """What rows are read as: titles or scenes."""

    @property
    def identity(self) -> str: ...

    def id(self, row: Dictionary[str, Any]) -> str: ...

    def read(self, row: Dictionary[str, Any]) -> tuple[T, tuple[str, ...]]: ...

    def compared(self, catalogue: Catalogue, items: Sequence[T]) -> Changes: ...

    def put(self, writer: Writer, items: Sequence[tuple[int, T]]) -> tuple[Changes, list[Refusal]]: ...


class _Titles:
    """Rows as titles, with what our own form has of their seasons and scenes."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.identity = f"titles {identity(mapping)}"

    def id(self, row: Dictionary[str, Any]) -> str:
        return read_id(row, self.mapping)

    def read(self, row: Dictionary[str, Any]) -> tuple[tuple[Reading, Parts], tuple[str, ...]]:
        reading = read(row, self.mapping)
        return (reading, parts_of(row, reading.title.id)), reading.notes

    def compared(self, catalogue: Catalogue, items: Sequence[tuple[Reading, Parts]]) -> Changes:
        titles = [reading.title for reading, _ in items]
        known = catalogue.titles([title.id for title in titles])
        changed = sum(title.id in known and known[title.id] != title for title in titles)
        return Changes(sum(title.id not in known for title in titles), changed)

    def put(
        self, writer: Writer, items: Sequence[tuple[int, tuple[Reading, Parts]]]
    ) -> tuple[Changes, list[Refusal]]:
        plain = [reading for _, (reading, parts) in items if parts == Parts()]
        done = [writer.titles([reading.title for reading in plain])]
        writer.seasons_counted({one.title.id: one.seasons for one in plain if one.seasons})
        refusals = []
        for line, (reading, parts) in items:
            if parts != Parts():
                try:
                    with writer.all_or_nothing():
                        done.append(self._put_whole(writer, reading.title, parts))
                except (FalseworkError, IntegrityError) as error:
                    others = "an id in it is another title's"
                    why = error.what if isinstance(error, FalseworkError) else others
                    refusals.append(Refusal(line, reading.title.id, shown(why)))
        return Changes(sum(one.added for one in done), sum(one.changed for one in done)), refusals

    def _put_whole(self, writer: Writer, title: Title, parts: Parts) -> Changes:
        changes = writer.titles([title])
        writer.seasons(parts.seasons)
        writer.episodes(parts.episodes)
        writer.scenes(parts.scenes)
        return changes


class _Scenes:
    """Rows as scenes of titles that are there."""

    identity = "scenes"

    def id(self, row: Dictionary[str, Any]) -> str:
        return self._scene(row).id

    def read(self, row: Dictionary[str, Any]) -> tuple[Scene, tuple[str, ...]]:
        return self._scene(row), ()

    def compared(self, catalogue: Catalogue, items: Sequence[Scene]) -> Changes:
        known: dict[str, Scene] = {}
        for title_id in dict.fromkeys(scene.title_id for scene in items):
            known |= {scene.id: scene for scene in catalogue.scenes(title_id)}
        changed = sum(scene.id in known and known[scene.id] != scene for scene in items)
        return Changes(sum(scene.id not in known for scene in items), changed)

    def put(self, writer: Writer, items: Sequence[tuple[int, Scene]]) -> tuple[Changes, list[Refusal]]:
        strays = writer.stray_scenes([scene for _, scene in items])
        refusals = [Refusal(line, scene.id, strays[scene.id]) for line, scene in items if scene.id in strays]
        return writer.scenes([scene for _, scene in items if scene.id not in strays]), refusals

    def _scene(self, row: Dictionary[str, Any]) -> Scene:
        title_id = values.line(row.get("title_id"), LONGEST_ID, "title's id")
        if not title_id:
            raise ValueError("it has no title_id")
        return scene_of(row, title_id)


class _Import(Generic[T]):
    """One import: read on, understand, write a chunk and how far it came as one transaction."""

    def __init__(
        self, catalogue: Catalogue, source: Source, sort: _Sort[T], dry_run: bool, progress: Progress
    ) -> None:
        self._catalogue = catalogue
        self._source = source
        self._sort = sort
        self._dry_run = dry_run
        self._progress = progress
        self._lines: dict[str, int] = {}  # by id: where it first stood
        self._refused: dict[int, Refusal] = {}
        self._notes = Counter[str]()
        self._rows = self._added = self._changed = self._key = self._done = 0

    def run(self) -> Imported:
        before = self._begin() if not self._dry_run else False
        went_on = 0 if before else self._done
        if before:
            self._added = self._changed = 0  # then, and not now
        else:
            rows = self._past(self._source.rows()) if went_on else self._source.rows()
            while chunk := list(islice(rows, CHUNK)):
                self._write(chunk)
                self._progress(min(self._done, self._source.lines), self._source.lines)
            if not self._dry_run:
                self._finish()
        self._progress(self._source.lines, self._source.lines)
        return Imported(
            file=str(self._source.path),
            rows=self._rows,
            added=self._added,
            changed=self._changed,
            refused=tuple(self._refused[line] for line in sorted(self._refused)),
            notes=dict(self._notes.most_common()),
            went_on=went_on,
            before=before,
            dry_run=self._dry_run,
            encoding=self._source.encoding,
        )

    def _begin(self) -> bool:
        """Find out how far this import came before, if nothing has changed since; whether it came to its
        end."""
        with self._catalogue.writing() as writer:
            connection = writer.connection
            mine = sql.select(ImportRow.__table__).where(
                ImportRow.file == self._source.digest, ImportRow.mapping == self._sort.identity
            )
            row = connection.execute(mine).first()
            if row is not None and row.revision != writer.revision - 1:
                # Others have written since, perhaps to these very titles: what was done may be undone.
                connection.execute(sql.delete(ImportRow).where(ImportRow.key == row.key))
                row = None
            if row is None:
                self._key = (connection.scalar(sql.select(sql.func.max(ImportRow.key))) or 0) + 1
                started = {"file": self._source.digest, "mapping": self._sort.identity, "finished": False}
                numbers = dict.fromkeys(("line", "rows", "added", "changed", "revision"), 0)
                connection.execute(sql.insert(ImportRow).values(key=self._key, **started, **numbers))
                return False
            self._key, self._done, self._rows = row.key, row.line, row.rows
            self._added, self._changed = row.added, row.changed
            refused = sql.select(RefusalRow.__table__).where(RefusalRow.source == row.key)
            self._refused = {
                one.line: Refusal(one.line, one.id, one.reason) for one in connection.execute(refused)
            }
            return bool(row.finished)

    def _past(self, rows: Iterator[Row]) -> Iterator[Row]:
        """What comes after the lines that are done; of those only the ids are read, to know them again."""
        for row in rows:
            if row.line > self._done:
                yield row
            elif not row.fault and row.line not in self._refused:
                self._lines.setdefault(self._sort.id(row.values), row.line)

    def _write(self, chunk: Sequence[Row]) -> None:
        items: list[tuple[int, T]] = []
        refused: list[Refusal] = []
        notes = Counter[str]()
        for row in chunk:
            understood = self._understood(row)
            if isinstance(understood, Refusal):
                refused.append(understood)
            else:
                items.append((row.line, understood[0]))
                notes.update(understood[1])
        if self._dry_run:
            changes = self._sort.compared(self._catalogue, [item for _, item in items])
        else:
            with self._catalogue.writing() as writer:
                self._mine_alone(writer)
                changes, more = self._sort.put(writer, items)
                refused += more
                self._remember(writer, chunk, changes, refused)
        self._refused |= {one.line: one for one in refused}
        self._notes.update(notes)
        self._rows += len(chunk)
        self._added += changes.added
        self._changed += changes.changed
        self._done = chunk[-1].line

    def _understood(self, row: Row) -> tuple[T, tuple[str, ...]] | Refusal:
        if row.fault:
            return Refusal(row.line, "", shown(row.fault))
        id_ = ""
        try:
            id_ = self._sort.id(row.values)
            first = self._lines.get(id_)
            if first is not None:
                return Refusal(row.line, id_, f"line {first} has the same id")
            understood = self._sort.read(row.values)
        except ValueError as error:
            # It quotes the cell, which may hold anything; no database takes a lone surrogate.
            return Refusal(row.line, id_, shown(str(error)))
        self._lines[id_] = row.line
        return understood

    def _mine_alone(self, writer: Writer) -> None:
        line = writer.connection.scalar(sql.select(ImportRow.line).where(ImportRow.key == self._key))
        if line != self._done:
            raise FalseworkError(
                "another import of this file is at work",
                where=self._source.path,
                todo="Wait until it is done; nothing was lost.",
            )

    def _remember(
        self, writer: Writer, chunk: Sequence[Row], changes: Changes, refused: Sequence[Refusal]
    ) -> None:
        writer.connection.execute(
            sql.update(ImportRow)
            .where(ImportRow.key == self._key)
            .values(
                line=chunk[-1].line,
                rows=self._rows + len(chunk),
                added=self._added + changes.added,
                changed=self._changed + changes.changed,
                revision=writer.revision if writer.changed else writer.revision - 1,
            )
        )
        if refused:
            lines = [
                {"source": self._key, "line": one.line, "id": one.id, "reason": one.reason}
                for one in {one.line: one for one in refused}.values()
            ]
            writer.connection.execute(sql.insert(RefusalRow), lines)

    def _finish(self) -> None:
        with self._catalogue.writing() as writer:
            done = {"finished": True, "revision": writer.revision - 1}
            writer.connection.execute(sql.update(ImportRow).where(ImportRow.key == self._key).values(**done))
