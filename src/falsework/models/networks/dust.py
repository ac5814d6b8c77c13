"""The dust network: noise and coarse dust in, fine structure out, in one step.

A few convolutions over half cells, whose 8 fine cells are channels. They are the same wherever dust lies in
its cells, so that structure goes on with its noise. None is padded: an answer depends on the `reach` half
cells around it alone, so that bricks computed apart fit without a seam. What is finer than a half cell is
noise times a share that the network says, and goes with it: convolutions over half cells cannot carry it.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from falsework.dust.fine import HALF
from falsework.models.dust_architecture import DustArchitecture

__all__ = ["DustGenerator"]


class DustGenerator(nn.Module):
    """forward(given (n, 8 + features, s, s, s)) -> (n, 8, s - 2 reach, ...) as `dust_cells` has answers.

    given: first the noise, then what is seen of the dust.
    """

    def __init__(self, architecture: DustArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        channels = [HALF**3 + architecture.features] + [architecture.width] * architecture.looks
        self.looks = nn.ModuleList(nn.Conv3d(given, made, 3) for given, made in pairwise(channels))
        self.leave = nn.Conv3d(architecture.width, 2 * HALF**3, 1)

    def forward(self, given: Tensor) -> Tensor:
        x = given
        for look in self.looks:
            x = functional.silu(look(x))
        own, share = self.leave(x).chunk(2, dim=1)
        reach = self.architecture.reach
        noise = given[:, : HALF**3, reach:-reach, reach:-reach, reach:-reach]
        answer: Tensor = own + share * noise
        return answer
