"""Chips and grit: thrown by what breaks and strikes, falling through air, at rest on ground and rubble."""

from __future__ import annotations

from collections.abc import Sequence
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
from falsework.plate.plate import SetPlane
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
# Chips leave no faster sideways (m/s), and what rises under one lifts it no faster.
SIDEWAYS, LIFT = 7.0, 2.0
# No chip bounces off faster than this (m/s): what strikes harder breaks.
HIGHEST = 2.0
# Of the chips of facades, this share is torn far off: larger ones, thrown out at these speeds (m/s).
STRAYS, STRAY_POWER, STRAY_SPEED = 0.16, 0.9, (2.5, 6.5)
# Faster than this (m/s), what a chip lies on slips away from under it.
SLIP = 1.5
# Share of its speed into a standing wall that a chip comes off with.
WALL_BOUNCE = 0.25
# Slower than this (m/s) after a bounce, a chip stays where it is.
STILL = 0.5


@dataclass(frozen=True)
class _Births:
    """When (s), where, how fast and from which fragment each of M chips comes; ascending in time."""

    time: Float
    position: Float
    velocity: Float
    source: npt.NDArray[np.int32]
    stray: npt.NDArray[np.bool_]


def simulate_debris(
    fragments: Fragments,
    motion: Motion,
    settings: DustSettings,
    *,
    seed: int,
    set_planes: Sequence[SetPlane] = (),
    progress: Progress = silent,
) -> Debris:
    """Throw `settings.debris` chips from the motion's events and follow them to the shot's end.

    Fewer if little happens (at most 400 an event). Chips bounce on the ground and on the rubble's moving
    surface and off the fronts of `set_planes`, ride on what they rest on, and never lie below the ground.
    """
    births = _births(fragments, motion, settings.debris, generator(seed, "debris", "births"))
    count, frames = len(births.time), motion.frames
    rng = generator(seed, "debris", "chips")
    power = np.where(births.stray, STRAY_POWER, POWER)
    size = SMALLEST * (1 - rng.random(count) * (1 - (SMALLEST / LARGEST) ** power)) ** (-1 / power)
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
    walls = _walls(set_planes)
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
                height, owner, moved, surface.origin, walls,
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


def _walls(set_planes: Sequence[SetPlane]) -> Float:
    """(K, 12) origin, unit normal, and u and v each divided by its squared length."""
    rows = []
    for plane in set_planes:
        u, v = np.asarray(plane.u, np.float64), np.asarray(plane.v, np.float64)
        normal = np.cross(u, v)
        area = float(np.linalg.norm(normal))
        if area > 1e-9:
            rows.append(np.concatenate([plane.origin, normal / area, u / (u @ u), v / (v @ v)]))
    return np.array(rows, np.float64).reshape(-1, 12)


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
    velocity[:, 2] = np.minimum(velocity[:, 2], np.where(kind, np.maximum(carried[:, 2], 0.0) + 0.4, 2.5))
    stray = (fragments.facade[motion.event_fragment[event]] >= 0) & (rng.random(total) < STRAYS)
    thrown = away + 0.35 * cone
    velocity = np.where(stray[:, None], thrown * rng.uniform(*STRAY_SPEED, (total, 1)), velocity)
    velocity[:, 2] = np.minimum(velocity[:, 2], np.where(kind, 0.4, 2.5))
    aside = np.linalg.norm(velocity[:, :2], axis=1)
    velocity[:, :2] *= np.minimum(1.0, SIDEWAYS / (aside + 1e-9))[:, None]
    order = np.argsort(time, kind="stable")
    order = order[time[order] < end - 1.0 / motion.fps]
    source = motion.event_fragment[event][order].astype(np.int32)
    return _Births(time[order], position[order], velocity[order], source, stray[order])


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
    place,
    speed,
    turn,
    spin,
    rest,
    birth,
    time,
    dt,
    size,
    drag,
    bounce,
    before,
    height,
    owner,
    moved,
    origin,
    walls,
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
                slipping = under >= 0 and moved[under, 0] ** 2 + moved[under, 1] ** 2 > SLIP * SLIP
                if bottom - floor > 0.03 or slipping:
                    # What it lay on sank faster than a chip can fall, or slid away.
                    rest[n] = False
                else:
                    if under >= 0 and floor - bottom < 0.5 * INSIDE:
                        place[n, 0] += moved[under, 0] * step
                        place[n, 1] += moved[under, 1] * step
                        place[n, 2] = min(floor + half, place[n, 2] + LIFT * step)
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
                middle = place[n, 2] - half
                for k in range(len(walls)):
                    wall = walls[k]
                    front = (
                        (place[n, 0] - wall[0]) * wall[3]
                        + (place[n, 1] - wall[1]) * wall[4]
                        + (middle - wall[2]) * wall[5]
                    )
                    into = vx * wall[3] + vy * wall[4]
                    if front < 0.0 or into >= 0.0 or front + into * step >= half:
                        continue
                    across = (x - wall[0]) * wall[6] + (y - wall[1]) * wall[7] + (middle - wall[2]) * wall[8]
                    up = (x - wall[0]) * wall[9] + (y - wall[1]) * wall[10] + (middle - wall[2]) * wall[11]
                    if across < 0.0 or across > 1.0 or up < 0.0 or up > 1.0:
                        continue
                    vx -= (1.0 + WALL_BOUNCE) * into * wall[3]
                    vy -= (1.0 + WALL_BOUNCE) * into * wall[4]
                    x, y = place[n, 0] + vx * step, place[n, 1] + vy * step
                place[n, 0], place[n, 1] = x, y
                if ahead - floor <= INSIDE:
                    floor = ahead
            place[n, 2] += 0.5 * (vz + fall) * step
            vz = fall
            turn[n] += spin[n] * step
            if place[n, 2] - half < floor:
                # A block that rises under a chip does not throw it; the ground never gives way.
                place[n, 2] = max(min(floor + half, place[n, 2] + max(-vz, LIFT) * step), half)
                ground_x, ground_y, ground_z = 0.0, 0.0, 0.0
                if under >= 0:
                    ground_x, ground_y = moved[under, 0], moved[under, 1]
                    ground_z = min(moved[under, 2], 0.0)
                struck = ground_z - vz
                slide = np.sqrt((vx - ground_x) ** 2 + (vy - ground_y) ** 2)
                if struck > 1.0:
                    # Rough ground: a bounce takes part of the sideways speed and changes the tumbling.
                    vz = ground_z + min(bounce[n] * struck, HIGHEST)
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
