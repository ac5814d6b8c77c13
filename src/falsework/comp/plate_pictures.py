"""What of the comp stands still for a whole shot: the pictures that are delivered beside its frames."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from falsework.comp.grain import grain_pattern
from falsework.comp.settings import CompSettings
from falsework.plate.plate import Plate

__all__ = ["PlatePictures", "plate_pictures"]

Image = npt.NDArray[np.float32]

REACH = 2  # pixels to each side that a bicubic filter takes in
EXACT = 1e-5  # what the filter's weights may miss a whole one by


@dataclass(frozen=True)
class PlatePictures:
    """Float32, scene-linear ACEScg, in the delivered picture's geometry.

    plate     (H, W, 3) as delivered
    facade    (H, W, 3) the plate, where the building is seen without what stands before it
    clean     (H, W, 3) the place without the building
    occluder  (H, W) opacity of what stands before the building, 0..1
    grain     (H, W, 3) the grain that new pixels get, as it is at middle grey (0.18)
    """

    plate: Image
    facade: Image
    clean: Image
    occluder: Image
    grain: Image


def plate_pictures(plate: Plate, settings: CompSettings, *, seed: int) -> PlatePictures:
    """A still's grain stands still, so `seed` alone decides it."""
    height, width = plate.original.shape[:2]
    grain = np.zeros((height, width, 3), np.float32)
    if settings.grain > 0:
        strength = np.asarray(plate.grain, dtype=np.float32) * np.float32(settings.grain)
        grain = grain_pattern(height, width, seed) * strength
    facade = np.where(
        plate.building[plate.pad_top :, :, None] > 0, plate.facade[plate.pad_top :], plate.picture
    )
    return PlatePictures(
        plate=plate.original,
        facade=_mixed(plate, facade),
        clean=_replaced(plate, plate.clean),
        occluder=np.ascontiguousarray(np.clip(plate.lens.bend(plate.occluder), 0.0, 1.0)),
        grain=grain,
    )


def _mixed(plate: Plate, picture: Image) -> Image:
    """A working picture in the delivered geometry. Where it is the plate's own it is the untouched plate,
    with a soft passage from one to the other, as an occluder's edge has it."""
    if not plate.lens.bends:
        return np.ascontiguousarray(picture, dtype=np.float32)
    own = np.all(picture == plate.picture, axis=-1).astype(np.float32)
    share = np.clip(plate.lens.bend(own), 0.0, 1.0)[..., None]
    share[share > 1.0 - EXACT] = 1.0
    bent = np.maximum(plate.lens.bend(picture), 0.0)
    return np.ascontiguousarray(share * plate.original + (1.0 - share) * bent, dtype=np.float32)


def _replaced(plate: Plate, picture: Image) -> Image:
    """The same without a passage: `hold` mixes the two at their edge, and no plate may be in there twice.
    What is not the plate's own goes on beyond its edge as far as the filter reaches."""
    if not plate.lens.bends:
        return np.ascontiguousarray(picture, dtype=np.float32)
    other = np.any(picture != plate.picture, axis=-1).astype(np.float32)
    size = (2 * REACH + 1, 2 * REACH + 1)
    near = cv2.boxFilter(other, -1, size, normalize=False)
    spread = cv2.boxFilter(picture * other[..., None], -1, size, normalize=False)
    beside = ((near > 0.5) & (other == 0))[..., None]
    wide = np.where(beside, spread / np.maximum(near, 1.0)[..., None], picture).astype(np.float32)
    inside = np.abs(plate.lens.bend(other)) > EXACT
    return np.where(inside[..., None], np.maximum(plate.lens.bend(wide), 0.0), plate.original)
