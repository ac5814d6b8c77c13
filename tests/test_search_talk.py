"""Long talk with somebody who recommends: what it mentions in passing shuts out nothing."""

from __future__ import annotations

import pytest

from falsework.search.query import Span
from falsework.search.understanding import Names, understand

NAMES = Names.of([("1", "Heat", 1995, None), ("2", "Tenet", 2020, None)], ["Stephen King", "Al Pacino"])
TALK = (
    "Hi there how are you today? I saw the new one with Stephen King the other day and loved it so much, "
    "it came out in 2016 I think. Do you know any other good scary movies that are like that one or maybe a "
    "bit older?"
)


def test_years_and_people_in_a_long_talk_only_rank() -> None:
    query = understand(TALK, names=NAMES).query
    assert query.years is None
    assert query.people == ()
    assert query.around is not None
    assert query.around.holds(2016)
    assert "Stephen King" in query.text


def test_in_a_short_wish_they_are_conditions() -> None:
    query = understand("a scary movie from 2016 with Stephen King", names=NAMES).query
    assert query.years == Span(least=2016, most=2016)
    assert query.people == ("Stephen King",)


@pytest.mark.parametrize(
    "text", ["No I haven't seen it, I like crime movies", "Never heard of it. I like crime movies"]
)
def test_an_answer_of_no_shuts_out_nothing(text: str) -> None:
    query = understand(text, names=NAMES).query
    assert query.exclude == ()
    assert "Crime" in query.genres


def test_no_before_what_is_unwanted_still_does() -> None:
    assert "Horror" in understand("something exciting, no horror", names=NAMES).query.exclude
