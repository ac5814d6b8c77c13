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
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from falsework.errors import FalseworkError

__all__ = ["MOST_FILES", "Listed", "canonical_list", "digest_of", "list_files", "parse_names", "strangers"]

MOST_FILES = 200_000
BLOCK = 1 << 20
SAFE_NAME = re.compile(r"[^\x00-\x1f\x7f\\]{1,1024}")


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
        if outside or not SAFE_NAME.fullmatch(name) or not re.fullmatch(r"[0-9a-f]{64}", sha256):
            return None
        listed.append(Listed(name, size, sha256))
    names = [each.name for each in listed]
    return tuple(listed) if names == sorted(set(names)) else None


def strangers(listed: Sequence[Listed], folder: Path) -> tuple[str, ...]:
    """Files that pass for frames of the sequence and are not on its list: same name but for the number."""
    known = {each.name for each in listed}
    families = {_family(name) for name in known} - {None}
    places = {str(PurePosixPath(name).parent) for name in known}
    found = []
    for place in sorted(places):
        try:
            entries = [entry.name for entry in os.scandir(folder / place) if entry.is_file()]
        except OSError:
            continue
        for entry in entries:
            name = entry if place == "." else f"{place}/{entry}"
            if name not in known and _family(name) in families:
                found.append(name)
    return tuple(sorted(found))


def digest_of(path: Path) -> tuple[int, str]:
    """Size in bytes and SHA-256 of a file."""
    size, digest = 0, hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                size += len(block)
                digest.update(block)
    except OSError as error:
        raise FalseworkError(f"cannot be read ({error.strerror})", where=path) from None
    return size, digest.hexdigest()


def _family(name: str) -> tuple[str, str] | None:
    """A frame's name without its number: ("exr/shot.", ".exr") of "exr/shot.1001.exr"."""
    found = re.fullmatch(r"(.*?)(\d+)(\.[^./]+)", name)
    return (found[1], found[3]) if found else None


def _checked(name: str, path: Path) -> str:
    if not SAFE_NAME.fullmatch(name) or ":" in name:
        raise FalseworkError(
            "has a name that a list of digests cannot hold",
            where=path,
            todo="Rename it: no backslash, colon, line break or control character.",
        )
    return name
