"""From poses to a `Motion`: what moved, which bonds broke, what struck with what energy, and the checks.

Bullet in Blender tells poses only. What struck is read from them: a part that loses speed faster than gravity
accounts for, beside something that is not part of it, has struck that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from falsework.building.fragments import Fragments
from falsework.collapse.bodies import GRAVITY, rotate
from falsework.collapse.checks import check_motion
from falsework.collapse.events import EventLog
from falsework.collapse.failure import BondGraph
from falsework.collapse.motion import Motion

__all__ = ["STILL", "motion_of_poses"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

STILL = 0.005  # metres: what is nearer to its rest pose has not moved
STILL_TURN = np.radians(0.3)
NEAR = 0.06  # metres between the boxes around two fragments that may have struck each other
AWAKE = 0.05  # m/s


def motion_of_poses(
    fragments: Fragments, graph: BondGraph, position: npt.NDArray[np.float32],
    rotation: npt.NDArray[np.float32], broken: npt.NDArray[np.int32], *, start: int, fps: float,
) -> Motion:  # fmt: skip
    """position (T, N, 3) and rotation (T, N, 4) from frame `start` of the shot on, broken (B',) counted from
    there: the whole shot's motion. Before `start`, and till it first moves, everything is at rest.
    """
    count = len(fragments)
    rest = fragments.centre.astype(np.float64)
    away = np.linalg.norm(position - fragments.centre, axis=2) > STILL
    away |= np.abs(rotation[:, :, 3]) < np.cos(STILL_TURN / 2)
    moved = np.logical_or.accumulate(away, axis=0)
    position = np.where(moved[:, :, None], position, fragments.centre)
    rotation = np.where(moved[:, :, None], rotation, np.array([0, 0, 0, 1], np.float32))
    rotation /= np.linalg.norm(rotation, axis=2, keepdims=True)
    for frame in range(len(position)):
        position[frame, :, 2] += _sunk(fragments, position[frame], rotation[frame])
    frames = start + len(position)
    mass = fragments.mass.astype(np.float64)
    broken_at = np.where(broken >= 0, broken + start, -1).astype(np.int32)
    own = broken_at[: graph.count]

    whole_position = np.tile(fragments.centre, (frames, 1, 1)).astype(np.float32)
    whole_rotation = np.tile(np.array([0, 0, 0, 1], np.float32), (frames, count, 1))
    whole_moved = np.zeros((frames, count), dtype=bool)
    touched = np.zeros((frames, count), dtype=bool)
    whole_position[start:], whole_rotation[start:], whole_moved[start:] = position, rotation, moved
    kinetic, awake = np.zeros(frames), np.zeros(frames)
    log = EventLog()
    before = np.zeros((count, 3))
    for frame in range(start + 1, frames):
        place = whole_position[frame].astype(np.float64)
        velocity = (place - whole_position[frame - 1]) * fps
        spin = _spin(whole_rotation[frame - 1], whole_rotation[frame]) * fps
        speed = np.linalg.norm(velocity, axis=1)
        kinetic[frame] = 0.5 * (mass @ speed**2 + graph.inertia @ (spin**2).sum(axis=1))
        awake[frame] = (speed > AWAKE).sum()
        breaking = np.flatnonzero(own == frame)
        if len(breaking):
            _note_breaks(
                log, graph, breaking, (frame - 1) / fps, place, whole_rotation[frame], velocity, mass
            )
        part = _parts(graph.lattice.bond[(broken_at < 0) | (broken_at > frame)], count)
        touched[frame] = _beside(fragments, place, whole_rotation[frame], part, whole_moved[frame])
        _note_impacts(log, mass, (frame - 1) / fps, place, before, velocity, touched[frame], 1 / fps)
        before = velocity
    fallen = rest[:, 2] - whole_position[:, :, 2]
    potential = -(fallen @ mass) * GRAVITY
    upper = fragments.centre[:, 2] >= np.quantile(fragments.centre[:, 2], 0.9)
    living = len(own) - np.searchsorted(np.sort(own[own >= 0]), np.arange(frames), side="right")
    motion = Motion(
        fps=fps,
        position=whole_position,
        rotation=whole_rotation,
        moved=whole_moved,
        bond_broken=own,
        **log.arrays(),
        curves={
            "roof_height": np.quantile(whole_position[:, upper, 2], 0.5, axis=1).astype(np.float32),
            "awake": awake.astype(np.float32),
            "kinetic": kinetic.astype(np.float32),
            "potential": potential.astype(np.float32),
            "dissipated": np.maximum(-potential - kinetic, 0.0).astype(np.float32),
            "bonds": living.astype(np.float32),
        },
        checks={},
    )
    motion.checks.update(check_motion(fragments, motion, trigger_frame=start, touched=touched))
    return motion


def _spin(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> Float:
    """(N, 3) rotation vectors from quaternions (N, 4) to the next ones."""
    one, two = first.astype(np.float64), second.astype(np.float64)
    axis = one[:, 3:] * two[:, :3] - two[:, 3:] * one[:, :3] - np.cross(two[:, :3], one[:, :3])
    real = np.einsum("nk,nk->n", one, two)
    axis *= np.where(real < 0, -1.0, 1.0)[:, None]
    size = np.linalg.norm(axis, axis=1)
    angle = 2 * np.arctan2(size, np.abs(real))
    return np.asarray(axis * (angle / np.maximum(size, 1e-12))[:, None])


def _parts(pair: Int, count: int) -> Int:
    """(N,) which part each fragment belongs to, by the bonds that hold."""
    graph = coo_matrix((np.ones(len(pair), dtype=np.int8), (pair[:, 0], pair[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _sunk(fragments: Fragments, place: npt.NDArray[np.float32], rotation: npt.NDArray[np.float32]) -> Float:
    """(N,) metres by which each fragment is deeper in the ground than it stood at rest.

    Hulls are smaller than the fragments, those of crushed ones by much: they would be seen to sink in.
    """
    first = fragments.hull_start[:-1]
    lowest = np.minimum.reduceat(_corners(fragments, place, rotation)[:, 2], first)
    at_rest = np.minimum.reduceat(fragments.hull[:, 2], first) + fragments.centre[:, 2].astype(np.float64)
    return np.asarray(np.maximum(np.minimum(at_rest, 0.0) - lowest, 0.0))


def _corners(fragments: Fragments, place: npt.NDArray[Any], rotation: npt.NDArray[np.float32]) -> Float:
    """(H, 3) world positions of all hull vertices."""
    owner = np.repeat(np.arange(len(place)), np.diff(fragments.hull_start))
    turned = rotate(rotation.astype(np.float64)[owner], fragments.hull.astype(np.float64))
    return np.asarray(turned + place[owner])


def _beside(
    fragments: Fragments, place: Float, rotation: npt.NDArray[np.float32], part: Int, moved: Bool
) -> Bool:
    """(N,) True for what has moved and is beside the ground or a fragment of another part: their boxes,
    along the world's axes, are less than `NEAR` apart.
    """
    beside = np.zeros(len(place), dtype=bool)
    if not moved.any():
        return beside
    first = fragments.hull_start[:-1]
    corner = _corners(fragments, place, rotation)
    low, high = np.minimum.reduceat(corner, first) - NEAR / 2, np.maximum.reduceat(corner, first) + NEAR / 2
    beside = low[:, 2] < NEAR / 2
    middle, half = (low + high) / 2, (high - low) / 2
    # In the greatest measure of the axes: boxes of ordinary size first, the few large ones with everything.
    size = half.max(axis=1)
    usual = float(np.quantile(size, 0.95))
    pairs = [cKDTree(middle).query_pairs(2 * usual, p=np.inf, output_type="ndarray")]
    for large in np.flatnonzero(size > usual).tolist():
        others = np.flatnonzero(np.abs(middle - middle[large]).max(axis=1) < size[large] + size)
        pairs.append(np.stack([np.full(len(others), large), others], axis=1))
    one, two = np.concatenate(pairs).T
    meet = (part[one] != part[two]) & (np.abs(middle[one] - middle[two]) < half[one] + half[two]).all(axis=1)
    beside[one[meet]] = True
    beside[two[meet]] = True
    return np.asarray(beside & moved)


def _note_breaks(
    log: EventLog, graph: BondGraph, broken: Int, time: float, place: Float,
    rotation: npt.NDArray[np.float32], velocity: Float, mass: Float,
) -> None:  # fmt: skip
    """Bonds that broke in the last frame, with the energy they set free, as collapse.collapse has it."""
    pair = graph.lattice.bond[broken]
    lighter = np.where(mass[pair[:, 0]] <= mass[pair[:, 1]], pair[:, 0], pair[:, 1])
    turn = rotation[lighter].astype(np.float64)
    at = place[lighter] + rotate(turn, graph.centre[broken] - graph.rest[lighter])
    area, strength = graph.lattice.area[broken], graph.strength[broken]
    length = np.linalg.norm(graph.rest[pair[:, 1]] - graph.rest[pair[:, 0]], axis=1)
    modulus = 1000.0 * strength[:, 0]
    elastic = np.minimum(strength[:, 1], strength[:, 0]) ** 2 / (2 * modulus) * area * length
    normal = rotate(turn, graph.lattice.normal[broken])
    log.breaks(time, at, velocity[lighter], normal, area, elastic, lighter)


def _note_impacts(
    log: EventLog, mass: Float, time: float, place: Float, before: Float, velocity: Float, touched: Bool,
    seconds: float,
) -> None:  # fmt: skip
    """What lost energy beside something: the energy is what it lost of its own, less what others gained."""
    free = before + np.array([0.0, 0.0, -GRAVITY * seconds])
    change = velocity - free
    lost = 0.5 * mass * ((free**2).sum(axis=1) - (velocity**2).sum(axis=1))
    struck = np.flatnonzero(touched & (lost > 0))
    gross = float(lost[struck].sum())
    net = float(lost[touched].sum())
    if len(struck) == 0 or net <= 0:
        return
    size = np.linalg.norm(change[struck], axis=1)
    normal = change[struck] / np.maximum(size, 1e-9)[:, None]
    impulse = mass[struck] * size
    # Half of impulse times closing speed is the energy.
    closing = 2 * lost[struck] * (net / gross) / np.maximum(impulse, 1e-9)
    at = place[struck]
    log.impacts(time, at, (before[struck] + velocity[struck]) / 2, normal, impulse, closing, struck)
