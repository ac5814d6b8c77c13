"""Dust finer than its simulation: one frame's density in bricks of fine cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["BRICK", "FACTOR", "HALF", "FineDust"]

FACTOR = 4  # fine cells along a dust cell's edge
HALF = FACTOR // 2  # fine cells along the edge of half a dust cell, and half cells along that of a whole one
BRICK = 8  # dust cells along a brick's edge: bricks are 32 fine cells wide


@dataclass(frozen=True)
class FineDust:
    """One frame's density on cells FACTOR times finer, in the bricks that hold dust worth refining.

    index    (bx, by, bz) int32: number of the brick over dust cells [8 b, 8 b + 8); -1: none, the plain
             density is meant
    density  (n, 32, 32, 32) float16 g/m3; the mean of each 4x4x4 block is near the dust cell's own density
             and never far from it (the simulation stays in charge)
    """

    index: npt.NDArray[np.int32]
    density: npt.NDArray[np.float16]
