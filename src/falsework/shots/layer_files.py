"""Rendered layers on disk: each cropped to what is drawn, half precision where that is enough, deflated."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit
from safetensors import safe_open

from falsework.media.arrays import read_arrays, write_arrays
from falsework.media.half import to_half, to_single
from falsework.render.layers import Layers

__all__ = ["COVERING", "coverage", "read_layers", "write_layers"]

# What a layer is where nothing is drawn.
EMPTY = {"shadow": 1.0, "depth": np.inf}
# Depth is read in metres to the millimetre, Cryptomatte's ids are bit patterns.
FULL_PRECISION = ("depth", "crypto")
COVERING = ("surface", "dust", "dust_front")  # what lies on the plate, premultiplied
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
    shares: dict[str, float] = {}
    packed: dict[str, Future[tuple[npt.NDArray[np.uint8], dict[str, Any]]]] = {}
    # Packing goes on beside the drawing, but never falls so far behind that layers pile up.
    with ThreadPoolExecutor(1) as pool:
        waiting: list[str] = []
        for name, image in drawn:
            packed[name] = pool.submit(_pack, name, image)
            if name in COVERING:
                shares[name] = round(float(np.mean(image[..., 3], dtype=np.float64)), 6)
            del image
            waiting.append(name)
            if len(waiting) == AT_ONCE:
                packed[waiting.pop(0)].result()
    whole = {name: packed[name].result() for name in names}
    arrays: dict[str, npt.NDArray[Any]] = {name: data for name, (data, _) in whole.items()}
    write_arrays(path, arrays, layers={name: note for name, (_, note) in whole.items()}, coverage=shares)


def coverage(path: Path) -> dict[str, float]:
    """How much of the frame each layer of COVERING covers on average, 0..1, without reading its pixels."""
    with safe_open(path, framework="numpy") as file:
        values = json.loads((file.metadata() or {}).get("values", "{}"))
    return dict(values.get("coverage", {}))


def read_layers(path: Path) -> Layers:
    """The layers of `write_layers`, float32."""
    arrays, values = read_arrays(path)
    return Layers(**{name: _unpack(arrays[name], note) for name, note in values["layers"].items()})


def _pack(name: str, image: Image) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
    stored: npt.NDArray[Any]
    stored = np.ascontiguousarray(image, np.float32) if name in FULL_PRECISION else to_half(image)
    kind = stored.dtype
    empty = kind.type(EMPTY.get(name, 0.0))
    height, width = image.shape[:2]
    channels = stored.size // (height * width)
    bits = np.dtype(f"u{kind.itemsize}")
    # Minus nothing is nothing, too; ids may be the bit patterns of NaN.
    mask = (1 << 8 * kind.itemsize) - 1 if empty != 0 or name in FULL_PRECISION else 0x7FFF
    top, bottom, left, right = _drawn(
        stored.view(bits).reshape(height, -1), bits.type(empty.view(bits)), bits.type(mask)
    )
    left, right = left // channels, -(-right // channels)
    # Bytes of equal significance side by side: deflate finds the exponents' repeats. In strips, so that a
    # large layer is not copied whole.
    across = (right - left) * channels
    planes = np.empty((kind.itemsize, (bottom - top) * across), np.uint8)
    for row in range(top, bottom, STRIP):
        strip = np.ascontiguousarray(stored[row : min(row + STRIP, bottom), left:right])
        start = (row - top) * across
        planes[:, start : start + strip.size] = strip.reshape(-1).view(np.uint8).reshape(-1, kind.itemsize).T
    data = np.frombuffer(zlib.compress(planes.data, LEVEL), dtype=np.uint8)
    note = {"shape": list(image.shape), "box": [top, bottom, left, right], "type": kind.name}
    return data, note | {"empty": None if np.isinf(empty) else float(empty)}


@njit(cache=True, nogil=True)
def _drawn(bits: npt.NDArray[Any], empty: Any, mask: Any) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of what differs from `empty` in the bits of `mask`; zeros for nothing."""
    height, width = bits.shape
    top, bottom, left, right = height, 0, width, 0
    for row in range(height):
        first = 0
        while first < width and bits[row, first] & mask == empty:
            first += 1
        if first == width:
            continue
        top, bottom, left = min(top, row), row + 1, min(left, first)
        last = width
        while last > right and bits[row, last - 1] & mask == empty:
            last -= 1
        right = max(right, last)
    if bottom == 0:
        return 0, 0, 0, 0
    return top, bottom, left, right


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
        image[top:bottom, left:right] = to_single(crop)
    return image
