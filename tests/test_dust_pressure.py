"""The pressure solve against a direct one, and what it must do to any flow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

from falsework.dust.pressure import Pressure, divergence

SHAPE = (16, 12, 8)
Faces = tuple[np.ndarray, np.ndarray, np.ndarray]


def flow_and_weights(walls: bool) -> tuple[Faces, Faces]:
    rng = np.random.default_rng(3)
    shapes = [tuple(n + (axis == number) for number, n in enumerate(SHAPE)) for axis in range(3)]
    flow = tuple(rng.normal(size=shape).astype(np.float32) for shape in shapes)
    weights = tuple(np.ones(shape, np.float32) for shape in shapes)
    if walls:
        for weight in weights:
            weight[5:9, 4:7, :5] = 0.0
            weight[10:14, 2:9, 2:6] *= 0.15
    weights[2][:, :, 0] = 0.0
    for one, weight in zip(flow, weights, strict=True):
        one[weight == 0] = 0.0
    return flow, weights


def direct(flow: Faces, weights: Faces) -> Faces:
    """The same projection with a sparse direct solver in double precision."""
    number = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    matrix = lil_matrix((number.size, number.size))
    right = np.zeros(number.size)
    for i, j, k in np.ndindex(SHAPE):
        here = number[i, j, k]
        for axis in range(3):
            for side in (0, 1):
                face = [i, j, k]
                face[axis] += side
                weight = float(weights[axis][tuple(face)])
                right[here] -= (2 * side - 1) * float(flow[axis][tuple(face)])
                matrix[here, here] += weight
                other = [i, j, k]
                other[axis] += 2 * side - 1
                if 0 <= other[axis] < SHAPE[axis]:
                    matrix[here, number[tuple(other)]] -= weight
        if matrix[here, here] == 0:
            matrix[here, here], right[here] = 1.0, 0.0
    p = np.pad(spsolve(matrix.tocsr(), right).reshape(SHAPE), 1)
    inner = slice(1, -1)
    return (
        flow[0] - weights[0] * np.diff(p, axis=0)[:, inner, inner],
        flow[1] - weights[1] * np.diff(p, axis=1)[inner, :, inner],
        flow[2] - weights[2] * np.diff(p, axis=2)[inner, inner, :],
    )


@pytest.mark.parametrize("walls", [False, True])
def test_projection_agrees_with_a_direct_solve(walls: bool) -> None:
    flow, weights = flow_and_weights(walls)
    expected = direct(flow, weights)
    Pressure(SHAPE).solve(*flow, weights, np.zeros(SHAPE, np.float32), 25)
    for mine, reference in zip(flow, expected, strict=True):
        np.testing.assert_allclose(mine, reference, atol=2e-4)


def test_two_cycles_take_away_almost_all_divergence() -> None:
    flow, weights = flow_and_weights(walls=True)
    before, after = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    divergence(*flow, before)
    Pressure(SHAPE).solve(*flow, weights, np.zeros(SHAPE, np.float32), 2)
    divergence(*flow, after)
    assert np.std(after) < 0.01 * np.std(before)


def test_a_source_blows_what_it_gives_and_walls_stay_tight() -> None:
    flow, weights = flow_and_weights(walls=True)
    for one in flow:
        one[:] = 0
    source = np.zeros(SHAPE, np.float32)
    source[3, 3, 3] = 1.0
    Pressure(SHAPE).solve(*flow, weights, source, 12)
    through_the_borders = (
        flow[0][-1].sum()
        - flow[0][0].sum()
        + flow[1][:, -1].sum()
        - flow[1][:, 0].sum()
        + flow[2][:, :, -1].sum()
    )
    assert through_the_borders == pytest.approx(1.0, abs=1e-3)
    for one, weight in zip(flow, weights, strict=True):
        assert not one[weight == 0].any()
