"""How much work the traditional pipeline puts into a shot."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from falsework.settings import Settings

__all__ = ["TraditionalSettings"]


class TraditionalSettings(Settings):
    """What Blender is asked for. The defaults are what a careful artist chooses: docs/traditional.md.

    samples            the most paths a pixel; adaptive sampling stops earlier
    noise_threshold    where it stops: the noise left in a pixel; 0 takes all samples everywhere
    bounces            of light between surfaces;  volume_bounces: within dust
    denoise            OpenImageDenoise, led by albedo and normal
    volume_step_rate   length of the steps through dust, in voxels' edges
    smoke_resolution   cells along the smoke domain's longest side
    substeps           of the rigid bodies, a frame;  solver_iterations: of their contacts, a sub-step
    device             what Cycles runs on;  threads: of the processor, 0 for all
    """

    samples: Annotated[int, Field(ge=1, le=65536)] = 64
    noise_threshold: Annotated[float, Field(ge=0, le=1)] = 0.05
    bounces: Annotated[int, Field(ge=0, le=64)] = 4
    volume_bounces: Annotated[int, Field(ge=0, le=64)] = 12
    denoise: bool = True
    volume_step_rate: Annotated[float, Field(ge=0.05, le=20)] = 2.0
    smoke_resolution: Annotated[int, Field(ge=16, le=1024)] = 128
    substeps: Annotated[int, Field(ge=1, le=100)] = 10
    solver_iterations: Annotated[int, Field(ge=1, le=500)] = 50
    device: Literal["CPU", "CUDA", "OPTIX", "HIP", "METAL", "ONEAPI"] = "CPU"
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
