"""Cutting convex bodies: nothing is lost, everything stays closed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from falsework.building.cracks import panels
from falsework.building.polyhedra import Cell, cell_measures, face_measures, polyhedron, power_cell, widths
from falsework.building.seeding import pareto_radii, scatter

BOX = np.array([[1.0, 0, 0, 2], [-1, 0, 0, 0], [0, 1, 0, 3], [0, -1, 0, 0], [0, 0, 1, 0.5], [0, 0, -1, 0]])


def box() -> Cell:
    cell = polyhedron(BOX)
    assert cell is not None
    return cell


def volume(cell: Cell) -> float:
    return float(cell_measures(cell.points, cell.loop, cell.start)[0])


def test_box_measures() -> None:
    cell = box()
    amount, centre = cell_measures(cell.points, cell.loop, cell.start)
    assert abs(amount - 3.0) < 1e-9
    np.testing.assert_allclose(centre, [1.0, 1.5, 0.25], atol=1e-9)
    area, middle, normal = face_measures(cell.points, cell.loop, cell.start)
    assert abs(area.sum() - 2 * (6 + 1 + 1.5)) < 1e-9
    # Gauss: the flux of x through the surface is three times the volume
    assert abs((area * np.einsum("fi,fi->f", middle, normal)).sum() - 9.0) < 1e-9
    assert abs(widths(cell.points, cell.loop, cell.start) - 0.5) < 1e-9


def test_empty_intersection_is_none() -> None:
    assert polyhedron(np.vstack([BOX, [1.0, 0, 0, -1.0]])) is None


def test_cut_through_corners_keeps_the_body_closed() -> None:
    """A plane exactly through four corners, which rounding likes to get wrong."""
    diagonal = np.array([3.0, -2.0, 0.0]) / np.sqrt(13.0)
    cell = polyhedron(np.vstack([BOX, [*diagonal, 0.0]]))
    assert cell is not None
    assert abs(volume(cell) - 1.5) < 1e-9
    assert is_closed(cell)


def is_closed(cell: Cell) -> bool:
    """Every edge is walked once in each direction."""
    edges = []
    for f in range(len(cell.tag)):
        loop = cell.loop[cell.start[f] : cell.start[f + 1]]
        edges += list(zip(loop.tolist(), np.roll(loop, -1).tolist(), strict=True))
    return len(set(edges)) == len(edges) and {(b, a) for a, b in edges} == set(edges)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 40))
def test_power_cells_fill_their_body(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    planes = np.column_stack([rng.standard_normal((4, 3)), np.zeros(4)])
    planes[:, :3] /= np.linalg.norm(planes[:, :3], axis=1)[:, None]
    planes[:, 3] = planes[:, :3] @ [1.0, 1.5, 0.25] + rng.uniform(0.1, 1.0, 4)
    body = polyhedron(np.vstack([BOX, planes]))
    assert body is not None
    metric = np.diag([1.0, 0.3, 1.4]) @ np.linalg.qr(rng.standard_normal((3, 3)))[0]
    seeds, weights = scatter(body, count, metric, 2.2, rng)
    cells = [power_cell(body, seeds, weights, which, metric) for which in range(count)]
    kept = [cell for cell in cells if len(cell.tag) >= 4]
    assert abs(sum(map(volume, kept)) - volume(body)) < 1e-6 * volume(body)
    for cell in kept:
        assert is_closed(cell)
        if volume(cell) > 1e-6:
            assert abs(ConvexHull(cell.points).volume - volume(cell)) < 1e-5 * volume(body)
    # what one cell shares with a neighbour, the neighbour shares with it
    for number, cell in enumerate(cells):
        if len(cell.tag) < 4:
            continue
        area = face_measures(cell.points, cell.loop, cell.start)[0]
        for other, size in zip(cell.tag.tolist(), area.tolist(), strict=True):
            if other >= 0 and size > 1e-6:
                back = face_measures(*cells[other][:3])[0][cells[other].tag == number]
                assert abs(float(back.sum()) - size) < 1e-6


def test_radii_follow_the_power_law() -> None:
    radii = pareto_radii(20000, 2.2, np.random.default_rng(1))
    count_above = [np.count_nonzero(radii > r) for r in (1.5, 3.0)]
    assert abs(np.log(count_above[0] / count_above[1]) / np.log(2.0) - 2.2) < 0.1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 5))
def test_wall_panels_are_convex_and_fill_the_wall(seed: int, across: int, up: int) -> None:
    rng = np.random.default_rng(seed)
    openings = []
    for i in range(across):
        for k in range(up):
            if rng.random() < 0.85:
                x, z = 3.0 * i + rng.uniform(0.3, 1.2), 3.2 * k + rng.uniform(0.3, 1.0)
                z = 0.0 if k == 0 and rng.random() < 0.5 else z  # a door
                openings.append((x, z, x + rng.uniform(0.4, 1.5), z + rng.uniform(0.5, 1.9)))
    width, height = 3.0 * across + 0.3, 3.2 * up + 0.4
    polygons = panels((0.0, 0.0, width, height), openings, rng)
    solid = width * height - sum((r - a) * (t - b) for a, b, r, t in openings)
    assert abs(sum(map(polygon_area, polygons)) - solid) < 1e-4
    for polygon in polygons:
        side = np.roll(polygon, -1, axis=0) - polygon
        after = np.roll(side, -1, axis=0)
        turn = side[:, 0] * after[:, 1] - side[:, 1] * after[:, 0]
        assert (turn > -1e-4 * np.linalg.norm(side, axis=1) * np.linalg.norm(after, axis=1) - 1e-6).all()


def polygon_area(polygon: npt.NDArray[np.float64]) -> float:
    x, z = polygon[:, 0], polygon[:, 1]
    return 0.5 * float(x @ np.roll(z, -1) - z @ np.roll(x, -1))
