"""Small scenes made here, for tests that need a building without a photograph."""

from __future__ import annotations

import numpy as np

from falsework.building.fragments import SURFACE_PLATE, Fragments
from falsework.building.materials import MATERIALS
from falsework.plate.camera import Camera

CUBE_FACES = np.array(
    [
        [0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6],
        [0, 1, 4], [1, 5, 4], [2, 6, 3], [3, 6, 7],
        [0, 4, 2], [2, 4, 6], [1, 3, 5], [3, 7, 5],
    ],
    dtype=np.int32,
)  # fmt: skip


def street_camera(width: int = 480, height: int = 320) -> Camera:
    """A camera 1.7 m above the ground, 13 degrees up, as in the Lyon plate."""
    pitch = np.radians(13.0)
    forward = np.array([0.0, np.cos(pitch), np.sin(pitch)])
    right = np.array([1.0, 0.0, 0.0])
    down = np.cross(forward, right)
    return Camera(
        width=width,
        height=height,
        focal=1303.8 * width / 1920,
        centre=(width / 2, height / 2),
        rotation=np.stack([right, down, forward]),
        position=np.array([0.0, 0.0, 1.7]),
    )


def brick_tower(
    columns: int = 4,
    rows: int = 6,
    layers: int = 3,
    edge: float = 1.5,
    origin: tuple[float, float, float] = (-3.0, 25.0, 0.0),
) -> Fragments:
    """A solid tower of cubes, bonded to their neighbours, its -Y side carrying the plate's pixels."""
    grid = np.stack(
        np.meshgrid(np.arange(columns), np.arange(layers), np.arange(rows), indexing="ij"), axis=-1
    ).reshape(-1, 3)
    count = len(grid)
    centre = (grid + 0.5) * edge + np.asarray(origin)
    corner = (
        np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), axis=-1).reshape(-1, 3)[:, ::-1] - 0.5
    ) * edge
    number = {tuple(cell): index for index, cell in enumerate(grid.tolist())}
    bonds, normals = [], []
    for index, cell in enumerate(grid.tolist()):
        for axis in range(3):
            other = list(cell)
            other[axis] += 1
            if tuple(other) in number:
                bonds.append(sorted((index, number[tuple(other)])))
                normals.append(np.eye(3)[axis])
    bond = np.array(bonds, dtype=np.int32)
    brick = 1
    surface = np.full((count, 12), 1 + brick, dtype=np.int32)
    surface[grid[:, 1] == 0, 4:6] = SURFACE_PLATE
    strength = (MATERIALS[brick].compression, MATERIALS[brick].tension, MATERIALS[brick].shear)
    return Fragments(
        centre=centre.astype(np.float32),
        volume=np.full(count, edge**3, np.float32),
        mass=np.full(count, edge**3 * MATERIALS[brick].density, np.float32),
        material=np.full(count, brick, np.int32),
        kind=np.zeros(count, np.int32),
        storey=(grid[:, 2] * edge / 3.0).astype(np.int32),
        facade=np.where(grid[:, 1] == 0, 0, -1).astype(np.int32),
        element=np.arange(count, dtype=np.int32),
        hull=np.tile(corner, (count, 1)).astype(np.float32),
        hull_start=(np.arange(count + 1) * 8).astype(np.int32),
        vertices=(centre[:, None] + corner).reshape(-1, 3).astype(np.float32),
        faces=(CUBE_FACES[None] + (np.arange(count) * 8)[:, None, None]).reshape(-1, 3).astype(np.int32),
        face_fragment=np.repeat(np.arange(count), 12).astype(np.int32),
        face_surface=surface.reshape(-1),
        face_broken=np.where(surface.reshape(-1) == SURFACE_PLATE, 0.0, 1.0).astype(np.float32),
        bond=bond,
        bond_centre=(centre[bond[:, 0]] + centre[bond[:, 1]]).astype(np.float32) / 2,
        bond_normal=np.array(normals, np.float32),
        bond_area=np.full(len(bond), edge**2, np.float32),
        bond_strength=np.tile(np.array(strength, np.float32), (len(bond), 1)),
        support=grid[:, 2] == 0,
    )
