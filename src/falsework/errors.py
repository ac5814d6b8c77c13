"""Errors meant for people: what is wrong, where, and what to do about it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

__all__ = ["FalseworkError", "shown"]

# Unicode's categories of control and formatting, line and paragraph ends, and of what UTF-8 cannot write.
STEERING = ("Cc", "Cf", "Zl", "Zp", "Cs")


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
        return shown(f"{head.rstrip('.')}. {self.todo}".strip())


def shown(text: str) -> str:
    """Text with its control and formatting characters written out (\\u202e): in a file's name they could
    steer a terminal or turn a line around. So are lone surrogates, which nothing can be written with. JSON
    stays JSON, and lines stay lines."""
    return "".join(
        each if each in "\n\t" or unicodedata.category(each) not in STEERING else _written_out(each)
        for each in text
    )


def _written_out(character: str) -> str:
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
