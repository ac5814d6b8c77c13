"""Frame rates as fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest

from falsework.media.rate import frame_rate


@pytest.mark.parametrize(
    ("fps", "exact"),
    [
        (24, Fraction(24)),
        (25.0, Fraction(25)),
        (1, Fraction(1)),
        (12.5, Fraction(25, 2)),
        (240, Fraction(240)),
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (24000 / 1001, Fraction(24000, 1001)),
        (23.976 / 4, Fraction(6000, 1001)),
    ],
)
def test_rates_are_those_editors_know(fps: float, exact: Fraction) -> None:
    assert frame_rate(fps) == exact
