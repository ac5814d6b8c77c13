"""Filling thin gaps, such as a cable's, along the directions in which the picture goes on unchanged."""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

from falsework.plate.plate import Image

__all__ = ["bridge"]

Mask = npt.NDArray[np.bool_]
DIRECTIONS = 24


def bridge(picture: Image, hole: Mask, *, usable: Mask | None = None, reach: int = 24) -> Image:
    """`picture` (H, W, 3) with the pixels of `hole` (H, W) interpolated across; the others untouched.

    Each hole pixel looks out in 24 directions for the two pixels that end the gap (among `usable` ones, all
    outside the hole by default) and takes the mean of those pairs that agree, nearer pairs counting more:
    an edge that crosses the gap is carried straight through it.
    """
    out = np.array(picture, np.float32)
    known = ~hole if usable is None else (usable & ~hole)
    rows, columns = np.nonzero(hole)
    if rows.size and known.any():
        tone = np.sqrt(np.maximum(out, 0.0)).astype(np.float32)
        _bridge(tone, known, rows, columns, reach, out)
    return out


@numba.njit(cache=True)
def _end(tone, known, row, column, dy, dx, reach):  # type: ignore[no-untyped-def]
    """Distance to, and position of, the first usable pixel in a direction; distance 0 when there is none."""
    height, width = known.shape
    for step in range(1, reach + 1):
        y = math.floor(row + 0.5 + dy * step)
        x = math.floor(column + 0.5 + dx * step)
        if y < 0 or y >= height or x < 0 or x >= width:
            return 0, 0, 0
        if known[y, x]:
            # one pixel further in, where the edge of what was masked no longer shows
            y2 = math.floor(row + 0.5 + dy * (step + 1))
            x2 = math.floor(column + 0.5 + dx * (step + 1))
            if 0 <= y2 < height and 0 <= x2 < width and known[y2, x2]:
                return step + 1, y2, x2
            return step, y, x
    return 0, 0, 0


@numba.njit(cache=True)
def _bridge(tone, known, rows, columns, reach, out):  # type: ignore[no-untyped-def]
    for index in range(rows.size):
        row, column = rows[index], columns[index]
        total = np.zeros(3)
        weight = 0.0
        lone = np.zeros(3)
        lone_weight = 0.0
        for direction in range(DIRECTIONS):
            angle = math.pi * direction / DIRECTIONS
            dy, dx = math.sin(angle), math.cos(angle)
            d1, y1, x1 = _end(tone, known, row, column, dy, dx, reach)
            d2, y2, x2 = _end(tone, known, row, column, -dy, -dx, reach)
            if d1 > 0 and d2 > 0:
                difference = 0.0
                for channel in range(3):
                    difference += (tone[y1, x1, channel] - tone[y2, x2, channel]) ** 2
                span = d1 + d2
                share = math.exp(-difference / 0.0006) / (span * span) + 1e-9 / span
                for channel in range(3):
                    total[channel] += share * (tone[y1, x1, channel] * d2 + tone[y2, x2, channel] * d1) / span
                weight += share
            elif d1 + d2 > 0:
                y, x = (y1, x1) if d1 > 0 else (y2, x2)
                share = 1.0 / (d1 + d2) ** 2
                for channel in range(3):
                    lone[channel] += share * tone[y, x, channel]
                lone_weight += share
        if weight > 0.0:
            for channel in range(3):
                out[row, column, channel] = (total[channel] / weight) ** 2
        elif lone_weight > 0.0:
            for channel in range(3):
                out[row, column, channel] = (lone[channel] / lone_weight) ** 2
