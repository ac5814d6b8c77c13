"""What stands and what falls as a few boxes, for Mantaflow's air to go around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.plate.plate import SetPlane

__all__ = ["Block", "falling_blocks", "walls"]

Float = npt.NDArray[np.float64]

# Blocks at most. Each is made of the fragments that were built nearest to one drawn among them: a regular
# pattern would be seen in the dust that hangs between them.
MOST = 150
# A block is this share of the edges its fragments fill: dust and air find their way between.
FILLED = 0.7
# It is gone once its fragments lie this far apart (metres), more than where they were built.
SCATTERED = 5.0
# Smaller than this it is left out.
SMALLEST = 0.15
# A wall of the set begins so many cells behind its surface, and is so many cells thick at least.
BEHIND, TIGHT = 0.3, 1.6


@dataclass(frozen=True)
class Block:
    """A box that moves with the fragments it stands for. World frame, metres.

    half (3,) half its edges;  way (T, 4) its middle and its scale, 0 where it is no more
    """

    half: Float
    way: Float


def falling_blocks(fragments: Fragments, motion: Motion, rng: np.random.Generator) -> list[Block]:
    """The house as boxes, each with the mean motion of its fragments and as solid as they keep together."""
    if not len(fragments):
        return []
    chosen = rng.permutation(len(fragments))[:MOST]
    group = cKDTree(fragments.centre[chosen]).query(fragments.centre)[1]
    mass = fragments.mass.astype(np.float64)
    at_rest = fragments.centre.astype(np.float64)
    blocks = []
    for number in range(len(chosen)):
        mine = np.flatnonzero(group == number)
        if not len(mine):  # two fragments in one place
            continue
        weight = mass[mine] / mass[mine].sum()
        way = np.einsum("n,tnk->tk", weight, motion.position[:, mine].astype(np.float64))
        moved = motion.position[:, mine] - at_rest[mine]
        apart = moved - np.einsum("n,tnk->tk", weight, moved)[:, None]
        strayed = np.sqrt(np.einsum("n,tn->t", weight, (apart**2).sum(axis=2)))
        # A fragment reaches about half its own width past its middle.
        half = np.ptp(at_rest[mine], axis=0) / 2 + np.cbrt(fragments.volume[mine].mean()) / 2
        scale = FILLED * np.clip(1.0 - strayed / SCATTERED, 0.0, 1.0)
        scale[scale * half.max() < SMALLEST] = 0.0
        if scale.any():
            blocks.append(Block(half, np.column_stack([way, scale])))
    return blocks


def walls(set_planes: Sequence[SetPlane], voxel: float) -> list[Float]:
    """(8, 3) corners of what stands around, x slowest in the plane's own frame: along u, v and its depth."""
    solids = []
    for plane in set_planes:
        u, v = np.asarray(plane.u, np.float64), np.asarray(plane.v, np.float64)
        normal = np.cross(u, v)
        area = float(np.linalg.norm(normal))
        if area < 1e-9:
            continue
        inward = -normal / area
        shallow = BEHIND * voxel
        deep = shallow + max(plane.thickness, TIGHT * voxel)
        corner = np.asarray(plane.origin, np.float64)
        # u, v and the inward normal make a left-handed frame: deepest first turns the box right side out.
        solids.append(
            np.array(
                [corner + a * u + b * v + c * inward for a in (0, 1) for b in (0, 1) for c in (deep, shallow)]
            )
        )
    return solids
