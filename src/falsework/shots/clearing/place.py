"""Where a delivery lies: what may be replaced there, and how the finished one takes its name."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from falsework.errors import FalseworkError
from falsework.rights.state import State

__all__ = ["ANCHOR", "alone", "check_place", "put_in_place"]

ANCHOR = "ledger.anchor.jsonl"
MOST_NAMED = 3


def check_place(folder: Path, state: State) -> None:
    """Only a delivery on record is ever replaced, and only with nothing else in its folder.

    FalseworkError where the folder holds what no delivery put there: it would be lost.
    """
    if not os.path.lexists(folder):
        return
    if not folder.is_dir() or folder.is_symlink():
        raise FalseworkError(
            "is no delivery, and is left alone",
            where=folder,
            todo="Give a folder that is empty or not there yet with --out.",
        )
    delivered = {name for one in state.assets.values() if one.type == "delivery" for name in one.parts}
    found = sorted(
        (Path(base) / name).relative_to(folder).as_posix()
        for base, _, names in os.walk(folder)
        for name in names
    )
    others = [name for name in found if name not in delivered]
    if found and ANCHOR not in found:
        raise FalseworkError(
            "holds something that is no delivery, and is left alone",
            where=folder,
            todo="Give a folder that is empty or not there yet with --out.",
        )
    if not others:
        return
    named = ", ".join(others[:MOST_NAMED])
    more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    raise FalseworkError(
        f"holds what no delivery put there ({named}{more}), and is left alone",
        where=folder,
        todo="Move it elsewhere and deliver again, or deliver to another folder with --out.",
    )


def put_in_place(part: Path, folder: Path) -> None:
    """The finished folder takes its name; an earlier one is moved aside first, so that none is ever half."""
    old = folder.with_name(f".old-{folder.name}")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    os.rename(part, folder)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While this holds, no other process is within it for the same folder; they wait for each other."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
