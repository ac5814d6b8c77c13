"""What is kept of a simulation of dust: at a few moments, crops of a few frames that follow one another."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import falsework
from falsework.datasets.volume_settings import BLOCK, SequenceSettings, VolumeRecipe
from falsework.datasets.volumes_air import VolumeFrame, blocks_mean, simulate_volume
from falsework.datasets.volumes_scene import VolumeScene, draw_scene, split_of_simulation
from falsework.dust.domain import FINE, solid_cells
from falsework.dust.fine import FACTOR
from falsework.seeds import generator
from falsework.shots.sources import source_hash

__all__ = ["Sequence", "choose_crops", "sequences_of", "source"]

Grid = npt.NDArray[np.float32]
Corner = tuple[int, int, int]

# g/m3 from which a cell counts as holding dust: a metre of it takes a hundredth of the light.
HELD = 0.02
# Seconds before which hardly anything has come out.
EARLIEST = 0.15
# Shapes of crops that are tried at a moment.
TRIES = 12


@dataclass(frozen=True)
class Sequence:
    """Some frames of a crop. T frames, X, Y, Z fine dust cells.

    arrays  density (T, X, Y, Z) float16 g/m3; velocity (T, X/4, Y/4, Z/4, 3) float16 m/s, mean over each
            frame; detail (T, 2, X/16, Y/16, Z/16, 3) float16, weight (T, 2) float32, layer_seed (T, 2) int32
            as in `DustFrame`; solid (X/4, Y/4, Z/4) uint8, 1 where half of it or more is
    record  where and when it is, and all that the simulation was drawn with
    """

    name: str
    arrays: dict[str, npt.NDArray[Any]]
    record: dict[str, Any]


def source() -> str:
    """A hash of the code that decides what is in a sequence."""
    return source_hash(("falsework.datasets.volumes_crops",))


def sequences_of(recipe: VolumeRecipe, index: int) -> Iterator[Sequence]:
    """Run simulation `index` and give its sequences in their order."""
    scene = draw_scene(recipe, index)
    wanted, moments = recipe.sequences, _moments(recipe, scene)
    solid = blocks_mean(solid_cells(scene.domain, scene.planes).astype(np.float32), FACTOR // FINE) >= 0.5
    kept: deque[VolumeFrame] = deque(maxlen=wanted.frames)
    for frame in simulate_volume(scene, recipe.run.steps):
        kept.append(frame)
        if frame.number in moments:
            middle = kept[len(kept) // 2]
            rng = generator(scene.seed, "crops", frame.number)
            for number, (corner, shape) in enumerate(choose_crops(middle.frame.density, wanted, rng)):
                yield _cut(recipe, scene, list(kept), solid, corner, shape, number)
        if frame.number >= max(moments):
            return


def _moments(recipe: VolumeRecipe, scene: VolumeScene) -> list[int]:
    """Last frames of the sequences, from the beginning to the end of the run."""
    wanted = recipe.sequences
    first = max(wanted.frames, round(EARLIEST * scene.fps) + wanted.frames)
    room = max(scene.frames - first, 0)
    rng = generator(scene.seed, "moments")
    share = (np.arange(wanted.moments) + rng.random(wanted.moments)) / wanted.moments
    return sorted({min(first + int(part * (room + 1)), scene.frames) for part in share})


def choose_crops(
    density: npt.NDArray[np.float16], wanted: SequenceSettings, rng: np.random.Generator
) -> list[tuple[Corner, Corner]]:
    """Corners and shapes of crops that hold dust, by chance, rather where it has a surface, and rather apart
    from each other."""
    coarse = blocks_mean(np.asarray(density, np.float32), FACTOR)
    whole = (coarse.shape[0] * FACTOR, coarse.shape[1] * FACTOR, coarse.shape[2] * FACTOR)
    depth = np.log(coarse + np.float32(0.05))
    rise = np.zeros_like(depth)
    for axis in range(3):
        rise += np.abs(np.gradient(depth, axis=axis))
    sums = [_running(part, BLOCK // FACTOR) for part in ((coarse > HELD).astype(np.float32), rise)]
    chosen: list[tuple[Corner, Corner]] = []
    for _ in range(wanted.crops):
        for _ in range(TRIES):
            shape = _shape(whole, wanted, rng)
            held, edges = (_over(total, shape) for total in sums)
            cells = float(np.prod(shape)) / FACTOR**3
            score = np.where(held / cells >= wanted.dusty, edges / cells, 0.0)
            if not (score > 0).any():
                continue
            for corner, other in chosen:
                score *= 1.0 - 0.9 * _shared(score.shape, shape, corner, other)
            chance = score.ravel() ** 2
            pick = int(rng.choice(len(chance), p=chance / chance.sum()))
            i, j, k = (int(n) * BLOCK for n in np.unravel_index(pick, score.shape))
            chosen.append(((i, j, k), shape))
            break
    return chosen


def _shape(whole: Corner, wanted: SequenceSettings, rng: np.random.Generator) -> Corner:
    fits = [[edge for edge in wanted.edges if edge <= most] for most in whole]
    while True:
        x, y, z = (int(rng.choice(edges)) for edges in fits)
        if x * y * z <= wanted.most:
            return x, y, z


def _running(values: Grid, edge: int) -> npt.NDArray[np.float64]:
    """Sums over all blocks before each corner of a block of `edge` cells."""
    total = blocks_mean(values, edge).astype(np.float64) * edge**3
    for axis in range(3):
        total = total.cumsum(axis=axis)
    return np.pad(total, ((1, 0), (1, 0), (1, 0)))


def _over(total: npt.NDArray[np.float64], shape: Corner) -> npt.NDArray[np.float64]:
    """Sums over every box of `shape` fine cells."""
    for axis, edge in enumerate(shape):
        blocks = edge // BLOCK
        ahead = np.take(total, range(blocks, total.shape[axis]), axis=axis)
        total = ahead - np.take(total, range(total.shape[axis] - blocks), axis=axis)
    return total


def _shared(places: tuple[int, ...], shape: Corner, corner: Corner, other: Corner) -> npt.NDArray[np.float64]:
    """Which share of a box at each place lies in another one."""
    share = np.ones(places)
    for axis in range(3):
        low = np.arange(places[axis]) * BLOCK
        both = np.minimum(low + shape[axis], corner[axis] + other[axis]) - np.maximum(low, corner[axis])
        along = np.clip(both, 0, None) / shape[axis]
        share *= along.reshape([-1 if n == axis else 1 for n in range(3)])
    return share


def _cut(
    recipe: VolumeRecipe, scene: VolumeScene, frames: list[VolumeFrame], solid: npt.NDArray[np.bool_],
    corner: Corner, shape: Corner, number: int,
) -> Sequence:  # fmt: skip
    def box(cells: int) -> tuple[slice, ...]:
        return tuple(slice(low // cells, (low + n) // cells) for low, n in zip(corner, shape, strict=True))

    arrays: dict[str, npt.NDArray[Any]] = {
        "density": np.stack([one.frame.density[box(1)] for one in frames]),
        "velocity": np.stack([one.velocity[box(FACTOR)] for one in frames]),
        "detail": np.stack([one.frame.detail[(slice(None), *box(BLOCK))] for one in frames]),
        "weight": np.stack([one.frame.weight for one in frames]),
        "layer_seed": np.stack([one.frame.layer_seed for one in frames]),
        "solid": solid[box(FACTOR)].astype(np.uint8),
    }
    middle = blocks_mean(arrays["density"][len(frames) // 2].astype(np.float32), FACTOR)
    name = f"v{scene.index:06d}_f{frames[0].number:04d}_c{number}"
    origin = [low + n * scene.domain.fine_voxel for low, n in zip(scene.domain.origin, corner, strict=True)]
    return Sequence(
        name,
        arrays,
        {
            "sample": name,
            "split": split_of_simulation(recipe, scene.index),
            "simulation": scene.index,
            "frame": frames[0].number,
            "voxel": scene.domain.fine_voxel,
            "fps": scene.fps,
            "shape": list(shape),
            "corner": list(corner),
            "origin": origin,
            "dusty": float((middle > HELD).mean()),
            "densest": float(middle.max()),
            "drawn": scene.parameters,
            "made_by": {"falsework": falsework.__version__, "code": source()},
        },
    )
