"""Putting puffs and trails into the grid, with exactly the mass they have."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from falsework.dust.domain import FINE, Domain
from falsework.dust.obstacles import FragmentPoints
from falsework.dust.sources import Puffs

__all__ = ["emit_puffs", "emit_trails"]

Grid = npt.NDArray[np.float32]

# Drag (times a frame) by which a puff takes the air along at its middle.
GRIP = 1.2
# Times as much for a jet, which is a stream rather than a ball; by how much of its length it widens.
STREAM = 4.0
WIDENING = 0.15
# A fragment's dust is given off at a few of its points.
TRAIL_POINTS = 3


def emit_puffs(
    puffs: Puffs, time: float, dt: float, origin: npt.NDArray[np.float64], voxel: float,
    solid: npt.NDArray[np.bool_], density: Grid, drag: Grid, push: Grid, source: Grid,
    rng: np.random.Generator,
) -> float:  # fmt: skip
    """Add what the puffs give between `time` and `time + dt`; returns kilograms.

    Dust goes into `density` (fine cells, g/m3), air into `source` (net outflow, m/s over an air cell's face),
    and the puff's motion into `drag` and `push` as `gas.drag_faces` takes them.
    """
    end = puffs.start + puffs.duration
    overlap = np.minimum(end, time + dt) - np.maximum(puffs.start, time)
    active = np.flatnonzero(overlap > 0)
    if len(active) == 0:
        return 0.0
    part = overlap[active] / puffs.duration[active]
    age = np.maximum(time + dt - puffs.start[active], 0.0)
    place = puffs.position[active] + puffs.velocity[active] * (puffs.drift[active] * age)[:, None]
    place[:, 2] = np.maximum(place[:, 2], 0.35)
    # Puffs wander and flicker: an even source would make a smooth jet.
    place += rng.normal(0.0, 0.25, place.shape) * puffs.radius[active, None]
    # A jet loses its breath.
    breath = np.where(
        puffs.length[active] > 0, 1.0 - 0.6 * np.minimum(age / puffs.duration[active], 1.0), 1.0
    )
    ragged = rng.random(4096).astype(np.float32) ** 2 * 3.0 + 0.05
    return float(
        _splat_puffs(
            place,
            puffs.velocity[active] * breath[:, None],
            puffs.length[active] * breath,
            puffs.mass[active] * part,
            puffs.air[active] * part / (dt * voxel**2),
            puffs.radius[active],
            ragged,
            rng.integers(0, 4096, len(active)),
            origin,
            voxel,
            solid,
            density,
            drag,
            push,
            source,
        )
    )


def emit_trails(
    trail: npt.NDArray[np.float32], points: FragmentPoints, place: Grid, origin: npt.NDArray[np.float64],
    domain: Domain, solid: npt.NDArray[np.bool_], density: Grid, rng: np.random.Generator,
) -> float:  # fmt: skip
    """Add what each fragment sheds in this frame (N,) kg at a few of its points; returns kilograms."""
    start = np.searchsorted(points.fragment, np.arange(len(trail) + 1))
    shedding = np.flatnonzero(trail > 0)
    if len(shedding) == 0:
        return 0.0
    fragment = np.repeat(shedding, TRAIL_POINTS)
    room = (start[fragment + 1] - start[fragment]).astype(np.float64)
    pick = start[fragment] + (rng.random(len(fragment)) * room).astype(np.int64)
    return float(
        _splat_points(place[pick], trail[fragment] / TRAIL_POINTS, origin, domain.fine_voxel, solid, density)
    )


@njit(cache=True)
def _nearness(x, y, z, span, length, ax, ay, az):  # type: ignore[no-untyped-def]
    """1 in the middle to 0 at the rim of a ball at 0, or of the cone it makes along its axis; in cells."""
    along = min(max(x * ax + y * ay + z * az, 0.0), length)
    wide = span + WIDENING * along
    x, y, z = x - along * ax, y - along * ay, z - along * az
    return 1.0 - (x * x + y * y + z * z) / (wide * wide)


@njit(cache=True)
def _splat_puffs(  # type: ignore[no-untyped-def]
    place,
    velocity,
    length,
    mass,
    air,
    radius,
    ragged,
    shift,
    origin,
    voxel,
    solid,
    density,
    drag,
    push,
    source,
):
    fine = voxel / FINE
    gram = 1e3 / fine**3
    fx, fy, fz = density.shape
    nx, ny, nz = source.shape
    given = 0.0
    for n in range(len(mass)):
        speed = np.sqrt(velocity[n, 0] ** 2 + velocity[n, 1] ** 2 + velocity[n, 2] ** 2) + 1e-9
        ax, ay, az = velocity[n, 0] / speed, velocity[n, 1] / speed, velocity[n, 2] / speed
        x, y, z = (
            (place[n, 0] - origin[0]) / fine,
            (place[n, 1] - origin[1]) / fine,
            (place[n, 2] - origin[2]) / fine,
        )
        span, stretch = max(radius[n] / fine, 1.01), length[n] / fine
        room = span + (WIDENING + 1.0) * stretch
        i0, i1 = max(int(x - room), 0), min(int(x + room) + 1, fx)
        j0, j1 = max(int(y - room), 0), min(int(y + room) + 1, fy)
        k0, k1 = max(int(z - room), 0), min(int(z + room) + 1, fz)
        total = 0.0
        for turn in range(2):
            if turn == 1 and total == 0.0:
                break
            for i in range(i0, i1):
                for j in range(j0, j1):
                    for k in range(k0, k1):
                        if solid[i // FINE, j // FINE, k // FINE]:
                            continue
                        near = _nearness(i + 0.5 - x, j + 0.5 - y, k + 0.5 - z, span, stretch, ax, ay, az)
                        if near <= 0.0:
                            continue
                        weight = near * ragged[(shift[n] + i * 1237 + j * 733 + k * 379) & 4095]
                        if turn == 0:
                            total += weight
                        else:
                            density[i, j, k] += weight / total * mass[n] * gram
        if total == 0.0:
            continue
        given += mass[n]
        # The same shape in air cells, at least the nearest one.
        x, y, z, span, stretch = x / FINE, y / FINE, z / FINE, max(span / FINE, 1.0), stretch / FINE
        room = span + (WIDENING + 1.0) * stretch
        i0, i1 = max(int(x - room), 0), min(int(x + room) + 1, nx)
        j0, j1 = max(int(y - room), 0), min(int(y + room) + 1, ny)
        k0, k1 = max(int(z - room), 0), min(int(z + room) + 1, nz)
        strength = GRIP * STREAM if stretch > 0.0 else GRIP
        total = 0.0
        for turn in range(2):
            for i in range(i0, i1):
                for j in range(j0, j1):
                    for k in range(k0, k1):
                        if solid[i, j, k]:
                            continue
                        weight = _nearness(i + 0.5 - x, j + 0.5 - y, k + 0.5 - z, span, stretch, ax, ay, az)
                        if weight <= 0.0:
                            continue
                        if turn == 0:
                            total += weight
                        else:
                            source[i, j, k] += weight / total * air[n]
                            grip = weight * strength
                            drag[i, j, k] += grip
                            push[i, j, k, 0] += grip * velocity[n, 0]
                            push[i, j, k, 1] += grip * velocity[n, 1]
                            push[i, j, k, 2] += grip * velocity[n, 2]
            if total == 0.0:
                break
    return given


@njit(cache=True)
def _splat_points(place, mass, origin, fine, solid, density):  # type: ignore[no-untyped-def]
    fx, fy, fz = density.shape
    gram = 1e3 / fine**3
    given = 0.0
    for n in range(len(mass)):
        i = int(np.floor((place[n, 0] - origin[0]) / fine))
        j = int(np.floor((place[n, 1] - origin[1]) / fine))
        k = max(int(np.floor((place[n, 2] - origin[2]) / fine)), 0)
        if i < 0 or j < 0 or i >= fx or j >= fy or k >= fz:
            continue
        if solid[i // FINE, j // FINE, k // FINE]:
            continue
        density[i, j, k] += mass[n] * gram
        given += mass[n]
    return given
