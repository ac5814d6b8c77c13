"""Words for whoever reads the output, whatever they read it with."""

from __future__ import annotations

import os
import sys

__all__ = ["write_out"]


def write_out(text: str) -> None:
    """To standard output. Neither a reader that has gone (`| head`), nor a name that the terminal's encoding
    cannot show, changes how a command ends: exit codes mean something."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
