"""The dust network at work: a frame's simulated dust made finer, brick by brick."""

# Numba's kernels: mypy cannot follow NumPy integers as loop indices.
# mypy: disable-error-code="index, assignment"

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange
from openvino import opset13 as ops
from scipy.ndimage import maximum_filter

from falsework.dust.field import DustField, DustFrame
from falsework.dust.fine import BRICK, FACTOR, HALF, FineDust
from falsework.errors import FalseworkError
from falsework.media.half import to_half, to_single
from falsework.models.dust_architecture import DustArchitecture
from falsework.models.dust_cells import (
    FEATURES,
    REACHES,
    between_half_cells,
    calming,
    densities,
    features,
    interpolation,
    over_half_cells,
)
from falsework.models.graph import Runner, Weights, add, convolved, parameter
from falsework.models.noise import carried_noise
from falsework.models.registry import Model

__all__ = ["HOLDS", "DustNetwork"]

Grid = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

HOLDS = 0.02  # g/m3: bricks with less in every cell are air
# Bricks that go through together; what is left over goes with empty ones, so that the graph has one shape.
TOGETHER = 16
CELL = HALF**3
WIDE = HALF * BRICK  # half cells along a brick's edge


class DustNetwork:
    """A model of the registry, or weights (safetensors, names as in `models.networks.dust`) with their
    architecture, at work.

    threads  of the processor's; 0: as many as are best
    exact    compute in single precision throughout instead of what is fastest here
    device   PyTorch's name of what to run on ("cuda"); None: this machine's processor, by OpenVINO
    """

    def __init__(
        self,
        model: Model | Path,
        architecture: DustArchitecture | None = None,
        *,
        threads: int = 0,
        exact: bool = False,
        device: str | None = None,
    ) -> None:
        if isinstance(model, Model):
            said = model.card.architecture if model.card is not None else {}
            architecture = architecture or (DustArchitecture.from_json(said) if said else None)
            model = model.weights
        self.architecture = architecture or DustArchitecture()
        if self.architecture.features != FEATURES:
            raise FalseworkError(
                f"a network of {self.architecture.features} features would be given {FEATURES}",
                where=model,
                todo="These weights are of another version of falsework: install those that came with it.",
            )
        self._edge = WIDE + 2 * self.architecture.reach
        self._run: Callable[[Grid], Grid]
        if device is None:
            given = parameter([TOGETHER, CELL + self.architecture.features, *[self._edge] * 3], "given")
            graph = _graph(given, Weights(model), self.architecture)
            self._run = Runner(graph, given, threads=threads, exact=exact)
        else:
            from falsework.models.networks.dust import DustGenerator
            from falsework.models.torch_runner import TorchRunner

            self._run = TorchRunner(DustGenerator(self.architecture), Weights(model), device, exact=exact)
        self._weights = interpolation()

    def refine(self, field: DustField, frame: DustFrame, *, seed: int, seen: Flags | None = None) -> FineDust:
        """The frame's dust on finer cells in the bricks that hold any and are `seen` (bx, by, bz; None: all).

        One seed is one take: the noise lies elsewhere, the simulated dust is the same. A brick's cells follow
        from the dust around it, the displacements and the seed alone.
        """
        reach = self.architecture.reach_cells
        plain = to_single(frame.density)
        counts = tuple(-(-n // BRICK) for n in plain.shape)
        index = np.full(counts, -1, np.int32)
        bricks = _bricks(plain, counts, seen)
        if len(bricks) == 0:
            return FineDust(index, np.zeros((0, *[BRICK * FACTOR] * 3), np.float16))
        index[tuple(bricks.T)] = np.arange(len(bricks), dtype=np.int32)
        # Only as much of the grid as the bricks look at, its border's cells repeated.
        low = BRICK * bricks.min(axis=0) - reach
        high = BRICK * (bricks.max(axis=0) + 1) + reach
        margin = max(REACHES)
        part = _cut(plain, low - margin, high + margin)
        within = (slice(None), *[slice(margin, -margin)] * 3)
        seen_by = np.ascontiguousarray(features(part)[within])
        part = np.ascontiguousarray(part[within[1:]])
        out = np.empty((len(bricks), *[BRICK * FACTOR] * 3), np.float16)
        noise = _BrickNoise(field, frame, bricks, _near_dust(plain, bricks, reach), seed)
        given = np.zeros((TOGETHER, CELL + self.architecture.features, *[self._edge] * 3), np.float32)
        around = np.empty((TOGETHER, *[BRICK + 2] * 3), np.float32)
        fine = np.empty((TOGETHER, *[BRICK * FACTOR] * 3), np.float32)
        for first in range(0, len(bricks), TOGETHER):
            some = bricks[first : first + TOGETHER]
            n = len(some)
            noise.reach(some)
            _gather(noise.pool, noise.slot, some, seen_by, part, low.astype(np.int64), given, around)
            answer = self._run(given)
            densities(answer[:n], around[:n], self._weights, fine[:n])
            out[first : first + n] = to_half(fine[:n])
        return FineDust(index, out)


class _BrickNoise:
    """The noise of all bricks that a frame's bricks look at, each looked up once, while it is needed.

    near   `_near_dust`, where it matters
    pool   (m, 8, 16, 16, 16);  slot: (bx + 2, by + 2, bz + 2) which of the pool a brick has, counted from -1
    """

    def __init__(
        self, field: DustField, frame: DustFrame, bricks: npt.NDArray[np.int32], near: Flags, seed: int
    ) -> None:
        self._field, self._frame, self._near, self._seed = field, frame, near, seed
        wanted = np.zeros(near.shape[:3], np.bool_)
        for around in np.ndindex(3, 3, 3):
            wanted[tuple((bricks + np.asarray(around)).T)] = True
        # Bricks come in the order of x: room for the layers that one lot of them looks at.
        layers = wanted.sum(axis=(1, 2))
        last = np.minimum(np.arange(TOGETHER, len(bricks) + TOGETHER, TOGETHER), len(bricks)) - 1
        spread = 2 + int((bricks[last, 0] - bricks[::TOGETHER, 0]).max())
        most = int(np.convolve(layers, np.ones(spread + 1, int)).max())
        self.pool = np.empty((most, CELL, *[WIDE] * 3), np.float32)
        self.slot = np.full(wanted.shape, -1, np.int64)
        self._wanted, self._done, self._next = wanted, 0, 0

    def reach(self, bricks: npt.NDArray[np.int32]) -> None:
        """Have the noise of these bricks and of those around; none comes before those asked for last."""
        last = int(bricks[:, 0].max()) + 3
        if last <= self._done:
            return
        fresh = np.argwhere(self._wanted[self._done : last]) + np.array([self._done, 0, 0])
        slots = (self._next + np.arange(len(fresh))) % len(self.pool)
        self.slot[tuple(fresh.T)] = slots
        carried_noise(
            self._frame,
            (WIDE * (fresh - 1)).astype(np.int32),
            WIDE,
            voxel=self._field.voxel,
            coarse=self._field.coarse,
            seed=self._seed,
            out=self.pool,
            slots=slots,
            wanted=self._near[tuple(fresh.T)],
        )
        self._done, self._next = last, self._next + len(fresh)


def _bricks(plain: Grid, counts: tuple[int, ...], seen: Flags | None) -> npt.NDArray[np.int32]:
    """(n, 3) numbers of the bricks that hold dust and are seen, in the grid's order."""
    held = np.zeros(counts, np.bool_)
    _holding(plain, held)
    if seen is not None:
        held &= seen
    return np.argwhere(held).astype(np.int32)


def _near_dust(plain: Grid, bricks: npt.NDArray[np.int32], reach: int) -> Flags:
    """(bx + 2, by + 2, bz + 2, 8, 8, 8) dust cells within `reach` of any that holds dust in one of `bricks`;
    the bricks counted from -1."""
    x, y, z = bricks.max(axis=0) + 3
    held = np.zeros((x, BRICK, y, BRICK, z, BRICK), np.uint8)
    chosen = np.zeros((x, 1, y, 1, z, 1), np.uint8)
    chosen[bricks[:, 0] + 1, 0, bricks[:, 1] + 1, 0, bricks[:, 2] + 1, 0] = 1
    whole = held.reshape(x * BRICK, y * BRICK, z * BRICK)
    inner = tuple(
        slice(BRICK, BRICK + min(n, m - BRICK)) for n, m in zip(plain.shape, whole.shape, strict=True)
    )
    whole[inner] = plain[tuple(slice(part.stop - BRICK) for part in inner)] > 0
    held *= chosen
    near = maximum_filter(whole, 2 * reach + 1, mode="constant").view(np.bool_)
    return np.ascontiguousarray(near.reshape(held.shape).transpose(0, 2, 4, 1, 3, 5))


def _cut(plain: Grid, low: npt.NDArray[Any], high: npt.NDArray[Any]) -> Grid:
    """Cells `low` to `high` of a grid, which may lie beyond it: there its outermost cells are repeated."""
    inside = tuple(
        slice(max(int(a), 0), min(int(b), n)) for a, b, n in zip(low, high, plain.shape, strict=True)
    )
    beyond = [(max(-int(a), 0), max(int(b) - n, 0)) for a, b, n in zip(low, high, plain.shape, strict=True)]
    return np.pad(plain[inside], beyond, mode="edge")


@njit(cache=True)
def _holding(plain: Grid, held: Flags) -> None:
    nx, ny, nz = plain.shape
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                if plain[i, j, k] > np.float32(HOLDS):
                    held[i // BRICK, j // BRICK, k // BRICK] = True


@njit(cache=True, parallel=True)
def _gather(
    pool: Grid, slot: npt.NDArray[np.int64], bricks: npt.NDArray[np.int32], seen_by: Grid, part: Grid,
    low: npt.NDArray[np.int64], given: Grid, around: Grid,
) -> None:  # fmt: skip
    """What the network is given of `bricks`; `seen_by` and `part` begin at the dust cell `low`."""
    size, inner = given.shape[2], around.shape[1]
    reach = (size - WIDE) // 2
    near, far = np.float32(0.75), np.float32(0.25)
    features = seen_by.shape[0]
    for number in prange(bricks.shape[0]):
        bx, by, bz = bricks[number]
        for x in range(size):
            # The half cell's brick, counted from the one before, and its place in it.
            a, i = (x - reach + WIDE) // WIDE, (x - reach) % WIDE
            # Its dust cell, and the one on its other side.
            cx, hx = (x - reach) // HALF, (x - reach) % HALF
            x0 = BRICK * bx + cx - low[0]
            x1 = x0 + 2 * hx - 1
            for y in range(size):
                b, j = (y - reach + WIDE) // WIDE, (y - reach) % WIDE
                for c in range(3):
                    first, last = max(0, reach + WIDE * (c - 1)), min(size, reach + WIDE * c)
                    k = (first - reach) % WIDE
                    own = slot[bx + a, by + b, bz + c]
                    for channel in range(CELL):
                        for z in range(last - first):
                            given[number, channel, x, y, first + z] = pool[own, channel, i, j, k + z]
                cy, hy = (y - reach) // HALF, (y - reach) % HALF
                y0 = BRICK * by + cy - low[1]
                y1 = y0 + 2 * hy - 1
                for channel in range(features):
                    one, two = seen_by[channel, x0, y0], seen_by[channel, x0, y1]
                    three, four = seen_by[channel, x1, y0], seen_by[channel, x1, y1]
                    for z in range(size):
                        cz, hz = (z - reach) // HALF, (z - reach) % HALF
                        z0 = BRICK * bz + cz - low[2]
                        z1 = z0 + 2 * hz - 1
                        here = near * (near * one[z0] + far * two[z0]) + far * (
                            near * three[z0] + far * four[z0]
                        )
                        there = near * (near * one[z1] + far * two[z1]) + far * (
                            near * three[z1] + far * four[z1]
                        )
                        given[number, CELL + channel, x, y, z] = near * here + far * there
        a, b, c = BRICK * bx - 1 - low[0], BRICK * by - 1 - low[1], BRICK * bz - 1 - low[2]
        around[number] = part[a : a + inner, b : b + inner, c : c + inner]


def _graph(given: Any, weights: Weights, architecture: DustArchitecture) -> Any:
    """`networks.dust` with fine cells as channels of half cells, number 8 c + their own for the channel c."""
    filters = _filters(weights, architecture)
    x = convolved(given, filters, "calm", padded=False)
    for number in range(architecture.looks):
        x = ops.swish(convolved(x, weights, f"looks.{number}", padded=False))
    wide = convolved(x, weights, "leave")
    # Three convolutions cost less than one and what it takes to part its answer.
    own, offset, gain = (convolved(wide, filters, name, padded=False) for name in ("own", "offset", "gain"))
    # The filters see one half cell around those that are answered for.
    border = architecture.reach - 1
    low, high, step, axes = (
        ops.constant(np.array(numbers, np.int64))
        for numbers in ([0, *[border] * 3], [CELL, *[-border] * 3], [1] * 4, [1, 2, 3, 4])
    )
    noise = ops.slice(given, low, high, step, axes=axes)
    bent = ops.swish(add(convolved(noise, filters, "bands", padded=False), offset))
    return add(own, convolved(ops.multiply(gain, bent), filters, "sum"))


def _filters(weights: Weights, architecture: DustArchitecture) -> dict[str, Grid]:
    """What the network does in fine cells, as convolutions over half cells."""
    told, bands = architecture.features, architecture.bands
    calm = np.zeros((1 + told, CELL + told, 3, 3, 3), np.float32)
    calm[0, :CELL] = calming()[0]
    calm[range(1, 1 + told), range(CELL, CELL + told), 1, 1, 1] = 1.0
    wide = 1 + 2 * bands
    between = np.zeros((wide, CELL, wide, 3, 3, 3), np.float32)
    between[range(wide), :, range(wide)] = between_half_cells()
    own, offset, gain = np.split(between.reshape(-1, wide, 3, 3, 3), [CELL, CELL * (1 + bands)])
    kernels = {
        "calm": calm,
        "own": own,
        "offset": offset,
        "gain": gain,
        "bands": over_half_cells(weights["bands.weight"]).reshape(-1, CELL, 3, 3, 3),
        "sum": np.tile(np.eye(CELL, dtype=np.float32), bands)[..., None, None, None],
    }
    none = {f"{name}.bias": np.zeros(len(kernel), np.float32) for name, kernel in kernels.items()}
    return none | {f"{name}.weight": kernel for name, kernel in kernels.items()}
