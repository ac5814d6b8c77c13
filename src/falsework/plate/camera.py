"""The pinhole camera every room shares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Camera"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """An ideal pinhole camera with square pixels, in OpenCV's frame: x right, y down, z forward.

    Pixel centres lie at integers + 0.5, rows count from the top. World: metres, Z up, ground at z = 0,
    the camera stands above the world's origin and looks along +Y.

    width, height   pixels
    focal           focal length in pixels
    centre          principal point (x, y) in pixels
    rotation        (3, 3) world to camera
    position        (3,) in metres, world
    """

    width: int
    height: int
    focal: float
    centre: tuple[float, float]
    rotation: Array
    position: Array

    def project(self, points: npt.ArrayLike) -> tuple[Array, Array]:
        """World points (N, 3) to pixels (N, 2) and depth along the optical axis (N,) in metres."""
        local = (np.asarray(points, dtype=np.float64) - self.position) @ self.rotation.T
        depth = local[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            pixels = local[:, :2] / depth[:, None] * self.focal + np.asarray(self.centre)
        return pixels, depth

    def rays(self, pixels: npt.ArrayLike) -> Array:
        """Pixels (..., 2) to world directions (..., 3) of unit depth (not unit length): depth z lies at
        `position + z * ray`."""
        pixels = np.asarray(pixels, dtype=np.float64)
        local = np.empty((*pixels.shape[:-1], 3))
        local[..., :2] = (pixels - np.asarray(self.centre)) / self.focal
        local[..., 2] = 1.0
        return local @ self.rotation

    def on_plane(self, pixels: npt.ArrayLike, point: npt.ArrayLike, normal: npt.ArrayLike) -> Array:
        """Where the rays through pixels (..., 2) meet a plane: world points (..., 3).

        Infinite or negative-depth points where a ray is parallel to or leaves the plane.
        """
        rays = self.rays(pixels)
        normal = np.asarray(normal, dtype=np.float64)
        reach = (np.asarray(point, dtype=np.float64) - self.position) @ normal
        with np.errstate(divide="ignore"):
            return np.asarray(self.position + rays * (reach / (rays @ normal))[..., None])

    def resized(self, width: int, height: int) -> Camera:
        """The same view at another resolution of (nearly) the same aspect ratio."""
        scale = width / self.width
        return replace(
            self,
            width=width,
            height=height,
            focal=self.focal * scale,
            centre=(self.centre[0] * scale, self.centre[1] * height / self.height),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "width": self.width,
            "height": self.height,
            "focal": self.focal,
            "centre": list(self.centre),
            "rotation": self.rotation.tolist(),
            "position": self.position.tolist(),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Camera:
        return cls(
            width=int(values["width"]),
            height=int(values["height"]),
            focal=float(values["focal"]),
            centre=(float(values["centre"][0]), float(values["centre"][1])),
            rotation=np.asarray(values["rotation"], dtype=np.float64),
            position=np.asarray(values["position"], dtype=np.float64),
        )
