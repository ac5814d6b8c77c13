"""What nobody wants: two things at once, a length, and what is only asked about."""

from __future__ import annotations

import pytest

from falsework.catalogue.records import Title
from falsework.search.conditions import conditions_of, fulfils
from falsework.search.query import Query, Span
from falsework.search.understanding import Understood, chips_of, understand
from search_names import small_names

NAMES = small_names()


def read(say: str, previous: Query | None = None) -> Understood:
    return understand(say, names=NAMES, previous=previous)


def shuts_out(say: str, *tags: str) -> bool:
    query = read(say).query
    return not fulfils(Title("t", "T", genres=tags, synopsis="A surgeon."), query, conditions_of(query))


@pytest.mark.parametrize(
    "say", ["anything except rom coms", "no romantic comedies", "nada de comedias románticas"]
)
def test_what_is_two_things_is_shut_out_where_it_is_both(say: str) -> None:
    assert shuts_out(say, "Comedy", "Romance")
    assert not shuts_out(say, "Comedy")
    assert not shuts_out(say, "Romance", "Drama")


def test_a_word_before_a_genre_narrows_what_is_shut_out() -> None:
    assert shuts_out("no surgeon dramas", "Drama")
    assert not shuts_out("no medical dramas", "Drama")
    assert read("no medical dramas").query.genres == ()
    assert shuts_out("no period dramas", "Historical", "Drama")
    assert not shuts_out("no period dramas", "Drama")


@pytest.mark.parametrize("say", ["no horror, comedies or dramas", "no horror or comedy"])
def test_a_list_shuts_out_each(say: str) -> None:
    assert shuts_out(say, "Horror")
    assert shuts_out(say, "Comedy", "Romance")


def test_a_genre_that_is_shut_out_with_its_films_asks_for_no_series() -> None:
    assert read("no romantic movies").query.kind is None
    assert read("no movies").query.kind == "series"


def test_live_action_is_no_action() -> None:
    assert read("no live action").query.exclude == ("Live Action",)
    assert read("a live action fairy tale").query.genres[0] == "Live Action"
    assert "Action" not in read("a live action fairy tale").query.genres


def test_two_things_at_once_are_taken_back_and_wanted_again() -> None:
    before = Query(text="dogs", exclude=("rom coms", "gory"))
    assert next(chip.words for chip in chips_of(before)) == "no rom coms"
    assert read("forget the rom com part", before).query.exclude == ("gory",)
    assert read("only romantic comedies", before).query.exclude == ("gory",)
    wanted = Query(genres=("Romance", "Comedy", "Western"))
    assert read("no rom coms", wanted).query.genres == ("Western",)
    assert read("no rom coms", Query(genres=("Comedy",))).query.genres == ("Comedy",)


@pytest.mark.parametrize(
    ("say", "runtime"),
    [
        ("no quiero que sea corta", Span(least=80, most=None)),
        ("I don't want it to be short", Span(least=80, most=None)),
        ("no la quiero corta", Span(least=80, most=None)),
        ("no quiero que sea larga", Span(least=None, most=120)),
        ("I don't want anything long", Span(least=None, most=120)),
    ],
)
def test_a_length_nobody_wants_edits(say: str, runtime: Span) -> None:
    read_so = read(say, Query(text="dogs", runtime=Span(least=None, most=90)))
    assert (read_so.step, read_so.query.text, read_so.query.runtime) == ("edited", "dogs", runtime)


def test_a_language_and_a_country_of_one_code_are_two_things() -> None:
    spanish = Query(text="dogs", languages=("es", "en"))
    assert read("not from Spain", spanish).query.languages == ("es", "en")
    english = read("I don't want it to be in English", spanish).query
    assert (english.languages, english.exclude) == (("es",), ("english",))


def test_what_is_wanted_beside_it_is_none_of_that() -> None:
    assert read("no, something short").query.runtime == Span(least=None, most=90)
    assert read("nothing but short comedies").query.runtime == Span(least=None, most=90)
    both = read("I don't want it to be long or scary").query
    assert (both.runtime, both.exclude) == (Span(least=None, most=120), ("scary",))
    assert read("I don't want a comedy, give me a western", Query(text="dogs")).step == "new"


@pytest.mark.parametrize(
    "say",
    [
        "Do you think Wonder (2017) is kids friendly?",
        "I loved Alien and Heat, great nights. Do you think Gremlins (1984) is family friendly? Show me more",
        "I saw Alien. Is it suitable for kids?",
    ],
)
def test_whether_a_title_is_for_children_sets_no_filter(say: str) -> None:
    assert not read(say).query.kids
    assert understand(say, names=NAMES, kids=True).query.kids


@pytest.mark.parametrize(
    "say",
    [
        "something like Gremlins that is kid friendly",
        "a kids film like Gremlins",
        "what is like Gremlins for kids",
        "My kids loved Gremlins. Something for kids again",
        "is there something kid friendly?",
    ],
)
def test_a_wish_for_children_beside_a_title_sets_it(say: str) -> None:
    assert read(say).query.kids
