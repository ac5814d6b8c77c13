"""OpenGL without a screen: the context, shaders with includes, textures and targets."""

from __future__ import annotations

from importlib import resources
from typing import Any

import moderngl
import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError

__all__ = [
    "FullScreen",
    "close_context",
    "open_context",
    "set_uniforms",
    "shader",
    "texture_2d",
    "texture_3d",
]

FULL_SCREEN_VERTEX = """#version 430
void main() {
    vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
    gl_Position = vec4(2.0 * corner - 1.0, 0.0, 1.0);
}
"""


def open_context() -> moderngl.Context:
    """An OpenGL 4.3 context on EGL; raises FalseworkError where there is none."""
    try:
        backend: dict[str, Any] = {"backend": "egl"}
        return moderngl.create_context(standalone=True, require=430, **backend)
    except Exception as error:  # moderngl and glcontext raise bare Exception
        raise FalseworkError(
            f"no OpenGL 4.3 without a screen ({error})",
            where="render",
            todo="Install it: apt-get install libegl1 libgl1-mesa-dri",
        ) from error


def close_context(context: moderngl.Context) -> None:
    """Give a context and all its textures and buffers back. A second time does nothing."""
    if isinstance(context.mglo, moderngl.InvalidObject):
        return
    # One that is still current would keep its gigabytes until another takes its place.
    context.mglo.__exit__(None, None, None)
    context.release()


def shader(name: str, **define: int | float) -> str:
    """A shader from `render/shaders`, its `//!include FILE` lines replaced and constants defined."""
    folder = resources.files("falsework.render") / "shaders"
    lines = ["#version 430", *(f"#define {key} {value}" for key, value in define.items())]

    def read(file: str) -> None:
        for line in (folder / f"{file.removesuffix('.glsl')}.glsl").read_text(encoding="utf-8").splitlines():
            if line.startswith("//!include "):
                read(line.split()[1])
            else:
                lines.append(line)

    read(name)
    return "\n".join(lines)


def texture_2d(
    context: moderngl.Context, image: npt.NDArray[Any], *, linear: bool = False, repeat: bool = False
) -> moderngl.Texture:
    """An image (H, W) or (H, W, C) as a texture whose first row is row 0 of the image."""
    components = 1 if image.ndim == 2 else image.shape[2]
    kinds = {"float32": "f4", "float16": "f2", "uint8": "f1", "uint16": "u2", "uint32": "u4"}
    texture = context.texture(
        (image.shape[1], image.shape[0]),
        components,
        np.ascontiguousarray(image),
        alignment=1,
        dtype=kinds[image.dtype.name],
    )
    texture.filter = (moderngl.LINEAR, moderngl.LINEAR) if linear else (moderngl.NEAREST, moderngl.NEAREST)
    texture.repeat_x = texture.repeat_y = repeat
    return texture


def texture_3d(
    context: moderngl.Context,
    shape: tuple[int, int, int],
    components: int,
    dtype: str,
    *,
    repeat: bool = False,
) -> moderngl.Texture3D:
    """A 3D texture of (nx, ny, nz) texels, linearly filtered; fill it from arrays [z, y, x, channel]."""
    texture = context.texture3d(shape, components, alignment=1, dtype=dtype)
    texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
    texture.repeat_x = texture.repeat_y = texture.repeat_z = repeat
    return texture


class FullScreen:
    """A fragment shader run on every pixel of a target."""

    def __init__(self, context: moderngl.Context, fragment: str) -> None:
        self.program = context.program(vertex_shader=FULL_SCREEN_VERTEX, fragment_shader=fragment)
        self._array = context.vertex_array(self.program, [])

    def __call__(self, textures: dict[str, Any], **values: Any) -> None:
        """Bind textures by sampler name, set uniforms, draw. Names a shader does not use are passed over."""
        unit = 0
        for name, texture in textures.items():
            if name in self.program:
                texture.use(unit)
                set_uniforms(self.program, {name: unit})
                unit += 1
        set_uniforms(self.program, values)
        self._array.render(moderngl.TRIANGLES, vertices=3)


def set_uniforms(program: moderngl.Program, values: dict[str, Any]) -> None:
    """Set uniforms by name from numbers, sequences or arrays; names not in use are passed over."""
    for name, value in values.items():
        uniform = program.get(name, None)
        if not isinstance(uniform, moderngl.Uniform):
            continue
        if isinstance(value, np.ndarray):
            # GLSL matrices are column-major.
            data = value.T if value.ndim == 2 else value
            uniform.write(np.ascontiguousarray(data, dtype=np.float32).tobytes())
        else:
            uniform.value = value
