"""The light network at work: from the features of a frame to gains on our own light."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from openvino import opset13 as ops

from falsework.errors import FalseworkError
from falsework.models.graph import (
    Runner,
    Weights,
    concatenated,
    convolved,
    enlarged,
    halved,
    interpolated,
    parameter,
    rectified,
)
from falsework.models.light_architecture import LightArchitecture

__all__ = ["LightNetwork"]

Float = npt.NDArray[np.float32]


class LightNetwork:
    """Weights (safetensors, names as in `models.networks.light`) at work.

    threads  of the processor's; 0: as many as are best
    exact    compute in single precision throughout instead of what is fastest here
    device   PyTorch's name of what to run on ("cuda"); None: this machine's processor, by OpenVINO
    """

    def __init__(
        self,
        weights: Path,
        architecture: LightArchitecture,
        *,
        threads: int = 0,
        exact: bool = False,
        device: str | None = None,
    ) -> None:
        self.architecture = architecture
        self._run: Callable[[Float], Float]
        if device is None:
            given = parameter([1, architecture.features, -1, -1], "features")
            graph = _graph(given, Weights(weights), architecture)
            self._run = Runner(graph, given, threads=threads, exact=exact)
        else:
            from falsework.models.networks.light import LightUNet
            from falsework.models.torch_runner import TorchRunner

            self._run = TorchRunner(LightUNet(architecture), Weights(weights), device, exact=exact)

    def gains(self, features: Float) -> tuple[Float, Float]:
        """Gains (h, w, 3) on surfaces' and on dust's radiance, for features (channels, h, w) of any size."""
        channels, height, width = features.shape
        if channels != self.architecture.features:
            raise FalseworkError(
                f"a network of {self.architecture.features} features was given {channels}",
                where="models",
                todo="These weights are of another version of falsework: install those that came with it.",
            )
        whole = self.architecture.multiple
        padded = np.pad(features, ((0, 0), (0, -height % whole), (0, -width % whole)), mode="edge")
        out = np.exp(self._run(padded[None])[0, :, :height, :width])
        return np.ascontiguousarray(np.moveaxis(out[:3], 0, -1)), np.ascontiguousarray(
            np.moveaxis(out[3:], 0, -1)
        )


def _graph(given: object, weights: Weights, architecture: LightArchitecture) -> object:
    levels = len(architecture.widths)
    kept = []
    x = rectified(convolved(given, weights, "enter"))
    for level in range(levels):
        if level:
            x = rectified(convolved(halved(x), weights, f"down.{level}.0"))
        x = rectified(convolved(x, weights, f"down.{level}.2" if level else "down.0"))
        kept.append(x)
    for level in reversed(range(levels - 1)):
        x = kept[level] = rectified(convolved(concatenated(kept[level], enlarged(x)), weights, f"up.{level}"))
    out = []
    for number, level in enumerate(architecture.levels):
        told = convolved(kept[level], weights, f"leave.{number}")
        out.append(interpolated(told, 2**level) if level else told)
    bounds = np.repeat(np.asarray(architecture.bounds, np.float32), 3).reshape(1, -1, 1, 1)
    share = ops.divide(concatenated(*out), ops.constant(bounds))
    return ops.multiply(ops.tanh(share), ops.constant(bounds))
