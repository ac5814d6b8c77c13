"""Dust carried by a given flow: nothing lost, nothing negative, edges kept, the right place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.dust.transport import fine_velocity, held_box, total, transport

SHAPE = (24, 20, 16)


def courant(x: float, y: float, z: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    faces = [tuple(n + (axis == number) for number, n in enumerate(SHAPE)) for axis in range(3)]
    return tuple(np.full(shape, c, np.float32) for shape, c in zip(faces, (x, y, z), strict=True))  # type: ignore[return-value]


def carried(
    density: np.ndarray, flow: tuple[np.ndarray, ...], frames: int
) -> tuple[np.ndarray, float, float]:
    padded = np.pad(density.astype(np.float32), 2)
    spare = np.zeros_like(padded)
    box = np.array([0, SHAPE[0], 0, SHAPE[1], 0, SHAPE[2]])
    left = settled = 0.0
    for frame in range(frames):
        out, down = transport(padded, spare, flow, box, frame)  # type: ignore[arg-type]
        left, settled = left + out, settled + down
    return padded[2:-2, 2:-2, 2:-2], left, settled


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), strength=st.floats(0.1, 3.0))
def test_any_flow_keeps_the_mass_and_makes_none_negative(seed: int, strength: float) -> None:
    rng = np.random.default_rng(seed)
    density = rng.random(SHAPE) * (rng.random(SHAPE) < 0.2)
    flow = tuple(
        (strength * rng.normal(size=c.shape)).astype(np.float32).clip(-4, 4) for c in courant(0, 0, 0)
    )
    after, left, settled = carried(density, flow, 3)
    assert after.sum(dtype=np.float64) + left + settled == pytest.approx(density.sum(), rel=1e-5)
    assert after.min() > -1e-4 * max(after.max(), 1.0)


def test_a_block_arrives_where_the_wind_takes_it_with_its_edges() -> None:
    density = np.zeros(SHAPE)
    density[4:10, 5:11, 4:10] = 1.0
    after, left, _ = carried(density, courant(0.7, 0.4, 0.0), 10)
    assert left == pytest.approx(0.0, abs=1e-4)
    where = np.indices(SHAPE)
    for axis, way in enumerate((7.0, 4.0, 0.0)):
        moved = (where[axis] * after).sum() / after.sum() - (where[axis] * density).sum() / density.sum()
        assert moved == pytest.approx(way, abs=0.02)
    expected = np.roll(density, (7, 4), (0, 1))
    assert np.abs(after - expected).sum() < 0.45 * expected.sum()
    assert after.max() < 1.05


def test_what_blows_through_the_side_is_counted_as_gone() -> None:
    density = np.zeros(SHAPE)
    density[-3:, 8, 8] = 2.0
    after, left, settled = carried(density, courant(1.0, 0.0, 0.0), 8)
    assert after.sum() < 0.02
    assert left + after.sum() == pytest.approx(6.0, rel=1e-5)
    assert settled == 0.0


def test_sinking_dust_settles_and_walls_let_none_in() -> None:
    coarse = tuple(n // 2 for n in SHAPE)
    solid = np.zeros(coarse, np.bool_)
    solid[6:8, :, :] = True
    rng = np.random.default_rng(1)
    air = [
        rng.normal(size=tuple(n + (axis == number) for number, n in enumerate(coarse))).astype(np.float32) + 1
        for axis in range(3)
    ]
    flow = courant(0, 0, 0)
    box = np.array([0, SHAPE[0], 0, SHAPE[1], 0, SHAPE[2]])
    fine_velocity(*air, solid, 0.5, 0.3, 2.6, box, *flow)
    assert not flow[2][:, :, 0][:12].clip(0).any()
    density = np.zeros(SHAPE)
    density[2:10, :, :6] = 1.0
    after, left, settled = carried(density, flow, 8)
    assert not after[12:16].any()
    assert settled > 0
    assert after.sum(dtype=np.float64) + left + settled == pytest.approx(density.sum(), rel=1e-5)


def test_the_box_and_the_sum_of_a_cloud() -> None:
    rng = np.random.default_rng(4)
    density = np.zeros(SHAPE, np.float32)
    assert held_box(density, 1e-5) is None
    density[3:9, 7:8, 2:15] = rng.random((6, 1, 13)) + 0.1
    density[20, 19, 0] = 1e-6  # too faint to count
    box = held_box(density, 1e-5)
    assert box is not None
    assert box.tolist() == [3, 9, 7, 8, 2, 15]
    assert total(density) == pytest.approx(density.sum(dtype=np.float64), rel=1e-6)
