"""From layers to the finished frame."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from falsework.comp.blend import blend
from falsework.comp.frame import Frame
from falsework.comp.grain import regrain
from falsework.comp.plate_pictures import plate_pictures
from falsework.comp.settings import CompSettings
from falsework.plate.plate import Plate
from falsework.render.layers import Layers

__all__ = ["SURFACE_GRAIN", "Compositor", "compose"]

Image = npt.NDArray[np.float32]

# Sampling a pixel with a few jittered rays already softens it about this much (a box of one pixel).
RENDER_SOFTNESS = 0.3
# Moving facade pieces carry the plate's own grain already; this much more makes up for its averaging by
# motion blur.
SURFACE_GRAIN = 0.6


class Compositor:
    """Lays the layers of a shot's frames over the plate and under its occluders.

    Everything is brought into the delivered picture's geometry first and blended there, so that the delivered
    layers give the delivered picture. The plate itself is never filtered: outside the matte the result is the
    original, bit for bit.
    """

    def __init__(self, plate: Plate, settings: CompSettings, *, seed: int) -> None:
        self._lens = plate.lens
        self._softness = plate.softness * settings.softness
        self._pictures = plate_pictures(plate, settings, seed=seed)
        standing, view = plate.facade[plate.pad_top :], plate.picture
        kept = (plate.building[plate.pad_top :] <= 0) | np.all(standing == view, axis=-1)
        self._plain = kept & np.all(plate.clean == view, axis=-1)  # facade and clean plate are the plate here

    def frame(self, layers: Layers) -> Frame:
        lens, pictures = self._lens, self._pictures
        surface, hold = _soften(layers.surface, layers.hold, self._softness)
        # Where all three are one picture it all counts as standing: at rest `hold` is then 1 everywhere, and
        # no filter can find an edge in it.
        hold = np.where(self._plain, np.clip(1.0 - surface[..., 3], 0.0, 1.0), hold)
        surface, hold = self._bent(surface), self._bent(hold)
        shadow = self._bent(layers.shadow)
        dust, dust_front = self._bent(layers.dust), self._bent(layers.dust_front)
        picture, matte = blend(
            pictures.plate,
            pictures.facade,
            pictures.clean,
            pictures.occluder,
            surface,
            hold,
            shadow,
            dust,
            dust_front,
        )
        behind, before = 1.0 - pictures.occluder, pictures.occluder * dust_front[..., 3]
        covered, dusty = surface[..., 3], dust[..., 3]
        made = behind * ((1.0 - dusty) * covered * SURFACE_GRAIN + dusty) + before
        picture = regrain(picture, made * (matte > 0), pictures.grain)
        aovs = {
            "alpha": np.clip(behind * (1.0 - (1.0 - covered) * (1.0 - dusty)) + before, 0.0, 1.0),
            "depth": lens.bend(layers.depth, nearest=True),
            "normal": lens.bend(layers.normal),
            "motion": lens.bend_motion(layers.motion),
            "albedo": self._bent(layers.albedo),
            "shadow": shadow,
            "surface": surface,
            "hold": hold,
            "dust": dust,
            "dust_front": dust_front,
            "crypto": lens.bend(layers.crypto, nearest=True),
        }
        return Frame(picture=picture, matte=matte, aovs=aovs)

    def _bent(self, layer: Image) -> Image:
        """A layer in delivered pixels, without the filter's overshoot: colours stay positive, coverage (the
        fourth channel, or the only one) between 0 and 1."""
        if not self._lens.bends:
            return np.ascontiguousarray(layer, dtype=np.float32)
        bent = np.maximum(self._lens.bend(np.ascontiguousarray(layer, dtype=np.float32)), 0.0)
        coverage = bent if bent.ndim == 2 else bent[..., 3:]
        np.minimum(coverage, 1.0, out=coverage)
        return bent


def compose(plate: Plate, layers: Layers, settings: CompSettings, *, seed: int) -> Frame:
    """One frame alone; for many, keep a `Compositor`."""
    return Compositor(plate, settings, seed=seed).frame(layers)


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
