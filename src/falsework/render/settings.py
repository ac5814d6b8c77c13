"""The look of what is drawn."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from falsework.settings import Auto, Colour, Settings

__all__ = ["DUST_DETAILS", "SHADINGS", "RenderSettings"]

SHADINGS = ("analytic", "learned")
DUST_DETAILS = ("plain", "learned")


class RenderSettings(Settings):
    """Motion blur and dust's look.

    shutter       degrees of 360 the shutter is open
    samples       sub-frames a frame is made of (motion blur and edges)
    dust_colour   albedo of the dust (linear ACEScg), or "auto": the facade's own colour mixed with grey
    dust_density  multiplies the dust's opacity without changing its motion
    shading       who lights surfaces and dust: the formulas written here, or the light network on top of them
    dust_detail   what dust finer than the simulation's cells is: noise carved into it, or the dust network's
    light_model, dust_model   names of the networks among the installed models (`falsework models list`)
    inference     what the networks run on: the processor, CUDA, or CUDA where PyTorch finds it ("auto")
    take          which of the shot's takes: the same fall and the same cloud, another fine structure
    """

    shutter: Annotated[float, Field(ge=0, le=360)] = 180.0
    samples: Annotated[int, Field(ge=1, le=64)] = 8
    dust_colour: Colour | Auto = "auto"
    dust_density: Annotated[float, Field(ge=0, le=20)] = 1.0
    shading: Literal["analytic", "learned"] = "analytic"
    dust_detail: Literal["plain", "learned"] = "plain"
    light_model: str = "light"
    dust_model: str = "dust"
    inference: Literal["auto", "cpu", "cuda"] = "auto"
    take: Annotated[int, Field(ge=0, lt=2**31)] = 0
