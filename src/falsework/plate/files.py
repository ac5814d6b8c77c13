"""A solved plate on disk, and the same plate smaller."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.media.arrays import read_arrays, write_arrays
from falsework.plate.camera import Camera
from falsework.plate.grain import measure_grain, measure_softness
from falsework.plate.lens import Lens
from falsework.plate.plate import Facade, Image, Light, Plate, SetPlane

__all__ = ["FILE", "area_resized", "load_plate", "resized_plate", "save_plate"]

FILE = "plate.safetensors"
PICTURES = ("picture", "facade", "building", "clean", "occluder", "occluder_depth", "clean_depth", "original")


def save_plate(plate: Plate, folder: Path) -> None:
    """Write the plate into `folder` (made if absent) as one file. Pictures keep their 32 bits: the plate
    that comes out of the shot must be the one that went in."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, npt.NDArray[Any]] = {name: getattr(plate, name) for name in PICTURES}
    if plate.original is plate.picture:
        del arrays["original"]
    for index, facade in enumerate(plate.facades):
        arrays |= {f"facade.{index}.levels": facade.levels, f"facade.{index}.windows": facade.windows}
    write_arrays(
        folder / FILE,
        arrays,
        pad_top=plate.pad_top,
        camera=plate.camera.to_json(),
        lens=plate.lens.to_json(),
        facades=[
            {
                "name": facade.name,
                "origin": facade.origin.tolist(),
                "right": facade.right.tolist(),
                "normal": facade.normal.tolist(),
                "width": facade.width,
                "height": facade.height,
            }
            for facade in plate.facades
        ],
        set_planes=[
            {
                "name": plane.name,
                "origin": plane.origin.tolist(),
                "u": plane.u.tolist(),
                "v": plane.v.tolist(),
                "thickness": plane.thickness,
            }
            for plane in plate.set_planes
        ],
        light={
            "sun_direction": plate.light.sun_direction.tolist(),
            "sun": plate.light.sun.tolist(),
            "sky": plate.light.sky.tolist(),
            "bounce": plate.light.bounce.tolist(),
            "shade": plate.light.shade.tolist(),
            "shade_softness": plate.light.shade_softness,
        },
        grain=plate.grain.tolist(),
        softness=plate.softness,
        measures=dict(plate.measures),
    )


def load_plate(folder: Path) -> Plate:
    """The plate that `save_plate` wrote into `folder`."""
    arrays, values = read_arrays(folder / FILE)
    try:
        facades = tuple(
            Facade(
                name=entry["name"],
                origin=np.asarray(entry["origin"], dtype=np.float64),
                right=np.asarray(entry["right"], dtype=np.float64),
                normal=np.asarray(entry["normal"], dtype=np.float64),
                width=entry["width"],
                height=entry["height"],
                levels=arrays[f"facade.{index}.levels"],
                windows=arrays[f"facade.{index}.windows"].reshape(-1, 4),
            )
            for index, entry in enumerate(values["facades"])
        )
        set_planes = tuple(
            SetPlane(
                name=entry["name"],
                origin=np.asarray(entry["origin"], dtype=np.float64),
                u=np.asarray(entry["u"], dtype=np.float64),
                v=np.asarray(entry["v"], dtype=np.float64),
                thickness=entry["thickness"],
            )
            for entry in values["set_planes"]
        )
        light = values["light"]
        return Plate(
            **{name: arrays[name] for name in PICTURES if name != "original"},
            original=arrays.get("original", arrays["picture"]),
            pad_top=int(values["pad_top"]),
            camera=Camera.from_json(values["camera"]),
            lens=Lens.from_json(values["lens"]),
            facades=facades,
            set_planes=set_planes,
            light=Light(
                **{
                    name: np.asarray(light[name], dtype=np.float64)
                    for name in ("sun_direction", "sun", "sky", "bounce", "shade")
                },
                shade_softness=light["shade_softness"],
            ),
            grain=np.asarray(values["grain"], dtype=np.float64),
            softness=values["softness"],
            measures=values["measures"],
        )
    except KeyError as error:
        raise FalseworkError(
            f"is not a solved plate of this version ({error} is missing)",
            where=folder / FILE,
            todo="Delete the folder it lies in and run again.",
        ) from error


def resized_plate(plate: Plate, height: int) -> Plate:
    """The same plate delivered at `height` rows, or itself where that is not smaller.

    Every picture is filtered over the area of its new pixels; depths keep the sample at the pixel's middle
    (a mean of a wall's and the sky's depth is neither). Rows above the frame are made whole again, so that
    `facade[pad_top:]` still lies exactly on the picture. Grain and softness are measured anew.
    """
    old_height, old_width = plate.original.shape[:2]
    if height >= old_height:
        return plate
    width = round(old_width * height / old_height)
    lens = plate.lens.resized(width, height)
    columns, rows = lens.size
    camera = plate.camera.resized(columns, rows)
    step = plate.picture.shape[0] / rows
    pad = int(np.ceil(plate.pad_top / step - 1e-9))
    picture = area_resized(plate.picture, columns, rows)
    original = picture if plate.original is plate.picture else area_resized(plate.original, width, height)
    above = pad * step - plate.pad_top  # source rows that the first new row reaches beyond the facade's top
    return replace(
        plate,
        picture=picture,
        original=original,
        facade=area_resized(plate.facade, columns, rows + pad, above=above),
        building=area_resized(plate.building, columns, rows + pad, above=above),
        pad_top=pad,
        clean=area_resized(plate.clean, columns, rows),
        occluder=area_resized(plate.occluder, columns, rows),
        occluder_depth=_middle_samples(plate.occluder_depth, columns, rows),
        clean_depth=_middle_samples(plate.clean_depth, columns, rows),
        camera=camera,
        lens=lens,
        grain=measure_grain(original),
        softness=measure_softness(original),
    )


def area_resized(image: Image, width: int, height: int, *, above: float = 0.0) -> Image:
    """Mean of `image` (H, W) or (H, W, C) over each pixel of a smaller (height, width) grid.

    above: source rows by which the grid begins over the image's first row; they count for nothing.
    """
    down = _area_mean(image.reshape(image.shape[0], -1), height, above)
    turned = np.moveaxis(down.reshape(height, *image.shape[1:]), 1, 0)
    across = _area_mean(np.ascontiguousarray(turned).reshape(image.shape[1], -1), width, 0.0)
    return np.ascontiguousarray(np.moveaxis(across.reshape(width, height, *image.shape[2:]), 0, 1))


def _area_mean(rows: Image, count: int, above: float) -> Image:
    """Rows (N, M) averaged over `count` equal intervals of [-above, N]."""
    source = rows.shape[0]
    bounds = np.clip(np.linspace(-above, source, count + 1), 0.0, source)
    result = np.empty((count, rows.shape[1]), dtype=np.float32)
    for index in range(count):
        low, high = bounds[index], bounds[index + 1]
        first, last = int(low), min(int(np.ceil(high)), source)
        last = max(last, first + 1)
        weight = np.minimum(np.arange(first, last) + 1.0, high) - np.maximum(np.arange(first, last), low)
        weight = np.maximum(weight, 1e-9)
        result[index] = (weight / weight.sum()).astype(np.float32) @ rows[first:last]
    return result


def _middle_samples(image: Image, width: int, height: int) -> Image:
    rows = ((np.arange(height) + 0.5) * image.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * image.shape[1] / width).astype(int)
    return np.ascontiguousarray(image[rows][:, columns])
