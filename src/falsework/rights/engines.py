"""A SQLite file or a PostgreSQL database as an engine: its transactions, and its errors as sentences.

What lies in one, a ledger or a catalogue, brings its own tables.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sql
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from falsework.errors import FalseworkError

__all__ = ["Store", "file_engine"]

PATIENCE = 30.0  # seconds to wait for another process that is writing
WRITING = "falsework_writing"  # execution option of a connection that is going to write


class Store:
    """An engine, what it holds, and what to call it in front of people (`where`: a path, or a URL without its
    password)."""

    what = "database"  # that it is, in sentences

    def __init__(self, engine: sql.Engine, where: str) -> None:
        self.where = where
        self.engine = engine
        self.is_file = engine.dialect.name == "sqlite"

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def transaction(self, *, writing: bool = False) -> Iterator[sql.Connection]:
        """A transaction whose failures are sentences; committed at the end of the block, else rolled back.

        A reader sees one moment throughout, whatever is written meanwhile.
        """
        with self.failures(), self.engine.connect() as connection:
            options: dict[str, object] = {WRITING: writing}
            if not self.is_file and not writing:
                options["isolation_level"] = "REPEATABLE READ"
            with connection.execution_options(**options).begin():
                yield connection

    def pragma(self, words: str) -> None:
        """Give SQLite an order between transactions: SQLAlchemy must not begin one."""
        if self.is_file:
            with self.failures():
                connection = self.engine.raw_connection()
                try:
                    _insisted(lambda: connection.cursor().execute(f"PRAGMA {words}").fetchall())
                finally:
                    connection.close()

    @contextmanager
    def failures(self) -> Iterator[None]:
        """The database's errors as sentences; its SQL and parameters are left out."""
        try:
            yield
        except DBAPIError as error:
            raise self.explained(error.orig or error) from error
        # The latter two come while a connection is made, of a damaged file.
        except (SQLAlchemyError, sqlite3.Error, UnicodeError) as error:
            raise self.explained(error) from error

    def explained(self, error: BaseException) -> FalseworkError:
        """What an error of the database is to people."""
        words = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if "database is locked" in words:
            return FalseworkError(
                f"another process has been writing to the {self.what} for {PATIENCE:.0f} seconds",
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
            f"the {self.what} cannot be used ({words})",
            where=self.where,
            todo="Check that it is there and may be written to, or bring it back from a copy.",
        )


def _insisted(order: Callable[[], object]) -> None:
    """Give an order until nobody is in its way: for a change of the journal SQLite itself does not wait."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            order()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(0.01)


def file_engine(path: Path, prepare: Callable[[sqlite3.Connection], None], *, create: bool) -> sql.Engine:
    """The engine of a SQLite file; with `create` its folder is made where there is none. `prepare` is called
    with each new connection."""
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
        connection.isolation_level = None  # SQLite's driver leaves transactions to us (see `begun`)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA synchronous = NORMAL")
        prepare(connection)
        return connection

    engine = sql.create_engine(
        "sqlite+pysqlite://", creator=connect, poolclass=sql.QueuePool, hide_parameters=True
    )

    @sql.event.listens_for(engine, "begin")
    def begun(connection: sql.Connection) -> None:
        # A writer takes the lock before it reads, so that two never build upon the same state.
        writing = connection.get_execution_options().get(WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine
