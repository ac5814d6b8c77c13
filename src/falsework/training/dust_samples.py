"""Sequences of a set of dust volumes as the dust network's training takes them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from scipy.ndimage import minimum_filter

from falsework.datasets.shards import INDEX, SPLITS
from falsework.datasets.work import read_dataset
from falsework.dust.domain import FINE
from falsework.dust.field import DustFrame
from falsework.dust.fine import FACTOR
from falsework.errors import FalseworkError
from falsework.models.dust_cells import half_cells, means
from falsework.render.volume import EXTINCTION

__all__ = ["DustSamples", "DustSequence", "seen"]

Grid = npt.NDArray[np.float32]


def seen(density: Grid, voxel: float) -> Grid:
    """(x, y, z) weights of dust cells by what is seen of them: little of thin dust, little of what lies deep
    in dust on all sides."""
    opaque = -np.expm1(-density * np.float32(3 * EXTINCTION * voxel))
    buried = minimum_filter(density, 5, mode="nearest") * np.float32(2 * EXTINCTION * voxel)
    return np.asarray(opaque * (0.03 + 0.97 * np.exp(-buried)), np.float32)


@dataclass(frozen=True)
class DustSequence:
    """Successive frames of one crop: a line of the index, and what is small of its file.

    voxel     of a dust cell, metres;  shape: fine cells
    density   (T, x, y, z) g/m3 of dust cells;  weight: `seen` of them
    air       (T, x, y, z, 3) m/s as the air of a shot holds it, whose cells are FINE dust cells wide: their
              means, linear between. What is finer a shot does not know, and no detail can follow it
    """

    name: str
    file: Path
    voxel: float
    fps: float
    shape: tuple[int, int, int]
    density: Grid
    weight: Grid
    air: Grid
    detail: npt.NDArray[np.float16]
    layer_weight: Grid
    layer_seed: npt.NDArray[np.int32]

    @classmethod
    def of(cls, folder: Path, row: dict[str, Any]) -> DustSequence:
        path = folder / row["file"]
        try:
            with safe_open(path, framework="numpy") as file:
                fine = file.get_tensor("density")
                velocity, detail = file.get_tensor("velocity"), file.get_tensor("detail")
                weight, seeds = file.get_tensor("weight"), file.get_tensor("layer_seed")
        except (OSError, SafetensorError) as error:
            raise FalseworkError(
                f"is no sequence of dust volumes that can be read ({error})",
                where=path,
                todo="Build the set again: `falsework dataset volumes RECIPE --out DIR --count N`.",
            ) from error
        coarse = np.stack([means(frame.astype(np.float32)) for frame in fine])
        voxel = FACTOR * float(row["voxel"])
        return cls(
            str(row["sample"]), path, voxel, float(row["fps"]), tuple(fine.shape[1:]), coarse,
            np.stack([seen(frame, voxel) for frame in coarse]),
            np.stack([_as_a_shot_has_it(frame) for frame in velocity]), detail,
            weight.astype(np.float32), seeds,
        )  # fmt: skip

    def frame(self, number: int) -> DustFrame:
        """As a shot's simulation would hand it on."""
        return DustFrame(
            self.density[number].astype(np.float16),
            self.detail[number],
            self.layer_weight[number],
            self.layer_seed[number],
        )

    def fine(self, number: int, low: tuple[int, int, int] = (0, 0, 0), size: int | None = None) -> Grid:
        """g/m3 in the fine cells of `size`^3 dust cells from `low` (all of them), of one frame."""
        with safe_open(self.file, framework="numpy") as file:
            whole = file.get_slice("density")
            if size is None:
                part = whole[number : number + 1]
            else:
                x, y, z = (slice(FACTOR * n, FACTOR * (n + size)) for n in low)
                part = whole[number : number + 1, x, y, z]
        return np.asarray(part[0], np.float32)


def _as_a_shot_has_it(velocity: npt.NDArray[np.float16]) -> Grid:
    """(x, y, z, 3) means over air cells, linear between their middles."""
    x, y, z = (n // FINE for n in velocity.shape[:3])
    cells = velocity.astype(np.float32).reshape(x, FINE, y, FINE, z, FINE, 3).mean(axis=(1, 3, 5))
    wide = np.pad(np.moveaxis(cells, -1, 0), ((0, 0), *[(1, 1)] * 3), mode="edge")
    return np.ascontiguousarray(np.moveaxis(half_cells(wide, 0), 0, -1))


class DustSamples:
    """All sequences of a set, by split; read when first asked for."""

    def __init__(self, folder: Path) -> None:
        about = read_dataset(folder)
        self.about: dict[str, Any] = {"name": about["name"], "recipe_sha256": about["recipe"]}
        path = folder / INDEX
        try:
            self.index = path.read_bytes()
            rows = [json.loads(line) for line in self.index.decode().splitlines() if line]
        except (OSError, ValueError) as error:
            raise FalseworkError(
                f"holds no data set ({error})", where=folder,
                todo="Build one: `falsework dataset volumes recipes/dust.toml --out DIR --count N`.",
            ) from None  # fmt: skip
        if not rows or not all(
            {"sample", "split", "simulation", "voxel", "fps"} <= row.keys() for row in rows
        ):
            raise FalseworkError(
                "is no set of dust volumes", where=folder,
                todo="Give one that `falsework dataset volumes` made.",
            )  # fmt: skip
        self._folder = folder
        self.rows = {split: [row for row in rows if row["split"] == split] for split in SPLITS}
        self._kept: dict[str, DustSequence] = {}
        if not self.rows["train"]:
            raise FalseworkError(
                "has nothing to train on: no sequence of it is in the training split", where=path,
                todo="Build more simulations.",
            )  # fmt: skip

    @property
    def counts(self) -> dict[str, Any]:
        return {
            "index_sha256": hashlib.sha256(self.index).hexdigest(),
            **{f"{split}_samples": len(rows) for split, rows in self.rows.items()},
            **{
                f"{split}_simulations": len({row["simulation"] for row in rows})
                for split, rows in self.rows.items()
            },
        }

    @property
    def smallest(self) -> int:
        """Dust cells along the shortest edge of any training sequence."""
        return int(min(min(row["shape"]) for row in self.rows["train"])) // FACTOR

    def sequence(self, split: str, number: int) -> DustSequence:
        row = self.rows[split][number]
        if row["sample"] not in self._kept:
            self._kept[row["sample"]] = DustSequence.of(self._folder, row)
        return self._kept[row["sample"]]

    def some(self, split: str, count: int) -> list[DustSequence]:
        """Up to `count` of a split, evenly spread over it."""
        total = len(self.rows[split])
        numbers = sorted({int(n) for n in np.linspace(0, total - 1, min(count, total))}) if total else []
        return [self.sequence(split, number) for number in numbers]
