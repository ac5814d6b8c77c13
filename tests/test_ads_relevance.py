"""The match of a scene with an advertisement, by the encoder that search uses."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from falsework.ads.campaigns.book import Book
from falsework.ads.decision.relevance import LEAST, MOST, ContextualMatch
from falsework.ads.decision.vectors import AT_ONCE, Encoded, by_words
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


class Counted:
    """An encoder of no meaning that counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.asked += texts
        found = np.random.default_rng(len(self.asked)).normal(size=(len(texts), 8)).astype(np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_no_break_waits_for_a_scene_to_be_encoded() -> None:
    may_go_on = threading.Event()

    def slow(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        if len(texts) == 1:  # a scene, not the advertisements
            assert may_go_on.wait(30)
        return by_words(texts)

    match = ContextualMatch(book(), slow, behind=True)
    before = matched(match, text="Fresh pasta for the mountains")
    assert set(before.values()) == {1.0}
    may_go_on.set()
    match.close()
    assert matched(match, text="Fresh pasta for the mountains")["pasta"] > 1.0


def test_scenes_beyond_what_can_wait_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("falsework.ads.decision.relevance.MOST_WAITING", 3)
    may_go_on = threading.Event()
    seen: list[str] = []

    def slow(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        if len(texts) == 1:
            assert may_go_on.wait(30)
            seen.extend(texts)
        return by_words(texts)

    match = ContextualMatch(book(), slow, behind=True)
    for number in range(20):
        matched(match, text=f"scene {number}")
        matched(match, text=f"scene {number}")  # asked for once
    may_go_on.set()
    while len(seen) < 3:
        threading.Event().wait(0.01)
    match.close()
    assert seen == ["scene 0", "scene 1", "scene 2"]


def test_a_text_is_encoded_once_and_never_again_after_a_restart(tmp_path: Path) -> None:
    first = Counted()
    texts = [f"advertisement {number}" for number in range(AT_ONCE + 5)]
    encoded = Encoded(first, tmp_path / "vectors.npz")
    before = encoded([*texts, *texts])
    assert first.asked == texts
    assert (before[: len(texts)] == before[len(texts) :]).all()
    again = Counted()
    assert (Encoded(again, tmp_path / "vectors.npz")(texts) == before[: len(texts)]).all()
    assert not again.asked


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x04K\x01.", b"PK\x05\x06" + bytes(18)])
def test_a_broken_file_of_vectors_is_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vectors.npz").write_bytes(content)
    counted = Counted()
    Encoded(counted, tmp_path / "vectors.npz")(["a"] * AT_ONCE + [f"{n}" for n in range(AT_ONCE)])
    assert len(counted.asked) == AT_ONCE + 1
    again = Counted()
    Encoded(again, tmp_path / "vectors.npz")(["a"])
    assert not again.asked


def test_vectors_nobody_may_write_down_are_still_vectors(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    encoded = Encoded(Counted(), tmp_path / "file" / "vectors.npz")
    assert len(encoded([f"{number}" for number in range(AT_ONCE)])) == AT_ONCE


def test_by_words_two_texts_are_near_where_they_share_some() -> None:
    boots, mountain, cafe, none = by_words(
        ["Hiking boots for mountains", "A storm in the mountain", "Café Zürich", "of it"]
    )
    assert boots @ mountain > boots @ cafe == pytest.approx(0.0, abs=1e-6)
    assert by_words(["cafe zurich"])[0] @ cafe == pytest.approx(1.0)
    assert not none.any()
    match = ContextualMatch(book(), by_words)
    found = matched(match, text="They cook pasta with a sauce")
    assert max(found, key=lambda name: found[name]) == "pasta"
