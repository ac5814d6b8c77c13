"""The looseness of a mound, measured on piles whose looseness is known another way."""

from __future__ import annotations

import numpy as np
import pytest
import rapier3d

from falsework.building.fragments import Fragments
from falsework.collapse.bodies import rotate
from falsework.collapse.mound import bulk_and_solid
from scenes import brick_tower

EDGE = 0.4
BOX = 2.8  # metres, inner width


def cubes(columns: int, rows: int, layers: int) -> Fragments:
    return brick_tower(columns, rows, layers, edge=EDGE, origin=(0.0, 0.0, 0.0))


def dropped(fragments: Fragments, *, walls: bool) -> tuple[np.ndarray, np.ndarray]:
    """Places of the cubes after they fell, tumbling, into a box or on open ground."""
    world = rapier3d.PhysicsWorld(gravity=(0.0, 0.0, -9.81))
    world.set_num_threads(1)
    world.integration_parameters.dt = 1 / 60
    world.add_collider(rapier3d.Collider.cuboid(30.0, 30.0, 1.0, translation=(0.0, 0.0, -1.0), friction=0.8))
    if walls:
        far = BOX / 2 + 0.5
        for x, y in ((far, 0.0), (-far, 0.0), (0.0, far), (0.0, -far)):
            half = (0.5, far + 1, 20.0) if x else (far + 1, 0.5, 20.0)
            world.add_collider(rapier3d.Collider.cuboid(*half, translation=(x, y, 20.0), friction=0.4))
    random = np.random.default_rng(3)
    start = fragments.centre - fragments.centre.mean(axis=0) * [1, 1, 0]
    spread = 0.74 / EDGE
    handles = []
    for place in start * [spread, spread, 1.6 * spread]:
        body = rapier3d.RigidBody.dynamic(
            translation=tuple(map(float, place)), angvel=tuple(map(float, random.normal(0.0, 4.0, 3)))
        ).build()
        axis = random.normal(size=4)
        body.rotation = rapier3d.Rotation3.from_quaternion(*map(float, axis / np.linalg.norm(axis)))
        handle = world.add_body(body)
        world.add_collider(
            rapier3d.Collider.cuboid(EDGE / 2, EDGE / 2, EDGE / 2, density=1800.0, friction=0.6), handle
        )
        handles.append(handle)
    for _ in range(330):
        world.step()
    bodies = [world.rigid_bodies[handle] for handle in handles]
    position = np.array([[b.translation.x, b.translation.y, b.translation.z] for b in bodies])
    turn = np.array([[b.rotation.i, b.rotation.j, b.rotation.k, b.rotation.w] for b in bodies])
    return position, turn


def looseness(position: np.ndarray, turn: np.ndarray, low: list[float], high: list[float]) -> float:
    """One over the share of random points within a block of space that fall into a cube."""
    points = np.random.default_rng(1).uniform(low, high, (20000, 3))
    full = np.zeros(len(points), dtype=bool)
    for place, q in zip(position, turn, strict=True):
        near = np.flatnonzero(np.abs(points - place).max(axis=1) < EDGE)
        own = rotate(np.broadcast_to(q * [-1, -1, -1, 1], (len(near), 4)), points[near] - place)
        full[near] |= (np.abs(own) < EDGE / 2).all(axis=1)
    return float(1.0 / full.mean())


def test_cubes_with_known_gaps() -> None:
    fragments = cubes(10, 5, 10)
    pitch = 1.25
    turn = np.tile([0.0, 0.0, 0.0, 1.0], (len(fragments), 1))
    place = fragments.centre * pitch
    place[:, 2] -= (pitch - 1) * EDGE / 2
    bulk, solid = bulk_and_solid(fragments, place, turn, np.ones(len(fragments), dtype=bool))
    wide, high = (9 * pitch + 1) * EDGE, (4 * pitch + 1) * EDGE
    assert solid == pytest.approx(500 * EDGE**3, rel=1e-4)
    assert bulk == pytest.approx(wide**2 * high, rel=0.06)  # a cell more or less on every side


@pytest.mark.parametrize("walls", [True, False])
def test_a_random_pile(walls: bool) -> None:
    fragments = cubes(4, 30, 4) if walls else cubes(8, 8, 8)
    position, turn = dropped(fragments, walls=walls)
    lying = np.ones(len(fragments), dtype=bool)
    bulk, solid = bulk_and_solid(fragments, position, turn, lying)
    height = np.quantile(position[np.abs(position[:, :2]).max(axis=1) < 0.8, 2], 0.9)
    reach = BOX / 2 if walls else 0.8
    truth = looseness(position, turn, [-reach, -reach, 0.0], [reach, reach, 0.8 * height])
    assert 1.5 < truth < 2.6  # cubes of one size lie loosely
    assert bulk / solid == pytest.approx(truth, rel=0.15)
    # What still moves within the pile fills it as well.
    moving = np.random.default_rng(2).random(len(fragments)) < 0.3
    again = bulk_and_solid(fragments, position, turn, ~moving)
    assert again[0] / again[1] == pytest.approx(bulk / solid, rel=0.12)
