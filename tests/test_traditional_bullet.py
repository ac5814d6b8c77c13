"""Collapses by Blender's Bullet: the laws they keep, the trigger they share with ours, determinism."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from blender_fakes import signs_of_life
from falsework.building.fragments import Fragments
from falsework.collapse.bodies import GRAVITY
from falsework.collapse.failure import BondGraph
from falsework.collapse.motion import EVENT_BREAK, EVENT_IMPACT, Motion
from falsework.collapse.settings import CollapseSettings
from falsework.collapse.trigger import removal_times
from falsework.errors import FalseworkError
from falsework.plate.plate import SetPlane
from falsework.render.traditional.blender import Blender, find_blenders
from falsework.render.traditional.bullet import SETTLING, Poses, bullet_collapse, overlapping, simulate
from falsework.render.traditional.bullet_motion import motion_of_poses
from falsework.render.traditional.settings import TraditionalSettings
from scenes import brick_tower

START, FRAMES, FPS, SEED = 1004, 60, 24.0, 5
NEVER_USED = Blender(Path("/nowhere"), False, "4.1.0", frozenset({"bullet"}))


@pytest.fixture(scope="module")
def blender() -> Blender:
    try:
        return find_blenders().simulate
    except FalseworkError as error:
        pytest.skip(f"needs a Blender with Bullet: {error}")


def run(
    blender: Blender,
    folder: Path,
    *,
    frames: int = FRAMES,
    planes: tuple[SetPlane, ...] = (),
    **settings: object,
) -> Motion:
    folder.mkdir()
    return bullet_collapse(
        brick_tower(),
        planes,
        CollapseSettings.model_validate({"start": START, **settings}),
        TraditionalSettings(),
        first_frame=1001,
        frames=FRAMES,
        fps=FPS,
        seed=SEED,
        blender=blender,
        folder=folder,
    )


@pytest.fixture(scope="module")
def motion(blender: Blender, tmp_path_factory: pytest.TempPathFactory) -> Motion:
    return run(blender, tmp_path_factory.mktemp("bullet") / "tower")


def poses(
    blender: Blender, fragments: Fragments, folder: Path, gone: npt.NDArray[np.bool_] | None = None
) -> Poses:
    """A second of Bullet on some fragments, with the supports `gone` (N,) crushed at once."""
    times = np.full(len(fragments), np.inf)
    if gone is not None:
        times[gone] = 0.0
    return simulate(
        fragments, (), BondGraph(fragments, 1.0, SEED), times, times, TraditionalSettings(),
        frames=25, fps=FPS, blender=blender, folder=folder,
    )  # fmt: skip


# ---- physics ----------------------------------------------------------------------------------------------


def test_a_free_piece_falls_as_galilei_says(blender: Blender, tmp_path: Path) -> None:
    tower = brick_tower(1, 2, 1, origin=(0.0, 0.0, 50.0))
    seen = poses(blender, tower, tmp_path, np.array([True, False])).position
    for piece in range(2):
        fallen = seen[0, piece, 2] - seen[:, piece, 2]
        time = np.arange(len(seen)) / FPS
        step = 1 / FPS / TraditionalSettings().substeps
        # Semi-implicit Euler falls g t (t + step) / 2.
        np.testing.assert_allclose(fallen, GRAVITY * time * (time + step) / 2, rtol=0.01, atol=2e-3)
    assert np.abs(seen[:, :, :2] - tower.centre[:, :2]).max() < 2e-3


def test_a_tower_stands_without_a_trigger(blender: Blender, tmp_path: Path) -> None:
    tower = brick_tower(rows=8)
    seen = poses(blender, tower, tmp_path)
    assert np.linalg.norm(seen.position - tower.centre, axis=2).max() < 0.01
    assert (seen.broken < 0).all()


def test_what_a_support_carried_comes_down(blender: Blender, tmp_path: Path) -> None:
    tower = brick_tower()
    gone = tower.support
    seen = poses(blender, tower, tmp_path, gone)
    above = seen.position[-1, ~gone, 2] - tower.centre[~gone, 2]
    assert above.max() < -0.3


def test_nothing_rises_and_nothing_falls_faster_than_gravity_lets_it(motion: Motion) -> None:
    tower = brick_tower()
    # A block of 1.5 m that rolls over an edge has its centre higher for a moment.
    assert (motion.position[:, :, 2] - tower.centre[:, 2]).max() < 0.2
    for name in ("rises_at_trigger", "faster_than_gravity", "energy", "below_ground"):
        assert motion.checks[name]["passed"], (name, motion.checks[name])


def test_it_comes_down(motion: Motion) -> None:
    assert motion.moved[-1].mean() > 0.8
    assert motion.curves["roof_height"][-1] < 0.8 * motion.curves["roof_height"][0]
    assert motion.curves["bonds"][-1] < motion.curves["bonds"][0]
    assert motion.curves["potential"][-1] < -1e6
    np.testing.assert_allclose(np.linalg.norm(motion.rotation, axis=2), 1.0, atol=1e-4)
    assert (np.diff(motion.moved.astype(int), axis=0) >= 0).all()


def test_nothing_goes_through_a_neighbour_and_one_the_building_stands_in_does_not_throw_it(
    blender: Blender, tmp_path: Path
) -> None:
    wall = SetPlane(
        "neighbour", np.array([3.2, 35.0, 0.0]), np.array([0.0, -20.0, 0.0]), np.array([0.0, 0.0, 15.0]), 2.0
    )
    motion = run(blender, tmp_path / "beside", planes=(wall,), side="right")
    assert motion.position[:, :, 0].max() < 3.2
    within = replace(wall, origin=np.array([2.2, 35.0, 0.0]), v=np.array([0.0, 0.0, 4.0]))
    motion = run(blender, tmp_path / "within", planes=(within,))
    assert motion.checks["rises_at_trigger"]["passed"], motion.checks["rises_at_trigger"]
    assert motion.position[-1, :, 0].min() > -7


# ---- the trigger, the events, the bits --------------------------------------------------------------------


def test_nothing_moves_before_the_trigger_and_supports_go_when_they_do_in_our_own(motion: Motion) -> None:
    tower, start = brick_tower(), START - 1001
    assert not motion.moved[: start + 1].any()
    for frame in range(motion.frames):
        still = ~motion.moved[frame]
        assert np.array_equal(motion.position[frame, still], tower.centre[still])
        assert (motion.rotation[frame, still] == [0, 0, 0, 1]).all()
    removal = removal_times(tower, CollapseSettings(start=START), SEED)
    earliest = np.minimum(removal[tower.bond[:, 0]], removal[tower.bond[:, 1]])
    cut = np.flatnonzero(np.isfinite(earliest))
    # The frame after that in which the time has come; some have been torn before.
    due = start + np.ceil(earliest[cut] * FPS) + 1
    assert (motion.bond_broken[cut] >= 0).all()
    assert (motion.bond_broken[cut] <= due).all()
    assert (motion.bond_broken[cut] == due).mean() > 0.5


def test_events_are_in_order_and_hold_no_more_energy_than_was_lost(motion: Motion) -> None:
    assert (np.diff(motion.event_time) >= 0).all()
    assert (motion.event_time >= (START - 1001) / FPS - 1e-6).all()
    assert (motion.event_energy > 0).all()
    assert {EVENT_BREAK, EVENT_IMPACT} == set(np.unique(motion.event_kind).tolist())
    assert (motion.event_kind == EVENT_BREAK).sum() == (motion.bond_broken >= 0).sum()
    struck = motion.event_energy[motion.event_kind == EVENT_IMPACT].sum()
    assert 0.1 * motion.curves["dissipated"][-1] < struck < 1.1 * motion.curves["dissipated"][-1]


def test_the_same_shot_gives_the_same_bits(motion: Motion, blender: Blender, tmp_path: Path) -> None:
    again = run(blender, tmp_path / "again")
    for field in fields(Motion):
        mine, same = getattr(motion, field.name), getattr(again, field.name)
        if isinstance(mine, np.ndarray):
            assert mine.tobytes() == same.tobytes(), field.name
    assert motion.checks == again.checks


def test_a_large_building_is_not_set_up_in_silence(
    blender: Blender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = signs_of_life(tmp_path, monkeypatch)
    tower = brick_tower(2, 3, 1)
    seen = poses(blender, tower, tmp_path)
    before = next(k for k, words in enumerate(said) if b'"done"' in words)
    # Each piece, each bond twice (made, then made breakable), the ground, and each frame of settling.
    assert before >= len(tower) + 2 * len(seen.broken) + 1 + SETTLING


# ---- without a Blender ------------------------------------------------------------------------------------


def test_a_trigger_outside_the_shot_and_a_house_in_the_air_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FalseworkError, match="Choose a start frame"):
        run(NEVER_USED, tmp_path / "late", start=2000)
    tower = brick_tower()
    floating = replace(tower, support=np.zeros(len(tower), dtype=bool))
    with pytest.raises(FalseworkError, match="stands on the ground"):
        bullet_collapse(
            floating, (), CollapseSettings(start=START), TraditionalSettings(), first_frame=1001,
            frames=9, fps=FPS, seed=SEED, blender=NEVER_USED, folder=tmp_path,
        )  # fmt: skip


def test_hulls_that_overlap_are_found_and_those_with_a_gap_are_not() -> None:
    tower = brick_tower(2, 1, 1)
    hull = tower.hull.astype(np.float64)
    for gap, found in ((-0.1, 1), (0.005, 1), (0.02, 0)):
        rest = np.array([[0.0, 0.0, 0.0], [1.5 + gap, 0.0, 0.0]])
        pairs = overlapping(rest, hull, tower.hull_start, margin=0.005)
        assert len(pairs.pair) == found, gap
        if found:
            np.testing.assert_allclose(pairs.axis, [[1, 0, 0]], atol=1e-6)
            np.testing.assert_allclose(pairs.reach, 0.75 + 0.01)


def test_poses_become_a_motion_whose_impact_is_the_energy_lost() -> None:
    tower = brick_tower(1, 2, 1, edge=1.0, origin=(0.0, 0.0, 0.0))
    tower = replace(tower, centre=tower.centre + np.array([[0, 0, 0], [0, 0, 3.0]], np.float32))
    graph = BondGraph(tower, 1.0, SEED)
    time = np.arange(30) / FPS
    height = np.maximum(tower.centre[1, 2] - GRAVITY * time**2 / 2, 1.5)
    position = np.tile(tower.centre, (30, 1, 1))
    position[:, 1, 2] = height
    rotation = np.tile(np.array([0, 0, 0, 1], np.float32), (30, 2, 1))
    broken = np.full(len(graph.lattice.bond), -1, np.int32)
    broken[0] = 1
    motion = motion_of_poses(tower, graph, position, rotation, broken, start=3, fps=FPS)
    assert motion.frames == 33
    assert motion.bond_broken[0] == 4
    assert not motion.moved[:4].any()
    struck = motion.event_kind == EVENT_IMPACT
    assert struck.sum() >= 1
    lost = float(tower.mass[1]) * GRAVITY * (float(tower.centre[1, 2]) - 1.5)
    assert motion.event_energy[struck].sum() == pytest.approx(lost, rel=0.1)
    landed = 3 + int(np.argmax(height == 1.5))
    np.testing.assert_allclose(motion.event_time[struck], (landed - 1) / FPS, atol=1.5 / FPS)
    assert motion.checks["faster_than_gravity"]["passed"], motion.checks["faster_than_gravity"]
