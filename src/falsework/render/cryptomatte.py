"""Cryptomatte ids and coverage.

After J. Friedman and A. Jones, "Fully automatic ID mattes with support for motion blur and transparency"
(SIGGRAPH 2015 posters) and the Cryptomatte specification 1.2.0: ids are MurmurHash3_x86_32 of names, read as
float32 with exponents that would make denormals, infinities or NaN avoided.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from falsework.building.fragments import Fragments

__all__ = [
    "DEBRIS",
    "DEBRIS_BIT",
    "RANKS",
    "CoverageTally",
    "float_id",
    "fragment_name",
    "manifest",
    "murmur3_32",
]

DEBRIS = "debris"
# Set in the picture of face numbers where a chip is seen.
DEBRIS_BIT = 0x80000000
RANKS = 3
# Ids kept for a pixel while samples come in; more than that at one pixel are too thin to rank.
SLOTS = 6

MASK = 0xFFFFFFFF


def murmur3_32(data: bytes, seed: int = 0) -> int:
    """MurmurHash3_x86_32 (A. Appleby, public domain algorithm)."""
    c1, c2, state = 0xCC9E2D51, 0x1B873593, seed

    def mixed(block: int) -> int:
        block = block * c1 & MASK
        block = (block << 15 | block >> 17) & MASK
        return block * c2 & MASK

    whole = len(data) & ~3
    for start in range(0, whole, 4):
        state ^= mixed(int.from_bytes(data[start : start + 4], "little"))
        state = (state << 13 | state >> 19) & MASK
        state = (state * 5 + 0xE6546B64) & MASK
    if whole < len(data):
        state ^= mixed(int.from_bytes(data[whole:], "little"))
    state ^= len(data)
    state = (state ^ state >> 16) * 0x85EBCA6B & MASK
    state = (state ^ state >> 13) * 0xC2B2AE35 & MASK
    return state ^ state >> 16


def id_bits(name: str) -> int:
    """The 32 bits of a name's id; the exponent is moved off 0 and 255 as the specification asks."""
    bits = murmur3_32(name.encode("utf-8"))
    exponent = bits >> 23 & 255
    if exponent in (0, 255):
        bits ^= 1 << 23
    return bits


def float_id(name: str) -> np.float32:
    """A name's id as the float32 the picture carries."""
    return np.float32(np.array([id_bits(name)], dtype=np.uint32).view(np.float32)[0])


def fragment_name(index: int) -> str:
    return f"fragment_{index:05d}"


def manifest(fragments: Fragments) -> dict[str, str]:
    """Name to eight hexadecimal digits, for the `cryptomatte/<id>/manifest` key of an EXR."""
    names = [fragment_name(index) for index in range(len(fragments))] + [DEBRIS]
    return {name: f"{id_bits(name):08x}" for name in names}


@njit(cache=True)
def _tally(
    faces: npt.NDArray[np.uint32],
    face_object: npt.NDArray[Any],
    debris: int,
    slot_id: npt.NDArray[Any],
    slot_count: npt.NDArray[np.uint8],
) -> None:
    for pixel in range(faces.size):
        face = faces[pixel]
        if face == 0:
            continue
        found = debris if face >= DEBRIS_BIT else int(face_object[face - 1])
        for slot in range(slot_id.shape[1]):
            if slot_count[pixel, slot] == 0:
                slot_id[pixel, slot] = found
                slot_count[pixel, slot] = 1
                break
            if slot_id[pixel, slot] == found:
                slot_count[pixel, slot] += 1
                break


@njit(cache=True)
def _rank(
    slot_id: npt.NDArray[Any],
    slot_count: npt.NDArray[np.uint8],
    names: npt.NDArray[np.float32],
    samples: int,
    out: npt.NDArray[np.float32],
) -> None:
    ranks = out.shape[1] // 2
    for pixel in range(len(out)):
        for rank in range(ranks):
            best = -1
            for slot in range(slot_id.shape[1]):
                if slot_count[pixel, slot] == 0:
                    continue
                if (
                    best < 0
                    or slot_count[pixel, slot] > slot_count[pixel, best]
                    or (
                        slot_count[pixel, slot] == slot_count[pixel, best]
                        and slot_id[pixel, slot] < slot_id[pixel, best]
                    )
                ):
                    best = slot
            if best < 0:
                break
            out[pixel, 2 * rank] = names[slot_id[pixel, best]]
            out[pixel, 2 * rank + 1] = slot_count[pixel, best] / samples
            slot_count[pixel, best] = 0


class CoverageTally:
    """Counts, sample by sample, which object each pixel sees; object `count` is the debris.

    face_object  (faces,) the object, below `count`, that each face belongs to
    """

    def __init__(self, count: int, face_object: npt.NDArray[np.integer], height: int, width: int) -> None:
        self._names = np.array(
            [float_id(fragment_name(i)) for i in range(count)] + [float_id(DEBRIS)], np.float32
        )
        self._shape = (height, width)
        # The smallest type that holds them: a large picture's tally takes hundreds of megabytes.
        kind = np.uint16 if count <= np.iinfo(np.uint16).max else np.uint32
        self._debris, self._face_object = count, face_object.astype(kind)
        self._id = np.zeros((height * width, SLOTS), kind)
        self._count = np.zeros((height * width, SLOTS), np.uint8)
        self._samples = 0

    def begin(self) -> None:
        """Forget what was counted."""
        self._count[:] = 0
        self._samples = 0

    def add(self, faces: npt.NDArray[np.uint32]) -> None:
        """One sample's picture of face numbers + 1 (H, W), 0 for none, with DEBRIS_BIT set on debris."""
        _tally(faces.reshape(-1), self._face_object, self._debris, self._id, self._count)
        self._samples += 1

    def ranked(self) -> npt.NDArray[np.float32]:
        """(H, W, 2 * RANKS) pairs of id and coverage, largest first; to be asked for once."""
        out = np.zeros((*self._shape, 2 * RANKS), np.float32)
        _rank(self._id, self._count, self._names, max(self._samples, 1), out.reshape(-1, 2 * RANKS))
        return out
