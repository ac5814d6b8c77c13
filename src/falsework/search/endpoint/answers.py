"""Answers of the endpoint kept for a while, so that the same wish is not paid for twice."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from falsework.search.endpoint.settings import CacheLimits

__all__ = ["Answers", "key_of", "normalised"]

DAY = 86_400.0
WAIT = 0.2  # seconds for another process's write: longer is worse than asking again
LONGEST = 100_000  # characters of an answer that is kept
SCHEMA = "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, at REAL NOT NULL, answer TEXT NOT NULL)"
BY_AGE = "CREATE INDEX IF NOT EXISTS answers_at ON answers (at)"


def normalised(text: str) -> str:
    """A wish without what makes no difference to it: forms of letters, capitals, blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def key_of(**parts: Any) -> str:
    """A digest of everything an answer depends on. What was asked is not kept, only this."""
    canonical = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


class Answers:
    """A file of answers by key, bounded in number and age; the oldest go first. Safe for several processes.

    It only ever saves work: what cannot be read is as if it were not there, and a damaged file is begun anew.
    """

    def __init__(self, path: Path, limits: CacheLimits, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._limits = limits
        self._clock = clock

    def get(self, key: str) -> str | None:
        if not self._limits.entries:
            return None
        found: str | None = None
        with suppress(OSError, sqlite3.Error), self._open() as connection:
            row = connection.execute(
                "SELECT answer FROM answers WHERE key = ? AND at > ?", (key, self._oldest())
            ).fetchone()
            found = str(row[0]) if row else None
        return found

    def put(self, key: str, answer: str) -> None:
        if not self._limits.entries or len(answer) > LONGEST:
            return
        with suppress(OSError, sqlite3.Error, UnicodeError), self._open() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (key, self._clock(), answer)
            )
            connection.execute("DELETE FROM answers WHERE at <= ?", (self._oldest(),))
            connection.execute(
                "DELETE FROM answers WHERE key IN "
                "(SELECT key FROM answers ORDER BY at DESC LIMIT -1 OFFSET ?)",
                (self._limits.entries,),
            )

    def forget(self, key: str) -> None:
        """An answer that was kept and has proved of no use."""
        with suppress(OSError, sqlite3.Error), self._open() as connection:
            connection.execute("DELETE FROM answers WHERE key = ?", (key,))

    def _oldest(self) -> float:
        return self._clock() - self._limits.days * DAY

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(self._path, timeout=WAIT)) as connection, connection:
                connection.execute(SCHEMA)
                connection.execute(BY_AGE)
                yield connection
        except sqlite3.DatabaseError as error:
            if not isinstance(error, sqlite3.OperationalError):  # that is a lock or a full disk, not damage
                self._path.unlink(missing_ok=True)
            raise
