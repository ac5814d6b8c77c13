"""The files that `production.toml` names: found in its folder, hashed, and bound to what was said of them.

A path says which file is meant, and a file that takes its path later is another one: nothing that was granted
or declared of the first is taken to be true of it until a person names it by its hash.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from pathlib import Path

from falsework.errors import FalseworkError
from falsework.rights.digests import Digests
from falsework.rights.production import FILE_NAME
from falsework.rights.records import Asset, asset_id

__all__ = ["DeclaredFiles", "Former", "as_first_said", "is_hash", "is_pattern"]

MOST_SHOWN = 80  # characters of a name in a sentence
MOST_FILES = 200_000  # that one pattern may name
_HASH = re.compile(r"sha256:[0-9a-f]{64}")

# By path, the digests for which something was said of it, the latest last.
Former = Mapping[str, Mapping[str, None]]


def is_hash(reference: str) -> bool:
    """Whether a file is named by its hash."""
    return _HASH.fullmatch(reference) is not None


def is_pattern(reference: str) -> bool:
    """Whether a name stands for whatever files fit it."""
    return not is_hash(reference) and any(mark in reference for mark in "*?[")


def as_first_said(
    present: Mapping[str, str], former: Former, confirmed: Container[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The digests that something is said of, by path, and those of files that are others now.

    present    digests as the files are, by path;  confirmed  asset ids that a person named as well
    """
    listed, changed = {}, {}
    for path, digest in present.items():
        known = former.get(path, {})
        if known and digest not in known and asset_id(digest) not in confirmed:
            changed[path] = digest
            digest = list(known)[-1]
        listed[path] = digest
    return listed, changed


def _plainly(error: Exception) -> str:
    """An error without the whole of a path of thousands of characters in it."""
    words = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return words[:MOST_SHOWN]


class DeclaredFiles:
    """Hashes of files inside the production's folder, each read once."""

    def __init__(self, folder: Path, known: Digests) -> None:
        self.folder = folder.resolve()
        self.known = known
        self.documents: dict[str, Asset] = {}

    def ids(self, references: Iterable[str], key: str) -> tuple[str, ...]:
        """Asset ids of files by path, by pattern (sorted) or by hash."""
        found: dict[str, None] = {}
        for reference in references:
            if is_hash(reference):
                found[reference] = None
                continue
            for path in self._paths(reference, key):
                found[asset_id(self._digest(path, key))] = None
        return tuple(found)

    def digests(self, references: Iterable[str], key: str) -> dict[str, str]:
        """The digest of each file that is named by path or pattern, by its path from the folder."""
        return {
            path.relative_to(self.folder).as_posix(): self._digest(path, key)
            for reference in references
            if not is_hash(reference)
            for path in self._paths(reference, key)
        }

    def joined(
        self,
        references: Iterable[str],
        present: Mapping[str, str],
        former: Former,
        frozen: Container[str],
        confirmed: Container[str],
    ) -> dict[str, str]:
        """Files that fit a pattern now and did not lie there when it was first declared, as digests by path.

        present    digests of all that is named, by path;  former  what was covered before, by path
        frozen     the patterns that were declared before;  confirmed  asset ids that a person named as well
        """
        named: set[str] = set()  # by their own path, or by a pattern that is new
        for reference in references:
            if not is_hash(reference) and reference not in frozen:
                named.update(self.digests([reference], "grants"))
        known = {digest for digests in former.values() for digest in digests}
        return {
            path: digest
            for path, digest in present.items()
            if path not in named
            and path not in former
            and digest not in known
            and asset_id(digest) not in confirmed
        }

    def document(self, reference: str, key: str) -> str:
        """The digest of a file that was agreed to or kept as evidence; an asset is recorded for it."""
        if not reference or is_hash(reference):
            return reference.removeprefix("sha256:")
        (path,) = self._paths(reference, key, several=False)
        digest = self._digest(path, key)
        self.documents[digest] = Asset(
            id=asset_id(digest),
            type="document",
            name=path.name,
            path=path.relative_to(self.folder).as_posix(),
        )
        return digest

    def _paths(self, reference: str, key: str, *, several: bool = True) -> list[Path]:
        where = f"{FILE_NAME}: {key}"
        pattern = Path(reference)
        if pattern.is_absolute() or ".." in pattern.parts:
            raise FalseworkError(
                f'"{reference}" leads out of the production\'s folder',
                where=where,
                todo="Put the file inside the folder, or give its hash (sha256:...).",
            )
        paths = []
        try:
            if several and is_pattern(reference):
                paths = sorted(path for path in self.folder.glob(reference) if path.is_file())
            elif (self.folder / reference).is_file():
                paths = [self.folder / reference]
        except (OSError, ValueError, NotImplementedError) as error:  # no file can have such a name
            raise FalseworkError(
                f'"{reference[:MOST_SHOWN]}" is no path or pattern ({_plainly(error)})',
                where=where,
                todo='Write it like "plates/*.jpg" or "plates/**/*.jpg", from the folder of production.toml.',
            ) from error
        if not paths:
            raise FalseworkError(
                f'there is no file "{reference[:MOST_SHOWN]}"',
                where=where,
                todo="Give its path, starting from the folder of production.toml, or its hash (sha256:...).",
            )
        if len(paths) > MOST_FILES:
            raise FalseworkError(
                f'"{reference}" names {len(paths)} files', where=where, todo=f"At most {MOST_FILES} at once."
            )
        for path in paths:
            if not path.resolve().is_relative_to(self.folder):
                raise FalseworkError(
                    f'"{path.name}" is a link that leads out of the production\'s folder',
                    where=where,
                    todo="Put the file itself there, or give its hash (sha256:...).",
                )
        return paths

    def _digest(self, path: Path, key: str) -> str:
        try:
            return self.known.of(path)
        except FalseworkError as error:
            raise FalseworkError(
                f'"{path.name}" {error.what}', where=f"{FILE_NAME}: {key}", todo=error.todo
            ) from None
