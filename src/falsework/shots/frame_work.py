"""Making the frames of a stage one by one, and one stage following another in a process of its own."""

from __future__ import annotations

import contextlib
import ctypes
import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.progress import Progress, silent
from falsework.shots.stages import FrameStage, Job, frame_file

__all__ = ["Follower", "frame_seconds", "make_frames", "missing_frames", "stage_seconds"]

SECONDS = "seconds.json"
WAIT = 0.02  # seconds between looks for the next frame
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux' prctl(2)


def missing_frames(stage: FrameStage, job: Job, frames: Sequence[int]) -> list[int]:
    """The frames that are not finished yet."""
    return [frame for frame in frames if not job.frame_path(frame, stage.suffix).exists()]


def frame_seconds(folder: Path) -> dict[int, float]:
    """Seconds each finished frame of a stage took."""
    try:
        return {
            int(frame): float(spent) for frame, spent in json.loads((folder / SECONDS).read_bytes()).items()
        }
    except (OSError, ValueError, AttributeError):
        return {}


def make_frames(
    stage: FrameStage,
    job: Job,
    frames: Sequence[int],
    *,
    ready: Callable[[int], None] = lambda frame: None,
    made: Callable[[], None] = lambda: None,
) -> None:
    """Make those of `frames` that are missing, in order. `ready(frame)` returns once the frame's inputs are
    there; `made()` is called after each."""
    missing = missing_frames(stage, job, frames)
    done = len(frames) - len(missing)
    job.progress(done, len(frames))
    if not missing:
        return
    spent = frame_seconds(job.folder)
    began = time.perf_counter()
    make = stage.open(job)
    opening = time.perf_counter() - began  # belongs to the first frame made
    for frame in missing:
        ready(frame)
        began = time.perf_counter()
        make(frame)
        spent[frame] = round(time.perf_counter() - began + opening, 3)
        opening = 0.0
        write_text(job.folder / SECONDS, json.dumps(spent))
        done += 1
        job.progress(done, len(frames))
        made()


class Follower:
    """A frame stage at work beside the one it reads from.

    Two processes rather than threads: drawing waits for OpenGL inside Python's lock. They meet on disk only,
    where a frame is whole or absent, so either may be killed at any time.
    """

    def __init__(self, stage: FrameStage, job: Job, frames: Sequence[int], source: tuple[Path, str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._hears, says = context.Pipe(duplex=False)
        self._progress: Progress = job.progress
        self._ended = False  # it may be done while the one it follows still makes frames
        self._process = context.Process(
            target=_follow,
            args=(stage, replace(job, progress=silent), list(frames), source, says, os.getpid()),
            name=f"falsework-{stage.name}",
            daemon=True,
        )
        self._process.start()
        says.close()

    def look(self) -> None:
        """Pass on what the follower said since the last look; raises its error."""
        while not self._ended and self._hears.poll():
            self._hear()

    def wait(self) -> None:
        """Until the follower is done; raises its error."""
        while not self._ended:
            self._hear()
        self._process.join()

    def stop(self) -> None:
        """End it where it stands; the frame in hand is lost."""
        if self._process.is_alive():
            self._process.terminate()
        self._process.join(5)
        self._hears.close()

    def _hear(self) -> None:
        try:
            kind, *words = self._hears.recv()
        except EOFError:
            self._process.join()
            raise RuntimeError(
                f"{self._process.name} ended unasked (exit code {self._process.exitcode})"
            ) from None
        if kind == "progress":
            self._progress(*words)
        elif kind == "fault":
            what, where, todo = words
            raise FalseworkError(what, where=where, todo=todo)
        elif kind == "crash":
            raise RuntimeError(f"in {self._process.name}:\n{words[0]}")
        self._ended = kind == "end"


def _follow(
    stage: FrameStage,
    job: Job,
    frames: list[int],
    source: tuple[Path, str],
    says: multiprocessing.connection.Connection,
    parent: int,
) -> None:
    """The follower's own process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer; it ends this process
    _end_with_parent()
    folder, suffix = source

    def orphaned() -> None:
        if os.getppid() != parent:
            raise SystemExit(1)

    def ready(frame: int) -> None:
        path = frame_file(folder, frame, suffix)
        while not path.exists():
            orphaned()
            time.sleep(WAIT)

    def progress(done: int, total: int) -> None:
        says.send(("progress", done, total))

    try:
        make_frames(stage, replace(job, progress=progress), frames, ready=ready, made=orphaned)
        says.send(("end",))
    except FalseworkError as error:
        says.send(("fault", error.what, error.where, error.todo))
    except Exception:
        import traceback

        says.send(("crash", traceback.format_exc()))


def _end_with_parent() -> None:
    """Have the system kill this process when its parent is killed, in the midst of a frame, too: the next run
    may begin at once, and writes to the same names. Linux only; elsewhere the frame in hand is finished."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def stage_seconds(folder: Path, frames: Sequence[int]) -> float:
    """Seconds the given frames took together."""
    spent = frame_seconds(folder)
    return round(sum((spent.get(frame, 0.0) for frame in frames), 0.0), 3)
