"""The building before anything falls, and the light left on it, on the set and on the ground."""

from __future__ import annotations

from typing import Any

import cv2
import moderngl
import numpy as np
import numpy.typing as npt

from falsework.building.fragments import Fragments
from falsework.plate.plate import Plate
from falsework.render.context import FullScreen, shader, texture_2d
from falsework.render.shadows import BRIGHTEST, surface_normals
from falsework.render.targets import Targets, read_picture

__all__ = ["SetShade", "Standing"]

Float = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

RIM = 3  # pixels around the building, as far as its neighbouring pixels are looked at
CROSS = np.ones((3, 3), np.uint8)


class Standing:
    """What each pixel shows of the building at rest, kept for the part of the picture that it takes up.

    part     that part of the picture, as (rows, columns)
    belongs  pixels (h, w) of the part that are the building's for as long as it stands
    matte    pixels (h, w) of the part that the plate shows the building at
    depth    (h, w) metres, 0 where the model does not reach
    normal   (h, w, 3) world
    state    texture of the whole picture, red: nothing seen here at rest has moved; green: what stood
             nearest is at rest
    far, filled_depth, filled_normal  textures of the part: farthest depth around each pixel, and depth and
             normal of what stands nearest in the picture
    """

    def __init__(
        self,
        context: moderngl.Context,
        plate: Plate,
        fragments: Fragments,
        faces: npt.NDArray[np.uint32],
        depth: Float,
    ) -> None:
        """From the picture of the building at rest: face numbers + 1 (H, W), 0 for none, and depths."""
        matte = plate.building[plate.pad_top :] > 0
        # The clean plate is painted a little beyond the matte; until the house goes, that rim is the plate.
        painted = np.any(plate.clean != plate.picture, axis=2)
        belongs = matte | (faces > 0) | painted
        self.part = part = _part(belongs)
        self.corner = (part[1].start, part[0].start)
        self.belongs, self.matte = belongs[part].copy(), matte[part].copy()
        self.depth = depth = np.ascontiguousarray(depth[part])
        faces = np.ascontiguousarray(faces[part])
        objects = np.where(faces > 0, fragments.face_fragment[np.maximum(faces, 1) - 1], -1).astype(np.int32)
        a, b, c = (fragments.vertices[fragments.faces[:, side]] for side in range(3))
        across = np.cross(b - a, c - a)
        across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-12)
        normal = across.astype(np.float16)[np.maximum(faces, 1) - 1]
        farthest = cv2.dilate(depth, CROSS)
        self.far = texture_2d(context, (farthest * 1.0005 + 0.03 * (farthest > 0)).astype(np.float32))
        # The model never fits the matte to the pixel: what lies between goes with the fragment nearest to it.
        cover = objects >= 0
        if cover.any():
            _, label = cv2.distanceTransformWithLabels(
                (~cover).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
            )
            where = np.zeros(int(label.max()) + 1, np.int32)
            where[label[cover]] = np.flatnonzero(cover)
            source = where[label]
            objects = objects.reshape(-1)[source]
            depth = depth.reshape(-1)[source]
            normal = normal.reshape(-1, 3)[source]
        self._nearest = objects
        self.normal = normal
        self.filled_depth = texture_2d(context, depth)
        self.filled_normal = texture_2d(context, normal)
        camera = plate.camera
        self.state = context.texture((camera.width, camera.height), 2, dtype="f1")
        self.state.filter = (moderngl.NEAREST, moderngl.NEAREST)
        untouched = np.zeros((camera.height, camera.width, 2), np.uint8)
        untouched[..., 0] = 255
        self.state.write(untouched)

    def stand(self, moving: Mask) -> Mask:
        """Say which pixels nothing has touched, and where what stood nearest stands ((h, w), returned)."""
        gone = np.append(moving, False)[self._nearest] & self.belongs
        near = cv2.dilate(gone.astype(np.uint8), CROSS) > 0
        stands: Mask = self.belongs & ~gone & (self._nearest >= 0)
        both = np.stack([~near, stands], axis=-1).astype(np.uint8) * 255
        height, width = stands.shape
        self.state.write(both, viewport=(*self.corner, width, height), alignment=1)
        return stands


def _part(belongs: Mask) -> tuple[slice, slice]:
    """The rectangle (rows, columns) that holds all of a mask and its rim; a single pixel for an empty one."""
    parts = []
    for axis in (1, 0):
        where = np.flatnonzero(belongs.any(axis=axis))
        low, high = (int(where[0]), int(where[-1]) + 1) if len(where) else (0, 1)
        parts.append(slice(max(low - RIM, 0), min(high + RIM, belongs.shape[1 - axis])))
    return parts[0], parts[1]


class SetShade:
    """How much of its light is left to what plate and clean plate show."""

    def __init__(self, context: moderngl.Context, plate: Plate, standing: Standing, targets: Targets) -> None:
        self._context, self._standing, self._targets = context, standing, targets
        self._light = FullScreen(context, shader("setlight.frag"))
        self._left = FullScreen(context, shader("shadow.frag"))
        self.clean_depth = np.where(np.isfinite(plate.clean_depth), plate.clean_depth, 0.0).astype(np.float32)
        normal = surface_normals(plate.camera, plate.clean_depth, np.float16)
        self._textures: dict[str, Any] = {
            "clean_depth": texture_2d(context, self.clean_depth),
            "clean_normal": texture_2d(context, normal),
            "rest_depth": standing.filled_depth,
            "rest_normal": standing.filled_normal,
        }

    def remember(self, rest: dict[str, Any], bare: dict[str, Any], values: dict[str, Any]) -> None:
        """Take the light with the building standing (`rest`) and without it (`bare`) for the plate's."""
        part, corner = self._standing.part, self._standing.corner
        lit = self._light_on("rest", corner, rest, values)[part]
        self._textures["rest_light"] = texture_2d(self._context, lit)
        on_clean = self._light_on("clean", (0, 0), rest, values)
        # What the building hid was never in its shade as far as the clean plate's pixels go.
        where = self._standing.matte
        on_clean[part][where] = self._light_on("clean", (0, 0), bare, values)[part][where]
        self._textures["clean_light"] = texture_2d(self._context, on_clean)

    def draw(self, light: dict[str, Any], values: dict[str, Any]) -> Float:
        """`Layers.shadow` under the present light."""
        self._begin()
        self._left(
            light | self._textures | {"standing": self._standing.state},
            **values,
            brightest=BRIGHTEST,
            rest_corner=self._standing.corner,
        )
        return self._read()

    def _light_on(
        self, name: str, corner: tuple[int, int], light: dict[str, Any], values: dict[str, Any]
    ) -> Float:
        self._begin()
        surface = {
            "surface_depth": self._textures[f"{name}_depth"],
            "surface_normal": self._textures[f"{name}_normal"],
        }
        self._light(light | surface, **values, corner=corner)
        return self._read()

    def _begin(self) -> None:
        self._targets.full_frame.use()
        self._context.viewport = (0, 0, *self._targets.size)
        self._context.enable_only(0)

    def _read(self) -> Float:
        return np.ascontiguousarray(read_picture(self._targets.full)[..., :3])
