"""The comp's one formula: how a plate's pixel becomes the shot's, as `gain * plate + add`.

With plate P, the building without what stands before it B, clean plate C, occluder opacity a, and from the
renderer surface S (premultiplied), hold h, shadow k, dust D (to the first surface) and F (to the occluder):

    B'  = S + k (h B + (1 - S.a - h) C)
    out = (1 - F.a)(P - (1 - a) B) + a F + (1 - a)((1 - D.a) B' + D)

`P - (1 - a) B` is the light of the occluder itself. Wherever B or C are the plate's own pixels their terms go
into the gain, so that a later bend through the lens moves smooth coefficients and never resamples the plate.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["UNTOUCHED", "blend", "blend_reference"]

Image = npt.NDArray[np.float32]

# A pixel whose plate keeps all but this share of its light is left to the plate: an eighth of what the
# finest step of an 8-bit picture is.
UNTOUCHED = 1.0 / 2048.0


def blend_reference(
    picture: Image,
    facade: Image,
    clean: Image,
    occluder: Image,
    surface: Image,
    hold: Image,
    shadow: Image,
    dust: Image,
    dust_front: Image,
) -> tuple[Image, Image, Image]:
    """The formula in NumPy, to read and to test against.

    All pictures (H, W, 3), occluder and hold (H, W), surface and the dusts (H, W, 4). Returns gain (H, W, 3),
    add (H, W, 3), matte (H, W); gain is 1 and add 0 exactly where matte is 0.
    """
    own_facade = np.all(facade == picture, axis=-1)
    own_clean = np.all(clean == picture, axis=-1)
    behind = (1.0 - occluder)[..., None]
    front = (1.0 - dust_front[..., 3:]) * np.ones_like(picture)
    through = (1.0 - dust[..., 3:]) * behind
    open_share = np.maximum(1.0 - surface[..., 3] - hold, 0.0)[..., None]

    facade_share = through * shadow * hold[..., None] - front * behind
    clean_share = through * shadow * open_share
    gain = (
        front
        + np.where(own_facade[..., None], facade_share, 0)
        + np.where(own_clean[..., None], clean_share, 0)
    )
    add = (
        occluder[..., None] * dust_front[..., :3]
        + through * surface[..., :3]
        + behind * dust[..., :3]
        + np.where(own_facade[..., None], 0, facade_share * facade)
        + np.where(own_clean[..., None], 0, clean_share * clean)
    )
    kept = (1.0 - dust_front[..., 3:]) * occluder[..., None] + through * shadow * (
        hold[..., None] + open_share * own_clean[..., None]
    )
    matte = np.clip(np.abs(1.0 - kept).max(axis=-1), 0.0, 1.0)
    untouched = matte < UNTOUCHED
    return (
        np.where(untouched[..., None], 1.0, gain).astype(np.float32),
        np.where(untouched[..., None], 0.0, add).astype(np.float32),
        np.where(untouched, 0.0, matte).astype(np.float32),
    )


@numba.njit(cache=True, parallel=True)
def blend(
    picture: Image,
    facade: Image,
    clean: Image,
    occluder: Image,
    surface: Image,
    hold: Image,
    shadow: Image,
    dust: Image,
    dust_front: Image,
) -> tuple[Image, Image, Image]:
    """`blend_reference`, a pixel at a time."""
    height, width = occluder.shape
    gain = np.ones((height, width, 3), np.float32)
    add = np.zeros((height, width, 3), np.float32)
    matte = np.zeros((height, width), np.float32)
    for y in numba.prange(height):
        for x in range(width):
            own_facade = True
            own_clean = True
            for c in range(3):
                own_facade = own_facade and facade[y, x, c] == picture[y, x, c]
                own_clean = own_clean and clean[y, x, c] == picture[y, x, c]
            a = occluder[y, x]
            behind = np.float32(1.0) - a
            front = np.float32(1.0) - dust_front[y, x, 3]
            through = (np.float32(1.0) - dust[y, x, 3]) * behind
            h = hold[y, x]
            open_share = max(np.float32(1.0) - surface[y, x, 3] - h, np.float32(0.0))
            change = np.float32(0.0)
            for c in range(3):
                k = shadow[y, x, c]
                kept = front * a + through * k * (h + (open_share if own_clean else np.float32(0.0)))
                change = max(change, abs(np.float32(1.0) - kept))
            if change < np.float32(UNTOUCHED):
                continue
            matte[y, x] = min(change, np.float32(1.0))
            for c in range(3):
                k = shadow[y, x, c]
                facade_share = through * k * h - front * behind
                clean_share = through * k * open_share
                g = front
                s = a * dust_front[y, x, c] + through * surface[y, x, c] + behind * dust[y, x, c]
                if own_facade:
                    g += facade_share
                else:
                    s += facade_share * facade[y, x, c]
                if own_clean:
                    g += clean_share
                else:
                    s += clean_share * clean[y, x, c]
                gain[y, x, c] = g
                add[y, x, c] = s
    return gain, add, matte
