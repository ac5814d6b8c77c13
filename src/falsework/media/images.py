"""Still pictures: plates and mattes in, 8- and 16-bit PNG out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import OpenImageIO as oiio

from falsework.errors import FalseworkError
from falsework.media.atomic import write_bytes
from falsework.media.colour import to_working
from falsework.media.exr import ACESCG_CHROMATICITIES

__all__ = [
    "LARGEST",
    "SMALLEST",
    "encode_jpeg",
    "encode_png",
    "read_exif",
    "read_matte",
    "read_picture",
    "write_png",
]

SMALLEST = 64  # pixels a side: less shows no building
LARGEST = 20_000

# OpenImageIO's names of the formats that are promised and tested.
FORMATS = ("jpeg", "png", "tiff", "openexr", "dpx")
READABLE = "JPEG, PNG, TIFF, EXR or DPX"

GARBLED = "its header is garbled"

Image = npt.NDArray[np.float32]

# What a picture's colour profile calls itself, and the colour space that is. Anything else 8-bit is sRGB.
PROFILES = {"display p3": "sRGB Encoded P3-D65", "adobe rgb": "Gamma 2.2 Encoded AdobeRGB"}

# Chromaticities (red, green, blue, white; x and y) of EXR files, and the linear colour space they mean.
CHROMATICITIES = {
    "ACEScg": ACESCG_CHROMATICITIES,
    "ACES2065-1": (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767),
    "Linear Rec.709 (sRGB)": (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290),
    "Linear Rec.2020": (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290),
    "Linear P3-D65": (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290),
}


def read_picture(path: Path, colour_space: str = "auto") -> Image:
    """A plate as float32 (H, W, 3), scene-linear ACEScg, rows from the top, upright as its EXIF asks.

    JPEG, PNG (8, 16 bit), TIFF (8, 16 bit, float), EXR, DPX. `colour_space` is a name for `media.colour`, or
    "auto": an embedded profile where it is Display P3 or Adobe RGB, else sRGB, for integer files; for float
    files the chromaticities they state, else ACEScg. A DPX does not say reliably what it holds, so "auto"
    is refused there. Alpha is dropped without dividing by it.

    Raises FalseworkError for what is missing, damaged, of another format, smaller than 64 or larger than
    20,000 pixels a side, or holds infinities or NaN.
    """
    pixels, names, spec = _read(path)
    space = _stated_colour_space(path, spec) if colour_space == "auto" else colour_space
    if not np.isfinite(pixels).all():
        bad = int(np.count_nonzero(~np.isfinite(pixels).all(axis=2)))
        raise FalseworkError(
            f"{bad} pixels are infinite or not numbers",
            where=path,
            todo="Repair them (in Nuke: `Expression`, or a blur).",
        )
    if {"R", "G", "B"} <= set(names):
        colour = pixels[..., [names.index(channel) for channel in "RGB"]]
    elif len(names) <= 2:
        colour = np.repeat(pixels[..., :1], 3, axis=2)
    else:
        raise FalseworkError(
            f"has no channels R, G and B (it has {', '.join(names[:8])})",
            where=path,
            todo="Export the plate with its colour in the main layer.",
        )
    return to_working(_upright(colour, spec), space)


def read_matte(path: Path) -> Image:
    """A matte as float32 (H, W), 0..1, upright: white is inside. Never colour-converted.

    The mean of red, green and blue; or the alpha channel where the picture has one that is not constant.
    """
    pixels, names, spec = _read(path)
    alpha = pixels[..., names.index("A")] if "A" in names else None
    if alpha is not None and (len(names) == 1 or np.ptp(alpha) > 0):
        matte = alpha
    elif len(names) <= 2:
        matte = pixels[..., 0]
    else:
        matte = pixels[..., :3].mean(axis=2)
    matte = np.clip(np.nan_to_num(matte, nan=0.0), 0.0, 1.0)
    return np.ascontiguousarray(_upright(matte, spec), dtype=np.float32)


def read_exif(path: Path) -> dict[str, Any]:
    """What the camera wrote into a picture: any of "focal_35mm" (float, mm, equivalent), "focal_mm" (float),
    "make", "model", "lens" (str), "orientation" (int, 1 upright), "width", "height" (int, upright).

    A key is absent where the file does not say; 0 counts as not saying.
    """
    spec = _open(path).spec()
    exif: dict[str, Any] = {"orientation": int(spec.get_int_attribute("Orientation", 1))}
    across, down = (spec.height, spec.width) if exif["orientation"] >= 5 else (spec.width, spec.height)
    exif |= {"width": int(across), "height": int(down)}
    focal = ("focal_35mm", "Exif:FocalLengthIn35mmFilm"), ("focal_mm", "Exif:FocalLength")
    for key, name in focal:
        value = float(spec.get(name, 0) or 0)
        if np.isfinite(value) and value > 0:
            exif[key] = value
    for key, name in (("make", "Make"), ("model", "Model"), ("lens", "Exif:LensModel")):
        text = _text(spec, name)
        if text:
            exif[key] = text
    return exif


def write_png(path: Path, picture: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> None:
    """Write uint8 or uint16 (H, W), (H, W, 3) or (H, W, 4). Appears whole; same picture, same bytes."""
    write_bytes(path, encode_png(picture))


def encode_png(picture: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> bytes:
    """The bytes of a PNG of uint8 or uint16 (H, W[, 3 or 4]), red first."""
    return _encode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 4])


def encode_jpeg(picture: npt.NDArray[np.uint8], *, quality: int = 85) -> bytes:
    """The bytes of a JPEG of uint8 (H, W, 3), red first."""
    return _encode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])


def _encode(extension: str, picture: npt.NDArray[Any], options: list[int]) -> bytes:
    # Encoded in memory and written by Python: OpenImageIO's PNG writer does not report a full disk.
    if picture.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"pictures are written as uint8 or uint16, not {picture.dtype}")
    if picture.ndim == 3:
        picture = picture[..., [2, 1, 0, 3][: picture.shape[2]]]  # OpenCV: blue first
    done, encoded = cv2.imencode(extension, np.ascontiguousarray(picture), options)
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} cannot be written as {extension}")
    return encoded.tobytes()


def _open(path: Path) -> oiio.ImageInput:
    """An open picture of a known format and a bearable size."""
    if not path.exists():
        raise FalseworkError(
            "there is no such picture", where=path, todo="Check the path; it is relative to the shot file."
        )
    if not path.is_file():
        raise FalseworkError("is a folder, not a picture", where=path, todo=f"Name a {READABLE} file.")
    picture = oiio.ImageInput.open(str(path))
    if picture is None:
        reason = "the file is empty" if path.stat().st_size == 0 else _said(oiio.geterror)
        raise FalseworkError(
            f"cannot be read as a picture ({reason})",
            where=path,
            todo=f"It may be damaged or of another kind: export it again as {READABLE}.",
        )
    if picture.format_name() not in FORMATS:
        raise FalseworkError(
            f"is a {picture.format_name()} file, which is not supported",
            where=path,
            todo=f"Export it as {READABLE}.",
        )
    spec = picture.spec()
    width, height = spec.full_width or spec.width, spec.full_height or spec.height
    if min(width, height) < SMALLEST:
        raise FalseworkError(
            f"is {width}x{height} pixels: too small to show a building",
            where=path,
            todo=f"Use a picture of at least {SMALLEST} pixels a side.",
        )
    if max(width, height, spec.width, spec.height) > LARGEST:
        raise FalseworkError(
            f"is {width}x{height} pixels: more than {LARGEST:,} a side",
            where=path,
            todo="Scale it down or crop it first.",
        )
    return picture


def _read(path: Path) -> tuple[Image, list[str], oiio.ImageSpec]:
    """The first subimage's pixels, (H, W, channels) float32, its channels' names, and the rest of its header.

    Integers are scaled to 0..1. It is the display window, cut or padded with zeros where an EXR's data window
    is another, and not upright yet.
    """
    picture = _open(path)
    spec = picture.spec()
    try:
        pixels = picture.read_image(oiio.FLOAT)
        reason = _said(picture.geterror)
        names = list(spec.channelnames)
    except UnicodeDecodeError as error:
        raise _damaged(path, GARBLED) from error
    except MemoryError as error:
        raise FalseworkError(
            "is too large for this machine's memory", where=path, todo="Scale it down or crop it first."
        ) from error
    finally:
        picture.close()
    # libjpeg's word on stray bytes between whole segments, which some cameras leave
    harmless = "extraneous bytes" in reason
    if pixels is None or (reason and not harmless):
        raise _damaged(path, reason or "its pixels end early")
    window = (spec.full_x, spec.full_y, spec.full_width, spec.full_height)
    if spec.full_width and window != (spec.x, spec.y, spec.width, spec.height):
        pixels = _windowed(pixels, spec)
    return pixels, names, spec


def _windowed(pixels: Image, spec: oiio.ImageSpec) -> Image:
    whole = np.zeros((spec.full_height, spec.full_width, pixels.shape[2]), np.float32)
    left, top = spec.x - spec.full_x, spec.y - spec.full_y
    rows = slice(max(top, 0), min(top + spec.height, spec.full_height))
    columns = slice(max(left, 0), min(left + spec.width, spec.full_width))
    if rows.start < rows.stop and columns.start < columns.stop:
        whole[rows, columns] = pixels[
            rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
        ]
    return whole


def _upright(pixels: Image, spec: oiio.ImageSpec) -> Image:
    """Turn a picture as its EXIF orientation asks."""
    orientation = int(spec.get_int_attribute("Orientation", 1))
    if orientation in (5, 6, 7, 8):
        pixels = np.swapaxes(pixels, 0, 1)
    # After the transposition: which of the eight still need a flip.
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _stated_colour_space(path: Path, spec: oiio.ImageSpec) -> str:
    if _text(spec, "dpx:Version"):
        raise FalseworkError(
            "is a DPX, which does not say what its colours are",
            where=path,
            todo='Set `colour_space` in [plate], for instance "LogC4", "S-Log3" or "Rec.709".',
        )
    if str(spec.format) in ("half", "float", "double"):
        stated = spec.get("chromaticities")
        if stated is not None and len(stated) == 8:
            for name, known in CHROMATICITIES.items():
                if np.allclose(stated, known, atol=2e-3):
                    return name
        return "ACEScg"
    profile = _text(spec, "ICCProfile:profile_description").lower()
    return next((space for words, space in PROFILES.items() if words in profile), "sRGB")


def _said(ask: Callable[[], str]) -> str:
    """The first line of OpenImageIO's complaint; damaged files put bytes into it that are no text."""
    try:
        return (ask().strip().splitlines() or [""])[0].rstrip(".")
    except UnicodeDecodeError:
        return GARBLED


def _text(spec: oiio.ImageSpec, name: str) -> str:
    """A text in the header, "" where there is none or it is no text."""
    try:
        return str(spec.get_string_attribute(name, "")).strip()
    except UnicodeDecodeError:
        return ""


def _damaged(path: Path, reason: str) -> FalseworkError:
    return FalseworkError(
        f"is damaged ({reason})", where=path, todo="Copy it again from the camera or export it anew."
    )
