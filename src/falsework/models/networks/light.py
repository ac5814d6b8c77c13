"""The light network in PyTorch, for training and for CUDA. `models.light` runs the same on a processor.

A U-Net (O. Ronneberger and others, 2015) without normalisation: features of a pixel in, two triples of
logarithms of gains out.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from falsework.models.light_architecture import LightArchitecture

__all__ = ["LightUNet"]


class LightUNet(nn.Module):
    """(n, features, h, w) to (n, 6, h, w); height and width are multiples of `architecture.multiple`."""

    def __init__(self, architecture: LightArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        widths = architecture.widths
        self.enter = nn.Conv2d(architecture.features, widths[0], 1)
        self.down = nn.ModuleList([_conv(widths[0], widths[0])])
        for one, two in pairwise(widths):
            self.down.append(nn.Sequential(_conv(one, two), nn.ReLU(), _conv(two, two)))
        self.up = nn.ModuleList([_conv(two + one, one) for one, two in pairwise(widths)])
        self.leave = nn.ModuleList([nn.Conv2d(widths[level], 3, 1) for level in architecture.levels])
        bounds = [bound for bound in architecture.bounds for _ in range(3)]
        self.register_buffer("bounds", torch.tensor(bounds).view(1, -1, 1, 1), persistent=False)
        self.bounds: torch.Tensor
        for last in self._last():
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        kept = []
        x = functional.relu(self.enter(features))
        for number, smaller in enumerate(self.down):
            if number:
                x = functional.avg_pool2d(x, 2)
            x = functional.relu(smaller(x))
            kept.append(x)
        for number in reversed(range(len(self.up))):
            large = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = kept[number] = functional.relu(self.up[number](torch.cat([kept[number], large], dim=1)))
        out = []
        for last, level in zip(self._last(), self.architecture.levels, strict=True):
            told = last(kept[level])
            if level:
                told = functional.interpolate(told, scale_factor=2.0**level, mode="bilinear")
            out.append(told)
        # Logarithms of gains bend towards their bounds, so that no input gives absurd light.
        return self.bounds * torch.tanh(torch.cat(out, dim=1) / self.bounds)

    def _last(self) -> list[nn.Conv2d]:
        return [layer for layer in self.leave if isinstance(layer, nn.Conv2d)]

    @torch.no_grad()
    def start_from(self, gains: torch.Tensor) -> None:
        """Begin as these constant gains (6,)."""
        bounds = self.bounds.flatten()
        share = (torch.log(gains) / bounds).clamp(-0.95, 0.95)
        biases = (bounds * torch.atanh(share)).view(-1, 3)
        for last, bias in zip(self._last(), biases, strict=True):
            last.bias.copy_(bias)  # type: ignore[union-attr]


def _conv(one: int, two: int) -> nn.Conv2d:
    return nn.Conv2d(one, two, 3, padding=1)
