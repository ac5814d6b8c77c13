"""The dust's sources as a few hundred balls that take turns, which is how smoke is given out in Mantaflow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from falsework.collapse.motion import Motion
from falsework.dust.sources import Emission

__all__ = ["Emitters", "plan_emitters"]

Float = npt.NDArray[np.float64]

# How often a second the balls are set anew, and how many there are at once.
TURNS = 12.0
MOST = 160
# Balls are at least so wide, in cells: a smaller one would slip between the cells' centres.
NARROWEST = 1.6
# What a ball gives in its turn is at first no thicker than this, g/m3: it is made wider instead.
THICKEST = 150.0
# Dust that a fragment sheds moves with this share of its velocity, for in falsework's own dust the fragments
# drag the air along, all the way down. It comes off a ball this wide (metres).
TRAILING, SHED = 1.0, 0.6
# Room that dust begins with, in volumes of the air it brings: what that air stirs in at once is counted in.
ROOM = 2.0
# A source is stood so far above the ground, in radii, that little of it lies below.
LIFT = 0.7


@dataclass(frozen=True)
class Emitters:
    """K balls that give out dust, each through `turn` frames from `frame`. World frame, metres.

    frame (K,) the first;  place (K, 3);  velocity (K, 3) m/s of the dust;  radius (K,)
    mass (K,) kg in each frame
    """

    frame: npt.NDArray[np.int64]
    place: Float
    velocity: Float
    radius: Float
    mass: Float
    turn: int


def plan_emitters(emission: Emission, motion: Motion, voxel: float, rng: np.random.Generator) -> Emitters:
    """Sources near each other in space and time made one, with all their mass and momentum.

    A ball is as wide as the sources that it stands for, and wider by the air they bring: Mantaflow's gas does
    not expand, so dust begins with the room that it would have pushed free.
    """
    turn = max(1, round(motion.fps / TURNS))
    parts = [
        _turn(emission, motion, first, min(first + turn, motion.frames), voxel, rng)
        for first in range(min(max(emission.first, 1), motion.frames), motion.frames, turn)
    ]
    rows = np.concatenate([np.zeros((0, 9)), *parts])
    return Emitters(rows[:, 0].astype(np.int64), rows[:, 1:4], rows[:, 4:7], rows[:, 7], rows[:, 8], turn)


def _turn(
    emission: Emission, motion: Motion, first: int, last: int, voxel: float, rng: np.random.Generator
) -> Float:
    """(K, 9) frame, place, velocity, radius and mass a frame of what gives dust from `first` to `last`."""
    dt = 1.0 / motion.fps
    puffs = emission.puffs
    begin, end = (first - 1) * dt, (last - 1) * dt
    overlap = np.minimum(puffs.start + puffs.duration, end) - np.maximum(puffs.start, begin)
    active = np.flatnonzero((overlap > 0) & (puffs.mass > 0))
    part = overlap[active] / puffs.duration[active]
    age = np.maximum((begin + end) / 2 - puffs.start[active], 0.0)
    speed = np.linalg.norm(puffs.velocity[active], axis=1, keepdims=True) + 1e-9
    ahead = puffs.drift[active] * age + 0.5 * puffs.length[active] / speed[:, 0]
    place = puffs.position[active] + puffs.velocity[active] * ahead[:, None]
    shed = emission.trail[first:last].sum(axis=0, dtype=np.float64)
    shedding = np.flatnonzero(shed > 0)
    middle = (first + last - 1) // 2
    moving = (motion.position[middle, shedding] - motion.position[middle - 1, shedding]) * motion.fps
    place = np.concatenate([place, motion.position[middle, shedding]])
    velocity = np.concatenate([puffs.velocity[active], TRAILING * moving])
    mass = np.concatenate([puffs.mass[active] * part, shed[shedding]])
    air = np.concatenate([puffs.air[active] * part, np.zeros(len(shedding))])
    radius = np.concatenate([puffs.radius[active], np.full(len(shedding), SHED)])
    jet = np.concatenate([puffs.length[active] > 0, np.zeros(len(shedding), np.bool_)])
    if not len(mass):
        return np.zeros((0, 9))
    group = _groups(place, jet, max(2 * voxel, 1.0), rng)
    total = np.bincount(group, mass)

    def mean(values: Float) -> Float:
        return np.stack([np.bincount(group, mass * column) for column in values.T], axis=1) / total[:, None]

    centre = mean(place)
    apart = ((place - centre[group]) ** 2).sum(axis=1)
    # A full ball's points lie 3/5 of its radius squared from its middle, in the mean.
    spread = np.sqrt(mean((radius**2 + 5 / 3 * apart)[:, None])[:, 0])
    wide = np.cbrt(spread**3 + 3 / (4 * np.pi) * ROOM * np.bincount(group, air))
    wide = np.maximum(wide, np.cbrt(3 / (4 * np.pi) * total * 1e3 / THICKEST))
    wide = np.maximum(wide, NARROWEST * voxel)
    centre[:, 2] = np.maximum(centre[:, 2], LIFT * wide)
    frame = np.full(len(total), float(first))
    return np.column_stack([frame, centre, mean(velocity), wide, total / (last - first)])


def _groups(
    place: Float, jet: npt.NDArray[np.bool_], edge: float, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """(S,) which of at most `MOST` groups each source belongs to: those in one cube; jets stay among jets."""
    # Elsewhere in each turn: cubes that stay would leave their pattern in the dust.
    shift = rng.random(3)
    while True:
        cube = np.floor(place / edge + shift).astype(np.int64)
        _, group = np.unique(np.column_stack([cube, jet]), axis=0, return_inverse=True)
        if group.max() < MOST:
            return np.asarray(group.reshape(-1), np.int64)
        edge *= 1.2
