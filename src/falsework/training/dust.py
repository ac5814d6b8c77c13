"""Training of the dust network: noise and coarse dust to fine structure, in one step.

The network is trained with the energy score: of two structures made for the same coarse dust from two noises,
each shall be near the simulated one, and the two as far from one another as they are from it. It is least
where what is made is distributed as what was simulated, block by block, given the coarse dust; it needs no
critic, and no teacher whose many steps would have to be distilled.
Sources: Gneiting and Raftery, "Strictly Proper Scoring Rules" (2007); Shen and Meinshausen, "Engression"
(2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from falsework.datasets.shards import INDEX
from falsework.datasets.volumes_pictures import volume_picture
from falsework.dust.fine import FACTOR
from falsework.errors import FalseworkError
from falsework.media.images import write_png
from falsework.models.dust_architecture import DustArchitecture
from falsework.models.dust_cells import (
    KEPT,
    LARGEST,
    SCALED,
    SPREAD,
    features,
    fine_between,
    half_cells,
    roots,
    shuffled,
    unshuffled,
    within,
)
from falsework.models.networks.dust import DustGenerator, in_fine_cells
from falsework.render.volume import EXTINCTION
from falsework.seeds import generator
from falsework.training.dust_baselines import interpolated
from falsework.training.dust_making import made, noise_around
from falsework.training.dust_measures import log_spectral_distance, spectrum, travel_error
from falsework.training.dust_samples import DustSamples, DustSequence
from falsework.training.settings import TrainSettings

__all__ = ["DustTask", "changed", "restlessness", "structure_score", "travel_score"]

Grid = npt.NDArray[np.float32]

THINNEST, THICKEST = 0.4, 2.5  # by which densities are multiplied: dust of any amount moves alike
SHOWN = 3  # volumes in a picture
# Weights beside how it looks: of how it travels, and of changing more than what was simulated, which the
# score of how it travels hardly minds.
TRAVEL, RESTLESS = 4.0, 3.0
LEAST = 1e-4  # of a distance: its slope stays finite at none


@dataclass(frozen=True)
class _Batch:
    """Tensors of patches, (n, 1, 4 s, 4 s, 4 s) where nothing else is said; of each two successive frames,
    one after the other along n.

    given    (n, 8 + features, 2 s + 2 reach, …) twice, of two noises
    truth    roots of the simulated density over what lies between the dust cells
    between  what lies between the dust cells, over the cell's own density
    thick    (n, 1, s, s, s) optical depth of a dust cell's edge
    weight   (n, 1, s, s, s) by what is seen
    moved    (n / 2, 3, s, s, s) fine cells that the air moves from one frame to the next
    """

    given: tuple[Tensor, Tensor]
    truth: Tensor
    between: Tensor
    thick: Tensor
    weight: Tensor
    moved: Tensor


class DustTask:
    """See `training.loop.Task`."""

    name = "dust"

    def __init__(
        self,
        data: Path,
        settings: TrainSettings,
        *,
        architecture: DustArchitecture | None = None,
        device: str = "cpu",
    ) -> None:
        self._settings, self._device = settings, device
        self._samples = DustSamples(data)
        if len(self._samples.sequence("train", 0).density) < 2:
            raise FalseworkError(
                "has sequences of one frame, and how dust travels is learned from two",
                where=data,
                todo="Build a set with frames = 2 or more in its recipe.",
            )
        architecture = architecture or DustArchitecture()
        self._reach, self._margin = architecture.reach, architecture.reach_cells
        # No patch is larger than what the smallest sequence holds with the cells around.
        self._edge = min(settings.patch, self._samples.smallest - 2 * self._margin)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(generator(settings.seed, "dust", "weights").integers(2**31)))
            self.network = DustGenerator(architecture)
        self.files = {INDEX: self._samples.index}
        self.about: dict[str, Any] = {
            "architecture": architecture.to_json(),
            "data": self._samples.about,
            "samples": self._samples.counts,
        }

    def loss(self, step: int) -> Tensor:
        batch = self._batch(step)
        one, two = (1 + SPREAD * in_fine_cells(self.network(given).float()) for given in batch.given)
        first, second = (_kept(root, batch.between) for root in (one, two))
        share = batch.weight / batch.weight.mean().clamp_min(1e-6)
        thick = _enlarged(batch.thick) * batch.between

        def opacity(root: Tensor) -> Tensor:
            return -torch.expm1(-thick * root.square())

        look = structure_score(first, second, batch.truth, share)
        one, two, truth = (changed(opacity(root), batch.moved) for root in (first, second, batch.truth))
        travel = travel_score(one, two, truth, share)
        return look + TRAVEL * travel + RESTLESS * restlessness(one, two, truth)

    def _batch(self, step: int) -> _Batch:
        random = generator(self._settings.seed, "dust", step)
        pairs = [self._pair(random) for _ in range(max(1, self._settings.batch // 2))]
        frames = [frame for frames, _ in pairs for frame in frames]
        one, two, truth, between, thick, weight = (
            torch.from_numpy(np.stack(part)).to(self._device) for part in zip(*frames, strict=True)
        )
        moved = torch.from_numpy(np.stack([moved for _, moved in pairs])).to(self._device)
        return _Batch((one, two), truth, between, thick, weight, moved)

    def _pair(self, random: np.random.Generator) -> tuple[list[tuple[Grid, ...]], Grid]:
        """The same patch of two successive frames, with the same noises, and how the air moves."""
        rows = self._samples.rows["train"]
        sequence = self._samples.sequence("train", int(random.integers(len(rows))))
        first = int(random.integers(len(sequence.density) - 1))
        low = _low(sequence.weight[first], self._edge, self._margin, random)
        gain = float(np.exp(random.uniform(np.log(THINNEST), np.log(THICKEST))))
        turn = _Turn(int(random.integers(4)), bool(random.integers(2)))
        seeds = [int(random.integers(2**31)) for _ in range(2)]
        frames = [self._patch(sequence, number, low, gain, turn, seeds) for number in (first, first + 1)]
        inner = tuple(slice(n, n + self._edge) for n in low)
        air = np.moveaxis(sequence.air[first + 1][inner], -1, 0)
        return frames, turn.vectors(air * np.float32(FACTOR / (sequence.fps * sequence.voxel)))

    def _patch(
        self,
        sequence: DustSequence,
        number: int,
        low: tuple[int, int, int],
        gain: float,
        turn: _Turn,
        seeds: list[int],
    ) -> tuple[Grid, ...]:
        margin, edge = self._margin, self._edge
        density = sequence.density[number]
        wide = tuple(slice(n - margin, n + edge + margin) for n in low)
        around = tuple(slice(n - 1, n + edge + 1) for n in low)
        inner = tuple(slice(n, n + edge) for n in low)
        told = half_cells(turn(features(density * np.float32(gain))[(slice(None), *wide)]), self._reach)
        given = []
        for seed in seeds:
            noise = shuffled(noise_around(sequence, number, low, edge, self._reach, seed=seed))
            given.append(np.concatenate([unshuffled(turn(noise)), told]))
        between, own = fine_between(turn(density[around])), turn(density[inner])
        over = between / within(np.maximum(own, np.float32(1e-6)))
        return (
            *given,
            roots(turn(sequence.fine(number, low, edge)), between)[None],
            np.asarray(over[None], np.float32),
            own[None] * np.float32(gain * EXTINCTION * sequence.voxel),
            turn(sequence.weight[number][inner])[None],
        )

    def validate(self) -> dict[str, float]:
        """On the validation split: the spectrum's distance and the error of travel of what the network makes
        (over the simulated dust's own), and the distance of what lies between the dust cells alone."""
        found: dict[str, list[float]] = {"spectrum_coarse": [], "spectrum": [], "travel": []}
        for number, sequence in enumerate(self._samples.some("validation", self._settings.validated)):
            last = len(sequence.density) - 1
            made_two = [made(self.network, sequence, last - n, seed=number) for n in (1, 0)]
            truth = [sequence.fine(last - n) for n in (1, 0)]
            voxel = sequence.voxel
            reference = spectrum(truth[1], voxel)
            coarse = interpolated(sequence.density[last])
            found["spectrum_coarse"].append(log_spectral_distance(spectrum(coarse, voxel), reference))
            found["spectrum"].append(log_spectral_distance(spectrum(made_two[1], voxel), reference))
            air = sequence.air[last - 1 :]
            found["travel"].append(
                travel_error(made_two, air, sequence.fps, voxel)
                / travel_error(truth, air, sequence.fps, voxel)
            )
        return {name: float(np.mean(values)) for name, values in found.items() if values}

    def pictures(self, folder: Path, step: int) -> None:
        """The coarse dust, the network's and the simulated beside each other, a volume a row."""
        folder.mkdir(parents=True, exist_ok=True)
        split = "validation" if self._samples.rows["validation"] else "train"
        rows = []
        for number, sequence in enumerate(self._samples.some(split, SHOWN)):
            shown = [
                volume_picture(volume, sequence.voxel / FACTOR)
                for volume in (
                    interpolated(sequence.density[0]),
                    made(self.network, sequence, 0, seed=number),
                    sequence.fine(0),
                )
            ]
            rows.append(np.concatenate(shown, axis=1))
        width = max(row.shape[1] for row in rows)
        sheet = [np.pad(row, ((0, 4), (0, width - row.shape[1]), (0, 0))) for row in rows]
        write_png(folder / f"{step:07d}.png", np.concatenate(sheet))

    def measure(self) -> list[dict[str, Any]]:
        """All measures on the whole test split beside both baselines, for a card."""
        from falsework.training.dust_standing import measured

        return measured(self.network, self._samples)


def _low(weight: Grid, edge: int, reach: int, random: np.random.Generator) -> tuple[int, int, int]:
    """Where a patch begins whose middle is a cell that is seen."""
    total = np.cumsum(weight.ravel(), dtype=np.float64)
    cell = min(int(np.searchsorted(total, random.random() * total[-1])), weight.size - 1)
    middle = np.unravel_index(cell, weight.shape)
    x, y, z = (
        int(np.clip(int(m) - edge // 2 + int(random.integers(-2, 3)), reach, size - edge - reach))
        for m, size in zip(middle, weight.shape, strict=True)
    )
    return x, y, z


@dataclass(frozen=True)
class _Turn:
    """About the vertical by so many quarters, and then seen in a mirror."""

    quarters: int
    mirrored: bool

    def __call__(self, field: Grid) -> Grid:
        """(…, x, y, z)"""
        field = np.rot90(field, self.quarters, axes=(-3, -2))
        return np.ascontiguousarray(field[..., ::-1, :, :] if self.mirrored else field)

    def vectors(self, field: Grid) -> Grid:
        """(3, x, y, z) of components along x, y, z"""
        x, y, z = self(field)
        for _ in range(self.quarters):
            x, y = -y, x
        return np.stack([-x if self.mirrored else x, y, z])


def structure_score(one: Tensor, two: Tensor, truth: Tensor, share: Tensor) -> Tensor:
    """Mean energy score of two structures (n, 1, 4 s, 4 s, 4 s) for what was simulated, over blocks of a dust
    cell and of an eighth of one, of values and of slopes. `share` (n, 1, s, s, s): weights of mean 1."""
    score = torch.zeros((), device=one.device)
    for edge in (FACTOR, FACTOR // 2):
        much = functional.interpolate(share, scale_factor=FACTOR // edge)
        for slope in (False, True):
            a, b, c = (_slopes(field) if slope else field for field in (one, two, truth))
            near = _apart(a, c, edge) + _apart(b, c, edge)
            score = score + (much * (near - _apart(a, b, edge))).mean() * (2.0 if slope else 1.0)
    return score / SPREAD


def changed(opacity: Tensor, moved: Tensor) -> Tensor:
    """(m, 1, 4 s, 4 s, 4 s) how the second of each two frames of opacity (2 m, 1, …) differs from the first
    as the air would have carried it on; 0 where that comes from outside.

    moved  (m, 3, s, s, s) fine cells from one frame to the next
    """
    fine = functional.interpolate(moved, scale_factor=FACTOR, mode="trilinear", align_corners=False)
    count = fine.shape[-1]
    along = torch.arange(count, dtype=fine.dtype, device=fine.device)
    x, y, z = (
        start - fine[:, axis] for axis, start in enumerate(torch.meshgrid(along, along, along, indexing="ij"))
    )
    # PyTorch counts places from -1 to 1, the last axis first.
    grid = torch.stack([z, y, x], dim=-1) * (2 / (count - 1)) - 1
    inside = (grid.abs() <= 1).all(dim=-1)[:, None].float()
    return inside * (opacity[1::2] - functional.grid_sample(opacity[0::2], grid, align_corners=True))


def travel_score(one: Tensor, two: Tensor, truth: Tensor, share: Tensor) -> Tensor:
    """Mean energy score of how two structures and what was simulated have `changed`."""
    near = _apart(one, truth, FACTOR) + _apart(two, truth, FACTOR)
    return (share[1::2] * (near - _apart(one, two, FACTOR))).mean() / SPREAD


def restlessness(one: Tensor, two: Tensor, truth: Tensor) -> Tensor:
    """By how much more than what was simulated, as a share of it, two structures have `changed`."""
    much = (one.abs().mean() + two.abs().mean()) / 2
    return (much / truth.abs().mean().clamp_min(LEAST) - 1).clamp_min(0)


def _kept(root: Tensor, between: Tensor) -> Tensor:
    """Roots of ratios with the dust cell's mean kept near its own, as `dust_cells.densities` keeps it."""
    # Below nothing a little slope is left to come back by.
    root = torch.where(root > 0, root.clamp_max(LARGEST), 0.02 * root)
    mean = functional.avg_pool3d(between * root.square(), FACTOR)
    gain = mean.clamp(1 / KEPT, KEPT) / mean.clamp_min(1 / (KEPT * SCALED))
    missing = (1 / KEPT - gain * mean) / functional.avg_pool3d(between, FACTOR).clamp_min(0.04)
    # Rounding leaves something missing everywhere.
    fill = _enlarged(missing * (missing > 1e-4))
    scaled = root * _enlarged(gain.sqrt())
    # Where nothing is missing the sign stays; the slope of a square root at nothing would have no end.
    filled = (scaled.square() + fill).clamp_min(1e-8).sqrt()
    return torch.where(fill > 0, filled, scaled)


def _enlarged(cells: Tensor) -> Tensor:
    """(n, c, s, s, s) dust cells' values in each of their fine cells."""
    return functional.interpolate(cells, scale_factor=FACTOR)


def _slopes(fine: Tensor) -> Tensor:
    """(n, 3, …) differences to the next cell along each axis; none at the far side."""
    return torch.cat(
        [functional.pad(fine.diff(dim=axis), [0, 0] * (4 - axis) + [0, 1]) for axis in (2, 3, 4)], dim=1
    )


def _apart(one: Tensor, two: Tensor, edge: int) -> Tensor:
    """(n, 1, …) distance of two fields in each block of `edge` cells."""
    square = (one - two).square().sum(dim=1, keepdim=True)
    return (functional.avg_pool3d(square, edge) + LEAST).sqrt()
