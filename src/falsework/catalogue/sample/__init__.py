"""A small catalogue that ships with the package: what search answers from until there is another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from falsework.catalogue.database import Catalogue
from falsework.catalogue.mapping import guessed, read
from falsework.catalogue.records import Scene
from falsework.errors import FalseworkError

__all__ = ["SAMPLE", "edition", "fill", "open_in", "sample_scenes"]

SAMPLE = "sample"  # what stands for it where a catalogue's path or URL is asked for


def edition() -> str:
    """A digest of the files: a catalogue filled from another edition is to be filled again."""
    content = b"".join((files(__name__) / name).read_bytes() for name in ("titles.jsonl", "scenes.jsonl"))
    return hashlib.blake2b(content, digest_size=6).hexdigest()


def fill(catalogue: Catalogue) -> int:
    """Put the sample's titles, seasons and scenes into a catalogue, all or none; returns how many titles."""
    rows = list(_lines("titles.jsonl"))
    mapping = guessed({key: None for row in rows for key in row})
    readings = [read(row, mapping) for row in rows]
    with catalogue.writing() as writer:
        writer.titles([each.title for each in readings])
        writer.seasons_counted({each.title.id: each.seasons for each in readings if each.seasons})
        writer.scenes(list(sample_scenes()))
    return len(readings)


def open_in(folder: Path) -> Catalogue:
    """This edition of the sample in a folder of what can be made again, filled on its first use. Raises
    FalseworkError where there can be no such folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FalseworkError(
            f"cannot be made ({error.strerror})",
            where=folder,
            todo="Set XDG_CACHE_HOME to a folder that may be written to.",
        ) from error
    catalogue = Catalogue.open(folder / f"{SAMPLE}-{edition()}.db")
    try:
        if catalogue.count() == 0:
            fill(catalogue)
    except BaseException:
        catalogue.close()
        raise
    return catalogue


def sample_scenes() -> Iterator[Scene]:
    """The scenes of a few titles of the sample."""
    for row in _lines("scenes.jsonl"):
        yield Scene(**{**row, "moods": tuple(row["moods"]), "events": tuple(row["events"])})


def _lines(name: str) -> Iterator[dict[str, Any]]:
    with (files(__name__) / name).open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
