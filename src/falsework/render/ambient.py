"""A coarse grid of how much sun and sky reaches each place between fragments, set and dust."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import moderngl
import numpy as np
import numpy.typing as npt
from numba import njit

from falsework.building.fragments import Fragments
from falsework.dust.field import DustField
from falsework.plate.plate import Light, SetPlane
from falsework.render.context import texture_3d
from falsework.render.grids import fill
from falsework.seeds import generator

__all__ = ["LightGrid", "sweep"]

Float = npt.NDArray[np.float32]

CELL = 0.5
MOST_CELLS = 1_500_000
MARGIN = 9.0
# Absorption per metre of a cell filled with solid: half a metre lets one part in 20 through.
SOLID = 6.0
# Diffuse light goes round and through dust that stops a beam (similarity: (1 - g) of the extinction counts).
DIFFUSE_SHARE = 0.30
# Extinction per metre that light finds in the thickest dust: it enters between lobes finer than the cells.
DENSEST = 3.0

_UP = 0.5
_SIDE = 0.61237244
SIDES = ((_SIDE, _SIDE, _UP), (-_SIDE, _SIDE, _UP), (-_SIDE, -_SIDE, _UP), (_SIDE, -_SIDE, _UP))


@njit(cache=True)
def _sweep_slabs(sigma: Float, du: float, dv: float, span: float, forward: bool, out: Float) -> None:
    """March slab by slab along the first axis; light arrives from the previous slab at offset (du, dv)."""
    slabs, rows, columns = sigma.shape
    for step in range(slabs):
        a = step if forward else slabs - 1 - step
        b = a - 1 if forward else a + 1
        for j in range(rows):
            for k in range(columns):
                here = sigma[a, j, k] * span
                if step == 0:
                    out[a, j, k] = 0.5 * here
                    continue
                y, x = j + du, k + dv
                if y < 0 or x < 0 or y > rows - 1 or x > columns - 1:
                    out[a, j, k] = 0.5 * here
                    continue
                j0, k0 = min(int(y), rows - 2), min(int(x), columns - 2)
                fy, fx = y - j0, x - k0
                total = 0.0
                for dj in range(2):
                    for dk in range(2):
                        weight = (fy if dj else 1 - fy) * (fx if dk else 1 - fx)
                        total += weight * (out[b, j0 + dj, k0 + dk] + 0.5 * span * sigma[b, j0 + dj, k0 + dk])
                out[a, j, k] = total + 0.5 * here


def sweep(sigma: Float, direction: npt.ArrayLike, cell: float) -> Float:
    """Optical depth from each cell's centre to the grid's outside along `direction`.

    sigma (nx, ny, nz) extinction per metre; direction unit, from the cell to the light; gives (nx, ny, nz).
    Slab by slab with bilinear interpolation, which widens beams a little: soft shadows at no cost.
    """
    way = np.asarray(direction, dtype=np.float64)
    axis = int(np.abs(way).argmax())
    others = [other for other in range(3) if other != axis]
    turned = np.ascontiguousarray(np.moveaxis(sigma, axis, 0))
    out = np.empty_like(turned)
    main = abs(way[axis])
    _sweep_slabs(turned, way[others[0]] / main, way[others[1]] / main, cell / main, bool(way[axis] < 0), out)
    return np.ascontiguousarray(np.moveaxis(out, 0, axis))


@njit(cache=True)
def _scatter(
    points: Float,
    owner: npt.NDArray[np.int32],
    volume: Float,
    pose: Float,
    low: Float,
    cell: float,
    out: Float,
) -> None:
    """Add each sample point's volume to the eight cells around it, as the share of a cell that is solid."""
    nx, ny, nz = out.shape
    for index in range(len(points)):
        p, body = points[index], pose[owner[index]]
        qx, qy, qz, qw = body[4], body[5], body[6], body[7]
        cx = qy * p[2] - qz * p[1] + qw * p[0]
        cy = qz * p[0] - qx * p[2] + qw * p[1]
        cz = qx * p[1] - qy * p[0] + qw * p[2]
        x = (body[0] + p[0] + 2 * (qy * cz - qz * cy) - low[0]) / cell - 0.5
        y = (body[1] + p[1] + 2 * (qz * cx - qx * cz) - low[1]) / cell - 0.5
        z = (body[2] + p[2] + 2 * (qx * cy - qy * cx) - low[2]) / cell - 0.5
        i, j, k = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
        if i < 0 or j < 0 or k < 0 or i > nx - 2 or j > ny - 2 or k > nz - 2:
            continue
        share = volume[index] / cell**3
        for di in range(2):
            for dj in range(2):
                for dk in range(2):
                    weight = (
                        (x - i if di else 1 - x + i)
                        * (y - j if dj else 1 - y + j)
                        * (z - k if dk else 1 - z + k)
                    )
                    out[i + di, j + dj, k + dk] += share * weight


@njit(cache=True)
def _mean_blocks(density: Float, factor: int, out: Float, i0: int, j0: int, k0: int) -> None:
    nx, ny, nz = density.shape
    scale = 1.0 / factor**3
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                if density[i, j, k] != 0.0:
                    out[i0 + i // factor, j0 + j // factor, k0 + k // factor] += density[i, j, k] * scale


class LightGrid:
    """Sun and sky through fragments, set planes and dust, on cells of about half a metre.

    `core` texture: optical depth of dust towards the sun, share of sun past solids and shade plane, mean
    share of the sky, share of the ground; `sides`: share of the sky from four directions 30 degrees up.
    """

    def __init__(
        self,
        context: moderngl.Context,
        fragments: Fragments,
        dust: DustField,
        set_planes: Sequence[SetPlane],
        light: Light,
        *,
        seed: int,
    ) -> None:
        self.light = light
        origin = np.asarray(dust.origin)
        factor = max(1, round(CELL / dust.voxel))
        low = np.minimum(origin, fragments.vertices.min(0) - [MARGIN, MARGIN, 0.0])
        high = np.maximum(
            origin + np.asarray(dust.shape) * dust.voxel,
            fragments.vertices.max(0) + np.array([MARGIN, MARGIN, 3.0]),
        )
        while True:
            self.cell = factor * dust.voxel
            before = np.ceil((origin - low) / self.cell - 1e-6).astype(int)
            self.low = (origin - before * self.cell).astype(np.float32)
            shape = np.maximum(np.ceil((high - self.low) / self.cell - 1e-6).astype(int), 4)
            if shape.prod() <= MOST_CELLS:
                break
            factor += 1
        self._factor, self._before = factor, before
        self.shape = (int(shape[0]), int(shape[1]), int(shape[2]))
        self.extent = (shape * self.cell).astype(np.float32)
        self._sample(fragments, seed)
        self._set = self._rasterise(set_planes)
        self._shade = self._shaded()
        self.core = texture_3d(context, self.shape, 4, "f2")
        self.sides = texture_3d(context, self.shape, 4, "f2")
        self.rest_core = texture_3d(context, self.shape, 4, "f2")
        self.rest_sides = texture_3d(context, self.shape, 4, "f2")

    @property
    def uniforms(self) -> dict[str, Any]:
        return {"grid_low": self.low, "grid_extent": self.extent}

    def _sample(self, fragments: Fragments, seed: int) -> None:
        """Points that stand for each fragment's volume: random mixtures of its hull's corners."""
        random = generator(seed, "render", "occupancy")
        points, owner, volume = [], [], []
        for index in range(len(fragments)):
            hull = fragments.hull[fragments.hull_start[index] : fragments.hull_start[index + 1]]
            if len(hull) == 0:
                continue
            count = int(np.clip(np.ceil(fragments.volume[index] / 0.02), 4, 160))
            weight = random.gamma(0.35, size=(count, len(hull))) + 1e-9
            points.append((weight / weight.sum(1, keepdims=True)) @ hull)
            owner.append(np.full(count, index, np.int32))
            volume.append(np.full(count, fragments.volume[index] / count, np.float32))
        self._points = np.concatenate(points).astype(np.float32)
        self._owner = np.concatenate(owner)
        self._volume = np.concatenate(volume)

    def _centres(self) -> Float:
        grid = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in self.shape), indexing="ij"), axis=-1)
        centres: Float = (self.low + grid * self.cell).astype(np.float32)
        return centres

    def _rasterise(self, planes: Sequence[SetPlane]) -> Float:
        solid = np.zeros(self.shape, np.float32)
        centres = self._centres() if planes else None
        for plane in planes:
            u, v = np.linalg.norm(plane.u), np.linalg.norm(plane.v)
            if min(u, v) < 1e-6 or centres is None:
                continue
            normal = np.cross(plane.u, plane.v) / (u * v)
            away = centres - plane.origin.astype(np.float32)
            along, up, out = away @ (plane.u / u), away @ (plane.v / v), away @ normal
            thick = max(plane.thickness, self.cell)
            solid[(along > 0) & (along < u) & (up > 0) & (up < v) & (out < 0) & (out > -thick)] = 1.0
        return solid

    def _shaded(self) -> Float:
        shade = np.asarray(self.light.shade, dtype=np.float64)
        size = float(np.linalg.norm(shade[:3]))
        if size == 0:
            return np.ones(self.shape, np.float32)
        distance = (self._centres() @ shade[:3] + shade[3]) / size
        soft = max(self.light.shade_softness, self.cell)
        shaded: Float = np.clip(0.5 + distance / soft, 0, 1).astype(np.float32)
        return shaded

    def update(
        self,
        pose: Float | None,
        density: npt.NDArray[np.float32] | None,
        extinction: float,
        *,
        rest: bool = False,
    ) -> None:
        """Light for one frame (or, with `rest`, for the standing building).

        pose (N, 8): position, unused, quaternion, or None for the set without the building;
        density (nx, ny, nz) of the dust field in g/m3 or None.
        """
        solid = self._set.copy()
        if pose is not None:
            _scatter(self._points, self._owner, self._volume, pose, self.low, self.cell, solid)
        np.minimum(solid, 1.0, out=solid)
        solid *= SOLID
        past_solid = np.exp(-sweep(solid, self.light.sun_direction, self.cell)) * self._shade
        if density is not None:
            dust = np.zeros(self.shape, np.float32)
            before = self._before
            _mean_blocks(density, self._factor, dust, int(before[0]), int(before[1]), int(before[2]))
            dust *= extinction
            dust /= 1 + dust / DENSEST
            towards_sun = sweep(dust, self.light.sun_direction, self.cell)
            veil = solid + DIFFUSE_SHARE * dust
        else:
            towards_sun = np.zeros(self.shape, np.float32)
            veil = solid
        zenith = np.exp(-sweep(veil, (0.0, 0.0, 1.0), self.cell))
        nadir = np.exp(-sweep(veil, (0.0, 0.0, -1.0), self.cell))
        sides = [np.exp(-sweep(veil, side, self.cell)) for side in SIDES]
        mean = np.float32(0.2) * (zenith + sides[0] + sides[1] + sides[2] + sides[3])
        np.minimum(towards_sun, 60.0, out=towards_sun)
        fill(self.rest_core if rest else self.core, towards_sun, past_solid, mean, nadir)
        fill(self.rest_sides if rest else self.sides, *sides)
