"""Which pixels are sky, and the sky as it goes on behind what is taken away."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from falsework.plate.camera import Camera
from falsework.plate.plate import Image
from falsework.seeds import generator

__all__ = ["fill_sky", "find_sky"]

Mask = npt.NDArray[np.bool_]
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
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width - 0.5, y / height - 0.5
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    rows, columns = np.nonzero(core)
    stride = max(1, rows.size // 60000)
    rows, columns = rows[::stride], columns[::stride]
    logs = np.log(np.maximum(picture[rows, columns], 1e-4))
    weight = np.ones(rows.size, np.float32)
    design = terms[rows, columns]
    for _ in range(4):  # clouds and wires count little
        root = np.sqrt(weight)[:, None]
        factor = np.linalg.lstsq(design * root, logs * root, rcond=None)[0]
        miss = np.abs(logs - design @ factor).mean(axis=1)
        weight = 1.0 / (1.0 + (miss / max(float(np.median(miss)), 1e-4) / 2.0) ** 2)
    box = cv2.boundingRect(wanted.astype(np.uint8)) if wanted.any() else (0, 0, width, height)
    limit = logs.max(axis=0) + 0.1
    smooth = np.exp(np.minimum(terms @ factor, limit)).astype(np.float32)
    low = cv2.GaussianBlur(picture * core[..., None], (0, 0), 3.0)
    mass = cv2.GaussianBlur(core.astype(np.float32), (0, 0), 3.0)[..., None]
    excess = np.where(core[..., None], low / np.maximum(mass, 1e-4) / smooth - 1.0, 0.0)
    spread = np.zeros_like(picture)
    total = np.full((height, width, 1), 1e-3, np.float32)
    small = cv2.resize(excess, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    small_core = cv2.resize(core.astype(np.float32), (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    for sigma in (1.0, 3.0, 9.0, 27.0):
        share = cv2.GaussianBlur(small_core, (0, 0), sigma)
        value = cv2.GaussianBlur(small, (0, 0), sigma)
        factor_ = np.float32(1.0 / sigma**2)
        spread += factor_ * cv2.resize(value, (width, height), interpolation=cv2.INTER_LINEAR)
        total += factor_ * cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    out = smooth * (1.0 + np.clip(spread / total, -0.5, 1.0))
    out *= 1.0 + _grain(picture, core, box, seed)
    return np.asarray(out, np.float32)


def _grain(picture: Image, core: Mask, box: Sequence[int], seed: int) -> Image:
    """Relative grain (H, W, 3) inside a box (x, y, width, height), from the smoothest tiles of sky."""
    height, width = core.shape
    field = np.zeros_like(picture)
    base = cv2.GaussianBlur(picture, (0, 0), 2.5)
    relative = np.clip(picture / np.maximum(base, 1e-4) - 1.0, -0.2, 0.2)
    found = []
    for top in range(0, height - TILE, TILE // 2):
        for left in range(0, width - TILE, TILE // 2):
            if core[top : top + TILE : 8, left : left + TILE : 8].all():
                tile = relative[top : top + TILE, left : left + TILE]
                found.append((float(tile.std()), top, left))
    if not found:
        return field
    found.sort()
    found = found[len(found) // 5 : max(len(found) // 5 + 1, 3 * len(found) // 5)]
    random = generator(seed, "plate", "sky grain")
    x0, y0, w, h = box
    step = TILE // 2
    fade = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(TILE) + 0.5) / TILE)
    window = np.outer(fade, fade).astype(np.float32)
    power = np.zeros((height, width), np.float32)
    for top in range(y0 - step, y0 + h, step):
        for left in range(x0 - step, x0 + w, step):
            _, ty, tx = found[int(random.integers(len(found)))]
            tile = relative[ty : ty + TILE, tx : tx + TILE]
            a, b, c, d = max(top, 0), max(left, 0), min(top + TILE, height), min(left + TILE, width)
            if a >= c or b >= d:
                continue
            part = np.s_[a - top : c - top, b - left : d - left]
            field[a:c, b:d] += tile[part] * window[part][..., None]
            power[a:c, b:d] += window[part] ** 2
    return np.asarray(field / np.sqrt(np.maximum(power, 1e-3))[..., None], np.float32)
