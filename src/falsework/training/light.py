"""Training of the light network: gains that turn our own light into a path tracer's.

Targets are noisy, a handful of paths a pixel, and no denoiser has touched them: with a squared error the mean
of what could have been drawn is learned (J. Lehtinen and others, "Noise2Noise", 2018). The error is relative
to what is seen at the pixel, so that shade counts as much as sun.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flip_evaluator
import numpy as np
import numpy.typing as npt
import torch

from falsework.datasets.shards import INDEX
from falsework.errors import FalseworkError
from falsework.media.colour import from_working
from falsework.media.images import write_png
from falsework.models.light_architecture import LightArchitecture
from falsework.models.light_features import FEATURES, first_channel, mirrored, recoloured
from falsework.models.networks.light import LightUNet
from falsework.seeds import generator
from falsework.training.samples import LightSample, LightSamples
from falsework.training.settings import TrainSettings

__all__ = ["LightTask", "analytic_errors", "composed", "constant_gains", "flip"]

Float = npt.NDArray[np.float32]

DARK = 0.02  # of a white wall's light: errors count relative to this where it is darker
HIDDEN = 0.1  # weight of a surface that dust hides: a shot's dust, carved, hides less of it
JITTER = {"phase": 0.25, "sun_height": 0.25, "sun_to_sky": 0.15, "bounce_to_sky": 0.15, "dust_albedo": 0.02}
TRIES, LEAST = 4, 0.05  # crops looked at until one has so much of pieces or dust in it
SHOWN = 4  # samples in a picture
MOST_MEASURED = 1000  # samples of the test split
BASELINES = {
    "analytic": "our own light, no network",
    "constant": "one gain on all surfaces, one on all dust",
}
FITTED = 24  # samples that constant gains are fitted on


@dataclass(frozen=True)
class _Batch:
    """Tensors (n, c, h, w) of crops."""

    features: torch.Tensor
    surface: torch.Tensor
    dust: torch.Tensor
    traced_surface: torch.Tensor
    traced_dust: torch.Tensor
    through: torch.Tensor
    coverage: torch.Tensor
    behind: torch.Tensor


class LightTask:
    """See `training.loop.Task`."""

    name = "light"

    def __init__(
        self,
        data: Path,
        settings: TrainSettings,
        *,
        architecture: LightArchitecture | None = None,
        device: str = "cpu",
    ) -> None:
        self._settings, self._device = settings, device
        self._samples = LightSamples(data, cached=settings.cached)
        architecture = architecture or LightArchitecture()
        whole = architecture.multiple
        if settings.patch % whole:
            raise FalseworkError(
                f"patch = {settings.patch} is no multiple of {whole}, as a light network needs it",
                where="patch",
                todo=f"Give {-(-settings.patch // whole) * whole}.",
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(generator(settings.seed, "light", "weights").integers(2**31)))
            self.network = LightUNet(architecture)
        some = self._samples.some("train", FITTED)
        self.constant = constant_gains(some)
        self.network.start_from(torch.from_numpy(self.constant.flatten()))
        self.files = {INDEX: self._samples.index}
        self.about: dict[str, Any] = {
            "architecture": architecture.to_json(),
            "data": self._samples.about,
            "samples": {
                **self._samples.counts,
                "constant_gains": [round(float(gain), 4) for gain in self.constant.flatten()],
                "traced_over_analytic": analytic_errors(some),
            },
        }

    def loss(self, step: int) -> torch.Tensor:
        batch = self._batch(step)
        gains = torch.exp(self.network(batch.features).float())
        surface, dust = batch.surface * gains[:, :3], batch.dust * gains[:, 3:]
        with torch.no_grad():
            covered = (batch.coverage > 0.5).float()
            seen = (surface + (1 - batch.coverage) * batch.behind) * batch.through + dust
            lit = surface.square() + DARK**2
            whole = seen.square() + DARK**2
            weight = covered * (HIDDEN + (1 - HIDDEN) * batch.through)
        wrong_surface = weight * (surface - batch.traced_surface).square() / lit
        wrong_dust = (dust - batch.traced_dust).square() / whole
        return wrong_surface.mean() + wrong_dust.mean()

    def _batch(self, step: int) -> _Batch:
        random = generator(self._settings.seed, "light", step)
        count, edge = len(self._samples.rows["train"]), self._settings.patch
        parts: dict[str, list[Float]] = {name: [] for name in _Batch.__dataclass_fields__}
        for _ in range(self._settings.batch):
            sample = self._samples["train", int(random.integers(count))]
            height, width = sample.kind.shape
            y = x = 0
            for _ in range(TRIES):
                y, x = (int(random.integers(max(size - edge, 0) + 1)) for size in (height, width))
                if _worth(sample, y, x, edge):
                    break
            turned, order = bool(random.integers(2)), [int(colour) for colour in random.permutation(3)]
            for name, of in parts.items():
                image = np.atleast_3d(getattr(sample, name))
                image = image[None, ..., 0] if image.shape[-1] == 1 else image
                image = image[:3] if name.startswith("traced") else image
                crop = image[:, y : y + edge, x : x + edge].astype(np.float32)
                if name == "features":
                    crop = _jittered(recoloured(crop, order), random)
                    of.append(mirrored(crop) if turned else crop)
                    continue
                crop = crop[order] if len(crop) == 3 else crop
                of.append(crop[..., ::-1].copy() if turned else crop)
        return _Batch(**{name: torch.from_numpy(np.stack(of)).to(self._device) for name, of in parts.items()})

    def validate(self) -> dict[str, float]:
        """HDR-FLIP of the composed picture from the path tracer's: with our own light, with one gain for all
        surfaces and one for all dust, with the network's."""
        samples = self._samples.some("validation", self._settings.validated)
        return {f"flip_{name}": value for name, value in self._flips(samples).items()}

    def measure(self) -> list[dict[str, Any]]:
        """The same on all of the test split, for a card."""
        samples = self._samples.some("test", MOST_MEASURED)
        found = self._flips(samples)
        if not found:
            return []
        return [
            {
                "name": "HDR-FLIP",
                "words": "mean over test crops of the composed picture; its reference: both traced halves",
                "value": found.pop("network"),
                "better": "lower",
                "baselines": {BASELINES[name]: value for name, value in found.items()},
                "samples": len(samples),
            }
        ]

    def _flips(self, samples: list[LightSample]) -> dict[str, float]:
        found: dict[str, list[float]] = {"analytic": [], "constant": [], "network": []}
        for sample in samples:
            truth = composed(sample, *traced(sample))
            found["analytic"].append(flip(truth, composed(sample, *analytic(sample))))
            found["constant"].append(flip(truth, composed(sample, *gained(sample, self.constant))))
            found["network"].append(flip(truth, composed(sample, *gained(sample, self._gains(sample)))))
        return {name: float(np.mean(values)) for name, values in found.items() if values}

    def _gains(self, sample: LightSample) -> Float:
        """(2, 3, h, w) of the network."""
        given = torch.from_numpy(sample.features.astype(np.float32))[None].to(self._device)
        whole = self.network.architecture.multiple
        height, width = given.shape[-2:]
        given = torch.nn.functional.pad(given, (0, -width % whole, 0, -height % whole), mode="replicate")
        with torch.no_grad():
            out = torch.exp(self.network(given).float())[0, :, :height, :width]
        return np.asarray(out.cpu().numpy().reshape(2, 3, height, width), np.float32)

    def pictures(self, folder: Path, step: int) -> None:
        """Ours, the network's and the path tracer's beside each other, a sample a row."""
        folder.mkdir(parents=True, exist_ok=True)
        split = "validation" if self._samples.rows["validation"] else "train"
        rows = []
        for sample in self._samples.some(split, SHOWN):
            ours, theirs = composed(sample, *analytic(sample)), composed(sample, *traced(sample))
            network = composed(sample, *gained(sample, self._gains(sample)))
            exposure = 0.5 / max(float(np.percentile(theirs, 75)), 1e-6)
            shown = [
                np.clip(from_working(image * exposure, "sRGB"), 0, 1) for image in (ours, network, theirs)
            ]
            rows.append(np.concatenate(shown, axis=1))
        if rows:
            height = min(row.shape[0] for row in rows)
            sheet = np.concatenate([row[:height] for row in rows], axis=0)
            write_png(folder / f"{step:07d}.png", (sheet * 255 + 0.5).astype(np.uint8))


def _jittered(features: Float, random: np.random.Generator) -> Float:
    """What is much the same all over a shot, made uncertain: the few shots must not be known by it."""
    for name, much in JITTER.items():
        first = first_channel(name)
        features[first : first + FEATURES[name]] += np.float32(much * random.standard_normal())
    return features


def _worth(sample: LightSample, y: int, x: int, edge: int) -> bool:
    """Whether there is something in a crop that light can be learned from."""
    here = np.s_[y : y + edge, x : x + edge]
    return float(np.mean((sample.coverage[here] > 0.5) | (sample.through[here] < 0.95))) > LEAST


# ---- one sample's pictures -------------------------------------------------------------------------------


def composed(sample: LightSample, surface: Float, dust: Float) -> Float:
    """The picture (h, w, 3), in units of the light: a surface layer (4, h, w) over what stands, dust
    (4, h, w) before it."""
    behind = sample.behind.astype(np.float32)
    picture = surface[:3] + (1 - surface[3]) * behind
    picture = (1 - dust[3]) * picture + dust[:3]
    return np.ascontiguousarray(np.moveaxis(picture, 0, -1), dtype=np.float32)


def traced(sample: LightSample) -> tuple[Float, Float]:
    return sample.traced_surface.astype(np.float32), sample.traced_dust.astype(np.float32)


def analytic(sample: LightSample) -> tuple[Float, Float]:
    """Our own layers, dust as its grid is."""
    return _layer(sample.surface, sample.coverage), sample.plain.astype(np.float32)


def gained(sample: LightSample, gains: npt.NDArray[Any]) -> tuple[Float, Float]:
    """Layers with gains (2, 3[, h, w]) on what they are on."""
    gains = np.asarray(gains, np.float32)
    if gains.ndim == 2:
        gains = gains[..., None, None]
    surface = sample.surface.astype(np.float32) * gains[0]
    dust = sample.dust.astype(np.float32) * gains[1]
    return _layer(surface, sample.coverage), _layer(dust, 1 - sample.through.astype(np.float32))


def _layer(colour: npt.NDArray[Any], coverage: npt.NDArray[Any]) -> Float:
    return np.concatenate([colour, coverage[None]]).astype(np.float32)


def flip(reference: Float, test: Float) -> float:
    """Mean HDR-FLIP (P. Andersson and others, 2021) of pictures (h, w, 3) in ACEScg."""
    linear = [np.maximum(from_working(image, "linear"), 0.0) for image in (reference, test)]
    _, mean, _ = flip_evaluator.evaluate(*linear, "HDR", applyMagma=False)
    return float(mean)


# ---- what our own light gets wrong -----------------------------------------------------------------------


def constant_gains(samples: list[LightSample]) -> Float:
    """(2, 3): the one gain on surfaces and the one on dust that are best for all samples, by the training's
    own measure."""
    gains = np.ones((2, 3), np.float32)
    for _ in range(6):  # its denominators are the prediction's
        above, below = np.zeros((2, 3)), np.full((2, 3), 1e-9)
        for sample in samples:
            covered = sample.coverage > 0.5
            weight = np.where(covered, HIDDEN + (1 - HIDDEN) * sample.through.astype(np.float32), 0.0)
            pairs = ((sample.surface, sample.traced_surface), (sample.dust, sample.traced_dust))
            for layer, (ours, theirs) in enumerate(pairs):
                own, other = ours.astype(np.float64), theirs[:3].astype(np.float64)
                share = (weight if layer == 0 else 1.0) / ((own * gains[layer][:, None, None]) ** 2 + DARK**2)
                above[layer] += (share * own * other).sum((1, 2))
                below[layer] += (share * own * own).sum((1, 2))
        gains = np.clip(above / below, 1e-2, 1e2).astype(np.float32)
    return gains


def analytic_errors(samples: list[LightSample]) -> dict[str, float]:
    """The path tracer's light over ours, mean over mean: surfaces by kind, in sun and in shade; dust by how
    much is seen through it."""
    kinds = {3: "plate_pixels", 4: "inside", 5: "chip"}
    sums: dict[str, tuple[float, float]] = {}

    def add(
        name: str, where: npt.NDArray[np.bool_], theirs: npt.NDArray[Any], ours: npt.NDArray[Any]
    ) -> None:
        one, two = sums.get(name, (0.0, 0.0))
        sums[name] = (
            one + float(theirs[:3].astype(np.float64).mean(0)[where].sum()),
            two + float(ours[:3].astype(np.float64).mean(0)[where].sum()),
        )

    for sample in samples:
        through = sample.through.astype(np.float32)
        sunny = sample.features[first_channel("sun")].astype(np.float32) > 0.05
        for kind, name in kinds.items():
            clear = (sample.kind == kind) & (sample.coverage > 0.99) & (through > 0.5)
            add(f"{name}_in_sun", clear & sunny, sample.traced_surface, sample.surface)
            add(f"{name}_in_shade", clear & ~sunny, sample.traced_surface, sample.surface)
        for low, high in ((0.0, 0.1), (0.1, 0.5), (0.5, 0.95)):
            part = (through >= low) & (through < high)
            add(f"dust_through_{low:g}_to_{high:g}", part, sample.traced_dust, sample.plain)
    return {name: round(one / two, 3) for name, (one, two) in sums.items() if two > 0}
