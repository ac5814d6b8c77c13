"""What every bond carries: a quasi-static solve of the fragments as a lattice of beams.

Each fragment is a node with three displacements and three rotations, each bond a short beam of the bond's own
section (normal, shear, bending and twisting stiffness). Loads are weights and contact forces; nodes that
stand on the foundation are held. Parts that hang free are solved too, when their loads balance
(d'Alembert). The lattice is always solved in the rest pose, so the loads of a part that has turned are
turned back first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["Lattice", "make_lattice", "solve", "stresses", "utilisation"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

# Young's modulus as a multiple of compressive strength: EN 1996-1-1, 3.7.2 (masonry, K_E = 1000).
MODULUS_PER_STRENGTH = 1000.0
SHEAR_MODULUS_SHARE = 0.4  # G = 0.4 E, EN 1996-1-1, 3.7.3
FRICTION_IN_SHEAR = 0.4  # rise of shear strength with compression, EN 1996-1-1, 3.6.2


@dataclass(frozen=True)
class Lattice:
    """B beams between N nodes. All lengths in metres, stiffness in N/m and N m.

    bond (B, 2); normal (B, 3) from first to second; arm (B, 2, 3) from either node to the bond's centre;
    area (B,) m2; stiffness (B, 4) normal, shear, bending, twisting
    """

    bond: Int
    normal: Float
    arm: Float
    area: Float
    stiffness: Float


def make_lattice(
    centre: npt.ArrayLike,
    bond: npt.ArrayLike,
    bond_centre: npt.ArrayLike,
    bond_normal: npt.ArrayLike,
    bond_area: npt.ArrayLike,
    modulus: npt.ArrayLike,
) -> Lattice:
    """The lattice of nodes at `centre` (N, 3) m, with `modulus` (B,) Young's modulus of each bond in Pa."""
    nodes = np.asarray(centre, dtype=np.float64)
    pair = np.ascontiguousarray(bond, dtype=np.int64).reshape(-1, 2)
    at = np.asarray(bond_centre, dtype=np.float64)
    normal = np.ascontiguousarray(bond_normal, dtype=np.float64)
    area = np.maximum(np.asarray(bond_area, dtype=np.float64), 1e-4)
    young = np.asarray(modulus, dtype=np.float64)
    length = np.maximum(np.linalg.norm(nodes[pair[:, 1]] - nodes[pair[:, 0]], axis=1), 0.05)
    arm = np.stack([at - nodes[pair[:, 0]], at - nodes[pair[:, 1]]], axis=1)
    axial = young * area / length
    inertia = area**2 / 12  # of a square section
    stiffness = np.stack(
        [
            axial,
            SHEAR_MODULUS_SHARE * axial,
            young * inertia / length,
            SHEAR_MODULUS_SHARE * young * 2 * inertia / length,
        ],
        axis=1,
    )
    return Lattice(pair, normal, np.ascontiguousarray(arm), area, stiffness)


@njit(cache=True)
def _beam(normal: Float, k: Float, arm: Float, ua: Float, ub: Float, out: Float) -> None:
    """Force and moment (6,) a beam transmits at its centre for the motion (6,) of its two ends."""
    d = np.empty(3)
    for i in range(3):
        j, m = (i + 1) % 3, (i + 2) % 3
        d[i] = ub[i] + ub[3 + j] * arm[1, m] - ub[3 + m] * arm[1, j]
        d[i] -= ua[i] + ua[3 + j] * arm[0, m] - ua[3 + m] * arm[0, j]
    along, twist = 0.0, 0.0
    for i in range(3):
        along += d[i] * normal[i]
        twist += (ub[3 + i] - ua[3 + i]) * normal[i]
    for i in range(3):
        out[i] = k[1] * d[i] + (k[0] - k[1]) * along * normal[i]
        out[3 + i] = k[2] * (ub[3 + i] - ua[3 + i]) + (k[3] - k[2]) * twist * normal[i]


@njit(cache=True)
def _multiply(
    bond: Int, normal: Float, arm: Float, k: Float, alive: Int, held: Bool, u: Float, out: Float
) -> None:
    out[:] = 0.0
    f = np.empty(6)
    for b in alive:
        first, second = bond[b, 0], bond[b, 1]
        _beam(normal[b], k[b], arm[b], u[first], u[second], f)
        for i in range(3):
            j, m = (i + 1) % 3, (i + 2) % 3
            out[first, i] -= f[i]
            out[second, i] += f[i]
            out[first, 3 + i] -= f[3 + i] + arm[b, 0, j] * f[m] - arm[b, 0, m] * f[j]
            out[second, 3 + i] += f[3 + i] + arm[b, 1, j] * f[m] - arm[b, 1, m] * f[j]
    for n in range(len(u)):
        if held[n]:
            out[n] = 0.0


@njit(cache=True)
def _blocks(bond: Int, normal: Float, arm: Float, k: Float, alive: Int, nodes: int) -> Float:
    """Diagonal 6x6 blocks of the stiffness matrix, for the preconditioner."""
    blocks = np.zeros((nodes, 6, 6))
    still = np.zeros(6)
    unit = np.zeros(6)
    f = np.empty(6)
    for b in alive:
        for end in range(2):
            node = bond[b, end]
            sign = 1.0 if end else -1.0
            for column in range(6):
                unit[:] = 0.0
                unit[column] = 1.0
                if end:
                    _beam(normal[b], k[b], arm[b], still, unit, f)
                else:
                    _beam(normal[b], k[b], arm[b], unit, still, f)
                for i in range(3):
                    j, m = (i + 1) % 3, (i + 2) % 3
                    blocks[node, i, column] += sign * f[i]
                    blocks[node, 3 + i, column] += sign * (
                        f[3 + i] + arm[b, end, j] * f[m] - arm[b, end, m] * f[j]
                    )
    return blocks


@njit(cache=True)
def _apply(inverse: Float, r: Float, out: Float) -> None:
    for n in range(len(r)):
        for i in range(6):
            total = 0.0
            for j in range(6):
                total += inverse[n, i, j] * r[n, j]
            out[n, i] = total


@njit(cache=True)
def _conjugate_gradient(
    bond: Int, normal: Float, arm: Float, k: Float, alive: Int, held: Bool,
    inverse: Float, load: Float, u: Float, limit: int, tolerance: float,
) -> int:  # fmt: skip
    r = np.empty_like(u)
    z = np.empty_like(u)
    q = np.empty_like(u)
    _multiply(bond, normal, arm, k, alive, held, u, q)
    r[:] = load - q
    _apply(inverse, r, z)
    p = z.copy()
    rz = (r * z).sum()
    _apply(inverse, load, q)
    goal = tolerance * tolerance * (load * q).sum()
    for step in range(limit):
        if rz <= goal or rz <= 0.0:
            return step
        _multiply(bond, normal, arm, k, alive, held, p, q)
        pq = (p * q).sum()
        if not pq > 0.0:
            return step
        alpha = rz / pq
        u += alpha * p
        r -= alpha * q
        _apply(inverse, r, z)
        new = (r * z).sum()
        p *= new / rz
        p += z
        rz = new
    return limit


def solve(
    lattice: Lattice,
    alive: Int,
    held: Bool,
    load: Float,
    start: Float,
    *,
    iterations: int,
    tolerance: float = 1e-3,
) -> tuple[Float, int]:
    """Displacements and rotations (N, 6) under `load` (N, 6) N and N m, by preconditioned conjugate
    gradients.

    alive  indices of the bonds that hold;  held (N,) nodes that do not move;  start (N, 6) first guess.
    Stops after `iterations` or when the preconditioned residual falls under `tolerance` of the load's.
    Returns the solution and the iterations used.
    """
    nodes = len(load)
    blocks = _blocks(lattice.bond, lattice.normal, lattice.arm, lattice.stiffness, alive, nodes)
    scale = np.trace(blocks, axis1=1, axis2=2)
    free = (scale > 0) & ~held
    blocks[~free] = np.eye(6)
    # A node that hangs on one small bond gives a nearly singular block; a trace of stiffness keeps it
    # invertible.
    blocks[free] += (1e-7 * scale[free])[:, None, None] * np.eye(6)
    inverse: Float = np.asarray(np.linalg.inv(blocks), dtype=np.float64)
    inverse[~free] = 0.0
    force = np.where(free[:, None], load, 0.0)
    u = np.where(free[:, None], start, 0.0)
    used = _conjugate_gradient(
        lattice.bond, lattice.normal, lattice.arm, lattice.stiffness, alive, ~free,
        inverse, force, u, iterations, tolerance,
    )  # fmt: skip
    return u, used


@njit(cache=True)
def _stresses(
    bond: Int, normal: Float, arm: Float, k: Float, area: Float, alive: Int, u: Float, out: Float
) -> None:
    f = np.empty(6)
    for row in range(len(alive)):
        b = alive[row]
        _beam(normal[b], k[b], arm[b], u[bond[b, 0]], u[bond[b, 1]], f)
        along, twist, force2, moment2 = 0.0, 0.0, 0.0, 0.0
        for i in range(3):
            along += f[i] * normal[b, i]
            twist += f[3 + i] * normal[b, i]
            force2 += f[i] * f[i]
            moment2 += f[3 + i] * f[3 + i]
        side = np.sqrt(area[b])
        bending = np.sqrt(max(moment2 - twist * twist, 0.0)) / (area[b] * side / 6)
        out[row, 0] = along / area[b]
        out[row, 1] = bending
        out[row, 2] = np.sqrt(max(force2 - along * along, 0.0)) / area[b]
        out[row, 3] = abs(twist) / (0.208 * area[b] * side)  # torsion of a square section


def stresses(lattice: Lattice, alive: Int, u: Float) -> Float:
    """(len(alive), 4) Pa: mean normal stress (tension positive), edge stress from bending, shear, twist."""
    out = np.empty((len(alive), 4))
    _stresses(lattice.bond, lattice.normal, lattice.arm, lattice.stiffness, lattice.area, alive, u, out)
    return out


def utilisation(stress: Float, strength: Float) -> Float:
    """(B, 3): stress over strength in compression, tension and shear, for `strength` (B, 3) in Pa."""
    squeeze = np.maximum(stress[:, 1] - stress[:, 0], 0.0)
    pull = np.maximum(stress[:, 1] + stress[:, 0], 0.0)
    slide = stress[:, 2] + stress[:, 3]
    resists = strength[:, 2] + FRICTION_IN_SHEAR * np.maximum(-stress[:, 0], 0.0)
    return np.stack([squeeze / strength[:, 0], pull / strength[:, 1], slide / resists], axis=1)
