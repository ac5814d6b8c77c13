"""The stages of a shot in the traditional pipeline: as falsework's own, but for what Blender does.

Solve, building, fragments and comp are the same stages with the same results; collapse, dust and render are
Blender's, under the same names with keys of their own. The chips that fly are falsework's in both pipelines:
Blender has nothing like them but more rigid bodies, and the two are compared where they differ in method.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any
from weakref import finalize

from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.render.traditional.blender import HOW_TO_GET_ONE, Blender, Blenders
from falsework.render.traditional.process import in_blender
from falsework.render.traditional.settings import TraditionalSettings
from falsework.shots.spec import Shot
from falsework.shots.stages import STAGES, FrameStage, Job, Stage, begin_dust, delivered_view
from falsework.shots.store import PART

__all__ = ["BLENDER", "SCRIPTS", "blender_notes", "demand", "scripts_digest", "traditional_stages"]

PREVIEW_SHARE = 8  # a preview has an eighth of the samples
BLENDER = "blender.json"  # in the folder of a stage that Blender made: which one
# The work of each stage: what decides it, and the scripts inside Blender, by how their names begin.
DECIDES = {
    "collapse": ("substeps", "solver_iterations"),
    "dust": ("smoke_resolution",),
    "render": (
        "samples",
        "noise_threshold",
        "bounces",
        "volume_bounces",
        "denoise",
        "volume_step_rate",
        "device",
    ),
}
SCRIPTS = {
    "collapse": ("exchange", "bullet"),
    "dust": ("exchange", "mantaflow"),
    "render": ("exchange", "cycles"),
}
CODE = {
    "collapse": ("falsework.render.traditional.bullet", "falsework.building.fragments"),
    "dust": (
        "falsework.dust.debris",
        "falsework.render.traditional.smoke",
        "falsework.building.fragments",
        "falsework.collapse.motion",
    ),
    "render": (
        "falsework.render.traditional.cycles",
        "falsework.render.traditional.smoke",
        "falsework.building.fragments",
        "falsework.collapse.motion",
        "falsework.dust.field",
        "falsework.shots.layer_files",
    ),
}


def traditional_stages(blenders: Blenders) -> Mapping[str, Stage | FrameStage]:
    """The table of stages with these Blenders at work, each asked for only by the stages that need it."""
    stages = dict(STAGES)
    for name, make in (("collapse", _collapse), ("dust", _dust)):
        stage = STAGES[name]
        assert isinstance(stage, Stage)
        settings = partial(_settings, name, blenders)
        stages[name] = replace(stage, code=CODE[name], settings=settings, make=partial(make, blenders))
    render = STAGES["render"]
    assert isinstance(render, FrameStage)
    stages["render"] = replace(
        render,
        code=CODE["render"],
        settings=partial(_settings, "render", blenders),
        open=partial(_open_render, blenders),
    )
    return stages


def demand(blenders: Blenders, settings: TraditionalSettings, stages: Sequence[str]) -> None:
    """Raises FalseworkError where no Blender can do what these stages want: before any work is done."""
    for stage in stages:
        if stage in DECIDES:
            blender = _worker(stage, blenders)
            if stage == "render" and settings.denoise and "denoise" not in blender.abilities:
                raise FalseworkError(
                    f"no Blender here can denoise (found: {blender.version} at {blender.program}): "
                    f"{HOW_TO_GET_ONE}; or set `denoise = false` under [traditional] and more `samples`"
                )


def blender_notes(folders: Mapping[str, Path]) -> dict[str, str]:
    """The version of the Blender that made each stage, by stage; empty where it made none."""
    notes = {}
    for stage, folder in folders.items():
        with contextlib.suppress(OSError, ValueError, KeyError):
            notes[stage] = str(json.loads((folder / BLENDER).read_bytes())["version"])
    return notes


def _worker(stage: str, blenders: Blenders) -> Blender:
    return {"collapse": lambda: blenders.simulate, "dust": lambda: blenders.smoke}.get(
        stage, lambda: blenders.render
    )()


def _settings(stage: str, blenders: Blenders, shot: Shot) -> Any:
    """What decides a stage's result besides what decides falsework's own."""
    wanted = shot.traditional.model_dump(mode="json")
    return {
        "falsework": STAGES[stage].settings(shot),
        "traditional": {name: wanted[name] for name in DECIDES[stage]},
        "blender": _worker(stage, blenders).version,
        "scripts": scripts_digest(SCRIPTS[stage]),
        "here": hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:20],
    }


@cache
def scripts_digest(beginnings: tuple[str, ...]) -> str:
    """A hash of the scripts that run inside Blender for a stage."""
    whole = hashlib.sha256()
    for path in sorted(in_blender("exchange").parent.glob("*.py")):
        if path.stem.startswith(beginnings):
            whole.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()[:20]


def _note(folder: Path, blender: Blender, scratch: Path | None = None) -> None:
    """Write down which Blender made a stage, and the seconds that it ran where they are known."""
    usage: dict[str, float] = {}
    if scratch is not None:
        with contextlib.suppress(OSError, ValueError):
            usage = json.loads((scratch / "usage.json").read_bytes())
    write_text(folder / BLENDER, json.dumps({"version": blender.version, "usage": usage}))


def _collapse(blenders: Blenders, job: Job) -> None:
    from falsework.building.fragments import Fragments
    from falsework.render.traditional.bullet import bullet_collapse

    shot, blender = job.shot, blenders.simulate
    scratch = job.folder / "exchange"
    scratch.mkdir()
    motion = bullet_collapse(
        Fragments.load(job.folders["fracture"]),
        delivered_view(job.folders["solve"], None).set_planes,
        shot.collapse,
        shot.traditional,
        first_frame=shot.frames[0],
        frames=shot.frame_count,
        fps=shot.fps,
        seed=shot.seed,
        blender=blender,
        folder=scratch,
        progress=job.progress,
    )
    motion.save(job.folder)
    _note(job.folder, blender, scratch)
    shutil.rmtree(scratch)


def _dust(blenders: Blenders, job: Job) -> None:
    from falsework.render.traditional.smoke import mantaflow_dust

    blender, begun = blenders.smoke, begin_dust(job)
    mantaflow_dust(
        begun.fragments,
        begun.motion,
        begun.debris,
        begun.plate.set_planes,
        job.shot.dust,
        job.shot.traditional,
        camera=begun.plate.camera,
        folder=job.folder,
        seed=job.shot.seed,
        blender=blender,
        progress=begun.progress,
    ).save()
    _note(job.folder, blender, job.folder)


def _open_render(blenders: Blenders, job: Job) -> Callable[[int], None]:
    from falsework.building.fragments import Fragments
    from falsework.collapse.motion import Motion
    from falsework.dust.field import Debris
    from falsework.render.traditional.cycles import CyclesRenderer
    from falsework.render.traditional.smoke import Smoke
    from falsework.shots.layer_files import write_layers

    folders, shot, blender = job.folders, job.shot, blenders.render
    suffix = STAGES["render"].suffix  # type: ignore[union-attr]
    # Of such a name that the next run removes it where this one is killed.
    scratch = job.folder / f"scene{PART}{os.getpid()}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    settings = shot.traditional
    if job.height is not None:  # a preview: to see where things are, not to deliver
        settings = settings.model_copy(update={"samples": math.ceil(settings.samples / PREVIEW_SHARE)})
    try:
        renderer = CyclesRenderer(
            delivered_view(folders["solve"], job.height),
            Fragments.load(folders["fracture"]),
            Motion.load(folders["collapse"]),
            Debris.load(folders["dust"]),
            Smoke.load(folders["dust"]),
            shot.render,
            settings,
            seed=shot.seed,
            blender=blender,
            folder=scratch,
        )
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    _note(job.folder, blender)

    def make(frame: int) -> None:
        write_layers(job.frame_path(frame, suffix), renderer.layers(frame - shot.frames[0]))

    # A program with the whole scene in memory: it ends with the last reference to `make`.
    finalize(make, _close, renderer, scratch)
    return make


def _close(renderer: Any, scratch: Path) -> None:
    renderer.close()
    shutil.rmtree(scratch, ignore_errors=True)
