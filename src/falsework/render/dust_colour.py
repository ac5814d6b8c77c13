"""The colour of a shot's dust, one for both renderers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from falsework.plate.plate import Plate
from falsework.render.settings import RenderSettings

__all__ = ["dust_albedo"]

Float = npt.NDArray[np.float32]


def dust_albedo(plate: Plate, settings: RenderSettings) -> Float:
    """(3,) linear ACEScg: the facade's own matter mixed with mortar's and concrete's, bright as powders are,
    unless the settings name a colour."""
    if settings.dust_colour != "auto":
        return np.asarray(settings.dust_colour, np.float32)
    light = plate.light
    shown = plate.facade[plate.building > 0.5]
    # Its brighter half: windows and shade say nothing of what the walls are made of.
    bright = shown[shown.mean(-1) >= np.median(shown.mean(-1))] if len(shown) else np.ones((1, 3))
    mean = bright.mean(0)
    facing = max(
        float(np.mean([max(f.normal @ light.sun_direction, 0.0) for f in plate.facades] or [0.3])), 0.1
    )
    grey = 0.5 * light.sky + 0.5 * light.bounce + 0.5 * facing * light.sun
    hue = mean / np.maximum(grey, 1e-6)
    hue = hue / max(float(hue.mean()), 1e-6)
    mixed = 0.5 * np.clip(hue, 0.6, 1.5) + 0.5 * np.array([1.16, 1.0, 0.80])
    albedo: Float = (0.73 * mixed / mixed.mean()).clip(0.2, 0.9).astype(np.float32)
    return albedo
