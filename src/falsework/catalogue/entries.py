"""What single entries of a row's lists say: a genre, a person's part, a window of availability.

As in `falsework.catalogue.values`, ValueError says what cannot be read.
"""

from __future__ import annotations

import re
from functools import lru_cache

from falsework.catalogue import values
from falsework.catalogue.codes import country_code
from falsework.catalogue.records import Availability, Credit
from falsework.catalogue.vocabularies import genres_named, moods_named

__all__ = ["LONGEST_NAME", "credit", "genres", "moods", "name_in", "seasons", "territory", "window"]

LONGEST_NAME = 500  # characters
MOST_SEASONS = 200


def seasons(value: object) -> int:
    """How many seasons: 3, "3", "3 Seasons"."""
    text = str(value).strip()
    number = (
        int(float(text)) if re.fullmatch(r"\d{1,3}(?:\.0+)?", text) else values.minutes_or_seasons(value)[1]
    )
    if number is None or number > MOST_SEASONS:
        raise ValueError(f'the number of seasons "{text[:40]}" is none')
    return number


@lru_cache(maxsize=4096)
def genres(word: str) -> tuple[str, ...]:
    """The vocabulary's names for a genre, or the source's own word where it has none."""
    return genres_named(word) or (word,)


@lru_cache(maxsize=4096)
def moods(word: str) -> tuple[str, ...]:
    """The same for a mood."""
    return moods_named(word) or (word,)


def name_in(entry: object) -> object:
    """The name in an entry that is an object, as some sources write lists: {"id": 18, "name": "Drama"}."""
    if isinstance(entry, dict):
        for key in ("iso_3166_1", "iso_639_1", "name"):
            if not values.is_no_entry(entry.get(key)):
                return entry[key]
        raise ValueError("an entry of a list has no name")
    return entry


def credit(entry: object, role: str) -> Credit:
    """A person's part: from a name, or an object with `name` and perhaps `role` and `character`."""
    if isinstance(entry, dict):
        said = values.line(entry.get("role"), LONGEST_NAME, "role")
        character = values.line(entry.get("character"), LONGEST_NAME, "character")
        return Credit(values.line(name_in(entry), LONGEST_NAME, "name"), said or role, character)
    return Credit(values.line(entry, LONGEST_NAME, "name"), role)


def window(entry: object) -> Availability:
    """A window from an object with `territory`, `starts` and `ends`."""
    if not isinstance(entry, dict):
        raise ValueError("an availability window is no object with territory, starts and ends")
    starts, ends = values.moment(entry.get("starts")), values.moment(entry.get("ends"), end=True)
    if starts is not None and ends is not None and ends <= starts:
        raise ValueError("an availability window ends before it starts")
    return Availability(territory(entry.get("territory") or "worldwide"), starts, ends)


def territory(value: object) -> str:
    """A country's code from its name or code, or "worldwide"."""
    name = values.line(name_in(value), LONGEST_NAME, "territory")
    if name.casefold() in ("worldwide", "world", "all", "ww"):
        return "worldwide"
    code = country_code(name)
    if code is None:
        raise ValueError(f'the territory "{name[:60]}" is not known')
    return code
