"""Dust volumes as pictures: what people look at, and what the copy audit compares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from falsework.media.arrays import read_arrays

__all__ = ["scattered_view", "sheet_of", "volume_picture"]

Array = npt.NDArray[Any]

EXTINCTION = 0.5  # m2 of a gram of fine dust
SKY = 0.45  # of the sun's light
DUST, BACKGROUND = np.array([0.80, 0.76, 0.70]), np.array([0.16, 0.18, 0.21])
EDGE = 256  # pixels of a view's longer side


def scattered_view(density: Array, voxel: float) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """A look along y at a volume (X, Y, Z) g/m3: singly scattered light of a sun 45 degrees up on the left
    and of the sky, and optical depth; (Z, X), rows from the top."""
    thick = density.astype(np.float32) * np.float32(EXTINCTION * voxel)
    sun, sky = np.ones_like(thick), np.ones_like(thick)
    for k in range(thick.shape[2] - 2, -1, -1):
        through = sun[:, :, k + 1] * np.exp(-np.sqrt(np.float32(2)) * thick[:, :, k + 1])
        sun[1:, :, k] = through[:-1]
        # Half of what is taken from skylight goes on downwards.
        sky[:, :, k] = sky[:, :, k + 1] * np.exp(-np.float32(0.3) * thick[:, :, k + 1])
    before = np.cumsum(thick, axis=1) - thick
    seen = np.exp(-before) * -np.expm1(-thick)
    light = (seen * (sun + np.float32(SKY) * sky)).sum(axis=1)
    return light.T[::-1], thick.sum(axis=1).T[::-1]


def volume_picture(density: Array, voxel: float) -> npt.NDArray[np.uint8]:
    """(h, w, 3) sRGB: the scattered view, and beside it how opaque the dust is."""
    light, depth = scattered_view(density, voxel)
    opacity = -np.expm1(-depth)
    shown = light[..., None] * DUST + (1 - opacity[..., None]) * BACKGROUND
    plain = np.repeat(opacity[..., None], 3, axis=-1)
    whole = np.concatenate([np.clip(shown / 1.3, 0, 1) ** (1 / 2.2), plain], axis=1)
    factor = max(1, EDGE // max(light.shape))
    coded = np.ascontiguousarray(255 * whole + 0.5).astype(np.uint8)
    return np.asarray(
        cv2.resize(coded, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST), np.uint8
    )


def sheet_of(folder: Path, rows: Sequence[dict[str, Any]], *, across: int = 4) -> npt.NDArray[np.uint8]:
    """Sequences (lines of the index) beside and below one another: the middle frame's picture of each."""
    tiles = []
    for row in rows:
        density = read_arrays(folder / row["file"])[0]["density"]
        tile = volume_picture(density[len(density) // 2], row["voxel"])
        scale = min(2 * EDGE / tile.shape[1], EDGE / tile.shape[0])
        size = (round(tile.shape[1] * scale), round(tile.shape[0] * scale))
        tile = np.asarray(cv2.resize(tile, size, interpolation=cv2.INTER_AREA), np.uint8)
        tile = np.pad(tile, ((EDGE - tile.shape[0], 4), (0, 2 * EDGE - tile.shape[1] + 4), (0, 0)))
        cv2.putText(
            tile, row["sample"], (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (230, 230, 230), 1, cv2.LINE_AA
        )  # fmt: skip
        tiles.append(tile)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % across)
    lines = [np.concatenate(tiles[n : n + across], axis=1) for n in range(0, len(tiles), across)]
    return np.ascontiguousarray(np.concatenate(lines))
