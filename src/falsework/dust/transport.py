"""Carrying dust with the air: finite volumes, sharp and exactly conservative.

One direction after the other (order alternating), each with a total-variation-diminishing flux and van
Leer's monotonised central limiter, which keeps a front two or three cells wide without making it step along
the grid. The air that crosses a face in a step is measured at the midpoint of its way, so that stretching in
one direction and squeezing in another cancel to second order.
Source: LeVeque, "Finite Volume Methods for Hyperbolic Problems" (2002), ch. 6 and 19.
"""

# Numba's kernels: a float argument becomes a 32-bit one.
# mypy: disable-error-code="assignment"

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit, prange

__all__ = ["fine_velocity", "half_floats", "held_box", "total", "transport"]

Grid = npt.NDArray[np.float32]
Box = npt.NDArray[np.int64]

# Fraction of a cell that dust may cross in one sub-step.
COURANT = 0.9


ZERO, HALF, ONE, TWO = np.float32(0.0), np.float32(0.5), np.float32(1.0), np.float32(2.0)
# Shares of the two cells between whose middles a cell half as wide has its own.
NEAR, NEXT = np.float32(0.75), np.float32(0.25)


@njit(inline="always")
def _limited(behind, ahead):  # type: ignore[no-untyped-def]
    """Van Leer's monotonised central slope of the differences on either side of the upwind cell.

    Branches as minima and maxima, so that the compiler can take eight cells at a time.
    """
    a, b = max(behind, ZERO), max(ahead, ZERO)
    c, d = max(-behind, ZERO), max(-ahead, ZERO)
    return min(min(TWO * a, TWO * b), HALF * (a + b)) - min(min(TWO * c, TWO * d), HALF * (c + d))


@njit(inline="always")
def _flux(qbb, qb, qa, qaa, cb, c, ca):  # type: ignore[no-untyped-def]
    """Dust through one face: two cells on either side, Courant numbers there and at its neighbours."""
    forth, back = max(c, ZERO), min(c, ZERO)
    forth = forth - HALF * forth * (forth - cb)
    back = back - HALF * back * (ca - back)
    rise = qa - qb
    return forth * (qb + HALF * (ONE - forth) * _limited(qb - qbb, rise)) + back * (
        qa - HALF * (ONE + back) * _limited(qaa - qa, rise)
    )


@njit(inline="always")
def _kept(value, most):  # type: ignore[no-untyped-def]
    """Within -most and most."""
    return min(max(value, -most), most)


@njit(inline="always")
def _level(near_a, near_b, next_a, next_b, wall_a, wall_b, scale, most, z0, z1, mean, out):  # type: ignore[no-untyped-def]
    """One upright row of faces that look along x or y, from the two nearest and the two next rows of air."""
    nz = len(wall_a)
    half = HALF * scale
    for k in range(nz):
        mean[k] = half * (NEAR * (near_a[k] + near_b[k]) + NEXT * (next_a[k] + next_b[k]))
    for k in range(z0 // 2, (z1 + 1) // 2):
        closed = wall_a[k] or wall_b[k]
        here, below, above = NEAR * mean[k], NEXT * mean[max(k - 1, 0)], NEXT * mean[min(k + 1, nz - 1)]
        out[2 * k] = ZERO if closed else _kept(here + below, most)
        if 2 * k + 1 < z1:
            out[2 * k + 1] = ZERO if closed else _kept(here + above, most)


@njit(inline="always")
def _upright(near, beside_a, beside_b, far, wall, scale, fall, most, z0, z1, mean, out):  # type: ignore[no-untyped-def]
    """One upright row of faces that look up, from the nearest, the two next and the diagonal row of air."""
    nz = len(wall)
    for k in range(nz + 1):
        mean[k] = scale * (
            NEAR * (NEAR * near[k] + NEXT * (beside_a[k] + beside_b[k])) + NEXT * NEXT * far[k]
        )
    for k in range(z0, z1 + 1):
        c = k // 2
        if (c < nz and wall[c]) or (k % 2 == 0 and c > 0 and wall[c - 1]):
            out[k] = ZERO
        elif k == 0:
            out[k] = -fall
        else:
            out[k] = _kept(HALF * (mean[c] + mean[min(c + (k & 1), nz)]) - fall, most)


@njit(cache=True, parallel=True)
def fine_velocity(
    u: Grid, v: Grid, w: Grid, solid: npt.NDArray[np.bool_], scale: float, fall: float, most: float, box: Box,
    fu: Grid, fv: Grid, fw: Grid,
) -> None:  # fmt: skip
    """Air through the faces of cells half as wide, in fine cells per step, inside `box` (lo, hi per axis;
    lo is even).

    `scale` turns m/s into fine cells; `fall` is the dust's own sinking in fine cells. Linear along the
    component's own direction, bilinear across it; closed wherever a wall's cell is touched. No face carries
    faster than `most`: what is given off in the middle of a burst stays there a little longer.
    """
    nx, ny, nz = solid.shape
    scale, fall, most = np.float32(scale), np.float32(fall), np.float32(most)
    x1, y1, z0, z1 = box[1], box[3], box[4], box[5]
    for row in prange(box[0], x1 + 1):
        i = np.int64(row)
        ci = i // 2
        near_i = min(ci, nx - 1)
        next_i = min(max(ci + (1 if i & 1 else -1), 0), nx - 1)
        beyond_i = ci - 1 if i % 2 == 0 and ci > 0 else near_i
        mean = np.empty(nz + 1, np.float32)
        for j in range(box[2], y1 + 1):
            cj = j // 2
            near_j = min(cj, ny - 1)
            next_j = min(max(cj + (1 if j & 1 else -1), 0), ny - 1)
            beyond_j = cj - 1 if j % 2 == 0 and cj > 0 else near_j
            if j < y1:
                a = min(ci + (i & 1), nx)
                _level(
                    u[ci, near_j], u[a, near_j], u[ci, next_j], u[a, next_j],
                    solid[near_i, near_j], solid[beyond_i, near_j], scale, most, z0, z1, mean, fu[i, j],
                )  # fmt: skip
            if i == x1:
                continue
            a = min(cj + (j & 1), ny)
            _level(
                v[near_i, cj], v[near_i, a], v[next_i, cj], v[next_i, a],
                solid[near_i, near_j], solid[near_i, beyond_j], scale, most, z0, z1, mean, fv[i, j],
            )  # fmt: skip
            if j < y1:
                _upright(
                    w[near_i, near_j], w[next_i, near_j], w[near_i, next_j], w[next_i, next_j],
                    solid[near_i, near_j], scale, fall, most, z0, z1, mean, fw[i, j],
                )  # fmt: skip


@njit(cache=True, parallel=True)
def _fastest(fu: Grid, fv: Grid, fw: Grid, box: Box, out: Grid) -> None:
    """Greatest Courant number of each plane of cells and faces inside `box`."""
    x1, y1, z0, z1 = box[1], box[3], box[4], box[5]
    for row in prange(box[0], x1 + 1):
        i = np.int64(row)
        most = ZERO
        for j in range(box[2], y1 + 1):
            if j < y1:
                for k in range(z0, z1):
                    most = max(most, abs(fu[i, j, k]))
            if i < x1:
                for k in range(z0, z1):
                    most = max(most, abs(fv[i, j, k]))
                if j < y1:
                    for k in range(z0, z1 + 1):
                        most = max(most, abs(fw[i, j, k]))
        out[i] = most


@njit(cache=True, parallel=True)
def _spans(density: Grid, least: float, out: npt.NDArray[np.int64]) -> None:
    ny, nz = density.shape[1:]
    least = np.float32(least)
    for row in prange(density.shape[0]):
        i = np.int64(row)
        y0, y1, z0, z1 = ny, 0, nz, 0
        for j in range(ny):
            first = 0
            while first < nz and not density[i, j, first] > least:
                first += 1
            if first == nz:
                continue
            y0, y1, z0 = min(y0, j), j + 1, min(z0, first)
            for k in range(nz - 1, z1 - 1, -1):
                if density[i, j, k] > least:
                    z1 = k + 1
                    break
        out[i] = (y0, y1, z0, z1)


def held_box(density: Grid, least: float) -> Box | None:
    """Cells (lo, hi along x, y, z) around all that hold more than `least`; None where none does."""
    spans = np.empty((density.shape[0], 4), np.int64)
    _spans(density, least, spans)
    held = np.flatnonzero(spans[:, 1])
    if len(held) == 0:
        return None
    low, high = spans[held].min(axis=0), spans[held].max(axis=0)
    return np.array([held[0], held[-1] + 1, low[0], high[1], low[2], high[3]], np.int64)


@njit(cache=True, parallel=True)
def _plane_sums(density: Grid, out: npt.NDArray[np.float64]) -> None:
    for row in prange(density.shape[0]):
        i = np.int64(row)
        total = 0.0
        for j in range(density.shape[1]):
            line = ZERO
            for k in range(density.shape[2]):
                line += density[i, j, k]
            total += line
        out[i] = total


def total(density: Grid) -> float:
    """The sum of all cells, in the same order on any number of cores."""
    sums = np.empty(density.shape[0])
    _plane_sums(density, sums)
    return float(sums.sum())


@njit(cache=True, parallel=True)
def half_floats(bits: npt.NDArray[np.uint32], out: npt.NDArray[np.uint16]) -> None:
    """Bit patterns of non-negative 32-bit floats below 65504 as those of 16-bit ones, rounded to even.

    Below the smallest normal one (6e-5) they become 0. Many times faster than NumPy's own.
    """
    one, low, shift = np.uint32(1), np.uint32(113 << 23), np.uint32(13)
    half, bias = np.uint32(0x0FFF), np.uint32(112 << 10)
    for row in prange(bits.shape[0]):
        for j in range(bits.shape[1]):
            for k in range(bits.shape[2]):
                b = bits[row, j, k]
                rounded = np.uint32(((b + half + ((b >> shift) & one)) >> shift) - bias)
                out[row, j, k] = np.uint16(rounded) if b >= low else np.uint16(0)


@njit(cache=True, parallel=True)
def _sweep_x(q: Grid, c: Grid, out: Grid, step: float, box: Box, left: npt.NDArray[np.float64]) -> None:
    n, x0, x1, z0, z1 = c.shape[0] - 1, box[0], box[1], box[4], box[5]
    step = np.float32(step)
    for row in prange(box[2], box[3]):
        j = np.int64(row)
        before, now = np.zeros(z1 - z0, np.float32), np.zeros(z1 - z0, np.float32)
        for i in range(x0, x1 + 1):
            qbb, qb = q[i, j + 2, z0 + 2 : z1 + 2], q[i + 1, j + 2, z0 + 2 : z1 + 2]
            qa, qaa = q[i + 2, j + 2, z0 + 2 : z1 + 2], q[i + 3, j + 2, z0 + 2 : z1 + 2]
            cb, cf, ca = c[max(i - 1, x0), j, z0:z1], c[i, j, z0:z1], c[min(i + 1, x1), j, z0:z1]
            for k in range(len(now)):
                now[k] = _flux(qbb[k], qb[k], qa[k], qaa[k], step * cb[k], step * cf[k], step * ca[k])
            if i > x0:
                o = out[i + 1, j + 2, z0 + 2 : z1 + 2]
                for k in range(len(now)):
                    o[k] = qb[k] - (now[k] - before[k])
            if i == 0:
                left[j] -= now.sum()
            if i == n:
                left[j] += now.sum()
            before, now = now, before


@njit(cache=True, parallel=True)
def _sweep_y(q: Grid, c: Grid, out: Grid, step: float, box: Box, left: npt.NDArray[np.float64]) -> None:
    n, y0, y1, z0, z1 = c.shape[1] - 1, box[2], box[3], box[4], box[5]
    step = np.float32(step)
    for row in prange(box[0], box[1]):
        i = np.int64(row)
        before, now = np.zeros(z1 - z0, np.float32), np.zeros(z1 - z0, np.float32)
        for j in range(y0, y1 + 1):
            qbb, qb = q[i + 2, j, z0 + 2 : z1 + 2], q[i + 2, j + 1, z0 + 2 : z1 + 2]
            qa, qaa = q[i + 2, j + 2, z0 + 2 : z1 + 2], q[i + 2, j + 3, z0 + 2 : z1 + 2]
            cb, cf, ca = c[i, max(j - 1, y0), z0:z1], c[i, j, z0:z1], c[i, min(j + 1, y1), z0:z1]
            for k in range(len(now)):
                now[k] = _flux(qbb[k], qb[k], qa[k], qaa[k], step * cb[k], step * cf[k], step * ca[k])
            if j > y0:
                o = out[i + 2, j + 1, z0 + 2 : z1 + 2]
                for k in range(len(now)):
                    o[k] = qb[k] - (now[k] - before[k])
            if j == 0:
                left[i] -= now.sum()
            if j == n:
                left[i] += now.sum()
            before, now = now, before


@njit(cache=True, parallel=True)
def _sweep_z(
    q: Grid, c: Grid, out: Grid, step: float, box: Box,
    left: npt.NDArray[np.float64], settled: npt.NDArray[np.float64],
) -> None:  # fmt: skip
    n, z0, z1 = c.shape[2] - 1, box[4], box[5]
    step = np.float32(step)
    for row in prange(box[0], box[1]):
        i = np.int64(row)
        faces = np.zeros(z1 - z0 + 3, np.float32)
        flux = np.zeros(z1 - z0 + 1, np.float32)
        for j in range(box[2], box[3]):
            # Courant numbers with the outermost repeated, so that each face has neighbours.
            cf = c[i, j, z0 : z1 + 1]
            for k in range(len(cf)):
                faces[k + 1] = step * cf[k]
            faces[0], faces[len(cf) + 1] = faces[1], faces[len(cf)]
            cell = q[i + 2, j + 2, z0 : z1 + 4]
            for k in range(len(flux)):
                flux[k] = _flux(
                    cell[k], cell[k + 1], cell[k + 2], cell[k + 3], faces[k], faces[k + 1], faces[k + 2]
                )  # fmt: skip
            o = out[i + 2, j + 2, z0 + 2 : z1 + 2]
            for k in range(len(o)):
                o[k] = cell[k + 2] - (flux[k + 1] - flux[k])
            if z0 == 0:
                settled[i] -= flux[0]
            if z1 == n:
                left[i] += flux[z1 - z0]


def transport(
    density: Grid, spare: Grid, courant: tuple[Grid, Grid, Grid], box: Box, frame: int
) -> tuple[float, float]:
    """Move `density` (in place) by one frame of face Courant numbers; `spare` is a buffer of its shape.

    Both have two ghost cells on every side, which stay empty. Only `box` (lo, hi per axis, without ghosts) is
    touched: it must hold all dust and all it can reach in this frame.
    Returns what left through the open sides and what settled on the ground, in density times cells.
    """
    fu, fv, fw = courant
    x0, x1, y0, y1, z0, z1 = (int(b) for b in box)
    fastest = np.zeros(fu.shape[0], np.float32)
    _fastest(fu, fv, fw, box, fastest)
    steps = max(1, math.ceil(float(fastest.max()) / COURANT))
    left = np.zeros(max(density.shape))
    settled = np.zeros(density.shape[0])
    step = 1.0 / steps
    a, b = density, spare
    for number in range(steps):
        if (frame + number) & 1:
            _sweep_z(a, fw, b, step, box, left, settled)
            _sweep_y(b, fv, a, step, box, left)
            _sweep_x(a, fu, b, step, box, left)
        else:
            _sweep_x(a, fu, b, step, box, left)
            _sweep_y(b, fv, a, step, box, left)
            _sweep_z(a, fw, b, step, box, left, settled)
        a, b = b, a
    if a is not density:
        density[x0 + 2 : x1 + 2, y0 + 2 : y1 + 2, z0 + 2 : z1 + 2] = a[
            x0 + 2 : x1 + 2, y0 + 2 : y1 + 2, z0 + 2 : z1 + 2
        ]
    return float(left.sum()), float(settled.sum())
