"""A shot whose stages are a few bytes each: the order of work, the store and the keys without the physics."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from falsework.errors import FalseworkError
from falsework.shots.stages import STAGES, FrameStage, Job, Stage, digest

SHOT = """\
name = "tiny"
brief = "it falls"
seed = 3
frames = [1001, 1012]

[plate]
file = "plate.png"

[[facades]]
name = "front"
corners = [[10, 10], [60, 10], [60, 60], [10, 60]]
storeys = 3

[collapse]
start = 1003
"""

# Seconds every fake frame and stage takes, a file that gets a line for each thing made, the one that fails.
PAUSE = "FALSEWORK_FAKE_PAUSE"
JOURNAL = "FALSEWORK_FAKE_JOURNAL"
FAULT = "FALSEWORK_FAKE_FAULT"


def write_shot(folder: Path, text: str = SHOT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plate.png").write_bytes(b"picture")
    path = folder / "shot.toml"
    path.write_text(text)
    return path


def _work(words: str) -> None:
    time.sleep(float(os.environ.get(PAUSE, "0")))
    if words == os.environ.get(FAULT):
        raise FalseworkError("the fake was told to fail")
    journal = os.environ.get(JOURNAL)
    if journal:
        with open(journal, "a") as file:
            file.write(words + "\n")


def _stage(name: str) -> Callable[[Job], dict[str, str] | None]:
    def make(job: Job) -> dict[str, str] | None:
        inputs = [
            (folder / "result").read_text() for need, folder in sorted(job.folders.items()) if need != name
        ]
        (job.folder / "half").write_text("begun")
        _work(name)
        (job.folder / "result").write_text(digest(name, inputs, job.shot.seed))
        job.progress(1, 1)
        if name == "solve":
            said = {"camera": {"width": 64, "height": 48}, "measures": {"reprojection_error": 0.2}}
            (job.folder / "solve.json").write_text(json.dumps(said))
            parts = {"facades": digest(str(job.shot.facades))}
            return parts | {"set": digest(str(job.shot.neighbours)), "camera": digest(str(job.shot.plate))}
        return None

    return make


def open_render(job: Job) -> Callable[[int], None]:
    def make(frame: int) -> None:
        part = job.frame_path(frame, ".layers.part")
        part.write_text("half")
        _work(f"render {frame}")
        part.write_text(f"layers {frame} {job.shot.render.dust_colour} {job.height}")
        part.replace(job.frame_path(frame, ".layers"))

    return make


def open_comp(job: Job) -> Callable[[int], None]:
    def make(frame: int) -> None:
        layers = (job.folders["render"] / f"{frame:04d}.layers").read_text()
        part = job.frame_path(frame, ".exr.part")
        part.write_text("half")
        _work(f"comp {frame}")
        part.write_text(f"{layers} grain {job.shot.comp.grain}")
        part.replace(job.frame_path(frame, ".exr"))

    return make


# What the fakes are made from: a module that has no reason to change while tests run.
CODE = ("falsework.progress",)


def fake_stages() -> dict[str, Stage | FrameStage]:
    """The real table (names, dependencies, settings) with fakes for the work."""
    fakes: dict[str, Stage | FrameStage] = {}
    for name, stage in STAGES.items():
        if isinstance(stage, Stage):
            fakes[name] = Stage(name, CODE, stage.needs, stage.settings, _stage(name), stage.files)
    for name, make in (("render", open_render), ("comp", open_comp)):
        stage = STAGES[name]
        assert isinstance(stage, FrameStage)
        fakes[name] = FrameStage(name, CODE, stage.needs, stage.settings, make, stage.suffix, stage.follows)
    return fakes
