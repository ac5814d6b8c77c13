"""Where a ledger lies: a SQLite file or a PostgreSQL database, and its tables."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from falsework.errors import FalseworkError
from falsework.rights.engines import Store, file_engine
from falsework.rights.events import LARGEST
from falsework.rights.tampering import Fault, Head

__all__ = ["FORMAT", "Database", "file_database", "url_database"]

FORMAT = 1
LOCK = 0x66616C7365  # key of PostgreSQL's advisory lock while tables are made
TABLES = {
    "ledger_events": "CREATE TABLE ledger_events "
    "(sequence {number} PRIMARY KEY, payload {bytes} NOT NULL, digest {bytes} NOT NULL)",
    "ledger_head": "CREATE TABLE ledger_head "
    "(format INTEGER PRIMARY KEY, size {number} NOT NULL, root {bytes} NOT NULL, last {bytes} NOT NULL)",
}
TYPES = {
    "sqlite": {"number": "INTEGER", "bytes": "BLOB"},
    "postgresql": {"number": "BIGINT", "bytes": "BYTEA"},
}


class Database(Store):
    """The tables of a ledger, in either database."""

    what = "ledger"

    def prepare(self, *, create: bool) -> None:
        """See to it that the tables are there, all of them and no others in a file; made with `create`."""
        with self.transaction() as connection:
            if self._prepared(connection):
                return
        if not create:
            raise self._no_ledger()
        self.pragma("journal_mode = WAL")  # the file keeps to it from now on
        with self.transaction(writing=True) as connection:
            if not self.is_file:
                connection.execute(sql.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            if self._prepared(connection):  # another process was quicker
                return
            for statement in self._statements().values():
                connection.execute(sql.text(statement))
            head = Head()
            connection.execute(
                sql.text(
                    "INSERT INTO ledger_head (format, size, root, last) VALUES (:format, :size, :root, :last)"
                ),
                {"format": FORMAT, "size": head.size, "root": head.root, "last": head.last},
            )

    def flush(self) -> None:
        """Bring what was committed to the disk, where a commit alone does not."""
        self.pragma("wal_checkpoint(FULL)")

    def own_faults(self, connection: sql.Connection) -> list[Fault]:
        """What SQLite's own check of its file finds; the events may all be well and the pages' order not."""
        if not self.is_file:
            return []
        found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(5)")]
        if found == ["ok"]:
            return []
        return [Fault("unreadable", None, f"the file is damaged: {'; '.join(found)}")]

    @property
    def locking(self) -> str:
        """What a question for the head ends with so that others wait; SQLite's writers do already."""
        return "" if self.is_file else " FOR UPDATE"

    def _statements(self) -> dict[str, str]:
        return {name: text.format(**TYPES[self.engine.dialect.name]) for name, text in TABLES.items()}

    def _prepared(self, connection: sql.Connection) -> bool:
        if not self.is_file:
            return set(TABLES) <= set(sql.inspect(connection).get_table_names())
        # Another's file may hold views and triggers that do as they like: only our own tables will do.
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master")
        found = {row[0]: row[1] for row in rows}
        if found and found != self._statements():
            raise self._no_ledger()
        return bool(found)

    def _no_ledger(self) -> FalseworkError:
        return FalseworkError(
            "is no ledger, or its tables were changed",
            where=self.where,
            todo="Name the ledger of a production, or bring it back from a copy.",
        )


def file_database(path: Path, *, create: bool) -> Database:
    """The database in a SQLite file; with `create` its folder is made where there is none."""
    if not create and not path.is_file():
        raise FalseworkError("there is no ledger here", where=path, todo="Name the ledger of a production.")

    def prepare(connection: sqlite3.Connection) -> None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * LARGEST)

    return Database(file_engine(path, prepare, create=create), str(path))


def url_database(text: str) -> Database:
    """The database of a URL, which must be PostgreSQL's."""
    todo = "Write it as postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, or name a file."
    try:
        url = sql.make_url(text)
        where = url.set(query={}).render_as_string(hide_password=True)
        if url.get_backend_name() != "postgresql":
            raise FalseworkError("a ledger lives in a SQLite file or in PostgreSQL", where=where, todo=todo)
        return Database(sql.create_engine(url, hide_parameters=True, pool_pre_ping=True), where)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise FalseworkError("the ledger's URL cannot be read", todo=todo) from error
    except ImportError as error:
        raise FalseworkError(
            "the driver for PostgreSQL is missing",
            where=where,
            todo="Install it with `pip install 'falsework[rights]'`.",
        ) from error
