"""What was found in the plate, in words and numbers: the content of solve.json."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from falsework.plate.plate import Plate

__all__ = ["solve_words"]


def solve_words(plate: Plate) -> dict[str, Any]:
    """Camera, facades and light for people and for other programs."""
    light = plate.light
    pitch = float(np.degrees(np.arcsin(plate.camera.rotation[2, 2])))
    roll = float(np.degrees(np.arctan2(-plate.camera.rotation[0, 2], -plate.camera.rotation[1, 2])))
    return {
        "units": "metres; degrees; world right-handed, Z up, the camera above the origin looking along +Y",
        "camera": plate.camera.to_json() | {"pitch_degrees": pitch, "roll_degrees": roll},
        "lens": {field.name: getattr(plate.lens, field.name) for field in fields(plate.lens)},
        "facades": [
            {
                "name": facade.name,
                "origin": facade.origin.tolist(),
                "right": facade.right.tolist(),
                "normal": facade.normal.tolist(),
                "width": facade.width,
                "height": facade.height,
                "levels": facade.levels.tolist(),
                "windows": facade.windows.tolist(),
            }
            for facade in plate.facades
        ],
        "light": {
            "sun_direction": light.sun_direction.tolist(),
            "azimuth_degrees": float(np.degrees(np.arctan2(light.sun_direction[0], light.sun_direction[1]))),
            "elevation_degrees": float(np.degrees(np.arcsin(np.clip(light.sun_direction[2], -1, 1)))),
            "sun": light.sun.tolist(),
            "sky": light.sky.tolist(),
            "bounce": light.bounce.tolist(),
        },
        "grain": plate.grain.tolist(),
        "softness": plate.softness,
        "measures": dict(plate.measures),
    }
