"""Vectors that were encoded once, by the digest of their text: what makes a build resumable and an update
short. Those of the sample catalogue ship with the package (shipped.py)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.search.ranking.columns import map_columns, write_columns

__all__ = ["CHUNK", "SHIPPED", "Encodes", "VectorCache", "write_vectors"]

CHUNK = 4_096  # texts of a file: what a killed build may have to encode again, some ten seconds
DIGEST = 16  # bytes
UNKNOWN = -1
SHIPPED = Path(__file__).with_name("sample_vectors.safetensors")

Float = npt.NDArray[np.float32]
Half = npt.NDArray[np.float16]
Bytes = npt.NDArray[np.uint8]


class Encodes(Protocol):
    """What is needed of an encoder; `falsework.search.encoder.Encoder` is one."""

    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Float: ...


class VectorCache:
    """Files of about CHUNK vectors each, in `folder`/<model>, which appear whole; use it in a `with` block.
    What ships for this very model is known from the beginning.

    Vectors are kept as float16, which turns them by less than a twentieth of a degree, and every vector goes
    through that form: a build from the cache gives what a build from nothing gives. One process at a time.
    """

    def __init__(self, folder: Path, encoder: Encodes) -> None:
        self.encoded = 0  # texts that were not known
        self._encoder = encoder
        self._folder = folder / re.sub(r"[^\w.-]+", "-", encoder.name)
        self._files: list[Path] = []
        self._known: list[tuple[Bytes, Half]] = []  # of each file, mapped: digests and vectors
        self._pending: list[tuple[Bytes, Half]] = []  # encoded since the last file
        for path in (*sorted(self._folder.glob("*.safetensors")), SHIPPED):
            with suppress(FalseworkError):  # a damaged file costs its vectors, which are encoded again
                columns, values = map_columns(path)
                if values.get("model") == encoder.name and columns["vectors"].shape[1:] == (
                    encoder.dimensions,
                ):
                    self._files.append(path)
                    self._known.append((columns["digests"], columns["vectors"]))
        self._used = np.zeros(len(self._files), bool)
        # Digests are found by their first eight bytes among the sorted ones and then compared whole.
        sizes = [len(digests) for digests, _ in self._known]
        self._begins = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        keys = np.concatenate([_keys(digests) for digests, _ in self._known] or [np.zeros(0, np.uint64)])
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def vectors(self, texts: Sequence[str]) -> Float:
        """(n, dimensions) float32 of length 1; texts that are not known are encoded and kept."""
        found = np.zeros((len(texts), self._encoder.dimensions), np.float16)
        digests = _digests(texts)
        files, rows = self._places(digests)
        for file in np.unique(files[files != UNKNOWN]):
            here = np.flatnonzero(files == file)
            known, vectors = self._known[file]
            same = (known[rows[here]] == digests[here]).all(axis=1)
            files[here[~same]] = UNKNOWN
            found[here[same]] = vectors[rows[here[same]]]
            self._used[file] |= same.any()
        unknown = np.flatnonzero(files == UNKNOWN)
        if len(unknown):
            fresh = self._encoder.encode([texts[index] for index in unknown.tolist()]).astype(np.float16)
            found[unknown] = fresh
            self._pending.append((digests[unknown], fresh))
            self.encoded += len(unknown)
            if sum(len(each) for each, _ in self._pending) >= CHUNK:
                self.flush()
        answer: Float = found.astype(np.float32)
        answer /= np.maximum(np.linalg.norm(answer, axis=1, keepdims=True), np.float32(1e-12))
        return answer

    def flush(self) -> None:
        """Write what was encoded since the last file."""
        if not self._pending:
            return
        taken = [int(path.stem) for path in self._folder.glob("*.safetensors")]
        digests, vectors = (np.concatenate(each) for each in zip(*self._pending, strict=True))
        path = self._folder / f"{max(taken, default=0) + 1:08d}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, digests, vectors, self._encoder.name)
        self._pending.clear()

    def forget_unused(self) -> None:
        """Remove the files that were there at first and of which nothing was asked for, and those of other
        models."""
        for path, used in zip(self._files, self._used, strict=True):
            if not used and path != SHIPPED:
                path.unlink(missing_ok=True)
        for folder in self._folder.parent.glob("*/"):
            if folder != self._folder:
                for path in folder.glob("*.safetensors"):
                    path.unlink(missing_ok=True)
                with suppress(OSError):  # it holds something that is not ours
                    folder.rmdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()  # what was encoded stays encoded, whatever happened

    def _places(self, digests: Bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The file and the row in it where each digest may stand; file UNKNOWN where it stands nowhere."""
        if not len(self._keys):
            return np.full(len(digests), UNKNOWN, np.int64), np.zeros(len(digests), np.int64)
        wanted = _keys(digests)
        at = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        place = self._order[at]
        file = np.searchsorted(self._begins, place, "right") - 1
        rows = place - self._begins[file]
        return np.where(self._keys[at] == wanted, file, UNKNOWN), rows


def write_vectors(path: Path, texts: Sequence[str], vectors: Float, model: str) -> None:
    """Write the vectors of `texts`, (n, dimensions) float32 of length 1 by the encoder called `model`, as
    they are kept."""
    _write(path, _digests(texts), vectors.astype(np.float16), model)


def _write(path: Path, digests: Bytes, vectors: Half, model: str) -> None:
    write_columns(path, {"digests": digests, "vectors": vectors}, {"model": model})


def _digests(texts: Sequence[str]) -> Bytes:
    """(n, DIGEST) bytes."""
    joined = b"".join(
        blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST).digest() for text in texts
    )
    return np.frombuffer(joined, np.uint8).reshape(-1, DIGEST)


def _keys(digests: Bytes) -> npt.NDArray[np.uint64]:
    """(n,) the first eight bytes of each digest as a number."""
    return np.ascontiguousarray(digests[:, :8]).view("<u8").reshape(-1)
