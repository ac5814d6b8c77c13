"""What a trained network makes of the test split's inputs, as pictures beside the truth: for the memorisation
audit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.dust.field import DustField
from falsework.dust.fine import BRICK, FACTOR, FineDust
from falsework.errors import FalseworkError
from falsework.media.colour import to_8bit
from falsework.models.dust_cells import within
from falsework.models.light import LightNetwork
from falsework.models.light_architecture import LightArchitecture
from falsework.training.memorisation import Generated

__all__ = ["generated_by"]


def generated_by(run: Path, notes: dict[str, Any], dataset: Path, count: int) -> Iterator[Generated]:
    """At most `count` pictures that a finished run's network makes of samples from all over the test split,
    by the runtime that shots use. `notes` are the run's own (run.json)."""
    weights, architecture = run / "weights.safetensors", dict(notes["about"].get("architecture", {}))
    match notes["task"]:
        case "light":
            yield from _light(weights, architecture, dataset, count)
        case "dust":
            yield from _dust(weights, architecture, dataset, count, int(notes["seed"]))
        case other:
            raise FalseworkError(
                f'nothing is known that draws what a network for "{other}" makes',
                where=run,
                todo="Pack it without the audit: --audit 0. Its card says then that there was none.",
            )


def _light(weights: Path, architecture: dict[str, Any], dataset: Path, count: int) -> Iterator[Generated]:
    """The composed picture as the network lights it, and as the path tracer does."""
    from falsework.training.light import composed, gained, traced
    from falsework.training.samples import LightSamples

    network = LightNetwork(weights, LightArchitecture.from_json(architecture))
    for sample in LightSamples(dataset, cached=1).some("test", count):
        surface, dust = network.gains(sample.features.astype("float32"))
        gains = [gain.transpose(2, 0, 1) for gain in (surface, dust)]
        made = composed(sample, *gained(sample, gains))  # type: ignore[arg-type]
        truth = composed(sample, *traced(sample))
        yield Generated(sample.name, to_8bit(made * sample.level), to_8bit(truth * sample.level))


def _dust(
    weights: Path, architecture: dict[str, Any], dataset: Path, count: int, seed: int
) -> Iterator[Generated]:
    """The view of a volume that the data set's own pictures have, of its middle frame: of the dust that the
    network makes of the coarse one, each in a take of its own, and of the dust that was simulated."""
    from falsework.datasets.volumes_pictures import volume_picture
    from falsework.models.dust import DustNetwork
    from falsework.models.dust_architecture import DustArchitecture
    from falsework.training.dust_samples import DustSamples

    network = DustNetwork(weights, DustArchitecture.from_json(architecture))
    samples = DustSamples(dataset)
    for number, sequence in enumerate(samples.some("test", count)):
        middle, voxel = len(sequence.density) // 2, sequence.voxel / FACTOR
        frame = sequence.frame(middle)
        coarse = frame.density.shape[0] // sequence.detail.shape[2]
        grid = DustField(sequence.file.parent, (0, 0, 0), sequence.voxel, frame.density.shape, coarse, 1, {})
        whole = _whole(network.refine(grid, frame, seed=seed + number), frame.density)
        truth = sequence.fine(middle)
        yield Generated(sequence.name, volume_picture(whole, voxel), volume_picture(truth, voxel))


def _whole(fine: FineDust, density: npt.NDArray[np.float16]) -> npt.NDArray[np.float32]:
    """(4 x, 4 y, 4 z) g/m3 from bricks; where there is none, the cells' own density (x, y, z)."""
    edge = BRICK * FACTOR
    made = within(np.asarray(density, np.float32))
    for (x, y, z), number in np.ndenumerate(fine.index):
        if number >= 0:
            part = made[edge * x : edge * (x + 1), edge * y : edge * (y + 1), edge * z : edge * (z + 1)]
            part[:] = fine.density[number][tuple(slice(n) for n in part.shape)]
    return made
