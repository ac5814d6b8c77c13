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
    names: Sequence[str],
    *,
    inputs: Mapping[str, str],
    versions: Mapping[str, str],
    opengl: Mapping[str, str] | None,
    seed: int,
    parameters: Mapping[str, Any],
    seconds: Mapping[str, float],
    reused: Sequence[str],
    digests: Mapping[str, str] | None = None,
    blender: Mapping[str, str] | None = None,
    models: Sequence[Mapping[str, str]] = (),
    ai_pixels: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Write the manifest of what was delivered into `folder`; returns what was written.

    `names` are the delivered files' paths under `folder`, with forward slashes: what else lies there is
    somebody's own; `digests` are those of them that are known. Keys: "files" (name to SHA-256), "inputs" (the
    user's files to theirs), "versions" (of falsework and the libraries), "opengl" (the driver that drew, or
    null), "blender" (stage to the version of the Blender that made it, or null), "models" (the trained
    networks that drew: name, version, SHA-256 of the weights, standing), "ai_pixels" (frame to the share of
    it that they made), "seed", "parameters" (the shot's settings, JSON-able), "seconds" by stage, "reused"
    stages. To be delivered last.
    """
    known = digests or {}
    manifest = {
        "files": {name: known.get(name) or sha256(folder / name) for name in sorted(names)},
        "inputs": dict(inputs),
        "versions": dict(versions),
        "opengl": dict(opengl) if opengl is not None else None,
        "blender": dict(blender) if blender else None,
        "models": [dict(one) for one in models],
        "ai_pixels": dict(ai_pixels or {}),
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
