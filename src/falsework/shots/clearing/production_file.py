"""Where a shot's production.toml lies."""

from __future__ import annotations

import os
from pathlib import Path

from falsework.errors import FalseworkError

__all__ = ["production_of"]

FILE_NAME = "production.toml"
UPWARDS = 4  # folders above a shot's own in which its production may lie


def production_of(base: Path) -> Path | None:
    """The folder of the nearest production.toml, in a shot's folder `base` or above it, if there is one.

    FalseworkError where that is there and no file that can be read: a production whose rules cannot be read
    is not one without rules.
    """
    for folder in (base, *list(base.parents)[:UPWARDS]):
        path = folder / FILE_NAME
        if path.is_file():
            return folder
        if os.path.lexists(path):
            raise FalseworkError(
                "is no file" if path.exists() else "is a link that leads nowhere",
                where=path,
                todo="Bring the production's file back, or move this away.",
            )
    return None
