"""What a trained network makes of the test split's inputs, as pictures beside the truth: for the memorisation
audit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from falsework.errors import FalseworkError
from falsework.media.colour import to_8bit
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
