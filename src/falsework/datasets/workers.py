"""Many pieces of work, one after the other or in processes: what goes wrong with one is told, and does not
stop the others."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

import falsework
from falsework.errors import FalseworkError

__all__ = ["attempt", "in_processes", "one_by_one"]

PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
LEFT = 1  # exit code of a worker that was told to end
GRACE = 10.0  # seconds that workers have for ending what they started

Work = Callable[[int], object]
Outcome = tuple[int, FalseworkError | None]


def attempt(work: Work, number: int) -> FalseworkError | None:
    """Do a piece of work; what went wrong with it, with the traceback as a note where nobody foresaw it."""
    try:
        work(number)
    except FalseworkError as error:
        return error
    except Exception as error:  # whatever it is, it must not cost the other pieces
        return _unforeseen(error)
    return None


def _unforeseen(error: Exception) -> FalseworkError:
    ours = str(Path(falsework.__file__).parent)
    frames = traceback.extract_tb(error.__traceback__)
    last = next((frame for frame in reversed(frames) if frame.filename.startswith(ours)), frames[-1])
    fault = FalseworkError(
        f"{type(error).__name__}: {error}",
        where=f"{Path(last.filename).name}, line {last.lineno}",
        todo="That is a fault of falsework's own: please report it.",
    )
    fault.add_note("".join(traceback.format_exception(error)))
    return fault


def one_by_one(work: Work, numbers: Collection[int]) -> Iterator[Outcome]:
    """The number of each piece as it is done, and why it could not be."""
    for number in numbers:
        yield number, attempt(work, number)


def in_processes(work: Work, numbers: Collection[int], workers: int) -> Iterator[Outcome]:
    """As `one_by_one`, up to `workers` at a time. Closed before its end, or interrupted, it ends the workers
    with what they are at."""
    # Processes of their own from the start: OpenGL and Numba do not live through a fork.
    context = multiprocessing.get_context("spawn")
    waiting = iter(numbers)
    not_ours = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        min(workers, len(numbers)),
        context,
        initializer=_as_worker,
        initargs=(logging.getLogger(falsework.__name__).level,),
    )
    running: dict[Future[FalseworkError | None], int] = {}

    def start() -> None:
        for number in waiting:
            running[pool.submit(_attempt_here, work, number)] = number
            return

    done = False
    try:
        for _ in range(workers):
            start()
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                number = running.pop(future)
                fault = future.result()
                start()
                yield number, fault
        done = True
    except BrokenProcessPool:
        raise FalseworkError(
            "a worker was killed, perhaps for want of memory",
            where="dataset build",
            todo="Run again with fewer --workers; finished buildings are kept.",
        ) from None
    finally:
        ours = set(multiprocessing.active_children()) - not_ours
        pool.shutdown(wait=done, cancel_futures=True)
        if not done:
            _end(ours)


def _end(workers: Collection[BaseProcess]) -> None:
    for worker in workers:
        worker.terminate()
    limit = time.monotonic() + GRACE
    for worker in workers:
        if not connection.wait([worker.sentinel], max(limit - time.monotonic(), 0.0)):
            with contextlib.suppress(OSError):
                worker.kill()
        worker.join(1.0)


def _as_worker(level: int) -> None:
    """As talkative as the command it works for. A worker of a run that was killed must not go on writing
    beside the next one (Linux only); told to end, it leaves by the way of errors, so that a Blender it has
    open is ended too."""
    logging.getLogger(falsework.__name__).setLevel(level)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.signal(signal.SIGTERM, _leave)
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _attempt_here(work: Work, number: int) -> FalseworkError | None:
    try:
        return attempt(work, number)
    except SystemExit:
        os._exit(LEFT)  # else the pool would take it for an outcome, and the worker wait for more


def _leave(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: leaving must not be cut short
    raise SystemExit(LEFT)
