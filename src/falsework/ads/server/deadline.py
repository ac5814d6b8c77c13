"""The time an answer has. What is not finished by then is answered with what the house has."""

from __future__ import annotations

import time

__all__ = ["LONGEST", "Deadline"]

LONGEST = 0.050  # seconds from a request's arrival to its answer
KEPT_BACK = 0.005  # seconds of them for writing the answer


class Deadline:
    """Begins when it is made, on this machine's steady clock; `seconds` can only shorten it."""

    def __init__(self, seconds: float = LONGEST) -> None:
        self._ends = time.perf_counter() + min(seconds, LONGEST) - KEPT_BACK

    @classmethod
    def none(cls) -> Deadline:
        """For somebody who is not waiting to see an advertisement."""
        made = cls()
        made._ends = float("inf")
        return made

    def left(self) -> float:
        """Seconds, 0.0 when it is past."""
        return max(self._ends - time.perf_counter(), 0.0)

    def shortened(self, milliseconds: int | None) -> Deadline:
        """By what the asker waits (`tmax`), where it says so; counted from now."""
        if milliseconds:
            self._ends = min(self._ends, time.perf_counter() + milliseconds / 1000 - KEPT_BACK)
        return self
