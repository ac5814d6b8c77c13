"""Records from the catalogue's tables: whole titles by the page, and what belongs to them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import sqlalchemy as sql

from falsework.catalogue.engine import in_groups
from falsework.catalogue.parts import Parts
from falsework.catalogue.ratings import fit_for_children
from falsework.catalogue.records import (
    Availability,
    Clearance,
    Credit,
    Episode,
    Kind,
    Scene,
    Season,
    Shot,
    Title,
)
from falsework.catalogue.schema import (
    AvailabilityRow,
    CountryRow,
    CreditRow,
    EpisodeRow,
    GenreRow,
    LanguageRow,
    MoodRow,
    PersonRow,
    SceneEventRow,
    SceneMoodRow,
    SceneRow,
    SeasonRow,
    ShotRow,
    TitleGenreRow,
    TitleMoodRow,
    TitleRow,
)

__all__ = ["Wanted", "found", "parts", "scene_at", "scenes_of", "season_counts", "shots", "titles"]

T = TypeVar("T")

# What no text of a database can hold, so that nothing is there under such an id: asking for it is an error.
_UNHELD = {"sqlite": re.compile(r"[\ud800-\udfff]"), "postgresql": re.compile(r"[\0\ud800-\udfff]")}


@dataclass(frozen=True)
class Wanted:
    """Conditions on titles; what is empty is none. `words` stand in the title or the original title, whatever
    their case; `least_year` and `most_year` are inside; `children` asks for a rating that is fit for them."""

    words: str = ""
    kind: str = ""
    genre: str = ""
    mood: str = ""
    person: str = ""
    country: str = ""
    language: str = ""
    rating: str = ""
    least_year: int | None = None
    most_year: int | None = None
    children: bool = False


def titles(connection: sql.Connection, ids: Sequence[str]) -> dict[str, Title]:
    """Those of these titles that there are, by id, in the order of `ids`."""
    known: dict[str, Title] = {}
    unheld = _UNHELD[connection.dialect.name]
    for group in in_groups(dict.fromkeys(id_ for id_ in ids if not unheld.search(id_))):
        rows = connection.execute(sql.select(TitleRow.__table__).where(TitleRow.id.in_(group))).all()
        keys = [row.key for row in rows]
        credits = _credits(connection, keys)
        genres = _names(connection, keys, TitleGenreRow, TitleGenreRow.genre, GenreRow)
        moods = _names(connection, keys, TitleMoodRow, TitleMoodRow.mood, MoodRow)
        countries = _values(connection, keys, CountryRow, CountryRow.country)
        languages = _values(connection, keys, LanguageRow, LanguageRow.language)
        windows = _windows(connection, keys)
        for row in rows:
            known[row.id] = Title(
                id=row.id,
                title=row.title,
                kind=cast(Kind, row.kind),
                original_title=row.original_title,
                year=row.year,
                synopsis=row.synopsis,
                genres=genres.get(row.key, ()),
                moods=moods.get(row.key, ()),
                credits=credits.get(row.key, ()),
                countries=countries.get(row.key, ()),
                languages=languages.get(row.key, ()),
                rating=row.rating,
                runtime=row.runtime,
                popularity=row.popularity,
                availability=windows.get(row.key, ()),
            )
    return {id_: known[id_] for id_ in ids if id_ in known}


def found(connection: sql.Connection, wanted: Wanted, limit: int | None) -> list[str]:
    """Ids of the titles that meet every condition, in order."""
    asked = sql.select(TitleRow.id).order_by(TitleRow.id).limit(limit)
    for condition in _conditions(connection, wanted):
        asked = asked.where(condition)
    return list(connection.scalars(asked))


def _conditions(connection: sql.Connection, wanted: Wanted) -> Iterator[sql.ColumnElement[bool]]:
    if wanted.words:
        words = wanted.words.lower()
        yield sql.or_(
            sql.func.lower(TitleRow.title).contains(words, autoescape=True),
            sql.func.lower(TitleRow.original_title).contains(words, autoescape=True),
        )
    if wanted.kind:
        yield TitleRow.kind == wanted.kind
    if wanted.rating:
        yield sql.func.lower(TitleRow.rating) == wanted.rating.lower()
    if wanted.least_year is not None:
        yield TitleRow.year >= wanted.least_year
    if wanted.most_year is not None:
        yield TitleRow.year <= wanted.most_year
    if wanted.genre:
        of = sql.select(TitleGenreRow.title).join(GenreRow, GenreRow.key == TitleGenreRow.genre)
        yield TitleRow.key.in_(of.where(sql.func.lower(GenreRow.name) == wanted.genre.lower()))
    if wanted.mood:
        of = sql.select(TitleMoodRow.title).join(MoodRow, MoodRow.key == TitleMoodRow.mood)
        yield TitleRow.key.in_(of.where(sql.func.lower(MoodRow.name) == wanted.mood.lower()))
    if wanted.person:
        of = sql.select(CreditRow.title).join(PersonRow, PersonRow.key == CreditRow.person)
        yield TitleRow.key.in_(of.where(sql.func.lower(PersonRow.name) == wanted.person.lower()))
    if wanted.country:
        yield TitleRow.key.in_(sql.select(CountryRow.title).where(CountryRow.country == wanted.country))
    if wanted.language:
        yield TitleRow.key.in_(sql.select(LanguageRow.title).where(LanguageRow.language == wanted.language))
    if wanted.children:
        ratings = connection.scalars(sql.select(TitleRow.rating).distinct())
        yield TitleRow.rating.in_([one for one in ratings if fit_for_children(one)])


def scenes_of(connection: sql.Connection, *, ids: Sequence[str]) -> list[Scene]:
    """Those of these scenes that there are."""
    rows = [
        row
        for group in in_groups(dict.fromkeys(ids))
        for row in connection.execute(_scene_rows().where(SceneRow.id.in_(group)))
    ]
    return _scenes(connection, rows)


def parts(connection: sql.Connection, ids: Sequence[str]) -> dict[str, Parts]:
    """Seasons, episodes and scenes of these titles, by title; those that have none are left out."""
    found: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for group in in_groups(ids):
        asked = (
            sql.select(SeasonRow.__table__, TitleRow.id.label("title_id"))
            .join(TitleRow, TitleRow.key == SeasonRow.title)
            .where(TitleRow.id.in_(group))
            .order_by(SeasonRow.number)
        )
        for row in connection.execute(asked):
            season = Season(row.id, row.title_id, row.number, row.name, row.year)
            found[row.title_id]["seasons"].append(season)
        within = (
            sql.select(EpisodeRow.__table__, SeasonRow.id.label("season_id"), TitleRow.id.label("title_id"))
            .join(SeasonRow, SeasonRow.key == EpisodeRow.season)
            .join(TitleRow, TitleRow.key == SeasonRow.title)
            .where(TitleRow.id.in_(group))
            .order_by(SeasonRow.number, EpisodeRow.number)
        )
        for row in connection.execute(within):
            episode = Episode(row.id, row.season_id, row.number, row.name, row.synopsis, row.runtime)
            found[row.title_id]["episodes"].append(episode)
        of_title = _scene_rows().where(TitleRow.id.in_(group))
        by_number = of_title.order_by(SceneRow.episode.nulls_first(), SceneRow.number, SceneRow.id)
        for scene in _scenes(connection, connection.execute(by_number).all()):
            found[scene.title_id]["scenes"].append(scene)
    return {
        title: Parts(tuple(lists["seasons"]), tuple(lists["episodes"]), tuple(lists["scenes"]))
        for title, lists in found.items()
    }


def season_counts(connection: sql.Connection, ids: Sequence[str]) -> dict[str, int]:
    """How many seasons those of these titles have of which any is recorded."""
    counts: dict[str, int] = {}
    unheld = _UNHELD.get(connection.dialect.name)
    wanted = [id for id in dict.fromkeys(ids) if unheld is None or not unheld.search(id)]
    for group in in_groups(wanted):
        asked = (
            sql.select(TitleRow.id, sql.func.count())
            .join(SeasonRow, SeasonRow.title == TitleRow.key)
            .where(TitleRow.id.in_(group), SeasonRow.number > 0)
            .group_by(TitleRow.id)
        )
        counts |= {id: int(count) for id, count in connection.execute(asked)}
    return counts


def _scene_rows() -> sql.Select[Any]:
    return (
        sql.select(SceneRow.__table__, TitleRow.id.label("title_id"), EpisodeRow.id.label("episode_id"))
        .join(TitleRow, TitleRow.key == SceneRow.title)
        .outerjoin(EpisodeRow, EpisodeRow.key == SceneRow.episode)
    )


def scene_at(connection: sql.Connection, title_id: str, seconds: float, episode_id: str) -> Scene | None:
    """The scene on screen at this second; one without an end lasts until the next one starts."""
    asked = (
        _scene_rows()
        .where(TitleRow.id == title_id, SceneRow.starts <= seconds)
        .where(EpisodeRow.id == episode_id if episode_id else SceneRow.episode.is_(None))
        .order_by(SceneRow.starts.desc(), SceneRow.number.desc())
    )
    latest: float | None = None
    for row in connection.execute(asked):
        # Without an end a scene is over as soon as a later one has started.
        if seconds < row.ends if row.ends is not None else latest in (None, row.starts):
            return _scenes(connection, [row])[0]
        latest = row.starts if latest is None else latest
    return None


def shots(connection: sql.Connection, title_id: str) -> list[Shot]:
    asked = (
        sql.select(ShotRow.__table__, SceneRow.id.label("of"))
        .join(TitleRow, TitleRow.key == ShotRow.title)
        .outerjoin(SceneRow, SceneRow.key == ShotRow.scene)
        .where(TitleRow.id == title_id)
        .order_by(ShotRow.name, ShotRow.id)
    )
    return [
        Shot(
            id=row.id,
            title_id=title_id,
            name=row.name,
            cut=row.cut,
            judged=row.judged,
            scene_id=row.of or "",
            frames=row.frames,
            folder=row.folder,
            clearance=cast(Clearance, row.clearance),
            why=row.why,
            record=row.record,
            approved_by=row.approved_by,
            role=row.role,
        )
        for row in connection.execute(asked)
    ]


def _scenes(connection: sql.Connection, rows: Sequence[sql.Row[Any]]) -> list[Scene]:
    keys = [row.key for row in rows]
    moods: dict[int, list[str]] = defaultdict(list)
    events: dict[int, list[str]] = defaultdict(list)
    for group in in_groups(keys):
        named = (
            sql.select(SceneMoodRow.scene, MoodRow.name)
            .join(MoodRow, MoodRow.key == SceneMoodRow.mood)
            .where(SceneMoodRow.scene.in_(group))
            .order_by(SceneMoodRow.scene, SceneMoodRow.position)
        )
        for scene, name in connection.execute(named):
            moods[scene].append(name)
        told = (
            sql.select(SceneEventRow.scene, SceneEventRow.event)
            .where(SceneEventRow.scene.in_(group))
            .order_by(SceneEventRow.scene, SceneEventRow.position)
        )
        for scene, event in connection.execute(told):
            events[scene].append(event)
    return [
        Scene(
            id=row.id,
            title_id=row.title_id,
            number=row.number,
            episode_id=row.episode_id or "",
            starts=row.starts,
            ends=row.ends,
            description=row.description,
            moods=tuple(moods[row.key]),
            events=tuple(events[row.key]),
        )
        for row in rows
    ]


def _credits(connection: sql.Connection, keys: Sequence[int]) -> dict[int, tuple[Credit, ...]]:
    asked = (
        sql.select(CreditRow.title, PersonRow.name, CreditRow.role, CreditRow.character)
        .join(PersonRow, PersonRow.key == CreditRow.person)
        .where(CreditRow.title.in_(keys))
        .order_by(CreditRow.title, CreditRow.position)
    )
    return _gathered(
        (row.title, Credit(row.name, row.role, row.character)) for row in connection.execute(asked)
    )


def _windows(connection: sql.Connection, keys: Sequence[int]) -> dict[int, tuple[Availability, ...]]:
    asked = (
        sql.select(AvailabilityRow.__table__)
        .where(AvailabilityRow.title.in_(keys))
        .order_by(AvailabilityRow.title, AvailabilityRow.position)
    )
    return _gathered(
        (row.title, Availability(row.territory, row.starts, row.ends)) for row in connection.execute(asked)
    )


def _names(
    connection: sql.Connection, keys: Sequence[int], table: type[Any], column: Any, names: type[Any]
) -> dict[int, tuple[str, ...]]:
    """Names of genres or moods by the title's key, in their order."""
    asked = (
        sql.select(table.title, names.name)
        .join(names, names.key == column)
        .where(table.title.in_(keys))
        .order_by(table.title, table.position)
    )
    return _gathered((title, name) for title, name in connection.execute(asked))


def _values(
    connection: sql.Connection, keys: Sequence[int], table: type[Any], column: Any
) -> dict[int, tuple[str, ...]]:
    asked = sql.select(table.title, column).where(table.title.in_(keys)).order_by(table.title, table.position)
    return _gathered((title, value) for title, value in connection.execute(asked))


def _gathered(pairs: Iterable[tuple[int, T]]) -> dict[int, tuple[T, ...]]:
    lists: dict[int, list[T]] = defaultdict(list)
    for key, value in pairs:
        lists[key].append(value)
    return {key: tuple(values) for key, values in lists.items()}
