"""What a learned shader is told of a frame: surfaces, the light that can reach them, coarse dust; nothing
lit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.dust.field import Debris, DustField
from falsework.plate.camera import Camera
from falsework.plate.plate import Plate
from falsework.render.ambient import DENSEST
from falsework.render.context import FullScreen, shader, texture_2d, texture_3d
from falsework.render.fine_volume import Refine
from falsework.render.geometry import camera_uniforms
from falsework.render.layers import Layers
from falsework.render.renderer import Renderer
from falsework.render.settings import RenderSettings
from falsework.render.shadows import surface_normals
from falsework.render.targets import read_picture
from falsework.render.volume import EXTINCTION

__all__ = ["CHANNELS", "KINDS", "MEASURED", "GBufferRenderer"]

Float = npt.NDArray[np.float32]
Half = npt.NDArray[np.float16]

# What a pixel shows, in the order of the channel "kind".
KINDS = ("sky", "set", "standing house", "piece with the plate's pixels", "piece's inside", "chip")
# Channels of each picture, and what they are. Metres, radians, world axes; light of the plate's exposure.
CHANNELS: dict[str, tuple[int, str]] = {
    "kind": (1, "which of KINDS a pixel's centre shows"),
    "depth": (1, "metres along the optical axis, infinite for sky"),
    "normal": (3, "world, towards the camera; zero for sky"),
    "albedo": (3, "of pieces and chips with the dust that lies on them; zero elsewhere"),
    "coat": (1, "share of the surface that settled dust covers"),
    "motion": (2, "pixels to the next frame"),
    "plate": (3, "radiance that the plate (or clean plate) has for this surface"),
    "rest_light": (3, "irradiance the plate's pixels of a moving piece were lit with at rest"),
    "sun_seen": (1, "share of the sun's disc past solids"),
    "sun_through": (1, "share of sunlight past dust"),
    "sky_seen": (
        6,
        "share of the sky at the zenith, in the four directions 30 degrees up, and of the ground",
    ),
    "near": (1, "share of light that things within a metre leave (screen space)"),
    "dust_through": (1, "transmittance of the coarse dust before the surface"),
    "dust_sun": (1, "singly scattered sunlight, for a sun of irradiance 1 and dust of albedo 1"),
    "dust_sky": (1, "the same for skylight"),
    "dust_depth": (1, "mean depth of what scatters, metres; 0 for none"),
}

# Layers that say where things are and what of.
MEASURED = ("normal", "motion", "albedo", "depth")


class GBufferRenderer(Renderer):
    """Draws frames as `Renderer` does, and says what it knew of them: of every `every`th pixel of every
    `every`th row."""

    def __init__(
        self,
        plate: Plate,
        fragments: Fragments,
        motion: Motion,
        debris: Debris,
        dust: DustField,
        settings: RenderSettings,
        *,
        seed: int,
        relief: float = 1.0,
        refine: Refine | None = None,
        every: int = 1,
    ) -> None:
        super().__init__(
            plate, fragments, motion, debris, dust, settings, seed=seed, relief=relief, refine=refine
        )
        context, self._every = self._context, every
        self._first = (every - 1) // 2
        self._view = camera = _every_pixel(plate.camera, every, self._first)
        size = (camera.width, camera.height)
        self._picture = self._part(plate.facade[plate.pad_top :])
        self._clean = self._part(plate.clean)
        self._clean_normal = surface_normals(camera, self._part(plate.clean_depth))
        # The plate's texture in the same pixels: from its first row on that is one of them.
        row = (plate.pad_top + self._first) % every
        self._view_top = (plate.pad_top + self._first - row) // every
        self._view_facade, self._view_building = self._facade, self._building
        if every > 1:
            self._view_facade, self._view_building = (
                texture_2d(context, image[row::every, self._first :: every], linear=True)
                for image in (plate.facade, plate.building)
            )
        self._told = [context.texture(size, 4, dtype="f4") for _ in range(5)]
        self._told_frame = context.framebuffer(self._told)
        self._coarse = context.texture(size, 4, dtype="f4")
        self._coarse_frame = context.framebuffer([self._coarse])
        self._filled = [context.texture(size, channels, dtype="f4") for channels in (1, 3)]
        self._view_ids = context.texture(size, 1, dtype="u4")
        self._view_depths = context.texture(size, 1, dtype="f4")
        self._tell = FullScreen(context, shader("gbuffer.frag"))
        self._march = FullScreen(context, shader("dustcoarse.frag"))
        self._sigma = texture_3d(context, dust.shape, 1, "f4") if min(dust.shape) > 0 else None
        self.density_scale = settings.dust_density

    def __enter__(self) -> Self:
        return self

    @property
    def dust_albedo(self) -> Float:
        """(3,) of the dust, in the air and settled."""
        return self._albedo

    @property
    def dust_field(self) -> DustField:
        return self._volume.field

    def sigma(self) -> Float | None:
        """Extinction per metre (nx, ny, nz) on the dust's grid in the frame last drawn; None without dust.

        As Cycles is told it: light enters the thickest dust between lobes finer than a cell.
        """
        density = self._volume.density
        if density is None:
            return None
        sigma = density * np.float32(EXTINCTION * self.density_scale)
        return np.asarray(sigma / (1 + sigma / DENSEST), np.float32)

    def told(self, index: int) -> tuple[dict[str, npt.NDArray[Any]], Layers]:
        """What `tell` says of frame `index`, and its layers as ever."""
        layers = self.frame(index)
        return self.tell(index, {name: self._part(getattr(layers, name)) for name in MEASURED}), layers

    def tell(self, index: int, measured: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Pictures of frame `index` by the names of CHANNELS, (h, w[, channels]).

        Half floats but for depth (float32) and kind (uint8); all at the pixels' centres, at the shutter's
        middle. `measured`: of the layers of that frame, last drawn, those of MEASURED in the same pixels."""
        following = min(index + 1, self._motion.frames - 1)
        moving = self._start <= following
        self._buffers.bind()
        self._chips.bind()
        self._pose(index, index, moving)
        self._surfaces.see((0.0, 0.0))
        stand = np.zeros((self._camera.height, self._camera.width), np.bool_)
        stand[self._standing.part] = self._standing.stand(moving)
        stands = self._part(stand)
        drawn = measured["albedo"].any(-1)
        known = np.isfinite(measured["depth"])
        normal = np.where(
            (drawn | stands)[..., None] & measured["normal"].any(-1, keepdims=True), measured["normal"], 0.0
        )
        normal = np.where(normal.any(-1, keepdims=True), normal, self._clean_normal * known[..., None])
        depth = np.where(known, measured["depth"], 0.0).astype(np.float32)
        sun, sky, sides, rest, plate = self._look(depth, normal.astype(np.float32))
        kind = np.where(known, 1, 0) + (stands & ~drawn & known)
        kind = np.where(drawn, np.where(sky[..., 3] > 0.5, 5, np.where(sky[..., 2] > 0.5, 3, 4)), kind)
        shown = np.where((kind == 2)[..., None], self._picture, self._clean)
        piece = (kind == 3)[..., None]
        dust = self._scatter()
        pictures = {
            "normal": normal,
            "albedo": measured["albedo"],
            "coat": np.where(kind >= 3, sun[..., 3], 0.0),
            "motion": measured["motion"],
            "plate": np.where(piece, plate[..., :3], np.where((kind >= 4)[..., None], 0.0, shown)),
            "rest_light": np.where(piece, rest[..., :3], 0.0),
            "sun_seen": sun[..., 0],
            "sun_through": sun[..., 1],
            "sky_seen": np.concatenate([sky[..., :1], sides, sky[..., 1:2]], axis=-1),
            "near": np.where(kind >= 3, sun[..., 2], 1.0),
            "dust_through": dust[..., 0],
            "dust_sun": dust[..., 1],
            "dust_sky": dust[..., 2],
            "dust_depth": dust[..., 3],
        }
        told: dict[str, npt.NDArray[Any]] = {
            "kind": kind.astype(np.uint8),
            "depth": np.where(known, measured["depth"], np.inf).astype(np.float32),
        }
        told |= {name: image.astype(np.float16) for name, image in pictures.items()}
        return {name: told[name] for name in CHANNELS}

    def _part(self, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The pixels of a whole picture that are told of."""
        return image[self._first :: self._every, self._first :: self._every]

    def plain_dust(self, index: int, layers: Layers) -> Half:
        """The dust layer (H, W, 4) of frame `index`, as its grid is and not carved into lobes: what a path
        tracer that is given the grid is compared with. `layers` are that frame's, last drawn."""
        carved, self._volume.relief = self._volume.relief, 0.0
        try:
            if not self._load_dust(index):
                return np.zeros(layers.dust.shape, np.float16)
            depth = np.where(np.isfinite(layers.depth), layers.depth, 0.0).astype(np.float32)
            self._surfaces.depths.write(depth)
            values = self._light_values()
            drawn = self._volume.draw(
                self._surfaces.depths, self._occluder, self._grid.core, values, self._albedo, index
            )
            return drawn[0].astype(np.float16)
        finally:
            self._volume.relief = carved

    def _look(self, depth: Float, normal: Float) -> list[Float]:
        self._filled[0].write(np.ascontiguousarray(depth), alignment=1)
        self._filled[1].write(np.ascontiguousarray(normal), alignment=1)
        ids, depths = self._surfaces.ids, self._surfaces.depths
        if self._every > 1:
            ids, depths = self._view_ids, self._view_depths
            ids.write(np.ascontiguousarray(self._part(self._surfaces.read_faces())), alignment=1)
            depths.write(np.ascontiguousarray(self._part(self._surfaces.read_depth())), alignment=1)
        textures = {
            "ids": ids,
            "depths": depths,
            "filled_depth": self._filled[0],
            "filled_normal": self._filled[1],
            "facade": self._view_facade,
            "building": self._view_building,
            "sun_map": self._sun.map[0],
            "rest_sun_map": self._sun.rest_map[0],
            "core": self._grid.core,
            "sides": self._grid.sides,
            "rest_core": self._grid.rest_core,
            "rest_sides": self._grid.rest_sides,
            "noise": self._noise,
        }
        self._told_frame.use()
        self._context.viewport = (0, 0, self._view.width, self._view.height)
        self._context.enable_only(0)
        self._tell(textures, **self._view_values(), pad_top=float(self._view_top))
        return [read_picture(target) for target in self._told]

    def _view_values(self) -> dict[str, Any]:
        return self._light_values() | camera_uniforms(self._view)

    def _scatter(self) -> Float:
        sigma = self.sigma()
        if sigma is None or self._sigma is None:
            nothing = np.zeros((self._view.height, self._view.width, 4), np.float32)
            nothing[..., 0] = 1.0
            return nothing
        self._sigma.write(np.ascontiguousarray(sigma.transpose(2, 1, 0)), alignment=1)
        field = self._volume.field
        values = {
            "dust_low": np.asarray(field.origin, np.float32),
            "dust_extent": (np.asarray(field.shape) * field.voxel).astype(np.float32),
            "dust_step": 0.6 * field.voxel,
        }
        self._coarse_frame.use()
        self._context.viewport = (0, 0, self._view.width, self._view.height)
        self._context.enable_only(0)
        textures = {"sigma": self._sigma, "core": self._grid.core, "filled_depth": self._filled[0]}
        self._march(textures, **self._view_values(), **values)
        return read_picture(self._coarse)


def _every_pixel(camera: Camera, every: int, first: int) -> Camera:
    """The camera whose pixels are every `every`th of another's, from pixel `first` on: the same rays."""
    return replace(
        camera,
        width=len(range(first, camera.width, every)),
        height=len(range(first, camera.height, every)),
        focal=camera.focal / every,
        centre=(
            (camera.centre[0] - first - 0.5) / every + 0.5,
            (camera.centre[1] - first - 0.5) / every + 0.5,
        ),
    )
