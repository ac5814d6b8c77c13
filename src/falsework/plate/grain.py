"""What the plate's own noise and blur are, so that what is added to it can have the same."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from falsework.plate.vanishing import edge_picture

__all__ = ["measure_grain", "measure_softness"]

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]

MIDDLE_GREY = 0.18
BLOCK = 12  # pixels a side


def measure_grain(picture: Image) -> Array:
    """Standard deviation (3,) of the noise at middle grey, linear, per channel, of a picture (H, W, 3).

    In blocks without structure, after taking a plane away; noise grows with the square root of the level
    (photon noise), which refers every block to middle grey. The flattest blocks of the range around it count:
    their median is little disturbed by texture (after Liu, Szeliski et al. 2006's lower envelope).
    """
    height, width = (side // BLOCK * BLOCK for side in picture.shape[:2])
    blocks = (
        picture[:height, :width]
        .reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3)
        .transpose(0, 2, 1, 3, 4)
        .reshape(-1, BLOCK * BLOCK, 3)
        .astype(np.float64)
    )
    level = blocks.mean(axis=(1, 2))
    usable = (level > MIDDLE_GREY / 4) & (level < MIDDLE_GREY * 3) & (blocks.max(axis=(1, 2)) < 0.9)
    if usable.sum() < 50:
        usable = (level > 1e-3) & (blocks.max(axis=(1, 2)) < 0.98)
    if usable.sum() < 8:
        return np.zeros(3)
    blocks, level = blocks[usable], level[usable]
    ramp = np.linspace(-1.0, 1.0, BLOCK)
    basis = np.stack([np.ones(BLOCK * BLOCK), np.tile(ramp, BLOCK), np.repeat(ramp, BLOCK)], axis=1)
    basis, _ = np.linalg.qr(basis)
    planes = np.stack([blocks[..., channel] @ basis for channel in range(3)], axis=-1)
    energy = np.maximum((blocks**2).sum(axis=1) - (planes**2).sum(axis=1), 0.0)
    deviation = np.sqrt(energy / (BLOCK * BLOCK - 3))
    deviation *= np.sqrt(MIDDLE_GREY / level)[:, None]
    flat = np.argsort(deviation.mean(axis=1))[: max(len(level) // 12, 8)]
    return np.asarray(np.median(deviation[flat], axis=0))


def measure_softness(picture: Image) -> float:
    """Standard deviation in pixels of the Gaussian that would blur a sharp edge as the plate's edges are.

    At strong edges, the ratio of the gradients after two known blurs gives the blur that was there before
    (Zhuo and Sim 2011). The sharper quarter of the edges is the lens and its processing; the rest are soft
    things.
    """
    grey = edge_picture(picture).astype(np.float32)
    near, far = 0.8, 1.6
    strength = []
    for blur in (near, far):
        smooth = cv2.GaussianBlur(grey, (0, 0), blur)
        strength.append(np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)))
    # Only ridges of the gradient are edges' middles.
    ridge = strength[0] >= cv2.dilate(strength[0], np.ones((3, 3), np.uint8)) - 1e-4
    strong = ridge & (strength[0] > np.percentile(strength[0], 96))
    if strong.sum() < 50:
        return 0.0
    ratio = (strength[0][strong] / np.maximum(strength[1][strong], 1e-6)).astype(np.float64)
    ratio = ratio[(ratio > 1.01) & (ratio < far / near)]
    if len(ratio) < 50:
        return 0.0
    variance = (far**2 - ratio**2 * near**2) / (ratio**2 - 1)
    return float(np.sqrt(max(float(np.percentile(variance, 25)), 0.0)))
