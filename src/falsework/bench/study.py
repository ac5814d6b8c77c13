"""The bench of shots from end to end: simulate on both sides, draw on both sides, compare, add up."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import falsework
from falsework.bench.drawing import Effort, Scene, busy_frames, draw_shot
from falsework.bench.headline import Headline, headline, whole_seconds
from falsework.bench.rates import Rates
from falsework.bench.rows import ShotStudy, Work
from falsework.bench.shots import FULL, QUICK, Size, variants
from falsework.bench.simulating import prepared, simulate
from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.dust.field import Debris, DustField
from falsework.errors import FalseworkError
from falsework.progress import Progress
from falsework.render.traditional.blender import Blenders, find_blenders
from falsework.shots.spec import load_shot
from falsework.shots.stages import delivered_view

__all__ = ["FULL_EFFORT", "QUICK_EFFORT", "Bench", "Listener", "bench_shots"]

QUICK_EFFORT = Effort(
    frames=1, crop=48, ladder=(1, 4, 16), timed=(1, 8), reference=64, shipped=False, temporal=False
)
FULL_EFFORT = Effort(
    frames=2,
    crop=160,
    ladder=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    timed=(4, 16),
    reference=1024,
    shipped=True,
    temporal=True,
)

# Told what is at work: shot, step, and its progress.
Listener = Callable[[str, str], Progress]


@dataclass(frozen=True)
class Bench:
    """A finished bench: what was done, with what, and what came out."""

    shots: tuple[ShotStudy, ...]
    headline: Headline
    effort: Effort
    size: Size
    blenders: Mapping[str, str]
    machine: str
    sampling: tuple[str, ...]

    def to_json(self, rates: Rates) -> dict[str, Any]:
        """Every row, the headline, how frames were sampled, and (apart from it) money and people's time."""
        head = self.headline
        return {
            "ratio_at_equal_flip": head.shot,
            "ratio_at_equal_flip_spread": list(head.shot_spread),
            "ratio_at_equal_flip_frame": head.frame,
            "ratio_at_equal_flip_frame_spread": list(head.frame_spread),
            "bound": head.bound,
            "per_shot": {
                name: {"frame": frame, "shot": shot, "bound": bound}
                for name, (frame, shot, bound) in head.per_shot.items()
            },
            "sampling": list(self.sampling),
            "falsework": falsework.__version__,
            "blender": dict(self.blenders),
            "machine": self.machine,
            "effort": asdict(self.effort),
            "size": asdict(self.size),
            "shots": [shot.to_json() for shot in self.shots],
            "money": {
                "card": rates.model_dump(mode="json"),
                "machine": {
                    shot.name: dict(
                        zip(
                            ("falsework", "traditional"),
                            (
                                seconds / 3600 * rates.machine.per_hour
                                for seconds in whole_seconds(head, shot)
                            ),
                            strict=True,
                        )
                    )
                    for shot in self.shots
                },
            },
        }


def bench_shots(
    shot_paths: Sequence[Path],
    *,
    folder: Path,
    quick: bool = False,
    blender: Path | None = None,
    height: int | None = None,
    listener: Listener,
) -> Bench:
    """Compare both pipelines on every way to fall of each shot; `folder` holds what is made meanwhile.

    Raises FalseworkError where no Blender can do its part, or a shot fails on either side.
    """
    for path in shot_paths:
        if not path.is_file():
            raise FalseworkError(
                "there is no such shot", where=path, todo="Name a shot.toml, or run this in the repository."
            )
    blenders = find_blenders(blender)
    size, effort = (QUICK, QUICK_EFFORT) if quick else (FULL, FULL_EFFORT)
    if height is not None:
        size = Size(**(asdict(size) | {"height": height}))
    versions = {  # asked for all before any work is done
        "simulation": blenders.simulate.version,
        "dust": blenders.smoke.version,
        "render": blenders.render.version,
    }
    studies = []
    for number, path in enumerate(shot_paths):
        shot = f"{path.resolve().parent.name}/{path.stem}"
        for variant in variants(path, size, folder / str(number)):
            name = f"{shot}/{variant.stem}"
            studies.append(_study(variant, name, size, effort, blenders, blender, listener))
    return Bench(
        shots=tuple(studies),
        headline=headline(studies),
        effort=effort,
        size=size,
        blenders=versions,
        machine=f"{platform.machine()}, {_processors()} processors",
        sampling=_sampling(effort, size, studies),
    )


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _study(
    variant: Path,
    name: str,
    size: Size,
    effort: Effort,
    blenders: Blenders,
    blender: Path | None,
    listener: Listener,
) -> ShotStudy:
    listener(name, "building")(0, 1)
    prepared(variant)
    stages: dict[str, dict[str, Work]] = {}
    listener(name, "simulating, falsework")(0, 1)
    stages["falsework"], folders = simulate(variant, "falsework", None)
    listener(name, "simulating, Blender")(0, 1)
    stages["traditional"], _ = simulate(variant, "traditional", blender)
    scene = Scene(
        shot=load_shot(variant),
        plate=delivered_view(folders["solve"], size.height),
        fragments=Fragments.load(folders["fracture"]),
        motion=Motion.load(folders["collapse"]),
        debris=Debris.load(folders["dust"]),
        dust=DustField.load(folders["dust"]),
    )
    asked = tuple(scene.shot.frames[0] + frame for frame in busy_frames(scene, effort.frames))
    studies, drawing = draw_shot(scene, effort, blenders.render, progress=listener(name, "drawing"))
    frames = int(scene.motion.moved.any(1).sum())
    for side, works in drawing.items():
        comp = works.pop("comp")
        stages[side] |= works
        stages[side]["comp"] = Work(comp.wall * scene.motion.frames, comp.cpu * scene.motion.frames)
    return ShotStudy(name=name, frames=frames, asked=asked, studies=studies, stages=stages)


def _sampling(effort: Effort, size: Size, shots: Sequence[ShotStudy]) -> tuple[str, ...]:
    """How little was drawn and what was made of it, in sentences that stand beside the number."""
    frames = sum(len(shot.studies) for shot in shots)
    moving = sum(shot.frames for shot in shots)
    few, many = effort.timed
    smoke = "" if size.smoke is None else f" Mantaflow's grid has {size.smoke} cells along its longest side."
    return (
        f"{len(shots)} shots, {frames} of their {moving} frames in which something happens, pictures "
        f"{size.height} pixels high.{smoke}",
        f"Errors are those of a square of {effort.crop} pixels where pieces and dust meet, in frames spread "
        "over the fall.",
        "Cycles' seconds are those of the rectangle in which a frame differs from its plate, measured with "
        f"{few} and {many} samples a pixel, and in proportion for other numbers. They hold all the drawings "
        "that a frame takes (surfaces, light, dust, coverage) and their way to comp. What it looks at once a "
        "shot is charged with the set-up; its light at rest at the frames' quality is not charged.",
        "falsework's are of whole frames, with the lobes it carves into dust; the pictures compared are "
        "without them, so that both draw the same pieces, motion, chips and dust.",
        "A shot's drawing is the studied frames' mean times its frames; comp is one frame's, times all.",
        f"References: Cycles with {effort.reference} samples a pixel, twice, with the same bounces and steps "
        f"as what is compared; it was drawn at {', '.join(str(n) for n in effort.ladder)} samples, with and "
        "without its denoiser.",
        "Simulation and dust: each pipeline's own fall and smoke, from the same trigger and the same pieces. "
        "Bullet's fall is not falsework's.",
    )
