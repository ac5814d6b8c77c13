"""Which moments of a fall, and which parts of the picture, a data set learns most from."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from falsework.collapse.motion import Motion
from falsework.seeds import generator

__all__ = ["choose_crops", "choose_frames"]

Crop = tuple[int, int, int, int]

GRID = 8  # pixels between the places a crop may begin at
BEGUN = 0.03  # share of the pieces that have moved when there is something to see


def choose_frames(motion: Motion, moments: int, seed: int) -> tuple[int, ...]:
    """Frames (from 0), one out of each of `moments` equal parts of the fall; none where nothing falls."""
    moved = motion.moved.mean(axis=1)
    if moved[-1] < BEGUN:
        return ()
    first, last = int(np.argmax(moved >= BEGUN)), motion.frames - 2
    random = generator(seed, "moments")
    share = (np.arange(moments) + random.random(moments)) / moments
    # Later frames have more dust in them and more that has turned.
    frames = np.floor(first + share**0.8 * (last - first + 1)).astype(int)
    return tuple(sorted({int(frame) for frame in np.clip(frames, 0, last)}))


def choose_crops(
    told: dict[str, npt.NDArray[Any]], edge: int, count: int, seed: int, frame: int
) -> list[Crop]:
    """Squares (x0, y0, x1, y1) with much in them: what moves, its broken insides, dust that something is seen
    through; the next where the last has not looked."""
    kind = told["kind"]
    through = told["dust_through"].astype(np.float32)
    edges = cv2.morphologyEx(kind, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    # Behind dust that nothing is seen through there is nothing to learn.
    surfaces = (0.5 * (kind == 3) + 1.0 * (kind >= 4) + 0.6 * edges) * (0.1 + 0.9 * through)
    worth = (surfaces + 1.6 * (1 - through) * (0.2 + through) + 0.02).astype(np.float32)
    random = generator(seed, "crops", frame)
    height, width = kind.shape
    rows, columns = (np.unique(np.append(np.arange(0, n - edge, GRID), n - edge)) for n in (height, width))
    chosen: list[Crop] = []
    for _ in range(count):
        total = cv2.integral(worth)
        y, x = np.meshgrid(rows, columns, indexing="ij")
        score = total[y + edge, x + edge] - total[y, x + edge] - total[y + edge, x] + total[y, x]
        # Not always the very best, or every sample would have the same in its middle.
        score = score * (1 + 0.15 * random.random(score.shape))
        best = int(score.argmax())
        top, left = int(y.flat[best]), int(x.flat[best])
        crop = (left, top, left + edge, top + edge)
        if crop in chosen:
            break
        chosen.append(crop)
        worth[top : top + edge, left : left + edge] *= 0.15
    return chosen
