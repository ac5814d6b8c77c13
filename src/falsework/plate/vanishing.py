"""Straight edges in a picture and the points they run towards.

The arrangement follows the measured rule for street pictures: the vertical vanishing point together with
horizontal ones on the horizon it implies. Nothing assumes that walls meet at right angles, so each
horizontal direction has an azimuth of its own; they share the focal length and the horizon.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from falsework.seeds import generator

__all__ = ["Directions", "Segments", "edge_picture", "line_segments", "search_directions", "vertical_point"]

Array = npt.NDArray[np.float64]

LUMINANCE = np.array([0.2722287168, 0.6740817658, 0.0536895174])  # of ACEScg (AP1), SMPTE/ACES S-2014-004
AIM = np.radians(0.7)  # a segment this far from pointing at a vanishing point still counts about a third


@dataclass(frozen=True)
class Segments:
    """Straight edges.

    middle     (N, 2) pixels from the principal point
    direction  (N, 2) unit
    length     (N,) pixels
    weight     (N,) how much each counts: its length, more inside the facades' quads
    """

    middle: Array
    direction: Array
    length: Array
    weight: Array

    def take(self, chosen: npt.NDArray[np.bool_]) -> Segments:
        return Segments(self.middle[chosen], self.direction[chosen], self.length[chosen], self.weight[chosen])

    def normals(self, focal: float) -> Array:
        """Unit normals (N, 3), camera frame, of the planes through the eye and each segment."""
        half = self.direction * self.length[:, None] / 2
        ends = [np.column_stack([self.middle + s * half, np.full(len(half), focal)]) for s in (-1.0, 1.0)]
        normal = np.cross(ends[0], ends[1])
        return np.asarray(normal / np.linalg.norm(normal, axis=1, keepdims=True))

    def miss(self, point: Array) -> Array:
        """Sine of the angle (..., N) between each segment and the way from its middle to homogeneous
        vanishing points (..., 3) given from the principal point."""
        x = point[..., 0, None] - point[..., 2, None] * self.middle[:, 0]
        y = point[..., 1, None] - point[..., 2, None] * self.middle[:, 1]
        sine = x * self.direction[:, 1] - y * self.direction[:, 0]
        return np.asarray(sine / np.maximum(np.hypot(x, y), 1e-12))


@dataclass(frozen=True)
class Directions:
    """A first idea of the camera: focal length (pixels), up (3,) in the camera's frame, and the azimuths
    (K,) in radians of the horizontal directions seen, strongest first (see `horizontal_basis`)."""

    focal: float
    up: Array
    azimuths: Array
    score: float


def edge_picture(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """An 8-bit display-like grey (H, W) of a linear picture: edges in the shade count like sunlit ones."""
    luminance = picture @ LUMINANCE.astype(np.float32)
    scale = 0.9 / max(float(np.percentile(luminance[::4, ::4], 97)), 1e-6)
    shown = np.clip(luminance * scale, 0.0, 1.0) ** np.float32(1 / 2.2)
    return np.asarray(np.round(shown * 255), dtype=np.uint8)


def line_segments(
    grey: npt.NDArray[np.uint8],
    centre: tuple[float, float],
    *,
    shortest: float,
    heavy: list[Array] | None = None,
) -> Segments:
    """Edges at least `shortest` pixels long (LSD, Grompone von Gioi et al. 2010, as in OpenCV).

    `heavy`: quads (4, 2) in pixels; segments inside one count threefold.
    """
    found = cv2.createLineSegmentDetector().detect(grey)[0]
    lines = np.zeros((0, 4)) if found is None else np.asarray(found, dtype=np.float64).reshape(-1, 4) + 0.5
    start, end = lines[:, :2], lines[:, 2:]
    length = np.hypot(*(end - start).T)
    kept = length >= shortest
    start, end, length = start[kept], end[kept], length[kept]
    middle = (start + end) / 2
    weight = length.copy()
    for quad in heavy or []:
        outline = quad.astype(np.float32).reshape(-1, 1, 2)
        inside = [cv2.pointPolygonTest(outline, (float(x), float(y)), False) >= 0 for x, y in middle]
        weight[np.asarray(inside, dtype=bool)] *= 3.0
    return Segments(middle - np.asarray(centre), (end - start) / length[:, None], length, weight)


def vertical_point(segments: Segments, *, size: float) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The vanishing point (3,) of the verticals, homogeneous from the principal point, pointing up, and which
    segments run towards it. RANSAC over pairs of segments within 35 degrees of the picture's vertical.

    `size`: the picture's longer side in pixels, for conditioning. Raises ValueError with too few segments.
    """
    steep = np.abs(segments.direction[:, 1]) > np.cos(np.radians(35.0))
    if steep.sum() < 8:
        raise ValueError("too few upright edges")
    upright = segments.take(steep)
    line = np.cross(
        np.column_stack([upright.middle / size, np.ones(len(upright.length))]),
        np.column_stack([upright.direction, np.zeros(len(upright.length))]),
    )
    random = generator(0, "plate", "vertical vanishing point")
    chance = upright.weight / upright.weight.sum()
    pairs = random.choice(len(chance), size=(1500, 2), p=chance)
    points = np.cross(line[pairs[:, 0]], line[pairs[:, 1]])
    points = points[np.linalg.norm(points, axis=1) > 1e-9]
    points[:, :2] *= size
    score = np.array(
        [np.sum(upright.weight * np.exp(-((upright.miss(point) / AIM) ** 2))) for point in points]
    )
    best = points[int(np.argmax(score))]
    for _ in range(8):  # iteratively reweighted least squares on the algebraic distance
        aim = upright.miss(best)
        weight = np.sqrt(upright.weight * np.exp(-((aim / AIM) ** 2)))
        _, _, rows = np.linalg.svd(line * weight[:, None], full_matrices=False)
        best = rows[-1] * np.array([size, size, 1.0])
    return best / np.linalg.norm(best), steep & (np.abs(segments.miss(best)) < 2 * AIM)


def up_from_point(point: Array, focal: float) -> Array:
    """Unit up (3,) in the camera's frame, from the vertical vanishing point."""
    up = np.array([point[0], point[1], point[2] * focal])
    up /= np.linalg.norm(up)
    return up if up[1] < 0 else -up


def horizontal_basis(up: Array) -> tuple[Array, Array]:
    """Two horizontal unit vectors in the camera's frame: to the right, and away from the camera."""
    away = np.array([0.0, 0.0, 1.0]) - up[2] * up
    away /= np.linalg.norm(away)
    return np.cross(away, up), away


def search_directions(
    segments: Segments, vertical: Array, focals: Array, *, strongest: int = 4
) -> list[Directions]:
    """The horizontal directions that each trial focal length explains best, in the order of `focals`.

    A segment that is no vertical lies, for a given horizon, along exactly one horizontal direction; walls
    make many of them agree. `score` is the weight of the segments within `AIM` of one of the directions.
    """
    return [_directions_at(segments, vertical, float(focal), strongest) for focal in focals]


def _directions_at(segments: Segments, vertical: Array, focal: float, strongest: int) -> Directions:
    up = up_from_point(vertical, focal)
    right, away = horizontal_basis(up)
    along = np.cross(up, segments.normals(focal))
    sure = np.linalg.norm(along, axis=1)
    azimuth = np.arctan2(along @ away, along @ right) % np.pi
    steps = 720
    votes = np.bincount(
        (azimuth / np.pi * steps).astype(int) % steps, weights=segments.weight * sure, minlength=steps
    )
    kernel = np.exp(-0.5 * (np.arange(-6, 7) / 2.0) ** 2)
    votes = np.convolve(np.concatenate([votes[-6:], votes, votes[:6]]), kernel, mode="valid")
    chosen: list[float] = []
    score = 0.0
    free = np.ones(len(azimuth))
    for _ in range(strongest):
        peak = int(np.argmax(votes))
        trial = (peak + 0.5 + np.linspace(-4, 4, 33)) * np.pi / steps
        ray = np.cos(trial)[:, None] * right + np.sin(trial)[:, None] * away
        hit = np.exp(-((segments.miss(ray * np.array([focal, focal, 1.0])) / AIM) ** 2))
        gain = hit @ (segments.weight * free)
        best = int(np.argmax(gain))
        chosen.append(float(trial[best]))
        score += float(gain[best])
        free *= 1.0 - hit[best]
        votes[np.abs((np.arange(steps) - peak + steps // 2) % steps - steps // 2) < 20] = 0.0
    return Directions(focal, up, np.array(chosen), score)
