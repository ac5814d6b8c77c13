"""Lens distortion, both ways."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["Lens"]

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]

STRIP = 512  # rows bent at a time, so that the maps of a large picture stay small
COARSE = 8  # the maps are smooth: solved on every eighth pixel, bilinear between (error below 0.01 px)


@dataclass(frozen=True)
class Lens:
    """Distortion of the delivered picture against an ideal pinhole.

    model         "none", "brown" (OpenCV k1, k2, p1, p2, k3) or "fisheye" (OpenCV/Kannala-Brandt k1..k4)
    coefficients  the model's numbers
    focal, centre of the distorted picture, pixels at delivery resolution. `focal` is the model's own scale;
                  the camera's solved focal length may differ from it
    width, height of the distorted (delivered) picture, pixels

    The working picture (what the camera and every stage see) is the undistorted plane, large enough to cover
    every delivered pixel:

    working_focal   pixels; how many working pixels the plane at distance 1 has
    working_centre  the optical axis in the working picture, pixels
    working_size    its width and height

    Without a model the working picture is the delivered one. Pixels are (x, y), centres at integers + 0.5.
    """

    model: str
    coefficients: tuple[float, ...]
    focal: float
    centre: tuple[float, float]
    width: int
    height: int
    working_focal: float = 0.0
    working_centre: tuple[float, float] = (0.0, 0.0)
    working_size: tuple[int, int] = (0, 0)

    @property
    def bends(self) -> bool:
        return self.model != "none"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the working picture."""
        return self.working_size if self.bends else (self.width, self.height)

    def to_delivered(self, pixels: npt.ArrayLike) -> Array:
        """Working pixels (..., 2) to delivered pixels (..., 2)."""
        pixels = np.asarray(pixels, dtype=np.float64)
        if not self.bends:
            return pixels.copy()
        return self.distort((pixels - np.asarray(self.working_centre)) / self.working_focal)

    def to_working(self, pixels: npt.ArrayLike) -> Array:
        """Delivered pixels (..., 2) to working pixels (..., 2)."""
        pixels = np.asarray(pixels, dtype=np.float64)
        if not self.bends:
            return pixels.copy()
        return np.asarray(self.undistort(pixels) * self.working_focal + np.asarray(self.working_centre))

    def distort(self, plane: Array) -> Array:
        """Points (..., 2) of the ideal plane at distance 1 to delivered pixels."""
        return np.asarray(self._distort_plane(plane) * self.focal + np.asarray(self.centre))

    def undistort(self, pixels: Array) -> Array:
        """Delivered pixels (..., 2) to points of the ideal plane at distance 1.

        Radially by Newton's method; "brown" with tangential terms by fixed-point steps around it.
        """
        target = (pixels - np.asarray(self.centre)) / self.focal
        if self.model == "fisheye":
            angle_seen = np.hypot(target[..., 0], target[..., 1])
            angle = angle_seen.copy()
            for _ in range(20):
                value, slope = self._fisheye_angle(angle)
                angle = np.clip(angle - (value - angle_seen) / np.maximum(slope, 0.05), 0.0, 1.55)
            scale = np.where(angle_seen > 1e-9, np.tan(angle) / np.maximum(angle_seen, 1e-9), 1.0)
            return np.asarray(target * scale[..., None])
        plane = target.copy()
        for _ in range(60):
            plane += target - self._distort_plane(plane)
            plane = np.clip(plane, -8.0, 8.0)
        return np.asarray(plane)

    def _fisheye_angle(self, angle: Array) -> tuple[Array, Array]:
        """The distorted angle and its derivative (Kannala and Brandt 2006)."""
        k = (*self.coefficients, 0.0, 0.0, 0.0, 0.0)[:4]
        t = angle * angle
        value = angle * (1 + t * (k[0] + t * (k[1] + t * (k[2] + t * k[3]))))
        slope = 1 + t * (3 * k[0] + t * (5 * k[1] + t * (7 * k[2] + t * 9 * k[3])))
        return value, slope

    def _distort_plane(self, plane: Array) -> Array:
        x, y = plane[..., 0], plane[..., 1]
        if self.model == "fisheye":
            radius = np.hypot(x, y)
            angle, _ = self._fisheye_angle(np.arctan(radius))
            return np.asarray(
                plane * np.where(radius > 1e-9, angle / np.maximum(radius, 1e-9), 1.0)[..., None]
            )
        k1, k2, p1, p2, k3 = (*self.coefficients, 0.0, 0.0, 0.0, 0.0, 0.0)[:5]
        r = x * x + y * y
        radial = 1 + r * (k1 + r * (k2 + r * k3))
        return np.stack(
            [
                x * radial + 2 * p1 * x * y + p2 * (r + 2 * x * x),
                y * radial + p1 * (r + 2 * y * y) + 2 * p2 * x * y,
            ],
            axis=-1,
        )

    def covering(self, *, most_pixels: float) -> Lens:
        """This lens with a working picture that covers every delivered pixel, at the delivered picture's
        sharpness around its optical axis, or coarser so that it has at most `most_pixels` pixels."""
        if not self.bends:
            return self
        across = np.linspace(0, self.width, 257)
        up = np.linspace(0, self.height, 257)
        edge = np.concatenate(
            [np.column_stack([across, np.full(257, y)]) for y in (0.0, float(self.height))]
            + [np.column_stack([np.full(257, x), up]) for x in (0.0, float(self.width))]
        )
        plane = self.undistort(edge)
        low, high = plane.min(axis=0), plane.max(axis=0)
        focal = self.focal
        focal *= min(1.0, float(np.sqrt(most_pixels / np.prod((high - low) * focal))))
        margin = 2  # pixels for the filter's reach
        size = np.ceil((high - low) * focal).astype(int) + 2 * margin
        size += size % 2
        corner = -low * focal + margin
        return replace(
            self,
            working_focal=float(focal),
            working_centre=(float(corner[0]), float(corner[1])),
            working_size=(int(size[0]), int(size[1])),
        )

    def straighten(self, sheet: Image, offset: tuple[float, float] = (0.0, 0.0)) -> Image:
        """The working picture of a distorted one.

        sheet   (h, w, C) at delivery scale; it may be larger than the delivered picture (the whole file),
                which then starts at `offset` (x, y) pixels in it
        """
        width, height = self.size
        return self._resampled(
            sheet, width, height, lambda pixels: self.to_delivered(pixels) + np.asarray(offset)
        )

    def bend(self, working: Image, *, nearest: bool = False) -> Image:
        """A working picture (H, W) or (H, W, C) in delivered pixels. The same array where nothing bends.

        `nearest` takes whole samples instead of blending them, for depths and ids.
        """
        if not self.bends:
            return working
        return self._resampled(working, self.width, self.height, self.to_working, nearest=nearest)

    def bend_motion(self, motion: Image) -> Image:
        """Displacements (H, W, 2) in working pixels as displacements in delivered pixels, where they are seen
        there. Whole samples: half a step between what moves and what does not is nothing's motion."""
        if not self.bends:
            return motion
        bent = self.bend(motion, nearest=True)
        for top in range(0, self.height, STRIP):
            strip = bent[top : top + STRIP]
            moving = strip.any(axis=2)
            x, y = _maps(self.to_working, self.width, top, len(strip))
            here = np.column_stack([x[moving], y[moving]]).astype(np.float64) + 0.5
            strip[moving] = self.to_delivered(here + strip[moving]) - self.to_delivered(here)
        return bent

    @staticmethod
    def _resampled(source: Image, width: int, height: int, look_up: Any, *, nearest: bool = False) -> Image:
        """Bicubic (or nearest) samples of `source` at `look_up(pixel centres)`, the border repeated."""
        method = cv2.INTER_NEAREST if nearest else cv2.INTER_CUBIC
        planes = source.reshape(*source.shape[:2], -1)
        result = np.empty((height, width, *source.shape[2:]), dtype=np.float32)
        for top in range(0, height, STRIP):
            rows = min(STRIP, height - top)
            maps = _maps(look_up, width, top, rows)
            strip = result[top : top + rows].reshape(rows, width, -1)
            for first in range(0, planes.shape[2], 4):  # remap blends no more than four channels at once
                part = np.ascontiguousarray(planes[..., first : first + 4])
                strip[..., first : first + 4] = cv2.remap(
                    part, maps[0], maps[1], method, borderMode=cv2.BORDER_REPLICATE
                ).reshape(rows, width, -1)
        return result

    def resized(self, width: int, height: int) -> Lens:
        """The same lens for a delivered picture of another size and (nearly) the same aspect ratio."""
        sx, sy = width / self.width, height / self.height
        if not self.bends:
            return replace(
                self,
                focal=self.focal * sx,
                centre=(self.centre[0] * sx, self.centre[1] * sy),
                width=width,
                height=height,
            )
        size = (round(self.working_size[0] * sx), round(self.working_size[1] * sx))
        return replace(
            self,
            focal=self.focal * sx,
            centre=(self.centre[0] * sx, self.centre[1] * sy),
            width=width,
            height=height,
            working_focal=self.working_focal * sx,
            working_centre=(self.working_centre[0] * sx, self.working_centre[1] * sx),
            working_size=size,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "coefficients": list(self.coefficients),
            "focal": self.focal,
            "centre": list(self.centre),
            "width": self.width,
            "height": self.height,
            "working_focal": self.working_focal,
            "working_centre": list(self.working_centre),
            "working_size": list(self.working_size),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Lens:
        return cls(
            model=str(values["model"]),
            coefficients=tuple(float(k) for k in values["coefficients"]),
            focal=float(values["focal"]),
            centre=(float(values["centre"][0]), float(values["centre"][1])),
            width=int(values["width"]),
            height=int(values["height"]),
            working_focal=float(values["working_focal"]),
            working_centre=(float(values["working_centre"][0]), float(values["working_centre"][1])),
            working_size=(int(values["working_size"][0]), int(values["working_size"][1])),
        )


def _maps(look_up: Any, width: int, top: int, rows: int) -> list[Image]:
    """Where `look_up` finds the pixels of `rows` rows from `top` on: x and y, each (rows, width), counted
    from the middle of the first pixel as OpenCV does."""
    grid = np.stack(
        np.meshgrid(
            np.arange(0, width + COARSE, COARSE) + 0.5, np.arange(top, top + rows + COARSE, COARSE) + 0.5
        ),
        axis=-1,
    )
    found = look_up(grid) - 0.5
    where_x, where_y = np.meshgrid(
        np.arange(width, dtype=np.float32) / COARSE, np.arange(rows, dtype=np.float32) / COARSE
    )
    maps = [found[..., axis].astype(np.float32) for axis in (0, 1)]
    return [np.asarray(cv2.remap(axis, where_x, where_y, cv2.INTER_LINEAR), np.float32) for axis in maps]
