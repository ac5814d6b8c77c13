"""The pictures that passes draw into one after another: shared, since large ones take gigabytes."""

from __future__ import annotations

from typing import Any

import moderngl
import numpy as np
import numpy.typing as npt

__all__ = ["Targets", "read_picture"]

KINDS: dict[str, type[np.generic]] = {"f1": np.uint8, "f2": np.float16, "f4": np.float32, "u4": np.uint32}


class Targets:
    """Pictures (H, W) that no pass keeps for the next one.

    full    RGBA floats: the sum of a frame's samples, then the light left on plate and clean plate
    halves  two RGBA half floats: normals and albedo, then dust and dust before the occluder
    marks   depth buffer: who is nearest, then which pixels a costly shader runs on
    """

    def __init__(self, context: moderngl.Context, size: tuple[int, int]) -> None:
        self.size = size
        self.full = context.texture(size, 4, dtype="f4")
        self.halves = [context.texture(size, 4, dtype="f2") for _ in range(2)]
        self.marks = context.depth_renderbuffer(size)
        self.full_frame = context.framebuffer([self.full], self.marks)


def read_picture(texture: moderngl.Texture) -> npt.NDArray[Any]:
    """A texture's pixels (H, W) or (H, W, C), the picture's top row first; the caller's own to change."""
    width, height = texture.size
    channels = texture.components
    pixels = np.empty((height, width, channels) if channels > 1 else (height, width), KINDS[texture.dtype])
    texture.read_into(pixels, alignment=1)
    return pixels
