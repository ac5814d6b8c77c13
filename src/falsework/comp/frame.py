"""One finished frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Frame"]

Image = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Frame:
    """A finished frame at delivery resolution, float32, scene-linear ACEScg, rows from the top.

    picture  (H, W, 3) the shot; equal to the plate, bit for bit, wherever matte is 0
    matte    (H, W) how much of the pixel is no longer the plate's, 0..1
    aovs     the layers by name: alpha (H, W), depth (H, W), normal (H, W, 3), motion (H, W, 2) in pixels of
             this picture, albedo (H, W, 3), shadow (H, W, 3), surface (H, W, 4) premultiplied, hold (H, W),
             dust and dust_front (H, W, 4) premultiplied, crypto (H, W, 2 * ranks)
    """

    picture: Image
    matte: Image
    aovs: dict[str, Image]
