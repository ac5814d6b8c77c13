"""PDQ against its properties and, where it is installed, against Meta's own code."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copies import drawn, jpeg
from falsework.rights.pdq import BITS, LEAST_QUALITY, SYMMETRIES, distances, hash_at_size, pdq

Picture = npt.NDArray[np.uint8]

# What each of SYMMETRIES does to a picture.
TURNED: tuple[Callable[[Picture], Picture], ...] = (
    lambda picture: picture,
    lambda picture: picture[:, ::-1],
    lambda picture: picture[::-1],
    lambda picture: picture[::-1, ::-1],
    lambda picture: picture.swapaxes(0, 1),
    lambda picture: np.rot90(picture, -1),
    lambda picture: np.rot90(picture),
    lambda picture: np.rot90(picture, 2).swapaxes(0, 1),
)


def apart(one: Picture, other: Picture) -> npt.NDArray[np.int64]:
    return distances(pdq(np.ascontiguousarray(one)), pdq(other).bits[None])[0]


@pytest.mark.parametrize("size", [(512, 512), (640, 960), (333, 517), (64, 64), (1500, 2000)])
def test_the_same_bits_as_the_reference(size: tuple[int, int]) -> None:
    reference = pytest.importorskip("pdqhash", reason="Meta's pdqhash is not installed")
    for seed in range(3):
        picture = np.ascontiguousarray(cv2.resize(drawn(seed), size[::-1], interpolation=cv2.INTER_AREA))
        bits, quality = reference.compute(picture)
        ours = hash_at_size(picture)
        # it counts its bits from the other end
        assert np.count_nonzero(np.unpackbits(ours.bits[0])[::-1] != bits) <= 2
        assert ours.quality == quality


@pytest.mark.parametrize("seed", range(4))
def test_our_size_changes_little(seed: int) -> None:
    """At the size of 576 and not 512: hashes stay comparable with those of other implementations."""
    picture = drawn(seed, 512, 512)
    assert distances(pdq(picture), hash_at_size(picture).bits[None])[0, 0] <= 16


@given(seed=st.integers(0, 10_000), turn=st.integers(0, 7))
@settings(max_examples=40, deadline=None)
def test_symmetries_are_told_apart(seed: int, turn: int) -> None:
    picture = drawn(seed, 320, 224)
    found = apart(TURNED[turn](picture), picture)
    assert found.min() <= 4
    assert found.argmin() == turn, SYMMETRIES[found.argmin()]


@pytest.mark.parametrize("seed", range(6))
def test_wear_stays_within_the_limit(seed: int) -> None:
    picture = drawn(seed)
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    assert apart(jpeg(picture, 20), picture)[0] <= 31
    assert apart(small, picture)[0] <= 31


def test_half_of_the_bits_are_set() -> None:
    for seed in range(5):
        ones = np.unpackbits(pdq(drawn(seed)).bits, axis=1).sum(axis=1)
        assert np.all(ones == BITS // 2)


def test_flat_pictures_are_not_to_be_trusted() -> None:
    flat = np.full((300, 400, 3), 120, np.uint8)
    ramp = np.broadcast_to(np.linspace(0, 90, 400).astype(np.uint8)[None, :, None], (300, 400, 3))
    for picture in (flat, np.ascontiguousarray(ramp)):
        hashed = pdq(picture)
        assert hashed.quality < LEAST_QUALITY
        assert not hashed.reliable
    assert pdq(drawn(1)).reliable


def test_distances_count_bits() -> None:
    one, others = pdq(drawn(0)), [pdq(drawn(seed)) for seed in (0, 1, 2)]
    found = distances(one, np.stack([each.bits for each in others]))
    for row, each in enumerate(others):
        unequal = np.unpackbits(each.bits ^ one.bits[0], axis=1).sum(axis=1)
        assert found[row].tolist() == unequal.tolist()
    assert distances(one, np.zeros((0, 8, 32), np.uint8)).shape == (0, 8)


def test_the_smallest_pictures_are_hashed() -> None:
    assert pdq(np.zeros((1, 1, 3), np.uint8)).quality == 0
