"""Generations of an index: each is built under another name, and a pointer moves to it when it is whole.

    <folder>/current           the name of the generation that is read, one line
    <folder>/000007/           a generation; readers hold a shared lock on its file `in-use`
    <folder>/000008.part/      one that is being built, or whose builder was killed
    <folder>/vectors/          what was encoded, see vectors.py
    <folder>/building          the builder's exclusive lock

Locks are flock's: the system drops them when their holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.search.index.protocol import UnreadableIndexError

__all__ = ["Reading", "begin", "building", "current", "finish", "in_use", "sweep"]

CURRENT, LOCK, IN_USE = "current", "building", "in-use"
PART, GONE = ".part", ".gone"
BUILD = "Build it: `falsework search --rebuild`."
PATIENCE = 10.0  # seconds a reader follows a pointer that moves faster than it can


@contextmanager
def building(folder: Path) -> Iterator[None]:
    """One builder at a time; FalseworkError for a second one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a+")
    except OSError as error:
        raise FalseworkError(
            f"cannot be written to ({error.strerror})",
            where=folder,
            todo="Choose a folder of your own for the index.",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise FalseworkError(
                f"another build (process {holder}) is at work on this index",
                where=folder,
                todo="Wait for it, or end it and run again; what it encoded is kept, and the index that was "
                "there serves until then.",
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def current(folder: Path) -> str | None:
    """The name of the generation that is read now; None where none was built yet."""
    try:
        name = (folder / CURRENT).read_text().strip()
        if name and not (name.isascii() and name.isdigit()):
            raise UnicodeError("its pointer names no generation")
        return name or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        raise UnreadableIndexError(
            f"holds no index that can be read ({error})", where=folder, todo=BUILD
        ) from error


def begin(folder: Path) -> Path:
    """A new, empty folder to build in. For the builder alone."""
    taken = [int(path.name.split(".")[0]) for path in folder.iterdir() if path.name.split(".")[0].isdigit()]
    part = folder / f"{max(taken, default=0) + 1:06d}{PART}"
    part.mkdir()
    (part / IN_USE).touch()
    return part


def finish(part: Path) -> Path:
    """Give a whole generation its name and move the pointer to it."""
    generation = part.with_suffix("")
    for path in part.rglob("*"):
        _to_disk(path)
    _to_disk(part)
    part.rename(generation)
    _to_disk(generation.parent)
    write_text(generation.parent / CURRENT, generation.name + "\n")
    return generation


def sweep(folder: Path, discard: Callable[[Path], None]) -> None:
    """Remove what killed builds left, and generations that are superseded and open nowhere; `discard` is
    called with each while it is still there. For the builder alone."""
    try:
        kept = current(folder)
    except UnreadableIndexError:
        kept = None  # nobody finds any of them
    for path in folder.iterdir():
        if not path.is_dir() or not path.name.split(".")[0].isdigit() or path.name == kept:
            continue
        if path.suffix in (PART, GONE):
            discard(path)
            shutil.rmtree(path, ignore_errors=True)
            continue
        with (path / IN_USE).open("a") as lock:  # made where it was lost: then nobody can be reading
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # somebody reads it
            gone = path.with_name(path.name + GONE)  # at once out of every reader's way
            path.rename(gone)
            discard(gone)
            shutil.rmtree(gone, ignore_errors=True)


class Reading:
    """A generation held open: it stays on disk until `close`, whatever is built meanwhile."""

    def __init__(self, generation: Path, descriptor: int) -> None:
        self.generation = generation
        self._descriptor: int | None = descriptor

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def in_use(folder: Path) -> Reading:
    """Hold the current generation; FalseworkError where nothing was built yet."""
    until = time.monotonic() + PATIENCE
    while True:
        name = current(folder)
        if name is None:
            raise FalseworkError("holds no index", where=folder, todo=BUILD)
        generation = folder / name
        with suppress(OSError):  # superseded and swept between two lines of this loop
            descriptor = os.open(generation / IN_USE, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(descriptor), (generation / IN_USE).stat()):
                    return Reading(generation, descriptor)
                raise OSError("another file by now")
            except OSError:
                os.close(descriptor)
                raise
        if time.monotonic() > until:
            raise UnreadableIndexError(
                f"points to the generation {name}, which is not there",
                where=folder / CURRENT,
                todo=BUILD,
            )
        time.sleep(0.01)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
