"""One building's shot from what was drawn: plate, pieces, fall, chips and dust."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from falsework.building.building import build
from falsework.building.fracturing import fracture
from falsework.building.fragments import Fragments
from falsework.collapse.collapse import collapse
from falsework.collapse.motion import Motion
from falsework.datasets.assets import Assets
from falsework.datasets.draw import FIRST_FRAME, Drawn
from falsework.datasets.facades import facade_of, read_texture
from falsework.datasets.plates import make_plate
from falsework.datasets.settings import Recipe
from falsework.datasets.skies import Sky, read_sky
from falsework.dust.debris import simulate_debris
from falsework.dust.field import Debris, DustField
from falsework.dust.solver import simulate_dust
from falsework.plate.plate import Plate
from falsework.progress import Progress, silent

__all__ = ["Staged", "by_name", "stage"]

STEPS = 4


@dataclass(frozen=True)
class Staged:
    """A shot that can be drawn."""

    drawn: Drawn
    plate: Plate
    fragments: Fragments
    motion: Motion
    debris: Debris
    dust: DustField


@lru_cache(maxsize=32)
def _texture(path: Path) -> npt.NDArray[np.float32]:
    return read_texture(path)


@lru_cache(maxsize=8)
def _sky(path: Path) -> Sky:
    return read_sky(path)


def by_name(paths: dict[str, Path]) -> dict[str, Path]:
    """Pictures by their names without ending, which is what a recipe's draws speak of."""
    return {Path(name).stem: path for name, path in sorted(paths.items())}


def stage(
    recipe: Recipe, drawn: Drawn, assets: Assets, folder: Path, *, progress: Progress = silent
) -> Staged:
    """Compute the shot; its dust is written into `folder`."""
    named = by_name(assets.textures)
    textures = {name: _texture(named[name]) for name in drawn.textures}
    facades = tuple(facade_of(drawn, wall) for wall in drawn.walls)
    building = build(facades, drawn.building, seed=drawn.seed)
    fragments = fracture(building, drawn.fracture, seed=drawn.seed)
    sky = _sky(by_name(assets.skies)[drawn.sky[0]])
    plate = make_plate(drawn, recipe.picture.size, facades, fragments, textures, sky)
    progress(1, STEPS)
    motion = collapse(
        fragments,
        plate.set_planes,
        drawn.collapse,
        first_frame=FIRST_FRAME,
        frames=recipe.shot.frames,
        fps=recipe.shot.fps,
        seed=drawn.seed,
    )
    progress(2, STEPS)
    debris = simulate_debris(fragments, motion, drawn.dust, seed=drawn.seed, set_planes=plate.set_planes)
    progress(3, STEPS)
    dust = simulate_dust(
        fragments,
        motion,
        debris,
        plate.set_planes,
        drawn.dust,
        camera=plate.camera,
        folder=folder,
        seed=drawn.seed,
    )
    progress(STEPS, STEPS)
    return Staged(drawn, plate, fragments, motion, debris, dust)
