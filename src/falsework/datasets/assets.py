"""The pictures that a data set is made from: found, hashed, and their licence read. Only CC0 is taken."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from falsework.datasets.settings import Recipe
from falsework.errors import FalseworkError

__all__ = ["Asset", "Assets", "find_assets"]

FREE = "CC0-1.0"
TEXTURES = (".jpg", ".jpeg", ".png")
SKIES = (".hdr", ".exr")
# Maps of a material other than its colour.
NO_COLOUR = ("normal", "_nor_", "rough", "metallic", "displacement", "opacity")


@dataclass(frozen=True)
class Asset:
    """One picture. `file` is its name, `sha256` of its bytes; the rest is what the list of sources says."""

    kind: str  # "texture" or "sky"
    file: str
    sha256: str
    licence: str
    source: str
    evidence: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)

    @property
    def place(self) -> tuple[str, str]:
        """What it is found by: its kind and its name."""
        return self.kind, self.file


@dataclass(frozen=True)
class Assets:
    """What may be used, by file name, and where it lies; passed over: what came after a set was begun."""

    textures: dict[str, Path]
    skies: dict[str, Path]
    records: tuple[Asset, ...]
    passed_over: tuple[str, ...] = ()

    def named(self, names: Iterable[str]) -> tuple[Asset, ...]:
        """The records of pictures given by their names without ending."""
        wanted = set(names)
        return tuple(record for record in self.records if Path(record.file).stem in wanted)


def find_assets(recipe: Recipe, base: Path, *, only: Sequence[Asset] | None = None) -> Assets:
    """All textures (of colour) and skies that the recipe's folders hold; FalseworkError where one is not
    CC0, is not in the list of sources, or there are none. `base` is the recipe's folder.

    only: what a set was begun with. Then these alone are taken, whatever else lies there by now, and each
    must be the very picture that it was.
    """
    sources = base / recipe.sources
    rows = _rows(sources)
    found: dict[str, dict[str, Path]] = {}
    records: list[Asset] = []
    passed_over: list[str] = []
    wanted = None if only is None else {asset.place: asset for asset in only}
    for kind, key, given, endings in (
        ("texture", "textures", recipe.textures, TEXTURES),
        ("sky", "skies", recipe.skies, SKIES),
    ):
        folder = base / given
        if not folder.is_dir():
            raise FalseworkError(
                f"there is no folder {folder}",
                where=key,
                todo=f"Give the folder of CC0 {key} in the recipe; docs/datasets.md says which serve.",
            )
        paths = _pictures(folder, kind, endings)
        if wanted is not None:
            passed_over += [name for name in paths if (kind, name) not in wanted]
            paths = {name: path for name, path in paths.items() if (kind, name) in wanted}
        elif not paths:
            raise FalseworkError(f"{folder} holds no {kind}", where=key, todo="Put some CC0 ones there.")
        records += [_asset(kind, path, rows, sources) for path in paths.values()]
        found[key] = paths
    if only is not None:
        _as_they_were(only, records)
        records = list(only)
    return Assets(found["textures"], found["skies"], tuple(records), tuple(passed_over))


def _pictures(folder: Path, kind: str, endings: tuple[str, ...]) -> dict[str, Path]:
    paths = {path.name: path for path in sorted(folder.iterdir()) if path.suffix.lower() in endings}
    if kind != "texture":
        return paths
    return {name: path for name, path in paths.items() if not any(n in name.lower() for n in NO_COLOUR)}


def _as_they_were(before: Iterable[Asset], now: Iterable[Asset]) -> None:
    """FalseworkError where pictures are gone or others than they were."""
    digests = {asset.place: asset.sha256 for asset in now}
    other = sorted(asset.file for asset in before if digests.get(asset.place) != asset.sha256)
    if other:
        raise FalseworkError(
            f"pictures are gone, or are not the recorded ones: {', '.join(other)}",
            where="textures, skies",
            todo="Put the recorded files back into the recipe's folders, or build into another folder.",
        )


def _rows(path: Path) -> dict[str, dict[str, str]]:
    """Rows of the list of sources by "FOLDER/NAME"."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["file"]: row for row in csv.DictReader(file)}
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        known = {FileNotFoundError: "there is no such file", KeyError: "it has no column `file`"}
        why = known.get(type(error)) or (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise FalseworkError(
            f"the list of sources cannot be read ({why})",
            where=path,
            todo="Give a CSV with the columns file, repo, path, commit, licence, licence_source.",
        ) from None


def _asset(kind: str, path: Path, rows: dict[str, dict[str, str]], sources: Path) -> Asset:
    row = rows.get(f"{path.parent.name}/{path.name}")
    if row is None:
        raise FalseworkError(
            "is not in the list of sources, so nobody knows whose it is",
            where=path,
            todo=f"Add it to {sources} with its licence, or take it away.",
        )
    licence = row.get("licence", "").strip()
    if licence != FREE:
        raise FalseworkError(
            f'has the licence "{licence}", and data sets are made of {FREE} pictures only',
            where=path,
            todo="Take it out of the folder.",
        )
    source = f"https://github.com/{row['repo']}/blob/{row['commit']}/{row['path']}" if row.get("repo") else ""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Asset(kind, path.name, digest, licence, source, row.get("licence_source", ""))
