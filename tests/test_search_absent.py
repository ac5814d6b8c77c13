"""A title that is asked for by its name alone: first where it is there, else said not to be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from falsework.cli.search_words import told
from falsework.search.searcher import Searcher
from search_at_work import sample_searcher


@pytest.fixture(scope="module")
def sample() -> Iterator[Searcher]:
    with sample_searcher() as searcher:
        yield searcher
        searcher.catalogue.close()


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("Titanic 9", "Titanic 9"),
        ("jaws 19", "jaws 19"),
        ("Casablanca", "Casablanca"),
        ("casablanca", "casablanca"),
        ("The Godfather", "The Godfather"),
        ("the godfather", "the godfather"),
        ("el padrino", "The Godfather"),
        ("mulholland drive", "mulholland drive"),
        ("Gone Girl", "Gone Girl"),
        ("do you have Casablanca?", "Casablanca"),
        ("like The Exorcist", "The Exorcist"),
        ("like the exorcist", "the exorcist"),
        ("films like the godfather", "the godfather"),
        ("similar to The Exorcist", "The Exorcist"),
    ],
)
def test_a_name_that_is_not_there_is_said_not_to_be(sample: Searcher, wish: str, name: str) -> None:
    answer = sample.search(wish)
    assert answer.not_in_catalogue == (name,)
    assert answer.results, "what comes nearest by meaning is given all the same"
    assert f"“{name}” is not in the catalogue." in told(answer).replace("\n", " ")


@pytest.mark.parametrize(
    "wish",
    [
        "scary movie", "funny dog", "FUNNY DOGS", "space", "Space", "Dinosaurs", "two brothers at sea",
        "the sea", "tokyo", "New York", "surfing penguins", "something like a bank heist", "movies like that",
        "anything", "a girl who walks through a little door", "tiburones", "perros y gatos", "una isla", "",
    ],
)  # fmt: skip
def test_a_description_is_no_title(sample: Searcher, wish: str) -> None:
    assert sample.search(wish).not_in_catalogue == ()


@pytest.mark.parametrize(
    ("wish", "title"),
    [
        ("jaws", "Jaws"),
        ("pulp ficton", "Pulp Fiction"),
        ("the pianst", "The Pianist"),
        ("Train To Busan", "Train to Busan"),
        ("inseption", "Inception"),
        ("el laberinto del fauno", "Pan's Labyrinth"),
    ],
)
def test_a_name_that_is_there_comes_first(sample: Searcher, wish: str, title: str) -> None:
    answer = sample.search(wish)
    assert answer.results[0].title.title == title
    assert answer.not_in_catalogue == ()


@pytest.mark.parametrize(
    "wish", ["like jaws", "Like Jaws", "similar to jaws", "films like Jaws", "movies like jaws"]
)
def test_what_it_is_to_be_like_is_linked(sample: Searcher, wish: str) -> None:
    answer = sample.search(wish)
    assert answer.query.like == ("Jaws",)
    assert "Jaws" not in [result.title.title for result in answer.results]


def test_nearest_by_name_and_by_meaning_are_told_apart(sample: Searcher) -> None:
    words = " ".join(told(sample.search("Gone Girl")).split())
    assert "“Gone Girl” is not in the catalogue. Nearest by name: " in words
    assert "; nearest by what it may be about:" in words
    words = " ".join(told(sample.search("Casablanca")).split())
    assert "“Casablanca” is not in the catalogue. Nearest by what it may be about:" in words
