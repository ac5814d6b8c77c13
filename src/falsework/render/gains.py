"""Gains known of every few pixels, brought to all of them along what the picture shows.

A joint bilateral filter (J. Kopf and others, "Joint Bilateral Upsampling", 2007); where nothing is known, by
pyramids of weighted means (S. Gortler and others, "The Lumigraph", 1996: push and pull).
"""

# Numba's kernels: mypy cannot follow NumPy integers as loop indices.
# mypy: disable-error-code="index, assignment"

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit, prange

__all__ = ["Guide", "filled", "spread"]

Float = npt.NDArray[np.float32]
Guide = (
    Float  # (h, w, 5): depth (a large number for sky), normal, 1 where there is something the gains are for
)

NEAR = 0.06  # share of the depth within which two pixels are of one surface
OTHER = 1e-4  # weight of a neighbour that is of something else: it counts where no other is found


def filled(values: Float, weight: Float) -> Float:
    """(h, w, c) with what is known (weight 1), and elsewhere what is known around, from ever farther away."""
    height, width = weight.shape
    weight = np.clip(weight, 0.0, 1.0).astype(np.float32)
    if min(height, width) < 2:
        whole = weight.sum()
        mean = (values * weight[..., None]).sum((0, 1)) / whole if whole > 0 else np.zeros(values.shape[2])
        return np.asarray(values * weight[..., None] + mean * (1 - weight[..., None]), np.float32)
    small = (-(-width // 2), -(-height // 2))
    padded = [(0, height % 2), (0, width % 2)]
    known = np.pad(values * weight[..., None], [*padded, (0, 0)])
    there = np.pad(weight, padded)
    share = cv2.resize(there, small, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(known, small, interpolation=cv2.INTER_AREA).reshape(*share.shape, -1)
    mean = sums / np.maximum(share, 1e-6)[..., None]
    around = filled(np.asarray(mean, np.float32), np.minimum(4 * share, 1.0))
    around = cv2.resize(around, (width, height), interpolation=cv2.INTER_LINEAR).reshape(values.shape)
    return np.asarray(values * weight[..., None] + around * (1 - weight[..., None]), np.float32)


def spread(
    gains: Float, here: Guide, guide: Guide, wanted: npt.NDArray[np.bool_], every: int, *, flat: bool
) -> Float:
    """Gains (h, w, 3) of every `every`th pixel, from pixel (every - 1) // 2 on, at those pixels of `guide`
    (H, W, 5) that are `wanted`, 1 elsewhere.

    here   the guide at the few pixels
    flat   normals tell surfaces apart, too
    """
    out = np.ones((*guide.shape[:2], gains.shape[2]), np.float32)
    _spread(gains, here, guide, wanted, every, flat, out)
    return out


@njit(cache=True, parallel=True)
def _spread(
    gains: Float,
    here: Float,
    guide: Float,
    wanted: npt.NDArray[np.bool_],
    every: int,
    flat: bool,
    out: Float,
) -> None:
    rows, columns, channels = gains.shape
    first = (every - 1) // 2
    for y in prange(out.shape[0]):
        v = (y - first) / every
        middle_row = min(max(int(np.floor(v + 0.5)), 0), rows - 1)
        total = np.empty(channels, np.float32)
        for x in range(out.shape[1]):
            if not wanted[y, x]:
                continue
            u = (x - first) / every
            middle = min(max(int(np.floor(u + 0.5)), 0), columns - 1)
            total[:] = 0.0
            whole = 0.0
            depth = guide[y, x, 0]
            for j in range(max(middle_row - 1, 0), min(middle_row + 2, rows)):
                tent_row = max(1.5 - abs(v - j), 0.05)
                for i in range(max(middle - 1, 0), min(middle + 2, columns)):
                    weight = tent_row * max(1.5 - abs(u - i), 0.05)
                    off = (here[j, i, 0] - depth) / (NEAR * depth)
                    alike = 1.0 / (1.0 + off * off) ** 2
                    if flat:
                        cosine = (
                            here[j, i, 1] * guide[y, x, 1]
                            + here[j, i, 2] * guide[y, x, 2]
                            + here[j, i, 3] * guide[y, x, 3]
                        )
                        cosine = max(cosine, 0.0)
                        alike *= cosine * cosine * cosine * cosine
                    if here[j, i, 4] != guide[y, x, 4]:
                        alike *= OTHER
                    weight *= alike + OTHER
                    whole += weight
                    for channel in range(channels):
                        total[channel] += weight * gains[j, i, channel]
            for channel in range(channels):
                out[y, x, channel] = total[channel] / whole
