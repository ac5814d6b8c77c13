"""Rendered layers on disk: each cropped to what is drawn, half precision where that is enough, deflated."""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
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


def write_layers(path: Path, layers: Layers) -> None:
    """Write one frame's layers; the file appears whole.

    Half precision has 11 bits: finer than the plate's grain for colours, 1/30 pixel for motion of 64 pixels.
    """
    names = [field.name for field in fields(Layers)]
    arrays: dict[str, npt.NDArray[Any]] = {}
    notes: dict[str, Any] = {}
    with ThreadPoolExecutor(2) as pool:
        packed = pool.map(_pack, names, [getattr(layers, name) for name in names])
        for name, (data, note) in zip(names, packed, strict=True):
            arrays[name] = data
            notes[name] = note
    write_arrays(path, arrays, layers=notes)


def read_layers(path: Path) -> Layers:
    """The layers of `write_layers`, float32."""
    arrays, values = read_arrays(path)
    return Layers(**{name: _unpack(arrays[name], note) for name, note in values["layers"].items()})


def _pack(name: str, image: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
    empty = np.float32(EMPTY.get(name, 0.0))
    stored: npt.NDArray[np.float16 | np.float32]
    if name in FULL_PRECISION:
        stored = np.ascontiguousarray(image, dtype=np.float32)
        drawn = stored.view(np.uint32) != empty.view(np.uint32)  # ids may be the bit patterns of NaN
    else:
        stored = to_half(image)
        drawn = stored != np.float16(empty)
    if drawn.ndim == 3:
        drawn = drawn.any(axis=2)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    if len(rows):
        top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    else:
        top = bottom = left = right = 0
    crop = np.ascontiguousarray(stored[top:bottom, left:right])
    # Bytes of equal significance side by side: deflate finds the exponents' repeats.
    planes = crop.reshape(-1).view(np.uint8).reshape(-1, stored.itemsize).T
    data = np.frombuffer(zlib.compress(np.ascontiguousarray(planes).data, LEVEL), dtype=np.uint8)
    note = {"shape": list(image.shape), "box": [top, bottom, left, right], "type": stored.dtype.name}
    return data, note | {"empty": None if np.isinf(empty) else float(empty)}


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
