"""The falling house as the air meets it: fragments as points that carry volume and velocity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from falsework.building.fragments import KINDS, Fragments
from falsework.collapse.motion import Motion

__all__ = ["FragmentPoints", "place", "sample_fragments", "splat_points"]

# What a point stands for, edge in metres: finer than an air cell, so that a cell's share of solid is smooth.
SPACING = 0.28
POINTS = 60_000
# Glass and furniture do not push air worth mentioning.
AIRY = tuple(KINDS.index(name) for name in ("window", "clutter"))


@dataclass(frozen=True)
class FragmentPoints:
    """P points inside fragments, in rest pose relative to the fragment's centre.

    fragment (P,);  offset (P, 3) metres;  volume (P,) m3 of solid a point stands for (0 for airy things)
    """

    fragment: npt.NDArray[np.int64]
    offset: npt.NDArray[np.float32]
    volume: npt.NDArray[np.float32]


def sample_fragments(fragments: Fragments, rng: np.random.Generator) -> FragmentPoints:
    """Spread points through every fragment, in proportion to its volume, at least two each.

    A fragment is seen as the tetrahedra between its centre and its mesh's triangles: exact for the convex
    and star-shaped pieces that fracture makes.
    """
    count = len(fragments)
    solid = float(fragments.volume.sum())
    each = max(SPACING**3, solid / POINTS)
    number = np.maximum(2, np.ceil(fragments.volume / each)).astype(np.int64)
    triangle = fragments.vertices[fragments.faces].astype(np.float64)
    triangle -= fragments.centre[fragments.face_fragment][:, None]
    share = np.abs(np.einsum("fi,fi->f", triangle[:, 0], np.cross(triangle[:, 1], triangle[:, 2]))) + 1e-12
    total = np.bincount(fragments.face_fragment, weights=share, minlength=count)
    running = np.cumsum(share)
    before = np.concatenate([[0.0], np.cumsum(total)])[:-1]
    fragment = np.repeat(np.arange(count), number)
    # Stratified along each fragment's own stretch of the running sum.
    rank = np.arange(len(fragment)) - np.repeat(np.cumsum(number) - number, number)
    where = (rank + rng.random(len(fragment))) / number[fragment]
    pick = np.searchsorted(running, before[fragment] + where * total[fragment] * (1 - 1e-9))
    pick = np.minimum(pick, len(share) - 1)
    weights = rng.dirichlet(np.ones(4), len(fragment))
    offset = np.einsum("pk,pki->pi", weights[:, :3], triangle[pick])
    # Fragments without a mesh keep their points at their centre.
    offset[total[fragment] <= 0] = 0.0
    volume = np.where(np.isin(fragments.kind, AIRY), 0.0, fragments.volume / number)[fragment]
    return FragmentPoints(fragment, offset.astype(np.float32), volume.astype(np.float32))


def place(points: FragmentPoints, motion: Motion, frame: int) -> npt.NDArray[np.float32]:
    """(P, 3) world positions of the points at one frame (clamped to the shot)."""
    frame = min(max(frame, 0), motion.frames - 1)
    moved: npt.NDArray[np.float32] = _place(
        points.fragment, points.offset, motion.position[frame], motion.rotation[frame]
    )
    return moved


@njit(cache=True)
def _place(fragment, offset, position, rotation):  # type: ignore[no-untyped-def]
    out = np.empty_like(offset)
    for n in range(len(fragment)):
        f = fragment[n]
        qx, qy, qz, qw = rotation[f]
        x, y, z = offset[n]
        tx, ty, tz = 2 * (qy * z - qz * y), 2 * (qz * x - qx * z), 2 * (qx * y - qy * x)
        out[n, 0] = position[f, 0] + x + qw * tx + qy * tz - qz * ty
        out[n, 1] = position[f, 1] + y + qw * ty + qz * tx - qx * tz
        out[n, 2] = position[f, 2] + z + qw * tz + qx * ty - qy * tx
    return out


@njit(cache=True)
def splat_points(position, velocity, volume, origin, voxel, share, momentum):  # type: ignore[no-untyped-def]
    """Add points: `share` (nx, ny, nz) of a cell that is solid, `momentum` (nx, ny, nz, 3) share * m/s.

    Each point is spread linearly over the eight nearest cells; points outside are left out.
    """
    nx, ny, nz = share.shape
    inverse = 1.0 / voxel
    unit = inverse**3
    for n in range(len(position)):
        if volume[n] == 0.0:
            continue
        x = (position[n, 0] - origin[0]) * inverse - 0.5
        y = (position[n, 1] - origin[1]) * inverse - 0.5
        z = (position[n, 2] - origin[2]) * inverse - 0.5
        i, j, k = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
        x, y, z = x - i, y - j, z - k
        for a in range(2):
            if i + a < 0 or i + a >= nx:
                continue
            wa = (x if a else 1 - x) * volume[n] * unit
            for b in range(2):
                if j + b < 0 or j + b >= ny:
                    continue
                wb = wa * (y if b else 1 - y)
                for c in range(2):
                    if k + c < 0 or k + c >= nz:
                        continue
                    amount = wb * (z if c else 1 - z)
                    share[i + a, j + b, k + c] += amount
                    momentum[i + a, j + b, k + c, 0] += amount * velocity[n, 0]
                    momentum[i + a, j + b, k + c, 1] += amount * velocity[n, 1]
                    momentum[i + a, j + b, k + c, 2] += amount * velocity[n, 2]
