"""Fragments and debris as OpenGL sees them: buffers, poses at any instant, projections."""

from __future__ import annotations

from typing import Any

import moderngl
import numpy as np
import numpy.typing as npt
from numba import njit

from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.dust.field import Debris
from falsework.plate.camera import Camera
from falsework.seeds import generator

__all__ = ["CHIP_FACES", "Chips", "FragmentBuffers", "camera_uniforms", "projection", "sub_frame_poses"]

Float = npt.NDArray[np.float32]
Int = npt.NDArray[np.int32]

NEAR, FAR = 0.3, 600.0
CHIP_SHAPES = 8
CHIP_FACES = 12
SMALLEST = 0.6  # pixels


def projection(camera: Camera, jitter: tuple[float, float] = (0.0, 0.0)) -> Float:
    """(4, 4) world to clip space with row 0 of the target as the picture's top row.

    `jitter` moves the sampling position by that many pixels from the pixel's centre.
    """
    width, height = camera.width, camera.height
    x, y = camera.centre[0] - jitter[0], camera.centre[1] - jitter[1]
    lens = np.zeros((4, 4))
    lens[0, 0], lens[0, 2] = 2 * camera.focal / width, 2 * x / width - 1
    lens[1, 1], lens[1, 2] = 2 * camera.focal / height, 2 * y / height - 1
    lens[2, 2], lens[2, 3] = (FAR + NEAR) / (FAR - NEAR), -2 * FAR * NEAR / (FAR - NEAR)
    lens[3, 2] = 1.0
    view = np.eye(4)
    view[:3, :3] = camera.rotation
    view[:3, 3] = -camera.rotation @ camera.position
    return (lens @ view).astype(np.float32)


def depth_axis(camera: Camera) -> Float:
    """(4,) whose product with a homogeneous world point is its depth along the optical axis."""
    forward = camera.rotation[2]
    return np.array([*forward, -forward @ camera.position], dtype=np.float32)


def camera_uniforms(camera: Camera) -> dict[str, Any]:
    return {
        "camera_rotation": np.asarray(camera.rotation, np.float32),
        "camera_position": np.asarray(camera.position, np.float32),
        "camera_focal": float(camera.focal),
        "camera_centre": (float(camera.centre[0]), float(camera.centre[1])),
        "camera_size": (float(camera.width), float(camera.height)),
    }


def sub_frame_poses(motion: Motion, time: float, start: Int) -> Float:
    """Poses (N, 8) at a time in frames: position, seconds since the fragment moved (-1: at rest), quaternion.

    Between frames positions go straight and quaternions are interpolated linearly and normalised; before the
    first and after the last frame the end pose stays. `start` (N,) is the first frame in which a fragment has
    moved (the number of frames if never).
    """
    last = motion.frames - 1
    time = float(np.clip(time, 0.0, last))
    first = min(int(time), max(last - 1, 0))
    second, share = min(first + 1, last), np.float32(time - first)
    pose = np.empty((motion.position.shape[1], 8), np.float32)
    pose[:, :3] = motion.position[first] + share * (motion.position[second] - motion.position[first])
    one, two = motion.rotation[first], motion.rotation[second]
    two = np.where((one * two).sum(1, keepdims=True) < 0, -two, two)
    mixed = one + share * (two - one)
    pose[:, 4:] = mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-9)
    pose[:, 3] = np.maximum(time - start, 0.0) / motion.fps
    return pose


def _octahedral(normal: Float) -> npt.NDArray[np.uint32]:
    """Unit vectors (N, 3) in 32 bits each (two signed 16-bit shares of an unfolded octahedron)."""
    folded = normal / np.maximum(np.abs(normal).sum(1, keepdims=True), 1e-9)
    sign = np.where(folded[:, :2] < 0, -1.0, 1.0)
    flat = np.where(folded[:, 2:] < 0, (1 - np.abs(folded[:, 1::-1])) * sign, folded[:, :2])
    whole = np.round(np.clip(flat, -1, 1) * 32767).astype(np.int16).view(np.uint16).astype(np.uint32)
    both: npt.NDArray[np.uint32] = whole[:, 0] | whole[:, 1] << np.uint32(16)
    return both


class FragmentBuffers:
    """The fragments' meshes on the graphics side, and their poses."""

    def __init__(self, context: moderngl.Context, fragments: Fragments) -> None:
        count = len(fragments)
        corner = fragments.faces.astype(np.int64)
        owner = np.repeat(fragments.face_fragment.astype(np.int64), 3)
        # A vertex shared by two fragments is doubled, so that each vertex follows one body.
        key = owner * max(len(fragments.vertices), 1) + corner.reshape(-1)
        unique, index = np.unique(key, return_inverse=True)
        vertex = np.empty(len(unique), dtype=[("rest", "f4", 3), ("fragment", "u4")])
        vertex["rest"] = fragments.vertices[unique % max(len(fragments.vertices), 1)]
        vertex["fragment"] = unique // max(len(fragments.vertices), 1)
        a, b, c = (fragments.vertices[fragments.faces[:, side]].astype(np.float64) for side in range(3))
        normal = np.cross(b - a, c - a)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        face = np.empty((len(fragments.faces), 2), np.uint32)
        broken = np.round(np.clip(fragments.face_broken, 0, 1) * 15).astype(np.uint32)
        face[:, 0] = (
            fragments.face_fragment.astype(np.uint32)
            | fragments.face_surface.astype(np.uint32) << np.uint32(20)
            | broken << np.uint32(28)
        )
        face[:, 1] = _octahedral(normal.astype(np.float32))
        centre = np.zeros((count, 4), np.float32)
        centre[:, :3] = fragments.centre
        about = fragments.kind.astype(np.uint32) | fragments.material.astype(np.uint32) << np.uint32(4)
        # The element fills the bits up to 2^22, so that the float they are read as stays a plain number.
        about |= (fragments.element.astype(np.uint32) & np.uint32(0x3FFF)) << np.uint32(8)
        centre[:, 3] = (about | np.uint32(0x40000000)).view(np.float32)
        self.faces = context.buffer(face.tobytes())
        self.centres = context.buffer(centre.tobytes())
        self.poses = context.buffer(reserve=max(count, 1) * 32, dynamic=True)
        self.next_poses = context.buffer(reserve=max(count, 1) * 32, dynamic=True)
        self.vertices = context.buffer(vertex.tobytes())
        self.indices = context.buffer(index.astype(np.int32).reshape(-1).tobytes())
        self.rest_pose = np.zeros((count, 8), np.float32)
        self.rest_pose[:, :3] = fragments.centre
        self.rest_pose[:, 3] = -1.0
        self.rest_pose[:, 7] = 1.0

    def array(self, context: moderngl.Context, program: moderngl.Program) -> moderngl.VertexArray:
        return context.vertex_array(
            program, [(self.vertices, "3f 1u", "in_rest", "in_fragment")], index_buffer=self.indices
        )

    def bind(self) -> None:
        self.poses.bind_to_storage_buffer(0)
        self.centres.bind_to_storage_buffer(1)
        self.faces.bind_to_storage_buffer(2)
        self.next_poses.bind_to_storage_buffer(5)


@njit(cache=True)
def _place_chips(corners: Float, shape: Int, size: Float, pose: Float, out: Float) -> None:
    for chip in range(len(pose)):
        qx, qy, qz, qw = pose[chip, 4], pose[chip, 5], pose[chip, 6], pose[chip, 7]
        for corner in range(8):
            x = corners[shape[chip], corner, 0] * size[chip]
            y = corners[shape[chip], corner, 1] * size[chip]
            z = corners[shape[chip], corner, 2] * size[chip]
            cx, cy, cz = qy * z - qz * y + qw * x, qz * x - qx * z + qw * y, qx * y - qy * x + qw * z
            out[chip, corner, 0] = pose[chip, 0] + x + 2 * (qy * cz - qz * cy)
            out[chip, corner, 1] = pose[chip, 1] + y + 2 * (qz * cx - qx * cz)
            out[chip, corner, 2] = pose[chip, 2] + z + 2 * (qx * cy - qy * cx)


# Outward faces of a cube whose corner i lies at bits (i & 1, i >> 1 & 1, i >> 2).
_CUBE = np.array(
    [
        [0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6],
        [0, 1, 4], [1, 5, 4], [2, 6, 3], [3, 6, 7],
        [0, 4, 2], [2, 4, 6], [1, 3, 5], [3, 7, 5],
    ],
    dtype=np.int32,
)  # fmt: skip


class Chips:
    """Debris as eight rough little blocks, placed anew for every instant (cheaper than drawing instances)."""

    def __init__(self, context: moderngl.Context, debris: Debris, camera: Camera) -> None:
        self._focal, self._axis = float(camera.focal), depth_axis(camera)
        random = generator(0, "render", "chips")
        cube = np.array([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)], np.float32) - 0.5
        stretch = random.uniform(0.45, 1.0, (CHIP_SHAPES, 1, 3))
        self._corners = ((cube + random.uniform(-0.17, 0.17, (CHIP_SHAPES, 8, 3))) * stretch).astype(
            np.float32
        )
        a, b, c = (self._corners[:, _CUBE[:, side]] for side in range(3))
        normal = np.zeros((CHIP_SHAPES, CHIP_FACES, 4), np.float32)
        normal[..., :3] = np.cross(b - a, c - a)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        self._debris = debris
        self._last = len(debris.position) - 1
        self.count = len(debris.size)
        room = max(self.count, 1)
        self.normals = context.buffer(normal.tobytes())
        self.poses = context.buffer(reserve=room * 32, dynamic=True)
        self.ways = context.buffer(reserve=room * 16, dynamic=True)
        self.vertices = context.buffer(reserve=room * 96, dynamic=True)
        index = _CUBE[None] + 8 * np.arange(room, dtype=np.int32)[:, None, None]
        self.indices = context.buffer(index.astype(np.int32).tobytes())
        self.shown = 0

    def array(self, context: moderngl.Context, program: moderngl.Program) -> moderngl.VertexArray:
        return context.vertex_array(program, [(self.vertices, "3f", "in_world")], index_buffer=self.indices)

    def bind(self) -> None:
        self.poses.bind_to_storage_buffer(3)
        self.normals.bind_to_storage_buffer(4)
        self.ways.bind_to_storage_buffer(6)

    def any_born(self, index: int) -> bool:
        return bool(self.count) and bool((self._debris.born <= index).any())

    def at(self, time: float, frame: int) -> None:
        """Place the chips born by `frame` as they are at `time` (in frames)."""
        debris = self._debris
        seen = np.flatnonzero(debris.born <= frame)
        self.shown = len(seen)
        pose = np.empty((self.shown, 8), np.float32)
        if not self.shown:
            return
        time = float(np.clip(time, 0.0, self._last))
        first = min(int(time), max(self._last - 1, 0))
        second, share = min(first + 1, self._last), np.float32(time - first)
        # A chip has no place before it is born; it starts from where it is first seen.
        start = np.maximum(debris.born[seen], 0)
        one = debris.position[np.minimum(np.maximum(first, start), self._last), seen]
        two = debris.position[np.minimum(np.maximum(second, start), self._last), seen]
        pose[:, :3] = one + share * (two - one)
        pose[:, 3] = (debris.shape[seen] & 7) + 8 * debris.material[seen]
        # Grit much smaller than a pixel costs as much as any chip and shows nothing.
        depth = pose[:, :3] @ self._axis[:3] + self._axis[3]
        large = debris.size[seen] * self._focal > SMALLEST * np.maximum(depth, NEAR)
        pose = np.ascontiguousarray(pose[large], dtype=np.float32)
        seen, start = seen[large], start[large]
        self.shown = len(seen)
        if not self.shown:
            return
        nearest = np.clip(np.maximum(round(time), start), 0, self._last)
        pose[:, 4:] = debris.rotation[nearest, seen]
        pose[:, 4:] /= np.maximum(np.linalg.norm(pose[:, 4:], axis=1, keepdims=True), 1e-6)
        corners = np.empty((self.shown, 8, 3), np.float32)
        _place_chips(self._corners, debris.shape[seen] & 7, debris.size[seen], pose, corners)
        self.vertices.write(corners.tobytes())
        self.poses.write(pose.tobytes())
        # Turning on the spot is left out: it moves a chip's faces by less than a pixel or two.
        way = np.zeros((self.shown, 4), np.float32)
        way[:, :3] = (two - one)[large]
        self.ways.write(way.tobytes())
