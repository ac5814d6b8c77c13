"""One sample: a crop of a frame as arrays, and the record that it can be made again from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

import falsework
from falsework.datasets.assets import Assets
from falsework.datasets.choosing import choose_crops, choose_frames
from falsework.datasets.draw import FIRST_FRAME, Drawn, split_of
from falsework.datasets.settings import Recipe
from falsework.datasets.staging import Staged
from falsework.plate.camera import Camera
from falsework.render.gbuffers import GBufferRenderer
from falsework.render.layers import Layers
from falsework.render.settings import RenderSettings
from falsework.shots.sources import source_hash

if TYPE_CHECKING:
    from falsework.datasets.targets import PathTraced

__all__ = ["ANALYTIC", "VOLUME", "Sample", "array_digest", "made_by", "samples_of", "source", "used_assets"]

Array = npt.NDArray[Any]
Crop = tuple[int, int, int, int]

# Layers of our renderer that are kept: what a network has to be better than, and what comp needs.
ANALYTIC = ("surface", "hold", "shadow", "dust")
VOLUME = (
    32,
    64,
    64,
)  # slices from near to far, rows, columns of the dust's extinction within the crop's view
LARGEST_HALF = 65000.0


@dataclass(frozen=True)
class Sample:
    """arrays by name: those of `render.gbuffers.CHANNELS`, "analytic.*", "volume", and with targets "a.*",
    "b.*"."""

    name: str
    arrays: dict[str, Array]
    record: dict[str, Any]


def source() -> str:
    """A hash of the code that decides what is in a sample's G-buffers."""
    return source_hash(("falsework.datasets.samples", "falsework.datasets.staging"))


def made_by(opengl: Mapping[str, str]) -> dict[str, Any]:
    return {"falsework": falsework.__version__, "code": source(), "opengl": dict(opengl)}


def array_digest(array: Array) -> str:
    """SHA-256 of an array's type, shape and bytes."""
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def samples_of(
    recipe: Recipe,
    recipe_digest: str,
    staged: Staged,
    assets: Assets,
    *,
    targets: PathTraced | None = None,
    only: tuple[int, Crop] | None = None,
) -> Iterator[Sample]:
    """All samples of a staged building in their order, or the one of frame (from 0) and crop `only`."""
    drawn = staged.drawn
    frames = choose_frames(staged.motion, recipe.shot.moments, drawn.seed) if only is None else (only[0],)
    if not frames:
        return
    with GBufferRenderer(
        staged.plate,
        staged.fragments,
        staged.motion,
        staged.debris,
        staged.dust,
        RenderSettings(shutter=0.0),
        seed=drawn.seed,
    ) as renderer:
        maker = made_by(renderer.opengl)
        for frame in frames:
            told, layers = renderer.told(frame)
            plain = renderer.plain_dust(frame, layers)
            crops = (
                choose_crops(told, recipe.picture.crop, recipe.shot.crops, drawn.seed, frame)
                if only is None
                else [only[1]]
            )
            for number, crop in enumerate(crops):
                arrays = _cropped(told, layers, crop)
                arrays["analytic.plain"] = _half(plain, crop)
                arrays["volume"], span = _volume(renderer, staged.plate.camera, crop)
                record = _record(recipe, recipe_digest, staged, assets, renderer, frame, crop, span)
                record["made_by"] = maker
                record["gbuffers"] = {name: array_digest(array) for name, array in arrays.items()}
                if targets is not None:
                    arrays |= targets.draw(frame, crop)
                    record["targets"] = targets.about(frame)
                name = f"b{drawn.index:06d}_f{FIRST_FRAME + frame}_c{number}"
                yield Sample(name, arrays, {"sample": name, **record})


def _cropped(told: dict[str, Array], layers: Layers, crop: Crop) -> dict[str, Array]:
    x0, y0, x1, y1 = crop
    arrays = {name: image[y0:y1, x0:x1] for name, image in told.items()}
    for name in ANALYTIC:
        arrays[f"analytic.{name}"] = _half(getattr(layers, name), crop)
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _half(image: Array, crop: Crop) -> Array:
    x0, y0, x1, y1 = crop
    return np.ascontiguousarray(np.minimum(image[y0:y1, x0:x1], LARGEST_HALF).astype(np.float16))


def _volume(renderer: GBufferRenderer, camera: Camera, crop: Crop) -> tuple[Array, tuple[float, float]]:
    """Extinction per metre (float16, VOLUME) on planes of equal depth across the crop's view, and the
    depths of the first plane's near and the last one's far side; all zero where there is no dust in view."""
    sigma, field = renderer.sigma(), renderer.dust_field
    empty = np.zeros(VOLUME, np.float16)
    if sigma is None:
        return empty, (0.0, 0.0)
    corner, voxel = np.asarray(field.origin), field.voxel
    full = np.argwhere(sigma > 1e-3)
    if not len(full):
        return empty, (0.0, 0.0)
    low, high = corner + full.min(0) * voxel, corner + (full.max(0) + 1) * voxel
    box = np.array(
        [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )
    depths = camera.project(box)[1]
    near, far = max(float(depths.min()), 0.3), max(float(depths.max()), 0.6)
    slices, rows, columns = VOLUME
    x0, y0, x1, y1 = crop
    x = x0 + (np.arange(columns) + 0.5) / columns * (x1 - x0)
    y = y0 + (np.arange(rows) + 0.5) / rows * (y1 - y0)
    pixels = np.stack(np.meshgrid(x, y), axis=-1)
    depth = near + (np.arange(slices) + 0.5) / slices * (far - near)
    places = camera.position + camera.rays(pixels)[None] * depth[:, None, None, None]
    at = np.moveaxis((places - corner) / voxel - 0.5, -1, 0)
    return map_coordinates(sigma, at, order=1, mode="constant").astype(np.float16), (near, far)


def _record(
    recipe: Recipe,
    recipe_digest: str,
    staged: Staged,
    assets: Assets,
    renderer: GBufferRenderer,
    frame: int,
    crop: Crop,
    span: tuple[float, float],
) -> dict[str, Any]:
    drawn, light = staged.drawn, staged.plate.light
    return {
        "split": split_of(recipe, drawn.seed),
        "building": {"index": drawn.index, "seed": drawn.seed},
        "frame": FIRST_FRAME + frame,
        "crop": list(crop),
        "recipe": {"name": recipe.name, "seed": recipe.seed, "sha256": recipe_digest},
        "camera": staged.plate.camera.to_json(),
        "light": {
            "sun_direction": light.sun_direction.tolist(),
            "sun": light.sun.tolist(),
            "sky": light.sky.tolist(),
            "bounce": light.bounce.tolist(),
        },
        "dust_albedo": [float(part) for part in renderer.dust_albedo],
        "volume_depths": list(span),
        "drawn": drawn.to_json(),
        "assets": [asset.to_json() for asset in assets.named(used_assets(drawn))],
        "targets": None,
    }


def used_assets(drawn: Drawn) -> tuple[str, ...]:
    """Names of the pictures that a building's samples are made of."""
    return (*drawn.textures, drawn.sky[0])
