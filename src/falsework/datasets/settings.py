"""A recipe: the distribution that a data set's shots are drawn from."""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from falsework.errors import FalseworkError
from falsework.faults import key_lines, refuse, toml_refusal, validation_faults
from falsework.settings import Finite, Settings

__all__ = [
    "DOCUMENT",
    "SOME",
    "Range",
    "Recipe",
    "Share",
    "Split",
    "SplitSettings",
    "Weight",
    "checked",
    "load_recipe",
    "read_recipe",
    "recipe_text",
    "within",
]

DOCUMENT = "docs/datasets.md"

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=1e6)]
Split = Literal["train", "validation", "test"]
Kind = TypeVar("Kind", bound=Settings)


class Range(Settings):
    """From `low` to `high`; written as a list of two numbers."""

    low: Finite
    high: Finite

    @model_validator(mode="before")
    @classmethod
    def _pair(cls, given: object) -> object:
        if isinstance(given, list | tuple) and len(given) == 2:
            return {"low": given[0], "high": given[1]}
        return given

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low > self.high:
            raise ValueError("two numbers, the smaller first")
        return self


def within(least: float, most: float) -> WrapValidator:
    """A range between two bounds, which are said whatever else was given."""

    def check(given: object, inner: ValidatorFunctionWrapHandler) -> Range:
        with contextlib.suppress(ValidationError):
            made: Range = inner(given)
            if least <= made.low and made.high <= most:
                return made
        raise ValueError(f"two numbers between {least:g} and {most:g}, the smaller first")

    return WrapValidator(check)


def _weights(given: dict[str, float]) -> dict[str, float]:
    if sum(given.values()) <= 0:
        raise ValueError("a table of weights, one of which at least is not 0")
    return given


SOME = AfterValidator(_weights)


class PictureSettings(Settings):
    """size: of the plates, width and height in pixels; crop: a sample's edge, pixels."""

    size: tuple[Annotated[int, Field(ge=64, le=4096)], Annotated[int, Field(ge=64, le=4096)]] = (640, 448)
    crop: Annotated[int, Field(ge=16, le=2048)] = 256

    @model_validator(mode="after")
    def _fits(self) -> PictureSettings:
        if self.crop > min(self.size):
            raise ValueError("a crop that is no larger than the picture")
        return self


class ShotSettings(Settings):
    """How much of each building's fall is simulated, and how much of that is kept.

    frames   simulated, the first support goes at the third;  fps: frames a second
    moments  frames that samples are taken from;  crops: samples from each of them
    fragments  that a building is broken into
    """

    frames: Annotated[int, Field(ge=6, le=500)] = 72
    fps: Annotated[float, Field(gt=1, le=120)] = 24.0
    moments: Annotated[int, Field(ge=1, le=50)] = 3
    crops: Annotated[int, Field(ge=1, le=50)] = 2
    fragments: Annotated[Range, within(50, 20000)] = Range(low=200, high=600)


class BuildingSettings(Settings):
    """Weights of kinds, ranges of sizes in metres."""

    types: Annotated[dict[Literal["terraced", "corner", "detached"], Weight], SOME] = Field(
        default={"terraced": 3.0, "corner": 2.0, "detached": 1.0}
    )
    materials: Annotated[dict[Literal["masonry", "concrete", "glass"], Weight], SOME] = Field(
        default={"masonry": 5.0, "concrete": 3.0, "glass": 1.0}
    )
    roofs: Annotated[dict[Literal["flat", "gable", "mansard"], Weight], SOME] = Field(
        default={"flat": 3.0, "gable": 2.0, "mansard": 1.0}
    )
    storeys: Annotated[Range, within(1, 20)] = Range(low=2, high=6)
    storey_height: Annotated[Range, within(2.4, 8)] = Range(low=2.7, high=3.6)
    width: Annotated[Range, within(5, 60)] = Range(low=8.0, high=20.0)
    depth: Annotated[Range, within(4, 60)] = Range(low=8.0, high=13.0)


class TriggerSettings(Settings):
    """How the buildings fail."""

    kinds: Annotated[dict[Literal["progressive", "implosion", "topple", "pancake"], Weight], SOME] = Field(
        default={"progressive": 4.0, "implosion": 2.0, "topple": 1.0, "pancake": 2.0}
    )
    strength: Annotated[Range, within(0.01, 100)] = Range(low=0.5, high=1.0)


class SunSettings(Settings):
    """overcast: share of shots without sun; azimuth in degrees clockwise from the view's direction,
    elevation above the horizon; ratio: the sun's irradiance over that of the open sky."""

    overcast: Share = 0.2
    azimuth: Annotated[Range, within(-180, 180)] = Range(low=-180, high=180)
    elevation: Annotated[Range, within(3, 85)] = Range(low=12, high=65)
    ratio: Annotated[Range, within(0, 100)] = Range(low=1.0, high=6.0)


class DustSettings(Settings):
    """As [dust] of a shot, drawn."""

    amount: Annotated[Range, within(0, 20)] = Range(low=0.5, high=2.5)
    reach: Annotated[dict[Literal["local", "street", "camera"], Weight], SOME] = Field(
        default={"local": 1.0, "street": 3.0}
    )
    wind_speed: Annotated[Range, within(0, 40)] = Range(low=0.0, high=4.0)
    debris: Annotated[int, Field(ge=0, le=100000)] = 2000


class CameraSettings(Settings):
    """Metres from the building, metres above the ground, degrees that the building is seen from the side,
    and how much of the picture it takes up."""

    distance: Annotated[Range, within(6, 200)] = Range(low=16.0, high=32.0)
    height: Annotated[Range, within(0.3, 30)] = Range(low=1.5, high=2.4)
    aside: Annotated[Range, within(-45, 45)] = Range(low=-28.0, high=28.0)
    filling: Annotated[Range, within(0.3, 3)] = Range(low=0.8, high=1.25)


class TargetSettings(Settings):
    """The path-traced targets: `samples` a pixel, half of them in each of two halves of different seeds, and
    `held_out_samples` in validation and test (None: as many), where noise would be taken for error; bounces
    as in [traditional] of a shot, and as many; shadow: with the light left on what stands, too."""

    samples: Annotated[int, Field(ge=2, le=65536)] = 64
    held_out_samples: Annotated[int, Field(ge=2, le=65536)] | None = None
    bounces: Annotated[int, Field(ge=0, le=64)] = 4
    volume_bounces: Annotated[int, Field(ge=0, le=64)] = 12
    shadow: bool = True

    def samples_in(self, split: Split) -> int:
        """Paths a pixel of both halves together, in a part of the data set."""
        return self.samples if split == "train" else self.held_out_samples or self.samples


class SplitSettings(Settings):
    """Shares of the buildings kept for validation and for the test."""

    validation: Share = 0.1
    test: Share = 0.1

    @model_validator(mode="after")
    def _leaves_some(self) -> SplitSettings:
        if self.validation + self.test >= 1:
            raise ValueError("shares that leave something to train on")
        return self


class Recipe(Settings):
    """A data set's recipe. Paths start from the recipe's folder.

    textures, skies  folders of CC0 pictures;  sources: the CSV that says where each is from, and its licence
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")]
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    textures: Annotated[str, Field(min_length=1)]
    skies: Annotated[str, Field(min_length=1)]
    sources: Annotated[str, Field(min_length=1)]
    picture: PictureSettings = PictureSettings()
    shot: ShotSettings = ShotSettings()
    buildings: BuildingSettings = BuildingSettings()
    triggers: TriggerSettings = TriggerSettings()
    suns: SunSettings = SunSettings()
    dust: DustSettings = DustSettings()
    cameras: CameraSettings = CameraSettings()
    targets: TargetSettings = TargetSettings()
    split: SplitSettings = SplitSettings()


def load_recipe(path: Path) -> tuple[Recipe, str]:
    """A recipe and its text. Raises FalseworkError with all faults found, the first first."""
    text = recipe_text(path, "recipes/light.toml")
    return read_recipe(text, path), text


def read_recipe(text: str, path: Path) -> Recipe:
    """`load_recipe` for a text in hand; `path` is only named in faults."""
    return checked(Recipe, text, path)


def recipe_text(path: Path, example: str) -> str:
    """A recipe's text as it lies on disk; `example` is a recipe of its kind, for those who gave none."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise FalseworkError(
            "there is no such recipe", where=path, todo=f"Give a recipe such as {example}."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise FalseworkError(
            f"could not be read as text ({error})", where=path, todo="Give a recipe, a TOML file in UTF-8."
        ) from None


def checked(kind: type[Kind], text: str, path: Path) -> Kind:
    """What a recipe's text says, by its model. Raises FalseworkError with all faults found."""
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise toml_refusal(error, text, path) from None
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        refuse(validation_faults(error, values, kind, DOCUMENT), key_lines(text), path)
        raise AssertionError("unreachable") from error
