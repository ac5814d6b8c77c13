"""Lobes carved into the simulated density on its own grid, before the camera looks."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["CONTRAST", "FRAY", "LOOSE", "TILE", "carve", "keeps_shape", "lobes", "relaxed", "smoothed"]

Float = npt.NDArray[np.float32]

TILE = 11.0  # metres the noise repeats over
CONTRAST = 1.45
LOOSE = 0.24  # least cover that can hold a lobe, so that none comes loose from its cloud
FRAY = 0.8  # of the cover that is lost at the cloud's foot
# Weights of the noise's octaves that the grid can hold; the finer ones are the march's.
OCTAVES = (0.31, 0.29, 0.21)
FINEST = len(OCTAVES) - 1


def smoothed(values: Float, sigma: float) -> Float:
    """Gaussian smoothing of (nx, ny, nz) with a standard deviation in cells."""
    reach = 2 * int(np.ceil(2.3 * sigma)) + 1
    kernel = cv2.getGaussianKernel(reach, sigma, cv2.CV_32F)
    nx, ny, nz = values.shape
    one = np.ones((1, 1), np.float32)
    along = cv2.sepFilter2D(values.reshape(nx, ny * nz), -1, one, kernel, borderType=cv2.BORDER_REPLICATE)
    along = np.ascontiguousarray(along.reshape(values.shape), dtype=np.float32)
    for slab in along:
        cv2.sepFilter2D(slab, -1, kernel, kernel, dst=slab, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(along, np.float32)


def relaxed(moved: Float, sigma: float) -> Float:
    """Displacement (mx, my, mz, 3) in metres, smoothed over `sigma` cells."""
    return np.stack([smoothed(np.ascontiguousarray(moved[..., a]), sigma) for a in range(3)], axis=-1)


def keeps_shape(moved: Float, cell: float) -> Float:
    """How little the flow has sheared the detail around each cell of (mx, my, mz, 3): 1 not, towards 0 a lot.

    Fine noise carried through strong shear turns into hair; it fades there.
    """
    if min(moved.shape[:3]) < 2:
        return np.ones(moved.shape[:3], np.float32)
    total = np.zeros(moved.shape[:3], np.float32)
    for axis in range(3):
        slope = np.gradient(moved, cell, axis=axis)
        total += (slope * slope).sum(-1)
    return (1.0 / (1.0 + 0.6 * total)).astype(np.float32)


@njit(cache=True)
def _billow_at(
    noise: npt.NDArray[np.uint8], x: float, y: float, z: float, first: int, last: int, total: float
) -> float:
    """`total` and the weighted octaves from `first` to before `last`, centred on 0, at a place in noise
    repeats; noise is indexed [z, y, x, channel]."""
    size = noise.shape[0]
    px, py, pz = x * size - 0.5, y * size - 0.5, z * size - 0.5
    fx, fy, fz = np.floor(px), np.floor(py), np.floor(pz)
    i, j, k = int(fx) % size, int(fy) % size, int(fz) % size
    i1, j1, k1 = (i + 1) % size, (j + 1) % size, (k + 1) % size
    u, v, w = px - fx, py - fy, pz - fz
    for c in range(first, last):
        a = (noise[k, j, i, c] * (1 - u) + noise[k, j, i1, c] * u) * (1 - v)
        a += (noise[k, j1, i, c] * (1 - u) + noise[k, j1, i1, c] * u) * v
        b = (noise[k1, j, i, c] * (1 - u) + noise[k1, j, i1, c] * u) * (1 - v)
        b += (noise[k1, j1, i, c] * (1 - u) + noise[k1, j1, i1, c] * u) * v
        total += OCTAVES[c] * ((a * (1 - w) + b * w) / 255.0 - 0.5)
    return total


@njit(cache=True)
def carve(
    density: Float,
    cover: Float,
    lump: Float,
    noise: npt.NDArray[np.uint8],
    moved: Float,
    weight: Float,
    offset: npt.NDArray[np.float64],
    offset_wide: npt.NDArray[np.float64],
    low: Float,
    voxel: float,
    coarse: int,
    billow: Float,
    grams: Float,
) -> None:
    """Fill `billow` (noise where dust is, 0.5 elsewhere) and `grams` (carved density, g/m3), (nx, ny, nz).

    density, cover, lump (nx, ny, nz): see `volume`; moved (2, mx, my, mz, 4): the two layers' displacement
    in metres and how well they keep their shape; weight (2,); offset (2, 3) metres of the finest octave,
    offset_wide of the others; low (3,) grid corner.
    """
    nx, ny, nz = density.shape
    mx, my, mz = moved.shape[1:4]
    place = np.empty(4)
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                billow[i, j, k] = 0.5
                grams[i, j, k] = 0.0
                c = cover[i, j, k]
                if c < 0.004 and density[i, j, k] < 0.004:
                    continue
                ci = min(max((i + 0.5) / coarse - 0.5, 0.0), mx - 1.0)
                cj = min(max((j + 0.5) / coarse - 0.5, 0.0), my - 1.0)
                ck = min(max((k + 0.5) / coarse - 0.5, 0.0), mz - 1.0)
                i0, j0, k0 = int(ci), int(cj), int(ck)
                i1, j1, k1 = min(i0 + 1, mx - 1), min(j0 + 1, my - 1), min(k0 + 1, mz - 1)
                u, v, w = ci - i0, cj - j0, ck - k0
                total = 0.0
                sum_one = 0.0
                sum_two = 0.0
                for layer in range(2):
                    if weight[layer] < 1e-3:
                        continue
                    for a in range(4):
                        one = moved[layer, i0, j0, k0, a] * (1 - w) + moved[layer, i0, j0, k1, a] * w
                        two = moved[layer, i0, j1, k0, a] * (1 - w) + moved[layer, i0, j1, k1, a] * w
                        three = moved[layer, i1, j0, k0, a] * (1 - w) + moved[layer, i1, j0, k1, a] * w
                        four = moved[layer, i1, j1, k0, a] * (1 - w) + moved[layer, i1, j1, k1, a] * w
                        place[a] = (one * (1 - v) + two * v) * (1 - u) + (three * (1 - v) + four * v) * u
                    share = weight[layer] * place[3] + 1e-4
                    x = (low[0] + (i + 0.5) * voxel + place[0] + offset_wide[layer, 0]) / TILE
                    y = (low[1] + (j + 0.5) * voxel + place[1] + offset_wide[layer, 1]) / TILE
                    z = (low[2] + (k + 0.5) * voxel + place[2] + offset_wide[layer, 2]) / TILE
                    octaves = _billow_at(noise, x, y, z, 0, FINEST, 0.0)
                    x = (low[0] + (i + 0.5) * voxel + place[0] + offset[layer, 0]) / TILE
                    y = (low[1] + (j + 0.5) * voxel + place[1] + offset[layer, 1]) / TILE
                    z = (low[2] + (k + 0.5) * voxel + place[2] + offset[layer, 2]) / TILE
                    total += share * _billow_at(noise, x, y, z, FINEST, FINEST + 1, octaves)
                    sum_one += share
                    sum_two += share * share
                # Two noises averaged have less contrast than one, which is given back.
                value = 0.5 + CONTRAST * total / max(np.sqrt(sum_two), 1e-6) if sum_one > 0 else 0.5
                billow[i, j, k] = value
                inside = c - min(max(1.0 - value, LOOSE), 0.85)
                edge = min(max(inside / 0.25 + 0.5, 0.0), 1.0)
                grams[i, j, k] = lump[i, j, k] * edge + min(density[i, j, k], 0.35) * (1 - edge)


@njit(cache=True)
def _rise(low: float, high: float, x: float) -> float:
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@njit(cache=True)
def lobes(
    density: Float, cover: Float, lump: Float, billow: Float, bottom: float, voxel: float, out: Float
) -> None:
    """What `carve` found as density on the grid, (nx, ny, nz) g/m3: lobes as solid as the march (dust.frag)
    makes them, their edges a cell wide, the haze between them thinned, the foot undercut. `bottom` is the
    grid's lowest height in metres."""
    nx, ny, nz = density.shape
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                b = billow[i, j, k]
                height = max(bottom + (k + 0.5) * voxel, 0.0)
                c = max(cover[i, j, k] - FRAY * np.exp(-0.9 * height) * (0.85 - 0.5 * b), 0.0)
                inside = c - min(max(1.0 - b, LOOSE), 0.85)
                edge = min(max(inside / 0.25 + 0.5, 0.0), 1.0)
                full = _rise(0.3, 0.8, c)
                solid = (0.9 + 0.9 * full) * lump[i, j, k] * edge * (0.45 + 0.75 * _rise(0.0, 0.22, inside))
                haze = min(density[i, j, k], 0.35) * (0.06 + 1.04 * _rise(0.3, 0.85, b))
                out[i, j, k] = solid + haze * (1.0 - _rise(0.15, 0.7, c))
