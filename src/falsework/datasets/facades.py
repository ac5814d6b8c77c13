"""Street walls made here: where their windows are, and what they look like square on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from falsework.datasets.draw import Drawn, Wall
from falsework.datasets.rasters import look_up
from falsework.media.colour import to_working
from falsework.media.images import read_picture
from falsework.plate.plate import Facade
from falsework.seeds import generator

__all__ = ["Painting", "facade_of", "paint", "read_texture", "tile_of", "tiled"]

Image = npt.NDArray[np.float32]

PER_METRE = 48  # pixels of a painted wall
TILE = {"brick_wall_09": 2.2, "Facade005": 12.0, "Concrete07": 4.0, "beige_wall_001": 2.5}  # metres; others 3
REVEAL = 0.18  # metres that panes lie behind the wall
GLASS = 0.04  # albedo of a dark room behind a pane
MIRRORED = 0.16  # share of the sky that a pane throws back


@dataclass(frozen=True)
class Painting:
    """A wall seen square on, rows from the cornice down, PER_METRE pixels a metre.

    albedo (H, W, 3);  sun, sky (H, W) share of light that the wall's own relief lets through
    mirror (H, W) share of the sky's radiance that comes back as from a mirror
    """

    albedo: Image
    sun: Image
    sky: Image
    mirror: Image


def facade_of(drawn: Drawn, wall: Wall) -> Facade:
    """The wall as the plate stage would have solved it."""
    right = np.array([np.cos(wall.angle), np.sin(wall.angle), 0.0])
    levels = np.array(drawn.levels)
    return Facade(
        name=wall.name,
        origin=np.array([*wall.origin, 0.0]),
        right=right,
        normal=np.array([right[1], -right[0], 0.0]),
        width=wall.width,
        height=float(levels[-1]),
        levels=levels,
        windows=np.array([opening for opening, _ in openings(drawn, wall)]).reshape(-1, 4),
    )


def openings(drawn: Drawn, wall: Wall) -> list[tuple[tuple[float, float, float, float], str]]:
    """Openings (left, bottom, right, top in metres) and what each is: "window", "shop" or "door"."""
    pitch = wall.width / wall.bays
    middles = (np.arange(wall.bays) + 0.5) * pitch
    width, height, sill, _ = drawn.window
    width = min(width, pitch - 0.35)
    found: list[tuple[tuple[float, float, float, float], str]] = []
    for storey, floor in enumerate(drawn.levels[:-1]):
        room = drawn.levels[storey + 1] - floor
        door = int(generator(drawn.seed, "door", wall.name).integers(wall.bays))
        for bay, middle in enumerate(middles.tolist()):
            if storey == 0 and bay == door:
                half = min(0.6, 0.5 * pitch - 0.3)
                found.append(((middle - half, 0.0, middle + half, min(2.3, room - 0.4)), "door"))
            elif storey == 0 and drawn.shops:
                half = 0.38 * pitch
                found.append(((middle - half, 0.35, middle + half, min(3.1, room - 0.7)), "shop"))
            else:
                top = min(sill + height, room - 0.35)
                found.append(((middle - width / 2, floor + sill, middle + width / 2, floor + top), "window"))
    return found


def read_texture(path: Path) -> Image:
    """A texture, linear ACEScg (H, W, 3)."""
    return read_picture(path, "sRGB")


def tiled(texture: Image, metres: float, place: npt.NDArray[Any]) -> Image:
    """A repeating texture at places (..., 2) in metres, level with the detail that the places are apart."""
    flat = np.mod(np.asarray(place, np.float64).reshape(-1, 2) / metres, 1.0)
    found = look_up(texture, flat[:, 0] * texture.shape[1], flat[:, 1] * texture.shape[0], wrap=True)
    return found.reshape(*place.shape[:-1], 3)


def tile_of(name: str) -> float:
    return next((metres for beginning, metres in TILE.items() if name.startswith(beginning)), 3.0)


def _ground(texture: Image, metres: float, size: tuple[int, int], shift: npt.NDArray[Any]) -> Image:
    """A wall's surface (H, W, 3) from a texture, reduced to the painting's detail first."""
    pixels = max(16, round(metres * PER_METRE))
    small = cv2.resize(texture, (pixels, pixels), interpolation=cv2.INTER_AREA)
    rows, columns = (np.arange(n) + int(s * pixels) for n, s in zip(size, shift, strict=True))
    return np.asarray(small[rows[:, None] % pixels, columns[None] % pixels], np.float32)


def _working(colour: tuple[float, float, float]) -> Image:
    return np.asarray(to_working(np.array([colour], np.float32), "linear")[0], np.float32)


def paint(drawn: Drawn, wall: Wall, textures: dict[str, Image], sun_direction: npt.NDArray[Any]) -> Painting:
    """Draw one wall: its surface, courses, cornice, dirt, windows; and the shadows of its own relief."""
    random = generator(drawn.seed, "paint", wall.name)
    rows, columns = round(drawn.levels[-1] * PER_METRE), round(wall.width * PER_METRE)
    albedo = _ground(textures[drawn.facing], tile_of(drawn.facing), (rows, columns), random.random(2))
    if drawn.paint is not None:
        albedo = albedo / albedo.mean((0, 1)) * _working(drawn.paint)
    height = np.zeros((rows, columns), np.float32)  # of the relief, metres out of the wall
    mirror = np.zeros((rows, columns), np.float32)
    canvas = _Canvas(drawn.levels[-1], albedo, height, mirror)
    trim = np.clip(1.25 * albedo.mean((0, 1)) + 0.04, 0.05, 0.8)
    if drawn.building.material == "glass":
        canvas.glaze(random, drawn)
    else:
        if drawn.courses:
            for level in drawn.levels[1:-1]:
                canvas.box((0, level - 0.12, wall.width, level + 0.1), trim, 0.07)
            canvas.box((0, drawn.levels[-1] - 0.35, wall.width, drawn.levels[-1]), trim, 0.28)
        if drawn.shops:
            front = _working(PLINTHS[int(random.integers(len(PLINTHS)))])
            canvas.box((0, 0, wall.width, drawn.levels[1] - 0.2), front, 0.02)
        else:
            canvas.box((0, 0, wall.width, 0.55), 0.7 * albedo.mean((0, 1)), 0.05)
    _weather(albedo, random)
    frame = _working(drawn.frame)
    if drawn.building.material != "glass":
        for rect, what in openings(drawn, wall):
            canvas.opening(rect, what, frame, trim, drawn, random)
    sun, sky = _own_shadows(height, wall, sun_direction)
    np.clip(albedo, 0.01, 0.85, out=albedo)
    return Painting(albedo, sun, sky, mirror)


PLINTHS = ((0.10, 0.10, 0.11), (0.28, 0.25, 0.21), (0.16, 0.05, 0.04), (0.05, 0.09, 0.08), (0.40, 0.38, 0.34))


class _Canvas:
    def __init__(self, top: float, albedo: Image, height: Image, mirror: Image) -> None:
        self.top, self.albedo, self.height, self.mirror = top, albedo, height, mirror

    def at(self, rect: Any) -> tuple[slice, slice]:
        left, bottom, right, top = rect
        rows, columns = self.height.shape
        y0, y1 = (int(np.clip(round((self.top - z) * PER_METRE), 0, rows)) for z in (top, bottom))
        x0, x1 = (int(np.clip(round(x * PER_METRE), 0, columns)) for x in (left, right))
        return slice(y0, y1), slice(x0, x1)

    def box(self, rect: Any, colour: Any, out: float, *, own: float = 0.35) -> None:
        """A plain part of the wall that stands out (or lies back); `own`: how much of the texture shows
        through."""
        part = self.at(rect)
        grain = self.albedo[part]
        if grain.size == 0:
            return
        shade = grain.mean(-1, keepdims=True) / max(float(grain.mean()), 1e-4)
        self.albedo[part] = np.asarray(colour, np.float32) * (1 - own + own * shade)
        self.height[part] = out
        self.mirror[part] = 0.0

    def pane(self, rect: Any, random: np.random.Generator, out: float) -> None:
        part = self.at(rect)
        if self.height[part].size == 0:
            return
        dark = GLASS * random.uniform(0.4, 1.8)
        curtain = random.random()
        self.albedo[part] = dark * np.array([1.0, 1.0, 1.02], np.float32)
        if curtain < 0.35:  # a curtain at both sides, or a blind half way down
            left, bottom, right, top = rect
            cloth = np.array([0.42, 0.40, 0.36], np.float32) * random.uniform(0.5, 1.1)
            if curtain < 0.15:
                self.albedo[self.at((left, top - (top - bottom) * random.uniform(0.2, 0.8), right, top))] = (
                    cloth
                )
            else:
                share = 0.22 * (right - left)
                self.albedo[self.at((left, bottom, left + share, top))] = cloth
                self.albedo[self.at((right - share, bottom, right, top))] = cloth
        self.height[part] = out
        self.mirror[part] = MIRRORED * random.uniform(0.5, 1.4)

    def opening(
        self, rect: Any, what: str, frame: Image, trim: Image, drawn: Drawn, random: np.random.Generator
    ) -> None:
        left, bottom, right, top = rect
        if what == "window" and drawn.courses and drawn.window[3] == "punched":
            self.box((left - 0.14, bottom - 0.02, right + 0.14, top + 0.16), trim, 0.04)
        if what == "window":
            self.box((left - 0.1, bottom - 0.1, right + 0.1, bottom), 0.9 * trim, 0.12)
        self.box(rect, frame, -REVEAL, own=0.0)
        if what == "door":
            self.box(
                (left + 0.08, bottom, right - 0.08, top - 0.4), 0.6 * frame + 0.02, -REVEAL - 0.03, own=0.0
            )
            self.pane((left + 0.08, top - 0.36, right - 0.08, top - 0.06), random, -REVEAL - 0.05)
            return
        if what == "window" and random.random() < 0.02:
            self.box(rect, np.array([0.3, 0.22, 0.12], np.float32), -0.02, own=0.0)  # boarded up
            return
        bars = 1 if what == "shop" else max(2, round((right - left) / 0.62))
        edge = 0.065
        step = (right - left - edge) / bars
        cross = bottom + (0.72 if what == "window" and top - bottom > 1.7 else 1.0) * (top - bottom)
        for bar in range(bars):
            x0, x1 = left + edge + bar * step, left + (bar + 1) * step
            self.pane((x0, bottom + edge, x1, min(cross, top - edge)), random, -REVEAL - 0.04)
            if cross < top - 2 * edge:
                self.pane((x0, cross + edge, x1, top - edge), random, -REVEAL - 0.04)
        if drawn.shutters and what == "window":
            leaf = 0.5 * (right - left)
            closed = random.random() < 0.2
            for side in (left, right - leaf) if closed else (left - leaf - 0.02, right + 0.02):
                self.box((side, bottom, side + leaf, top), 0.8 * frame + 0.02, 0.05, own=0.0)
                for z in np.arange(bottom + 0.06, top - 0.06, 0.09):
                    self.albedo[self.at((side + 0.05, z, side + leaf - 0.05, z + 0.035))] *= 0.55

    def glaze(self, random: np.random.Generator, drawn: Drawn) -> None:
        """A curtain wall: the texture shows panes and posts; panes throw the sky back."""
        self.mirror += np.float32(1.3 * MIRRORED)
        tint = np.array([0.85, 1.0, 1.1], np.float32) ** random.uniform(-1, 1)
        self.albedo *= tint * random.uniform(0.6, 1.2)
        for level in drawn.levels[1:]:
            self.box(
                (0, level - 0.18, self.height.shape[1] / PER_METRE, level), np.full(3, 0.2, np.float32), 0.03
            )


def _weather(albedo: Image, random: np.random.Generator) -> None:
    """Dirt: broad stains, streaks that run down, a dark foot."""
    rows, columns = albedo.shape[:2]

    def cloud(across: int, down: int) -> Image:
        coarse = random.normal(size=(max(3, rows // down), max(3, columns // across))).astype(np.float32)
        return np.asarray(cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC), np.float32)

    stains = np.exp(0.07 * cloud(90, 90) + 0.05 * cloud(6, 160) + 0.03 * cloud(3, 3))
    foot = 1 - 0.25 * np.exp(-(rows - np.arange(rows, dtype=np.float32)) / (0.5 * PER_METRE))
    albedo *= (stains * foot[:, None])[..., None]


def _own_shadows(height: Image, wall: Wall, sun_direction: npt.NDArray[Any]) -> tuple[Image, Image]:
    """Shares of sun and sky that the wall's relief leaves: marched along the sun, and hollows are dark."""
    right = np.array([np.cos(wall.angle), np.sin(wall.angle), 0.0])
    normal = np.array([right[1], -right[0], 0.0])
    out = float(sun_direction @ normal)
    sun = np.ones_like(height)
    if out > 0.02:
        way = (
            np.array([sun_direction @ right, -sun_direction[2]]) / out * PER_METRE
        )  # pixels a metre outwards
        span = float(height.max() - height.min())
        steps = int(np.clip(np.ceil(np.abs(way).max() * span / 2), 1, 60))
        for step in range(1, steps + 1):
            rise = span * step / steps
            move = np.array([[1, 0, -way[0] * rise], [0, 1, -way[1] * rise]], np.float32)
            there = np.asarray(
                cv2.warpAffine(
                    height,
                    move,
                    (height.shape[1], height.shape[0]),
                    flags=cv2.INTER_NEAREST,
                    borderMode=cv2.BORDER_REPLICATE,
                ),
                np.float32,
            )
            sun[there > height + rise + 0.004] = 0.0
        sun = np.asarray(cv2.GaussianBlur(sun, (3, 3), 0.6), np.float32)
    around = cv2.GaussianBlur(height, (0, 0), 0.3 * PER_METRE)
    sky = np.clip(1.0 - 1.3 * np.maximum(around - height, 0) / 0.3, 0.35, 1.0)
    return sun, np.asarray(sky, np.float32)
