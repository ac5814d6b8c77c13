"""Where a catalogue lies: a SQLite file or a PostgreSQL database."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from falsework.errors import FalseworkError
from falsework.rights.engines import Store, file_engine

__all__ = ["Place", "default_url", "in_groups", "place_of"]

VARIABLE = "FALSEWORK_CATALOGUE"
MOST_AT_ONCE = 10_000  # values of one question: SQLite takes 32,766, PostgreSQL 65,535


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


class Place(Store):
    """Where a catalogue lies, in either database."""

    what = "catalogue"

    def keep_log(self) -> None:
        """Have a file written by way of a log (WAL), so that readers and a writer do not wait for each other;
        the file keeps to it from now on."""
        self.pragma("journal_mode = WAL")

    def no_catalogue(self) -> FalseworkError:
        return FalseworkError(
            "is no catalogue", where=self.where, todo="Name a catalogue, or a file that is not there yet."
        )

    def explained(self, error: BaseException) -> FalseworkError:
        if "not a database" in str(error):
            return self.no_catalogue()
        if isinstance(error, UnicodeEncodeError):
            return FalseworkError(
                "a text holds a lone surrogate, which is no character",
                where=self.where,
                todo="Correct the text; nothing was written.",
            )
        return super().explained(error)


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

    def prepare(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -65536")  # KiB
        # SQLite's own leaves every letter beyond ASCII as it is: Élite would be found by no spelling.
        connection.create_function("lower", 1, _lower, deterministic=True)

    return Place(file_engine(path, prepare, create=not there), str(path))


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def in_groups(these: Iterable[T], size: int = MOST_AT_ONCE) -> Iterator[list[T]]:
    """The same in lists that fit into one question."""
    rest = iter(these)
    while group := list(islice(rest, size)):
        yield group
