"""Fine dust made by a dust network in training, on whole sequences of a data set."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from falsework.models.dust_cells import densities, features, interpolation
from falsework.models.networks.dust import DustGenerator
from falsework.models.noise import carried_noise
from falsework.training.dust_samples import DustSequence

__all__ = ["made"]

Grid = npt.NDArray[np.float32]


def made(network: DustGenerator, sequence: DustSequence, number: int, *, seed: int) -> Grid:
    """(X, Y, Z) g/m3: the network's fine dust for one frame of a sequence; one seed is one take."""
    reach = network.architecture.reach
    density = sequence.density[number]
    # The volume's border is cut out of more dust: its outermost cells stand for what lay beyond.
    edge = max(density.shape)
    wide = np.pad(density, [(reach, edge - n + reach) for n in density.shape], mode="edge")
    noise = carried_noise(
        sequence.frame(number),
        np.full((1, 3), -reach, np.int32),
        edge + 2 * reach,
        voxel=sequence.voxel,
        coarse=density.shape[0] // sequence.detail.shape[2],
        seed=seed,
    )
    given = torch.from_numpy(np.concatenate([noise[0], features(wide)])[None])
    x, y, z = density.shape
    given = given[:, :, : x + 2 * reach, : y + 2 * reach, : z + 2 * reach]
    device = next(network.parameters()).device
    with torch.no_grad():
        answer = network(given.to(device)).float().cpu().numpy()
    out = np.zeros((1, *sequence.shape), np.float32)
    densities(np.ascontiguousarray(answer), np.pad(density, 1, mode="edge")[None], interpolation(), out)
    return np.asarray(out[0], np.float32)
