"""What the light network is told of a pixel, and what it corrects: functions of the G-buffers and the light.

Nothing here knows a plate's exposure: light enters as a share of what sun and sky send together, so that a
picture twice as bright gives the same features. The world is the camera's but for its pitch (x to the right,
y away from it, z up), so normals and directions need no turning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.media.half import to_single
from falsework.plate.camera import Camera

__all__ = [
    "FEATURES",
    "FIRST_PIECE",
    "LightHere",
    "dust_base",
    "features",
    "first_channel",
    "mirrored",
    "recoloured",
    "surface_base",
    "view_rays",
]

Float = npt.NDArray[np.float32]

KINDS = 6  # of `render.gbuffers.KINDS`; those from FIRST_PIECE on have been moved
FIRST_PIECE = 3
DARKEST = 1e-3  # of the light: below this all is as dark
# Channels of each feature; all are between about -3 and 3.
FEATURES: dict[str, int] = {
    "kind": KINDS,  # one of them 1
    "normal": 3,
    "facing": 1,  # cosine between normal and the way to the camera
    "sunward": 1,  # cosine between normal and the way to the sun, 0 where it is turned away
    "sun_seen": 1,
    "sun_through": 1,
    "sun": 1,  # direct irradiance over that of sun and sky
    "sky_seen": 6,
    "near": 1,
    "albedo": 1,  # logarithm of the mean of the colours
    "albedo_hue": 3,  # colours over it, logarithms
    "coat": 1,
    "rest_light": 1,  # logarithm
    "plate": 1,  # logarithm
    "surface": 1,  # logarithm of our own radiance
    "dust_through": 1,
    "dust_depth": 1,  # optical, logarithm of 1 + it
    "dust_sun": 1,  # per opacity, logarithms
    "dust_sky": 1,
    "dust_albedo": 3,
    "dust_place": 1,  # logarithm of the dust's mean distance over the surface's
    "depth": 1,  # logarithm
    "height": 1,  # of the ray: what it gains a metre
    "phase": 1,  # cosine between ray and the way to the sun
    "sun_height": 1,  # sine
    "sun_to_sky": 3,  # logarithms of irradiances, colour by colour: that is how light goes its ways
    "bounce_to_sky": 3,
}
# Of the colours, in their order.
COLOURED = ("albedo_hue", "dust_albedo", "sun_to_sky", "bounce_to_sky")


@dataclass(frozen=True)
class LightHere:
    """What lights a shot: irradiances (3,) of sun, sky and ground, the way to the sun (3,), and the dust's
    albedo (3,)."""

    sun_direction: Float
    sun: Float
    sky: Float
    bounce: Float
    dust_albedo: Float

    @classmethod
    def of(cls, light: Any, dust_albedo: npt.ArrayLike) -> LightHere:
        """Of a plate's `Light`, or of its record in a data set."""
        parts = light if isinstance(light, Mapping) else vars(light)

        def vector(value: npt.ArrayLike) -> Float:
            return np.asarray(value, np.float32)

        return cls(
            vector(parts["sun_direction"]),
            vector(parts["sun"]),
            vector(parts["sky"]),
            vector(parts["bounce"]),
            vector(dust_albedo),
        )

    @property
    def level(self) -> float:
        """Irradiance of sun and sky together, mean of the colours."""
        return max(float(self.sun.mean() + self.sky.mean()), 1e-9)


def view_rays(camera: Camera, rows: Float, columns: Float) -> Float:
    """Unit directions (h, w, 3) through pixels at these rows (h,) and columns (w,), centres at + 0.5."""
    pixels = np.stack(np.meshgrid(columns, rows), axis=-1)
    rays = camera.rays(pixels)
    return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True), np.float32)


def surface_base(surface: Float) -> Float:
    """Our own premultiplied radiance (h, w, 3), of a surface layer (h, w, 4): what the first gains are on."""
    return surface[..., :3]


def dust_base(told: Mapping[str, npt.NDArray[Any]], light: LightHere) -> Float:
    """Premultiplied radiance (h, w, 3) of the coarse dust with its light scattered once, a little more for
    all that is scattered again, and the ground's: what the second gains are on.

    Measured on three path-traced houses, dust of an albedo has a colour of its power 0.48.
    """
    opacity = 1.0 - _plain(told["dust_through"])
    once_sun, once_sky = _plain(told["dust_sun"]), _plain(told["dust_sky"])
    lit = light.sun * once_sun[..., None] + light.sky * (once_sky + 0.04 * opacity)[..., None]
    lit += light.bounce * (0.1 * opacity)[..., None]
    return np.asarray(lit * np.sqrt(light.dust_albedo) / np.pi, np.float32)


def features(told: Mapping[str, npt.NDArray[Any]], surface: Float, light: LightHere, rays: Float) -> Float:
    """(channels, h, w) for the pictures `told` (`render.gbuffers.CHANNELS`), our surface layer (h, w, 4) and
    unit `rays` (h, w, 3)."""
    kind = told["kind"]
    normal = _plain(told["normal"])
    level = light.level
    sunward = np.maximum(normal @ light.sun_direction, 0.0)
    seen, past = _plain(told["sun_seen"]), _plain(told["sun_through"])
    albedo = _plain(told["albedo"])
    mean = albedo.mean(-1)
    through = np.clip(_plain(told["dust_through"]), 0.0, 1.0)
    opacity = 1.0 - through
    depth = _plain(told["depth"])
    depth = np.where(np.isfinite(depth) & (depth > 0), depth, 300.0)
    dust_depth = _plain(told["dust_depth"])
    dusty = opacity > 1e-3
    per_opacity = 1.0 / np.maximum(opacity, 1e-3)
    covered = np.maximum(surface[..., 3], 1e-3)
    out = np.empty((sum(FEATURES.values()), *kind.shape), np.float32)
    parts = {
        "kind": kind[..., None] == np.arange(KINDS),
        "normal": normal,
        "facing": -(normal * rays).sum(-1),
        "sunward": sunward,
        "sun_seen": seen,
        "sun_through": past,
        "sun": sunward * seen * past * np.float32(light.sun.mean() / level),
        "sky_seen": np.clip(_plain(told["sky_seen"]), -0.5, 1.5),
        "near": _plain(told["near"]),
        "albedo": np.where(mean > 0, _log(mean), 0.0),
        "albedo_hue": np.where(mean[..., None] > 0, np.log((albedo + 0.01) / (mean[..., None] + 0.01)), 0.0),
        "coat": _plain(told["coat"]),
        "rest_light": _log(_plain(told["rest_light"]).mean(-1) / level),
        "plate": _log(_plain(told["plate"]).mean(-1) / level),
        "surface": np.where(surface[..., 3] > 0, _log(surface[..., :3].mean(-1) / covered / level), 0.0),
        "dust_through": through,
        "dust_depth": np.log1p(-np.log(np.maximum(through, 1e-4))),
        "dust_sun": np.where(dusty, _log(_plain(told["dust_sun"]) * per_opacity), 0.0),
        "dust_sky": np.where(dusty, _log(_plain(told["dust_sky"]) * per_opacity), 0.0),
        "dust_albedo": light.dust_albedo,
        "dust_place": np.where(dusty, np.log(np.clip(dust_depth / depth, 0.02, 1.0)), 0.0),
        "depth": np.log(np.clip(depth, 1.0, 300.0) / 25.0),
        "height": rays[..., 2] / np.maximum(np.hypot(rays[..., 0], rays[..., 1]), 1e-3),
        "phase": rays @ light.sun_direction,
        "sun_height": light.sun_direction[2],
        "sun_to_sky": _ratio(light.sun, light.sky),
        "bounce_to_sky": _ratio(light.bounce, light.sky),
    }
    for name, wide in FEATURES.items():
        first = first_channel(name)
        for channel in range(wide):
            out[first + channel] = parts[name][..., channel] if wide > 1 else parts[name]
    np.clip(out, -4.0, 4.0, out=out)
    return out


def mirrored(array: Any) -> Any:
    """Features (..., channels, h, w) of the same scene seen in a mirror, left for right. NumPy or PyTorch."""
    order = list(range(sum(FEATURES.values())))
    sky = first_channel("sky_seen")
    # Zenith, four directions (right and away, left and away, left and near, right and near), ground.
    order[sky + 1 : sky + 5] = [sky + 2, sky + 1, sky + 4, sky + 3]
    turned = array[..., order, :, :]
    flipped = turned.flip(-1) if hasattr(turned, "flip") else turned[..., ::-1].copy()
    flipped[..., first_channel("normal"), :, :] *= -1
    return flipped


def recoloured(array: Any, order: Sequence[int]) -> Any:
    """Features (..., channels, h, w) of the same scene with its three colours in another order."""
    channels = list(range(sum(FEATURES.values())))
    for name in COLOURED:
        first = first_channel(name)
        channels[first : first + 3] = [first + colour for colour in order]
    return array[..., channels, :, :]


def first_channel(name: str) -> int:
    """Where a feature's channels begin."""
    names = list(FEATURES)
    return sum(FEATURES[other] for other in names[: names.index(name)])


def _plain(image: npt.NDArray[Any]) -> Float:
    return to_single(np.asarray(image))


def _log(share: Float) -> Float:
    """Logarithm of shares of the light, halved: about -3.5 to 1."""
    return np.asarray(0.5 * np.log(np.maximum(share, 0.0) + DARKEST), np.float32)


def _ratio(one: Float, other: Float) -> Float:
    return np.asarray(np.clip(0.5 * np.log((one + 1e-6) / (other + 1e-6)), -2.0, 2.0), np.float32)
