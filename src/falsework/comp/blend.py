"""The comp's one formula, as a compositor would build it from the delivered layers.

With plate P, the building without what stands before it B, clean plate C, occluder opacity a, and from the
renderer surface S (premultiplied), hold h, shadow k, dust D (to the first surface) and F (to the occluder):

    B'  = S + k (h B + (1 - S.a - h) C)
    out = (1 - F.a)(P - (1 - a) B) + a F + (1 - a)((1 - D.a) B' + D)

`P - (1 - a) B` is the light of the occluder itself. All pictures have the delivered picture's geometry.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["UNTOUCHED", "blend", "blend_reference"]

Image = npt.NDArray[np.float32]

# A pixel that keeps all but this share of the plate's light, and gets no more than this, is left to the
# plate: an eighth of what the finest step of an 8-bit picture is.
UNTOUCHED = 1.0 / 2048.0


def blend_reference(
    plate: Image,
    facade: Image,
    clean: Image,
    occluder: Image,
    surface: Image,
    hold: Image,
    shadow: Image,
    dust: Image,
    dust_front: Image,
) -> tuple[Image, Image]:
    """The formula in NumPy, to read and to test against.

    All pictures (H, W, 3), occluder and hold (H, W), surface and the dusts (H, W, 4). Returns the picture
    (H, W, 3) and the matte (H, W); the picture is the plate, bit for bit, where the matte is 0.
    """
    a, h = occluder[..., None], hold[..., None]
    uncovered = np.maximum(1.0 - surface[..., 3:] - h, 0.0)
    building = surface[..., :3] + shadow * (h * facade + uncovered * clean)
    behind = dust[..., :3] + (1.0 - dust[..., 3:]) * building
    before = (1.0 - dust_front[..., 3:]) * (plate - (1.0 - a) * facade) + a * dust_front[..., :3]
    picture = before + (1.0 - a) * behind
    kept = (1.0 - dust_front[..., 3:]) * a + (1.0 - a) * (1.0 - dust[..., 3:]) * shadow * h
    matte = np.clip(np.abs(1.0 - kept).max(axis=-1), 0.0, 1.0)
    added = a * dust_front[..., :3] + (1.0 - a) * (
        dust[..., :3] + (1.0 - dust[..., 3:]) * (surface[..., :3] + shadow * uncovered * clean)
    )
    untouched = np.maximum(matte, added.max(axis=-1)) < UNTOUCHED
    return (
        np.where(untouched[..., None], plate, picture).astype(np.float32),
        np.where(untouched, 0.0, np.maximum(matte, UNTOUCHED)).astype(np.float32),
    )


@numba.njit(cache=True, parallel=True)
def blend(
    plate: Image,
    facade: Image,
    clean: Image,
    occluder: Image,
    surface: Image,
    hold: Image,
    shadow: Image,
    dust: Image,
    dust_front: Image,
) -> tuple[Image, Image]:
    """`blend_reference`, a pixel at a time."""
    height, width = occluder.shape
    one, none = np.float32(1.0), np.float32(0.0)
    picture = np.empty((height, width, 3), np.float32)
    matte = np.zeros((height, width), np.float32)
    for y in numba.prange(height):
        for x in range(width):
            a, h = occluder[y, x], hold[y, x]
            front = one - dust_front[y, x, 3]
            through = (one - dust[y, x, 3]) * (one - a)
            uncovered = max(one - surface[y, x, 3] - h, none)
            change, added = none, none
            for c in range(3):
                shade = shadow[y, x, c]
                change = max(change, abs(one - (front * a + through * shade * h)))
                moved = through * (surface[y, x, c] + shade * uncovered * clean[y, x, c])
                added = max(added, a * dust_front[y, x, c] + (one - a) * dust[y, x, c] + moved)
            if max(change, added) < np.float32(UNTOUCHED):
                for c in range(3):
                    picture[y, x, c] = plate[y, x, c]
                continue
            matte[y, x] = min(max(change, np.float32(UNTOUCHED)), one)
            for c in range(3):
                standing = h * facade[y, x, c] + uncovered * clean[y, x, c]
                building = surface[y, x, c] + shadow[y, x, c] * standing
                before = front * (plate[y, x, c] - (one - a) * facade[y, x, c]) + a * dust_front[y, x, c]
                picture[y, x, c] = before + (one - a) * dust[y, x, c] + through * building
    return picture, matte
