"""Cables and poles: a rough polyline becomes a soft, sub-pixel opacity."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d, map_coordinates
from scipy.spatial import cKDTree

from falsework.plate.interpolation import bridge
from falsework.plate.plate import Image

__all__ = ["follow_ridge", "line_opacity"]

Array = npt.NDArray[np.float64]

THIN = 9.0  # pixels: up to here the opacity is measured across the line, above it is drawn
STEP = 0.25  # pixels between the positions tried across a line
SKIRT = 0.012  # opacity of a line's faint rim, so that its blur and ringing are not left on the wall
STIFFNESS = 0.06  # cost of one step sideways for each pixel along, in units of the line's contrast


def line_opacity(picture: Image, points: Array, width: float) -> Image:
    """Opacity (H, W) of a line through points (N, 2) in pixels, `width` pixels wide, soft at its edges.

    A thin line is moved onto the dark (or bright) ridge within reach of the drawn one, and its opacity
    across is measured from the picture: what it covers is interpolated from both its sides.
    """
    luminance = np.sqrt(np.maximum(picture.mean(axis=2, dtype=np.float32), 0.0))
    path = resample(points)
    path = follow_ridge(luminance, path, width)
    tangent = np.gradient(path, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    reach = 0.5 * width + 2.5
    height, across = luminance.shape
    band = np.zeros((height, across), np.uint8)
    cv2.polylines(
        band, [np.round(path).astype(np.int32).reshape(-1, 1, 2)], False, 1, int(2 * np.ceil(reach) + 3)
    )
    rows, columns = np.nonzero(band)
    opacity = np.zeros((height, across), np.float32)
    if not rows.size:
        return opacity
    centres = np.stack([columns + 0.5, rows + 0.5], axis=1)
    _, nearest = cKDTree(path).query(centres)
    away = centres - path[nearest]
    distance = (away * normal[nearest]).sum(axis=1)
    beyond = np.abs((away * tangent[nearest]).sum(axis=1)) > 1.5  # past the line's ends
    if width <= THIN:
        offsets, profile = _profile(luminance, path, normal, width, reach)
        column = np.clip((distance - offsets[0]) / STEP, 0, len(offsets) - 1)
        low = np.minimum(column.astype(int), len(offsets) - 2)
        share = column - low
        value = profile[nearest, low] * (1 - share) + profile[nearest, low + 1] * share
    else:
        value = np.clip(0.5 * width + 0.5 - np.abs(distance), 0.0, 1.0)
    outside = beyond | (np.abs(distance) > reach - 0.5)
    opacity[rows, columns] = np.where(outside, 0.0, np.maximum(value, SKIRT))
    return _against(picture, opacity) if width <= THIN else opacity


def _against(picture: Image, opacity: Image) -> Image:
    """A thin line's opacity made to agree with the picture where what it hides is clearly brighter.

    With the hidden picture B bridged from both sides, P = a F + (1 - a) B gives a for the line's own dark
    colour F; and a is never so small that the line's own light P - (1 - a) B would be negative.
    """
    rows, columns = np.nonzero(opacity > 0.0)
    if not rows.size:
        return opacity
    window = np.s_[
        max(rows.min() - 30, 0) : rows.max() + 31,
        max(columns.min() - 30, 0) : columns.max() + 31,
    ]
    seen, drawn = picture[window], opacity[window]
    behind = bridge(seen, drawn > 0.0)
    core = drawn > 0.6 * float(drawn.max())
    own = np.percentile(seen[core], 15, axis=0) if core.any() else np.zeros(3)
    level, dark = behind.mean(axis=2), float(own.mean())
    measured = np.clip((level - seen.mean(axis=2)) / np.maximum(level - dark, 1e-3), 0.0, 1.0)
    trust = np.clip((level - dark) / 0.25, 0.0, 1.0) * (drawn > 0.06)
    agreed = drawn + trust * (measured - drawn)
    least = 1.0 - (seen / np.maximum(behind, 1e-4)).min(axis=2)
    agreed = np.where(drawn > 2 * SKIRT, np.maximum(agreed, np.clip(least, 0.0, 1.0)), agreed)
    out = opacity.copy()
    out[window] = np.where(drawn > 0.0, np.clip(agreed, SKIRT, 1.0), 0.0)
    return out


def resample(points: Array) -> Array:
    """A polyline (N, 2) at steps of one pixel."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.linspace(0.0, lengths[-1], max(4, int(np.ceil(lengths[-1])) + 1))
    return np.stack([np.interp(at, lengths, points[:, axis]) for axis in range(2)], axis=1)


def follow_ridge(luminance: Image, path: Array, width: float) -> Array:
    """The path (N, 2) moved sideways onto the strongest ridge nearby, by dynamic programming."""
    search = min(max(2.5, 1.2 * width), 6.0)
    offsets = np.arange(-search, search + STEP / 2, STEP)
    tangent = gaussian_filter1d(np.gradient(path, axis=0), 4.0, axis=0, mode="nearest")
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    side = 0.5 * width + 1.5

    def at(shift: Array) -> Array:
        where = path[:, None] + normal[:, None] * shift[None, :, None]
        return np.asarray(
            map_coordinates(luminance, [where[..., 1] - 0.5, where[..., 0] - 0.5], order=1, mode="nearest"),
            dtype=np.float64,
        )

    middle = sum(at(offsets + part * width) for part in (-0.25, 0.0, 0.25)) / 3.0
    response = middle - np.minimum(at(offsets - side), at(offsets + side))
    response = gaussian_filter1d(response, 3.0, axis=0, mode="nearest")
    if width > THIN:  # a pole may be brighter or darker than what it hides: follow both its edges
        edge = np.abs(at(offsets - width / 2 - 1) - at(offsets - width / 2 + 1))
        response = -edge - np.abs(at(offsets + width / 2 - 1) - at(offsets + width / 2 + 1))
        response = gaussian_filter1d(response, 3.0, axis=0, mode="nearest")
    contrast = max(float(np.percentile(-response, 90)), 1e-4)
    data = response / contrast + 0.15 * (offsets / search) ** 2
    count, choices = data.shape
    cost = data[0].copy()
    came = np.zeros((count, choices), np.int32)
    for row in range(1, count):
        moved = np.stack(
            [
                np.concatenate([[np.inf], cost[:-1]]) + STIFFNESS,
                cost,
                np.concatenate([cost[1:], [np.inf]]) + STIFFNESS,
            ]
        )
        came[row] = moved.argmin(axis=0) - 1
        cost = moved.min(axis=0) + data[row]
    chosen = np.empty(count, np.int32)
    chosen[-1] = int(cost.argmin())
    for row in range(count - 1, 0, -1):
        chosen[row - 1] = chosen[row] + came[row, chosen[row]]
    shift = gaussian_filter1d(offsets[chosen], 4.0, mode="nearest")
    return np.asarray(path + normal * shift[:, None])


def _profile(luminance: Image, path: Array, normal: Array, width: float, reach: float) -> tuple[Array, Array]:
    """Opacity across a thin line: offsets (M,) and values (N, M), smoothed along the line."""
    offsets = np.arange(-reach, reach + STEP / 2, STEP)

    def at(shift: Array) -> Array:
        where = path[:, None] + normal[:, None] * shift[None, :, None]
        return (
            np.asarray(
                map_coordinates(
                    luminance, [where[..., 1] - 0.5, where[..., 0] - 0.5], order=1, mode="nearest"
                ),
                dtype=np.float64,
            )
            ** 2
        )

    seen = at(offsets)
    sides = np.array([0.0, 0.75, 1.5]) + reach
    low, high = at(-sides).mean(axis=1), at(sides).mean(axis=1)
    share = (offsets + reach) / (2 * reach)
    behind = low[:, None] * (1 - share) + high[:, None] * share
    middle = np.abs(offsets) <= max(0.5, 0.25 * width)
    own = float(np.percentile(seen[:, middle].min(axis=1), 10))
    contrast = behind - own
    trusted = np.maximum(contrast, 0.0) / max(float(np.percentile(np.abs(contrast), 75)), 1e-6)
    weight = np.clip(trusted, 0.02, 1.0)
    measured = np.clip((behind - seen) / np.where(np.abs(contrast) < 1e-5, 1e-5, contrast), 0.0, 1.0)
    along = min(40.0, len(path) / 6)
    total = gaussian_filter1d(weight, along, axis=0, mode="nearest")
    profile = gaussian_filter1d(weight * measured, along, axis=0, mode="nearest") / total
    profile = np.clip((profile - 0.06) / 0.90, 0.0, 1.0)
    # a cable fades away from its axis: what rises again further out belongs to the wall
    centre = len(offsets) // 2
    profile[:, centre:] = np.minimum.accumulate(profile[:, centre:], axis=1)
    profile[:, : centre + 1] = np.minimum.accumulate(profile[:, centre::-1], axis=1)[:, ::-1]
    edge = np.clip((reach - np.abs(offsets)) / 1.0, 0.0, 1.0)
    return offsets, profile * edge
