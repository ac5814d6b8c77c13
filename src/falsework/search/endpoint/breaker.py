"""Leaving an endpoint alone for a while after it has failed several times in a row."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from falsework.search.endpoint.errors import EndpointError

__all__ = ["Breaker"]


class Breaker:
    """Open after `failures` in a row, for `rest` seconds; then one request may try, and the others follow it.

    (Nygard, Release It!, "Circuit Breaker".) Safe for several threads.
    """

    def __init__(self, failures: int, rest: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures = failures
        self._rest = rest
        self._clock = clock
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._closed_at = 0.0  # on the clock: until then nobody asks

    def check(self) -> None:
        """An EndpointError while the endpoint is left alone."""
        with self._lock:
            if self._in_a_row < self._failures:
                return
            now = self._clock()
            if now < self._closed_at:
                raise EndpointError(
                    "is left alone for a while after failing repeatedly", charge="nothing", trips=False
                )
            self._closed_at = (
                now + self._rest
            )  # this one tries; whoever comes meanwhile waits for the outcome

    def failed(self) -> None:
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row >= self._failures:
                self._closed_at = self._clock() + self._rest

    def answered(self) -> None:
        with self._lock:
            self._in_a_row = 0
