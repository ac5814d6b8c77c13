"""Light from a photographed sky: its colours and its picture; the sun stands where the recipe puts it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from falsework.datasets.draw import Drawn
from falsework.datasets.rasters import look_up
from falsework.errors import FalseworkError
from falsework.media.colour import to_working
from falsework.plate.plate import Light

__all__ = ["Sky", "light_of", "read_sky"]

Image = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

# Irradiance of the open sky on the ground in the plates' exposure, mean over the colours.
LEVEL = {"overcast": 1.8, "sunny": 0.9}
BRIGHTEST = 12.0  # of a sky's pixel, over the median: above it is the sun, which is drawn apart
AIR = np.array([0.09, 0.15, 0.30])  # optical depth of clear air for red, green and blue (Rec.709)


@dataclass(frozen=True)
class Sky:
    """radiance (H, W, 3) scene-linear ACEScg, the whole sphere, zenith first; irradiance (3,) of its upper
    half on the ground."""

    radiance: Image
    irradiance: Array

    def towards(self, directions: Array, turned: float) -> Image:
        """Radiance (..., 3) from directions (..., 3), the sky turned by degrees."""
        unit = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
        height, width = self.radiance.shape[:2]
        across = (np.arctan2(unit[..., 0], unit[..., 1]) / (2 * np.pi) + turned / 360.0) % 1.0
        down = np.arccos(np.clip(unit[..., 2], -1, 1)) / np.pi
        x, y = across * width - 0.5, down * height - 0.5
        return look_up(self.radiance, x.ravel(), y.ravel(), wrap=True).reshape(*x.shape, 3)


def read_sky(path: Path) -> Sky:
    """A sky from an equirectangular picture (Radiance HDR or EXR, linear Rec.709), without its sun."""
    coded = cv2.imread(str(path), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    if coded is None or coded.dtype != np.float32:
        raise FalseworkError(
            "is no readable high-dynamic-range sky", where=path, todo="Give a Radiance HDR or an EXR file."
        )
    linear = np.maximum(np.nan_to_num(coded[..., ::-1], nan=0.0, posinf=1e4), 0.0)
    upper = linear[: len(linear) // 2]
    limit = BRIGHTEST * float(np.median(upper.mean(-1)))
    linear = linear * np.minimum(1.0, limit / np.maximum(linear.mean(-1, keepdims=True), 1e-6))
    radiance = to_working(np.ascontiguousarray(linear, np.float32), "linear")
    rows = (np.arange(len(radiance)) + 0.5) / len(radiance) * np.pi
    weight = np.maximum(np.cos(rows), 0) * np.sin(rows)
    each = np.pi / len(radiance) * 2 * np.pi / radiance.shape[1]
    irradiance = (radiance * weight[:, None, None]).sum((0, 1), dtype=np.float64) * each
    return Sky(radiance, irradiance)


def light_of(drawn: Drawn, sky: Sky, ground: Array) -> tuple[Light, float]:
    """The plate's light, and what the sky's radiance is multiplied with. `ground` (3,) is the street's
    albedo."""
    azimuth, elevation, ratio = drawn.sun
    level = LEVEL["sunny" if ratio > 0 else "overcast"]
    exposure = level / float(sky.irradiance.mean())
    # Skylight as painters know it: a photographed evening would tint everything.
    hue = sky.irradiance / sky.irradiance.mean()
    open_sky = level * (0.5 + 0.5 * hue)
    a, e = np.radians(azimuth), np.radians(elevation)
    direction = np.array([np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), np.sin(e)])
    through = np.exp(-AIR / np.sin(e + 0.02))
    colour = to_working(np.array([through / through.mean()], np.float32), "linear")[0]
    sun = np.maximum(ratio * level * colour.astype(np.float64), 0.0)
    bounce = ground * (open_sky + sun * direction[2])
    light = Light(
        sun_direction=direction,
        sun=sun,
        sky=open_sky,
        bounce=0.8 * bounce,
        shade=np.zeros(4),
        shade_softness=1.0,
    )
    return light, exposure
