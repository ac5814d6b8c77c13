"""`falsework dataset rebuild`: a sample made again from its record, and compared bit for bit."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from falsework.datasets.assets import Asset, find_assets
from falsework.datasets.draw import FIRST_FRAME, Drawn
from falsework.datasets.samples import array_digest, samples_of, source
from falsework.datasets.shards import find_sample, read_sample
from falsework.datasets.work import WORK, open_plan, redrawn, staged_building
from falsework.errors import FalseworkError

__all__ = ["Rebuilt", "rebuild"]


@dataclass(frozen=True)
class Rebuilt:
    """What came of it.

    same, other  names of arrays whose bits are those in the shard, and of those whose bits are not
    why          what is different about this machine or this code, where anything is
    """

    sample: str
    same: tuple[str, ...]
    other: tuple[str, ...]
    why: tuple[str, ...]


def rebuild(folder: Path, name: str, *, base: Path | None = None) -> Rebuilt:
    """Make a sample's G-buffers again from what its record says was drawn, and compare them with the shard's,
    and the shard's with the record. Of the recipe only the pictures' size and the frames are used, of its
    folders only the pictures that the record names.

    Path-traced targets are not made again: Cycles does not promise its bits.
    """
    row = find_sample(folder, name)
    arrays, record = read_sample(folder, row)
    plan = open_plan(folder, base)
    if record["recipe"]["sha256"] != plan.digest:
        raise FalseworkError(
            "was built from another recipe than the set's",
            where=f"{folder}, {name}",
            todo="Build the set anew.",
        )
    sources = plan.base / plan.recipe.sources
    if not sources.is_file():
        raise FalseworkError(
            f"the pictures that it was drawn from are not found: there is no {sources}",
            where=folder,
            todo="The set or the pictures were moved: give the folder its recipe lay in with --base DIR.",
        )
    drawn = Drawn.from_json(record["drawn"])
    assets = find_assets(plan.recipe, plan.base, only=[Asset(**asset) for asset in record["assets"]])
    frame = record["frame"] - FIRST_FRAME
    crop = tuple(int(edge) for edge in record["crop"])
    try:
        with staged_building(plan, drawn, assets) as (staged, _):
            made = next(
                samples_of(
                    plan.recipe,
                    plan.digest,
                    staged,
                    assets,
                    only=(frame, (crop[0], crop[1], crop[2], crop[3])),
                )
            )
    finally:
        shutil.rmtree(folder / WORK, ignore_errors=True)
    same: list[str] = []
    other: list[str] = []
    for array, digest in record["gbuffers"].items():
        agree = digest == array_digest(arrays[array]) == array_digest(made.arrays[array])
        (same if agree else other).append(array)
    gives = redrawn(plan, drawn.index).to_json()
    return Rebuilt(name, tuple(same), tuple(other), tuple(_differences(record, made.record, gives)))


def _differences(record: dict[str, Any], made: dict[str, Any], gives: dict[str, Any]) -> list[str]:
    """Why the two may differ. `gives`: what the recipe gives for this building today."""
    before, now = record["made_by"], made["made_by"]
    found = []
    if before["code"] != source():
        found.append(f"it was made by other code (falsework {before['falsework']}, {before['code'][:8]})")
    if before["opengl"] != now["opengl"]:
        found.append(f"it was drawn by another OpenGL ({before['opengl']['renderer']})")
    for key in ("camera", "light"):
        if record[key] != json.loads(json.dumps(made[key])):
            found.append(f"the record's {key} is not what comes of its draws now")
    if record["drawn"] != json.loads(json.dumps(gives)):
        found.append("the recipe gives another building now; it was made again from its record")
    return found
