"""The building in pieces: what the simulation moves and the renderer draws."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.media.arrays import read_arrays, write_arrays

__all__ = ["KINDS", "SURFACE_PLATE", "Fragments"]

# What a fragment was part of, in the order of `Fragments.kind`.
KINDS = (
    "wall",  # load-bearing or infill wall of a facade, pier, spandrel
    "back_wall",  # outer wall the plate does not show
    "party_wall",
    "partition",
    "slab",
    "column",
    "beam",
    "roof",
    "stair",
    "window",  # frame and glass filling an opening
    "clutter",
    "ornament",
)

# Value of `face_surface` for faces that carry the plate's own pixels; others are
# 1 + index into `building.materials.MATERIALS`.
SURFACE_PLATE = 0

Float = npt.NDArray[np.float32]
Int = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Fragments:
    """N convex-ish fragments in their rest pose and the bonds between neighbours. World frame, metres.

    centre         (N, 3) centre of mass
    volume         (N,) m3;  mass (N,) kg
    inertia is left to the simulation (from the hull and the mass)
    material       (N,) index into MATERIALS;  kind (N,) index into KINDS
    storey         (N,) 0 for the ground floor, the number of storeys for what stands above the cornice; a
                   floor belongs to the storey below it;  facade (N,) index of the facade or -1
    element        (N,) index of the building element the fragment was cut from
    hull           (H, 3) vertices of all convex hulls, relative to each fragment's centre
    hull_start     (N + 1,) fragment i owns hull[hull_start[i]:hull_start[i + 1]]
    vertices       (V, 3) of the render meshes, WORLD rest pose; meshes may be finer and rougher than hulls
    faces          (F, 3) indices into vertices, outward counter-clockwise
    face_fragment  (F,) which fragment a face belongs to, ascending
    face_surface   (F,) SURFACE_PLATE or 1 + material index
    face_broken    (F,) 1.0 where the face only shows after breaking (fresh, rough), 0.0 elsewhere
    bond           (B, 2) pairs of fragments, smaller index first
    bond_centre    (B, 3);  bond_normal (B, 3) unit, from first to second;  bond_area (B,) m2
    bond_strength  (B, 3) compression, tension, shear in Pa
    support        (N,) True where a fragment stands on the foundation
    """

    centre: Float
    volume: Float
    mass: Float
    material: Int
    kind: Int
    storey: Int
    facade: Int
    element: Int
    hull: Float
    hull_start: Int
    vertices: Float
    faces: Int
    face_fragment: Int
    face_surface: Int
    face_broken: Float
    bond: Int
    bond_centre: Float
    bond_normal: Float
    bond_area: Float
    bond_strength: Float
    support: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.centre)

    def save(self, folder: Path) -> None:
        write_arrays(folder / "fragments.safetensors", {f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def load(cls, folder: Path) -> Fragments:
        arrays: dict[str, Any] = read_arrays(folder / "fragments.safetensors")[0]
        return cls(**arrays)
