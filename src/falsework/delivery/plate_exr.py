"""What stands still for the whole shot, one picture a file: with it and the frames' layers a compositor can
build the shot anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from falsework.comp.plate_pictures import PlatePictures
from falsework.media.exr import write_exr
from falsework.media.half import to_half

__all__ = ["PLATE_FILES", "write_plate_pictures"]

Image = npt.NDArray[np.float32]

PLATE_FILES = ("plate", "clean", "facade", "occluder", "grain")


def write_plate_pictures(folder: Path, pictures: PlatePictures, *, name: str) -> dict[str, Path]:
    """Write `NAME_plate.exr`, `NAME_clean.exr` … into `folder`; returns the paths by kind (`PLATE_FILES`).

    Files of their own rather than layers of one: each opens in any program, and a clean plate that was
    painted over can be given back to the shot. RGBA, half, A is 1; the occluders' matte stands in all four
    channels.
    """
    paths: dict[str, Path] = {}
    for kind in PLATE_FILES:
        picture: Image = getattr(pictures, kind)
        opaque = np.ones(picture.shape[:2], np.float16)
        if picture.ndim == 2:
            planes = [to_half(picture)] * 4
        else:
            planes = [*np.moveaxis(to_half(picture), -1, 0), opaque]
        paths[kind] = folder / f"{name}_{kind}.exr"
        attributes = {"name": f"{name}_{kind}", "software": "falsework"}
        write_exr(paths[kind], dict(zip("RGBA", planes, strict=True)), attributes=attributes)
    return paths
