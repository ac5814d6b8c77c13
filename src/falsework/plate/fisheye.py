"""The scale of a fisheye lens from the picture's own straight edges.

Wide lenses of action cameras are close to equidistant: a ray at angle t to the axis lands at focal * t. With
the right focal length upright edges meet in one vanishing point and level ones agree on few directions; with
a wrong one they stay bent and scatter. One number is thus found from a thousand edges (the plumb-line idea
of Brown 1971, with directions in the place of single lines).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from falsework.plate.lens import Lens
from falsework.plate.vanishing import (
    AIM,
    Directions,
    Segments,
    horizontal_basis,
    line_segments,
    search_directions,
    vertical_point,
)

__all__ = ["fisheye_focal"]

Array = npt.NDArray[np.float64]

TRIALS = np.geomspace(0.7, 1.6, 15)  # over the expected focal length


def fisheye_focal(
    grey: npt.NDArray[np.uint8], expected: float, coefficients: tuple[float, ...] = ()
) -> tuple[float, float]:
    """Focal length in pixels of a fisheye picture (h, w), axis in its middle, and its relative spread.

    expected      a first idea in pixels, right within about a third
    coefficients  Kannala-Brandt k1..k4 where they are known; none: equidistant
    """
    height, width = grey.shape
    bent = line_segments(grey, (width / 2, height / 2), shortest=0.008 * width)
    if len(bent.length) < 60:
        raise ValueError("too few straight edges")
    half = bent.direction * bent.length[:, None] / 2
    ends = np.stack([bent.middle - half, bent.middle + half]) + np.array([width / 2, height / 2])

    def straight(focal: float) -> Segments:
        lens = Lens("fisheye", coefficients, focal, (width / 2, height / 2), width, height)
        start, end = lens.undistort(ends) * focal
        step = end - start
        length = np.hypot(*step.T)
        return Segments((start + end) / 2, step / length[:, None], length, bent.length)

    best: tuple[float, Directions] | None = None
    for focal in TRIALS * expected:
        segments = straight(float(focal))
        point, upright = vertical_point(segments, size=float(width))
        found = search_directions(segments.take(~upright), point, np.array([focal]))[0]
        score = found.score + float(segments.weight[upright].sum())
        if best is None or score > best[0]:
            best = (score, found)
    assert best is not None
    return _refined(straight, best[1])


def _refined(straight: Callable[[float], Segments], first: Directions) -> tuple[float, float]:
    """Robust least squares over the focal length, the up vector and the azimuths."""
    right, away = horizontal_basis(first.up)

    def points(x: Array) -> Array:
        focal = first.focal * float(np.exp(x[0]))
        up = first.up + x[1] * right + x[2] * away
        side, depth = horizontal_basis(up / np.linalg.norm(up))
        rays = np.cos(x[3:])[:, None] * side + np.sin(x[3:])[:, None] * depth
        return np.asarray(np.vstack([up / np.linalg.norm(up), rays]) * np.array([focal, focal, 1.0]))

    x = np.concatenate([np.zeros(3), first.azimuths])
    spread = np.inf
    for limit in (3.0, 3.0, 2.0, 2.0):
        segments = straight(first.focal * float(np.exp(x[0])))
        miss = np.abs(segments.miss(points(x)))
        label = np.argmin(miss, axis=0)
        chosen = miss.min(axis=0) < limit * AIM
        columns = np.arange(int(chosen.sum()))
        strength = np.sqrt(segments.weight[chosen] / segments.weight[chosen].mean())

        def residual(
            x: Array,
            chosen: npt.NDArray[np.bool_] = chosen,
            kind: npt.NDArray[np.int64] = label[chosen],
            columns: npt.NDArray[np.int64] = columns,
            strength: Array = strength,
        ) -> Array:
            kept = straight(first.focal * float(np.exp(x[0]))).take(chosen)
            aim = kept.miss(points(x))[kind, columns] / AIM * strength
            return np.concatenate([aim, 1e-3 * (x[3:] - first.azimuths)])

        result = least_squares(residual, x, loss="cauchy", f_scale=0.35, x_scale="jac", max_nfev=25)
        x = result.x
        variance = float(np.linalg.pinv(result.jac.T @ result.jac)[0, 0])
        spread = float(np.sqrt(max(variance, 0.0) * 12.0) * np.median(np.abs(result.fun)) / 0.6745)
    return first.focal * float(np.exp(x[0])), spread
