"""A title with all that belongs to it as one row, as `falsework catalogue export` writes it and import reads
it."""

from __future__ import annotations

import math
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from falsework.catalogue import values
from falsework.catalogue.records import Episode, Scene, Season, Title
from falsework.catalogue.vocabularies import moods_named

__all__ = ["Parts", "episode_of", "parts_of", "row_of", "scene_of", "season_of"]

LONGEST_ID, LONGEST_NAME, LONGEST_TEXT = 200, 500, 100_000
MOST = 100_000  # a number of a season, an episode or a scene
LONGEST = 100 * 3600.0  # seconds into a title


@dataclass(frozen=True)
class Parts:
    seasons: tuple[Season, ...] = ()
    episodes: tuple[Episode, ...] = ()
    scenes: tuple[Scene, ...] = ()


def row_of(title: Title, parts: Parts) -> dict[str, Any]:
    """Everything as one JSON-able object, without what is empty."""
    episodes: dict[str, list[dict[str, Any]]] = {}
    for episode in parts.episodes:
        episodes.setdefault(episode.season_id, []).append(_filled(episode, "season_id"))
    row = _filled(title)
    row["credits"] = [_filled(one) for one in title.credits]
    row["availability"] = [_filled(one) for one in title.availability]
    row["seasons"] = [
        _filled(one, "title_id") | {"episodes": episodes.get(one.id, [])} for one in parts.seasons
    ]
    row["scenes"] = [_filled(one, "title_id") for one in parts.scenes]
    return {name: value for name, value in row.items() if value not in ("", None, [], ())}


def _filled(record: Any, *without: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in vars(record).items():
        if name in without or value in ("", None, ()):
            continue
        if isinstance(value, datetime):
            value = value.isoformat()
        found[name] = list(value) if isinstance(value, tuple) else value
    return found


def parts_of(row: Dictionary[str, Any], title_id: str) -> Parts:
    """What a row of our own form says of seasons, episodes and scenes; ValueError for what cannot be read."""
    seasons: list[Season] = []
    episodes: list[Episode] = []
    for one in _objects(row.get("seasons"), "season"):
        season = season_of(one, title_id)
        seasons.append(season)
        episodes += [episode_of(each, season.id) for each in _objects(one.get("episodes"), "episode")]
    known = {one.id for one in episodes}
    scenes = tuple(scene_of(one, title_id) for one in _objects(row.get("scenes"), "scene"))
    stray = next((one for one in scenes if one.episode_id and one.episode_id not in known), None)
    if stray is not None:
        raise ValueError(f'the scene "{stray.id}" is of an episode that is not in the row')
    return Parts(tuple(seasons), tuple(episodes), scenes)


def _objects(value: object, what: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    for one in value:
        if not isinstance(one, dict):
            raise ValueError(f"a {what} is no object")
    return value


def season_of(row: Dictionary[str, Any], title_id: str) -> Season:
    number = _number(row.get("number"), "season")
    name = values.line(row.get("name"), LONGEST_NAME, "season's name")
    return Season(
        _id(row, f"{title_id}/season-{number}"), title_id, number, name, values.year(row.get("year"))
    )


def episode_of(row: Dictionary[str, Any], season_id: str) -> Episode:
    number = _number(row.get("number"), "episode")
    return Episode(
        id=_id(row, f"{season_id}/episode-{number}"),
        season_id=season_id,
        number=number,
        name=values.line(row.get("name"), LONGEST_NAME, "episode's name"),
        synopsis=values.paragraphs(row.get("synopsis"), LONGEST_TEXT, "episode's synopsis"),
        runtime=values.minutes_or_seasons(row.get("runtime"))[0],
    )


def scene_of(row: Dictionary[str, Any], title_id: str) -> Scene:
    """A scene from `id`, `number`, `episode_id`, `starts` and `ends` (seconds, or h:mm:ss), `description`,
    `moods`, `events`; ValueError where its times make no sense."""
    number = _number(row.get("number", 0), "scene")
    starts, ends = _seconds(row.get("starts")), _seconds(row.get("ends"))
    if ends is not None and (starts is None or ends <= starts):
        raise ValueError("the scene ends before it starts")
    episode_id = values.line(row.get("episode_id"), LONGEST_ID, "episode's id")
    return Scene(
        id=_id(row, f"{episode_id or title_id}/scene-{number}"),
        title_id=title_id,
        number=number,
        episode_id=episode_id,
        starts=starts,
        ends=ends,
        description=values.paragraphs(row.get("description"), LONGEST_TEXT, "scene's description"),
        moods=tuple(
            dict.fromkeys(mood for word in _words(row.get("moods")) for mood in moods_named(word) or (word,))
        ),
        events=_words(row.get("events")),
    )


def _words(value: object) -> tuple[str, ...]:
    found: Sequence[str] = [
        values.line(one, LONGEST_NAME, "word of a scene") for one in values.entries(value)
    ]
    return tuple(dict.fromkeys(filter(None, found)))


def _id(row: Dictionary[str, Any], otherwise: str) -> str:
    return values.line(row.get("id"), LONGEST_ID, "id") or otherwise


def _number(value: object, what: str) -> int:
    try:
        number = float(str(value)) if not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    if not (number.is_integer() and 0 <= number <= MOST):
        raise ValueError(f'the number of a {what} "{str(value)[:40]}" is none')
    return int(number)


def _seconds(value: object) -> float | None:
    if values.is_missing(value) or isinstance(value, bool):
        return None
    try:
        parts = [float(one) for one in str(value).strip().split(":")]
    except ValueError:
        parts = []
    seconds = (
        sum(one * 60**place for place, one in enumerate(reversed(parts))) if 0 < len(parts) <= 3 else math.nan
    )
    if not (0 <= seconds <= LONGEST and all(one >= 0 for one in parts)):
        raise ValueError(f'the time "{str(value)[:40]}" is neither seconds nor h:mm:ss')
    return seconds
