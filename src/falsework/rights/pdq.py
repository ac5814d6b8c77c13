"""PDQ, the perceptual hash of a whole picture: 256 bits, eight symmetries, and how far they can be trusted.

Written from the published description of the algorithm (Meta, "The TMK+PDQF video-hashing algorithm and the
PDQ image-hashing algorithm", 2019). Luma is smoothed by two passes of a running mean along both axes, sampled
at 64 x 64 places, transformed by a cosine transform of which the frequencies 1 to 16 are kept each way, and
each of the 256 coefficients gives the bit "above the median". All but the last step is linear and separable,
so the smoothing, sampling and transform are one small matrix for the rows and one for the columns.

It recognises a picture that was recompressed, rescaled, graded, mirrored or turned by right angles. It does
not recognise crops, other rotations or insets.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["BITS", "LEAST_QUALITY", "SYMMETRIES", "Hash", "distances", "hash_at_size", "pdq"]

BITS = 256
SIDE = 64  # samples each way before the transform
KEPT = 16  # frequencies each way
# Pictures are brought to this size first, as the algorithm's authors advise (they name 512). At 9 x 64 the
# running mean's window (5) and the step between samples (9) are odd and so have a middle: a mirrored
# picture's hash is the mirrored hash. At 512 half a sample's shift costs up to 40 bits on fine textures.
WORKING = 9 * SIDE
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of R, G, B (ITU-R BT.601)

# Below it the picture has too little detail for its hash to mean anything (the algorithm's authors advise
# against matching such hashes).
LEAST_QUALITY = 50

# What was done to a picture (transposed first, then its rows, then its columns reversed), and in words.
_TURNS = (
    (False, False, False, "as it is"),
    (False, False, True, "mirrored left to right"),
    (False, True, False, "mirrored top to bottom"),
    (False, True, True, "turned by 180°"),
    (True, False, False, "mirrored along the falling diagonal"),
    (True, False, True, "turned clockwise by 90°"),
    (True, True, False, "turned anticlockwise by 90°"),
    (True, True, True, "mirrored along the rising diagonal"),
)
SYMMETRIES = tuple(words for *_, words in _TURNS)


@dataclass(frozen=True)
class Hash:
    """The hash of one picture.

    bits     uint8 (8, 32): 256 packed bits for each of `SYMMETRIES`: what the picture would hash to if that
             were done to it
    quality  0 to 100; below `LEAST_QUALITY` equal hashes are no evidence
    """

    bits: npt.NDArray[np.uint8]
    quality: int

    @property
    def reliable(self) -> bool:
        return self.quality >= LEAST_QUALITY


def pdq(picture: npt.NDArray[np.uint8]) -> Hash:
    """The hash of a picture, uint8 (H, W, 3), red first, of any size."""
    shrinks = min(picture.shape[:2]) > WORKING
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    small = cv2.resize(picture, (WORKING, WORKING), interpolation=way)
    return hash_at_size(np.asarray(small, np.uint8))


def hash_at_size(picture: npt.NDArray[np.uint8]) -> Hash:
    """The hash without bringing the picture to a size first, as other implementations take it."""
    luma = picture.astype(np.float32) @ LUMA
    rows, columns = _smooth_and_sample(luma.shape[0]), _smooth_and_sample(luma.shape[1])
    small = rows @ luma.astype(np.float64) @ columns.T
    cosines = _cosines()
    transformed = cosines @ small @ cosines.T
    # Reversing a picture changes the sign of every odd frequency along that axis.
    signs = np.where(np.arange(1, KEPT + 1) % 2, -1.0, 1.0)
    bits = []
    for transposed, rows_reversed, columns_reversed, _ in _TURNS:
        turned = transformed.T if transposed else transformed
        if rows_reversed:
            turned = turned * signs[:, None]
        if columns_reversed:
            turned = turned * signs[None, :]
        # The lower of the two middle ones, of an even number.
        median = np.partition(turned, BITS // 2 - 1, axis=None)[BITS // 2 - 1]
        bits.append(np.packbits((turned > median).reshape(-1)))
    return Hash(np.stack(bits), _quality(small))


def distances(frame: Hash, samples: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Bits in which a frame differs from N samples under each symmetry: `samples` uint8 (N, 8, 32) → (N, 8).

    The smallest of a row says what was done to the sample to make the frame.
    """
    if not len(samples):
        return np.zeros((0, len(SYMMETRIES)), np.int64)
    # As signs ±1 the number of unequal bits is a dot product: exact in float32, and a matrix product for all.
    signs = 2.0 * np.unpackbits(samples, axis=-1).astype(np.float32) - 1.0
    own = 2.0 * np.unpackbits(frame.bits[0]).astype(np.float32) - 1.0
    return np.asarray((BITS - signs @ own) / 2, np.int64)


@lru_cache(maxsize=64)
def _smooth_and_sample(length: int) -> npt.NDArray[np.float64]:
    """(64, length): the running mean along an axis, twice, at the places that are kept."""
    window = -(-length // (2 * SIDE))  # two windows to a sample
    ahead = (window + 2) // 2 - 1
    behind = window - ahead - 1
    places = ((np.arange(SIDE) + 0.5) * length / SIDE).astype(np.int64)
    matrix = np.zeros((SIDE, length))
    for row, place in enumerate(places):
        outer = range(max(0, place - behind), min(length, place + ahead + 1))
        for middle in outer:
            first, last = max(0, middle - behind), min(length, middle + ahead + 1)
            matrix[row, first:last] += 1.0 / (len(outer) * (last - first))
    matrix.flags.writeable = False
    return matrix


@lru_cache(maxsize=1)
def _cosines() -> npt.NDArray[np.float64]:
    """(16, 64): the cosine transform's frequencies 1 to 16; the mean (frequency 0) is left out."""
    frequency = np.arange(1, KEPT + 1)[:, None]
    sample = np.arange(SIDE)[None, :]
    return np.asarray(np.sqrt(2 / SIDE) * np.cos(np.pi / (2 * SIDE) * frequency * (2 * sample + 1)))


def _quality(small: npt.NDArray[np.float64]) -> int:
    """0 to 100 from the sum of the steps between neighbouring samples, in whole per cent of full scale."""
    steps = (np.diff(small, axis=0), np.diff(small, axis=1))
    total = sum(int(np.abs(np.trunc(step * (100 / 255))).sum()) for step in steps)
    return min(100, total // 90)
