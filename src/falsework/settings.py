"""What the settings of every room share: strict models and the small types they use."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Auto", "Colour", "Finite", "Pixel", "Settings"]

Auto = Literal["auto"]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Pixel = tuple[Finite, Finite]
Channel = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Colour = tuple[Channel, Channel, Channel]


class Settings(BaseModel):
    """Unknown keys are refused, NaN and infinity too; values cannot be changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
