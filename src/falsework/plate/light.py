"""Sun and sky from the plate itself: what is lit, what is not, and by how much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.plate.camera import Camera
from falsework.plate.plate import Facade, Light
from falsework.plate.settings import LightSettings
from falsework.plate.vanishing import LUMINANCE
from falsework.plate.windows import rectified

__all__ = ["estimate_light", "sun_vector"]

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]

WALL_ALBEDO = 0.42  # luminance; rendered and stone walls lie between 0.3 and 0.6
USUAL_ELEVATION = np.radians(32.0)  # street photographs are seldom taken with the sun overhead
SUN_COLOUR = np.array([1.10, 0.985, 0.84])  # ACEScg of sunlight at such a height, luminance 1
SKY_COLOUR = np.array([0.80, 1.01, 1.42])  # of a clear sky
CLEAR_SKY = 5.0  # sun over sky, both as irradiance facing them, where the plate does not tell
PALE = 0.6  # albedo of the palest plaster
LOW = 0.3  # rise over reach below which houses, not sky, are seen
SHADOW_STEP = 2.0  # lit over shaded: less is texture, not shadow
SURE_STEP = 0.5  # of the logarithm's spread that the two populations must explain


@dataclass(frozen=True)
class _Wall:
    """What a wall shows: colours (3,) of its lit and shaded parts, and the lit share of it."""

    facade: Facade
    lit: Array
    shaded: Array
    share: float


def sun_vector(azimuth: float, elevation: float) -> Array:
    """Unit vector (3,) towards the sun: azimuth clockwise from the view's direction, both in radians."""
    return np.array(
        [np.sin(azimuth) * np.cos(elevation), np.cos(azimuth) * np.cos(elevation), np.sin(elevation)]
    )


def estimate_light(
    picture: Image,
    facades: tuple[Facade, ...],
    camera: Camera,
    settings: LightSettings,
    *,
    to_working: Callable[[Array], Array] | None = None,
) -> Light:
    """Sun, sky and bounced light in the plate's exposure, for a picture (H, W, 3), linear ACEScg.

    Walls are split into a lit and a shaded population; their ratio gives the sun against the sky, their
    brightness over a usual wall albedo the level, the ground's brightness the bounced light. The sun stands
    where the walls that see it face it and the others do not, or where it is in the picture. Each part
    yields to `settings`. `to_working` maps the file's pixels (N, 2) to the picture's (for the shade line).
    """
    walls = [_read_wall(picture, facade, camera) for facade in facades]
    levels = [_luminance(wall.lit if wall.share > 0.5 else wall.shaded) for wall in walls]
    sunlit = _sunlit(walls, levels)
    azimuth, elevation = _sun_place(picture, camera, walls, sunlit, settings)
    sun = sun_vector(azimuth, elevation)
    ground = _ground_colours(picture, facades, camera)
    light = _balanced(picture, camera, walls, sunlit, ground, sun, settings)
    shade = np.zeros(4)
    if settings.shade_line is not None:
        line = np.asarray(settings.shade_line, dtype=np.float64)
        shade = _shade_plane(line if to_working is None else to_working(line), facades, camera, sun)
    return Light(sun, light[0], light[1], light[2], shade, settings.shade_softness)


def _luminance(colour: Array) -> float:
    return float(colour @ LUMINANCE)


def _split(colours: Array) -> tuple[Array, Array, float]:
    """Lit and shaded colour and the lit share of samples (N, 3), by Otsu's threshold on their logarithm.

    One population only: lit and shaded are the same colour and the share is 1.
    """
    level = np.log(np.maximum(colours @ LUMINANCE, 1e-5))
    low, high = np.percentile(level, [2, 98])
    counts, bounds = np.histogram(level, bins=96, range=(low, high + 1e-6))
    middle = (bounds[1:] + bounds[:-1]) / 2
    weight = np.cumsum(counts) / max(counts.sum(), 1)
    mean = np.cumsum(counts * middle) / max(counts.sum(), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mean[-1] * weight - mean) ** 2 / (weight * (1 - weight))
    between[~np.isfinite(between)] = 0.0
    cut = bounds[int(np.argmax(between)) + 1]
    bright = level > cut
    variance = float(np.var(np.clip(level, low, high)))
    whole = np.median(colours, axis=0)
    if not 0.04 < bright.mean() < 0.96 or between.max() < SURE_STEP * variance:
        return whole, whole, 1.0
    lit, shaded = np.median(colours[bright], axis=0), np.median(colours[~bright], axis=0)
    if _luminance(lit) < SHADOW_STEP * _luminance(shaded):
        return whole, whole, 1.0
    return lit, shaded, float(bright.mean())


def _read_wall(picture: Image, facade: Facade, camera: Camera) -> _Wall:
    """Lit and shaded colours of the wall between its windows, above its ground storey."""
    flat = rectified(picture, facade, camera)
    shown = rectified(np.ones((*picture.shape[:2], 3), np.float32), facade, camera, outside=0.0)[..., 0] > 0.5
    rows = flat.shape[0]
    scale = rows / facade.height
    for left, bottom, right, top in facade.windows:
        x0, x1 = int((left - 0.25) * scale), int((right + 0.25) * scale) + 1
        y0, y1 = int((facade.height - top - 0.25) * scale), int((facade.height - bottom + 0.25) * scale) + 1
        shown[max(y0, 0) : y1, max(x0, 0) : x1] = False
    if facade.storeys > 1:
        shown[rows - int(facade.levels[1] * scale) :] = False
    samples = cv2.blur(flat, (5, 5))[::3, ::3][shown[::3, ::3]].astype(np.float64)
    if len(samples) < 40:
        samples = flat.reshape(-1, 3).astype(np.float64)
    lit, shaded, share = _split(samples)
    return _Wall(facade, lit, shaded, share)


def _sunlit(walls: list[_Wall], levels: list[float]) -> list[bool]:
    """Which walls see the sun at all: those partly lit, and those much brighter than the darkest one."""
    darkest = min([_luminance(wall.shaded) for wall in walls], default=0.0)
    return [
        wall.share < 1.0 or (len(walls) > 1 and level > SHADOW_STEP * darkest)
        for wall, level in zip(walls, levels, strict=True)
    ]


def _sun_place(
    picture: Image, camera: Camera, walls: list[_Wall], sunlit: list[bool], settings: LightSettings
) -> tuple[float, float]:
    """Azimuth and elevation in radians."""
    seen = _sun_in_picture(picture, camera)
    if settings.azimuth != "auto":
        azimuth = np.radians(settings.azimuth)
    elif seen is not None:
        azimuth = seen[0]
    else:
        azimuth = _azimuth_by_walls(walls, sunlit, _brightest_sky(picture, camera))
    if settings.elevation != "auto":
        elevation = np.radians(settings.elevation)
    elif seen is not None and settings.azimuth == "auto":
        elevation = seen[1]
    else:
        elevation = USUAL_ELEVATION
    return float(azimuth), float(elevation)


def _sun_in_picture(picture: Image, camera: Camera) -> tuple[float, float] | None:
    """Azimuth and elevation of a sun (or the glare around it) that stands in the picture's sky."""
    small = cv2.resize(picture, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    level = small @ LUMINANCE.astype(np.float32)
    rows, columns = level.shape
    grid = np.stack(np.meshgrid((np.arange(columns) + 0.5) * 8, (np.arange(rows) + 0.5) * 8), axis=-1)
    rays = camera.rays(grid)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    bright = (
        (level > 0.93 * level.max()) & (small.min(axis=2) > 0.85) & (rays[..., 2] > np.sin(np.radians(6)))
    )
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright.astype(np.uint8))
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    if stats[largest, cv2.CC_STAT_AREA] < 0.002 * rows * columns:
        return None
    # A white wall is also bright; glare fades away gradually all around.
    blob = labels == largest
    ring = (cv2.dilate(blob.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0) & ~blob
    if float(np.median(level[ring])) < 0.6 * float(level[blob].mean()):
        return None
    towards = rays[blob].mean(axis=0)
    return float(np.arctan2(towards[0], towards[1])), float(np.arcsin(towards[2] / np.linalg.norm(towards)))


def _azimuth_by_walls(walls: list[_Wall], sunlit: list[bool], sky: float | None) -> float:
    """The middle of the directions from which lit walls are lit, grazing or not, and dark walls are not.

    Where no wall tells lit from dark, the side of the sky that is brightest decides (`sky`, an azimuth), or,
    without one, the photographer's habit: the sun behind the camera's left shoulder.
    """
    trial = np.radians(np.arange(-180.0, 180.0, 2.0))
    flat = np.stack([np.sin(trial), np.cos(trial)], axis=1)
    score = np.zeros(len(trial))
    for wall, lit in zip(walls, sunlit, strict=True):
        facing = flat @ wall.facade.normal[:2]
        score += np.minimum(facing, 0.6) if lit else -0.8 * np.maximum(facing + 0.05, 0.0)
    good = score > score.max() - 0.05
    if any(sunlit):
        return float(np.arctan2(flat[good, 0].mean(), flat[good, 1].mean()))
    if sky is None:
        return float(np.radians(-135.0))
    towards = flat @ np.array([np.sin(sky), np.cos(sky)])
    return float(trial[int(np.argmax(np.where(good, towards, -2.0)))])


def _brightest_sky(picture: Image, camera: Camera) -> float | None:
    """Azimuth in radians of the picture's end towards which its sky grows brighter, if it does."""
    sky, rays, small = _sky(picture, camera)
    if sky.mean() < 0.02:
        return None
    azimuth = np.arctan2(rays[..., 0], rays[..., 1])[sky]
    level = np.log(np.maximum(small[sky] @ LUMINANCE, 1e-4))
    design = np.stack([azimuth, rays[..., 2][sky], np.ones(len(azimuth))], axis=1)
    slope = float(np.linalg.lstsq(design, level, rcond=None)[0][0])
    if abs(slope) * float(np.ptp(azimuth)) < 0.25:
        return None
    return float(azimuth.min() if slope < 0 else azimuth.max())


def _ground_colours(
    picture: Image, facades: tuple[Facade, ...], camera: Camera
) -> tuple[Array, Array, float]:
    """Lit and shaded colours and the lit share of the street before the walls."""
    floor = np.mean([facade.point(facade.width / 2, 0.0)[:2] for facade in facades], axis=0)
    reach = float(np.hypot(*floor))
    rows, columns = picture.shape[:2]
    grid = np.stack(np.meshgrid(np.arange(4, columns, 8) + 0.5, np.arange(4, rows, 8) + 0.5), axis=-1)
    rays = camera.rays(grid)
    with np.errstate(divide="ignore"):
        depth = np.where(rays[..., 2] < 0, -camera.position[2] / rays[..., 2], np.inf)
    far = np.hypot(rays[..., 0], rays[..., 1]) * depth
    street = far < 0.8 * reach
    samples = picture[4::8, 4::8][street].astype(np.float64)
    if len(samples) < 40:
        grey = np.full(3, 0.08)
        return grey, grey, 1.0
    return _split(samples)


def _sky(picture: Image, camera: Camera) -> tuple[npt.NDArray[np.bool_], Array, Image]:
    """Where a quarter-size picture shows sky (bluish or bright, smooth, above the horizon), the rays of its
    pixels and itself."""
    small = np.asarray(
        cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), dtype=np.float32
    )
    rows, columns = small.shape[:2]
    grid = np.stack(np.meshgrid((np.arange(columns) + 0.5) * 4, (np.arange(rows) + 0.5) * 4), axis=-1)
    rays = camera.rays(grid)
    level = small @ LUMINANCE.astype(np.float32)
    rough = np.abs(level - cv2.blur(level, (9, 9))) / np.maximum(level, 1e-4)
    blue = small[..., 2] > 1.25 * small[..., 0]
    sky = (rays[..., 2] > 0.05) & (rough < 0.04) & blue & (level > np.percentile(level, 55))
    return np.asarray(sky), rays, small


def _sky_colour(picture: Image, camera: Camera) -> Array | None:
    """Mean radiance (3,) of the sky that is seen, None without any."""
    sky, _, small = _sky(picture, camera)
    return np.asarray(small[sky].mean(axis=0), dtype=np.float64) if sky.mean() > 0.01 else None


def _most_sun(picture: Image, camera: Camera, ambient: float) -> float:
    """The sun's irradiance that would make the palest things seen in it as pale as plaster: no more can be.

    Sky and clouds are left out by their height and tint, glints by leaving out the brightest two-hundredth.
    """
    _, rays, small = _sky(picture, camera)
    level = small @ LUMINANCE.astype(np.float32)
    low = (rays[..., 2] < LOW * np.hypot(rays[..., 0], rays[..., 1])) & (small[..., 2] < 1.1 * small[..., 0])
    if low.sum() < 100:
        return float("inf")
    return max(np.pi * float(np.percentile(level[low], 99.5)) / PALE - ambient, 0.5 * ambient)


def _balanced(
    picture: Image,
    camera: Camera,
    walls: list[_Wall],
    sunlit: list[bool],
    ground: tuple[Array, Array, float],
    sun: Array,
    settings: LightSettings,
) -> tuple[Array, Array, Array]:
    """Irradiances (3,) of the sun, the open sky and the bounced light."""
    street_lit, street_shaded, street_share = ground
    street = street_share * street_lit + (1 - street_share) * street_shaded
    bounce = np.pi * street
    sky_seen = _sky_colour(picture, camera)
    tint = SKY_COLOUR if sky_seen is None else 0.5 * SKY_COLOUR + 0.5 * sky_seen / _luminance(sky_seen)
    # A street's light comes from a part of the sky and from sunlit walls opposite: less blue than the sky.
    tint = 0.55 * tint + 0.45
    tint /= _luminance(tint)
    facing = [max(float(wall.facade.normal @ sun), 0.15) for wall in walls]
    partly = [index for index, wall in enumerate(walls) if wall.share < 1.0 and sunlit[index]]
    if partly:
        index = max(partly, key=lambda i: walls[i].facade.width * min(walls[i].share, 1 - walls[i].share))
        wall = walls[index]
        ambient = np.pi * _luminance(wall.shaded) / WALL_ALBEDO
        step = wall.lit / np.maximum(wall.shaded, 1e-6) - 1.0
        sun_light = np.maximum(step, 0.05) * ambient * tint / facing[index]
    else:
        shaded = min((_luminance(wall.shaded) for wall in walls), default=0.1)
        step_ground = street_lit / np.maximum(street_shaded, 1e-6) - 1.0
        lit_wall = any(sunlit)
        if lit_wall:
            index = sunlit.index(True)
            ambient = np.pi * shaded / WALL_ALBEDO
            ratio = _luminance(walls[index].lit) / max(shaded, 1e-6) - 1.0
            sun_light = ratio * ambient * SUN_COLOUR / facing[index]
        elif street_share < 1.0:
            ambient = np.pi * shaded / WALL_ALBEDO
            sun_light = np.maximum(step_ground, 0.05) * 2 * ambient * tint / max(sun[2], 0.15)
            # White lines and dark cars are on the street too: no more sun than a clear day has.
            most = min(CLEAR_SKY * 2 * ambient, _most_sun(picture, camera, ambient))
            sun_light *= min(1.0, most / max(_luminance(sun_light), 1e-6))
        else:
            sun_light = np.zeros(3)
            ambient = np.pi * shaded / WALL_ALBEDO
    # A wall sees half the sky and half the ground.
    sky_level = max(2 * ambient - _luminance(bounce), 0.8 * ambient)
    sky = sky_level * tint
    if _luminance(sun_light) > 0:
        # The two populations are not the same paint everywhere: half of their tint is trusted.
        measured = np.clip(sun_light / _luminance(sun_light), 0.3, 2.5)
        mixed = 0.5 * SUN_COLOUR + 0.5 * measured
        sun_light = _luminance(sun_light) * mixed / _luminance(mixed)
    if settings.sun_sky_ratio != "auto":
        colour = sun_light / _luminance(sun_light) if _luminance(sun_light) > 0 else SUN_COLOUR
        sun_light = colour * settings.sun_sky_ratio * _luminance(sky)
    if settings.sun_colour != "auto":
        colour = np.asarray(settings.sun_colour, dtype=np.float64)
        level = _luminance(sun_light) or CLEAR_SKY * _luminance(sky)
        sun_light = colour / max(_luminance(colour), 1e-6) * level
    return sun_light, sky, bounce


def _shade_plane(line: Array, facades: tuple[Facade, ...], camera: Camera, sun: Array) -> Array:
    """Plane (4,) through a line (2, 2, pixels) on its wall and the sun; negative is the shade."""

    def spot(facade: Facade) -> tuple[Array, float]:
        points = camera.on_plane(line, facade.origin, facade.normal)
        across = (points - facade.origin) @ facade.right
        outside = np.maximum(-across, across - facade.width).clip(0).sum()
        return points, float(outside) if np.all(np.isfinite(points)) else np.inf

    points, outside = min((spot(facade) for facade in facades), key=lambda found: found[1])
    normal = np.cross(points[1] - points[0], sun)
    size = float(np.linalg.norm(normal))
    if not np.isfinite(size) or size < 1e-6 or not np.isfinite(outside):
        raise FalseworkError(
            "the shade line does not lie on a wall, or runs straight towards the sun",
            where="[light] shade_line",
            todo="Give two different points on a facade, in the file's pixels.",
        )
    normal /= size if normal[2] >= 0 else -size
    return np.array([*normal, -float(normal @ points[0])])
