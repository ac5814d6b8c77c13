"""What a record says beside the learned order: a form that is asked for, a country, a little of a mood."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.catalogue.records import Title
from falsework.search.answer import Result
from falsework.search.query import Query
from falsework.search.recorded import as_recorded, looks_at_records
from search_at_work import sample_searcher, small_searcher, title


def results(*titles: Title) -> list[Result]:
    return [Result(one, 1.0 - at / 1000, ()) for at, one in enumerate(titles)]


def order(query: Query, *titles: Title) -> list[str]:
    return [one.title.id for one in as_recorded(results(*titles), query)]


CARTOON = title("cartoon", "Surfers", "A documentary crew films penguins.", genres=("Animation", "Family"))
FILM = title("film", "Ice", "A year with penguins.", genres=("Documentary",))
SILENT = title("silent", "Snow", "Nobody wrote a genre down.")
TOLD = title("told", "Frost", "Frost is a documentary film about ice.")


def test_a_form_that_was_named_weighs_more_than_its_word_in_a_synopsis() -> None:
    query = Query(text="penguins", genres=("Documentary",))
    assert order(query, CARTOON, SILENT, FILM, TOLD) == ["film", "told", "silent", "cartoon"]
    assert order(Query(text="penguins"), CARTOON, FILM) == ["cartoon", "film"]
    assert order(Query(genres=("Comedy", "Drama", "Documentary")), CARTOON, FILM) == ["cartoon", "film"]


def test_documentaries_come_first_in_the_whole_search(tmp_path: Path) -> None:
    with small_searcher(tmp_path, [CARTOON, SILENT, FILM, TOLD]) as searcher, searcher.catalogue:
        for wish in ("documentary about penguins", "un documental sobre pingüinos"):
            assert searcher.search(wish).results[0].title.id == "film", wish


def test_countries_rank_and_shut_nothing_out(tmp_path: Path) -> None:
    titles = [
        title("fr", "Amour", "A journey to Mexico.", countries=("FR",)),
        title("none", "Nowhere", "A journey."),
        title("mx", "Camino", "A road.", countries=("MX", "ES")),
    ]
    assert order(Query(countries=("MX",)), *titles) == ["mx", "none", "fr"]
    with small_searcher(tmp_path, titles) as searcher, searcher.catalogue:
        for wish in ("a film from Mexico", "una película de México", "una película mexicana"):
            answer = searcher.search(wish)
            assert answer.results[0].title.id == "mx", wish
            assert len(answer.results) == len(titles)
            chip = next(chip for chip in answer.chips if chip.key == "countries")
            assert not chip.binds


HARSH = title("harsh", "Mask", rating="R", moods=("scary", "tense"), genres=("Horror",))
SLASHER = title("slasher", "Knife", rating="PG-13", moods=("scary",), genres=("Horror", "Slasher"))
BLEAK = title("bleak", "Night", rating="PG", moods=("scary", "violent", "cruel"))
DARK = title("dark", "Dusk", rating="PG", moods=("scary", "dark"))
UNRATED = title("unrated", "Fog", moods=("scary",))
MILD = title("mild", "Attic", rating="PG", moods=("scary", "funny"))


@pytest.mark.parametrize("text", ["", "a house"])
def test_a_little_of_a_mood_lowers_what_goes_beyond(text: str) -> None:
    query = Query(text=text, moods=("scary",), mild=("scary",))
    found = order(query, HARSH, SLASHER, BLEAK, DARK, UNRATED, MILD)
    assert found[0] == "mild"
    assert set(found[1:3]) == {"dark", "unrated"}
    assert set(found[3:]) == {"harsh", "slasher", "bleak"}
    only = Query(text=text, moods=("scary",))
    assert order(only, HARSH, MILD) == ["harsh", "mild"]


def test_what_is_not_wished_at_all_counts_when_it_is_to_be_little() -> None:
    sad = title("sad", "Rain", rating="G", moods=("sad",))
    assert order(Query(mild=("sad",)), sad, HARSH) == ["harsh", "sad"]
    assert order(Query(moods=("sad",), mild=("sad",)), sad, HARSH) == ["sad", "harsh"]


@pytest.mark.parametrize(
    "wish",
    [
        "algo de miedo pero no mucho",
        "something scary but not too scary",
        "a film about a house that is not too scary",
    ],
)
def test_no_film_for_adults_comes_first_in_the_sample(wish: str) -> None:
    with sample_searcher() as searcher, searcher.catalogue:
        answer = searcher.search(wish, limit=5)
        assert "scary" in answer.query.mild
        assert not {one.title.rating for one in answer.results} & {"R", "TV-MA", "NC-17"}


@given(st.permutations([HARSH, MILD, CARTOON, FILM, UNRATED, SILENT]))
def test_nothing_is_lost_and_scores_fall(titles: list[Title]) -> None:
    query = Query(text="x", genres=("Documentary",), mild=("scary",), countries=("MX",))
    assert looks_at_records(query)
    found = as_recorded(results(*titles), query)
    assert {one.title.id for one in found} == {one.id for one in titles}
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert all(one.parts.keys() == {"form", "countries", "mild"} for one in found)
    assert as_recorded(results(*titles), Query(text="x")) == results(*titles)
