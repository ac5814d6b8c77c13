"""How many fragments each element breaks into, and how long the longest of them may be."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from falsework.building.fragments import KINDS
from falsework.building.materials import material_index
from falsework.building.polyhedra import cell_measures, face_measures
from falsework.building.settings import FractureSettings
from falsework.building.structure import Building
from falsework.seeds import generator

__all__ = ["SMALLEST", "Allotment", "allot"]

Points = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

SMALLEST = 2e-4  # m3; smaller cells are given to their neighbours
UNEVEN = 0.85  # standard deviation of the logarithm of how finely elements break
SPARED = 0.3  # share of the elements that come away in as few pieces as their size allows
# Fragments a square metre from which on a finer break shows less than more fragments elsewhere, and the power
# with which it still grows.
SATED = 4.0
SATED_POWER = 0.6
HIDDEN = 4.0  # metres behind a facade at which an element gets half the fragments
LONGEST = 2.6  # metres: no piece of a wall, floor or roof near a facade is longer
LONGEST_OF = {"glass": 1.7, "timber": 3.2}
LONGEST_STICK = 6.0  # metres, the same for beams, columns and whatever is a thing of its own
LENGTHEN = 9.0  # metres behind a facade at which pieces may be twice as long
# Breaking up what is too long takes no more than this share of the fragments there are beyond one for each
# element, or pieces get longer: first those behind, up to so many times as long at `LENGTHEN`, then all.
BREAKING_UP = 0.6
LENGTHEN_MOST = 6.0
PANE = 0.8  # m2; no larger pane falls whole
STICKS = tuple(KINDS.index(kind) for kind in ("beam", "column", "stair", "clutter"))
ON_TOP = tuple(KINDS.index(kind) for kind in ("roof", "ornament"))


class Allotment(NamedTuple):
    """counts (E,) fragments of each element;  longest (E,) metres, the longest piece wanted, or infinite."""

    counts: Numbers
    longest: Points


def allot(building: Building, settings: FractureSettings, seed: int) -> Allotment:
    """Share `settings.fragments` out by what is seen: by area, finish, and nearness to a facade.

    Plates longer than `longest` are always broken up, however hidden; there have to be enough fragments for
    that, or pieces are longer everywhere.
    """
    area, extent, centre = _measures(building)
    depth = np.min([(wall[:3] - centre) @ wall[6:9] for wall in building.wall], axis=0)
    depth = np.where(np.isin(building.kind, ON_TOP), 0.0, np.maximum(depth, 0.0))
    rng = generator(seed, "fracture", "shares")
    uneven = np.exp(UNEVEN * rng.standard_normal(len(building)))
    spared = rng.random(len(building)) < SPARED
    uneven[spared] *= 0.05
    seen = building.weight * uneven * 0.5 ** (depth / HIDDEN) * _facing(building, centre)

    longest = np.full(len(building), LONGEST)
    for name, metres in LONGEST_OF.items():
        longest[building.material == material_index(name)] = metres
    longest[np.isin(building.kind, STICKS)] = LONGEST_STICK
    glass = building.material == material_index("glass")
    longest[spared & glass] = np.inf  # now and then a pane falls in two
    # no element into pieces too small to simulate
    most = np.maximum(1, np.floor(building.volume / (6 * SMALLEST)))
    behind, everywhere = 2.0, 1.0
    while True:
        allowed = longest * everywhere * behind ** (depth / LENGTHEN)
        least = _least(area, extent, allowed, most)
        if (least - 1).sum() <= BREAKING_UP * max(settings.fragments - len(building), 0):
            break
        if behind < LENGTHEN_MOST:
            behind *= 1.2
        else:
            everywhere *= 1.1
    panes = glass & (area > PANE) & (least == 1)
    if panes.sum() <= settings.fragments - least.sum():
        least[panes] = 2
    low, high = 1e-6, 1e6
    for _ in range(60):
        scale = np.sqrt(low * high)
        total = _counts(scale * seen, area, least, most).sum()
        low, high = (scale, high) if total < settings.fragments else (low, scale)
    counts = _counts(high * seen, area, least, most)
    return Allotment(counts, allowed)


def _counts(density: Points, area: Points, least: Points, most: Points) -> Numbers:
    """Fragments of each element, at so many a square metre but fewer where that is beyond `SATED`."""
    density = np.where(density > SATED, SATED * (density / SATED) ** SATED_POWER, density)
    counts: Numbers = np.clip(np.round(density * area), least, most).astype(np.int64)
    return counts


def _measures(building: Building) -> tuple[Points, Points, Points]:
    """Largest face (E,), extents along its own axes (E, 3) and centre (E, 3) of every element."""
    area = np.empty(len(building))
    extent = np.empty((len(building), 3))
    centre = np.empty((len(building), 3))
    for element in range(len(building)):
        cell = building.cell(element)
        area[element] = face_measures(cell.points, cell.loop, cell.start)[0].max()
        extent[element] = np.ptp(cell.points @ building.axes[element].T, axis=0)
        centre[element] = cell_measures(cell.points, cell.loop, cell.start)[1]
    return area, extent, centre


def _facing(building: Building, centre: Points) -> Points:
    """(E,) less for facades that the camera, over the world's origin, sees at a slant."""
    sight = centre[:, :2] / np.maximum(np.linalg.norm(centre[:, :2], axis=1, keepdims=True), 1e-9)
    normal = building.wall[np.maximum(building.facade, 0), 6:8]
    square = np.clip(-(sight * normal).sum(axis=1), 0.0, 1.0)
    return np.where(building.facade >= 0, 0.4 + 0.6 * square, 1.0)


def _least(area: Points, extent: Points, longest: Points, most: Points) -> Points:
    """(E,) pieces without which some would have to be longer than `longest`."""
    wide = np.sort(extent, axis=1)[:, 1:]
    # pieces are not squares that fit side by side: reckon with somewhat shorter ones
    pieces = np.ceil(wide / (0.85 * longest[:, None])).prod(axis=1)
    slant = np.minimum(area / np.maximum(wide.prod(axis=1), 1e-9), 1.0)
    return np.where((wide[:, 1] > longest), np.clip(np.ceil(pieces * slant), 2, np.maximum(most, 2)), 1.0)
