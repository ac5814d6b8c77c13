"""Networks as OpenVINO graphs, built from their weights: what runs on a processor.

Layers are those of the networks' PyTorch definitions, name by name, so that weights go straight across. No
PyTorch and no ONNX are needed to run one. Activations are (n, channels, h, w), or (n, channels, d, h, w).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino
from openvino import opset13 as ops
from safetensors import SafetensorError
from safetensors.numpy import load_file

from falsework.errors import FalseworkError
from falsework.inference import compiled

__all__ = [
    "Runner",
    "Weights",
    "add",
    "concatenated",
    "convolved",
    "enlarged",
    "halved",
    "interpolated",
    "parameter",
    "rectified",
]

Float = npt.NDArray[np.float32]
Node = Any  # OpenVINO's stubs know no common type of what its operations return


class Weights:
    """A network's arrays by their PyTorch names; FalseworkError where the file is none or lacks one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._arrays = load_file(path)
        except (OSError, SafetensorError) as error:
            raise FalseworkError(
                f"is no file of weights that can be read ({error})",
                where=path,
                todo="Install the model again: `falsework models install FILE`.",
            ) from error

    def __getitem__(self, name: str) -> Float:
        try:
            return np.ascontiguousarray(self._arrays[name], dtype=np.float32)
        except KeyError:
            raise FalseworkError(
                f'these are the weights of another network: they hold no "{name}"',
                where=self.path,
                todo="Give the weights that belong to the card.",
            ) from None


def parameter(shape: Sequence[int], name: str) -> Node:
    """An input; -1 stands for any size."""
    return ops.parameter(openvino.PartialShape(list(shape)), np.float32, name=name)


def convolved(x: Node, weights: Mapping[str, Float] | Weights, name: str, *, padded: bool = True) -> Node:
    """`name`.weight and `name`.bias as PyTorch's Conv2d or Conv3d has them; edges padded with zeros."""
    kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    rank = kernel.ndim - 2
    pads = [size // 2 if padded else 0 for size in kernel.shape[2:]]
    out = ops.convolution(x, ops.constant(kernel), [1] * rank, pads, pads, [1] * rank)
    return ops.add(out, ops.constant(bias.reshape(1, -1, *[1] * rank)))


def rectified(x: Node) -> Node:
    return ops.relu(x)


def add(one: Node, two: Node) -> Node:
    return ops.add(one, two)


def concatenated(*parts: Node) -> Node:
    """Along the channels."""
    return ops.concat(list(parts), axis=1)


def halved(x: Node) -> Node:
    """(n, channels, h, w): means of blocks of 2 x 2."""
    return ops.avg_pool(x, [2, 2], [0, 0], [0, 0], [2, 2], exclude_pad=True)


def enlarged(x: Node) -> Node:
    """(n, channels, h, w): each value 2 times along each edge."""
    return ops.interpolate(
        x,
        ops.constant(np.full(2, 2.0, np.float32)),
        "nearest",
        "scales",
        axes=ops.constant(np.array([2, 3], np.int64)),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def interpolated(x: Node, times: int) -> Node:
    """(n, channels, h, w) `times` as high and wide, linearly between the values' middles."""
    return ops.interpolate(
        x,
        ops.constant(np.full(2, times, np.float32)),
        "linear_onnx",
        "scales",
        axes=ops.constant(np.array([2, 3], np.int64)),
        coordinate_transformation_mode="half_pixel",
    )


class Runner:
    """A graph of one input, compiled for this machine's processor.

    Half precision (bfloat16) is used where the processor computes in it, unless `exact`. The same input gives
    the same output bit for bit on one machine.
    """

    def __init__(self, output: Node, given: Node, *, threads: int = 0, exact: bool = False) -> None:
        self._compiled = compiled(output, [given], "network", threads=threads, exact=exact)
        self._request = self._compiled.create_infer_request()

    def __call__(self, x: Float) -> Float:
        (answer,) = self._request.infer([np.ascontiguousarray(x, dtype=np.float32)]).values()
        return np.array(answer, np.float32)
