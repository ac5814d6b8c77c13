"""The dust stage: frame by frame, what falls pushes the air, the air carries the dust."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.dust.detail import DETAIL_STEP, Detail
from falsework.dust.domain import FINE, Domain, domain_around, solid_cells
from falsework.dust.emit import emit_puffs, emit_trails
from falsework.dust.field import Debris, DustField, DustFrame
from falsework.dust.gas import (
    advect,
    cell_velocity,
    coarse_density,
    drag_faces,
    forces,
    turbulence_tile,
    vorticity,
)
from falsework.dust.obstacles import FragmentPoints, place, sample_fragments, splat_points
from falsework.dust.pressure import Pressure
from falsework.dust.settings import DustSettings
from falsework.dust.sources import Emission, plan_emission
from falsework.dust.transport import fine_velocity, half_floats, held_box, total, transport
from falsework.plate.camera import Camera
from falsework.plate.plate import SetPlane
from falsework.progress import Progress, silent
from falsework.seeds import generator

__all__ = ["Air", "simulate_dust"]

Grid = npt.NDArray[np.float32]

# Air never moves faster than this (m/s): nothing in a collapse without explosives does.
FASTEST = 20.0
# Drag of a cell of which a share s is solid: POROUS * s / (1 - s) times a frame. A fifth solid drags by half.
POROUS = 5.0
CYCLES = 2
# Thinner than this (g/m3) nobody sees it, and it need not widen the box that is computed.
FAINTEST = 1e-5
# Half floats end at 65504.
THICKEST = np.float32(60000.0)


@dataclass(frozen=True)
class Behaviour:
    """What `reach` means for the air.

    load        coarse grains carried along, in weights of the fine dust; makes the cloud run along the ground
    damping     1/s by which motion dies
    sinking     m/s the fine dust falls through the air
    stirring    strength of added eddies;  confinement: of kept ones
    """

    load: float
    damping: float
    sinking: float
    stirring: float
    confinement: float


BEHAVIOUR = {
    "local": Behaviour(load=25.0, damping=1.8, sinking=0.20, stirring=6.0, confinement=3.0),
    "street": Behaviour(load=60.0, damping=0.3, sinking=0.08, stirring=6.5, confinement=4.0),
    "camera": Behaviour(load=75.0, damping=0.05, sinking=0.04, stirring=9.0, confinement=5.0),
}
# The load makes air heavier by at most this share.
HEAVIEST = 0.5
# Metres a second at which a cloud not hurried comes along the street, and how much it may be hurried.
USUAL_SPEED = 6.0
HASTIEST = 1.5
# Share of the way to the camera after which a cloud fills the picture.
FILLS = 0.5
# Seconds in which the coarse grains rain out of the cloud; then the thin top begins to lift.
RAIN_OUT = 3.0
RISE = 0.25


class Air:
    """Velocity, pressure and dust of one shot at one moment."""

    def __init__(
        self, domain: Domain, solid: npt.NDArray[np.bool_], settings: DustSettings, heading: float,
        fps: float, rng: np.random.Generator,
    ) -> None:  # fmt: skip
        nx, ny, nz = domain.shape
        self.domain = domain
        self.solid = solid
        self.behaviour = BEHAVIOUR[settings.reach]
        self.haste = 1.0
        self.rain = 0.0
        self.dt = 1.0 / fps
        towards = heading + np.radians(settings.wind_direction)
        self.wind = (
            settings.wind_speed * float(np.sin(towards)),
            settings.wind_speed * float(np.cos(towards)),
        )
        self.u = np.full((nx + 1, ny, nz), self.wind[0], np.float32)
        self.v = np.full((nx, ny + 1, nz), self.wind[1], np.float32)
        self.w = np.zeros((nx, ny, nz + 1), np.float32)
        self.spare = (np.empty_like(self.u), np.empty_like(self.v), np.empty_like(self.w))
        self.weights = (np.empty_like(self.u), np.empty_like(self.v), np.empty_like(self.w))
        self.velocity = np.zeros((nx, ny, nz, 3), np.float32)
        self.curl = np.zeros((nx, ny, nz, 4), np.float32)
        self.accel = np.zeros((nx, ny, nz, 3), np.float32)
        self.drag = np.zeros((nx, ny, nz), np.float32)
        self.push = np.zeros((nx, ny, nz, 3), np.float32)
        self.source = np.zeros((nx, ny, nz), np.float32)
        self.dust = np.zeros((nx, ny, nz), np.float32)
        self.pressure = Pressure(domain.shape)
        self.tile = turbulence_tile(rng)
        fx, fy, fz = domain.fine_shape
        # Two ghost cells on every side, as `transport` wants it.
        self.padded = np.zeros((fx + 4, fy + 4, fz + 4), np.float32)
        self.padded_spare = np.zeros_like(self.padded)
        self.density = self.padded[2:-2, 2:-2, 2:-2]
        self.courant = (
            np.zeros((fx + 1, fy, fz), np.float32),
            np.zeros((fx, fy + 1, fz), np.float32),
            np.zeros((fx, fy, fz + 1), np.float32),
        )
        # Fine cells that hold or may soon hold dust: lo, hi along x, y, z; it only grows.
        self.box: npt.NDArray[np.int64] | None = None
        self.detail = Detail(domain.shape, domain.voxel, fps)
        self.emitted = self.settled = self.left = 0.0

    @property
    def cell_mass(self) -> float:
        """Kilograms in a fine cell of 1 g/m3."""
        return self.domain.fine_voxel**3 * 1e-3

    def hinder(self, position: Grid, velocity: Grid, volume: Grid) -> None:
        """Let points of solid (P, 3), (P, 3) m/s, (P,) m3 drag the air."""
        self.drag.fill(0)
        self.push.fill(0)
        self.source.fill(0)
        splat_points(
            position,
            velocity,
            volume,
            np.asarray(self.domain.origin),
            self.domain.voxel,
            self.drag,
            self.push,
        )
        open_share = 1.0 - np.minimum(self.drag, 0.9)
        scale = (POROUS / open_share).astype(np.float32)
        self.drag *= scale
        self.push *= scale[..., None]

    def move(self, frame: int, since_start: float) -> None:
        """One frame of air: carry, stir, weigh, drag, make incompressible."""
        b, h = self.behaviour, self.domain.voxel
        advect(self.u, self.v, self.w, self.dt / h, *self.spare)
        (self.u, self.v, self.w), self.spare = self.spare, (self.u, self.v, self.w)
        cell_velocity(self.u, self.v, self.w, self.velocity)
        vorticity(self.velocity, self.curl)
        box = self.active_box()
        if box is not None:
            coarse_density(self.density, _in_air_cells(box), self.dust)
        turn = 2 * np.pi * since_start / 1.4
        phase = np.array([np.cos(turn), np.sin(turn)], np.float32)
        wet = float(np.exp(-max(since_start - self.rain, 0.0) / RAIN_OUT))
        forces(
            self.velocity, self.curl, self.dust, self.tile, phase, h,
            b.load * self.haste * wet, HEAVIEST * self.haste, RISE * (1.0 - wet),
            b.confinement, b.stirring, self.accel,
        )  # fmt: skip
        kept = float(np.exp(-(b.damping + 0.02) * self.dt))
        drag_faces(
            self.u, self.v, self.w, self.accel, self.drag, self.push, self.solid,
            self.dt, kept, *self.wind, FASTEST, *self.weights,
        )  # fmt: skip
        self.pressure.solve(self.u, self.v, self.w, self.weights, self.source, CYCLES)
        cell_velocity(self.u, self.v, self.w, self.velocity)

    def carry(self, frame: int) -> None:
        """One frame of dust in the moving air."""
        box = self.box
        if box is None:
            return
        scale = self.dt / self.domain.fine_voxel
        fine_velocity(
            self.u,
            self.v,
            self.w,
            self.solid,
            scale,
            self.behaviour.sinking * scale,
            FASTEST * scale,
            box,
            *self.courant,
        )
        left, settled = transport(self.padded, self.padded_spare, self.courant, box, frame)
        self.left += left * self.cell_mass
        self.settled += settled * self.cell_mass
        self.detail.advance(self.velocity, _in_air_cells(box))

    def active_box(self) -> npt.NDArray[np.int64] | None:
        """Fine cells with dust and all they can reach within a frame, or None without dust."""
        held = held_box(self.density, FAINTEST)
        if held is None:
            return self.box
        reach = int(np.ceil(FASTEST * self.dt / self.domain.fine_voxel)) + 3
        box = held
        box[0::2] = np.maximum(held[0::2] - reach, 0)
        box[1::2] = np.minimum(held[1::2] + reach, self.density.shape)
        # A little even, so that coarse cells are not cut.
        box[0::2] -= box[0::2] % FINE
        if self.box is not None:
            box[0::2] = np.minimum(box[0::2], self.box[0::2])
            box[1::2] = np.maximum(box[1::2], self.box[1::2])
        self.box = box
        return box

    def airborne(self) -> float:
        """Kilograms in the air."""
        return total(self.density) * self.cell_mass

    def frame(self) -> DustFrame:
        density = np.zeros(self.density.shape, np.float16)
        if self.box is not None:
            x0, x1, y0, y1, z0, z1 = (int(b) for b in self.box)
            # Beyond any use and beyond half floats lies the middle of a burst.
            part = np.clip(self.density[x0:x1, y0:y1, z0:z1], np.float32(0.0), THICKEST)
            half_floats(part.view(np.uint32), density.view(np.uint16)[x0:x1, y0:y1, z0:z1])
        coarse = None if self.box is None else _in_air_cells(self.box)
        return DustFrame(density=density, **self.detail.arrays(coarse))


def _in_air_cells(box: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The air cells that hold a box of dust cells."""
    coarse = box.copy()
    coarse[0::2] //= FINE
    coarse[1::2] = -(-coarse[1::2] // FINE)
    return coarse


def simulate_dust(
    fragments: Fragments,
    motion: Motion,
    debris: Debris,
    set_planes: Sequence[SetPlane],
    settings: DustSettings,
    *,
    camera: Camera,
    folder: Path,
    seed: int,
    progress: Progress = silent,
) -> DustField:
    """Compute the shot's dust and write one file a frame into `folder`, then the index.

    The grid is sized from the house and the camera. Before anything moves the frames are empty and cost
    nothing. Mass is kept: airborne + settled + left = emitted, in each frame (see the curves).
    """
    domain = domain_around(fragments, camera)
    solid = solid_cells(domain, set_planes)
    forward = camera.rotation[2]
    heading = float(np.arctan2(forward[0], forward[1]))
    air = Air(domain, solid, settings, heading, motion.fps, generator(seed, "dust", "turbulence"))
    points = sample_fragments(fragments, generator(seed, "dust", "points"))
    emission = plan_emission(fragments, motion, settings, generator(seed, "dust", "sources"))
    # Fresh dust is heavy: the coarse grains leave once most of it is out.
    air.rain = _time_of_share(emission, 0.65) - emission.first * air.dt
    if settings.reach == "camera":
        air.haste = _haste(fragments, motion, emission, camera)
        puffs = emission.puffs
        hurried = replace(puffs, air=puffs.air * air.haste, velocity=puffs.velocity * air.haste)
        emission = replace(emission, puffs=hurried)
    curves: dict[str, Any] = {
        name: np.zeros(motion.frames, np.float32) for name in ("mass", "emitted", "settled", "left")
    }
    field = DustField(
        folder, domain.origin, domain.fine_voxel, domain.fine_shape, FINE * DETAIL_STEP, motion.frames, curves
    )
    before = place(points, motion, emission.first - 1)
    with ThreadPoolExecutor(1) as writer:  # a frame is written while the next is computed
        written = writer.submit(lambda: None)
        for frame in range(motion.frames):
            if frame >= emission.first:
                before = _step(air, points, before, motion, emission, frame, seed)
            finished = air.frame()
            written.result()
            written = writer.submit(field.save_frame, frame, finished)
            curves["mass"][frame] = air.airborne()
            curves["emitted"][frame] = air.emitted
            curves["settled"][frame] = air.settled
            curves["left"][frame] = air.left
            progress(frame + 1, motion.frames)
        written.result()
    field.save()
    return field


def _time_of_share(emission: Emission, share: float) -> float:
    """Seconds after frame 0 at which the puffs that have begun hold this share of all their dust."""
    if len(emission.puffs.start) == 0:
        return 0.0
    given = np.cumsum(emission.puffs.mass)
    return float(emission.puffs.start[int(np.searchsorted(given, share * given[-1]))])


def _haste(fragments: Fragments, motion: Motion, emission: Emission, camera: Camera) -> float:
    """How much harder than usual the cloud must be driven to be at the camera before the shot ends.

    From the way between house and camera and the time left once a tenth of the dust is out.
    """
    begin = _time_of_share(emission, 0.1)
    left = max(motion.frames / motion.fps - begin, 0.5)
    low, high = fragments.vertices[:, :2].min(axis=0), fragments.vertices[:, :2].max(axis=0)
    eye = np.asarray(camera.position[:2])
    way = float(np.linalg.norm(eye - np.clip(eye, low, high)))
    return float(np.clip(FILLS * way / left / USUAL_SPEED, 0.8, HASTIEST))


def _step(
    air: Air, points: FragmentPoints, before: Grid, motion: Motion, emission: Emission, frame: int, seed: int
) -> Grid:
    """From frame - 1 to `frame`; gives where the points are now."""
    now = place(points, motion, frame)
    velocity = (now - before) * np.float32(motion.fps)
    air.hinder(now, velocity, points.volume)
    rng = generator(seed, "dust", "frame", frame)
    origin = np.asarray(air.domain.origin)
    air.emitted += emit_puffs(
        emission.puffs, (frame - 1) * air.dt, air.dt, origin, air.domain.voxel, air.solid, air.density,
        air.drag, air.push, air.source, rng,
    )  # fmt: skip
    air.emitted += emit_trails(
        emission.trail[frame], points, now, origin, air.domain, air.solid, air.density, rng
    )
    air.move(frame, (frame - emission.first) * air.dt)
    air.carry(frame)
    return now
