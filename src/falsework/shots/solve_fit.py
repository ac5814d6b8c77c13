"""What a solve says of itself in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

__all__ = ["LOOSE", "fit_words"]

LOOSE = 0.005  # of the picture's width: corners that miss by more were misread, or the walls are not flat


def fit_words(folder: Path) -> str:
    """How far the solved walls' corners lie from the given ones, and whether that is too far.

    `folder` is the solve's, with solve.json.
    """
    said = json.loads((folder / "solve.json").read_bytes())
    error, width = float(said["measures"]["reprojection_error"]), int(said["camera"]["width"])
    words = f"corners fit within {error:.1f} of {width} pixels"
    if error <= LOOSE * width:
        return words
    return (
        f"{words}: that is a bad fit, and textures will slip. Look at the corners in shot.toml: each four "
        "must lie on one flat wall, in the order top-left, top-right, bottom-right, bottom-left."
    )
