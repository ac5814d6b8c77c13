"""What says what a picture is: the slate before the shot, and the line burnt into a temporary take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

__all__ = ["burn_in", "draw_slate"]


def draw_slate(
    width: int, height: int, title: str, lines: Sequence[tuple[str, str]]
) -> npt.NDArray[np.uint8]:
    """A dark card (height, width, 3), 8-bit display values: the title, then label and value a line."""
    card = Image.new("RGB", (width, height), (24, 24, 26))
    draw = ImageDraw.Draw(card)
    margin, size = width // 12, max(height // 28, 8)
    draw.text((margin, height // 8), title, font=ImageFont.load_default(size * 2), fill=(240, 238, 230))
    top = height // 8 + size * 4
    for label, value in lines:
        draw.text((margin, top), label, font=ImageFont.load_default(size), fill=(150, 150, 150))
        draw.text((margin + size * 9, top), value, font=ImageFont.load_default(size), fill=(240, 238, 230))
        top += int(size * 1.7)
    patches = np.linspace(0, 255, 11).astype(int)
    edge = (width - 2 * margin) // len(patches)
    for index, grey in enumerate(patches.tolist()):
        left = margin + index * edge
        draw.rectangle((left, height - 3 * size, left + edge, height - size), fill=(grey, grey, grey))
    return np.asarray(card, dtype=np.uint8)


def burn_in(picture: npt.NDArray[np.uint8], words: str) -> npt.NDArray[np.uint8]:
    """A copy of a picture (height, width, 3), 8-bit display values, with words in its lower left corner."""
    image = Image.fromarray(picture)
    height = picture.shape[0]
    size = max(height // 45, 8)
    place = (size, height - 2 * size)
    draw = ImageDraw.Draw(image)
    draw.text(
        place, words, font=ImageFont.load_default(size), fill=(235, 235, 230),
        stroke_width=max(size // 10, 1), stroke_fill=(20, 20, 22),
    )  # fmt: skip
    return np.asarray(image, dtype=np.uint8)
