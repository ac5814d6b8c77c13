"""Which bonds break, and when: strength against load, with damage that takes its time.

The building stands in the photograph, so at rest every bond holds what it carries: a bond whose listed
strength is lower than that (arches, bearing pads and nails the model does not know) is given the strength
it evidently has, with a margin. From then on a bond loaded over its strength is damaged, the faster the
more it is overloaded, and breaks when its damage is whole; so failure runs through the house in tenths of a
second.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from falsework.building.fragments import KINDS, Fragments
from falsework.collapse.bodies import GRAVITY
from falsework.collapse.stress import (
    MODULUS_PER_STRENGTH,
    Lattice,
    make_lattice,
    solve,
    stresses,
    utilisation,
)
from falsework.seeds import generator

__all__ = ["BondGraph"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

STANDING_MARGIN = 1.25  # strength over load at rest, at least
SCATTER = 0.2  # standard deviation of the logarithm of a bond's strength (brickwork tests spread this much)
# A bond loaded to twice its strength breaks after this time. What stands carries a load that stays; a crack
# under it runs at once. What falls is struck for moments, and its bonds have to be opened by them.
BREAK_SECONDS = 0.1
BREAK_SECONDS_FALLING = 0.25
FASTEST = 3.0  # overload counts up to this
LEADING = 0.85  # share of the greatest utilisation beside it at which a bond still wears
CHUNK_FRAGMENTS = 30  # fragments of a sound stretch of wall or floor, on average
# Strength inside it over that of its edges: median, standard deviation of logarithm.
CHUNK_STRENGTH = (40.0, 0.4)
# Roofs and floors are pieced together from many parts: their stretches are no sounder than this.
CHUNK_STRENGTH_PIECED = 5.0
PIECED = tuple(KINDS.index(kind) for kind in ("roof", "slab", "ornament"))
CHUNK_FLATNESS = 2.5  # a stretch is this many times longer than high: floors tie a wall along, not up
REST_ITERATIONS = 3000
STEP_ITERATIONS = 150
QUIET = 1e-6  # loads under this share of a fragment's weight are rounding
LYING_AREA = 0.05  # m2, bearing area of what merely lies on something


class BondGraph:
    """The bonds, their strength and damage, and the lattice that says what they carry.

    `alive` (B',) tells which bonds hold; the first B are the building's own, further ones tie what no bond
    holds (furniture on a floor) to the nearest fragment, so that nothing moves before something breaks.
    """

    def __init__(self, fragments: Fragments, strength: float, seed: int) -> None:
        self.rest = fragments.centre.astype(np.float64)
        self.mass = fragments.mass.astype(np.float64)
        self.count = len(fragments.bond)
        self.held: Bool = fragments.support.copy()
        bond = fragments.bond.astype(np.int64)
        centre = fragments.bond_centre.astype(np.float64)
        normal = fragments.bond_normal.astype(np.float64)
        area = fragments.bond_area.astype(np.float64)
        listed = fragments.bond_strength.astype(np.float64)
        ties = _ties(self.rest, bond, self.held)
        if len(ties):
            span = self.rest[ties[:, 1]] - self.rest[ties[:, 0]]
            bond = np.concatenate([bond, ties])
            centre = np.concatenate([centre, self.rest[ties].mean(axis=1)])
            normal = np.concatenate([normal, span / np.linalg.norm(span, axis=1, keepdims=True)])
            area = np.concatenate([area, np.full(len(ties), LYING_AREA)])
            listed = np.concatenate([listed, np.tile([1e6, 1e3, 1e3], (len(ties), 1))])
        self.lattice: Lattice = make_lattice(
            self.rest, bond, centre, normal, area, MODULUS_PER_STRENGTH * listed[:, 0]
        )
        self.centre = centre
        self.alive: Bool = np.ones(len(bond), dtype=bool)
        self.damage = np.zeros(len(bond))
        self.displacement = np.zeros((len(fragments), 6))
        self.inertia = self.mass * np.maximum(fragments.volume.astype(np.float64), 1e-6) ** (2 / 3) / 6
        random = generator(seed, "collapse", "strength")
        scatter = np.exp(random.normal(0.0, SCATTER, len(bond)))[:, None]
        weight = np.zeros((len(fragments), 6))
        weight[:, 2] = -GRAVITY * self.mass
        everything = np.arange(len(bond))
        self.displacement, _ = solve(
            self.lattice, everything, self.held, weight, self.displacement,
            iterations=REST_ITERATIONS, tolerance=1e-4,
        )  # fmt: skip
        rest_stress = stresses(self.lattice, everything, self.displacement)
        inside = _chunks(self.rest, fragments.kind.astype(np.int64), bond, seed)
        wanted = listed * strength * scatter
        wanted[:, 1:] *= inside[:, None]
        # Shear resistance rises with compression, which changes: the margin is taken on the plain strength.
        load = utilisation(rest_stress, np.ones_like(listed))
        load[:, 2] = rest_stress[:, 2] + rest_stress[:, 3]
        self.strength = np.maximum(wanted, STANDING_MARGIN * load)
        self.rest_use = utilisation(rest_stress, wanted)

    def parts(self) -> Int:
        """(N,) number of the connected part each fragment belongs to."""
        pair = self.lattice.bond[self.alive]
        size = len(self.rest)
        graph = coo_matrix((np.ones(len(pair), dtype=np.int8), (pair[:, 0], pair[:, 1])), shape=(size, size))
        return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)

    def balance(self, force: Float, part: Int, free: Bool) -> Float:
        """Loads (N, 6) of force (N, 3) with each free part's rigid acceleration taken off (d'Alembert).

        force: everything that acts on a fragment, weight and contacts, in the rest frame. What is left of a
        free part's forces, after its own mass has been accelerated by them, is what its bonds carry.
        """
        load = np.zeros((len(force), 6))
        load[:, :3] = force
        parts = int(part.max()) + 1
        mass = np.bincount(part, self.mass, parts)
        centre = _sum(part, self.mass[:, None] * self.rest, parts) / mass[:, None]
        arm = self.rest - centre[part]
        total = _sum(part, force, parts)
        torque = _sum(part, np.cross(arm, force), parts)
        square = np.einsum("ni,ni->n", arm, arm)
        own = self.mass[:, None, None] * (
            square[:, None, None] * np.eye(3) - arm[:, :, None] * arm[:, None, :]
        ) + self.inertia[:, None, None] * np.eye(3)
        inertia = _sum(part, own.reshape(-1, 9), parts).reshape(-1, 3, 3)
        angular = np.linalg.solve(inertia, torque[:, :, None])[:, :, 0][part]
        linear = (total / mass[:, None])[part]
        inertial = np.concatenate(
            [
                self.mass[:, None] * (linear + np.cross(angular, arm)),
                self.inertia[:, None] * angular,
            ],
            axis=1,
        )
        load[free] -= inertial[free]
        return load

    def overload(self, load: Float, free: Bool) -> tuple[Int, Float]:
        """Solve for `load` (N, 6): numbers of the living bonds and their utilisation (.., 3).

        free (N,): fragments of parts without a support. Their loads jump, so they start from rest; what
        stands starts from where it was.
        """
        alive = np.flatnonzero(self.alive)
        load = np.where(np.abs(load) > QUIET * GRAVITY * self.mass[:, None], load, 0.0)
        self.displacement[free] = 0.0
        self.displacement, _ = solve(
            self.lattice, alive, self.held, load, self.displacement,
            iterations=STEP_ITERATIONS, tolerance=0.02,
        )  # fmt: skip
        stress = stresses(self.lattice, alive, self.displacement)
        return alive, utilisation(stress, self.strength[alive])

    def wear(self, alive: Int, use: Float, free: Bool, seconds: float) -> tuple[Int, Int]:
        """Damage overloaded bonds for `seconds`; free (N,) tells fragments of parts without a support.

        Returns the bonds that broke and how: 0 crushed, 1 torn, 2 sheared.
        """
        worst = use.max(axis=1)
        pair = self.lattice.bond[alive]
        peak = np.zeros(len(self.rest))
        for end in range(2):
            np.maximum.at(peak, pair[:, end], worst)
        # A crack relieves what lies beside it: around a fragment only the most loaded bonds wear.
        leads = worst >= LEADING * np.maximum(peak[pair[:, 0]], peak[pair[:, 1]])
        over = np.where(leads, np.clip(worst - 1.0, 0.0, FASTEST), 0.0)
        self.damage[alive] += (
            over * seconds / np.where(free[pair[:, 0]], BREAK_SECONDS_FALLING, BREAK_SECONDS)
        )
        broken = alive[self.damage[alive] >= 1.0]
        how = use[self.damage[alive] >= 1.0].argmax(axis=1)
        self.alive[broken] = False
        return broken, how

    def cut(self, fragments: Bool) -> Int:
        """Break every bond of the marked fragments (N,); returns those that broke."""
        broken = np.flatnonzero(self.alive & fragments[self.lattice.bond].any(axis=1))
        self.alive[broken] = False
        return broken


def _chunks(rest: Float, kind: Int, bond: Int, seed: int) -> Float:
    """(B,) factor on a bond's tensile and shear strength.

    A wall is not equally weak everywhere: sound stretches lie between old cracks, openings and repairs.
    Fragments are gathered around random ones of them, and bonds within a gathering of one kind are
    stronger. So the house comes apart into pieces of many sizes.
    """
    random = generator(seed, "collapse", "chunks")
    count = max(1, len(rest) // CHUNK_FRAGMENTS)
    flat = rest * np.array([1.0, 1.0, CHUNK_FLATNESS])
    middles = flat[np.sort(random.choice(len(rest), size=count, replace=False))]
    nearest = np.asarray(cKDTree(middles).query(flat)[1])
    factor = CHUNK_STRENGTH[0] * np.exp(random.normal(0.0, CHUNK_STRENGTH[1], count))
    one, two = bond[:, 0], bond[:, 1]
    same = (nearest[one] == nearest[two]) & (kind[one] == kind[two])
    sound = factor[nearest[one]]
    sound = np.where(np.isin(kind[one], PIECED), np.minimum(sound, CHUNK_STRENGTH_PIECED), sound)
    return np.where(same, np.maximum(sound, 1.0), 1.0)


def _sum(part: Int, values: Float, parts: int) -> Float:
    """Sums (parts, K) of values (N, K) over parts."""
    return np.stack([np.bincount(part, values[:, k], parts) for k in range(values.shape[1])], axis=1)


def _ties(rest: Float, bond: Int, held: Bool) -> Int:
    """Pairs that tie each part without a support to the nearest fragment of a part that has one."""
    size = len(rest)
    graph = coo_matrix((np.ones(len(bond), dtype=np.int8), (bond[:, 0], bond[:, 1])), shape=(size, size))
    parts, label = connected_components(graph, directed=False)
    supported = np.zeros(parts, dtype=bool)
    supported[label[held]] = True
    anchors = np.flatnonzero(supported[label])
    pairs = []
    if len(anchors):
        for part in np.flatnonzero(~supported):
            members = np.flatnonzero(label == part)
            lowest = members[np.argmin(rest[members, 2])]
            nearest = anchors[np.argmin(np.linalg.norm(rest[anchors] - rest[lowest], axis=1))]
            pairs.append((min(lowest, nearest), max(lowest, nearest)))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
