"""Which part of a frame is looked at, and the plate and layers of that part alone."""

from __future__ import annotations

from dataclasses import fields, replace

import cv2
import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.plate.lens import Lens
from falsework.plate.plate import Plate
from falsework.render.layers import Layers

__all__ = [
    "Crop",
    "changed",
    "choose_crop",
    "cropped_layers",
    "cropped_plate",
    "region_in_sight",
    "region_of",
    "widened",
]

Crop = tuple[int, int, int, int]

FAINT = 0.02  # coverage and light left that one can see


def changed(layers: Layers) -> npt.NDArray[np.bool_]:
    """(H, W) pixels that differ from the plate: pieces that moved, dust, light that changed."""
    light = np.abs(layers.shadow - 1.0).max(-1)
    seen: npt.NDArray[np.bool_] = (
        (layers.surface[..., 3] > FAINT) | (layers.dust[..., 3] > FAINT) | (light > FAINT)
    )
    return seen


def region_in_sight(layers: Layers, *, frame: int, shot: str) -> Crop:
    """The smallest rectangle that holds what differs from the plate. FalseworkError where nothing does: every
    picture of it would be the plate, and as good as every other."""
    seen = changed(layers)
    if not seen.any():
        raise FalseworkError(
            f"nothing of the fall is to be seen in frame {frame} of {shot}",
            where="bench",
            todo="Take a shot in which more happens, or more of its frames.",
        )
    return region_of(seen)


def region_of(mask: npt.NDArray[np.bool_]) -> Crop:
    """The smallest rectangle (x0, y0, x1, y1) that holds a mask; the whole picture for an empty one."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return 0, 0, mask.shape[1], mask.shape[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def widened(crop: Crop, margin: int, width: int, height: int) -> Crop:
    """A rectangle with `margin` pixels more on every side, within the picture."""
    x0, y0, x1, y1 = crop
    return max(x0 - margin, 0), max(y0 - margin, 0), min(x1 + margin, width), min(y1 + margin, height)


def choose_crop(layers: Layers, size: int) -> Crop:
    """A square of `size` pixels (smaller where the picture is) over as much of everything as can be had.

    Moved pieces, dust, and their edges all have to be in it: an easy crop of a smooth cloud, or of what
    hardly changed, would say little. The choice depends on falsework's layers, never on a measured error.
    """
    pieces, dust = layers.surface[..., 3], layers.dust[..., 3]
    height, width = pieces.shape
    size = min(size, height, width)

    def share(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        whole = cv2.integral(image.astype(np.float64))
        sums = whole[size:, size:] - whole[:-size, size:] - whole[size:, :-size] + whole[:-size, :-size]
        return np.asarray(sums / size**2, np.float32)

    edges = np.abs(cv2.Laplacian(pieces + dust, cv2.CV_32F))
    # The least of the two kinds counts most, so that a crop full of one of them does not win.
    score = np.minimum(share(pieces), 0.5) * np.minimum(share(dust), 0.5) + 0.1 * share(
        np.minimum(edges, 1.0)
    )
    y, x = np.unravel_index(int(score.argmax()), score.shape)
    return int(x), int(y), int(x) + size, int(y) + size


def cropped_plate(plate: Plate, crop: Crop) -> Plate:
    """The pictures of a part of the (working) plate, for comp alone: its camera is still the whole picture's.

    Lens distortion is left out on both sides of a comparison: pixels are those of the ideal camera.
    """
    x0, y0, x1, y1 = crop
    part = np.s_[y0:y1, x0:x1]
    tall = np.s_[plate.pad_top + y0 : plate.pad_top + y1, x0:x1]
    width, height = x1 - x0, y1 - y0
    return replace(
        plate,
        picture=plate.picture[part].copy(),
        facade=plate.facade[tall].copy(),
        building=plate.building[tall].copy(),
        pad_top=0,
        clean=plate.clean[part].copy(),
        occluder=plate.occluder[part].copy(),
        occluder_depth=plate.occluder_depth[part].copy(),
        clean_depth=plate.clean_depth[part].copy(),
        original=plate.picture[part].copy(),
        lens=Lens("none", (), 1.0, (width / 2, height / 2), width, height),
    )


def cropped_layers(layers: Layers, crop: Crop) -> Layers:
    """A part of a frame's layers."""
    x0, y0, x1, y1 = crop
    return Layers(**{f.name: getattr(layers, f.name)[y0:y1, x0:x1].copy() for f in fields(layers)})
