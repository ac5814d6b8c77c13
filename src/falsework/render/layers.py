"""What the renderer hands to comp: one frame in layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Layers"]

Image = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Layers:
    """One frame of the collapse in the working camera, float32, scene-linear ACEScg, rows from the top.

    surface    (H, W, 4) lit fragments and debris that have moved or show broken faces, premultiplied
    hold       (H, W) coverage of building that still stands exactly as in the plate
    shadow     (H, W, 3) light left on plate and clean plate, 1: unchanged
    dust       (H, W, 4) dust between the camera and the first surface (or clean-plate surface), premultiplied
    dust_front (H, W, 4) dust between the camera and the occluder and its rim, premultiplied; zero elsewhere
    depth      (H, W) metres along the optical axis of the nearest surface, infinite for sky
    normal     (H, W, 3) world, zero where there is no building
    motion     (H, W, 2) pixels to the next frame, forward (x right, y down)
    albedo     (H, W, 3)
    crypto     (H, W, 2 * ranks) pairs of (id as float32 bits, coverage), Cryptomatte order
    """

    surface: Image
    hold: Image
    shadow: Image
    dust: Image
    dust_front: Image
    depth: Image
    normal: Image
    motion: Image
    albedo: Image
    crypto: Image
