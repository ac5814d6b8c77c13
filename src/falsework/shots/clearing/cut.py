"""A cut: the frames a run left in its folder, known by what they hold."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from falsework.delivery.manifest import sha256
from falsework.errors import FalseworkError
from falsework.rights.records import asset_id, canonical

__all__ = ["MANIFEST", "Cut", "beside", "cut_in", "cut_of", "missing_frame", "spread", "unreadable_frame"]

MANIFEST = "manifest.json"
FRAME = re.compile(r"exr/[^/\\]+\.exr")
BESIDE = re.compile(r"plate/[^/\\]+\.exr|motion\.usd|solve\.json")


@dataclass(frozen=True)
class Cut:
    """Frames by relative path with the SHA-256 of each, and the id that follows from them alone."""

    folder: Path
    frames: dict[str, str]

    @property
    def id(self) -> str:
        """The asset's id: SHA-256 of the frames' names and digests. A changed pixel makes another cut."""
        return asset_id(hashlib.sha256(canonical(self.frames)).hexdigest())

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(self.folder / name for name in self.frames)


def cut_of(folder: Path) -> Cut:
    """The cut as the manifest of a finished run lists it."""
    return Cut(folder, _frames(folder))


def beside(folder: Path) -> dict[str, str]:
    """What a finished run lists of which a compositor needs more than the frames, with the digest of each."""
    return _listed(folder, BESIDE)


def cut_in(folder: Path) -> Cut:
    """The cut as its frames are now, read again from the disk.

    Raises FalseworkError where a frame is missing.
    """
    frames = {}
    for name in _frames(folder):
        path = folder / name
        try:
            there = path.is_file()
            frames[name] = sha256(path) if there else ""
        except OSError as error:  # a name that is too long for a file, a file nobody may read
            raise unreadable_frame(path, error) from error
        if not there:
            raise missing_frame(path)
    return Cut(folder, frames)


def missing_frame(path: Path) -> FalseworkError:
    """What is said of a frame that is not there."""
    return FalseworkError(
        "a frame of the cut is missing", where=path, todo="Run `falsework make` again: it brings it back."
    )


def unreadable_frame(path: Path, error: OSError) -> FalseworkError:
    """What is said of a frame that is there and is no readable file."""
    return FalseworkError(
        f"a frame of the cut cannot be read ({error.strerror or error})",
        where=path,
        todo="Move it away and run `falsework make` again: it brings it back.",
    )


def spread(cut: Cut, count: int) -> tuple[str, ...]:
    """The names of `count` of its frames that stand for all of it: evenly over the cut, the first and the
    last among them; all, where there are no more."""
    names = tuple(cut.frames)
    if len(names) <= count:
        return names
    return tuple(names[round(step * (len(names) - 1) / (count - 1))] for step in range(count))


def _frames(folder: Path) -> dict[str, str]:
    frames = _listed(folder, FRAME)
    if not frames:
        raise FalseworkError(
            "holds no frames", where=folder, todo="Run `falsework make` to its end, without --until."
        )
    return frames


def _listed(folder: Path, which: re.Pattern[str]) -> dict[str, str]:
    """The files of a run's manifest whose names are such, with the digests it gives."""
    path = folder / MANIFEST
    try:
        files = json.loads(path.read_bytes())["files"]
        found = {name: str(digest) for name, digest in files.items() if which.fullmatch(name)}
    except FileNotFoundError:
        raise FalseworkError(
            "nothing has been made here yet", where=folder, todo="Run `falsework make SHOT.toml` first."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FalseworkError(
            f"is not a readable manifest ({type(error).__name__})",
            where=path,
            todo="Run `falsework make` again.",
        ) from None
    return dict(sorted(found.items()))
