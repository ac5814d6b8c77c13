"""A delivered frame as people see it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from falsework.media.colour import display_space, to_8bit
from falsework.media.images import read_picture
from falsework.shots.spec import Shot

__all__ = ["viewed"]


def viewed(shot: Shot, path: Path) -> npt.NDArray[np.uint8]:
    """An EXR frame's picture for the shot's display, (H, W, 3), 8 bit, red first."""
    return to_8bit(read_picture(path, "ACEScg"), display_space(shot.plate.colour_space))
