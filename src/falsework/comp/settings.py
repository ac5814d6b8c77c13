"""The finish of the picture."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from falsework.settings import Settings

__all__ = ["CompSettings"]


class CompSettings(Settings):
    """Grain and softness relative to what was measured on the plate (1: the same), and the slate."""

    grain: Annotated[float, Field(ge=0, le=10)] = 1.0
    softness: Annotated[float, Field(ge=0, le=10)] = 1.0
    slate: bool = False
