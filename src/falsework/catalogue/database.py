"""The catalogue: titles with their people, seasons, scenes and shots, in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sql

from falsework.catalogue import reading
from falsework.catalogue.engine import Place, default_url, place_of
from falsework.catalogue.migrating import prepare
from falsework.catalogue.parts import Parts
from falsework.catalogue.records import Scene, Season, Shot, Title
from falsework.catalogue.schema import IdentityRow, RemovedRow, SeasonRow, StateRow, TitleRow
from falsework.catalogue.writing import Changes, Writer

__all__ = ["Catalogue", "default_url"]

PAGE = 1_000  # titles that are read at a time


class Catalogue:
    """An open catalogue; use it in a `with` block. Threads may share one, processes each open their own.

    Every method is one transaction. Writers wait for each other, up to half a minute; readers wait for nobody
    and see the catalogue as it was when they began.
    """

    def __init__(self, place: Place) -> None:
        self.where = place.where  # for people: a path, or a URL without its password
        self._place = place

    @classmethod
    def open(cls, url: str | Path, *, create: bool = True) -> Catalogue:
        """The catalogue in a file, or in the database of an SQLAlchemy URL.

        With `create` it is begun where there is none. Tables of an older falsework are brought to this one's;
        those of a newer one are refused with a FalseworkError, and so is a file that is something else.
        """
        place = place_of(url, create=create)
        try:
            prepare(place)
        except BaseException:
            place.close()
            raise
        return cls(place)

    def close(self) -> None:
        self._place.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Titles

    def title(self, id: str) -> Title | None:
        """The title of this id, or None."""
        return self.titles([id]).get(id)

    def titles(self, ids: Sequence[str]) -> dict[str, Title]:
        """Those of these titles that there are, by id, in the order asked for."""
        with self._place.transaction() as connection:
            return reading.titles(connection, ids)

    def every(self) -> Iterator[Title]:
        """All titles by id, a page at a time, as they were when the first was asked for."""
        with self._place.transaction() as connection:
            for ids in self._pages(connection):
                yield from reading.titles(connection, ids).values()

    def whole(self) -> Iterator[tuple[Title, Parts]]:
        """As `every`, each with its seasons, episodes and scenes."""
        with self._place.transaction() as connection:
            for ids in self._pages(connection):
                parts = reading.parts(connection, ids)
                for id, title in reading.titles(connection, ids).items():
                    yield title, parts.get(id, Parts())

    def _pages(self, connection: sql.Connection) -> Iterator[list[str]]:
        last = ""  # before every id: none is empty
        while True:
            page = sql.select(TitleRow.id).where(TitleRow.id > last).order_by(TitleRow.id).limit(PAGE)
            ids = list(connection.scalars(page))
            if not ids:
                return
            yield ids
            last = ids[-1]

    def find(self, wanted: reading.Wanted, *, limit: int | None = None) -> list[Title]:
        """The titles that meet every condition, by id."""
        with self._place.transaction() as connection:
            return list(reading.titles(connection, reading.found(connection, wanted, limit)).values())

    def count(self) -> int:
        with self._place.transaction() as connection:
            return int(connection.execute(sql.select(sql.func.count()).select_from(TitleRow)).scalar_one())

    def upsert(self, titles: Sequence[Title]) -> Changes:
        """Put titles in, all of them or (on an error) none; one whose id is there is replaced by a changed
        one."""
        with self.writing() as writer:
            return writer.titles(titles)

    def remove(self, ids: Sequence[str]) -> int:
        """Take titles out with all that belongs to them; returns how many were there."""
        with self.writing() as writer:
            return writer.remove(ids)

    # What belongs to a title

    def parts(self, title_id: str) -> Parts:
        """The seasons, episodes and scenes of a title."""
        with self._place.transaction() as connection:
            return reading.parts(connection, [title_id]).get(title_id, Parts())

    def seasons(self, title_id: str) -> tuple[Season, ...]:
        """The seasons of a title, by number."""
        return self.parts(title_id).seasons

    def season_counts(self, ids: Sequence[str]) -> dict[str, int]:
        """How many seasons those of these titles have of which any is recorded; what stands outside the
        seasons (number 0) is none."""
        with self._place.transaction() as connection:
            return reading.season_counts(connection, ids)

    def records_seasons(self) -> bool:
        """Whether any title has a season."""
        with self._place.transaction() as connection:
            return connection.execute(sql.select(SeasonRow.key).limit(1)).first() is not None

    def scenes(self, title_id: str) -> tuple[Scene, ...]:
        """The scenes of a title and of its episodes, by episode and number."""
        return self.parts(title_id).scenes

    def shots(self, title_id: str) -> list[Shot]:
        """The delivered shots that are attached to a title, by name."""
        with self._place.transaction() as connection:
            return reading.shots(connection, title_id)

    def scene_at(self, title_id: str, seconds: float, *, episode_id: str = "") -> Scene | None:
        """What is on screen at this second of a title (or of an episode of it); None where no scene is known
        there.

        A scene without an end lasts until the next one starts. Where two overlap it is the one that started
        last.
        """
        with self._place.transaction() as connection:
            return reading.scene_at(connection, title_id, seconds, episode_id)

    # Changes

    @property
    def identity(self) -> str:
        """What no other catalogue is called: one that has taken this one's place at the same path or URL has
        another. A copy of the file has the same."""
        with self._place.transaction() as connection:
            return str(connection.execute(sql.select(IdentityRow.identity)).scalar_one())

    @property
    def revision(self) -> int:
        """A number that grows with every transaction that changes anything."""
        with self._place.transaction() as connection:
            return int(connection.execute(sql.select(StateRow.revision)).scalar_one())

    def changed_since(self, revision: int) -> Iterator[str]:
        """Ids of the titles that were added, changed (they, their seasons, scenes or shots) or removed after
        this revision, each once; `title` returns None for a removed one."""
        with self._place.transaction() as connection:
            for table in (TitleRow, RemovedRow):
                changed = sql.select(table.id).where(table.revision > revision).order_by(table.id)
                yield from connection.scalars(changed)

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """Several changes as one transaction and one revision; none of them after an error."""
        with self._place.transaction(writing=True) as connection:
            writer = Writer(connection)
            yield writer
            writer.finish()
