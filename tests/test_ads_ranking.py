"""The best of the book, found from the top: the same as if all of it were looked at."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.ads.campaigns.book import Book, Row, Targets
from falsework.ads.decision import ranking
from falsework.ads.decision.ranking import Ranking, largest
from falsework.ads.records import Campaign, Creative, Flight, LineItem

ROWS = 97


def book(prices: list[int]) -> Book:
    items = [
        LineItem(
            id=f"{number:03d}",
            campaign="c",
            creatives=(Creative(id=f"{number}-a", duration=15.0), Creative(id=f"{number}-b", duration=30.0)),
            price=price,
            house=price == 0,
        )
        for number, price in enumerate(prices)
    ]
    flight = Flight(starts=0.0, ends=2e9)
    return Book(
        [Campaign(id="c", advertiser="a", domain="a.example", flight=flight, line_items=tuple(items))]
    )


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.booleans(), st.booleans())
def test_what_is_found_from_the_top_is_the_best_of_all(
    seed: int, most: int, paced: bool, hopeful: bool
) -> None:
    chance = np.random.default_rng(seed)
    of = book([int(price) for price in chance.integers(0, 12, ROWS)])
    dual = chance.choice([0.0, 0.25, 1.0, 3.0], ROWS) if paced else None
    masks = [chance.random(len(of)) < chance.choice([0.05, 0.5, 1.0]) for _ in range(3)]
    funded = chance.random(ROWS) < 0.8
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "FIRST_LOOK", 8)
        ranked = Ranking(of, hopeful=hopeful)
        for prices in (None, dual):  # the order is made anew where the prices of budgets are others
            best, worth = ranked.first(most, prices, masks, funded)
    margin = np.ones(len(of)) if dual is None else 1.0 - dual[of.item]
    all_worth = np.maximum(of.price, 1.0) * margin
    may = masks[0] & masks[1] & masks[2] & funded[of.item] & ~of.house & (hopeful | (all_worth > 0))
    # What is held back comes last, and of that first what the least is missing to.
    order = [(-all_worth[row], 0.0) if all_worth[row] > 0 else (0.0, -margin[row]) for row in range(len(of))]
    expected = [row for row in sorted(range(len(of)), key=order.__getitem__) if may[row]][:most]
    assert best.tolist() == expected
    assert worth.tolist() == all_worth[expected].tolist()


def test_nothing_is_found_in_an_empty_book() -> None:
    of = book([0, 0])
    best, worth = Ranking(of).first(5, None, [np.ones(len(of), dtype=np.bool_)], np.ones(2, dtype=np.bool_))
    assert len(best) == len(worth) == 0


@given(st.lists(st.floats(-5, 5), max_size=50), st.integers(1, 60))
def test_the_largest_are_in_order(values: list[float], most: int) -> None:
    worth = np.array(values)
    found = worth[largest(worth, most)].tolist()
    assert found == sorted(values, reverse=True)[:most]
    assert all(first >= second for first, second in pairwise(found))


@given(st.lists(st.sampled_from("abcdefgh"), max_size=3), st.lists(st.sampled_from("abcdefgh"), max_size=3))
def test_rows_without_a_name_in_common_are_not_near(first: list[str], second: list[str]) -> None:
    rows = []
    for number, rivals in enumerate((first, second)):
        item = LineItem(
            id=f"item{number}", campaign="c", creatives=(), categories=(rivals[0],) if rivals else ()
        )
        whole = Campaign(
            id=f"c{number}",
            advertiser="x",
            domain=f"{number}.example",
            flight=Flight(starts=0.0, ends=1.0),
            competitors=tuple(f"{one}.example" for one in rivals),
        )
        rows.append(Row.of(whole, item, Creative(id="c")))
    one, other = rows
    if not one.near & other.near:
        assert one.bears(other)


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=2), max_size=12), st.sets(st.sampled_from("abcd")))
def test_a_value_suits_those_that_name_it_and_those_that_name_none(
    named: list[list[str]], asked: set[str]
) -> None:
    targets = Targets(named)
    assert targets.suits_any(asked).tolist() == [not one or bool(asked & set(one)) for one in named]
    assert targets.names_any(asked).tolist() == [bool(asked & set(one)) for one in named]
    assert targets.suits("a").tolist() == [not one or "a" in one for one in named]
    assert targets.open.tolist() == [not one for one in named]  # nobody wrote into it
