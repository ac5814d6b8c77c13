"""The dust network: noise and coarse dust in, fine structure out, in one step.

What it makes shall go on with its noise, however far that has moved, and not only by whole half cells. So it
has two parts, neither of which sees where fine cells lie in half cells. What is wide is computed on half
cells, from noise without what they cannot hold, and is linear between them. What is fine are bands: the
noise through filters of fine cells, with offsets added and gains laid on that are wide. Nothing is padded: an
answer depends on the `reach` half cells around it alone, so that bricks computed apart fit without a seam.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from falsework.dust.fine import HALF
from falsework.models.dust_architecture import BAND, DustArchitecture
from falsework.models.dust_cells import calming

__all__ = ["DustGenerator", "in_fine_cells"]


class DustGenerator(nn.Module):
    """forward(given (n, 8 + features, s, s, s)) -> (n, 8, s - 2 reach, ...) as `dust_cells` has answers.

    given: first the noise, then what is seen of the dust.
    """

    calming: Tensor

    def __init__(self, architecture: DustArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        bands = architecture.bands
        self._parts = [1, bands, bands]
        channels = [1 + architecture.features] + [architecture.width] * architecture.looks
        self.looks = nn.ModuleList(nn.Conv3d(given, made, 3) for given, made in pairwise(channels))
        self.leave = nn.Conv3d(architecture.width, sum(self._parts), 1)
        self.bands = nn.Conv3d(1, bands, BAND, bias=False)
        self.register_buffer("calming", torch.from_numpy(calming()), persistent=False)

    def forward(self, given: Tensor) -> Tensor:
        noise, told = given[:, : HALF**3], given[:, HALF**3 :, 1:-1, 1:-1, 1:-1]
        x = torch.cat([functional.conv3d(noise, self.calming), told], dim=1)
        for look in self.looks:
            x = functional.silu(look(x))
        wide = functional.interpolate(self.leave(x), scale_factor=HALF, mode="trilinear", align_corners=False)
        own, offset, gain = torch.split(wide[:, :, HALF:-HALF, HALF:-HALF, HALF:-HALF], self._parts, dim=1)
        # Of the fine cells of the noise those that the filters see from the answer's.
        edge = HALF * self.architecture.reach - BAND // 2
        fine = in_fine_cells(noise)[:, :, edge:-edge, edge:-edge, edge:-edge]
        bands = functional.silu(self.bands(fine) + offset)
        return in_half_cells(own + (gain * bands).sum(dim=1, keepdim=True))


def in_fine_cells(cells: Tensor) -> Tensor:
    """(n, 8, x, y, z) half cells as (n, 1, 2 x, 2 y, 2 z)."""
    n, _, x, y, z = cells.shape
    h = HALF
    parts = cells.reshape(n, h, h, h, x, y, z).permute(0, 4, 1, 5, 2, 6, 3)
    return parts.reshape(n, 1, h * x, h * y, h * z)


def in_half_cells(fine: Tensor) -> Tensor:
    """`in_fine_cells` undone."""
    n, _, x, y, z = fine.shape
    h = HALF
    parts = fine.reshape(n, x // h, h, y // h, h, z // h, h).permute(0, 2, 4, 6, 1, 3, 5)
    return parts.reshape(n, h**3, x // h, y // h, z // h)
