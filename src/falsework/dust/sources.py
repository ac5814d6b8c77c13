"""Where dust comes from, when, how much, and with how much air: a list of puffs made from the motion.

The whole shot's motion is known, so the mass is shared out before the air is computed: the total follows from
what breaks, the parts from what happens. Every puff brings the air that was squeezed out with it, so that
fresh dust has the density of a source, pushes its surroundings away and bursts out by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from falsework.building.fragments import KINDS, Fragments
from falsework.collapse.motion import EVENT_BREAK, EVENT_IMPACT, Motion
from falsework.dust.settings import DustSettings

__all__ = ["Emission", "Puffs", "outward", "plan_emission", "violence"]

Float = npt.NDArray[np.float64]

# Share of the mass that breaks which becomes airborne (of the order of 1 to 3 %).
AIRBORNE = 0.02
# Of that, the part finer than about 10 micrometres: one sees it (0.3 to 1 m2 of extinction a gram, against
# 0.01 for grains of 60 micrometres) and the grid carries it. The rest rides along as `load` and rains out.
FINE_SHARE = 1 / 300
FINES = AIRBORNE * FINE_SHARE
# How the fines are shared out: jets from windows, breaking, blows, pieces coming to rest, trails.
SHARES = {"jet": 0.08, "break": 0.05, "impact": 0.27, "landing": 0.45, "trail": 0.15}
# A building is about 17 % solid; the rest is air that has to leave.
SOLID_SHARE = 0.17
# Part of that air which the puffs bring along (the rest is pushed by the fragments' drag), by reach.
SQUEEZED = {"local": 0.12, "street": 0.38, "camera": 0.65}
MOST_PUFFS = 4000
# A fragment that has come this far (metres) from where it was built has broken off.
BROKEN_OFF = 0.5


@dataclass(frozen=True)
class Puffs:
    """K sources. Each gives `mass` kg of dust and `air` m3 of air evenly over its `duration` from `start`.

    position (K, 3) at the start;  velocity (K, 3) m/s the air in it is dragged towards (the puff itself
    drifts with a third of it);  radius (K,) metres
    """

    start: Float
    duration: Float
    position: Float
    velocity: Float
    mass: Float
    air: Float
    radius: Float


@dataclass(frozen=True)
class Emission:
    """All of a shot's dust at its source.

    puffs   sorted by start
    trail   (T, N) kg each fragment sheds between one frame and the next
    first   first frame with anything to do, or the number of frames if there is none
    """

    puffs: Puffs
    trail: npt.NDArray[np.float32]
    first: int


def _shares(weight: Float, total: float) -> Float:
    whole = weight.sum()
    return weight * (total / whole) if whole > 0 else weight


def plan_emission(
    fragments: Fragments, motion: Motion, settings: DustSettings, rng: np.random.Generator
) -> Emission:
    """Share out the dust of everything that breaks off (`FINES` times `settings.amount` of its mass)."""
    frames, dt = motion.frames, 1.0 / motion.fps
    way = np.linalg.norm(motion.position - fragments.centre, axis=2)
    off = way.max(axis=0) > BROKEN_OFF
    mass = float(fragments.mass[off].sum()) * FINES * settings.amount
    air = float(fragments.volume[off].sum()) / SOLID_SHARE * (1 - SOLID_SHARE) * SQUEEZED[settings.reach]
    speed = np.zeros((frames, len(fragments)), np.float32)
    speed[1:] = np.linalg.norm(np.diff(motion.position, axis=0), axis=2) * motion.fps

    parts = {
        "jet": _jets(fragments, motion, rng),
        "break": _events(fragments, motion, EVENT_BREAK, rng),
        "impact": _events(fragments, motion, EVENT_IMPACT, rng),
        "landing": _landings(fragments, motion, speed, rng),
    }
    trail = np.where(off, fragments.mass ** (2 / 3) * np.clip(speed - 2.0, 0.0, 12.0) ** 1.5, 0.0)
    # Some pieces smoke, most hardly do.
    trail *= rng.lognormal(0.0, 1.0, len(fragments)).astype(np.float32)
    present = {name for name, part in parts.items() if part.mass.sum() > 0} | (
        {"trail"} if trail.sum() > 0 else set()
    )
    scale = 1.0 / max(sum(SHARES[name] for name in present), 1e-9)
    chosen = []
    for name, part in parts.items():
        if name not in present:
            continue
        share = SHARES[name] * scale
        given = _shares(part.mass, share * mass)
        volume = _shares(part.mass * part.air, share * air)
        chosen.append(
            Puffs(part.start, part.duration, part.position, part.velocity, given, volume, part.radius)
        )
    puffs = _joined(chosen, frames * dt)
    if trail.sum() > 0:
        trail = trail * (SHARES["trail"] * scale * mass / trail.sum())
    active = np.flatnonzero(motion.moved.any(axis=1) & (way.max(axis=1) > 0.01))
    first = int(active[0]) if len(active) else frames
    if len(puffs.start):
        first = min(first, int(puffs.start[0] * motion.fps))
    return Emission(puffs, trail.astype(np.float32), first if settings.amount > 0 else frames)


def _joined(parts: list[Puffs], end: float) -> Puffs:
    """All parts in the order they start; what starts after the shot's end is left out."""
    if not parts:
        none = np.zeros(0)
        return Puffs(none, none, np.zeros((0, 3)), np.zeros((0, 3)), none, none, none)
    whole = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Puffs)}
    order = np.argsort(whole["start"], kind="stable")
    order = order[whole["start"][order] < end]
    return Puffs(**{name: values[order] for name, values in whole.items()})


def outward(fragments: Fragments, position: Float) -> Float:
    """(K, 3) horizontal unit vectors away from the house's middle."""
    middle = np.average(fragments.centre[:, :2], axis=0, weights=fragments.mass)
    half = np.ptp(fragments.centre[:, :2], axis=0) / 2 + 1e-3
    # Stretched to a square plan first, so that a long front is pushed forward and not to the sides.
    away = (position[:, :2] - middle) / half**2
    away /= np.linalg.norm(away, axis=1, keepdims=True) + 1e-9
    return np.concatenate([away, np.zeros((len(away), 1))], axis=1)


def _scattered(direction: Float, spread: float, rng: np.random.Generator) -> Float:
    direction = direction + rng.normal(0.0, spread, direction.shape)
    return np.asarray(direction / (np.linalg.norm(direction, axis=1, keepdims=True) + 1e-9))


def _events(fragments: Fragments, motion: Motion, kind: int, rng: np.random.Generator) -> Puffs:
    """Puffs of breaking bonds (small, with the pieces) and of blows (thrown aside)."""
    chosen = np.flatnonzero((motion.event_kind == kind) & (motion.event_energy > 0))
    energy = motion.event_energy[chosen].astype(np.float64)
    weight = energy ** (0.5 if kind == EVENT_BREAK else 0.85) * rng.lognormal(0.0, 0.9, len(chosen))
    if kind == EVENT_BREAK:
        weight *= violence(motion, chosen)
    if len(chosen) > MOST_PUFFS:
        keep = np.sort(np.argsort(-weight, kind="stable")[:MOST_PUFFS])
        chosen, weight = chosen[keep], weight[keep]
    count = len(chosen)
    position = motion.event_position[chosen].astype(np.float64)
    moving = np.clip(motion.event_velocity[chosen].astype(np.float64), -15, 15)
    aside = _scattered(outward(fragments, position), 0.45, rng)
    if kind == EVENT_BREAK:
        velocity = 0.5 * moving + aside * rng.uniform(0.5, 2.0, (count, 1))
        duration, breath = rng.uniform(0.05, 0.2, count), 0.3
    else:
        aside[:, 2] = np.abs(aside[:, 2])
        fast = np.linalg.norm(moving, axis=1, keepdims=True)
        velocity = aside * np.clip(fast, 2.0, 10.0) * rng.uniform(0.4, 1.0, (count, 1))
        duration, breath = rng.uniform(0.1, 0.4, count), 1.0
    start = motion.event_time[chosen] + rng.uniform(0.0, 0.06, count)
    return Puffs(
        start, duration, position, velocity, weight, np.full(count, breath), rng.uniform(0.4, 0.9, count)
    )


def violence(motion: Motion, events: npt.NDArray[np.int64]) -> Float:
    """(E,) 0 to 1, how fast each break's piece gets away: a crack that does not open hardly gives dust."""
    frame = np.clip(np.ceil(motion.event_time[events] * motion.fps).astype(np.int64), 0, motion.frames - 1)
    later = np.minimum(frame + 4, motion.frames - 1)
    piece = motion.event_fragment[events]
    way = np.linalg.norm(motion.position[later, piece] - motion.position[frame, piece], axis=1).astype(
        np.float64
    )
    speed = way * motion.fps / np.maximum(later - frame, 1)
    return np.asarray(0.01 + np.clip(speed / 5.0, 0.0, 1.0) ** 1.5, np.float64)


def _landings(
    fragments: Fragments, motion: Motion, speed: npt.NDArray[np.float32], rng: np.random.Generator
) -> Puffs:
    """A burst where each fast piece is stopped: low, outward, in a few lobes rather than everywhere."""
    top = speed.max(axis=0)
    chosen = np.flatnonzero(top > 3.0)
    frames = len(speed)
    slowed = speed[:, chosen] > 0.45 * top[chosen]
    stop = frames - 1 - np.argmax(slowed[::-1], axis=0)
    stopped = stop < frames - 1
    chosen, stop = chosen[stopped], stop[stopped]
    count = len(chosen)
    weight = fragments.mass[chosen] * top[chosen].astype(np.float64) ** 1.2 * rng.lognormal(0.0, 1.0, count)
    if count > MOST_PUFFS:
        keep = np.sort(np.argsort(-weight, kind="stable")[:MOST_PUFFS])
        chosen, stop, weight, count = chosen[keep], stop[keep], weight[keep], MOST_PUFFS
    position = motion.position[stop, chosen].astype(np.float64)
    aside = _scattered(outward(fragments, position), 0.5, rng)
    aside[:, 2] = 0.5 * np.abs(aside[:, 2])
    velocity = aside * np.clip(top[chosen], 4.0, 13.0)[:, None] * rng.uniform(0.5, 1.1, (count, 1))
    return Puffs(
        start=stop / motion.fps + rng.uniform(0.0, 0.15, count),
        duration=rng.uniform(0.25, 0.8, count),
        position=position + np.array([0.0, 0.0, 0.3]),
        velocity=velocity,
        mass=weight,
        air=np.ones(count),
        radius=rng.uniform(0.5, 1.2, count),
    )


def _wall_normals(fragments: Fragments) -> dict[int, Float]:
    """Outward horizontal normal of each facade: across the line its pieces follow, away from the middle."""
    middle = fragments.centre[:, :2].mean(axis=0)
    normals = {}
    for facade in np.unique(fragments.facade[fragments.facade >= 0]):
        centres = fragments.centre[fragments.facade == facade][:, :2].astype(np.float64)
        if len(centres) < 3:
            continue
        spread = centres - centres.mean(axis=0)
        along = np.linalg.svd(spread, full_matrices=False)[2][0]
        normal = np.array([along[1], -along[0], 0.0])
        normals[int(facade)] = normal if (centres.mean(axis=0) - middle) @ normal[:2] >= 0 else -normal
    return normals


def _jets(fragments: Fragments, motion: Motion, rng: np.random.Generator) -> Puffs:
    """Air blown out of a storey's windows while what is above comes down on what is below."""
    openings = np.flatnonzero(fragments.kind == KINDS.index("window"))
    if len(openings) == 0:
        # No windows modelled: gaps in the facade, or of anything standing outside, take their place.
        outer = np.flatnonzero(fragments.facade >= 0)
        openings = np.sort(rng.permutation(outer)[: max(8, len(outer) // 4)])
    normals = _wall_normals(fragments)
    away = outward(fragments, fragments.centre[openings].astype(np.float64))
    fall = fragments.centre[None, :, 2] - motion.position[:, :, 2]
    mass = fragments.mass.astype(np.float64)
    rows = []
    for number, opening in enumerate(openings):
        apart = fragments.centre - fragments.centre[opening]
        near = np.linalg.norm(apart[:, :2], axis=1) < 4.0
        above = near & (apart[:, 2] > 0.6) & (apart[:, 2] < 5.5)
        below = near & (apart[:, 2] < -0.6) & (apart[:, 2] > -4.5)
        if not above.any():
            continue
        squeezed = fall[:, above] @ mass[above] / mass[above].sum()
        if below.any():
            squeezed = squeezed - fall[:, below] @ mass[below] / mass[below].sum()
        if squeezed.max() < 0.35:
            continue
        frame = int(np.argmax(squeezed > 0.2))
        rate = max(float(squeezed[min(frame + 6, motion.frames - 1)] - squeezed[frame]) * motion.fps / 6, 1.0)
        normal = normals.get(int(fragments.facade[opening]), away[number])
        drop = motion.position[frame, opening] - fragments.centre[opening]
        # A window that has itself come far no longer is one.
        if np.linalg.norm(drop) > 3.0:
            continue
        speed = float(np.clip(2.2 * rate, 4.0, 13.0) * rng.uniform(0.6, 1.15))
        start = frame / motion.fps + rng.exponential(0.15)
        place = fragments.centre[opening] + drop + normal * rng.uniform(0.3, 0.7)
        aim = normal + rng.normal(0.0, 0.16, 3) * np.array([1.0, 1.0, 0.6])
        # Not all windows blow alike; some do not at all.
        amount = rng.lognormal(0.0, 1.0) * speed if rng.random() < 0.7 else 0.0
        rows.append((start, rng.uniform(0.25, 0.7), *place, *(aim * speed), amount, rng.uniform(0.3, 0.65)))
    table = np.array(rows, dtype=np.float64).reshape(-1, 10)
    return Puffs(
        table[:, 0],
        table[:, 1],
        table[:, 2:5],
        table[:, 5:8],
        table[:, 8],
        np.full(len(table), 0.4),
        table[:, 9],
    )
