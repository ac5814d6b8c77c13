"""Work in a process of its own, and the most memory it ever held."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

__all__ = ["in_a_child", "peak_bytes"]

P = ParamSpec("P")
T = TypeVar("T")


def in_a_child(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, int]:
    """What `work` returns when it is called in a fresh process, and the bytes that process held at its peak.
    `work`, its arguments and what it returns must be picklable; its exceptions are raised here."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        answer = pool.submit(work, *args, **kwargs).result()
        return answer, pool.submit(peak_bytes).result()


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
