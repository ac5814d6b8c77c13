"""The renderer: from fragments, debris and dust at one frame to the layers comp works with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.dust.field import Debris, DustField
from falsework.errors import FalseworkError
from falsework.media.half import to_half, to_single
from falsework.plate.plate import Plate
from falsework.render.ambient import LightGrid
from falsework.render.context import close_context, open_context, texture_2d, texture_3d
from falsework.render.cryptomatte import CoverageTally
from falsework.render.dust_colour import dust_albedo
from falsework.render.fine_volume import Refine
from falsework.render.geometry import Chips, FragmentBuffers, camera_uniforms, sub_frame_poses
from falsework.render.layers import Layers
from falsework.render.noise import lobe_noise
from falsework.render.settings import RenderSettings
from falsework.render.shadows import SunMap
from falsework.render.standing import SetShade, Standing
from falsework.render.surfaces import SurfacePass, sample_offsets, sub_frame_times
from falsework.render.targets import Targets
from falsework.render.volume import EXTINCTION, DustVolume

__all__ = ["Renderer"]

Float = npt.NDArray[np.float32]
Half = npt.NDArray[np.float16]

OPENGL = ("vendor", "renderer", "version")  # of the driver's strings
NOISE_SIZE = 72
STRIP = 256  # rows
# Channels of the layers that are empty before anything falls.
NOTHING = {"surface": 4, "dust": 4, "dust_front": 4, "normal": 3, "motion": 2, "albedo": 3}


def _soft_at_steps(dust: Half, front: Half, depth: Float) -> None:
    """Blur dust (H, W, 4) by a pixel where `depth` (H, W) jumps and nothing stands before it (`front`).

    Surfaces have soft edges there, and dust that stops at one depth a pixel would draw a jagged one.
    """
    cross = np.ones((3, 3), np.uint8)
    reach = 2  # rows that decide about a pixel, on either side
    height = len(depth)
    above: Half | None = None  # the rows above the strip as they were
    # In strips, or the intermediate pictures of a large frame take a gigabyte.
    for top in range(0, height, STRIP):
        low, high = max(top - reach, 0), min(top + STRIP + reach, height)
        inner = slice(top - low, min(top + STRIP, height) - low)
        known = np.where(depth[low:high] > 0, depth[low:high], 600.0).astype(np.float32)
        jump = cv2.dilate(known, cross) > 1.04 * cv2.erode(known, cross)
        where = cv2.dilate(jump.astype(np.uint8), cross)[inner] > 0
        where &= front[top : top + STRIP, :, 3] == 0
        strip = to_single(dust[low:high])
        if above is not None:
            strip[: inner.start] = above
        above = dust[max(top + STRIP - reach, 0) : top + STRIP].copy()
        if where.any():
            soft = to_half(np.asarray(cv2.GaussianBlur(strip, (5, 5), 1.1)[inner], np.float32))
            np.copyto(dust[top : top + STRIP], soft, where=where[..., None])


class Renderer:
    """Draws frames of one shot. Holds an OpenGL context; `close()` gives it back.

    The same inputs give the same layers bit for bit on one machine, in whatever order frames are asked for.
    relief: how far dust is carved into lobes finer than its grid; 0 draws the grid as it is, for a comparison
    with a renderer that is given the same grid. refine: what makes dust finer than its grid, instead of that.
    """

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
    ) -> None:
        # Of the plate no picture is kept: what is needed goes into textures.
        self._camera, self._light, self._pad_top = plate.camera, plate.light, plate.pad_top
        self._motion, self._debris, self._settings = motion, debris, settings
        self._context = context = open_context()
        largest = context.info.get("GL_MAX_TEXTURE_SIZE", 16384)
        if max(plate.camera.width, plate.camera.height + plate.pad_top) > largest:
            raise FalseworkError(
                f"this OpenGL draws pictures of at most {largest} pixels",
                where="plate",
                todo="Give `plate.size` a smaller delivery size.",
            )
        camera = plate.camera
        self._start = np.where(motion.moved.any(0), motion.moved.argmax(0), motion.frames).astype(np.int32)
        self._albedo = dust_albedo(plate, settings)
        values = lobe_noise(NOISE_SIZE)
        self._noise = texture_3d(context, (NOISE_SIZE,) * 3, 4, "f1", repeat=True)
        self._noise.write(values.tobytes())
        self._buffers = FragmentBuffers(context, fragments)
        self._chips = Chips(context, debris, camera)
        targets = Targets(context, (camera.width, camera.height))
        self._surfaces = SurfacePass(context, camera, self._buffers, self._chips, self._noise, targets)
        self._volume = DustVolume(
            context,
            dust,
            camera,
            self._noise,
            values,
            plate.light.sun_direction,
            targets,
            take=settings.take,
            refine=refine,
        )
        self._volume.relief = relief
        self._grid = LightGrid(context, fragments, dust, plate.set_planes, plate.light, seed=seed)
        low, high = fragments.vertices.min(0), fragments.vertices.max(0)
        reach = np.array([0.8, 0.8, 0.0], np.float32) * (high[2] - low[2]) + np.array(
            [2.0, 2.0, 1.0], np.float32
        )
        self._sun = SunMap(context, plate.light, low - reach, high + reach, plate.set_planes)
        self._sun_fragments = self._buffers.array(context, self._sun.program)
        self._sun_chips = self._chips.array(context, self._sun.world_program)
        self._facade = texture_2d(context, plate.facade, linear=True)
        self._building = texture_2d(context, plate.building, linear=True)
        known = (plate.occluder > 0) & np.isfinite(plate.occluder_depth)
        occluder = np.where(known, plate.occluder_depth, np.inf).astype(np.float32)
        # Comp keeps an occluder's own light, which a completed facade spills over the matte's rim; dust has
        # to cover that rim too, or it would shine through as an outline.
        rim = 2 * max(2, round(0.003 * camera.width)) + 1
        spread = cv2.erode(occluder, np.ones((rim, rim), np.uint8), borderType=cv2.BORDER_REPLICATE)
        self._occluder = texture_2d(context, np.where(np.isfinite(spread), spread, 0.0).astype(np.float32))
        self._tally = CoverageTally(len(fragments), fragments.face_fragment, camera.height, camera.width)

        # What the standing building looks like.
        self._buffers.bind()
        self._chips.bind()
        self._buffers.poses.write(self._buffers.rest_pose)
        self._surfaces.see((0.0, 0.0), chips=False)
        faces, depth = self._surfaces.read_faces(), self._surfaces.read_depth()
        self._standing = Standing(context, plate, fragments, faces, depth)
        del faces, depth
        self._draw_sun(self._sun.rest_map, chips=False)
        self._sun.draw(self._sun.bare_map)
        self._grid.update(self._buffers.rest_pose, None, 0.0, rest=True)
        self._grid.update(None, None, 0.0)
        self._set = SetShade(context, plate, self._standing, targets)
        self._set.remember(
            {
                "sun_map": self._sun.rest_map[0],
                "core": self._grid.rest_core,
                "sides": self._grid.rest_sides,
            },
            {"sun_map": self._sun.bare_map[0], "core": self._grid.core, "sides": self._grid.sides},
            self._light_values(),
        )

    def _light_values(self) -> dict[str, Any]:
        light = self._light
        return {
            **camera_uniforms(self._camera),
            **self._sun.uniforms,
            **self._grid.uniforms,
            "sun_direction": np.asarray(light.sun_direction, np.float32),
            "sun": np.asarray(light.sun, np.float32),
            "sky": np.asarray(light.sky, np.float32),
            "bounce": np.asarray(light.bounce, np.float32),
            "shade": np.asarray(light.shade, np.float32),
            "shade_softness": float(max(light.shade_softness, 1e-3)),
        }

    # ---- one frame -------------------------------------------------------------------------------------

    def frame(self, index: int) -> Layers:
        """Layers of frame `index` (0 is the shot's first)."""
        return Layers(**{name: to_single(image) for name, image in self.layers(index)})

    def layers(self, index: int) -> Iterator[tuple[str, Float | Half]]:
        """The layers of frame `index` one by one, each as soon as it is drawn, as (field of Layers, image).

        Half floats where no more is known. Nothing that is drawn later needs them, so that a large frame
        need not be held whole; the arrays must not be changed.
        """
        if not 0 <= index < self._motion.frames:
            raise FalseworkError(f"there is no frame {index}", where="render", todo="Mend the frame range.")
        following = min(index + 1, self._motion.frames - 1)
        moving = self._start <= following
        dusty = self._load_dust(index)
        self._tally.begin()
        if not (moving.any() or dusty or self._chips.any_born(index)):
            yield from self._still()
            return
        samples = self._settings.samples
        self._buffers.bind()
        self._chips.bind()
        self._pose(index, index, moving)
        self._grid.update(self._present, self._volume.density, EXTINCTION * self._settings.dust_density)
        self._draw_sun(self._sun.map, chips=True)
        stands = self._standing.stand(moving)
        values = self._light_values() | {
            "pad_top": float(self._pad_top),
            "dust_albedo": self._albedo,
            "rest_corner": self._standing.corner,
        }
        textures = {
            "rest_far": self._standing.far,
            "standing": self._standing.state,
            "facade": self._facade,
            "building": self._building,
            "sun_map": self._sun.map[0],
            "rest_sun_map": self._sun.rest_map[0],
            "core": self._grid.core,
            "sides": self._grid.sides,
            "rest_core": self._grid.rest_core,
            "rest_sides": self._grid.rest_sides,
        }

        # The instant in the shutter's middle: what is measured, and how deep the dust may reach.
        self._buffers.next_poses.write(self._pose_at(following, moving))
        self._surfaces.see((0.0, 0.0))
        self._surfaces.measure(textures, values)
        depth = self._surfaces.read_depth()
        yield "normal", self._normal(stands, depth)
        yield "motion", self._surfaces.motion()
        yield "albedo", self._surfaces.albedo()
        self._fill(depth, stands)
        yield "depth", np.where(depth > 0, depth, np.float32(np.inf))

        self._surfaces.begin()
        times = sub_frame_times(index, self._settings.shutter, samples)
        for number, (time, jitter) in enumerate(zip(times, sample_offsets(samples), strict=True)):
            self._pose(time, index, moving)
            self._surfaces.see(jitter)
            self._surfaces.add(textures, values, jitter, number)
            self._tally.add(self._surfaces.read_faces())
        yield "crypto", self._tally.ranked()
        yield "surface", self._surfaces.surface(samples)
        yield "hold", self._surfaces.hold(samples)
        now = {"sun_map": self._sun.map[0], "core": self._grid.core, "sides": self._grid.sides}
        yield "shadow", self._set.draw(now, self._light_values())

        if dusty:
            self._surfaces.depths.write(depth)
            dust, front = self._volume.draw(
                self._surfaces.depths,
                self._occluder,
                self._grid.core,
                self._light_values(),
                self._albedo,
                index,
            )
            _soft_at_steps(dust, front, depth)
        else:
            dust, front = (np.zeros((*depth.shape, 4), np.float16) for _ in range(2))
        yield "dust", dust
        yield "dust_front", front

    def _normal(self, stands: npt.NDArray[np.bool_], seen: Float) -> Half:
        """Normals as measured, and those at rest where the building stands untouched."""
        normal = self._surfaces.normal()
        part = normal[self._standing.part]
        untouched = stands & (seen[self._standing.part] > 0) & ~part.any(-1)
        part[untouched] = self._standing.normal[untouched]
        return normal

    def _fill(self, depth: Float, stands: npt.NDArray[np.bool_]) -> None:
        """Put the depth of the standing building, then that of the clean plate, where nothing is seen."""
        part = depth[self._standing.part]
        np.copyto(part, self._standing.depth, where=stands & (part == 0))
        # Where the clean plate shows the sky, so does the picture.
        clean = self._set.clean_depth
        np.copyto(depth, clean, where=depth == 0)

    def _load_dust(self, index: int) -> bool:
        if self._settings.dust_density <= 0 or index >= self._volume.field.frames:
            return False
        self._volume.load(self._volume.field.frame(index), self._settings.dust_density)
        return self._volume.active

    def _pose_at(self, time: float, moving: npt.NDArray[np.bool_]) -> Float:
        pose = sub_frame_poses(self._motion, time, self._start)
        pose[~moving] = self._buffers.rest_pose[~moving]
        return pose

    def _pose(self, time: float, frame: int, moving: npt.NDArray[np.bool_]) -> None:
        self._present = self._pose_at(time, moving)
        self._buffers.poses.write(self._present)
        self._chips.at(time, frame)

    def _draw_sun(self, target: Any, *, chips: bool) -> None:
        def fragments() -> None:
            self._sun_fragments.render()

        def debris() -> None:
            self._sun_chips.render(vertices=self._chips.shown * 36)

        self._sun.draw(target, fragments, *([debris] if chips and self._chips.shown else []))

    def _still(self) -> Iterator[tuple[str, Float | Half]]:
        """A frame in which nothing has happened yet: the plate, and what can be measured of it."""
        shape = (self._camera.height, self._camera.width)
        self._buffers.bind()
        self._buffers.poses.write(self._buffers.rest_pose)
        for jitter in sample_offsets(self._settings.samples):
            self._surfaces.see(jitter, chips=False)
            self._tally.add(self._surfaces.read_faces())
        yield "crypto", self._tally.ranked()
        depth = self._set.clean_depth.copy()
        np.copyto(depth[self._standing.part], self._standing.depth, where=self._standing.depth > 0)
        yield "depth", np.where(depth > 0, depth, np.float32(np.inf))
        hold = np.zeros(shape, np.float16)
        hold[self._standing.part] = self._standing.belongs
        yield "hold", hold
        yield "shadow", np.ones((*shape, 3), np.float16)
        for name, channels in NOTHING.items():
            yield name, np.zeros((*shape, channels), np.float16)

    @property
    def opengl(self) -> dict[str, str]:
        """Who draws: vendor, renderer and version of the OpenGL driver."""
        return {key: str(self._context.info.get(f"GL_{key.upper()}", "")) for key in OPENGL}

    def close(self) -> None:
        """Give the OpenGL context and all it holds back."""
        close_context(self._context)

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
