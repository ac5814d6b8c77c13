"""Half floats: NumPy's own rounding, bit for bit, and no infinity where there was none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.media.half import LARGEST, to_half, to_single
from falsework.seeds import generator


def test_every_half_float_comes_back() -> None:
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    halves = halves[~np.isnan(halves)]
    single = to_single(halves)
    assert single.dtype == np.float32
    assert single.tobytes() == halves.astype(np.float32).tobytes()
    finite = np.isfinite(halves)
    assert to_half(single)[finite].tobytes() == halves[finite].tobytes()


@given(st.integers(0, 99), st.lists(st.integers(0, 7), min_size=1, max_size=4))
def test_rounds_as_numpy_does(seed: int, shape: list[int]) -> None:
    bits = generator(seed, "test", "half").integers(0, 1 << 32, shape, dtype=np.uint32)
    pixels = np.nan_to_num(bits.view(np.float32))
    halves = to_half(pixels)
    assert halves.shape == pixels.shape
    assert halves.tobytes() == np.clip(pixels, -LARGEST, LARGEST).astype(np.float16).tobytes()


def test_a_slice_of_a_picture() -> None:
    picture = generator(1, "test", "half").random((5, 6, 4), dtype=np.float32)
    assert to_half(picture[1:, ::2, 1]).tolist() == picture[1:, ::2, 1].astype(np.float16).tolist()


@pytest.mark.parametrize("bright", [1e6, np.inf, -np.inf])
def test_what_is_too_bright_stays_finite(bright: float) -> None:
    assert abs(float(to_half(np.array([bright], np.float32))[0])) == LARGEST
