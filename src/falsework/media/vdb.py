"""OpenVDB files: grids of numbers in the form that every program which draws smoke reads.

The layout is that of OpenVDB's file version 224 (its `io` and `tree` define it): a header, then for each grid
a descriptor, metadata, the transform, the tree from the root down (5, 4 and 3 bits an axis), and last the
leaves' values. Only leaves of 8 x 8 x 8 voxels that hold anything are written, and of these only the voxels
that do.
"""

from __future__ import annotations

import hashlib
import struct
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.media.atomic import write_bytes

__all__ = ["write_vdb"]

MAGIC = 0x56444220
FILE_VERSION, LIBRARY = 224, (8, 1)
ACTIVE_MASK = 2  # the values of active voxels only, not otherwise compressed
ALL_ELSE_IS_BACKGROUND = b"\0"
LEAF, INNER, OUTER = 8, 16, 32  # children (or voxels) along an axis
INNER_SPAN, OUTER_SPAN = LEAF * INNER, LEAF * INNER * OUTER  # voxels along an axis


def write_vdb(
    path: Path, grids: Mapping[str, npt.NDArray[Any]], origin: Sequence[float], voxel: float
) -> None:
    """Write grids of one box as fog volumes. The file appears whole.

    grids   by name, each (nx, ny, nz); float16 is kept as half floats, anything else becomes float32
    origin  (3,) the box's lowest corner, metres;  voxel: a cell's edge; its centre: origin + (i + 0.5) voxel

    Voxels that are 0 are left out (they read as 0). Raises ValueError for numbers that are not finite.
    """
    parts = [_grid(name, array, origin, voxel) for name, array in grids.items()]
    head = struct.pack("<qIIIB", MAGIC, FILE_VERSION, *LIBRARY, 1)
    # Named after what it holds, so that the same dust gives the same file.
    digest = hashlib.blake2b(b"".join(descriptor + body for descriptor, body, _ in parts), digest_size=16)
    head += str(uuid.UUID(bytes=digest.digest())).encode()
    content = [head, _metadata({"creator": "falsework"}), struct.pack("<I", len(parts))]
    place = sum(map(len, content))
    for descriptor, body, values in parts:
        start = place + len(descriptor) + 3 * 8
        end = start + len(body)
        content += [descriptor, struct.pack("<qqq", start, values + start, end), body]
        place = end
    write_bytes(path, b"".join(content))


def _grid(
    name: str, array: npt.NDArray[Any], origin: Sequence[float], voxel: float
) -> tuple[bytes, bytes, int]:
    """A grid's descriptor without its three places in the file, its body, where in it the values begin."""
    half = array.dtype == np.float16
    array = array if half else np.asarray(array, np.float32)
    if array.ndim != 3:
        raise ValueError(f"a volume has three axes, not {array.ndim}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds numbers that are not finite")
    place, values = _leaves(array)
    mask = values != 0
    tree, order = _tree(place, np.packbits(mask, axis=1, bitorder="little"))
    metadata: dict[str, str | bool | int | tuple[int, ...]] = {
        "class": "fog volume",
        "file_compression": "active values",
        "file_voxel_count": int(mask.sum()),
        "is_saved_as_half_float": half,
        "name": name,
    }
    if len(place):
        held = np.nonzero(array)
        metadata["file_bbox_min"] = tuple(int(axis.min()) for axis in held)
        metadata["file_bbox_max"] = tuple(int(axis.max()) for axis in held)
    head = struct.pack("<I", ACTIVE_MASK) + _metadata(metadata) + _transform(origin, voxel) + tree
    kind = "Tree_float_5_4_3" + ("_HalfFloat" if half else "")
    descriptor = _string(name) + _string(kind) + _string("")
    return descriptor, head + _buffers(values[order], mask[order]), len(head)


def _leaves(array: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
    """(L, 3) the first voxel of each leaf that holds anything, and (L, 512) its values, x slowest."""
    blocks = [-(-n // LEAF) for n in array.shape]
    padded = np.pad(array, [(0, b * LEAF - n) for b, n in zip(blocks, array.shape, strict=True)])
    x, y, z = blocks
    split = padded.reshape(x, LEAF, y, LEAF, z, LEAF).transpose(0, 2, 4, 1, 3, 5)
    held = np.argwhere((split != 0).any(axis=(3, 4, 5)))
    return held * LEAF, split[tuple(held.T)].reshape(-1, LEAF**3)


def _tree(place: npt.NDArray[np.int64], mask: npt.NDArray[np.uint8]) -> tuple[bytes, npt.NDArray[np.int64]]:
    """The tree over leaves at (L, 3) with (L, 64) bytes of active voxels; (L,) the leaves' order in it."""
    outer = place // OUTER_SPAN
    within_outer = _offset(place % OUTER_SPAN // INNER_SPAN, OUTER)
    within_inner = _offset(place % INNER_SPAN // LEAF, INNER)
    order = np.lexsort((within_inner, within_outer, outer[:, 2], outer[:, 1], outer[:, 0]))
    outer, within_outer, within_inner = outer[order], within_outer[order], within_inner[order]
    roots = _runs(outer)
    # One buffer a leaf; the root: background, no tiles, its children.
    parts = [struct.pack("<IfII", 1, 0.0, 0, len(roots))]
    for start, end in roots:
        parts.append(struct.pack("<iii", *(int(n) * OUTER_SPAN for n in outer[start])))
        inner = [(start + a, start + b) for a, b in _runs(within_outer[start:end, None])]
        parts.append(_inner_node(within_outer[[a for a, _ in inner]], OUTER))
        for first, last in inner:
            parts.append(_inner_node(within_inner[first:last], INNER))
            parts.append(mask[order[first:last]].tobytes())
    return b"".join(parts), order


def _inner_node(children: npt.NDArray[np.int64], width: int) -> bytes:
    """A node that has children at these offsets and is background elsewhere."""
    bits = np.zeros(width**3, np.bool_)
    bits[children] = True
    no_tiles = bytes(width**3 // 8)
    return np.packbits(bits, bitorder="little").tobytes() + no_tiles + ALL_ELSE_IS_BACKGROUND


def _buffers(values: npt.NDArray[Any], mask: npt.NDArray[np.bool_]) -> bytes:
    """The leaves' active values one after the other, each leaf's mask before them."""
    bits = np.packbits(mask, axis=1, bitorder="little")
    active = values[mask]
    ends = np.cumsum(mask.sum(axis=1)) * active.itemsize
    data, masks = active.astype(active.dtype.newbyteorder("<")).tobytes(), bits.tobytes()
    parts, start = [], 0
    for leaf, end in enumerate(ends.tolist()):
        parts += [masks[64 * leaf : 64 * leaf + 64], ALL_ELSE_IS_BACKGROUND, data[start:end]]
        start = end
    return b"".join(parts)


def _offset(child: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.int64]:
    """(L,) a child's number within a node that is `width` children wide, from its place (L, 3)."""
    return np.asarray((child[:, 0] * width + child[:, 1]) * width + child[:, 2])


def _runs(keys: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Where rows of sorted keys (L, k) stay the same."""
    if not len(keys):
        return []
    edges = np.flatnonzero((np.diff(keys, axis=0) != 0).any(axis=1)) + 1
    return list(zip([0, *edges.tolist()], [*edges.tolist(), len(keys)], strict=True))


def _transform(origin: Sequence[float], voxel: float) -> bytes:
    """From voxels to metres: the same scale along all axes, the first voxel's centre half a cell in."""
    centre = [float(corner) + 0.5 * voxel for corner in origin]
    scales: Iterable[float] = (voxel, voxel, 1 / voxel, 1 / voxel**2, 0.5 / voxel)
    numbers = centre + [number for number in scales for _ in range(3)]
    return _string("UniformScaleTranslateMap") + struct.pack("<18d", *numbers)


def _metadata(entries: Mapping[str, str | bool | int | tuple[int, ...]]) -> bytes:
    parts = [struct.pack("<I", len(entries))]
    for name, value in entries.items():
        if isinstance(value, str):
            kind, data = "string", value.encode()
        elif isinstance(value, bool):
            kind, data = "bool", struct.pack("<?", value)
        elif isinstance(value, int):
            kind, data = "int64", struct.pack("<q", value)
        else:
            kind, data = "vec3i", struct.pack("<3i", *value)
        parts += [_string(name), _string(kind), struct.pack("<I", len(data)), data]
    return b"".join(parts)


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data
