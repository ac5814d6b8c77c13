"""Fine dust on the graphics side: bricks of fine cells in an atlas, lit by what the dust's grid is too coarse
for."""

# Numba's kernels: mypy cannot follow NumPy integers as loop indices.
# mypy: disable-error-code="index, assignment"

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import moderngl
import numpy as np
import numpy.typing as npt
from numba import njit, prange

from falsework.dust.field import DustField, DustFrame
from falsework.dust.fine import BRICK, FACTOR, FineDust
from falsework.media.half import to_single
from falsework.plate.camera import Camera
from falsework.render.ambient import DENSEST
from falsework.render.context import texture_3d
from falsework.render.grids import fill

__all__ = ["DENSEST_SEEN", "FineVolume", "Refine", "seen_bricks"]

Float = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int32]

# What makes a frame's dust finer: given the field, the frame and which bricks the camera sees.
Refine = Callable[[DustField, DustFrame, Flags], FineDust]

WIDE = BRICK * FACTOR  # fine cells along a brick's edge
SLOT = WIDE + 2  # texels: a border of one from the neighbours
ACROSS = 12  # slots along x and y of the atlas
DENSEST_SEEN = 64.0  # g/m3: thicker dust is opaque within a few centimetres, and looks the same
DEEPEST = 4.0  # optical depth by which fine dust may differ from the grid's on light's last metre
REACH = 0.9  # metres over which a deviation from the grid's optical depth is forgotten
# Rays to find what is seen by, across the picture; how deep they look into the grid's dust.
RAYS, BURIED = 160, 9.0
HOLDS = 0.02  # g/m3: bricks with less are air


@njit(cache=True)
def _mark_seen(
    density: Float, eye: Float, rays: Float, low: Float, voxel: float, extinction: float, seen: Flags
) -> None:
    nx, ny, nz = density.shape
    for number in range(len(rays)):
        start, end = 0.0, 1e9
        for axis in range(3):
            way = rays[number, axis]
            way = way if abs(way) > 1e-9 else 1e-9
            one = (low[axis] - eye[axis]) / way
            two = (low[axis] + density.shape[axis] * voxel - eye[axis]) / way
            start, end = max(start, min(one, two)), min(end, max(one, two))
        t = start + 0.25 * voxel
        depth = 0.0
        while t < end and depth < BURIED:
            i = int((eye[0] + t * rays[number, 0] - low[0]) / voxel)
            j = int((eye[1] + t * rays[number, 1] - low[1]) / voxel)
            k = int((eye[2] + t * rays[number, 2] - low[2]) / voxel)
            t += 0.5 * voxel
            if i < 0 or j < 0 or k < 0 or i >= nx or j >= ny or k >= nz:
                continue
            here = density[i, j, k]
            if here > 0.0:
                depth += 0.5 * voxel * extinction * here
                seen[i // BRICK, j // BRICK, k // BRICK] = True


def seen_bricks(density: Float, field: DustField, camera: Camera, extinction: float) -> Flags:
    """Which bricks of a field's `density` (nx, ny, nz), g/m3, the camera sees: those in the picture and not
    buried behind other dust, as (bx, by, bz). `extinction` in m2/g."""
    seen = np.zeros([-(-n // BRICK) for n in density.shape], np.bool_)
    step = max(camera.width / RAYS, 1.0)
    x = np.linspace(0, camera.width, max(int(camera.width / step), 2))
    y = np.linspace(0, camera.height, max(int(camera.height / step), 2))
    rays = camera.rays(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2))
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    eye = np.asarray(camera.position, np.float32)
    low = np.asarray(field.origin, np.float32)
    _mark_seen(density, eye, rays.astype(np.float32), low, field.voxel, extinction, seen)
    return seen


@njit(cache=True)
def _upsampled(density: Float, bi: int, bj: int, bk: int, out: Float) -> None:
    """The grid's density, linear between its cells' centres, at the fine cells of a brick and its border:
    out (34, 34, 34)."""
    nx, ny, nz = density.shape
    rough = np.empty((BRICK + 4, BRICK + 4, BRICK + 4), np.float32)
    for i in range(BRICK + 4):
        a = min(max(bi * BRICK + i - 2, 0), nx - 1)
        for j in range(BRICK + 4):
            b = min(max(bj * BRICK + j - 2, 0), ny - 1)
            for k in range(BRICK + 4):
                rough[i, j, k] = density[a, b, min(max(bk * BRICK + k - 2, 0), nz - 1)]
    first = np.empty((SLOT, BRICK + 4, BRICK + 4), np.float32)
    second = np.empty((SLOT, SLOT, BRICK + 4), np.float32)
    below = np.empty(SLOT, np.int64)
    share = np.empty(SLOT, np.float32)
    for n in range(SLOT):
        place = (n - 0.5) / FACTOR + 1.5
        below[n] = int(place)
        share[n] = place - int(place)
    for n in range(SLOT):
        w, low = share[n], below[n]
        for j in range(BRICK + 4):
            for k in range(BRICK + 4):
                first[n, j, k] = (1 - w) * rough[low, j, k] + w * rough[low + 1, j, k]
    for i in range(SLOT):
        for n in range(SLOT):
            w, low = share[n], below[n]
            for k in range(BRICK + 4):
                second[i, n, k] = (1 - w) * first[i, low, k] + w * first[i, low + 1, k]
    for i in range(SLOT):
        for j in range(SLOT):
            for n in range(SLOT):
                w, low = share[n], below[n]
                out[i, j, n] = (1 - w) * second[i, j, low] + w * second[i, j, low + 1]


@njit(cache=True, parallel=True)
def _prepare(
    density: Float,
    air: Flags,
    slots: Whole,
    where: Whole,
    extinction: float,
    fine: Float,
    deviation: Float,
    fullest: Float,
) -> None:
    """Bring fine bricks and the grid together, brick by brick.

    Fine density (n, 32, 32, 32) goes over into the grid's within a dust cell of bricks that are not fine;
    deviation (n, 32, 32, 32): extinction per metre that light finds there less what it finds in the grid's;
    fullest (nx, ny, nz): where bricks are fine, the largest fine density in each dust cell.
    """
    bx, by, bz = slots.shape
    for row in prange(len(where)):
        number = np.int64(row)
        bi, bj, bk = where[number, 0], where[number, 1], where[number, 2]
        plain = np.empty((SLOT, SLOT, SLOT), np.float32)
        _upsampled(density, bi, bj, bk, plain)
        cells = fine[number]
        for di in range(-1, 2):
            for dj in range(-1, 2):
                for dk in range(-1, 2):
                    i, j, k = bi + di, bj + dj, bk + dk
                    if i < 0 or j < 0 or k < 0 or i >= bx or j >= by or k >= bz:
                        continue
                    if slots[i, j, k] >= 0 or air[i, j, k]:
                        continue
                    # The cells within FACTOR of that neighbour, nearest the most.
                    i0, i1 = (0, FACTOR) if di < 0 else ((WIDE - FACTOR, WIDE) if di > 0 else (0, WIDE))
                    j0, j1 = (0, FACTOR) if dj < 0 else ((WIDE - FACTOR, WIDE) if dj > 0 else (0, WIDE))
                    k0, k1 = (0, FACTOR) if dk < 0 else ((WIDE - FACTOR, WIDE) if dk > 0 else (0, WIDE))
                    for p in range(i0, i1):
                        for q in range(j0, j1):
                            for r in range(k0, k1):
                                away = 0
                                if di != 0:
                                    away = max(away, p if di < 0 else WIDE - 1 - p)
                                if dj != 0:
                                    away = max(away, q if dj < 0 else WIDE - 1 - q)
                                if dk != 0:
                                    away = max(away, r if dk < 0 else WIDE - 1 - r)
                                share = np.float32(away / FACTOR)
                                rough = plain[p + 1, q + 1, r + 1]
                                cells[p, q, r] = rough + share * (cells[p, q, r] - rough)
        # As the grid's, light enters the thickest dust between lobes, of a size with the cells.
        ext, top = np.float32(extinction), np.float32(1.0 / (DENSEST * FACTOR))
        for p in range(WIDE):
            for q in range(WIDE):
                for r in range(WIDE):
                    one, two = cells[p, q, r] * ext, plain[p + 1, q + 1, r + 1] * ext
                    deviation[number, p, q, r] = one / (1 + one * top) - two / (1 + two * top)
        nx, ny, nz = fullest.shape
        for i in range(bi * BRICK, min(bi * BRICK + BRICK, nx)):
            for j in range(bj * BRICK, min(bj * BRICK + BRICK, ny)):
                for k in range(bk * BRICK, min(bk * BRICK + BRICK, nz)):
                    p0 = (i - bi * BRICK) * FACTOR
                    q0 = (j - bj * BRICK) * FACTOR
                    r0 = (k - bk * BRICK) * FACTOR
                    most = np.float32(0.0)
                    for p in range(p0, p0 + FACTOR):
                        for q in range(q0, q0 + FACTOR):
                            for r in range(r0, r0 + FACTOR):
                                most = max(most, cells[p, q, r])
                    fullest[i, j, k] = most


@njit(cache=True)
def _turned(cells: Float, axis: int, out: Float) -> None:
    """Cells with `axis` brought to the front; the other two keep their order."""
    for a in range(WIDE):
        for b in range(WIDE):
            for c in range(WIDE):
                if axis == 0:
                    out[a, b, c] = cells[a, b, c]
                elif axis == 1:
                    out[a, b, c] = cells[b, a, c]
                else:
                    out[a, b, c] = cells[b, c, a]


@njit(cache=True, parallel=True)
def _lit(
    deviation: Float,
    slots: Whole,
    where: Whole,
    axes: Whole,
    slopes: Float,
    signs: Whole,
    spans: Float,
    keeps: Float,
    out: Float,
) -> None:
    """By how much the optical depth of the last metre towards the light, the cell itself included, differs
    from the grid's: out (2, n, 32, 32, 32), turned to the light's main axis, for two lights at once.

    For each light (2,): its main axis, slopes (2,) along the other two, sign along the main axis, a cell's
    length along it in metres, and the share kept from slab to slab. Bricks are taken from the light on, so
    that what comes from a neighbour is there.
    """
    bx, by, bz = slots.shape
    for light_number in prange(2):
        light = np.int64(light_number)
        axis = axes[light]
        one, two = (1 if axis == 0 else 0), (1 if axis == 2 else 2)
        du, dv = slopes[light, 0], slopes[light, 1]
        step_one, step_two = (1 if du > 0 else -1), (1 if dv > 0 else -1)
        fu, fv = np.float32(abs(du)), np.float32(abs(dv))
        span, keep, sign = spans[light], keeps[light], signs[light]
        # Bricks from the light on: along each axis from where it comes.
        ways = np.empty(3, np.int64)
        ways[axis], ways[one], ways[two] = sign, step_one, step_two
        counts = np.array((bx, by, bz))
        here = np.empty((WIDE, WIDE, WIDE), np.float32)
        before = np.empty((WIDE + 1, WIDE + 1), np.float32)  # of others, too
        spot = np.empty(3, np.int64)
        for u in range(counts[0]):
            spot[0] = counts[0] - 1 - u if ways[0] > 0 else u
            for v in range(counts[1]):
                spot[1] = counts[1] - 1 - v if ways[1] > 0 else v
                for w in range(counts[2]):
                    spot[2] = counts[2] - 1 - w if ways[2] > 0 else w
                    number = slots[spot[0], spot[1], spot[2]]
                    if number < 0:
                        continue
                    _turned(deviation[number], axis, here)
                    result = out[light, number]
                    for step in range(WIDE):
                        a = WIDE - 1 - step if sign > 0 else step
                        # The slab nearer the light, of this brick and its neighbours there.
                        for p in range(2):
                            for q in range(2):
                                i0, i1 = (0, WIDE) if p == 0 else (WIDE, WIDE + 1)
                                j0, j1 = (0, WIDE) if q == 0 else (WIDE, WIDE + 1)
                                o0, o1, o2 = spot[0], spot[1], spot[2]
                                for n in range(3):
                                    move = 0
                                    if n == axis and step == 0:
                                        move = sign
                                    if n == one and p == 1:
                                        move = step_one
                                    if n == two and q == 1:
                                        move = step_two
                                    if n == 0:
                                        o0 += move
                                    elif n == 1:
                                        o1 += move
                                    else:
                                        o2 += move
                                inside = 0 <= o0 < bx and 0 <= o1 < by and 0 <= o2 < bz
                                other = slots[o0, o1, o2] if inside else np.int32(-1)
                                slab = (0 if sign > 0 else WIDE - 1) if step == 0 else a + sign
                                for i in range(i0, i1):
                                    # Rows are counted from the side that is away from the light.
                                    x = 0 if p == 1 else i
                                    x = x if step_one > 0 else WIDE - 1 - x
                                    for j in range(j0, j1):
                                        y = 0 if q == 1 else j
                                        y = y if step_two > 0 else WIDE - 1 - y
                                        before[i, j] = out[light, other, slab, x, y] if other >= 0 else 0.0
                        for i in range(WIDE):
                            x = i if step_one > 0 else WIDE - 1 - i
                            for j in range(WIDE):
                                y = j if step_two > 0 else WIDE - 1 - j
                                came = (1 - fu) * ((1 - fv) * before[i, j] + fv * before[i, j + 1]) + fu * (
                                    (1 - fv) * before[i + 1, j] + fv * before[i + 1, j + 1]
                                )
                                result[a, x, y] = keep * came + span * here[a, x, y]


@njit(cache=True)
def _root(grams: float) -> Any:
    """The root of a density as a texel's byte."""
    least, most = np.float32(0.0), np.float32(1.0)
    share = min(max(np.float32(grams) * np.float32(1.0 / DENSEST_SEEN), least), most)
    return np.uint8(np.sqrt(share) * np.float32(255.0) + np.float32(0.5))


@njit(cache=True)
def _around_half(depth: float) -> Any:
    """A deviation of optical depth as a texel's byte: 127 is none."""
    least, most = np.float32(-1.0), np.float32(1.0)
    share = min(max(np.float32(depth) * np.float32(1.0 / DEEPEST), least), most)
    return np.uint8(share * np.float32(127.0) + np.float32(127.5))


@njit(cache=True)
def _one(turned: Float, axis: int, i: int, j: int, k: int) -> Any:
    if axis == 0:
        return turned[i, j, k]
    if axis == 1:
        return turned[j, i, k]
    return turned[k, i, j]


@njit(cache=True)
def _slice(turned: Float, axis: int, j: int, out: npt.NDArray[np.uint8]) -> None:
    """Slice j of a brick's deviations as bytes [k, i], read in the order they lie in."""
    if axis == 0:
        for i in range(WIDE):
            for k in range(WIDE):
                out[k, i] = _around_half(turned[i, j, k])
    elif axis == 1:
        for i in range(WIDE):
            for k in range(WIDE):
                out[k, i] = _around_half(turned[j, i, k])
    else:
        for k in range(WIDE):
            for i in range(WIDE):
                out[k, i] = _around_half(turned[k, i, j])


@njit(cache=True, parallel=True)
def _encode(
    density: Float,
    fine: Float,
    lit: Float,
    axes: Whole,
    slots: Whole,
    where: Whole,
    atlas: npt.NDArray[np.uint8],
) -> None:
    """Write every brick and its border into the atlas, [z, y, x, 4] texels of slots side by side."""
    bx, by, bz = slots.shape
    for row in prange(len(where)):
        number = np.int64(row)
        x0 = number % ACROSS * SLOT
        y0 = number // ACROSS % ACROSS * SLOT
        z0 = number // (ACROSS * ACROSS) * SLOT
        cells, sun, sky = fine[number], lit[0, number], lit[1, number]
        # A slice at a time, through a page that stays in the cache: the two lie in memory crosswise.
        page = np.empty((WIDE, WIDE, 4), np.uint8)
        page[:, :, 3] = 255
        for j in range(WIDE):
            for i in range(WIDE):
                for k in range(WIDE):
                    page[k, i, 0] = _root(cells[i, j, k])
            _slice(sun, axes[0], j, page[:, :, 1])
            _slice(sky, axes[1], j, page[:, :, 2])
            for k in range(WIDE):
                atlas[z0 + 1 + k, y0 + 1 + j, x0 + 1 : x0 + 1 + WIDE] = page[k]
        bi, bj, bk = where[number, 0], where[number, 1], where[number, 2]
        plain = np.empty((SLOT, SLOT, SLOT), np.float32)
        known = False
        for k in range(SLOT):
            for j in range(SLOT):
                rim = k == 0 or k == SLOT - 1 or j == 0 or j == SLOT - 1
                for i in range(0, SLOT, 1 if rim else SLOT - 1):
                    di = -1 if i == 0 else (1 if i == SLOT - 1 else 0)
                    dj = -1 if j == 0 else (1 if j == SLOT - 1 else 0)
                    dk = -1 if k == 0 else (1 if k == SLOT - 1 else 0)
                    a, b, c = bi + di, bj + dj, bk + dk
                    other = np.int32(-1)
                    if 0 <= a < bx and 0 <= b < by and 0 <= c < bz:
                        other = slots[a, b, c]
                    texel = atlas[z0 + k, y0 + j, x0 + i]
                    texel[3] = 255
                    if other >= 0:
                        p, q, r = i - 1 - di * WIDE, j - 1 - dj * WIDE, k - 1 - dk * WIDE
                        texel[0] = _root(fine[other, p, q, r])
                        texel[1] = _around_half(_one(lit[0, other], axes[0], p, q, r))
                        texel[2] = _around_half(_one(lit[1, other], axes[1], p, q, r))
                        continue
                    if not known:
                        _upsampled(density, bi, bj, bk, plain)
                        known = True
                    texel[0] = _root(plain[i, j, k])
                    texel[1] = texel[2] = 127


@njit(cache=True)
def _spread(values: Float, out: Float) -> None:
    """The largest of each cell and its 26 neighbours."""
    nx, ny, nz = values.shape
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                most = values[i, j, k]
                if k > 0:
                    most = max(most, values[i, j, k - 1])
                if k < nz - 1:
                    most = max(most, values[i, j, k + 1])
                out[i, j, k] = most
    column = np.empty((ny, nz), np.float32)
    for i in range(nx):
        column[:] = out[i]
        for j in range(ny):
            for k in range(nz):
                most = column[j, k]
                if j > 0:
                    most = max(most, column[j - 1, k])
                if j < ny - 1:
                    most = max(most, column[j + 1, k])
                out[i, j, k] = most
    kept = np.zeros((ny, nz), np.float32)
    for i in range(nx):
        column[:] = out[i]
        for j in range(ny):
            for k in range(nz):
                most = max(column[j, k], kept[j, k])
                if i < nx - 1:
                    most = max(most, out[i + 1, j, k])
                out[i, j, k] = most
        kept[:] = column


class FineVolume:
    """One frame's fine dust as textures; `fullest` (nx, ny, nz) is the most that any of a dust cell holds."""

    def __init__(
        self,
        context: moderngl.Context,
        field: DustField,
        camera: Camera,
        lights: tuple[npt.ArrayLike, npt.ArrayLike],
        refine: Refine,
    ) -> None:
        self._context, self._field, self._camera, self._refine = context, field, camera, refine
        ways = np.asarray(lights, np.float64)
        self._axes = np.abs(ways).argmax(1).astype(np.int32)
        main = np.take_along_axis(ways, self._axes[:, None], 1)[:, 0]
        self._signs = np.sign(main).astype(np.int32)
        others = [[axis for axis in range(3) if axis != one] for one in self._axes]
        self._slopes = (np.take_along_axis(ways, np.array(others), 1) / np.abs(main)[:, None]).astype(
            np.float32
        )
        self._spans = (field.voxel / FACTOR / np.abs(main)).astype(np.float32)
        self._keeps = np.exp(-self._spans / REACH).astype(np.float32)
        bx, by, bz = (-(-n // BRICK) for n in field.shape)
        self._count = (bx, by, bz)
        self._index = context.texture3d(self._count, 4, alignment=1, dtype="f4")
        self._index.filter = (moderngl.NEAREST, moderngl.NEAREST)
        self._atlas: moderngl.Texture3D | None = None
        self._ahead = texture_3d(context, field.shape, 1, "f2")
        self._ahead.filter = (moderngl.NEAREST, moderngl.NEAREST)
        self.fullest: Float = np.zeros(0, np.float32)
        self._kept: dict[str, npt.NDArray[Any]] = {}

    @property
    def textures(self) -> dict[str, Any]:
        return {"bricks": self._index, "atlas": self._atlas, "ahead": self._ahead}

    @property
    def values(self) -> dict[str, Any]:
        size = self._atlas.size if self._atlas is not None else (1, 1, 1)
        return {
            "atlas_size": np.asarray(size, np.float32),
            "voxel": float(self._field.voxel),
            "densest": DENSEST_SEEN,
            "deepest": DEEPEST,
        }

    def load(self, frame: DustFrame, density: Float, extinction: float) -> None:
        """Make a frame finer where it is seen. `density` (nx, ny, nz) is the frame's, as single floats."""
        seen = seen_bricks(density, self._field, self._camera, extinction)
        dust = self._refine(self._field, frame, seen)
        chosen = (dust.index >= 0) & seen
        where = np.argwhere(chosen).astype(np.int32)
        slots = np.full(dust.index.shape, -1, np.int32)
        slots[chosen] = np.arange(len(where), dtype=np.int32)
        fine = to_single(dust.density[dust.index[chosen]])
        air = self._brick_most(density) < HOLDS
        deviation = self._room("deviation", fine.shape, np.float32)
        self.fullest = density.copy()
        _prepare(density, air, slots, where, extinction, fine, deviation, self.fullest)
        lit = self._room("lit", (2, *fine.shape), np.float32)
        _lit(deviation, slots, where, self._axes, self._slopes, self._signs, self._spans, self._keeps, lit)
        layers = max(-(-len(where) // (ACROSS * ACROSS)), 1)
        side = ACROSS * SLOT
        if self._atlas is None or self._atlas.size[2] < layers * SLOT:
            if self._atlas is not None:
                self._atlas.release()
            self._atlas = texture_3d(self._context, (side, side, layers * SLOT), 4, "f1")
        texels = self._room("texels", (layers * SLOT, side, side, 4), np.uint8)
        _encode(density, fine, lit, self._axes, slots, where, texels)
        self._atlas.write(texels, viewport=(0, 0, 0, side, side, layers * SLOT), alignment=1)
        corners = np.zeros((*slots.shape, 4), np.float32)
        corners[chosen] = np.stack(
            [
                slots[chosen] % ACROSS * SLOT + 1,
                slots[chosen] // ACROSS % ACROSS * SLOT + 1,
                slots[chosen] // ACROSS**2 * SLOT + 1,
                np.ones(len(where)),
            ],
            axis=-1,
        )
        self._index.write(np.ascontiguousarray(corners.transpose(2, 1, 0, 3)), alignment=1)
        ahead = np.empty_like(density)
        _spread(self.fullest, ahead)
        fill(self._ahead, ahead)

    def _room(self, name: str, shape: tuple[int, ...], kind: type[Any]) -> npt.NDArray[Any]:
        """Memory that is kept from frame to frame: to be given hundreds of megabytes takes time."""
        size = math.prod(shape)
        if name not in self._kept or self._kept[name].size < size:
            self._kept[name] = np.empty(size, kind)
        return self._kept[name][:size].reshape(shape)

    def _brick_most(self, density: Float) -> Float:
        """(bx, by, bz) the largest of each brick's dust cells."""
        bx, by, bz = self._count
        full = np.zeros((bx * BRICK, by * BRICK, bz * BRICK), np.float32)
        nx, ny, nz = density.shape
        full[:nx, :ny, :nz] = density
        return np.asarray(full.reshape(bx, BRICK, by, BRICK, bz, BRICK).max((1, 3, 5)), np.float32)
