"""From a file's pixels to the delivered picture's and to the working picture's."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.plate.fisheye import fisheye_focal
from falsework.plate.lens import Lens
from falsework.plate.plate import Image
from falsework.plate.settings import PlateSettings
from falsework.plate.vanishing import edge_picture

__all__ = ["Framing", "framing"]

Array = npt.NDArray[np.float64]

ACTION_CAMERAS = ("gopro", "insta360")  # makers whose wide pictures are fisheyes; wide phones are corrected
FISHEYE_35MM = 18.0  # mm: what such a camera calls longer than this it has straightened itself
SEARCH_WIDTH = 2592  # pixels: lens and camera are found on a picture no larger
MOST_WORKING_PIXELS = 2.0  # times the delivered ones: the corners of a wide lens would ask for more and more


@dataclass(frozen=True)
class Framing:
    """Where the delivered picture lies in the file, and the lens between it and the working picture.

    file_size   (width, height) of the file
    corner      (x, y) of the delivered picture's top-left corner in the file
    scale       (x, y) delivered pixels a file pixel, at most 1
    lens        of the delivered picture
    focal       camera focal length in working pixels where it is known beforehand
    expected_focal   the same as a hint only
    """

    file_size: tuple[int, int]
    corner: tuple[float, float]
    scale: tuple[float, float]
    lens: Lens
    focal: float | None
    expected_focal: float | None

    @property
    def centre(self) -> tuple[float, float]:
        """The optical axis (the file's middle) in working pixels."""
        middle = np.array([[self.file_size[0] / 2, self.file_size[1] / 2]])
        x, y = self.to_working(middle)[0]
        return float(x), float(y)

    def to_working(self, pixels: Array) -> Array:
        """File pixels (N, 2) to working pixels."""
        delivered = (np.asarray(pixels, dtype=np.float64) - np.asarray(self.corner)) * np.asarray(self.scale)
        return self.lens.to_working(delivered)

    def delivered(self, image: Image) -> Image:
        """A picture of the file's size (h, w[, C]), cropped and sized for delivery (each pixel a mean)."""
        x, y = (round(value) for value in self.corner)
        columns = round(self.lens.width / self.scale[0])
        rows = round(self.lens.height / self.scale[1])
        cut = image[y : y + rows, x : x + columns]
        if cut.shape[:2] == (self.lens.height, self.lens.width):
            return np.ascontiguousarray(cut)
        size = (self.lens.width, self.lens.height)
        return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), dtype=np.float32)

    def working(self, image: Image) -> Image:
        """A picture of the file's size in the working frame. What lies outside the crop but within the file
        is used where the working picture reaches over the delivered one."""
        if not self.lens.bends:
            return self.delivered(image)
        width, height = (round(side * scale) for side, scale in zip(self.file_size, self.scale, strict=True))
        sheet = image
        if (height, width) != image.shape[:2]:
            sheet = np.asarray(
                cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.float32
            )
        offset = (
            self.corner[0] * width / self.file_size[0],
            self.corner[1] * height / self.file_size[1],
        )
        return self.lens.straighten(sheet, offset)


def framing(picture: Image, settings: PlateSettings, exif: dict[str, object], *, where: str) -> Framing:
    """Crop, size and lens of a plate's file (H, W, 3) as the settings and its EXIF say."""
    height, width = picture.shape[:2]
    x, y, columns, rows = settings.crop or (0, 0, width, height)
    if x < 0 or y < 0 or columns < 1 or rows < 1 or x + columns > width or y + rows > height:
        raise FalseworkError(
            f"the crop {x}, {y}, {columns}, {rows} does not lie inside the {width}x{height} picture",
            where=f"{where} crop",
            todo="Give x, y, width and height in the file's pixels.",
        )
    size = settings.size or (columns, rows)
    if size[0] > columns or size[1] > rows:
        raise FalseworkError(
            f"{size[0]}x{size[1]} is larger than the {columns}x{rows} there is; nothing is ever scaled up",
            where=f"{where} size",
            todo=f"Give at most {columns}x{rows}, or a larger crop.",
        )
    if min(size) < 64:
        raise FalseworkError(
            f"{size[0]}x{size[1]} is too small to work in",
            where=f"{where} size",
            todo="Give 64 or more pixels a side.",
        )
    scale = (size[0] / columns, size[1] / rows)
    if abs(scale[0] / scale[1] - 1) > 0.005:
        raise FalseworkError(
            f"a {columns}x{rows} crop would be squeezed into {size[0]}x{size[1]}",
            where=f"{where} size",
            todo=f"Give {size[0]}x{round(size[0] * rows / columns)}, or a crop of the size's shape.",
        )
    stated = _stated_focal(settings, exif, width, height)
    model, coefficients, focal = _lens_of_file(picture, settings, exif, stated, where)
    lens = Lens(
        model=model,
        coefficients=coefficients,
        focal=focal * scale[0],
        centre=((width / 2 - x) * scale[0], (height / 2 - y) * scale[1]),
        width=size[0],
        height=size[1],
    )
    lens = lens.covering(most_pixels=MOST_WORKING_PIXELS * size[0] * size[1])
    known: float | None = None
    expected: float | None = None
    if lens.bends:
        known = lens.working_focal
    elif settings.focal_35mm != "auto":
        known = settings.focal_35mm / 36 * width * scale[0]
    elif stated is not None:
        expected = stated * scale[0]
    return Framing((width, height), (float(x), float(y)), scale, lens, known, expected)


def _stated_focal(settings: PlateSettings, exif: dict[str, object], width: int, height: int) -> float | None:
    """Focal length in file pixels by the settings or EXIF, None where neither says.

    EXIF's equivalent goes by the diagonal (CIPA DCG-001), ours by the width.
    """
    if settings.focal_35mm != "auto":
        return settings.focal_35mm / 36 * width
    equivalent = exif.get("focal_35mm")
    if isinstance(equivalent, int | float):
        return float(equivalent) / float(np.hypot(36, 24)) * float(np.hypot(width, height))
    return None


def _lens_of_file(
    picture: Image, settings: PlateSettings, exif: dict[str, object], stated: float | None, where: str
) -> tuple[str, tuple[float, ...], float]:
    """Model, coefficients and the model's focal length in file pixels."""
    lens = settings.lens
    width = picture.shape[1]
    model, coefficients = lens.model, tuple(float(k) for k in lens.coefficients)
    if model == "auto":
        maker = str(exif.get("make", "")).lower()
        equivalent = exif.get("focal_35mm")
        wide = isinstance(equivalent, int | float) and float(equivalent) <= FISHEYE_35MM
        model = "fisheye" if wide and any(name in maker for name in ACTION_CAMERAS) else "none"
    if model == "none":
        return "none", (), stated or float(width)
    if settings.focal_35mm != "auto" and stated is not None:
        return model, coefficients, stated
    if model == "fisheye":
        return model, coefficients, _fisheye(picture, coefficients, stated or 0.45 * width, where)
    if stated is None:
        raise FalseworkError(
            "the lens has coefficients, but its focal length is not known",
            where=f"{where} focal_35mm",
            todo="Give focal_35mm: the coefficients mean nothing without it.",
        )
    return model, coefficients, stated


def _fisheye(picture: Image, coefficients: tuple[float, ...], expected: float, where: str) -> float:
    width = picture.shape[1]
    shrink = min(1.0, SEARCH_WIDTH / width)
    small = (
        cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        if shrink < 1
        else picture
    )
    exact = small.shape[1] / width
    try:
        focal, spread = fisheye_focal(edge_picture(np.asarray(small)), expected * exact, coefficients)
    except ValueError as error:
        focal, spread = 0.0, np.inf
        reason = str(error)
    else:
        reason = f"its edges leave the lens open, give or take {100 * spread:.0f} %"
    if not spread < 0.12:
        raise FalseworkError(
            f"the fisheye lens could not be found from the picture: {reason}",
            where=f"{where} lens",
            todo='Give focal_35mm (36 mm across the width), or model = "none" for a straightened picture.',
        )
    return float(focal / exact)
