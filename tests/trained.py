"""A data set without a simulation, a training run without a training: what models come from, in few files."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import copies as bench
from falsework.datasets.settings import load_recipe
from falsework.datasets.shards import read_index
from falsework.media.arrays import write_arrays
from falsework.media.images import write_png

__all__ = ["about_file", "finished_run", "own_model", "small_set"]

RECIPE = """
name = "small"
textures = "textures"
skies = "skies"
sources = "SOURCES.csv"
"""
BUILDINGS = {0: "train", 1: "train", 2: "validation", 3: "test"}
ABOUT = """
name = "{name}"
version = "1"
intended_use = "tests"
limits = ["it draws nothing"]
"""


def small_set(folder: Path, buildings: dict[int, str] | None = None, moments: int = 2) -> Path:
    """A data set of `moments` pictures a building (each a drawn one of 192 x 128), made of two textures and a
    sky; returns its folder. Its shards hold a few bytes: only their digests matter here."""
    base = folder / "recipes"
    for name in ("textures", "skies"):
        (base / name).mkdir(parents=True)
    write_png(base / "textures" / "brick_wall.png", bench.drawn(900, 256, 256))
    write_png(base / "textures" / "plaster.png", bench.drawn(901, 256, 256))
    sky = 0.1 + np.float32(bench.drawn(902, 512, 256)) / 64
    cv2.imwrite(str(base / "skies" / "noon.hdr"), sky)
    files = [*sorted((base / "textures").iterdir()), *sorted((base / "skies").iterdir())]
    rows = [
        {
            "file": f"{path.parent.name}/{path.name}",
            "repo": "somebody/pictures",
            "path": path.name,
            "commit": "c0ffee",
            "licence": "CC0-1.0",
            "licence_source": "README.md says CC0",
        }
        for path in files
    ]
    with (base / "SOURCES.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    out = folder / "set"
    out.mkdir()
    (base / "small.toml").write_text(RECIPE)
    (out / "recipe.toml").write_text(RECIPE)
    assets = [
        {
            "kind": "sky" if path.suffix == ".hdr" else "texture",
            "file": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "licence": "CC0-1.0",
            "source": f"https://github.com/somebody/pictures/blob/c0ffee/{path.name}",
            "evidence": "README.md says CC0",
        }
        for path in files
    ]
    recipe = hashlib.sha256(load_recipe(base / "small.toml")[1].encode()).hexdigest()
    said = {"name": "small", "recipe": recipe, "base": "../recipes", "targets": False, "assets": assets}
    (out / "dataset.json").write_text(json.dumps(said))
    index = []
    for building, split in (buildings or BUILDINGS).items():
        shard = out / split / f"b{building:06d}.tar"
        shard.parent.mkdir(exist_ok=True)
        shard.write_bytes(f"building {building}".encode())
        for moment in range(moments):
            name = f"b{building:06d}_f{1000 + moment}_c0"
            write_png(out / "previews" / split / f"{name}.png", bench.drawn(10 * building + moment, 192, 128))
            index.append(
                {
                    "sample": name,
                    "split": split,
                    "building": building,
                    "shard": f"{split}/{shard.name}",
                    "sha256": hashlib.sha256(name.encode()).hexdigest(),
                    "shard_sha256": hashlib.sha256(shard.read_bytes()).hexdigest(),
                }
            )
    write_index_of(out, index)
    return out


def write_index_of(out: Path, rows: list[dict[str, Any]]) -> None:
    """The index, and which samples the previews are of."""
    (out / "index.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    drawn = {f"{row['split']}/{row['sample']}": row["sha256"] for row in rows}
    (out / "previews" / "drawn_from.json").write_text(json.dumps(drawn))


def finished_run(folder: Path, data: Path, task: str = "light", **more: Any) -> Path:
    """A run as the training leaves it, of a network with one layer."""
    folder.mkdir(parents=True)
    layer = np.arange(12, dtype=np.float32).reshape(3, 4)
    write_arrays(folder / "weights.safetensors", {"layer.weight": layer, "layer.bias": layer[0]})
    (folder / "config.toml").write_text("[train]\nsteps = 7\n")
    notes = {
        "task": task,
        "steps": 7,
        "seconds": 1.5,
        "machine": "a processor",
        "seed": 3,
        "falsework": "0.1.0",
        "about": {
            "architecture": {"network": task, "widths": [4]},
            "samples": {"index_sha256": hashlib.sha256((data / "index.jsonl").read_bytes()).hexdigest()},
        },
    }
    (folder / "run.json").write_text(json.dumps(notes | more))
    return folder


def about_file(folder: Path, name: str = "tiny-light") -> Path:
    path = folder / "about.toml"
    path.write_text(ABOUT.format(name=name))
    return path


def own_model(folder: Path, name: str = "tiny-light") -> tuple[Path, Path]:
    """A model packed from a small set; its weights and the set it was trained on."""
    from falsework.training.packing import pack

    data = small_set(folder / "data")
    run = finished_run(folder / "run", data)
    model = pack(run, data, about_file(folder, name), folder / "packed")
    assert len(read_index(data)) == 8
    return model.weights, data
