"""From layers to the finished frame."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from falsework.comp.blend import UNTOUCHED, blend
from falsework.comp.frame import Frame
from falsework.comp.grain import grain_pattern, regrain
from falsework.comp.settings import CompSettings
from falsework.plate.plate import Plate
from falsework.render.layers import Layers

__all__ = ["compose"]

Image = npt.NDArray[np.float32]

# Sampling a pixel with a few jittered rays already softens it about this much (a box of one pixel).
RENDER_SOFTNESS = 0.3
# Moving facade pieces carry the plate's own grain already; this much more makes up for its averaging by
# motion blur.
SURFACE_GRAIN = 0.6


def compose(plate: Plate, layers: Layers, settings: CompSettings, *, seed: int) -> Frame:
    """Lay one frame's layers over the plate and under its occluders, in the delivered picture's geometry.

    A still's grain stands still, so `seed` alone decides it. The plate itself is never filtered:
    outside the matte the result is the original, bit for bit.
    """
    surface, hold = _soften(layers.surface, layers.hold, plate.softness * settings.softness)
    standing = plate.facade[plate.pad_top :]
    facade = np.where(plate.building[plate.pad_top :, :, None] > 0, standing, plate.picture)
    gain, add, matte = blend(
        plate.picture,
        np.ascontiguousarray(facade, dtype=np.float32),
        plate.clean,
        plate.occluder,
        surface,
        hold,
        layers.shadow,
        layers.dust,
        layers.dust_front,
    )
    behind = 1.0 - plate.occluder
    dust_alpha = layers.dust[..., 3]
    made = behind * ((1.0 - dust_alpha) * surface[..., 3] * SURFACE_GRAIN + dust_alpha)
    made += plate.occluder * layers.dust_front[..., 3]
    alpha = (
        behind * (1.0 - (1.0 - surface[..., 3]) * (1.0 - dust_alpha))
        + plate.occluder * layers.dust_front[..., 3]
    )

    lens = plate.lens
    gain, add, matte, made = (lens.bend(layer) for layer in (gain, add, matte, made))
    # Bending leaves traces beside the matte's edge that half floats would round away in the matte alone.
    matte = np.where(matte < UNTOUCHED, np.float32(0.0), np.minimum(matte, np.float32(1.0)))
    picture = plate.original * gain + add
    if settings.grain > 0:
        height, width = picture.shape[:2]
        sigma = np.asarray(plate.grain) * settings.grain
        picture = regrain(picture, made * (matte > 0), sigma, _pattern(height, width, seed))
    picture = np.where(matte[..., None] > 0, picture, plate.original)
    aovs = {
        "alpha": np.clip(lens.bend(alpha), 0.0, 1.0),
        "depth": lens.bend(layers.depth, nearest=True),
        "normal": lens.bend(layers.normal),
        "motion": lens.bend_motion(layers.motion),
        "albedo": lens.bend(layers.albedo),
        "shadow": lens.bend(layers.shadow),
        "surface": lens.bend(surface),
        "dust": lens.bend(layers.dust),
        "crypto": lens.bend(layers.crypto, nearest=True),
    }
    return Frame(picture=np.ascontiguousarray(picture, dtype=np.float32), matte=matte, aovs=aovs)


@lru_cache(maxsize=2)
def _pattern(height: int, width: int, seed: int) -> Image:
    return grain_pattern(height, width, seed)


def _soften(surface: Image, hold: Image, softness: float) -> tuple[Image, Image]:
    """Give surfaces the plate's softness without opening seams to what stands beside them.

    Coverage of moved and standing pieces is blurred together near the moved ones, so that their sum stays
    what it was; away from them `hold` is untouched.
    """
    sigma = float(np.sqrt(max(softness**2 - RENDER_SOFTNESS**2, 0.0)))
    if sigma < 0.2 or not surface[..., 3].any():
        return surface, hold
    reach = int(np.ceil(3 * sigma))
    near = (
        cv2.dilate((surface[..., 3] > 0).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
        > 0
    )
    soft = cv2.GaussianBlur(surface, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    covered = cv2.GaussianBlur(surface[..., 3] + hold, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    standing = np.clip(covered - soft[..., 3], 0.0, 1.0)
    return np.where(near[..., None], soft, surface), np.where(near, standing, hold)
