"""Where a file may lie that `production.toml` names: in its folder, or where whoever runs the command said.

A production file may come from elsewhere, so what stands in it is no leave to read or write outside its
folder. That leave is in the environment of the person at the keyboard, which no file brings along.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from falsework.errors import FalseworkError

__all__ = ["OUTSIDE", "named_folders", "named_place"]

OUTSIDE = "FALSEWORK_OUTSIDE"  # folders as in PATH, each from the root


def named_folders(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The folders outside a production's own that the user allows its production file to name.

    FalseworkError for one that does not start from the root: it would mean another folder in each command.
    """
    folders = [Path(one) for one in environment.get(OUTSIDE, "").split(os.pathsep) if one.strip()]
    for one in folders:
        if not one.is_absolute():
            raise FalseworkError(
                f'"{one}" does not start from the root', where=OUTSIDE, todo="Give the folder's whole path."
            )
    return tuple(one.resolve() for one in folders)


def named_place(folder: Path, reference: str, key: str, outside: tuple[Path, ...] = ()) -> Path:
    """The place that a production file in `folder` names under `key`, links followed.

    Raises FalseworkError where it ends up neither in `folder` nor in one of the folders `outside`, by a whole
    path, by "..", or by a link.
    """
    where = f"{folder / 'production.toml'}: {key}"
    try:
        place = (folder / reference).resolve()
        place.exists()  # which a name that is too long shows only then
    except (OSError, RuntimeError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise FalseworkError(
            f'"{reference[:80]}" leads nowhere ({why[:80]})',
            where=where,
            todo="Give a path from that file's folder.",
        ) from None
    if any(place.is_relative_to(root) for root in (folder.resolve(), *outside)):
        return place
    raise FalseworkError(
        f'"{reference}" leads out of the production\'s folder',
        where=where,
        todo=f"Put it inside; or, if you want it read where it lies, name its folder in {OUTSIDE} in your "
        "environment (docs/production.md).",
    )
