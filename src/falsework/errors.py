"""Errors meant for people: what is wrong, where, and what to do about it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["FalseworkError"]


class FalseworkError(Exception):
    """Something the user can mend. The command line prints it as a sentence and exits with code 2.

    `what` is the fault, `where` the file and key (or the stage) it was found in, `todo` the next step.
    """

    def __init__(self, what: str, *, where: str | Path = "", todo: str = "") -> None:
        self.what = what
        self.where = str(where)
        self.todo = todo
        super().__init__(self.sentence())

    def sentence(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head.rstrip('.')}. {self.todo}".strip()
