"""`falsework new`: the starter shot."""

from __future__ import annotations

import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from falsework.errors import FalseworkError
from falsework.shots.brief import read_brief
from falsework.shots.spec import load_shot, read_shot
from falsework.shots.starter import start_shot, starter_text

BRIEF = (
    "the corner folds from the third floor, slowly at first; heavy pale dust rolls to camera; a dragon yawns"
)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "street photo.jpg"
    cv2.imwrite(str(path), np.full((200, 300, 3), 90, np.uint8))
    return path


def test_a_starter_is_a_sound_shot_with_the_briefs_settings(tmp_path: Path, photo: Path) -> None:
    path = start_shot(tmp_path / "corner shot", photo, read_brief(BRIEF))
    shot = load_shot(path)
    assert shot.name == "corner_shot"
    assert shot.brief == BRIEF
    assert (path.parent / shot.plate.file).read_bytes() == photo.read_bytes()
    assert shot.collapse.from_storey == 3
    assert shot.dust.reach == "camera"
    assert all(0 <= x <= 300 and 0 <= y <= 200 for x, y in shot.facades[0].corners)


def test_each_setting_stands_beside_its_words_and_the_rest_is_listed(tmp_path: Path, photo: Path) -> None:
    text = start_shot(tmp_path / "x", photo, read_brief(BRIEF)).read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("from_storey"))
    assert "“from the third floor”" in line
    head = text[: text.index("name =")]
    assert "NOT UNDERSTOOD" in head
    assert "dragon yawns" in head
    assert "EDIT THIS" in text


def test_what_the_brief_does_not_say_stays_a_comment() -> None:
    text = starter_text("x", "p.jpg", (640, 480), read_brief(""))
    assert set(tomllib.loads(text)) == {
        *("name", "brief", "seed", "fps", "frames", "plate", "facades"),
        *("building", "fracture", "collapse", "dust", "light", "render", "comp"),
    }
    assert tomllib.loads(text)["collapse"] == {}


def test_commented_keys_are_true_when_uncommented() -> None:
    text = starter_text("x", "p.jpg", (640, 480), read_brief(""))
    lines = [
        line.removeprefix("# ") if " = " in line and line.startswith("# ") else line
        for line in text.splitlines()
    ]
    shot = read_shot("\n".join(line for line in lines if not line.startswith("A starter shot")))
    assert shot == read_shot(text)


def test_a_late_start_gets_frames_enough() -> None:
    shot = read_shot(starter_text("x", "p.jpg", (640, 480), read_brief("It falls after ten seconds.")))
    assert shot.collapse.start == 1241
    assert shot.frames[1] > 1241


def test_a_brief_cannot_write_settings_of_its_own() -> None:
    brief = 'it implodes"\nseed = 99\n[dust]\namount = 9 \\ “quotes” \x07'
    shot = read_shot(starter_text("x", "p.jpg", (640, 480), read_brief(brief)))
    assert shot.brief == brief
    assert shot.dust.amount == 1.0


def test_nothing_is_overwritten(tmp_path: Path, photo: Path) -> None:
    start_shot(tmp_path / "x", photo, read_brief(BRIEF))
    with pytest.raises(FalseworkError, match="is there already"):
        start_shot(tmp_path / "x", photo, read_brief(BRIEF))


def test_a_photo_that_is_none_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not a picture")
    with pytest.raises(FalseworkError):
        start_shot(tmp_path / "x", bad, read_brief(BRIEF))
    assert not (tmp_path / "x").exists()
    with pytest.raises(FalseworkError):
        start_shot(tmp_path / "x", tmp_path / "none.jpg", read_brief(BRIEF))
