"""Rows of the catalogue's tables within one transaction: found by what they are called, put in, touched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import sqlalchemy as sql
from sqlalchemy.orm import InstrumentedAttribute

from falsework.catalogue.engine import in_groups
from falsework.catalogue.schema import Base, EpisodeRow, SeasonRow, StateRow, TitleRow
from falsework.errors import FalseworkError

__all__ = ["Rows"]


class Rows:
    """A transaction that alone may write: the state's row is locked, so whatever key is free stays free."""

    def __init__(self, connection: sql.Connection) -> None:
        self.connection = connection
        asked = sql.select(StateRow.revision).with_for_update()
        self._before = int(connection.execute(asked).scalar_one())
        self.changed = False

    @property
    def revision(self) -> int:
        """The revision of whatever is written now."""
        return self._before + 1

    def _free(self, table: type[Any]) -> int:
        """The first key that is free, and so are all after it: nobody else writes."""
        largest = self.connection.execute(sql.select(sql.func.max(table.key))).scalar_one_or_none()
        return (largest or 0) + 1

    def _named(self, table: type[Any], names: Iterable[str]) -> dict[str, int]:
        """The keys of names in a table of names; new ones are put in."""
        wanted = dict.fromkeys(names)
        keys: dict[str, int] = {}
        for group in in_groups(wanted):
            found = self.connection.execute(sql.select(table.name, table.key).where(table.name.in_(group)))
            keys |= {name: key for name, key in found}
        news = {
            name: key
            for key, name in enumerate((one for one in wanted if one not in keys), self._free(table))
        }
        self._insert(table, [{"key": key, "name": name} for name, key in news.items()])
        return keys | news

    def _known(self, table: type[Any], ids: Iterable[str]) -> dict[str, int]:
        """The keys of those of these ids that are there."""
        keys: dict[str, int] = {}
        for group in in_groups(dict.fromkeys(ids)):
            found = self.connection.execute(sql.select(table.id, table.key).where(table.id.in_(group)))
            keys |= {id_: key for id_, key in found}
        return keys

    def _keys_of(self, table: type[Any], ids: Iterable[str], what: str) -> dict[str, int]:
        """The keys of ids that have to be there."""
        wanted = dict.fromkeys(ids)
        keys = self._known(table, wanted)
        missing = next((id_ for id_ in wanted if id_ not in keys), None)
        if missing is not None:
            raise FalseworkError(
                f'there is no {what} "{missing[:80]}" in the catalogue',
                todo=f"Import the {what} first; `falsework catalogue list` shows the titles there are.",
            )
        return keys

    def _put(
        self, table: type[Any], rows: Sequence[dict[str, Any]], by: tuple[InstrumentedAttribute[Any], ...]
    ) -> dict[tuple[Any, ...], int]:
        """Insert rows, or update those that agree in `by` and differ in something else; returns the key of
        each. The titles of what was written count as changed."""
        if not rows:
            return {}
        names = [column.key for column in by]
        given = {tuple(row[name] for name in names): row for row in rows}
        known: dict[tuple[Any, ...], dict[str, Any]] = {}
        for firsts in in_groups(dict.fromkeys(row[names[0]] for row in given.values())):
            for found in self.connection.execute(sql.select(table.__table__).where(by[0].in_(firsts))):
                row = dict(found._mapping)
                known[tuple(row[name] for name in names)] = row
        news = dict.fromkeys(which for which in given if which not in known)
        keys = dict(zip(news, count(self._free(table)), strict=False))
        keys |= {which: known[which]["key"] for which in given if which in known}
        whole = {which: row | {"key": keys[which]} for which, row in given.items()}
        self._update(table, [row for which, row in whole.items() if known.get(which, row) != row])
        self._insert(table, [whole[which] for which in news])
        self._touch(table, [row for which, row in whole.items() if known.get(which) != row])
        return keys

    def _touch(self, table: type[Any], rows: Sequence[dict[str, Any]]) -> None:
        """A title has changed when what belongs to it has."""
        if not rows:
            return
        for group in in_groups(
            dict.fromkeys(row["season" if table is EpisodeRow else "title"] for row in rows)
        ):
            of = SeasonRow.key.in_(group)
            titles = sql.select(SeasonRow.title).where(of) if table is EpisodeRow else group
            self.connection.execute(
                sql.update(TitleRow).where(TitleRow.key.in_(titles)).values(revision=self.revision)
            )
        self.changed = True

    def _insert(self, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self.connection.execute(sql.insert(table.__table__), rows)  # type: ignore[arg-type]

    def _update(self, table: type[Any], rows: Sequence[dict[str, Any]]) -> None:
        """Write all columns of rows that are there, by key."""
        if not rows:
            return
        columns = [name for name in rows[0] if name != "key"]
        statement = (
            sql.update(table.__table__)
            .where(table.__table__.c.key == sql.bindparam("which"))
            .values({name: sql.bindparam(f"new_{name}") for name in columns})
        )
        self.connection.execute(
            statement,
            [{"which": row["key"]} | {f"new_{name}": row[name] for name in columns} for row in rows],
        )
