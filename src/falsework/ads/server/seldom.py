"""Warnings that thousands of requests a second may cause, said seldom enough to be read."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

__all__ = ["Seldom"]

SECONDS = 10.0


class Seldom(logging.Filter):
    """Lets one line of each kind (one template) through in `seconds`; the next one says how many were not."""

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds, self._clock = seconds, clock
        self._last: dict[str, tuple[float, int]] = {}  # when the last one was let through, and how many since

    def filter(self, record: logging.LogRecord) -> bool:
        kind, now = str(record.msg), self._clock()
        said, held = self._last.get(kind, (-self._seconds, 0))
        if now - said < self._seconds:
            self._last[kind] = said, held + 1
            return False
        self._last[kind] = now, 0
        if held:
            record.msg = f"{kind} (and {held} more such lines since the last)"
        return True
