"""Which pixels are sky, and the sky as it goes on behind what is taken away."""

from __future__ import annotations

import math

import cv2
import numba
import numpy as np
import numpy.typing as npt

from falsework.plate.blurring import wide_blur
from falsework.plate.camera import Camera
from falsework.plate.plate import Image
from falsework.seeds import generator

__all__ = ["fill_sky", "find_sky"]

Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[np.float64]
TILE = 48  # pixels: the sky's grain is laid in tiles of this size


def find_sky(picture: Image, camera: Camera, blocked: Mask | None = None) -> Mask:
    """Pixels (H, W) of open sky: above the horizon, bluish or bright, smooth, and joined to the top.

    `blocked` (H, W) marks what is surely none.
    """
    height, width = picture.shape[:2]
    tone = np.sqrt(np.maximum(picture, 0.0))
    blurred = np.asarray(cv2.GaussianBlur(tone, (0, 0), 1.2), np.float32)
    grey = cv2.transform(blurred, np.full((1, 3), 1.0 / 3.0, np.float32))
    gradient = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    x = ((np.arange(width, dtype=np.float32) + 0.5 - camera.centre[0]) / camera.focal)[None, :]
    y = ((np.arange(height, dtype=np.float32) + 0.5 - camera.centre[1]) / camera.focal)[:, None]
    rise = x * camera.rotation[0, 2] + y * camera.rotation[1, 2] + camera.rotation[2, 2]
    above = rise > 0.02 * np.sqrt(x * x + y * y + 1.0)
    step = max(1, width // 1500)  # enough of the picture to say how bright it is
    upper = tone[::step, ::step][above[::step, ::step]]
    bright = float(np.percentile(upper.mean(axis=1), 60)) if upper.size else 1.0
    top = float(np.percentile(upper, 97)) if upper.size else 1.0
    blue = (blurred[..., 2] > 1.04 * blurred[..., 0]) & (grey > 0.5 * bright)
    white = (blurred[..., 0] > 0.95 * top) & (blurred[..., 1] > 0.95 * top) & (blurred[..., 2] > 0.95 * top)
    likely = (blue | white) & above & (gradient < 0.12)
    if blocked is not None:
        likely &= ~blocked
    count, labels, stats, _ = cv2.connectedComponentsWithStats(likely.astype(np.uint8), connectivity=4)
    keep = np.zeros(count, bool)
    for label in range(1, count):
        big = stats[label, cv2.CC_STAT_AREA] > 2e-3 * height * width
        keep[label] = big and stats[label, cv2.CC_STAT_TOP] < 0.25 * height
    sky = keep[labels]
    # the rim of a blurred edge is still sky down to half way
    grown = cv2.dilate(sky.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    result: Mask = sky | (grown & blue & above)
    return result


def fill_sky(picture: Image, sky: Mask, wanted: Mask, *, seed: int = 0) -> Image:
    """A whole picture (H, W, 3) of sky that joins the real one without a seam where `wanted` (H, W).

    A quadratic of the logarithm follows the gradient; what it misses near the border (haze, clouds) is
    carried inwards by widening averages; the grain is the sky's own, laid in shuffled tiles.
    """
    height, width = picture.shape[:2]
    core = cv2.erode(sky.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=1) > 0
    if np.count_nonzero(core) < 500:
        core = sky
    if np.count_nonzero(core) < 50:
        return np.full_like(picture, 0.5)
    rows, columns = np.nonzero(core)
    stride = max(1, rows.size // 60000)
    rows, columns = rows[::stride], columns[::stride]
    logs = np.log(np.maximum(picture[rows, columns], 1e-4))
    weight = np.ones(rows.size, np.float32)
    design = _terms((columns + 0.5) / width, (rows + 0.5) / height)
    for _ in range(4):  # clouds and wires count little
        root = np.sqrt(weight)[:, None]
        factor = np.linalg.lstsq(design * root, logs * root, rcond=None)[0]
        miss = np.abs(logs - design @ factor).mean(axis=1)
        weight = 1.0 / (1.0 + (miss / max(float(np.median(miss)), 1e-4) / 2.0) ** 2)
    box = cv2.boundingRect(wanted.astype(np.uint8)) if wanted.any() else (0, 0, width, height)
    limit = logs.max(axis=0) + 0.1
    # all but the grain is smooth: a quarter of the size says it
    size = (max(width // 4, 1), max(height // 4, 1))
    across = (np.arange(size[0]) + 0.5) / size[0]
    down = (np.arange(size[1])[:, None] + 0.5) / size[1]
    smooth = np.exp(np.minimum(_terms(across, down) @ factor, limit)).astype(np.float32)
    mass = np.asarray(cv2.resize(core.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)
    low = cv2.resize(picture * core[..., None], size, interpolation=cv2.INTER_AREA)
    near = (
        cv2.GaussianBlur(low, (0, 0), 0.75)
        / np.maximum(cv2.GaussianBlur(mass, (0, 0), 0.75), 1e-4)[..., None]
    )
    excess = np.asarray(mass[..., None] * (near / smooth - 1.0), np.float32)
    spread = np.zeros_like(smooth)
    total = np.full(mass.shape, 1e-4, np.float32)
    scale = max(size[0] / 480, 1.0)  # a quarter of 1920
    for sigma in (1.0, 3.0, 9.0, 27.0, 81.0):
        spread += np.float32(1.0 / sigma**2) * wide_blur(excess, sigma * scale)
        total += np.float32(1.0 / sigma**2) * wide_blur(mass, sigma * scale)
    smooth *= 1.0 + np.clip(spread / total[..., None], -0.5, 1.0)
    out = np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    x0, y0, wide, high = box
    out[y0 : y0 + high, x0 : x0 + wide] *= 1.0 + _grain(picture, core, high, wide, seed)
    return out


def _terms(x: Array, y: Array) -> Image:
    """A quadratic's terms (..., 6) at places of the picture, 0 to 1."""
    x, y = np.broadcast_arrays(x - 0.5, y - 0.5)
    return np.asarray(np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1), np.float32)


def _grain(picture: Image, core: Mask, high: int, wide: int, seed: int) -> Image:
    """Relative grain (high, wide, 3), from the smoothest tiles of the sky `core` (H, W)."""
    left, top, width, height = cv2.boundingRect(core.astype(np.uint8))
    sky = np.s_[top : top + height, left : left + width]
    picture, core = picture[sky], core[sky]
    base = cv2.GaussianBlur(picture, (0, 0), 2.5)
    relative = np.clip(picture / np.maximum(base, 1e-4) - 1.0, -0.2, 0.2).astype(np.float32)
    found = []
    for row in range(0, height - TILE, TILE // 2):
        for column in range(0, width - TILE, TILE // 2):
            if core[row : row + TILE : 8, column : column + TILE : 8].all():
                tile = relative[row : row + TILE, column : column + TILE]
                found.append((float(tile.std()), row, column))
    if not found:
        return np.zeros((high, wide, 3), np.float32)
    found.sort()
    found = found[len(found) // 5 : max(len(found) // 5 + 1, 3 * len(found) // 5)]
    random = generator(seed, "plate", "sky grain")
    step = TILE // 2
    chosen = random.integers(len(found), size=(-(-(high + step) // step), -(-(wide + step) // step)))
    places = np.array([place for _, *place in found])[chosen]
    fade = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(TILE) + 0.5) / TILE)
    return np.asarray(_lay(relative, places, np.outer(fade, fade).astype(np.float32), high, wide), np.float32)


@numba.njit(cache=True, nogil=True)
def _lay(picture, places, window, height, width):  # type: ignore[no-untyped-def]
    """Tiles of a picture, from places (rows, columns, 2), laid half over one another and faded by a window
    (TILE, TILE) into one another so that their deviation stays."""
    step = TILE // 2
    out = np.zeros((height, width, 3), np.float32)
    for y in range(height):
        for x in range(width):
            power = 0.0
            for down in range(2):
                for across in range(2):
                    row, column = y // step + down, x // step + across
                    ty, tx = y - (row - 1) * step, x - (column - 1) * step
                    share = window[ty, tx]
                    power += share * share
                    sy, sx = places[row, column, 0] + ty, places[row, column, 1] + tx
                    for channel in range(3):
                        out[y, x, channel] += share * picture[sy, sx, channel]
            scale = 1.0 / math.sqrt(max(power, 1e-3))
            for channel in range(3):
                out[y, x, channel] *= scale
    return out
