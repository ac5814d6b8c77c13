"""The list of files that a sidecar binds: one line for each, in the form that `sha256sum --check` reads.

C2PA has no form for EXR, and its form for collections is implemented for ZIP archives alone. So a sequence's
sidecar is a C2PA manifest over this list: the manifest's hash binds the list, the list's digests bind every
file. Any C2PA reader can check the first step (sidecar NAME.c2pa, asset NAME.sha256), and `sha256sum --check
NAME.sha256` the second, without this software. The list stands in the manifest as well, so that the sidecar
alone is enough here.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from falsework.errors import FalseworkError

__all__ = [
    "MOST_FILES",
    "Added",
    "Listed",
    "added_files",
    "canonical_list",
    "digest_of",
    "list_files",
    "parse_names",
]

MOST_FILES = 200_000
BLOCK = 1 << 20
STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control, formatting, halves of characters, line breaks
LONGEST_NAME = 1024


@dataclass(frozen=True)
class Listed:
    """A file of the sequence: `name` relative to the sidecar's folder, with forward slashes."""

    name: str
    size: int
    sha256: str


def list_files(files: Sequence[Path], folder: Path) -> tuple[Listed, ...]:
    """Digest every file, sorted by name. All must lie in `folder`, where the sidecar will stand."""
    if not files:
        raise FalseworkError("there are no files to sign", where=folder)
    base = folder.resolve()
    named: dict[str, Path] = {}
    for path in files:
        try:
            name = path.resolve().relative_to(base).as_posix()
        except ValueError:
            raise FalseworkError(
                "lies outside the folder of its sidecar",
                where=path,
                todo=f"Put the sidecar into a folder that holds the whole sequence, not into {folder}.",
            ) from None
        named[_checked(name, path)] = path
    names = sorted(named)
    # hashlib lets other threads run while it digests.
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        digests = list(pool.map(lambda name: digest_of(named[name]), names))
    return tuple(Listed(name, size, sha256) for name, (size, sha256) in zip(names, digests, strict=True))


def canonical_list(listed: Iterable[Listed]) -> bytes:
    """The bytes that are signed: "digest, two spaces, name" a line, sorted by name."""
    return "".join(f"{each.sha256}  {each.name}\n" for each in listed).encode()


def parse_names(data: object) -> tuple[Listed, ...] | None:
    """The list as a manifest holds it; None where it is no such list. Names are checked not to lead out."""
    if not isinstance(data, Mapping) or data.get("algorithm") != "sha256":
        return None
    files = data.get("files")
    if not isinstance(files, list) or not 0 < len(files) <= MOST_FILES:
        return None
    listed = []
    for each in files:
        if not isinstance(each, Mapping):
            return None
        name, size, sha256 = each.get("name"), each.get("size"), each.get("sha256")
        if not isinstance(name, str) or not isinstance(size, int) or not isinstance(sha256, str):
            return None
        path = PurePosixPath(name)
        outside = (
            path.is_absolute() or ".." in path.parts or path.as_posix() != name or name == "." or ":" in name
        )
        if outside or not _safe(name) or not re.fullmatch(r"[0-9a-f]{64}", sha256):
            return None
        listed.append(Listed(name, size, sha256))
    names = [each.name for each in listed]
    return tuple(listed) if names == sorted(set(names)) else None


@dataclass(frozen=True)
class Added:
    """Files that lie among those of a sequence and are not on its list.

    strangers  that pass for one of its files, or would be taken along with them
    takes      numbered files of another beginning: another take or layer, which the sequence says nothing of
    """

    strangers: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


def added_files(listed: Sequence[Listed], folder: Path) -> Added:
    """Look beside the listed files and below them. Letter case, separators and what follows the number make
    no difference: a file system or a program that reads frames may well take the file for a frame."""
    known = {each.name for each in listed}
    suffixes = {PurePosixPath(name).suffix.casefold() for name in known}
    beginnings = _beginnings(known)
    places = {str(PurePosixPath(name).parent) for name in known}
    strangers, takes = [], []
    for name in _below(folder, sorted(places)):
        path = PurePosixPath(name)
        if name in known or path.suffix.casefold() not in suffixes:
            continue
        passes = _begins(path.stem, beginnings)
        if str(path.parent) not in places:
            if passes:
                strangers.append(name)
        elif passes or (beginnings and not any(each.isdigit() for each in path.stem)):
            strangers.append(name)
        else:
            takes.append(name)
    return Added(tuple(sorted(strangers)), tuple(sorted(takes)))


def _below(folder: Path, places: Sequence[str]) -> Iterator[str]:
    """Names, relative to the folder, of all files in some of its folders and below those."""
    seen: set[str] = set()
    number = 0
    for place in places:
        for at, folders, names in os.walk(folder / place):
            folders.sort()
            for name in sorted(names):
                number += 1
                if number > 2 * MOST_FILES:
                    raise FalseworkError("holds more files than are looked at here", where=folder)
                found = (Path(at) / name).relative_to(folder).as_posix()
                if found not in seen:
                    seen.add(found)
                    yield found


def _beginnings(names: Iterable[str]) -> frozenset[str]:
    """How the files of each numbered run begin, without the number: "shot" of shot.1001.exr to shot.1096.exr.

    Files are of one run that differ in their numbers alone. The number that tells them apart is the first
    in which they differ; of a single file, the last there is.
    """
    runs: dict[str, list[str]] = {}
    for name in names:
        stem = PurePosixPath(name).stem
        runs.setdefault(re.sub(r"\d+", "#", stem), []).append(stem)
    found = set()
    for run, stems in runs.items():
        if "#" not in run:
            continue
        first, last = min(stems), max(stems)
        apart = (place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
        same = next(apart, len(first))
        common = first[:same] if len(stems) > 1 else first[: _last_number(first)]
        found.add(_letters(re.sub(r"\d+$", "", common)))
    return frozenset(found)


def _last_number(stem: str) -> int:
    return [each.start() for each in re.finditer(r"\d+", stem)][-1]


def _begins(stem: str, beginnings: Iterable[str]) -> bool:
    """Whether a name is one of these beginnings with a number after it."""
    told = _letters(stem)
    return any(re.match(re.escape(each) + r"\d", told) for each in beginnings)


def _letters(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())


def digest_of(path: Path, until: float | None = None) -> tuple[int, str]:
    """Size in bytes and SHA-256 of a file; FalseworkError where it is not read by `until` (monotonic)."""
    size, digest = 0, hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                if until is not None and time.monotonic() > until:
                    raise FalseworkError(
                        "could not be read in the time that its size allows",
                        where=path,
                        todo="Nothing is known about it. Copy the files to a faster disk and check there.",
                    )
                size += len(block)
                digest.update(block)
    except OSError as error:
        raise FalseworkError(f"cannot be read ({error.strerror})", where=path) from None
    return size, digest.hexdigest()


def _safe(name: str) -> bool:
    """A name that a list can hold, and that cannot steer a terminal or read as another one."""
    steering = any(unicodedata.category(each) in STEERING for each in name)
    return 0 < len(name) <= LONGEST_NAME and "\\" not in name and not steering


def _checked(name: str, path: Path) -> str:
    if not _safe(name) or ":" in name:
        raise FalseworkError(
            "has a name that a list of digests cannot hold",
            where=path,
            todo="Rename it: no backslash, colon, line break or control character.",
        )
    return name
