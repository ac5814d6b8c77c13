"""Where dust comes from, when, how much, and with how much air: a list of puffs made from the motion.

The whole shot's motion is known, so the mass is shared out before the air is computed: the total follows from
what breaks, the parts from what happens. Every puff brings the air that was squeezed out with it, so that
fresh dust has the density of a source, pushes its surroundings away and bursts out by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

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
# How the fines are shared out: jets from windows, breaking, blows, pieces coming to rest, trails. A jet of a
# window is opaque with a few grams: nearly all comes from what is crushed at the foot.
SHARES = {"jet": 0.024, "break": 0.008, "impact": 0.18, "landing": 0.75, "trail": 0.05}
# What is ground to dust high up or early stays between the walls: a blow counts fully once this share of the
# whole fall is done, and less by a factor e for so many metres above the ground.
CRUSHING, LOW = 0.22, 5.0
# Share of the masses' heights a building loses when it becomes a mound.
WHOLE_FALL = 0.6
# Inner pieces smoke behind what stands before them.
HIDDEN = 0.15
# A ball of dust drifts with this share of the velocity of the air in it.
DRIFT = 1 / 3
# Of what lands within the walls, this share comes out at their foot.
AT_FOOT = 0.7
# The front breaks up into lobes about this wide (metres) with clefts between them.
LOBE = 5.0
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
    drifts with a share `drift` (K,) of it);  radius (K,) metres;  length (K,) metres along the velocity over
    which it is given: 0 makes a ball, more a jet that widens
    """

    start: Float
    duration: Float
    position: Float
    velocity: Float
    mass: Float
    air: Float
    radius: Float
    length: Float
    drift: Float


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


def _fallen(fragments: Fragments, motion: Motion) -> Float:
    """(T,) share of the way to the ground that the house's mass has come down by each frame."""
    mass, height = fragments.mass.astype(np.float64), fragments.centre[:, 2].astype(np.float64)
    lost = (height - motion.position[:, :, 2]) @ mass
    return np.asarray(np.maximum(lost, 0.0) / (mass @ np.maximum(height, 0.0) + 1e-9), np.float64)


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
    fallen = _fallen(fragments, motion)
    # A fall that the shot's end cuts short has not given all its dust.
    mass = float(fragments.mass[off].sum()) * FINES * settings.amount * min(1.0, fallen.max() / WHOLE_FALL)
    air = float(fragments.volume[off].sum()) / SOLID_SHARE * (1 - SOLID_SHARE) * SQUEEZED[settings.reach]
    crushed = np.minimum(fallen / CRUSHING, 1.0) ** 1.5
    speed = np.zeros((frames, len(fragments)), np.float32)
    speed[1:] = np.linalg.norm(np.diff(motion.position, axis=0), axis=2) * motion.fps

    parts = {
        "jet": _jets(fragments, motion, rng),
        "break": _events(fragments, motion, EVENT_BREAK, crushed, rng),
        "impact": _events(fragments, motion, EVENT_IMPACT, crushed, rng),
        "landing": _landings(fragments, motion, speed, crushed, rng),
    }
    trail = np.where(off, fragments.mass ** (2 / 3) * np.clip(speed - 2.0, 0.0, 12.0) ** 1.5, 0.0)
    # Some pieces smoke, most hardly do.
    trail *= rng.lognormal(0.0, 1.2, len(fragments)).astype(np.float32)
    trail[:, fragments.facade < 0] *= HIDDEN
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
        chosen.append(replace(part, mass=given, air=volume))
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
        return Puffs(none, none, np.zeros((0, 3)), np.zeros((0, 3)), none, none, none, none, none)
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


def _events(
    fragments: Fragments, motion: Motion, kind: int, crushed: Float, rng: np.random.Generator
) -> Puffs:
    """Puffs of breaking bonds (small, with the pieces) and of blows (thrown aside)."""
    chosen = np.flatnonzero((motion.event_kind == kind) & (motion.event_energy > 0))
    energy = motion.event_energy[chosen].astype(np.float64)
    weight = energy ** (0.5 if kind == EVENT_BREAK else 0.85) * rng.lognormal(0.0, 0.9, len(chosen))
    weight *= _out_of_the_walls(
        motion.event_position[chosen], motion.event_time[chosen] * motion.fps, crushed
    )
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
        aside[:, 2] = 0.4 * np.abs(aside[:, 2])
        fast = np.linalg.norm(moving, axis=1, keepdims=True)
        velocity = aside * np.clip(fast, 2.0, 10.0) * rng.uniform(0.4, 1.0, (count, 1))
        duration, breath = rng.uniform(0.1, 0.4, count), 1.0
    return Puffs(
        start=motion.event_time[chosen] + rng.uniform(0.0, 0.06, count),
        duration=duration,
        position=position,
        velocity=velocity,
        mass=weight,
        air=np.full(count, breath),
        radius=rng.uniform(0.4, 0.9, count),
        length=np.zeros(count),
        drift=np.full(count, DRIFT),
    )


def _out_of_the_walls(position: npt.NDArray[Any], frame: npt.NDArray[Any], crushed: Float) -> Float:
    """(K,) how much of the dust made there (K, 3) at that frame (K,) is seen outside."""
    done = np.interp(frame, np.arange(len(crushed)), crushed)
    return np.asarray((0.01 + done) * np.exp(-np.maximum(position[:, 2] - 1.0, 0.0) / LOW), np.float64)


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
    fragments: Fragments, motion: Motion, speed: npt.NDArray[np.float32], crushed: Float,
    rng: np.random.Generator,
) -> Puffs:  # fmt: skip
    """A burst where each fast piece is stopped: low, outward, in a few lobes rather than everywhere."""
    top = speed.max(axis=0)
    chosen = np.flatnonzero(top > 3.0)
    frames = len(speed)
    # The first frame after its fastest in which the piece is checked.
    after = np.arange(frames)[:, None] > np.argmax(speed[:, chosen], axis=0)
    checked = after & (speed[:, chosen] < 0.6 * top[chosen])
    stop, stopped = np.argmax(checked, axis=0), checked.any(axis=0)
    chosen, stop = chosen[stopped], stop[stopped]
    position = motion.position[stop, chosen].astype(np.float64)
    weight = fragments.mass[chosen] * top[chosen].astype(np.float64) ** 1.2
    weight *= rng.lognormal(0.0, 1.0, len(chosen)) * _out_of_the_walls(
        position, stop.astype(np.float64), crushed
    )
    if len(chosen) > MOST_PUFFS:
        keep = np.sort(np.argsort(-weight, kind="stable")[:MOST_PUFFS])
        chosen, stop, weight, position = chosen[keep], stop[keep], weight[keep], position[keep]
    count = len(chosen)
    start = stop / motion.fps + rng.uniform(0.0, 0.15, count)
    place, away = _to_foot(fragments, position, rng)
    strength, pace = _lobes(fragments, place, start, rng)
    # Between the lobes the air gets out later.
    start += 0.25 * np.clip(1.3 - pace, 0.0, 1.0)
    aside = _scattered(away, 0.4, rng)
    aside[:, 2] = 0.15 * np.abs(aside[:, 2])
    fast = np.clip(top[chosen], 5.0, 12.0) * rng.uniform(0.6, 1.1, count) * pace
    return Puffs(
        start=start,
        duration=rng.uniform(0.2, 0.6, count),
        position=place,
        velocity=aside * fast[:, None],
        mass=weight * strength,
        air=np.ones(count),
        radius=rng.uniform(0.4, 1.0, count),
        length=np.zeros(count),
        drift=np.full(count, DRIFT),
    )


def _to_foot(fragments: Fragments, position: Float, rng: np.random.Generator) -> tuple[Float, Float]:
    """(K, 3), (K, 3) where the dust of what lands at `position` gets out, and in which direction.

    The air under what comes down leaves through the ground floor of the nearest facades.
    """
    place, away = position + np.array([0.0, 0.0, 0.3]), outward(fragments, position)
    walls = sorted(_wall_normals(fragments).items())
    moves = rng.random(len(position)) < AT_FOOT
    if not walls or not len(position):
        return place, away
    ways, spots = [], []
    for facade, normal in walls:
        centres = fragments.centre[fragments.facade == facade].astype(np.float64)
        depth = float(np.median(centres @ normal)) - position @ normal
        along = np.array([-normal[1], normal[0], 0.0])
        low, high = float((centres @ along).min()), float((centres @ along).max())
        lateral = position @ along
        inside = np.clip(lateral, low, high)
        ways.append(np.maximum(depth, 0.3) + np.abs(lateral - inside))
        spots.append(
            position + np.maximum(depth, 0.0)[:, None] * normal + (inside - lateral)[:, None] * along
        )
    chance = 1.0 / np.array(ways) ** 1.5
    chance = np.cumsum(chance / chance.sum(axis=0), axis=0)
    pick = np.minimum((rng.random(len(position)) > chance).sum(axis=0), len(walls) - 1)
    number = np.arange(len(position))
    normals = np.array([normal for _, normal in walls])[pick]
    foot = np.array(spots)[pick, number] + normals * rng.uniform(0.0, 0.8, (len(position), 1))
    foot[:, 2] = rng.uniform(0.3, 1.8, len(position))
    return np.where(moves[:, None], foot, place), np.where(moves[:, None], normals, away)


def _lobes(
    fragments: Fragments, position: Float, time: Float, rng: np.random.Generator
) -> tuple[Float, Float]:
    """(K,), (K,) how much and how fast the house gives there and then: lobes and clefts round its foot."""
    around = np.ptp(fragments.centre[:, :2], axis=0).sum() * 2.0
    middle = np.average(fragments.centre[:, :2], axis=0, weights=fragments.mass)
    bearing = np.arctan2(*(position[:, :2] - middle).T)
    most = max(3, round(float(around) / LOBE))
    number = rng.integers(max(1, most // 4), 2 * most, 9)
    turn, speed = rng.uniform(0.0, 2 * np.pi, 9), rng.normal(0.0, 2.0, 9)
    wave = np.cos(bearing[:, None] * number + turn + time[:, None] * speed).sum(axis=1) / np.sqrt(4.5)
    return np.exp(1.4 * wave), np.clip(1.0 + 0.35 * wave, 0.4, 1.6)


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
    begin = float(np.argmax(fall.max(axis=1) > 0.06)) / motion.fps
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
        frame = int(np.argmax(squeezed > 0.04))
        rate = max(float(squeezed[min(frame + 6, motion.frames - 1)] - squeezed[frame]) * motion.fps / 6, 1.0)
        normal = normals.get(int(fragments.facade[opening]), away[number])
        drop = motion.position[frame, opening] - fragments.centre[opening]
        # A window that has itself come far no longer is one.
        if np.linalg.norm(drop) > 3.0:
            continue
        speed = float(np.clip(3.0 * rate, 4.0, 14.0) * rng.uniform(0.6, 1.15))
        start = frame / motion.fps + rng.exponential(0.2)
        place = fragments.centre[opening] + drop + normal * 0.1 + rng.normal(0.0, 0.2, 3)
        aim = normal + rng.normal(0.0, 0.2, 3) * np.array([1.0, 1.0, 0.6])
        # Not all windows blow alike; some do not at all. The first puffs are seen against a whole front.
        fresh = 1.0 + 1.5 * np.exp(-max(start - begin, 0.0) / 0.5)
        amount = rng.lognormal(0.0, 0.7) * speed * fresh if rng.random() < 0.8 else 0.0
        length = 0.12 * speed * rng.uniform(0.7, 1.3)
        rows.append(
            (start, rng.uniform(0.25, 0.7), *place, *(aim * speed), amount, rng.uniform(0.22, 0.42), length)
        )
    table = np.array(rows, dtype=np.float64).reshape(-1, 11)
    return Puffs(
        table[:, 0],
        table[:, 1],
        table[:, 2:5],
        table[:, 5:8],
        table[:, 8],
        np.full(len(table), 0.4),
        table[:, 9],
        table[:, 10],
        np.zeros(len(table)),
    )
