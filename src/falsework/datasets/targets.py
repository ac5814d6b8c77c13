"""What a path tracer makes of a frame, twice: Cycles on the very pieces and dust that the G-buffers are
of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from falsework.datasets.draw import split_of
from falsework.datasets.settings import Recipe
from falsework.datasets.staging import Staged
from falsework.render.settings import RenderSettings
from falsework.render.traditional.blender import Blender
from falsework.render.traditional.cycles import CyclesRenderer
from falsework.render.traditional.settings import TraditionalSettings
from falsework.render.traditional.smoke import smoke_of_field
from falsework.seeds import generator

__all__ = ["HALVES", "TARGETS", "PathTraced"]

Crop = tuple[int, int, int, int]

HALVES = ("a", "b")
# Layers kept of each half, with their channels.
TARGETS = {"surface": 4, "shadow": 3, "dust": 4}


class PathTraced:
    """Draws crops of one staged shot in a Blender that stays open; a context manager.

    No motion blur, no adaptive sampling, and no denoiser on any picture that is kept: half the difference
    of the halves is a sample of the noise that they draw apart. Two things it does not tell of:

    - What walls are made of comes from the plate and the light on it at rest, which is drawn once, with a
      seed of its own and denoised where Blender can. Both halves share it, and what is wrong with it.
    - Shadow is light then over light at rest, drawn with one seed and clipped: where both are noisy, the
      ratio is biased, and the halves are biased alike.
    """

    def __init__(
        self,
        staged: Staged,
        recipe: Recipe,
        frames: Iterable[int],
        *,
        blender: Blender,
        folder: Path,
        device: str = "CPU",
        threads: int = 0,
    ) -> None:
        self._staged, self._version = staged, blender.version
        self._samples = recipe.targets.samples_in(split_of(recipe, staged.drawn.seed)) // 2
        self._shadow, self._bounces = recipe.targets.shadow, recipe.targets.bounces
        self._volume_bounces = recipe.targets.volume_bounces
        self._denoises = "denoise" in blender.abilities
        settings = TraditionalSettings.model_validate(
            {
                "samples": self._samples,
                "noise_threshold": 0.0,
                "bounces": recipe.targets.bounces,
                "volume_bounces": recipe.targets.volume_bounces,
                "denoise": True,  # of the light at rest alone, which tells what the plate is made of
                "device": device,
                "threads": threads,
            }
        )
        smoke_folder = folder / "smoke"
        smoke_folder.mkdir(parents=True, exist_ok=True)
        width, height = recipe.picture.size
        self._renderer = CyclesRenderer(
            staged.plate,
            staged.fragments,
            staged.motion,
            staged.debris,
            smoke_of_field(staged.dust, smoke_folder, frames),
            RenderSettings(shutter=0.0),
            settings,
            seed=staged.drawn.seed % 2**31,
            blender=blender,
            folder=folder / "cycles",
            crop=(0, 0, width, height),
            other_device="Give --device CPU, or leave it out.",
        )

    def draw(self, frame: int, crop: Crop) -> dict[str, npt.NDArray[Any]]:
        """Both halves of the targets, half floats: "a.surface" (h, w, 4) and so on."""
        self._renderer.crop = crop
        drawn: dict[str, npt.NDArray[Any]] = {}
        for half in HALVES:
            layers = self._renderer.layers(
                frame, samples=self._samples, denoise=False, seed=self._seed(frame, half), shadow=self._shadow
            )
            for name, image in layers:
                if name in TARGETS:
                    drawn[f"{half}.{name}"] = np.minimum(image, 65000.0).astype(np.float16)
        return drawn

    def about(self, frame: int) -> dict[str, Any]:
        """For the record: who drew, how, and the halves' seeds."""
        return {
            "by": f"Cycles of Blender {self._version}",
            "samples_each": self._samples,
            "bounces": self._bounces,
            "volume_bounces": self._volume_bounces,
            "denoised": False,
            "light_at_rest": {"denoised": self._denoises, "shared_by_the_halves": True},
            "seeds": {half: self._seed(frame, half) for half in HALVES},
        }

    def _seed(self, frame: int, half: str) -> int:
        return int(generator(self._staged.drawn.seed, "target", frame, half).integers(2**31))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._renderer.close()
