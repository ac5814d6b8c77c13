"""Grids of numbers on their way into 3D textures."""

from __future__ import annotations

from typing import Any

import moderngl
import numpy as np
import numpy.typing as npt
from numba import njit

from falsework.media.half import to_half

__all__ = ["fill"]

Float = npt.NDArray[np.float32]

BLOCK = 16  # cells: what is read and written in turn stays in the cache


@njit(cache=True)
def _turned(channels: Any, out: Float) -> None:
    """Channels (nx, ny, nz) side by side as out (nz, ny, nx, channel)."""
    nz, ny, nx, count = out.shape
    for first in range(0, nx, BLOCK):
        for low in range(0, nz, BLOCK):
            for j in range(ny):
                for k in range(low, min(low + BLOCK, nz)):
                    for i in range(first, min(first + BLOCK, nx)):
                        for channel in range(count):
                            out[k, j, i, channel] = channels[channel][i, j, k]


def fill(texture: moderngl.Texture3D, *channels: Float) -> None:
    """Fill a 3D texture of half floats from its channels, (nx, ny, nz) each."""
    nx, ny, nz = channels[0].shape
    turned = np.empty((nz, ny, nx, len(channels)), np.float32)
    _turned(channels, turned)
    texture.write(to_half(turned))
