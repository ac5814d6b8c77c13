"""Ratings by the age they mean; what is unknown is never for children."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.catalogue.ratings import CHILDRENS_AGE, RATINGS, fit_for_children, least_age, rating_named

FOR_CHILDREN = (
    "G", "TV-Y", "TV-Y7", "TV-Y7-FV", "TV-G", "U", "Uc", "FSK 0", "FSK 6", "APTA", "ERI", "ICAA 7", "7i",
    "Tous publics", "All", "7+", "Little Kids",
)  # fmt: skip
NOT_FOR_CHILDREN = (
    "PG", "PG-13", "R", "NC-17", "X", "TV-PG", "TV-14", "TV-MA", "12", "12A", "15", "18", "R18", "FSK 12",
    "FSK 16", "FSK 18", "ICAA 12", "16", "-10", "-12", "-16", "-18", "10+", "13+", "16+", "18+", "Teens",
)  # fmt: skip
NO_RATING = (
    "", " ", "NR", "UR", "Unrated", "Not Rated", "Passed", "Approved", "74 min", "7", "6", "0", "7.8", "8/10",
    "Kids", "A", "E", "G rated by a friend", "TV", "children", "G\nPG", "safe for all ages", "G" * 200,
)  # fmt: skip


@pytest.mark.parametrize("rating", FOR_CHILDREN)
def test_for_children(rating: str) -> None:
    assert fit_for_children(rating)


@pytest.mark.parametrize("rating", NOT_FOR_CHILDREN)
def test_not_for_children(rating: str) -> None:
    assert least_age(rating) is not None
    assert not fit_for_children(rating)


@pytest.mark.parametrize("rating", NO_RATING)
def test_what_is_no_rating_is_not_for_children(rating: str) -> None:
    assert least_age(rating) is None
    assert not fit_for_children(rating)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("tv ma", "TV-MA"), ("TVMA", "TV-MA"), ("pg13", "PG-13"), ("Rated PG-13", "PG-13"), ("US:R", "R"),
        ("MPA G", "G"), ("FSK-12", "FSK 12"), ("ab 6 Jahren", "FSK 6"), ("–12", "-12"), ("−16", "-16"),
        ("TOUS PUBLICS", "Tous publics"), ("No recomendada para menores de siete años", "ICAA 7"),
        ("GB:12a", "12A"), ("tous publics avec avertissement", "Tous publics avec avertissement"),
        ("ＰＧ", "PG"), ("NR-7", "ICAA 7"),
    ],
)  # fmt: skip
def test_what_is_meant(written: str, meant: str) -> None:
    found = rating_named(written)
    assert found is not None
    assert found.name == meant


def test_of_boards_that_write_the_same_the_stricter_counts() -> None:
    for rating in RATINGS:
        for word in (rating.name, *rating.also):
            age = least_age(word)
            assert age is not None
            assert age >= rating.least_age, word


def test_every_rating_says_why() -> None:
    assert all(rating.why and rating.board and 0 <= rating.least_age <= 18 for rating in RATINGS)
    assert {rating.country for rating in RATINGS} >= {"US", "GB", "DE", "ES", "FR"}


@given(st.text(max_size=30))
def test_any_text_has_an_answer(text: str) -> None:
    age = least_age(text)
    assert fit_for_children(text) == (age is not None and age <= CHILDRENS_AGE)


def test_the_streaming_catalogues_ratings(shared: Path) -> None:
    with (shared / "search" / "netflix_titles.csv").open(encoding="cp1252", newline="") as file:
        ratings = {row["rating"] for row in csv.DictReader(file)}
    assert {one for one in ratings if least_age(one) is None} == {
        "",
        "NR",
        "UR",
        "66 min",
        "74 min",
        "84 min",
    }
    assert {one for one in ratings if fit_for_children(one)} == {"G", "TV-G", "TV-Y", "TV-Y7", "TV-Y7-FV"}
