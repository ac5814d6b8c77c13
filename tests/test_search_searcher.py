"""The order of work: what is answered, what is said not to be there, and what is never dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from falsework.catalogue.vocabularies import words_of
from falsework.search.answer import OFFLINE, Answer
from falsework.search.query import Query, Span
from falsework.search.ranking.why import stored
from falsework.search.searcher import Searcher
from falsework.search.understanding import Chip
from search_at_work import FakeEndpoint, Naming, sample_searcher, small_searcher, title


@pytest.fixture(scope="module")
def sample() -> Iterator[Searcher]:
    with sample_searcher() as searcher:
        yield searcher
        searcher.catalogue.close()


def names(answer: Answer) -> list[str]:
    return [result.title.title for result in answer.results]


def test_the_sentence_everybody_says(sample: Searcher) -> None:
    answer = sample.search("Something scary but not too scary, maybe a little funny, under two hours")
    assert answer.results
    assert answer.answered_by == OFFLINE
    assert {chip.key for chip in answer.chips} >= {"moods", "mild", "runtime"}
    for result in answer.results:
        assert result.title.runtime is not None
        assert result.title.runtime <= 120
        assert "gory" not in result.title.moods
        assert result.why
    assert sum({"scary", "funny"} <= set(result.title.moods) for result in answer.results[:5]) >= 2


def test_spanish_is_answered_like_english(sample: Searcher) -> None:
    spanish = sample.search("una comedia corta en español")
    assert spanish.language == "es"
    assert spanish.results
    for result in spanish.results:
        assert "es" in result.title.languages
        assert result.title.runtime is not None
        assert result.title.runtime <= 100
    assert sum("Comedy" in result.title.genres for result in spanish.results) >= 3


def test_a_title_by_name_comes_first_with_its_typing_errors(sample: Searcher) -> None:
    for wish in ("Inception", "Inseption", "inception 2010"):
        assert names(sample.search(wish))[0] == "Inception", wish


def test_a_liked_title_is_not_recommended_back(sample: Searcher) -> None:
    answer = sample.search("movies like Jaws")
    assert answer.query.like == ("Jaws",)
    assert answer.results
    assert "Jaws" not in names(answer)


def test_what_is_not_there_is_said_with_the_nearest(sample: Searcher) -> None:
    answer = sample.search("something like The Exorcist")
    assert answer.not_in_catalogue == ("The Exorcist",)
    assert answer.nearest
    assert all(sample.catalogue.title(near.id) == near for near in answer.nearest)
    assert not {near.id for near in answer.nearest} & {result.title.id for result in answer.results}


def test_conditions_hold_for_every_result(sample: Searcher) -> None:
    answer = sample.search("a film with Tom Hanks from the 2000s, no musicals", limit=50)
    assert answer.results
    for result in answer.results:
        assert 2000 <= (result.title.year or 0) <= 2009
        assert "Tom Hanks" in [credit.name for credit in result.title.credits]
        assert "Musical" not in result.title.genres
        for reason in result.why:
            assert reason.quote in stored(result.title, reason.field) or reason.field == "synopsis"


def test_when_nothing_is_left_it_says_what_to_loosen(sample: Searcher) -> None:
    query = Query(languages=("ko",), years=Span(most=1959), text="a western")
    answer = sample.find(query)
    assert not answer.results
    counts = {each.chip.key: each.titles for each in answer.loosen}
    assert counts.keys() == {"languages", "years"}
    for each in answer.loosen:
        wider = sample.find(sample.without(query, each.chip), limit=100)
        assert len(wider.results) == min(each.titles, 100)
    assert [each.titles for each in answer.loosen] == sorted(counts.values(), reverse=True)


def test_a_conversation_edits_and_moves_on(sample: Searcher) -> None:
    first = sample.search("a funny horror film", limit=3)
    shorter = sample.search("under 95 minutes", previous=first.turn, limit=3)
    assert shorter.query.runtime is not None
    assert shorter.query.moods == first.query.moods
    others = sample.search("others", previous=shorter.turn, limit=3)
    assert others.query == shorter.query
    assert others.results
    assert not set(names(others)) & set(names(shorter))
    again = sample.search("others", previous=others.turn, limit=3)
    assert not set(names(again)) & {*names(shorter), *names(others)}


def test_a_chip_taken_away_is_gone(sample: Searcher) -> None:
    answer = sample.search("a western under 60 minutes from the 1940s")
    for chip in answer.chips:
        wider = sample.find(sample.without(answer.query, chip))
        assert chip not in wider.chips
        assert set(wider.chips) == set(answer.chips) - {chip}


def test_more_than_is_read_is_said(sample: Searcher) -> None:
    answer = sample.search("a comedy " + "about a dog " * 8_000)
    assert answer.results
    assert any("not read" in note for note in answer.notes)


def test_an_answer_is_json(sample: Searcher) -> None:
    import json

    answer = sample.search("like The Exorcist but in Spanish", limit=3)
    told = json.loads(json.dumps(answer.to_json(explain=True)))
    assert told.keys() >= {"query", "results", "chips", "answered_by", "not_in_catalogue", "nearest", "notes"}
    for result in told["results"]:
        assert result.keys() >= {"id", "title", "year", "score", "why", "parts"}
    assert Query.model_validate(told["query"]) == answer.query
    assert told["turn"]["shown"] == [result["id"] for result in told["results"]]


TITLES = [
    title("a", "The Lighthouse Keeper", "A keeper and a storm.", year=2001, runtime=90, rating="PG"),
    title("b", "Storm Warning", "A storm takes a village.", year=2011, runtime=130, rating="R"),
    title("c", "A Quiet Sea", "A bloody day at sea, and a storm.", year=1991, runtime=100, rating="G"),
]  # fmt: skip


def test_only_what_the_catalogue_has_is_answered(tmp_path: Path) -> None:
    ranker = Naming(["b", "nowhere", "a", "'; DROP TABLE titles; --", "c"])
    with small_searcher(tmp_path, TITLES, ranker=ranker) as searcher, searcher.catalogue:
        assert [result.title.id for result in searcher.search("storm").results] == ["b", "a", "c"]
        searcher.catalogue.remove(["b"])
        assert [result.title.id for result in searcher.search("storm").results] == ["a", "c"]


def test_a_record_that_changed_is_held_to_the_conditions(tmp_path: Path) -> None:
    with small_searcher(tmp_path, TITLES) as searcher, searcher.catalogue:
        query = Query(runtime=Span(most=100))
        assert {result.title.id for result in searcher.find(query).results} == {"a", "c"}
        searcher.catalogue.upsert([replace(TITLES[0], runtime=150)])
        assert {result.title.id for result in searcher.find(query).results} == {"c"}


def test_what_is_excluded_is_looked_for_in_the_text_where_no_mood_is_recorded(tmp_path: Path) -> None:
    assert "bloody" in words_of("gory")
    with small_searcher(tmp_path, TITLES) as searcher, searcher.catalogue:
        found = searcher.find(Query(text="storm", exclude=("gory",))).results
        assert {result.title.id for result in found} == {"a", "b"}
        found = searcher.find(Query(text="storm", exclude=("village",))).results
        assert {result.title.id for result in found} == {"a", "c"}
        found = searcher.find(Query(text="storm", exclude=("vill",))).results
        assert {result.title.id for result in found} == {"a", "b", "c"}


def test_a_person_who_is_unwanted_is_in_no_result(sample: Searcher) -> None:
    wish = "a comedy, nothing with Adam Sandler"
    answer = sample.search(wish, limit=100)
    assert answer.query.exclude == ("Adam Sandler",)
    assert answer.results
    for result in answer.results:
        assert "Adam Sandler" not in [credit.name for credit in result.title.credits], result.title.title
    assert "Hubie Halloween" in names(sample.search("a film with Adam Sandler", limit=100))


def test_words_that_are_shut_out_count_in_what_to_loosen(tmp_path: Path) -> None:
    with small_searcher(tmp_path, TITLES) as searcher, searcher.catalogue:
        query = Query(years=Span(least=2005), exclude=("storm",))
        answer = searcher.find(query)
        assert not answer.results
        counts = {each.chip.key: each.titles for each in answer.loosen}
        assert counts == {"exclude": 1}
        for each in answer.loosen:
            assert len(searcher.find(searcher.without(query, each.chip)).results) == each.titles


def test_a_territory_holds_back_what_cannot_be_watched_there(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    titles = [
        replace(TITLES[0], availability=()),
        title("b", "B", windows=[{"territory": "DE", "starts": now - timedelta(days=2)}]),
        title("c", "C", windows=[{"territory": "DE", "ends": now - timedelta(seconds=1)}]),
        title("d", "D", windows=[{"territory": "FR"}, {"territory": "US"}]),
    ]
    with small_searcher(tmp_path, titles) as searcher, searcher.catalogue:
        assert {one.title.id for one in searcher.search("journey", territory="DE").results} == {"a", "b"}
        assert {one.title.id for one in searcher.search("journey", territory="US").results} == {"a", "d"}
        assert len(searcher.search("journey").results) == 4


def test_a_new_index_is_taken_over(tmp_path: Path) -> None:
    from falsework.search.index.build import build
    from search_at_work import encoder

    with small_searcher(tmp_path, TITLES) as searcher, searcher.catalogue:
        assert searcher.renewed() is searcher
        searcher.catalogue.upsert([title("d", "Storm Chasers", "They chase a storm.")])
        assert "d" not in {one.title.id for one in searcher.search("storm").results}
        build(searcher.catalogue, tmp_path / "index", encoder=encoder())
        newer = searcher.renewed()
        assert "d" in {one.title.id for one in newer.search("storm").results}
        assert "Storm Chasers" in newer.search("Storm Chasers").query.titles
        newer.opened.close()


# --- with an endpoint


def test_an_endpoint_that_is_down_leaves_the_offline_answer(sample: Searcher) -> None:
    offline = sample.search("a funny horror film")
    with sample_searcher(endpoint=FakeEndpoint()) as searcher, searcher.catalogue:
        answer = searcher.search("a funny horror film")
        assert names(answer) == names(offline)
        assert answer.answered_by == OFFLINE
        assert any("down" in note for note in answer.notes)
        assert [result.score for result in answer.results] == [result.score for result in offline.results]


def test_an_endpoint_understands_and_ranks() -> None:
    endpoint = FakeEndpoint(Query(genres=("Western",)), ["rango-2011", "true-grit-1969", "not-there"])
    with sample_searcher(endpoint=endpoint) as searcher, searcher.catalogue:
        answer = searcher.search("a marshal in the west, dusty and with hats", limit=3)
        assert answer.answered_by == "endpoint fake-1"
        assert answer.query.genres == ("Western",)
        assert names(answer)[:2] == ["Rango", "True Grit"]
        assert answer.chips == (Chip("genres", "Western", "western"),)
        scores = [result.score for result in answer.results]
        assert scores == sorted(scores, reverse=True)
        assert searcher.search("dusty", offline=True).answered_by == OFFLINE
        assert endpoint.asked == ["understand", "rerank"]
    assert endpoint.asked[-1] == "close"
