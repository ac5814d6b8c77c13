"""What the dust stage hands on: gas on a grid, frame by frame, and the flying debris."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.media.arrays import read_arrays, write_arrays

__all__ = ["Debris", "DustField", "DustFrame"]


@dataclass(frozen=True)
class DustFrame:
    """Airborne dust at one frame.

    density  (nx, ny, nz) float16, grams per cubic metre, cell centres at origin + (i + 0.5) * voxel
             (fine dust, about 0.5 m2 of extinction a gram; the coarse grains are not in it)
    detail   (2, mx, my, mz, 3) float16: where the air at each (coarse) cell came from when each of two
             detail layers was last renewed, as a displacement in metres; noise looked up at
             `x + detail` travels with the flow
    weight   (2,) blend of the two layers, summing to 1; a layer is renewed while its weight is 0
    layer_seed (2,) changes each time a layer is renewed, so that its noise is new
    """

    density: npt.NDArray[np.float16]
    detail: npt.NDArray[np.float16]
    weight: npt.NDArray[np.float32]
    layer_seed: npt.NDArray[np.int32]


@dataclass(frozen=True)
class DustField:
    """A shot's dust, one file a frame in `folder`; all frames share one grid.

    origin  (3,) world corner of the grid, metres;  voxel: edge of a density cell, metres
    shape   (nx, ny, nz) of the density;  coarse: how many density cells one detail cell spans along an axis
    frames  number of frames
    curves  by name, each (T,): "mass" kg airborne, "emitted" kg so far, "settled" kg so far,
            "left" kg gone through the grid's open sides
    """

    folder: Path
    origin: tuple[float, float, float]
    voxel: float
    shape: tuple[int, int, int]
    coarse: int
    frames: int
    curves: dict[str, npt.NDArray[np.float32]]

    def frame(self, index: int) -> DustFrame:
        arrays: dict[str, Any] = read_arrays(self.folder / f"dust.{index:04d}.safetensors")[0]
        part = arrays.pop("density")
        x, y, z = (int(n) for n in arrays.pop("corner"))
        density = np.zeros(self.shape, np.float16)
        density[x : x + part.shape[0], y : y + part.shape[1], z : z + part.shape[2]] = part
        return DustFrame(density=density, **arrays)

    def save_frame(self, index: int, frame: DustFrame) -> None:
        """Write one frame: of the density only the box that holds any, from its lowest `corner`."""
        box = [slice(0, 0)] * 3
        held = frame.density.view(np.uint16) != 0
        if held.any():
            for axis in range(3):
                full = np.flatnonzero(held.any(axis=tuple(n for n in range(3) if n != axis)))
                box[axis] = slice(int(full[0]), int(full[-1]) + 1)
        arrays = {f.name: getattr(frame, f.name) for f in fields(frame)}
        arrays["density"] = frame.density[tuple(box)]
        arrays["corner"] = np.array([part.start for part in box], np.int32)
        write_arrays(self.folder / f"dust.{index:04d}.safetensors", arrays)

    def save(self) -> None:
        """Write the index file; call once all frames are there."""
        curves = {f"curve.{name}": curve for name, curve in self.curves.items()}
        write_arrays(
            self.folder / "dust.safetensors",
            curves,
            origin=self.origin,
            voxel=self.voxel,
            shape=self.shape,
            coarse=self.coarse,
            frames=self.frames,
        )

    @classmethod
    def load(cls, folder: Path) -> DustField:
        arrays, values = read_arrays(folder / "dust.safetensors")
        return cls(
            folder=folder,
            origin=tuple(values["origin"]),
            voxel=values["voxel"],
            shape=tuple(values["shape"]),
            coarse=values["coarse"],
            frames=values["frames"],
            curves={name[6:]: curve for name, curve in arrays.items()},
        )


@dataclass(frozen=True)
class Debris:
    """M chips and grits too small for the rigid-body simulation, over T frames. World frame, metres.

    position  (T, M, 3) float32;  rotation (T, M, 4) float16 quaternion x, y, z, w
    size      (M,) edge length;  shape (M,) 0..7, which chip mesh;  material (M,) index into MATERIALS
    born      (M,) first frame in which the chip is seen
    source    (M,) the fragment it broke from
    """

    position: npt.NDArray[np.float32]
    rotation: npt.NDArray[np.float16]
    size: npt.NDArray[np.float32]
    shape: npt.NDArray[np.int32]
    material: npt.NDArray[np.int32]
    born: npt.NDArray[np.int32]
    source: npt.NDArray[np.int32]

    def save(self, folder: Path) -> None:
        write_arrays(folder / "debris.safetensors", {f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def load(cls, folder: Path) -> Debris:
        arrays: dict[str, Any] = read_arrays(folder / "debris.safetensors")[0]
        return cls(**arrays)
