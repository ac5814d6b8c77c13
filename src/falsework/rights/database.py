"""Where a ledger lies: a SQLite file or a PostgreSQL database, its tables, and its errors as sentences."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from falsework.errors import FalseworkError
from falsework.rights.events import LARGEST
from falsework.rights.tampering import Fault, Head

__all__ = ["FORMAT", "Database", "file_database", "url_database"]

PATIENCE = 30.0  # seconds to wait for another process that is writing
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


class Database:
    """An engine and what to call it in front of people (`where`: a path, or a URL without its password)."""

    def __init__(self, engine: sql.Engine, where: str) -> None:
        self.where = where
        self._engine = engine
        self._is_file = engine.dialect.name == "sqlite"

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def transaction(self, *, writing: bool = False) -> Iterator[sql.Connection]:
        """A transaction whose failures are sentences; committed at the end of the block, else rolled back."""
        with self._failures(), self._engine.connect() as connection:
            options: dict[str, Any] = {"falsework_writing": writing}
            if not self._is_file and not writing:
                options["isolation_level"] = "REPEATABLE READ"  # head and events of one moment
            with connection.execution_options(**options).begin():
                yield connection

    def prepare(self, *, create: bool) -> None:
        """See to it that the tables are there, all of them and no others in a file; made with `create`."""
        with self.transaction() as connection:
            if self._prepared(connection):
                return
        if not create:
            raise self._no_ledger()
        self._pragma("journal_mode = WAL")  # the file keeps to it from now on
        with self.transaction(writing=True) as connection:
            if not self._is_file:
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
        self._pragma("wal_checkpoint(FULL)")

    def own_faults(self, connection: sql.Connection) -> list[Fault]:
        """What SQLite's own check of its file finds; the events may all be well and the pages' order not."""
        if not self._is_file:
            return []
        found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(5)")]
        if found == ["ok"]:
            return []
        return [Fault("unreadable", None, f"the file is damaged: {'; '.join(found)}")]

    def _pragma(self, words: str) -> None:
        """Give SQLite an order between transactions."""
        if not self._is_file:
            return
        with self._failures():
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute(f"PRAGMA {words}").fetchall()
            finally:
                connection.close()

    @property
    def locking(self) -> str:
        """What a question for the head ends with so that others wait; SQLite's writers do already."""
        return "" if self._is_file else " FOR UPDATE"

    def _statements(self) -> dict[str, str]:
        return {name: text.format(**TYPES[self._engine.dialect.name]) for name, text in TABLES.items()}

    def _prepared(self, connection: sql.Connection) -> bool:
        if not self._is_file:
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

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """The database's errors as sentences; its SQL and parameters are left out."""
        try:
            yield
        except DBAPIError as error:
            raise self._explained(error.orig or error) from error
        # The latter two come while a connection is made, of a damaged file.
        except (SQLAlchemyError, sqlite3.Error, UnicodeError) as error:
            raise self._explained(error) from error

    def _explained(self, error: BaseException) -> FalseworkError:
        words = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if "database is locked" in words:
            return FalseworkError(
                f"another process has been writing to the ledger for {PATIENCE:.0f} seconds",
                where=self.where,
                todo="Wait until it is done and run the command again; nothing was lost.",
            )
        if "is full" in words:
            return FalseworkError(
                "could not be written: the disk is full",
                where=self.where,
                todo="Free some space and run again; what was written before is kept.",
            )
        return FalseworkError(
            f"the ledger cannot be used ({words})",
            where=self.where,
            todo="Check that it is there and may be written to, or bring it back from a copy.",
        )


def file_database(path: Path, *, create: bool) -> Database:
    """The database in a SQLite file; with `create` its folder is made where there is none."""
    if not create and not path.is_file():
        raise FalseworkError("there is no ledger here", where=path, todo="Name the ledger of a production.")
    if create:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FalseworkError(
                f"its folder could not be made ({error.strerror or error})", where=path
            ) from error
    uri = path.resolve().as_uri()
    if not create and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        # SQLite writes beside a file in WAL mode even to read it, unless it is told that nobody writes.
        aside = path.with_name(path.name + "-wal")
        uri += "?mode=ro" if aside.exists() else "?mode=ro&immutable=1"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE, check_same_thread=False)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * LARGEST)
        connection.isolation_level = None  # SQLite's driver leaves transactions to us (see `begun`)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    engine = sql.create_engine(
        "sqlite+pysqlite://", creator=connect, poolclass=sql.QueuePool, hide_parameters=True
    )

    @sql.event.listens_for(engine, "begin")
    def begun(connection: sql.Connection) -> None:
        # A writer takes the lock before it reads, so that two never build upon the same end.
        writing = connection.get_execution_options().get("falsework_writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return Database(engine, str(path))


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
