"""Fragments and debris drawn sample by sample: plate pixels, insides, light; and what is measured."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib import resources
from typing import Any

import cv2
import moderngl
import numpy as np
import numpy.typing as npt

from falsework.building.materials import MATERIALS
from falsework.plate.camera import Camera
from falsework.render.context import FullScreen, set_uniforms, shader
from falsework.render.cryptomatte import DEBRIS_BIT
from falsework.render.geometry import (
    CHIP_FACES,
    Chips,
    FragmentBuffers,
    camera_uniforms,
    depth_axis,
    projection,
)
from falsework.render.targets import Targets, read_picture

__all__ = ["SurfacePass", "material_textures", "sample_offsets", "sub_frame_times"]

Float = npt.NDArray[np.float32]
Half = npt.NDArray[np.float16]

# A sample's weight in the bytes that count what holds.
ONE = 1 / 255


def sample_offsets(samples: int) -> list[tuple[float, float]]:
    """Sub-pixel offsets in -0.5..0.5, spread evenly (R2 sequence, M. Roberts 2018); (0, 0) for one sample."""
    if samples == 1:
        return [(0.0, 0.0)]
    golden = 1.32471795724474602596
    raw = np.array(
        [((0.5 + (i + 1) / golden) % 1.0, (0.5 + (i + 1) / golden**2) % 1.0) for i in range(samples)]
    )
    raw -= raw.mean(0)
    return [(float(x), float(y)) for x, y in np.clip(raw, -0.499, 0.499)]


def material_textures(context: moderngl.Context) -> tuple[moderngl.TextureArray, dict[str, int]]:
    """All material textures in one array, linear, each channel divided by its mean (0.5 stands for 1)."""
    folder = resources.files("falsework.render") / "textures"
    rows = list(csv.DictReader((folder / "SOURCES.csv").read_text(encoding="utf-8").splitlines()))
    layers: list[Float] = []
    decoded = ((np.arange(256) / 255.0) ** 2.2).astype(np.float32)
    names: dict[str, int] = {}
    for number, row in enumerate(rows):
        coded = cv2.imdecode(np.frombuffer((folder / row["file"]).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        linear = decoded[np.asarray(coded)[..., ::-1]]
        linear /= linear.mean((0, 1))
        # A scan as flat as this one reads as plastic; its own variation is brought up.
        contrast = np.float32(np.clip(0.16 / linear.std(), 1.0, 3.0))
        layers.append(np.clip(0.5 + 0.5 * contrast * (linear - 1), 0.02, 2.0))
        names[row["file"]] = number
    size = layers[0].shape[0]
    pixels = np.zeros((len(layers), size, size, 4), np.float16)
    pixels[..., :3] = np.stack(layers)
    texture = context.texture_array((size, size, len(layers)), 4, pixels.tobytes(), dtype="f2")
    texture.build_mipmaps()
    texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
    texture.repeat_x = texture.repeat_y = True
    return texture, names


def _material_uniforms(layers: dict[str, int]) -> dict[str, Any]:
    look = np.zeros((16, 4), np.float32)
    tile = [1.0] * 16
    for index, material in enumerate(MATERIALS[:16]):
        look[index] = (*material.albedo, layers.get(material.texture, -1))
        tile[index] = material.tile
    return {"material_look": [tuple(row) for row in look.tolist()], "material_tile": tile}


class SurfacePass:
    """Draws who is seen (`ids` and `depths`), then lights it. The same targets serve every sample."""

    def __init__(
        self,
        context: moderngl.Context,
        camera: Camera,
        buffers: FragmentBuffers,
        chips: Chips,
        noise: moderngl.Texture3D,
        targets: Targets,
    ) -> None:
        self._context, self._camera, self._chips = context, camera, chips
        size = targets.size
        self.ids = context.texture(size, 1, dtype="u4")
        self.depths = context.texture(size, 1, dtype="f4")
        for texture in (self.ids, self.depths):
            texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
        self._seen = context.framebuffer([self.ids, self.depths], targets.marks)
        self._surface, self._surface_frame = targets.full, targets.full_frame
        self._hold = context.texture(size, 1, dtype="f1")
        self._hold_frame = context.framebuffer([self._hold], targets.marks)
        self._centre = [*targets.halves, context.texture(size, 2, dtype="f4")]
        self._centre_frame = context.framebuffer(self._centre, targets.marks)
        self._sort_hold = FullScreen(context, shader("hold.frag"))
        visible = shader("visible.frag")
        self._fragment_program = context.program(
            vertex_shader=shader("geometry.vert"), fragment_shader=visible
        )
        self._chip_program = context.program(vertex_shader=shader("world.vert"), fragment_shader=visible)
        self._fragment_array = buffers.array(context, self._fragment_program)
        self._chip_array = chips.array(context, self._chip_program)
        self._shade = FullScreen(context, shader("shade.frag"))
        self._measure = FullScreen(context, shader("shade.frag", CENTRE=1))
        self._stuff, layers = material_textures(context)
        self._noise = noise
        constant = _material_uniforms(layers) | camera_uniforms(camera)
        set_uniforms(self._shade.program, constant)
        set_uniforms(self._measure.program, constant)

    def see(self, jitter: tuple[float, float], *, chips: bool = True) -> None:
        """Ids and depths of the fragments (and chips) in their present pose."""
        self._seen.use()
        self._context.viewport = (0, 0, self._camera.width, self._camera.height)
        self._context.enable_only(moderngl.DEPTH_TEST)
        self._seen.clear(depth=1.0)
        values = {"projection": projection(self._camera, jitter), "depth_axis": depth_axis(self._camera)}
        set_uniforms(self._fragment_program, values | {"first_id": 1})
        self._fragment_array.render(moderngl.TRIANGLES)
        if chips and self._chips.shown:
            set_uniforms(self._chip_program, values | {"first_id": DEBRIS_BIT})
            self._chip_array.render(moderngl.TRIANGLES, vertices=self._chips.shown * CHIP_FACES * 3)

    def begin(self) -> None:
        """Forget the sums of the last frame."""
        self._surface_frame.clear()
        self._hold_frame.clear()

    def _sort(self, textures: dict[str, Any], values: dict[str, Any]) -> None:
        """Count what holds and mark, in the depth buffer, the pixels that need light."""
        self._hold_frame.use()
        self._context.enable_only(moderngl.BLEND | moderngl.DEPTH_TEST)
        self._context.blend_func = moderngl.ONE, moderngl.ONE
        self._context.depth_func = "1"
        self._sort_hold(self._textures(textures), **values, weight=ONE)
        self._context.depth_func = ">"

    def add(
        self, textures: dict[str, Any], values: dict[str, Any], jitter: tuple[float, float], number: int
    ) -> None:
        """Light what is seen and add it to the sums."""
        self._sort(textures, values)
        self._surface_frame.use()
        self._surface_frame.depth_mask = False
        self._shade(self._textures(textures), **values, jitter=jitter, sample_number=float(number))
        self._surface_frame.depth_mask = True
        self._context.depth_func = "<"

    def surface(self, samples: int) -> Float:
        """`Layers.surface` (H, W, 4): mean over the samples."""
        surface: Float = read_picture(self._surface)
        surface /= samples
        return surface

    def hold(self, samples: int) -> Float:
        """`Layers.hold` (H, W): share of the samples."""
        return read_picture(self._hold).astype(np.float32) / np.float32(samples)

    def measure(self, textures: dict[str, Any], values: dict[str, Any]) -> None:
        """Find out normal, albedo and motion of what `see((0, 0))` saw; read them before any other pass."""
        self._centre_frame.use()
        self._centre_frame.clear()
        self._sort(textures, values)
        self._context.enable_only(moderngl.DEPTH_TEST)
        self._centre_frame.use()
        self._measure(self._textures(textures), **values, jitter=(0.0, 0.0), sample_number=0.0)
        self._context.depth_func = "<"

    def normal(self) -> Half:
        """(H, W, 3) as measured, zero where nothing was."""
        return np.ascontiguousarray(read_picture(self._centre[0])[..., :3])

    def albedo(self) -> Half:
        """(H, W, 3) as measured."""
        return np.ascontiguousarray(read_picture(self._centre[1])[..., :3])

    def motion(self) -> Float:
        """(H, W, 2) pixels to the next frame, as measured."""
        return read_picture(self._centre[2])

    def _textures(self, textures: dict[str, Any]) -> dict[str, Any]:
        return {
            **textures,
            "ids": self.ids,
            "depths": self.depths,
            "stuff_texture": self._stuff,
            "noise": self._noise,
        }

    def read_depth(self) -> Float:
        """(H, W) metres, 0 where nothing is seen."""
        return read_picture(self.depths)

    def read_faces(self) -> npt.NDArray[np.uint32]:
        """(H, W) face number + 1, 0 where nothing is seen, DEBRIS_BIT set on chips."""
        return read_picture(self.ids)


def sub_frame_times(index: int, shutter: float, samples: int) -> Iterator[float]:
    """Times in frames at the middles of equal parts of the shutter's opening, centred on the frame."""
    for number in range(samples):
        yield index + shutter / 360.0 * ((number + 0.5) / samples - 0.5)
