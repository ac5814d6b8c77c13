"""Whole collapses of a small tower: laws they keep, determinism, every kind of failure, injected faults."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from falsework.collapse.bodies import GRAVITY, Bodies, rotate
from falsework.collapse.checks import check_motion
from falsework.collapse.collapse import collapse
from falsework.collapse.motion import EVENT_BREAK, EVENT_IMPACT, Motion
from falsework.collapse.settings import CollapseSettings
from falsework.collapse.trigger import fraction_across, removal_times
from falsework.errors import FalseworkError
from falsework.plate.plate import SetPlane
from scenes import brick_tower

FRAMES = 60
START = 1004


def run(seed: int = 5, frames: int = FRAMES, planes: tuple[SetPlane, ...] = (), **settings: object) -> Motion:
    wanted = CollapseSettings.model_validate({"start": START, **settings})
    return collapse(brick_tower(), planes, wanted, first_frame=1001, frames=frames, fps=24.0, seed=seed)


@pytest.fixture(scope="module")
def motion() -> Motion:
    return run()


def test_nothing_moves_before_the_trigger(motion: Motion) -> None:
    tower = brick_tower()
    assert not motion.moved[: START - 1001 + 1].any()
    still = ~motion.moved
    for frame in range(motion.frames):
        assert np.array_equal(motion.position[frame, still[frame]], tower.centre[still[frame]])
        assert (motion.rotation[frame, still[frame]] == [0, 0, 0, 1]).all()


def test_it_comes_down_within_the_laws(motion: Motion) -> None:
    assert motion.moved[-1].mean() > 0.8
    assert motion.curves["roof_height"][-1] < 0.8 * motion.curves["roof_height"][0]
    for name in ("below_ground", "rises_at_trigger", "faster_than_gravity", "energy"):
        assert motion.checks[name]["passed"], (name, motion.checks[name])
    np.testing.assert_allclose(np.linalg.norm(motion.rotation, axis=2), 1.0, atol=1e-4)
    # Once moved, always moved.
    assert (np.diff(motion.moved.astype(int), axis=0) >= 0).all()


def test_events_are_in_order_and_have_energy(motion: Motion) -> None:
    assert (np.diff(motion.event_time) >= 0).all()
    assert (motion.event_time >= (START - 1001) / 24 - 1e-6).all()
    assert (motion.event_energy > 0).all()
    assert np.isfinite(motion.event_position).all()
    assert {EVENT_BREAK, EVENT_IMPACT} == set(np.unique(motion.event_kind).tolist())
    assert (motion.event_kind == EVENT_BREAK).sum() == (motion.bond_broken >= 0).sum()


def test_one_seed_gives_one_motion_and_another_another(motion: Motion) -> None:
    again, other = run(), run(seed=6)
    for field in fields(Motion):
        mine, same = getattr(motion, field.name), getattr(again, field.name)
        if isinstance(mine, np.ndarray):
            assert mine.tobytes() == same.tobytes(), field.name
    assert motion.checks == again.checks
    assert not np.array_equal(motion.position, other.position)


@pytest.mark.parametrize("kind", ["implosion", "topple", "pancake"])
def test_every_kind_comes_down(kind: str) -> None:
    motion = run(kind=kind)
    assert motion.moved[-1].mean() > 0.5
    assert motion.curves["potential"][-1] < -1e5
    assert motion.checks["rises_at_trigger"]["passed"]


def test_a_building_that_topples_goes_over_in_one_piece() -> None:
    motion = run(kind="topple", frames=75)
    up = rotate(motion.rotation.astype(np.float64), np.broadcast_to([0.0, 0.0, 1.0], motion.position.shape))
    tilt = np.degrees(np.arccos(np.clip(up[:, brick_tower().storey > 0, 2], -1.0, 1.0)))
    assert tilt.max() > 60
    first = int((np.median(tilt, axis=1) > 30).argmax())
    assert (np.abs(tilt[first] - np.median(tilt[first])) < 2).mean() > 0.85
    assert up[first, brick_tower().storey > 0, 1].mean() < -0.4  # towards the camera
    for name in ("energy", "rises_at_trigger", "faster_than_gravity"):
        assert motion.checks[name]["passed"], (name, motion.checks[name])


def test_a_neighbour_the_building_stands_in_does_not_throw_it_out() -> None:
    wall = SetPlane(
        "neighbour", np.array([2.2, 35.0, 0.0]), np.array([0.0, -20.0, 0.0]), np.array([0.0, 0.0, 4.0]), 2.0
    )
    motion = run(planes=(wall,))
    assert motion.checks["rises_at_trigger"]["passed"], motion.checks["rises_at_trigger"]
    assert motion.position[-1, :, 0].min() > -7


def test_a_lopsided_piece_spins_about_its_centre_of_mass() -> None:
    tower = brick_tower(1, 2, 1, origin=(0.0, 0.0, 50.0))
    base = np.array([[-1, -1], [2, -1], [-1, 2]]) * 0.4  # a prism; its corners' mean is its centre of mass
    hull = np.concatenate([np.insert(base, 2, z, axis=1) for z in (-0.5, 0.5)]).astype(np.float32)
    bodies = Bodies(
        replace(tower, hull=np.tile(hull, (2, 1)), hull_start=np.array([0, 6, 12], np.int32)), (), 1 / 96
    )
    bodies.split([np.array([1])], resistance=[1.0])
    bodies.split([np.array([0])], resistance=[0.0])
    bodies.set_spin(2, np.array([0.0, 9.0, 0.0]))
    start = bodies.poses()[0][0]
    for _ in range(48):
        bodies.step(1)
    fall = bodies.poses()[0][0] - start
    assert fall[2] == pytest.approx(-GRAVITY * 0.5**2 / 2, rel=0.03)
    assert np.abs(fall[:2]).max() < 0.005
    assert np.linalg.norm(bodies.spin[2]) > 5


def test_nothing_goes_through_a_neighbour() -> None:
    wall = SetPlane(
        "neighbour", np.array([3.2, 35.0, 0.0]), np.array([0.0, -20.0, 0.0]), np.array([0.0, 0.0, 15.0]), 2.0
    )
    assert np.cross(wall.u, wall.v)[0] < 0  # it faces the tower
    motion = run(planes=(wall,), side="right")
    assert motion.position[:, :, 0].max() < 3.2


@pytest.mark.parametrize("side", ["left", "right", "centre", "corner", "front", "back"])
def test_the_failure_runs_from_its_side(side: str) -> None:
    tower = brick_tower()
    settings = CollapseSettings.model_validate({"side": side})
    across = fraction_across(tower, settings)
    assert across.min() == 0.0
    assert across.max() == 1.0
    first = tower.centre[across == 0.0]
    if side == "left":
        assert (first[:, 0] == tower.centre[:, 0].min()).all()
    if side == "back":
        assert (first[:, 1] == tower.centre[:, 1].max()).all()
    times = removal_times(tower, settings, 1)
    assert np.isfinite(times).any()
    assert (tower.storey[np.isfinite(times)] == 0).all()


@pytest.mark.parametrize("start", [1000, 1061])
def test_a_trigger_outside_the_shot_gets_a_sentence(start: int) -> None:
    with pytest.raises(FalseworkError, match="frame"):
        run(start=start)


def test_a_building_in_the_air_gets_a_sentence() -> None:
    tower = replace(brick_tower(), support=np.zeros(72, dtype=bool))
    with pytest.raises(FalseworkError, match="ground"):
        collapse(tower, (), CollapseSettings(start=START), first_frame=1001, frames=20, fps=24.0, seed=1)


def spoiled(motion: Motion, change: str) -> dict[str, bool]:
    """Which checks pass after a fault was put into a good motion."""
    position = motion.position.copy()
    curves = {name: curve.copy() for name, curve in motion.curves.items()}
    if change == "below_ground":
        position[-1, 3, 2] = -2.0
    elif change == "rises_at_trigger":
        position[8, 40, 2] += 0.5
    elif change == "faster_than_gravity":
        position[5:, 40, 2] -= 3.0
    elif change == "energy":
        curves["kinetic"][20] += 2 * np.abs(curves["potential"]).max()
    elif change == "bulking":
        position[-2:] = position[-1] * [1, 1, 12.0]
    checks = check_motion(
        brick_tower(), replace(motion, position=position, curves=curves), trigger_frame=START - 1001
    )
    return {name: check["passed"] for name, check in checks.items()}


@pytest.mark.parametrize(
    "change", ["below_ground", "rises_at_trigger", "faster_than_gravity", "energy", "bulking"]
)
def test_each_check_finds_its_fault(motion: Motion, change: str) -> None:
    assert not spoiled(motion, change)[change]
