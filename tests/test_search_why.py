"""Why a result is there: words that are stored, as they are stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.catalogue.records import Title
from falsework.catalogue.vocabularies import GENRES, MOODS
from falsework.search.query import Query, Span
from falsework.search.ranking.why import LONGEST_QUOTE, MOST_REASONS, opening, stored, why
from falsework.search.understanding.chips import chips_of
from search_at_work import title

HOUSE = title(
    "monster-house", "Monster House",
    "Toys that land on the lawn are never seen again, and three children have worked out why: the house "
    "itself is eating them. On Halloween, when doorbells will be rung, they go in with a torch and a plan.",
    year=2006, genres=("Animation", "Comedy"), moods=("chilling", "funny"),
    cast=("Mitchel Musso", "Jason Lee"),
    countries=("US",), languages=("en",), rating="PG", runtime=91,
)  # fmt: skip


def quotes(query: Query, *liked: Title) -> list[tuple[str, str]]:
    return [(reason.field, reason.quote) for reason in why(HOUSE, query, liked=liked)]


def test_what_was_asked_for_is_what_is_quoted() -> None:
    assert ("moods", "funny") in quotes(Query(moods=("funny",)))
    assert ("genres", "Comedy") in quotes(Query(genres=("Comedy", "Drama")))
    assert ("people", "Jason Lee") in quotes(Query(people=("jason lee",)))
    assert ("runtime", "91") in quotes(Query(runtime=Span(most=120)))
    assert ("year", "2006") in quotes(Query(years=Span(least=2000, most=2009)))
    assert ("languages", "en") in quotes(Query(languages=("en",)))
    assert ("rating", "PG") in quotes(Query(kids=True))
    assert ("title", "Monster House") in quotes(Query(titles=("Monster House (2006)",)))


@pytest.mark.parametrize(
    ("query", "english", "spanish"),
    [
        (Query(runtime=Span(most=95)), "up to 95 min", "hasta 95 min"),
        (Query(runtime=Span(least=90)), "at least 90 min", "al menos 90 min"),
        (Query(years=Span(least=2000, most=2009)), "2000s", "años 2000"),
        (Query(around=Span(least=2000)), "perhaps from 2000", "quizá desde 2000"),
        (Query(languages=("en",)), "in English", "en inglés"),
        (Query(countries=("US",)), "from USA", "de Estados Unidos"),
        (Query(kids=True), "for kids", "para niños"),
        (Query(kind="film"), "film", "película"),
    ],
)
def test_what_a_reason_answers_is_said_as_its_chip_says_it(query: Query, english: str, spanish: str) -> None:
    for language, words in (("en", english), ("es", spanish)):
        (reason,) = why(HOUSE, query, language=language)
        (chip,) = chips_of(query, language=language)
        assert reason.wish == chip.words == words


def test_what_was_not_asked_for_is_not_quoted() -> None:
    assert quotes(
        Query(moods=("sad",), genres=("Western",), people=("Tom Hanks",), runtime=Span(most=60))
    ) == [("synopsis", opening(HOUSE.synopsis))]


def test_the_sentence_that_says_most_is_chosen() -> None:
    ((field, quote), *_) = quotes(Query(text="children go into a house with a torch on Halloween"))
    assert field == "synopsis"
    assert quote.startswith("On Halloween")
    found = quotes(Query(text="a house that eats toys"))
    assert "the house itself is eating them" in found[0][1]


def test_a_mood_that_nobody_recorded_is_found_in_the_text() -> None:
    plain = title("x", "X", "A family moves in. The attic is haunted, and the cellar is worse.")
    reasons = why(plain, Query(moods=("scary",)))
    assert [(reason.quote, reason.wish) for reason in reasons] == [
        ("The attic is haunted, and the cellar is worse.", "scary")
    ]


def test_a_liked_title_is_named_with_what_is_shared() -> None:
    other = title("y", "Coraline", genres=("Animation",), moods=("chilling",))
    shared = [(reason.quote, reason.wish) for reason in why(HOUSE, Query(like=("Coraline",)), liked=[other])]
    assert ("chilling", "Coraline") in shared
    assert ("Animation", "Coraline") in shared
    assert all(quote in ("chilling", "Animation") for quote, _ in shared)


@pytest.mark.parametrize(
    "synopsis", ["", "   ", "...", "Ein Wort", "a" * 5_000, "word " * 2_000, "¿Qué? ¡No!"]
)
def test_any_synopsis_gives_quotations_of_it(synopsis: str) -> None:
    odd = Title(id="z", title="Z", synopsis=synopsis)
    for query in (Query(), Query(text="word ein qué no aaaa"), Query(moods=("scary",))):
        for reason in why(odd, query):
            assert reason.quote in synopsis
            assert len(reason.quote) <= LONGEST_QUOTE


NAMES = [term.name for term in (*GENRES, *MOODS)]
texts = st.text(st.characters(codec="utf-8"), max_size=600)


@given(
    synopsis=texts | st.lists(st.sampled_from(HOUSE.synopsis.split()), max_size=120).map(" ".join),
    wish=texts | st.just("a house that eats children on Halloween"),
    names=st.lists(st.sampled_from(NAMES), max_size=4),
    own=st.lists(st.sampled_from(NAMES), max_size=4),
    least=st.integers(0, 200),
)
def test_every_quotation_is_stored(
    synopsis: str, wish: str, names: list[str], own: list[str], least: int
) -> None:
    one = Title(
        id="t", title="A House", year=1999, synopsis=synopsis, genres=tuple(own), moods=tuple(own), runtime=90
    )
    query = Query(text=wish, moods=tuple(names), genres=tuple(names), runtime=Span(least=least), kids=True)
    reasons = why(one, query, liked=[HOUSE])
    assert len(reasons) <= MOST_REASONS
    for reason in reasons:
        assert any(reason.quote in text for text in stored(one, reason.field)), reason
        assert reason.quote
        assert reason.quote == reason.quote.strip()
