"""What a building is made of: elements, each a convex body bounded by planes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.building.fragments import KINDS
from falsework.building.materials import material_index
from falsework.building.polyhedra import Cell, cell_measures, polyhedron, widths
from falsework.building.wings import Wing
from falsework.media.arrays import read_arrays, write_arrays

__all__ = ["CORE", "SIDES", "Building", "Draft", "surface"]

# Value of `plane_surface` where an element only touches others: what shows there after breaking is its core.
CORE = -1

SIDES = ("left", "right", "front", "back", "bottom", "top")
THINNEST = 0.02  # metres; what is thinner is left out

Points = npt.NDArray[np.float64]


def surface(material: str) -> int:
    """The surface value of a finish: 1 + index of its material."""
    return 1 + material_index(material)


@dataclass(frozen=True)
class Building:
    """E convex elements that fill a building without overlapping. World frame, metres.

    planes         (P, 4) rows (nx, ny, nz, d); element e is where n . x <= d for all its planes
    plane_start    (E + 1,) element e owns planes[plane_start[e]:plane_start[e + 1]]
    plane_surface  (P,) SURFACE_PLATE, 1 + material index, or CORE where it only touches other elements
    plane_open     (P,) True where the plane is a joint inside a facade wall, which may crack roughly
    material, kind, storey, facade  (E,) as in `Fragments`; volume (E,) m3
    weight         (E,) how finely the element breaks, relative to its volume's share
    axes           (E, 3, 3) rows: along, inward, up: the element's own directions
    grain          (E, 3) how much finer than its length it breaks along each of its axes
    body           (E,) index of the facade whose wall the element is part of, -1 for others
    wall           (F, 14) of each facade: origin 3, right 3, normal 3, width, height, wall thickness,
                   left end at its inner face, right end at its inner face
    opening        (O, 5) left, bottom, right, top in a facade's plane, 1 for an opening or 0 for a bar of the
                   concrete frame;  opening_start (F + 1,)
    """

    planes: Points
    plane_start: npt.NDArray[np.int32]
    plane_surface: npt.NDArray[np.int32]
    plane_open: npt.NDArray[np.bool_]
    material: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int32]
    storey: npt.NDArray[np.int32]
    facade: npt.NDArray[np.int32]
    volume: Points
    weight: Points
    axes: Points
    grain: Points
    body: npt.NDArray[np.int32]
    wall: Points
    opening: Points
    opening_start: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.material)

    def cell(self, element: int) -> Cell:
        """The element's polyhedron."""
        cell = polyhedron(self.planes[self.plane_start[element] : self.plane_start[element + 1]])
        assert cell is not None  # empty elements are never kept
        return cell

    def save(self, folder: Path) -> None:
        write_arrays(folder / "building.safetensors", {f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def load(cls, folder: Path) -> Building:
        arrays: dict[str, Any] = read_arrays(folder / "building.safetensors")[0]
        return cls(**arrays)


@dataclass
class Draft:
    """A building while it is drawn: elements are added one by one, in a wing's own frame."""

    wings: tuple[Wing, ...]
    planes: list[Points] = field(default_factory=list)
    surfaces: list[npt.NDArray[np.int32]] = field(default_factory=list)
    opens: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    rows: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    measures: list[tuple[float, float]] = field(default_factory=list)
    axes: list[Points] = field(default_factory=list)
    grain: list[tuple[float, float, float]] = field(default_factory=list)
    openings: list[list[tuple[float, float, float, float, float]]] = field(default_factory=list)

    def add(
        self,
        wing: Wing,
        low: Sequence[float],
        high: Sequence[float],
        *,
        material: str,
        kind: str,
        surfaces: Mapping[str, int] | None = None,
        opens: Sequence[str] = (),
        cuts: Sequence[tuple[Sequence[float], int]] = (),
        cracks: Sequence[Sequence[float]] = (),
        facade: int = -1,
        body: int = -1,
        weight: float = 1.0,
        grain: tuple[float, float, float] = (1.0, 1.0, 1.0),
    ) -> bool:
        """Add the box low..high (along, inward, up, metres) of a wing, cut by planes and the wing's ends.

        surfaces  finish of a side (a name of SIDES), CORE where none is given
        opens     sides that are joints inside a facade wall
        cuts      planes (nx, ny, nz, d) in the wing's frame that the element lies below, each with its finish
        cracks    the same for joints inside a facade wall
        Returns False when nothing (or only a sliver) of the box is inside the wing.
        """
        finish = dict(surfaces or {})
        planes = [*np.vstack([-np.eye(3), np.eye(3)])[[0, 3, 1, 4, 2, 5]]]
        limits = [-low[0], high[0], -low[1], high[1], -low[2], high[2]]
        codes = [finish.get(side, CORE) for side in SIDES]
        open_ = [side in opens for side in SIDES]
        corners = np.array(
            [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
        )
        more = [(row, code, False) for row, code in [*cuts, *((limit, CORE) for limit in wing.limits)]]
        for row, code, is_open in [*more, *((crack, CORE, True) for crack in cracks)]:
            normal = np.asarray(row[:3], float)
            if (corners @ normal - row[3]).max() > 1e-6:
                planes.append(normal)
                limits.append(row[3])
                codes.append(code)
                open_.append(is_open)
        local = np.column_stack([np.array(planes), np.array(limits)])
        world = wing.to_world(local)
        cell = polyhedron(world)
        if cell is None:
            return False
        volume, centre = cell_measures(cell.points, cell.loop, cell.start)
        if volume < 2e-4 or widths(cell.points, cell.loop, cell.start) < THINNEST:
            return False
        used = np.array(sorted({-1 - tag for tag in cell.tag.tolist()}))
        self.planes.append(world[used])
        self.surfaces.append(np.array(codes, np.int32)[used])
        self.opens.append(np.array(open_, bool)[used])
        levels = wing.facade.levels
        storey = int(np.clip(np.searchsorted(levels, centre[2], side="right") - 1, 0, len(levels) - 1))
        self.rows.append((material_index(material), KINDS.index(kind), storey, facade, body))
        self.measures.append((volume, weight))
        self.axes.append(wing.axes)
        self.grain.append(grain)
        return True

    def finish(self, thickness: float) -> Building:
        """The drawn building."""
        rows = np.array(self.rows, np.int32)
        measures = np.array(self.measures)
        walls = [
            [
                *w.facade.origin,
                *w.facade.right,
                *w.facade.normal,
                w.facade.width,
                w.top,
                thickness,
                w.inner[0],
                w.inner[1],
            ]
            for w in self.wings
        ]
        openings = [np.array(each, float).reshape(-1, 5) for each in self.openings]
        return Building(
            planes=np.concatenate(self.planes),
            plane_start=np.cumsum([0, *map(len, self.planes)]).astype(np.int32),
            plane_surface=np.concatenate(self.surfaces),
            plane_open=np.concatenate(self.opens),
            material=rows[:, 0].copy(),
            kind=rows[:, 1].copy(),
            storey=rows[:, 2].copy(),
            facade=rows[:, 3].copy(),
            volume=measures[:, 0].copy(),
            weight=measures[:, 1].copy(),
            axes=np.array(self.axes),
            grain=np.array(self.grain),
            body=rows[:, 4].copy(),
            wall=np.array(walls),
            opening=np.concatenate(openings),
            opening_start=np.cumsum([0, *map(len, openings)]).astype(np.int32),
        )
