"""Networks by their PyTorch definitions: what runs on CUDA. `models.graph.Runner` is for the processor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.backends import cudnn

from falsework.models.graph import Weights

__all__ = ["TorchRunner"]

Float = npt.NDArray[np.float32]


class TorchRunner:
    """A network of `models.networks` with its weights on a device of PyTorch's; called as `graph.Runner` is.

    Convolutions are in half precision (bfloat16, as in training), unless `exact`. The same input gives the
    same output bit for bit on one device. A batch goes to the device once, and its answer comes back once.
    """

    def __init__(self, network: nn.Module, weights: Weights, device: str, *, exact: bool = False) -> None:
        network.load_state_dict({name: torch.from_numpy(weights[name]) for name in network.state_dict()})
        self._network = network.to(device).eval()
        self._device, self._exact = device, exact

    def __call__(self, x: Float) -> Float:
        given = torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32)).to(self._device)
        halves = torch.autocast(self._device, torch.bfloat16, enabled=not self._exact)
        with torch.inference_mode(), halves, _repeatable():
            answer: Float = self._network(given).float().cpu().numpy()
        return answer


@contextmanager
def _repeatable() -> Iterator[None]:
    """cuDNN with algorithms that repeat themselves, chosen by no race, single precision being just that (no
    TF32); afterwards as it was, for whoever trains in the same process."""
    # One by one: `cudnn.flags` also reads what cannot be read once somebody has set TF32 the newer way.
    conv = cudnn.conv  # type: ignore[attr-defined]  # the module puts it on itself when it is imported
    was = cudnn.deterministic, cudnn.benchmark, conv.fp32_precision
    cudnn.deterministic, cudnn.benchmark, conv.fp32_precision = True, False, "ieee"
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark, conv.fp32_precision = was
