"""Frame rates as the fractions that editors know them by."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["frame_rate"]

NEAR = 2e-4  # relative: 23.98, as people write it, is meant to be 24000/1001


def frame_rate(fps: float) -> Fraction:
    """The exact rate of a rate in decimals: 23.976 is 24000/1001, 29.97 30000/1001 (SMPTE ST 12-1)."""
    slowed = Fraction(1000 * round(fps * 1.001), 1001)
    if slowed and abs(fps / float(slowed) - 1.0) < NEAR:
        return slowed
    return Fraction(fps).limit_denominator(1001)
