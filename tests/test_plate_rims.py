"""Rims of occluders: the plate stays as it is, and nothing of the wall clings to what stands before it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.plate.rims import behind_rims, settle_rims
from falsework.seeds import generator


def _scene(seed: int, dark: float = 0.03) -> tuple[np.ndarray, ...]:
    """A bright wall with a cable and a post before it, coloured ringing beside both."""
    random = generator(seed, "test rims")
    wall = np.full((120, 200, 3), 0.7, np.float32) * random.uniform(0.97, 1.03, (120, 200, 3)).astype(
        np.float32
    )
    x, y = np.meshgrid(np.arange(200) + 0.5, np.arange(120) + 0.5)
    cable = np.clip(1.3 - np.abs(y - 30 - 0.1 * x), 0.0, 1.0)
    post = np.clip(8.5 - np.abs(x - 150), 0.0, 1.0)
    truth = np.maximum(cable, post).astype(np.float32)
    picture = truth[..., None] * np.float32(dark) + (1 - truth[..., None]) * wall
    rim = (cable > 0) & (x < 140)
    picture[rim] += random.uniform(-0.25, 0.25, (int(rim.sum()), 3)).astype(np.float32)
    picture = np.maximum(picture, 0.0)
    return picture.astype(np.float32), truth, wall, np.ones((120, 200), np.float32), rim


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_the_plate_comes_back_and_light_is_never_negative(seed: int) -> None:
    picture, truth, wall, _, _ = _scene(seed)
    opacity, facade = settle_rims(picture, truth, wall)
    own = picture - (1 - opacity[..., None]) * facade
    assert own.min() > -1e-6
    assert facade.min() > -1e-5
    assert np.all((opacity >= 0) & (opacity <= 1))
    assert np.all(opacity[truth == 0] == 0)
    assert np.abs(own + (1 - opacity[..., None]) * facade - picture).max() < 1e-6


def test_ringing_stays_with_the_wall() -> None:
    picture, truth, wall, _, rim = _scene(3)
    before = picture - (1 - truth[..., None]) * wall
    opacity, facade = settle_rims(picture, truth, wall)
    own = picture - (1 - opacity[..., None]) * facade

    def tint(light: np.ndarray) -> float:
        return float(np.ptp(light[rim], axis=1).mean())

    assert tint(own) < 0.15 * tint(before)
    assert own[rim].max() < 0.25


def test_solid_things_and_the_open_wall_are_left_alone() -> None:
    picture, truth, wall, _, _ = _scene(5)
    opacity, facade = settle_rims(picture, truth, wall)
    assert np.all(opacity[:, 146:154] == 1.0)
    assert np.array_equal(facade[truth == 0], wall[truth == 0])
    nothing = np.zeros_like(truth)
    same, untouched = settle_rims(picture, nothing, wall)
    assert same is nothing
    assert untouched is wall


def test_beside_the_building_the_picture_is_carried_behind_thin_things() -> None:
    picture, truth, _wall, _, _ = _scene(7)
    building = np.zeros_like(truth)
    behind = behind_rims(picture, truth, picture, building)
    cable = (truth > 0) & (np.arange(200) < 135)
    assert np.abs(behind[cable].mean() - 0.7) < 0.1
    assert np.array_equal(behind[truth == 0], picture[truth == 0])
    inside = behind_rims(picture, truth, picture, np.ones_like(truth))
    assert inside is picture
