"""What decides a training run besides the data and the network: `falsework train … --settings FILE.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from falsework.errors import FalseworkError
from falsework.faults import key_lines, refuse, toml_refusal, validation_faults
from falsework.settings import Settings

__all__ = ["TrainSettings", "load_settings"]

DOCUMENT = "docs/models.md"

Count = Annotated[int, Field(ge=1, le=10**8)]


class TrainSettings(Settings):
    """Adam with a rate that rises over `warm_up` steps and falls like a cosine to `last_rate` of itself.

    average          how much of the moving average of weights each step keeps; it is what is handed over
    patch            edge of what is drawn from a sample: pixels for light, dust cells for dust
    cached           samples kept in memory
    validate_every   steps between two looks at the validation split, pictures with them
    validated        samples looked at each time
    checkpoint_minutes   between two checkpoints; a stopped run goes on from the last
    """

    seed: int = 1
    steps: Count = 20_000
    batch: Annotated[int, Field(ge=1, le=4096)] = 4
    patch: Annotated[int, Field(ge=4, le=4096)] = 128
    rate: Annotated[float, Field(gt=0, le=1)] = 2e-3
    last_rate: Annotated[float, Field(ge=0, le=1)] = 0.01
    warm_up: Annotated[int, Field(ge=0, le=10**6)] = 200
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    clip: Annotated[float, Field(gt=0)] = 1.0
    average: Annotated[float, Field(ge=0, lt=1)] = 0.998
    cached: Count = 600
    validate_every: Count = 500
    validated: Count = 12
    checkpoint_minutes: Annotated[float, Field(ge=0, le=1e4)] = 4.0
    threads: Annotated[int, Field(ge=0, le=1024)] = 0


def load_settings(path: Path | None, **given: object) -> TrainSettings:
    """Settings from a file (none: the defaults) under those `given` that are not None. FalseworkError with
    all faults."""
    text = ""
    if path is not None:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise FalseworkError(
                f"could not be read as text ({error})", where=path, todo="Give a TOML file of settings."
            ) from None
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise toml_refusal(error, text, path or Path("settings")) from None
    values |= {name: value for name, value in given.items() if value is not None}
    try:
        return TrainSettings.model_validate(values)
    except ValidationError as error:
        faults = validation_faults(error, values, TrainSettings, DOCUMENT)
        refuse(faults, key_lines(text), path or Path("settings"))
        raise AssertionError("unreachable") from error
