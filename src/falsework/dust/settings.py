"""The dust's and debris' part of a shot that concerns the simulation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from falsework.settings import Settings

__all__ = ["DustSettings"]


class DustSettings(Settings):
    """How much dust and debris, and where it goes.

    amount           multiplies the dust's mass (1: 2 % of what breaks becomes airborne, a small part of it
                     fine enough to be seen)
    reach            how far the cloud runs: it stays local, runs along the street, or reaches the camera
    wind_speed       m/s;  wind_direction degrees clockwise from the view's direction, where it blows TO
    debris           number of chips and grits
    """

    amount: Annotated[float, Field(ge=0, le=20)] = 1.0
    reach: Literal["local", "street", "camera"] = "street"
    wind_speed: Annotated[float, Field(ge=0, le=40)] = 0.5
    wind_direction: Annotated[float, Field(ge=-360, le=360)] = 90.0
    debris: Annotated[int, Field(ge=0, le=200000)] = 30000
