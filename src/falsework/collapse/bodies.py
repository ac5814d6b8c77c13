"""The rigid bodies of the collapse in Rapier: one body for each cluster of fragments that still hold
together.

What stands is one fixed body. A cluster is a body with one convex hull for each of its fragments, all in the
fragments' rest orientation, so that a cluster's pose gives every fragment's. Hulls are a centimetre smaller
than the fragments: neighbours cut from one wall would otherwise start in contact and push each other apart.

A crushed fragment has two hulls: the whole one meets the ground and the set, a smaller one meets other
fragments. It stands for rubble that is no longer a stiff block, so that walls do not carry what falls on
them like stilts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import rapier3d

from falsework.building.fragments import Fragments
from falsework.building.materials import MATERIALS
from falsework.plate.plate import SetPlane

__all__ = ["GRAVITY", "STANDING", "Bodies", "Contacts", "rotate"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

GRAVITY = 9.81
STANDING = 0  # number of the fixed body that holds what has not moved
GAP = 0.01  # metres a hull is drawn in
MOST_UP, MOST_ALONG = 1.5, 9.0  # m/s
MOST_SPIN = 10.0  # rad/s, one and a half turns a second
SINK = 0.01  # metres a corner may be under the ground
CRUSHED_SHARE = 0.55  # linear size of a crushed fragment's inner hull
CRUSHED_FRICTION = 0.3  # against other pieces: rubble gives way
CORRECTION = 0.6  # m/s, fastest push that parts overlapping hulls
EVENT_ACCELERATION = 0.02 * GRAVITY  # contact forces under this times the fragment's mass are not reported

# Collision groups: bits of 32, the last ones for the planes of the set.
PIECES, SET, GROUND_ONLY, FIRST_PLANE = 1, 2, 4, 8
MOST_PLANES = 28  # further ones share the last bit
EVERY_PLANE = FIRST_PLANE * (2**MOST_PLANES - 1)


def rotate(q: Float, v: Float) -> Float:
    """Vectors v (..., 3) turned by unit quaternions q (..., 4) in the order x, y, z, w."""
    axis, w = q[..., :3], q[..., 3:]
    t = 2.0 * np.cross(axis, v)
    return np.asarray(v + w * t + np.cross(axis, t))


def _groups(member: int, meets: int) -> Any:
    return rapier3d.InteractionGroups(rapier3d.Group(member), rapier3d.Group(meets))


@dataclass
class Contacts:
    """What struck what during one call of `Bodies.step`: C rows, forces averaged over the call, newtons.

    first, second  (C,) fragments, -1 for ground and set;  force (C, 3) on `second`, world frame
    impulse        (C,) newton seconds
    touching       (K,) True for bodies that anything touched: also those whose overlap with another was only
                   parted, which moves them without a force
    """

    first: Int
    second: Int
    force: Float
    impulse: Float
    touching: npt.NDArray[np.bool_]


class Bodies:
    """Rapier's world and, as arrays, which body every fragment belongs to and how the bodies move.

    body (N,) number of each fragment's body;  origin, place, velocity, spin (K, 3) and turn (K, 4) of the K
    bodies: a fragment with rest centre c is at `place + turn * (c - origin)`; `place` is close to the
    centre of mass.
    """

    def __init__(self, fragments: Fragments, set_planes: tuple[SetPlane, ...], step: float) -> None:
        self.rest = fragments.centre.astype(np.float64)
        self.mass = fragments.mass.astype(np.float64)
        self.body = np.zeros(len(fragments), dtype=np.int64)
        self.crushed = np.zeros(len(fragments), dtype=bool)
        self.origin = np.zeros((1, 3))
        self.place = np.zeros((1, 3))
        self.turn = np.array([[0.0, 0.0, 0.0, 1.0]])
        self.velocity = np.zeros((1, 3))
        self.spin = np.zeros((1, 3))
        self.awake: Int = np.zeros(0, dtype=np.int64)
        self._fallen = np.zeros(1)  # metres each body came down in the last call of `step`

        self.world: Any = rapier3d.PhysicsWorld(gravity=(0.0, 0.0, -GRAVITY))
        # One thread: the order of additions, and with it every bit of the motion, must not depend on timing.
        self.world.set_num_threads(1)
        self.step_seconds = step
        parameters = self.world.integration_parameters
        parameters.dt = step
        parameters.normalized_max_corrective_velocity = CORRECTION
        # Stopping at a time of impact takes time from a body that only passes another close by, which is seen
        # as a hitch in its fall; a step moves a piece by a tenth of a metre, and nothing here is as thin.
        parameters.max_ccd_substeps = 0
        self._events: Any = rapier3d.ChannelEventCollector()
        self._friction = np.array([m.friction for m in MATERIALS])[fragments.material]
        self._hulls = _drawn_in(fragments)
        self._corners = fragments.hull.astype(np.float64)
        self._corner_start = fragments.hull_start[:-1].astype(np.int64)
        # What of the set each fragment meets, as bits.
        self._meets = np.full(len(fragments), SET | EVERY_PLANE, dtype=np.int64)
        self._corner_owner = np.repeat(np.arange(len(fragments)), np.diff(fragments.hull_start))
        self._colliders: list[list[Any]] = [[] for _ in range(len(fragments))]
        self._fragment_of = np.full(4 * len(fragments) + 64, -1, dtype=np.int64)
        fixed = self.world.add_body(rapier3d.RigidBody.fixed())
        self._handles = [fixed]
        self._number_of = {(fixed.index, fixed.generation): STANDING}
        self._add_set(set_planes)
        for fragment in range(len(fragments)):
            self._attach(fragment, STANDING)
        self.world.event_handler = cast(Any, self._events)

    def _add_set(self, set_planes: tuple[SetPlane, ...]) -> None:
        """The ground and a box behind each plane of the set.

        A survey is not exact to the brick, and party walls are shared: a fragment that stands in a box at
        rest does not meet it, or the box would throw it out.
        """
        self.world.add_collider(
            rapier3d.Collider.cuboid(
                300.0, 300.0, 20.0, translation=(0.0, 0.0, -20.0), friction=0.8,
                collision_groups=_groups(SET, PIECES | GROUND_ONLY),
            )
        )  # fmt: skip
        for number, plane in enumerate(set_planes):
            long, wide = float(np.linalg.norm(plane.u)), float(np.linalg.norm(plane.v))
            thick = max(float(plane.thickness), 0.3)
            if min(long, wide) < 1e-3:
                continue
            x, y = plane.u / long, plane.v / wide
            z = np.cross(x, y)
            z /= np.linalg.norm(z)
            if abs(z[2]) > 0.7:
                continue  # lies on the ground, where the half space already is
            y = np.cross(z, x)
            middle = plane.origin + plane.u / 2 + plane.v / 2 - z * thick / 2
            half = np.array([long, wide, thick]) / 2
            member = FIRST_PLANE << min(number, MOST_PLANES - 1)
            box = rapier3d.Collider.cuboid(
                *map(float, half), friction=0.6, collision_groups=_groups(member, PIECES | GROUND_ONLY)
            ).build()
            axes = np.stack([x, y, z], axis=1)
            box.position = rapier3d.Isometry3(middle, _rotation(_quaternion(axes)))
            self.world.add_collider(box)
            self._meets[self._stand_in(middle, axes, half)] &= ~member

    def _stand_in(self, middle: Float, axes: Float, half: Float) -> npt.NDArray[np.bool_]:
        """(N,) True for fragments that at rest reach into a box with the columns of `axes` as its own."""
        corners = (self.rest[self._corner_owner] + self._corners - middle) @ axes
        low = np.minimum.reduceat(corners, self._corner_start)
        high = np.maximum.reduceat(corners, self._corner_start)
        return np.asarray(((low < half - GAP) & (high > GAP - half)).all(axis=1))

    def _attach(self, fragment: int, body: int) -> None:
        """Give a fragment its collider(s) on a body."""
        inner = self._hulls[fragment]
        mass = float(self.mass[fragment])
        meets = int(self._meets[fragment])
        shared: dict[str, Any] = {
            "friction": float(self._friction[fragment]),
            "translation": tuple(map(float, self.rest[fragment] - self.origin[body])),
            "active_events": rapier3d.ActiveEvents.CONTACT_FORCE_EVENTS,
            "contact_force_event_threshold": mass * EVENT_ACCELERATION,
        }
        if self.crushed[fragment]:
            builders = [
                rapier3d.Collider.convex_hull(
                    inner, mass=mass, collision_groups=_groups(GROUND_ONLY, meets), **shared
                ),
                rapier3d.Collider.convex_hull(
                    inner * np.float32(CRUSHED_SHARE), density=0.0,
                    collision_groups=_groups(PIECES, PIECES), **(shared | {"friction": CRUSHED_FRICTION}),
                ),
            ]  # fmt: skip
        else:
            builders = [
                rapier3d.Collider.convex_hull(
                    inner, mass=mass, collision_groups=_groups(PIECES, PIECES | meets), **shared
                )
            ]
        handles = [self.world.add_collider(builder, self._handles[body]) for builder in builders]
        for handle in handles:
            if handle.index >= len(self._fragment_of):
                self._fragment_of = np.concatenate([self._fragment_of, np.full_like(self._fragment_of, -1)])
            self._fragment_of[handle.index] = fragment
        self._colliders[fragment] = handles
        self.body[fragment] = body

    def _detach(self, fragment: int) -> None:
        for handle in self._colliders[fragment]:
            self._fragment_of[handle.index] = -1
            self.world.remove_collider(handle)
        self._colliders[fragment] = []

    def centre_of_mass(self, members: Int) -> Float:
        """Rest-pose centre of mass of some fragments."""
        return np.asarray(np.average(self.rest[members], axis=0, weights=self.mass[members]))

    def split(self, parts: list[Int], *, resistance: list[float]) -> None:
        """Make each list of fragments a body of its own that moves as its old body did at that place.

        resistance: share of each part's weight that something still carries (0: it falls freely).
        """
        touched: dict[int, Float] = {}
        for members, carried in zip(parts, resistance, strict=True):
            old = int(self.body[members[0]])
            origin = self.centre_of_mass(members)
            turn = self.turn[old]
            place = self.place[old] + rotate(turn, origin - self.origin[old])
            if old not in touched and old != STANDING:
                touched[old] = self.centre_of_mass(np.flatnonzero(self.body == old))
            velocity = np.zeros(3)
            if old != STANDING:
                velocity = self.velocity[old] + np.cross(self.spin[old], rotate(turn, origin - touched[old]))
            number = len(self._handles)
            body = rapier3d.RigidBody.dynamic(
                translation=tuple(map(float, place)),
                linvel=tuple(map(float, velocity)),
                angvel=tuple(map(float, self.spin[old])),
                gravity_scale=1.0 - carried,
            ).build()
            body.rotation = _rotation(turn)
            handle = self.world.add_body(body)
            self._handles.append(handle)
            self._number_of[(handle.index, handle.generation)] = number
            self.origin = np.vstack([self.origin, origin])
            self.place = np.vstack([self.place, place])
            self.turn = np.vstack([self.turn, turn])
            self.velocity = np.vstack([self.velocity, velocity])
            self.spin = np.vstack([self.spin, self.spin[old]])
            for fragment in members.tolist():
                self._detach(fragment)
                self._attach(fragment, number)
        for old, before in touched.items():
            left = np.flatnonzero(self.body == old)
            if len(left) == 0:
                self.world.remove_body(self._handles[old])
                continue
            # Rapier keeps a body's velocity as that of its centre of mass, which has moved.
            shift = rotate(self.turn[old], self.centre_of_mass(left) - before)
            self.set_velocity(old, self.velocity[old] + np.cross(self.spin[old], shift))

    def crush(self, fragment: int, push: Float) -> None:
        """Turn a moving fragment into rubble (see the module's words) and add `push` (3,) m/s to its body."""
        number = int(self.body[fragment])
        self.set_velocity(number, self.velocity[number] + push)
        self.crushed[fragment] = True
        self._detach(fragment)
        self._attach(fragment, int(self.body[fragment]))

    def set_velocity(self, body: int, velocity: Float) -> None:
        self.velocity[body] = velocity
        self.world.rigid_bodies[self._handles[body]].linvel = tuple(map(float, velocity))

    def set_spin(self, body: int, spin: Float) -> None:
        self.spin[body] = spin
        self.world.rigid_bodies[self._handles[body]].angvel = tuple(map(float, spin))

    def set_resistance(self, body: int, carried: float) -> None:
        self.world.rigid_bodies[self._handles[body]].gravity_scale = 1.0 - carried

    def step(self, count: int) -> Contacts:
        """Advance by `count` steps and read back how the bodies moved and what pushed what."""
        first: list[int] = []
        second: list[int] = []
        force: list[tuple[float, float, float]] = []
        touching = np.zeros(len(self._handles), dtype=bool)
        high = self.place[:, 2].copy()
        for _ in range(count):
            self.world.step()
            begun = len(first)
            for event in self._events.drain_contact_force_events():
                first.append(event.collider1.index)
                second.append(event.collider2.index)
                total = event.total_force
                force.append((total.x, total.y, total.z))
            for colliders in (first[begun:], second[begun:]):
                fragment = self._fragment_of[np.array(colliders, dtype=np.int64)]
                touching[self.body[fragment[fragment >= 0]]] = True
            self._find_overlaps(touching)
        self._read()
        self._fallen = np.maximum(high - self.place[:, 2], 0.0)
        one = self._fragment_of[np.array(first, dtype=np.int64)]
        two = self._fragment_of[np.array(second, dtype=np.int64)]
        pushes = np.array(force, dtype=np.float64).reshape(-1, 3)
        impulse = np.linalg.norm(pushes, axis=1) * self.step_seconds
        return Contacts(one, two, pushes / count, impulse, touching)

    def _find_overlaps(self, touching: npt.NDArray[np.bool_]) -> None:
        """Mark in `touching` (K,) the bodies that overlap another without a force between them."""
        pairs = self.world.narrow_phase.contact_pairs_with
        for fragment in np.flatnonzero((self.body != STANDING) & ~touching[self.body]).tolist():
            number = int(self.body[fragment])
            if touching[number]:
                continue
            for pair in chain.from_iterable(map(pairs, self._colliders[fragment])):
                if pair.has_any_active_contact:
                    touching[number] = True
                    break

    def _read(self) -> None:
        bodies = self.world.rigid_bodies
        awake = []
        for handle in self.world.active_bodies():
            number = self._number_of.get((handle.index, handle.generation))
            if number is None or number == STANDING:
                continue
            body = bodies[handle]
            awake.append(number)
            place, turn, velocity, spin = body.translation, body.rotation, body.linvel, body.angvel
            self.place[number] = (place.x, place.y, place.z)
            self.turn[number] = (turn.i, turn.j, turn.k, turn.w)
            self.velocity[number] = (velocity.x, velocity.y, velocity.z)
            self.spin[number] = (spin.x, spin.y, spin.z)
        asleep = np.ones(len(self.velocity), dtype=bool)
        asleep[awake] = False
        self.velocity[asleep] = 0.0
        self.spin[asleep] = 0.0
        self.awake = np.array(sorted(awake), dtype=np.int64)

    def calm(self) -> None:
        """Take off the speed of what was squeezed out like a cherry stone.

        Rigid hulls store what rubble would lose in crushing; masonry bounces hardly at all.
        """
        speed = self.velocity[self.awake]
        spin = np.linalg.norm(self.spin[self.awake], axis=1)
        for number, turning in zip(
            self.awake[spin > MOST_SPIN].tolist(), spin[spin > MOST_SPIN], strict=True
        ):
            self.set_spin(number, self.spin[number] * (MOST_SPIN / turning))
        level = np.linalg.norm(speed[:, :2], axis=1)
        wild = (speed[:, 2] > MOST_UP) | (level > MOST_ALONG)
        for number in self.awake[wild].tolist():
            velocity = self.velocity[number].copy()
            velocity[2] = min(velocity[2], MOST_UP)
            velocity[:2] *= min(1.0, MOST_ALONG / max(float(np.hypot(velocity[0], velocity[1])), 1e-9))
            self.set_velocity(number, velocity)

    def lift(self, most: float) -> None:
        """Raise what is in the ground: what the last step brought there, and `most` metres or less of what
        the weight above had pressed into it.

        Rapier's few iterations do not hold tons of rubble on one block exactly; this keeps the error at the
        ground, where it would be seen as sinking, small.
        """
        rubble = np.flatnonzero(np.isin(self.body, self.awake))
        if len(rubble) == 0:
            return
        chosen = np.isin(self._corner_owner, rubble)
        owner = self._corner_owner[chosen]
        place, turn = self.poses()
        low = place[owner, 2] + rotate(turn[owner], self._corners[chosen])[:, 2]
        depth = np.zeros(len(self.place))
        np.maximum.at(depth, self.body[owner], -low)
        for number in np.flatnonzero(depth > SINK).tolist():
            self.place[number, 2] += min(depth[number] - SINK / 2, most + self._fallen[number])
            body = self.world.rigid_bodies[self._handles[number]]
            body.translation = tuple(map(float, self.place[number]))
            if self.velocity[number, 2] < 0:
                self.set_velocity(number, self.velocity[number] * np.array([1.0, 1.0, 0.0]))

    def poses(self) -> tuple[Float, Float]:
        """Centres (N, 3) and quaternions (N, 4) of all fragments; exactly the rest pose for what stands."""
        turn = self.turn[self.body]
        place = self.place[self.body] + rotate(turn, self.rest - self.origin[self.body])
        standing = self.body == STANDING
        place[standing] = self.rest[standing]
        return place, turn

    def velocities(self) -> Float:
        """(N, 3) velocity of every fragment's centre."""
        arm = rotate(self.turn[self.body], self.rest - self.origin[self.body])
        return np.asarray(self.velocity[self.body] + np.cross(self.spin[self.body], arm))


def _drawn_in(fragments: Fragments) -> list[npt.NDArray[np.float32]]:
    """Each fragment's hull vertices relative to its centre, twice `GAP` smaller along every axis.

    Drawn in towards the centre of mass, which so stays the hull's: Rapier turns a free body about that of
    its hulls, and a fragment that is placed by any other point wobbles.
    """
    hulls = []
    for fragment in range(len(fragments)):
        points = fragments.hull[fragments.hull_start[fragment] : fragments.hull_start[fragment + 1]]
        share = np.maximum(1.0 - 2 * GAP / np.maximum(np.ptp(points, axis=0), 1e-6), 0.6)
        hulls.append(np.ascontiguousarray(points * share, dtype=np.float32))
    return hulls


def _quaternion(matrix: Float) -> tuple[float, float, float, float]:
    """Unit quaternion x, y, z, w of a rotation matrix (Shepperd's method)."""
    diagonal = np.array([matrix[0, 0], matrix[1, 1], matrix[2, 2], np.trace(matrix)])
    choice = int(np.argmax(diagonal))
    if choice == 3:
        q = np.array([matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0],
                      matrix[1, 0] - matrix[0, 1], 1 + diagonal[3]])  # fmt: skip
    else:
        i, j, k = choice, (choice + 1) % 3, (choice + 2) % 3
        q = np.zeros(4)
        q[i] = 1 + 2 * matrix[i, i] - diagonal[3]
        q[j] = matrix[j, i] + matrix[i, j]
        q[k] = matrix[k, i] + matrix[i, k]
        q[3] = matrix[k, j] - matrix[j, k]
    q /= np.linalg.norm(q)
    return float(q[0]), float(q[1]), float(q[2]), float(q[3])


def _rotation(q: Any) -> Any:
    """Rapier's rotation of a quaternion x, y, z, w."""
    return rapier3d.Rotation3.from_quaternion(float(q[3]), float(q[0]), float(q[1]), float(q[2]))
