"""What both renderers of a bench are given, and which of its frames are studied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.dust.field import Debris, DustField
from falsework.errors import FalseworkError
from falsework.plate.plate import Plate
from falsework.shots.spec import Shot

__all__ = ["Scene", "busy_frames"]


@dataclass(frozen=True)
class Scene:
    """What both renderers are given, loaded once."""

    shot: Shot
    plate: Plate
    fragments: Fragments
    motion: Motion
    debris: Debris
    dust: DustField


def busy_frames(scene: Scene, count: int) -> list[int]:
    """Frames (from 0) that are studied: spread over the time in which pieces fall, the last one left out."""
    motion = scene.motion
    moving = np.flatnonzero(motion.moved.any(1))
    if not len(moving) or moving[0] >= motion.frames - 1:
        raise FalseworkError(
            f"nothing falls in {scene.shot.name}", where="bench", todo="Take a shot in which something does."
        )
    first, last = int(moving[0]), motion.frames - 2
    at = (np.arange(count) + 1) / (count + 0.5)
    return sorted({round(first + float(part) * (last - first)) for part in np.minimum(at, 1.0)})
