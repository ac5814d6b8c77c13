"""The match of a scene with an advertisement, by the encoder that search uses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from falsework.ads.campaigns.book import Book
from falsework.ads.decision.relevance import LEAST, MOST, ContextualMatch
from falsework.ads.opportunity import Break, Permissions, Scene, Viewer
from falsework.ads.records import Campaign, Creative, Flight, LineItem

TEXTS = {
    "boots": "Waterproof hiking boots for the mountains",
    "pasta": "Fresh pasta, sauce in ten minutes",
    "strings": "Guitar strings that stay in tune",
    "silent": "",
}


def book() -> Book:
    items = tuple(
        LineItem(id=name, campaign="c", creatives=(Creative(id=name, text=text),))
        for name, text in TEXTS.items()
    )
    flight = Flight(starts=0, ends=2e9)
    return Book([Campaign(id="c", advertiser="a", domain="a.example", flight=flight, line_items=items)])


def beside(**scene: object) -> Break:
    viewer = Viewer(stream="s", permissions=Permissions(verdicts={}))
    return Break(id="b", viewer=viewer, at=0.0, scene=Scene(**scene))  # type: ignore[arg-type]


def matched(match: ContextualMatch, **scene: object) -> dict[str, float]:
    names = [row.line_item.id for row in book().rows]
    return dict(zip(names, match(beside(**scene), np.arange(len(names))), strict=True))


def test_what_goes_with_the_scene_is_worth_more() -> None:
    encoder = pytest.importorskip("falsework.search.encoder").Encoder.load(threads=1)
    match = ContextualMatch(book(), encoder.encode)
    cooking = matched(match, text="An Italian cook teaches her grandson to knead dough", genres=("Comedy",))
    concert = matched(match, text="A band plays its first concert in a garage")
    climb = matched(match, text="Two climbers are caught by weather below the summit")
    assert max(cooking, key=lambda name: cooking[name]) == "pasta"
    assert max(concert, key=lambda name: concert[name]) == "strings"
    assert max(climb, key=lambda name: climb[name]) == "boots"
    for found in (cooking, concert, climb):
        assert found["silent"] == 1.0
        assert all(LEAST <= value <= MOST for value in found.values())


def test_a_scene_of_which_nothing_is_said_changes_nothing_and_is_not_encoded() -> None:
    asked: list[Sequence[str]] = []

    def encode(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        asked.append(texts)
        return np.full((len(texts), 2), np.sqrt(0.5), np.float32)

    match = ContextualMatch(book(), encode)
    assert set(matched(match).values()) == {1.0}
    assert len(asked) == 1
    matched(match, text="a scene")
    matched(match, text="a scene")
    assert len(asked) == 2  # kept


def test_a_book_without_rows_has_an_answer() -> None:
    match = ContextualMatch(Book([]), lambda texts: np.zeros((len(texts), 2), np.float32))
    assert len(match(beside(text="x"), np.zeros(0, np.intp))) == 0
