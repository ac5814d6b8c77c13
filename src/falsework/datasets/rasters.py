"""Triangles seen by an ideal camera or by the sun, on the processor: the same bits on every machine."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["SunDepths", "look_up", "seen_faces"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int32]

TEXELS = 1400
NEAR = 0.3


def look_up(
    image: npt.NDArray[np.float32], x: npt.NDArray[Any], y: npt.NDArray[Any], *, wrap: bool = False
) -> npt.NDArray[np.float32]:
    """Values (N[, C]) of a picture at pixels x, y (N,), bilinear; past its edges it repeats or goes on."""
    count = len(x)
    wide = 8192  # OpenCV wants no side longer than 32767
    rows = -(-count // wide)
    at = np.zeros((2, rows * wide), np.float32)
    at[0, :count], at[1, :count] = x, y
    border = cv2.BORDER_WRAP if wrap else cv2.BORDER_REPLICATE
    first, second = at.reshape(2, rows, wide)
    found = cv2.remap(image, first, second, cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(found.reshape(rows * wide, *image.shape[2:])[:count], np.float32)


@njit(cache=True)
def _fill(place: Any, key: Any, faces: Any, height: int, width: int, nearest: Any, who: Any) -> None:
    """Draw triangles over pixel centres; `key` is linear in the picture and largest for what is nearest."""
    for face in range(len(faces)):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        if key[a] <= 0 or key[b] <= 0 or key[c] <= 0:
            continue
        ax, ay, bx, by, cx, cy = place[a, 0], place[a, 1], place[b, 0], place[b, 1], place[c, 0], place[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-12:
            continue
        x0 = max(int(np.floor(min(ax, bx, cx) - 0.5)), 0)
        x1 = min(int(np.ceil(max(ax, bx, cx) - 0.5)), width - 1)
        y0 = max(int(np.floor(min(ay, by, cy) - 0.5)), 0)
        y1 = min(int(np.ceil(max(ay, by, cy) - 0.5)), height - 1)
        for y in range(y0, y1 + 1):
            py = y + 0.5
            for x in range(x0, x1 + 1):
                px = x + 0.5
                u = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area
                v = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area
                w = 1.0 - u - v
                if u < -1e-9 or v < -1e-9 or w < -1e-9:
                    continue
                here = u * key[a] + v * key[b] + w * key[c]
                if here > nearest[y, x]:
                    nearest[y, x] = here
                    who[y, x] = face


def seen_faces(
    place: Float, depth: Float, faces: Int, height: int, width: int
) -> tuple[npt.NDArray[np.int32], Float]:
    """Which triangle (height, width; -1: none) is seen at each pixel's centre, and how deep (infinite: none).

    place (V, 2) pixels;  depth (V,) metres along the axis;  faces (F, 3)
    """
    key = np.where(depth > NEAR, 1.0 / np.maximum(depth, NEAR), 0.0)
    nearest, who = np.zeros((height, width)), np.full((height, width), -1, np.int32)
    _fill(place, key, faces, height, width, nearest, who)
    with np.errstate(divide="ignore"):
        return who, np.where(who >= 0, 1.0 / nearest, np.inf)


class SunDepths:
    """How near the sun things come, over the box of what casts shadows."""

    def __init__(self, vertices: Float, faces: Int, direction: Float) -> None:
        sun = np.asarray(direction, np.float64)
        aside = np.cross(sun, [0.0, 0.0, 1.0])
        aside /= np.linalg.norm(aside)
        self._axes = np.stack([aside, np.cross(sun, aside), sun])
        turned = vertices @ self._axes.T
        self._low = turned.min(0)
        self._texel = float((turned.max(0) - self._low)[:2].max() / (TEXELS - 2))
        place = (turned[:, :2] - self._low[:2]) / self._texel + 1.0
        key = turned[:, 2] - self._low[2] + 1.0
        self._nearest = np.zeros((TEXELS, TEXELS))
        _fill(place, key, faces, TEXELS, TEXELS, self._nearest, np.full((TEXELS, TEXELS), -1, np.int32))

    def seen(self, points: Float, normals: Float) -> Float:
        """Share (N,) of the sun that reaches points (N, 3) of surfaces with these normals."""
        lifted = points + normals * (0.03 + 1.5 * self._texel)
        turned = lifted @ self._axes.T
        place = (turned[:, :2] - self._low[:2]) / self._texel + 1.0
        key = turned[:, 2] - self._low[2] + 1.0
        total = np.zeros(len(points))
        for dx in (-0.75, 0.75):
            for dy in (-0.75, 0.75):
                column, row = np.floor(place[:, 0] + dx).astype(int), np.floor(place[:, 1] + dy).astype(int)
                within = (column >= 0) & (row >= 0) & (column < TEXELS) & (row < TEXELS)
                found = self._nearest[np.clip(row, 0, TEXELS - 1), np.clip(column, 0, TEXELS - 1)]
                total += ~(within & (found > key + 0.08))
        return total / 4.0
