"""Where the air is computed: the box of cells around house, street and camera, and what stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from falsework.building.fragments import Fragments
from falsework.plate.camera import Camera
from falsework.plate.plate import SetPlane

__all__ = ["FINE", "Domain", "domain_around", "solid_cells"]

# Air cells at most, and the smallest edge worth computing (metres).
CELLS = 400_000
FINEST = 0.4
# The pressure's multigrid wants the number of cells to be a multiple of this.
MULTIPLE = 8
# Dust cells along one edge of an air cell.
FINE = 2


@dataclass(frozen=True)
class Domain:
    """A box of `shape` air cells of edge `voxel` metres from the corner `origin` (world); its floor is z = 0.

    Dust is kept in cells half as wide, from the same corner.
    """

    origin: tuple[float, float, float]
    voxel: float
    shape: tuple[int, int, int]

    @property
    def fine_voxel(self) -> float:
        return self.voxel / FINE

    @property
    def fine_shape(self) -> tuple[int, int, int]:
        x, y, z = self.shape
        return x * FINE, y * FINE, z * FINE

    def centres(self, axis: int) -> npt.NDArray[np.float64]:
        """World coordinates of the air cells' centres along one axis."""
        return np.asarray(self.origin[axis] + (np.arange(self.shape[axis]) + 0.5) * self.voxel, np.float64)


def domain_around(fragments: Fragments, camera: Camera) -> Domain:
    """The box the dust of this house may be seen in.

    A street wide to both sides, past the camera (if that is near) in front, a little behind the house, and
    a little higher than the house. What leaves it is counted as gone.
    """
    low = fragments.vertices.min(axis=0).astype(np.float64)
    high = fragments.vertices.max(axis=0).astype(np.float64)
    height = max(high[2], 6.0)
    street = min(max(0.55 * height, 8.0), 20.0)
    house = (low + high) / 2
    eye = np.asarray(camera.position, dtype=np.float64)
    view = house[:2] - eye[:2]
    view /= np.linalg.norm(view) + 1e-9
    for axis in range(2):
        # Less room on the side that looks away from the camera: the house hides it.
        near, far = street, street * (0.4 if abs(view[axis]) > 0.7 else 1.0)
        before, after = (near, far) if view[axis] > 0 else (far, near)
        # To the camera and just past it, but not to a camera a hundred metres off.
        low[axis] = max(min(low[axis] - before, eye[axis] - 3.0), low[axis] - max(before, 2.2 * street))
        high[axis] = min(max(high[axis] + after, eye[axis] + 3.0), high[axis] + max(after, 2.2 * street))
    low[2] = 0.0
    high[2] = 1.12 * height + 2.0
    extent = high - low
    voxel = max(FINEST, float(np.prod(extent) / CELLS) ** (1 / 3))
    shape = np.ceil(extent / voxel / MULTIPLE).astype(int) * MULTIPLE
    middle = (low + high) / 2
    origin = middle - shape * voxel / 2
    return Domain(
        origin=(float(origin[0]), float(origin[1]), 0.0),
        voxel=voxel,
        shape=(int(shape[0]), int(shape[1]), int(shape[2])),
    )


def solid_cells(domain: Domain, set_planes: Sequence[SetPlane]) -> npt.NDArray[np.bool_]:
    """(nx, ny, nz) True where an air cell lies in something that stands.

    A cell counts once its centre is half a cell behind the surface, so that dust always touches the wall and
    the renderer, not the grid, decides where it ends. A thin surface is made thick enough to be tight.
    """
    solid = np.zeros(domain.shape, dtype=np.bool_)
    x, y, z = (domain.centres(axis) for axis in range(3))
    for plane in set_planes:
        u, v = np.asarray(plane.u, dtype=np.float64), np.asarray(plane.v, dtype=np.float64)
        normal = np.cross(u, v)
        area = float(np.linalg.norm(normal))
        if area < 1e-9:
            continue
        normal /= area
        thickness = max(plane.thickness, 1.6 * domain.voxel)
        apart = [axis - plane.origin[number] for number, axis in enumerate((x, y, z))]
        behind, across, up = (
            apart[0][:, None, None] * d[0] + apart[1][None, :, None] * d[1] + apart[2][None, None, :] * d[2]
            for d in (-normal, u / (u @ u), v / (v @ v))
        )
        shallow = 0.3 * domain.voxel
        solid |= (
            (behind > shallow) & (behind < shallow + thickness)
            & (across >= 0) & (across <= 1) & (up >= 0) & (up <= 1)
        )  # fmt: skip
    return solid
