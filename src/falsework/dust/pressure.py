"""Making air incompressible: a multigrid solve for pressure on a staggered grid with porous faces.

Everything is in units of one cell: the velocity through a face loses `weight * (p_after - p_before)`. A
weight of 1 is open air, 0 a wall, and between them a face that drags (Brinkman's penalty, implicit in the
projection). Outside the grid's four sides and its top the pressure is zero, so air may come and go; the
ground is a wall.
Source of the method: Trottenberg, Oosterlee, Schueller, "Multigrid" (2001), ch. 2 and 5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

__all__ = ["Pressure", "divergence", "project"]

Grid = npt.NDArray[np.float32]


@njit(cache=True, parallel=True)
def divergence(u: Grid, v: Grid, w: Grid, out: Grid) -> None:
    """Net outflow of each cell, velocities on faces (nx + 1, ny, nz), (nx, ny + 1, nz), (nx, ny, nz + 1)."""
    nx, ny, nz = out.shape
    for row in prange(nx):
        i = np.int64(row)
        for j in range(ny):
            for k in range(nz):
                out[i, j, k] = (
                    u[i + 1, j, k] - u[i, j, k] + v[i, j + 1, k] - v[i, j, k] + w[i, j, k + 1] - w[i, j, k]
                )


@njit(cache=True, parallel=True)
def project(u: Grid, v: Grid, w: Grid, p: Grid, wx: Grid, wy: Grid, wz: Grid) -> None:
    """Take the pressure's gradient from the face velocities. `p` has one ghost cell on every side."""
    nx, ny, nz = wx.shape[0] - 1, wx.shape[1], wx.shape[2]
    for row in prange(nx + 1):
        i = np.int64(row)
        for j in range(ny):
            for k in range(nz):
                u[i, j, k] -= wx[i, j, k] * (p[i + 1, j + 1, k + 1] - p[i, j + 1, k + 1])
        if i < nx:
            for j in range(ny + 1):
                for k in range(nz):
                    v[i, j, k] -= wy[i, j, k] * (p[i + 1, j + 1, k + 1] - p[i + 1, j, k + 1])
            for j in range(ny):
                for k in range(nz + 1):
                    w[i, j, k] -= wz[i, j, k] * (p[i + 1, j + 1, k + 1] - p[i + 1, j + 1, k])


@njit(cache=True, parallel=True)
def _diagonal(wx: Grid, wy: Grid, wz: Grid, out: Grid) -> None:
    nx, ny, nz = out.shape
    for row in prange(nx):
        i = np.int64(row)
        for j in range(ny):
            for k in range(nz):
                total = (
                    wx[i, j, k]
                    + wx[i + 1, j, k]
                    + wy[i, j, k]
                    + wy[i, j + 1, k]
                    + wz[i, j, k]
                    + wz[i, j, k + 1]
                )
                # A cell walled in on all sides keeps zero pressure.
                out[i, j, k] = 1.0 / total if total > 1e-4 else 0.0


@njit(inline="always")
def _relax(i, p, b, wx, wy, wz, inverse, colour, row):  # type: ignore[no-untyped-def]
    """Gauss-Seidel on one colour of the chequerboard in plane i; it reads the other colour only.

    Every cell of a row is worked out, which the compiler does eight at a time, and every second is kept.
    """
    ny, nz = b.shape[1:]
    for j in range(ny):
        own, right = inverse[i, j], b[i, j]
        xl, xr, yl, yr = wx[i, j], wx[i + 1, j], wy[i, j], wy[i, j + 1]
        zl, zr = wz[i, j, :nz], wz[i, j, 1:]
        pxl, pxr = p[i, j + 1, 1 : nz + 1], p[i + 2, j + 1, 1 : nz + 1]
        pyl, pyr = p[i + 1, j, 1 : nz + 1], p[i + 1, j + 2, 1 : nz + 1]
        pzl, pzr = p[i + 1, j + 1, :nz], p[i + 1, j + 1, 2:]
        for k in range(nz):
            row[k] = own[k] * (
                right[k]
                + xl[k] * pxl[k]
                + xr[k] * pxr[k]
                + yl[k] * pyl[k]
                + yr[k] * pyr[k]
                + zl[k] * pzl[k]
                + zr[k] * pzr[k]
            )
        for k in range((i + j + colour) & 1, nz, 2):
            p[i + 1, j + 1, k + 1] = row[k]


@njit(inline="always")
def _rest(ci, p, b, wx, wy, wz, inverse, coarse, rows):  # type: ignore[no-untyped-def]
    """What is left of `b`, summed over 2x2x2 cells and halved (four times the mean: it is larger)."""
    ny, nz = coarse.shape[1:]
    fine = b.shape[2]
    for cj in range(ny):
        for number in range(4):
            i, j = 2 * ci + number // 2, 2 * cj + number % 2
            own, right, row = inverse[i, j], b[i, j], rows[number]
            xl, xr, yl, yr = wx[i, j], wx[i + 1, j], wy[i, j], wy[i, j + 1]
            zl, zr = wz[i, j, :fine], wz[i, j, 1:]
            pxl, pxr = p[i, j + 1, 1 : fine + 1], p[i + 2, j + 1, 1 : fine + 1]
            pyl, pyr = p[i + 1, j, 1 : fine + 1], p[i + 1, j + 2, 1 : fine + 1]
            pzl, here, pzr = p[i + 1, j + 1, :fine], p[i + 1, j + 1, 1 : fine + 1], p[i + 1, j + 1, 2:]
            for k in range(fine):
                walled = own[k] == np.float32(0.0)
                left = (
                    right[k]
                    - here[k] / (np.float32(1.0) if walled else own[k])
                    + xl[k] * pxl[k]
                    + xr[k] * pxr[k]
                    + yl[k] * pyl[k]
                    + yr[k] * pyr[k]
                    + zl[k] * pzl[k]
                    + zr[k] * pzr[k]
                )
                row[k] = np.float32(0.0) if walled else left
        for ck in range(nz):
            total = np.float32(0.0)
            for number in range(4):
                total = total + rows[number, 2 * ck] + rows[number, 2 * ck + 1]
            coarse[ci, cj, ck] = np.float32(0.5) * total


@njit(inline="always")
def _correct(i, p, inverse, coarse):  # type: ignore[no-untyped-def]
    """Add the coarse solution to plane i, linear between coarse cell centres."""
    ny, nz = inverse.shape[1:]
    more, less = np.float32(0.75), np.float32(0.25)
    ci, di = i // 2 + 1, (i & 1) * 2 - 1
    for j in range(ny):
        cj, dj = j // 2 + 1, (j & 1) * 2 - 1
        for k in range(nz):
            if inverse[i, j, k] == 0.0:
                continue
            ck = k // 2 + 1
            # Below the ground lies the mirror of the first cell, not the ghost's zero.
            dk = (k & 1) * 2 - 1 if k > 0 else 0
            near = more * coarse[ci, cj, ck] + less * coarse[ci, cj, ck + dk]
            beside_y = more * coarse[ci, cj + dj, ck] + less * coarse[ci, cj + dj, ck + dk]
            beside_x = more * coarse[ci + di, cj, ck] + less * coarse[ci + di, cj, ck + dk]
            far = more * coarse[ci + di, cj + dj, ck] + less * coarse[ci + di, cj + dj, ck + dk]
            p[i + 1, j + 1, k + 1] += more * (more * near + less * beside_y) + less * (
                more * beside_x + less * far
            )


# The finest level is shared among threads; the coarser ones take less time than sharing them would.


@njit(cache=True, parallel=True)
def _smooth_fine(p: Grid, b: Grid, wx: Grid, wy: Grid, wz: Grid, inverse: Grid, colour: int) -> None:
    for row in prange(b.shape[0]):
        _relax(np.int64(row), p, b, wx, wy, wz, inverse, colour, np.empty(b.shape[2], np.float32))


@njit(cache=True)
def _smooth_coarse(p: Grid, b: Grid, wx: Grid, wy: Grid, wz: Grid, inverse: Grid, colour: int) -> None:
    row = np.empty(b.shape[2], np.float32)
    for i in range(b.shape[0]):
        _relax(i, p, b, wx, wy, wz, inverse, colour, row)


@njit(cache=True, parallel=True)
def _restrict_fine(p: Grid, b: Grid, wx: Grid, wy: Grid, wz: Grid, inverse: Grid, coarse: Grid) -> None:
    for row in prange(coarse.shape[0]):
        _rest(np.int64(row), p, b, wx, wy, wz, inverse, coarse, np.empty((4, b.shape[2]), np.float32))


@njit(cache=True)
def _restrict_coarse(p: Grid, b: Grid, wx: Grid, wy: Grid, wz: Grid, inverse: Grid, coarse: Grid) -> None:
    rows = np.empty((4, b.shape[2]), np.float32)
    for i in range(coarse.shape[0]):
        _rest(i, p, b, wx, wy, wz, inverse, coarse, rows)


@njit(cache=True, parallel=True)
def _correct_fine(p: Grid, inverse: Grid, coarse: Grid) -> None:
    for row in prange(inverse.shape[0]):
        _correct(np.int64(row), p, inverse, coarse)


@njit(cache=True)
def _correct_coarse(p: Grid, inverse: Grid, coarse: Grid) -> None:
    for i in range(inverse.shape[0]):
        _correct(i, p, inverse, coarse)


@njit(cache=True, parallel=True)
def _coarsen_faces(wx: Grid, wy: Grid, wz: Grid, cx: Grid, cy: Grid, cz: Grid) -> None:
    nx, ny, nz = cy.shape[0], cx.shape[1], cx.shape[2]
    for row in prange(nx + 1):
        i = np.int64(row)
        for j in range(ny):
            for k in range(nz):
                a, b, c = 2 * i, 2 * j, 2 * k
                cx[i, j, k] = 0.25 * (wx[a, b, c] + wx[a, b + 1, c] + wx[a, b, c + 1] + wx[a, b + 1, c + 1])
        if i < nx:
            for j in range(ny + 1):
                for k in range(nz):
                    a, b, c = 2 * i, 2 * j, 2 * k
                    cy[i, j, k] = 0.25 * (
                        wy[a, b, c] + wy[a + 1, b, c] + wy[a, b, c + 1] + wy[a + 1, b, c + 1]
                    )
            for j in range(ny):
                for k in range(nz + 1):
                    a, b, c = 2 * i, 2 * j, 2 * k
                    cz[i, j, k] = 0.25 * (
                        wz[a, b, c] + wz[a + 1, b, c] + wz[a, b + 1, c] + wz[a + 1, b + 1, c]
                    )


class _Level:
    """One grid of the hierarchy: face weights, right-hand side and solution."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        nx, ny, nz = shape
        self.shape = shape
        self.wx = np.zeros((nx + 1, ny, nz), np.float32)
        self.wy = np.zeros((nx, ny + 1, nz), np.float32)
        self.wz = np.zeros((nx, ny, nz + 1), np.float32)
        self.p = np.zeros((nx + 2, ny + 2, nz + 2), np.float32)
        self.b = np.zeros(shape, np.float32)
        self.inverse = np.zeros(shape, np.float32)

    @property
    def faces(self) -> tuple[Any, Any, Any]:
        return self.wx, self.wy, self.wz


class Pressure:
    """Keeps the hierarchy and the last pressure, from which the next solve starts.

    `shape` is the number of cells along x, y, z; levels are added while all three are even.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.levels = [_Level(shape)]
        while all(n % 2 == 0 and n >= 4 for n in shape):
            shape = (shape[0] // 2, shape[1] // 2, shape[2] // 2)
            self.levels.append(_Level(shape))

    def solve(
        self, u: Grid, v: Grid, w: Grid, weights: tuple[Grid, Grid, Grid], source: Grid, cycles: int
    ) -> None:
        """Change the face velocities so that each cell's net outflow is `source` (velocity units)."""
        top = self.levels[0]
        for mine, given in zip(top.faces, weights, strict=True):
            mine[:] = given
        for fine, coarse in zip(self.levels, self.levels[1:], strict=False):
            _coarsen_faces(*fine.faces, *coarse.faces)
        for level in self.levels:
            _diagonal(*level.faces, level.inverse)
        divergence(u, v, w, top.b)
        np.subtract(source, top.b, out=top.b)
        for _ in range(cycles):
            self._cycle(0)
        project(u, v, w, top.p, *top.faces)

    def _cycle(self, depth: int) -> None:
        level = self.levels[depth]
        last = depth == len(self.levels) - 1
        smooth, restrict, correct = (
            (_smooth_fine, _restrict_fine, _correct_fine)
            if depth == 0
            else (_smooth_coarse, _restrict_coarse, _correct_coarse)
        )
        for _ in range(24 if last else 2):
            smooth(level.p, level.b, *level.faces, level.inverse, 0)
            smooth(level.p, level.b, *level.faces, level.inverse, 1)
        if last:
            return
        below = self.levels[depth + 1]
        restrict(level.p, level.b, *level.faces, level.inverse, below.b)
        below.p[:] = 0
        self._cycle(depth + 1)
        correct(level.p, level.inverse, below.p)
        for _ in range(2):
            smooth(level.p, level.b, *level.faces, level.inverse, 1)
            smooth(level.p, level.b, *level.faces, level.inverse, 0)
