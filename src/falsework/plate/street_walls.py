"""The neighbours' street walls where the falling building stood before them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from falsework.plate.camera import Camera
from falsework.plate.exemplar import fill_exemplar
from falsework.plate.facades import Neighbour
from falsework.plate.plate import Image
from falsework.plate.set_walls import UP, centred

__all__ = ["show_street_walls"]

Mask = npt.NDArray[np.bool_]

LARGEST = 1600  # pixels along an edge of a rectified wall
SLIVER = (
    8  # pixels at 1920: what is hidden over less than this is its neighbourhood's edge, not a wall's part
)
LEAST_SEEN = 0.3  # of a wall, to know how it goes on
UNIT = 24.0  # pixels at 1920: size of stones and frames


def show_street_walls(
    canvas: Image,
    picture: Image,
    near: Mask,
    occluder: Image,
    camera: Camera,
    neighbours: Sequence[Neighbour],
) -> None:
    """Paint into `canvas` (H, W, 3), where `near` (H, W), the parts of street walls that nobody could see.

    A terrace or a porch of the building that falls may hide a neighbour's wall: it goes on there as the rest
    of it looks in `picture` (H, W, 3), in its own plane. Occluder opacity (H, W) says what is not the wall.
    """
    for neighbour in neighbours:
        _show(canvas, picture, near, occluder, camera, neighbour)


def _show(
    canvas: Image, picture: Image, near: Mask, occluder: Image, camera: Camera, neighbour: Neighbour
) -> None:
    height, width = near.shape
    along, up = neighbour.right * neighbour.width, UP * neighbour.height
    corners = neighbour.origin + np.array([up, along + up, along, 0 * up])
    pixels, depth = camera.project(corners)
    if (depth <= 0).any() or not np.isfinite(pixels).all():
        return
    inside = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(inside, np.round(pixels * 16).astype(np.int32), 1, shift=4)
    hidden = near & (inside > 0)
    scale = width / 1920
    if not cv2.erode(hidden.astype(np.uint8), np.ones((1, max(round(SLIVER * scale), 3)), np.uint8)).any():
        return
    size = np.array([np.linalg.norm(pixels[1] - pixels[0]), np.linalg.norm(pixels[3] - pixels[0])])
    size = np.ceil(size * min(1.0, LARGEST / size.max())).astype(int)
    flat = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], np.float32)
    matrix = np.asarray(cv2.getPerspectiveTransform(pixels.astype(np.float32), flat), np.float64)

    def rectified(values: Image) -> Image:
        drawn = cv2.warpPerspective(values, centred(matrix), size.tolist(), flags=cv2.INTER_AREA)
        return np.asarray(drawn, np.float32)

    gap = rectified(hidden.astype(np.float32)) > 0.001
    there = rectified(np.ones((height, width), np.float32)) > 0.999
    usable = there & ~gap & (rectified(occluder) < 0.02)
    if usable.mean() < LEAST_SEEN:
        return
    steps = np.unique(np.linspace(0.06, 0.9, 24) * size[0]).astype(int)
    shifts = [(0, sign * int(step)) for step in steps for sign in (1, -1)]
    filled = fill_exemplar(
        np.sqrt(rectified(picture)), gap | ~usable & ~there, usable, shifts, unit=UNIT * scale
    )
    low = np.maximum(np.floor(pixels.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(pixels.max(axis=0)).astype(int) + 1, [width, height])
    part = np.s_[low[1] : high[1], low[0] : high[0]]
    back = np.linalg.inv(matrix)
    back = np.array([[1.0, 0.0, -low[0]], [0.0, 1.0, -low[1]], [0.0, 0.0, 1.0]]) @ back
    drawn = cv2.warpPerspective(
        np.ascontiguousarray(filled**2), centred(back), (high - low).tolist(),
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    canvas[part] = np.where(hidden[part][..., None], drawn, canvas[part])
