"""Work in a process of its own: what it says meanwhile, what it returns, and the most memory it ever held."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from falsework.errors import FalseworkError

__all__ = ["Telling", "in_a_child", "peak_bytes"]

PAUSE = 0.1  # seconds between two words of how far a child is

T = TypeVar("T")
Telling = Callable[[str, int, int], None]  # stage, done, total


def in_a_child(work: Callable[..., T], *args: Any, telling: Telling | None = None) -> tuple[T, int]:
    """What `work` returns when it is called in a fresh process, and the bytes that process held at its peak.

    With `telling`, `work` is given a `telling` of its own behind `args`, and what it says to that is said
    here. `work`, its arguments and what it returns must be picklable; its exceptions are raised here.
    FalseworkError where the process was ended from outside.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_at_work, args=(theirs, work, args, telling is not None), daemon=True)
    child.start()
    theirs.close()
    try:
        while True:
            match ours.recv():
                case "told", stage, done, total if telling is not None:
                    telling(stage, done, total)
                case "done", answer, peak:
                    return answer, peak
                case "failed", Exception() as error, trace:
                    error.add_note(trace)
                    raise error
    except EOFError:
        child.join()
        raise FalseworkError(
            f"a process of the bench was ended from outside (exit code {child.exitcode})",
            where="bench",
            todo="If memory was short, measure a smaller catalogue; else run it again.",
        ) from None
    finally:
        child.terminate()
        child.join()
        ours.close()


def _at_work(pipe: Connection, work: Callable[..., Any], args: tuple[Any, ...], tells: bool) -> None:
    try:
        answer = work(*args, _teller(pipe)) if tells else work(*args)
        pipe.send(("done", answer, peak_bytes()))
    except Exception as error:
        pipe.send(("failed", error, traceback.format_exc()))
    finally:
        pipe.close()


def _teller(pipe: Connection) -> Telling:
    """Says the last word of each stage, and of the others as many as anybody can read."""
    last = 0.0

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done >= total or now - last >= PAUSE:
            last = now
            pipe.send(("told", stage, done, total))

    return tell


def peak_bytes() -> int:
    """The most memory this process has held: its resident set, mapped files included."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Not getrusage, which on Linux remembers the parent's size from before this program was loaded.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
