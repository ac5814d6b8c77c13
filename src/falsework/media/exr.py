"""Multi-layer OpenEXR, written fast and the same each time."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import OpenEXR
import OpenImageIO as oiio

from falsework.errors import FalseworkError
from falsework.media.atomic import whole_file

__all__ = ["ACESCG_CHROMATICITIES", "read_exr", "write_exr"]

# Red, green, blue and white of ACEScg (AP1 with the ACES white; SMPTE ST 2065-1, S-2014-004), x and y each.
ACESCG_CHROMATICITIES = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)


def write_exr(
    path: Path, channels: Mapping[str, npt.NDArray[Any]], *, attributes: Mapping[str, Any] | None = None
) -> None:
    """Write channels by name, each (H, W), float16 as half and float32 as float; scene-linear ACEScg.

    One scanline part, ZIPS (each line by itself: as small as ZIP on these layers, quicker to read in Nuke).
    No time or machine is recorded: the same channels and attributes give the same bytes. Appears whole.
    """
    header: dict[str, Any] = {
        "compression": OpenEXR.ZIPS_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        "chromaticities": ACESCG_CHROMATICITIES,
        "colorInteropID": "lin_ap1_scene",
    }
    header |= dict(attributes or {})
    kept: dict[str, npt.NDArray[Any]] = {}
    for name, pixels in channels.items():
        if pixels.ndim != 2 or pixels.dtype not in (np.float16, np.float32):
            raise ValueError(
                f"channel {name} must be (H, W) float16 or float32, not {pixels.shape} {pixels.dtype}"
            )
        kept[name] = np.ascontiguousarray(pixels)
    with whole_file(path) as part:
        try:
            OpenEXR.File(header, kept).write(str(part))
        except RuntimeError as error:
            number = _system_error(error)
            if number is None:
                raise
            raise OSError(number, str(error)) from error
        _check_whole(part)


def read_exr(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Channels by name, each (H, W) in the file's own type, and the header's attributes."""
    try:
        with OpenEXR.File(str(path), separate_channels=True) as file:
            channels = {name: np.array(channel.pixels) for name, channel in file.channels().items()}
            return channels, dict(file.header())
    except (RuntimeError, OSError, ValueError) as error:  # ValueError: a part whose pixels end early
        raise FalseworkError(
            f"is not a readable EXR ({error})",
            where=path,
            todo="Delete it and run again; it will be made anew.",
        ) from error


def _check_whole(part: Path) -> None:
    """Read the last line back. OpenEXR's stream drops its last buffer without a word on a full disk."""
    picture = oiio.ImageInput.open(str(part))
    last = None
    if picture is not None:
        spec = picture.spec()
        last = picture.read_scanline(spec.y + spec.height - 1, 0, oiio.HALF)
        picture.close()
    if last is None:
        raise OSError(errno.ENOSPC, "the file came out short")


def _system_error(error: RuntimeError) -> int | None:
    """OpenEXR says in words what the system said by number; None where the fault is in what we asked for."""
    known = {
        "No space left": errno.ENOSPC,
        "Disk quota": errno.EDQUOT,
        "File too large": errno.EFBIG,
        "Permission denied": errno.EACCES,
        "Cannot open": errno.EACCES,
        "Failed to write": errno.EIO,
    }
    return next((number for words, number in known.items() if words in str(error)), None)
