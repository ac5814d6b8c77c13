"""Genres, moods, languages and countries: what catalogues write and viewers say, under one name."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.catalogue.vocabularies import (
    COUNTRIES,
    GENRES,
    LANGUAGES,
    MOODS,
    folded,
    genres_named,
    moods_named,
    term,
    words_of,
)

# Labels of catalogues that name no genre: a place, a language, a kind.
NO_GENRES = {
    "International Movies", "International TV Shows", "British TV Shows", "Spanish-Language TV Shows",
    "Korean TV Shows", "Movies", "TV Shows",
}  # fmt: skip


@pytest.mark.parametrize(
    "terms", [GENRES, MOODS, LANGUAGES, COUNTRIES], ids=["genres", "moods", "languages", "countries"]
)
def test_terms_are_written_once_and_readable(terms: tuple) -> None:  # type: ignore[type-arg]
    names = [each.name for each in terms]
    assert len(set(map(folded, names))) == len(names)
    for each in terms:
        assert each.english
        assert each.spanish
        for word in (*each.english, *each.spanish, *each.text):
            assert word == word.strip() == word.lower()
            assert folded(word)


def test_what_is_near_a_mood_is_a_genre() -> None:
    genres = {each.name for each in GENRES}
    assert all(set(each.near) <= genres for each in (*GENRES, *MOODS))


def test_no_mood_is_called_as_a_genre_is() -> None:
    assert not {folded(each.name) for each in MOODS} & {folded(each.name) for each in GENRES}


def test_there_are_moods_enough() -> None:
    assert 50 <= len(MOODS) <= 80
    assert {"tense", "heart-warming", "scary", "dark", "funny", "mind-bending"} <= {
        each.name for each in MOODS
    }


@pytest.mark.parametrize("each", GENRES, ids=[each.name for each in GENRES])
def test_a_genre_is_found_by_its_own_name(each) -> None:  # type: ignore[no-untyped-def]
    assert genres_named(each.name) == (each.name,)
    assert genres_named(each.name.upper()) == (each.name,)
    assert term(each.name) is each


def test_labels_of_two_genres_are_two() -> None:
    assert genres_named("Action & Adventure") == ("Action", "Adventure")
    assert genres_named("TV Sci-Fi & Fantasy") == ("Science Fiction", "Fantasy")
    assert genres_named("Horror, Comedy / Romance") == ("Horror", "Comedy", "Romance")
    assert genres_named("Stand-Up Comedy & Talk Shows") == ("Stand-up",)
    assert genres_named("Películas de terror") == ("Horror",)
    assert genres_named("") == ()
    assert genres_named("Sport") == genres_named("Sports") == ("Sports",)


def test_moods_are_named_too() -> None:
    assert moods_named("Feel-Good") == ("feel-good",)
    assert moods_named("divertida") == ("funny",)
    assert moods_named("no mood at all") == ()


def test_words_that_exclude() -> None:
    assert {"gore", "splatter"} <= set(words_of("gory"))
    assert words_of("Clowns") == ("clowns",)
    assert "horror" in words_of("Horror")


@given(st.text(max_size=60))
def test_any_label_is_read(label: str) -> None:
    genres = {each.name for each in GENRES}
    assert set(genres_named(label)) <= genres
    assert folded(folded(label)) == folded(label)
    # What has only ASCII in it goes a shorter way, which must lead to the same.
    assert folded(label) == folded(label + "\u0301")


def test_every_genre_of_the_films_is_known(shared: Path) -> None:
    with gzip.open(shared / "search" / "wiki_films.jsonl.gz", "rt", encoding="utf-8") as lines:
        labels = {label for line in lines for label in json.loads(line)["genres"]}
    assert len(labels) > 30
    assert {label for label in labels if not genres_named(label)} == set()


def test_every_genre_of_the_streaming_titles_is_known(shared: Path) -> None:
    with (shared / "search" / "netflix_titles.csv").open(
        encoding="utf-8", errors="replace", newline=""
    ) as lines:
        labels = {label.strip() for row in csv.DictReader(lines) for label in row["listed_in"].split(",")}
    assert {label for label in labels if not genres_named(label)} <= NO_GENRES
