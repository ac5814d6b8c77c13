"""The catalogue's tables.

Whatever has a name outside (a title, a season, a scene) keeps it as `id`; rows refer to each other by a small
`key` of the database's own. `position` keeps the order in which a source lists cast, genres or countries.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

__all__ = [
    "VERSION",
    "VERSION_TABLE",
    "AvailabilityRow",
    "Base",
    "CountryRow",
    "CreditRow",
    "EpisodeRow",
    "GenreRow",
    "IdentityRow",
    "ImportRow",
    "LanguageRow",
    "MoodRow",
    "PersonRow",
    "RefusalRow",
    "RemovedRow",
    "SceneEventRow",
    "SceneMoodRow",
    "SceneRow",
    "SeasonRow",
    "ShotRow",
    "StateRow",
    "TitleGenreRow",
    "TitleMoodRow",
    "TitleRow",
]

VERSION = "0002"  # of the tables below: the newest of `migrations/versions`
VERSION_TABLE = "catalogue_version"

# Ids are compared byte by byte in both databases, so that "by id" is one order wherever a catalogue lies.
Id = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite's INTEGER holds 64 bits, and as a primary key it is the row's own number: no index beside the table.
Number = BigInteger().with_variant(Integer(), "sqlite")
# Rows of parts lie in the order of their key, and nowhere else.
BY_KEY = {"sqlite_with_rowid": False}


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept in UTC; SQLite's driver knows no zones."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {int: Number, str: Text, float: Double, bytes: LargeBinary, datetime: Moment}  # noqa: RUF012


def _own_key() -> Mapped[int]:
    return mapped_column(primary_key=True, autoincrement=False)


def _part_of(column: str, **how: Any) -> Mapped[int]:
    """A reference to what a row is a part of, and goes with."""
    return mapped_column(ForeignKey(column, ondelete="CASCADE"), **how)


class StateRow(Base):
    """One row: the catalogue's revision. A writer locks it first, so that revisions come in the order of
    commits."""

    __tablename__ = "catalogue_state"
    key: Mapped[int] = _own_key()
    revision: Mapped[int]


class IdentityRow(Base):
    """One row: a name that no other catalogue has, drawn when the tables were made. A copy keeps it."""

    __tablename__ = "catalogue_identity"
    key: Mapped[int] = _own_key()
    identity: Mapped[str]


class TitleRow(Base):
    """`digest` is of the whole record, parts in other tables included: equal digests, nothing to write."""

    __tablename__ = "titles"
    key: Mapped[int] = _own_key()
    id: Mapped[str] = mapped_column(Id, unique=True)
    kind: Mapped[str]
    title: Mapped[str]
    original_title: Mapped[str]
    year: Mapped[int | None] = mapped_column(index=True)
    synopsis: Mapped[str]
    rating: Mapped[str] = mapped_column(index=True)
    runtime: Mapped[int | None]
    popularity: Mapped[float | None]
    digest: Mapped[bytes]
    revision: Mapped[int] = mapped_column(index=True)


class RemovedRow(Base):
    """A title that was removed, so that an index built before hears of it."""

    __tablename__ = "removed_titles"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    revision: Mapped[int] = mapped_column(index=True)


class PersonRow(Base):
    """A person, by name: sources give no more, so two of one name are one here."""

    __tablename__ = "people"
    key: Mapped[int] = _own_key()
    name: Mapped[str] = mapped_column(Id, unique=True)


class CreditRow(Base):
    __tablename__ = "credits"
    __table_args__ = BY_KEY
    title: Mapped[int] = _part_of("titles.key", primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[int] = mapped_column(ForeignKey("people.key"), index=True)
    role: Mapped[str]
    character: Mapped[str]


class GenreRow(Base):
    __tablename__ = "genres"
    key: Mapped[int] = _own_key()
    name: Mapped[str] = mapped_column(Id, unique=True)


class TitleGenreRow(Base):
    __tablename__ = "title_genres"
    __table_args__ = BY_KEY
    title: Mapped[int] = _part_of("titles.key", primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    genre: Mapped[int] = mapped_column(ForeignKey("genres.key"), index=True)


class MoodRow(Base):
    __tablename__ = "moods"
    key: Mapped[int] = _own_key()
    name: Mapped[str] = mapped_column(Id, unique=True)


class TitleMoodRow(Base):
    __tablename__ = "title_moods"
    __table_args__ = BY_KEY
    title: Mapped[int] = _part_of("titles.key", primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    mood: Mapped[int] = mapped_column(ForeignKey("moods.key"), index=True)


class CountryRow(Base):
    __tablename__ = "title_countries"
    __table_args__ = BY_KEY
    title: Mapped[int] = _part_of("titles.key", primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(index=True)


class LanguageRow(Base):
    __tablename__ = "title_languages"
    __table_args__ = BY_KEY
    title: Mapped[int] = _part_of("titles.key", primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(index=True)


class AvailabilityRow(Base):
    __tablename__ = "availability"
    __table_args__ = BY_KEY
    title: Mapped[int] = _part_of("titles.key", primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    territory: Mapped[str]
    starts: Mapped[datetime | None]
    ends: Mapped[datetime | None]


class SeasonRow(Base):
    __tablename__ = "seasons"
    __table_args__ = (UniqueConstraint("title", "number"),)
    key: Mapped[int] = _own_key()
    id: Mapped[str] = mapped_column(Id, unique=True)
    title: Mapped[int] = _part_of("titles.key")
    number: Mapped[int]
    name: Mapped[str]
    year: Mapped[int | None]


class EpisodeRow(Base):
    __tablename__ = "episodes"
    __table_args__ = (UniqueConstraint("season", "number"),)
    key: Mapped[int] = _own_key()
    id: Mapped[str] = mapped_column(Id, unique=True)
    season: Mapped[int] = _part_of("seasons.key")
    number: Mapped[int]
    name: Mapped[str]
    synopsis: Mapped[str]
    runtime: Mapped[int | None]


class SceneRow(Base):
    __tablename__ = "scenes"
    key: Mapped[int] = _own_key()
    id: Mapped[str] = mapped_column(Id, unique=True)
    title: Mapped[int] = _part_of("titles.key", index=True)
    episode: Mapped[int | None] = mapped_column(ForeignKey("episodes.key", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    starts: Mapped[float | None]
    ends: Mapped[float | None]
    description: Mapped[str]


class SceneMoodRow(Base):
    __tablename__ = "scene_moods"
    __table_args__ = BY_KEY
    scene: Mapped[int] = _part_of("scenes.key", primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    mood: Mapped[int] = mapped_column(ForeignKey("moods.key"), index=True)


class SceneEventRow(Base):
    __tablename__ = "scene_events"
    __table_args__ = BY_KEY
    scene: Mapped[int] = _part_of("scenes.key", primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(index=True)


class ShotRow(Base):
    """A delivered shot in its scene, with its clearance as it was when it was attached."""

    __tablename__ = "shots"
    key: Mapped[int] = _own_key()
    id: Mapped[str] = mapped_column(Id, unique=True)
    title: Mapped[int] = _part_of("titles.key", index=True)
    scene: Mapped[int | None] = mapped_column(ForeignKey("scenes.key", ondelete="SET NULL"), index=True)
    name: Mapped[str]
    cut: Mapped[str]
    frames: Mapped[int]
    folder: Mapped[str]
    clearance: Mapped[str]
    why: Mapped[str]
    record: Mapped[str]
    approved_by: Mapped[str]
    role: Mapped[str]
    judged: Mapped[datetime]


class ImportRow(Base):
    """How far an import came: of this file, read with this mapping. `line` is the last one that is done."""

    __tablename__ = "imports"
    __table_args__ = (UniqueConstraint("file", "mapping"),)
    key: Mapped[int] = _own_key()
    file: Mapped[str]
    mapping: Mapped[str]
    line: Mapped[int]
    rows: Mapped[int]
    added: Mapped[int]
    changed: Mapped[int]
    finished: Mapped[bool]
    revision: Mapped[int]


class RefusalRow(Base):
    __tablename__ = "import_refusals"
    source: Mapped[int] = _part_of("imports.key", primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str]
    reason: Mapped[str]
