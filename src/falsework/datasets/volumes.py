"""`falsework dataset volumes`: simulations of dust one by one; what is there already is kept.

recipe.toml, dataset.json   what the set was drawn from
index.jsonl                 one line a sequence
train/v000012_f0034_c0.safetensors
simulations/v000012.json    written last: this simulation is whole, and these are its sequences
previews/                   a picture of each sequence
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from falsework.datasets.previews import DRAWN_FROM, PREVIEWS, preview_path
from falsework.datasets.samples import array_digest
from falsework.datasets.shards import INDEX, find_sample
from falsework.datasets.volume_settings import VolumeRecipe, load_volume_recipe
from falsework.datasets.volumes_crops import Sequence, sequences_of, source
from falsework.datasets.volumes_pictures import volume_picture
from falsework.datasets.work import ABOUT, COPY, read_dataset
from falsework.errors import FalseworkError
from falsework.media.arrays import read_arrays, write_arrays
from falsework.media.atomic import write_text
from falsework.media.images import write_png
from falsework.progress import Progress, silent

__all__ = ["VOLUMES", "Grown", "build_volumes", "is_volumes", "rebuild_volume", "recipe_of"]

VOLUMES = "volumes"
WHOLE = "simulations"


@dataclass(frozen=True)
class Grown:
    """What a run made: simulations and sequences in the set now, simulations made anew and the seconds they
    took; sequences by split."""

    simulations: int
    sequences: int
    made: int
    seconds: float
    splits: dict[str, int] = field(default_factory=dict)


def is_volumes(about: dict[str, Any]) -> bool:
    """Whether a data set (what `read_dataset` says of it) is one of dust volumes."""
    return about.get("kind") == VOLUMES


def recipe_of(folder: Path) -> VolumeRecipe:
    """The recipe that a set of volumes was built from; FalseworkError where it is another by now."""
    about, path = read_dataset(folder), folder / COPY
    recipe, text = load_volume_recipe(path)
    if hashlib.sha256(text.encode()).hexdigest() != about["recipe"]:
        raise FalseworkError(
            "is not the recipe that the set was built from",
            where=path,
            todo="Put the recipe's own text back.",
        )
    return recipe


def build_volumes(
    recipe_path: Path,
    out: Path,
    *,
    count: int,
    progress: Progress = silent,
    say: Callable[[str], None] = lambda words: None,
) -> Grown:
    """Make the first `count` simulations of a recipe in `out`; those there already are not made again.

    Stopped at any moment, a later call goes on with the first simulation that is not whole.
    """
    recipe, text = load_volume_recipe(recipe_path)
    _begin(out, recipe, text)
    began, made = time.perf_counter(), 0
    missing = [index for index in range(count) if not _is_whole(out, index)]
    progress(count - len(missing), count)
    try:
        for index in missing:
            _simulate(recipe, out, index)
            made += 1
            progress(count - len(missing) + made, count)
            _write_index(out)
            if made in (1, 3, 10, 30, 100, 300) and made < len(missing):
                each = (time.perf_counter() - began) / made
                left = (len(missing) - made) * each / 60
                say(f"{made} simulations are done; the others take about {left:.0f} min ({each:.0f} s each)")
    finally:
        rows = _write_index(out)
    splits: dict[str, int] = {}
    for row in rows:
        splits[row["split"]] = splits.get(row["split"], 0) + 1
    whole = sum(_is_whole(out, index) for index in range(count))
    return Grown(whole, len(rows), made, time.perf_counter() - began, splits)


def _begin(out: Path, recipe: VolumeRecipe, text: str) -> None:
    """Write what the set's folder begins with; FalseworkError where something else is there."""
    about = {
        "name": recipe.name,
        "kind": VOLUMES,
        "recipe": hashlib.sha256(text.encode()).hexdigest(),
        "base": ".",
        "assets": [],
    }
    if (out / ABOUT).is_file():
        if read_dataset(out)["recipe"] != about["recipe"]:
            raise FalseworkError(
                "holds a data set of another recipe", where=out, todo="Build into another folder."
            )
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FalseworkError(
            "is there already and is no data set", where=out, todo="Give a folder that is empty or new."
        )
    write_text(out / COPY, text)
    write_text(out / ABOUT, json.dumps(about, indent=1) + "\n")


def _rows(out: Path, index: int) -> list[dict[str, Any]] | None:
    """The lines of a simulation's sequences, None where it is not done."""
    try:
        rows: list[dict[str, Any]] = json.loads((out / WHOLE / f"v{index:06d}.json").read_bytes())[
            "sequences"
        ]
        sizes = [(out / row["file"]).stat().st_size == row["bytes"] for row in rows]
        return rows if all(sizes) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_whole(out: Path, index: int) -> bool:
    return _rows(out, index) is not None


def _simulate(recipe: VolumeRecipe, out: Path, index: int) -> None:
    stem = f"v{index:06d}"
    for left in (*out.glob(f"*/{stem}_f*_c*.safetensors"), *out.glob(f"{PREVIEWS}/*/{stem}_f*_c*.png")):
        left.unlink()  # of a run that was stopped, or of other code
    rows = []
    for sequence in sequences_of(recipe, index):
        row = _write(out, sequence)
        _write_preview(out, row, sequence.arrays["density"])
        rows.append(row)
    write_text(out / WHOLE / f"{stem}.json", json.dumps({"sequences": rows}, indent=1) + "\n")


def _write(out: Path, sequence: Sequence) -> dict[str, Any]:
    """A sequence as a file; gives its line of the index."""
    record = sequence.record
    name = f"{record['split']}/{sequence.name}.safetensors"
    write_arrays(out / name, sequence.arrays, **record)
    content = (out / name).read_bytes()
    drawn = record["drawn"]
    return {
        **{key: record[key] for key in ("sample", "split", "simulation", "frame")},
        "file": name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        **{key: record[key] for key in ("voxel", "fps", "shape", "dusty", "densest")},
        "frames": len(sequence.arrays["density"]),
        "sources": "+".join(drawn["sources"]),
        **{key: drawn[key] for key in ("reach", "amount", "seed")},
        "code": record["made_by"]["code"],
    }


def _write_preview(out: Path, row: dict[str, Any], density: Any) -> None:
    write_png(preview_path(out, row), volume_picture(density[len(density) // 2], row["voxel"]))


def _write_index(out: Path) -> list[dict[str, Any]]:
    """The index anew from the simulations that are whole, and which bytes the pictures were drawn from."""
    rows: list[dict[str, Any]] = []
    for path in sorted((out / WHOLE).glob("v*.json")):
        rows += _rows(out, int(path.stem[1:])) or []
    for row in rows:
        if not preview_path(out, row).is_file():
            _write_preview(out, row, read_arrays(out / row["file"])[0]["density"])
    drawn = {f"{row['split']}/{row['sample']}": row["sha256"] for row in rows}
    write_text(out / PREVIEWS / DRAWN_FROM, json.dumps(drawn, indent=1, sort_keys=True) + "\n")
    write_text(out / INDEX, "".join(json.dumps(row) + "\n" for row in rows))
    return rows


def rebuild_volume(folder: Path, name: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Run a sequence's simulation again; names of arrays that are the same bit for bit, of others, and what
    is different about the code."""
    row = find_sample(folder, name)
    before, _ = read_arrays(folder / row["file"])
    why = () if row["code"] == source() else (f"it was made by other code ({row['code'][:8]})",)
    same: set[str] = set()
    for made in sequences_of(recipe_of(folder), int(row["simulation"])):
        if made.name == name:
            same = {
                key
                for key, array in made.arrays.items()
                if key in before and array_digest(array) == array_digest(before[key])
            }
            break
    return tuple(sorted(same)), tuple(sorted(before.keys() - same)), why
