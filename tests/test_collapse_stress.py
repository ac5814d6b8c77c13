"""The lattice of bonds against what statics says of columns, beams and falling bodies."""

from __future__ import annotations

import numpy as np
import pytest

from falsework.collapse.bodies import GRAVITY
from falsework.collapse.failure import BondGraph
from falsework.collapse.stress import make_lattice, solve, stresses, utilisation
from scenes import brick_tower

MODULUS = 10e9


def chain(count: int, edge: float, direction: np.ndarray) -> tuple[np.ndarray, object]:
    """Nodes in a row, `edge` metres apart, bonded over squares of that edge."""
    centre = (np.arange(count)[:, None] + 0.5) * edge * direction
    bond = np.stack([np.arange(count - 1), np.arange(1, count)], axis=1)
    lattice = make_lattice(
        centre, bond, (centre[1:] + centre[:-1]) / 2, np.tile(direction, (count - 1, 1)),
        np.full(count - 1, edge**2), np.full(count - 1, MODULUS),
    )  # fmt: skip
    return centre, lattice


@pytest.mark.parametrize(("density", "edge"), [(1800.0, 0.5), (2400.0, 1.0)])
def test_a_column_carries_its_weight(density: float, edge: float) -> None:
    count = 12
    _, lattice = chain(count, edge, np.array([0.0, 0.0, 1.0]))
    load = np.zeros((count, 6))
    load[:, 2] = -density * GRAVITY * edge**3
    held = np.arange(count) == 0
    alive = np.arange(count - 1)
    u, _ = solve(lattice, alive, held, load, np.zeros((count, 6)), iterations=500, tolerance=1e-8)
    above = (count - 1 - alive) * edge
    np.testing.assert_allclose(stresses(lattice, alive, u)[:, 0], -density * GRAVITY * above, rtol=1e-5)


def test_a_cantilever_bends() -> None:
    """Edge stress M / W of a beam with a weight at its tip, and its deflection F L^3 / 3 E I (plus shear)."""
    count, edge, weight = 21, 0.5, 1000.0
    centre, lattice = chain(count, edge, np.array([1.0, 0.0, 0.0]))
    load = np.zeros((count, 6))
    load[-1, 2] = -weight
    held = np.arange(count) == 0
    alive = np.arange(count - 1)
    u, _ = solve(lattice, alive, held, load, np.zeros((count, 6)), iterations=3000, tolerance=1e-9)
    lever = centre[-1, 0] - (centre[1:, 0] + centre[:-1, 0]) / 2
    stress = stresses(lattice, alive, u)
    np.testing.assert_allclose(stress[:, 1], weight * lever / (edge**3 / 6), rtol=1e-4)
    np.testing.assert_allclose(stress[:, 2], weight / edge**2, rtol=1e-4)
    length = centre[-1, 0] - centre[0, 0]
    bent = weight * length**3 / (3 * MODULUS * edge**4 / 12)
    assert -u[-1, 2] == pytest.approx(bent, rel=0.03)


def test_a_free_fall_loads_nothing_and_a_push_shows() -> None:
    tower = brick_tower(2, 4, 2, edge=1.0)
    graph = BondGraph(tower, 1.0, 1)
    part = graph.parts()
    graph.held[:] = False
    free = np.ones(len(tower), dtype=bool)
    weight = np.zeros((len(tower), 3))
    weight[:, 2] = -GRAVITY * tower.mass
    assert np.abs(graph.balance(weight, part, free)).max() < 1e-6 * tower.mass.max() * GRAVITY
    pushed = weight.copy()
    pushed[0, 2] += 5e7  # sound stretches bear forty times the listed strength
    load = graph.balance(pushed, part, free)
    np.testing.assert_allclose(load[:, :3].sum(axis=0), 0.0, atol=1.0)
    _, use = graph.overload(load, free)
    assert use.max() > 1.0


def test_at_rest_no_bond_is_overloaded_even_at_low_strength() -> None:
    tower = brick_tower()
    graph = BondGraph(tower, 0.01, 3)
    load = np.zeros((len(tower), 6))
    load[:, 2] = -GRAVITY * tower.mass
    _, use = graph.overload(load, np.zeros(len(tower), dtype=bool))
    assert use.max() <= 1.0


def test_utilisation_in_each_manner() -> None:
    strength = np.array([[10.0, 1.0, 2.0]])
    assert utilisation(np.array([[-5.0, 0.0, 0.0, 0.0]]), strength)[0].tolist() == [0.5, 0.0, 0.0]
    assert utilisation(np.array([[0.5, 0.5, 0.0, 0.0]]), strength)[0, 1] == pytest.approx(1.0)
    # Compression makes a joint harder to shear.
    assert utilisation(np.array([[-5.0, 0.0, 2.0, 0.0]]), strength)[0, 2] == pytest.approx(0.5)
