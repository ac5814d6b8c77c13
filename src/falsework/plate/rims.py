"""The rims of what stands before the building: opacity and own light, without a trace of the wall behind."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from falsework.plate.blurring import wide_blur
from falsework.plate.plate import Image
from falsework.plate.vanishing import LUMINANCE as WEIGHTS

__all__ = ["behind_rims", "settle_rims"]

LUMINANCE = WEIGHTS.astype(np.float32)
Mask = npt.NDArray[np.bool_]

RIM = 2.2  # pixels at 1920 that a matte's edge may be wrong by, compression's ringing included
REACHES = ((2.5, 1.0), (7.0, 0.02), (20.0, 4e-4))  # pixels at 1920 over which an occluder's colour is carried
USUAL = 1.3  # times the median of all thin things, that one may be bright
NEUTRAL = 0.95  # of its tint that is taken from what is too thin for the plate to show its colour
BRIGHTEST = 2.0  # times what is seen or fills the gap, that the hidden wall may be to take up the rest
ALONG = 6  # steps of 1.5 pixels at 1920 to either side over which a thin line's opacity is evened
DARKEST = 0.3  # of its own colour that an occluder's rim may go down to
SPREAD = 2.0  # standard deviations by which an occluder's rim may differ from its own colour near by


def behind_rims(picture: Image, occluder: Image, facade: Image, building: Image) -> Image:
    """`facade` (H, W, 3) with what occluders hide beside the building too, carried in from around them.

    picture (H, W, 3), occluder opacity and the building's matte (H, W), all of the plate's rows. Only what
    shows through a rim is meant to be used: the middle of what is opaque is a guess.
    """
    hidden = (occluder > 0.0) & (building <= 0.0)
    if not hidden.any():
        return facade
    scale = picture.shape[1] / 1920
    seen = (occluder <= 0.0).astype(np.float32)
    total = np.full(seen.shape, 1e-9, np.float32)
    carried = np.zeros_like(picture)
    light = picture * seen[..., None]
    for sigma, share in REACHES:
        total += share * wide_blur(seen, sigma * scale)
        carried += share * wide_blur(light, sigma * scale)
    known = hidden & (total > 1e-6)
    return np.where(known[..., None], carried / total[..., None], facade).astype(np.float32)


def settle_rims(picture: Image, occluder: Image, facade: Image) -> tuple[Image, Image]:
    """Opacity (H, W) and what is behind (H, W, 3), agreeing with the occluders' own colours along their rims.

    picture (H, W, 3), occluder opacity (H, W) and facade (H, W, 3), all of the plate's rows. An occluder's
    colour F is carried outwards from where it is surely alone. Its own light P - (1 - a) B is kept near a F;
    B, which nobody sees before the wall moves, takes up the rest. So a cable is as dark before dust as before
    the wall, and ringing falls with the wall. What is seen before anything moves stays P.
    """
    active = occluder > 0.0
    if not active.any():
        return occluder, facade
    scale = picture.shape[1] / 1920
    x, y, w, h = cv2.boundingRect(active.astype(np.uint8))
    margin = round(24 * scale)
    window = np.s_[max(y - margin, 0) : y + h + margin, max(x - margin, 0) : x + w + margin]
    seen, drawn, behind, live = picture[window], occluder[window], facade[window], active[window]
    size = 2 * max(1, round(RIM * scale)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    core = cv2.erode((drawn > 0.97).astype(np.uint8), kernel, borderValue=1) > 0
    own, deviation, thin = _own_colour(seen, drawn, behind, core, live, scale)
    rim = live & ~core
    smooth = drawn + thin * (_along(drawn, scale) - drawn)
    # a thin thing cannot be opaque where the plate is bright: the wall takes a bounded share of what is seen
    most = BRIGHTEST * np.maximum(seen, behind) + 0.02
    clearest = ((seen - smooth[..., None] * own) / most).max(axis=2)
    opacity = np.where(rim, np.minimum(smooth, 1.0 - thin * np.clip(clearest, 0.0, 1.0)), drawn)
    opacity = np.asarray(opacity, np.float32)
    opacity[rim & (opacity < 1.0 / 255.0)] = 0.0
    rim &= opacity > 0.0
    through = (1.0 - opacity)[..., None]
    light = seen - through * behind
    spread = SPREAD * deviation
    light = np.clip(
        light,
        opacity[..., None] * np.maximum(own - spread, DARKEST * own),
        opacity[..., None] * (own + spread),
    )
    # never more than is seen: what is thin turns darker as a whole, or ringing in one channel would tint it
    fits = (np.minimum(seen, light) / np.maximum(light, 1e-6)).min(axis=2)
    light *= (1.0 - thin * (1.0 - fits))[..., None]
    light = np.clip(light, np.maximum(seen - through * most, 0.0), seen)
    wall = np.where(through > 1e-3, (seen - light) / np.maximum(through, 1e-3), behind)
    new_opacity, new_facade = occluder.copy(), facade.copy()
    new_opacity[window] = opacity
    new_facade[window] = np.where(
        rim[..., None], wall, np.where((live & (opacity == 0.0))[..., None], seen, behind)
    )
    return new_opacity, new_facade


def _own_colour(
    seen: Image, drawn: Image, behind: Image, core: Mask, live: Mask, scale: float
) -> tuple[Image, Image, Image]:
    """Each pixel's occluder colour and its standard deviation (H, W, 3), carried from where it is alone, and
    how far (H, W), 0..1, it is too thin for that.

    What is too thin to be alone anywhere counts where it is most opaque and least like the wall; its tint is
    mostly the compression's and is drawn towards grey.
    """
    # compared by their light alone, since what differs in tint only is ringing
    unlike = np.abs(np.sqrt(np.maximum(seen @ LUMINANCE, 0.0)) - np.sqrt(np.maximum(behind @ LUMINANCE, 0.0)))
    # outside the matte the wall behind is not known
    thin = drawn**4 * np.where(live, np.minimum((unlike / 0.15) ** 3, 1.0), 0.02)
    weight = np.where(core, 1.0, 1e-3 * thin).astype(np.float32)
    total = np.full(weight.shape, 1e-9, np.float32)
    solid = np.full(weight.shape, 1e-9, np.float32)
    first = np.zeros_like(seen)
    second = np.zeros_like(seen)
    weighted = seen * weight[..., None]
    squared = seen * weighted
    for sigma, share in REACHES:
        blur = sigma * scale
        total += share * wide_blur(weight, blur)
        solid += share * wide_blur(core.astype(np.float32), blur)
        first += share * wide_blur(weighted, blur)
        second += share * wide_blur(squared, blur)
    mean = first / total[..., None]
    deviation = np.sqrt(np.maximum(second / total[..., None] - mean**2, 0.0))
    loose = (1.0 - np.clip(solid / total, 0.0, 1.0)).astype(np.float32)
    mean += NEUTRAL * loose[..., None] * (mean.mean(axis=2, keepdims=True) - mean)
    deviation *= 1.0 - loose[..., None]
    slight = live & (loose > 0.5) & (drawn > 0.5)
    if (
        slight.any()
    ):  # where the wall is dazzling, a cable's own darkness is taken from elsewhere on the lines
        level = np.maximum(mean @ LUMINANCE, 1e-6)
        usual = np.float32(USUAL * float(np.median(level[slight])))
        mean *= (1.0 - loose * (1.0 - np.minimum(usual / level, 1.0)))[..., None]
    return np.asarray(mean, np.float32), np.asarray(deviation, np.float32), loose


def _along(opacity: Image, scale: float) -> Image:
    """Opacity (H, W) averaged along lines over a few pixels, not across them."""
    smooth = cv2.GaussianBlur(opacity, (0, 0), scale)
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    xx, xy, yy = (cv2.GaussianBlur(part, (0, 0), 3.5 * scale) for part in (dx * dx, dx * dy, dy * dy))
    across = 0.5 * np.arctan2(2.0 * xy, xx - yy)
    step_x, step_y = -np.sin(across).astype(np.float32), np.cos(across).astype(np.float32)
    x, y = np.meshgrid(
        np.arange(opacity.shape[1], dtype=np.float32), np.arange(opacity.shape[0], dtype=np.float32)
    )
    total = np.zeros_like(opacity)
    weights = np.hanning(2 * ALONG + 3)[1:-1]
    for step, weight in zip(range(-ALONG, ALONG + 1), weights / weights.sum(), strict=True):
        reach = np.float32(1.5 * scale * step)
        moved = cv2.remap(opacity, x + reach * step_x, y + reach * step_y, cv2.INTER_LINEAR)
        total += np.float32(weight) * moved
    return total
