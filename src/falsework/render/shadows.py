"""The sun's shadow map, and the light left on what stands and on the ground."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import moderngl
import numpy as np
import numpy.typing as npt

from falsework.plate.camera import Camera
from falsework.plate.plate import Light, SetPlane
from falsework.render.context import set_uniforms, shader

__all__ = ["BRIGHTEST", "SunMap", "surface_normals"]

Float = npt.NDArray[np.float32]

TEXELS = 2048
# A shadow the photograph holds cannot be lifted from it: brightening stays within this.
BRIGHTEST = 1.15
PENUMBRA = 0.14
STRIP = 256


class SunMap:
    """Depth from the sun over the building and everywhere its pieces may fall."""

    def __init__(
        self, context: moderngl.Context, light: Light, low: Float, high: Float, planes: Sequence[SetPlane]
    ) -> None:
        self._context = context
        sun = np.asarray(light.sun_direction, np.float64)
        aside = np.cross(sun, [0.0, 0.0, 1.0] if abs(sun[2]) < 0.95 else [0.0, 1.0, 0.0])
        aside /= np.linalg.norm(aside)
        basis = np.stack([aside, np.cross(sun, aside), -sun])
        corners = np.array(
            [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
        )
        extent = corners @ basis.T
        least, most = extent.min(0), extent.max(0)
        least[2] -= 60.0  # what stands between the sun and the scene
        half = (most - least) / 2
        matrix = np.eye(4)
        matrix[:3, :3] = basis / half[:, None]
        matrix[:3, 3] = -(least + half) / half
        self.projection = matrix.astype(np.float32)
        self.reach = float(2 * half[2])
        self.texel = float(2 * max(half[0], half[1]) / TEXELS)
        self.map = self._target()
        self.rest_map = self._target()
        self.bare_map = self._target()
        self._planes = self._plane_array(planes)
        self.program = context.program(
            vertex_shader=shader("geometry.vert"), fragment_shader=shader("nothing.frag")
        )
        self.world_program = context.program(
            vertex_shader=shader("world.vert"), fragment_shader=shader("nothing.frag")
        )
        self._plane_draw = (
            context.vertex_array(self.world_program, [(self._planes, "3f", "in_world")])
            if self._planes
            else None
        )

    def _target(self) -> tuple[moderngl.Texture, moderngl.Framebuffer]:
        depth = self._context.depth_texture((TEXELS, TEXELS))
        depth.compare_func = ""
        depth.filter = (moderngl.NEAREST, moderngl.NEAREST)
        depth.repeat_x = depth.repeat_y = False
        return depth, self._context.framebuffer(depth_attachment=depth)

    def _plane_array(self, planes: Sequence[SetPlane]) -> moderngl.Buffer | None:
        quads = []
        for plane in planes:
            normal = np.cross(plane.u, plane.v)
            normal = normal / max(float(np.linalg.norm(normal)), 1e-9)
            # A little behind its own surface, so that it does not shade itself.
            corner = plane.origin - normal * min(0.5 * plane.thickness, 0.15)
            a, b, c, d = corner, corner + plane.u, corner + plane.u + plane.v, corner + plane.v
            quads += [a, b, c, a, c, d]
        return self._context.buffer(np.array(quads, np.float32).tobytes()) if quads else None

    @property
    def uniforms(self) -> dict[str, Any]:
        return {
            "sun_projection": self.projection,
            "sun_reach": self.reach,
            "sun_texel": self.texel,
            "penumbra": PENUMBRA,
        }

    def draw(
        self, target: tuple[moderngl.Texture, moderngl.Framebuffer], *bodies: Callable[[], None]
    ) -> None:
        """Fill a map with the set planes and whatever `bodies` draw with this map's programs."""
        target[1].use()
        self._context.viewport = (0, 0, TEXELS, TEXELS)
        self._context.enable_only(moderngl.DEPTH_TEST)
        target[1].clear(depth=1.0)
        values = {"projection": self.projection, "depth_axis": np.zeros(4, np.float32)}
        set_uniforms(self.program, values)
        set_uniforms(self.world_program, values)
        if self._plane_draw is not None:
            self._plane_draw.render(moderngl.TRIANGLES)
        for body in bodies:
            body()


def surface_normals(camera: Camera, depth: Float, kind: npt.DTypeLike = np.float32) -> npt.NDArray[Any]:
    """(H, W, 3) world normals of a depth picture, facing the camera; zero where depth is not finite.

    Each axis takes the side whose depth changes less, so that edges keep the normal of their own surface.
    """
    height, width = depth.shape
    out = np.empty((height, width, 3), kind)
    # In strips, or the intermediate pictures of a large plate take gigabytes.
    for top in range(0, height, STRIP):
        low, high = max(top - 1, 0), min(top + STRIP + 1, height)
        strip = _strip_normals(camera, depth[low:high], low)
        out[top : top + STRIP] = strip[top - low : top - low + STRIP]
    return out


def _strip_normals(camera: Camera, depth: Float, top: int) -> Float:
    rows, columns = np.mgrid[top : top + len(depth), 0 : depth.shape[1]]
    rays = camera.rays(np.stack([columns, rows], axis=-1) + 0.5).astype(np.float32)
    known = np.isfinite(depth) & (depth > 0)
    place = rays * np.where(known, depth, 1e6)[..., None].astype(np.float32)
    slopes = []
    for axis in (1, 0):
        step = np.diff(place, axis=axis)
        pad = [(0, 0)] * 3
        pad[axis] = (0, 1)
        ahead = np.pad(step, pad, mode="edge")
        pad[axis] = (1, 0)
        behind = np.pad(step, pad, mode="edge")
        closer = np.linalg.norm(ahead, axis=-1) <= np.linalg.norm(behind, axis=-1)
        slopes.append(np.where(closer[..., None], ahead, behind))
    normal = np.cross(slopes[0], slopes[1])
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    normal = np.where((normal * rays).sum(-1, keepdims=True) > 0, -normal, normal)
    return np.where(known[..., None], normal, 0.0).astype(np.float32)
