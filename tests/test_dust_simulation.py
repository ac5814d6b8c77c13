"""A falling tower's dust as a whole: kept, deterministic, running along the ground, out of walls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dust_scenes import falling_tower, still
from falsework.dust import simulate_debris, simulate_dust
from falsework.dust.domain import domain_around, solid_cells
from falsework.dust.field import DustField
from falsework.dust.settings import DustSettings
from falsework.plate.plate import SetPlane
from scenes import brick_tower, street_camera

FRAMES = 44
WALL = SetPlane(
    "wall", np.array([6.0, 18.0, 0.0]), np.array([0.0, 0.0, 8.0]), np.array([0.0, 14.0, 0.0]), 3.0
)


def simulate(folder: Path, *, seed: int = 4, frames: int = FRAMES, **values: object) -> DustField:
    folder.mkdir(exist_ok=True)
    fragments, motion = falling_tower(frames=frames)
    settings = DustSettings.model_validate({"debris": 0, **values})
    debris = simulate_debris(fragments, motion, settings, seed=seed)
    return simulate_dust(
        fragments, motion, debris, (WALL,), settings, camera=street_camera(), folder=folder, seed=seed
    )


@pytest.fixture(scope="module")
def dust(tmp_path_factory: pytest.TempPathFactory) -> DustField:
    return simulate(tmp_path_factory.mktemp("dust"), reach="camera")


def test_frames_hold_what_the_contract_says(dust: DustField) -> None:
    loaded = DustField.load(dust.folder)
    assert loaded.shape == dust.shape
    frame = loaded.frame(FRAMES - 1)
    assert frame.density.shape == dust.shape
    assert frame.density.dtype == np.float16
    assert frame.detail.shape == (2, *(n // dust.coarse for n in dust.shape), 3)
    assert np.isfinite(frame.density).all()
    assert np.isfinite(frame.detail).all()
    assert frame.weight.sum() == pytest.approx(1.0)


def test_before_the_trigger_there_is_no_dust(dust: DustField) -> None:
    for index in range(5):
        assert not dust.frame(index).density.any()
    assert dust.frame(FRAMES - 1).density.any()


def test_mass_is_kept_in_every_frame(dust: DustField) -> None:
    curves = dust.curves
    kept = curves["mass"] + curves["settled"] + curves["left"]
    np.testing.assert_allclose(kept, curves["emitted"], rtol=1e-3, atol=1e-4)
    assert curves["emitted"][-1] > 0
    assert (np.diff(curves["emitted"]) >= 0).all()
    # The files hold that mass, too.
    density = dust.frame(FRAMES - 1).density.astype(np.float64)
    assert density.sum() * dust.voxel**3 * 1e-3 == pytest.approx(curves["mass"][-1], rel=5e-3)


def test_no_dust_inside_walls(dust: DustField) -> None:
    fragments, _ = falling_tower(frames=2)
    domain = domain_around(fragments, street_camera())
    solid = solid_cells(domain, (WALL,)).repeat(2, 0).repeat(2, 1).repeat(2, 2)
    assert solid.any()
    for index in (20, FRAMES - 1):
        assert not dust.frame(index).density[solid].any()


def test_the_cloud_runs_along_the_ground_faster_than_it_rises(dust: DustField) -> None:
    def spread(index: int) -> tuple[float, float]:
        density = dust.frame(index).density.astype(np.float64)
        x, y, z = np.meshgrid(*(np.arange(n) * dust.voxel for n in dust.shape), indexing="ij", sparse=True)
        x, y = x + dust.origin[0], y + dust.origin[1]
        total = density.sum()
        aside = float(np.sqrt(((x**2 + (y - 27.0) ** 2) * density).sum() / total))
        return aside, float((z * density).sum() / total)

    early, late = spread(22), spread(FRAMES - 1)
    assert late[0] - early[0] > 1.5
    assert late[0] - early[0] > 2.5 * (late[1] - early[1])


def test_reach_orders_how_far_the_front_comes(dust: DustField, tmp_path: Path) -> None:
    def front(field: DustField) -> float:
        density = field.frame(FRAMES - 1).density
        return float(np.argmax((density > 0.3).any(axis=(0, 2))) * field.voxel + field.origin[1])

    local = simulate(tmp_path / "local", reach="local")
    assert front(dust) < front(local) - 1.0


def test_detail_says_where_the_air_came_from(dust: DustField) -> None:
    frame = dust.frame(FRAMES - 1)
    assert np.abs(frame.detail).max() > 0.3
    assert np.abs(frame.detail).max() < 30.0
    seeds = {tuple(dust.frame(index).layer_seed) for index in range(FRAMES)}
    assert len(seeds) > 1
    for index in range(1, FRAMES):
        before, now = dust.frame(index - 1), dust.frame(index)
        for layer in np.flatnonzero(now.layer_seed != before.layer_seed):
            assert now.weight[layer] == pytest.approx(0.0, abs=1e-6)
            assert not now.detail[layer].any()


def test_same_seed_same_dust_another_seed_other_dust(tmp_path: Path) -> None:
    first, second = simulate(tmp_path / "a", frames=20), simulate(tmp_path / "b", frames=20)
    other = simulate(tmp_path / "c", frames=20, seed=9)
    one, two, three = (field.frame(19) for field in (first, second, other))
    np.testing.assert_array_equal(one.density, two.density)
    np.testing.assert_array_equal(one.detail, two.detail)
    assert (one.density != three.density).any()


def test_amount_scales_the_mass_and_none_makes_none(tmp_path: Path) -> None:
    one, two = simulate(tmp_path / "a", frames=16), simulate(tmp_path / "b", frames=16, amount=2.0)
    assert two.curves["emitted"][-1] == pytest.approx(2 * one.curves["emitted"][-1], rel=0.02)
    none = simulate(tmp_path / "c", frames=16, amount=0.0)
    assert none.curves["emitted"][-1] == 0
    assert not none.frame(15).density.any()


def test_a_house_that_stands_makes_no_dust(tmp_path: Path) -> None:
    fragments = brick_tower()
    motion = still(fragments, 4)
    settings = DustSettings(debris=0)
    debris = simulate_debris(fragments, motion, settings, seed=1)
    field = simulate_dust(
        fragments, motion, debris, (), settings, camera=street_camera(), folder=tmp_path, seed=1
    )
    assert not field.frame(3).density.any()


def test_most_dust_comes_once_the_fall_is_well_under_way(dust: DustField) -> None:
    # The tower starts at frame 5; half a second later its facade must still be seen.
    emitted = dust.curves["emitted"]
    assert 0 < emitted[17] < 0.1 * emitted[-1]


def test_a_frame_is_stored_only_as_far_as_it_holds_dust(dust: DustField, tmp_path: Path) -> None:
    frame = dust.frame(FRAMES - 1)
    copy = DustField(tmp_path, dust.origin, dust.voxel, dust.shape, dust.coarse, dust.frames, {})
    copy.save_frame(0, frame)
    np.testing.assert_array_equal(copy.frame(0).density, frame.density)
    empty, full = (dust.folder / f"dust.{index:04d}.safetensors" for index in (0, FRAMES - 1))
    assert full.stat().st_size - empty.stat().st_size < frame.density.nbytes
