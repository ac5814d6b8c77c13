"""Dust as OpenVDB files, which is how it is handed to Cycles: Mantaflow's smoke, or falsework's own dust."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.dust.domain import domain_around
from falsework.dust.field import Debris, DustField
from falsework.dust.settings import DustSettings
from falsework.dust.sources import plan_emission
from falsework.errors import FalseworkError
from falsework.media.arrays import read_arrays
from falsework.media.atomic import write_text
from falsework.media.vdb import write_vdb
from falsework.plate.camera import Camera
from falsework.plate.plate import SetPlane
from falsework.progress import Progress, silent
from falsework.render.traditional.blender import Blender
from falsework.render.traditional.blocks import falling_blocks, walls
from falsework.render.traditional.emitters import Emitters, plan_emitters
from falsework.render.traditional.process import PATIENCE, run_job, write_job
from falsework.render.traditional.settings import TraditionalSettings
from falsework.seeds import generator

__all__ = ["Smoke", "mantaflow_dust", "smoke_of_field"]

INDEX = "smoke.json"
PATTERN = "smoke.{index:04d}.vdb"

# Mantaflow holds a cell's density between 0 and 1; 1 stands for this many g/m3.
UNIT = 400.0
# Cells around a ball in which it gives out dust too, less and less, and moves the air.
REACH = 1.5
# Downward acceleration of dusty air, m/s2 for each g/m3, by how far the cloud is to run.
SINKING = {"local": 0.06, "street": 0.15, "camera": 0.19}
# How much harder than planned the sources blow, by the same: a cloud that is to reach the camera must hurry.
PUSH = {"local": 1.0, "street": 1.0, "camera": 1.4}
# What Mantaflow makes of a density of 1 at a gravity of 1 and the `alpha` of our script (measured).
BUOYANCY = 0.39
VORTICITY = 0.2
# Mantaflow's mass is compared with what was given out from this share of it on; before, a few cells decide.
TOLD = 0.01
# Share of the dust in the outermost cells from which on some may have left the box. Two cells deep: the last
# before an open side is one that Mantaflow empties at every step.
TOUCHING, OUTERMOST = 1e-4, 2
# Seconds a cell, on top of PATIENCE, that one frame may take without a word: twenty times what it takes.
PATIENCE_A_CELL = 1e-4


@dataclass(frozen=True)
class Smoke:
    """A shot's dust as OpenVDB files, one a frame in `folder`, each with a grid "density" in world metres.

    pattern  the files' name, with {index} for the frame's number from 0
    origin   (3,) world corner of the box, metres;  voxel: a cell's edge, metres;  shape (nx, ny, nz) cells
    frames   number of frames
    grams    grams of fine dust per cubic metre that a stored density of 1 stands for
    curves   by name, each (T,), as those of `DustField`: "mass" kg airborne, "emitted" kg so far, "left" kg
             reckoned to have left the box so far
    """

    folder: Path
    pattern: str
    origin: tuple[float, float, float]
    voxel: float
    shape: tuple[int, int, int]
    frames: int
    grams: float
    curves: dict[str, npt.NDArray[np.float32]]

    def path(self, index: int) -> Path | None:
        """The file of a frame; None where there is no dust in the air."""
        if self.curves["mass"][index] <= 0:
            return None
        return self.folder / self.pattern.format(index=index)

    def save(self) -> None:
        """Write the index file; call once all frames are there."""
        values = {
            "pattern": self.pattern,
            "origin": [float(number) for number in self.origin],
            "voxel": self.voxel,
            "shape": [int(number) for number in self.shape],
            "frames": self.frames,
            "grams": self.grams,
            "curves": {name: [float(n) for n in curve] for name, curve in self.curves.items()},
        }
        write_text(self.folder / INDEX, json.dumps(values, indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Smoke:
        try:
            values: dict[str, Any] = json.loads((folder / INDEX).read_bytes())
            curves = {name: np.array(curve, np.float32) for name, curve in values.pop("curves").items()}
            origin, shape = tuple(values.pop("origin")), tuple(values.pop("shape"))
            return cls(folder=folder, origin=origin, shape=shape, curves=curves, **values)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise FalseworkError(
                f"is not a readable list of smoke files ({error})",
                where=folder / INDEX,
                todo="Delete the folder it lies in and run again.",
            ) from error


def smoke_of_field(field: DustField, folder: Path, frames: Iterable[int]) -> Smoke:
    """falsework's own dust as OpenVDB files, so that Cycles may draw the very same.

    Only the given frames (from 0) are written; the returned Smoke counts all, and is not saved.
    """
    smoke = Smoke(
        folder=folder,
        pattern=PATTERN,
        origin=field.origin,
        voxel=field.voxel,
        shape=field.shape,
        frames=field.frames,
        grams=1.0,
        curves=field.curves,
    )
    for index in frames:
        path = smoke.path(index)
        if path is not None:
            write_vdb(path, {"density": field.frame(index).density}, field.origin, field.voxel)
    return smoke


def mantaflow_dust(
    fragments: Fragments,
    motion: Motion,
    debris: Debris,
    set_planes: Sequence[SetPlane],
    dust: DustSettings,
    traditional: TraditionalSettings,
    *,
    camera: Camera,
    folder: Path,
    seed: int,
    blender: Blender,
    progress: Progress = silent,
) -> Smoke:
    """Bake the shot's dust in Mantaflow, from the same sources in the same box as `dust.simulate_dust`.

    Writes one OpenVDB file a frame into `folder`; the returned Smoke is not saved. All is scaled by one
    number, with which the mass in the air is what was given out, in the median over the frames before any
    left the box. A bake that was cut short begins anew.
    """
    emission = plan_emission(fragments, motion, dust, generator(seed, "dust", "sources"))
    smoke = _empty(fragments, camera, motion.frames, traditional.smoke_resolution, folder)
    push = PUSH[dust.reach]
    puffs = replace(emission.puffs, air=emission.puffs.air * push, velocity=emission.puffs.velocity * push)
    emission = replace(emission, puffs=puffs)
    emitters = plan_emitters(emission, motion, smoke.voxel, generator(seed, "dust", "emitters"))
    if not len(emitters.frame):
        return smoke
    planned = np.zeros(motion.frames)
    for later in range(emitters.turn):
        frames = emitters.frame + later
        planned += np.bincount(frames, emitters.mass, minlength=motion.frames)[: motion.frames]
    first = int(emitters.frame.min())
    scratch = folder / "mantaflow"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    write_job(
        scratch,
        {
            "origin": list(smoke.origin),
            "voxel": smoke.voxel,
            "shape": list(smoke.shape),
            "first": first,
            "frames": motion.frames,
            "fps": motion.fps,
            "gravity": SINKING[dust.reach] * UNIT / BUOYANCY,
            "vorticity": VORTICITY,
            "turn": emitters.turn,
            "emitters": _balls(emitters, smoke.voxel),
            "walls": [_plain(corners) for corners in walls(set_planes, smoke.voxel)],
            "blocks": [
                {
                    "corners": _plain(_box(block.half)),
                    "way": _plain(block.way[first:]),
                }
                for block in falling_blocks(fragments, motion, generator(seed, "dust", "blocks"))
            ],
        },
    )
    patience = PATIENCE + PATIENCE_A_CELL * math.prod(smoke.shape)
    answer = run_job(blender, "mantaflow", scratch, progress=progress, patience=patience)
    write_text(folder / "usage.json", json.dumps(answer.usage))
    made = _gather(smoke, scratch, first, planned)
    shutil.rmtree(scratch)
    return made


def _empty(fragments: Fragments, camera: Camera, frames: int, resolution: int, folder: Path) -> Smoke:
    """No smoke yet, in the box that falsework's own dust is computed in.

    One layer of cells lies below the ground: there Mantaflow has its floor.
    """
    domain = domain_around(fragments, camera)
    extent = np.array(domain.shape) * domain.voxel
    voxel = float(extent.max()) / resolution
    cells = [max(int(np.ceil(length / voxel - 1e-6)), 4) for length in extent]
    cells[2] += 1
    middle = np.array(domain.origin) + extent / 2
    return Smoke(
        folder=folder,
        pattern=PATTERN,
        origin=(float(middle[0] - cells[0] * voxel / 2), float(middle[1] - cells[1] * voxel / 2), -voxel),
        voxel=voxel,
        shape=(cells[0], cells[1], cells[2]),
        frames=frames,
        grams=1.0,
        curves={name: np.zeros(frames, np.float32) for name in ("mass", "emitted", "left")},
    )


def _balls(emitters: Emitters, voxel: float) -> list[list[float]]:
    """Frame, place, velocity, radius, reach and density a frame of each, as the script takes them."""
    # Half of what lies in reach of a ball counts.
    radius = np.maximum(emitters.radius / voxel - REACH * 2 / 3, 0.5)
    # The ball, and the shell around it where density falls with the root of the way that is left.
    shell = 2 / 3 * radius**2 + 8 / 15 * radius * REACH + 16 / 105 * REACH**2
    cells = 4 * math.pi * (radius**3 / 3 + REACH * shell)
    density = emitters.mass * 1e3 / (cells * voxel**3 * UNIT)
    reach = np.full(len(radius), REACH)
    columns = [emitters.frame, emitters.place, emitters.velocity, radius * voxel, reach, density]
    rows: list[list[float]] = _plain(np.column_stack(columns))
    return rows


def _gather(smoke: Smoke, scratch: Path, first: int, planned: npt.NDArray[np.float64]) -> Smoke:
    """Turn what the script left into OpenVDB files of g/m3, and find what they are to be scaled by."""
    cell = smoke.voxel**3 * 1e-3
    mass, outermost = np.zeros(smoke.frames), np.zeros(smoke.frames)
    for index in range(first, smoke.frames):
        arrays, _ = read_arrays(scratch / f"smoke.{index:04d}.safetensors")
        # The script's arrays have x fastest; below the ground nothing is seen.
        density = arrays["density"].transpose(2, 1, 0)[:, :, 1:] * np.float32(UNIT)
        mass[index] = float(density.sum(dtype=np.float64)) * cell
        within = density[OUTERMOST:-OUTERMOST, OUTERMOST:-OUTERMOST, :-OUTERMOST]
        outermost[index] = mass[index] - float(within.sum(dtype=np.float64)) * cell
        write_vdb(
            smoke.folder / smoke.pattern.format(index=index),
            {"density": density.astype(np.float16)},
            (*smoke.origin[:2], 0.0),
            smoke.voxel,
        )
        (scratch / f"smoke.{index:04d}.safetensors").unlink()
    emitted = np.cumsum(planned)
    grams, left = _balance(mass, outermost, emitted)
    curves = {"mass": mass * grams, "emitted": emitted, "left": left}
    return replace(
        smoke,
        origin=(*smoke.origin[:2], 0.0),
        shape=(*smoke.shape[:2], smoke.shape[2] - 1),
        grams=grams,
        curves={name: curve.astype(np.float32) for name, curve in curves.items()},
    )


def _balance(
    mass: npt.NDArray[np.float64], outermost: npt.NDArray[np.float64], emitted: npt.NDArray[np.float64]
) -> tuple[float, npt.NDArray[np.float64]]:
    """What Mantaflow's `mass` is to be multiplied with, and what left the box by each frame, (T,) kg.

    mass       (T,) in the box, with what Mantaflow itself lost and gained
    outermost  (T,) of it in the cells next to an open side;  emitted: (T,) given out so far
    """
    # Mantaflow gives and takes a few parts in a hundred, now more, now less: no one frame is to decide.
    whole = np.cumsum(outermost > TOUCHING * mass) == 0
    there = (mass > 0) & (emitted > 0)
    told = there & (emitted >= TOLD * emitted[-1])
    for frames in (told & whole, there & whole, there):
        if frames.any():
            break
    else:
        return 1.0, np.zeros(len(mass))
    grams = float(np.median(emitted[frames] / mass[frames]))
    missing = np.where(whole, 0.0, np.maximum(emitted - grams * mass, 0.0))
    return grams, np.maximum.accumulate(missing)


def _box(half: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(8, 3) corners of a box around 0, x slowest."""
    signs = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1], indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(signs * half)


def _plain(array: npt.NDArray[np.float64]) -> Any:
    """Nested lists; micrometres are enough."""
    return np.round(array, 6).tolist()
