"""Dust for the traditional pipeline: its files, what Mantaflow is given, and what it makes of that."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_fakes import fake_blender, signs_of_life
from dust_scenes import falling_tower, still
from falsework.dust.field import Debris, DustField, DustFrame
from falsework.dust.settings import DustSettings
from falsework.dust.sources import Emission, Puffs, plan_emission
from falsework.errors import FalseworkError
from falsework.media.arrays import read_arrays, write_arrays
from falsework.plate.plate import SetPlane
from falsework.render.traditional.blender import Blender, find_blenders
from falsework.render.traditional.blocks import falling_blocks, walls
from falsework.render.traditional.emitters import MOST, Emitters, plan_emitters
from falsework.render.traditional.process import PATIENCE, Answer, in_blender, run_job, write_job
from falsework.render.traditional.settings import TraditionalSettings
from falsework.render.traditional.smoke import (
    UNIT,
    Smoke,
    _balls,
    _gather,
    mantaflow_dust,
    smoke_of_field,
)
from falsework.seeds import generator
from scenes import brick_tower, street_camera

GROUND = SetPlane("ground", np.zeros(3), np.array([9.0, 0, 0]), np.array([0, 9.0, 0]), 0.5)


def nothing() -> Debris:
    none, real = np.zeros(0, np.int32), np.zeros(0, np.float32)
    place, turned = np.zeros((40, 0, 3), np.float32), np.zeros((40, 0, 4), np.float16)
    return Debris(place, turned, real, none, none, none, none)


def held(path: Path, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """A small grid's values, as `tinyvdb` reads them."""
    tinyvdb = pytest.importorskip("tinyvdb", reason="tinyvdb, which reads what was written, is absent")
    array = np.zeros(shape, np.float32)
    with tinyvdb.open(str(path)) as file:
        file.read_grids()
        sparse = file.grid(0).to_sparse()
        place = np.frombuffer(sparse["coords"], np.int32).reshape(-1, 3)
        array[tuple(place.T)] = np.frombuffer(sparse["values"], np.float32)
    return array


# ---- the files --------------------------------------------------------------------------------------------


def test_an_index_is_read_as_written(tmp_path: Path) -> None:
    curves = {"mass": np.array([0, 1.5, 2.25], np.float32), "emitted": np.array([0, 2, 3], np.float32)}
    smoke = Smoke(tmp_path, "s.{index:03d}.vdb", (-1.5, 2.0, 0.0), 0.3, (4, 5, 6), 3, 1.25, curves)
    smoke.save()
    back = Smoke.load(tmp_path)
    assert replace(back, curves={}) == replace(smoke, curves={})
    assert all(np.array_equal(back.curves[name], curve) for name, curve in curves.items())
    assert back.path(0) is None
    assert back.path(2) == tmp_path / "s.002.vdb"


@pytest.mark.parametrize("content", [None, "", "[]", "{", '{"pattern": "a"}', '{"curves": 3}'])
def test_an_index_that_is_none_is_said_so(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "smoke.json").write_text(content)
    with pytest.raises(FalseworkError, match=r"smoke\.json"):
        Smoke.load(tmp_path)


def test_our_own_dust_is_handed_on_as_it_is(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    curves = {"mass": np.array([0, 1, 1, 1], np.float32)}
    field = DustField(tmp_path, (-3.0, 1.0, 0.0), 0.4, (12, 9, 17), 8, 4, curves)
    none = np.zeros(2, np.float32)
    density = rng.uniform(0, 50, (4, 12, 9, 17)).astype(np.float16) * (rng.random((4, 12, 9, 17)) < 0.4)
    for index in range(4):
        frame = DustFrame(density[index], np.zeros((2, 2, 2, 3, 3), np.float16), none, none.astype(np.int32))
        field.save_frame(index, frame)
    smoke = smoke_of_field(field, tmp_path / "vdb", [0, 2])
    assert [path.name for path in (tmp_path / "vdb").iterdir()] == ["smoke.0002.vdb"]
    assert smoke.path(0) is None
    path = smoke.path(2)
    assert path is not None
    assert np.array_equal(held(path, field.shape), density[2])
    assert (smoke.origin, smoke.voxel, smoke.grams) == (field.origin, field.voxel, 1.0)


# ---- what Mantaflow is given ------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000), count=st.integers(0, 600), voxel=st.floats(0.2, 2.0), fps=st.floats(5, 60)
)
def test_sources_made_one_keep_mass_and_momentum(seed: int, count: int, voxel: float, fps: float) -> None:
    rng = np.random.default_rng(seed)
    fragments = brick_tower()
    motion = replace(still(fragments, 30), fps=fps)
    end = 29 / fps
    start = np.sort(rng.uniform(0, end * 0.7, count))
    puffs = Puffs(
        start=start,
        duration=np.minimum(rng.uniform(0.02, 0.5, count), end - start),
        position=rng.uniform((-20, -20, 1), (20, 20, 41), (count, 3)),
        velocity=rng.normal(0, 4, (count, 3)),
        mass=rng.lognormal(-3, 2, count),
        air=rng.uniform(0, 2, count),
        radius=rng.uniform(0.2, 1, count),
        length=np.where(rng.random(count) < 0.2, 1.0, 0.0),
        drift=np.full(count, 0.3),
    )
    trail = np.zeros((30, len(fragments)), np.float32)
    trail[7, :5] = 0.25
    emitters = plan_emitters(Emission(puffs, trail, 0), motion, voxel, rng)
    given_out = np.zeros(30 + emitters.turn)
    for later in range(emitters.turn):
        np.add.at(given_out, emitters.frame + later, emitters.mass)
    # The last turn may reach past the shot's end, and gives only what falls before it.
    assert given_out[:30].sum() == pytest.approx(puffs.mass.sum() + trail.sum(), rel=1e-3)
    if emitters.turn == 1:
        momentum = emitters.mass @ emitters.velocity
        assert momentum == pytest.approx(puffs.mass @ puffs.velocity, rel=1e-3, abs=1e-3 * given_out.sum())
    assert np.bincount(emitters.frame, minlength=1).max() <= MOST
    assert (emitters.place[:, 2] >= 0.69 * emitters.radius).all()
    assert (emitters.radius >= 1.5 * voxel).all()
    assert np.isfinite(emitters.place).all()


def test_sources_start_when_and_where_our_own_do() -> None:
    fragments, motion = falling_tower()
    emission = plan_emission(fragments, motion, DustSettings(), generator(1, "dust", "sources"))
    emitters = plan_emitters(emission, motion, 0.5, generator(1, "dust", "emitters"))
    puffs = emission.puffs
    assert emitters.frame.min() >= emission.first
    assert emitters.frame.min() <= emission.first + 2
    # What a puff would give after the shot's end is not given.
    within = np.clip((39 / motion.fps - puffs.start) / puffs.duration, 0, 1) * puffs.mass
    shed = emission.trail.sum(axis=0)
    planned = (within @ puffs.position + shed @ fragments.centre) / (within.sum() + shed.sum())
    given_out = emitters.mass @ emitters.place / emitters.mass.sum()
    assert np.abs(given_out - planned)[:2].max() < 2.0
    assert emitters.mass.sum() * emitters.turn == pytest.approx(within.sum() + shed.sum(), rel=0.05)


def script_constant(name: str) -> Any:
    """A constant of the script inside Blender, which cannot be imported here."""
    tree = ast.parse(in_blender("mantaflow").read_text())
    (value,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name
    ]
    return ast.literal_eval(value)


def solid_volume(corners: npt.NDArray[np.float64]) -> float:
    """Volume of a box as the script builds it: positive where its faces look outward."""
    volume = 0.0
    for a, b, c, d in script_constant("CUBE_FACES"):
        for corner in ((a, b, c), (a, c, d)):
            volume += np.linalg.det(corners[list(corner)]) / 6
    return volume


def test_walls_lie_behind_their_surface_and_look_outward() -> None:
    plane = SetPlane("wall", np.array([5.0, 3, 0]), np.array([0, 4.0, 0]), np.array([0, 0, 6.0]), 1.0)
    (corners,) = walls([plane, replace(plane, v=plane.u)], 0.5)  # the other has no area
    assert corners[:, 1:].min(0).tolist() == [3, 0]
    assert corners[:, 1:].max(0).tolist() == [7, 6]
    # u x v looks along +x, so the solid lies to -x of it, a little deeper than its surface.
    assert corners[:, 0].max() == pytest.approx(5 - 0.15)
    assert corners[:, 0].min() == pytest.approx(5 - 0.15 - 1.0)
    assert solid_volume(corners) == pytest.approx(24.0)
    box = np.array([[x, y, z] for x in (0, 1) for y in (0, 2) for z in (0, 3)], np.float64)
    assert solid_volume(box) == pytest.approx(6.0)


def test_blocks_stand_with_the_house_and_are_gone_with_it() -> None:
    fragments, motion = falling_tower()
    low, high = fragments.vertices.min(0), fragments.vertices.max(0)
    blocks = falling_blocks(fragments, motion, np.random.default_rng(0))
    assert blocks
    for block in blocks:
        assert (block.way[0, :3] - block.half * block.way[0, 3] >= low - 1e-3).all()
        assert (block.way[0, :3] + block.half * block.way[0, 3] <= high + 1e-3).all()
        assert (block.way[:, 3] >= 0).all()
    top = max(blocks, key=lambda block: block.way[0, 2])
    assert top.way[-1, 2] < 0.6 * top.way[0, 2]
    # Thrown to the four winds, it stands in nobody's way.
    apart = motion.position.copy()
    apart[20:] += np.random.default_rng(1).normal(0, 30, apart.shape[1:]).astype(np.float32)
    few = [
        replace(block, way=block.way[20:])
        for block in falling_blocks(fragments, replace(motion, position=apart), np.random.default_rng(0))
        if len(fragments) > len(blocks)
    ]
    assert all((block.way[:, 3] == 0).mean() > 0.5 or block.half.max() < 1 for block in few)


# ---- what comes back, from programs that only look like Blender -------------------------------------------

LEAVE = """
import struct
job = json.loads((folder / "job.json").read_text())
x, y, z = job["shape"]
for index in range(job["first"], job["frames"]):
    numbers = [0.0] * (x * y * z)
    numbers[3 + 2 * x + 1 * x * y] = 0.5
    numbers[0] = 9.0
    data = struct.pack(f"<{x * y * z}f", *numbers)
    note = {"density": {"dtype": "F32", "shape": [z, y, x], "data_offsets": [0, len(data)]}}
    text = json.dumps(note).encode()
    (folder / f"smoke.{index:04d}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    print("falsework", json.dumps({"done": index + 1 - job["first"], "total": 40}), flush=True)
(folder / "answer.json").write_text("{}")
"""


def bake(blender: Blender, folder: Path, *, resolution: int = 20, **dust: Any) -> Smoke:
    fragments, motion = falling_tower()
    return mantaflow_dust(
        fragments, motion, nothing(), [GROUND], DustSettings(**dust),
        TraditionalSettings(smoke_resolution=resolution), camera=street_camera(), folder=folder, seed=3,
        blender=blender,
    )  # fmt: skip


def test_what_was_baked_is_turned_right_and_has_the_planned_mass(tmp_path: Path) -> None:
    smoke = bake(fake_blender(tmp_path / "bin", LEAVE), tmp_path / "dust")
    assert max(smoke.shape[:2]) == 20
    assert smoke.origin[2] == 0.0
    path = smoke.path(39)
    assert path is not None
    seen = held(path, smoke.shape)
    # What lay below the ground is left out, and nothing is mirrored.
    assert np.argwhere(seen).tolist() == [[3, 2, 0]]
    assert seen[3, 2, 0] == pytest.approx(0.5 * UNIT)
    kilograms = seen.sum() * smoke.grams * smoke.voxel**3 * 1e-3
    assert kilograms == pytest.approx(smoke.curves["mass"][-1], rel=1e-3)
    assert not smoke.curves["left"].any()
    assert smoke.path(0) is None
    assert not (tmp_path / "dust" / "mantaflow").exists()
    assert set(json.loads((tmp_path / "dust" / "usage.json").read_text())) == {"wall", "cpu"}


def gathered(folder: Path, inside: list[float], outermost: list[float], planned: list[float]) -> Smoke:
    """What is made of a bake in which so many kg were in the box's middle, and in a cell at its side."""
    folder.mkdir()
    frames, shape, voxel = len(planned), (6, 5, 7), 2.0
    curves = {name: np.zeros(frames, np.float32) for name in ("mass", "emitted")}
    smoke = Smoke(folder, "smoke.{index:04d}.vdb", (0.0, 0.0, -voxel), voxel, shape, frames, 1.0, curves)
    for index in range(1, frames):
        density = np.zeros(shape[::-1], np.float32)  # x fastest
        density[3, 2, 2], density[3, 2, 5] = inside[index], outermost[index]
        density[0] = 7.0  # below the ground
        kilograms = np.float32(voxel**3 * 1e-3 * UNIT)
        write_arrays(folder / f"smoke.{index:04d}.safetensors", {"density": density / kilograms})
    return _gather(smoke, folder, 1, np.array(planned))


def test_one_odd_frame_does_not_thin_the_whole_shot(tmp_path: Path) -> None:
    emitted = np.arange(12.0)
    gained = np.where(np.arange(12) == 11, 1.17, 1.05)
    smoke = gathered(tmp_path / "a", (emitted * gained).tolist(), [0.0] * 12, [0.0] + [1.0] * 11)
    assert smoke.curves["mass"][:11] == pytest.approx(emitted[:11], rel=1e-3)
    assert smoke.curves["mass"][11] == pytest.approx(11 * 1.17 / 1.05, rel=1e-3)
    assert not smoke.curves["left"].any()


def test_dust_that_left_the_box_is_not_put_back_but_counted(tmp_path: Path) -> None:
    emitted = np.arange(12.0)
    left = np.array([0.0] * 6 + [0, 1, 2, 3, 3, 3])
    outermost = np.where(np.arange(12) >= 6, 0.5, 0.0)
    inside = (emitted - left) * 0.9 - outermost
    smoke = gathered(tmp_path / "a", inside.tolist(), outermost.tolist(), [0.0] + [1.0] * 11)
    assert smoke.grams == pytest.approx(1 / 0.9, rel=1e-3)
    assert smoke.curves["left"] == pytest.approx(left, abs=5e-3)
    assert smoke.curves["mass"] == pytest.approx(emitted - left, rel=1e-3)


def test_a_box_that_is_empty_or_full_to_its_sides_has_a_scale_all_the_same(tmp_path: Path) -> None:
    none, planned = [0.0] * 4, [0.0, 1.0, 1.0, 1.0]
    assert gathered(tmp_path / "empty", none, none, planned).grams == 1.0
    full = gathered(tmp_path / "full", none, [0.0, 2.0, 4.0, 6.0], planned)
    assert full.grams == pytest.approx(0.5, rel=1e-3)
    assert np.isfinite(full.curves["left"]).all()


def test_a_large_bake_is_waited_for_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def run(*arguments: Any, patience: float = PATIENCE, **named: Any) -> Answer:
        given.append(patience)
        raise FalseworkError("far enough")

    monkeypatch.setattr("falsework.render.traditional.smoke.run_job", run)
    for resolution in (20, 512):
        with pytest.raises(FalseworkError, match="far enough"):
            bake(fake_blender(tmp_path / "bin", ""), tmp_path / "dust", resolution=resolution)
    assert PATIENCE <= given[0] < 1.01 * PATIENCE
    assert given[1] > 3 * PATIENCE


def test_the_same_box_as_our_own_dust(tmp_path: Path) -> None:
    from falsework.dust.domain import domain_around

    smoke = bake(fake_blender(tmp_path / "bin", LEAVE), tmp_path / "dust")
    domain = domain_around(brick_tower(), street_camera())
    for axis in range(3):
        ours = (domain.origin[axis], domain.origin[axis] + domain.shape[axis] * domain.voxel)
        theirs = (smoke.origin[axis], smoke.origin[axis] + smoke.shape[axis] * smoke.voxel)
        assert theirs == pytest.approx(ours, abs=smoke.voxel)


def test_without_dust_no_blender_is_asked(tmp_path: Path) -> None:
    blender = fake_blender(tmp_path / "bin", "sys.exit(1)")
    smoke = bake(blender, tmp_path / "dust", amount=0)
    assert not smoke.curves["mass"].any()
    assert all(smoke.path(index) is None for index in range(smoke.frames))
    (tmp_path / "dust").mkdir(exist_ok=True)
    smoke.save()
    assert Smoke.load(tmp_path / "dust").frames == smoke.frames


def test_a_bake_that_dies_is_told_with_its_last_words(tmp_path: Path) -> None:
    dying = fake_blender(tmp_path / "bin", 'print("out of memory in mantaflow", flush=True); os._exit(9)')
    with pytest.raises(FalseworkError, match="out of memory in mantaflow"):
        bake(dying, tmp_path / "dust")
    # And the next begins anew in the same folder.
    assert bake(fake_blender(tmp_path / "other", LEAVE), tmp_path / "dust").curves["mass"][-1] > 0


# ---- what Mantaflow makes of it ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def baking() -> Blender:
    try:
        return find_blenders().smoke
    except FalseworkError as error:
        pytest.skip(f"no Blender that bakes smoke: {error}")


def puff(
    blender: Blender, folder: Path, *, velocity: tuple[float, float, float] = (0, 0, 0), sinking: float = 0.0,
    fps: float = 24.0, obstacle: list[Any] | None = None, block: list[Any] | None = None,
    later: tuple[float, float, float] | None = None,
) -> npt.NDArray[np.float64]:  # fmt: skip
    """(14, 4) kilograms in the air and their middle from frame 2 on; 1 kg is given in frames 2 and 3.

    obstacle  corners of a wall;  block: the way of a slab 1.6 m thick along x
    later     where the same ball gives another kilogram in frames 4 and 5
    """
    folder.mkdir()
    ball = Emitters(
        np.array([2]), np.array([[1.0, 8.0, 5.0]]), np.array([velocity]), np.array([1.2]), np.array([0.5]), 2
    )
    balls = _balls(ball, 0.4)
    if later is not None:
        balls += _balls(replace(ball, frame=ball.frame + 2, place=np.array([later])), 0.4)
    slab = [[x, y, z] for x in (-0.8, 0.8) for y in (-2.0, 2.0) for z in (-2.0, 2.0)]
    voxel, origin, shape = 0.4, (-4.0, 3.0, -0.4), (30, 24, 26)
    job = {
        "origin": origin, "voxel": voxel, "shape": shape, "first": 2, "frames": 16, "fps": fps,
        "gravity": sinking, "vorticity": 0.0, "turn": 2, "emitters": balls,
        "walls": [] if obstacle is None else [obstacle],
        "blocks": [] if block is None else [{"corners": slab, "way": block}],
    }  # fmt: skip
    write_job(folder, job)
    run_job(blender, "mantaflow", folder)
    rows = []
    for index in range(2, 16):
        density = read_arrays(folder / f"smoke.{index:04d}.safetensors")[0]["density"].transpose(2, 1, 0)
        assert density.shape == shape
        mass = density.sum(dtype=np.float64) * UNIT * voxel**3 * 1e-3
        sums = (density.sum(axis=tuple(n for n in range(3) if n != axis)) for axis in range(3))
        centres = (origin[axis] + (np.arange(shape[axis]) + 0.5) * voxel for axis in range(3))
        total = density.sum(dtype=np.float64)
        rows.append([mass, *(float(s @ c) / total for s, c in zip(sums, centres, strict=True))])
    return np.array(rows)


def test_a_puff_stays_what_and_where_it_is(baking: Blender, tmp_path: Path) -> None:
    rows = puff(baking, tmp_path / "still")
    assert rows[0, 0] == pytest.approx(0.5, rel=0.06)
    assert rows[1:, 0] == pytest.approx(1.0, rel=0.06)
    assert np.ptp(rows[1:, 0]) < 0.01
    assert rows[:, 1:] == pytest.approx(np.tile([1.0, 8.0, 5.0], (14, 1)), abs=0.05)


@pytest.mark.parametrize("fps", [24.0, 48.0])
def test_a_puff_goes_where_it_is_blown(baking: Blender, tmp_path: Path, fps: float) -> None:
    rows = puff(baking, tmp_path / "blown", velocity=(3.0, -1.5, 0.0), fps=fps)
    gone = (rows[4, 1:] - rows[1, 1:]) / (3 / fps)
    # A ball of moving air has to push the air before it aside: two thirds of its speed are left.
    assert gone == pytest.approx([2.0, -1.0, 0.0], abs=0.35)
    assert rows[1:, 0] == pytest.approx(1.0, rel=0.12)


def test_heavy_dust_sinks_as_fast_as_asked(baking: Blender, tmp_path: Path) -> None:
    from falsework.render.traditional.smoke import BUOYANCY

    # 1 kg in this ball is some 90 g/m3 in its middle; 0.03 m/s2 for each.
    rows = puff(baking, tmp_path / "heavy", sinking=0.03 * UNIT / BUOYANCY)
    fallen = rows[1, 3] - rows[9, 3]
    assert 0.3 * fallen_freely(2.7, 8 / 24) < fallen < 1.2 * fallen_freely(2.7, 8 / 24)
    assert rows[:, 1:3] == pytest.approx(np.tile([1.0, 8.0], (14, 1)), abs=0.1)


def fallen_freely(acceleration: float, seconds: float) -> float:
    return 0.5 * acceleration * seconds**2


def test_a_wall_is_in_the_way(baking: Blender, tmp_path: Path) -> None:
    plane = SetPlane("wall", np.array([2.6, 2, 0]), np.array([0, 0, 12.0]), np.array([0, 14.0, 0]), 1.0)
    (corners,) = walls([plane], 0.4)
    free = puff(baking, tmp_path / "free", velocity=(8.0, 0, 0))
    stopped = puff(baking, tmp_path / "stopped", velocity=(8.0, 0, 0), obstacle=corners.tolist())
    assert free[-1, 1] > 2.6
    assert stopped[-1, 1] < 2.6


def test_what_is_blown_out_of_the_box_is_counted(baking: Blender, tmp_path: Path) -> None:
    puff(baking, tmp_path / "out", velocity=(20.0, 0, 0), later=(6.5, 8.0, 5.0))
    none = {name: np.zeros(16, np.float32) for name in ("mass", "emitted")}
    box = Smoke(tmp_path, "s.{index:04d}.vdb", (-4.0, 3.0, -0.4), 0.4, (30, 24, 26), 16, 1.0, none)
    planned = np.zeros(16)
    planned[2:6] = 0.5
    smoke = _gather(box, tmp_path / "out", 2, planned)
    # Two frames of it are seen whole.
    assert smoke.grams == pytest.approx(1.0, rel=0.06)
    assert not smoke.curves["left"][:4].any()
    assert (np.diff(smoke.curves["left"]) >= 0).all()
    given_out = smoke.curves["mass"] + smoke.curves["left"]
    assert given_out[8:10] == pytest.approx(2.0, rel=0.06)
    assert smoke.curves["left"][-1] > 0.8


def test_what_falls_pushes_the_dust_before_it(baking: Blender, tmp_path: Path) -> None:
    way = [[4.0 - 0.25 * step, 8.0, 5.0, 1.0] for step in range(14)]
    rows = puff(baking, tmp_path / "pushed", block=way)
    assert rows[1, 1] == pytest.approx(1.0, abs=0.05)
    assert rows[-1, 1] < 0.75


def test_what_stands_in_the_way_is_not_set_up_in_silence(
    baking: Blender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = signs_of_life(tmp_path, monkeypatch)
    wall = [[x, y, z] for x in (5.0, 6.0) for y in (4.0, 8.0) for z in (0.0, 4.0)]
    puff(baking, tmp_path / "set", obstacle=wall, block=[[4.0, 8.0, 5.0, 1.0]] * 14)
    before = next(k for k, words in enumerate(said) if b'"done"' in words)
    assert before >= 1 + 14  # the wall, and the block on its way


def test_a_ball_gives_again_elsewhere(baking: Blender, tmp_path: Path) -> None:
    rows = puff(baking, tmp_path / "twice", later=(4.0, 6.0, 7.0))
    assert rows[1, 1:] == pytest.approx([1.0, 8.0, 5.0], abs=0.05)
    assert rows[-1, 0] == pytest.approx(2.0, rel=0.06)
    assert rows[-1, 1:] == pytest.approx([2.5, 7.0, 6.0], abs=0.05)


def test_a_tower_falls_into_its_dust(baking: Blender, tmp_path: Path) -> None:
    """The whole way at a low resolution: the same place and moment as our own sources."""
    smoke = bake(baking, tmp_path / "dust", resolution=24)
    smoke.save()
    assert 0.3 < smoke.grams < 3.0
    given_out = smoke.curves["emitted"] - smoke.curves["left"]
    assert smoke.curves["mass"][-1] == pytest.approx(given_out[-1], rel=0.3)
    started = int(np.argmax(smoke.curves["emitted"] > 0))
    assert not smoke.curves["mass"][:started].any()
    assert smoke.curves["mass"][started + 4 :].min() > 0
    path = Smoke.load(tmp_path / "dust").path(39)
    assert path is not None
    assert path.stat().st_size > 4000
