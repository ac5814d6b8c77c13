"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from falsework.errors import FalseworkError

__all__ = ["whole_file", "write_bytes", "write_text"]


@contextmanager
def whole_file(path: Path, *, suffix: str = ".part") -> Iterator[Path]:
    """Yields a path in the same folder to write to; it takes the final name when the block ends well.

    The part's name is the final one plus `suffix`; libraries that tell the format from a name may be given
    a suffix such as ".part.usd". A part left behind by a killed run is overwritten by the next. An OSError
    (a full disk, a folder that may not be written to) becomes a FalseworkError; after any error the part
    is removed and what stood under the final name before is untouched.
    """
    part = path.with_name(path.name + suffix)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        yield part
        # Without this a power cut can leave the final name on an empty file.
        with part.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(part, path)
    except OSError as error:
        raise _explained(error, path) from error
    finally:
        with suppress(OSError):  # tidying up must not hide the error that made it necessary
            part.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a small file whole."""
    with whole_file(path) as part:
        part.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a small text file whole, as UTF-8 with plain line feeds."""
    write_bytes(path, content.encode())


def _explained(error: OSError, path: Path) -> FalseworkError:
    """The sentence for a failed write."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FalseworkError(
            "could not be written: the disk is full",
            where=path,
            todo="Free some space or choose another --out and run again; finished work is kept.",
        )
    if error.errno == errno.EFBIG:
        return FalseworkError(
            "could not be written: the file would be larger than is allowed here",
            where=path,
            todo="Raise the limit on file size (`ulimit -f`) and run again; finished work is kept.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return FalseworkError(
            "could not be written: the folder may not be written to",
            where=path,
            todo="Choose a folder of your own with --out.",
        )
    return FalseworkError(
        f"could not be written ({error.strerror or error})",
        where=path,
        todo="Check the folder and the disk, and run again; finished work is kept.",
    )
