"""Dust as OpenVDB files, which is how it is handed to Cycles."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.dust.field import DustField
from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.media.vdb import write_vdb

__all__ = ["Smoke", "smoke_of_field"]

INDEX = "smoke.json"
PATTERN = "smoke.{index:04d}.vdb"


@dataclass(frozen=True)
class Smoke:
    """A shot's dust as OpenVDB files, one a frame in `folder`, each with a grid "density" in world metres.

    pattern  the files' name, with {index} for the frame's number from 0
    origin   (3,) world corner of the box, metres;  voxel: a cell's edge, metres;  shape (nx, ny, nz) cells
    frames   number of frames
    grams    grams of fine dust per cubic metre that a stored density of 1 stands for
    curves   by name, each (T,), as those of `DustField`: "mass" kg airborne, "emitted" kg so far
    """

    folder: Path
    pattern: str
    origin: tuple[float, float, float]
    voxel: float
    shape: tuple[int, int, int]
    frames: int
    grams: float
    curves: dict[str, npt.NDArray[np.float32]]

    def path(self, index: int) -> Path | None:
        """The file of a frame; None where there is no dust in the air."""
        if self.curves["mass"][index] <= 0:
            return None
        return self.folder / self.pattern.format(index=index)

    def save(self) -> None:
        """Write the index file; call once all frames are there."""
        values = {
            "pattern": self.pattern,
            "origin": [float(number) for number in self.origin],
            "voxel": self.voxel,
            "shape": [int(number) for number in self.shape],
            "frames": self.frames,
            "grams": self.grams,
            "curves": {name: [float(n) for n in curve] for name, curve in self.curves.items()},
        }
        write_text(self.folder / INDEX, json.dumps(values, indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Smoke:
        try:
            values: dict[str, Any] = json.loads((folder / INDEX).read_bytes())
            curves = {name: np.array(curve, np.float32) for name, curve in values.pop("curves").items()}
            origin, shape = tuple(values.pop("origin")), tuple(values.pop("shape"))
            return cls(folder=folder, origin=origin, shape=shape, curves=curves, **values)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise FalseworkError(
                f"is not a readable list of smoke files ({error})",
                where=folder / INDEX,
                todo="Delete the folder it lies in and run again.",
            ) from error


def smoke_of_field(field: DustField, folder: Path, frames: Iterable[int]) -> Smoke:
    """falsework's own dust as OpenVDB files, so that Cycles may draw the very same.

    Only the given frames (from 0) are written; the returned Smoke counts all, and is not saved.
    """
    smoke = Smoke(
        folder=folder,
        pattern=PATTERN,
        origin=field.origin,
        voxel=field.voxel,
        shape=field.shape,
        frames=field.frames,
        grams=1.0,
        curves=field.curves,
    )
    for index in frames:
        path = smoke.path(index)
        if path is not None:
            write_vdb(path, {"density": field.frame(index).density}, field.origin, field.voxel)
    return smoke
