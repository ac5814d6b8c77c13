"""Where a delivery lies: what may be replaced there, and how the finished one takes its name."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

from falsework.errors import FalseworkError
from falsework.rights.digests import Digests
from falsework.rights.state import State

__all__ = ["ANCHOR", "alone", "check_place", "put_in_place"]

ANCHOR = "ledger.anchor.jsonl"
LOCK = ".falsework.lock"
MOST_NAMED = 3


def check_place(folder: Path, state: State, digests: Digests) -> None:
    """Only a delivery on record is ever replaced, with its files as they were delivered and nothing else.

    FalseworkError where the folder holds what no delivery put there, or what somebody changed in one since:
    it would be lost.
    """
    if not os.path.lexists(folder):
        return
    if not folder.is_dir() or folder.is_symlink():
        raise FalseworkError(
            "is no delivery, and is left alone",
            where=folder,
            todo="Give a folder that is empty or not there yet with --out.",
        )
    found = _within(folder)
    if found and ANCHOR not in found:
        raise FalseworkError(
            "holds something that is no delivery, and is left alone",
            where=folder,
            todo="Give a folder that is empty or not there yet with --out.",
        )
    delivered: dict[str, set[str]] = {}
    for one in state.assets.values():
        for name, digest in one.parts.items() if one.type == "delivery" else ():
            delivered.setdefault(name, set()).add(digest)
    others = [name for name in found if not _as_delivered(folder / name, delivered.get(name), digests)]
    if not others:
        return
    named = ", ".join(others[:MOST_NAMED])
    more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    raise FalseworkError(
        f"holds what no delivery put there, or not as it is now ({named}{more}), and is left alone",
        where=folder,
        todo="Move it elsewhere and deliver again, or deliver to another folder with --out.",
    )


def _within(folder: Path) -> list[str]:
    """All that lies in a folder, from there: files, links, and folders that hold nothing."""
    found = []
    for base, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(base) / name).is_symlink()]
        found += [(Path(base) / name).relative_to(folder).as_posix() for name in (*names, *links)]
        if not (folders or names) and Path(base) != folder:
            found.append(Path(base).relative_to(folder).as_posix())
    return sorted(found)


def _as_delivered(path: Path, known: Container[str] | None, digests: Digests) -> bool:
    """Whether a file holds what a delivery put there under its name."""
    if known is None or path.is_symlink() or not path.is_file():
        return False
    return digests.of(path) in known


def put_in_place(part: Path, folder: Path) -> None:
    """The finished folder takes its name; an earlier one is moved aside first, so that none is ever half."""
    old = folder.with_name(f".old-{folder.name}")
    shutil.rmtree(old, ignore_errors=True)
    try:
        if folder.exists():
            folder.rename(old)
        os.rename(part, folder)
    except OSError as error:
        if old.exists() and not os.path.lexists(folder):
            old.rename(folder)
        raise FalseworkError(
            f"the delivery could not take its place ({error.strerror or error})",
            where=folder,
            todo="Check the folder's permissions and the disk, and deliver again.",
        ) from error
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While this holds, no other process is within it for the same folder; they wait for each other."""
    descriptor = _locked(folder)
    try:
        yield
    finally:
        os.close(descriptor)


def _locked(folder: Path) -> int:
    """A handle that holds the folder's lock: on the folder itself, or, where the file system gives no lock on
    what is open for reading only (NFS), on a file in it, which stays there."""
    try:
        return _lock(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        try:
            return _lock(folder / LOCK, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise FalseworkError(
                f"cannot be locked against another delivery at the same time ({error.strerror or error})",
                where=folder,
                todo="Check its permissions, or deliver to another disk with --out.",
            ) from error


def _lock(path: Path, flags: int) -> int:
    descriptor = os.open(path, flags, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
