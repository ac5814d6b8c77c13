"""Writing into a catalogue: one writer at a time, one transaction, one revision."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sql

from falsework.catalogue.engine import in_groups
from falsework.catalogue.reading import scenes_of
from falsework.catalogue.records import Credit, Episode, Scene, Season, Shot, Title
from falsework.catalogue.rows import Rows
from falsework.catalogue.schema import (
    AvailabilityRow,
    CountryRow,
    CreditRow,
    EpisodeRow,
    GenreRow,
    LanguageRow,
    MoodRow,
    PersonRow,
    RemovedRow,
    SceneEventRow,
    SceneMoodRow,
    SceneRow,
    SeasonRow,
    ShotRow,
    StateRow,
    TitleGenreRow,
    TitleMoodRow,
    TitleRow,
)
from falsework.errors import FalseworkError

__all__ = ["Changes", "Writer"]

PARTS = (CreditRow, TitleGenreRow, TitleMoodRow, CountryRow, LanguageRow, AvailabilityRow)

T = TypeVar("T")


@dataclass(frozen=True)
class Changes:
    """How many of the titles that were put in were not there before, and how many were there and are others
    now."""

    added: int
    changed: int


class Writer(Rows):
    """What may be changed within one transaction. Whoever has one is alone: the state's row is locked."""

    def finish(self) -> None:
        """Let the catalogue's revision grow, if anything has changed."""
        if self.changed:
            self.connection.execute(sql.update(StateRow).values(revision=self.revision))

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """A part of the transaction that is taken back alone after an error in it."""
        before = self.changed
        try:
            with self.connection.begin_nested():
                yield
        except BaseException:
            self.changed = before
            raise

    # Titles

    def titles(self, titles: Sequence[Title]) -> Changes:
        """Put titles in; one whose id is there is replaced, an identical one is left as it is.

        Of two with the same id in `titles` the last one counts.
        """
        given = {title.id: (title, _digest(title)) for title in titles}
        known: dict[str, tuple[int, bytes]] = {}
        for ids in in_groups(given):
            found = sql.select(TitleRow.id, TitleRow.key, TitleRow.digest).where(TitleRow.id.in_(ids))
            known |= {id_: (key, digest) for id_, key, digest in self.connection.execute(found)}
        changed = {
            known[id_][0]: each for id_, each in given.items() if id_ in known and known[id_][1] != each[1]
        }
        free = self._free(TitleRow)
        news = [each for id_, each in given.items() if id_ not in known]
        added = dict(enumerate(news, free))
        if changed:
            self._update(TitleRow, [self._row(key, *each) for key, each in changed.items()])
            for keys in in_groups(changed):
                for part in PARTS:
                    self.connection.execute(sql.delete(part).where(part.title.in_(keys)))
        if added:
            self._insert(TitleRow, [self._row(key, *each) for key, each in added.items()])
            for ids in in_groups(each[0].id for each in news):
                self.connection.execute(sql.delete(RemovedRow).where(RemovedRow.id.in_(ids)))
        self._parts([(key, title) for key, (title, _) in (changed | added).items()])
        self.changed |= bool(changed or added)
        return Changes(len(added), len(changed))

    def remove(self, ids: Sequence[str]) -> int:
        """Take titles out, with their seasons, scenes and shots; returns how many were there."""
        count = 0
        for group in in_groups(dict.fromkeys(ids)):
            found = list(self.connection.scalars(sql.select(TitleRow.id).where(TitleRow.id.in_(group))))
            self.connection.execute(sql.delete(TitleRow).where(TitleRow.id.in_(found)))
            self._insert(RemovedRow, [{"id": id_, "revision": self.revision} for id_ in found])
            count += len(found)
        self.changed |= count > 0
        return count

    def _row(self, key: int, title: Title, digest: bytes) -> dict[str, Any]:
        return {
            "key": key,
            "id": title.id,
            "kind": title.kind,
            "title": title.title,
            "original_title": title.original_title,
            "year": title.year,
            "synopsis": title.synopsis,
            "rating": title.rating,
            "runtime": title.runtime,
            "popularity": title.popularity,
            "digest": digest,
            "revision": self.revision,
        }

    def _parts(self, titles: Sequence[tuple[int, Title]]) -> None:
        people = self._named(PersonRow, (credit.name for _, title in titles for credit in title.credits))
        genres = self._named(GenreRow, (name for _, title in titles for name in title.genres))
        moods = self._named(MoodRow, (name for _, title in titles for name in title.moods))

        def credit(one: Credit) -> dict[str, Any]:
            return {"person": people[one.name], "role": one.role, "character": one.character}

        def rows(
            parts: Callable[[Title], Sequence[T]], row: Callable[[T], dict[str, Any]]
        ) -> list[dict[str, Any]]:
            return [
                {"title": key, "position": position, **row(part)}
                for key, title in titles
                for position, part in enumerate(parts(title))
            ]

        self._insert(CreditRow, rows(lambda title: title.credits, credit))
        self._insert(TitleGenreRow, rows(lambda title: title.genres, lambda name: {"genre": genres[name]}))
        self._insert(TitleMoodRow, rows(lambda title: title.moods, lambda name: {"mood": moods[name]}))
        self._insert(CountryRow, rows(lambda title: title.countries, lambda code: {"country": code}))
        self._insert(LanguageRow, rows(lambda title: title.languages, lambda code: {"language": code}))
        self._insert(
            AvailabilityRow,
            rows(
                lambda title: title.availability,
                lambda one: {"territory": one.territory, "starts": one.starts, "ends": one.ends},
            ),
        )

    # What belongs to titles

    def seasons(self, seasons: Sequence[Season]) -> None:
        """Put seasons in, by the number within their title: an id given later replaces the earlier one."""
        titles = self._keys_of(TitleRow, (one.title_id for one in seasons), "title")
        rows = [
            {
                "id": one.id,
                "title": titles[one.title_id],
                "number": one.number,
                "name": one.name,
                "year": one.year,
            }
            for one in seasons
        ]
        self._put(SeasonRow, rows, (SeasonRow.title, SeasonRow.number))

    def seasons_counted(self, counts: Mapping[str, int]) -> None:
        """See to it that each of these titles has its seasons from 1 on; those that are there stay as they
        are."""
        titles = self._keys_of(TitleRow, counts, "title")
        known: set[tuple[int, int]] = set()
        for keys in in_groups(titles.values()):
            found = sql.select(SeasonRow.title, SeasonRow.number).where(SeasonRow.title.in_(keys))
            known |= {(title, number) for title, number in self.connection.execute(found)}
        missing = [
            Season(f"{id_}/season-{number}", id_, number)
            for id_, count in counts.items()
            for number in range(1, count + 1)
            if (titles[id_], number) not in known
        ]
        if missing:
            self.seasons(missing)

    def episodes(self, episodes: Sequence[Episode]) -> None:
        """Put episodes in, by the number within their season."""
        seasons = self._keys_of(SeasonRow, (one.season_id for one in episodes), "season")
        rows = [
            {
                "id": one.id,
                "season": seasons[one.season_id],
                "number": one.number,
                "name": one.name,
                "synopsis": one.synopsis,
                "runtime": one.runtime,
            }
            for one in episodes
        ]
        self._put(EpisodeRow, rows, (EpisodeRow.season, EpisodeRow.number))

    def scenes(self, scenes: Sequence[Scene]) -> Changes:
        """Put scenes in, by id, with their moods and events; identical ones are left as they are."""
        for reason in self.stray_scenes(scenes).values():
            raise FalseworkError(reason, todo="Import the title first, and its episodes.")
        known = {one.id: one for one in scenes_of(self.connection, ids=[one.id for one in scenes])}
        given = {one.id: one for one in scenes if known.get(one.id) != one}
        titles = self._keys_of(TitleRow, (one.title_id for one in given.values()), "title")
        episodes = self._keys_of(
            EpisodeRow, (one.episode_id for one in given.values() if one.episode_id), "episode"
        )
        rows = [
            {
                "id": one.id,
                "title": titles[one.title_id],
                "episode": episodes.get(one.episode_id),
                "number": one.number,
                "starts": one.starts,
                "ends": one.ends,
                "description": one.description,
            }
            for one in given.values()
        ]
        keys = self._put(SceneRow, rows, (SceneRow.id,))
        self._touch(SceneRow, rows)  # where moods or events alone are others, too
        for group in in_groups(keys.values()):
            for part in (SceneMoodRow, SceneEventRow):
                self.connection.execute(sql.delete(part).where(part.scene.in_(group)))
        moods = self._named(MoodRow, (name for one in given.values() for name in one.moods))
        of_key = [(keys[id_,], one) for id_, one in given.items()]
        self._insert(
            SceneMoodRow,
            [
                {"scene": key, "position": position, "mood": moods[name]}
                for key, one in of_key
                for position, name in enumerate(one.moods)
            ],
        )
        self._insert(
            SceneEventRow,
            [
                {"scene": key, "position": position, "event": event}
                for key, one in of_key
                for position, event in enumerate(one.events)
            ],
        )
        changed = sum(id_ in known for id_ in given)
        return Changes(len(given) - changed, changed)

    def stray_scenes(self, scenes: Sequence[Scene]) -> dict[str, str]:
        """The scenes, by id, that cannot be put in, with why: their title or episode is not there, or
        another's."""
        titles = self._known(TitleRow, (one.title_id for one in scenes))
        episodes = self._known(EpisodeRow, (one.episode_id for one in scenes))
        of: dict[str, str] = {}
        for group in in_groups(episodes):
            asked = (
                sql.select(EpisodeRow.id, TitleRow.id)
                .join(SeasonRow, SeasonRow.key == EpisodeRow.season)
                .join(TitleRow, TitleRow.key == SeasonRow.title)
                .where(EpisodeRow.id.in_(group))
            )
            of |= {episode: title for episode, title in self.connection.execute(asked)}
        owners = {one.id: one.title_id for one in scenes_of(self.connection, ids=[one.id for one in scenes])}
        found: dict[str, str] = {}
        for one in scenes:
            if one.title_id not in titles:
                found[one.id] = f'there is no title "{one.title_id}" in the catalogue'
            elif one.episode_id and of.get(one.episode_id) != one.title_id:
                found[one.id] = f'the title "{one.title_id}" has no episode "{one.episode_id}"'
            elif owners.get(one.id, one.title_id) != one.title_id:
                found[one.id] = f'"{one.id}" is a scene of another title'
        return found

    def shot(self, shot: Shot) -> None:
        """Attach a delivered shot, or replace what was attached under its id."""
        title = self._keys_of(TitleRow, [shot.title_id], "title")[shot.title_id]
        scene = None
        if shot.scene_id:
            scene = self._keys_of(SceneRow, [shot.scene_id], "scene")[shot.scene_id]
            of = self.connection.execute(sql.select(SceneRow.title).where(SceneRow.key == scene)).scalar_one()
            if of != title:
                raise FalseworkError(
                    f'the scene "{shot.scene_id}" is none of the title "{shot.title_id}"',
                    todo="Name a scene of it; `falsework catalogue show` lists them.",
                )
        row = {
            "id": shot.id,
            "title": title,
            "scene": scene,
            "name": shot.name,
            "cut": shot.cut,
            "frames": shot.frames,
            "folder": shot.folder,
            "clearance": shot.clearance,
            "why": shot.why,
            "record": shot.record,
            "approved_by": shot.approved_by,
            "role": shot.role,
            "judged": shot.judged,
        }
        self._put(ShotRow, [row], (ShotRow.id,))


def _digest(title: Title) -> bytes:
    return hashlib.blake2b(repr(title).encode("utf-8", "surrogatepass"), digest_size=16).digest()
