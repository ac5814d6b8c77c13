"""Manifests as they are written, and what is refused because of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.search.index.protocol import Manifest, UnreadableIndexError

__all__ = ["FORMAT", "REBUILD", "as_record", "checked", "from_record", "searchable"]

FORMAT = 1
REBUILD = "Build it again, while the old one serves: `falsework search --rebuild`."


def as_record(manifest: Manifest) -> dict[str, Any]:
    return asdict(manifest)


def from_record(record: object, where: str | Path) -> Manifest:
    """The manifest in what was read from a file or a server; UnreadableIndexError where it is none."""
    if isinstance(record, str | bytes):
        try:
            record = json.loads(record)
        except ValueError:
            record = None
    try:
        if isinstance(record, Mapping):
            numbers = {name: int(record[name]) for name in ("dimensions", "revision", "titles", "format")}
            # The identity came later: an index without one is of a catalogue that nobody noted.
            catalogue = str(record.get("catalogue", ""))
            return Manifest(model=str(record["model"]), catalogue=catalogue, **numbers)
    except (KeyError, TypeError, ValueError):
        pass
    raise UnreadableIndexError("is no index: its manifest cannot be read", where=where, todo=REBUILD)


def checked(manifest: Manifest, *, model: str, dimensions: int, where: str | Path) -> Manifest:
    """The manifest, if an index of it can be asked with `model`; UnreadableIndexError otherwise: vectors of
    another model would be compared without an error and without a meaning."""
    if manifest.format != FORMAT:
        raise UnreadableIndexError(
            f"the index is of format {manifest.format}, this falsework reads {FORMAT}",
            where=where,
            todo=REBUILD,
        )
    if (manifest.model, manifest.dimensions) != (model, dimensions):
        raise UnreadableIndexError(
            f"the index was built with {manifest.model} ({manifest.dimensions} dimensions), "
            f"and the encoder is {model} ({dimensions})",
            where=where,
            todo=REBUILD,
        )
    return manifest


def searchable(vector: npt.NDArray[Any], dimensions: int, where: str) -> npt.NDArray[np.float32]:
    """A vector as float32; FalseworkError where it is not (dimensions,) or holds what is no number."""
    vector = np.asarray(vector, np.float32)
    if vector.shape != (dimensions,):
        raise FalseworkError(
            f"has a vector of shape {vector.shape}, the index takes ({dimensions},)",
            where=where,
            todo=REBUILD,
        )
    if not np.isfinite(vector).all():
        raise FalseworkError("has a vector with values that are no numbers", where=where, todo=REBUILD)
    return vector
