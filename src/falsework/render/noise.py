"""Tileable noise of inverted cells: lobes with creases between them, as dust and broken faces have."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from falsework.seeds import generator

__all__ = ["lobe_noise"]


@njit(cache=True)
def _cells(points: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """Distance to the nearest of one point a cell, in cells, on a torus; points (c, c, c, 3) in 0..1."""
    count = points.shape[0]
    out = np.empty((size, size, size), np.float32)
    for k in range(size):
        for j in range(size):
            for i in range(size):
                z, y, x = (k + 0.5) * count / size, (j + 0.5) * count / size, (i + 0.5) * count / size
                ck, cj, ci = int(z), int(y), int(x)
                best = 9.0
                for dk in range(-1, 2):
                    for dj in range(-1, 2):
                        for di in range(-1, 2):
                            point = points[(ck + dk) % count, (cj + dj) % count, (ci + di) % count]
                            az = ck + dk + point[0] - z
                            ay = cj + dj + point[1] - y
                            ax = ci + di + point[2] - x
                            best = min(best, az * az + ay * ay + ax * ax)
                out[k, j, i] = np.sqrt(best)
    return out


def lobe_noise(size: int = 72, cells: tuple[int, ...] = (3, 6, 12, 24)) -> npt.NDArray[np.uint8]:
    """(size, size, size, 4) inverted Worley noise (S. Worley, "A cellular texture basis function", 1996), a
    channel for each number of cells along an edge; each channel spread over 0..255 evenly, so that thresholds
    mean shares of space.
    """
    channels = []
    for count in cells:
        points = generator(0, "lobe noise", count).random((count, count, count, 3), dtype=np.float32)
        distance = _cells(points, size)
        # From the farthest to the nearest, equal ones in their order. Whole numbers sort quicker than floats,
        # and the bits of a float that is not negative rise with it.
        number = np.arange(distance.size, dtype=np.uint64)
        key = (~distance.ravel().view(np.uint32)).astype(np.uint64) << np.uint64(32) | number
        order = np.sort(key) & np.uint64(0xFFFFFFFF)
        rank = np.empty(order.size, np.float32)
        rank[order] = np.linspace(0.0, 1.0, order.size, dtype=np.float32)
        channels.append((rank.reshape(distance.shape) * 255).astype(np.uint8))
    return np.stack(channels, axis=-1)
