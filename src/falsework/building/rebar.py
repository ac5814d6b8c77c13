"""Reinforcement that shows where concrete has broken."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from falsework.building.polyhedra import Cell, face_measures
from falsework.building.structure import surface
from falsework.seeds import generator

__all__ = ["rods"]

Points = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

RADIUS = 0.008  # metres
BURIED = 0.03  # metres of a rod inside its own fragment
LEAST_FACE = 0.02  # m2; smaller broken faces show no steel

_SIDES = np.array([[0, 1, 5], [0, 5, 4], [1, 2, 6], [1, 6, 5], [2, 3, 7], [2, 7, 6], [3, 0, 4], [3, 4, 7]])
_ENDS = np.array([[0, 2, 1], [0, 3, 2], [4, 5, 6], [4, 6, 7]])
_ROD = np.concatenate([_SIDES, _ENDS])


def rods(
    cell: Cell, neighbour: Numbers, axes: Points, seed: int, number: int
) -> tuple[Points, Numbers, Numbers, Points] | None:
    """Thin steel prisms out of the one or two largest broken faces of a fragment: a closed mesh, or None.

    The rods run along the element's own direction nearest to the face's normal. At rest they lie inside
    the neighbouring fragments and are not seen. Returns vertices, faces, surface, broken as `skin` does.
    """
    area, _, normal = face_measures(cell.points, cell.loop, cell.start)
    fresh = np.flatnonzero((neighbour >= 0) & (area > LEAST_FACE))
    if len(fresh) == 0:
        return None
    rng = generator(seed, "rebar", number)
    vertices: list[Points] = []
    faces: list[Numbers] = []
    for f in fresh[np.argsort(-area[fresh], kind="stable")][:2]:
        facing = axes @ normal[f]
        axis = int(np.argmax(np.abs(facing)))
        along = axes[axis] * np.sign(facing[axis])
        corners = cell.points[cell.loop[cell.start[f] : cell.start[f + 1]]]
        for _ in range(int(rng.integers(1, 4))):
            share = rng.dirichlet(np.ones(len(corners))) * 0.7 + 0.3 / len(corners)
            base = share @ corners - BURIED * along
            bend = 0.25 * rng.standard_normal(3)
            tip = base + (BURIED + rng.uniform(0.1, 0.35)) * (along + bend) / np.linalg.norm(along + bend)
            side = np.cross(along, axes[(axis + 1) % 3])
            side /= np.linalg.norm(side)
            other = np.cross(along, side)
            ring = RADIUS * np.array([side, other, -side, -other])
            faces.append(_ROD + 8 * len(vertices))
            vertices.append(np.concatenate([base + ring, tip + ring]))
    triangles = np.concatenate(faces)
    steel = np.full(len(triangles), surface("steel"))
    return np.concatenate(vertices), triangles, steel, np.ones(len(triangles))
