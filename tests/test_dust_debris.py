"""Chips fly as physics says and lie where they can lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dust_scenes import FPS, falling_tower, still
from falsework.collapse.motion import EVENT_BREAK
from falsework.dust import simulate_debris
from falsework.dust.field import Debris
from falsework.dust.settings import DustSettings
from falsework.plate.plate import SetPlane
from scenes import brick_tower


@pytest.fixture(scope="module")
def debris() -> Debris:
    fragments, motion = falling_tower(frames=60)
    return simulate_debris(fragments, motion, DustSettings(debris=4000), seed=5)


def test_no_chip_is_ever_below_ground(debris: Debris) -> None:
    assert debris.position[..., 2].min() >= 0.4 * debris.size.min()


def test_sizes_follow_a_power_law(debris: Debris) -> None:
    assert 0.01 <= debris.size.min() < debris.size.max() <= 0.15
    small, large = (debris.size < 0.03).sum(), (debris.size > 0.06).sum()
    assert small > 5 * large > 0


def test_shapes_match_the_contract(debris: Debris) -> None:
    count = len(debris.size)
    assert 0 < count <= 4000
    assert debris.position.shape == (60, count, 3)
    assert debris.rotation.shape == (60, count, 4)
    assert set(np.unique(debris.shape)) <= set(range(8))
    norm = np.linalg.norm(debris.rotation.astype(np.float32), axis=2)
    np.testing.assert_allclose(norm, 1.0, atol=5e-3)
    assert debris.born.min() >= 5


def test_nothing_fountains_at_the_trigger(debris: Debris) -> None:
    early = debris.born <= 8
    rise = debris.position[8:16, early, 2].max(axis=0) - debris.position[8, early, 2]
    assert rise.max() < 0.25


def test_chips_come_to_rest_on_ground_or_heap(debris: Debris) -> None:
    speed = np.linalg.norm(np.diff(debris.position[-3:], axis=0), axis=2).max(axis=0) * FPS
    assert (speed < 0.3).mean() > 0.6
    still_chips = debris.position[-1][speed < 0.05]
    assert (still_chips[:, 2] > 1.0).any()
    assert (still_chips[:, 2] < 0.2).any()


def test_same_seed_same_chips_another_seed_others(debris: Debris) -> None:
    fragments, motion = falling_tower(frames=60)
    again = simulate_debris(fragments, motion, DustSettings(debris=4000), seed=5)
    np.testing.assert_array_equal(again.position, debris.position)
    np.testing.assert_array_equal(again.rotation, debris.rotation)
    other = simulate_debris(fragments, motion, DustSettings(debris=4000), seed=6)
    assert other.position.shape != debris.position.shape or (other.position != debris.position).any()


def test_a_large_chip_follows_the_parabola() -> None:
    fragments = brick_tower(origin=(-3.0, 60.0, 0.0))
    thrown = np.array([4.0, -3.0, 0.0])
    motion = replace(
        still(fragments, 30),
        event_time=np.zeros(200, np.float32),
        event_kind=np.full(200, EVENT_BREAK, np.int32),
        event_position=np.tile(np.array([0.0, 20.0, 15.0], np.float32), (200, 1)),
        event_velocity=np.tile((thrown / 0.85).astype(np.float32), (200, 1)),
        event_normal=np.tile(np.array([0.0, -1.0, 0.0], np.float32), (200, 1)),
        event_energy=np.full(200, 100.0, np.float32),
        event_fragment=np.zeros(200, np.int32),
    )
    chips = simulate_debris(fragments, motion, DustSettings(debris=200), seed=1)
    large = np.flatnonzero(chips.size > 0.05)
    assert len(large) > 2
    first, last = 12, 24
    time = (last - first) / FPS
    for chip in large:
        path = chips.position[:, chip].astype(np.float64)
        velocity = (path[first + 1] - path[first - 1]) * FPS / 2
        ahead = path[first] + velocity * time - np.array([0.0, 0.0, 0.5 * 9.81 * time**2])
        # Air takes a little off a chip of half a decimetre.
        assert np.linalg.norm(path[last] - ahead) < 0.12


def test_nothing_happening_makes_no_chips() -> None:
    fragments = brick_tower()
    chips = simulate_debris(fragments, still(fragments, 6), DustSettings(), seed=1)
    assert chips.position.shape == (6, 0, 3)


def test_no_debris_wanted_none_made() -> None:
    fragments, motion = falling_tower(frames=12)
    assert len(simulate_debris(fragments, motion, DustSettings(debris=0), seed=1).size) == 0


def test_chips_bounce_off_the_set_and_do_not_hop() -> None:
    fragments, motion = falling_tower(frames=50)
    front = float(fragments.vertices[:, 1].min()) - 1.5
    # u x v looks back at the tower (+y).
    wall = SetPlane(
        "wall", np.array([30.0, front, 0.0]), np.array([-60.0, 0.0, 0.0]), np.array([0, 0, 9.0]), 1.0
    )
    free = simulate_debris(fragments, motion, DustSettings(debris=3000), seed=5)
    held = simulate_debris(fragments, motion, DustSettings(debris=3000), seed=5, set_planes=(wall,))
    assert (free.position[-1, :, 1] < front - 0.2).sum() > 20
    began = held.position[0, :, 1] > front + 0.1
    assert not (held.position[-1, began, 1] < front - 0.05).any()
    rise = np.diff(held.position[..., 2], axis=0).max() * FPS
    assert rise < 4.0
