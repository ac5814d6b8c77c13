"""How far a picture is from its reference, and a sequence from its reference's motion.

Pictures are float32 (H, W, 3), scene-linear ACEScg. Larger is worse for FLIP and the temporal error, better
for PSNR and SSIM.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import flip_evaluator
import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.media.colour import from_working

__all__ = ["Difference", "difference", "flip", "psnr", "ssim", "temporal_error"]

Image = npt.NDArray[np.float32]

PEAK = 1.0  # the plate's white
# Wang, Bovik, Sheikh, Simoncelli 2004: window and constants for a range of 1.
WINDOW, SPREAD = 11, 1.5
C1, C2 = 0.01**2, 0.03**2
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Rec. 709


@dataclass(frozen=True)
class Difference:
    """flip: mean HDR-FLIP, 0 to 1;  psnr: dB on the encoded picture, infinite for equal ones;  ssim: of its
    luma, to 1."""

    flip: float
    psnr: float
    ssim: float


def difference(reference: Image, test: Image) -> Difference:
    """Of `test` from `reference`. Raises FalseworkError where they cannot be compared."""
    _comparable(reference, test)
    return Difference(flip(reference, test), psnr(reference, test), ssim(reference, test))


def flip(reference: Image, test: Image) -> float:
    """Mean HDR-FLIP (Andersson and others 2021) at its standard viewing distance, 67 pixels a degree."""
    _comparable(reference, test)
    linear = [np.maximum(from_working(image, "linear"), 0.0) for image in (reference, test)]
    _, mean, _ = flip_evaluator.evaluate(*linear, "HDR", applyMagma=False)
    return float(mean)


def psnr(reference: Image, test: Image) -> float:
    """Peak signal-to-noise ratio, dB, of the pictures as a screen shows them; infinite for equal ones."""
    first, second = _shown(reference), _shown(test)
    mean = float(np.mean((first.astype(np.float64) - second) ** 2))
    return float("inf") if mean == 0 else float(10 * np.log10(PEAK**2 / mean))


def ssim(reference: Image, test: Image) -> float:
    """Mean structural similarity of luma, a Gaussian window of 11 pixels."""
    first, second = (_shown(image) @ LUMA for image in (reference, test))

    def mean(image: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        blurred = cv2.GaussianBlur(image.astype(np.float64), (WINDOW, WINDOW), SPREAD)
        return np.asarray(blurred, np.float64)

    m1, m2 = mean(first), mean(second)
    v1, v2 = mean(first**2) - m1**2, mean(second**2) - m2**2
    shared = mean(first * second) - m1 * m2
    value = (2 * m1 * m2 + C1) * (2 * shared + C2) / ((m1**2 + m2**2 + C1) * (v1 + v2 + C2))
    return float(value.mean())


def temporal_error(
    reference: tuple[Image, Image], test: tuple[Image, Image], motion: npt.NDArray[np.float32]
) -> float:
    """How much more or less than the reference a picture changes along its motion: flicker, boiling, drag.

    Two frames each, and the motion (H, W, 2) in pixels from the first to the second. The second is looked up
    where the first has gone; what is left between them in `test` and in `reference` is compared (mean
    absolute difference of the pictures as a screen shows them), over pixels that stay in the picture.
    """
    for first, second in ((reference[0], test[0]), (reference[1], test[1])):
        _comparable(first, second)
    height, width = motion.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    to_x, to_y = x + motion[..., 0], y + motion[..., 1]
    inside = (to_x >= 0) & (to_x <= width - 1) & (to_y >= 0) & (to_y <= height - 1)
    if not inside.any():
        return 0.0

    def change(pair: tuple[Image, Image]) -> npt.NDArray[np.float32]:
        before, after = _shown(pair[0]), _shown(pair[1])
        return np.asarray(cv2.remap(after, to_x, to_y, cv2.INTER_LINEAR) - before, np.float32)

    return float(np.abs(change(test) - change(reference))[inside].mean())


def _shown(image: Image) -> Image:
    return np.clip(from_working(image, "sRGB"), 0.0, PEAK)


def _comparable(reference: Image, test: Image) -> None:
    if reference.shape != test.shape:
        raise FalseworkError(
            f"a picture of {test.shape[1]} by {test.shape[0]} pixels cannot be compared with a reference of "
            f"{reference.shape[1]} by {reference.shape[0]}",
            where="bench",
            todo="Draw both of the same crop.",
        )
    for image, name in ((reference, "reference"), (test, "picture")):
        if not np.isfinite(image).all():
            raise FalseworkError(
                f"the {name} has pixels that are no numbers", where="bench", todo="Draw it again; report it."
            )
