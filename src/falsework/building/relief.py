"""The relief of broken faces: a field over rest positions, so that both sides of a crack share it."""

from __future__ import annotations

import numba as nb
import numpy as np

__all__ = ["BRICK", "PLAIN", "ROUGH", "SPLINTER", "relief"]

# How a material breaks.
PLAIN = 0  # glass, clutter: clean faces
ROUGH = 1  # concrete, rubble stone, plaster, tiles: bumps of all sizes
BRICK = 2  # along courses and half bricks
SPLINTER = 3  # timber: long teeth along the grain

COURSE = 0.152  # metres: two courses of brick with their joints, the least step a crack takes
PHASE = 0.0371  # metres: sills lie at round heights, where rounding would choose the course
STRETCHER = 0.232  # metres: a stretcher, likewise


@nb.njit(cache=True)
def _hash(x, y, z):  # type: ignore[no-untyped-def]
    """A number in -1..1 for three whole numbers."""
    h = np.uint64(x * 73856093) ^ np.uint64(y * 19349663) ^ np.uint64(z * 83492791)
    h = (h ^ (h >> np.uint64(15))) * np.uint64(0x2C1B3C6D)
    h = (h ^ (h >> np.uint64(12))) * np.uint64(0x297A2D39)
    h = h ^ (h >> np.uint64(15))
    return np.float64(h & np.uint64(0xFFFFFF)) / 8388607.5 - 1.0


@nb.njit(cache=True)
def _noise(x, y, z, channel):  # type: ignore[no-untyped-def]
    """Value noise in -1..1, smooth, one channel of many."""
    i, j, k = np.floor(x), np.floor(y), np.floor(z)
    a, b, c = x - i, y - j, z - k
    a, b, c = a * a * (3 - 2 * a), b * b * (3 - 2 * b), c * c * (3 - 2 * c)
    i, j, k = np.int64(i) + 1009 * channel, np.int64(j), np.int64(k)
    total = 0.0
    for di in range(2):
        for dj in range(2):
            for dk in range(2):
                share = (a if di else 1 - a) * (b if dj else 1 - b) * (c if dk else 1 - c)
                total += share * _hash(i + di, j + dj, k + dk)
    return total


@nb.njit(cache=True)
def relief(point, style, amplitude, axes, planes, wall, openings):  # type: ignore[no-untyped-def]
    """Displacement (3,) of a point of a broken face, metres.

    amplitude  metres;  axes (3, 3) rows along, inward, up
    planes     (K, 4) real surfaces: points on them stay on them, points near them do not cross them
    wall       (14,) of the facade, see `Building.wall`;  openings (O, 5) in its plane, whose edges stay put
    """
    move = np.zeros(3)
    if style == PLAIN or amplitude <= 0.0:
        return move
    along = np.dot(axes[0], point)
    inward = np.dot(axes[1], point)
    up = np.dot(axes[2], point) + PHASE
    if style == ROUGH:
        for axis in range(3):
            move[axis] = amplitude * (
                0.75 * _noise(point[0] / 0.37, point[1] / 0.37, point[2] / 0.37, axis)
                + 0.45 * _noise(point[0] / 0.13, point[1] / 0.13, point[2] / 0.13, axis + 3)
            )
    elif style == BRICK:
        # towards the nearest bed joint, and towards the nearest head joint of that course's bond: a crack
        # becomes a stair of half bricks. Both are monotone along the wall, so that no triangle turns over.
        course = np.floor(up / COURSE + 1e-6)
        bond = STRETCHER * (np.int64(course) % 2) * 0.5
        head = np.floor((along - bond) / STRETCHER + 0.5 + 1e-6) * STRETCHER + bond - along
        bed = np.floor(up / COURSE + 0.5 + 1e-6) * COURSE - up
        share = 0.85 * min(1.0, amplitude / 0.05)
        move += share * head * axes[0] + share * bed * axes[2]
        move += (
            0.6
            * amplitude
            * _hash(np.int64(course), np.int64(np.floor(along / STRETCHER + 1e-6)), 5)
            * axes[1]
        )
    else:
        tooth = _noise(along / 0.045, up / 0.045, 0.5, 1) + 0.5 * _noise(along / 0.015, up / 0.02, 0.5, 2)
        move += 2.0 * amplitude * tooth * axes[1]
        move += 0.2 * amplitude * _noise(along / 0.1, inward / 0.3, up / 0.1, 3) * axes[0]
    if len(openings):
        x = 0.0
        for axis in range(3):
            x += (point[axis] - wall[axis]) * wall[3 + axis]
        z = point[2] - wall[2]
        room = 1e9
        for o in range(len(openings)):
            dx = max(openings[o, 0] - x, x - openings[o, 2])
            dz = max(openings[o, 1] - z, z - openings[o, 3])
            if dx <= 0.0 and dz <= 0.0:  # within a bar of the frame
                room = min(room, -max(dx, dz))
            else:
                room = min(room, np.sqrt(max(dx, 0.0) ** 2 + max(dz, 0.0) ** 2))
        length = np.sqrt(np.dot(move, move))
        if length > 0.6 * room:
            move *= 0.6 * room / length
    for p in range(len(planes)):
        depth_in = planes[p, 3] - np.dot(planes[p, :3], point)
        most = 0.6 * max(depth_in, 0.0)
        out = np.dot(planes[p, :3], move)
        if abs(out) > most:
            move -= (out - np.sign(out) * most) * planes[p, :3]
    touching = 0
    for p in range(len(planes)):
        if planes[p, 3] - np.dot(planes[p, :3], point) < 1e-6:
            touching += 1
            move -= np.dot(planes[p, :3], move) * planes[p, :3]
    if touching > 1:
        move[:] = 0.0
    return move
