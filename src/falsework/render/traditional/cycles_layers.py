"""From Cycles' passes to the layers that comp works with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from falsework.collapse.motion import Motion
from falsework.media.exr import read_exr
from falsework.plate.camera import Camera
from falsework.plate.plate import Plate
from falsework.render.cryptomatte import RANKS

__all__ = ["Passes", "Rest", "crypto_of", "light_of", "pixel_motion", "read_passes", "with_standing"]

Float = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Passes = dict[str, Float]

FLAT = 0.5  # albedo of the plaster that tells the light (in_blender/cycles_materials.py)
CROSS = np.ones((3, 3), np.uint8)


def read_passes(path: Path) -> Passes:
    """Passes of one multi-layer EXR by name: (H, W) or (H, W, channels), each in its channels' usual
    order."""
    channels: Mapping[str, npt.NDArray[Any]] = read_exr(path)[0]
    grouped: dict[str, dict[str, npt.NDArray[Any]]] = {}
    for name, pixels in channels.items():
        head, _, last = name.rpartition(".")
        grouped.setdefault(head.removeprefix("layer."), {})[last] = pixels
    passes: Passes = {}
    for name, parts in grouped.items():
        order = sorted(parts, key=lambda part: ("RGBAXYZVrgba".find(part), part))
        stacked = np.stack([parts[part] for part in order], axis=-1).astype(np.float32)
        passes[name] = stacked[..., 0] if len(order) == 1 else stacked
    return passes


def crypto_of(passes: Passes) -> Float:
    """(H, W, 2 * RANKS) pairs of id and coverage."""
    levels = [passes[f"CryptoObject{number:02d}"] for number in range((RANKS + 1) // 2)]
    return np.ascontiguousarray(np.concatenate(levels, axis=-1)[..., : 2 * RANKS])


def with_standing(crypto: Float, ids: Float, held: Float) -> Float:
    """Cryptomatte (H, W, 2 * RANKS) with what stands, which Cycles leaves out as it holds it out.

    ids (H, W) of what stands at each pixel, 0: nothing; held (H, W) its coverage. It takes the place of the
    least rank where all are taken; ranks go by coverage, as Cryptomatte wants them.
    """
    known, share = crypto[..., 0::2].copy(), crypto[..., 1::2].copy()
    rows, columns = np.nonzero((held > 0) & (ids != 0))
    who, much = ids[rows, columns], held[rows, columns]
    ours, shares = known[rows, columns], share[rows, columns]
    same = (ours == who[:, None]) & (shares > 0)
    rank = np.where(same.any(1), same.argmax(1), shares.argmin(1))
    every = np.arange(len(rows))
    sits = same[every, rank]
    wins = sits | (much > shares[every, rank])
    every, rank = every[wins], rank[wins]
    shares[every, rank] = much[wins] + np.where(sits[wins], shares[every, rank], 0.0)
    ours[every, rank] = who[wins]
    order = np.argsort(-shares, axis=1, kind="stable")
    known[rows, columns] = np.take_along_axis(ours, order, axis=1)
    share[rows, columns] = np.take_along_axis(shares, order, axis=1)
    return np.stack([known, share], axis=-1).reshape(crypto.shape)


class Rest:
    """What each pixel shows of the building at rest, as `render.standing.Standing` has it.

    belongs (H, W) pixels that are the building's for as long as it stands; matte (H, W) pixels the plate
    shows it at; nearest (H, W) the fragment whose going makes a pixel go; far (H, W) farthest depth around
    each pixel
    """

    def __init__(self, plate: Plate, number: Float, depth: Float) -> None:
        """From numbers of fragments + 1 (0: none) and depths, (H, W), at the pixels' centres."""
        self.matte: Mask = plate.building[plate.pad_top :] > 0
        objects = np.rint(number).astype(np.int32) - 1
        seen = objects >= 0
        # The clean plate is painted a little beyond the matte; until the house goes, that rim is the plate.
        painted = np.any(plate.clean != plate.picture, axis=2)
        self.belongs: Mask = self.matte | seen | painted
        farthest = cv2.dilate(np.where(seen, depth, 0.0).astype(np.float32), CROSS)
        self.far: Float = (farthest * 1.0005 + 0.03 * (farthest > 0)).astype(np.float32)
        self.nearest = objects
        if seen.any():
            _, label = cv2.distanceTransformWithLabels(
                (~seen).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
            )
            where = np.zeros(int(label.max()) + 1, np.int32)
            where[label[seen]] = np.flatnonzero(seen)
            self.nearest = objects.reshape(-1)[where[label]]

    def stand(self, moving: Mask) -> Mask:
        """(H, W): what stood nearest stands."""
        gone = np.append(moving, False)[self.nearest] & self.belongs
        stands: Mask = self.belongs & ~gone & (self.nearest >= 0)
        return stands


def light_of(passes: Passes) -> Float:
    """Irradiance (h, w, 3) from the radiance of plaster."""
    return np.maximum(passes["Combined"][..., :3], 0.0) * np.float32(np.pi / FLAT)


def pixel_motion(
    camera: Camera,
    motion: Motion,
    number: npt.NDArray[np.int64],
    depth: Float,
    index: int,
    corner: tuple[int, int],
    chip_ways: Float | None,
) -> Float:
    """(h, w, 2) pixels to the next frame, from the poses of what is seen at each pixel's centre.

    number     (h, w) fragment + 1, chips after the fragments, 0 for neither;  depth (h, w) metres
    corner     x, y of the first pixel in the whole picture
    chip_ways  (chips shown, 3) metres to the next frame
    """
    following = min(index + 1, motion.frames - 1)
    count = motion.position.shape[1]
    way = np.zeros((*number.shape, 2), np.float32)
    rows, columns = np.nonzero(number > 0)
    who = number[rows, columns] - 1
    pixels = np.stack([columns + corner[0], rows + corner[1]], axis=-1) + 0.5
    place = camera.position + camera.rays(pixels) * depth[rows, columns][:, None]
    is_chip = who >= count
    there = place.copy()
    solid = np.flatnonzero(~is_chip)
    body = who[solid]
    local = _turned(motion.rotation[index, body], place[solid] - motion.position[index, body], back=True)
    there[solid] = _turned(motion.rotation[following, body], local) + motion.position[following, body]
    if chip_ways is not None and is_chip.any():
        there[is_chip] += chip_ways[np.clip(who[is_chip] - count, 0, len(chip_ways) - 1)]
    way[rows, columns] = camera.project(there)[0] - camera.project(place)[0]
    return way


def _turned(q: Float, v: npt.NDArray[Any], *, back: bool = False) -> npt.NDArray[Any]:
    """Vectors (n, 3) turned by quaternions (n, 4) x, y, z, w."""
    axis = -q[:, :3] if back else q[:, :3]
    return np.asarray(v + 2 * np.cross(axis, np.cross(axis, v) + q[:, 3:] * v))
