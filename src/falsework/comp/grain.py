"""The plate's grain, for what was not in the plate."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from falsework.seeds import generator

__all__ = ["grain_pattern", "regrain"]

Image = npt.NDArray[np.float32]

# Grain of a demosaiced, compressed picture is soft over about a pixel; white noise would read as digital.
CORRELATION = 0.6


def grain_pattern(height: int, width: int, seed: int) -> Image:
    """Unit-variance, zero-mean noise (H, W, 3), softly correlated over neighbouring pixels.

    Two thirds of its variance are common to the channels, as in a demosaiced picture. A still's grain stands
    still, so one pattern serves all frames of a shot.
    """
    random = generator(seed, "grain")
    luma = random.standard_normal((height, width, 1), dtype=np.float32)
    chroma = random.standard_normal((height, width, 3), dtype=np.float32)
    noise = np.sqrt(2.0 / 3.0) * luma + np.sqrt(1.0 / 3.0) * chroma
    noise = cv2.GaussianBlur(noise, (0, 0), CORRELATION, borderType=cv2.BORDER_REFLECT)
    return np.asarray(noise / noise.std(), dtype=np.float32)


def regrain(picture: Image, weight: Image, grain: Image) -> Image:
    """Add grain to a picture (H, W, 3), scene-linear, where weight (H, W) says so.

    `grain` (H, W, 3) is what is added at middle grey (0.18); elsewhere it follows the square root of the
    light, as photon noise does. Never takes a pixel below zero.
    """
    noise = grain * np.sqrt(np.maximum(picture, 0.0) / 0.18) * weight[..., None]
    grained = np.maximum(picture + noise, np.minimum(picture, 0.0))
    return np.where(weight[..., None] > 0, grained, picture).astype(np.float32)
