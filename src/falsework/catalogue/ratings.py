"""From what age a rating lets a title be watched, and whether that makes it fit for a children's profile.

`ratings.csv` beside this module holds the ratings of the boards the catalogue knows: the Motion Picture
Association (filmratings.com, Classification and Rating Rules), the TV Parental Guidelines (tvguidelines.org),
the British Board of Film Classification (bbfc.co.uk, Classification Guidelines), Germany's FSK (§ 14 JuSchG),
Spain's ICAA (Resolución de 16 de febrero de 2010), France's CNC (Code du cinéma, R. 211-12) and the maturity
words Netflix shows. `why` is the board's own meaning in short.

For children is what a board lets everybody watch from the age of seven or younger. Parental guidance (PG,
TV-PG) leaves the judgement to a parent who is not asked here, so it is not; nor is what nobody rated ("NR",
"Unrated", "Passed"), what no board here uses, or a bare small number, which may as well be a score out of
ten.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["CHILDRENS_AGE", "RATINGS", "Rating", "fit_for_children", "least_age", "rating_named"]

CHILDRENS_AGE = 7  # years; what a board advises from a higher age is not for a children's profile
LONGEST = 100  # characters of a rating; what is longer is none


@dataclass(frozen=True)
class Rating:
    """One board's rating: `least_age` in years, `country` by ISO 3166-1 ("" for none), `why` in the board's
    sense."""

    board: str
    country: str
    name: str
    least_age: int
    also: tuple[str, ...]
    why: str


def _read() -> tuple[Rating, ...]:
    file = files("falsework.catalogue") / "ratings.csv"
    return tuple(
        Rating(
            board=row["board"],
            country=row["country"],
            name=row["rating"],
            least_age=int(row["least_age"]),
            also=tuple(filter(None, row["also"].split("|"))),
            why=row["why"],
        )
        for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    )


RATINGS = _read()


def rating_named(rating: str) -> Rating | None:
    """The rating meant by what a catalogue writes ("tv ma", "Rated PG-13", "US:R", "FSK-12"), or None.

    Where several boards write the same, it is the one with the highest age.
    """
    return _known().get(_key(rating)) if len(rating) <= LONGEST else None


def least_age(rating: str) -> int | None:
    """The age in years from which the rating's board lets or advises people to watch; None where that is
    unknown."""
    found = rating_named(rating)
    return None if found is None else found.least_age


def fit_for_children(rating: str) -> bool:
    """Whether a children's profile may show it. Unknown, missing and "parental guidance" are not."""
    age = least_age(rating)
    return age is not None and age <= CHILDRENS_AGE


@cache
def _known() -> dict[str, Rating]:
    known: dict[str, Rating] = {}
    for rating in RATINGS:
        words = (rating.name, *rating.also)
        boards = [f"{before} {word}" for before in (rating.board, rating.country) if before for word in words]
        for word in (*words, *boards):
            before = known.get(_key(word))
            if before is None or before.least_age < rating.least_age:
                known[_key(word)] = rating
    return known


def _key(rating: str) -> str:
    """How a rating is compared: without case, accents, spaces and the "rated" before it. A minus before a
    number and a plus behind it say something (-12, 7+) and stay."""
    plain = unicodedata.normalize("NFKD", rating.casefold().strip())
    plain = re.sub(r"^rated[\s:]+", "", plain)
    plain = re.sub("[‐‑‒–—−]", "-", plain)
    kept = "".join(each for each in plain if each.isalnum() or each in "-+")
    return kept[:1] + kept[1:].replace("-", "")
