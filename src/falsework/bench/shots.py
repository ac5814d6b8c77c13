"""The shots of the bench: how a building may fall, from one shot file, at a size to suit the time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.shots.pipeline import shot_with
from falsework.shots.spec import Shot, load_shot

__all__ = ["FALLS", "FULL", "QUICK", "Size", "shot_files", "variants"]

# Ways to fall: the same building, seen in the same light, moving and smoking differently.
FALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("as_it_is", {}),
    ("pancake", {"kind": "pancake", "from_storey": 0, "timing": [(0.0, 0.0), (1.0, 0.4)]}),
    ("topple", {"kind": "topple", "from_storey": 0, "direction": 160.0}),
    ("implosion", {"kind": "implosion", "from_storey": 0}),
    ("from_the_left", {"kind": "progressive", "from_storey": 1, "side": "left"}),
)


@dataclass(frozen=True)
class Size:
    """How large the shots are; both pipelines get the same.

    height      of the picture, pixels
    frames, fragments, debris   as in shot.toml; None: the shot's own
    smoke       cells along the traditional pipeline's smoke domain; None: the shot's own
    lead        frames before the fall begins; None: the shot's own
    timing      when supports go, as in shot.toml; None: the shot's own
    """

    height: int
    frames: int | None = None
    fragments: int | None = None
    debris: int | None = None
    smoke: int | None = None
    lead: int | None = None
    timing: tuple[tuple[float, float], ...] | None = None


FULL = Size(height=1080)
QUICK = Size(
    height=240, frames=24, fragments=400, debris=3000, smoke=32, lead=2, timing=((0.0, 0.0), (1.0, 0.4))
)


def variants(
    shot_path: Path,
    size: Size,
    folder: Path,
    *,
    falls: int = len(FALLS),
    render: Mapping[str, Any] | None = None,
) -> Iterator[Path]:
    """Shot files in `folder`, one for each of the first `falls` ways to fall, beside copies of what they
    read; `render` instead of what the shot's own [render] says.

    They share one folder and name, so that the plate is solved once.
    """
    shot = shot_with(load_shot(shot_path), None, render)
    folder.mkdir(parents=True, exist_ok=True)
    for file in shot_files(shot):
        source = shot_path.parent / file
        if not source.is_file():
            raise FalseworkError(
                f"names {file}, which is not there", where=shot_path, todo="Correct the path."
            )
        target = folder / file
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for number, (name, fall) in enumerate(FALLS[:falls]):
        path = folder / f"{name}.toml"
        write_text(path, tomli_w.dumps(_values(shot, size, fall, shot.seed + number)))
        yield path


def _values(shot: Shot, size: Size, fall: Mapping[str, Any], seed: int) -> dict[str, Any]:
    values = shot.model_dump(mode="json", exclude_none=True)
    first = shot.frames[0]
    start = shot.collapse.start if size.lead is None else first + size.lead
    values["collapse"] |= {"start": start, **fall}
    if size.timing is not None:
        values["collapse"]["timing"] = size.timing
    values["seed"] = seed
    if size.frames is not None:
        values["frames"] = [first, first + size.frames - 1]
    if size.fragments is not None:
        values["fracture"]["fragments"] = size.fragments
    if size.debris is not None:
        values["dust"]["debris"] = size.debris
    if size.smoke is not None:
        values["traditional"]["smoke_resolution"] = size.smoke
    values["collapse"]["from_storey"] = min(
        values["collapse"]["from_storey"], max(facade.storeys for facade in shot.facades) - 1
    )
    return values


def shot_files(shot: Shot) -> list[str]:
    """The pictures that a shot reads, as it names them."""
    named = [shot.plate.file, shot.plate.clean, shot.plate.building_matte]
    return [file for file in [*named, *(occluder.file for occluder in shot.occluders)] if file]
