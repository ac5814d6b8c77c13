"""The building without what stands before it, and its upper parts that the picture cuts off."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numba
import numpy as np
import numpy.typing as npt

from falsework.plate.blurring import wide_blur
from falsework.plate.camera import Camera
from falsework.plate.exemplar import fill_exemplar
from falsework.plate.interpolation import bridge
from falsework.plate.plate import Facade, Image
from falsework.plate.sky import find_sky

__all__ = ["complete_facade"]

Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

ROOF = 7.0  # metres above the cornice that still belong to the house: roof, dormers, chimneys
SIDE = 0.6  # metres beside a facade that its texture takes in
THIN = 9  # pixels at 1920: up to here a gap is bridged straight across
ILLUMINATION = 0.9  # metres over which light and shade vary; texture is what varies faster
THREADS = 2  # at work on facades
LARGEST = 2400  # pixels: no rectified texture is larger


def complete_facade(
    picture: Image,
    occluder: Image,
    facades: tuple[Facade, ...],
    camera: Camera,
    matte: Image | None,
    *,
    pad_top: int,
) -> tuple[Image, Image]:
    """What falls: (facade (H + pad_top, W, 3), building (H + pad_top, W)).

    picture (H, W, 3) and occluder opacity (H, W) of the working plate; `matte` (H, W) says where the falling
    building, or what hides it, is seen (found from facades and sky if None). Row `pad_top` of the results is
    the picture's row 0. `facade` is the picture itself wherever `occluder` is 0: elsewhere the building is
    completed from its own bays and storeys. Above the frame it is carried on bay by bay.
    """
    height, width = picture.shape[:2]
    own = matte if matte is not None else find_building(picture, occluder, facades, camera)
    tall = replace(camera, height=height + pad_top, centre=(camera.centre[0], camera.centre[1] + pad_top))
    canvas = np.zeros((height + pad_top, width, 3), np.float32)
    canvas[pad_top:] = picture
    building = np.zeros((height + pad_top, width), np.float32)
    building[pad_top:] = own
    hidden = np.zeros(building.shape, bool)
    hidden[pad_top:] = (occluder > 0.0) & (own > 0.0)
    seen = np.zeros(building.shape, bool)
    seen[pad_top:] = occluder == 0.0
    belongs, sheets = _sheets(tall, facades)
    size = max(3, round(THIN * width / 1920) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    thick = cv2.dilate(
        cv2.morphologyEx(hidden.astype(np.uint8), cv2.MORPH_OPEN, kernel), np.ones((3, 3), np.uint8)
    )
    wide = hidden & (thick > 0)
    canvas = bridge(canvas, hidden & ~wide, usable=seen & (building > 0.5), reach=max(12, 2 * size))
    usable = (building > 0.95) & ~wide & (seen | hidden)
    parts = [belongs == number for number in range(len(sheets))]
    gaps = [wide & part for part in parts]
    with ThreadPoolExecutor(THREADS) as pool:  # a facade's texture is no other's
        hidden_parts = list(pool.map(partial(_hidden, canvas, usable), gaps, sheets))
        for gap, values in zip(gaps, hidden_parts, strict=True):
            canvas[gap] = values
        if pad_top:
            above = list(pool.map(partial(_above, canvas, building, pad_top), parts, sheets))
            for part, values in zip(parts, above, strict=True):
                canvas[:pad_top][part[:pad_top]] = values[:, :3]
                building[:pad_top][part[:pad_top]] = np.clip(values[:, 3], 0.0, 1.0)
    # what stands before the building can only add light: P - (1 - a) B is never negative
    veil = (1.0 - occluder)[..., None]
    canvas[pad_top:] = np.where(
        veil > 0.0, np.minimum(canvas[pad_top:], picture / np.maximum(veil, 1e-6)), canvas[pad_top:]
    )
    canvas[pad_top:][occluder == 0.0] = picture[occluder == 0.0]
    canvas[pad_top:][own == 0.0] = picture[own == 0.0]
    building[pad_top:] = own
    return canvas, building


def find_building(picture: Image, occluder: Image, facades: tuple[Facade, ...], camera: Camera) -> Image:
    """The falling building's matte (H, W): its facades and what rises above them before the sky."""
    height, width = picture.shape[:2]
    walls = np.zeros((height, width), np.float32)
    above = np.zeros((height, width), np.float32)
    for facade in facades:
        for area, low, high in ((walls, 0.0, facade.height), (above, facade.height, facade.height + ROOF)):
            corners = np.stack(
                [
                    facade.point(0.0, low),
                    facade.point(facade.width, low),
                    facade.point(facade.width, high),
                    facade.point(0.0, high),
                ]
            )
            pixels, depth = camera.project(corners)
            if (depth > 0).all():
                shape = np.round(np.clip(pixels, -30000, 30000) * 16).astype(np.int32)
                patch = np.zeros((height, width), np.uint8)
                cv2.fillPoly(patch, [shape], 255, lineType=cv2.LINE_AA, shift=4)
                np.maximum(area, patch.astype(np.float32) / 255.0, out=area)
    sky = find_sky(picture, camera, walls > 0.5) | (occluder > 0.9) & (walls < 0.5)
    solid = (above > 0.5) & ~sky
    joined = solid | (walls > 0.5)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    joined = cv2.morphologyEx(joined.astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0
    _, labels = cv2.connectedComponents((joined | (walls > 0.5)).astype(np.uint8))
    main = np.bincount(labels[walls > 0.5]).argmax() if (walls > 0.5).any() else 0
    roof = cv2.GaussianBlur(((labels == main) & (labels > 0)).astype(np.float32), (0, 0), 0.7)
    matte = np.maximum(walls, np.where(walls > 0.0, np.maximum(walls, 0.0), roof))
    return np.where(matte < 0.02, 0.0, np.where(matte > 0.98, 1.0, matte)).astype(np.float32)


@dataclass(frozen=True)
class _Sheet:
    """A facade's rectified texture: where its pixels lie in the picture, and the picture's in it.

    to_picture (3, 3) homography from the sheet's pixels to the picture's; size (width, height) in pixels;
    scale (x, y) pixels per metre; top metres at row 0.
    """

    facade: Facade
    to_picture: Array
    size: tuple[int, int]
    scale: tuple[float, float]
    top: float


def _sheets(camera: Camera, facades: tuple[Facade, ...]) -> tuple[npt.NDArray[np.int32], list[_Sheet]]:
    """Which facade's plane each pixel (H, W) looks through, and each facade's sheet."""
    axes = np.array([camera.rotation @ axis for f in facades for axis in (f.right, f.normal)])
    away = np.array([[(f.origin - camera.position) @ f.right, (f.origin - camera.position) @ f.normal]
                     for f in facades])  # fmt: skip
    belongs = _nearest_facade(
        camera.width,
        camera.height,
        camera.focal,
        camera.centre[0],
        camera.centre[1],
        axes.reshape(-1, 2, 3),
        away,
        np.array([facade.width for facade in facades]),
    )
    return belongs, [_sheet(camera, facade) for facade in facades]


@numba.njit(cache=True, nogil=True)
def _nearest_facade(width, height, focal, cx, cy, axes, away, widths):  # type: ignore[no-untyped-def]
    """Number (H, W) of the facade that a pixel's ray meets, or passes by the least metres, on its plane.

    axes (N, 2, 3): along each facade and its normal, in the camera's frame; away (N, 2): from the camera to
    its origin along both; widths (N,) in metres.
    """
    out = np.zeros((height, width), np.int32)
    for row in range(height):
        y = (row + 0.5 - cy) / focal
        for column in range(width):
            x = (column + 0.5 - cx) / focal
            least = np.inf
            for number in range(len(axes)):
                along, normal = axes[number, 0], axes[number, 1]
                facing = x * normal[0] + y * normal[1] + normal[2]
                if facing == 0.0:
                    continue
                reach = away[number, 1] / facing
                across = (x * along[0] + y * along[1] + along[2]) * reach - away[number, 0]
                outside = max(-across, across - widths[number], 0.0)
                if outside < least:
                    least = outside
                    out[row, column] = number
    return out


def _sheet(camera: Camera, facade: Facade) -> _Sheet:
    low, high = -0.8, facade.height + ROOF
    left, right = -SIDE, facade.width + SIDE
    metres = np.array([[left, high], [right, high], [right, low], [left, low]])
    pixels, _ = camera.project(np.stack([facade.point(u, v) for u, v in metres]))
    # full sharpness where the wall is nearest
    spots = np.array([[u, v] for u in (0.0, facade.width) for v in (0.2, 0.5 * facade.height, facade.height)])
    base, _ = camera.project(np.stack([facade.point(u, v) for u, v in spots]))
    across, _ = camera.project(np.stack([facade.point(u + 0.1, v) for u, v in spots]))
    up, _ = camera.project(np.stack([facade.point(u, v + 0.1) for u, v in spots]))
    wide = float(np.linalg.norm(across - base, axis=1).max()) * 10.0
    tall = float(np.linalg.norm(up - base, axis=1).max()) * 10.0
    wide = min(wide, LARGEST / (right - left))
    tall = min(tall, LARGEST / (high - low))
    size = (int(np.ceil((right - left) * wide)), int(np.ceil((high - low) * tall)))
    sheet = np.stack([(metres[:, 0] - left) * wide, (high - metres[:, 1]) * tall], axis=1)
    matrix = cv2.getPerspectiveTransform(sheet.astype(np.float32), pixels.astype(np.float32))
    return _Sheet(facade, np.asarray(matrix, dtype=np.float64), size, (wide, tall), high)


HALF = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])


def _rectify(values: Image, sheet: _Sheet) -> Image:
    """A picture resampled onto a sheet; zero outside the picture."""
    matrix = np.linalg.inv(HALF) @ sheet.to_picture @ HALF
    return np.asarray(
        cv2.warpPerspective(values, matrix, sheet.size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP),
        np.float32,
    )


def _on_sheet(sheet: _Sheet, rows: Indices, columns: Indices) -> tuple[Image, Image]:
    """Where (x, y) on a sheet the picture's pixels lie, from the middle of its first pixel."""
    to_sheet = np.linalg.inv(sheet.to_picture)
    across, down = columns + 0.5, rows + 0.5
    x, y, scale = (row[0] * across + row[1] * down + row[2] for row in to_sheet)
    return (x / scale - 0.5).astype(np.float32), (y / scale - 0.5).astype(np.float32)


def _sample(values: Image, x: Image, y: Image) -> Image:
    """Values (N, C) of a sheet's texture at places (N,) on it; zero beside the sheet."""
    found = np.empty((x.size, 1, values.shape[2]), np.float32)
    for start in range(0, x.size, 30000):  # OpenCV remaps at most 32767 rows
        part = slice(start, start + 30000)
        found[part] = cv2.remap(
            values,
            x[part, None],
            y[part, None],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=0.0,
        ).reshape(-1, 1, values.shape[2])
    return found[:, 0]


def _illumination(texture: Image, known: Mask, sheet: _Sheet) -> Image:
    """The light on a texture: its known tones averaged over about a metre, widened into the gaps."""
    height, width = known.shape
    shrink = 4
    sigma = ILLUMINATION * np.array(sheet.scale) / shrink
    size = (max(width // shrink, 1), max(height // shrink, 1))
    # colours weighted by what is known, and the weight with them
    weighted = np.concatenate([texture, np.ones((height, width, 1), np.float32)], axis=2)
    weighted[~known] = 0.0
    small = np.asarray(cv2.resize(weighted, size, interpolation=cv2.INTER_AREA), np.float32)
    total = np.zeros_like(small)
    total[..., 3] = 1e-6
    for factor, share in ((1.0, 1.0), (2.0, 0.03), (5.0, 1e-3), (14.0, 1e-5)):
        total += np.float32(share) * wide_blur(small, factor * sigma[0], factor * sigma[1])
    light = np.maximum(total[..., :3] / total[..., 3:], 1e-4)
    return np.asarray(cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _periods(detail: Image, known: Mask, sheet: _Sheet) -> list[tuple[int, int]]:
    """Shifts (rows, columns) in pixels at which a facade repeats: bays across and storeys up.

    Peaks of the masked autocorrelation along each axis, and their sums.
    """
    shrink = 4
    size = (max(known.shape[1] // shrink, 8), max(known.shape[0] // shrink, 8))
    mass = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    tone = cv2.resize(detail.mean(axis=2) * known, size, interpolation=cv2.INTER_AREA)
    tone = np.where(mass > 0.5, tone - tone[mass > 0.5].mean() if (mass > 0.5).any() else 0.0, 0.0)
    mass = (mass > 0.5).astype(np.float32)

    def peaks(axis: int, low: float, high: float) -> list[int]:
        length, other = tone.shape[axis], tone.shape[1 - axis]
        start, stop = max(2, int(low)), min(int(high), int(0.8 * length))
        score = np.full(stop + 1, -1.0)
        # laid out row after row along the axis, a shifted picture is one that starts later
        flat, own = (np.moveaxis(part, axis, 0).ravel().astype(np.float64) for part in (tone, mass))
        square = flat * flat
        for shift in range(start, stop + 1):
            later, first = np.s_[shift * other :], np.s_[: (length - shift) * other]
            shared = np.einsum("i,i->", own[later], own[first])
            power = np.sqrt(
                np.einsum("i,i->", square[later], own[first]) * np.einsum("i,i->", own[later], square[first])
            )
            if shared > 0.05 * (length - shift) * other and power > 0:
                score[shift] = np.einsum("i,i->", flat[later], flat[first]) / power
        found = [
            shift
            for shift in range(start + 1, stop)
            if score[shift] > 0.12 and score[shift] >= score[shift - 1] and score[shift] > score[shift + 1]
        ]
        return sorted(found, key=lambda shift: -score[shift])[:4]

    sx, sy = sheet.scale
    bays = [shrink * shift for shift in peaks(1, 1.6 * sx / shrink, 14.0 * sx / shrink)]
    storeys = [shrink * shift for shift in peaks(0, 2.4 * sy / shrink, 12.0 * sy / shrink)]
    across = [0] + [sign * shift for shift in bays for sign in (1, -1)]
    up = [0] + [sign * shift for shift in storeys for sign in (1, -1)]
    return [(dy, dx) for dy in up for dx in across if dy or dx]


def _hidden(canvas: Image, usable_there: Mask, wide: Mask, sheet: _Sheet) -> Image:
    """Colours (N, 3) of what broad occluders hide of one facade (N pixels of `wide`), completed in its
    rectified texture."""
    if not wide.any():
        return np.zeros((0, 3), np.float32)
    texture = _rectify(canvas, sheet)
    usable = _rectify(usable_there.astype(np.float32), sheet) > 0.98
    gap = _rectify(wide.astype(np.float32), sheet) > 0.001
    usable &= ~gap
    if not usable.any():
        return canvas[wide]
    light = _illumination(texture, usable, sheet)
    detail = np.sqrt(np.clip(texture / light, 0.0, 6.0)).astype(np.float32)
    # what is neither gap nor source (sky, neighbours, cables) must not steer the patches
    void = ~usable & ~gap
    hole = gap | void & _near(gap, 12)
    filled = fill_exemplar(detail, hole, usable, _shifts(detail, usable, sheet), unit=0.3 * min(sheet.scale))
    result = filled**2 * light
    return _sample(np.asarray(result, np.float32), *_on_sheet(sheet, *np.nonzero(wide)))


def _shifts(detail: Image, known: Mask, sheet: _Sheet) -> list[tuple[int, int]]:
    """Shifts (rows, columns) worth trying: bays and storeys, and short ways along and up the wall, since
    pillars, doors and panes go straight on."""
    near = [
        (
            round(sign * metres * sheet.scale[axis]) if axis else 0,
            0 if axis else round(sign * metres * sheet.scale[0]),
        )
        for axis in (0, 1)
        for metres in (0.3, 0.5, 0.75, 1.0, 1.3, 1.7, 2.1, 2.6)
        for sign in (-1, 1)
    ]
    return near + _periods(detail, known, sheet)


def _near(mask: Mask, distance: int) -> Mask:
    size = 2 * distance + 1
    result: Mask = cv2.dilate(mask.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    return result


def _above(canvas: Image, building: Image, pad_top: int, mine: Mask, sheet: _Sheet) -> Image:
    """Colours and matte (N, 4) of a facade and its roof above the frame (`mine` of `pad_top` rows), carried
    on from the bays that are seen whole."""
    rows, columns = np.nonzero(mine[:pad_top])
    if not rows.size:
        return np.zeros((0, 4), np.float32)
    texture = _rectify(canvas, sheet)
    inside = np.zeros(building.shape, np.float32)
    inside[pad_top:] = 1.0
    inframe = _rectify(inside * mine, sheet) > 0.999
    solid = _rectify(building, sheet)
    light = _illumination(texture, inframe & (solid > 0.9), sheet)
    detail = np.where((solid > 0.5)[..., None], texture / light, np.float32(1.0))
    shifts = sorted({abs(dx) for dy, dx in _periods(detail, inframe & (solid > 0.9), sheet) if dy == 0})
    bay = shifts[0] if shifts else max(8, round(3.0 * sheet.scale[0]))
    x, y = _on_sheet(sheet, rows, columns)
    height, width = (
        min(sheet.size[1], max(int(y.max()) + 2, 1)),
        sheet.size[0],
    )  # further down nothing is asked
    inframe, solid = inframe[:height], solid[:height]
    source_x = np.where(inframe, np.arange(width, dtype=np.int32), np.int32(-1))
    for step in range(1, width // bay + 2):
        for sign in (-1, 1):
            shift = sign * step * bay
            to = np.s_[:, max(-shift, 0) : max(width - max(shift, 0), 0)]
            of = np.s_[:, max(shift, 0) : max(width - max(-shift, 0), 0)]
            take = inframe[of] & (source_x[to] < 0)
            source_x[to][take] = np.broadcast_to(np.arange(width, dtype=np.int32), (height, width))[of][take]
    # what no bay shows is above every roof that is seen, or the roof goes on as high as it is seen
    lost = source_x < 0
    row_of = np.arange(height)[:, None]
    use = np.where(lost, np.arange(width, dtype=np.int32), source_x)
    carried = np.empty((height, width, 4), np.float32)
    carried[..., :3] = detail[row_of, use] * light[:height]
    carried[..., 3] = np.where(lost, np.float32(0.0), solid[row_of, use])
    return _sample(carried, x, y)
