"""The building's part of a shot."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from falsework.settings import Settings

__all__ = ["BuildingSettings", "FractureSettings"]


class BuildingSettings(Settings):
    """What the plate does not say of the building."""

    material: Literal["masonry", "concrete", "glass"] = "masonry"
    depth: Annotated[float, Field(gt=2, lt=80)] = 11.0  # metres, from the facade to the back wall
    roof: Literal["flat", "mansard", "gable"] = "flat"
    roof_height: Annotated[float, Field(ge=0, lt=15)] = 0.0  # metres above the cornice
    wall_thickness: Annotated[float, Field(gt=0.05, lt=2)] = 0.45


class FractureSettings(Settings):
    """How the building comes apart."""

    fragments: Annotated[int, Field(ge=50, le=20000)] = 2000
    size_exponent: Annotated[float, Field(gt=0.5, lt=5)] = (
        2.2  # power law of fragment sizes (number against edge)
    )
    roughness: Annotated[float, Field(ge=0, le=0.3)] = 0.05  # metres, relief of broken faces
