"""The walls that a fall lays open: party walls with the traces of the house that leaned there, the rear
facades across the courtyard, and the ground between. Albedo textures in metres, made from CC0 photographs."""

from __future__ import annotations

import itertools
from functools import lru_cache
from importlib.resources import files

import cv2
import numpy as np
import numpy.typing as npt

from falsework.plate.blurring import wide_blur
from falsework.plate.plate import Image

__all__ = ["SRGB_TO_ACESCG", "clouds", "ground_texture", "lay", "party_texture", "photograph", "step"]

SRGB_TO_ACESCG = np.array(
    [[0.613097, 0.339523, 0.047379], [0.070194, 0.916354, 0.013452], [0.020616, 0.109570, 0.869815]],
    np.float32,
)  # BT.709 primaries and D65 to AP1 and its white, Bradford adaptation
TILE = 2.6  # metres that one photograph covers
PAINTS = (
    (0.62, 0.57, 0.42),
    (0.47, 0.56, 0.52),
    (0.60, 0.47, 0.42),
    (0.52, 0.56, 0.61),
    (0.66, 0.63, 0.57),
    (0.58, 0.52, 0.36),
    (0.44, 0.50, 0.42),
)  # rooms' plaster, sRGB-linear albedo


@lru_cache(maxsize=8)
def photograph(name: str) -> Image:
    """One of this room's textures (768, 768, 3) as albedo in ACEScg."""
    data = np.frombuffer((files("falsework.plate") / "textures" / f"{name}.jpg").read_bytes(), np.uint8)
    code = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.float32)[..., ::-1] / 255.0
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ SRGB_TO_ACESCG.T, np.float32)


def lay(
    name: str, shape: tuple[int, int], density: float, random: np.random.Generator, tile: float = TILE
) -> Image:
    """A photograph laid over (rows, columns) at `density` pixels per metre, in shifted mirrored courses."""
    size = max(8, round(tile * density))
    interpolation = cv2.INTER_AREA if size < 768 else cv2.INTER_LINEAR
    one = cv2.resize(photograph(name), (size, size), interpolation=interpolation)
    pair = np.concatenate([one, one[:, ::-1]], axis=1)
    rows = -(-shape[0] // size)
    columns = -(-shape[1] // (2 * size)) + 1
    out = np.empty((rows * size, shape[1], 3), np.float32)
    for row in range(rows):
        # courses are mirrored in turn, so that neither seam nor repeat shows
        course = np.tile(pair if row % 2 == 0 else pair[::-1], (1, columns, 1))
        start = int(random.integers(size)) if row % 2 == 0 and row == 0 else 0
        out[row * size : (row + 1) * size] = (
            course[:, start : start + shape[1]] if start else course[:, : shape[1]]
        )
    return out[: shape[0]]


def clouds(
    shape: tuple[int, int], density: float, size: float, random: np.random.Generator, octaves: int = 4
) -> Image:
    """Fractal noise (rows, columns) of zero mean, unit deviation; `size` metres across its largest lumps."""
    out = np.zeros(shape, np.float32)
    weight = 1.0
    for octave in range(octaves):
        cell = max(size * density / 2**octave, 1.0)
        grid = random.standard_normal((max(2, int(shape[0] / cell) + 3), max(2, int(shape[1] / cell) + 3)))
        large = cv2.resize(
            grid.astype(np.float32),
            (max(shape[1], int(grid.shape[1] * cell)), max(shape[0], int(grid.shape[0] * cell))),
            interpolation=cv2.INTER_CUBIC,
        )
        out += weight * large[: shape[0], : shape[1]]
        weight *= 0.6
    return np.asarray((out - out.mean()) / max(float(out.std()), 1e-6), np.float32)


def step(value: Image, width: float) -> Image:
    return np.asarray(np.clip(value / width + 0.5, 0.0, 1.0), np.float32)


def party_texture(
    depth: float,
    height: float,
    top: float,
    levels: npt.NDArray[np.float64],
    density: float,
    random: np.random.Generator,
) -> Image:
    """Albedo (rows from `top` metres down to 0, columns from the street 0 to `depth` metres) of a party wall.

    Rubble and brick under plaster, storey by storey: rooms' paint and paper with torn edges, tiles, floor
    lines with the pockets of the joists, scars of cross walls, a flue's soot, the trace of the old roof.
    """
    shape = (round(top * density), round(depth * density))
    v = top - (np.arange(shape[0], dtype=np.float32)[:, None] + 0.5) / density
    u = (np.arange(shape[1], dtype=np.float32)[None, :] + 0.5) / density
    rubble = lay("broken_wall", shape, density, random)
    brick = lay("broken_brick_wall", shape, density, random, 2.2)
    # old, dusty, full of lime
    brick = np.asarray(0.45 * brick + 0.55 * _grey(brick) + 0.04, np.float32)
    plaster = lay("beige_wall", shape, density, random, 3.0)
    plaster = plaster / plaster.mean(axis=(0, 1))
    large = clouds(shape, density, 3.0, random)
    fine = clouds(shape, density, 0.7, random, 5)
    stone = 0.75 * rubble + 0.25 * rubble.mean(axis=(0, 1))
    bricks = step(np.asarray(large + 0.3 * fine - 0.6, np.float32), 0.25)[..., None]
    bare = 0.75 * brick * bricks + 0.62 * stone * (1.0 - bricks)
    wall = bare.copy()
    streaks = wide_blur(random.standard_normal(shape).astype(np.float32), 0.06 * density, 1.6 * density)
    streaks = np.asarray(streaks / max(float(streaks.std()), 1e-6), np.float32)
    cuts = [0.0]
    while cuts[-1] < depth - 2.2:
        cuts.append(min(cuts[-1] + float(random.uniform(2.6, 4.6)), depth))
    if depth - cuts[-1] < 1.6:
        cuts[-1] = depth
    elif cuts[-1] < depth:
        cuts.append(depth)
    bounds = [float(level) for level in levels if level < height - 0.5] + [height]
    stair = int(random.integers(1, max(len(cuts) - 1, 2)))
    for storey, (low, high) in enumerate(itertools.pairwise(bounds)):
        ragged = clouds(shape, density, 1.2, random, 5)
        for room, (left, right) in enumerate(itertools.pairwise(cuts)):
            view = np.s_[
                max(round((top - high) * density), 0) : round((top - low) * density),
                round(left * density) : min(round(right * density), shape[1]),
            ]
            x, y = u[:, view[1]] - left, v[view[0]] - low
            wide, tall = right - left, high - low
            wear, grit = ragged[view], fine[view]
            broad = wear + 0.5 * large[view]
            stone_here = bare[view]
            inside = np.minimum(np.minimum(x, wide - x) - 0.12, np.minimum(y - 0.20, tall - y - 0.22))
            keep = step(inside + 0.10 * wear + 0.06 * grit, 0.05)
            loss = step(broad - float(random.uniform(0.7, 1.7)) + 0.35 * grit, 0.12)
            share = (keep * (1.0 - loss))[..., None]
            under = step(broad - 0.5 + 0.3 * grit, 0.2)[..., None]
            coat = plaster[view] * np.array([0.36, 0.335, 0.295], np.float32)
            middle = stone_here * under + coat * (1.0 - under)
            paint = _paint_of(x, y, plaster[view], random)
            done = (
                keep[..., None] * (middle * (1 - share) + paint * share) + (1 - keep[..., None]) * wall[view]
            )
            if room == stair:  # the flight's underside left its line, up and back in turn
                run = x if storey % 2 == 0 else wide - x
                flight = np.abs(y - run * tall / max(wide, 1.0) - 0.05 * grit) < 0.16
                done = np.where(flight[..., None], 0.55 * stone_here, done)
            if room:
                done = np.where((x - 0.05 * grit < 0.10)[..., None], 0.85 * brick[view], done)
            wall[view] = done
        if storey:
            near = np.s_[max(round((top - low - 0.6) * density), 0) : round((top - low + 0.6) * density)]
            band = np.abs(v[near] - low - 0.03 * fine[near]) < 0.16
            wall[near][band] = 0.62 * stone[near][band]
            pocket = (np.abs(v[near] - low) < 0.10) & (np.mod(u + 0.13 * storey, 0.46) < 0.19)
            wall[near][pocket] = 0.05
    for _ in range(1 + int(depth > 8)):  # chimneys' flues
        at = float(random.uniform(0.25, 0.75)) * depth
        sway = at + 0.12 * np.sin(v * 0.7)
        beside = np.s_[:, max(round((at - 1.2) * density), 0) : round((at + 1.2) * density)]
        aside = ((u[beside] - sway) / 0.28) ** 2
        soot = np.exp(-(aside**2)) * np.clip(0.35 + v / max(height, 1.0), 0.0, 1.0)
        wall[beside] *= (1.0 - 0.8 * soot * (0.75 + 0.12 * fine[beside]))[..., None]
    tone = np.clip(1.0 + 0.08 * large + 0.05 * fine - 0.07 * np.maximum(streaks, 0.0), 0.4, 1.5)
    tone *= 1.0 - 0.35 * np.exp(-v / 0.9)  # damp
    grime = clouds(shape, density, 5.0, random, 3)
    tone *= np.clip(0.86 + 0.10 * grime, 0.55, 1.1)
    wall *= tone[..., None]
    return np.asarray(np.clip(wall, 0.01, 0.9, out=wall), np.float32)


def _grey(colours: Image) -> Image:
    """The mean of the channels (rows, columns, 1)."""
    return np.asarray(cv2.transform(colours, np.full((1, 3), 1.0 / 3.0, np.float32))[..., None], np.float32)


def _paint_of(x: Image, y: Image, plaster: Image, random: np.random.Generator) -> Image:
    """A room's paint, striped paper or tiles; x and y in metres from its lower street-side corner."""
    colour = np.array(PAINTS[int(random.integers(len(PAINTS)))], np.float32) @ SRGB_TO_ACESCG.T
    colour = 0.6 * colour + 0.4 * colour.mean()
    paint = plaster * colour * np.float32(random.uniform(0.50, 0.78))
    kind = float(random.random())
    if kind < 0.3:
        paint = paint * (1.0 + 0.03 * np.sign(np.sin(2 * np.pi * x / 0.22)))[..., None]
    elif kind > 0.8:
        joint = (np.mod(x, 0.15) < 0.012) | (np.mod(y, 0.15) < 0.012)
        white = np.array([0.46, 0.47, 0.45], np.float32) * (1.0 - 0.3 * joint[..., None])
        paint = np.where((y < 1.5)[..., None], white, paint)
    return np.asarray(paint, np.float32)


def ground_texture(width: float, depth: float, density: float, random: np.random.Generator) -> Image:
    """Albedo (rows, columns) of trodden earth and an old slab."""
    shape = (round(depth * density), round(width * density))
    earth = lay("brown_mud_rocks", shape, density, random, 3.0)
    earth = 0.7 * earth + 0.3 * earth.mean(axis=(0, 1))
    slab = lay("beige_wall", shape, density, random, 3.0)
    slab = slab / slab.mean(axis=(0, 1)) * np.array([0.24, 0.23, 0.215], np.float32)
    dust = step(clouds(shape, density, 4.0, random, 5), 0.6)[..., None]
    return np.asarray(slab * (1 - dust) + (0.10 + 0.6 * earth) * dust, np.float32)
