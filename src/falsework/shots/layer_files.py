"""Rendered layers on disk: each cropped to what is drawn, half precision where that is enough, deflated."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.media.arrays import read_arrays, write_arrays
from falsework.media.exr import to_half
from falsework.render.layers import Layers

__all__ = ["read_layers", "write_layers"]

# What a layer is where nothing is drawn.
EMPTY = {"shadow": 1.0, "depth": np.inf}
# Depth is read in metres to the millimetre, Cryptomatte's ids are bit patterns.
FULL_PRECISION = ("depth", "crypto")
LEVEL = 1  # higher levels take several times as long for a few per cent
STRIP = 256  # rows
AT_ONCE = 2  # layers that are packed or wait for it while the next is drawn

Image = npt.NDArray[np.float32] | npt.NDArray[np.float16]


def write_layers(path: Path, layers: Layers | Iterable[tuple[str, Image]]) -> None:
    """Write one frame's layers, given whole or one by one as they are drawn; the file appears whole.

    Half precision has 11 bits: finer than the plate's grain for colours, 1/30 pixel for motion of 64 pixels.
    """
    names = [field.name for field in fields(Layers)]
    drawn = ((name, getattr(layers, name)) for name in names) if isinstance(layers, Layers) else layers
    packed: dict[str, Future[tuple[npt.NDArray[np.uint8], dict[str, Any]]]] = {}
    # Packing goes on beside the drawing, but never falls so far behind that layers pile up.
    with ThreadPoolExecutor(1) as pool:
        waiting: list[str] = []
        for name, image in drawn:
            packed[name] = pool.submit(_pack, name, image)
            del image
            waiting.append(name)
            if len(waiting) == AT_ONCE:
                packed[waiting.pop(0)].result()
    whole = {name: packed[name].result() for name in names}
    arrays: dict[str, npt.NDArray[Any]] = {name: data for name, (data, _) in whole.items()}
    write_arrays(path, arrays, layers={name: note for name, (_, note) in whole.items()})


def read_layers(path: Path) -> Layers:
    """The layers of `write_layers`, float32."""
    arrays, values = read_arrays(path)
    return Layers(**{name: _unpack(arrays[name], note) for name, note in values["layers"].items()})


def _pack(name: str, image: Image) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
    kind = np.dtype(np.float32 if name in FULL_PRECISION else np.float16)
    empty = kind.type(EMPTY.get(name, 0.0))
    top, bottom, left, right = _drawn(image, empty)
    # Bytes of equal significance side by side: deflate finds the exponents' repeats. In strips, so that a
    # large layer is not copied whole.
    across = (right - left) * int(np.prod(image.shape[2:], dtype=np.int64))
    planes = np.empty((kind.itemsize, (bottom - top) * across), np.uint8)
    for row in range(top, bottom, STRIP):
        strip = _stored(image[row : min(row + STRIP, bottom), left:right], kind)
        start = (row - top) * across
        planes[:, start : start + strip.size] = strip.reshape(-1).view(np.uint8).reshape(-1, kind.itemsize).T
    data = np.frombuffer(zlib.compress(planes.data, LEVEL), dtype=np.uint8)
    note = {"shape": list(image.shape), "box": [top, bottom, left, right], "type": kind.name}
    return data, note | {"empty": None if np.isinf(empty) else float(empty)}


def _stored(image: npt.NDArray[Any], kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Part of an image as it is stored, contiguous."""
    if kind == np.float32:
        return np.ascontiguousarray(image, dtype=np.float32)
    return np.ascontiguousarray(to_half(image))


def _drawn(image: Image, empty: Any) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of what differs from `empty` as it is stored."""
    rows = np.zeros(image.shape[0], np.bool_)
    columns = np.zeros(image.shape[1], np.bool_)
    for row in range(0, len(image), STRIP):
        strip = _stored(image[row : row + STRIP], empty.dtype)
        # Ids may be the bit patterns of NaN.
        bits = np.dtype(f"u{strip.itemsize}")
        drawn = strip.view(bits) != empty.view(bits) if strip.itemsize == 4 else strip != empty
        if drawn.ndim == 3:
            drawn = drawn.any(axis=2)
        rows[row : row + STRIP] = drawn.any(axis=1)
        columns |= drawn.any(axis=0)
    if not rows.any():
        return 0, 0, 0, 0
    high, wide = np.flatnonzero(rows), np.flatnonzero(columns)
    return int(high[0]), int(high[-1]) + 1, int(wide[0]), int(wide[-1]) + 1


def _unpack(data: npt.NDArray[np.uint8], note: dict[str, Any]) -> npt.NDArray[np.float32]:
    top, bottom, left, right = note["box"]
    kind = np.dtype(note["type"])
    empty = np.inf if note["empty"] is None else note["empty"]
    image = np.full(note["shape"], empty, dtype=np.float32)
    planes = np.frombuffer(zlib.decompress(data.data), dtype=np.uint8).reshape(kind.itemsize, -1)
    crop = np.ascontiguousarray(planes.T).view(kind).reshape(bottom - top, right - left, *image.shape[2:])
    if kind == np.float32:
        image.view(np.uint32)[top:bottom, left:right] = crop.view(np.uint32)
    else:
        image[top:bottom, left:right] = crop
    return image
