"""Wide Gaussian blurs at a small price."""

from __future__ import annotations

import cv2
import numpy as np

from falsework.plate.plate import Image

__all__ = ["wide_blur"]

ENOUGH = 8.0  # pixels of deviation: a wider blur is made on a smaller copy, where it is as wide as this
LEAST = 0.6  # pixels of deviation


def wide_blur(values: Image, across: float, down: float | None = None) -> Image:
    """`values` (H, W[, C]) blurred by a Gaussian of `across` and `down` (the same) pixels' deviation.

    What averaging over a smaller copy's pixels and going back between them blur is taken off.
    """
    height, width = values.shape[:2]
    sigmas = np.maximum([across, across if down is None else down], LEAST)
    wanted = np.maximum(np.round(np.array([width, height]) / np.maximum(sigmas // ENOUGH, 1.0)), 2.0)
    size = np.minimum(wanted, [width, height]).astype(int)
    if size[0] == width and size[1] == height:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), sigmaX=sigmas[0], sigmaY=sigmas[1]), np.float32)
    shrink = np.array([width, height]) / size
    left = np.sqrt(np.maximum((sigmas / shrink) ** 2 - np.where(shrink > 1.0, 0.25, 0.0), LEAST**2))
    small = cv2.resize(values, size.tolist(), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigmaX=left[0], sigmaY=left[1])
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
