"""The pictures that a data set is made from: found, hashed, and their licence read. Only CC0 is taken."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
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


@dataclass(frozen=True)
class Assets:
    """What may be used, by file name, and where it lies."""

    textures: dict[str, Path]
    skies: dict[str, Path]
    records: tuple[Asset, ...]

    def named(self, names: Iterable[str]) -> tuple[Asset, ...]:
        """The records of pictures given by their names without ending."""
        wanted = set(names)
        return tuple(record for record in self.records if Path(record.file).stem in wanted)


def find_assets(recipe: Recipe, base: Path) -> Assets:
    """All textures (of colour) and skies that the recipe's folders hold; FalseworkError where one is not
    CC0, is not in the list of sources, or there are none. `base` is the recipe's folder."""
    sources = base / recipe.sources
    rows = _rows(sources)
    found: dict[str, dict[str, Path]] = {}
    records: list[Asset] = []
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
        paths = {path.name: path for path in sorted(folder.iterdir()) if path.suffix.lower() in endings}
        if kind == "texture":
            paths = {
                name: path for name, path in paths.items() if not any(n in name.lower() for n in NO_COLOUR)
            }
        if not paths:
            raise FalseworkError(f"{folder} holds no {kind}", where=key, todo="Put some CC0 ones there.")
        records += [_asset(kind, path, rows, sources) for path in paths.values()]
        found[key] = paths
    return Assets(found["textures"], found["skies"], tuple(records))


def _rows(path: Path) -> dict[str, dict[str, str]]:
    """Rows of the list of sources by "FOLDER/NAME"."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["file"]: row for row in csv.DictReader(file)}
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise FalseworkError(
            f"the list of sources cannot be read ({error})",
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
