"""The contact sheet: eight frames on one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from falsework.media.images import write_png

__all__ = ["draw_contact", "pick_frames", "write_contact"]

COLUMNS = 4
FRAMES = 8
CELL = 480  # pixels across a picture
GAP = 16
LABEL = 44  # pixels below a picture
PAPER = (22, 22, 24)
INK = (236, 233, 226)
FAINT = (150, 148, 142)


def pick_frames(first: int, last: int, start: int) -> list[int]:
    """Eight frame numbers that tell the shot: one before the collapse starts (where there is one), then
    evenly to the last. Fewer where the shot is shorter."""
    begin = max(first, min(start - 1, last))
    return sorted(set(np.linspace(begin, last, FRAMES).round().astype(int).tolist()))


def write_contact(
    path: Path, pictures: Sequence[npt.NDArray[np.uint8]], labels: Sequence[str], *, title: str = ""
) -> None:
    """Write `draw_contact` as a PNG, which appears whole."""
    write_png(path, draw_contact(pictures, labels, title=title))


def draw_contact(
    pictures: Sequence[npt.NDArray[np.uint8]],
    labels: Sequence[str],
    *,
    title: str = "",
    columns: int = COLUMNS,
) -> npt.NDArray[np.uint8]:
    """Display pictures, uint8 (H, W, 3), `columns` to a row, each with its label below; uint8 (h, w, 3)."""
    if not pictures or len(pictures) != len(labels):
        raise ValueError(f"{len(pictures)} pictures and {len(labels)} labels")
    height, width = pictures[0].shape[:2]
    across = min(CELL, width)
    down = max(round(height * across / width), 1)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    head = 56 if title else GAP
    sheet = Image.new("RGB", (GAP + columns * (across + GAP), head + rows * (down + LABEL)), PAPER)
    draw = ImageDraw.Draw(sheet)
    if title:
        draw.text((GAP, head // 2), title, font=ImageFont.load_default(24), fill=INK, anchor="lm")
    for index, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        small = cv2.resize(picture, (across, down), interpolation=cv2.INTER_AREA)
        left = GAP + index % columns * (across + GAP)
        top = head + index // columns * (down + LABEL)
        sheet.paste(Image.fromarray(small), (left, top))
        draw.text(
            (left, top + down + LABEL // 3), label, font=ImageFont.load_default(16), fill=FAINT, anchor="lm"
        )
    return np.asarray(sheet, dtype=np.uint8)
