"""Lens distortion, both ways."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Lens"]


@dataclass(frozen=True)
class Lens:
    """Distortion of the delivered picture against an ideal pinhole.

    model         "none", "brown" (OpenCV k1, k2, p1, p2, k3) or "fisheye" (OpenCV/Kannala-Brandt k1..k4)
    coefficients  the model's numbers
    focal, centre of the distorted picture, pixels at delivery resolution
    width, height of the distorted (delivered) picture, pixels
    """

    model: str
    coefficients: tuple[float, ...]
    focal: float
    centre: tuple[float, float]
    width: int
    height: int
