"""From elements to fragments: how many each gets, cells, meshes, bonds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from falsework.building.allotment import SMALLEST, allot
from falsework.building.bonds import LEAST, Contacts, bond_strengths, contacts_between
from falsework.building.fragments import KINDS, Fragments
from falsework.building.materials import MATERIALS, material_index
from falsework.building.polyhedra import Cell, cell_measures, face_measures, power_cell, widths
from falsework.building.rebar import rods
from falsework.building.relief import BRICK, PLAIN, ROUGH, SPLINTER
from falsework.building.seeding import scatter
from falsework.building.settings import FractureSettings
from falsework.building.skin import EXTERIOR, FRESH, JOINT, skin
from falsework.building.structure import Building, surface
from falsework.progress import Progress, silent
from falsework.seeds import generator

__all__ = ["fracture"]

Points = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

THINNEST = 0.022  # metres; cells thinner than this are given to their neighbours
# Elements break unevenly already, and their edges cut the largest grains short; grains within one are spread
# so much wider that all fragments together follow the exponent asked for.
WIDER = 0.4
# How much finer, at most, an element breaks along one direction than across it.
LEANING = 0.7
LEANING_GLASS = 2.2  # shards are long
SHRINK = 0.5  # what the weight of a seed whose piece is too long is multiplied by, time and again
SHRINKINGS = 4
STILL_LONG = 1.25  # times the longest wanted: what is still longer then gets another seed

STYLES = {"glass": PLAIN, "clutter": PLAIN, "brick": BRICK, "timber": SPLINTER}


@dataclass(frozen=True)
class _Piece:
    element: int
    cell: Cell
    neighbour: Numbers  # (F,) number of the fragment across each face, -1 at the element's surface
    volume: float
    centre: Points


def fracture(
    building: Building, settings: FractureSettings, *, seed: int, progress: Progress = silent
) -> Fragments:
    """Break every element into convex fragments.

    The number of fragments is within 5 % of `settings.fragments`, but at least one for every element.
    Fragments fill their elements exactly; their meshes share the relief of the cracks between them.
    """
    counts, longest = allot(building, settings, seed)
    pieces: list[_Piece] = []
    for element in range(len(building)):
        pieces += _break(
            building, element, int(counts[element]), float(longest[element]), settings, seed, len(pieces)
        )
        if element % 64 == 0:
            progress(element, 2 * len(building))
    return _assemble(building, pieces, settings, seed, progress)


def _break(
    building: Building,
    element: int,
    count: int,
    longest: float,
    settings: FractureSettings,
    seed: int,
    first: int,
) -> list[_Piece]:
    """The fragments of one element, numbered from `first`; hardly one is longer than `longest`, metres."""
    body = building.cell(element)
    whole, middle = cell_measures(body.points, body.loop, body.start)
    if count == 1:
        return [_Piece(element, body, np.full(len(body.tag), -1), whole, middle)]
    rng = generator(seed, "fracture", element)
    material = MATERIALS[building.material[element]].name
    metric = building.grain[element][:, None] * building.axes[element]
    # cells round as bubbles betray the tessellation: stretch them along some direction of the element's plane
    lean = rng.standard_normal(3)
    lean[np.argmin(np.ptp(body.points @ building.axes[element].T, axis=0))] = 0.0
    lean /= np.linalg.norm(lean)
    leaning = LEANING_GLASS if material == "glass" else LEANING
    metric = (np.eye(3) + rng.uniform(0.0, leaning) * np.outer(lean, lean)) @ metric
    flatten = 0.0 if material == "glass" else 0.3
    seeds, weights = scatter(
        body, count, metric, WIDER * settings.size_exponent, rng, flatten=flatten, largest=longest / 2
    )
    cells = _shortened(body, seeds, weights, metric, longest)
    while True:
        good = np.array([_sound(cell) for cell in cells])
        if good.all():
            break
        if not good.any():
            good[np.argmax(weights)] = True
        seeds, weights = seeds[good], weights[good]
        cells = [power_cell(body, seeds, weights, which, metric) for which in range(len(seeds))]
    pieces = []
    for cell in cells:
        volume, centre = cell_measures(cell.points, cell.loop, cell.start)
        pieces.append(_Piece(element, cell, np.where(cell.tag >= 0, cell.tag + first, -1), volume, centre))
    return pieces


def _shortened(body: Cell, seeds: Points, weights: Points, metric: Points, longest: float) -> list[Cell]:
    """The cells of seeds and weights, which are changed in place until hardly a cell is too long.

    Seeds of cells that are too long lose weight to those around them; where that is not enough because there
    are none around, the least seed moves there.
    """
    numbers = range(len(seeds))
    cells = [power_cell(body, seeds, weights, which, metric) for which in numbers]
    for turn in range(SHRINKINGS + len(seeds) // 2):
        length = np.array([_length(cell) for cell in cells])
        if turn < SHRINKINGS:
            if length.max() <= longest:
                break
            weights[length > longest] *= SHRINK
        else:
            long, least = int(np.argmax(length)), int(np.argmin(weights))
            if length[long] <= STILL_LONG * longest or least == long:
                break
            corners = cells[long].points @ metric.T
            far = corners[np.argmax(np.linalg.norm(corners - seeds[long], axis=1))]
            seeds[least] = 0.7 * far + 0.3 * corners.mean(axis=0)
            weights[least] = weights[long] = 0.5 * weights[long]
        cells = [power_cell(body, seeds, weights, which, metric) for which in numbers]
    return cells


def _length(cell: Cell) -> float:
    """The greatest distance between two corners, metres; 0 for an empty cell."""
    apart = cell.points[:, None] - cell.points[None]
    return float(np.sqrt((apart * apart).sum(axis=-1).max(initial=0.0)))


def _sound(cell: Cell) -> bool:
    if len(cell.tag) < 4:
        return False
    volume = cell_measures(cell.points, cell.loop, cell.start)[0]
    return bool(volume > SMALLEST and widths(cell.points, cell.loop, cell.start) > THINNEST)


def _assemble(
    building: Building, pieces: list[_Piece], settings: FractureSettings, seed: int, progress: Progress
) -> Fragments:
    element = np.array([piece.element for piece in pieces])
    centre = np.array([piece.centre for piece in pieces])
    volume = np.array([piece.volume for piece in pieces])
    material = building.material[element]
    density = np.array([m.density for m in MATERIALS])
    contacts, inside = _contacts(building, pieces)
    order = np.lexsort((contacts.pair[:, 1], contacts.pair[:, 0]))
    strength = bond_strengths(
        contacts.pair, inside, contacts.normal, material, building.kind[element], building.body[element]
    )
    vertices, faces, owner, colour, broken = _meshes(building, pieces, settings, seed, progress)
    hulls = [piece.cell.points - piece.centre for piece in pieces]
    return Fragments(
        centre=centre.astype(np.float32),
        volume=volume.astype(np.float32),
        mass=(volume * density[material]).astype(np.float32),
        material=material.astype(np.int32),
        kind=building.kind[element].astype(np.int32),
        storey=building.storey[element].astype(np.int32),
        facade=building.facade[element].astype(np.int32),
        element=element.astype(np.int32),
        hull=np.concatenate(hulls).astype(np.float32),
        hull_start=np.cumsum([0, *map(len, hulls)]).astype(np.int32),
        vertices=vertices.astype(np.float32),
        faces=faces.astype(np.int32),
        face_fragment=owner.astype(np.int32),
        face_surface=colour.astype(np.int32),
        face_broken=broken.astype(np.float32),
        bond=contacts.pair[order].astype(np.int32),
        bond_centre=contacts.centre[order].astype(np.float32),
        bond_normal=contacts.normal[order].astype(np.float32),
        bond_area=contacts.area[order].astype(np.float32),
        bond_strength=strength[order].astype(np.float32),
        support=np.array([piece.cell.points[:, 2].min() < 0.02 for piece in pieces]),
    )


def _contacts(building: Building, pieces: list[_Piece]) -> tuple[Contacts, npt.NDArray[np.bool_]]:
    """All bonds, each pair once with the smaller number first, and which lie within one element."""
    pair, where, normal, area = [], [], [], []
    planes, owners, corners, lengths = [], [], [], []
    for number, piece in enumerate(pieces):
        cell = piece.cell
        face_area, face_centre, face_normal = face_measures(cell.points, cell.loop, cell.start)
        for f in range(len(cell.tag)):
            other = piece.neighbour[f]
            if other > number and face_area[f] >= LEAST:
                pair.append((number, other))
                where.append(face_centre[f])
                normal.append(face_normal[f])
                area.append(face_area[f])
            elif other < 0:
                planes.append(building.plane_start[piece.element] - 1 - cell.tag[f])
                owners.append(number)
                loop = cell.loop[cell.start[f] : cell.start[f + 1]]
                corners.append(cell.points[loop])
                lengths.append(len(loop))
    by_plane = np.argsort(planes, kind="stable")
    touching = contacts_between(
        building.planes,
        np.repeat(np.arange(len(building)), np.diff(building.plane_start)),
        np.array(planes, np.int64)[by_plane],
        np.array(owners, np.int64)[by_plane],
        np.concatenate([corners[i] for i in by_plane]),
        np.cumsum([0, *np.array(lengths)[by_plane]]),
    )
    swap = touching.pair[:, 0] > touching.pair[:, 1]
    touching.pair[swap] = touching.pair[swap][:, ::-1]
    touching.normal[swap] *= -1
    inside = np.arange(len(pair) + len(touching.pair)) < len(pair)
    merged = Contacts(
        np.concatenate([np.array(pair, np.int64).reshape(-1, 2), touching.pair]),
        np.concatenate([np.array(where).reshape(-1, 3), touching.centre]),
        np.concatenate([np.array(normal).reshape(-1, 3), touching.normal]),
        np.concatenate([np.array(area), touching.area]),
    )
    return merged, inside


def _meshes(
    building: Building, pieces: list[_Piece], settings: FractureSettings, seed: int, progress: Progress
) -> tuple[Points, Numbers, Numbers, Numbers, Points]:
    """The render meshes of all fragments, one after another."""
    edge = np.cbrt(np.array([piece.volume for piece in pieces]))
    glass = KINDS.index("window")
    # many fragments: coarser meshes, so that the whole stays drawable
    coarser = max(1.0, len(pieces) / 3000) ** 0.5
    vertices, faces, owner, colour, broken = [], [], [], [], []
    offset = 0
    concrete = material_index("concrete")
    for number, piece in enumerate(pieces):
        e = piece.element
        cell = piece.cell
        rows = slice(building.plane_start[e], building.plane_start[e + 1])
        plane_surface, plane_open = building.plane_surface[rows], building.plane_open[rows]
        outer = cell.tag < 0
        plane = np.where(outer, -1 - cell.tag, 0)
        body = int(building.body[e])
        role = np.where(outer, np.where(plane_open[plane], JOINT, EXTERIOR), FRESH)
        size = np.where(outer, 1e9, edge[np.maximum(piece.neighbour, 0)])
        name = MATERIALS[building.material[e]].name
        core = 1 + int(building.material[e])
        surfaces = np.where(outer, plane_surface[plane], core)
        seen = building.facade[e] >= 0 and building.kind[e] != glass
        style = STYLES.get(name, ROUGH)
        fine = (0.1 if style == BRICK else 0.14) if seen else 0.28
        spacing = np.array([fine, 0.3 if seen else 0.4]) * coarser
        parts = skin(
            cell.points, cell.loop, cell.start, role, size, edge[number],
            surfaces, core, surface("plaster"),
            style, settings.roughness, spacing,
            building.axes[e], building.planes[rows][~plane_open],
            building.wall[max(body, 0)],
            building.opening[building.opening_start[body] : building.opening_start[body + 1]] if body >= 0
            else building.opening[:0],
        )  # fmt: skip
        steel = (
            rods(piece.cell, piece.neighbour, building.axes[e], seed, number)
            if core - 1 == concrete
            else None
        )
        for points, triangles, surf, fresh in (parts, steel) if steel is not None else (parts,):
            vertices.append(points)
            faces.append(triangles + offset)
            owner.append(np.full(len(triangles), number))
            colour.append(surf)
            broken.append(fresh)
            offset += len(points)
        if number % 64 == 0:
            progress(len(pieces) + number, 2 * len(pieces))
    progress(2 * len(pieces), 2 * len(pieces))
    return tuple(np.concatenate(each) for each in (vertices, faces, owner, colour, broken))  # type: ignore[return-value]
