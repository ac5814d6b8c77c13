"""Convex polyhedra with tagged faces: cutting them by planes, measuring them, power cells inside them.

A polyhedron is kept as corner points and, for each face, a loop of corner numbers, counter-clockwise from
outside. Because faces share corners by number, everything made from it is closed by construction.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt

__all__ = ["Cell", "cell_measures", "face_measures", "polyhedron", "power_cell", "widths"]

Points = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

MOST_POINTS = 512
MOST_FACES = 256
LONGEST_LOOP = 128
FAR_SIDE = -(2**40)  # tags of the sides of the block everything is cut from
ON_PLANE = 1e-7  # metres; corners closer to a cutting plane than this lie on it


class Cell(NamedTuple):
    """One convex polyhedron.

    points (V, 3) metres;  loop (L,) corner numbers of all faces, one face after another
    start  (F + 1,) face f owns loop[start[f]:start[f + 1]]
    tag    (F,) what lies across: -1 - k for plane k of the element, else the number of the neighbour's seed
    """

    points: Points
    loop: Numbers
    start: Numbers
    tag: Numbers


@nb.njit(cache=True)
def _cut(points, count, loops, sizes, tags, faces, plane, tag):  # type: ignore[no-untyped-def]
    """Keep what lies on the inner side of a plane (n . x <= d), in place.

    Returns the numbers of points and faces; no faces when nothing is left.
    """
    side = np.empty(count, np.int8)
    height = np.empty(count)
    outside = 0
    inside = 0
    for i in range(count):
        value = plane[0] * points[i, 0] + plane[1] * points[i, 1] + plane[2] * points[i, 2] - plane[3]
        height[i] = value
        side[i] = 0
        if value > ON_PLANE:
            side[i] = 1
            outside += 1
        elif value < -ON_PLANE:
            side[i] = -1
            inside += 1
    if outside == 0:
        return count, faces
    if inside == 0:
        return 0, 0
    made_a = np.empty(LONGEST_LOOP, np.int64)
    made_b = np.empty(LONGEST_LOOP, np.int64)
    made = 0
    first_new = count
    follow = np.full(count + LONGEST_LOOP, -1, np.int64)
    kept = 0
    fresh = np.empty(LONGEST_LOOP, np.int64)
    cap_at = -1
    for f in range(faces):
        size = sizes[f]
        length = 0
        enter = -1
        leave = -1
        touched = False
        for k in range(size):
            a = loops[f, k]
            b = loops[f, (k + 1) % size]
            if side[a] > 0:
                touched = True
            else:
                fresh[length] = a
                length += 1
                if side[a] == 0:
                    if side[b] > 0:
                        leave = a
                    if side[loops[f, (k - 1 + size) % size]] > 0:
                        enter = a
            if side[a] * side[b] < 0:
                low = min(a, b)
                high = max(a, b)
                found = -1
                for m in range(made):
                    if made_a[m] == low and made_b[m] == high:
                        found = first_new + m
                        break
                if found < 0:
                    share = height[low] / (height[low] - height[high])
                    found = first_new + made
                    for axis in range(3):
                        points[found, axis] = points[low, axis] + share * (
                            points[high, axis] - points[low, axis]
                        )
                    made_a[made] = low
                    made_b[made] = high
                    made += 1
                fresh[length] = found
                length += 1
                if side[a] < 0:
                    leave = found
                else:
                    enter = found
        if touched and enter >= 0 and leave >= 0 and enter != leave:
            follow[enter] = leave
            cap_at = enter
        if length >= 3:
            for k in range(length):
                loops[kept, k] = fresh[k]
            sizes[kept] = length
            tags[kept] = tags[f]
            kept += 1
    count += made
    length = 0
    at = cap_at
    while at >= 0 and length < LONGEST_LOOP:
        loops[kept, length] = at
        length += 1
        at = follow[at]
        if at == cap_at:
            break
    if length >= 3:
        sizes[kept] = length
        tags[kept] = tag
        kept += 1
    # drop points no face uses any more
    number = np.full(count, -1, np.int64)
    used = 0
    for f in range(kept):
        for k in range(sizes[f]):
            number[loops[f, k]] = 0
    for i in range(count):
        if number[i] == 0:
            number[i] = used
            for axis in range(3):
                points[used, axis] = points[i, axis]
            used += 1
    for f in range(kept):
        for k in range(sizes[f]):
            loops[f, k] = number[loops[f, k]]
    return used, kept


@nb.njit(cache=True)
def _packed(points, count, loops, sizes, tags, faces):  # type: ignore[no-untyped-def]
    start = np.zeros(faces + 1, np.int64)
    for f in range(faces):
        start[f + 1] = start[f] + sizes[f]
    loop = np.empty(start[faces], np.int64)
    for f in range(faces):
        for k in range(sizes[f]):
            loop[start[f] + k] = loops[f, k]
    return points[:count].copy(), loop, start, tags[:faces].copy()


@nb.njit(cache=True)
def _polyhedron(planes, low, high):  # type: ignore[no-untyped-def]
    points = np.empty((MOST_POINTS, 3))
    loops = np.empty((MOST_FACES, LONGEST_LOOP), np.int64)
    sizes = np.zeros(MOST_FACES, np.int64)
    tags = np.zeros(MOST_FACES, np.int64)
    # corner i has x, y, z high where its bits 4, 2, 1 are set; faces x low, x high, y low ... from outside
    corners = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    for i in range(8):
        points[i, 0] = high[0] if i & 4 else low[0]
        points[i, 1] = high[1] if i & 2 else low[1]
        points[i, 2] = high[2] if i & 1 else low[2]
    for f in range(6):
        for k in range(4):
            loops[f, k] = corners[f, k]
        sizes[f] = 4
        tags[f] = FAR_SIDE - f
    count = 8
    faces = 6
    for p in range(len(planes)):
        count, faces = _cut(points, count, loops, sizes, tags, faces, planes[p], -1 - p)
        if faces == 0:
            break
    return _packed(points, count, loops, sizes, tags, faces)


def polyhedron(planes: Points) -> Cell | None:
    """The convex polyhedron n . x <= d of planes (P, 4) in rows (nx, ny, nz, d), or None if it is empty
    or not bounded by them.
    """
    bound = np.full(3, 1000.0)
    cell = Cell(*_polyhedron(np.ascontiguousarray(planes, np.float64), -bound, bound))
    return cell if len(cell.tag) >= 4 and cell.tag.min() > FAR_SIDE else None


@nb.njit(cache=True)
def _power_cell(points0, loop0, start0, tag0, seeds, weights, which, metric):  # type: ignore[no-untyped-def]
    points = np.empty((MOST_POINTS, 3))
    loops = np.empty((MOST_FACES, LONGEST_LOOP), np.int64)
    sizes = np.zeros(MOST_FACES, np.int64)
    tags = np.zeros(MOST_FACES, np.int64)
    count = len(points0)
    faces = len(tag0)
    points[:count] = points0
    for f in range(faces):
        sizes[f] = start0[f + 1] - start0[f]
        tags[f] = tag0[f]
        for k in range(sizes[f]):
            loops[f, k] = loop0[start0[f] + k]
    away = np.empty(len(seeds))
    for j in range(len(seeds)):
        away[j] = 0.0
        for axis in range(3):
            away[j] += (seeds[j, axis] - seeds[which, axis]) ** 2
        away[j] -= weights[j]
    order = np.argsort(away, kind="mergesort")
    plane = np.empty(4)
    own = np.dot(seeds[which], seeds[which]) - weights[which]
    for k in range(len(order)):
        j = order[k]
        if j == which:
            continue
        normal = metric.T @ (seeds[j] - seeds[which])
        scale = np.sqrt(np.dot(normal, normal))
        plane[:3] = normal / scale
        plane[3] = 0.5 * (np.dot(seeds[j], seeds[j]) - weights[j] - own) / scale
        count, faces = _cut(points, count, loops, sizes, tags, faces, plane, j)
        if faces == 0:
            break
    return _packed(points, count, loops, sizes, tags, faces)


def power_cell(body: Cell, seeds: Points, weights: Points, which: int, metric: Points) -> Cell:
    """The part of a convex body nearer to one seed than to all others, by power distance.

    A point x belongs to the seed with the least |metric x - seed|^2 - weight: a Laguerre tessellation
    (Aurenhammer 1987), whose cells are convex and whose sizes follow the weights. seeds (S, 3) lie in the
    metric's space, weights (S,) are squared lengths there, metric is (3, 3). May be empty.
    """
    return Cell(*_power_cell(body.points, body.loop, body.start, body.tag, seeds, weights, which, metric))


@nb.njit(cache=True)
def face_measures(points, loop, start):  # type: ignore[no-untyped-def]
    """Area (F,), centre of area (F, 3) and unit normal (F, 3) of every face of a polyhedron."""
    faces = len(start) - 1
    area = np.zeros(faces)
    centre = np.zeros((faces, 3))
    normal = np.zeros((faces, 3))
    for f in range(faces):
        origin = points[loop[start[f]]]
        total = np.zeros(3)
        for k in range(start[f] + 1, start[f + 1] - 1):
            total += np.cross(points[loop[k]] - origin, points[loop[k + 1]] - origin)
        length = np.sqrt(np.dot(total, total))
        area[f] = 0.5 * length
        if length < 1e-14:
            centre[f] = origin
            continue
        unit = total / length
        normal[f] = unit
        for k in range(start[f] + 1, start[f + 1] - 1):
            part = np.dot(np.cross(points[loop[k]] - origin, points[loop[k + 1]] - origin), unit)
            centre[f] += part / length * (origin + points[loop[k]] + points[loop[k + 1]]) / 3.0
    return area, centre, normal


@nb.njit(cache=True)
def cell_measures(points, loop, start):  # type: ignore[no-untyped-def]
    """Volume and centre of mass of a polyhedron."""
    origin = points[0].copy()
    volume = 0.0
    centre = np.zeros(3)
    for f in range(len(start) - 1):
        a = points[loop[start[f]]] - origin
        for k in range(start[f] + 1, start[f + 1] - 1):
            b = points[loop[k]] - origin
            c = points[loop[k + 1]] - origin
            part = np.dot(a, np.cross(b, c)) / 6.0
            volume += part
            centre += part * (a + b + c) / 4.0
    if volume > 1e-12:
        centre /= volume
    return volume, centre + origin


@nb.njit(cache=True)
def widths(points, loop, start):  # type: ignore[no-untyped-def]
    """The least width of a polyhedron over its faces' normals, metres: its thickness."""
    area, centre, normal = face_measures(points, loop, start)
    least = 1e9
    for f in range(len(area)):
        if area[f] < 1e-8:
            continue
        deepest = 0.0
        for i in range(len(points)):
            deepest = max(deepest, np.dot(centre[f] - points[i], normal[f]))
        least = min(least, deepest)
    return least
