"""The stage: from fragments that stand to the motion of a building that comes down.

In every slice of time (half a frame): supports whose time has come are crushed; the lattice of bonds is
solved for weight, contact forces and, in parts that move, inertia; overloaded bonds wear and break; parts
that lost their way to the ground become bodies, bodies that came apart are split; Rapier moves them on.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from falsework.building.fragments import KINDS, Fragments
from falsework.collapse.bodies import GRAVITY, STANDING, Bodies, Contacts, rotate
from falsework.collapse.checks import check_motion
from falsework.collapse.events import EventLog
from falsework.collapse.failure import BondGraph
from falsework.collapse.motion import Motion
from falsework.collapse.settings import CollapseSettings
from falsework.collapse.trigger import (
    HINGE_DELAY,
    LOAD_BEARING,
    leaning,
    pop_times,
    removal_times,
    start_frame,
)
from falsework.plate.plate import SetPlane
from falsework.progress import Progress, silent
from falsework.seeds import generator

__all__ = ["collapse"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

SLICES = 2  # per frame
SUBSTEPS = 2  # of Rapier, per slice
# A block that has just lost its storey is still carried in part by what is being crushed under it (residual
# crushing resistance; Bazant and Zhou 2002). The share fades as the block comes down by `CRUSH_DEPTH`.
CARRIED = 0.5
CRUSH_DEPTH = 1.3  # metres
# A building that topples goes over in one piece, as its floors and ties let it, until it leans this far (or
# for so long); its bonds bear so many times their strength till then.
TIE_TILT = np.radians(30.0)
TIE_SECONDS = 4.5
TIE_STRENGTH = 3.0
CARRIED_BY_HINGE = 0.8  # share of the block's weight meanwhile: it turns about the hinge more than it falls
BLOCK_SHARE = 0.02  # of the building's mass: lighter parts fall freely at once
# Rubble meets rubble at corners and edges, out of plumb: the first share of a face's strength crushes what is
# struck there, and no contact loads the bonds behind it with more than the second.
CRUSH_SHARE = 0.01
BEARING_SHARE = 0.03
BURST = 1.0  # m/s, how fast what is crushed bursts sideways
CRUSHABLE = tuple(k for k in LOAD_BEARING) + tuple(KINDS.index(n) for n in ("clutter", "ornament"))
LIFT = 5.0  # m/s, how fast what was pressed into the ground comes out of it
PULL = 0.12  # of gravity: cables and falling floors draw an implosion's walls inwards
PULL_SECONDS = 1.5


def collapse(
    fragments: Fragments,
    set_planes: tuple[SetPlane, ...],
    settings: CollapseSettings,
    *,
    first_frame: int,
    frames: int,
    fps: float,
    seed: int,
    progress: Progress = silent,
) -> Motion:
    """Simulate `frames` frames from `first_frame`; the first support goes at `settings.start`.

    The same arguments give the same bits. Raises FalseworkError where the trigger lies outside the shot or
    nothing stands on the ground.
    """
    start = start_frame(fragments, settings, first_frame, frames)
    run = _Run(fragments, set_planes, settings, fps, seed)
    position = np.empty((frames, len(fragments), 3), dtype=np.float32)
    rotation = np.empty((frames, len(fragments), 4), dtype=np.float32)
    moved = np.zeros((frames, len(fragments)), dtype=bool)
    touched = np.zeros((frames, len(fragments)), dtype=bool)
    living = np.zeros(frames, dtype=np.float32)
    awake = np.zeros(frames, dtype=np.float32)
    kinetic = np.zeros(frames, dtype=np.float32)
    for frame in range(frames):
        run.touched[:] = False
        if frame > start:
            for part in range(SLICES):
                run.advance(frame, frame - 1 + part / SLICES - start)
        place, turn = run.bodies.poses()
        position[frame], rotation[frame] = place, turn
        moved[frame] = run.bodies.body != STANDING
        position[frame, ~moved[frame]] = fragments.centre[~moved[frame]]
        living[frame] = run.graph.alive[: run.graph.count].sum()
        awake[frame] = np.isin(run.bodies.body, run.bodies.awake).sum()
        kinetic[frame] = run.kinetic()
        touched[frame] = run.touched
        progress(frame + 1, frames)
    return _finish(
        fragments, run, settings, start, fps, position, rotation, moved, touched, living, awake, kinetic
    )


def _finish(
    fragments: Fragments, run: _Run, settings: CollapseSettings, start: int, fps: float,
    position: npt.NDArray[np.float32], rotation: npt.NDArray[np.float32], moved: Bool, touched: Bool,
    living: npt.NDArray[np.float32], awake: npt.NDArray[np.float32], kinetic: npt.NDArray[np.float32],
) -> Motion:  # fmt: skip
    mass = fragments.mass.astype(np.float64)
    fallen = fragments.centre[:, 2].astype(np.float64) - position[:, :, 2]
    potential = -(fallen @ mass) * GRAVITY
    upper = fragments.centre[:, 2] >= np.quantile(fragments.centre[:, 2], 0.9)
    roof = np.quantile(position[:, upper, 2], 0.5, axis=1)
    motion = Motion(
        fps=fps,
        position=position,
        rotation=rotation,
        moved=moved,
        bond_broken=run.broken_at,
        **run.log.arrays(),
        curves={
            "roof_height": roof.astype(np.float32),
            "awake": awake,
            "kinetic": kinetic,
            "potential": potential.astype(np.float32),
            "dissipated": np.maximum(-potential - kinetic, 0.0).astype(np.float32),
            "bonds": living,
        },
        checks={},
    )
    motion.checks.update(check_motion(fragments, motion, trigger_frame=start, touched=touched))
    return motion


class _Run:
    """The state of one collapse between slices."""

    def __init__(
        self, fragments: Fragments, set_planes: tuple[SetPlane, ...], settings: CollapseSettings,
        fps: float, seed: int,
    ) -> None:  # fmt: skip
        self.fragments = fragments
        self.settings = settings
        self.fps = fps
        self.seconds = 1.0 / (fps * SLICES)
        self.bodies = Bodies(fragments, set_planes, self.seconds / SUBSTEPS)
        self.graph = BondGraph(fragments, settings.strength, seed)
        self.log = EventLog()
        self.broken_at = np.full(self.graph.count, -1, dtype=np.int32)
        self.removal = removal_times(fragments, settings, seed)
        self.pop = pop_times(fragments, settings, seed)
        self.contact = np.zeros((len(fragments), 3))
        self.random = generator(seed, "collapse", "burst")
        self.crush_next: Bool = np.zeros(len(fragments), dtype=bool)
        self.mass = fragments.mass.astype(np.float64)
        face = np.maximum(fragments.volume.astype(np.float64), 1e-6) ** (2 / 3)
        strength = _weakest_compression(fragments)
        self.bearing = BEARING_SHARE * strength * settings.strength * face
        crush = CRUSH_SHARE / BEARING_SHARE * self.bearing
        self.crush_force = np.where(np.isin(fragments.kind, CRUSHABLE), crush, np.inf)
        self.touched: Bool = np.zeros(len(fragments), dtype=bool)
        # body number -> height of its first place, for parts something still carries
        self.carried: dict[int, float] = {}
        self.born: dict[int, float] = {}
        plan = fragments.centre[:, :2].astype(np.float64)
        self.lean = leaning(fragments, settings)
        self.tied: Bool = np.zeros(len(self.graph.lattice.bond), dtype=bool)
        # Bonds between a building that topples and its hinge, and when they open.
        self.opening: Int = np.zeros(0, dtype=np.int64)
        self.opens = 0.0
        if settings.kind == "topple":
            above = fragments.storey > settings.from_storey
            pair = self.graph.lattice.bond
            self.tied[:] = above[pair].all(axis=1)
            hinge = np.isfinite(self.removal) & (self.removal > HINGE_DELAY)
            self.crush_force[hinge] = np.inf
            self.opening = np.flatnonzero(above[pair].any(axis=1) & hinge[pair].any(axis=1))
            self.opens = float(self.removal[~hinge & np.isfinite(self.removal)].max(initial=0.0))
        self.width = float(np.ptp(plan, axis=0).mean())
        self.height = float(np.ptp(fragments.centre[:, 2]))
        self.middle = (plan.min(axis=0) + plan.max(axis=0)) / 2

    def advance(self, frame: int, since: float) -> None:
        """One slice; `since` is the time since the trigger in frames at its beginning."""
        now = since / self.fps
        self._remove(frame, now)
        self._break(frame, now)
        self._separate(now)
        self._untie(now)
        self._carry(now)
        before = self.bodies.velocities()
        contacts = self.bodies.step(SUBSTEPS)
        self._feel(contacts, before, (frame - 1) / self.fps)
        self.bodies.calm()
        self.bodies.lift(LIFT * self.seconds)

    def _note(self, broken: Int, frame: int) -> None:
        """Record broken bonds and the energy they set free."""
        own = broken[broken < self.graph.count]
        if len(own) == 0:
            return
        self.broken_at[own] = frame
        pair = self.graph.lattice.bond[own]
        lighter = np.where(self.mass[pair[:, 0]] <= self.mass[pair[:, 1]], pair[:, 0], pair[:, 1])
        body = self.bodies.body[lighter]
        turn = self.bodies.turn[body]
        at = self.bodies.place[body] + rotate(turn, self.graph.centre[own] - self.bodies.origin[body])
        at[body == STANDING] = self.graph.centre[own][body == STANDING]
        area = self.graph.lattice.area[own]
        strength = self.graph.strength[own]
        # Strain energy of the bond's own volume at its tensile strength.
        length = np.linalg.norm(self.graph.rest[pair[:, 1]] - self.graph.rest[pair[:, 0]], axis=1)
        modulus = 1000.0 * strength[:, 0]
        elastic = np.minimum(strength[:, 1], strength[:, 0]) ** 2 / (2 * modulus) * area * length
        normal = rotate(turn, self.graph.lattice.normal[own])
        self.log.breaks(
            (frame - 1) / self.fps, at, self.bodies.velocities()[lighter], normal, area, elastic, lighter
        )

    def _remove(self, frame: int, now: float) -> None:
        """Supports whose time has come, windows that burst, and what the last contacts crushed."""
        going = (self.removal <= now) | self.crush_next
        self.removal[self.removal <= now] = np.inf
        bursting = self.pop <= now
        self.pop[bursting] = np.inf
        self.crush_next[:] = False
        self._note(self.graph.cut(going | bursting), frame)
        if len(self.opening) and now > self.opens:
            opened = self.opening[self.graph.alive[self.opening]]
            self.graph.alive[opened] = False
            self._note(opened, frame)
            self.opening = self.opening[:0]
        self.graph.held[going] = False
        self._to_crush = np.flatnonzero(going & ~self.bodies.crushed)

    def _break(self, frame: int, now: float) -> None:
        """Load the bonds and break those that have had too much."""
        part = self.graph.parts()
        turn = self.bodies.turn[self.bodies.body]
        backwards = turn * np.array([-1.0, -1.0, -1.0, 1.0])
        force = self.contact.copy()
        force[:, 2] -= GRAVITY * self.mass
        force = rotate(backwards, force)
        held = np.zeros(int(part.max()) + 1, dtype=bool)
        held[part[self.graph.held]] = True
        free = ~held[part]
        load = self.graph.balance(force, part, free)
        alive, use = self.graph.overload(load, free)
        use[self.tied[alive]] /= TIE_STRENGTH
        broken, how = self.graph.wear(alive, use, free, self.seconds)
        self._note(broken, frame)
        # A wall that failed in compression is no longer a wall: the lighter of its two pieces turns to
        # rubble.
        crushed = broken[how == 0]
        pair = self.graph.lattice.bond[crushed]
        lighter = np.where(self.mass[pair[:, 0]] <= self.mass[pair[:, 1]], pair[:, 0], pair[:, 1])
        self.crush_next[lighter[np.isfinite(self.crush_force[lighter])]] = True

    def _separate(self, now: float) -> None:
        """Make bodies of what no longer hangs together or stands."""
        part = self.graph.parts()
        held = np.zeros(int(part.max()) + 1, dtype=bool)
        held[part[self.graph.held]] = True
        body = self.bodies.body
        order = np.lexsort((part, body))
        change: Int = np.flatnonzero((np.diff(body[order]) != 0) | (np.diff(part[order]) != 0)) + 1
        groups: list[Int] = list(np.split(order, change))
        of_body: dict[int, list[Int]] = {}
        for group in groups:  # every group is one part of one body
            of_body.setdefault(int(body[group[0]]), []).append(np.sort(group))
        leaving: list[Int] = []
        for number, members in of_body.items():
            if number == STANDING:
                leaving += [m for m in members if not held[part[m[0]]]]
            elif len(members) > 1:
                largest = max(range(len(members)), key=lambda k: (len(members[k]), -k))
                leaving += [m for k, m in enumerate(members) if k != largest]
        if leaving:
            total = float(self.mass.sum())
            resistance = []
            for part_members in leaving:
                old = int(body[part_members[0]])
                block = self.mass[part_members].sum() > BLOCK_SHARE * total
                fresh = old == STANDING or old in self.carried
                resistance.append(self._share(old) if block and fresh else 0.0)
            first = len(self.bodies.place)
            inherited = [self.carried.get(int(body[m[0]]), None) for m in leaving]
            lowered = [self.bodies.place[int(body[m[0]])][2] for m in leaving]
            self.bodies.split(leaving, resistance=resistance)
            for k, carried in enumerate(resistance):
                self.born[first + k] = now
                if carried > 0:
                    start, height = inherited[k], self.bodies.place[first + k][2]
                    # A part of a block that has come down a little goes on from there.
                    self.carried[first + k] = height + (0.0 if start is None else start - lowered[k])
        for fragment in self._to_crush.tolist():
            if self.bodies.body[fragment] != STANDING:
                angle = self.random.uniform(0.0, 2 * np.pi)
                push = BURST * np.array([np.cos(angle), np.sin(angle), 0.0])
                self.bodies.crush(fragment, push)

    def _share(self, body: int) -> float:
        if self.tied.any():
            return CARRIED_BY_HINGE
        if body == STANDING:
            return CARRIED
        drop = self.carried[body] - self.bodies.place[body][2]
        return float(CARRIED * np.clip(1.0 - drop / CRUSH_DEPTH, 0.0, 1.0))

    def _untie(self, now: float) -> None:
        """Let a building that topples break up once it leans far enough."""
        if not self.tied.any() or not self.carried:
            return
        block = max(self.carried, key=lambda body: (float(self.mass[self.bodies.body == body].sum()), body))
        up = rotate(self.bodies.turn[block], np.array([0.0, 0.0, 1.0]))
        if np.arccos(np.clip(up[2], -1.0, 1.0)) > TIE_TILT or now > TIE_SECONDS:
            self.tied[:] = False

    def _carry(self, now: float) -> None:
        """What is still carried of the blocks that have begun to fall; the pull of an implosion."""
        for body in list(self.carried):
            share = self._share(body)
            self.bodies.set_resistance(body, share)
            self._tip(body, share)
            if share <= 0.0:
                del self.carried[body]
        if self.settings.kind == "implosion":
            for body in self.bodies.awake.tolist():
                if now - self.born.get(body, 0.0) < PULL_SECONDS:
                    inward = self.middle - self.bodies.place[body][:2]
                    away = float(np.linalg.norm(inward))
                    if away > 1.0:
                        pull = np.append(inward / away, 0.0) * PULL * GRAVITY * self.seconds
                        self.bodies.set_velocity(body, self.bodies.velocity[body] + pull)

    def _tip(self, body: int, share: float) -> None:
        """What carries a block stands to one side of its middle, so the block turns about it."""
        arm = float(np.linalg.norm(self.lean))
        if arm == 0.0 or share <= 0.0:
            return
        towards = np.append(self.lean / arm, 0.0)
        axis = np.cross([0.0, 0.0, 1.0], towards)
        lever = arm * self.width
        gyration = (self.width**2 + self.height**2) / 12 + (self.height / 2) ** 2 + lever**2
        # No faster than the fall so far has paid for.
        drop = max(self.carried[body] - self.bodies.place[body][2], 0.0)
        fastest = np.sqrt(2 * GRAVITY * drop / gyration)
        room = max(fastest - float(self.bodies.spin[body] @ axis), 0.0)
        turn = min(share * GRAVITY * lever / gyration * self.seconds, room)
        self.bodies.set_spin(body, self.bodies.spin[body] + turn * axis)
        self.bodies.set_velocity(body, self.bodies.velocity[body] + turn * self.height / 2 * towards)

    def _feel(self, contacts: Contacts, before: Float, time: float) -> None:
        """Contact forces as loads for the next slice; impacts as events; what is struck too hard as
        crushed.
        """
        self.contact[:] = 0.0
        self.touched |= contacts.touching[self.bodies.body]
        one, two, push = contacts.first, contacts.second, contacts.force
        both = (one >= 0) | (two >= 0)
        one, two, push, impulse = one[both], two[both], push[both], contacts.impulse[both]
        if len(one) == 0:
            return
        for end, sign in ((two, 1.0), (one, -1.0)):
            real = end >= 0
            for axis in range(3):
                self.contact[:, axis] += np.bincount(end[real], sign * push[real, axis], len(self.mass))
        strong = np.zeros(len(self.mass))
        size = np.linalg.norm(push, axis=1)
        total = np.linalg.norm(self.contact, axis=1)
        self.contact *= np.minimum(1.0, self.bearing / np.maximum(total, 1e-9))[:, None]
        for end in (one, two):
            np.maximum.at(strong, end[end >= 0], size[end >= 0])
        self.crush_next |= (strong > self.crush_force) & ~self.bodies.crushed
        still = np.zeros((len(one), 3))
        speed_one = np.where((one >= 0)[:, None], before[one], still)
        speed_two = np.where((two >= 0)[:, None], before[two], still)
        normal = push / np.maximum(size, 1e-9)[:, None]
        closing = np.einsum("ni,ni->n", speed_one - speed_two, normal)
        mass_one = np.where(one >= 0, self.mass[one], np.inf)
        mass_two = np.where(two >= 0, self.mass[two], np.inf)
        lighter = np.where(mass_one < mass_two, one, two)
        other = np.where(mass_one < mass_two, two, one)
        place = self.bodies.poses()[0]
        # Rapier's force events carry no point: the contact lies about half a fragment from its centre.
        reach = 0.5 * np.cbrt(self.fragments.volume.astype(np.float64))[lighter]
        away = np.where((lighter == one)[:, None], normal, -normal)
        at = place[lighter] + away * reach[:, None]
        at[:, 2] = np.maximum(at[:, 2], 0.0)
        velocity = np.where((other >= 0)[:, None], (speed_one + speed_two) / 2, before[lighter])
        self.log.impacts(time, at, velocity, -away, impulse, np.maximum(closing, 0.0), lighter)

    def kinetic(self) -> float:
        """Kinetic energy of all fragments, joules; each spins about its centre as a cube of its volume."""
        speed = self.bodies.velocities()
        spin = self.bodies.spin[self.bodies.body]
        energy = self.mass * np.einsum("ni,ni->n", speed, speed)
        energy += self.graph.inertia * np.einsum("ni,ni->n", spin, spin)
        return float(0.5 * energy[self.bodies.body != STANDING].sum())


def _weakest_compression(fragments: Fragments) -> Float:
    """(N,) Pa: the compressive strength of each fragment's material as its bonds have it."""
    least = np.full(len(fragments), np.inf)
    for end in range(2):
        np.minimum.at(least, fragments.bond[:, end], fragments.bond_strength[:, 0].astype(np.float64))
    least[~np.isfinite(least)] = 1e6
    return least
