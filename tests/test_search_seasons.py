"""How many seasons a series has: asked for in words, held to the record, or said not to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from falsework.catalogue.records import Season
from falsework.search.query import Query, Span
from falsework.search.understanding import chips_of, understand
from search_at_work import small_searcher, title
from search_names import small_names

NAMES = small_names()


@pytest.mark.parametrize(
    ("say", "least", "most", "words"),
    [
        ("a series with two seasons", 2, 2, "2 seasons"),
        ("a show that has only one season", 1, 1, "1 season"),
        ("a single-season crime series", 1, 1, "1 season"),
        ("a comedy series with at least three seasons", 3, None, "at least 3 seasons"),
        ("series with more than 3 seasons", 4, None, "at least 4 seasons"),
        ("a series under 3 seasons", None, 2, "up to 2 seasons"),
        ("no more than 2 seasons", None, 2, "up to 2 seasons"),
        ("a drama of 2 or 3 seasons", 2, 3, "2–3 seasons"),
        ("between two and four seasons", 2, 4, "2–4 seasons"),
        ("5 seasons or more", 5, None, "at least 5 seasons"),
        ("una serie de una sola temporada", 1, 1, "1 temporada"),
        ("una serie de dos temporadas", 2, 2, "2 temporadas"),
        ("series con más de tres temporadas", 4, None, "al menos 4 temporadas"),
        ("una serie de menos de 3 temporadas", None, 2, "hasta 2 temporadas"),
        ("una serie con al menos 4 temporadas", 4, None, "al menos 4 temporadas"),
        ("una serie de tres temporadas como mucho", None, 3, "hasta 3 temporadas"),
    ],
)
def test_numbers_of_seasons(say: str, least: int | None, most: int | None, words: str) -> None:
    understood = understand(say, names=NAMES)
    query = understood.query
    assert query.seasons == Span(least=least, most=most)
    assert query.kind == "series"
    assert "season" not in query.text
    chip = next(chip for chip in understood.chips if chip.key == "seasons")
    assert (chip.words, chip.binds) == (words, True)


@pytest.mark.parametrize(
    "say",
    [
        "the third season of a crime series",
        "a film about a farm over four seasons",
        "series",
        "a series about a season in hell",
        "the holiday season",
    ],
)
def test_other_seasons_are_no_number(say: str) -> None:
    assert understand(say, names=NAMES).query.seasons is None


def test_a_conversation_changes_and_takes_it_back() -> None:
    query = understand("a series with two seasons", names=NAMES).query
    more = understand("at least three seasons", names=NAMES, previous=query).query
    assert more.seasons == Span(least=3)
    for say in ("quita lo de las temporadas", "forget the three seasons part", "any number of seasons"):
        assert understand(say, names=NAMES, previous=more).query.seasons is None, say


TITLES = [
    title("one", "Harbour", "A harbour town.", kind="series"),
    title("two", "Harbour Lights", "A harbour town.", kind="series"),
    title("unknown", "Harbour Watch", "A harbour town.", kind="series"),
    title("film", "Harbour Film", "A harbour town."),
]
SEASONS = [
    Season("one-1", "one", 1),
    Season("two-1", "two", 1),
    Season("two-2", "two", 2),
    Season("two-0", "two", 0, "Specials"),
]


def test_results_are_held_to_what_is_recorded(tmp_path: Path) -> None:
    with small_searcher(tmp_path, TITLES) as searcher, searcher.catalogue as catalogue:
        with catalogue.writing() as writer:
            writer.seasons(SEASONS)
        assert catalogue.season_counts([one.id for one in TITLES]) == {"one": 1, "two": 2}
        assert catalogue.records_seasons()
        for say, ids in (
            ("a series with two seasons about a harbour", ["two"]),
            ("una serie de una sola temporada", ["one"]),
            ("a series with up to 2 seasons", ["one", "two"]),
            ("a series with 7 seasons", []),
        ):
            answer = searcher.search(say)
            assert sorted(one.title.id for one in answer.results) == ids, say
            assert not answer.notes
        loosen = {each.chip.key: each.titles for each in answer.loosen}
        assert loosen == {"seasons": 3}


def test_where_none_are_recorded_it_is_said(tmp_path: Path) -> None:
    with small_searcher(tmp_path, TITLES) as searcher, searcher.catalogue as catalogue:
        assert not catalogue.records_seasons()
        answer = searcher.search("a series with two seasons")
        assert sorted(one.title.id for one in answer.results) == ["one", "two", "unknown"]
        assert "The catalogue records no seasons: their number was not used." in answer.notes


def test_a_query_says_it_without_a_sentence() -> None:
    assert [chip.words for chip in chips_of(Query(seasons=Span(least=1, most=1)))] == ["1 season"]
