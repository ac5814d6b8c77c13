"""The completed facade: nothing before it, nothing lost, carried on above the frame."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scenes import street_camera

from falsework.plate.completion import complete_facade, find_building
from falsework.plate.exemplar import fill_exemplar
from falsework.plate.interpolation import bridge
from falsework.plate.plate import Facade

CAMERA = street_camera()
WALL = Facade(
    name="front",
    origin=np.array([-9.0, 25.0, 0.0]),
    right=np.array([1.0, 0.0, 0.0]),
    normal=np.array([0.0, -1.0, 0.0]),
    width=18.0,
    height=18.0,
    levels=np.linspace(0.0, 18.0, 7),
    windows=np.zeros((0, 4)),
)


def house() -> tuple[np.ndarray, np.ndarray]:
    """A picture of a wall with windows every 3 m before a blue sky, and the wall's own cover."""
    grid = np.stack(np.meshgrid(np.arange(480) + 0.5, np.arange(320) + 0.5), axis=-1)
    local = CAMERA.on_plane(grid, WALL.origin, WALL.normal) - WALL.origin
    u, v = local[..., 0], local[..., 2]
    on = (u > 0) & (u < 18) & (v > 0) & (v < 18)
    pane = (np.abs(np.mod(u, 3.0) - 1.5) < 0.6) & (np.abs(np.mod(v, 3.0) - 1.6) < 0.8)
    picture = np.full((320, 480, 3), [0.25, 0.45, 0.9], np.float32)
    picture[grid[..., 1] > 245] = 0.2
    wall = np.where(pane[..., None], [0.05, 0.06, 0.08], [0.5, 0.35, 0.28]).astype(np.float32)
    picture[on] = wall[on]
    noise = np.random.default_rng(3).normal(0.0, 0.004, picture.shape)
    return np.clip(picture + noise, 0.0, None).astype(np.float32), on.astype(np.float32)


def test_equal_to_the_picture_wherever_nothing_stands() -> None:
    picture, on = house()
    occluder = np.zeros((320, 480), np.float32)
    occluder[100:240, 180:192] = 1.0
    occluder[120:123, 60:420] = 0.7
    seen = picture.copy()
    seen[occluder > 0] = seen[occluder > 0] * (1 - occluder[occluder > 0][:, None])
    facade, building = complete_facade(seen, occluder, (WALL,), CAMERA, on, pad_top=40)
    assert facade.shape == (360, 480, 3)
    assert building.shape == (360, 480)
    assert facade.dtype == building.dtype == np.float32
    assert np.array_equal(facade[40:][occluder == 0], seen[occluder == 0])
    assert np.array_equal(building[40:], on)
    hidden = (occluder > 0) & (on > 0)
    error = np.abs(facade[40:][hidden] - picture[hidden]).max(axis=1)
    assert np.median(error) < 0.03
    assert np.percentile(error, 80) < 0.15
    # no occluder is left on the wall: nothing as black as the post that was painted out
    assert (facade[40:][hidden].max(axis=1) > 0.02).all()


def test_the_occluders_own_light_is_never_negative() -> None:
    picture, on = house()
    occluder = np.zeros((320, 480), np.float32)
    occluder[90:230, 300:318] = 0.35  # far too faint for what is painted there
    picture[90:230, 300:318] *= 0.1
    facade, _ = complete_facade(picture, occluder, (WALL,), CAMERA, on, pad_top=0)
    assert (picture - (1 - occluder[..., None]) * facade).min() > -1e-6


def test_above_the_frame_the_bays_go_on() -> None:
    picture, on = house()
    facade, building = complete_facade(picture, np.zeros_like(on), (WALL,), CAMERA, on, pad_top=60)
    assert np.isfinite(facade).all()
    assert building[:60].min() >= 0.0
    assert building[:60].max() <= 1.0


def test_twice_is_the_same() -> None:
    picture, on = house()
    occluder = np.zeros_like(on)
    occluder[150:230, 120:180] = 1.0
    first = complete_facade(picture, occluder, (WALL,), CAMERA, on, pad_top=20)
    second = complete_facade(picture, occluder, (WALL,), CAMERA, on, pad_top=20)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_the_building_is_found_without_a_matte() -> None:
    picture, on = house()
    found = find_building(picture, np.zeros_like(on), (WALL,), CAMERA)
    assert np.abs(found - on).mean() < 0.02


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.9, 0.9), st.integers(2, 5))
def test_an_edge_is_carried_straight_through_a_thin_gap(slope: float, gap: int) -> None:
    y, x = np.mgrid[0:60, 0:80]
    picture = np.repeat(np.where(x + slope * (y - 30) < 40, 0.1, 0.6)[..., None], 3, axis=2).astype(
        np.float32
    )
    hole = np.zeros((60, 80), bool)
    hole[30 : 30 + gap] = True
    filled = bridge(np.where(hole[..., None], 0.0, picture).astype(np.float32), hole)
    assert np.array_equal(filled[~hole], picture[~hole])
    wrong = np.abs(filled - picture).max(axis=2) > 0.2
    assert wrong[:, 8:-8].sum() <= 3 * gap


def test_a_hole_is_filled_from_the_next_bay() -> None:
    y, x = np.mgrid[0:160, 0:240]
    tone = np.where((np.mod(x, 48) < 20) & (np.mod(y, 80) > 30), 0.2, 0.9).astype(np.float32)
    picture = np.repeat(tone[..., None], 3, axis=2)
    hole = np.zeros(tone.shape, bool)
    hole[60:110, 100:130] = True
    filled = fill_exemplar(
        np.where(hole[..., None], 0.5, picture).astype(np.float32), hole, ~hole, [(0, 48), (0, -48)], unit=10
    )
    assert np.array_equal(filled[~hole], picture[~hole])
    assert (np.abs(filled - picture).max(axis=2) > 0.1).mean() < 0.002
