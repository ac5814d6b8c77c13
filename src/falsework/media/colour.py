"""Colour spaces in and out of the working space, by OpenColorIO's built-in ACES studio configuration.

The working space is scene-linear ACEScg. A plate is read by the inverse of its own encoding curve and its
primaries, and pictures for viewing are made by exactly the opposite transform: no tone mapping, no look. So
an 8-bit sRGB plate that passes through the house unchanged comes out with the values it had, which is what a
filmmaker cutting the shot against the untouched take needs. (The ACES output transforms are made for another
purpose, to render a scene for a screen; they would change every pixel of the plate.) The price: what is
brighter than the plate's white clips in the 8-bit pictures. The EXR files keep it.
"""

from __future__ import annotations

import difflib
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import PyOpenColorIO as ocio

from falsework.errors import FalseworkError

__all__ = ["ALIASES", "colour_space_name", "display_space", "from_working", "to_8bit", "to_working"]

# Part of OpenColorIO from 2.4 on. Named in full, so that a newer library gives the same colours.
CONFIG = "ocio://studio-config-v2.2.0_aces-v1.3_ocio-v2.4"
WORKING = "ACEScg"

# Names people use, for the configuration's own. "Rec.709" is what a camera records (the BT.709 curve), and
# "S-Log3" goes with the gamut Sony's manuals pair it with; others are reached by their full names.
ALIASES = {
    "sRGB": "sRGB Encoded Rec.709 (sRGB)",
    "Rec.709": "Camera Rec.709",
    "ACEScg": "ACEScg",
    "ACES2065-1": "ACES2065-1",
    "LogC3": "ARRI LogC3 (EI800)",
    "LogC4": "ARRI LogC4",
    "S-Log3": "S-Log3 S-Gamut3.Cine",
    "linear": "Linear Rec.709 (sRGB)",
}

Image = npt.NDArray[np.float32]


def colour_space_name(colour_space: str) -> str:
    """OpenColorIO's own name for a colour space given by alias or name, whatever its case.

    Raises FalseworkError, with the nearest names, where there is none.
    """
    wanted = colour_space.strip().lower()
    for alias, name in ALIASES.items():
        if alias.lower() == wanted:
            return name
    found = _config().getColorSpace(colour_space.strip())
    if found is not None and wanted:
        return str(found.getName())
    known = [*ALIASES, *(str(space.getName()) for space in _config().getColorSpaces())]
    folded = {name.lower(): name for name in known}
    near = [folded[name] for name in difflib.get_close_matches(wanted, folded, n=4, cutoff=0.5)]
    near += [name for name in known if len(wanted) > 2 and wanted in name.lower() and name not in near]
    hint = f"Did you mean {_list(near[:6])}?" if near else f"Known are {_list(list(ALIASES))}."
    raise FalseworkError(
        f"there is no colour space called “{colour_space}”",
        where="colour_space",
        todo=f"{hint} Any name of OpenColorIO's built-in ACES studio configuration will do.",
    )


def to_working(pixels: npt.NDArray[np.floating], colour_space: str) -> Image:
    """Encoded pixels (..., 3), 0..1 for integer files, to scene-linear ACEScg; a new float32 array."""
    return _apply(pixels, colour_space_name(colour_space), WORKING)


def from_working(pixels: npt.NDArray[np.floating], colour_space: str) -> Image:
    """Scene-linear ACEScg pixels (..., 3) to encoded ones, not clipped; a new float32 array."""
    return _apply(pixels, WORKING, colour_space_name(colour_space))


def display_space(colour_space: str) -> str:
    """The colour space review pictures of a plate are made in: the plate's own where a screen can show it and
    its primaries are those the movie states (sRGB, Rec.709 …), so that it comes out with its own values; sRGB
    for all others: log, linear, wide ones such as Display P3, and "auto"."""
    if colour_space == "auto":
        return ALIASES["sRGB"]
    name = colour_space_name(colour_space)
    shown = _config().getColorSpace(name).getEncoding() == "sdr-video"
    return name if shown and ("Rec.709" in name or name == "sRGB - Display") else ALIASES["sRGB"]


def to_8bit(pixels: npt.NDArray[np.floating], colour_space: str = "sRGB") -> npt.NDArray[np.uint8]:
    """Scene-linear ACEScg (..., 3) to 8-bit pictures for viewing, clipped to 0..255 and rounded.

    With the plate's own `display_space`, 8-bit plate values come back exactly.
    """
    encoded = from_working(pixels, colour_space)
    np.nan_to_num(encoded, copy=False, nan=0.0, posinf=1.0, neginf=0.0)
    np.clip(encoded, 0.0, 1.0, out=encoded)
    encoded *= np.float32(255.0)
    np.rint(encoded, out=encoded)
    return encoded.astype(np.uint8)


def _apply(pixels: npt.NDArray[np.floating], source: str, target: str) -> Image:
    if pixels.shape[-1] != 3:
        raise ValueError(f"colour needs three channels, not shape {pixels.shape}")
    converted = np.array(pixels, dtype=np.float32, order="C", copy=True)
    if source != target and converted.size:
        _processor(source, target).applyRGB(converted.reshape(-1, 3))
    return converted


@lru_cache(maxsize=1)
def _config() -> ocio.Config:
    return ocio.Config.CreateFromFile(CONFIG)


@lru_cache(maxsize=32)
def _processor(source: str, target: str) -> ocio.CPUProcessor:
    # OpenColorIO's fast powers are good to about 12 bits; a plate must come back exactly.
    exact = int(ocio.OPTIMIZATION_VERY_GOOD) & ~int(ocio.OPTIMIZATION_FAST_LOG_EXP_POW)
    return _config().getProcessor(source, target).getOptimizedCPUProcessor(ocio.OptimizationFlags(exact))


def _list(names: list[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " or " + quoted[-1]
