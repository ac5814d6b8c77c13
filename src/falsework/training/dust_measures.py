"""How near generated dust comes to simulated dust: spectrum, statistics, travel with the air.

Density counts as it is seen: as the opacity of a dust cell's edge filled with it, so that the middle of a
burst does not weigh more than all the rest. Fine volumes are (X, Y, Z) g/m3, cells FACTOR times finer than
the dust cells, whose edge `voxel` is in metres.
"""

# Numba's kernels: mypy cannot follow NumPy integers as loop indices.
# mypy: disable-error-code="index, assignment"

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.linalg import sqrtm

from falsework.dust.fine import FACTOR
from falsework.render.volume import EXTINCTION

__all__ = ["frechet", "log_spectral_distance", "spectrum", "statistics", "travel_error", "visible"]

Grid = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]

# Cycles per fine cell: from what dust cells can hold to what fine cells can, in so many rings.
LOWEST, HIGHEST, RINGS = 0.5 / FACTOR, 0.5, 24
BLOCK = 32  # fine cells along the edge of what one set of statistics is of
COVERED = 0.1  # share of a block that must hold dust to be seen
LEAST_SEEN = 0.02
SCALES = 3
STATISTICS = 7 * SCALES  # of one block


def visible(density: Grid, voxel: float) -> Grid:
    """Opacity 0..1 of a dust cell's edge of this density."""
    return np.asarray(-np.expm1(-density * np.float32(EXTINCTION * voxel)), np.float32)


def spectrum(density: Grid, voxel: float) -> Double:
    """(RINGS,) power of what is seen beyond the dust cells' own frequencies, radially averaged, windowed."""
    shown = visible(density, voxel).astype(np.float64)
    for axis, n in enumerate(shown.shape):
        shown *= np.hanning(n + 2)[1:-1].reshape([-1 if a == axis else 1 for a in range(3)])
    power = np.abs(np.fft.rfftn(shown)) ** 2 / shown.size
    along = [np.fft.fftfreq(n) for n in shown.shape[:2]] + [np.fft.rfftfreq(shown.shape[2])]
    k = np.sqrt(sum(axis**2 for axis in np.meshgrid(*along, indexing="ij")))
    ring = np.floor((k - LOWEST) / (HIGHEST - LOWEST) * RINGS).astype(int)
    inside = (ring >= 0) & (ring < RINGS)
    count = np.bincount(ring[inside], minlength=RINGS)
    return np.asarray(np.bincount(ring[inside], power[inside], minlength=RINGS) / np.maximum(count, 1))


def log_spectral_distance(one: Double, reference: Double) -> float:
    """Root mean square difference of two spectra in decibels."""
    least = 1e-12
    apart = 10 * np.log10((one + least) / (reference + least))
    return float(np.sqrt(np.mean(apart**2)))


def statistics(density: Grid, voxel: float, where: Grid) -> Double:
    """(n, STATISTICS) of the blocks of a volume that hold dust in `where` (the simulated volume of the same
    place): at three scales spread, skewness, mean slope along each axis, extreme slopes, mean bends."""
    shown, there = visible(density, voxel), visible(where, voxel)
    rows = []
    for x in range(0, shown.shape[0] - BLOCK + 1, BLOCK):
        for y in range(0, shown.shape[1] - BLOCK + 1, BLOCK):
            for z in range(0, shown.shape[2] - BLOCK + 1, BLOCK):
                part = np.s_[x : x + BLOCK, y : y + BLOCK, z : z + BLOCK]
                if np.mean(there[part] > LEAST_SEEN) >= COVERED:
                    rows.append(_of_block(shown[part].astype(np.float64)))
    return np.asarray(rows, np.float64).reshape(len(rows), STATISTICS)


def _of_block(shown: Double) -> Double:
    found: list[float] = []
    for _ in range(SCALES):
        spread = shown.std() + 1e-4
        found += [np.log(spread), float(np.mean((shown - shown.mean()) ** 3)) / spread**3]
        slopes = [np.abs(np.diff(shown, axis=axis)) for axis in range(3)]
        found += [float(np.log(slope.mean() + 1e-5)) for slope in slopes]
        found += [float(np.log(np.percentile(np.concatenate([s.ravel() for s in slopes]), 98) + 1e-4))]
        bends = [np.abs(np.diff(shown, 2, axis=axis)) for axis in range(3)]
        found += [float(np.log(np.mean([bend.mean() for bend in bends]) + 1e-5))]
        n = shown.shape[0] // 2
        shown = shown.reshape(n, 2, n, 2, n, 2).mean(axis=(1, 3, 5))
    return np.asarray(found)


def frechet(one: Double, reference: Double) -> float | None:
    """Frechet distance of two clouds of statistics as Gaussians, each feature in units of the reference's
    spread (Heusel et al. 2017, with these statistics in place of a picture network's). None where there are
    too few blocks to say how statistics spread together."""
    if min(len(one), len(reference)) <= STATISTICS:
        return None
    middle, unit = reference.mean(axis=0), reference.std(axis=0) + 1e-6
    a, b = (one - middle) / unit, (reference - middle) / unit
    calm = 1e-6 * np.eye(a.shape[1])
    first, second = np.cov(a.T) + calm, np.cov(b.T) + calm
    both = np.real(sqrtm(first @ second))
    apart = a.mean(axis=0) - b.mean(axis=0)
    return float(apart @ apart + np.trace(first + second - 2 * both))


def travel_error(frames: Sequence[Grid], air: Grid, fps: float, voxel: float) -> float:
    """Mean difference, as seen, of each frame from the one before carried on by the air, over the mean of
    what is seen. air: (T, x, y, z, 3) m/s at the dust cells."""
    wrong = total = 0.0
    for number in range(1, len(frames)):
        before, now = visible(frames[number - 1], voxel), visible(frames[number], voxel)
        step = air[number] * np.float32(FACTOR / (fps * voxel))
        carried, inside = _carried(before, step)
        wrong += float(np.abs(carried - now)[inside].sum(dtype=np.float64))
        total += float(now[inside].sum(dtype=np.float64))
    return wrong / max(total, 1e-9)


@njit(cache=True)
def _carried(before: Grid, step: Grid) -> tuple[Grid, npt.NDArray[np.bool_]]:
    """What was at the place that each fine cell's air was at; and where that lies within the volume."""
    nx, ny, nz = before.shape
    cx, cy, cz = step.shape[:3]
    out = np.zeros_like(before)
    inside = np.zeros(before.shape, np.bool_)
    at = np.empty(3)
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                u = min(max((i + 0.5) / FACTOR - 0.5, 0.0), cx - 1.001)
                v = min(max((j + 0.5) / FACTOR - 0.5, 0.0), cy - 1.001)
                w = min(max((k + 0.5) / FACTOR - 0.5, 0.0), cz - 1.001)
                a, b, c = int(u), int(v), int(w)
                fu, fv, fw = u - a, v - b, w - c
                at[0], at[1], at[2] = i, j, k
                for d in range(2):
                    for e in range(2):
                        for f in range(2):
                            share = (fu if d else 1 - fu) * (fv if e else 1 - fv) * (fw if f else 1 - fw)
                            for n in range(3):
                                at[n] -= share * step[a + d, b + e, c + f, n]
                x, y, z = at[0], at[1], at[2]
                if x < 0 or y < 0 or z < 0 or x >= nx - 1 or y >= ny - 1 or z >= nz - 1:
                    continue
                inside[i, j, k] = True
                a, b, c = int(x), int(y), int(z)
                fu, fv, fw = x - a, y - b, z - c
                value = 0.0
                for d in range(2):
                    for e in range(2):
                        for f in range(2):
                            share = (fu if d else 1 - fu) * (fv if e else 1 - fv) * (fw if f else 1 - fw)
                            value += share * before[a + d, b + e, c + f]
                out[i, j, k] = value
    return out, inside
