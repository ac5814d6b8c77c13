"""The collapse as an artist does it: Blender's Bullet with a breakable constraint for every bond.

The building, what it is made of and the trigger are falsework's own; so are the bonds' strengths at rest
(`collapse.failure.BondGraph`). Everything that moves is Bullet's: docs/traditional.md, "Rigid bodies".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull, QhullError, cKDTree

from falsework.building.fragments import Fragments
from falsework.building.materials import MATERIALS
from falsework.collapse.bodies import GRAVITY
from falsework.collapse.failure import BondGraph
from falsework.collapse.motion import Motion
from falsework.collapse.settings import CollapseSettings
from falsework.collapse.stress import stresses
from falsework.collapse.trigger import pop_times, removal_times, start_frame
from falsework.media.arrays import read_arrays, write_arrays
from falsework.plate.plate import SetPlane
from falsework.progress import Progress, silent
from falsework.render.traditional.blender import Blender
from falsework.render.traditional.bullet_motion import STILL, motion_of_poses
from falsework.render.traditional.process import run_job, write_job
from falsework.render.traditional.settings import TraditionalSettings

__all__ = ["bullet_collapse", "overlapping"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

MARGIN = 0.005  # metres around a hull at which Bullet sees a contact
GAP = 0.015  # metres a hull is drawn in, its margin included
LEAST_SHARE = 0.6  # of a thin hull's width that is left
CRUSHED_SHARE = 0.55  # linear size of the hull of what is crushed, as in collapse.bodies
# Of the bond's own strength, and of the load that goes through it at rest: the ones, of those tried, with
# which the house stands and most of it comes down (docs/traditional.md, "Rigid bodies").
STRENGTH_FACTOR = 0.3
CARRYING_FACTOR = 3.0
SETTLING = 8  # frames before the trigger in which no constraint breaks
OPEN, BEND = 0.04, np.radians(6.0)  # metres and angle at which a bond counts as broken
GROUND_BIT, FIRST_PLANE_BIT, LAST_BIT = 0, 1, 19  # of Blender's twenty collision collections
THINNEST = 0.3  # metres, of a plane of the set
NEVER = -1


def bullet_collapse(
    fragments: Fragments,
    set_planes: tuple[SetPlane, ...],
    settings: CollapseSettings,
    traditional: TraditionalSettings,
    *,
    first_frame: int,
    frames: int,
    fps: float,
    seed: int,
    blender: Blender,
    folder: Path,
    progress: Progress = silent,
) -> Motion:
    """`collapse.collapse` by Blender's Bullet. `folder` (there already) takes what passes to and fro.

    The same arguments and the same Blender give the same bits. Raises FalseworkError where the trigger lies
    outside the shot, nothing stands on the ground, or Blender fails.
    """
    start = start_frame(fragments, settings, first_frame, frames)
    graph = BondGraph(fragments, settings.strength, seed)
    removal = removal_times(fragments, settings, seed)
    # Bullet need not see the frames before the first support goes: nothing moves in them.
    poses = simulate(
        fragments, set_planes, graph, removal, np.minimum(removal, pop_times(fragments, settings, seed)),
        traditional, frames=frames - start, fps=fps, blender=blender, folder=folder, progress=progress,
    )  # fmt: skip
    return motion_of_poses(
        fragments, graph, poses.position, poses.rotation, poses.broken, start=start, fps=fps
    )


@dataclass(frozen=True)
class Poses:
    """What Bullet made of it, from the frame of the trigger: position (T, N, 3), rotation (T, N, 4) and for
    each bond of the graph the frame at which it was found broken (B',), -1 never.
    """

    position: npt.NDArray[np.float32]
    rotation: npt.NDArray[np.float32]
    broken: npt.NDArray[np.int32]


def simulate(
    fragments: Fragments, set_planes: tuple[SetPlane, ...], graph: BondGraph, removal: Float, cut: Float,
    traditional: TraditionalSettings, *, frames: int, fps: float, blender: Blender, folder: Path,
    progress: Progress = silent,
) -> Poses:  # fmt: skip
    """Hand everything to Bullet. removal (N,), cut (N,): seconds after the first frame at which a fragment
    is crushed, and at which its bonds go; infinite for never.
    """
    crushed = np.isfinite(removal)
    hulls = _drawn_in(fragments, crushed)
    start = fragments.hull_start.astype(np.int32)
    rest = fragments.centre.astype(np.float64)
    boxes, meets = _boxes(fragments, set_planes)
    pair = graph.lattice.bond
    steps = fps * traditional.substeps
    overlap = overlapping(rest, hulls, start, MARGIN)
    gone = np.minimum(cut[pair[:, 0]], cut[pair[:, 1]])
    arrays: dict[str, npt.NDArray[Any]] = {
        "centre": rest,
        "hull": hulls,
        "hull_start": start,
        "mass": fragments.mass.astype(np.float64),
        "friction": np.array([m.friction for m in MATERIALS])[fragments.material],
        "held_until": np.where(fragments.support, _frames(removal, fps, frames, frames), NEVER),
        "meets": meets,
        **boxes,
        "bond": pair,
        "bond_centre": graph.centre,
        "bond_normal": graph.lattice.normal,
        "threshold": _thresholds(graph) / steps,
        "off_after": _frames(gone, fps, frames, NEVER),
        "overlap": overlap.pair,
        "overlap_axis": overlap.axis,
        "overlap_reach": overlap.reach,
    }
    write_arrays(
        folder / "building.safetensors",
        {name: one.astype(np.float32 if one.dtype.kind == "f" else np.int32) for name, one in arrays.items()},
    )
    write_job(
        folder,
        {
            "frames": frames,
            "settling": SETTLING,
            "fps": fps,
            "gravity": GRAVITY,
            "substeps": traditional.substeps,
            "iterations": traditional.solver_iterations,
            "margin": MARGIN,
            "open": OPEN,
            "bend": float(BEND),
            "still": STILL,
        },
    )
    run_job(blender, "bullet", folder, progress=progress)
    poses, _ = read_arrays(folder / "poses.safetensors")
    return Poses(poses["position"], poses["rotation"], poses["broken"])


def _frames(seconds: Float, fps: float, frames: int, never: int) -> Int:
    """The last frame in which what goes after `seconds` holds; Bullet's next step is without it."""
    last = np.ceil(np.where(np.isfinite(seconds), seconds, 0.0) * fps - 1e-6)
    return np.where(np.isfinite(seconds) & (last < frames), last, never).astype(np.int64)


def _thresholds(graph: BondGraph) -> Float:
    """(B',) newtons at which a constraint breaks: one number for pull, push, shear and moment alike.

    Strength in tension and shear over the bond's area; and where the building's weight goes through it, so
    many times that. Bullet shares a load among rigid constraints with no regard to their areas, so each bond
    of two pieces is reckoned to carry the (geometric) mean of what either's most loaded bond does, a piece's
    weight at least.
    """
    everything = np.arange(len(graph.lattice.bond))
    stress = stresses(graph.lattice, everything, graph.displacement)
    carried = graph.lattice.area * np.abs(stress).sum(axis=1)
    peak = GRAVITY * graph.mass  # which may hang on one bond
    for end in range(2):
        np.maximum.at(peak, graph.lattice.bond[:, end], carried)
    reckoned = np.sqrt(peak[graph.lattice.bond].prod(axis=1))
    strong = STRENGTH_FACTOR * graph.lattice.area * graph.strength[:, 1:].sum(axis=1)
    return np.asarray(np.maximum(strong, CARRYING_FACTOR * reckoned))


def _drawn_in(fragments: Fragments, crushed: Bool) -> Float:
    """(H, 3) hull vertices, so much smaller that a hull with its margin leaves a gap; what will be crushed
    has a smaller hull from the first, which its bonds keep from being met.
    """
    points = fragments.hull.astype(np.float64).copy()
    for fragment in range(len(fragments)):
        own = slice(fragments.hull_start[fragment], fragments.hull_start[fragment + 1])
        share = 1.0 - 2 * (GAP + MARGIN) / np.maximum(np.ptp(points[own], axis=0), 1e-6)
        points[own] *= np.maximum(share, LEAST_SHARE)
        if crushed[fragment]:
            points[own] *= CRUSHED_SHARE
    return points


@dataclass(frozen=True)
class Overlaps:
    """Pairs (K, 2) of hulls that overlap; axis (K, 3) along which they do so least, from first to second;
    reach (K,) how far the first and twice the margin reach along it from the first's centre.
    """

    pair: Int
    axis: Float
    reach: Float


def overlapping(rest: Float, hull: Float, start: npt.NDArray[np.int32], margin: float) -> Overlaps:
    """Which hulls are less than twice `margin` apart along every normal of a face of either."""
    count = len(rest)
    owner = np.repeat(np.arange(count), np.diff(start))
    low = np.minimum.reduceat(hull, start[:-1]) + rest - margin
    high = np.maximum.reduceat(hull, start[:-1]) + rest + margin
    radius = np.sqrt(np.maximum.reduceat((hull**2).sum(axis=1), start[:-1])) + margin
    near = cKDTree(rest).query_pairs(2 * float(radius.max()), output_type="ndarray").astype(np.int64)
    near = near[np.lexsort((near[:, 1], near[:, 0]))]
    one, two = near[:, 0], near[:, 1]
    meet = ((low[one] < high[two]) & (low[two] < high[one])).all(axis=1)
    points = [hull[start[k] : start[k + 1]] for k in range(count)]
    assert len(owner) == len(hull)
    normals: dict[int, Float] = {}
    pairs, axes, reaches = [], [], []
    for a, b in near[meet].tolist():
        for k in (a, b):
            if k not in normals:
                normals[k] = _normals(points[k])
        axis = np.concatenate([normals[a], -normals[b]])
        far = (points[a] @ axis.T).max(axis=0) + 2 * margin
        gap = ((points[b] + rest[b] - rest[a]) @ axis.T).min(axis=0) - far
        best = int(gap.argmax())
        if gap[best] < 0:
            pairs.append((a, b))
            axes.append(axis[best])
            reaches.append(far[best])
    return Overlaps(
        np.array(pairs, dtype=np.int64).reshape(-1, 2),
        np.array(axes, dtype=np.float64).reshape(-1, 3),
        np.array(reaches, dtype=np.float64),
    )


def _normals(points: Float) -> Float:
    """(K, 3) outward unit normals of a hull's faces; the axes' where it is flat."""
    try:
        faces = ConvexHull(points).equations[:, :3]
    except QhullError:
        return np.concatenate([np.eye(3), -np.eye(3)])
    return np.asarray(np.unique(np.round(faces, 6), axis=0))


def _boxes(fragments: Fragments, set_planes: tuple[SetPlane, ...]) -> tuple[dict[str, npt.NDArray[Any]], Int]:
    """The boxes behind the planes of the set, and of each fragment the collision collections as bits.

    As in collapse.bodies, what at rest stands in a box does not meet it.
    """
    owner = np.repeat(np.arange(len(fragments)), np.diff(fragments.hull_start))
    corner = fragments.hull.astype(np.float64) + fragments.centre.astype(np.float64)[owner]
    first = fragments.hull_start[:-1].astype(np.int64)
    meets = np.full(len(fragments), (1 << LAST_BIT + 1) - 1, dtype=np.int64)
    middles, turns, halves = [], [], []
    bits: list[int] = []
    for plane in set_planes:
        long, wide = float(np.linalg.norm(plane.u)), float(np.linalg.norm(plane.v))
        thick = max(float(plane.thickness), THINNEST)
        if min(long, wide) < 1e-3:
            continue
        x = plane.u / long
        z = np.cross(x, plane.v / wide)
        z /= np.linalg.norm(z)
        if abs(z[2]) > 0.7:
            continue  # lies on the ground, which is there already
        axes = np.stack([x, np.cross(z, x), z], axis=1)
        middle = plane.origin + plane.u / 2 + plane.v / 2 - z * thick / 2
        half = np.array([long, wide, thick]) / 2
        bit = min(FIRST_PLANE_BIT + len(bits), LAST_BIT)
        inside = (corner - middle) @ axes
        low, high = np.minimum.reduceat(inside, first), np.maximum.reduceat(inside, first)
        meets[((low < half - GAP) & (high > GAP - half)).all(axis=1)] &= ~(1 << bit)
        middles.append(middle)
        turns.append(_quaternion(axes))
        halves.append(half)
        bits.append(bit)
    return {
        "box_middle": np.array(middles, dtype=np.float64).reshape(-1, 3),
        "box_turn": np.array(turns, dtype=np.float64).reshape(-1, 4),
        "box_half": np.array(halves, dtype=np.float64).reshape(-1, 3),
        "box_bit": np.array(bits, dtype=np.int64),
    }, meets


def _quaternion(axes: Float) -> Float:
    """Unit quaternion x, y, z, w of a rotation matrix."""
    # The eigenvector of the greatest eigenvalue (Bar-Itzhack 2000): no cases to tell apart.
    (a, b, c), (d, e, f), (g, h, i) = axes
    matrix = np.array(
        [
            [a - e - i, d + b, g + c, h - f],
            [d + b, e - a - i, h + f, c - g],
            [g + c, h + f, i - a - e, d - b],
            [h - f, c - g, d - b, a + e + i],
        ]
    )
    return np.asarray(np.linalg.eigh(matrix / 3)[1][:, -1])
