"""What a recipe's distribution gives for one building: everything that is decided before anything is
computed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from falsework.building.settings import BuildingSettings, FractureSettings
from falsework.collapse.settings import CollapseSettings
from falsework.datasets.settings import Range, Recipe, Split
from falsework.dust.settings import DustSettings
from falsework.errors import FalseworkError
from falsework.seeds import generator
from falsework.settings import Settings

__all__ = ["FIRST_FRAME", "Drawn", "Wall", "building_seed", "draw", "split_of"]

FIRST_FRAME = 1001
START = 1003
SETTINGS: Mapping[str, type[Settings]] = {
    "building": BuildingSettings,
    "fracture": FractureSettings,
    "collapse": CollapseSettings,
    "dust": DustSettings,
}
OTHERS = 5  # walls that stay, at most
INTERIOR = (95.0, 125.0)  # degrees between the walls of a corner house, inside
# What street walls are faced with, by what stands behind: weights of the textures' names.
FACINGS: Mapping[str, Mapping[str, float]] = {
    "masonry": {"brick_wall_09": 3, "beige_wall_001": 4, "broken_brick_wall": 1, "broken_wall": 1},
    "concrete": {"Concrete07": 3, "brushed_concrete": 2, "beige_wall_001": 3},
    "glass": {"Facade005": 1},
}
GROUNDS = ("asphalt_04", "brown_mud_rocks_01", "brushed_concrete", "Concrete07")
# Linear colours that render is painted in: cream, ochre, rose, grey, pale green, white, terracotta.
PAINTS = (
    (0.62, 0.54, 0.40), (0.52, 0.36, 0.17), (0.52, 0.33, 0.27), (0.36, 0.36, 0.35),
    (0.38, 0.43, 0.34), (0.70, 0.68, 0.64), (0.43, 0.21, 0.13), (0.30, 0.35, 0.42),
)  # fmt: skip
FRAMES = ((0.70, 0.69, 0.66), (0.10, 0.07, 0.05), (0.05, 0.10, 0.07), (0.20, 0.21, 0.23), (0.24, 0.13, 0.06))


@dataclass(frozen=True)
class Wall:
    """One street wall: `origin` (x, y) its left foot in the world, `angle` radians from +X; metres."""

    name: str
    origin: tuple[float, float]
    angle: float
    width: float
    bays: int


@dataclass(frozen=True)
class Drawn:
    """One building's shot.

    index, seed   of the building; `seed` decides everything that is random about it
    walls         left to right; levels: heights of the floors, metres
    facing        texture of the walls, `paint` its colour (linear Rec.709; None: as it is), `frame` the
                  windows'
    window        width, height, sill above the floor (metres), and "punched" or "ribbon"
    camera        height, pitch (degrees), focal (pixels)
    sun           azimuth, elevation (degrees; the world's), ratio (0: overcast)
    sky           file, and by how many degrees it is turned
    """

    index: int
    seed: int
    kind: str
    walls: tuple[Wall, ...]
    levels: tuple[float, ...]
    shops: bool
    facing: str
    paint: tuple[float, float, float] | None
    frame: tuple[float, float, float]
    window: tuple[float, float, float, str]
    shutters: bool
    courses: bool
    ground: str
    others: tuple[str, ...]  # textures of the houses that stay
    neighbours: tuple[float, float]  # heights of the houses left and right, metres; 0: none
    camera: tuple[float, float, float]
    sun: tuple[float, float, float]
    sky: tuple[str, float]
    building: BuildingSettings
    fracture: FractureSettings
    collapse: CollapseSettings
    dust: DustSettings

    @property
    def textures(self) -> tuple[str, ...]:
        """Names of all textures that are used."""
        return tuple(sorted({self.facing, self.ground, *self.others}))

    def to_json(self) -> dict[str, Any]:
        """For the record: plain values."""
        values = asdict(self)
        for name in SETTINGS:
            values[name] = getattr(self, name).model_dump(mode="json")
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Drawn:
        """What `to_json` gave, after JSON; FalseworkError where it is something else."""
        try:
            known = {one.name: _plain(values[one.name]) for one in fields(cls)}
            for name, settings in SETTINGS.items():
                known[name] = settings.model_validate(values[name])
            known["walls"] = tuple(
                Wall(**{one.name: _plain(wall[one.name]) for one in fields(Wall)}) for wall in values["walls"]
            )
            return cls(**known)
        except (KeyError, TypeError, ValueError) as error:
            raise FalseworkError(
                f"the record does not say what was drawn ({error!r})",
                where="drawn",
                todo="It was written by another version of falsework, or changed by hand.",
            ) from error


def _plain(value: Any) -> Any:
    """Lists as the tuples that they were before JSON."""
    return tuple(_plain(one) for one in value) if isinstance(value, list) else value


def building_seed(recipe: Recipe, index: int) -> int:
    """The seed of a data set's building number `index`: the same however many there are."""
    return int(generator(recipe.seed, "data set", recipe.name, index).integers(2**62))


def split_of(recipe: Recipe, seed: int) -> Split:
    """Which part a building belongs to, by its seed alone, so that a set that grows moves nothing."""
    place = int.from_bytes(hashlib.sha256(f"split {seed}".encode()).digest()[:8], "big") / 2**64
    if place < recipe.split.test:
        return "test"
    return "validation" if place < recipe.split.test + recipe.split.validation else "train"


def draw(recipe: Recipe, index: int, textures: list[str], skies: list[str]) -> Drawn:
    """Building number `index` of a recipe, given the names of textures and skies that there are."""
    seed = building_seed(recipe, index)
    about = recipe.buildings
    kind = _chosen(generator(seed, "type"), about.types)
    random = generator(seed, "building")
    material = _chosen(random, about.materials)
    storeys = int(random.integers(round(about.storeys.low), round(about.storeys.high) + 1))
    typical = _uniform(random, about.storey_height)
    shops = bool(random.random() < 0.45) and storeys > 1
    first = typical + (random.uniform(0.5, 1.2) if shops else 0.0)
    levels = [0.0, first, *(first + typical * np.arange(1, storeys)).tolist()]
    width = _uniform(random, about.width)
    pitch = random.uniform(2.3, 3.4)
    roof = _chosen(random, about.roofs) if material == "masonry" else "flat"
    if kind == "corner":
        roof = "flat"
    roof_height = random.uniform(1.8, 3.4) if roof != "flat" else random.uniform(0.0, 0.9)
    distance = _uniform(random, recipe.cameras.distance)
    # Not so near that a tall house leaves the picture, nor so far that it is lost in it.
    distance = max(distance, 0.95 * levels[-1], 0.8 * width)
    walls = _walls(random, kind, recipe, width, distance, pitch)
    windows = _window(random, material, typical, pitch)
    facing = _facing(random, material, textures)
    painted = "beige" in facing or ("brush" in facing and random.random() < 0.5)
    paint = PAINTS[int(random.integers(len(PAINTS)))] if painted else None
    frame = FRAMES[int(random.integers(len(FRAMES)))]
    side = [float(random.uniform(0.5, 1.15) * levels[-1]) * (random.random() < 0.75) for _ in range(2)]
    if kind == "detached":
        side = [0.0, 0.0]
    grounds = [name for name in textures if name.startswith(GROUNDS)] or textures
    shutters, courses = bool(random.random() < 0.3 and material == "masonry"), bool(random.random() < 0.6)
    ground = grounds[int(random.integers(len(grounds)))]
    return Drawn(
        index=index,
        seed=seed,
        kind=kind,
        walls=walls,
        levels=tuple(round(level, 4) for level in levels),
        shops=shops,
        facing=facing,
        paint=paint,
        frame=frame,
        window=windows,
        shutters=shutters,
        courses=courses,
        ground=ground,
        others=tuple(
            textures[int(n)] for n in generator(seed, "others").integers(len(textures), size=OTHERS)
        ),
        neighbours=(side[0], side[1]),
        camera=_camera(generator(seed, "camera"), recipe, walls, levels[-1] + roof_height),
        sun=_sun(generator(seed, "sun"), recipe),
        sky=_sky(generator(seed, "sky"), skies),
        building=BuildingSettings.model_validate(
            {
                "material": material,
                "depth": _uniform(random, about.depth),
                "roof": roof,
                "roof_height": roof_height,
                "wall_thickness": random.uniform(0.3, 0.5) if material == "masonry" else 0.25,
            }
        ),
        fracture=FractureSettings(
            fragments=int(_uniform(generator(seed, "fragments"), recipe.shot.fragments))
        ),
        collapse=_collapse(generator(seed, "collapse"), recipe, storeys),
        dust=_dust(generator(seed, "dust"), recipe),
    )


def _uniform(random: np.random.Generator, given: Range) -> float:
    return float(random.uniform(given.low, given.high))


def _chosen(random: np.random.Generator, weights: Mapping[Any, float]) -> str:
    names = list(weights)
    share = np.array([weights[name] for name in names], np.float64)
    return str(names[int(random.choice(len(names), p=share / share.sum()))])


def _facing(random: np.random.Generator, material: str, textures: list[str]) -> str:
    """A texture that suits the material; any, where the folder has none of those known here."""
    wanted = {
        name: weight
        for name in textures
        for beginning, weight in FACINGS[material].items()
        if name.startswith(beginning)
    }
    return _chosen(random, wanted or dict.fromkeys(textures, 1.0))


def _window(
    random: np.random.Generator, material: str, storey: float, pitch: float
) -> tuple[float, float, float, str]:
    if material != "masonry" and random.random() < 0.5:
        height = random.uniform(1.2, 1.7)
        return pitch - random.uniform(0.5, 0.9), height, random.uniform(0.75, 1.0), "ribbon"
    width = random.uniform(0.38, 0.55) * pitch
    if random.random() < 0.4:  # down to the floor
        return width, min(storey - 0.6, random.uniform(2.0, 2.5)), random.uniform(0.12, 0.3), "punched"
    return width, min(storey - 1.25, random.uniform(1.3, 1.8)), random.uniform(0.75, 0.95), "punched"


def _walls(
    random: np.random.Generator, kind: str, recipe: Recipe, width: float, distance: float, pitch: float
) -> tuple[Wall, ...]:
    def bays(metres: float) -> int:
        return max(2, round(metres / pitch))

    if kind == "corner":
        first = np.radians(random.uniform(-32, -8))
        second = first + np.pi - np.radians(random.uniform(*INTERIOR))
        ridge = (random.uniform(-3, 3), distance)
        other = width * random.uniform(0.7, 1.2)
        foot = (ridge[0] - width * np.cos(first), ridge[1] - width * np.sin(first))
        return (
            Wall("left", (float(foot[0]), float(foot[1])), float(first), width, bays(width)),
            Wall("right", (float(ridge[0]), float(ridge[1])), float(second), other, bays(other)),
        )
    angle = np.radians(_uniform(random, recipe.cameras.aside))
    middle = np.array([random.uniform(-2, 2), distance])
    start = middle - 0.5 * width * np.array([np.cos(angle), np.sin(angle)])
    return (Wall("front", (float(start[0]), float(start[1])), float(angle), width, bays(width)),)


def _camera(
    random: np.random.Generator, recipe: Recipe, walls: tuple[Wall, ...], height: float
) -> tuple[float, float, float]:
    """Height, pitch (degrees), focal (pixels): as an operator frames the house."""
    eye = _uniform(random, recipe.cameras.height)
    ends = [end for wall in walls for end in (wall.origin, _far_end(wall))]
    x = np.array([end[0] for end in ends])
    y = np.maximum(np.array([end[1] for end in ends]), 3.0)
    nearest = float(y.min())
    top = np.arctan2(height - eye, nearest)
    bottom = np.arctan2(-eye, nearest)
    pitch = float(np.clip(0.5 * (top + bottom), np.radians(2), np.radians(28)))
    wide, high = recipe.picture.size
    sides = np.abs(x / y).max()
    up = max(np.tan(top - pitch), np.tan(pitch - bottom))
    focal = min(0.5 * wide / sides, 0.5 * high / up) * _uniform(random, recipe.cameras.filling)
    # Between a wide lens and a short telephoto.
    focal = float(np.clip(focal, 0.45 * wide, 2.2 * wide))
    return eye, float(np.degrees(pitch)), focal


def _far_end(wall: Wall) -> tuple[float, float]:
    return (
        wall.origin[0] + wall.width * float(np.cos(wall.angle)),
        wall.origin[1] + wall.width * float(np.sin(wall.angle)),
    )


def _sun(random: np.random.Generator, recipe: Recipe) -> tuple[float, float, float]:
    suns = recipe.suns
    azimuth, elevation = _uniform(random, suns.azimuth), _uniform(random, suns.elevation)
    ratio = 0.0 if random.random() < suns.overcast else _uniform(random, suns.ratio)
    return azimuth, elevation, ratio


def _sky(random: np.random.Generator, skies: list[str]) -> tuple[str, float]:
    return skies[int(random.integers(len(skies)))], float(random.uniform(0, 360))


def _collapse(random: np.random.Generator, recipe: Recipe, storeys: int) -> CollapseSettings:
    kind = _chosen(random, recipe.triggers.kinds)
    sides = {"progressive": ("left", "right", "centre", "front"), "topple": ("front", "left", "right")}
    side = str(random.choice(sides.get(kind, ("centre",))))
    across = float(random.uniform(0.2, 0.7))
    return CollapseSettings.model_validate(
        {
            "kind": kind,
            "from_storey": int(random.integers(0, max(1, storeys // 2)))
            if kind in ("progressive", "pancake")
            else 0,
            "side": side,
            "start": START,
            "timing": [(0.0, 0.0), (1.0, across)],
            "strength": _uniform(random, recipe.triggers.strength),
            "direction": float(random.uniform(140, 220)),
        }
    )


def _dust(random: np.random.Generator, recipe: Recipe) -> DustSettings:
    dust = recipe.dust
    return DustSettings.model_validate(
        {
            "amount": _uniform(random, dust.amount),
            "reach": _chosen(random, dust.reach),
            "wind_speed": _uniform(random, dust.wind_speed),
            "wind_direction": float(random.uniform(-180, 180)),
            "debris": dust.debris,
        }
    )
