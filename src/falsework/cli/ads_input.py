"""What the `ads` commands are given to read: files, or standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from falsework.errors import FalseworkError

__all__ = ["STDIN", "not_installed", "read_input"]

STDIN = "-"
LARGEST = 16 * 1024 * 1024  # bytes; every format here is refused far below


def read_input(name: str) -> bytes:
    """A file's bytes, or those of standard input for "-". Raises `FalseworkError` with what is wrong."""
    if name == STDIN:
        body = sys.stdin.buffer.read(LARGEST + 1)
    else:
        path = Path(name)
        if not path.is_file():
            what = "is a folder, and one file is read" if path.is_dir() else "is not there"
            raise FalseworkError(what, where=name, todo="Check the name.")
        try:
            with path.open("rb") as file:
                body = file.read(LARGEST + 1)
        except OSError as error:
            raise FalseworkError(
                f"cannot be read: {error.strerror}", where=name, todo="Check its permissions."
            ) from error
    if len(body) > LARGEST:
        where = "standard input" if name == STDIN else name
        raise FalseworkError(f"has more than {LARGEST:,} bytes", where=where, todo="Give the right file.")
    return body


def not_installed(error: ImportError) -> Exception:
    """A sentence for a package of the extra `ads` that is missing; anything else is a fault of ours."""
    if (error.name or "").startswith("falsework"):
        return error
    return FalseworkError(
        f"the package {error.name or 'that is needed'} is not installed",
        where="ads",
        todo='Run `pip install "falsework[ads]"`.',
    )
