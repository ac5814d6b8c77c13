"""What a dust network is given of a sequence, and the fine dust it makes of whole ones in training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from falsework.dust.fine import HALF
from falsework.models.dust_cells import densities, features, half_cells, interpolation
from falsework.models.networks.dust import DustGenerator
from falsework.models.noise import carried_noise
from falsework.training.dust_samples import DustSequence

__all__ = ["made", "noise_around"]

Grid = npt.NDArray[np.float32]


def noise_around(
    sequence: DustSequence, number: int, low: tuple[int, int, int], edge: int, reach: int, *, seed: int
) -> Grid:
    """(8, 2 edge + 2 reach, …) noise of `edge`^3 dust cells from `low` and of `reach` half cells around."""
    (noise,) = carried_noise(
        sequence.frame(number),
        np.asarray([[HALF * n - reach for n in low]], np.int32),
        HALF * edge + 2 * reach,
        voxel=sequence.voxel,
        coarse=sequence.density.shape[1] // sequence.detail.shape[2],
        seed=seed,
    )
    return np.asarray(noise, np.float32)


def made(network: DustGenerator, sequence: DustSequence, number: int, *, seed: int) -> Grid:
    """(X, Y, Z) g/m3: the network's fine dust for one frame of a sequence; one seed is one take."""
    architecture = network.architecture
    density = sequence.density[number]
    # The volume is cut out of more dust: its outermost cells stand for what lay beyond.
    wide = np.pad(density, architecture.reach_cells, mode="edge")
    told = half_cells(features(wide), architecture.reach)
    noise = noise_around(sequence, number, (0, 0, 0), max(density.shape), architecture.reach, seed=seed)
    x, y, z = told.shape[1:]
    given = torch.from_numpy(np.concatenate([noise[:, :x, :y, :z], told])[None])
    device = next(network.parameters()).device
    with torch.no_grad():
        answer = network(given.to(device)).float().cpu().numpy()
    out = np.zeros((1, *sequence.shape), np.float32)
    densities(np.ascontiguousarray(answer), np.pad(density, 1, mode="edge")[None], interpolation(), out)
    return np.asarray(out[0], np.float32)
