"""Conversations: what edits the wish before, what replaces it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.search.query import Query, Span
from falsework.search.understanding import Understood, understand
from search_names import small_names

NAMES = small_names()
SHOWN = ("Alien", "Heat", "Gremlins", "Oldboy")


def then(say: str, previous: Query, **more: object) -> Understood:
    return understand(say, names=NAMES, previous=previous, **more)  # type: ignore[arg-type]


BEFORE = Query(
    text="dogs",
    genres=("Horror", "Comedy"),
    moods=("dark",),
    years=Span(least=1990, most=1999),
    runtime=Span(least=None, most=120),
    people=("Al Pacino",),
    languages=("en",),
)


@pytest.mark.parametrize(
    ("say", "step"),
    [
        ("shorter", "edited"),
        ("Shorter please!", "edited"),
        ("a bit shorter", "edited"),
        ("not that long", "edited"),
        ("no gore", "edited"),
        ("but no gore", "edited"),
        ("in Spanish", "edited"),
        ("newer", "edited"),
        ("something newer", "edited"),
        ("funnier", "edited"),
        ("make it funnier", "edited"),
        ("with Tom Hanks instead", "edited"),
        ("remove horror", "edited"),
        ("for kids", "edited"),
        ("only films", "edited"),
        ("funny", "edited"),
        ("the 80s", "edited"),
        ("90 minutes", "edited"),
        ("any language", "edited"),
        ("more like the second", "edited"),
        ("more like the second one", "edited"),
        ("not like the first", "edited"),
        ("something else", "others"),
        ("something else please", "others"),
        ("show me more", "others"),
        ("more", "others"),
        ("others", "others"),
        ("I have seen those", "others"),
        ("start over", "cleared"),
        ("Start over, please.", "cleared"),
        ("reset", "cleared"),
        ("forget it", "cleared"),
        ("a documentary about whales", "new"),
        ("I want a western", "new"),
        ("horror movies", "new"),
        ("something scary but not too scary", "new"),
        ("movies with Drew Barrymore", "new"),
        ("like Heat but in Spanish", "new"),
        ("Heat", "new"),
        ("Blade Runner", "new"),
    ],
)
def test_step(say: str, step: str) -> None:
    assert then(say, BEFORE, shown=SHOWN).step == step


def test_without_a_wish_before_nothing_is_edited() -> None:
    understood = understand("shorter", names=NAMES)
    assert understood.step == "new"


@pytest.mark.parametrize(
    ("say", "like", "unlike"),
    [
        ("more like the second", ("Heat",), ()),
        ("like the first one", ("Alien",), ()),
        ("something like number 3", ("Gremlins",), ()),
        ("more like the last", ("Oldboy",), ()),
        ("not like the third", (), ("Gremlins",)),
    ],
)
def test_titles_that_were_shown(say: str, like: tuple[str, ...], unlike: tuple[str, ...]) -> None:
    query = then(say, BEFORE, shown=SHOWN).query
    assert (query.like, query.unlike) == (like, unlike)
    assert query.genres == BEFORE.genres


def test_a_place_nothing_was_shown_at_changes_nothing() -> None:
    assert then("more like the ninth", BEFORE, shown=SHOWN).query.like == ()


def test_an_edit_keeps_all_else() -> None:
    edited = then("shorter", BEFORE).query
    assert edited == BEFORE.model_copy(update={"runtime": Span(least=None, most=96)})


def test_shorter_again_and_again_stays_a_length() -> None:
    query = BEFORE
    for _ in range(40):
        query = then("shorter", query).query
        assert query.runtime is not None
        assert query.runtime.most is not None
        assert query.runtime.most >= 10
    for _ in range(40):
        query = then("longer", query).query
        assert query.runtime is not None


def test_newer_and_older_go_on() -> None:
    newer = then("newer", BEFORE).query
    assert newer.years == Span(least=2000, most=None)
    older = then("older", BEFORE).query
    assert older.years == Span(least=None, most=1989)
    for word in ("newer", "older"):
        query = BEFORE
        for _ in range(60):
            query = then(word, query).query
            assert query.years is not None


def test_conditions_are_replaced_and_wishes_grow() -> None:
    query = then("in Korean", BEFORE).query
    assert query.languages == ("ko",)
    query = then("with Tom Hanks", query).query
    assert query.people == ("Tom Hanks",)
    query = then("and with Meg Ryan", query).query
    assert query.people == ("Tom Hanks", "Meg Ryan")
    query = then("funnier", query).query
    assert query.moods == ("dark", "funny")
    query = then("from the 2010s", query).query
    assert query.years == Span(least=2010, most=2019)


def test_what_is_unwanted_is_no_longer_wanted() -> None:
    query = then("no horror", BEFORE).query
    assert query.genres == ("Comedy",)
    assert query.exclude == ("Horror",)
    back = then("but with horror", query).query
    assert "Horror" not in back.exclude
    assert "Horror" in back.genres


def test_removing_takes_back_a_wish_without_shutting_out() -> None:
    query = then("remove horror", BEFORE).query
    assert query.genres == ("Comedy",)
    assert query.exclude == ()


def test_any_frees_a_condition() -> None:
    assert then("any language", BEFORE).query.languages == ()
    assert then("any year", BEFORE).query.years is None
    assert then("any length", BEFORE).query.runtime is None
    assert then("any actor", BEFORE).query.people == ()


@pytest.mark.parametrize(
    ("say", "same_as"),
    [
        ("más corta", "shorter"),
        ("más larga", "longer"),
        ("sin sangre", "no gore"),
        ("en francés", "in French"),
        ("más reciente", "newer"),
        ("más divertida", "funnier"),
        ("otra cosa", "something else"),
        ("para niños", "for kids"),
        ("empezar de nuevo", "start over"),
        ("con Tom Hanks", "with Tom Hanks"),
    ],
)
def test_spanish_edits_as_english_does(say: str, same_as: str) -> None:
    spanish, english = then(say, BEFORE, shown=SHOWN), then(same_as, BEFORE, shown=SHOWN)
    assert spanish.query == english.query
    assert spanish.step == english.step


@given(
    st.lists(
        st.sampled_from(
            [
                "shorter",
                "longer",
                "newer",
                "older",
                "no gore",
                "funnier",
                "in Spanish",
                "for kids",
                "remove horror",
                "something else",
                "not that old",
                "with Tom Hanks instead",
                "any year",
                "more like the second",
                "scarier",
                "about dogs",
            ]
        ),
        max_size=12,
    )
)
def test_any_conversation_holds(edits: list[str]) -> None:
    query = BEFORE
    for edit in edits:
        query = then(edit, query, shown=SHOWN).query
        assert Query.model_validate(query.model_dump()) == query
