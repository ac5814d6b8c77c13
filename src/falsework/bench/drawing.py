"""One shot drawn by both renderers: the same fragments, motion, chips and dust, timed by the same meter."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from falsework.bench.difference import difference, flip, temporal_error
from falsework.bench.meter import Meter
from falsework.bench.region import (
    Crop,
    changed,
    choose_crop,
    cropped_layers,
    cropped_plate,
    region_of,
)
from falsework.bench.rows import Drawing, FrameStudy, Work
from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.comp.composite import Compositor
from falsework.comp.settings import CompSettings
from falsework.dust.field import Debris, DustField
from falsework.errors import FalseworkError
from falsework.plate.plate import Plate
from falsework.progress import Progress, silent
from falsework.render.layers import Layers
from falsework.render.renderer import Renderer
from falsework.render.traditional.blender import Blender
from falsework.render.traditional.cycles import CyclesRenderer
from falsework.render.traditional.smoke import smoke_of_field
from falsework.shots.spec import Shot

__all__ = ["Effort", "Scene", "busy_frames", "draw_shot"]

Image = npt.NDArray[np.float32]

PROBE = 8  # pixels of the square whose drawing tells a frame's fixed cost
# Seeds of Cycles' noise: of the two references, and of what is compared with them.
REFERENCE_SEEDS = (101, 202)
TEST_SEED = 7


@dataclass(frozen=True)
class Scene:
    """What both renderers are given, loaded once."""

    shot: Shot
    plate: Plate
    fragments: Fragments
    motion: Motion
    debris: Debris
    dust: DustField


@dataclass(frozen=True)
class Effort:
    """How much is drawn.

    frames     of the shot that are studied;  crop: edge of the square in which pictures are compared, pixels
    ladder     samples a pixel that Cycles is measured at, with and without its denoiser
    reference  samples a pixel of each reference
    temporal   whether the frame after each is drawn too, with the ladder's largest number: the error in time
    """

    frames: int
    crop: int
    ladder: tuple[int, ...]
    reference: int
    temporal: bool


def busy_frames(scene: Scene, count: int) -> list[int]:
    """Frames (from 0) that are studied: spread over the time in which pieces fall, the last one left out."""
    motion = scene.motion
    moving = np.flatnonzero(motion.moved.any(1))
    if not len(moving) or moving[0] >= motion.frames - 1:
        raise FalseworkError(
            f"nothing falls in {scene.shot.name}", where="bench", todo="Take a shot in which something does."
        )
    first, last = int(moving[0]), motion.frames - 2
    at = (np.arange(count) + 1) / (count + 0.5)
    return sorted({round(first + float(part) * (last - first)) for part in np.minimum(at, 1.0)})


def draw_shot(
    scene: Scene, effort: Effort, blender: Blender, *, progress: Progress = silent
) -> tuple[tuple[FrameStudy, ...], dict[str, dict[str, Work]]]:
    """Study some frames; returns them, and the seconds of set-up and of one frame's comp by side and name."""
    with tempfile.TemporaryDirectory(prefix="falsework-bench-") as scratch:
        return _draw_shot(scene, effort, blender, Path(scratch), progress)


def _draw_shot(
    scene: Scene, effort: Effort, blender: Blender, scratch: Path, progress: Progress
) -> tuple[tuple[FrameStudy, ...], dict[str, dict[str, Work]]]:
    frames = busy_frames(scene, effort.frames)
    steps = len(frames) * (4 + 2 * len(effort.ladder)) + 1
    done = iter(range(1, steps + 1))
    ours, comp, setup = _ours(scene, frames)
    progress(next(done), steps)
    wanted = sorted({frame + more for frame in frames for more in (0, 1)})
    smoke = smoke_of_field(scene.dust, scratch, wanted)
    studies = []
    renderer: CyclesRenderer | None = None
    meter = Meter()
    with meter:
        renderer = CyclesRenderer(
            scene.plate,
            scene.fragments,
            scene.motion,
            scene.debris,
            smoke,
            scene.shot.render,
            scene.shot.traditional,
            seed=scene.shot.seed,
            blender=blender,
            folder=scratch / "cycles",
        )
    with closing(renderer):
        for frame in frames:
            studies.append(
                _study(scene, effort, renderer, frame, ours[frame], lambda: progress(next(done), steps))
            )
    stages = {
        "falsework": {"setup": setup, "comp": comp},
        "traditional": {"setup": _work(meter), "comp": comp},
    }
    return tuple(studies), stages


@dataclass(frozen=True)
class _Drawn:
    """One frame by falsework, and the one after it."""

    layers: Layers
    next_layers: Layers
    work: Work


def _ours(scene: Scene, frames: Sequence[int]) -> tuple[dict[int, _Drawn], Work, Work]:
    """falsework's drawings of whole frames, comp of one frame, and the set-up."""
    meter = Meter()
    with meter:
        renderer = Renderer(
            scene.plate,
            scene.fragments,
            scene.motion,
            scene.debris,
            scene.dust,
            scene.shot.render,
            seed=scene.shot.seed,
            relief=0.0,
        )
    setup = _work(meter)
    drawn = {}
    with renderer:
        renderer.frame(frames[0])  # compiles what is compiled at first use; counted with the set-up below
        for frame in frames:
            with meter:
                layers = renderer.frame(frame)
            drawn[frame] = _Drawn(layers, renderer.frame(frame + 1), _work(meter))
    compositor = Compositor(scene.plate, scene.shot.comp, seed=scene.shot.seed)
    with meter:
        compositor.frame(drawn[frames[0]].layers)
    return drawn, _work(meter), setup


def _study(
    scene: Scene, effort: Effort, cycles: CyclesRenderer, frame: int, ours: _Drawn, tick: Callable[[], None]
) -> FrameStudy:
    where = changed(ours.layers)
    region = region_of(where)
    crop = choose_crop(ours.layers, effort.crop)
    plate = cropped_plate(scene.plate, crop)
    # Grain is the plate's, laid on alike on both sides: it would only hide what is compared.
    comp = Compositor(plate, CompSettings(grain=0.0, softness=scene.shot.comp.softness), seed=scene.shot.seed)

    def picture(layers: Layers) -> Image:
        return comp.frame(layers).picture

    def cycles_picture(at: int, samples: int, denoise: bool, seed: int, part: Crop) -> tuple[Image, Work]:
        cycles.crop = part
        cycles.prepare(samples=samples, denoise=denoise, seed=seed)  # once a shot: no frame's cost
        with Meter() as meter:
            layers = cycles.frame(at, samples=samples, denoise=denoise, seed=seed)
        return (picture(layers) if part == crop else np.zeros(0, np.float32)), _work(meter)

    # A first drawing of each part is thrown away: what is prepared once a shot is no frame's cost.
    x, y = (crop[0] + crop[2]) // 2, (crop[1] + crop[3]) // 2
    probe = (x, y, x + PROBE, y + PROBE)
    smallest = min(effort.ladder)
    for part in (probe, crop, region):
        cycles_picture(frame, smallest, False, TEST_SEED, part)
    fixed = cycles_picture(frame, smallest, False, TEST_SEED, probe)[1]
    of_crop = cycles_picture(frame, smallest, False, TEST_SEED, crop)[1]
    of_region = cycles_picture(frame, smallest, False, TEST_SEED, region)[1]
    scale = max(of_region.wall - fixed.wall, 1e-3) / max(of_crop.wall - fixed.wall, 1e-3)
    # Never more than the pixels say: a crop is chosen for being dear, so that its pixels cost no less.
    pixels = (region[2] - region[0]) * (region[3] - region[1])
    scale = min(scale, pixels / ((crop[2] - crop[0]) * (crop[3] - crop[1])))
    tick()

    references = [cycles_picture(frame, effort.reference, False, seed, crop)[0] for seed in REFERENCE_SEEDS]
    reference = _mean(references)
    tick()
    after: Image | None = None
    motion = cropped_layers(ours.layers, crop).motion
    if effort.temporal:
        after = _mean(
            [cycles_picture(frame + 1, effort.reference, False, s, crop)[0] for s in REFERENCE_SEEDS]
        )
    tick()

    drawings = [_our_drawing(scene, ours, crop, picture, reference, after, motion)]
    tick()
    for samples, denoise in _ladder(effort, scene):
        test, work = cycles_picture(frame, samples, denoise, TEST_SEED, crop)
        found = difference(reference, test)
        in_time = None
        if after is not None and samples == max(effort.ladder):
            following = cycles_picture(frame + 1, samples, denoise, TEST_SEED + 1, crop)[0]
            in_time = temporal_error((reference, after), (test, following), motion)
        drawings.append(
            Drawing(
                "cycles",
                samples,
                denoise,
                work,
                Work(
                    fixed.wall + max(work.wall - fixed.wall, 0.0) * scale,
                    fixed.cpu + max(work.cpu - fixed.cpu, 0.0) * scale,
                ),
                found.flip,
                found.psnr,
                found.ssim,
                in_time,
            )
        )
        tick()
    return FrameStudy(
        frame=scene.shot.frames[0] + frame,
        size=(scene.plate.camera.width, scene.plate.camera.height),
        crop=crop,
        region=pixels,
        reference=effort.reference,
        noise_floor=flip(references[0], references[1]),
        fixed=fixed,
        scale=scale,
        drawings=tuple(drawings),
    )


def _our_drawing(
    scene: Scene,
    ours: _Drawn,
    crop: Crop,
    picture: Callable[[Layers], Image],
    reference: Image,
    after: Image | None,
    motion: Image,
) -> Drawing:
    test = picture(cropped_layers(ours.layers, crop))
    in_time = None
    if after is not None:
        following = picture(cropped_layers(ours.next_layers, crop))
        in_time = temporal_error((reference, after), (test, following), motion)
    found = difference(reference, test)
    samples = scene.shot.render.samples
    return Drawing(
        "falsework", samples, False, ours.work, ours.work, found.flip, found.psnr, found.ssim, in_time
    )


def _mean(pictures: Sequence[Image]) -> Image:
    return np.asarray(np.mean(pictures, axis=0, dtype=np.float32), np.float32)


def _ladder(effort: Effort, scene: Scene) -> Iterator[tuple[int, bool]]:
    for samples in effort.ladder:
        yield samples, False
        if scene.shot.traditional.denoise:
            yield samples, True


def _work(meter: Meter) -> Work:
    return Work(round(meter.wall, 4), round(meter.cpu, 4))
