"""SHA-256 of files for as long as one command runs: each is read once, however often it is asked for."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from falsework.errors import FalseworkError

__all__ = ["Digests"]

# What the system says of a file: device, inode, size, time of its content and of its entry.
_Seen = tuple[int, int, int, int, int]


class Digests:
    """Digests by path, never kept longer than the command.

    A file is read again as soon as the system says anything else of it than when it was read. That holds for
    the seconds of a command; it would not for a cache on the disk: times can be set, and are coarse on some
    file systems, so that another command might take a changed file for the one it knew.
    """

    def __init__(self) -> None:
        self._known: dict[Path, tuple[_Seen, str]] = {}
        self.read = 0  # files that were read

    def of(self, path: Path) -> str:
        """The file's digest in hexadecimal; FalseworkError where it cannot be read."""
        try:
            known = self._known.get(path)
            if known is not None and known[0] == _seen(os.stat(path)):
                return known[1]
            with path.open("rb") as file:
                before = _seen(os.fstat(file.fileno()))
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                after = _seen(os.fstat(file.fileno()))
        except OSError as error:
            raise FalseworkError(
                f"cannot be read ({error.strerror or error})",
                where=path,
                todo="Check the file and its permissions.",
            ) from error
        self.read += 1
        self._known.pop(path, None)
        if before == after:  # nobody wrote to it meanwhile
            self._known[path] = (after, digest)
        return digest


def _seen(stat: os.stat_result) -> _Seen:
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
