"""Grids of numbers on their way into 3D textures."""

from __future__ import annotations

from typing import Any

import cv2
import moderngl
import numpy as np
import numpy.typing as npt
from numba import njit

from falsework.media.half import to_half

__all__ = ["fill"]

Float = npt.NDArray[np.float32]

BLOCK = 16  # cells: what is read and written in turn stays in the cache


@njit(cache=True)
def _turned(cells: npt.NDArray[Any], out: npt.NDArray[Any]) -> None:
    """Cells (nx, ny, nz) as out (nz, ny, nx)."""
    nx, ny, nz = cells.shape
    for j in range(ny):
        for first in range(0, nx, BLOCK):
            for low in range(0, nz, BLOCK):
                for k in range(low, min(low + BLOCK, nz)):
                    for i in range(first, min(first + BLOCK, nx)):
                        out[k, j, i] = cells[i, j, k]


def fill(texture: moderngl.Texture3D, *channels: Float) -> None:
    """Fill a 3D texture of half floats from its one, two or four channels, (nx, ny, nz) each."""
    nx, ny, nz = channels[0].shape
    halves = [to_half(channel).view(np.int16).reshape(nx, ny * nz) for channel in channels]
    # A cell's channels travel together.
    cells = np.asarray(cv2.merge(halves)).reshape(-1).view(f"u{2 * len(channels)}")
    out = np.empty((nz, ny, nx), cells.dtype)
    _turned(cells.reshape(nx, ny, nz), out)
    texture.write(out)
