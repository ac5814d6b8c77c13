"""Where a catalogue lies: a SQLite file or a PostgreSQL database, and its errors as sentences."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from falsework.errors import FalseworkError

__all__ = ["Place", "default_url", "in_groups", "place_of"]

VARIABLE = "FALSEWORK_CATALOGUE"
PATIENCE = 30.0  # seconds to wait for another process that is writing
MOST_AT_ONCE = 10_000  # values of one question: SQLite takes 32,766, PostgreSQL 65,535
WRITING = "falsework_writing"  # execution option of a connection that is going to write


T = TypeVar("T")


def default_url() -> str:
    """Where the catalogue lies when nothing else is said: $FALSEWORK_CATALOGUE, or else `catalogue.db` in
    falsework's folder of the user's data ($XDG_DATA_HOME, by default ~/.local/share)."""
    named = os.environ.get(VARIABLE, "").strip()
    if named:
        return named
    data = os.environ.get("XDG_DATA_HOME", "")
    # The XDG base directory specification has relative paths ignored.
    folder = Path(data) if data and Path(data).is_absolute() else Path.home() / ".local" / "share"
    return str(folder / "falsework" / "catalogue.db")


class Place:
    """An engine and what to call it in front of people (`where`: a path, or a URL without its password)."""

    def __init__(self, engine: sql.Engine, where: str) -> None:
        self.where = where
        self.engine = engine
        self.is_file = engine.dialect.name == "sqlite"

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def transaction(self, *, writing: bool = False) -> Iterator[sql.Connection]:
        """A transaction whose failures are sentences; committed at the end of the block, else rolled back.

        A reader sees one moment of the catalogue throughout, whatever is written meanwhile.
        """
        with self.failures(), self.engine.connect() as connection:
            options: dict[str, object] = {WRITING: writing}
            if not self.is_file and not writing:
                options["isolation_level"] = "REPEATABLE READ"
            with connection.execution_options(**options).begin():  # type: ignore[arg-type]
                yield connection

    def keep_log(self) -> None:
        """Have a file written by way of a log (WAL), so that readers and a writer do not wait for each other;
        the file keeps to it from now on. It is an order between transactions, so SQLAlchemy must not begin
        one."""
        if self.is_file:
            with self.failures():
                connection = self.engine.raw_connection()
                try:
                    connection.cursor().execute("PRAGMA journal_mode = WAL").fetchall()
                finally:
                    connection.close()

    @contextmanager
    def failures(self) -> Iterator[None]:
        """The database's errors as sentences; its SQL and parameters are left out."""
        try:
            yield
        except DBAPIError as error:
            raise self._explained(error.orig or error) from error
        except (SQLAlchemyError, sqlite3.Error, UnicodeError) as error:
            raise self._explained(error) from error

    def no_catalogue(self) -> FalseworkError:
        return FalseworkError(
            "is no catalogue", where=self.where, todo="Name a catalogue, or a file that is not there yet."
        )

    def _explained(self, error: BaseException) -> FalseworkError:
        words = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if "database is locked" in words:
            return FalseworkError(
                f"another process has been writing to the catalogue for {PATIENCE:.0f} seconds",
                where=self.where,
                todo="Wait until it is done and run the command again; nothing was lost.",
            )
        if "not a database" in words:
            return self.no_catalogue()
        if "is full" in words:
            return FalseworkError(
                "could not be written: the disk is full",
                where=self.where,
                todo="Free some space and run again; what was written before is kept.",
            )
        if isinstance(error, UnicodeEncodeError):
            return FalseworkError(
                "a text holds a lone surrogate, which is no character",
                where=self.where,
                todo="Correct the text; nothing was written.",
            )
        return FalseworkError(
            f"the catalogue cannot be used ({words})",
            where=self.where,
            todo="Check that it is there and may be written to, or bring it back from a copy.",
        )


def place_of(url: str | Path, *, create: bool) -> Place:
    """The place a path or an SQLAlchemy URL names; with `create` a file's folder is made where there is
    none."""
    text = str(url)
    if "://" not in text:
        return _file(Path(text).expanduser(), create=create)
    todo = "Write postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, sqlite:///FILE, or name a file."
    try:
        parsed = sql.make_url(text)
    except (ArgumentError, ValueError) as error:
        raise FalseworkError("the catalogue's URL cannot be read", todo=todo) from error
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        return _file(Path(parsed.database).expanduser(), create=create)
    where = parsed.set(query={}).render_as_string(hide_password=True)
    if parsed.get_backend_name() != "postgresql":
        raise FalseworkError("a catalogue lives in a SQLite file or in PostgreSQL", where=where, todo=todo)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    try:
        return Place(sql.create_engine(parsed, hide_parameters=True, pool_pre_ping=True), where)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise FalseworkError("the catalogue's URL cannot be read", where=where, todo=todo) from error
    except ImportError as error:
        raise FalseworkError(
            "the driver for PostgreSQL is missing",
            where=where,
            todo='Install it with `pip install "falsework[rights]"`.',
        ) from error


def _file(path: Path, *, create: bool) -> Place:
    there = path.is_file() and path.stat().st_size > 0
    if path.is_dir():
        raise FalseworkError("is a folder", where=path, todo="Name the catalogue's file.")
    if not there and not create:
        raise FalseworkError(
            "there is no catalogue here",
            where=path,
            todo="`falsework catalogue import FILE` begins one; --catalogue names another.",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FalseworkError(
            f"its folder could not be made ({error.strerror or error})", where=path
        ) from error
    uri = path.resolve().as_uri()
    if there and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        # SQLite writes beside a file in WAL mode even to read it, unless it is told that nobody writes.
        aside = path.with_name(path.name + "-wal")
        uri += "?mode=ro" if aside.exists() else "?mode=ro&immutable=1"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE, check_same_thread=False)
        connection.isolation_level = None  # SQLite's driver leaves transactions to us (see `begun`)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -65536")  # KiB
        # SQLite's own leaves every letter beyond ASCII as it is: Élite would be found by no spelling.
        connection.create_function("lower", 1, _lower, deterministic=True)
        return connection

    engine = sql.create_engine(
        "sqlite+pysqlite://", creator=connect, poolclass=sql.QueuePool, hide_parameters=True
    )

    @sql.event.listens_for(engine, "begin")
    def begun(connection: sql.Connection) -> None:
        # A writer takes the lock before it reads, so that two never build upon the same state.
        writing = connection.get_execution_options().get(WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return Place(engine, str(path))


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def in_groups(these: Iterable[T], size: int = MOST_AT_ONCE) -> Iterator[list[T]]:
    """The same in lists that fit into one question."""
    rest = iter(these)
    while group := list(islice(rest, size)):
        yield group
