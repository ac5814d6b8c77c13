"""Columns of numbers as one safetensors file that is written piece by piece and read without reading it.

The safetensors library holds all it writes in memory and copies what it reads. A table of a million titles
wants neither: its columns are spooled to files of their own while they grow, laid one behind the other at
the end, and later mapped, so that a file of gigabytes opens in a millisecond and only the pages looked at
are ever loaded. The file stays a plain safetensors file (https://huggingface.co/docs/safetensors: eight
bytes of length, a JSON header, the data), which the library reads too.
"""

from __future__ import annotations

import json
import mmap
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.media.atomic import whole_file

__all__ = ["Spool", "map_columns", "write_columns"]

CODES: Final = {
    "int8": "I8",
    "uint8": "U8",
    "int16": "I16",
    "uint16": "U16",
    "int32": "I32",
    "uint32": "U32",
    "int64": "I64",
    "uint64": "U64",
    "float16": "F16",
    "float32": "F32",
}
TYPES: Final = {code: np.dtype(name) for name, code in CODES.items()}
ALIGNMENT: Final = 64  # bytes: each column starts on a cache line
LONGEST_HEADER: Final = 100_000_000  # bytes; the format's own limit


class Spool:
    """A column that grows: rows are appended to a file of its own until the table is put together.

    `width` is None for a column of numbers, otherwise the length of each row.
    """

    def __init__(self, path: Path, dtype: npt.DTypeLike, width: int | None = None) -> None:
        self.path = path
        self.dtype = np.dtype(dtype)
        self.width = width
        self.rows = 0
        self._file: BinaryIO = path.open("wb")

    def append(self, values: npt.ArrayLike) -> int:
        """Append numbers, or rows of `width`; returns how many."""
        array = np.ascontiguousarray(values, dtype=self.dtype)
        if array.shape[1:] != (() if self.width is None else (self.width,)):
            raise ValueError(f"rows of shape {array.shape[1:]} in a column of width {self.width}")
        self._file.write(array.data)
        self.rows += len(array)
        return len(array)

    def close(self) -> None:
        self._file.close()

    def read(self) -> npt.NDArray[Any]:
        """The column so far, mapped from its file."""
        self._file.flush()
        shape = (self.rows,) if self.width is None else (self.rows, self.width)
        if not self.rows:
            return np.empty(shape, self.dtype)
        return np.memmap(self.path, self.dtype, "r", shape=shape)


def write_columns(
    path: Path, columns: Mapping[str, Spool | npt.NDArray[Any]], values: Mapping[str, Any]
) -> None:
    """Write columns and JSON-able values as a safetensors file that appears whole."""
    parts: dict[str, Spool | npt.NDArray[Any]] = {
        name: column if isinstance(column, Spool) else np.ascontiguousarray(column)
        for name, column in columns.items()
    }
    header: dict[str, Any] = {"__metadata__": {"values": json.dumps(dict(values))}}
    at = 0
    for name, part in parts.items():
        shape = (
            [part.rows] + ([] if part.width is None else [part.width])
            if isinstance(part, Spool)
            else part.shape
        )
        size = int(np.prod(shape, dtype=np.int64)) * part.dtype.itemsize
        header[name] = {
            "dtype": CODES[part.dtype.name],
            "shape": list(shape),
            "data_offsets": [at, at + size],
        }
        at += size
    words = json.dumps(header, separators=(",", ":")).encode()
    words += b" " * (-(8 + len(words)) % ALIGNMENT)
    with whole_file(path) as whole, whole.open("wb") as file:
        file.write(len(words).to_bytes(8, "little") + words)
        for part in parts.values():
            if isinstance(part, Spool):
                part.close()
                with part.path.open("rb") as spooled:
                    shutil.copyfileobj(spooled, file, 1 << 20)
            elif part.size:
                file.write(part.data)


def map_columns(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """The columns, mapped read-only, and the values of `write_columns`."""
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        length = int.from_bytes(mapped[:8], "little")
        if not 2 <= length <= min(LONGEST_HEADER, len(mapped) - 8):
            raise ValueError("its header does not fit into it")
        header = json.loads(mapped[8 : 8 + length])
        values = json.loads(header.pop("__metadata__")["values"])
        columns = {name: _column(mapped, 8 + length, entry) for name, entry in header.items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FalseworkError(
            f"is not a readable table ({error})",
            where=path,
            todo="Build the index again: `falsework search --rebuild`.",
        ) from error
    return columns, values


def _column(mapped: mmap.mmap, base: int, entry: Mapping[str, Any]) -> npt.NDArray[Any]:
    begin, end = entry["data_offsets"]
    dtype = TYPES[entry["dtype"]]
    shape = tuple(entry["shape"])
    count = int(np.prod(shape, dtype=np.int64))
    if count * dtype.itemsize != end - begin or base + end > len(mapped):
        raise ValueError("it is shorter than its header says")
    if not count:
        return np.empty(shape, dtype)
    if (base + begin) % dtype.itemsize:  # numpy reads what is not aligned, only slower; ours always are
        return np.frombuffer(mapped[base + begin : base + end], dtype).reshape(shape)
    return np.frombuffer(mapped, dtype, count, base + begin).reshape(shape)
