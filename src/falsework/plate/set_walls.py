"""The set that a fall reveals, as flat walls: their light and how the camera sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from falsework.plate.camera import Camera
from falsework.plate.plate import Image, Light, SetPlane

__all__ = [
    "HAZE",
    "NEAREST",
    "UP",
    "Layer",
    "Wall",
    "centred",
    "fit",
    "in_sight",
    "plane_matrix",
    "show",
    "sunlit",
]

Array = npt.NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])
NEAREST = 0.5  # metres: what is nearer to the camera's plane is clipped
HAZE = 900.0  # metres over which distance takes on the sky's tone


@dataclass(frozen=True)
class Wall:
    """A wall of the set: its plane's rectangle and its outline (N, 2) in metres (along u, up)."""

    plane: SetPlane
    outline: Array
    seed: tuple[str | int, ...]

    @property
    def along(self) -> Array:
        return np.asarray(self.plane.u / np.linalg.norm(self.plane.u), dtype=np.float64)

    @property
    def normal(self) -> Array:
        return np.asarray(np.cross(self.along, UP), dtype=np.float64)

    def points(self, local: Array) -> Array:
        return np.asarray(self.plane.origin + local[:, :1] * self.along + local[:, 1:] * UP)


@dataclass(frozen=True)
class Layer:
    """A piece of the painted set: colour (h, w, 3) and cover (h, w) in a window (x0, y0, x1, y1)."""

    view: tuple[int, int, int, int]
    colour: Image
    cover: Image


def in_sight(wall: Wall, camera: Camera, view: tuple[int, int, int, int]) -> bool:
    outline = _clip(wall.points(wall.outline), camera)
    if len(outline) < 3:
        return False
    drawn, _ = camera.project(outline)
    return bool(drawn[:, 0].max() > view[0] and drawn[:, 0].min() < view[2])


def show(
    wall: Wall,
    albedo: Image,
    density: float,
    camera: Camera,
    view: tuple[int, int, int, int],
    light: Light,
    haze: Array,
    others: Sequence[Wall] = (),
    *,
    mask: Image | None = None,
    veil: float = 0.0,
) -> list[Layer]:
    """A wall as the camera sees it within a window (x0, y0, x1, y1); nothing where it is out of sight.

    `mask` (rows, columns of the albedo): where the wall is solid. `veil`: the least share of haze.
    """
    outline = _clip(wall.points(wall.outline), camera)
    if len(outline) < 3:
        return []
    drawn, depth = camera.project(outline)
    if not np.isfinite(drawn).all():
        return []
    low, high = np.floor(drawn.min(axis=0)).astype(int), np.ceil(drawn.max(axis=0)).astype(int) + 1
    x0, y0 = max(view[0], int(low[0])), max(view[1], int(low[1]))
    x1, y1 = min(view[2], int(high[0])), min(view[3], int(high[1]))
    if x1 <= x0 or y1 <= y0:
        return []
    size = (x1 - x0, y1 - y0)
    radiance = albedo * _irradiance(wall, albedo.shape[:2], density, light, others) / np.float32(np.pi)
    spread = _density(wall, camera, density)
    if spread > 1.3:  # a texture finer than the picture is softened first, or it would look like grit
        radiance = np.asarray(cv2.GaussianBlur(radiance, (0, 0), 0.4 * (spread - 0.6)), np.float32)
    top = radiance.shape[0] / density
    right, bottom = radiance.shape[1], radiance.shape[0]
    pixels = np.array([[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]])
    local = np.stack([pixels[:, 0] / density, top - pixels[:, 1] / density], axis=1)
    matrix = plane_matrix(wall.plane.origin, wall.along, UP, camera, x0, y0) @ fit(pixels, local)
    colour = cv2.warpPerspective(
        radiance, centred(matrix), size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    cover = _polygon(drawn - [x0, y0], size)
    if mask is not None:
        soft = cv2.GaussianBlur(mask, (0, 0), max(0.4 * (spread - 0.6), 0.3))
        cover = cover * cv2.warpPerspective(soft, centred(matrix), size, flags=cv2.INTER_LINEAR)
    far = np.float32(1.0 - (1.0 - veil) * np.exp(-float(np.median(depth)) / HAZE))
    hazy = colour + (haze.astype(np.float32) - colour) * far
    return [Layer((x0, y0, x1, y1), np.asarray(hazy, np.float32), np.asarray(cover, np.float32))]


def centred(matrix: Array) -> Array:
    """A homography between continuous coordinates as one between OpenCV's pixel centres."""
    half = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    return np.asarray(np.linalg.inv(half) @ matrix @ half, dtype=np.float64)


def plane_matrix(origin: Array, along: Array, up: Array, camera: Camera, x0: int, y0: int) -> Array:
    """Homography from a plane's metres (along, up from its origin) to a window's pixels."""
    intrinsic = np.array(
        [
            [camera.focal, 0.0, camera.centre[0] - x0],
            [0.0, camera.focal, camera.centre[1] - y0],
            [0.0, 0.0, 1.0],
        ]
    )
    axes = np.stack([along, up, origin - camera.position], axis=1)
    return np.asarray(intrinsic @ camera.rotation @ axes, dtype=np.float64)


def fit(pixels: Array, local: Array) -> Array:
    return np.asarray(
        cv2.getPerspectiveTransform(pixels.astype(np.float32), local.astype(np.float32)), dtype=np.float64
    )


def _density(wall: Wall, camera: Camera, density: float) -> float:
    """Texture pixels per picture pixel, about the wall's middle."""
    middle = wall.outline.mean(axis=0)
    probe = middle + np.array([[0.0, 0.0], [0.2, 0.0], [0.0, 0.2]])
    pixels, depth = camera.project(wall.points(probe))
    if (depth <= NEAREST).any():
        return 1.0
    steps = np.linalg.norm(pixels[1:] - pixels[0], axis=1) / 0.2
    return float(density / max(np.sqrt(steps[0] * steps[1]), 1e-3))


def _clip(points: Array, camera: Camera) -> Array:
    """The part of a polygon (N, 3) before the camera."""
    depth = (points - camera.position) @ camera.rotation[2]
    kept = []
    for index in range(len(points)):
        other = (index + 1) % len(points)
        a, b = depth[index] - NEAREST, depth[other] - NEAREST
        if a >= 0:
            kept.append(points[index])
        if a * b < 0:
            kept.append(points[index] + (points[other] - points[index]) * a / (a - b))
    return np.array(kept).reshape(-1, 3)


def _polygon(pixels: Array, size: tuple[int, int]) -> Image:
    """Anti-aliased cover (h, w) of a polygon, from four times the resolution."""
    drawn = np.zeros((size[1] * 4, size[0] * 4), np.uint8)
    shape = np.round(np.clip(pixels, -8000, 16000) * 4 * 16).astype(np.int32)
    cv2.fillPoly(drawn, [shape.reshape(-1, 1, 2)], 255, shift=4)
    return np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255.0)


def _irradiance(
    wall: Wall, shape: tuple[int, int], density: float, light: Light, others: Sequence[Wall]
) -> Image:
    """Light on a wall (rows, columns, 3): sun where nothing outside the picture shades it, sky with the
    ground's and the inner corners' occlusion, bounce near the ground."""
    top = shape[0] / density
    step = 8
    rows = top - (np.arange(0, shape[0] + step, step) / density)
    columns = np.arange(0, shape[1] + step, step) / density
    local = np.stack(np.meshgrid(columns, rows), axis=-1)
    points = wall.plane.origin + local[..., :1] * wall.along + local[..., 1:] * UP
    facing = max(float(wall.normal @ light.sun_direction), 0.0)
    lit = sunlit(points, light, others) if facing > 0.0 else np.zeros(points.shape[:2])
    low = np.clip(local[..., 1] / max(top, 1.0), 0.0, 1.0)
    # between houses the sky's half shrinks towards the ground and towards the back
    open_sky = 0.5 * (0.30 + 0.70 * low**0.8)
    contact = 1.0 - 0.45 * np.exp(-np.maximum(local[..., 1], 0.0) / 0.8)
    energy = (
        facing * lit[..., None] * light.sun
        + (open_sky * contact)[..., None] * light.sky
        + (0.5 * contact * (1.0 - 0.6 * low))[..., None] * light.bounce
    ).astype(np.float32)
    full = cv2.resize(
        energy, (energy.shape[1] * step, energy.shape[0] * step), interpolation=cv2.INTER_LINEAR
    )
    return np.asarray(full[: shape[0], : shape[1]], np.float32)


def sunlit(points: Array, light: Light, casters: Sequence[Wall]) -> Array:
    """Share (...) of the sun at points (..., 3): past what stands outside the picture, past the houses."""
    lit = np.ones(points.shape[:-1])
    if np.any(light.shade):
        distance = points @ light.shade[:3] + light.shade[3]
        lit = np.clip(distance / max(light.shade_softness, 0.05) + 0.5, 0.0, 1.0)
        lit = lit * lit * (3.0 - 2.0 * lit)
    for caster in casters:
        lit = lit * (1.0 - _shadow(caster, points, light.sun_direction))
    return np.asarray(lit)


def _shadow(wall: Wall, points: Array, sun: Array) -> Array:
    """Share (...) of the sun that a wall takes from points (..., 3), with an edge some decimetres wide."""
    against = float(wall.normal @ sun)
    if abs(against) < 1e-6:
        return np.zeros(points.shape[:-1])
    reach = ((wall.plane.origin - points) @ wall.normal) / against
    local = points + reach[..., None] * sun - wall.plane.origin
    along, up = local @ wall.along, local[..., 2]
    limits = np.sort(wall.outline[:, 0])[[0, -1]]
    eaves = np.interp(along, *_skyline(wall.outline))
    inside = np.minimum(np.minimum(along - limits[0], limits[1] - along), eaves - up)
    return np.asarray(np.where(reach > 0.05, np.clip(inside / 0.3 + 0.5, 0.0, 1.0), 0.0))


def _skyline(outline: Array) -> tuple[Array, Array]:
    """The upper edge of an outline, from its lowest to its highest place along the wall."""
    top = outline[outline[:, 1] > 0.0]
    order = np.argsort(top[:, 0], kind="stable")
    return top[order, 0], top[order, 1]
