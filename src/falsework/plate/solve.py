"""The camera of one picture, from its straight edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from falsework.errors import FalseworkError
from falsework.plate.camera import Camera
from falsework.plate.vanishing import (
    AIM,
    Directions,
    Segments,
    edge_picture,
    horizontal_basis,
    line_segments,
    search_directions,
    vertical_point,
)

__all__ = ["Solve", "solve_camera"]

Array = npt.NDArray[np.float64]

FOCALS = np.geomspace(0.35, 4.0, 100)  # trial focal lengths over the picture's width: 13 to 144 mm equivalent
EXPECTED_SPREAD = 0.04  # of the log of EXIF's focal length: rounding, cropping, breathing
SURE_SPREAD = 0.05  # a focal length less certain than this has not been found


@dataclass(frozen=True)
class Solve:
    """A solved camera and how it was found.

    camera         at the world's origin, 1 m above the ground until the facades give the scale
    azimuths       (K,) horizontal directions of the edges, radians from +X towards +Y, strongest first
    focal_spread   standard deviation of the focal length over itself, from the edges' scatter
    uprights, levels   numbers of edges along the vertical, along the horizontals
    """

    camera: Camera
    azimuths: Array
    focal_spread: float
    uprights: int
    levels: int

    @property
    def pitch(self) -> float:
        """Radians the camera looks up."""
        return float(np.arcsin(self.camera.rotation[2, 2]))

    @property
    def roll(self) -> float:
        """Radians the picture's up leans to the right of the world's up, as seen."""
        return float(np.arctan2(self.camera.rotation[0, 2], -self.camera.rotation[1, 2]))


def solve_camera(
    picture: npt.NDArray[np.float32],
    *,
    quads: list[Array] | None = None,
    centre: tuple[float, float] | None = None,
    focal: float | None = None,
    expected_focal: float | None = None,
    where: str = "[plate]",
) -> Solve:
    """Focal length, pitch and roll of a pinhole picture (H, W, 3), linear ACEScg.

    quads           facades' corners (4, 2) in pixels, top-left first, clockwise: their own edges and the
                    edges inside them count more
    centre          principal point, the picture's middle when not given
    focal           known focal length in pixels: only the tilt is solved
    expected_focal  what EXIF says, in pixels: a hint the edges may overrule

    Raises FalseworkError where the edges do not settle the camera. Method: vertical vanishing point by
    RANSAC, a search over focal lengths for the horizon on which most other edges agree, then robust least
    squares over all of it (Kosecka and Zhang 2002 in spirit, without their right angles).
    """
    height, width = picture.shape[:2]
    middle = centre or (width / 2, height / 2)
    segments = line_segments(edge_picture(picture), middle, shortest=0.012 * max(width, height), heavy=quads)
    segments = _with_quads(segments, quads or [], middle)
    try:
        vertical, upright = vertical_point(segments, size=float(max(width, height)))
    except ValueError as error:
        raise _unsolved(f"the camera could not be solved: {error} in the picture", where) from error
    others = segments.take(~upright)
    if len(others.length) < 12:
        raise _unsolved("the camera could not be solved: too few straight edges besides upright ones", where)
    trials = FOCALS * width if focal is None else np.array([focal])
    found = search_directions(others, vertical, trials)
    score = np.array([directions.score for directions in found])
    if expected_focal is not None:
        score *= np.exp(-0.5 * (np.log(trials / expected_focal) / (2 * EXPECTED_SPREAD)) ** 2)
    first = found[int(np.argmax(score))]
    return _refined(segments, first, focal, expected_focal, (width, height), middle, where)


def _with_quads(segments: Segments, quads: list[Array], middle: tuple[float, float]) -> Segments:
    """The quads' own four sides as edges, drawn by a person: long, and counted for half their length each
    so that a hasty corner cannot outweigh a hundred window frames."""
    if not quads:
        return segments
    start = np.concatenate(quads)
    end = np.concatenate([np.roll(quad, -1, axis=0) for quad in quads])
    length = np.hypot(*(end - start).T)
    return Segments(
        np.concatenate([segments.middle, (start + end) / 2 - np.asarray(middle)]),
        np.concatenate([segments.direction, (end - start) / length[:, None]]),
        np.concatenate([segments.length, length]),
        np.concatenate([segments.weight, length / 2]),
    )


def _refined(
    segments: Segments,
    first: Directions,
    focal: float | None,
    expected: float | None,
    size: tuple[int, int],
    middle: tuple[float, float],
    where: str,
) -> Solve:
    """Robust least squares over log focal length, the up vector's two tangents and the azimuths."""
    right, away = horizontal_basis(first.up)
    free_focal = focal is None

    def points(x: Array) -> tuple[float, Array, Array]:
        length = float(np.exp(x[0])) if free_focal else float(first.focal)
        up = first.up + x[1] * right + x[2] * away
        up /= np.linalg.norm(up)
        side, depth = horizontal_basis(up)
        rays = np.cos(x[3:])[:, None] * side + np.sin(x[3:])[:, None] * depth
        return length, up, np.vstack([up, rays]) * np.array([length, length, 1.0])

    x = np.concatenate([[np.log(first.focal), 0.0, 0.0], first.azimuths])
    limit = 3.0 * AIM
    chosen = np.zeros(0, dtype=int)
    label = np.zeros(0, dtype=int)
    result = None
    for _ in range(4):
        miss = np.abs(segments.miss(points(x)[2]))
        label = np.argmin(miss, axis=0)
        chosen = np.flatnonzero(miss[label, np.arange(len(label))] < limit)
        kept, kind = segments.take(_mask(chosen, len(label))), label[chosen]
        strength = np.sqrt(kept.weight / kept.weight.mean())

        def residual(
            x: Array, kept: Segments = kept, kind: Array = kind, strength: Array = strength
        ) -> Array:
            aim = kept.miss(points(x)[2])[kind, np.arange(len(kind))] / AIM * strength
            hint = 0.0 if expected is None else (x[0] - np.log(expected)) / EXPECTED_SPREAD
            # The hint counts like a handful of edges; the last terms only keep unseen azimuths in place.
            still = 1e-3 * (x[3:] - first.azimuths)
            return np.concatenate([aim, [3.0 * hint if free_focal else x[0] - np.log(first.focal)], still])

        result = least_squares(residual, x, loss="cauchy", f_scale=0.35, x_scale="jac", max_nfev=60)
        x = result.x
        limit = 1.5 * AIM
    assert result is not None
    length, up, _ = points(x)
    uprights, levels = int(np.sum(label[chosen] == 0)), int(np.sum(label[chosen] > 0))
    spread = _spread(result.jac, result.fun) if free_focal else 0.0
    camera = _camera(length, up, size, middle)
    bad = not np.isfinite(length) or not (0.3 < length / size[0] < 5.0 or not free_focal)
    if not free_focal and (bad or uprights < 8 or levels < 8):
        raise FalseworkError(
            f"the camera could not be solved: only {uprights} upright and {levels} level edges fit the focal "
            f"length given ({36 * length / size[0]:.0f} mm)",
            where=f"{where} focal_35mm",
            todo="Correct it (36 mm across the file's width), or the facade corners.",
        )
    if bad or uprights < 8 or levels < 8 or spread > SURE_SPREAD:
        raise _unsolved(
            f"the camera could not be solved: {uprights} upright and {levels} level edges leave the focal "
            f"length open (about {36 * length / size[0]:.0f} mm, give or take {100 * spread:.0f} %)",
            where,
        )
    order = np.argsort(-np.bincount(label[chosen], weights=segments.weight[chosen], minlength=len(x) - 2)[1:])
    return Solve(camera, x[3:][order], spread, uprights, levels)


def _mask(chosen: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros(count, dtype=bool)
    mask[chosen] = True
    return mask


def _spread(jacobian: Array, residual: Array) -> float:
    """Standard deviation of the first unknown, from the scatter of the edges.

    Edges of one wall err together (a dozen segments of one cornice are one observation), which the factor
    stands for.
    """
    together = 12.0
    variance = np.linalg.pinv(jacobian.T @ jacobian)[0, 0]
    scatter = float(np.median(np.abs(residual)) / 0.6745) ** 2
    return float(np.sqrt(max(variance, 0.0) * scatter * together))


def _camera(focal: float, up: Array, size: tuple[int, int], middle: tuple[float, float]) -> Camera:
    right, away = horizontal_basis(up)
    return Camera(
        width=size[0],
        height=size[1],
        focal=focal,
        centre=(float(middle[0]), float(middle[1])),
        rotation=np.column_stack([right, away, up]),
        position=np.array([0.0, 0.0, 1.0]),
    )


def _unsolved(what: str, where: str) -> FalseworkError:
    return FalseworkError(
        what,
        where=where,
        todo="Give the focal length as focal_35mm (36 mm across the file's width), or facade corners that "
        "follow straight cornices and walls.",
    )
