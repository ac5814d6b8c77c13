"""Seconds that a piece of work takes: by the clock and of all processors, whoever does it for us."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from types import TracebackType
from typing import Self

import psutil

from falsework.bench.rows import Work

__all__ = ["Meter"]


class Meter:
    """A context manager: `wall` seconds by the clock, `cpu` seconds of this process, of those it started and
    of those they started, whether they have ended or live on.

    Both sides of a comparison are measured by it, in the same process: a renderer within it and one in a
    process of its own count alike.
    """

    wall: float
    cpu: float

    def __enter__(self) -> Self:
        self._cpu, self._wall = _spent(), time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wall = time.perf_counter() - self._wall
        self.cpu = _spent() - self._cpu

    def work(self) -> Work:
        """What was measured, as a row holds it: to a tenth of a millisecond."""
        return Work(round(self.wall, 4), round(self.cpu, 4))


def _spent() -> float:
    """Processor seconds, user and system, up to now."""
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):  # the latter: ended and waited for
        used = resource.getrusage(who)
        total += used.ru_utime + used.ru_stime
    for child in psutil.Process(os.getpid()).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it ended meanwhile
            times = child.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total
