"""Where the air came from: displacements that let the renderer's noise travel with the dust.

Two layers, renewed in turn while they weigh nothing, so that noise never stretches for long and never jumps.
Source: Neyret, "Advected textures" (2003).
"""

# Numba's kernels: mypy cannot follow NumPy integers as loop indices.
# mypy: disable-error-code="index, assignment"

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

__all__ = ["DETAIL_STEP", "Detail"]

Grid = npt.NDArray[np.float32]

# Air cells along one edge of a cell of the displacements handed on.
DETAIL_STEP = 2
# Seconds between renewals, which the two layers take in turns.
TURN = 0.5
# Metres by which a cell's displacement may differ from its neighbours' mean, per metre of cell.
STRETCH = 0.2


@njit(cache=True, parallel=True)
def _carry(
    field: Grid, velocity: Grid, dt: float, voxel: float, box: npt.NDArray[np.int64], out: Grid
) -> None:
    nx, ny, nz = field.shape[:3]
    dt, step = np.float32(dt), np.float32(dt / voxel)
    zero = np.float32(0.0)
    for row in prange(box[0], box[1]):
        i = np.int64(row)
        for j in range(box[2], box[3]):
            for k in range(box[4], box[5]):
                a, b, c = velocity[i, j, k, 0], velocity[i, j, k, 1], velocity[i, j, k, 2]
                x = min(max(i - step * a, zero), np.float32(nx - 1.001))
                y = min(max(j - step * b, zero), np.float32(ny - 1.001))
                z = min(max(k - step * c, zero), np.float32(nz - 1.001))
                p, q, r = int(x), int(y), int(z)
                fx, fy, fz = x - np.float32(p), y - np.float32(q), z - np.float32(r)
                gx, gy, gz = 1 - fx, 1 - fy, 1 - fz
                for n in range(6):
                    near = gy * (gz * field[p, q, r, n] + fz * field[p, q, r + 1, n]) + fy * (
                        gz * field[p, q + 1, r, n] + fz * field[p, q + 1, r + 1, n]
                    )
                    far = gy * (gz * field[p + 1, q, r, n] + fz * field[p + 1, q, r + 1, n]) + fy * (
                        gz * field[p + 1, q + 1, r, n] + fz * field[p + 1, q + 1, r + 1, n]
                    )
                    out[i, j, k, n] = gx * near + fx * far
                out[i, j, k, 0] -= dt * a
                out[i, j, k, 1] -= dt * b
                out[i, j, k, 2] -= dt * c
                out[i, j, k, 3] -= dt * a
                out[i, j, k, 4] -= dt * b
                out[i, j, k, 5] -= dt * c


@njit(cache=True, parallel=True)
def _limit_stretch(field: Grid, limit: float, box: npt.NDArray[np.int64], out: Grid) -> None:
    """Pull a displacement towards its neighbours' mean where noise would be torn."""
    nx, ny, nz = field.shape[:3]
    sixth = np.float32(1.0 / 6.0)
    limit = np.float32(limit)
    for row in prange(box[0], box[1]):
        i = np.int64(row)
        il, ir = max(i - 1, 0), min(i + 1, nx - 1)
        for j in range(box[2], box[3]):
            jl, jr = max(j - 1, 0), min(j + 1, ny - 1)
            for k in range(box[4], box[5]):
                kl, kr = max(k - 1, 0), min(k + 1, nz - 1)
                for layer in range(0, 6, 3):
                    square = np.float32(0.0)
                    for n in range(layer, layer + 3):
                        mean = sixth * (
                            field[il, j, k, n] + field[ir, j, k, n] + field[i, jl, k, n]
                            + field[i, jr, k, n] + field[i, j, kl, n] + field[i, j, kr, n]
                        )  # fmt: skip
                        out[i, j, k, n] = mean
                        square += (field[i, j, k, n] - mean) ** 2
                    keep = np.float32(1.0)
                    if square > limit * limit:
                        keep = limit / np.sqrt(square)
                    for n in range(layer, layer + 3):
                        mean = out[i, j, k, n]
                        out[i, j, k, n] = mean + keep * (field[i, j, k, n] - mean)


@njit(cache=True, parallel=True)
def _mean_blocks(field: Grid, x0: int, y0: int, z0: int, out: Grid) -> None:
    """Mean over blocks of DETAIL_STEP cells an edge, the first block's number along each axis given."""
    share = np.float32(1.0 / DETAIL_STEP**3)
    for row in prange(out.shape[0]):
        for j in range(out.shape[1]):
            for k in range(out.shape[2]):
                for n in range(6):
                    total = np.float32(0.0)
                    for a in range(DETAIL_STEP):
                        for b in range(DETAIL_STEP):
                            for c in range(DETAIL_STEP):
                                total += field[
                                    (x0 + np.int64(row)) * DETAIL_STEP + a,
                                    (y0 + j) * DETAIL_STEP + b,
                                    (z0 + k) * DETAIL_STEP + c,
                                    n,
                                ]
                    out[row, j, k, n] = total * share


class Detail:
    """Both layers at one moment, on the air's grid of `shape` cells."""

    def __init__(self, shape: tuple[int, int, int], voxel: float, fps: float) -> None:
        self.field = np.zeros((*shape, 6), np.float32)
        self.spare = np.zeros_like(self.field)
        self.voxel = voxel
        self.dt = 1.0 / fps
        # Whole frames, so that a layer's weight is exactly zero in the frame that renews it.
        self.turn = max(1, round(TURN * fps))
        self.step = 0
        self.layer_seed = np.array([0, 1], np.int32)

    @property
    def weight(self) -> npt.NDArray[np.float32]:
        """(2,) triangles in time: (1, 0) at the start, (0, 1) a turn later."""
        second = abs((self.step / self.turn + 1.0) % 2.0 - 1.0)
        return np.array([1.0 - second, second], np.float32)

    def advance(self, velocity: Grid, box: npt.NDArray[np.int64]) -> None:
        """Carry both layers a frame inside `box` with cell velocities (nx, ny, nz, 3); renew one when due."""
        _carry(self.field, velocity, self.dt, self.voxel, box, self.spare)
        _limit_stretch(self.spare, STRETCH * self.voxel, box, self.field)
        self.step += 1
        if self.step % self.turn == 0:
            layer = 0 if (self.step // self.turn) % 2 == 1 else 1
            self.field[..., 3 * layer : 3 * layer + 3] = 0.0
            self.layer_seed[layer] += 2

    def arrays(self, box: npt.NDArray[np.int64] | None) -> dict[str, Any]:
        """The parts of a `DustFrame` this is; `box` holds all cells that were ever carried."""
        nx, ny, nz = (n // DETAIL_STEP for n in self.field.shape[:3])
        detail = np.zeros((2, nx, ny, nz, 3), np.float16)
        if box is not None:
            x0, y0, z0 = (int(b) // DETAIL_STEP for b in box[0::2])
            x1, y1, z1 = (-(-int(b) // DETAIL_STEP) for b in box[1::2])
            part = np.empty((x1 - x0, y1 - y0, z1 - z0, 6), np.float32)
            _mean_blocks(self.field, x0, y0, z0, part)
            for layer in range(2):
                detail[layer, x0:x1, y0:y1, z0:z1] = part[..., 3 * layer : 3 * layer + 3]
        return {"detail": detail, "weight": self.weight, "layer_seed": self.layer_seed.copy()}
