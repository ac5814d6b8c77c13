"""Where a shot's production.toml lies."""

from __future__ import annotations

from pathlib import Path

__all__ = ["production_of"]

FILE_NAME = "production.toml"
UPWARDS = 4  # folders above a shot's own in which its production may lie


def production_of(base: Path) -> Path | None:
    """The folder of the nearest production.toml, in a shot's folder `base` or above it, if there is one."""
    folders = (base, *list(base.parents)[:UPWARDS])
    return next((folder for folder in folders if (folder / FILE_NAME).is_file()), None)
