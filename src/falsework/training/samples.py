"""Samples of a path-traced data set as the light network's training takes them."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from falsework.datasets.shards import INDEX, SPLITS, read_index, read_sample
from falsework.datasets.work import read_dataset
from falsework.errors import FalseworkError
from falsework.models.light_features import (
    FIRST_PIECE,
    LightHere,
    dust_base,
    features,
    surface_base,
    view_rays,
)
from falsework.plate.camera import Camera

__all__ = ["LightSample", "LightSamples", "light_sample"]

Float = npt.NDArray[np.float32]
Half = npt.NDArray[np.float16]

FIREFLY = 8.0  # a half may be this many times as bright as the other is around a pixel
AROUND = 2.0  # pixels


@dataclass(frozen=True)
class LightSample:
    """One crop. Light is over that of sun and sky together, times pi: a white wall in full light is 1.

    features    (channels, h, w)
    surface, dust        (3, h, w) our own premultiplied radiance, which gains are on
    traced_surface, traced_dust   (4, h, w) the path tracer's, mean of its halves
    plain       (4, h, w) the dust layer as `Renderer` draws the grid: a baseline
    coverage    (h, w) of our surface
    behind      (3, h, w) plate or clean plate, shadows on it
    level       light of sun and sky in the plate's exposure over pi
    """

    name: str
    kind: npt.NDArray[np.uint8]
    features: Half
    surface: Half
    dust: Half
    traced_surface: Half
    traced_dust: Half
    plain: Half
    coverage: Half
    behind: Half
    through: Half
    level: float


def light_sample(arrays: dict[str, npt.NDArray[Any]], record: dict[str, Any]) -> LightSample:
    """A sample of a data set with targets, prepared."""
    light = LightHere.of(record["light"], record["dust_albedo"])
    camera = Camera.from_json(record["camera"])
    x0, y0, x1, y1 = record["crop"]
    rays = view_rays(camera, np.arange(y0, y1) + np.float32(0.5), np.arange(x0, x1) + np.float32(0.5))
    surface = arrays["analytic.surface"].astype(np.float32)
    level = light.level / np.pi

    def relative(image: npt.NDArray[Any]) -> Half:
        out = np.moveaxis(np.asarray(image, np.float32), -1, 0).copy()
        out[:3] /= level
        return out.astype(np.float16)

    return LightSample(
        record["sample"],
        arrays["kind"].astype(np.uint8),
        features(arrays, surface, light, rays).astype(np.float16),
        relative(surface_base(surface)),
        relative(dust_base(arrays, light)),
        relative(_mean_of_halves(arrays, "surface")),
        relative(_mean_of_halves(arrays, "dust")),
        relative(arrays["analytic.plain"]),
        surface[..., 3].astype(np.float16),
        relative(_behind(arrays)),
        arrays["dust_through"].astype(np.float16),
        level,
    )


def _mean_of_halves(arrays: dict[str, npt.NDArray[Any]], layer: str) -> Float:
    """(h, w, 4), without fireflies: each half is bounded by what the other shows around a pixel."""
    halves = [arrays[f"{half}.{layer}"].astype(np.float32) for half in ("a", "b")]
    most = [FIREFLY * cv2.GaussianBlur(other[..., :3], (0, 0), AROUND) for other in reversed(halves)]
    for half, bound in zip(halves, most, strict=True):
        np.minimum(half[..., :3], bound, out=half[..., :3])
    return np.asarray(0.5 * (halves[0] + halves[1]), np.float32)


def _behind(arrays: dict[str, npt.NDArray[Any]]) -> Float:
    """What stands, (h, w, 3), with our shadows; where a piece hides it, the nearest that is seen."""
    hidden = (arrays["kind"] >= FIRST_PIECE).astype(np.uint8)
    plate = arrays["plate"].astype(np.float32)
    if hidden.all():
        return np.zeros_like(plate)
    if hidden.any():
        _, labels = cv2.distanceTransformWithLabels(hidden, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        seen = np.zeros((int(labels.max()) + 1, 3), np.float32)
        shown = hidden == 0
        seen[labels[shown]] = plate[shown]
        plate = np.where(shown[..., None], plate, seen[labels])
    return np.asarray(plate * arrays["analytic.shadow"].astype(np.float32), np.float32)


class LightSamples:
    """The samples of one data set by split, read when they are asked for; the last `cached` are kept."""

    def __init__(self, folder: Path, *, cached: int) -> None:
        self._folder, self._cached = folder, cached
        self._kept: OrderedDict[str, LightSample] = OrderedDict()
        about = read_dataset(folder)
        self.index = (folder / INDEX).read_bytes() if (folder / INDEX).exists() else b""
        rows = [row for row in read_index(folder) if row["targets"]]
        self.rows = {split: [row for row in rows if row["split"] == split] for split in SPLITS}
        if not self.rows["train"]:
            raise FalseworkError(
                "holds no samples with path-traced targets to train on",
                where=folder,
                todo="Build some with a Blender at hand: `falsework dataset build RECIPE --out DIR`.",
            )
        self.about: dict[str, Any] = {
            "name": about["name"],
            "recipe_sha256": about["recipe"],
        }
        self.counts: dict[str, Any] = {
            "index_sha256": hashlib.sha256(self.index).hexdigest(),
            **{f"{split}_samples": len(of) for split, of in self.rows.items()},
            **{f"{split}_buildings": len({row["building"] for row in of}) for split, of in self.rows.items()},
        }

    def __getitem__(self, at: tuple[str, int]) -> LightSample:
        """Sample number `at[1]` of split `at[0]`."""
        row = self.rows[at[0]][at[1]]
        name = row["sample"]
        if name in self._kept:
            self._kept.move_to_end(name)
        else:
            self._kept[name] = light_sample(*read_sample(self._folder, row))
            if len(self._kept) > self._cached:
                self._kept.popitem(last=False)
        return self._kept[name]

    def some(self, split: str, count: int) -> list[LightSample]:
        """At most `count` samples of a split, from all over it, the same each time."""
        whole = len(self.rows[split])
        chosen = np.linspace(0, max(whole - 1, 0), min(count, whole)).round().astype(int)
        return [self[split, int(number)] for number in np.unique(chosen)]
