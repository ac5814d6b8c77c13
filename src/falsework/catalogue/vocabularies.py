"""The words catalogues and viewers use for genres, moods, languages and countries, under one name each.

The tables are CSV files beside this module, `|` between the entries of a cell:

genres.csv     name, english, spanish, text, near
moods.csv      name, english, spanish, text, near
languages.csv  name (ISO 639-1), english, spanish
countries.csv  name (ISO 3166-1 alpha-2), english, spanish

`english` and `spanish` are what people and catalogues say for it, `text` are words that speak of it in a
synopsis, `near` are genres that usually carry it.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = [
    "COUNTRIES",
    "GENRES",
    "LANGUAGES",
    "MOODS",
    "Term",
    "folded",
    "genres_named",
    "moods_named",
    "term",
    "words_of",
]


@dataclass(frozen=True)
class Term:
    """One entry of a vocabulary; its words are in lower case, with their accents."""

    name: str
    english: tuple[str, ...]
    spanish: tuple[str, ...]
    text: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


_ASCII = re.compile("[0-9a-z]+")


def folded(words: str) -> str:
    """Lower case without accents, every run of other characters than letters and digits one space."""
    bare = words.replace("&", " and ").replace("'", "").replace("’", "")
    if bare.isascii():  # nearly all of them: a search folds hundreds
        return " ".join(_ASCII.findall(bare.lower()))
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", bare).casefold())
    kept = "".join(each if each.isalnum() else " " for each in plain if not unicodedata.combining(each))
    return " ".join(kept.split())


def _read(name: str) -> tuple[Term, ...]:
    return tuple(_rows(name))


def _rows(name: str) -> Iterator[Term]:
    file = files("falsework.catalogue") / "vocabularies" / f"{name}.csv"
    with file.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            yield Term(
                row["name"],
                *(
                    tuple(filter(None, (row.get(key) or "").split("|")))
                    for key in ("english", "spanish", "text", "near")
                ),
            )


GENRES = _read("genres")
MOODS = _read("moods")
LANGUAGES = _read("languages")
COUNTRIES = _read("countries")

# What catalogues write around a genre's name without changing it.
AROUND_A_GENRE = re.compile(
    r"\b(?:tv|television|movies?|films?|shows?|series|features?|pictures?|peliculas|programas|programmes|programs|"
    r"international|british|korean|spanish language|classic)\b"
)


def genres_named(label: str) -> tuple[str, ...]:
    """The genres a catalogue's label means: "Sci-Fi & Fantasy" is two, "International Movies" is none."""
    known = _names(GENRES)
    whole = folded(label)
    if whole in known:
        return (known[whole],)
    found: list[str] = []
    for part in re.split(r"[,/;|&]|\band\b", label.casefold()):
        plain = folded(part)
        bare = " ".join(AROUND_A_GENRE.sub(" ", plain).split())
        name = known.get(plain) or known.get(bare)
        if name and name not in found:
            found.append(name)
    return tuple(found)


def moods_named(label: str) -> tuple[str, ...]:
    """The mood a catalogue's label means, or none."""
    name = _names(MOODS).get(folded(label))
    return (name,) if name else ()


def term(name: str) -> Term | None:
    """The genre or mood of this name (genres first), in whatever case."""
    plain = folded(name)
    for each in (*GENRES, *MOODS):
        if folded(each.name) == plain:
            return each
    return None


def words_of(name: str) -> tuple[str, ...]:
    """Words by which a title's text speaks of a genre or mood; a plain word stands for itself.

    What `exclude` has to look for in a text, and what a wish is put into words with."""
    known = term(name)
    return (name.casefold(),) if known is None else tuple(dict.fromkeys((known.name.casefold(), *known.text)))


@cache
def _names(terms: tuple[Term, ...]) -> dict[str, str]:
    """Every folded alias to its term's name; the first term that claims an alias keeps it."""
    names = {folded(each.name): each.name for each in terms}
    for each in terms:
        for alias in (*each.english, *each.spanish):
            names.setdefault(folded(alias), each.name)
    return names
