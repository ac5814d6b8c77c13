"""A folder of signed files: every sidecar with its sequence, every picture, movie and sound by itself.

What is unsigned counts only where it could be signed: a form that carries credentials in itself, or a file
that lies among those of a signed sequence and passes for one. A plate or a scene file beside them is listed,
no more.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from falsework.errors import FalseworkError
from falsework.rights import reading
from falsework.rights.forms import holds_store, media_type
from falsework.rights.sequence import Listed
from falsework.rights.verification import EXIT_CODES, State, Verification, listed_by, verify

__all__ = ["FolderVerification", "Unreadable", "verify_folder"]

MOST_FILES = 200_000  # in the folder and below it
MOST_CHECKED = 5_000  # each takes a process of its own, and some 0.3 s
AT_ONCE = 4
SIDECAR, LIST = ".c2pa", ".sha256"
# Documents and archives may carry credentials too; hardly any does, so one that does not is no finding.
PICTURES = (
    ".png",
    ".jpg",
    ".jpeg",
    ".tif",
    ".tiff",
    ".webp",
    ".gif",
    ".avif",
    ".heic",
    ".heif",
    ".jxl",
    ".dng",
)
MOVIES_AND_SOUND = (".mp4", ".m4v", ".mov", ".avi", ".mp3", ".wav", ".m4a", ".flac")
CARRIERS = frozenset((*PICTURES, *MOVIES_AND_SOUND))
UNREADABLE = 2
GRAVITY = (
    EXIT_CODES["trusted"],
    EXIT_CODES["valid"],
    EXIT_CODES["unsigned"],
    UNREADABLE,
    EXIT_CODES["invalid"],
)


@dataclass(frozen=True)
class Unreadable:
    """A file that could not be checked, and the sentence that says why."""

    path: str
    why: str


@dataclass(frozen=True)
class FolderVerification:
    """The outcome for each file that was checked; a sidecar's stands for all files of its sequence.

    others  files that carry no credentials and could carry none by themselves
    """

    path: str
    files: tuple[Verification, ...]
    unreadable: tuple[Unreadable, ...]
    others: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """The gravest: invalid, then unreadable, unsigned, valid, trusted. An empty folder is unsigned."""
        codes = [one.exit_code for one in self.files] + [UNREADABLE] * bool(self.unreadable)
        return max(codes, key=GRAVITY.index, default=EXIT_CODES["unsigned"])

    @property
    def state(self) -> State | None:
        """The same as a word; None where the gravest is that a file could not be read."""
        return next((state for state, code in EXIT_CODES.items() if code == self.exit_code), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "state": self.state,
            "files": [one.to_json() for one in self.files],
            "unreadable": [{"path": one.path, "why": one.why} for one in self.unreadable],
            "others": list(self.others),
            "exit_code": self.exit_code,
        }


def verify_folder(
    folder: Path,
    *,
    anchors: str = "",
    limits: reading.Limits = reading.DEFAULT_LIMITS,
    isolated: bool = True,
) -> FolderVerification:
    """Check every signed or signable file in a folder and below it; links are not followed."""
    files = _files(folder)
    sidecars = [path for path in files if path.suffix.lower() == SIDECAR]
    sequences = {path: _sequence(path, limits, isolated) for path in sidecars}
    covered = {path.with_suffix(LIST) for path in sidecars}
    for path, listed in sequences.items():
        covered |= {path.parent / one.name for one in listed}
    among = {
        ((path.parent / one.name).parent, Path(one.name).suffix.lower())
        for path, listed in sequences.items()
        for one in listed
    }
    alone = [path for path in files if path not in covered and path.suffix.lower() != SIDECAR]
    bare = [path for path in alone if (path.parent, path.suffix.lower()) in among]
    until = time.monotonic() + limits.longest
    single = [path for path in alone if path not in set(bare) and _carries(path, until)]
    checked = sorted([*sidecars, *bare, *single])
    if len(checked) > MOST_CHECKED:
        raise FalseworkError(
            f"holds {len(checked):,} files to check", where=folder, todo="Check a part of it at a time."
        )

    def check(path: Path) -> Verification | Unreadable:
        try:
            return verify(path, anchors=anchors, limits=limits, isolated=isolated)
        except FalseworkError as error:
            return Unreadable(str(path), f"{error.what}. {error.todo}".strip())

    # The reading library runs in processes of its own; in this one it is not known to bear threads.
    with ThreadPoolExecutor(max_workers=AT_ONCE if isolated else 1) as pool:
        outcomes = list(pool.map(check, checked))
    # A single file with a sidecar of its own is checked with it, and once.
    found = {(one.path, one.sidecar): one for one in outcomes if isinstance(one, Verification)}
    seen = {*checked, *(Path(one.path) for one in found.values())}
    return FolderVerification(
        str(folder),
        tuple(found.values()),
        tuple(one for one in outcomes if isinstance(one, Unreadable)),
        tuple(str(path) for path in alone if path not in seen),
    )


def _files(folder: Path) -> list[Path]:
    found: list[Path] = []
    for path in _walked(folder):
        found.append(path)
        if len(found) > MOST_FILES:
            raise FalseworkError(
                f"holds more than {MOST_FILES:,} files", where=folder, todo="Check a part of it at a time."
            )
    return sorted(found)


def _walked(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise FalseworkError(f"cannot be read ({error.strerror})", where=error.filename or folder) from error

    for place, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(place) / name
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


def _sequence(sidecar: Path, limits: reading.Limits, isolated: bool) -> tuple[Listed, ...]:
    try:
        return listed_by(sidecar, limits=limits, isolated=isolated)
    except FalseworkError:
        return ()  # it is told as unreadable when it is checked itself


def _carries(path: Path, until: float) -> bool:
    """Whether a file carries credentials, or should; what the library cannot read is not looked into."""
    try:
        if path.suffix.lower() in CARRIERS:
            return True
        return media_type(path) is not None and holds_store(path, until=until)
    except (OSError, TimeoutError):
        return True  # what cannot be looked into is said to be so by the check itself
