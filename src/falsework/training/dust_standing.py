"""Where a dust network stands beside what it must beat, on the test split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.models.networks.dust import DustGenerator
from falsework.training.dust_baselines import curled, fitted_amplitude, interpolated
from falsework.training.dust_making import made
from falsework.training.dust_measures import (
    frechet,
    log_spectral_distance,
    spectrum,
    statistics,
    travel_error,
)
from falsework.training.dust_samples import DustSamples, DustSequence

__all__ = ["measured", "standing"]

Grid = npt.NDArray[np.float32]
Maker = Callable[[DustSequence, int, int], Grid]

FITTED = 16  # training sequences that the curl noise's amplitude is fitted on
MOST = 1000  # sequences measured
COARSE, CURL, NETWORK = "coarse dust, interpolated", "curl noise", "network"


def measured(network: DustGenerator, samples: DustSamples, split: str = "test") -> list[dict[str, Any]]:
    """For a model's card; none where the split is empty."""
    found = standing(network, samples, split, MOST)
    if not found:
        return []
    count = len(samples.some(split, MOST))
    said = {
        "spectrum": "log spectral distance of opacity beyond dust cells' frequencies, dB; mean over volumes",
        "frechet": "Fréchet distance of statistics of blocks: spread, skewness, slopes, bends at 3 scales",
        "travel": "error of a frame carried on by the air, over that of the simulated dust: 1 is the"
        " simulated dust's own; less means softer or stiller than that",
    }
    return [
        {
            "name": name,
            "words": words,
            "value": found[NETWORK][name],
            "better": "lower",
            "baselines": {other: found[other][name] for other in (COARSE, CURL)},
            "samples": count,
        }
        for name, words in said.items()
        if name in found[NETWORK]
    ]


def standing(
    network: DustGenerator, samples: DustSamples, split: str, most: int
) -> dict[str, dict[str, float]]:
    """By maker, by measure: "spectrum", "frechet" and "travel" as `measured` says; the latter two where there
    is dust enough to tell."""
    sequences = samples.some(split, most)
    if not sequences:
        return {}
    amplitude = fitted_amplitude(samples.some("train", FITTED))
    makers: dict[str, Maker] = {
        COARSE: lambda one, number, seed: interpolated(one.density[number]),
        CURL: lambda one, number, seed: curled(one, number, amplitude, seed=seed),
        NETWORK: lambda one, number, seed: made(network, one, number, seed=seed),
    }
    spectra: dict[str, list[float]] = {name: [] for name in makers}
    blocks: dict[str, list[Any]] = {name: [] for name in (*makers, "simulated")}
    travel: dict[str, list[float]] = {name: [] for name in (*makers, "simulated")}
    for seed, one in enumerate(sequences):
        truth = [one.fine(number) for number in range(len(one.density))]
        middle, voxel = len(truth) // 2, one.voxel
        reference = spectrum(truth[middle], voxel)
        blocks["simulated"].append(statistics(truth[middle], voxel, truth[middle]))
        travel["simulated"].append(travel_error(truth, one.air, one.fps, voxel))
        for name, maker in makers.items():
            frames = [maker(one, number, seed) for number in range(len(truth))]
            spectra[name].append(log_spectral_distance(spectrum(frames[middle], voxel), reference))
            blocks[name].append(statistics(frames[middle], voxel, truth[middle]))
            travel[name].append(travel_error(frames, one.air, one.fps, voxel))
    real = np.concatenate(blocks["simulated"])
    own = float(np.mean(travel["simulated"]))
    found: dict[str, dict[str, float]] = {}
    for name in makers:
        found[name] = {"spectrum": float(np.mean(spectra[name]))}
        apart = frechet(np.concatenate(blocks[name]), real)
        if apart is not None:
            found[name]["frechet"] = apart
        if own > 0:
            found[name]["travel"] = float(np.mean(travel[name])) / own
    return found
