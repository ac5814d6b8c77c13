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


@njit(cache=True, inline="always")
def _beam(beams: Float, b: int, u: Float, first: int, second: int) -> tuple[float, ...]:
    """Force and moment (6) beam b transmits at its centre for the motion u (.., 6) of its two ends.

    Written out, as are the loops below: there are tens of thousands of turns over thousands of beams.
    """
    nx, ny, nz = beams[b, 0], beams[b, 1], beams[b, 2]
    ax, ay, az = beams[b, 3], beams[b, 4], beams[b, 5]
    bx, by, bz = beams[b, 6], beams[b, 7], beams[b, 8]
    wax, way, waz = u[first, 3], u[first, 4], u[first, 5]
    wbx, wby, wbz = u[second, 3], u[second, 4], u[second, 5]
    dx = u[second, 0] + wby * bz - wbz * by - (u[first, 0] + way * az - waz * ay)
    dy = u[second, 1] + wbz * bx - wbx * bz - (u[first, 1] + waz * ax - wax * az)
    dz = u[second, 2] + wbx * by - wby * bx - (u[first, 2] + wax * ay - way * ax)
    wx, wy, wz = wbx - wax, wby - way, wbz - waz
    along = beams[b, 10] * (dx * nx + dy * ny + dz * nz)
    twist = beams[b, 12] * (wx * nx + wy * ny + wz * nz)
    shear, bending = beams[b, 9], beams[b, 11]
    return (
        shear * dx + along * nx,
        shear * dy + along * ny,
        shear * dz + along * nz,
        bending * wx + twist * nx,
        bending * wy + twist * ny,
        bending * wz + twist * nz,
    )


@njit(cache=True, inline="always")
def _add(beams: Float, b: int, f: tuple[float, ...], out: Float, first: int, second: int) -> None:
    """Adds the force and moment that beam b transmits to what acts on its two ends (.., 6)."""
    ax, ay, az = beams[b, 3], beams[b, 4], beams[b, 5]
    bx, by, bz = beams[b, 6], beams[b, 7], beams[b, 8]
    out[first, 0] -= f[0]
    out[first, 1] -= f[1]
    out[first, 2] -= f[2]
    out[first, 3] -= f[3] + ay * f[2] - az * f[1]
    out[first, 4] -= f[4] + az * f[0] - ax * f[2]
    out[first, 5] -= f[5] + ax * f[1] - ay * f[0]
    out[second, 0] += f[0]
    out[second, 1] += f[1]
    out[second, 2] += f[2]
    out[second, 3] += f[3] + by * f[2] - bz * f[1]
    out[second, 4] += f[4] + bz * f[0] - bx * f[2]
    out[second, 5] += f[5] + bx * f[1] - by * f[0]


@njit(cache=True)
def _multiply(ends: Int, beams: Float, u: Float, out: Float) -> None:
    out[:] = 0.0
    for b in range(len(ends)):
        first, second = ends[b, 0], ends[b, 1]
        f = _beam(beams, b, u, first, second)
        _add(beams, b, f, out, first, second)
    out[-1] = 0.0  # the ground


@njit(cache=True)
def _blocks(ends: Int, beams: Float, nodes: int) -> Float:
    """Diagonal 6x6 blocks of the stiffness matrix, for the preconditioner."""
    blocks = np.zeros((nodes, 6, 6))
    unit = np.zeros((2, 6))
    force = np.zeros((2, 6))
    for b in range(len(ends)):
        for column in range(6):
            unit[1, column] = 1.0
            for end in range(2):
                force[:] = 0.0
                first, second = 1 - end, end  # the end that moves is row 1
                f = _beam(beams, b, unit, first, second)
                _add(beams, b, f, force, first, second)
                for i in range(6):
                    blocks[ends[b, end], i, column] += force[1, i]
            unit[1, column] = 0.0
    return blocks


@njit(cache=True, inline="always")
def _precondition(inverse: Float, r: Float, n: int, z: Float) -> None:
    """z[n] from r[n]; inverse (N, 6, 6) holds the inverted blocks by columns."""
    z0 = z1 = z2 = z3 = z4 = z5 = 0.0
    for j in range(6):
        value = r[n, j]
        z0 += inverse[n, j, 0] * value
        z1 += inverse[n, j, 1] * value
        z2 += inverse[n, j, 2] * value
        z3 += inverse[n, j, 3] * value
        z4 += inverse[n, j, 4] * value
        z5 += inverse[n, j, 5] * value
    z[n, 0], z[n, 1], z[n, 2], z[n, 3], z[n, 4], z[n, 5] = z0, z1, z2, z3, z4, z5


@njit(cache=True)
def _conjugate_gradient(
    ends: Int, beams: Float, inverse: Float, load: Float, u: Float, limit: int, tolerance: float
) -> int:
    """Improves u (N + 1, 6) in place, the last row being the ground; returns the iterations used."""
    nodes = len(inverse)
    r, z, q = np.zeros_like(u), np.zeros_like(u), np.zeros_like(u)
    _multiply(ends, beams, u, q)
    rz, goal = 0.0, 0.0
    for n in range(nodes):
        _precondition(inverse, load, n, z)
        for i in range(6):
            goal += load[n, i] * z[n, i]
            r[n, i] = load[n, i] - q[n, i]
        _precondition(inverse, r, n, z)
        for i in range(6):
            rz += r[n, i] * z[n, i]
    goal *= tolerance * tolerance
    p = z.copy()
    for step in range(limit):
        if rz <= goal or rz <= 0.0:
            return step
        _multiply(ends, beams, p, q)
        pq = 0.0
        for n in range(nodes):
            for i in range(6):
                pq += p[n, i] * q[n, i]
        if not pq > 0.0:
            return step
        alpha = rz / pq
        new = 0.0
        for n in range(nodes):
            for i in range(6):
                u[n, i] += alpha * p[n, i]
                r[n, i] -= alpha * q[n, i]
            _precondition(inverse, r, n, z)
            for i in range(6):
                new += r[n, i] * z[n, i]
        beta = new / rz
        for n in range(nodes):
            for i in range(6):
                p[n, i] = beta * p[n, i] + z[n, i]
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
    bond = lattice.bond[alive]
    free = np.zeros(len(load), dtype=bool)
    free[bond] = True
    free &= ~held
    # What moves gets numbers of its own, all the rest is the ground: late in a fall few bonds are left.
    moving = np.flatnonzero(free)
    number = np.full(len(load), len(moving), dtype=np.int64)
    number[moving] = np.arange(len(moving))
    loose = free[bond].any(axis=1)
    ends, beams = number[bond[loose]], _beams(lattice, alive[loose])
    blocks = _blocks(ends, beams, len(moving) + 1)[:-1]
    # A node that hangs on one small bond gives a nearly singular block; a trace of stiffness keeps it
    # invertible.
    blocks += (1e-7 * np.trace(blocks, axis1=1, axis2=2))[:, None, None] * np.eye(6)
    inverse = np.ascontiguousarray(np.linalg.inv(blocks).transpose(0, 2, 1), dtype=np.float64)
    force, found = np.zeros((len(moving) + 1, 6)), np.zeros((len(moving) + 1, 6))
    force[:-1], found[:-1] = load[moving], start[moving]
    used = _conjugate_gradient(ends, beams, inverse, force, found, iterations, tolerance)
    u = np.zeros(load.shape)
    u[moving] = found[:-1]
    return u, used


def _beams(lattice: Lattice, which: Int) -> Float:
    """(len(which), 13): normal, arms from either node, and stiffness in shear, by how much more along the
    normal, in bending, by how much more about the normal."""
    k = lattice.stiffness[which]
    rigid = np.stack([k[:, 1], k[:, 0] - k[:, 1], k[:, 2], k[:, 3] - k[:, 2]], axis=1)
    return np.concatenate([lattice.normal[which], lattice.arm[which].reshape(-1, 6), rigid], axis=1)


@njit(cache=True)
def _stresses(ends: Int, beams: Float, area: Float, u: Float, out: Float) -> None:
    for b in range(len(ends)):
        f = _beam(beams, b, u, ends[b, 0], ends[b, 1])
        along, twist, force2, moment2 = 0.0, 0.0, 0.0, 0.0
        for i in range(3):
            along += f[i] * beams[b, i]
            twist += f[3 + i] * beams[b, i]
            force2 += f[i] * f[i]
            moment2 += f[3 + i] * f[3 + i]
        side = np.sqrt(area[b])
        bending = np.sqrt(max(moment2 - twist * twist, 0.0)) / (area[b] * side / 6)
        out[b, 0] = along / area[b]
        out[b, 1] = bending
        out[b, 2] = np.sqrt(max(force2 - along * along, 0.0)) / area[b]
        out[b, 3] = abs(twist) / (0.208 * area[b] * side)  # torsion of a square section


def stresses(lattice: Lattice, alive: Int, u: Float) -> Float:
    """(len(alive), 4) Pa: mean normal stress (tension positive), edge stress from bending, shear, twist."""
    out = np.empty((len(alive), 4))
    _stresses(lattice.bond[alive], _beams(lattice, alive), lattice.area[alive], u, out)
    return out


def utilisation(stress: Float, strength: Float) -> Float:
    """(B, 3): stress over strength in compression, tension and shear, for `strength` (B, 3) in Pa."""
    squeeze = np.maximum(stress[:, 1] - stress[:, 0], 0.0)
    pull = np.maximum(stress[:, 1] + stress[:, 0], 0.0)
    slide = stress[:, 2] + stress[:, 3]
    resists = strength[:, 2] + FRICTION_IN_SHEAR * np.maximum(-stress[:, 0], 0.0)
    return np.stack([squeeze / strength[:, 0], pull / strength[:, 1], slide / resists], axis=1)
