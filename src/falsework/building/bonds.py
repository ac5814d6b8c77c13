"""Which fragments touch: the bonds that hold a building together."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt

from falsework.building.fragments import KINDS
from falsework.building.materials import MATERIALS, material_index

__all__ = ["Contacts", "bond_strengths", "contacts_between"]

Points = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

TOUCH = 0.004  # metres between faces that count as touching
LEAST = 2e-4  # m2; smaller contacts hold nothing
# Pa, tension and shear within a plate of timber or tiles, and within a pane: chosen by eye, so that they come
# apart in the fall and not before.
NAILED = 0.3e6
BRITTLE = 0.15e6


class Contacts(NamedTuple):
    """Pairs (B, 2), centres (B, 3), normals (B, 3) from first to second, areas (B,)."""

    pair: Numbers
    centre: Points
    normal: Points
    area: Points


@nb.njit(cache=True)
def _overlap(a, b, u, v):  # type: ignore[no-untyped-def]
    """Area and centre of the overlap of two convex polygons (.., 3) in the plane of u and v."""
    flat = np.empty((64, 2))
    other = np.empty((64, 2))
    count = len(a)
    for i in range(count):
        flat[i, 0] = np.dot(a[i], u)
        flat[i, 1] = np.dot(a[i], v)
    turn = 0.0
    clip = np.empty((len(b), 2))
    for i in range(len(b)):
        clip[i, 0] = np.dot(b[i], u)
        clip[i, 1] = np.dot(b[i], v)
    for i in range(len(b)):
        j = (i + 1) % len(b)
        turn += clip[i, 0] * clip[j, 1] - clip[j, 0] * clip[i, 1]
    for e in range(len(b)):
        f = (e + 1) % len(b)
        nx = clip[f, 1] - clip[e, 1]
        ny = clip[e, 0] - clip[f, 0]
        if turn < 0:
            nx, ny = -nx, -ny
        limit = nx * clip[e, 0] + ny * clip[e, 1]
        made = 0
        for i in range(count):
            j = (i + 1) % count
            p = nx * flat[i, 0] + ny * flat[i, 1] - limit
            q = nx * flat[j, 0] + ny * flat[j, 1] - limit
            if p <= 0 and made < 63:
                other[made] = flat[i]
                made += 1
            if p * q < 0 and made < 63:
                other[made] = flat[i] + p / (p - q) * (flat[j] - flat[i])
                made += 1
        if made < 3:
            return 0.0, np.zeros(2)
        flat, other = other, flat
        count = made
    area = 0.0
    centre = np.zeros(2)
    for i in range(1, count - 1):
        part = 0.5 * (
            (flat[i, 0] - flat[0, 0]) * (flat[i + 1, 1] - flat[0, 1])
            - (flat[i + 1, 0] - flat[0, 0]) * (flat[i, 1] - flat[0, 1])
        )
        area += part
        centre += part * (flat[0] + flat[i] + flat[i + 1]) / 3.0
    if abs(area) > 1e-12:
        centre /= area
    return abs(area), centre


@nb.njit(cache=True)
def _touching(first, second, face_first, face_second, normals, points, start, low, high, fragment):  # type: ignore[no-untyped-def]
    """Overlaps of the faces of plane pairs; `face_first[p]` .. of planes in face order."""
    rows = np.empty((1024, 9))
    count = 0
    for p in range(len(first)):
        normal = normals[p]
        helper = np.array([1.0, 0.0, 0.0]) if abs(normal[0]) < 0.7 else np.array([0.0, 1.0, 0.0])
        u = np.cross(normal, helper)
        u /= np.sqrt(np.dot(u, u))
        v = np.cross(normal, u)
        for i in range(face_first[first[p]], face_second[first[p]]):
            for j in range(face_first[second[p]], face_second[second[p]]):
                apart = False
                for axis in range(3):
                    if low[i, axis] > high[j, axis] + TOUCH or low[j, axis] > high[i, axis] + TOUCH:
                        apart = True
                if apart:
                    continue
                a = points[start[i] : start[i + 1]]
                area, centre = _overlap(a, points[start[j] : start[j + 1]], u, v)
                if area < LEAST:
                    continue
                if count == len(rows):
                    more = np.empty((2 * count, 9))
                    more[:count] = rows
                    rows = more
                rows[count, 0] = fragment[i]
                rows[count, 1] = fragment[j]
                rows[count, 2:5] = centre[0] * u + centre[1] * v + np.dot(a[0], normal) * normal
                rows[count, 5:8] = normal
                rows[count, 8] = area
                count += 1
    return rows[:count].copy()


def contacts_between(
    planes: Points,
    plane_element: Numbers,
    face_plane: Numbers,
    face_fragment: Numbers,
    face_points: Points,
    face_start: Numbers,
) -> Contacts:
    """Where fragments of different elements touch.

    planes (P, 4) of all elements and the element (P,) each belongs to; faces lying in them, sorted by plane:
    face_plane (F,), face_fragment (F,), corners face_points[face_start[f]:face_start[f + 1]].
    """
    begin = np.searchsorted(face_plane, np.arange(len(planes)))
    end = np.searchsorted(face_plane, np.arange(len(planes)), side="right")
    low = np.minimum.reduceat(face_points, face_start[:-1])
    high = np.maximum.reduceat(face_points, face_start[:-1])
    used = np.flatnonzero(end > begin)
    plane_low = np.full((len(planes), 3), np.inf)
    plane_high = np.full((len(planes), 3), -np.inf)
    np.minimum.at(plane_low, face_plane, low)
    np.maximum.at(plane_high, face_plane, high)
    # planes that face each other lie in the same bin of direction and distance, with opposite signs
    lead = np.argmax(np.abs(planes[:, :3]) > 0.01, axis=1)
    sign = np.where(planes[np.arange(len(planes)), lead] > 0, 1.0, -1.0)
    keys = np.column_stack(
        [np.round(planes[:, :3] * sign[:, None] * 500), np.floor(planes[:, 3] * sign * 50)]
    ).astype(np.int64)
    bins: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for plane in used.tolist():
        bins[tuple(keys[plane].tolist())].append(plane)
    firsts, seconds = [], []
    for plane in used[sign[used] > 0].tolist():
        a, b, c, d = keys[plane].tolist()
        near = np.array(
            [q for step in (-1, 0, 1) for q in bins.get((a, b, c, d + step), ()) if sign[q] < 0], np.int64
        )
        if len(near) == 0:
            continue
        close = np.abs(planes[near, 3] + planes[plane, 3]) < TOUCH
        close &= (planes[near, :3] @ planes[plane, :3]) < -0.99999
        close &= plane_element[near] != plane_element[plane]
        close &= (plane_low[near] <= plane_high[plane] + TOUCH).all(axis=1)
        close &= (plane_high[near] >= plane_low[plane] - TOUCH).all(axis=1)
        seconds += near[close].tolist()
        firsts += [plane] * int(close.sum())
    first, second = np.array(firsts, np.int64), np.array(seconds, np.int64)
    rows = _touching(
        first, second, begin, end, planes[first, :3], face_points, face_start, low, high, face_fragment
    )
    return Contacts(rows[:, :2].astype(np.int64), rows[:, 2:5], rows[:, 5:8], rows[:, 8])


def bond_strengths(
    pair: Numbers,
    inside: npt.NDArray[np.bool_],
    normal: Points,
    material: Numbers,
    kind: Numbers,
    body: Numbers,
) -> Points:
    """Compression, tension and shear (B, 3) in Pa of bonds between fragments.

    The weaker of the two materials, less where elements only meet: joists and slabs rest in pockets of the
    wall, partitions are merely built up to it, windows are wedged in, furniture stands there by its weight.
    `inside` is True for bonds within one element, `body` (N,) the facade wall a fragment belongs to or -1.
    """
    table = np.array([(m.compression, m.tension, m.shear) for m in MATERIALS])
    a, b = pair[:, 0], pair[:, 1]
    strength: Points = np.minimum(table[material[a]], table[material[b]])
    concrete = material_index("concrete")
    number = {name: index for index, name in enumerate(KINDS)}

    def either(*names: str) -> npt.NDArray[np.bool_]:
        wanted = [number[name] for name in names]
        return np.isin(kind[a], wanted) | np.isin(kind[b], wanted)

    # floors and roofs are boards and rafters nailed side by side, and windows leaves and panes: what holds
    # such a plate together is far weaker than what it is made of
    timber = material_index("timber")
    nailed = inside & (either("slab") & (material[a] == timber) | either("roof") & (material[a] != concrete))
    strength[nailed, 1:] = np.minimum(strength[nailed, 1:], NAILED)
    strength[inside & (material[a] == material_index("glass")), 1:] = BRITTLE
    reinforced = (material[a] == concrete) & (material[b] == concrete)
    between = ~inside
    wall = (body[a] >= 0) & (body[a] == body[b])
    # walls meet in bonded masonry: toothed, but weaker than within
    strength[between & ~wall & ~reinforced, 1:] *= 0.6
    flat = np.abs(normal[:, 2]) > 0.7
    bearing = between & either("slab", "beam", "stair", "roof") & ~reinforced
    strength[bearing, 1] = np.minimum(strength[bearing, 1], 0.04e6)
    strength[bearing, 2] = np.minimum(strength[bearing, 2], 0.15e6)
    # boards run on from one field of a floor to the next
    floor = bearing & ~(either("wall", "back_wall", "party_wall", "partition", "window", "clutter")) & ~flat
    strength[floor, 1] = 0.12e6
    light = between & either("partition")
    strength[light, 1:] *= 0.4
    strength[between & either("window")] = (1e6, 0.03e6, 0.03e6)
    strength[between & either("clutter")] = (1e6, 1e3, 2e3)
    return strength
