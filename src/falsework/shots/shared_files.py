"""One file under two names: in the store, and where it is delivered.

A copy of a shot's EXRs would take gigabytes, so they share their content with the store. On disks that can do
it (Btrfs, XFS) they are clones, and an edit of one leaves the other alone. Elsewhere they are hard links:
made read-only, and sealed, so that one edited in place all the same is noticed and made anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from falsework.delivery.manifest import sha256
from falsework.media.atomic import whole_file, write_text

__all__ = ["drop_altered", "give", "seal"]

SEALS = "seals.json"
FICLONE = 0x40049409  # Linux' ioctl_ficlone(2)
READ_ONLY = 0o444


def give(source: Path, target: Path, *, share: bool) -> None:
    """Give a file of the store its delivered name; with `share` without a second copy where the disk can do
    that. What is not shared is anybody's to edit."""
    if not share:
        with whole_file(target) as part:
            shutil.copyfile(source, part)
        return
    if target.exists() and target.samefile(source):
        source.chmod(READ_ONLY)
        return
    with whole_file(target) as part:
        if _cloned(source, part):
            return
        try:
            os.link(source, part)
            source.chmod(READ_ONLY)
        except OSError:  # another disk, or one without links
            shutil.copyfile(source, part)


def _cloned(source: Path, target: Path) -> bool:
    """A copy that shares its blocks with the source until one of them is written to."""
    with source.open("rb") as content, target.open("wb") as clone, contextlib.suppress(OSError):
        fcntl.ioctl(clone.fileno(), FICLONE, content.fileno())
        return True
    target.unlink()
    return False


def seal(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Note what files of a store's folder hold before they are given away; returns their SHA-256 by name.

    A file whose size and time are as noted is taken to be what it was.
    """
    seals = _seals(folder)
    before = dict(seals)
    digests: dict[str, str] = {}
    for name in names:
        path = folder / name
        size, modified, digest = seals.get(name, (-1, -1, ""))
        state = path.stat()
        if (state.st_size, state.st_mtime_ns) != (size, modified):
            digest = sha256(path)
            seals[name] = (state.st_size, state.st_mtime_ns, digest)
        digests[name] = digest
    if seals != before:
        write_text(folder / SEALS, json.dumps(seals))
    return digests


def drop_altered(folder: Path) -> list[str]:
    """Remove files that no longer hold what was sealed, so that they are made again; returns their names."""
    altered: list[str] = []
    for name, (size, modified, digest) in _seals(folder).items():
        path = folder / name
        try:
            state = path.stat()
        except FileNotFoundError:
            continue
        if (state.st_size, state.st_mtime_ns) != (size, modified) and sha256(path) != digest:
            path.unlink()
            altered.append(name)
    return altered


def _seals(folder: Path) -> dict[str, tuple[int, int, str]]:
    try:
        noted = json.loads((folder / SEALS).read_bytes())
        return {name: (int(size), int(time), str(digest)) for name, (size, time, digest) in noted.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
