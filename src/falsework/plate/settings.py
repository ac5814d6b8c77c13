"""The plate's part of a shot: picture, lens, facades, occluders, clean plate, light."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from falsework.settings import Auto, Colour, Finite, Pixel, Settings

__all__ = [
    "FacadeSettings",
    "LensSettings",
    "LightSettings",
    "NeighbourSettings",
    "OccluderSettings",
    "PlateSettings",
]


class LensSettings(Settings):
    """Lens distortion of the plate's file, in OpenCV's models."""

    model: Literal["none", "auto", "brown", "fisheye"] = "auto"
    coefficients: list[Finite] = Field(default_factory=list)


class PlateSettings(Settings):
    """The picture and how to read it."""

    file: str
    colour_space: str = "auto"  # OpenColorIO name or "auto" (sRGB for 8-bit, ACEScg for EXR)
    crop: tuple[int, int, int, int] | None = None  # x, y, width, height in the file's pixels
    size: tuple[int, int] | None = None  # delivery width and height, never larger than the crop
    focal_35mm: Annotated[float, Field(gt=4, lt=1200)] | Auto = "auto"
    lens: LensSettings = LensSettings()
    clean: str = ""  # a clean plate of the user's own
    building_matte: str = ""  # picture, white where the falling building (or what hides it) is seen


class FacadeSettings(Settings):
    """One wall of the building that falls. Corners in the file's pixels: top-left, top-right,
    bottom-right, bottom-left, the top at the cornice, the bottom on the ground."""

    name: str
    corners: tuple[Pixel, Pixel, Pixel, Pixel]
    storeys: Annotated[int, Field(ge=1, le=60)]
    storey_height: Annotated[float, Field(gt=1.5, lt=10)] = 3.2
    ground_storey_height: Annotated[float, Field(gt=1.5, lt=12)] | None = None
    bays: Annotated[int, Field(ge=0, le=100)] | Auto = "auto"
    # windows and doors marked by hand (left, top, right, bottom in the file's pixels): then only these count
    openings: list[tuple[Finite, Finite, Finite, Finite]] = Field(default_factory=list)


class OccluderSettings(Settings):
    """Something that stands before the building: a matte from a file, or made here from a box and strokes,
    or a line (a cable, a pole)."""

    name: str
    file: str = ""  # matte picture, white where the occluder is
    box: tuple[Finite, Finite, Finite, Finite] | None = None  # x, y, width, height in the file's pixels
    keep: list[list[Pixel]] = Field(default_factory=list)  # strokes on it
    drop: list[list[Pixel]] = Field(default_factory=list)  # strokes beside it
    line: list[Pixel] = Field(default_factory=list)
    line_width: Annotated[float, Field(gt=0, lt=400)] = 3.0
    depth: Annotated[float, Field(gt=0.1, lt=1000)] | Auto = "auto"  # metres; auto: from its foot


class NeighbourSettings(Settings):
    """A house that stays: its street wall, so that the ground, the dust and the clean plate know it.
    Corners as for facades; `party_wall` says which end the falling building leaned against."""

    name: str
    corners: tuple[Pixel, Pixel, Pixel, Pixel]
    party_wall: Literal["left", "right", "none"] = "none"
    depth: Annotated[float, Field(gt=0, lt=100)] = 11.0


class LightSettings(Settings):
    """Sun and sky. Azimuth in degrees clockwise from the view's direction, elevation above the horizon."""

    azimuth: Annotated[float, Field(ge=-360, le=360)] | Auto = "auto"
    elevation: Annotated[float, Field(gt=0, le=90)] | Auto = "auto"
    sun_sky_ratio: Annotated[float, Field(ge=0, le=100)] | Auto = "auto"
    sun_colour: Colour | Auto = "auto"
    shade_line: tuple[Pixel, Pixel] | None = None  # on a facade: below it the plate lies in others' shade
    shade_softness: Annotated[float, Field(ge=0, le=50)] = 1.0
