"""What a dust network must beat: coarse dust interpolated, and stirred by curl noise.

Curl noise after Bridson, Houriham, Nordenstam, "Curl-noise for procedural fluid flow" (2007) and Kim et al.,
"Wavelet turbulence for fluid simulation" (2008): eddies finer than the grid, of the spectrum turbulence has,
move the place where density is looked up. They travel with the dust, as the network's noise does.
"""

# Numba's kernels: mypy cannot follow NumPy integers as loop indices.
# mypy: disable-error-code="index, assignment"

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numba import njit

from falsework.datasets.volumes_air import eddies
from falsework.dust.fine import FACTOR
from falsework.models.dust_cells import KEPT, fine_between, means, within
from falsework.models.noise import layer_offsets
from falsework.seeds import generator
from falsework.training.dust_measures import log_spectral_distance, spectrum
from falsework.training.dust_samples import DustSequence

__all__ = ["AMPLITUDES", "curled", "fitted_amplitude", "interpolated"]

Grid = npt.NDArray[np.float32]

# Fine cells an edge of the eddies' tile; widest and narrowest eddy.
TILE, WIDEST, NARROWEST = 64, 8.0, 2.2
AMPLITUDES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)


def interpolated(density: Grid) -> Grid:
    """(4 x, 4 y, 4 z) the density (x, y, z) of dust cells, trilinear between their middles."""
    return fine_between(np.pad(density, 1, mode="edge"))


def curled(sequence: DustSequence, number: int, amplitude: float, *, seed: int) -> Grid:
    """(X, Y, Z) g/m3: the coarse dust of a frame, looked up `amplitude` fine cells (root mean square) away
    along curl noise; each dust cell's mean is kept as near its own as the network's is."""
    density = sequence.density[number]
    frame = sequence.frame(number)
    weight = sequence.layer_weight[number].astype(np.float64)
    out = np.empty(sequence.shape, np.float32)
    _stirred(
        interpolated(density),
        _tile(),
        frame.detail.astype(np.float32),
        weight / np.sqrt((weight**2).sum()),
        layer_offsets(frame.layer_seed, seed),
        FACTOR / sequence.voxel,
        amplitude,
        out,
    )
    mean = np.maximum(means(out), np.float32(1e-9))
    kept = np.clip(mean, density / np.float32(KEPT), density * np.float32(KEPT))
    return np.asarray(out * within(np.asarray(kept / mean, np.float32)), np.float32)


def fitted_amplitude(sequences: Sequence[DustSequence]) -> float:
    """The amplitude whose spectra come nearest to the simulated ones; on the training split."""
    best = {
        amplitude: np.mean(
            [
                log_spectral_distance(
                    spectrum(curled(one, 0, amplitude, seed=0), one.voxel), spectrum(one.fine(0), one.voxel)
                )
                for one in sequences
            ]
        )
        for amplitude in AMPLITUDES
    }
    return min(best, key=lambda amplitude: float(best[amplitude]))


@lru_cache(maxsize=1)
def _tile() -> Grid:
    """(TILE, TILE, TILE, 3) one field of eddies, of unit root mean square."""
    tile = eddies(generator(0, "curl noise"), TILE, widest=WIDEST, narrowest=NARROWEST, fields=1)[0]
    return np.ascontiguousarray(tile / np.sqrt((tile**2).sum(axis=-1).mean()), np.float32)


@njit(cache=True)
def _looked_up(field: Grid, x: float, y: float, z: float, out: Grid) -> None:
    """Trilinear value of (n, n, n, c) periodic."""
    n = field.shape[0]
    i, j, k = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
    u, v, w = x - i, y - j, z - k
    out[:] = 0.0
    for a in range(2):
        for b in range(2):
            for c in range(2):
                share = (u if a else 1 - u) * (v if b else 1 - v) * (w if c else 1 - w)
                for channel in range(field.shape[3]):
                    out[channel] += share * field[(i + a) % n, (j + b) % n, (k + c) % n, channel]


@njit(cache=True)
def _stirred(
    between: Grid, tile: Grid, detail: Grid, weight: npt.NDArray[np.float64],
    offsets: npt.NDArray[np.float64], scale: float, amplitude: float, out: Grid,
) -> None:  # fmt: skip
    nx, ny, nz = between.shape
    mx, my, mz = detail.shape[1:4]
    moved, eddy, place = np.empty(3, np.float32), np.empty(3, np.float32), np.empty(3)
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                place[0], place[1], place[2] = i, j, k
                ci = min(max((i + 0.5) * mx / nx - 0.5, 0.0), mx - 1.0)
                cj = min(max((j + 0.5) * my / ny - 0.5, 0.0), my - 1.0)
                ck = min(max((k + 0.5) * mz / nz - 0.5, 0.0), mz - 1.0)
                p, q, r = (
                    min(int(ci), max(mx - 2, 0)),
                    min(int(cj), max(my - 2, 0)),
                    min(int(ck), max(mz - 2, 0)),
                )
                u, v, w = ci - p, cj - q, ck - r
                for layer in range(2):
                    moved[:] = 0.0
                    for a in range(2):
                        for b in range(2):
                            for c in range(2):
                                share = (u if a else 1 - u) * (v if b else 1 - v) * (w if c else 1 - w)
                                for n in range(3):
                                    moved[n] += (
                                        share
                                        * detail[
                                            layer,
                                            min(p + a, mx - 1),
                                            min(q + b, my - 1),
                                            min(r + c, mz - 1),
                                            n,
                                        ]
                                    )
                    _looked_up(
                        tile, i + moved[0] * scale + offsets[layer, 0],
                        j + moved[1] * scale + offsets[layer, 1],
                        k + moved[2] * scale + offsets[layer, 2], eddy,
                    )  # fmt: skip
                    for n in range(3):
                        place[n] += amplitude * weight[layer] * eddy[n]
                x = min(max(place[0], 0.0), nx - 1.001)
                y = min(max(place[1], 0.0), ny - 1.001)
                z = min(max(place[2], 0.0), nz - 1.001)
                a, b, c = int(x), int(y), int(z)
                u, v, w = x - a, y - b, z - c
                value = 0.0
                for d in range(2):
                    for e in range(2):
                        for f in range(2):
                            share = (u if d else 1 - u) * (v if e else 1 - v) * (w if f else 1 - w)
                            value += share * between[a + d, b + e, c + f]
                out[i, j, k] = value
