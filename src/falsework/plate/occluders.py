"""What stands before the building: opacity and depth from matte pictures, boxes with strokes, and lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.plate.camera import Camera
from falsework.plate.depths import nearest_depth
from falsework.plate.lines import line_opacity
from falsework.plate.plate import Facade, Image
from falsework.plate.settings import OccluderSettings

__all__ = ["facade_depth", "grab", "guided_filter", "make_occluders"]

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
ToWorking = Callable[[Array], Array]

GRABCUT_EDGE = 420  # pixels: GrabCut runs on at most this size, its edge is refined at full resolution
BEFORE_FACADE = 0.96  # of the facade's depth: where something hangs whose foot is not seen


def make_occluders(
    picture: Image,
    settings: Sequence[OccluderSettings],
    to_working: ToWorking,
    camera: Camera,
    facades: tuple[Facade, ...],
    read_matte: Callable[[str, str], Image],
) -> tuple[Image, Image]:
    """Opacity (H, W) 0..1 and depth (H, W) in metres (infinite where nothing stands) of all occluders.

    picture (H, W, 3) is the working plate, linear; `to_working` maps the file's pixels (N, 2) to working
    pixels; `read_matte` gives the matte of a file's name, which faults say stands at a place in the shot, as
    (H, W) in the working frame. Where occluders overlap, the more opaque one gives the depth.
    """
    height, width = picture.shape[:2]
    clear = np.ones((height, width), np.float32)
    strongest = np.zeros((height, width), np.float32)
    depth = np.full((height, width), np.inf, np.float32)
    wall = facade_depth(camera, facades)
    for number, entry in enumerate(settings):
        where = f"shot.toml [[occluders]] {number + 1} ({entry.name})"
        hangs = False
        if entry.file:
            opacity = np.clip(read_matte(entry.file, f"{where} file"), 0.0, 1.0)
        elif entry.line:
            if len(entry.line) < 2:
                raise FalseworkError(
                    "a line needs two points or more", where=f"{where} line", todo="Add a point."
                )
            scale = _scale(to_working, np.asarray(entry.line, dtype=np.float64))
            opacity = line_opacity(
                picture, to_working(np.asarray(entry.line, dtype=np.float64)), entry.line_width * scale
            )
            hangs = True
        elif entry.box is not None or entry.keep:
            opacity = _from_strokes(picture, entry, to_working, where)
        else:
            raise FalseworkError(
                "nothing says where this occluder is",
                where=where,
                todo="Give it a file, a box, keep strokes or a line.",
            )
        if entry.depth == "auto":
            own = _auto_depth(opacity, camera, wall, hangs=hangs)
        else:
            own = np.full((height, width), entry.depth, np.float32)
        nearest = opacity > strongest
        depth[nearest] = own[nearest]
        strongest = np.maximum(strongest, opacity)
        clear *= 1.0 - opacity
    total = (1.0 - clear).astype(np.float32)
    total[total < 1.0 / 255.0] = 0.0
    total[total > 1.0 - 1.0 / 255.0] = 1.0
    depth[total == 0.0] = np.inf
    return total, depth


def facade_depth(camera: Camera, facades: tuple[Facade, ...]) -> Image:
    """Depth (H, W) of the nearest facade along the optical axis in metres, infinite beside the facades."""
    return nearest_depth(
        camera,
        np.array([facade.origin for facade in facades]).reshape(-1, 3),
        np.array([facade.right for facade in facades]).reshape(-1, 3),
        np.array([(facade.width, -0.5, facade.height) for facade in facades]).reshape(-1, 3),
        least=0.0,
        ground=False,
    )


def _scale(to_working: ToWorking, points: Array) -> float:
    """Working pixels per file pixel about some points."""
    centre = points.mean(axis=0)
    ends = to_working(centre + np.array([[-2.0, 0.0], [2.0, 0.0]]))
    return float(np.linalg.norm(ends[1] - ends[0]) / 4.0)


def _auto_depth(opacity: Image, camera: Camera, wall: Image, *, hangs: bool) -> Image:
    """Each connected part stands where its foot meets the ground, or hangs a little before the facade."""
    depth = np.full(opacity.shape, np.inf, np.float32)
    core = opacity > 0.02
    if not core.any():
        return depth
    known = wall[core & np.isfinite(wall)]
    fallback = float(np.median(known)) if known.size else 20.0
    count, labels = cv2.connectedComponents(core.astype(np.uint8), connectivity=8)
    if hangs:
        count, labels = 2, core.astype(np.int32)
    for label in range(1, count):
        part = labels == label
        over = part & np.isfinite(wall)
        limit = float(np.percentile(wall[over], 5)) if over.any() else fallback
        reach = BEFORE_FACADE * limit
        rows, columns = np.nonzero(part & (opacity > 0.5)) if not hangs else (np.empty(0), np.empty(0))
        if rows.size:
            foot = rows.max()
            across = float(np.median(columns[rows >= foot - 2]))
            ray = camera.rays(np.array([[across + 0.5, foot + 1.0]]))[0]
            if ray[2] < -1e-6:
                reach = min(float(-camera.position[2] / ray[2]), reach if over.any() else np.inf)
        depth[part] = reach
    return depth


def _from_strokes(picture: Image, entry: OccluderSettings, to_working: ToWorking, where: str) -> Image:
    height, width = picture.shape[:2]
    strokes = [to_working(np.asarray(stroke, dtype=np.float64)) for stroke in (*entry.keep, *entry.drop)]
    keep, drop = strokes[: len(entry.keep)], strokes[len(entry.keep) :]
    if entry.box is not None:
        x, y, w, h = entry.box
        corners = to_working(np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], dtype=np.float64))
    else:
        points = np.concatenate(keep)
        margin = 0.25 * float(np.ptp(points, axis=0).max()) + 8.0
        corners = np.stack([points.min(axis=0) - margin, points.max(axis=0) + margin])
    left, top = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)), [width, height]).astype(int)
    if right - left < 4 or bottom - top < 4:
        raise FalseworkError(
            "the box lies outside the plate", where=f"{where} box", todo="Move it over the plate."
        )
    return grab(picture, (int(left), int(top), int(right), int(bottom)), keep, drop)


def grab(
    picture: Image, box: tuple[int, int, int, int], keep: Sequence[Array] = (), drop: Sequence[Array] = ()
) -> Image:
    """Opacity (H, W) of the object in a box (left, top, right, bottom), with strokes on and beside it.

    GrabCut (Rother et al. 2004) finds the object at a moderate size; its edge is then drawn at full
    resolution along the picture's own edges by a guided filter (He et al. 2010).
    """
    height, width = picture.shape[:2]
    left, top, right, bottom = box
    pad = max(16, (right - left) // 4, (bottom - top) // 4)
    x0, y0, x1, y1 = max(left - pad, 0), max(top - pad, 0), min(right + pad, width), min(bottom + pad, height)
    crop = _display(picture[y0:y1, x0:x1])
    scale = min(1.0, GRABCUT_EDGE / max(crop.shape[:2]))
    small = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    mask = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    a, b = np.round(np.array([left - x0, top - y0]) * scale).astype(int)
    c, d = np.round(np.array([right - x0, bottom - y0]) * scale).astype(int)
    mask[b:d, a:c] = cv2.GC_PR_FGD
    for strokes, value in ((keep, cv2.GC_FGD), (drop, cv2.GC_BGD)):
        for stroke in strokes:
            line = np.round((stroke - [x0, y0]) * scale).astype(np.int32)
            cv2.polylines(mask, [line.reshape(-1, 1, 2)], False, int(value), max(1, round(4 * scale)))
    if not (mask == cv2.GC_BGD).any():
        mask[0, :] = cv2.GC_BGD
    cv2.setRNGSeed(1)  # its mixtures start from OpenCV's own generator
    whole = (0, 0, small.shape[1], small.shape[0])  # not looked at when a mask is given
    cv2.grabCut(small, mask, whole, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_MASK)
    solid = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.float32)
    full = cv2.resize(solid, (crop.shape[1], crop.shape[0]), interpolation=cv2.INTER_LINEAR)
    opacity = np.zeros((height, width), np.float32)
    opacity[y0:y1, x0:x1] = refine_edge(crop, full, radius=max(3, round(1.5 / scale)))
    return opacity


def refine_edge(crop: npt.NDArray[np.uint8], matte: Image, *, radius: int) -> Image:
    """A matte whose edge follows the picture's within `radius` pixels; solid inside, nothing outside."""
    guide = np.asarray(crop, np.float32) / np.float32(255.0)
    soft = guided_filter(guide, matte, radius=radius, epsilon=2e-4)
    soft = np.clip((soft - 0.12) / 0.76, 0.0, 1.0)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    inner = cv2.erode(matte, kernel, borderType=cv2.BORDER_REPLICATE)
    outer = cv2.dilate(matte, kernel)
    bounded = np.minimum(np.maximum(soft, inner > 0.99), outer)
    return np.asarray(np.clip(bounded, 0.0, 1.0), np.float32)


def guided_filter(guide: Image, values: Image, *, radius: int, epsilon: float) -> Image:
    """He et al. 2010, colour guide (H, W, 3), values (H, W)."""
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(image: Image) -> Image:
        return np.asarray(cv2.boxFilter(image, -1, size, borderType=cv2.BORDER_REFLECT), np.float32)

    average = mean(guide)
    level = mean(values)
    covariance = mean(guide * values[..., None]) - average * level[..., None]
    second = np.empty((*values.shape, 3, 3), np.float32)
    for i in range(3):
        for j in range(i, 3):
            entry = (
                mean(np.asarray(guide[..., i] * guide[..., j], np.float32))
                - average[..., i] * average[..., j]
            )
            second[..., i, j] = second[..., j, i] = entry
        second[..., i, i] += epsilon
    slope = np.linalg.solve(second, covariance[..., None])[..., 0]
    offset = level - (slope * average).sum(axis=2)
    return np.asarray(
        (mean(np.asarray(slope, np.float32)) * guide).sum(axis=2) + mean(np.asarray(offset, np.float32)),
        np.float32,
    )


def _display(picture: Image) -> npt.NDArray[np.uint8]:
    """Linear to 8 bits with a square root, exposed to fill the range: what edges are judged on."""
    top = max(float(np.percentile(picture, 99)), 1e-6)
    return np.asarray(255.0 * np.sqrt(np.clip(picture / top, 0.0, 1.0)) + 0.5, np.uint8)
