"""Running a small scene with the dust stage's own air, on cells a quarter as wide as a shot's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from falsework.datasets.volumes_scene import Cloud, VolumeScene
from falsework.dust.detail import Detail
from falsework.dust.domain import FINE, solid_cells
from falsework.dust.emit import emit_puffs, emit_trails
from falsework.dust.field import DustFrame
from falsework.dust.fine import FACTOR
from falsework.dust.settings import DustSettings
from falsework.dust.solver import FAINTEST, FASTEST, Air
from falsework.dust.transport import held_box
from falsework.seeds import generator

__all__ = ["CoarseDetail", "VolumeFrame", "blocks_mean", "eddies", "simulate_volume"]

Grid = npt.NDArray[np.float32]

# Widest and narrowest eddies that are stirred in, air cells: the widest as in a shot in metres.
WIDEST, NARROWEST = 8.0 * FACTOR, 2.6
# A falling piece's dust is given off at so many places between one step and the next: it is one trail.
BETWEEN = 16
# Cells over which fresh dust is spread (standard deviation): what is uneven from cell to cell is the
# emission's own random numbers, and in a shot they are four times as wide.
SPREAD = 1.2


@dataclass(frozen=True)
class VolumeFrame:
    """One frame. X, Y, Z are fine dust cells.

    frame      its density (X, Y, Z) float16 g/m3; displacements (2, X/16, Y/16, Z/16, 3), weights and seeds
               of the layers as a simulation on cells four times as wide would hand them on
    velocity   (X/4, Y/4, Z/4, 3) float16 m/s, mean over the frame
    """

    number: int
    frame: DustFrame
    velocity: npt.NDArray[np.float16]


def blocks_mean(field: Grid, edge: int) -> Grid:
    """(X/e, Y/e, Z/e[, 3]) means over cubes of `edge` cells."""
    x, y, z = (n // edge for n in field.shape[:3])
    cut = field.reshape(x, edge, y, edge, z, edge, *field.shape[3:])
    return np.asarray(cut.mean(axis=(1, 3, 5), dtype=np.float32), np.float32)


def eddies(rng: np.random.Generator, size: int, *, widest: float, narrowest: float, fields: int = 2) -> Grid:
    """(fields, size, size, size, 3) periodic divergence-free noise with eddies from `widest` to `narrowest`
    cells, whose energy falls with the 5/3 power of the wave number; those wider than `widest` / `FACTOR`
    have a root mean square of 1 taken together, as `gas.turbulence_tile` has of all it holds."""
    fx = np.fft.fftfreq(size).astype(np.float32)
    fz = np.fft.rfftfreq(size).astype(np.float32)
    kx, ky, kz = np.meshgrid(fx, fx, fz, indexing="ij")
    k = np.sqrt(kx**2 + ky**2 + kz**2)
    with np.errstate(divide="ignore"):
        amplitude = np.where((k >= 1 / widest) & (k <= 1 / narrowest), k ** (-17 / 6), 0.0)
    coarse = k <= FACTOR / widest
    tile = np.empty((fields, size, size, size, 3), np.float32)
    for number in range(fields):
        a = [
            np.fft.rfftn(rng.standard_normal((size, size, size), dtype=np.float32)) * amplitude
            for _ in range(3)
        ]
        curl = (ky * a[2] - kz * a[1], kz * a[0] - kx * a[2], kx * a[1] - ky * a[0])
        wide = 0.0
        for axis, part in enumerate(curl):
            tile[number, ..., axis] = np.fft.irfftn(1j * part, s=(size, size, size), axes=(0, 1, 2))
            low = np.fft.irfftn(1j * part * coarse, s=(size, size, size), axes=(0, 1, 2))
            wide += float((low**2).mean())
        tile[number] /= np.sqrt(wide)
    return tile


class CoarseDetail(Detail):
    """Displacements as a simulation on cells `FACTOR` times as wide makes them: carried, frame by frame, by
    the mean velocity of this one's air."""

    def __init__(self, air: Air, steps: int) -> None:
        nx, ny, nz = (n // FACTOR for n in air.domain.shape)
        super().__init__((nx, ny, nz), air.domain.voxel * FACTOR, 1.0 / (air.dt * steps))
        self.air, self.steps = air, steps
        self.sum = np.zeros_like(air.velocity)
        self.taken = 0
        self.box: npt.NDArray[np.int64] | None = None
        self.mean: Grid = np.zeros((0,), np.float32)

    def advance(self, velocity: Grid, box: npt.NDArray[np.int64]) -> None:
        """Called at each step; carries the layers at the last one of a frame."""
        if self.taken == 0:
            self.sum.fill(0)
        self.sum += velocity
        self.taken += 1
        if self.taken < self.steps:
            return
        self.mean = self.sum / np.float32(self.steps)
        self.taken = 0
        reached = self._reached()
        if reached is not None:
            super().advance(blocks_mean(self.mean, FACTOR), reached)

    def arrays(self, box: npt.NDArray[np.int64] | None) -> dict[str, Any]:
        """As `Detail.arrays`; `box`, of this air's own cells, is replaced by that of the wide ones."""
        return super().arrays(self.box)

    def _reached(self) -> npt.NDArray[np.int64] | None:
        """Coarse air cells with dust and all it can reach; it only grows, as in `solver.Air.active_box`."""
        density = blocks_mean(self.air.density, FACTOR)
        held = held_box(density, FAINTEST)
        if held is not None:
            reach = int(np.ceil(FASTEST * self.dt / self.air.domain.voxel * FINE / FACTOR)) + 3
            held[0::2] = np.maximum(held[0::2] - reach, 0) // FINE
            held[1::2] = -(-np.minimum(held[1::2] + reach, density.shape) // FINE)
            if self.box is not None:
                held[0::2] = np.minimum(held[0::2], self.box[0::2])
                held[1::2] = np.maximum(held[1::2], self.box[1::2])
            self.box = held
        return self.box


def simulate_volume(scene: VolumeScene, steps: int) -> Iterator[VolumeFrame]:
    """Run a scene with `steps` of the air a frame, and give each frame once it is done, from the first."""
    domain = scene.domain
    solid = solid_cells(domain, scene.planes)
    speed = float(np.hypot(*scene.wind))
    towards = float(np.degrees(np.arctan2(scene.wind[0], scene.wind[1])))
    settings = DustSettings(reach=scene.reach, wind_speed=speed, wind_direction=towards)
    air = Air(domain, solid, settings, 0.0, scene.fps * steps, generator(scene.seed, "none"))
    size = -(-max(domain.shape) // 16) * 16
    stirring = generator(scene.seed, "turbulence")
    air.tile = eddies(stirring, max(size, int(WIDEST)), widest=WIDEST, narrowest=NARROWEST)
    b = air.behaviour
    # What is kept of eddies goes with the cell: the same in a shot's own.
    air.behaviour = replace(
        b, stirring=b.stirring * scene.stirring, confinement=b.confinement * scene.confinement / FACTOR
    )
    air.haste = scene.haste
    puffs = scene.puffs
    if len(puffs.start):
        given = np.cumsum(puffs.mass)
        air.rain = float(puffs.start[int(np.searchsorted(given, 0.65 * given[-1]))])
    detail = air.detail = CoarseDetail(air, steps)
    if scene.cloud is not None:
        _begin(air, scene.cloud, generator(scene.seed, "cloud"))
    shed = _shed(scene, air.dt, scene.frames * steps)
    before, fresh = scene.pieces.place(0.0), np.zeros(domain.fine_shape, np.float32)
    for number in range(1, scene.frames + 1):
        for part in range(steps):
            before = _step(air, scene, (number - 1) * steps + part, shed, fresh, before)
        velocity = blocks_mean(detail.mean, FACTOR // FINE) if detail.mean.size else None
        yield VolumeFrame(number, air.frame(), _half(velocity, domain.fine_shape))


def _half(velocity: Grid | None, shape: tuple[int, int, int]) -> npt.NDArray[np.float16]:
    if velocity is None:
        x, y, z = (n // FACTOR for n in shape)
        return np.zeros((x, y, z, 3), np.float16)
    return velocity.astype(np.float16)


def _shed(scene: VolumeScene, dt: float, steps: int) -> npt.NDArray[np.float64]:
    """(steps, N) kg of each piece's dust given off in each step: the faster, the more."""
    pieces = scene.pieces
    rate = np.array([np.clip(pieces.speed((n + 0.5) * dt) - 2.0, 0.0, 12.0) ** 1.5 for n in range(steps)])
    rate = rate.reshape(steps, len(pieces.shed))
    return np.asarray(rate / (rate.sum(axis=0) + 1e-9) * pieces.shed, np.float64)


def _step(
    air: Air, scene: VolumeScene, step: int, shed: npt.NDArray[np.float64], fresh: Grid, before: Grid
) -> Grid:
    """From `step` to the next; gives where the pieces' points are then. `fresh`: an empty grid of dust."""
    now = scene.pieces.place((step + 1) * air.dt)
    moved = (now - before) / np.float32(air.dt)
    air.hinder(now, moved, scene.pieces.points.volume)
    rng = generator(scene.seed, "step", step)
    origin = np.asarray(air.domain.origin)
    given = emit_puffs(
        scene.puffs, step * air.dt, air.dt, origin, air.domain.voxel, air.solid, fresh,
        air.drag, air.push, air.source, rng,
    )  # fmt: skip
    if shed[step].any():
        for share in (np.arange(BETWEEN) + 0.5) / BETWEEN:
            place = before + np.float32(share) * (now - before)
            given += emit_trails(
                (shed[step] / BETWEEN).astype(np.float32), scene.pieces.points, place, origin, air.domain,
                air.solid, fresh, rng,
            )  # fmt: skip
    if given > 0:
        _add_spread(air, fresh)
        air.emitted += given
    air.move(step, step * air.dt)
    air.carry(step)
    return now


def _add_spread(air: Air, fresh: Grid) -> None:
    """Add fresh dust, spread a little and not into what is solid, and empty its grid again."""
    held = held_box(fresh, 0.0)
    if held is None:
        return
    reach = int(np.ceil(4 * SPREAD))
    low = [max(int(n) - reach, 0) // FINE * FINE for n in held[0::2]]
    high = [
        min(-(-(int(n) + reach) // FINE) * FINE, most)
        for n, most in zip(held[1::2], fresh.shape, strict=True)
    ]
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    walls = tuple(slice(a // FINE, b // FINE) for a, b in zip(low, high, strict=True))
    part = fresh[box]
    mass = float(part.sum(dtype=np.float64))
    soft = gaussian_filter(part, SPREAD, mode="constant")
    soft *= ~air.solid[walls].repeat(FINE, 0).repeat(FINE, 1).repeat(FINE, 2)
    air.density[box] += soft * np.float32(mass / float(soft.sum(dtype=np.float64)))
    part.fill(0)


def _begin(air: Air, cloud: Cloud, rng: np.random.Generator) -> None:
    """Put a cloud and its motion into still air."""
    domain = air.domain
    lines = [
        domain.origin[axis] + (np.arange(n) + 0.5) * domain.fine_voxel
        for axis, n in enumerate(domain.fine_shape)
    ]
    for centre, radius, density in zip(cloud.centre, cloud.radius, cloud.density, strict=True):
        apart = [((line - c) / radius) ** 2 for line, c in zip(lines, centre, strict=True)]
        near = 1.0 - (apart[0][:, None, None] + apart[1][None, :, None] + apart[2][None, None, :])
        np.maximum(air.density, np.float32(density) * np.clip(4.0 * near, 0.0, 1.0), out=air.density)
    open_air = ~air.solid.repeat(FINE, 0).repeat(FINE, 1).repeat(FINE, 2)
    air.density *= open_air
    air.emitted += float(air.density.sum(dtype=np.float64)) * air.cell_mass
    size = air.tile.shape[1]
    widest = min(cloud.width / domain.voxel, size / 1.5)
    flow: Any = eddies(rng, size, widest=widest, narrowest=max(widest / 6, 2.6), fields=1)[0]
    flow *= np.float32(cloud.eddies) / np.sqrt((flow**2).sum(axis=-1).mean())
    nx, ny, nz = domain.shape
    flow = flow[: nx + 1, : ny + 1, : nz + 1] + cloud.drift.astype(np.float32)
    flow = np.pad(
        flow, [(0, n + 1 - m) for n, m in zip(domain.shape, flow.shape, strict=False)] + [(0, 0)], "edge"
    )
    air.u += flow[:, :ny, :nz, 0]
    air.v += flow[:nx, :, :nz, 1]
    air.w[:, :, 1:] += flow[:nx, :ny, 1 : nz + 1, 2]
