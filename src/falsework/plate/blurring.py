"""Wide Gaussian blurs at a small price."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from falsework.plate.plate import Image

__all__ = ["wide_blur"]

Array = npt.NDArray[np.float64]

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
        return _gaussian(values, sigmas)
    shrink = np.array([width, height]) / size
    left = np.sqrt(np.maximum((sigmas / shrink) ** 2 - np.where(shrink > 1.0, 0.25, 0.0), LEAST**2))
    small = np.asarray(cv2.resize(values, size.tolist(), interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(
        cv2.resize(_gaussian(small, left), (width, height), interpolation=cv2.INTER_LINEAR), np.float32
    )


def _gaussian(values: Image, sigmas: Array) -> Image:
    """Beyond the picture's edge lies its mirror image: the edge is in the same place at any size."""
    x, y = (float(sigma) for sigma in sigmas)
    blurred = cv2.GaussianBlur(values, (0, 0), sigmaX=x, sigmaY=y, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)
