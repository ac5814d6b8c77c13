"""What the dust network sees of the simulated dust, and how its answer becomes density.

Everything is laid out by half cells, eight of which are a dust cell: the HALF^3 fine cells of one are its
channels, number 4 a + 2 b + c for the fine cell (a, b, c). The network speaks in square roots of the density
over what lies between the dust cells' middles (trilinear): nothing is 0, and no deviation is SPREAD's number
of units from 1.
"""

# Numba's kernels: mypy cannot follow NumPy integers as loop indices.
# mypy: disable-error-code="index, assignment"

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit, prange

from falsework.dust.fine import FACTOR, HALF

__all__ = [
    "FEATURES",
    "KEPT",
    "LARGEST",
    "REACHES",
    "SCALED",
    "SPREAD",
    "between_half_cells",
    "calming",
    "densities",
    "features",
    "fine_between",
    "half_cells",
    "interpolation",
    "means",
    "over_half_cells",
    "roots",
    "shuffled",
    "unshuffled",
    "within",
]

Grid = npt.NDArray[np.float32]

# An answer y stands for the root 1 + SPREAD y of a ratio, from 0 to LARGEST.
SPREAD, LARGEST = 0.35, 3.0
# The mean of what is made of a dust cell lies between its own density over KEPT and its own times KEPT. Were
# it always its own, what is made could not travel: each cell on its way would pull at it differently.
KEPT = 1.25
# By which what is said of a dust cell is scaled up at most; what is missing then is what lies between the
# cells. Without this, next to nothing in one fine cell would come to stand for all of its dust cell: a speck.
SCALED = 4.0
# g/m3 under which nothing is seen: less light than a hundredth is lost over a metre.
FAINT = 0.02
# Logarithm of the cell's density, of its mean over 3 cells and over 7 cells an edge; how uneven dust is over
# each of the two: where it is uneven from cell to cell, so it is within them.
FEATURES = 5
REACHES = (1, 3)


def interpolation() -> Grid:
    """(64, 27) weights of the 3x3x3 dust cells around in each fine cell, trilinear between their middles."""
    place = (np.arange(FACTOR) + 0.5) / FACTOR - 0.5
    along = np.stack([np.maximum(-place, 0), 1 - np.abs(place), np.maximum(place, 0)], axis=1)
    whole = np.einsum("ai,bj,ck->abcijk", along, along, along)
    return np.asarray(whole.reshape(FACTOR**3, 27), np.float32)


def calming() -> Grid:
    """(1, 8, 3, 3, 3) the filter that brings fine cells, as half cells have them, to half cells without what
    those cannot hold: 1 3 3 1 along each axis."""
    along = np.array([0, 1, 3, 3, 1, 0]) / 8
    fine = np.einsum("i,j,k->ijk", along, along, along)
    return unshuffled(np.asarray(fine, np.float32))[None]


def between_half_cells() -> Grid:
    """(8, 3, 3, 3) weights of the half cells around in each fine cell, trilinear between their middles."""
    along = np.array([[0.25, 0.75, 0.0], [0.0, 0.75, 0.25]], np.float32)
    whole = np.einsum("ai,bj,ck->abcijk", along, along, along)
    return np.asarray(whole.reshape(HALF**3, 3, 3, 3), np.float32)


def over_half_cells(kernel: Grid) -> Grid:
    """(n, 8, 8, 3, 3, 3) filters of fine cells (n, 1, 5, 5, 5), from half cells' channels to half cells'."""
    out = np.zeros((len(kernel), *[HALF] * 6, 3, 3, 3), np.float32)
    for to in np.ndindex(HALF, HALF, HALF):
        for place in np.ndindex(*[3 * HALF] * 3):
            # Fine cells from the filter's first to this one, which lies so far within the half cells around.
            at = tuple(p - t for p, t in zip(place, to, strict=True))
            if all(0 <= a < kernel.shape[-1] for a in at):
                source = tuple(p % HALF for p in place)
                out[(slice(None), *to, *source, *(p // HALF for p in place))] = kernel[(slice(None), 0, *at)]
    return out.reshape(len(kernel), HALF**3, HALF**3, 3, 3, 3)


def means(fine: Grid) -> Grid:
    """(X, Y, Z) fine density to the mean of each dust cell."""
    x, y, z = (n // FACTOR for n in fine.shape)
    blocks = fine.reshape(x, FACTOR, y, FACTOR, z, FACTOR)
    return np.asarray(blocks.mean(axis=(1, 3, 5), dtype=np.float32), np.float32)


def within(cells: Grid) -> Grid:
    """(4 x, 4 y, 4 z) the values (x, y, z) of dust cells in each of their fine cells."""
    return cells.repeat(FACTOR, 0).repeat(FACTOR, 1).repeat(FACTOR, 2)


def unshuffled(fine: Grid) -> Grid:
    """(4 x, 4 y, 4 z) fine cells as (8, 2 x, 2 y, 2 z)."""
    x, y, z = (n // HALF for n in fine.shape)
    parts = fine.reshape(x, HALF, y, HALF, z, HALF).transpose(1, 3, 5, 0, 2, 4)
    return np.ascontiguousarray(parts.reshape(HALF**3, x, y, z))


def shuffled(cells: Grid) -> Grid:
    """`unshuffled` undone."""
    x, y, z = cells.shape[1:]
    parts = cells.reshape(HALF, HALF, HALF, x, y, z).transpose(3, 0, 4, 1, 5, 2)
    return np.ascontiguousarray(parts.reshape(HALF * x, HALF * y, HALF * z))


def features(density: Grid) -> Grid:
    """(FEATURES, x, y, z) what the network sees of dust cells (x, y, z) in g/m3."""
    density = np.ascontiguousarray(density, np.float32)
    out = np.empty((FEATURES, *density.shape), np.float32)
    out[0] = density
    square = density * density
    for number, reach in enumerate(REACHES, 1):
        mean = out[number] = _box(density, reach)
        uneven = np.maximum(_box(square, reach) - mean * mean, np.float32(0.0))
        np.sqrt(uneven, out=uneven)
        # Where there is next to nothing it is neither even nor uneven.
        np.divide(uneven, mean + np.float32(FAINT), out=out[len(REACHES) + number])
    told = out[: 1 + len(REACHES)]
    np.multiply(told, np.float32(1 / FAINT), out=told)
    np.log1p(told, out=told)
    told *= np.float32(0.25)
    return out


def _box(values: Grid, reach: int) -> Grid:
    """Mean over (2 reach + 1)^3 cells, the border's cells repeated."""
    edge = 2 * reach + 1
    nx, ny, nz = values.shape
    along = np.empty((nx, ny * nz), np.float32)
    cv2.blur(values.reshape(nx, ny * nz), (1, edge), dst=along, borderType=cv2.BORDER_REPLICATE)
    out = along.reshape(values.shape)
    for slab in out:
        cv2.blur(slab, (edge, edge), dst=slab, borderType=cv2.BORDER_REPLICATE)
    return np.maximum(out, np.float32(0.0))


def half_cells(values: Grid, reach: int) -> Grid:
    """(c, 2 x + 2 reach, …) trilinear values in the middles of the half cells of (x, y, z) dust cells and of
    `reach` half cells around them, from the values (c, x + 2 m, …) with m = reach // 2 + 1 cells around."""
    near, far = np.float32(0.75), np.float32(0.25)
    for axis in (1, 2, 3):
        one, two = (np.moveaxis(values, axis, -1)[..., part] for part in (slice(-1), slice(1, None)))
        both = np.stack([near * one + far * two, far * one + near * two], axis=-1)
        values = np.moveaxis(both.reshape(*both.shape[:-2], -1), -1, axis)
    beyond = 1 - reach % 2
    inner = slice(beyond, -beyond or None)
    return np.ascontiguousarray(values[:, inner, inner, inner])


def fine_between(density: Grid) -> Grid:
    """(4 x - 8, 4 y - 8, 4 z - 8) the trilinear density (x, y, z) in the fine cells of all but the outer dust
    cells."""
    x, y, z = (n - 2 for n in density.shape)
    windows = np.lib.stride_tricks.sliding_window_view(density, (3, 3, 3)).reshape(x, y, z, 27)
    cells = (windows @ interpolation().T).reshape(x, y, z, FACTOR, FACTOR, FACTOR)
    return np.ascontiguousarray(cells.transpose(0, 3, 1, 4, 2, 5).reshape(FACTOR * x, FACTOR * y, FACTOR * z))


def roots(fine: Grid, between: Grid) -> Grid:
    """What the network shall say, before SPREAD: of density in fine cells over `fine_between`."""
    root = np.sqrt(fine / np.maximum(between, np.float32(1e-6)))
    return np.asarray(np.minimum(root, np.float32(LARGEST)), np.float32)


@njit(cache=True, parallel=True)
def densities(answer: Grid, density: Grid, weights: Grid, out: Grid) -> None:
    """Density from what the network says; the mean in each dust cell stays within KEPT times that cell's own.

    answer   (n, 8, 2 x, 2 y, 2 z): the root of a ratio is 1 + SPREAD of it
    density  (n, x + 2, y + 2, z + 2) g/m3 of the dust cells, with those around
    weights  (64, 27) `interpolation()`
    out      (n, 4 x, 4 y, 4 z) g/m3
    """
    nx, ny, nz = answer.shape[2] // HALF, answer.shape[3] // HALF, answer.shape[4] // HALF
    spread, largest = np.float32(SPREAD), np.float32(LARGEST)
    kept, scaled = np.float32(KEPT), np.float32(SCALED)
    zero, one, share = np.float32(0.0), np.float32(1.0), np.float32(1 / FACTOR**3)
    for number in prange(answer.shape[0]):
        around = np.empty(27, np.float32)
        values, plain = np.empty(FACTOR**3, np.float32), np.empty(FACTOR**3, np.float32)
        for x in range(nx):
            for y in range(ny):
                for z in range(nz):
                    own = density[number, x + 1, y + 1, z + 1]
                    if own <= zero:
                        for a in range(FACTOR):
                            for b in range(FACTOR):
                                for c in range(FACTOR):
                                    out[number, FACTOR * x + a, FACTOR * y + b, FACTOR * z + c] = zero
                        continue
                    for a in range(3):
                        for b in range(3):
                            for c in range(3):
                                around[9 * a + 3 * b + c] = density[number, x + a, y + b, z + c]
                    total, all_plain = zero, zero
                    for cell in range(FACTOR**3):
                        a, b, c = cell // FACTOR**2, cell // FACTOR % FACTOR, cell % FACTOR
                        between = zero
                        for part in range(27):
                            between += weights[cell, part] * around[part]
                        said = answer[
                            number, HALF**2 * (a % HALF) + HALF * (b % HALF) + c % HALF,
                            HALF * x + a // HALF, HALF * y + b // HALF, HALF * z + c // HALF,
                        ]  # fmt: skip
                        root = min(max(one + spread * said, zero), largest)
                        value = between * root * root
                        values[cell], plain[cell] = value, between
                        total += value
                        all_plain += between
                    mean = total * share
                    gain = min(max(mean, own / kept), own * kept) / max(mean, own / (kept * scaled))
                    missing = max(own / kept - gain * mean, zero) / (all_plain * share)
                    for cell in range(FACTOR**3):
                        values[cell] = gain * values[cell] + missing * plain[cell]
                    for a in range(FACTOR):
                        for b in range(FACTOR):
                            for c in range(FACTOR):
                                out[number, FACTOR * x + a, FACTOR * y + b, FACTOR * z + c] = values[
                                    16 * a + 4 * b + c
                                ]
