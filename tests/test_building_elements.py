"""Houses behind facades: solid where they should be, hollow where they should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from falsework.building import Building, build
from falsework.building.fragments import KINDS, SURFACE_PLATE
from falsework.building.polyhedra import cell_measures, polyhedron
from falsework.building.settings import BuildingSettings
from falsework.errors import FalseworkError
from falsework.plate.plate import Facade
from houses import corner_house, facade, terraced_house

MANSARD = BuildingSettings(roof="mansard", roof_height=4.0)
GABLE = BuildingSettings(roof="gable", roof_height=3.0)
HOUSES = {
    "corner": (corner_house(), MANSARD),
    "concrete corner": (corner_house(), MANSARD.model_copy(update={"material": "concrete"})),
    "glass corner": (corner_house(), BuildingSettings(material="glass")),
    "right-angled corner": (corner_house(90.0), BuildingSettings(roof_height=0.8)),
    "hollow corner": (corner_house(215.0), MANSARD),
    "terraced": (terraced_house(), GABLE),
    "concrete terraced": (terraced_house(), GABLE.model_copy(update={"material": "concrete"})),
}


@pytest.fixture(params=sorted(HOUSES), scope="module")
def house(request: pytest.FixtureRequest) -> tuple[tuple[Facade, ...], BuildingSettings, Building]:
    facades, settings = HOUSES[request.param]
    return facades, settings, build(facades, settings, seed=3)


def inside(building: Building, points: np.ndarray, slack: float) -> np.ndarray:
    """How many elements each point lies in, `slack` metres within."""
    count = np.zeros(len(points), int)
    for element in range(len(building)):
        planes = building.planes[building.plane_start[element] : building.plane_start[element + 1]]
        count += (points @ planes[:, :3].T <= planes[:, 3] - slack).all(axis=1)
    return count


def test_elements_do_not_overlap(house: tuple[tuple[Facade, ...], BuildingSettings, Building]) -> None:
    _, _, building = house
    cells = [building.cell(element) for element in range(len(building))]
    low = np.array([cell.points.min(axis=0) for cell in cells])
    high = np.array([cell.points.max(axis=0) for cell in cells])
    shared = []
    for element, cell in enumerate(cells):
        assert abs(cell_measures(cell.points, cell.loop, cell.start)[0] - building.volume[element]) < 1e-9
        later = np.arange(len(building)) > element
        near = later & (low < high[element] - 1e-3).all(axis=1) & (high > low[element] + 1e-3).all(axis=1)
        own = building.planes[building.plane_start[element] : building.plane_start[element + 1]]
        for other in np.flatnonzero(near).tolist():
            theirs = building.planes[building.plane_start[other] : building.plane_start[other + 1]]
            common = polyhedron(np.vstack([own, theirs]) - [0, 0, 0, 1e-3])
            if common is not None:
                pair = tuple(KINDS[building.kind[e]] for e in (element, other))
                shared.append((pair, cell_measures(common.points, common.loop, common.start)[0]))
    assert not shared


def test_every_wall_is_covered_once(house: tuple[tuple[Facade, ...], BuildingSettings, Building]) -> None:
    facades, _, building = house
    for number, wall in enumerate(facades):
        rng = np.random.default_rng(number)
        across, up = rng.random(4000) * wall.width, rng.random(4000) * wall.height
        points = np.array([wall.point(a, u, 1e-3) for a, u in zip(across, up, strict=True)])
        assert (inside(building, points, -1e-9) >= 1).mean() > 0.9995
        assert (inside(building, points, 1e-6) <= 1).all()
        # and what covers it carries the plate in the wall's own plane
        covered = np.zeros(len(points), bool)
        for element in range(len(building)):
            rows = slice(building.plane_start[element], building.plane_start[element + 1])
            planes, surface = building.planes[rows], building.plane_surface[rows]
            front = (surface == SURFACE_PLATE) & (planes[:, :3] @ wall.normal > 0.999999)
            front &= np.abs(planes[:, 3] - wall.normal @ wall.origin) < 1e-6
            if front.any():
                covered |= (points @ planes[:, :3].T <= planes[:, 3] + 1e-9).all(axis=1)
        assert covered.mean() > 0.9995


def test_nothing_stands_before_the_facade_or_below_ground(
    house: tuple[tuple[Facade, ...], BuildingSettings, Building],
) -> None:
    facades, settings, building = house
    corners = np.concatenate([building.cell(element).points for element in range(len(building))])
    assert corners[:, 2].min() > -1e-6
    assert corners[:, 2].max() < facades[0].height + settings.roof_height + 2.0
    if len(facades) == 1:
        assert ((corners - facades[0].origin) @ facades[0].normal).max() < 1e-6


def test_it_is_as_solid_as_buildings_are() -> None:
    facades, settings = HOUSES["corner"]
    building = build(facades, settings, seed=3)
    taken = settings.depth / np.tan(np.radians(109.0 / 2))
    plan = (17.0 + 19.0 - taken) * settings.depth
    solid = building.volume.sum() / (plan * (18.8 + 0.85 * 4.0))
    assert 0.15 < solid < 0.21


def test_it_has_what_houses_have() -> None:
    facades, settings = HOUSES["corner"]
    building = build(facades, settings, seed=3)
    found = {KINDS[kind] for kind in building.kind}
    assert found == {*KINDS} - {"column"}
    concrete = build(*HOUSES["concrete corner"], seed=3)
    assert "column" in {KINDS[kind] for kind in concrete.kind}
    assert set(building.storey.tolist()) == set(range(6))  # the last one under the roof


def test_windows_are_where_the_plate_has_them() -> None:
    wall = terraced_house()[0]
    building = build((wall,), GABLE, seed=3)
    glass = KINDS.index("window")
    for left, bottom, right, top in wall.windows:
        middle = np.array([wall.point((left + right) / 2 + 0.2, (bottom + top) / 2, 0.01)])
        holder = []
        for element in range(len(building)):
            planes = building.planes[building.plane_start[element] : building.plane_start[element + 1]]
            if (middle @ planes[:, :3].T <= planes[:, 3]).all():
                holder.append(element)
        assert [building.kind[element] for element in holder] == [glass]


def test_same_seed_same_house(tmp_path: Path) -> None:
    first, again, other = (build(*HOUSES["corner"], seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.planes, again.planes)
    assert len(first.planes) != len(other.planes) or not np.array_equal(first.planes, other.planes)
    first.save(tmp_path)
    loaded = Building.load(tmp_path)
    np.testing.assert_array_equal(first.planes, loaded.planes)
    np.testing.assert_array_equal(first.plane_open, loaded.plane_open)


def test_impossible_houses_get_a_sentence() -> None:
    with pytest.raises(FalseworkError, match="no facade"):
        build((), GABLE, seed=1)
    sliver = facade("sliver", (0.0, 10.0), 0.0, width=0.9, bays=1, levels=(0.0, 3.0))
    with pytest.raises(FalseworkError, match="sliver"):
        build((sliver,), GABLE, seed=1)


def test_odd_houses_stand_all_the_same() -> None:
    """One storey, no windows, windows over the edge, windows over each other, walls that do not meet."""
    blind = facade("blind", (0.0, 10.0), 0.1, width=3.0, bays=1, levels=(0.0, 2.7))
    object.__setattr__(blind, "windows", np.zeros((0, 4)))
    messy = facade("messy", (-12.0, 14.0), 0.0, width=8.0, bays=2, levels=(0.0, 3.0, 6.0))
    object.__setattr__(
        messy, "windows", np.array([[-1.0, 1, 2, 2], [1.5, 1, 3, 2.5], [5, 5, 9, 9], [4, 1, 4.01, 2]])
    )
    for material in ("masonry", "concrete", "glass"):
        for roof in ("flat", "gable", "mansard"):
            settings = BuildingSettings(material=material, roof=roof, roof_height=2.5, depth=4.0)
            assert len(build((blind,), settings, seed=1)) > 4
            assert len(build((messy, blind), settings, seed=1)) > 20
