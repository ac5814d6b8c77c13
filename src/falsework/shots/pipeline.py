"""A shot from its file to what is delivered: every stage once, in order, and none that is finished."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from falsework.delivery.manifest import sha256
from falsework.errors import FalseworkError
from falsework.progress import Progress
from falsework.render.traditional.blender import find_blenders
from falsework.shots.clearing.production_file import production_of
from falsework.shots.frame_work import Follower, make_frames, missing_frames, stage_seconds
from falsework.shots.handover import hand_over
from falsework.shots.networks import networks_of
from falsework.shots.shared_files import drop_altered
from falsework.shots.sources import source_hash
from falsework.shots.spec import Shot, load_shot
from falsework.shots.stages import (
    PREVIEW_HEIGHT,
    PREVIEW_STEP,
    STAGES,
    FrameStage,
    Job,
    Stage,
    working_pixels,
)
from falsework.shots.store import Store, disk_faults, settings_key
from falsework.shots.traditional_stages import demand, traditional_stages

__all__ = ["Listener", "MakeResult", "Nobody", "Run", "StageResult", "make", "shot_with"]

# Drawing holds some 600 bytes a working pixel, comp some 300: beyond this many they take turns.
LARGE_PICTURE = 8_000_000


class Listener(Protocol):
    """Who is told how the work goes. Two stages may be at work at once."""

    def progress(self, stage: str, done: int, total: int) -> None: ...

    def finished(self, stage: str, seconds: float, reused: bool) -> None: ...


class Nobody:
    def progress(self, stage: str, done: int, total: int) -> None: ...

    def finished(self, stage: str, seconds: float, reused: bool) -> None: ...


@dataclass(frozen=True)
class StageResult:
    """One stage of a run. `seconds` is what its result took to make, now or in the run it is reused from;
    `frames_reused` counts the frames a frame stage found finished."""

    name: str
    key: str
    folder: Path
    seconds: float
    reused: bool
    frames_reused: int = 0


@dataclass(frozen=True)
class MakeResult:
    """What a run made. `out` is None where it was asked not to deliver; `cut` is the id under which its
    frames are on record, "" where they are not, and `unrecorded` says why not."""

    shot: Shot
    frames: tuple[int, ...]
    stages: tuple[StageResult, ...]
    out: Path | None
    files: tuple[Path, ...]
    seconds: float
    cut: str = ""
    unrecorded: str = ""

    def stage(self, name: str) -> StageResult:
        return next(stage for stage in self.stages if stage.name == name)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.shot.name,
            "out": str(self.out) if self.out else None,
            "frames": [self.frames[0], self.frames[-1], len(self.frames)],
            "seconds": {stage.name: stage.seconds for stage in self.stages},
            "wall_seconds": round(self.seconds, 3),
            "reused": [stage.name for stage in self.stages if stage.reused],
            "stages": {
                stage.name: {
                    "key": stage.key,
                    "folder": str(stage.folder),
                    "frames_reused": stage.frames_reused,
                }
                for stage in self.stages
            },
            "files": [str(path) for path in self.files],
            "cut": self.cut,
        }


def make(
    shot_path: Path | str,
    *,
    out: Path | str | None = None,
    preview: bool = False,
    until: str | None = None,
    deliver: bool = True,
    seed: int | None = None,
    render: Mapping[str, Any] | None = None,
    by: str = "",
    pipeline: Literal["falsework", "traditional"] = "falsework",
    blender: Path | str | None = None,
    listener: Listener | None = None,
    stages: Mapping[str, Stage | FrameStage] = STAGES,
) -> MakeResult:
    """Make a shot, or as much of it as is asked for.

    out      folder to deliver to; `out/NAME` beside the shot file. Previews (`out/NAME_preview`) and runs
             that stop early (`out/NAME_STAGE`) have folders of their own, not to replace a whole shot
    preview  PREVIEW_HEIGHT lines, every PREVIEW_STEPth frame, everything before the drawing the same
    until    the last stage to run
    deliver  False: leave the results in the store, touch no `out` folder
    seed     instead of the shot's own
    render   settings of [render] instead of the shot's own: which networks, which take
    by       the person who has it made, for the record
    pipeline "traditional": collapse, dust and render by Blender (`blender`, or one that is found), delivered
             to `out/NAME_traditional`; everything else is shared

    Raises FalseworkError for what the user can mend. Finished stages and frames stay, however it ends.
    """
    began = time.perf_counter()
    shot_path = Path(shot_path)
    shot = shot_with(load_shot(shot_path), seed, render)
    if until is not None and until not in stages:
        raise FalseworkError(f'there is no stage "{until}"', todo=f"The stages are: {', '.join(stages)}.")
    if pipeline == "traditional":
        # Cycles lights what Mantaflow made: no network has a part in it.
        shot = shot_with(shot, None, {"shading": "analytic", "dust_detail": "plain", "take": 0})
        blenders = find_blenders(Path(blender) if blender is not None else None)
        wanted = list(stages)
        demand(blenders, shot.traditional, wanted[: wanted.index(until) + 1] if until else wanted)
        stages = traditional_stages(blenders)
    if until is None or [*stages].index(until) >= [*stages].index("render"):
        networks_of(shot.render)  # before any work is done
    base = shot_path.resolve().parent
    step = PREVIEW_STEP if preview else 1
    frames = tuple(range(shot.frames[0], shot.frames[1] + 1, step))
    kind = ("" if pipeline == "falsework" else f"_{pipeline}") + ("_preview" if preview else "")
    kind += f"_{until}" if until not in (None, [*stages][-1]) else ""
    folder = Path(out) if out is not None else base / "out" / (shot.name + kind)
    store = Store(base / "work" / shot.name)
    run = Run(
        shot=shot,
        shot_path=shot_path,
        base=base,
        store=store,
        stages=stages,
        frames=frames,
        height=PREVIEW_HEIGHT if preview else None,
        listener=listener or Nobody(),
    )
    files: tuple[Path, ...] = ()
    with disk_faults(store.root), store.lock():
        store.sweep()
        run.to(until)
        if deliver:
            delivery = hand_over(
                shot,
                folder,
                store,
                folders=run.folders,
                keys=run.keys,
                inputs=run.inputs,
                seconds={name: result.seconds for name, result in run.results.items()},
                reused=[name for name, result in run.results.items() if result.reused],
                frames=frames,
                height=run.height,
                fps=shot.fps / step,
                began=began,
                temporary=production_of(base) is not None,
                progress=lambda done, total: run.listener.progress("deliver", done, total),
            )
            files = delivery.files
            store.note_run(run.keys | dict(delivery.products))
    cut, unrecorded = "", ""
    if deliver and "comp" in run.folders:
        cut, unrecorded = _on_record(shot_path, folder, preview, time.perf_counter() - began, by)
    return MakeResult(
        shot=shot,
        frames=frames,
        stages=tuple(run.results.values()),
        out=folder if deliver else None,
        files=files,
        seconds=time.perf_counter() - began,
        cut=cut,
        unrecorded=unrecorded,
    )


def shot_with(shot: Shot, seed: int | None, render: Mapping[str, Any] | None) -> Shot:
    """A shot with another seed and other settings of [render], where they are given."""
    changes: dict[str, Any] = {} if seed is None else {"seed": seed}
    if render:
        changes["render"] = shot.render.model_dump() | dict(render)
    return Shot.model_validate(shot.model_dump() | changes) if changes else shot


def _on_record(shot_path: Path, out: Path, preview: bool, seconds: float, by: str = "") -> tuple[str, str]:
    """The cut's id in the ledger of rights. Making may always make: what cannot be recorded is only said."""
    from falsework.shots.clearing.desk import desk_of
    from falsework.shots.clearing.recording import record_make

    try:
        made = record_make(
            desk_of(shot_path), out, preview=preview, at=datetime.now(UTC), seconds=seconds, by=by
        )
    except FalseworkError as error:
        return "", error.sentence()
    return made.id, ""


@dataclass
class Run:
    """One pass through the stages, which fills `keys`, `folders` and `results` by the stages' names."""

    shot: Shot
    shot_path: Path
    base: Path
    store: Store
    stages: Mapping[str, Stage | FrameStage]
    frames: Sequence[int]
    height: int | None
    listener: Listener
    keys: dict[str, str] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)  # "solve:facades" -> digest
    inputs: dict[str, str] = field(default_factory=dict)  # the user's files -> SHA-256
    results: dict[str, StageResult] = field(default_factory=dict)

    def to(self, until: str | None) -> None:
        """Run every stage up to `until`; frame stages that follow one another run side by side."""
        names = list(self.stages)
        if until is not None:
            names = names[: names.index(until) + 1]
        while names:
            stage = self.stages[names.pop(0)]
            if isinstance(stage, Stage):
                self._whole(stage)
                continue
            next_stage = self.stages[names[0]] if names else None
            if isinstance(next_stage, FrameStage) and next_stage.follows == stage.name:
                names.pop(0)
                self._beside(stage, next_stage)
            else:
                self._frames(stage)

    def _whole(self, stage: Stage) -> None:
        key = self._key(stage)
        noted = self.store.done(stage.name, key)
        reused = noted is not None
        if noted is None:
            part = self.store.begin(stage.name, key)
            began = time.perf_counter()
            parts = stage.make(self._job(stage, part))
            seconds = round(time.perf_counter() - began, 3)
            noted = {"stage": stage.name, "seconds": seconds, "parts": parts or {}}
            self.store.finish(stage.name, key, part, noted)
        for name, value in noted["parts"].items():
            self.parts[f"{stage.name}:{name}"] = value
        self._finished(stage, key, self.store.folder(stage.name, key), float(noted["seconds"]), reused)

    def _frames(self, stage: FrameStage) -> None:
        key, job, found = self._open(stage)
        make_frames(stage, job, self.frames)
        self._frames_finished(stage, key, job, found)

    def _beside(self, first: FrameStage, second: FrameStage) -> None:
        key, job, found = self._open(first)
        self.folders[first.name] = job.folder
        second_key, second_job, second_found = self._open(second)

        def draw(made: Callable[[], None] = lambda: None) -> None:
            make_frames(first, job, self.frames, made=made)
            self._frames_finished(first, key, job, found)

        if len(self.frames) - second_found < 2 or found == len(self.frames):
            draw()
            make_frames(second, second_job, self.frames)
        else:
            in_turn = self.height is None and working_pixels(self.folders["solve"]) > LARGE_PICTURE
            if in_turn:
                draw()
            follower = Follower(second, second_job, self.frames, (job.folder, first.suffix))
            try:
                if not in_turn:
                    draw(made=follower.look)
                follower.wait()
            finally:
                follower.stop()
        self._frames_finished(second, second_key, second_job, second_found)

    def _open(self, stage: FrameStage) -> tuple[str, Job, int]:
        """The stage's key, its job and how many of its frames are finished."""
        key = self._key(stage)
        self._use(stage, key)
        job = self._job(stage, self.store.open(stage.name, key))
        drop_altered(job.folder)
        return key, job, len(self.frames) - len(missing_frames(stage, job, self.frames))

    def _frames_finished(self, stage: FrameStage, key: str, job: Job, found: int) -> None:
        seconds = stage_seconds(job.folder, self.frames)
        self.store.note(job.folder, {"stage": stage.name, "seconds": seconds})
        self._finished(stage, key, job.folder, seconds, found == len(self.frames), found)

    def _finished(
        self, stage: Stage | FrameStage, key: str, folder: Path, seconds: float, reused: bool, found: int = 0
    ) -> None:
        self._use(stage, key)
        self.folders[stage.name] = folder
        self.results[stage.name] = StageResult(stage.name, key, folder, seconds, reused, found)
        self.listener.finished(stage.name, seconds, reused)

    def _use(self, stage: Stage | FrameStage, key: str) -> None:
        self.keys[stage.name] = key
        self.store.note_run(self.keys)

    def _job(self, stage: Stage | FrameStage, folder: Path) -> Job:
        name, tell = stage.name, self.listener.progress
        progress: Progress = lambda done, total: tell(name, done, total)  # noqa: E731
        return Job(self.shot, self.base, folder, dict(self.folders), self.height, progress)

    def _key(self, stage: Stage | FrameStage) -> str:
        inputs = {need: self.parts[need] if ":" in need else self.keys[need] for need in stage.needs}
        content: dict[str, Any] = {
            "stage": stage.name,
            "code": source_hash(stage.code, ("falsework.shots.stages",)),
            "settings": stage.settings(self.shot),
            "inputs": inputs,
            "files": {key: self._digest(key, file) for key, file in stage.files(self.shot)},
        }
        if stage.per_frame:
            content["height"] = self.height
        return settings_key(content)

    def _digest(self, key: str, file: str) -> str:
        path = self.base / file
        if not path.is_file():
            raise FalseworkError(
                f"{key} names {file}, which is not there",
                where=self.shot_path,
                todo="Correct the path; it starts from the folder of the shot file.",
            )
        self.inputs[file] = sha256(path)
        return self.inputs[file]
