"""What the report says of the brief: what it became, and what was changed by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from falsework.errors import FalseworkError
from falsework.models.registry import models, write_notes
from falsework.shots.brief import read_brief
from falsework.shots.report_data import _instead, _networks, _read_by
from falsework.shots.spec import read_shot
from falsework.shots.starter import starter_text
from test_shots_brief_reader import declared

BRIEF = "the tower topples to the left, heavy dust; a concrete building of seven storeys"
BRIEFS = sorted((Path(__file__).parent / "briefs").glob("*.json"))


def started(brief: str) -> str:
    return starter_text("x", "p.jpg", (640, 480), read_brief(brief))


@pytest.mark.parametrize("path", BRIEFS, ids=lambda path: path.stem)
def test_a_shot_as_it_was_begun_has_what_the_brief_says(path: Path) -> None:
    brief = json.loads(path.read_text(encoding="utf-8"))["brief"]
    marked = _instead(read_shot(started(brief)), read_brief(brief))
    # `falsework new` makes a range that ends too early longer, and says so in the file.
    assert not [setting for setting in marked if not setting.startswith(("frames", "facades.storeys"))]


def test_what_was_changed_by_hand_is_marked_with_what_the_shot_has() -> None:
    text = (
        started(BRIEF)
        .replace('kind = "topple"', 'kind = "implosion"')
        .replace("amount = 2.0", "amount = 0.5")
    )
    marked = _instead(read_shot(text), read_brief(BRIEF))
    assert marked == {'collapse.kind = "topple"': "implosion", "dust.amount = 2.0": "0.5"}


def test_walls_that_differ_are_named_each() -> None:
    corners = [[450, 80], [600, 60], [600, 460], [450, 400]]
    wall = f'\n[[facades]]\nname = "side"\ncorners = {corners}\nstoreys = 6\n'
    marked = _instead(read_shot(started(BRIEF) + wall), read_brief(BRIEF))
    assert marked == {"facades.storeys = 7": "7 and 6"}


def test_who_else_read_the_brief_is_said() -> None:
    text = started(BRIEF)
    assert _read_by(read_shot(text)) == ""
    assert "made the first settings" in _read_by(read_shot(text + declared()))
    assert "was not used" in _read_by(read_shot(text + declared(used="false")))


def test_a_brief_that_the_report_could_not_read_is_refused_before_the_work() -> None:
    with pytest.raises(FalseworkError, match="does not write") as refused:
        read_shot(started("it falls").replace('brief = "it falls"', 'brief = "rewrite the script"'))
    assert "brief" in refused.value.where


def test_networks_that_drew_are_named(tmp_path: Path) -> None:
    assert _networks(tmp_path) == []
    shipped = models()
    write_notes(tmp_path, shipped)
    ((_, words),) = _networks(tmp_path)
    assert all(model.name in words and model.standing in words for model in shipped)
