"""One shot drawn by both renderers: the same fragments, motion, chips and dust, timed by the same meter."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from falsework.bench.difference import difference, flip, temporal_error
from falsework.bench.meter import Meter
from falsework.bench.ours import Drawn, draw_ours
from falsework.bench.region import (
    Crop,
    choose_crop,
    cropped_layers,
    cropped_plate,
    region_in_sight,
    widened,
)
from falsework.bench.rows import Cost, Drawing, FrameStudy, Work
from falsework.bench.scene import Scene, busy_frames
from falsework.comp.composite import Compositor
from falsework.comp.settings import CompSettings
from falsework.errors import FalseworkError
from falsework.progress import Progress, silent
from falsework.render.layers import Layers
from falsework.render.traditional.blender import Blender
from falsework.render.traditional.cycles import CyclesRenderer
from falsework.render.traditional.smoke import smoke_of_field

__all__ = ["Effort", "cost_of", "draw_shot"]

Image = npt.NDArray[np.float32]

# Seeds of Cycles' noise: of the two references, and of what is compared with them.
REFERENCE_SEEDS = (101, 202)
TEST_SEED = 7
ATTEMPTS = 3  # at a time that a busy machine disturbs
MARGIN = 16  # pixels around what is compared, for the denoiser to see


@dataclass(frozen=True)
class Effort:
    """How much is drawn.

    frames     of the shot that are studied;  crop: edge of the square in which pictures are compared, pixels
    ladder     samples a pixel that Cycles is measured at, with and without its denoiser
    timed      two numbers of samples at which its seconds are taken, of all that changes in a frame
    reference  samples a pixel of each reference
    shipped    whether Cycles is drawn as the shot's own [traditional] says, too: adaptive sampling and all
    temporal   whether the frame after each is drawn too, with the ladder's largest number: the error in time
    """

    frames: int
    crop: int
    ladder: tuple[int, ...]
    timed: tuple[int, int]
    reference: int
    shipped: bool
    temporal: bool


def cost_of(drawn: Sequence[tuple[int, Work]]) -> Cost:
    """What a sample costs, from drawings at two numbers of samples: time is linear in them where none is
    adaptive. Raises FalseworkError where more samples took no longer: the clock was disturbed."""
    (few, less), (many, more) = drawn
    wall, cpu = (more.wall - less.wall) / (many - few), (more.cpu - less.cpu) / (many - few)
    if wall <= 0:
        raise FalseworkError(
            f"Cycles took {more.wall:.1f} s for {many} samples and {less.wall:.1f} s for {few}: the machine "
            "had something else to do",
            where="bench",
            todo="Run the bench with nothing else at work.",
        )
    fixed = Work(max(less.wall - few * wall, 0.0), max(less.cpu - few * cpu, 0.0))
    return Cost(fixed, Work(wall, max(cpu, 0.0)), tuple(drawn))


def draw_shot(
    scene: Scene, effort: Effort, blender: Blender, *, progress: Progress = silent
) -> tuple[tuple[FrameStudy, ...], dict[str, dict[str, Work]]]:
    """Study some frames; returns them, and the seconds of start, set-up and one frame's comp by side."""
    frames = busy_frames(scene, effort.frames)
    steps = 1 + len(frames) * (3 + len(list(_ladder(effort, scene))))
    done = iter(range(1, steps + 1))
    with tempfile.TemporaryDirectory(prefix="falsework-bench-") as scratch:
        ours, own_stages = draw_ours(scene, frames)
        progress(next(done), steps)
        following = {frame + more for frame in frames for more in (0, 1)}
        smoke = smoke_of_field(scene.dust, Path(scratch), sorted(following))
        with Meter() as meter:
            cycles = CyclesRenderer(
                scene.plate,
                scene.fragments,
                scene.motion,
                scene.debris,
                smoke,
                scene.shot.render,
                scene.shot.traditional,
                seed=scene.shot.seed,
                blender=blender,
                folder=Path(scratch) / "cycles",
            )
        # Blender's start is part of its set-up: it reads the scene as it starts.
        stages = {
            "falsework": own_stages,
            "traditional": {"setup": meter.work(), "comp": own_stages["comp"]},
        }
        with closing(cycles):
            studies = tuple(
                _Study(scene, effort, cycles, frame, ours[frame]).made(lambda: progress(next(done), steps))
                for frame in frames
            )
    return studies, stages


class _Study:
    """One frame by both."""

    def __init__(self, scene: Scene, effort: Effort, cycles: CyclesRenderer, frame: int, ours: Drawn) -> None:
        self._scene, self._effort, self._cycles, self._frame, self._ours = scene, effort, cycles, frame, ours
        width, height = scene.plate.camera.width, scene.plate.camera.height
        number = scene.shot.frames[0] + frame
        self._region = region_in_sight(ours.layers, frame=number, shot=scene.shot.name)
        self._crop = choose_crop(ours.layers, effort.crop)
        self._wide = widened(self._crop, MARGIN, width, height)
        # Grain is the plate's, laid on alike on both sides: it would only hide what is compared.
        settings = CompSettings(grain=0.0, softness=scene.shot.comp.softness)
        self._comp = Compositor(cropped_plate(scene.plate, self._crop), settings, seed=scene.shot.seed)

    def made(self, tick: Callable[[], None]) -> FrameStudy:
        """The whole study; `tick` after each of its steps."""
        effort, frame = self._effort, self._frame
        costs = {denoised: self._cost(denoised) for denoised in self._states}
        tick()
        references = [self._picture(frame, effort.reference, False, seed) for seed in REFERENCE_SEEDS]
        reference = _mean(references)
        tick()
        after = None
        if effort.temporal:
            after = _mean([self._picture(frame + 1, effort.reference, False, s) for s in REFERENCE_SEEDS])
        motion = cropped_layers(self._ours.layers, self._crop).motion
        drawings = [self._our_drawing(reference, after, motion)]
        tick()
        for samples, denoised in _ladder(effort, self._scene):
            if samples is None:
                drawings.append(self._shipped(reference))
            else:
                test = self._picture(frame, samples, denoised, TEST_SEED)
                in_time = None
                if after is not None and samples == max(effort.ladder):
                    following = self._picture(frame + 1, samples, denoised, TEST_SEED + 1)
                    in_time = temporal_error((reference, after), (test, following), motion)
                work = costs[denoised].of(samples)
                drawings.append(_drawing("cycles", samples, denoised, work, reference, test, in_time))
            tick()
        camera = self._scene.plate.camera
        return FrameStudy(
            frame=self._scene.shot.frames[0] + frame,
            size=(camera.width, camera.height),
            crop=self._crop,
            region=self._region,
            reference=effort.reference,
            noise_floor=flip(references[0], references[1]),
            cost=tuple(costs.values()),
            drawings=tuple(drawings),
        )

    @property
    def _states(self) -> tuple[bool, ...]:
        return (False, True) if self._scene.shot.traditional.denoise else (False,)

    def _cost(self, denoised: bool) -> Cost:
        """Seconds of all that changes in the frame; taken again where something disturbed the clock."""
        self._cycles.crop = self._region
        for attempt in range(ATTEMPTS):
            drawn = [(samples, self._timed(samples, denoised)) for samples in self._effort.timed]
            try:
                return cost_of(drawn)
            except FalseworkError:
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _timed(self, samples: int, denoised: bool) -> Work:
        self._cycles.prepare(samples=samples, denoise=denoised, seed=TEST_SEED)
        with Meter() as meter:
            self._cycles.frame(self._frame, samples=samples, denoise=denoised, seed=TEST_SEED)
        return meter.work()

    def _layers(self, frame: int, part: Crop, **quality: int | bool | None) -> Layers:
        """Cycles' layers of the compared square, drawn with what is around it in `part`."""
        self._cycles.crop = part
        layers = self._cycles.frame(frame, **quality)
        x0, y0, x1, y1 = self._crop
        return cropped_layers(layers, (x0 - part[0], y0 - part[1], x1 - part[0], y1 - part[1]))

    def _picture(self, frame: int, samples: int, denoised: bool, seed: int) -> Image:
        layers = self._layers(frame, self._wide, samples=samples, denoise=denoised, seed=seed)
        return self._comp.frame(layers).picture

    def _our_drawing(self, reference: Image, after: Image | None, motion: Image) -> Drawing:
        test, following = (
            self._comp.frame(cropped_layers(layers, self._crop)).picture
            for layers in (self._ours.layers, self._ours.next_layers)
        )
        in_time = None
        if after is not None:
            in_time = temporal_error((reference, after), (test, following), motion)
        samples = self._scene.shot.render.samples
        return _drawing("falsework", samples, False, self._ours.work, reference, test, in_time)

    def _shipped(self, reference: Image) -> Drawing:
        """Cycles as the shot's settings have it; its seconds are those of the region."""
        settings = self._scene.shot.traditional
        self._cycles.crop = self._region
        self._cycles.prepare()
        with Meter() as meter:
            self._cycles.frame(self._frame)
        test = self._comp.frame(self._layers(self._frame, self._wide)).picture
        return _drawing(
            "cycles",
            settings.samples,
            settings.denoise,
            meter.work(),
            reference,
            test,
            None,
            adaptive=True,
        )


def _drawing(
    renderer: str,
    samples: int,
    denoised: bool,
    work: Work,
    reference: Image,
    test: Image,
    in_time: float | None,
    *,
    adaptive: bool = False,
) -> Drawing:
    found = difference(reference, test)
    return Drawing(
        "falsework" if renderer == "falsework" else "cycles",
        samples,
        denoised,
        adaptive,
        work,
        found.flip,
        found.psnr if math.isfinite(found.psnr) else None,
        found.ssim,
        in_time,
    )


def _mean(pictures: Sequence[Image]) -> Image:
    return np.asarray(np.mean(pictures, axis=0, dtype=np.float32), np.float32)


def _ladder(effort: Effort, scene: Scene) -> Iterator[tuple[int | None, bool]]:
    """Samples and denoiser of Cycles' drawings; no number for that of the shot's own settings."""
    for samples in effort.ladder:
        yield samples, False
        if scene.shot.traditional.denoise:
            yield samples, True
    if effort.shipped:
        yield None, scene.shot.traditional.denoise
