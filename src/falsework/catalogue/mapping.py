"""Which column of a file holds which field of a title.

A mapping is TOML:

    prefix = "acme-"                                   # before every id
    dates = "%d/%m/%Y"                                 # how days are written, unless by ISO 8601

    [fields]
    id = "show_id"
    title = ["title_en", "title"]                      # the first that says something
    cast = { column = "actors", split = ";" }
    kind = { column = "type", words = { F = "film", S = "series" } }

    [constants]
    languages = "es"                                   # where no column says it

For columns with the usual names it is guessed.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BeforeValidator, Field, ValidationError

from falsework.catalogue import entries, values
from falsework.catalogue.codes import country_code, language_code
from falsework.catalogue.entries import LONGEST_NAME
from falsework.catalogue.records import Availability, Credit, Kind, Title
from falsework.errors import FalseworkError
from falsework.faults import key_lines, refuse, toml_refusal, validation_faults
from falsework.rights.records import canonical
from falsework.settings import Settings

__all__ = [
    "Column",
    "Mapping",
    "Reading",
    "guessed",
    "identity",
    "load_mapping",
    "missing_columns",
    "read",
    "read_id",
    "title_of",
]

TitleField = Literal[
    "id", "title", "original_title", "kind", "year", "synopsis", "genres", "moods", "credits", "cast",
    "directors", "writers", "countries", "languages", "rating", "runtime", "seasons", "popularity",
    "availability", "territories", "available_from", "available_until",
]  # fmt: skip
FIELDS: tuple[str, ...] = get_args(TitleField)

# Names that columns have elsewhere, without their case and anything but letters and digits; the best first.
USUAL: dict[str, tuple[str, ...]] = {
    "id": ("id", "titleid", "showid", "movieid", "filmid", "tconst", "imdbid", "tmdbid"),
    "title": ("title", "primarytitle", "name", "titulo", "título"),
    "original_title": ("originaltitle", "originalname"),
    "kind": ("kind", "type", "movietype", "titletype", "contenttype", "mediatype"),
    "year": ("year", "releaseyear", "startyear", "releasedate", "año"),
    "synopsis": ("synopsis", "description", "overview", "extract", "plot", "summary", "sinopsis"),
    "genres": ("genres", "genre", "listedin", "categories", "géneros"),
    "moods": ("moods", "mood"),
    "credits": ("credits",),
    "cast": ("cast", "casts", "actors", "stars", "starring", "reparto"),
    "directors": ("directors", "director", "directedby"),
    "writers": ("writers", "writer", "screenwriters", "writtenby"),
    "countries": ("countries", "country", "productioncountries", "origincountry"),
    "languages": ("languages", "language", "originallanguage", "spokenlanguages"),
    "rating": (
        "rating",
        "certificate",
        "certification",
        "agerating",
        "contentrating",
        "maturityrating",
        "mpaarating",
    ),
    "runtime": ("runtime", "runtimeminutes", "duration", "length", "minutes", "runningtime"),
    "seasons": ("seasons", "numberofseasons"),
    "popularity": ("popularity", "numvotes", "votes", "votecount", "views"),
    "availability": ("availability",),
    "territories": ("territories", "territory"),
    "available_from": ("availablefrom", "dateadded", "licencestart", "licensestart"),
    "available_until": ("availableuntil", "licenceend", "licenseend"),
}
UNRATED = frozenset(
    {"nr", "ur", "unrated", "notrated", "norating", "notyetrated", "tbc", "tbd", "sincalificar"}
)
LONGEST_ID, LONGEST_TITLE, LONGEST_SYNOPSIS = 200, 1_000, 1_000_000
MOST_ENTRIES = 2_000  # of a list; the whole crew of a large production
LARGEST_FILE = 1_000_000  # bytes of a mapping


def _column(value: object) -> object:
    """ "show_id" is short for {column = "show_id"}, and so is a list of names."""
    return value if isinstance(value, dict | Column) else {"column": value}


def _names(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1)]
Constant = str | int | float | tuple[str, ...]


class Column(Settings):
    """Where a field stands: in the first of these columns that says something.

    split   stands between the entries of a list written as text; "" for whatever of | ; , comes up first
    words   their word for ours, whatever its case
    """

    column: Annotated[tuple[Name, ...], BeforeValidator(_names), Field(min_length=1)]
    split: str = ""
    words: dict[str, str] = Field(default_factory=dict)


class Mapping(Settings):
    """Column by field; `constants` count where no column says anything. `prefix` comes before every id."""

    fields: dict[TitleField, Annotated[Column, BeforeValidator(_column)]]
    constants: dict[TitleField, Constant] = Field(default_factory=dict)
    prefix: Annotated[str, Field(max_length=50)] = ""
    dates: str = ""


@dataclass(frozen=True)
class Reading:
    """A row as it was understood: the title, how many seasons it is said to have (0: nothing is said), and
    what was left out because nobody could say what it means."""

    title: Title
    seasons: int = 0
    notes: tuple[str, ...] = ()


def title_of(row: Dictionary[str, Any], mapping: Mapping | None = None) -> Title:
    """The title in a row; ValueError with a clause for people where there is none. Guesses without a
    mapping."""
    return read(row, mapping or guessed(row)).title


def guessed(columns: Iterable[str]) -> Mapping:
    """The mapping for columns with the usual names; FalseworkError where none of them can be the id or the
    title."""
    columns = list(columns)
    return _guessed(tuple(one for one in columns if isinstance(one, str)))


@lru_cache(maxsize=256)
def _guessed(columns: tuple[str, ...]) -> Mapping:
    plain: dict[str, str] = {}
    for one in columns:
        plain.setdefault(re.sub(r"[\W_]", "", one.casefold()), one)
    fields: dict[str, Column] = {}
    for field, usual in USUAL.items():
        named = tuple(plain[one] for one in usual if one in plain)
        if named:
            fields[field] = Column(column=named)
    for field in ("id", "title"):
        if field not in fields:
            there = ", ".join(columns[:12]) or "none"
            raise FalseworkError(
                f"none of the columns ({there}) is known to hold the {field}",
                todo=f'Write a mapping with `{field} = "…"` under [fields] and give it with --mapping.',
            )
    return Mapping(fields=cast(Any, fields))


def load_mapping(path: Path) -> Mapping:
    """The mapping in a TOML file; FalseworkError with key and line for what is wrong in it."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise FalseworkError("is too large for a mapping", where=path, todo="See docs/catalogue.md.")
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise FalseworkError(f"the mapping cannot be read ({error.strerror or error})", where=path) from error
    except UnicodeDecodeError as error:
        raise FalseworkError("is not UTF-8", where=path, todo="Save the mapping as UTF-8.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise toml_refusal(error, text, path) from error
    try:
        mapping = Mapping.model_validate(data)
    except ValidationError as error:
        refuse(validation_faults(error, data, Mapping, "docs/catalogue.md"), key_lines(text), path)
        raise
    for field in ("id", "title"):
        if field not in mapping.fields:
            raise FalseworkError(
                f"does not say which column holds the {field}",
                where=path,
                todo=f'Add `{field} = "…"` under [fields].',
            )
    return mapping


def missing_columns(mapping: Mapping, columns: Iterable[str]) -> FalseworkError | None:
    """What is to be said of a mapping that names no column of a file for a field."""
    there = set(columns)
    for field, where in mapping.fields.items():
        if there.isdisjoint(where.column):
            near = difflib.get_close_matches(where.column[0], there, 1)
            meant = f' Did you mean "{near[0]}"?' if near else ""
            return FalseworkError(
                f'the file has no column "{where.column[0]}" for the {field}',
                todo=f"Correct it under [fields] in the mapping.{meant}",
            )
    return None


def identity(mapping: Mapping) -> str:
    """What tells one mapping from another."""
    return canonical(mapping.model_dump(mode="json")).decode()


# ---- rows ------------------------------------------------------------------------------------------------


def read(row: Dictionary[str, Any], mapping: Mapping) -> Reading:
    """A row as a title; ValueError with a clause for people where it is none."""
    return _Row(row, mapping).reading()


def read_id(row: Dictionary[str, Any], mapping: Mapping) -> str:
    """The id of a row's title, without reading the rest of it."""
    return _Row(row, mapping).id()


class _Row:
    def __init__(self, row: Dictionary[str, Any], mapping: Mapping) -> None:
        self._row = row
        self._mapping = mapping
        self._notes: list[str] = []

    def reading(self) -> Reading:
        minutes, seasons = values.minutes_or_seasons(self._of("runtime"))
        rating, minutes = self._rating(minutes)
        said = self._of("seasons")
        if not isinstance(said, list) and not values.is_missing(said):
            seasons = entries.seasons(said)
        kind = values.kind(self._of("kind")) or ("series" if seasons else "film")
        title = Title(
            id=self.id(),
            title=self._line("title", LONGEST_TITLE),
            kind=cast(Kind, kind),
            original_title=self._line("original_title", LONGEST_TITLE),
            year=values.year(self._of("year")),
            synopsis=values.paragraphs(self._of("synopsis"), LONGEST_SYNOPSIS, "synopsis"),
            genres=self._words("genres", entries.genres),
            moods=self._words("moods", entries.moods),
            credits=self._credits(),
            countries=self._codes("countries", "country", country_code),
            languages=self._codes("languages", "language", language_code),
            rating=rating,
            runtime=minutes,
            popularity=values.popularity(self._of("popularity")),
            availability=self._availability(),
        )
        if not title.title:
            raise ValueError("it has no title")
        if title.original_title == title.title:
            title = replace(title, original_title="")
        return Reading(title, (seasons or 0) if kind == "series" else 0, tuple(self._notes))

    def id(self) -> str:
        value = self._of("id")
        if isinstance(value, str) and any(ord(each) < 32 or ord(each) == 127 for each in value):
            raise ValueError("the id holds control characters")
        text = values.line(value, LONGEST_ID, "id")
        if not text:
            raise ValueError("it has no id")
        return self._mapping.prefix + text

    def _of(self, field: TitleField) -> Any:
        """What the row says for a field, in our words; what the mapping's constants say where it says
        nothing."""
        where = self._mapping.fields.get(field)
        for column in where.column if where is not None else ():
            value = self._row.get(column)
            if not values.is_missing(value) or (
                field in ("id", "title") and isinstance(value, str) and value.strip()
            ):
                if where is not None and where.words and isinstance(value, str):
                    return {one.casefold(): ours for one, ours in where.words.items()}.get(
                        value.strip().casefold(), value
                    )
                return value
        constant = self._mapping.constants.get(field)
        return list(constant) if isinstance(constant, tuple) else constant

    def _line(self, field: TitleField, most: int) -> str:
        return values.line(self._of(field), most, field.replace("_", " "))

    def _entries(self, field: TitleField) -> list[object]:
        where = self._mapping.fields.get(field)
        found = values.entries(self._of(field), where.split if where is not None else "")
        if len(found) > MOST_ENTRIES:
            raise ValueError(f"{field} has {len(found):,} entries, more than {MOST_ENTRIES:,}")
        words = {one.casefold(): ours for one, ours in where.words.items()} if where is not None else {}
        return [words.get(one.casefold(), one) if isinstance(one, str) else one for one in found]

    def _rating(self, minutes: int | None) -> tuple[str, int | None]:
        """The rating. A running time that slipped into its column goes where it belongs, a score is left
        out."""
        rating = self._line("rating", LONGEST_NAME)
        if re.sub(r"\W", "", rating.casefold()) in UNRATED:
            return "", minutes
        if re.fullmatch(r"\d{1,4}\s*(?:min|mins|minutes)\.?", rating.casefold()):
            self._notes.append(f'the rating "{rating}" is a running time')
            return "", minutes or values.minutes_or_seasons(rating)[0]
        if re.fullmatch(r"\d{1,2}[.,]\d+|\d{1,3}(?:[.,]\d+)?\s*(?:/\s*\d+|%)", rating):
            self._notes.append(f'the rating "{rating}" is a score')
            return "", minutes
        return rating, minutes

    def _words(self, field: TitleField, named: Any) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for one in self._entries(field):
            word = values.line(entries.name_in(one), LONGEST_NAME, field)
            found.update(dict.fromkeys(named(word) if word else ()))
        return tuple(found)

    def _codes(self, field: TitleField, what: str, code: Any) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for one in self._entries(field):
            name = values.line(entries.name_in(one), LONGEST_NAME, what)
            known = code(name)
            if known is None:
                self._notes.append(f'the {what} "{name[:60]}" is not known')
            else:
                found[known] = None
        return tuple(found)

    def _credits(self) -> tuple[Credit, ...]:
        found: dict[Credit, None] = {}
        for one in self._entries("credits"):
            found[entries.credit(one, "cast")] = None
        for field, role in (("directors", "director"), ("writers", "writer"), ("cast", "cast")):
            for one in self._entries(cast(TitleField, field)):
                found[entries.credit(one, role)] = None
        return tuple(credit for credit in found if credit.name)

    def _availability(self) -> tuple[Availability, ...]:
        windows = [entries.window(one) for one in self._entries("availability")]
        form = self._mapping.dates
        starts = values.moment(self._of("available_from"), form)
        ends = values.moment(self._of("available_until"), form, end=True)
        if starts is not None and ends is not None and ends <= starts:
            raise ValueError("it is available until before it is available")
        territories = [entries.territory(one) for one in self._entries("territories")]
        if starts is not None or ends is not None or territories:
            windows += [
                Availability(one, starts, ends) for one in dict.fromkeys(territories or ["worldwide"])
            ]
        return tuple(dict.fromkeys(windows))
