"""The air's velocity on a staggered grid: self-carried, stirred, weighed down by dust, dragged by fragments.

Faces: u (nx + 1, ny, nz), v (nx, ny + 1, nz), w (nx, ny, nz + 1) in m/s; cell quantities (nx, ny, nz).
Sources: Stam, "Stable Fluids" (1999) for carrying; Fedkiw, Stam, Jensen, "Visual Simulation of Smoke" (2001)
for vorticity confinement; Bridson, Houriham, Nordenstam, "Curl-noise for procedural fluid flow" (2007).
"""

# Numba's kernels: mypy cannot follow NumPy integers as loop indices.
# mypy: disable-error-code="index, operator, assignment"

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

__all__ = [
    "advect",
    "cell_velocity",
    "coarse_density",
    "drag_faces",
    "forces",
    "turbulence_tile",
    "vorticity",
]

Grid = npt.NDArray[np.float32]


def turbulence_tile(rng: np.random.Generator, size: int = 32) -> Grid:
    """(2, size, size, size, 3) two periodic divergence-free noise fields of unit RMS, for stirring.

    The eddies are 2.6 to 8 cells wide; their energy falls with the 5/3 power of the wave number.
    """
    frequency = np.fft.fftfreq(size)
    kx, ky, kz = np.meshgrid(frequency, frequency, frequency, indexing="ij")
    k = np.sqrt(kx**2 + ky**2 + kz**2)
    with np.errstate(divide="ignore"):
        # Energy per shell k^(-5/3) is amplitude k^(-11/6) of velocity, one power less of its potential.
        amplitude = np.where((k >= 1 / 8) & (k <= 1 / 2.6), k ** (-17 / 6), 0.0)
    tile = np.empty((2, size, size, size, 3), np.float32)
    for number in range(2):
        a = [np.fft.fftn(rng.standard_normal((size, size, size))) * amplitude for _ in range(3)]
        curl = (ky * a[2] - kz * a[1], kz * a[0] - kx * a[2], kx * a[1] - ky * a[0])
        field = np.stack([np.fft.ifftn(1j * c).real for c in curl], axis=-1)
        tile[number] = field / np.sqrt((field**2).sum(axis=-1).mean())
    return tile


@njit(inline="always")
def _sample(a, x, y, z):  # type: ignore[no-untyped-def]
    """Trilinear value at index coordinates, held at the borders."""
    nx, ny, nz = a.shape
    x = min(max(x, np.float32(0.0)), np.float32(nx - 1.001))
    y = min(max(y, np.float32(0.0)), np.float32(ny - 1.001))
    z = min(max(z, np.float32(0.0)), np.float32(nz - 1.001))
    i, j, k = int(x), int(y), int(z)
    fx, fy, fz = x - np.float32(i), y - np.float32(j), z - np.float32(k)
    c00 = a[i, j, k] + fz * (a[i, j, k + 1] - a[i, j, k])
    c01 = a[i, j + 1, k] + fz * (a[i, j + 1, k + 1] - a[i, j + 1, k])
    c10 = a[i + 1, j, k] + fz * (a[i + 1, j, k + 1] - a[i + 1, j, k])
    c11 = a[i + 1, j + 1, k] + fz * (a[i + 1, j + 1, k + 1] - a[i + 1, j + 1, k])
    c0 = c00 + fy * (c01 - c00)
    c1 = c10 + fy * (c11 - c10)
    return c0 + fx * (c1 - c0)


@njit(cache=True, parallel=True)
def advect(u: Grid, v: Grid, w: Grid, step: float, out_u: Grid, out_v: Grid, out_w: Grid) -> None:
    """Semi-Lagrangian: a face takes the velocity found where its air was a step ago. `step` = dt / voxel."""
    nx, ny, nz = v.shape[0], u.shape[1], u.shape[2]
    s = np.float32(step)
    q = np.float32(0.25)
    for row in prange(nx + 1):
        i = np.int64(row)
        il, ir = max(i - 1, 0), min(i, nx - 1)
        for j in range(ny):
            for k in range(nz):
                a = u[i, j, k]
                b = q * (v[il, j, k] + v[il, j + 1, k] + v[ir, j, k] + v[ir, j + 1, k])
                c = q * (w[il, j, k] + w[il, j, k + 1] + w[ir, j, k] + w[ir, j, k + 1])
                out_u[i, j, k] = _sample(u, i - s * a, j - s * b, k - s * c)
        if i == nx:
            continue
        for j in range(ny + 1):
            jl, jr = max(j - 1, 0), min(j, ny - 1)
            for k in range(nz):
                a = q * (u[i, jl, k] + u[i + 1, jl, k] + u[i, jr, k] + u[i + 1, jr, k])
                b = v[i, j, k]
                c = q * (w[i, jl, k] + w[i, jl, k + 1] + w[i, jr, k] + w[i, jr, k + 1])
                out_v[i, j, k] = _sample(v, i - s * a, j - s * b, k - s * c)
        for j in range(ny):
            for k in range(nz + 1):
                kl, kr = max(k - 1, 0), min(k, nz - 1)
                a = q * (u[i, j, kl] + u[i + 1, j, kl] + u[i, j, kr] + u[i + 1, j, kr])
                b = q * (v[i, j, kl] + v[i, j + 1, kl] + v[i, j, kr] + v[i, j + 1, kr])
                c = w[i, j, k]
                out_w[i, j, k] = _sample(w, i - s * a, j - s * b, k - s * c)


@njit(cache=True, parallel=True)
def cell_velocity(u: Grid, v: Grid, w: Grid, out: Grid) -> None:
    """(nx, ny, nz, 3) velocity at cell centres."""
    nx, ny, nz = out.shape[:3]
    half = np.float32(0.5)
    for row in prange(nx):
        i = np.int64(row)
        for j in range(ny):
            for k in range(nz):
                out[i, j, k, 0] = half * (u[i, j, k] + u[i + 1, j, k])
                out[i, j, k, 1] = half * (v[i, j, k] + v[i, j + 1, k])
                out[i, j, k, 2] = half * (w[i, j, k] + w[i, j, k + 1])


@njit(cache=True, parallel=True)
def coarse_density(density: Grid, box: npt.NDArray[np.int64], out: Grid) -> None:
    """Mean dust of the 2x2x2 fine cells in each air cell of `box` (lo, hi along x, y, z)."""
    for row in prange(box[0], box[1]):
        i = np.int64(row)
        for j in range(box[2], box[3]):
            for k in range(box[4], box[5]):
                total = np.float32(0.0)
                for a in range(2):
                    for b in range(2):
                        total += (
                            density[2 * i + a, 2 * j + b, 2 * k] + density[2 * i + a, 2 * j + b, 2 * k + 1]
                        )
                out[i, j, k] = total * np.float32(0.125)


@njit(cache=True, parallel=True)
def vorticity(velocity: Grid, out: Grid) -> None:
    """(nx, ny, nz, 4) curl of the cell velocities in 1/cell and its length; zero in the outermost cells."""
    nx, ny, nz = out.shape[:3]
    h = np.float32(0.5)
    for row in prange(1, nx - 1):
        i = np.int64(row)
        for j in range(1, ny - 1):
            for k in range(1, nz - 1):
                x = h * (
                    velocity[i, j + 1, k, 2]
                    - velocity[i, j - 1, k, 2]
                    - velocity[i, j, k + 1, 1]
                    + velocity[i, j, k - 1, 1]
                )
                y = h * (
                    velocity[i, j, k + 1, 0]
                    - velocity[i, j, k - 1, 0]
                    - velocity[i + 1, j, k, 2]
                    + velocity[i - 1, j, k, 2]
                )
                z = h * (
                    velocity[i + 1, j, k, 1]
                    - velocity[i - 1, j, k, 1]
                    - velocity[i, j + 1, k, 0]
                    + velocity[i, j - 1, k, 0]
                )
                out[i, j, k, 0], out[i, j, k, 1], out[i, j, k, 2] = x, y, z
                out[i, j, k, 3] = np.sqrt(x * x + y * y + z * z)


@njit(cache=True, parallel=True)
def forces(
    velocity: Grid, curl: Grid, dust: Grid, tile: Grid, phase: npt.NDArray[np.float32], voxel: float,
    load: float, heaviest: float, rise: float, confinement: float, stirring: float, out: Grid,
) -> None:  # fmt: skip
    """(nx, ny, nz, 3) acceleration of the air, m/s2.

    load        how many times its own weight the fine dust (g/m3) carries in coarser grains
    heaviest    the load never makes air heavier than by this share
    rise        m/s2 by which thin warm dust lifts
    confinement, stirring   strengths of kept and of added eddies; both only act where there is dust
    phase       (2,) weights of the two noise fields
    """
    nx, ny, nz = dust.shape
    size = tile.shape[1]
    air = np.float32(1.2)
    for row in prange(nx):
        i = np.int64(row)
        il, ir = max(i - 1, 0), min(i + 1, nx - 1)
        for j in range(ny):
            jl, jr = max(j - 1, 0), min(j + 1, ny - 1)
            for k in range(nz):
                c = dust[i, j, k]
                if c < 1e-4:
                    out[i, j, k, 0] = out[i, j, k, 1] = out[i, j, k, 2] = 0.0
                    continue
                kl, kr = max(k - 1, 0), min(k + 1, nz - 1)
                present = min(np.float32(1.0), c * np.float32(3.0))
                heavier = min(np.float32(load) * c * np.float32(1e-3) / air, np.float32(heaviest))
                fz = -np.float32(9.81) * heavier + np.float32(rise) * present
                vx, vy, vz = velocity[i, j, k, 0], velocity[i, j, k, 1], velocity[i, j, k, 2]
                speed = np.sqrt(vx * vx + vy * vy + vz * vz)
                a, b, d = i % size, j % size, k % size
                stir = np.float32(stirring) * speed * present
                fx = stir * (phase[0] * tile[0, a, b, d, 0] + phase[1] * tile[1, a, b, d, 0])
                fy = stir * (phase[0] * tile[0, a, b, d, 1] + phase[1] * tile[1, a, b, d, 1])
                fz += stir * (phase[0] * tile[0, a, b, d, 2] + phase[1] * tile[1, a, b, d, 2])
                gx = curl[ir, j, k, 3] - curl[il, j, k, 3]
                gy = curl[i, jr, k, 3] - curl[i, jl, k, 3]
                gz = curl[i, j, kr, 3] - curl[i, j, kl, 3]
                length = np.sqrt(gx * gx + gy * gy + gz * gz)
                if length > 1e-5:
                    e = np.float32(confinement) * present / (length * np.float32(voxel))
                    fx += e * (gy * curl[i, j, k, 2] - gz * curl[i, j, k, 1])
                    fy += e * (gz * curl[i, j, k, 0] - gx * curl[i, j, k, 2])
                    fz += e * (gx * curl[i, j, k, 1] - gy * curl[i, j, k, 0])
                out[i, j, k, 0], out[i, j, k, 1], out[i, j, k, 2] = fx, fy, fz


@njit(inline="always")
def _dragged(air, accel, dt, damping, wind, drag_a, drag_b, push_a, push_b, limit):  # type: ignore[no-untyped-def]
    """New velocity and openness of a face between two cells with drag (times dt) and drag times velocity."""
    drag = np.float32(0.5) * (drag_a + drag_b)
    push = np.float32(0.5) * (push_a + push_b)
    air = wind + (air - wind) * damping + dt * accel
    openness = np.float32(1.0) / (np.float32(1.0) + drag)
    return min(max((air + push) * openness, -limit), limit), openness


@njit(cache=True, parallel=True)
def drag_faces(
    u: Grid, v: Grid, w: Grid, accel: Grid, drag: Grid, push: Grid, solid: npt.NDArray[np.bool_],
    dt: float, damping: float, wind_x: float, wind_y: float, limit: float, wx: Grid, wy: Grid, wz: Grid,
) -> None:  # fmt: skip
    """Apply forces, wind and the fragments' drag, implicitly; leave each face's openness to the projection.

    drag, push   (nx, ny, nz) and (nx, ny, nz, 3): drag coefficient times dt, and the same times the velocity
                 the air is dragged towards.  damping: share of (velocity - wind) kept in a step
    """
    nx, ny, nz = solid.shape
    zero, half = np.float32(0.0), np.float32(0.5)
    dt, damping, limit = np.float32(dt), np.float32(damping), np.float32(limit)
    wind_x, wind_y = np.float32(wind_x), np.float32(wind_y)
    for row in prange(nx + 1):
        i = np.int64(row)
        il, ir = max(i - 1, 0), min(i, nx - 1)
        for j in range(ny):
            for k in range(nz):
                if solid[il, j, k] or solid[ir, j, k]:
                    u[i, j, k] = wx[i, j, k] = zero
                else:
                    u[i, j, k], wx[i, j, k] = _dragged(
                        u[i, j, k], half * (accel[il, j, k, 0] + accel[ir, j, k, 0]), dt, damping, wind_x,
                        drag[il, j, k], drag[ir, j, k], push[il, j, k, 0], push[ir, j, k, 0], limit,
                    )  # fmt: skip
        if i == nx:
            continue
        for j in range(ny + 1):
            jl, jr = max(j - 1, 0), min(j, ny - 1)
            for k in range(nz):
                if solid[i, jl, k] or solid[i, jr, k]:
                    v[i, j, k] = wy[i, j, k] = zero
                else:
                    v[i, j, k], wy[i, j, k] = _dragged(
                        v[i, j, k], half * (accel[i, jl, k, 1] + accel[i, jr, k, 1]), dt, damping, wind_y,
                        drag[i, jl, k], drag[i, jr, k], push[i, jl, k, 1], push[i, jr, k, 1], limit,
                    )  # fmt: skip
        for j in range(ny):
            w[i, j, 0] = wz[i, j, 0] = zero
            for k in range(1, nz + 1):
                kl, kr = k - 1, min(k, nz - 1)
                if solid[i, j, kl] or solid[i, j, kr]:
                    w[i, j, k] = wz[i, j, k] = zero
                else:
                    w[i, j, k], wz[i, j, k] = _dragged(
                        w[i, j, k], half * (accel[i, j, kl, 2] + accel[i, j, kr, 2]), dt, damping, zero,
                        drag[i, j, kl], drag[i, j, kr], push[i, j, kl, 2], push[i, j, kr, 2], limit,
                    )  # fmt: skip
