"""Where fragments grow from: few large grains, many small ones, packed into an element."""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

from falsework.building.polyhedra import Cell, cell_measures, face_measures

__all__ = ["pareto_radii", "scatter"]

Points = npt.NDArray[np.float64]

GRADIENT = 1.1  # grains grow by up to exp(GRADIENT) from the middle of an element to one side of it
TRIES = 24  # places tried for each grain
RANGE = 20.0  # largest grain over smallest
FILLED = 0.62  # share of an element's volume its grains take up before the rest is shared out


def pareto_radii(count: int, exponent: float, rng: np.random.Generator) -> Points:
    """`count` radii, largest first, the number above r falling as r**-exponent over a range of RANGE."""
    u = (np.arange(count) + rng.random(count)) / count
    radii = (1.0 - u * (1.0 - RANGE**-exponent)) ** (-1.0 / exponent)
    return np.sort(radii)[::-1]


@nb.njit(cache=True)
def _pack(candidates, radii, middle, normal, half, flatten, gradient):  # type: ignore[no-untyped-def]
    count = len(radii)
    seeds = np.empty((count, 3))
    size = radii.copy()
    for i in range(count):
        best = -1e30
        scale = 1.0
        for t in range(candidates.shape[1]):
            point = candidates[i, t].copy()
            if radii[i] > half:
                # a grain wider than the element is thick sits near its middle: its sides stand nearly square
                height = np.dot(point - middle, normal)
                point -= (1.0 - flatten) * height * normal
            coarse = np.exp(np.dot(gradient, point - middle))
            room = 1e30
            for j in range(i):
                distance = np.sqrt(((point - seeds[j]) ** 2).sum())
                room = min(room, distance - size[j])
            room /= coarse
            if room > best:
                best = room
                scale = coarse
                seeds[i] = point
            if best >= 0.85 * radii[i]:
                break
        size[i] = scale * min(radii[i], max(best, 0.35 * radii[i]))
    return seeds, size


def _broadest(body: Cell) -> float:
    return float(face_measures(body.points, body.loop, body.start)[0].max())


def scatter(
    body: Cell,
    count: int,
    metric: Points,
    exponent: float,
    rng: np.random.Generator,
    *,
    flatten: float = 0.3,
    largest: float = np.inf,
) -> tuple[Points, Points]:
    """Seeds (count, 3) in the metric's space and their weights (count,), for `power_cell`.

    Grains with power-law radii are thrown into the body, largest first, each where there is room: large
    pieces keep their size, small ones gather in the gaps between them and towards one side of the body, as
    in masonry that is crushed at one place and cracked at another. No grain's radius is over `largest`,
    metres; but where there are too few grains for that, a third of them are as large as it, not all.
    """
    points = body.points @ metric.T
    area, centre, normal = face_measures(points, body.loop, body.start)
    volume, middle = cell_measures(points, body.loop, body.start)
    flip = 1.0 if volume > 0 else -1.0
    volume = abs(volume)
    broad = int(np.argmax(area))
    heights = (points - middle) @ normal[broad]
    thickness = float(np.ptp(heights))
    radii = pareto_radii(count, exponent, rng)
    # the metric stretches lengths within the body's broad side
    limit = largest * float(np.sqrt(area.max() / _broadest(body))) if np.isfinite(largest) else np.inf
    low, high = 1e-3, min(1e2, limit / radii[count // 3])
    for _ in range(40):  # the scale at which the grains fill their share
        scale = np.sqrt(low * high)
        r = np.minimum(radii * scale, limit)
        filled = np.where(r > thickness / 2, np.pi * r * r * thickness, 4.19 * r**3).sum()
        low, high = (scale, high) if filled < FILLED * volume else (low, scale)
    radii = np.minimum(radii * np.sqrt(low * high), limit)
    corner, extent = points.min(axis=0), np.ptp(points, axis=0)
    need = count * TRIES
    pool = np.empty((0, 3))
    keep = area > 1e-9
    while len(pool) < need:
        draw = corner + extent * rng.random((2 * need + 32, 3))
        inside = (flip * np.einsum("pfk,fk->pf", draw[:, None] - centre[keep], normal[keep]) <= 0).all(axis=1)
        pool = np.concatenate([pool, draw[inside]])
    candidates = pool[:need].reshape(count, TRIES, 3)
    gradient = rng.standard_normal(3)
    gradient *= (
        rng.uniform(0.3, 1.0) * GRADIENT / max(float(np.abs((points - middle) @ gradient).max()), 1e-9)
    )
    seeds, size = _pack(candidates, radii, middle, normal[broad], thickness / 2, flatten, gradient)
    return seeds, size * size
