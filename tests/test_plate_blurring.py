"""Wide blurs against OpenCV's own, which takes every pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from falsework.plate.blurring import wide_blur
from falsework.seeds import generator


@pytest.mark.parametrize(("across", "down"), [(3.0, 3.0), (20.0, 20.0), (9.0, 45.0), (60.0, 2.0)])
@pytest.mark.parametrize("shape", [(181, 263), (240, 160, 4)])
def test_a_wide_blur_is_a_gaussian(shape: tuple[int, ...], across: float, down: float) -> None:
    picture = np.zeros(shape, np.float32)
    random = generator(1, "blurring")
    picture[60:120, 50:110] = random.random((60, 60, *shape[2:]), dtype=np.float32)
    exact = cv2.GaussianBlur(picture, (0, 0), sigmaX=across, sigmaY=down, borderType=cv2.BORDER_REFLECT)
    blurred = wide_blur(picture, across, down)
    assert blurred.shape == picture.shape
    assert blurred.dtype == np.float32
    assert np.abs(blurred - exact).max() < 0.02 * exact.max()
    assert blurred.mean() == pytest.approx(exact.mean(), rel=0.01)


def test_an_even_picture_stays_even_even_where_the_blur_is_wider_than_it() -> None:
    np.testing.assert_allclose(wide_blur(np.full((9, 40, 3), 0.4, np.float32), 300.0), 0.4, rtol=1e-5)
