"""The look of what is drawn."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from falsework.settings import Auto, Colour, Settings

__all__ = ["RenderSettings"]


class RenderSettings(Settings):
    """Motion blur and dust's look.

    shutter       degrees of 360 the shutter is open
    samples       sub-frames a frame is made of (motion blur and edges)
    dust_colour   albedo of the dust (linear ACEScg), or "auto": the facade's own colour mixed with grey
    dust_density  multiplies the dust's opacity without changing its motion
    """

    shutter: Annotated[float, Field(ge=0, le=360)] = 180.0
    samples: Annotated[int, Field(ge=1, le=64)] = 8
    dust_colour: Colour | Auto = "auto"
    dust_density: Annotated[float, Field(ge=0, le=20)] = 1.0
