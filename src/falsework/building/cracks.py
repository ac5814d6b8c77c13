"""Parting a wall with openings into convex panels by cracks that run from the openings' corners."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["panels"]

Points = npt.NDArray[np.float64]
Rect = tuple[float, float, float, float]  # left, bottom, right, top

DIRECTIONS = 12  # tried for each corner
SNAP = 0.2  # metres; a crack that ends this near a corner runs into it


def panels(whole: Rect, openings: list[Rect], rng: np.random.Generator) -> list[Points]:
    """Convex polygons (V, 2), counter-clockwise, that fill a rectangle but for the openings in it.

    Every corner of an opening is a notch in the wall, where cracks start in a real one: one crack leaves
    it, within the quadrant away from the opening, towards another opening's corner or somewhere near, and
    ends at the first edge or crack it meets. What is left between the cracks has no notch and is convex.
    Openings lie inside the rectangle, may stand on its edge, and must not touch each other.
    """
    left, bottom, right, top = whole
    segments = _sides(whole)
    for rect in openings:
        segments += _sides(rect)
    corners = [
        (x, z, sx, sz)
        for r in openings
        for x, sx in ((r[0], -1), (r[2], 1))
        for z, sz in ((r[1], -1), (r[3], 1))
    ]
    # where an opening stands on the wall's edge, a door on the ground, there is no notch
    corners = [c for c in corners if left < c[0] < right and bottom < c[1] < top]
    notches = np.array(corners, float).reshape(-1, 4)
    solved = np.zeros(len(notches), bool)
    extent = right - left + top - bottom
    for index in rng.permutation(len(notches)):
        if solved[index]:
            continue
        start, sign = notches[index, :2], notches[index, 2:]
        best: tuple[float, Points, int] | None = None
        walls = np.array(segments)
        for direction, aimed in _directions(start, sign, notches, solved, rng):
            reach, slant = _first_hit(start, direction, walls, extent)
            end = start + reach * direction
            meets = -1
            if aimed >= 0 and np.linalg.norm(notches[aimed, :2] - start) <= reach + 1e-6:
                end, meets, slant = notches[aimed, :2], aimed, 1.0
            length = float(np.linalg.norm(end - start))
            near = np.abs(walls.reshape(-1, 2) - end).max(axis=1)
            crowded = (meets < 0 and bool((near < SNAP).any())) + _along_another(start, end, walls)
            level = float(np.abs(direction).max()) > 0.995
            # rather short, square to what they meet, away from other cracks' ends, from corner to corner;
            # level and plumb ones only now and then, or the wall comes apart like a set of boxes
            score = (
                0.45 * length
                - 1.5 * slant
                - 0.7 * (meets >= 0)
                + 2.0 * crowded
                + 0.8 * level
                + 2.2 * rng.random()
            )
            if best is None or score < best[0]:
                best = (score, end, meets)
        assert best is not None
        segments.append((start[0], start[1], best[1][0], best[1][1]))
        if best[2] >= 0:
            solved[best[2]] = True
    return _faces(np.array(segments), openings)


def _along_another(start: Points, end: Points, walls: Points) -> bool:
    """Whether a crack runs so close beside another that only a splinter would be left between them."""
    a, b = walls[:, None, :2], walls[:, None, 2:]
    probes = start + np.array([0.3, 0.5, 0.7])[:, None] * (end - start)
    along = b - a
    share = np.clip(((probes - a) * along).sum(-1) / (along * along).sum(-1), 0.0, 1.0)
    gap = np.linalg.norm(a + share[..., None] * along - probes, axis=-1).min()
    return bool(gap < min(0.3, 0.14 * np.linalg.norm(end - start)))


def _sides(rect: Rect) -> list[tuple[float, float, float, float]]:
    left, bottom, right, top = rect
    return [
        (left, bottom, right, bottom),
        (right, bottom, right, top),
        (right, top, left, top),
        (left, top, left, bottom),
    ]


def _directions(
    start: Points, sign: Points, notches: Points, solved: npt.NDArray[np.bool_], rng: np.random.Generator
) -> list[tuple[Points, int]]:
    """Directions within a corner's quadrant, each with the number of the notch it aims at, or -1."""
    found: list[tuple[Points, int]] = []
    away = notches[:, :2] - start
    distance = np.linalg.norm(away, axis=1)
    facing = (
        ((away * sign >= -1e-9) & (away * notches[:, 2:] <= 1e-9)).all(axis=1)
        & (distance > 1e-6)
        & (distance < 6.0)
    )
    for index in np.flatnonzero(facing & ~solved)[np.argsort(distance[facing & ~solved], kind="stable")][:4]:
        found.append((away[index] / distance[index], int(index)))
    for angle in np.radians(rng.uniform(4.0, 86.0, DIRECTIONS)):
        found.append((np.array([np.cos(angle), np.sin(angle)]) * sign, -1))
    return found


def _first_hit(start: Points, direction: Points, walls: Points, farthest: float) -> tuple[float, float]:
    """How far a ray runs before it meets a segment, and the sine of the angle it meets it at."""
    a, b = walls[:, :2], walls[:, 2:]
    along = b - a
    length = np.hypot(along[:, 0], along[:, 1])
    turn = direction[0] * along[:, 1] - direction[1] * along[:, 0]
    safe = np.where(np.abs(turn) < 1e-12, 1.0, turn)
    offset = a - start
    reach = (offset[:, 0] * along[:, 1] - offset[:, 1] * along[:, 0]) / safe
    share = (offset[:, 0] * direction[1] - offset[:, 1] * direction[0]) / safe
    tolerance = 1e-7 / np.maximum(length, 1e-9)
    hits = (np.abs(turn) >= 1e-9 * length) & (share >= -tolerance) & (share <= 1 + tolerance) & (reach > 1e-6)
    if not hits.any():
        return farthest, 0.0
    first = int(np.argmin(np.where(hits, reach, np.inf)))
    return float(reach[first]), float(abs(turn[first]) / length[first])


def _faces(segments: Points, openings: list[Rect]) -> list[Points]:
    """The bounded faces of the arrangement of segments, without the openings."""
    ends = np.concatenate([segments[:, :2], segments[:, 2:]])
    keys, number = np.unique(np.round(ends, 5), axis=0, return_inverse=True)
    number = number.ravel()
    points = np.zeros((len(keys), 2))
    points[number] = ends
    follow: dict[int, list[int]] = {index: [] for index in range(len(points))}
    for a, b in zip(segments[:, :2], segments[:, 2:], strict=True):
        along = b - a
        length = float(np.linalg.norm(along))
        offset = points - a
        share = offset @ along / length
        aside = np.abs(offset[:, 0] * along[1] - offset[:, 1] * along[0]) / length
        on = np.flatnonzero((aside < 2e-5) & (share > -2e-5) & (share < length + 2e-5))
        on = on[np.argsort(share[on], kind="stable")]
        for one, two in zip(on[:-1].tolist(), on[1:].tolist(), strict=True):
            if two not in follow[one]:
                follow[one].append(two)
                follow[two].append(one)

    def angle(origin: int, other: int) -> float:
        return float(np.arctan2(*(points[other] - points[origin])[::-1]))

    for index, others in follow.items():
        others.sort(key=lambda other, index=index: angle(index, other))  # type: ignore[misc]
    done: set[tuple[int, int]] = set()
    faces: list[Points] = []
    for index in range(len(points)):
        for other in follow[index]:
            if (index, other) in done:
                continue
            loop = []
            a, b = index, other
            while (a, b) not in done:
                done.add((a, b))
                loop.append(a)
                around = follow[b]
                # next edge clockwise from the one we came along keeps the face on the left
                a, b = b, around[(around.index(a) - 1) % len(around)]
            polygon = points[loop]
            x, z = polygon[:, 0], polygon[:, 1]
            area = 0.5 * float(x @ np.roll(z, -1) - z @ np.roll(x, -1))
            middle = polygon.mean(axis=0)
            if area > 1e-7 and not any(r[0] < middle[0] < r[2] and r[1] < middle[1] < r[3] for r in openings):
                faces.append(polygon)
    return faces
