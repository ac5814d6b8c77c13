"""The plate freed of its light: what its walls are made of, as far as the model's light explains them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["HIGHEST", "delight"]

Float = npt.NDArray[np.float32]

# Nothing outdoors but snow throws more back.
HIGHEST = 0.85
# Of the building's typical light: what the model thinks darker than this, it is no guide to.
DARKEST = 0.05


def delight(facade: Float, light: Float) -> tuple[Float, Float]:
    """Albedo and residue (H, W, 3) with albedo * light / pi + residue = facade.

    facade (H, W, 3) the building as the plate shows it; light (H, W, 3) the irradiance that the model has
    there at rest. Albedo is at most HIGHEST; what is brighter (mirrored sky in panes, sunlight where the
    model has shade) becomes the residue, which stays with the wall as a light of its own, so that at rest the
    picture is the plate's whatever the model's mistakes.
    """
    typical = np.median(light[light > 0]) if (light > 0).any() else 1.0
    falls = np.maximum(light, DARKEST * typical)
    albedo = np.clip(facade * np.pi / falls, 0.0, HIGHEST)
    residue = np.maximum(facade - albedo * light / np.pi, 0.0)
    return albedo.astype(np.float32), residue.astype(np.float32)
