"""The rubble's surface, frame by frame, for what falls on it: the highest upward face over each spot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion

__all__ = ["RubbleSurface", "rubble_surface"]

Grid = npt.NDArray[np.float32]

# Edge of a cell of the height map and distance of the sampled points, metres.
CELL = 0.25
POINTS = 250_000
BORDER = 12.0
# A face counts as a surface to lie on while it leans less than about 70 degrees.
UPWARD = 0.35


@dataclass(frozen=True)
class RubbleSurface:
    """Points on all fragments' faces, and the height map's place.

    fragment (P,);  offset (P, 3) from the fragment's centre;  normal (P, 3), rest pose
    origin (2,) world corner;  shape (nx, ny)
    """

    fragment: npt.NDArray[np.int64]
    offset: Grid
    normal: Grid
    origin: npt.NDArray[np.float64]
    shape: tuple[int, int]

    def heights(self, motion: Motion, frame: int) -> tuple[Grid, npt.NDArray[np.int32]]:
        """(nx, ny) metres above the ground (0 where there is nothing) and the fragment on top (-1: none)."""
        height = np.zeros(self.shape, np.float32)
        owner = np.full(self.shape, -1, np.int32)
        _heights(
            self.fragment, self.offset, self.normal, motion.position[frame], motion.rotation[frame],
            self.origin, height, owner,
        )  # fmt: skip
        return height, owner


def rubble_surface(fragments: Fragments, rng: np.random.Generator) -> RubbleSurface:
    """Sample every fragment's faces evenly by area."""
    corner = fragments.vertices[fragments.faces].astype(np.float64)
    cross = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    area = np.linalg.norm(cross, axis=1) / 2
    normal = cross / (2 * area[:, None] + 1e-12)
    each = max((0.6 * CELL) ** 2, float(area.sum()) / POINTS)
    # A face smaller than one point's share still gets a point with that probability.
    number = (area / each + rng.random(len(area))).astype(np.int64)
    face = np.repeat(np.arange(len(area)), number)
    a, b = rng.random((2, len(face)))
    over = a + b > 1
    a, b = np.where(over, 1 - a, a), np.where(over, 1 - b, b)
    point = (
        corner[face, 0]
        + a[:, None] * (corner[face, 1] - corner[face, 0])
        + b[:, None] * (corner[face, 2] - corner[face, 0])
    )
    fragment = fragments.face_fragment[face].astype(np.int64)
    low = fragments.vertices[:, :2].min(axis=0).astype(np.float64) - BORDER
    high = fragments.vertices[:, :2].max(axis=0).astype(np.float64) + BORDER
    shape = np.ceil((high - low) / CELL).astype(int)
    return RubbleSurface(
        fragment=fragment,
        offset=(point - fragments.centre[fragment]).astype(np.float32),
        normal=normal[face].astype(np.float32),
        origin=low,
        shape=(int(shape[0]), int(shape[1])),
    )


@njit(cache=True)
def _heights(fragment, offset, normal, position, rotation, origin, height, owner):  # type: ignore[no-untyped-def]
    nx, ny = height.shape
    inverse = 1.0 / CELL
    for n in range(len(fragment)):
        f = fragment[n]
        qx, qy, qz, qw = rotation[f]
        x, y, z = normal[n]
        tx, ty, tz = 2 * (qy * z - qz * y), 2 * (qz * x - qx * z), 2 * (qx * y - qy * x)
        if z + qw * tz + qx * ty - qy * tx < UPWARD:
            continue
        x, y, z = offset[n]
        tx, ty, tz = 2 * (qy * z - qz * y), 2 * (qz * x - qx * z), 2 * (qx * y - qy * x)
        px = position[f, 0] + x + qw * tx + qy * tz - qz * ty
        py = position[f, 1] + y + qw * ty + qz * tx - qx * tz
        pz = position[f, 2] + z + qw * tz + qx * ty - qy * tx
        i, j = int(np.floor((px - origin[0]) * inverse)), int(np.floor((py - origin[1]) * inverse))
        if 0 <= i < nx and 0 <= j < ny and pz > height[i, j]:
            height[i, j] = pz
            owner[i, j] = f
