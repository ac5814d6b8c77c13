"""Bring a catalogue's tables to what this falsework declares: all of the steps, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sql

from falsework.catalogue.engine import Place
from falsework.catalogue.schema import VERSION, VERSION_TABLE
from falsework.errors import FalseworkError

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["prepare", "script_location"]

LOCK = 0x636174616C  # key of PostgreSQL's advisory lock while tables are made


def prepare(place: Place) -> None:
    """See to it that the tables are there and of this version; made or changed where they are older.

    Raises FalseworkError for a database that is no catalogue, or a newer one.
    """
    with place.transaction() as connection:
        if _version(connection, place) == VERSION:
            return
    place.keep_log()
    with place.transaction(writing=True) as connection:
        if not place.is_file:
            connection.execute(sql.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        before = _version(connection, place)
        if before != VERSION:  # else another process was quicker
            _upgrade(connection, place, before)


def script_location() -> Config:
    """Alembic's configuration: where the steps lie."""
    try:
        from alembic.config import Config
    except ModuleNotFoundError as error:
        raise FalseworkError(
            "the library that makes the catalogue's tables (Alembic) is missing",
            todo='Install it with `pip install "falsework[search]"`.',
        ) from error
    config = Config()
    config.set_main_option("script_location", "falsework.catalogue:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _version(connection: sql.Connection, place: Place) -> str | None:
    """The version of the tables; None where there are none yet."""
    tables = set(sql.inspect(connection).get_table_names())
    if VERSION_TABLE not in tables:
        if tables and place.is_file:  # a database may be shared with others' tables, a file is not
            raise place.no_catalogue()
        return None
    row = connection.execute(sql.text(f"SELECT version_num FROM {VERSION_TABLE}")).first()
    return None if row is None else str(row[0])


def _upgrade(connection: sql.Connection, place: Place, before: str | None) -> None:
    config = script_location()
    from alembic import command
    from alembic.script import ScriptDirectory

    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if before is not None and before not in known:
        raise FalseworkError(
            f"the catalogue is of a newer falsework (its tables are version {before}, this knows {VERSION})",
            where=place.where,
            todo="Use that falsework, or a newer one; nothing was changed.",
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
