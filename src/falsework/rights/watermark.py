"""An invisible mark in the picture that points to the manifest, for when credentials are stripped.

It is a pointer, not a proof: whoever sees the code can write the same mark into another picture, or blur it
away. What it says is looked up in the production's own records, and only the signed manifest found there
counts. `bench/watermark.py` prints what it survives.

DWT-DCT-SVD, after the family of schemes that began with E. Ganic and A. M. Eskicioglu (ACM MM&Sec 2004),
with three changes. The luma is first brought to one fixed size, so that a mark survives every change of
scale. In each 8x8 DCT block of the Haar transform's low band, two 2x2 matrices of middle frequencies are
compared by their largest singular values, which one is larger being the bit: contrast, gain and gamma move
both alike. And the bits are read as evidence that adds up over blocks and frames, with a code that corrects
what is lost (`pointer_code`).

Pictures here are display-referred RGB (what is seen, not scene-linear light): uint8, or float from 0 to 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn

from falsework.errors import FalseworkError
from falsework.rights.pointer_code import CODED_BITS, POINTER_BYTES, decode, encode

__all__ = ["SMALLEST", "Mark", "mark_picture", "pointer_to", "read_mark"]

WIDTH, HEIGHT = 1024, 576  # the fixed size; its low band is half of that, 64 x 36 blocks
BLOCK = 8
LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)  # ITU-R BT.709
SMALLEST = 256  # pixels along the shorter side, below which a picture holds no mark

# (row, column) frequencies of the two matrices: each other's transposes, so that neither is favoured by
# pictures that have more upright than level lines.
FIRST = ((0, 2), (2, 1), (1, 3), (3, 0))
SECOND = tuple((column, row) for row, column in FIRST)

# By how much one singular value must exceed the other, on the scale of 8-bit luma: in flat parts, and per
# unit of the block's own detail up to a limit.
MARGIN, MARGIN_PER_DETAIL, MOST_MARGIN = 7.0, 0.175, 30.0
# A block that strongly says the opposite is moved as far as this many margins, and no further: the code
# corrects what little that loses, and it would cost the most to see.
MOST_PAID = 1.0
ROUNDS = 2  # of putting in what resampling took away
# Evidence that is noise agrees with its best pointer to 0.70 on average, and to more than this in one case of
# a hundred; the check bits then pass by chance once in 17 million.
SURE = 0.74

# Crops that are tried when reading: what of the width and of the height was kept, about the middle.
KEPT = tuple(percent / 100 for percent in range(99, 69, -1))
MATTES = (1.85, 2.0, 2.2, 2.35, 2.39, 2.4)
# Crops to one side or corner; they are many, so that no more frames than this are used for them.
KEPT_ASIDE = tuple(percent / 200 for percent in range(199, 179, -1))
MOST_MOVED = 3

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Mark:
    """What was read.

    agreement   of the evidence with the pointer, 1 at most
    kept        (width, height) that a crop left; moved: -1 where all of the cut was at the right (or below),
                1 where it was at the left (or above), 0 where it was on both sides
    """

    pointer: bytes
    agreement: float
    kept: tuple[float, float] = (1.0, 1.0)
    moved: tuple[float, float] = (0.0, 0.0)
    mirrored: bool = False


def pointer_to(digest: str) -> bytes:
    """The pointer for a digest in hexadecimal (of the cut): six bytes, enough to find it among one's own."""
    return bytes.fromhex(digest)[:POINTER_BYTES]


def mark_picture(picture: NDArray[Any], pointer: bytes, *, strength: float = 1.0) -> NDArray[Any]:
    """The picture with the mark, in the same shape and type.

    picture   (height, width, 3) display-referred RGB, uint8 or float in 0..1
    strength  1 is about 44 dB; more survives more and shows more
    """
    pixels = _pixels(picture)
    if min(picture.shape[:2]) < SMALLEST:
        raise FalseworkError(
            f"a picture of {picture.shape[1]}x{picture.shape[0]} is too small for an invisible mark",
            todo=f"Its shorter side must have {SMALLEST} pixels.",
        )
    wanted = encode(pointer).astype(np.float32)
    marked = pixels
    # What is put in loses a little on the way to the picture's own size and back, so it is topped up.
    for _ in range(ROUNDS):
        change = _change(_fixed(marked), wanted, strength)
        height, width = pixels.shape[:2]
        whole = cv2.resize(change, (width, height), interpolation=cv2.INTER_CUBIC)
        marked = np.clip(marked + whole[..., None], 0.0, 255.0)
    if picture.dtype == np.uint8:
        return np.rint(marked).astype(np.uint8)
    return (marked / 255.0).astype(picture.dtype)


def read_mark(pictures: Iterable[NDArray[Any]], *, search: bool = True) -> Mark | None:
    """The mark of one or more frames of one shape, read without the original; None where there is none.

    search  also try its mirror image, crops about the middle, the usual mattes, and small crops to a side
    """
    frames = [_luma(_pixels(picture)) for picture in pictures]
    if not frames:
        return None
    best: Mark | None = None
    for guess in _guesses(frames[0].shape, search):
        evidence = np.zeros(CODED_BITS)
        for frame in frames if guess.moved == (0.0, 0.0) else frames[:MOST_MOVED]:
            evidence += _evidence(_uncropped(frame, guess))
        found = decode(evidence)
        known = best.agreement if best else SURE
        if found.pointer is not None and found.agreement > known:
            best = replace(guess, pointer=found.pointer, agreement=found.agreement)
            if guess.kept == (1.0, 1.0):
                break
        elif best is not None:  # guesses lie side by side, so the best one has just been passed
            break
    return best


def _pixels(picture: NDArray[Any]) -> Plane:
    """As float32 on the scale of 8 bits."""
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise FalseworkError("a picture to mark has three channels, red, green and blue")
    if picture.dtype == np.uint8:
        return picture.astype(np.float32)
    return np.clip(picture.astype(np.float32), 0.0, 1.0) * np.float32(255.0)


def _luma(pixels: Plane) -> Plane:
    return np.asarray(pixels @ LUMA, dtype=np.float32)


def _fixed(pixels: Plane) -> Plane:
    return _resized(_luma(pixels))


def _resized(luma: Plane) -> Plane:
    """To the fixed size; an average where that is smaller, so that nothing folds over."""
    shrinks = luma.shape[0] >= HEIGHT and luma.shape[1] >= WIDTH
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(luma, (WIDTH, HEIGHT), interpolation=method), dtype=np.float32)


def _blocks(fixed: Plane) -> Plane:
    """DCT of the blocks of the Haar low band, (blocks, 8, 8), orthonormal throughout."""
    low = (fixed[0::2, 0::2] + fixed[1::2, 0::2] + fixed[0::2, 1::2] + fixed[1::2, 1::2]) / np.float32(2.0)
    rows, columns = low.shape[0] // BLOCK, low.shape[1] // BLOCK
    blocks = low.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2).reshape(-1, BLOCK, BLOCK)
    return np.asarray(dctn(blocks, axes=(1, 2), norm="ortho"), dtype=np.float32)


def _picture_of(blocks: Plane) -> Plane:
    """The inverse of `_blocks`, the high bands being zero."""
    low = idctn(blocks, axes=(1, 2), norm="ortho")
    rows, columns = HEIGHT // 2 // BLOCK, WIDTH // 2 // BLOCK
    low = low.reshape(rows, columns, BLOCK, BLOCK).swapaxes(1, 2).reshape(HEIGHT // 2, WIDTH // 2)
    return np.asarray(low.repeat(2, axis=0).repeat(2, axis=1) / 2.0, dtype=np.float32)


def _matrices(blocks: Plane) -> Plane:
    """(2, blocks, 2, 2): the two matrices of every block."""
    return np.stack(
        [
            np.stack([blocks[:, row, column] for row, column in places], axis=1).reshape(-1, 2, 2)
            for places in (FIRST, SECOND)
        ]
    )


def _change(fixed: Plane, wanted: NDArray[np.float32], strength: float) -> Plane:
    """What must be added to the luma at the fixed size for every block to say its bit."""
    blocks = _blocks(fixed)
    places, signs = _layout()
    bits = wanted[places] * signs  # +1: the first matrix is to win
    left, values, right = np.linalg.svd(_matrices(blocks))
    detail = np.sqrt(np.square(blocks).sum(axis=(1, 2)) - np.square(blocks[:, 0, 0]))
    margin = strength * np.minimum(MARGIN + MARGIN_PER_DETAIL * detail, MOST_MARGIN)
    short = np.clip(margin - bits * (values[0, :, 0] - values[1, :, 0]), 0.0, MOST_PAID * margin)
    # Half is added to the one that is to win; the other gives up half, or all it has.
    rise = np.stack([np.where(bits > 0, 1.0, -1.0), np.where(bits > 0, -1.0, 1.0)]) * short / 2.0
    target = np.maximum(values[..., 0] + rise, 0.0)
    unpaid = np.maximum(-(values[..., 0] + rise), 0.0)[::-1]  # what the other could not give up
    target = target + unpaid
    new = np.where(
        rise[..., None] < 0,
        np.minimum(values, target[..., None]),
        np.stack([target, values[..., 1]], axis=-1),
    )
    changed = np.einsum("mbij,mbj,mbjk->mbik", left, new - values, right)
    delta = np.zeros_like(blocks)
    for places_of, matrix in zip((FIRST, SECOND), changed, strict=True):
        for index, (row, column) in enumerate(places_of):
            delta[:, row, column] = matrix[:, index // 2, index % 2]
    return _picture_of(delta)


def _evidence(fixed: Plane) -> NDArray[np.float64]:
    """(CODED_BITS,): the blocks' votes, each between -1 and 1, added up bit by bit."""
    places, signs = _layout()
    values = np.linalg.svd(_matrices(_blocks(fixed)), compute_uv=False)[..., 0].astype(np.float64)
    # The floor keeps blocks with nothing in them, such as a black border, from voting.
    votes = (values[0] - values[1]) / (values.sum(axis=0) + 4.0) * signs
    return np.bincount(places, weights=votes, minlength=CODED_BITS).astype(np.float64)


def _guesses(shape: tuple[int, ...], search: bool) -> Iterator[Mark]:
    """What may have been done to the marked picture, as marks still without a pointer: nothing first."""
    yield Mark(b"", 0.0)
    if not search:
        return
    yield Mark(b"", 0.0, mirrored=True)
    yield from (Mark(b"", 0.0, (kept, kept)) for kept in KEPT)
    ratio = shape[1] / shape[0]
    for matte in MATTES:
        for whole in (16 / 9, 4 / 3, 1.5):  # of which a matte may have been cut
            if matte > whole and abs(ratio / matte - 1.0) < 0.01:
                yield Mark(b"", 0.0, (1.0, round(whole / matte, 4)))
    for kept in KEPT_ASIDE:
        sides = [(across, down) for across in (-1.0, 0.0, 1.0) for down in (-1.0, 0.0, 1.0)]
        yield from (Mark(b"", 0.0, (kept, kept), moved) for moved in sides if moved != (0.0, 0.0))
        yield from (Mark(b"", 0.0, (kept, 1.0), (side, 0.0)) for side in (-1.0, 1.0))
        yield from (Mark(b"", 0.0, (1.0, kept), (0.0, side)) for side in (-1.0, 1.0))


def _uncropped(luma: Plane, guess: Mark) -> Plane:
    """At the fixed size, with the border's values where a crop took something away."""
    if guess.mirrored:
        luma = np.ascontiguousarray(luma[:, ::-1])
    if guess.kept == (1.0, 1.0):
        return _resized(luma)
    source = luma
    width, height = guess.kept[0] * WIDTH, guess.kept[1] * HEIGHT
    if width < luma.shape[1] and height < luma.shape[0]:  # an affine map does not average
        size = (round(width), round(height))
        source = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    # To a fraction of a pixel: pixel centres lie at integers + 0.5.
    across, down = width / source.shape[1], height / source.shape[0]
    left = (WIDTH - width) * (1.0 + guess.moved[0]) / 2.0
    top = (HEIGHT - height) * (1.0 + guess.moved[1]) / 2.0
    move = np.array([[across, 0.0, left + across / 2.0 - 0.5], [0.0, down, top + down / 2.0 - 0.5]])
    placed = cv2.warpAffine(
        source, move, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(placed, dtype=np.float32)


@cache
def _layout() -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Which coded bit each block carries, and whether turned over: scattered, so that no part of the picture
    holds all of a bit. From SHA-256, so that a mark can be read by any version of any library.
    """
    count = (HEIGHT // 2 // BLOCK) * (WIDTH // 2 // BLOCK)
    digests = [hashlib.sha256(b"falsework block %d" % block).digest() for block in range(count)]
    order = sorted(range(count), key=lambda block: digests[block])
    places = np.zeros(count, dtype=np.int64)
    for position, block in enumerate(order):
        places[block] = position % CODED_BITS
    signs = np.array([1.0 if digest[-1] & 1 else -1.0 for digest in digests], dtype=np.float32)
    return places, signs
