"""The dust network: noise and coarse dust in, fine structure out, in one step.

A few convolutions over dust cells, whose 64 fine cells are channels. None is padded: an answer depends on
the `reach` cells around it alone, so that bricks computed apart fit without a seam.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from falsework.dust.fine import FACTOR
from falsework.models.dust_architecture import DustArchitecture

__all__ = ["DustGenerator"]

CELL = FACTOR**3


class Block(nn.Module):
    """Sees one dust cell further."""

    def __init__(self, width: int, waist: int) -> None:
        super().__init__()
        self.narrow = nn.Conv3d(width, waist, 1)
        self.look = nn.Conv3d(waist, waist, 3)
        self.widen = nn.Conv3d(waist, width, 1)
        with torch.no_grad():
            self.widen.weight.mul_(0.3)

    def forward(self, x: Tensor) -> Tensor:
        near = functional.silu(self.look(functional.silu(self.narrow(x))))
        widened: Tensor = self.widen(near)
        return x[:, :, 1:-1, 1:-1, 1:-1] + widened


class DustGenerator(nn.Module):
    """forward(given (n, 64 + features, s, s, s)) -> (n, 64, s - 2 reach, ...) as `dust_cells` has answers.

    given: first the noise, then what is seen of the dust.
    """

    def __init__(self, architecture: DustArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.enter = nn.Conv3d(CELL + architecture.features, architecture.width, 1)
        self.blocks = nn.ModuleList(
            Block(architecture.width, architecture.waist) for _ in range(architecture.blocks)
        )
        self.leave = nn.Conv3d(architecture.width, CELL, 1)

    def forward(self, given: Tensor) -> Tensor:
        x: Tensor = self.enter(given)
        for block in self.blocks:
            x = block(x)
        answer: Tensor = self.leave(functional.silu(x))
        return answer
