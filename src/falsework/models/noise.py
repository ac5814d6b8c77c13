"""Noise for generated detail that travels with the dust: one tile, looked up where the air came from."""

# Numba's kernels: mypy cannot follow NumPy integers as loop indices.
# mypy: disable-error-code="index, assignment"

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from falsework.dust.field import DustFrame
from falsework.dust.fine import FACTOR, HALF
from falsework.seeds import generator

__all__ = ["PERIOD", "carried_noise", "layer_offsets", "noise_tile"]

Grid = npt.NDArray[np.float32]

# Fine cells after which the tile repeats: 11 m of dust in a shot's usual grid.
PERIOD = 160
# Cycles per fine cell about which the noise is strongest, and the power its energy falls with beyond. As the
# logarithms of real ratios do: what is longer than a dust cell is the simulation's, not the noise's.
CENTRE = 0.11
FALL = 2.2
WINDOW = HALF + 1


@lru_cache(maxsize=1)
def noise_tile() -> Grid:
    """(PERIOD + 2,) * 3 Gaussian noise of unit variance, periodic; the last two repeat the first two.

    Band-limited, so that looking it up between cells keeps its variance.
    """
    rng = generator(0, "dust network", "noise")
    white = rng.standard_normal((PERIOD,) * 3, dtype=np.float32)
    along = np.fft.fftfreq(PERIOD).astype(np.float32)
    half = np.fft.rfftfreq(PERIOD).astype(np.float32)
    k = np.sqrt(along[:, None, None] ** 2 + along[None, :, None] ** 2 + half[None, None, :] ** 2)
    share = k / np.float32(CENTRE)
    amplitude = share**2 / (1 + share ** (2 + FALL)) * np.exp(-((k / np.float32(0.42)) ** 4))
    values = np.fft.irfftn(np.fft.rfftn(white) * amplitude, s=white.shape, axes=(0, 1, 2))
    values /= values.std()
    return np.pad(values, ((0, HALF),) * 3, mode="wrap").astype(np.float32)


def layer_offsets(layer_seed: npt.NDArray[np.int32], seed: int) -> npt.NDArray[np.float64]:
    """(2, 3) fine cells by which each layer's look-up is moved: by its own seed and by the take's."""
    return np.stack([generator(seed, "fine dust", int(layer)).random(3) * PERIOD for layer in layer_seed])


def carried_noise(
    frame: DustFrame,
    corners: npt.NDArray[np.int32],
    size: int,
    *,
    voxel: float,
    coarse: int,
    seed: int,
    out: Grid | None = None,
    slots: npt.NDArray[np.int64] | None = None,
    wanted: npt.NDArray[np.bool_] | None = None,
) -> Grid:
    """(n, 8, size, size, size) noise of the fine cells in `size`^3 half cells from each of (n, 3) `corners`,
    counted in half cells.

    Channel 4 a + 2 b + c is the fine cell (a, b, c) of its half cell. voxel: of a dust cell, metres;
    coarse: dust cells along a cell of the displacements. The two layers are mixed by their weights over the
    root of the sum of their squares, which keeps the variance. `out` may be given, and where in it (n,) each
    patch goes. wanted: (n, size / 2, …) the patches' dust cells whose noise matters; elsewhere it is 0.
    """
    if out is None:
        out = np.empty((len(corners), HALF**3, size, size, size), np.float32)
    if slots is None:
        slots = np.arange(len(corners))
    if wanted is None:
        wanted = np.ones((len(corners), *[-(-size // HALF)] * 3), np.bool_)
    weight = frame.weight.astype(np.float64)
    weight = weight / np.sqrt((weight**2).sum())
    _carried(
        noise_tile(),
        frame.detail.astype(np.float32),
        weight,
        layer_offsets(frame.layer_seed, seed),
        np.ascontiguousarray(corners, np.int32),
        FACTOR / voxel,
        HALF * coarse,
        slots,
        wanted,
        out,
    )
    return out


@njit(cache=True, parallel=True)
def _carried(
    tile: Grid,
    detail: Grid,
    weight: npt.NDArray[np.float64],
    offsets: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    scale: float,
    coarse: int,
    slots: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.bool_],
    out: Grid,
) -> None:
    mx, my, mz = detail.shape[1:4]
    period = tile.shape[0] - HALF
    size = out.shape[2]
    for number in prange(corners.shape[0]):
        # Displacements along a row, between those of the rows of coarse cells around it.
        along_row = np.empty((2, mz, 3), np.float32)
        one = np.empty((WINDOW, WINDOW, HALF), np.float32)
        two = np.empty((WINDOW, HALF * HALF), np.float32)
        p = np.empty(3, np.int64)
        f = np.empty(3, np.float32)
        row = np.empty((size, HALF, HALF * HALF), np.float32)
        first = min(max((corners[number, 2] + 0.5) / coarse - 0.5, 0.0), mz - 1.0)
        last = min(max((corners[number, 2] + size - 0.5) / coarse - 0.5, 0.0), mz - 1.0)
        for x in range(size):
            i = corners[number, 0] + x
            ci = min(max((i + 0.5) / coarse - 0.5, 0.0), mx - 1.0)
            i0 = int(ci)
            i1, u = min(i0 + 1, mx - 1), np.float32(ci - i0)
            for y in range(size):
                j = corners[number, 1] + y
                cj = min(max((j + 0.5) / coarse - 0.5, 0.0), my - 1.0)
                j0 = int(cj)
                j1, v = min(j0 + 1, my - 1), np.float32(cj - j0)
                for layer in range(2):
                    for k in range(int(first), min(int(last) + 2, mz)):
                        for a in range(3):
                            near = detail[layer, i0, j0, k, a] * (1 - v) + detail[layer, i0, j1, k, a] * v
                            far = detail[layer, i1, j0, k, a] * (1 - v) + detail[layer, i1, j1, k, a] * v
                            along_row[layer, k, a] = near * (1 - u) + far * u
                row[:] = 0.0
                for z in range(size):
                    if not wanted[number, x // HALF, y // HALF, z // HALF]:
                        continue
                    # The displacement in the middle of the half cell holds for all of it.
                    ck = min(max((corners[number, 2] + z + 0.5) / coarse - 0.5, 0.0), mz - 1.0)
                    k0 = int(ck)
                    k1, w = min(k0 + 1, mz - 1), np.float32(ck - k0)
                    for layer in range(2):
                        share = np.float32(weight[layer])
                        if share < 1e-3:
                            continue
                        for a in range(3):
                            moved = along_row[layer, k0, a] * (1 - w) + along_row[layer, k1, a] * w
                            cell = i if a == 0 else (j if a == 1 else corners[number, 2] + z)
                            place = HALF * cell + moved * scale + offsets[layer, a]
                            low = np.floor(place)
                            f[a] = np.float32(place - low)
                            p[a] = np.int64(low) % period
                        along, across, over = f[2], f[1], f[0]
                        for a in range(WINDOW):
                            for b in range(WINDOW):
                                for c in range(HALF):
                                    here = tile[p[0] + a, p[1] + b, p[2] + c]
                                    one[a, b, c] = here + along * (
                                        tile[p[0] + a, p[1] + b, p[2] + c + 1] - here
                                    )
                        for a in range(WINDOW):
                            for b in range(HALF):
                                for c in range(HALF):
                                    here = one[a, b, c]
                                    two[a, HALF * b + c] = here + across * (one[a, b + 1, c] - here)
                        for a in range(HALF):
                            for n in range(HALF * HALF):
                                here = two[a, n]
                                row[z, a, n] += share * (here + over * (two[a + 1, n] - here))
                for a in range(HALF):
                    for n in range(HALF * HALF):
                        for z in range(size):
                            out[slots[number], HALF * HALF * a + n, x, y, z] = row[z, a, n]
