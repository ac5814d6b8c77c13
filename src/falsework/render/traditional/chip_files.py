"""The debris of one frame as one mesh for Cycles, with the way each chip goes in a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from falsework.dust.field import Debris
from falsework.media.arrays import write_arrays
from falsework.plate.camera import Camera
from falsework.render.traditional.scene_files import PAPER, box_map, hash3
from falsework.seeds import generator

__all__ = ["ChipMeshes"]

Float = npt.NDArray[np.float32]

SHAPES = 8
SMALLEST, NEAR = 0.6, 0.3  # pixels and metres, as falsework's renderer leaves grit out
# Outward faces of a cube whose corner i lies at bits (i & 1, i >> 1 & 1, i >> 2).
CUBE = np.array(
    [
        [0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6],
        [0, 1, 4], [1, 5, 4], [2, 6, 3], [3, 6, 7],
        [0, 4, 2], [2, 4, 6], [1, 3, 5], [3, 7, 5],
    ],
    dtype=np.int32,
)  # fmt: skip


class ChipMeshes:
    """The same eight rough little blocks as `render.geometry.Chips` places."""

    def __init__(self, debris: Debris, camera: Camera, fps: float) -> None:
        random = generator(0, "render", "chips")
        cube = np.array([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)], np.float32) - 0.5
        stretch = random.uniform(0.45, 1.0, (SHAPES, 1, 3))
        self._corners = ((cube + random.uniform(-0.17, 0.17, (SHAPES, 8, 3))) * stretch).astype(np.float32)
        a, b, c = (self._corners[:, CUBE[:, side]] for side in range(3))
        self._normals = np.cross(b - a, c - a)
        self._debris, self._camera, self._fps = debris, camera, fps
        self._last = len(debris.position) - 1

    def born(self, frame: int) -> bool:
        return bool((self._debris.born <= frame).any())

    def shown(self, frame: int) -> npt.NDArray[np.int64]:
        """Numbers of the chips born by a frame and not much smaller than a pixel."""
        seen = np.flatnonzero(self._debris.born <= frame)
        depth = self._camera.project(self._place(seen, frame))[1] if len(seen) else np.zeros(0)
        return seen[self._debris.size[seen] * self._camera.focal > SMALLEST * np.maximum(depth, NEAR)]

    def way(self, seen: npt.NDArray[np.int64], frame: int) -> Float:
        """(n, 3) metres that chips go from a frame to the next (in the last one: from the one before)."""
        first = min(frame, max(self._last - 1, 0))
        return self._place(seen, first + 1) - self._place(seen, first)

    def write(self, path: Path, frame: int, first_number: int) -> npt.NDArray[np.int64]:
        """Write the mesh of a frame; chip i carries the number first_number + i. Returns the chips shown.

        place, velocity, rest, own, room, paper (8 n, 3), broken, coat, number (8 n,), corner (12 n, 3),
        material (12 n,), flat (12 n, 3, 2).
        """
        debris, seen = self._debris, self.shown(frame)
        count = len(seen)
        shape = debris.shape[seen] & 7
        turn = debris.rotation[np.clip(np.maximum(frame, debris.born[seen]), 0, self._last), seen].astype(
            np.float32
        )
        turn /= np.maximum(np.linalg.norm(turn, axis=1, keepdims=True), 1e-6)
        local = self._corners[shape] * debris.size[seen][:, None, None]
        axis, angle = turn[:, None, :3], turn[:, None, 3:]
        across = np.cross(np.broadcast_to(axis, local.shape), local) + angle * local
        turned = local + 2 * np.cross(np.broadcast_to(axis, local.shape), across)
        place = turned + self._place(seen, frame)[:, None]
        # Chips lie apart in the noise, each at a cell of its own.
        cell = np.stack([seen % 64, seen // 64 % 64, seen // 4096], axis=-1).astype(np.float32)
        rest = local + cell[:, None]
        number = seen.astype(np.int64) * 7919
        own, room, dusty = hash3(number, 17, 3), hash3(0, 5, 11), hash3(number, 29, 7)[:, 0]
        paper = PAPER[int(room[0, 0] * 7.99)]
        flat = box_map(rest[:, CUBE].reshape(-1, 3, 3), self._normals[shape].reshape(-1, 3))

        def each(values: npt.NDArray[np.float32]) -> Float:
            return np.ascontiguousarray(np.repeat(values, 8, axis=0), dtype=np.float32)

        write_arrays(
            path,
            {
                "place": place.reshape(-1, 3).astype(np.float32),
                "velocity": each(self.way(seen, frame) * np.float32(self._fps)),
                "rest": rest.reshape(-1, 3).astype(np.float32),
                "own": each(own[:count]),
                "room": each(np.broadcast_to(room, (count, 3))),
                "paper": each(np.broadcast_to(paper, (count, 3))),
                "broken": np.ones(8 * count, np.float32),
                "coat": each(0.30 + 0.45 * dusty[:count]),
                "number": each((first_number + np.arange(count)).astype(np.float32)),
                "corner": (CUBE[None] + 8 * np.arange(count, dtype=np.int32)[:, None, None]).reshape(-1, 3),
                "material": np.repeat(debris.material[seen], len(CUBE)).astype(np.int32),
                "flat": flat.astype(np.float32),
            },
        )
        return seen

    def _place(self, seen: npt.NDArray[np.int64], frame: int) -> Float:
        """(n, 3); a chip has no place before it is born and waits where it is first seen."""
        when = np.clip(np.maximum(frame, self._debris.born[seen]), 0, self._last)
        place: Float = self._debris.position[when, seen]
        return place
