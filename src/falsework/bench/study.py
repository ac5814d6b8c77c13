"""The bench of shots from end to end: simulate on both sides, draw on both sides, compare, add up."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import falsework
from falsework.bench.drawing import Effort, draw_shot
from falsework.bench.headline import Headline, beside_denoised, headline, shot_ratio, whole_seconds
from falsework.bench.kept import Kept
from falsework.bench.ours import look_of
from falsework.bench.rates import Rates
from falsework.bench.rows import Look, ShotStudy, Work
from falsework.bench.scene import Scene, busy_frames
from falsework.bench.shots import FALLS, FULL, QUICK, Size, shot_files, variants
from falsework.bench.simulating import prepared, simulate, warm
from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.dust.field import Debris, DustField
from falsework.errors import FalseworkError
from falsework.progress import Progress
from falsework.render.traditional.blender import Blenders, find_blenders
from falsework.shots.sources import source_hash
from falsework.shots.spec import load_shot
from falsework.shots.stages import delivered_view
from falsework.shots.traditional_stages import SCRIPTS, scripts_digest

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

# With what they import, all that is measured; what is made by other code is no row of the same bench. The
# stages are imported where they are called, so that they are named here.
CODE = (
    "falsework.bench.study",
    "falsework.shots.stages",
    "falsework.shots.traditional_stages",
)

# falsework's seconds and its picture, in sentences: what dust finer than the grid is, and who lights it.
FINE = {
    "plain": "with the lobes it carves into dust",
    "learned": "with dust that the dust network makes finer",
}
LIT = {"analytic": "", "learned": " The light network lights both: what is timed and what is compared."}

# Told what is at work: shot, step, and its progress.
Listener = Callable[[str, str], Progress]


@dataclass(frozen=True)
class Bench:
    """What a bench did, with what, and what came out.

    headline  None where not every shot that was asked for is there
    failed    shots that failed, by name, and why
    look      who drew falsework's side, of all shots
    """

    shots: tuple[ShotStudy, ...]
    headline: Headline | None
    failed: Mapping[str, str]
    effort: Effort
    size: Size
    blenders: Mapping[str, str]
    machine: str
    sampling: tuple[str, ...]
    look: Look

    def to_json(self, rates: Rates) -> dict[str, Any]:
        """Every row, the headline, how frames were sampled, and (apart from it) money and people's time."""
        head = self.headline
        ratios = {shot.name: shot_ratio(shot) for shot in self.shots}
        return {
            "ratio_at_equal_flip": head and head.shot,
            "ratio_at_equal_flip_spread": head and list(head.shot_spread),
            "ratio_at_equal_flip_frame": head and head.frame,
            "ratio_at_equal_flip_frame_spread": head and list(head.frame_spread),
            "bound": head and head.bound,
            "per_shot": {
                name: {"frame": frame, "shot": shot, "bound": bound}
                for name, (frame, shot, bound) in ratios.items()
            },
            "beside_denoised": {
                shot.name: [one.to_json() for one in beside_denoised(shot)] for shot in self.shots
            },
            "failed": dict(self.failed),
            "look": asdict(self.look),
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
                            (seconds / 3600 * rates.machine.per_hour for seconds in whole_seconds(shot)),
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
    out: Path,
    quick: bool = False,
    blender: Path | None = None,
    height: int | None = None,
    falls: int = len(FALLS),
    render: Mapping[str, Any] | None = None,
    listener: Listener,
) -> Bench:
    """Compare both pipelines on the first `falls` ways to fall of each shot; `folder` holds what is made
    meanwhile. `render` instead of what a shot's own [render] says: which networks draw falsework's side.

    A shot that fails is named in the result, which then has no headline, and the others go on. The rows of
    those that are done are kept in `out` until all are: the same bench, run again, goes on from them.
    Raises FalseworkError where no Blender can do its part, a network is not at hand, shots are drawn by
    different networks, or every shot fails.
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
    machine = f"{platform.machine()}, {_processors()} processors"
    made = [
        (f"{path.resolve().parent.name}/{path.stem}/{variant.stem}", variant)
        for number, path in enumerate(shot_paths)
        for variant in variants(path, size, folder / str(number), falls=falls, render=render)
    ]
    names = [name for name, _ in made]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FalseworkError(
            f"two shots are called {twice}", where="bench", todo="Give their folders other names."
        )
    look = _one_look(made)
    kept = Kept(
        out,
        {
            "shots": {name: _content(variant) for name, variant in made},
            "size": asdict(size),
            "effort": asdict(effort),
            "look": asdict(look),
            "blender": versions,
            "machine": machine,
            "code": source_hash(CODE),
            "scripts": [scripts_digest(beginnings) for beginnings in SCRIPTS.values()],
        },
    )
    earlier = [name for name in names if kept.get(name) is not None]
    studies, failed = [], {}
    todo = [(name, variant) for name, variant in made if kept.get(name) is None]
    if todo:
        listener(todo[0][0], "compiling")(0, 1)
        warm(todo[0][1])
    for name, variant in made:
        study = kept.get(name)
        if study is None:
            try:
                study = _study(variant, name, size, effort, blenders, blender, listener)
                if study.look != look:
                    raise FalseworkError(
                        "the networks changed while the bench was under way",
                        where="bench",
                        todo="Run the bench again, and leave the models alone meanwhile.",
                    )
                shot_ratio(study)  # a row that gives no ratio is not done
            except FalseworkError as error:
                failed[name] = error.sentence()
                if len(failed) == len(names):
                    raise
                continue
            kept.add(study)
        studies.append(study)
    if not failed:
        kept.clear()
    return Bench(
        shots=tuple(studies),
        headline=None if failed else headline(studies, asked=len(names)),
        failed=failed,
        effort=effort,
        size=size,
        blenders=versions,
        machine=machine,
        sampling=(
            *_sampling(effort, size, falls, look, studies),
            *_unlike(earlier, failed, len(names)),
        ),
        look=look,
    )


def _one_look(made: Sequence[tuple[str, Path]]) -> Look:
    """Who draws falsework's side of these shots. FalseworkError where not all have the same: a median over
    pictures of several kinds would be one of none."""
    looks = {name: look_of(load_shot(variant).render) for name, variant in made}
    (first, look), *others = looks.items()
    for name, other in others:
        if other != look:
            raise FalseworkError(
                f"{first} is drawn by {look.words}, {name} by {other.words}",
                where="bench",
                todo="Say --shading and --dust, or bench them one by one.",
            )
    return look


def _content(variant: Path) -> str:
    """A hash of a shot's file and of the pictures that lie beside it."""
    whole = hashlib.sha256(variant.read_bytes())
    for file in shot_files(load_shot(variant)):
        whole.update(hashlib.sha256((variant.parent / file).read_bytes()).digest())
    return whole.hexdigest()


def _unlike(earlier: Sequence[str], failed: Mapping[str, str], asked: int) -> Iterator[str]:
    """What is not as in a bench that went through at once, in sentences that stand beside the number."""
    if earlier:
        yield f"Measured by an earlier run that did not come to its end: {', '.join(earlier)}."
    if failed:
        yield (
            f"{len(failed)} of the {asked} shots failed, and there is no headline without them: "
            f"{', '.join(failed)}."
        )


def _drawn_by(look: Look) -> Iterator[str]:
    """Which networks drew falsework's side."""
    if look.weights:
        weights = ", ".join(f"{name} sha256:{digest}" for name, digest in sorted(look.weights.items()))
        yield f"falsework's side is drawn by networks on {look.device}: {weights}."


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
    look = look_of(scene.shot.render)
    asked = tuple(scene.shot.frames[0] + frame for frame in busy_frames(scene, effort.frames))
    studies, drawing = draw_shot(scene, effort, blenders.render, progress=listener(name, "drawing"))
    frames = int(scene.motion.moved.any(1).sum())
    for side, works in drawing.items():
        comp = works.pop("comp")
        stages[side] |= works
        stages[side]["comp"] = Work(comp.wall * scene.motion.frames, comp.cpu * scene.motion.frames)
    return ShotStudy(name=name, frames=frames, asked=asked, studies=studies, stages=stages, look=look)


def _sampling(
    effort: Effort, size: Size, falls: int, look: Look, shots: Sequence[ShotStudy]
) -> tuple[str, ...]:
    """How little was drawn and what was made of it, in sentences that stand beside the number."""
    frames = sum(len(shot.studies) for shot in shots)
    moving = sum(shot.frames for shot in shots)
    few, many = effort.timed
    few_falls = "" if falls == len(FALLS) else f" Of the {len(FALLS)} ways to fall the first {falls}."
    smoke = "" if size.smoke is None else f" Mantaflow's grid has {size.smoke} cells along its longest side."
    return (
        f"{len(shots)} {'shot' if len(shots) == 1 else 'shots'}, {frames} of the {moving} frames in which "
        f"something happens, pictures {size.height} pixels high.{smoke}{few_falls}",
        *_drawn_by(look),
        f"Errors are those of a square of {effort.crop} pixels where pieces and dust meet, in frames spread "
        "over the fall.",
        "Cycles' seconds are those of the rectangle in which a frame differs from its plate, measured with "
        f"{few} and {many} samples a pixel, and in proportion for other numbers. They hold all the drawings "
        "that a frame takes (surfaces, light, dust, coverage) and their way to comp. What it looks at once a "
        "shot is charged with the set-up; its light at rest at the frames' quality is not charged.",
        f"falsework's are of whole frames, {FINE[look.dust_detail]}; the pictures compared are without "
        f"that, so that both draw the same pieces, motion, chips and dust.{LIT[look.shading]}",
        "A shot's drawing is the studied frames' mean times its frames; comp is one frame's, times all.",
        f"References: Cycles with {effort.reference} samples a pixel, twice, with the same bounces and steps "
        f"as what is compared; it was drawn at {', '.join(str(n) for n in effort.ladder)} samples, with and "
        "without its denoiser.",
        "Simulation and dust: each pipeline's own fall and smoke, from the same trigger and the same pieces. "
        "Bullet's fall is not falsework's.",
    )
