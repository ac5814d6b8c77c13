"""A recipe of dust volumes: the distribution that small simulations of dust, finer than a shot's, are drawn
from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from falsework.datasets.settings import (
    SOME,
    Range,
    Share,
    SplitSettings,
    Weight,
    checked,
    recipe_text,
    within,
)
from falsework.settings import Finite, Settings

__all__ = ["BLOCK", "SCENES", "VolumeRecipe", "load_volume_recipe", "read_volume_recipe"]

# Fine cells along the edge of a cell of the displacements that a shot's dust would hand on.
BLOCK = 16
Scene = Literal["front", "windows", "burst", "pieces", "slab", "drift"]
SCENES: tuple[Scene, ...] = ("front", "windows", "burst", "pieces", "slab", "drift")


class GridSettings(Settings):
    """voxel: edge of a fine dust cell, metres (a shot's are four times as wide); edge, height: such cells
    across and upwards."""

    voxel: Annotated[Range, within(0.02, 0.2)] = Range(low=0.05, high=0.0875)
    edge: Annotated[Range, within(64, 512)] = Range(low=128, high=160)
    height: Annotated[Range, within(64, 512)] = Range(low=96, high=128)


class RunSettings(Settings):
    """seconds: simulated;  fps: one of which is drawn;  steps: of the air between two frames, as its cells
    are small for a frame's way"""

    seconds: Annotated[Range, within(0.2, 60)] = Range(low=1.2, high=2.6)
    fps: Annotated[tuple[Annotated[Finite, Field(gt=1, le=120)], ...], Field(min_length=1)] = (
        24.0,
        25.0,
        30.0,
    )
    steps: Annotated[int, Field(ge=1, le=8)] = 2


class SequenceSettings(Settings):
    """moments: of each simulation that is kept;  crops: taken at each, as far as there is dust;  frames: that
    follow one another in each

    edges   of a crop in fine cells, multiples of 32, each axis drawn for itself;  most: cells in a crop
    dusty   share of a crop's dust cells that must hold some
    """

    moments: Annotated[int, Field(ge=1, le=50)] = 4
    crops: Annotated[int, Field(ge=1, le=10)] = 2
    frames: Annotated[int, Field(ge=1, le=24)] = 3
    edges: Annotated[
        tuple[Annotated[int, Field(ge=32, le=512, multiple_of=32)], ...], Field(min_length=1)
    ] = (
        64,
        96,
        128,
    )
    most: Annotated[int, Field(ge=32**3)] = 1_200_000
    dusty: Share = 0.08


class SourceSettings(Settings):
    """What gives off dust. One of `main` (weights) is always there; each other one joins it by chance.

    front    what is crushed at a wall's foot bursts out in lobes and runs along the ground
    windows  storeys above are squeezed: jets from openings of a wall
    burst    blows and breaking in one place
    pieces   blocks fall, draw trails and burst where they land
    slab     a floor comes down and squeezes out the air under it
    drift    dust given off before, in motion already

    amount   as `amount` under [dust] of a shot
    """

    main: Annotated[dict[Scene, Weight], SOME] = Field(
        default={"front": 4.0, "windows": 1.5, "burst": 1.5, "pieces": 2.0, "slab": 1.5, "drift": 2.0}
    )
    joining: Share = 0.12
    amount: Annotated[Range, within(0.05, 20)] = Range(low=0.5, high=2.5)


class AirSettings(Settings):
    """reach, wind_speed as under [dust] of a shot; stirring, confinement: times those of a shot."""

    reach: Annotated[dict[Literal["local", "street", "camera"], Weight], SOME] = Field(
        default={"local": 1.0, "street": 3.0, "camera": 1.0}
    )
    wind_speed: Annotated[Range, within(0, 20)] = Range(low=0.0, high=3.0)
    stirring: Annotated[Range, within(0, 5)] = Range(low=0.6, high=1.2)
    confinement: Annotated[Range, within(0, 5)] = Range(low=0.6, high=1.2)


class ObstacleSettings(Settings):
    """walled: share of simulations with walls, behind the sources or before them (jets from windows always
    have one);  blocks: standing in the way, so many at most"""

    walled: Share = 0.5
    blocks: Annotated[int, Field(ge=0, le=20)] = 3


class VolumeRecipe(Settings):
    """The recipe of a set of dust volumes: it needs nothing but itself."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")]
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    grid: GridSettings = GridSettings()
    run: RunSettings = RunSettings()
    sequences: SequenceSettings = SequenceSettings()
    sources: SourceSettings = SourceSettings()
    air: AirSettings = AirSettings()
    obstacles: ObstacleSettings = ObstacleSettings()
    split: SplitSettings = SplitSettings()

    @model_validator(mode="after")
    def _fits(self) -> VolumeRecipe:
        least = min(self.sequences.edges)
        if least > BLOCK * int(min(self.grid.edge.low, self.grid.height.low) // BLOCK):
            raise ValueError(f"sequences.edges of which one fits into the grid, and {least} cells do not")
        if least**3 > self.sequences.most:
            raise ValueError(f"sequences.most that holds a crop of {least} cells an edge")
        return self


def load_volume_recipe(path: Path) -> tuple[VolumeRecipe, str]:
    """A recipe and its text. Raises FalseworkError with all faults found, the first first."""
    text = recipe_text(path, "recipes/dust.toml")
    return read_volume_recipe(text, path), text


def read_volume_recipe(text: str, path: Path) -> VolumeRecipe:
    """`load_volume_recipe` for a text in hand; `path` is only named in faults."""
    return checked(VolumeRecipe, text, path)
