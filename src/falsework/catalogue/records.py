"""What the catalogue knows, as plain records. Nothing in here talks to a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

__all__ = ["Availability", "Clearance", "Credit", "Episode", "Kind", "Scene", "Season", "Shot", "Title"]

Kind = Literal["film", "series"]
Clearance = Literal["cleared", "not cleared", "not on record"]


@dataclass(frozen=True)
class Credit:
    """A person's part in a title: `role` is "cast", "director", "writer", …; `character` only for the
    cast."""

    name: str
    role: str = "cast"
    character: str = ""


@dataclass(frozen=True)
class Availability:
    """A title may be watched in `territory` (ISO 3166-1 alpha-2, or "worldwide") from `starts` until `ends`.

    Both are aware datetimes in UTC; None is open on that side, and `ends` itself is outside.
    """

    territory: str = "worldwide"
    starts: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True)
class Title:
    """A film or a series, by an id that stays the same over imports.

    `genres` and `moods` are names of the vocabularies where they are known there, and the source's own words
    where not. `countries` are ISO 3166-1 alpha-2, `languages` ISO 639-1, both lower case for languages and
    upper case for countries. `rating` is as its board writes it (PG-13, TV-MA, FSK 12); empty is unrated, and
    what is unrated is never for children. `runtime` is in minutes. `popularity` is any measure of how much a
    title is asked for, larger is more; None where nobody measured it. `synopsis` is the text results may
    quote.
    """

    id: str
    title: str
    kind: Kind = "film"
    original_title: str = ""
    year: int | None = None
    synopsis: str = ""
    genres: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    credits: tuple[Credit, ...] = ()
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    rating: str = ""
    runtime: int | None = None
    popularity: float | None = None
    availability: tuple[Availability, ...] = field(default=())


@dataclass(frozen=True)
class Season:
    """A season of a series; `number` counts from 1, 0 is what stands outside the seasons."""

    id: str
    title_id: str
    number: int
    name: str = ""
    year: int | None = None


@dataclass(frozen=True)
class Episode:
    id: str
    season_id: str
    number: int
    name: str = ""
    synopsis: str = ""
    runtime: int | None = None


@dataclass(frozen=True)
class Scene:
    """A stretch of a title (or of one of its episodes), `starts` and `ends` in seconds from its first frame.

    `moods` and `events` ("building collapse", "chase") are what a break beside this scene has to respect.
    """

    id: str
    title_id: str
    number: int
    episode_id: str = ""
    starts: float | None = None
    ends: float | None = None
    description: str = ""
    moods: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shot:
    """A delivered shot in its title, and in a scene where it has one, with its clearance as of `judged`.

    cut          asset id of its frames in the ledger of rights ("sha256:…"): a changed pixel is another cut
    clearance    "cleared": a named human approved exactly these frames, and no rule held them up when this
                 was judged; "not cleared": something did; "not on record": no ledger knows these frames
    why          the sentence that says so
    record       id of the approval in the ledger; "" where there is none
    approved_by  the person who gave it, and `role` as what
    """

    id: str
    title_id: str
    name: str
    cut: str
    judged: datetime
    scene_id: str = ""
    frames: int = 0
    folder: str = ""
    clearance: Clearance = "not on record"
    why: str = ""
    record: str = ""
    approved_by: str = ""
    role: str = ""
