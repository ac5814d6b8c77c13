"""The renderer: from fragments, debris and dust at one frame to the layers comp works with."""

from __future__ import annotations

from typing import Any

import cv2
import moderngl
import numpy as np
import numpy.typing as npt

from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.dust.field import Debris, DustField
from falsework.errors import FalseworkError
from falsework.plate.plate import Plate
from falsework.render.ambient import LightGrid
from falsework.render.context import FullScreen, open_context, shader, texture_2d, texture_3d
from falsework.render.cryptomatte import CoverageTally
from falsework.render.geometry import Chips, FragmentBuffers, camera_uniforms, sub_frame_poses
from falsework.render.layers import Layers
from falsework.render.noise import lobe_noise
from falsework.render.settings import RenderSettings
from falsework.render.shadows import BRIGHTEST, SunMap, surface_normals
from falsework.render.surfaces import SurfacePass, sample_offsets, sub_frame_times
from falsework.render.volume import EXTINCTION, DustVolume

__all__ = ["Renderer"]

Float = npt.NDArray[np.float32]

OPENGL = ("vendor", "renderer", "version")  # of the driver's strings
NOISE_SIZE = 72


def _soft_at_steps(dust: Float, front: Float, depth: Float) -> Float:
    """Dust (H, W, 4) blurred by a pixel where `depth` (H, W) jumps and nothing stands before it (`front`).

    Surfaces have soft edges there, and dust that stops at one depth a pixel would draw a jagged one.
    """
    known = np.where(depth > 0, depth, 600.0).astype(np.float32)
    cross = np.ones((3, 3), np.uint8)
    jump = cv2.dilate(known, cross) > 1.04 * cv2.erode(known, cross)
    where = (cv2.dilate(jump.astype(np.uint8), cross) > 0) & (front[..., 3] == 0)
    soft = cv2.GaussianBlur(dust, (5, 5), 1.1)
    return np.where(where[..., None], soft, dust).astype(np.float32)


class Renderer:
    """Draws frames of one shot. Holds an OpenGL context; `close()` gives it back.

    The same inputs give the same layers bit for bit on one machine, in whatever order frames are asked for.
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
    ) -> None:
        self._plate, self._motion, self._debris, self._settings = plate, motion, debris, settings
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
        self._albedo = self._dust_albedo()
        values = lobe_noise(NOISE_SIZE)
        self._noise = texture_3d(context, (NOISE_SIZE,) * 3, 4, "f1", repeat=True)
        self._noise.write(values.tobytes())
        self._buffers = FragmentBuffers(context, fragments)
        self._chips = Chips(context, debris, camera)
        self._surfaces = SurfacePass(context, camera, fragments, self._buffers, self._chips, self._noise)
        self._volume = DustVolume(context, dust, camera, self._noise, values, plate.light.sun_direction)
        self._grid = LightGrid(context, fragments, dust, plate.set_planes, plate.light, seed=seed)
        low, high = fragments.vertices.min(0), fragments.vertices.max(0)
        reach = np.array([0.8, 0.8, 0.0], np.float32) * (high[2] - low[2]) + np.array(
            [2.0, 2.0, 1.0], np.float32
        )
        self._sun = SunMap(context, plate.light, low - reach, high + reach, plate.set_planes)
        self._sun_fragments = self._buffers.array(context, self._sun.program)
        self._sun_chips = self._chips.array(context, self._sun.world_program)
        self._set_light = FullScreen(context, shader("setlight.frag"))
        self._shadow = FullScreen(context, shader("shadow.frag"))
        size = (camera.width, camera.height)
        self._left = context.texture(size, 4, dtype="f4")
        self._left_frame = context.framebuffer([self._left])
        self._standing = context.texture(size, 2, dtype="f1")
        self._standing.filter = (moderngl.NEAREST, moderngl.NEAREST)
        self._depth = context.texture(size, 1, dtype="f4")
        self._depth.filter = (moderngl.NEAREST, moderngl.NEAREST)
        self._facade = texture_2d(context, plate.facade, linear=True)
        self._building = texture_2d(context, plate.building, linear=True)
        known = (plate.occluder > 0) & np.isfinite(plate.occluder_depth)
        occluder = np.where(known, plate.occluder_depth, np.inf).astype(np.float32)
        # Comp keeps an occluder's own light, which a completed facade spills over the matte's rim; dust has
        # to cover that rim too, or it would shine through as an outline.
        rim = 2 * max(2, round(0.003 * camera.width)) + 1
        spread = cv2.erode(occluder, np.ones((rim, rim), np.uint8), borderType=cv2.BORDER_REPLICATE)
        self._occluder = texture_2d(context, np.where(np.isfinite(spread), spread, 0.0).astype(np.float32))
        self._tally = CoverageTally(len(fragments), camera.height, camera.width)
        self._prepare(fragments)

    # ---- before anything falls -------------------------------------------------------------------------

    def _prepare(self, fragments: Fragments) -> None:
        """What the standing building looks like: nearest fragments, depths, normals, light."""
        plate, context = self._plate, self._context
        self._buffers.bind()
        self._chips.bind()
        self._buffers.poses.write(self._buffers.rest_pose.tobytes())
        self._surfaces.see((0.0, 0.0), chips=False)
        faces = self._surfaces.read_faces()
        depth = self._surfaces.read_depth().copy()
        self._rest_objects = self._surfaces.read_objects()
        self._rest_cover = self._rest_objects >= 0
        self._rest_depth = depth
        a, b, c = (fragments.vertices[fragments.faces[:, side]] for side in range(3))
        across = np.cross(b - a, c - a)
        across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-12)
        normal = across[np.maximum(faces, 1) - 1].astype(np.float32)
        farthest = cv2.dilate(depth, np.ones((3, 3), np.uint8))
        self._rest_far = texture_2d(context, (farthest * 1.0005 + 0.03 * (farthest > 0)).astype(np.float32))

        # The model never fits the matte to the pixel: what lies between goes with the fragment nearest to it.
        self._matte = plate.building[plate.pad_top :] > 0
        self._nearest = self._rest_objects.copy()
        if self._rest_cover.any():
            _, label = cv2.distanceTransformWithLabels(
                (~self._rest_cover).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
            )
            where = np.zeros(int(label.max()) + 1, np.int64)
            where[label[self._rest_cover]] = np.flatnonzero(self._rest_cover)
            source = where[label]
            self._nearest = self._rest_objects.reshape(-1)[source]
            depth = depth.reshape(-1)[source]
            normal = normal.reshape(-1, 3)[source]
        self._rest_normal = normal.astype(np.float16)
        # The clean plate is painted a little beyond the matte; until the house goes, that rim is the plate.
        painted = np.any(plate.clean != plate.picture, axis=2)
        self._belongs: npt.NDArray[np.bool_] = self._matte | self._rest_cover | painted

        self._draw_sun(self._sun.rest_map, chips=False)
        self._sun.draw(self._sun.bare_map)
        self._grid.update(self._buffers.rest_pose, None, 0.0, rest=True)
        self._grid.update(None, None, 0.0)
        clean = np.where(np.isfinite(plate.clean_depth), plate.clean_depth, 0.0).astype(np.float32)
        clean_normal = surface_normals(plate.camera, plate.clean_depth)
        self._set: dict[str, Any] = {
            "clean_depth": texture_2d(context, clean),
            "clean_normal": texture_2d(context, clean_normal.astype(np.float16)),
            "rest_depth": texture_2d(context, depth),
            "rest_normal": texture_2d(context, normal.astype(np.float16)),
        }
        rest = {
            "sun_map": self._sun.rest_map[0],
            "core": self._grid.rest_core,
            "sides": self._grid.rest_sides,
        }
        bare = {"sun_map": self._sun.bare_map[0], "core": self._grid.core, "sides": self._grid.sides}
        on_clean = self._light_on("clean", rest)
        # What the building hid was never in its shade as far as the clean plate's pixels go.
        on_clean[self._matte] = self._light_on("clean", bare)[self._matte]
        self._set["clean_light"] = texture_2d(context, on_clean)
        self._set["rest_light"] = texture_2d(context, self._light_on("rest", rest))
        self._clean_depth = clean

    def _light_on(self, name: str, light: dict[str, Any]) -> Float:
        self._left_frame.use()
        self._context.viewport = (0, 0, self._plate.camera.width, self._plate.camera.height)
        self._context.enable_only(0)
        surface = {"surface_depth": self._set[f"{name}_depth"], "surface_normal": self._set[f"{name}_normal"]}
        self._set_light(light | surface, **self._light_values())
        return self._read_left()

    def _read_left(self) -> Float:
        shape = (self._plate.camera.height, self._plate.camera.width, 4)
        return np.frombuffer(self._left.read(alignment=1), np.float32).reshape(shape).copy()

    def _light_values(self) -> dict[str, Any]:
        light = self._plate.light
        return {
            **camera_uniforms(self._plate.camera),
            **self._sun.uniforms,
            **self._grid.uniforms,
            "sun_direction": np.asarray(light.sun_direction, np.float32),
            "sun": np.asarray(light.sun, np.float32),
            "sky": np.asarray(light.sky, np.float32),
            "bounce": np.asarray(light.bounce, np.float32),
            "shade": np.asarray(light.shade, np.float32),
            "shade_softness": float(max(light.shade_softness, 1e-3)),
        }

    def _dust_albedo(self) -> Float:
        """Dust is the facade's own matter mixed with mortar's and concrete's, bright as powders are."""
        if self._settings.dust_colour != "auto":
            return np.asarray(self._settings.dust_colour, np.float32)
        plate, light = self._plate, self._plate.light
        shown = plate.facade[plate.building > 0.5]
        # Its brighter half: windows and shade say nothing of what the walls are made of.
        bright = shown[shown.mean(-1) >= np.median(shown.mean(-1))] if len(shown) else np.ones((1, 3))
        mean = bright.mean(0)
        facing = max(
            float(np.mean([max(f.normal @ light.sun_direction, 0.0) for f in plate.facades] or [0.3])), 0.1
        )
        grey = 0.5 * light.sky + 0.5 * light.bounce + 0.5 * facing * light.sun
        hue = mean / np.maximum(grey, 1e-6)
        hue = hue / max(float(hue.mean()), 1e-6)
        mixed = 0.5 * np.clip(hue, 0.6, 1.5) + 0.5 * np.array([1.16, 1.0, 0.80])
        albedo: Float = (0.73 * mixed / mixed.mean()).clip(0.2, 0.9).astype(np.float32)
        return albedo

    # ---- one frame -------------------------------------------------------------------------------------

    def frame(self, index: int) -> Layers:
        """Layers of frame `index` (0 is the shot's first)."""
        if not 0 <= index < self._motion.frames:
            raise FalseworkError(f"there is no frame {index}", where="render", todo="Mend the frame range.")
        following = min(index + 1, self._motion.frames - 1)
        moving = self._start <= following
        dusty = self._load_dust(index)
        if not (moving.any() or dusty or self._chips.any_born(index)):
            return self._still()
        plate, samples = self._plate, self._settings.samples
        self._buffers.bind()
        self._chips.bind()
        self._pose(index, index, moving)
        self._grid.update(self._present, self._volume.density, EXTINCTION * self._settings.dust_density)
        self._draw_sun(self._sun.map, chips=True)
        stands = self._stand(moving)
        values = self._light_values() | {"pad_top": float(plate.pad_top), "dust_albedo": self._albedo}
        textures = {
            "rest_far": self._rest_far,
            "standing": self._standing,
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
        self._buffers.next_poses.write(self._pose_at(following, moving).tobytes())
        self._surfaces.see((0.0, 0.0))
        normal, albedo, motion = self._surfaces.measure(textures, values)
        seen = self._surfaces.read_depth()
        untouched = stands & (seen > 0) & ~normal.any(-1)
        normal[untouched] = self._rest_normal[untouched]
        held = np.where(stands, self._rest_depth, 0.0)
        held = np.where((held > 0) | (self._clean_depth == 0), held, self._clean_depth)
        depth = np.where(seen > 0, seen, held)

        self._surfaces.begin()
        times = sub_frame_times(index, self._settings.shutter, samples)
        for number, (time, jitter) in enumerate(zip(times, sample_offsets(samples), strict=True)):
            self._pose(time, index, moving)
            self._surfaces.see(jitter)
            self._surfaces.add(textures, values, jitter, number)
            self._tally.add(self._surfaces.read_objects())
        surface, hold = self._surfaces.sums(samples)

        shadow = self._shadows()
        none = np.zeros((*depth.shape, 4), np.float32)
        front, dust = none, none
        if dusty:
            self._depth.write(depth.astype(np.float32).tobytes())
            dust, front = self._volume.draw(
                self._depth, self._occluder, self._grid.core, self._light_values(), self._albedo, index
            )
            dust = _soft_at_steps(dust, front, depth)
        return Layers(
            surface=surface,
            hold=hold,
            shadow=shadow,
            dust=dust,
            dust_front=front,
            depth=np.where(depth > 0, depth, np.inf).astype(np.float32),
            normal=normal,
            motion=motion,
            albedo=albedo,
            crypto=self._tally.ranked(),
        )

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
        self._buffers.poses.write(self._present.tobytes())
        self._chips.at(time, frame)

    def _draw_sun(self, target: Any, *, chips: bool) -> None:
        def fragments() -> None:
            self._sun_fragments.render()

        def debris() -> None:
            self._sun_chips.render(vertices=self._chips.shown * 36)

        self._sun.draw(target, fragments, *([debris] if chips and self._chips.shown else []))

    def _stand(self, moving: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Say which pixels nothing has touched, and where what stood nearest still stands (returned)."""
        gone = np.append(moving, False)[self._nearest] & self._belongs
        near = cv2.dilate(gone.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        stands = self._belongs & ~gone & (self._nearest >= 0)
        both = np.stack([~near, stands], axis=-1).astype(np.uint8) * 255
        self._standing.write(both.tobytes())
        return stands

    def _shadows(self) -> Float:
        self._left_frame.use()
        self._context.viewport = (0, 0, self._plate.camera.width, self._plate.camera.height)
        self._context.enable_only(0)
        now = {"sun_map": self._sun.map[0], "core": self._grid.core, "sides": self._grid.sides}
        self._shadow(
            now | self._set | {"standing": self._standing}, **self._light_values(), brightest=BRIGHTEST
        )
        return np.ascontiguousarray(self._read_left()[..., :3])

    def _still(self) -> Layers:
        """A frame in which nothing has happened yet: the plate, and what can be measured of it."""
        camera = self._plate.camera
        shape = (camera.height, camera.width)
        self._buffers.bind()
        self._buffers.poses.write(self._buffers.rest_pose.tobytes())
        for jitter in sample_offsets(self._settings.samples):
            self._surfaces.see(jitter, chips=False)
            self._tally.add(self._surfaces.read_objects())
        depth = np.where(self._rest_cover, self._rest_depth, self._clean_depth)
        nothing = np.zeros((*shape, 4), np.float32)
        return Layers(
            surface=nothing,
            hold=self._belongs.astype(np.float32),
            shadow=np.ones((*shape, 3), np.float32),
            dust=nothing.copy(),
            dust_front=nothing.copy(),
            depth=np.where(depth > 0, depth, np.inf).astype(np.float32),
            normal=np.zeros((*shape, 3), np.float32),
            motion=np.zeros((*shape, 2), np.float32),
            albedo=np.zeros((*shape, 3), np.float32),
            crypto=self._tally.ranked(),
        )

    @property
    def opengl(self) -> dict[str, str]:
        """Who draws: vendor, renderer and version of the OpenGL driver."""
        return {key: str(self._context.info.get(f"GL_{key.upper()}", "")) for key in OPENGL}

    def close(self) -> None:
        """Give the OpenGL context and all it holds back."""
        self._context.release()

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
