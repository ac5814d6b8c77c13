"""How far upright rectangles are, pixel by pixel."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from falsework.plate.camera import Camera
from falsework.plate.plate import Image

__all__ = ["nearest_depth"]

Array = npt.NDArray[np.float64]


def nearest_depth(
    camera: Camera, origins: Array, alongs: Array, spans: Array, *, least: float, ground: bool
) -> Image:
    """Depth (H, W) along the optical axis of the nearest of upright rectangles, infinite where there is none.

    origins (N, 3) in metres, alongs (N, 3) level unit vectors, spans (N, 3): width along, lowest and highest
    z in metres. What is nearer than `least` metres does not count. `ground`: the plane z = 0 counts, too.
    """
    normals = np.stack([alongs[:, 1], -alongs[:, 0], np.zeros(len(alongs))], axis=1)
    return np.asarray(
        _nearest(
            camera.width,
            camera.height,
            camera.focal,
            camera.centre[0],
            camera.centre[1],
            np.ascontiguousarray(camera.rotation),
            np.asarray(camera.position, dtype=np.float64),
            np.ascontiguousarray(origins.reshape(-1, 3)),
            np.ascontiguousarray(alongs.reshape(-1, 3)),
            normals,
            np.ascontiguousarray(spans.reshape(-1, 3)),
            least,
            ground,
        ),
        np.float32,
    )


@numba.njit(cache=True)
def _nearest(  # type: ignore[no-untyped-def]
    width, height, focal, cx, cy, rotation, position, origins, alongs, normals, spans, least, ground
):
    out = np.empty((height, width), np.float32)
    for row in range(height):
        y = (row + 0.5 - cy) / focal
        for column in range(width):
            x = (column + 0.5 - cx) / focal
            rx = x * rotation[0, 0] + y * rotation[1, 0] + rotation[2, 0]
            ry = x * rotation[0, 1] + y * rotation[1, 1] + rotation[2, 1]
            rz = x * rotation[0, 2] + y * rotation[1, 2] + rotation[2, 2]
            best = np.inf
            if ground and rz < -1e-4:
                best = -position[2] / rz
            for index in range(origins.shape[0]):
                facing = rx * normals[index, 0] + ry * normals[index, 1]
                if facing == 0.0:
                    continue
                ox, oy = origins[index, 0] - position[0], origins[index, 1] - position[1]
                depth = (ox * normals[index, 0] + oy * normals[index, 1]) / facing
                if depth <= least or depth >= best:
                    continue
                across = (rx * depth - ox) * alongs[index, 0] + (ry * depth - oy) * alongs[index, 1]
                up = position[2] + rz * depth
                if 0.0 <= across <= spans[index, 0] and spans[index, 1] <= up <= spans[index, 2]:
                    best = depth
            out[row, column] = best
    return out
