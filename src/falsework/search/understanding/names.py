"""The catalogue's titles and people by their names, as viewers type them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from falsework.catalogue.records import Title
from falsework.search.ranking.columns import map_columns, write_columns
from falsework.search.understanding.name_table import PART, SQUEEZED, NameTable, Near, name_key

__all__ = ["Linked", "Names"]

FORMAT: Final = 1
NEWEST: Final = (
    0.995  # the share of titles that are no newer than "recent"; a wrong year of 9999 does not count
)
# How alike two names must be to be one with a slip in it, by their length (rapidfuzz's ratio, 0 to 1).
LONG_SLIP, MIDDLE_SLIP, SHORT_SLIP, DATED_SLIP, MISDATED_SLIP = 0.86, 0.9, 0.8, 0.75, 0.95
YEAR_AT_END: Final = re.compile(r"^(.*\S)\s*\((\d{4})\)\s*$", re.DOTALL)


@dataclass(frozen=True)
class Linked:
    """A title of the catalogue that a name was understood as; `likeness` 1 is the same name."""

    id: str
    title: str
    year: int | None
    likeness: float = 1.0


class Names:
    """All titles and people of a catalogue. Of several titles of one name the year said decides, else the
    popularity, else the newest is meant."""

    def __init__(
        self,
        titles: NameTable,
        people: NameTable,
        ids: npt.NDArray[np.uint8],
        id_offsets: npt.NDArray[np.int64],
        newest: int,
    ) -> None:
        self._titles = titles
        self._people = people
        self._ids = ids
        self._id_offsets = id_offsets
        self.newest = newest  # the year up to which nearly all titles are: what "recent" counts from

    @classmethod
    def of(
        cls,
        titles: Iterable[tuple[str, str, int | None, float | None]],
        people: Iterable[str] | Counter[str] = (),
    ) -> Names:
        """From `(id, title, year, popularity)` of each title and the name of the person of each credit, or
        how many each has: who has more credits is meant rather."""
        ids: list[bytes] = []

        def entries() -> Iterable[tuple[str, int | None, float]]:
            for id_, title, year, popularity in titles:
                ids.append(str(id_).encode("utf-8", "surrogatepass"))
                yield title, year, 0.0 if popularity is None else float(popularity)

        table = NameTable.of(entries(), parts=True)
        credits = Counter(people)
        persons = ((name, None, float(count)) for name, count in sorted(credits.items()) if _is_name(name))
        years = np.sort(table.years[table.years > 0])
        return cls(
            table,
            NameTable.of(persons, parts=False, surnames=True),
            np.frombuffer(b"".join(ids), np.uint8),
            np.concatenate([[0], np.cumsum([len(each) for each in ids], dtype=np.int64)]).astype(np.int64),
            int(years[int(np.ceil(NEWEST * len(years))) - 1]) if len(years) else 2000,
        )

    @classmethod
    def of_titles(cls, titles: Iterable[Title]) -> Names:
        """From the catalogue's records."""
        people: list[str] = []

        def entries() -> Iterable[tuple[str, str, int | None, float | None]]:
            for each in titles:
                people.extend(credit.name for credit in each.credits)
                yield each.id, each.title, each.year, each.popularity

        listed = list(entries())
        return cls.of(listed, people)

    def save(self, path: Path) -> None:
        """Write to one safetensors file, whole or not at all."""
        columns: dict[str, npt.NDArray[Any]] = {"ids": self._ids, "id_offsets": self._id_offsets}
        for prefix, table in (("title", self._titles), ("person", self._people)):
            columns |= {f"{prefix}.{name}": column for name, column in table.columns().items()}
        write_columns(Path(path), columns, {"format": FORMAT, "newest": self.newest})

    @classmethod
    def open(cls, path: Path) -> Names:
        """Map a file of `save`. Raises FalseworkError where it is none."""
        from falsework.errors import FalseworkError

        columns, values = map_columns(Path(path))
        try:
            if values["format"] != FORMAT:
                raise KeyError("format")
            titles, people = (
                NameTable.from_columns(
                    {
                        key.removeprefix(part): column
                        for key, column in columns.items()
                        if key.startswith(part)
                    }
                )
                for part in ("title.", "person.")
            )
            return cls(titles, people, columns["ids"], columns["id_offsets"], values["newest"])
        except KeyError as error:
            raise FalseworkError(
                f"holds no names that this version reads ({error.args[0]})",
                where=path,
                todo="Build the index again: `falsework search --rebuild`.",
            ) from error

    def __len__(self) -> int:
        return len(self._titles)

    # --- titles

    def title(self, said: str, year: int | None = None, *, typos: bool = True) -> Linked | None:
        """The title that is called so, or nearly so; the year may also stand in brackets behind it."""
        if year is None and (bracket := YEAR_AT_END.match(said[-300:])):
            said, year = bracket[1], int(bracket[2])
        key = name_key(said)
        if not key:
            return None
        if exact := self._titles.exact(key):
            return self._linked(self._meant(exact, year))
        if not typos or len(key) < 5:
            return None
        close = [
            near
            for near in self._titles.near(key)
            if _is_slip(key, self._titles.key(near.row), near, year, self._year(near.row))
        ]
        return self._linked(self._meant(close, year)) if close else None

    def is_title(self, said: str) -> bool:
        """Whether a title is called exactly so, give or take its article."""
        return bool(self._titles.holds([name_key(said)])[0])

    def are_titles(self, keys: list[str]) -> npt.NDArray[np.bool_]:
        """For each key (of `name_key`) whether a title is called so; (len(keys),)."""
        return self._titles.holds(keys)

    def nearest(self, said: str, limit: int = 5) -> list[Linked]:
        """The titles written most like a name the catalogue does not have."""
        return [self._linked(near) for near in self._titles.near(name_key(said), limit=limit)]

    def written(self, linked: Linked) -> str:
        """The title as a query names it: its year behind it where the name alone would mean another."""
        plain = self.title(linked.title, typos=False)
        if linked.year is None or (plain is not None and plain.id == linked.id):
            return linked.title
        return f"{linked.title} ({linked.year})"

    def _year(self, row: int) -> int | None:
        year = int(self._titles.years[row])
        return year if year >= 0 else None

    def _meant(self, several: list[Near], year: int | None) -> Near:
        def order(near: Near) -> tuple[float, ...]:
            own = int(self._titles.years[near.row])
            off = 0 if year is None else 9999 if own < 0 else abs(own - year)
            # A film dated a year apart is the same one; the premiere and the release often differ.
            return (
                0 if off <= 1 else 1,
                -round(near.likeness, 2),
                near.way,
                off,
                -float(self._titles.weights[near.row]),
                own if near.way == PART else -own,  # "Kill Bill" is the first of them
            )

        return min(several, key=order)

    def _linked(self, near: Near) -> Linked:
        begin, end = self._id_offsets[near.row], self._id_offsets[near.row + 1]
        id_ = self._ids[begin:end].tobytes().decode("utf-8", "surrogatepass")
        return Linked(id_, self._titles[near.row], self._year(near.row), near.likeness)

    # --- people

    def person(self, said: str, *, typos: bool = False, surname: bool = False) -> str | None:
        """The person who is called so, as the catalogue writes the name; `surname`: a last name alone will do
        where most credits under it are one person's."""
        key = name_key(said)
        for near in self._people.exact(key):
            if near.way <= SQUEEZED or (surname and near.way == PART):
                return self._people[near.row]
        if not typos or " " not in key or len(key) < 7:
            return None
        for near in self._people.near(key, limit=1):
            if near.likeness >= 0.87:
                return self._people[near.row]
        return None

    def are_people(self, keys: list[str]) -> npt.NDArray[np.bool_]:
        """For each key (of `name_key`) whether a person is called so; (len(keys),)."""
        return self._people.holds(keys)

    def credits(self, person: str) -> int:
        """In how many credits the catalogue names this person."""
        return max(
            (int(self._people.weights[near.row]) for near in self._people.exact(name_key(person))), default=0
        )


def _is_slip(said: str, other: str, near: Near, year: int | None, own: int | None) -> bool:
    """Whether a name is another's with slips of the finger: other numbers are another film."""
    if re.findall(r"\d+", said) != re.findall(r"\d+", other):
        return False
    if year is not None and own is not None:
        return near.likeness >= (DATED_SLIP if abs(own - year) <= 1 else MISDATED_SLIP)
    shortest = min(len(said), len(other))
    if shortest < 7:  # a letter makes another word of so short a name: only turned or doubled ones are slips
        return sorted(set(said)) == sorted(set(other)) and near.likeness >= SHORT_SLIP
    return near.likeness >= (LONG_SLIP if shortest >= 8 else MIDDLE_SLIP)


def _is_name(name: str) -> bool:
    return (
        2 < len(name) < 60
        and name[0] not in "([.?"
        and not name.endswith((")", ":"))
        and name not in ("and", "the")
    )
