"""Where the windows are: rows by storeys, columns by the bays a facade shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from falsework.plate.camera import Camera
from falsework.plate.plate import Facade
from falsework.plate.vanishing import LUMINANCE

__all__ = ["find_windows", "marked_windows", "rectified"]

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]

DETAIL = 32.0  # pixels a metre in the rectified wall
HALF_WIDTHS = np.arange(0.40, 0.86, 0.05)  # metres, half a window's width
SPACING = (1.7, 4.2)  # metres between the middles of neighbouring windows


@dataclass(frozen=True)
class _Edges:
    """Edge strengths of a rectified wall: `across` answers to jambs, `up` to sills and lintels.

    (rows from the top, columns); `darkness` is the share by which a pixel is darker than the wall around.
    """

    across: Array
    up: Array
    darkness: Array


def find_windows(
    picture: Image, facade: Facade, camera: Camera, bays: int | Literal["auto"], hidden: Image | None = None
) -> Facade:
    """The facade with its windows (W, 4), from the plate (H, W, 3), one for each storey and bay.

    The columns are where upright edges pair up at a window's width over all upper storeys, the rows where
    sills and lintels lie within each storey; then every window's four sides settle on the strongest edge
    near by. Where the picture says nothing, windows keep an even grid and usual proportions.
    `hidden` (H, W): opacity of what stands before the wall, which is not read.
    """
    if bays == 0:
        return replace(facade, windows=np.zeros((0, 4)))
    wall = rectified(picture, facade, camera)
    seen = np.ones(wall.shape[:2], np.float32)
    if hidden is not None:
        seen = 1.0 - rectified(np.repeat(hidden[..., None], 3, axis=2), facade, camera)[..., 0]
    seen *= rectified(np.ones((*picture.shape[:2], 3), np.float32), facade, camera, outside=0.0)[..., 0]
    edges = _edges(wall, seen)
    columns = _columns(edges, facade, bays)
    found = []
    for storey in range(facade.storeys):
        low, high = facade.levels[storey], facade.levels[storey + 1]
        row = _row(edges, facade, columns, float(low), float(high), ground=storey == 0)
        for middle, half in columns:
            found.append(_settled(edges, facade, (middle - half, row[0], middle + half, row[1])))
    return replace(facade, windows=np.array(found).reshape(-1, 4))


def marked_windows(boxes: Array, facade: Facade, camera: Camera) -> Facade:
    """The facade with openings at boxes (W, 4, 2), each the corners of one in working pixels."""
    points = camera.on_plane(boxes, facade.origin, facade.normal) - facade.origin
    across, up = points @ facade.right, points[..., 2]
    found = np.stack([across.min(axis=1), up.min(axis=1), across.max(axis=1), up.max(axis=1)], axis=1)
    margin = 0.05
    low = np.array([margin, margin, margin, margin])
    high = np.array([facade.width, facade.height, facade.width, facade.height]) - margin
    return replace(facade, windows=np.clip(found, low, high))


def rectified(picture: Image, facade: Facade, camera: Camera, *, outside: float | None = None) -> Image:
    """The wall seen square on, `DETAIL` pixels a metre (rows from the top): picture (H, W, C) resampled.

    `outside`: the value for what the plate does not show; its border is repeated when not given.
    """
    columns, rows = max(int(facade.width * DETAIL), 8), max(int(facade.height * DETAIL), 8)
    corners = np.array(
        [
            facade.point(x, z)
            for x, z in [(0, 1), (1, 1), (1, 0), (0, 0)] * np.array([facade.width, facade.height])
        ]
    )
    source = (camera.project(corners)[0] - 0.5).astype(np.float32)
    target = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32) - np.float32(0.5)
    homography = cv2.getPerspectiveTransform(target, source)
    return np.asarray(
        cv2.warpPerspective(
            picture,
            homography,
            (columns, rows),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT,
            borderValue=(outside or 0.0,) * 3,
        ),
        dtype=np.float32,
    )


def _edges(wall: Image, seen: Image) -> _Edges:
    # Logarithm, and less what changes over metres: a wall half in the sun reads the same on both halves.
    shown = np.log(np.maximum(wall @ LUMINANCE.astype(np.float32), 1e-4))
    around = cv2.GaussianBlur(shown, (0, 0), 1.2 * DETAIL)
    detail = cv2.GaussianBlur(np.clip(shown - around, -1.2, 1.2), (0, 0), 1.5)
    across = np.abs(cv2.Sobel(detail, cv2.CV_32F, 1, 0)) * seen
    up = np.abs(cv2.Sobel(detail, cv2.CV_32F, 0, 1)) * seen
    cap = max(float(np.percentile(across, 97)), 1e-6), max(float(np.percentile(up, 97)), 1e-6)
    return _Edges(
        np.minimum(across / cap[0], 1.0).astype(np.float64),
        np.minimum(up / cap[1], 1.0).astype(np.float64),
        (np.clip(-detail, 0.0, 1.0) * seen).astype(np.float64),
    )


def _columns(edges: _Edges, facade: Facade, bays: int | Literal["auto"]) -> list[tuple[float, float]]:
    """Middle and half width of each bay's windows, metres from the facade's left end.

    One width for the whole wall first, since windows of a wall are mostly of one make; then each bay may
    take another that fits it clearly better.
    """
    rows = edges.across.shape[0]
    # The ground storey's shops follow other rules than the flats above.
    used = rows if facade.storeys == 1 else rows - int(facade.levels[1] * DETAIL)
    profile = edges.across[:used].mean(axis=0)
    profile = profile - cv2.GaussianBlur(profile[None], (0, 0), 1.5 * DETAIL)[0]
    profile = np.convolve(profile, np.ones(3) / 3, mode="same") / max(float(profile.std()), 1e-9)
    profile = np.minimum(profile, 2.0)  # a drainpipe is one long edge, no window
    dark = edges.darkness[:used].mean(axis=0)
    dark = dark / max(float(dark.max()), 1e-6)
    scores = np.array([_pair_score(profile, dark, float(width)) for width in HALF_WIDTHS])
    best: tuple[float, int, list[int]] = (-np.inf, 0, [])
    for number, score in enumerate(scores):
        total, chain = _chain(score, bays, facade.width)
        if chain and total > best[0]:
            best = (total, number, chain)
    _, common, chain = best
    if not chain:
        return _even(facade, bays)
    around = int(0.25 * DETAIL)
    strain = 0.2 * np.abs(np.arange(len(scores)) - common)
    columns = []
    for position in chain:
        low = max(position - around, 0)
        near = scores[:, low : position + around + 1] - strain[:, None]
        row, shift = np.unravel_index(int(np.argmax(near)), near.shape)
        columns.append(((low + float(shift)) / DETAIL, float(HALF_WIDTHS[int(row)])))
    return columns


def _pair_score(profile: Array, dark: Array, half: float) -> Array:
    """For each column, how much it looks like the middle of windows `half` metres to either side: two jambs,
    darker between them than beside them, perhaps two casements that meet in the middle."""
    count = len(profile)
    centre = np.arange(count)
    reach, flank = round(half * DETAIL), round(0.25 * DETAIL)
    if 2 * (reach + flank) >= count:
        return np.full(count, -np.inf)
    summed = np.concatenate([[0.0], np.cumsum(dark)])

    def mean(low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]) -> Array:
        low, high = np.clip(low, 0, count), np.clip(high, 0, count)
        return np.asarray((summed[high] - summed[low]) / np.maximum(high - low, 1))

    left, right = np.clip(centre - reach, 0, count - 1), np.clip(centre + reach, 0, count - 1)
    beside = (mean(left - flank, left) + mean(right, right + flank)) / 2
    score = np.minimum(profile[left], profile[right]) + 2.0 * (mean(left, right) - beside)
    score += 0.5 * np.maximum(profile, 0.0)
    border = reach + 0.15 * DETAIL
    score[(centre < border) | (centre > count - border)] = -np.inf
    return np.asarray(score)


def _chain(score: Array, bays: int | Literal["auto"], width: float) -> tuple[float, list[int]]:
    """The run of column positions with the best scores whose spacing is regular, and its total."""
    counts = (
        [bays]
        if bays != "auto"
        else list(range(max(1, int(width / SPACING[1])), int(width / SPACING[0]) + 1))
    )
    floor = 0.0
    if bays == "auto":
        # More bays must each earn their place, or every wall would be all windows.
        finite = score[np.isfinite(score)]
        floor = 0.5 * float(np.percentile(finite, 98)) if len(finite) else 0.0
    best: tuple[float, list[int]] = (-np.inf, [])
    for count in counts:
        chain = _best_chain(np.maximum(score, -3.0), count, width / count * DETAIL)
        values = score[chain]
        if chain and np.all(np.isfinite(values)) and float(values.sum()) - floor * count > best[0]:
            best = (float(values.sum()) - floor * count, chain)
    return best


def _best_chain(score: Array, count: int, pitch: float) -> list[int]:
    size = len(score)
    total = np.where(np.arange(size) < 1.3 * pitch, score, -np.inf)
    back = np.zeros((count, size), dtype=int)
    low, high = int(0.6 * pitch), int(1.45 * pitch)
    for number in range(1, count):
        fresh = np.full(size, -np.inf)
        for step in range(max(low, 1), high + 1):
            if step >= size:
                break
            strain = 2.0 * ((step - pitch) / pitch) ** 2
            value = total[: size - step] - strain
            better = value > fresh[step:]
            fresh[step:][better] = value[better]
            back[number, step:][better] = np.arange(size - step)[better]
        total = fresh + score
    total[: max(0, size - int(1.3 * pitch))] = -np.inf
    if not np.isfinite(total.max()):
        return []
    chain = [int(np.argmax(total))]
    for number in range(count - 1, 0, -1):
        chain.append(int(back[number, chain[-1]]))
    return chain[::-1]


def _even(facade: Facade, bays: int | Literal["auto"]) -> list[tuple[float, float]]:
    count = bays if bays != "auto" else max(1, round(facade.width / 2.8))
    half = min(0.55, 0.3 * facade.width / count)
    return [((number + 0.5) * facade.width / count, half) for number in range(count)]


def _row(
    edges: _Edges,
    facade: Facade,
    columns: list[tuple[float, float]],
    low: float,
    high: float,
    *,
    ground: bool,
) -> tuple[float, float]:
    """Sill and lintel (metres above the ground) of one storey's windows."""
    tall = high - low
    usual = (low + 0.15, low + 0.78 * tall) if ground else (low + 0.25 * tall, low + 0.85 * tall)
    rows = edges.up.shape[0]
    profile = np.zeros(rows)
    for middle, half in columns:
        left, right = int((middle - half) * DETAIL), int((middle + half) * DETAIL) + 1
        profile += edges.up[:, max(left, 0) : right].mean(axis=1)
    profile = np.convolve(profile / max(len(columns), 1), np.ones(3) / 3, mode="same")
    best = (-np.inf, usual)
    step = 2 / DETAIL
    sills = np.arange(usual[0] - 0.5, usual[0] + 0.5, step)
    lintels = np.arange(usual[1] - 0.6, usual[1] + 0.6, step)

    def at(height: float) -> float:
        index = int((facade.height - height) * DETAIL)
        return float(profile[index]) if 0 <= index < rows else 0.0

    for sill in sills if not ground else [usual[0]]:
        for lintel in lintels:
            if lintel - sill < 1.0 or sill < 0.05 or lintel > facade.height - 0.1:
                continue
            strain = ((sill - usual[0]) / 0.6) ** 2 + ((lintel - usual[1]) / 0.7) ** 2
            value = at(float(sill)) + at(float(lintel)) - 0.12 * strain
            if value > best[0]:
                best = (value, (float(sill), float(lintel)))
    return best[1]


def _settled(edges: _Edges, facade: Facade, window: tuple[float, float, float, float]) -> list[float]:
    """The window with each side moved to the strongest edge within a quarter of a metre, if there is one."""
    left, bottom, right, top = window
    rows = slice(max(int((facade.height - top) * DETAIL), 0), int((facade.height - bottom) * DETAIL) + 1)
    columns = slice(max(int(left * DETAIL), 0), int(right * DETAIL) + 1)
    sides = edges.across[rows].mean(axis=0) if edges.across[rows].size else np.zeros(edges.across.shape[1])
    flats = edges.up[:, columns].mean(axis=1) if edges.up[:, columns].size else np.zeros(edges.up.shape[0])
    left = _nearby(sides, left * DETAIL) / DETAIL
    right = _nearby(sides, right * DETAIL) / DETAIL
    top = facade.height - _nearby(flats, (facade.height - top) * DETAIL) / DETAIL
    bottom = facade.height - _nearby(flats, (facade.height - bottom) * DETAIL) / DETAIL
    if right - left < 0.5 or top - bottom < 0.8:
        left, bottom, right, top = window
    return [
        float(np.clip(left, 0.05, facade.width - 0.05)),
        float(np.clip(bottom, 0.05, facade.height - 0.05)),
        float(np.clip(right, 0.05, facade.width - 0.05)),
        float(np.clip(top, 0.05, facade.height - 0.05)),
    ]


def _nearby(profile: Array, place: float, reach: float = 0.22) -> float:
    """Position of the strongest edge near `place` (pixels), or `place` itself where none stands out."""
    around = int(reach * DETAIL)
    low, high = max(int(place) - around, 0), min(int(place) + around + 1, len(profile))
    if high - low < 3:
        return place
    pull = profile[low:high] * np.exp(-0.5 * ((np.arange(low, high) + 0.5 - place) / (0.6 * around)) ** 2)
    best = int(np.argmax(pull))
    return low + best + 0.5 if pull[best] > 1.3 * float(profile.mean()) else place
