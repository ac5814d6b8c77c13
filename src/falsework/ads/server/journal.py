"""From what a worker decides and is told to its log, behind the answers.

Records are made a few at a time between requests, so that none of those waits for a thousand of them; only
the writing, which may wait for a disk or a broker, has a thread of its own.
"""

from __future__ import annotations

import threading
from collections import deque

from falsework.ads.decision.engine import Decision
from falsework.ads.measurement.exposure import Happened, exposures
from falsework.ads.state.events import EventLog

__all__ = ["Journal"]

AT_A_TIME = 100  # decisions and events made into records
MOST_WAITING = 100_000  # of them, for a log that takes nothing; beyond, the oldest go
MOST_ENCODED = 20_000  # records for it


class Journal:
    """`log` None: nothing is kept."""

    def __init__(self, log: EventLog | None) -> None:
        self._log = log
        self._waiting: deque[Decision | Happened] = deque(maxlen=MOST_WAITING)
        # Only ever extended at its end and cut at its beginning, so that breaks go on while a write waits.
        self._encoded: list[bytes] = []
        self._writing = threading.Lock()  # a server that ends may find its last write under way

    def add(self, one: Decision | Happened) -> None:
        """Any thread may."""
        if self._log is not None:
            self._waiting.append(one)

    def encode(self, most: int = AT_A_TIME) -> None:
        """Make records of the next of what was added."""
        if self._log is None:
            return
        for _ in range(min(most, len(self._waiting))):
            if len(self._encoded) >= MOST_ENCODED:
                return
            one = self._waiting.popleft()
            records = [one] if isinstance(one, Happened) else exposures(one)
            self._encoded.extend([self._log.encoded(record) for record in records])

    def write(self) -> None:
        """Those made so far. A `FalseworkError` where they cannot be written: they are tried again with the
        next."""
        if self._log is None:
            return
        with self._writing:
            some = self._encoded[:]
            if some:
                self._log.write(some)
                del self._encoded[: len(some)]

    def close(self) -> None:
        """Write all that is left. A `FalseworkError` where that cannot be; the log is closed all the same."""
        if self._log is None:
            return
        try:
            while self._waiting or self._encoded:
                self.encode(len(self._waiting))
                self.write()
        finally:
            self._log.close()
