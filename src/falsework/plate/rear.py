"""What is seen across the gap: backs of old houses, a courtyard's wall, a shed and trees, in haze."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from falsework.plate.camera import Camera
from falsework.plate.facades import Neighbour
from falsework.plate.party_wall import SRGB_TO_ACESCG, clouds, lay, step
from falsework.plate.plate import Facade, Image, Light, SetPlane
from falsework.plate.set_walls import UP, Layer, Wall, in_sight, show
from falsework.seeds import generator

__all__ = ["draw_rear", "rear_walls"]

Array = npt.NDArray[np.float64]

COURTYARD = 26.0  # metres from the back of the house to the houses across
TONE = 0.62  # of its albedo: courtyards are dirty and get little light
VEIL = 0.20  # share of the sky's tone over what stands across the courtyard
HALF = 60.0  # metres to either side that are built up
PLASTER = ((0.50, 0.45, 0.36), (0.52, 0.44, 0.38), (0.43, 0.42, 0.40), (0.56, 0.51, 0.43), (0.40, 0.35, 0.30))
SHUTTERS = (
    (0.30, 0.26, 0.22),
    (0.46, 0.45, 0.43),
    (0.20, 0.25, 0.22),
    (0.34, 0.20, 0.16),
    (0.38, 0.42, 0.45),
)
LAUNDRY = ((0.66, 0.66, 0.66), (0.30, 0.36, 0.48), (0.55, 0.28, 0.24), (0.62, 0.58, 0.46))
LEAVES = ((0.060, 0.078, 0.030), (0.085, 0.085, 0.032), (0.045, 0.066, 0.034))  # linear, of whole crowns


def _colour(srgb: tuple[float, float, float]) -> Image:
    return np.asarray(np.array(srgb, np.float32) @ SRGB_TO_ACESCG.T, np.float32)


def _metres(shape: tuple[int, int], top: float, density: float) -> tuple[Image, Image]:
    """Metres along (H, W) and up (H, W) of a texture's pixels, its rows from `top` metres down."""
    rows = np.float32(top) - (np.arange(shape[0], dtype=np.float32)[:, None] + 0.5) / np.float32(density)
    columns = (np.arange(shape[1], dtype=np.float32)[None, :] + 0.5) / np.float32(density)
    return (
        np.asarray(np.broadcast_to(columns, shape), np.float32),
        np.asarray(np.broadcast_to(rows, shape), np.float32),
    )


def rear_walls(camera: Camera, facades: tuple[Facade, ...], neighbours: Sequence[Neighbour]) -> list[Wall]:
    """Backs of the houses across the courtyard: narrow and wide, high and low, not quite in one line, some
    with their gable to the yard. The nearest come last."""
    if not facades:
        return []
    ends = np.stack([facade.point(side * facade.width, 0.0) for facade in facades for side in (0.0, 1.0)])
    inward = -np.mean([facade.normal for facade in facades], axis=0)
    inward /= np.linalg.norm(inward)
    deep = max([neighbour.depth for neighbour in neighbours] or [11.0])
    reach = float(((ends - camera.position) @ inward).max()) + 0.5 * deep + COURTYARD
    across = np.cross(inward, UP)
    centre = camera.position * [1, 1, 0] + inward * reach
    tall = float(np.mean([facade.height for facade in facades]))
    random = generator(0, "plate", "rear walls")
    found: list[tuple[float, Wall]] = []
    at, number = -HALF, 0
    while at < HALF:
        width = float(random.uniform(6.5, 15.0))
        high = max(tall * float(random.uniform(0.45, 0.92)), float(random.uniform(5.2, 7.4)))
        back = float(random.uniform(-3.0, 6.0))
        outline = [[0.0, 0.0], [width, 0.0], [width, high]]
        if width < 10.0 and random.random() < 0.6:
            ridge = width * float(random.uniform(0.42, 0.58))
            outline.append([ridge, high + width * float(random.uniform(0.22, 0.34))])
        outline.append([0.0, high])
        plane = SetPlane(
            name=f"rear {number + 1}",
            origin=np.asarray(centre + across * at + inward * back, dtype=np.float64),
            u=np.asarray(across * width, dtype=np.float64),
            v=UP * high,
            thickness=10.0,
        )
        found.append((-back, Wall(plane, np.array(outline), ("rear", number))))
        at += width * float(random.uniform(0.84, 0.95))
        number += 1
    return [wall for _, wall in sorted(found, key=lambda pair: pair[0])]


def draw_rear(
    walls: Sequence[Wall],
    camera: Camera,
    view: tuple[int, int, int, int],
    light: Light,
    haze: Array,
    density: float,
    casters: Sequence[Wall],
) -> list[Layer]:
    """The houses with their roofs, then the courtyard before them, from the back to the front."""
    drawn: list[Layer] = []
    for wall in walls:
        if not in_sight(wall, camera, view):
            continue
        random = generator(0, "plate", *wall.seed)
        drawn.extend(_roof(wall, random, camera, view, light, haze, density))
        albedo = TONE * _back_of_house(wall.outline, density, random)
        drawn.extend(show(wall, albedo, density, camera, view, light, haze, casters, veil=VEIL))
    if walls:
        drawn.extend(_courtyard(walls, camera, view, light, haze, density, casters))
    return drawn


def _back_of_house(outline: Array, density: float, random: np.random.Generator) -> Image:
    """Albedo (rows from the outline's top down, columns) of an old back wall: patched plaster, windows of
    several makes, shutters in all positions, pipes, laundry, damp."""
    width, top = float(outline[:, 0].max()), float(outline[:, 1].max())
    shape = (round(top * density), round(width * density))
    u, v = _metres(shape, top, density)
    plaster = lay("beige_wall", shape, density, random, 3.4)
    plaster = plaster / plaster.mean(axis=(0, 1))
    tone = _colour(PLASTER[int(random.integers(len(PLASTER)))]) * np.float32(random.uniform(0.75, 1.1))
    wall = plaster * tone
    broad, grit = clouds(shape, density, 4.5, random, 5), clouds(shape, density, 0.8, random, 4)
    stone = 0.8 * lay("broken_wall", shape, density, random, 2.4)
    bare = step(broad + 0.35 * grit - np.float32(random.uniform(0.9, 1.8)), 0.15)[..., None]
    wall = wall * (1.0 - bare) + stone * bare
    wall = wall * np.clip(1.0 + 0.13 * broad + 0.05 * grit, 0.5, 1.4)[..., None]
    bay, storey = float(random.uniform(2.2, 3.4)), float(random.uniform(2.75, 3.3))
    column = 0.5 * bay * float(random.uniform(0.7, 1.2))
    half = float(random.uniform(0.42, 0.6))
    eaves = float(outline[outline[:, 0] <= 1e-6, 1].max())
    while column < width - 0.8:
        shifted = float(random.uniform(-0.5, 0.5)) if random.random() < 0.25 else 0.0  # a stairwell's windows
        row = 0.3 + shifted
        under = eaves + (0.9 if len(outline) > 4 and abs(column - 0.5 * width) < 1.6 else 0.0)
        while row + 2.6 < under:
            if random.random() < 0.86:
                _window(
                    wall,
                    u - np.float32(column),
                    v - np.float32(row),
                    half * float(random.uniform(0.8, 1.1)),
                    random,
                )
            row += storey
        column += bay * float(random.uniform(0.75, 1.3))
    for _ in range(1 + int(random.integers(3))):  # drain and soil pipes
        pipe = np.abs(u - float(random.uniform(0.05, 0.95)) * width - 0.03 * np.sin(v)) < 0.055
        wall[pipe] = float(random.uniform(0.10, 0.24)) * np.ones(3, np.float32)
    if random.random() < 0.6:
        _laundry(wall, u, v, width, eaves, random)
    damp = np.exp(-np.maximum(v, 0.0) / 1.6) * (1.0 + 0.4 * broad)
    skyline = np.interp(u[0], outline[2:][::-1, 0], outline[2:][::-1, 1]) if len(outline) > 4 else eaves
    edge = np.abs(v - skyline + 0.07)  # a gutter, or a gable's verge
    gutter = step(np.asarray(0.09 - edge + 0.01 * grit, np.float32), 0.02)
    wall = wall * (1.0 - 0.4 * np.clip(damp, 0.0, 1.0))[..., None] * (1.0 - 0.65 * gutter)[..., None]
    return np.asarray(np.clip(wall, 0.015, 0.8), np.float32)


def _window(wall: Image, x: Image, y: Image, half: float, random: np.random.Generator) -> None:
    """One window into a wall's albedo, in place; x, y (rows, columns) in metres from its storey's foot."""
    sill, lintel = float(random.uniform(0.75, 1.15)), float(random.uniform(2.1, 2.5))
    inside = (np.abs(x) < half) & (y > sill) & (y < lintel)
    surround = (np.abs(x) < half + 0.10) & (y > sill - 0.12) & (y < lintel + 0.12)
    wall[surround] = 0.55 * wall[surround] + 0.45 * np.float32(random.uniform(0.3, 0.5))
    depth = float(random.random())
    glass = np.float32(0.03 + 0.12 * random.random() ** 2)
    wall[inside] = glass * (1.0 + 0.6 * (y[inside] - sill))[:, None] * np.array([0.92, 1.0, 1.08], np.float32)
    bars = inside & ((np.abs(x) < 0.035) | (np.abs(np.abs(x) - half) < 0.05) | (np.abs(y - 1.85) < 0.025))
    wall[bars] = np.float32(random.uniform(0.18, 0.5))
    if depth < 0.25:  # a curtain
        wall[inside & (y > sill + 0.1)] *= np.float32(random.uniform(2.0, 4.0))
    paint = _colour(SHUTTERS[int(random.integers(len(SHUTTERS)))])
    kind = float(random.random())
    slats = (0.86 + 0.14 * np.sign(np.sin(2 * np.pi * y / 0.11)))[..., None]
    if kind < 0.28:  # folded shutters, closed or with one leaf ajar
        shut = inside & ((x < 0.02) | (kind < 0.2))
        wall[shut] = (paint * slats)[shut]
    elif kind < 0.5:  # open against the wall
        leaf = (np.abs(np.abs(x) - 1.5 * half) < 0.48 * half) & (y > sill) & (y < lintel)
        wall[leaf] = (paint * slats)[leaf]
    elif kind < 0.75:  # a roller shutter, some way down
        roll = inside & (y > lintel - (lintel - sill) * float(random.uniform(0.15, 1.0)))
        wall[roll] = (0.8 * paint * slats)[roll]
    runs = np.exp(-np.abs(np.abs(x) - half) / 0.12) * np.exp(-np.maximum(sill - y, 0.0) / 0.8)
    stained = (y < sill - 0.05) & (y > sill - 2.0) & (np.abs(x) < half + 0.4)
    wall[stained] *= (1.0 - 0.30 * runs[stained])[:, None]
    shade = inside & (y > lintel - 0.16)
    wall[shade] *= 0.6


def _laundry(
    wall: Image, u: Image, v: Image, width: float, eaves: float, random: np.random.Generator
) -> None:
    """A line of washing below a window, in place."""
    at, line = float(random.uniform(0.1, 0.6)) * width, float(random.uniform(0.35, 0.75)) * eaves
    while at < 0.95 * width and random.random() < 0.82:
        wide, long = float(random.uniform(0.25, 0.7)), float(random.uniform(0.35, 0.9))
        piece = (np.abs(u - at) < wide / 2) & (v < line) & (v > line - long - 0.08 * np.sin(9.0 * u))
        colour = _colour(LAUNDRY[int(random.integers(len(LAUNDRY)))])
        wall[piece] = colour * (0.85 + 0.15 * np.sin(14.0 * u[piece]))[:, None]
        at += wide + float(random.uniform(0.05, 0.25))


def _roof(
    wall: Wall,
    random: np.random.Generator,
    camera: Camera,
    view: tuple[int, int, int, int],
    light: Light,
    haze: Array,
    density: float,
) -> list[Layer]:
    """A rear house's tiled slope, its ridge not quite straight, its chimneys with pots, an aerial."""
    width = float(wall.outline[:, 0].max())
    high = float(wall.outline[wall.outline[:, 0] <= 1e-6, 1].max())
    gable = len(wall.outline) > 4
    rise = 0.0 if gable else float(random.uniform(0.9, 2.4))
    crown = float(wall.outline[:, 1].max()) if gable else high + rise
    top = crown + 2.6
    shape = (round(top * density), round((width + 0.8) * density))
    u, v = _metres(shape, top, density)
    u = u - np.float32(0.4)
    grit = clouds(shape, density, 1.0, random, 4)
    moss = clouds(shape, density, 2.6, random, 4)
    tile = _colour((0.30, 0.155, 0.105) if random.random() < 0.7 else (0.125, 0.13, 0.14))
    rows = 0.88 + 0.12 * np.sign(np.sin(2 * np.pi * (v - high) / 0.17))
    texture = tile * (rows * np.clip(1.0 + 0.22 * moss + 0.16 * grit, 0.4, 1.6))[..., None]
    mask = np.zeros(shape, np.float32)
    if not gable:
        sag = 0.10 * np.sin(np.pi * u / width) + 0.025 * grit
        mask = ((v < crown - sag) & (v > high - 0.1)).astype(np.float32)
    for _ in range(1 + int(random.integers(3))):
        at, wide = float(random.uniform(0.03, 0.9)) * width, float(random.uniform(0.45, 1.5))
        tall = crown + float(random.uniform(0.5, 1.5))
        stack = (u > at) & (u < at + wide) & (v > high) & (v < tall)
        pots = (np.abs(np.mod(u - at, 0.36) - 0.18) < 0.09) & (u > at) & (u < at + wide)
        pots &= (v >= tall) & (v < tall + float(random.uniform(0.25, 0.55)))
        texture[stack] = (_colour((0.34, 0.25, 0.19)) * (1.0 + 0.12 * grit[..., None]))[stack]
        texture[stack & (v > tall - 0.14)] *= 0.7
        texture[pots] = _colour((0.36, 0.17, 0.11))
        mask[stack | pots] = 1.0
    if random.random() < 0.5:
        at = float(random.uniform(0.1, 0.9)) * width
        pole = (np.abs(u - at) < 0.03) & (v < crown + 2.2) & (v > high)
        rods = (np.abs(u - at) < 0.55) & (np.abs(np.mod(v, 0.3) - 0.1) < 0.018)
        rods &= (v > crown + 1.5) & (v < crown + 2.1)
        mask[pole | rods] = 1.0
        texture[pole | rods] = 0.1
    flat = np.array([[-0.4, 0.0], [width + 0.4, 0.0], [width + 0.4, top], [-0.4, top]])
    plane = SetPlane(
        wall.plane.name, wall.plane.origin - 0.4 * wall.along, wall.along * (width + 0.8), UP * top, 1.0
    )
    part = Wall(plane, flat + np.array([[0.4, 0.0]]), wall.seed)
    albedo = np.asarray(np.clip(TONE * texture, 0.01, 0.8), np.float32)
    return show(part, albedo, density, camera, view, light, haze, mask=mask, veil=VEIL)


def _courtyard(
    walls: Sequence[Wall],
    camera: Camera,
    view: tuple[int, int, int, int],
    light: Light,
    haze: Array,
    density: float,
    casters: Sequence[Wall],
) -> list[Layer]:
    """Before the houses: trees, a long rubble wall, a shed, bushes; flat pieces with their own outlines."""
    along = walls[0].along
    toward = walls[0].normal * np.sign(float(walls[0].normal @ (camera.position - walls[0].plane.origin)))
    middle = np.mean([wall.plane.origin for wall in walls], axis=0)
    start = middle - along * float((middle - camera.position) @ along)
    random = generator(0, "plate", "courtyard")
    pieces: list[tuple[float, float, float, float, str]] = []
    pieces.append((9.0, -HALF, 2 * HALF, float(random.uniform(2.3, 2.9)), "wall"))
    eaves = float(np.median([wall.plane.v[2] for wall in walls]))
    for kind, count, low, high in (
        ("tree", 15, min(0.5 * eaves, 5.5), min(0.95 * eaves, 10.5)),
        ("shed", 5, 2.6, 3.6),
        ("bush", 16, 1.6, 3.2),
    ):
        for _ in range(count):
            tall = float(random.uniform(low, high))
            wide = tall * float(random.uniform(0.75, 1.15)) if kind != "shed" else float(random.uniform(4, 8))
            near = float(random.uniform(10.0, 15.0)) if kind == "bush" else float(random.uniform(3.0, 11.5))
            pieces.append((near, float(random.uniform(-0.6 * HALF, 0.6 * HALF)), wide, tall, kind))
    drawn: list[Layer] = []
    for number, (near, at, wide, tall, kind) in enumerate(sorted(pieces)):
        foot = start + toward * near + along * at
        foot = foot * np.array([1.0, 1.0, 0.0])
        plane = SetPlane(kind, foot, along * wide, UP * tall, 0.3)
        outline = np.array([[0.0, 0.0], [wide, 0.0], [wide, tall], [0.0, tall]])
        piece = Wall(plane, outline, ("courtyard", number))
        if not in_sight(piece, camera, view):
            continue
        own = generator(0, "plate", *piece.seed)
        texture = min(density, 1600.0 / wide)
        if kind in ("tree", "bush"):
            albedo, mask = _foliage(wide, tall, texture, own, trunk=kind == "tree")
        else:
            albedo, mask = _masonry(wide, tall, texture, own, shed=kind == "shed")
        drawn.extend(
            show(piece, albedo, texture, camera, view, light, haze, casters, mask=mask, veil=0.8 * VEIL)
        )
    return drawn


def _masonry(
    wide: float, tall: float, density: float, random: np.random.Generator, *, shed: bool
) -> tuple[Image, Image]:
    """Albedo and mask of a garden wall with creeper, or of a shed with its door and lean-to roof."""
    shape = (round(tall * density), round(wide * density))
    u, v = _metres(shape, tall, density)
    stone = 0.65 * lay("broken_wall", shape, density, random, 2.4)
    large, grit = clouds(shape, density, 3.0, random, 5), clouds(shape, density, 0.6, random, 4)
    wall = stone * np.clip(0.9 + 0.2 * large + 0.08 * grit, 0.3, 1.5)[..., None]
    if shed:
        roof = v > tall - 0.55 - 0.25 * (u / wide)
        sheets = 0.17 * (1.0 + 0.25 * np.sin(2 * np.pi * u / 0.16) + 0.25 * grit)
        wall = np.where(roof[..., None], sheets[..., None] * _colour((1.0, 0.85, 0.75)), wall)
        door = (np.abs(u - 0.4 * wide) < 0.55) & (v < 2.0)
        wall = np.where(door[..., None], 0.09 + 0.02 * grit[..., None], wall)
        solid = v < tall - 0.30 + 0.30 * (u / wide) - 0.02 * np.abs(grit)
    else:
        creeper = step(np.asarray(large + 0.5 * grit + 0.5 * (v / tall) - 0.7, np.float32), 0.2)[..., None]
        leaf = _colour(LEAVES[int(random.integers(len(LEAVES)))])
        wall = wall * (1.0 - creeper) + leaf * np.clip(1.0 + 0.6 * grit, 0.2, 2.4)[..., None] * creeper
        solid = v < tall - 0.2 + 0.12 * large + 0.05 * grit
    wall *= (1.0 - 0.35 * np.exp(-v / 0.5))[..., None]
    return np.asarray(np.clip(wall, 0.01, 0.7), np.float32), solid.astype(np.float32)


def _foliage(
    wide: float, tall: float, density: float, random: np.random.Generator, *, trunk: bool
) -> tuple[Image, Image]:
    """Albedo, clumps shaded from above, and mask of a tree or bush: tufts of leaves over clumps."""
    shape = (round(tall * density), round(wide * density))
    u, v = _metres(shape, tall, density)
    fine = clouds(shape, density, 0.5, random, 4)
    tufts = clouds(shape, density, 1.1, random, 4)
    leaves = clouds(shape, density, 0.2, random, 2)
    foot = 0.22 * tall if trunk else -0.1 * tall
    cover = np.full(shape, -1.0, np.float32)
    height = np.zeros(shape, np.float32)
    lit = np.full(shape, 0.3, np.float32)
    for _ in range(26 if trunk else 14):
        angle, out = float(random.uniform(0, 2 * np.pi)), float(random.random()) ** 0.5
        radius = float(random.uniform(0.10, 0.2)) * min(wide, tall)
        # the crown stays inside its picture, rounder above than below
        room = 0.5 * (tall - foot) - 1.5 * radius
        y = 0.5 * (tall + foot) + room * out * np.sin(angle) if trunk else 0.55 * tall * out
        x = 0.5 * wide + (0.5 * wide - 1.5 * radius) * out * np.cos(angle)
        away = np.hypot(u - x, 1.15 * (v - y)) / radius + 0.26 * tufts + 0.20 * fine + 0.10 * leaves
        bulge = 1.0 - away
        nearer = bulge + 0.4 * float(random.random()) > height
        inside = (bulge > 0.0) & nearer
        height[inside] = bulge[inside]
        shade = 0.62 + 0.38 * (v - y) / radius - 0.12 * (u - x) / radius
        lit[inside] = np.clip(shade, 0.15, 1.25)[inside] * (0.5 + 0.5 * v[inside] / tall)
        np.maximum(cover, bulge, out=cover)
    mask = step(cover + 0.10 * fine + 0.10 * leaves - 0.02, 0.08)
    mask = mask * step(1.6 - fine - 0.6 * tufts - 0.4 * leaves, 0.4)
    leaf = _colour(LEAVES[int(random.integers(len(LEAVES)))])
    albedo = leaf * (lit * np.clip(1.0 + 0.45 * fine + 0.35 * leaves, 0.15, 2.6))[..., None]
    if trunk:
        stem = (np.abs(u - 0.5 * wide - 0.15 * np.sin(1.3 * v)) < 0.16) & (v < 0.6 * tall) & (mask < 0.5)
        albedo[stem] = 0.045
        mask = np.maximum(mask, stem)
    return np.asarray(np.clip(albedo, 0.004, 0.4), np.float32), np.asarray(mask, np.float32)
