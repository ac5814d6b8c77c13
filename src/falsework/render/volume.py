"""The dust as the camera sees it: density, noise that travels with the flow, the march."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import moderngl
import numpy as np
import numpy.typing as npt
from numba import njit

from falsework.dust.field import DustField, DustFrame
from falsework.media.half import to_half, to_single
from falsework.plate.camera import Camera
from falsework.render.ambient import DENSEST, sweep
from falsework.render.carving import CONTRAST, LOOSE, TILE, carve, keeps_shape, lobes, relaxed, smoothed
from falsework.render.context import FullScreen, shader, texture_3d
from falsework.render.fine_volume import FineVolume, Refine
from falsework.render.grids import fill
from falsework.render.targets import Targets, read_picture
from falsework.seeds import generator

__all__ = ["EXTINCTION", "DustVolume"]

Float = npt.NDArray[np.float32]
Half = npt.NDArray[np.float16]

# Mass extinction of mineral dust of a few micrometres, m2/g (0.5 to 1 in the literature on desert and
# demolition dust).
EXTINCTION = 0.6
BLOCK = 4
RELAX = 2.2  # detail cells
SLOPE = 0.9  # metres: standard deviation of the smoothing that gives noise a slope to carve
# From behind the camera and above, where a street is open: what models the cloud where no sun comes.
SKY_SIDE = np.array([-0.22, -0.42, 0.8805])
HAZE, FULL = 0.25, 1.3  # g/m3: below the first dust is soft haze, above the second it has hard lobes


@njit(cache=True)
def _fullest(density: Float, block: int, out: Float) -> None:
    nx, ny, nz = density.shape
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                if density[i, j, k] > out[i // block, j // block, k // block]:
                    out[i // block, j // block, k // block] = density[i, j, k]


def _offsets(frame: DustFrame, *names: str | int) -> npt.NDArray[np.float64]:
    """Where each layer's noise lies, (2, 3) metres."""
    seeds = [generator(0, "dust layer", int(seed), *names) for seed in frame.layer_seed]
    return np.array([seed.random(3) * TILE for seed in seeds])


class DustVolume:
    """One frame's dust on the graphics side, and the pass that draws it.

    relief   0 draws the grid as it is, 1 carves it into lobes, or has it made finer by `refine`
    take     other noise for another number
    """

    def __init__(
        self,
        context: moderngl.Context,
        field: DustField,
        camera: Camera,
        noise: moderngl.Texture3D,
        noise_values: npt.NDArray[np.uint8],
        sun_direction: npt.NDArray[np.float64],
        targets: Targets,
        *,
        take: int = 0,
        refine: Refine | None = None,
    ) -> None:
        self.field = field
        self.take = take
        self.relief = 1.0
        self.active = False
        self.density: Float | None = None
        self._context = context
        self._noise, self._noise_values = noise, noise_values
        self._sun_direction = sun_direction
        self._camera = camera
        self._reach = FullScreen(context, shader("dustreach.frag"))
        self._march = FullScreen(context, shader("dust.frag"))
        self._fine: FineVolume | None = None
        if refine is not None and min(field.shape) > 0:
            self._fine = FineVolume(context, field, camera, (sun_direction, SKY_SIDE), refine)
            self._march_fine = FullScreen(context, shader("dustfine.frag"))
        self._extent = (np.asarray(field.shape) * field.voxel).astype(np.float32)
        self._textures: dict[str, moderngl.Texture3D] = {}
        self._values: dict[str, Any] = {}
        self._targets = targets.halves
        self._starts = context.texture(targets.size, 1, dtype="f4")
        self._starts.filter = (moderngl.NEAREST, moderngl.NEAREST)
        self._reach_frame = context.framebuffer([self._starts], targets.marks)
        self._frame = context.framebuffer(targets.halves, targets.marks)

    def load(self, frame: DustFrame, density_scale: float) -> None:
        """Take over one frame of the field; `active` says whether there is any dust in it."""
        density = to_single(frame.density)
        self.active = density_scale > 0 and bool(density.max() > 1e-3)
        self.density = density if self.active else None
        if not self.active:
            return
        self._values = {
            "dust_low": np.asarray(self.field.origin, np.float32),
            "dust_extent": self._extent,
            "block_count": np.asarray(self.field.shape, np.float32) / BLOCK,
            "extinction": EXTINCTION * density_scale,
        }
        cover, lump, billow, grams, moved, offsets = self._carve(frame, density)
        for name, layer in zip(("detail_first", "detail_second"), moved, strict=True):
            self._write(name, *np.moveaxis(layer, -1, 0))
        self._values |= {
            "layer_weight": np.asarray(frame.weight, np.float32),
            "layer_offset_first": offsets[0].astype(np.float32),
            "layer_offset_second": offsets[1].astype(np.float32),
        }
        if self._fine is not None and self.relief > 0:
            # Lobes larger than a cell are still noise's: the simulation smears them, and what makes dust
            # finer keeps to the cells' means.
            lobes(density, cover, lump, billow, self.field.origin[2], self.field.voxel, grams)
            self._fine.load(replace(frame, density=to_half(grams)), grams, self._values["extinction"])
            self._write_fullest(np.maximum(grams, self._fine.fullest))
            self._write("plain", grams, cover)
            self._write_light(grams)
            return
        self._write_fullest(np.maximum(density, cover))
        self._write("density", density, cover, billow, lump)
        self._write_light(grams if self.relief > 0 else density)

    def _write_fullest(self, most: Float) -> None:
        blocks = np.zeros([-(-n // BLOCK) for n in most.shape], np.float32)
        _fullest(most, BLOCK, blocks)
        self._write("fullest", blocks)

    def _write_light(self, grams: Float) -> None:
        # Light enters between lobes finer than a cell, so the thickest dust never counts in full.
        sigma = grams * self._values["extinction"]
        sigma /= 1 + sigma / DENSEST
        towards_sun = np.minimum(sweep(sigma, self._sun_direction, self.field.voxel), 60.0)
        towards_sky = np.minimum(sweep(sigma, SKY_SIDE, self.field.voxel), 60.0)
        self._write("towards_light", towards_sun, towards_sky)

    def _carve(
        self, frame: DustFrame, density: Float
    ) -> tuple[Float, Float, Float, Float, Float, npt.NDArray[np.float64]]:
        """Smoothed cover, density of the nearest full cells, noise, carved density (nx, ny, nz) each; both
        layers' displacement and how well they keep their shape (2, mx, my, mz, 4); their offsets (2, 3)."""
        voxel = self.field.voxel
        # Lobes are as deep as the cover's slope is wide: the simulation's fronts, a cell or two across, are
        # smoothed over a metre, and noise decides where in that slope the surface lies.
        share = np.clip((density - HAZE) / (FULL - HAZE), 0, 1)
        share *= share * (3 - 2 * share)
        cover = smoothed(share, SLOPE / voxel)
        lump = smoothed(share * density, SLOPE / voxel)
        lump /= np.maximum(cover, 1e-3)
        moved = to_single(frame.detail)
        keeps = np.stack([keeps_shape(layer, voxel * self.field.coarse) for layer in moved])
        # Where the flow has torn the noise into hair, it is looked up as a wider stretch of air has moved.
        wide = np.stack([relaxed(layer, RELAX) for layer in moved])
        moved = wide + (moved - wide) * keeps[..., None]
        moved = np.concatenate([moved, np.sqrt(keeps)[..., None]], axis=-1)
        # A take has other lobes upon the same masses. How much of a puff there is, the wider octaves decide:
        # a young one is no larger than they are, and would be there in one take and hardly in another.
        wide_offsets = _offsets(frame)
        offsets = _offsets(frame, "take", self.take) if self.take else wide_offsets
        billow, grams = np.empty_like(density), np.empty_like(density)
        weight = np.asarray(frame.weight, np.float32)
        low = np.asarray(self.field.origin, np.float32)
        carve(
            density,
            cover,
            lump,
            self._noise_values,
            moved,
            weight,
            offsets,
            wide_offsets,
            low,
            voxel,
            self.field.coarse,
            billow,
            grams,
        )
        return cover, lump, billow, grams, moved, offsets

    def _write(self, name: str, *channels: Float) -> None:
        texture = self._textures.get(name)
        if texture is None:
            nx, ny, nz = channels[0].shape
            texture = self._textures[name] = texture_3d(self._context, (nx, ny, nz), len(channels), "f2")
        fill(texture, *channels)

    def draw(
        self,
        depths: moderngl.Texture,
        occluder_depth: moderngl.Texture,
        core: moderngl.Texture3D,
        light: dict[str, Any],
        albedo: npt.NDArray[np.float32],
        number: int,
    ) -> tuple[Half, Half]:
        """`Layers.dust` and `Layers.dust_front`, (H, W, 4) each."""
        textures: dict[str, Any] = {
            **self._textures,
            "noise": self._noise,
            "core": core,
            "depths": depths,
            "occluder_depth": occluder_depth,
            "starts": self._starts,
        }
        values = {
            **light,
            **self._values,
            "relief": self.relief,
            "contrast": CONTRAST,
            "loose": LOOSE,
            "tile": TILE,
            "frame_number": float(number),
            "dust_albedo": albedo,
            "sky_side": SKY_SIDE,
        }
        march = self._march
        if self._fine is not None and self.relief > 0:
            march = self._march_fine
            textures |= self._fine.textures | {"density": self._textures["plain"]}
            values |= self._fine.values
        self._context.viewport = (0, 0, self._camera.width, self._camera.height)
        self._frame.use()
        self._frame.clear()
        # Only rays that meet dust are marched (software OpenGL runs a shader's every branch on every pixel).
        self._context.enable_only(moderngl.DEPTH_TEST)
        self._context.depth_func = "1"
        self._reach_frame.use()
        self._reach(textures, **values)
        self._context.depth_func = ">"
        self._frame.use()
        self._frame.depth_mask = False
        march(textures, **values)
        self._frame.depth_mask = True
        self._context.depth_func = "<"
        dust, front = (read_picture(target) for target in self._targets)
        return dust.astype(np.float16, copy=False), front.astype(np.float16, copy=False)
