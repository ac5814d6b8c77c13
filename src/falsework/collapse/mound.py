"""How loosely the rubble lies: the volume of a mound against what is solid in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import grey_closing
from scipy.spatial import ConvexHull

from falsework.building.fragments import Fragments
from falsework.collapse.bodies import rotate

__all__ = ["bulk_and_solid"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

CELL = 0.15  # metres, of the height map
CLOSING = 0.75  # metres: gaps narrower than this lie within the mound
UPRIGHT = 1e-4  # of a normal's length: steeper faces bound a fragment sideways only


def bulk_and_solid(
    fragments: Fragments, position: Float, rotation: Float, lying: Bool
) -> tuple[float, float]:
    """Volume (m3) under the surface of the `lying` (N,) fragments, and the solid volume under it.

    position (N, 3), rotation (N, 4): the fragments' places. The surface is the height map of the convex
    hulls, closed over narrow gaps. Solid is every fragment whose centre is under the surface, whether it
    lies or still moves there: it fills the mound all the same.
    """
    columns = [
        _tops(fragments, fragment, position[fragment], rotation[fragment])
        for fragment in np.flatnonzero(lying).tolist()
    ]
    cell = np.concatenate([column[0] for column in columns])
    top = np.concatenate([column[1] for column in columns])
    if len(cell) == 0:
        return 0.0, 0.0
    margin = round(CLOSING / CELL)
    low = cell.min(axis=0) - margin
    height = np.zeros(cell.max(axis=0) - low + margin + 1)
    np.maximum.at(height, tuple((cell - low).T), top)
    height = np.asarray(grey_closing(height, size=(margin | 1, margin | 1)))
    own = np.floor(position[:, :2] / CELL).astype(np.int64) - low
    inside = ((own >= 0) & (own < height.shape)).all(axis=1)
    own[~inside] = 0
    under = inside & (position[:, 2] <= height[own[:, 0], own[:, 1]])
    return float(height.sum() * CELL**2), float(fragments.volume[under].sum())


def _tops(fragments: Fragments, fragment: int, place: Float, turn: Float) -> tuple[Int, Float]:
    """Cells (C, 2) of the height map under a fragment's hull and the hull's top (C,) there, metres."""
    rest = fragments.hull[fragments.hull_start[fragment] : fragments.hull_start[fragment + 1]]
    corners = rotate(turn, rest.astype(np.float64)) + place
    # Joggled input: no hull is too flat for it.
    planes = ConvexHull(corners - place, qhull_options="QJ Pp").equations
    normal, offset = planes[:, :3], planes[:, 3] - planes[:, :3] @ place
    first = np.floor(corners[:, :2].min(axis=0) / CELL).astype(np.int64)
    last = np.floor(corners[:, :2].max(axis=0) / CELL).astype(np.int64)
    cell = np.stack(np.meshgrid(*map(np.arange, first, last + 1), indexing="ij"), axis=-1).reshape(-1, 2)
    room = -offset - (cell + 0.5) * CELL @ normal[:, :2].T  # of every cell's middle to every plane
    up, down = normal[:, 2] > UPRIGHT, normal[:, 2] < -UPRIGHT
    top = (room[:, up] / normal[up, 2]).min(axis=1)
    bottom = (room[:, down] / normal[down, 2]).max(axis=1)
    hit = (top > bottom) & (room[:, ~up & ~down] >= 0.0).all(axis=1)
    return cell[hit], np.maximum(top[hit], 0.0)
