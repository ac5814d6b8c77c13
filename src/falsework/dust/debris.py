"""Chips and grit: thrown by what breaks and strikes, falling through air, at rest on ground and rubble."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from falsework.building.fragments import KINDS, Fragments
from falsework.building.materials import MATERIALS, material_index
from falsework.collapse.motion import EVENT_BREAK, Motion
from falsework.dust.field import Debris
from falsework.dust.rubble import CELL, rubble_surface
from falsework.dust.settings import DustSettings
from falsework.dust.sources import outward, violence
from falsework.progress import Progress, silent
from falsework.seeds import generator

__all__ = ["simulate_debris"]

Float = npt.NDArray[np.float64]

SHAPES = 8
# Edge lengths in metres; their number falls with this power of the size (fragmentation of brittle matter:
# Turcotte, "Fractals and fragmentation", 1986, gives 2 to 3 for the cumulative number).
SMALLEST, LARGEST, POWER = 0.012, 0.15, 2.3
STEPS = 4
GRAVITY = 9.81
# How many times the chips of an inner piece a facade's piece gives.
OUTSIDE = 4.0
# A piece that fell from the roof of a house does not strike faster (m/s).
FASTEST = 20.0
# Share of the chips that come from breaking bonds; the others from blows.
FROM_BREAKS = 0.45
# A chip this far below the surface lies inside the rubble or a standing house: the surface is not its floor.
INSIDE = 0.12
# A step in the surface up to this height is a block's side; a higher one may be a gutted house's wall.
TALLEST = 3.0
# Friction of a chip that rolls and skips rather than slides.
ROLLING = 0.45
# Slower than this (m/s) after a bounce, a chip stays where it is.
STILL = 0.5


@dataclass(frozen=True)
class _Births:
    """When (s), where, how fast and from which fragment each of M chips comes; ascending in time."""

    time: Float
    position: Float
    velocity: Float
    source: npt.NDArray[np.int32]


def simulate_debris(
    fragments: Fragments, motion: Motion, settings: DustSettings, *, seed: int, progress: Progress = silent
) -> Debris:
    """Throw `settings.debris` chips from the motion's events and follow them to the shot's end.

    Fewer if little happens (at most 400 an event). Chips bounce on the ground and on the rubble's moving
    surface, ride on it once at rest, and never lie below the ground.
    """
    births = _births(fragments, motion, settings.debris, generator(seed, "debris", "births"))
    count, frames = len(births.time), motion.frames
    rng = generator(seed, "debris", "chips")
    size = SMALLEST * (1 - rng.random(count) * (1 - (SMALLEST / LARGEST) ** POWER)) ** (-1 / POWER)
    material = _chip_material(fragments, births.source, rng)
    density = np.array([m.density for m in MATERIALS])[material]
    # Quadratic drag of a blunt chip (drag coefficient 1.1): a = c |v| v.
    drag = 0.5 * 1.2 * 1.1 / (density * size)
    axis = rng.normal(size=(count, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True) + 1e-12
    spin = rng.normal(0.0, 1.0, count) * np.clip(0.6 / size, 4.0, 18.0)
    turn = rng.uniform(0.0, 2 * np.pi, count)
    bounce = rng.uniform(0.10, 0.32, count)

    place, speed = births.position.copy(), births.velocity.copy()
    place[:, 2] = np.maximum(place[:, 2], size / 2)
    rest = np.zeros(count, np.bool_)
    position = np.empty((frames, count, 3), np.float32)
    rotation = np.empty((frames, count, 4), np.float16)
    born = np.minimum(np.ceil(births.time * motion.fps - 1e-6).astype(np.int64), frames - 1)
    surface = rubble_surface(fragments, generator(seed, "debris", "surface"))
    dt = 1.0 / motion.fps
    first = int(born.min()) if count else frames
    height, owner = (
        surface.heights(motion, max(first - 1, 0)) if count else (np.zeros((1, 1), np.float32), None)
    )
    for frame in range(frames):
        if frame >= first:
            before = height
            height, owner = surface.heights(motion, frame)
            moved = (motion.position[frame] - motion.position[max(frame - 1, 0)]) * np.float32(motion.fps)
            _fly(
                place, speed, turn, spin, rest, births.time, (frame - 1) * dt, dt, size, drag, bounce, before,
                height, owner, moved, surface.origin,
            )  # fmt: skip
        position[frame] = place
        half = turn / 2
        rotation[frame, :, :3] = axis * np.sin(half)[:, None]
        rotation[frame, :, 3] = np.cos(half)
        progress(frame + 1, frames)
    return Debris(
        position=position,
        rotation=rotation,
        size=size.astype(np.float32),
        shape=rng.integers(0, SHAPES, count).astype(np.int32),
        material=material,
        born=born.astype(np.int32),
        source=births.source,
    )


def _chip_material(
    fragments: Fragments, source: npt.NDArray[np.int32], rng: np.random.Generator
) -> npt.NDArray[np.int32]:
    """Mostly the fragment's own matter; a wall also sheds plaster."""
    material = fragments.material[source].astype(np.int32)
    walls = np.isin(
        fragments.kind[source], [KINDS.index(n) for n in ("wall", "back_wall", "partition", "ornament")]
    )
    plaster = walls & (rng.random(len(source)) < 0.25)
    material[plaster] = material_index("plaster")
    return material


def _births(fragments: Fragments, motion: Motion, wanted: int, rng: np.random.Generator) -> _Births:
    """Share the chips among the events: more to the heavier ones, each with its own scatter."""
    end = motion.frames / motion.fps
    breaks = motion.event_kind == EVENT_BREAK
    airy = np.isin(fragments.kind[motion.event_fragment], [KINDS.index("clutter")])
    energy = np.where(airy, 0.0, np.maximum(motion.event_energy.astype(np.float64), 0.0))
    energy[motion.event_time >= end] = 0.0
    # A crack that does not open drops little.
    opened = violence(motion, np.arange(len(energy))) if len(energy) else energy
    weight = np.where(breaks, energy**0.4 * (0.04 + opened), energy**0.6)
    # What breaks inside is hidden by what breaks outside.
    weight[fragments.facade[motion.event_fragment] >= 0] *= OUTSIDE
    share = {True: FROM_BREAKS, False: 1 - FROM_BREAKS}
    if not (weight[breaks].sum() > 0 and weight[~breaks].sum() > 0):
        share = {True: 1.0, False: 1.0}
    number = np.zeros(len(weight))
    for kind in (True, False):
        chosen = breaks == kind
        if weight[chosen].sum() > 0:
            number[chosen] = weight[chosen] / weight[chosen].sum() * share[kind] * wanted
    count = np.minimum((number + rng.random(len(number)) * (number > 0)).astype(np.int64), 400)
    event = np.repeat(np.arange(len(count)), count)
    if len(event) > wanted:
        event = np.sort(rng.permutation(event)[:wanted])
    total = len(event)
    kind = breaks[event]
    # Breaking throws its chips at once, a crushing blow for a while.
    time = motion.event_time[event] + rng.exponential(np.where(kind, 0.04, 0.10))
    carried = motion.event_velocity[event].astype(np.float64)
    normal = motion.event_normal[event].astype(np.float64)
    normal *= np.sign(normal[:, 2:] + 1e-6)
    position = motion.event_position[event] + rng.normal(0.0, 0.22, (total, 3))
    strength = np.linalg.norm(carried, axis=1)
    carried *= np.minimum(1.0, FASTEST / (strength + 1e-9))[:, None]
    strength = np.minimum(strength, FASTEST)
    cone = rng.normal(0.0, 1.0, (total, 3))
    cone /= np.linalg.norm(cone, axis=1, keepdims=True) + 1e-12
    # A break lets go, it does not shoot: little more than the piece's own speed. A blow throws sideways.
    tossed = carried * 0.85 + cone * (0.3 + 0.12 * strength)[:, None] * rng.random((total, 1))
    away = outward(fragments, position)
    tossed += away * (np.minimum(strength, 2.5) * rng.random(total))[:, None]
    aside = cone * np.array([1.0, 1.0, 0.45]) + 0.4 * normal + 0.7 * away
    struck = carried * np.array([0.5, 0.5, 0.0]) + aside * np.clip(0.7 * strength, 0.4, 8.0)[:, None] * (
        rng.random((total, 1)) ** 1.2
    )
    velocity = np.where(kind[:, None], tossed, struck)
    velocity[:, 2] = np.minimum(velocity[:, 2], np.where(kind, np.maximum(carried[:, 2], 0.0) + 0.4, 3.5))
    order = np.argsort(time, kind="stable")
    order = order[time[order] < end - 1.0 / motion.fps]
    return _Births(
        time[order], position[order], velocity[order], motion.event_fragment[event][order].astype(np.int32)
    )


@njit(cache=True)
def _floor(x, y, now, before, height, owner, origin):  # type: ignore[no-untyped-def]
    """Height of the surface at (x, y), a share `now` through the frame, and the fragment it belongs to."""
    nx, ny = height.shape
    i, j = int(np.floor((x - origin[0]) / CELL)), int(np.floor((y - origin[1]) / CELL))
    if i < 0 or j < 0 or i >= nx or j >= ny:
        return 0.0, -1
    return (1 - now) * before[i, j] + now * height[i, j], owner[i, j]


@njit(cache=True)
def _fly(  # type: ignore[no-untyped-def]
    place, speed, turn, spin, rest, birth, time, dt, size, drag, bounce, before, height, owner, moved, origin
):
    """All chips from `time` to `time + dt`, in place. `before` and `height` are the surface at both ends."""
    for n in range(len(place)):
        if birth[n] >= time + dt:
            continue
        step = min(dt, time + dt - birth[n]) / STEPS
        left = 1.0 - step * STEPS / dt
        half = 0.5 * size[n]
        for s in range(STEPS):
            now = left + (1.0 - left) * (s + 1) / STEPS
            floor, under = _floor(place[n, 0], place[n, 1], now, before, height, owner, origin)
            bottom = place[n, 2] - half
            if rest[n]:
                if bottom - floor > 0.03:
                    # What it lay on sank faster than a chip can fall, or slid away.
                    rest[n] = False
                else:
                    if under >= 0 and floor - bottom < 0.5 * INSIDE:
                        place[n, 0] += moved[under, 0] * step
                        place[n, 1] += moved[under, 1] * step
                        place[n, 2] = floor + half
                    continue
            if floor - bottom > INSIDE:
                floor, under = 0.0, -1
            vx, vy, vz = speed[n, 0], speed[n, 1], speed[n, 2]
            slow = 1.0 / (1.0 + step * drag[n] * np.sqrt(vx * vx + vy * vy + vz * vz))
            vx, vy = vx * slow, vy * slow
            fall = (vz - GRAVITY * step) * slow
            x, y = place[n, 0] + vx * step, place[n, 1] + vy * step
            ahead = _floor(x, y, now, before, height, owner, origin)[0]
            if ahead - max(floor, bottom) > INSIDE and ahead - bottom < TALLEST:
                # Against the side of a block.
                vx, vy = -0.25 * vx, -0.25 * vy
            else:
                place[n, 0], place[n, 1] = x, y
                if ahead - floor <= INSIDE:
                    floor = ahead
            place[n, 2] += 0.5 * (vz + fall) * step
            vz = fall
            turn[n] += spin[n] * step
            if place[n, 2] - half < floor:
                place[n, 2] = floor + half
                ground_x, ground_y, ground_z = 0.0, 0.0, 0.0
                if under >= 0:
                    ground_x, ground_y = moved[under, 0], moved[under, 1]
                    ground_z = min(moved[under, 2], 0.0)
                struck = ground_z - vz
                slide = np.sqrt((vx - ground_x) ** 2 + (vy - ground_y) ** 2)
                if struck > 1.0:
                    # Rough ground: a bounce takes part of the sideways speed and changes the tumbling.
                    vz = ground_z + bounce[n] * struck
                    keep = 0.7
                    spin[n] *= 0.7
                else:
                    vz = max(vz, ground_z)
                    keep = max(0.0, 1.0 - ROLLING * GRAVITY * step / (slide + 1e-6))
                vx, vy = ground_x + keep * (vx - ground_x), ground_y + keep * (vy - ground_y)
                aside = np.sqrt((vx - ground_x) ** 2 + (vy - ground_y) ** 2)
                if vz - ground_z < STILL and aside < STILL:
                    rest[n] = True
                    spin[n] *= 0.2
                    vx, vy, vz = 0.0, 0.0, 0.0
            speed[n, 0], speed[n, 1], speed[n, 2] = vx, vy, vz
