"""The collapse's part of a shot."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from falsework.settings import Finite, Settings

__all__ = ["CollapseSettings"]


class CollapseSettings(Settings):
    """How the building fails.

    from_storey   0 is the ground floor
    side          where it begins, seen from the camera
    start         frame at which the first support goes
    timing        pairs (fraction of the way across the building from `side`, seconds after start): when the
                  supports at that place go; linear between the pairs
    strength      multiplies every bond's strength
    direction     for "topple": degrees clockwise from the view's direction, 180 falls towards the camera
    """

    kind: Literal["progressive", "implosion", "topple", "pancake"] = "progressive"
    from_storey: Annotated[int, Field(ge=0, le=60)] = 0
    side: Literal["left", "right", "centre", "corner", "front", "back"] = "centre"
    start: Annotated[int, Field(ge=0)] = 1012
    timing: list[tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=30)]]] = Field(
        default=[(0.0, 0.0), (1.0, 0.8)]
    )
    strength: Annotated[float, Field(gt=0, le=100)] = 1.0
    direction: Finite = 180.0
