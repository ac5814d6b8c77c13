"""Filling a region from other parts of the same texture, patch by patch, coarse to fine."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numba
import numpy as np
import numpy.typing as npt

from falsework.plate.blurring import wide_blur
from falsework.plate.plate import Image

__all__ = ["fill_exemplar"]

Mask = npt.NDArray[np.bool_]

RADIUS = 3  # patches of 7x7 pixels
LEVELS = 3
ROUNDS = (1, 2, 3)  # of search and vote at full size, half, quarter
COARSEST = 40  # pixels: no level is smaller


def fill_exemplar(
    texture: Image,
    hole: Mask,
    source: Mask,
    shifts: Sequence[tuple[int, int]],
    *,
    unit: float,
) -> Image:
    """`texture` (H, W, 3) with `hole` (H, W) filled from places that lie wholly in `source`.

    The first guess copies whole pieces: each hole pixel takes the shift (rows, columns; from `shifts`, such
    as the distance between bays and storeys) under which the hole's surroundings look most alike, as in He
    and Sun's "Statistics of patch offsets" (2012). Two or three levels of PatchMatch (Barnes et al. 2009)
    and voting (Wexler, Shechtman and Irani 2007) then mend the joins; the last vote takes each pixel from its
    best patch alone, so that grain is not averaged away. `unit` is the size of structure in pixels, over
    which surroundings are compared.
    """
    texture = np.ascontiguousarray(texture, np.float32)
    if not hole.any():
        return texture.copy()
    pyramid = [(texture, hole, source & ~hole)]
    for _ in range(1, LEVELS):
        if min(pyramid[-1][0].shape[:2]) > 2 * COARSEST:
            pyramid.append(_halve(*pyramid[-1]))
    levels = len(pyramid)
    scale = 2 ** (levels - 1)
    values, gap, usable = pyramid[-1]
    small = sorted({(round(dy / scale), round(dx / scale)) for dy, dx in shifts} - {(0, 0)})
    field = _first_field(values, gap, usable, np.array(small, np.int32).reshape(-1, 2), unit / scale)
    current = _follow(_rough(values, gap), gap, field)
    for level in range(levels - 1, -1, -1):
        values, gap, usable = pyramid[level]
        kernel = np.ones((2 * RADIUS + 1, 2 * RADIUS + 1), np.uint8)
        centres = (
            cv2.erode(usable.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
        )
        if level < levels - 1:
            field = _double(field, gap)
            coarse = cv2.resize(current, gap.shape[::-1], interpolation=cv2.INTER_LINEAR)
            current = _follow(np.where(gap[..., None], coarse, values).astype(np.float32), gap, field)
        if not centres.any():
            continue
        rows, columns = np.nonzero(cv2.dilate(gap.astype(np.uint8), kernel) > 0)
        field[~gap] = -1
        state = np.array([12345 + level], np.uint64)
        anchors = np.argwhere(centres).astype(np.int32)
        weight = np.where(gap, 0.6, 1.0).astype(np.float32)
        rounds = ROUNDS[min(level, len(ROUNDS) - 1)]
        for turn in range(rounds):
            cost = _search(current, weight, centres, anchors, rows, columns, field, state)
            _vote(current, gap, field, rows, columns, cost, level == 0 and turn == rounds - 1)
    return current


def _first_field(
    values: Image, gap: Mask, usable: Mask, shifts: npt.NDArray[np.int32], unit: float
) -> npt.NDArray[np.int32]:
    """Where (rows, columns) each gap pixel (H, W, 2) is copied from at first; -1 where nothing can be."""
    height, width = gap.shape
    field = np.full((height, width, 2), -1, np.int32)
    best = np.full((height, width), np.inf, np.float32)
    size = 2 * round(1.5 * unit) + 1
    ring = usable & (cv2.dilate(gap.astype(np.uint8), np.ones((size, size), np.uint8)) > 0)
    box = cv2.boundingRect((gap | ring).astype(np.uint8))
    view = np.s_[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
    compared = np.empty((box[3], box[2], 2), np.float32)
    for dy, dx in shifts.tolist():
        _compare(values, ring, usable, dy, dx, box[1], box[0], compared)
        total = np.full_like(compared, 1e-6)
        for share, factor in ((1.0, 1.0), (0.02, 4.0)):
            total += np.float32(share) * wide_blur(compared, factor * 0.7 * unit)
        score = total[..., 1] / total[..., 0] + np.float32(0.02 * np.hypot(dy, dx) / max(unit, 1.0) / 10.0)
        _take_better(score, gap[view], usable, dy, dx, box[1], box[0], best[view], field[view])
    return field


@numba.njit(cache=True, nogil=True)
def _compare(values, ring, usable, dy, dx, top, left, out):  # type: ignore[no-untyped-def]
    """Where (h, w) a picture's ring meets itself shifted, and by how much the two differ there."""
    height, width = usable.shape
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            y, x = top + row, left + column
            sy, sx = y + dy, x + dx
            out[row, column, 0] = 0.0
            out[row, column, 1] = 0.0
            if ring[y, x] and 0 <= sy < height and 0 <= sx < width and usable[sy, sx]:
                out[row, column, 0] = 1.0
                for channel in range(3):
                    out[row, column, 1] += abs(values[y, x, channel] - values[sy, sx, channel])


@numba.njit(cache=True, nogil=True)
def _take_better(score, gap, usable, dy, dx, top, left, best, field):  # type: ignore[no-untyped-def]
    """Notes a shift where its score is the best so far."""
    height, width = usable.shape
    for row in range(score.shape[0]):
        for column in range(score.shape[1]):
            sy, sx = top + row + dy, left + column + dx
            if not gap[row, column] or not (0 <= sy < height and 0 <= sx < width) or not usable[sy, sx]:
                continue
            if score[row, column] < best[row, column]:
                best[row, column] = score[row, column]
                field[row, column, 0], field[row, column, 1] = sy, sx


def _follow(values: Image, gap: Mask, field: npt.NDArray[np.int32]) -> Image:
    out = values.copy()
    take = gap & (field[..., 0] >= 0)
    source = field[take]
    out[take] = values[np.minimum(source[:, 0], gap.shape[0] - 1), np.minimum(source[:, 1], gap.shape[1] - 1)]
    return out


def _halve(values: Image, hole: Mask, source: Mask) -> tuple[Image, Mask, Mask]:
    """Half the size; a pixel is known when most of what it covers is."""
    shape = ((values.shape[1] + 1) // 2, (values.shape[0] + 1) // 2)
    known = (~hole).astype(np.float32)
    weight = cv2.resize(known, shape, interpolation=cv2.INTER_AREA)
    mean = cv2.resize(values * known[..., None], shape, interpolation=cv2.INTER_AREA)
    gap = weight < 0.5
    usable = cv2.resize(source.astype(np.float32), shape, interpolation=cv2.INTER_AREA) > 0.99
    return (mean / np.maximum(weight, 1e-3)[..., None]).astype(np.float32), gap, usable & ~gap


@numba.njit(cache=True, nogil=True)
def _double(field, gap):  # type: ignore[no-untyped-def]
    """The field of a level twice as large, where it has a gap; -1 elsewhere."""
    height, width = gap.shape
    out = np.full((height, width, 2), -1, np.int32)
    for y in range(height):
        for x in range(width):
            if gap[y, x] and field[y // 2, x // 2, 0] >= 0:
                out[y, x, 0] = 2 * field[y // 2, x // 2, 0] + y % 2
                out[y, x, 1] = 2 * field[y // 2, x // 2, 1] + x % 2
    return out


def _rough(values: Image, hole: Mask) -> Image:
    """A smooth first guess: widening averages of what is known."""
    known = (~hole).astype(np.float32)
    out = values.copy()
    left = hole.copy()
    size = 3.0
    while left.any() and size < 4 * max(hole.shape):
        weight = cv2.GaussianBlur(known, (0, 0), size)
        mean = cv2.GaussianBlur(values * known[..., None], (0, 0), size)
        now = left & (weight > 1e-3)
        out[now] = mean[now] / weight[now][:, None]
        left &= ~now
        size *= 2.0
    return out


@numba.njit(cache=True, nogil=True)
def _distance(picture, weight, y, x, sy, sx, best):  # type: ignore[no-untyped-def]
    """Weighted mean squared difference of two patches, given up once it passes `best`."""
    height, width = weight.shape
    total = 0.0
    mass = 0.0
    for dy in range(-RADIUS, RADIUS + 1):
        ty = y + dy
        if ty < 0 or ty >= height:
            continue
        for dx in range(-RADIUS, RADIUS + 1):
            tx = x + dx
            if tx < 0 or tx >= width:
                continue
            w = weight[ty, tx]
            red = picture[ty, tx, 0] - picture[sy + dy, sx + dx, 0]
            green = picture[ty, tx, 1] - picture[sy + dy, sx + dx, 1]
            blue = picture[ty, tx, 2] - picture[sy + dy, sx + dx, 2]
            total += w * (red * red + green * green + blue * blue)
            mass += w
        if total > best * 49.0:
            return best + 1.0
    return total / mass


@numba.njit(cache=True, nogil=True)
def _search(picture, weight, centres, anchors, rows, columns, field, state):  # type: ignore[no-untyped-def]
    height, width = weight.shape
    cost = np.full(weight.shape, np.inf, np.float32)
    seed = state[0]
    for sweep in range(2):
        forward = sweep == 0
        step = -1 if forward else 1
        for number in range(rows.size):
            index = number if forward else rows.size - 1 - number
            y, x = rows[index], columns[index]
            by, bx = field[y, x, 0], field[y, x, 1]
            best = np.inf
            if by >= 0 and by < height and bx >= 0 and bx < width and centres[by, bx]:
                best = _distance(picture, weight, y, x, by, bx, np.inf)
            for neighbour in range(2):
                ny = y + (step if neighbour == 0 else 0)
                nx = x + (step if neighbour == 1 else 0)
                if 0 <= ny < height and 0 <= nx < width and field[ny, nx, 0] >= 0:
                    sy = field[ny, nx, 0] + (y - ny)
                    sx = field[ny, nx, 1] + (x - nx)
                    if 0 <= sy < height and 0 <= sx < width and centres[sy, sx]:
                        d = _distance(picture, weight, y, x, sy, sx, best)
                        if d < best:
                            best, by, bx = d, sy, sx
            if by < 0 or best == np.inf:
                seed = seed * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
                pick = int((seed >> np.uint64(33)) % np.uint64(anchors.shape[0]))
                by, bx = anchors[pick, 0], anchors[pick, 1]
                best = _distance(picture, weight, y, x, by, bx, np.inf)
            span = 24
            while span >= 1:
                seed = seed * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
                dy = int((seed >> np.uint64(33)) % np.uint64(2 * span + 1)) - span
                seed = seed * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
                dx = int((seed >> np.uint64(33)) % np.uint64(2 * span + 1)) - span
                sy, sx = by + dy, bx + dx
                if 0 <= sy < height and 0 <= sx < width and centres[sy, sx]:
                    d = _distance(picture, weight, y, x, sy, sx, best)
                    if d < best:
                        best, by, bx = d, sy, sx
                span //= 2
            field[y, x, 0], field[y, x, 1] = by, bx
            cost[y, x] = best
    state[0] = seed
    return cost


@numba.njit(cache=True, nogil=True)
def _vote(picture, hole, field, rows, columns, cost, sharp):  # type: ignore[no-untyped-def]
    height, width = hole.shape
    typical = 1e-4
    spread = np.empty(rows.size)
    for index in range(rows.size):
        spread[index] = cost[rows[index], columns[index]]
    typical = max(typical, np.median(spread))
    before = picture.copy()
    for index in range(rows.size):
        y, x = rows[index], columns[index]
        if not hole[y, x]:
            continue
        total = np.zeros(3)
        mass = 0.0
        lowest = np.inf
        for dy in range(-RADIUS, RADIUS + 1):
            for dx in range(-RADIUS, RADIUS + 1):
                cy, cx = y + dy, x + dx
                if cy < 0 or cy >= height or cx < 0 or cx >= width or field[cy, cx, 0] < 0:
                    continue
                sy, sx = field[cy, cx, 0] - dy, field[cy, cx, 1] - dx
                if sy < 0 or sy >= height or sx < 0 or sx >= width:
                    continue
                if sharp:
                    value = cost[cy, cx] * (1.0 + 0.08 * (dy * dy + dx * dx))
                    if value < lowest:
                        lowest = value
                        for channel in range(3):
                            total[channel] = before[sy, sx, channel]
                        mass = 1.0
                else:
                    w = np.exp(-cost[cy, cx] / (2.0 * typical)) + 1e-6
                    for channel in range(3):
                        total[channel] += w * before[sy, sx, channel]
                    mass += w
        if mass > 0.0:
            for channel in range(3):
                picture[y, x, channel] = total[channel] / mass
