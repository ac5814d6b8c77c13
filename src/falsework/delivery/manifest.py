"""What was delivered, in figures a machine can check."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from falsework.media.atomic import write_text

__all__ = ["sha256", "write_manifest"]


def write_manifest(
    path: Path,
    folder: Path,
    *,
    versions: Mapping[str, str],
    seed: int,
    parameters: Mapping[str, Any],
    seconds: Mapping[str, float],
    reused: Sequence[str],
) -> dict[str, Any]:
    """Write the manifest of everything under `folder`; returns what was written.

    Keys: "files" (path under `folder`, with forward slashes, to SHA-256; without the manifest itself and
    parts of files a killed run left), "versions" (of falsework and the libraries), "seed", "parameters"
    (the shot's settings, JSON-able), "seconds" by stage, "reused" stages. To be delivered last.
    """
    found = sorted(
        (file.relative_to(folder).as_posix(), file)
        for file in folder.rglob("*")
        if file.is_file() and file != path and ".part" not in file.suffixes
    )
    manifest = {
        "files": {name: sha256(file) for name, file in found},
        "versions": dict(versions),
        "seed": seed,
        "parameters": dict(parameters),
        "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
        "reused": list(reused),
    }
    write_text(path, json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return manifest


def sha256(path: Path) -> str:
    """A file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
