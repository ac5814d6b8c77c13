"""What falls in a small simulation of dust: blocks and slabs as points that carry volume and velocity."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from falsework.dust.obstacles import FragmentPoints

__all__ = ["Pieces", "block", "slab"]

Float = npt.NDArray[np.float64]

GRAVITY = 9.81
# Metres that a point stands for along an edge, no wider than the cells of the air here.
SPACING = 0.12
MOST_POINTS = 20_000


@dataclass(frozen=True)
class Pieces:
    """N pieces that hang until `begins`, fall, and lie still from `lands` (N,) on (seconds).

    start (N, 3), velocity (N, 3), gravity (N,) m/s2 downwards;  axis (N, 3) and spin (N,) rad/s of their turn
    shed  (N,) kg of dust given off on the way;  points: (P,) of which piece, offsets, volumes
    """

    start: Float
    velocity: Float
    gravity: Float
    axis: Float
    spin: Float
    begins: Float
    lands: Float
    shed: Float
    points: FragmentPoints

    @classmethod
    def joined(cls, parts: list[Pieces]) -> Pieces:
        if not parts:
            none, three = np.zeros(0), np.zeros((0, 3))
            empty = FragmentPoints(
                np.zeros(0, np.int64), np.zeros((0, 3), np.float32), np.zeros(0, np.float32)
            )
            return cls(three, three, none, three, none, none, none, none, empty)
        whole = {
            f.name: np.concatenate([getattr(part, f.name) for part in parts])
            for f in fields(cls)
            if f.name != "points"
        }
        before = np.cumsum([0, *(len(part.start) for part in parts)])
        points = FragmentPoints(
            np.concatenate([part.points.fragment + n for part, n in zip(parts, before, strict=False)]),
            np.concatenate([part.points.offset for part in parts]),
            np.concatenate([part.points.volume for part in parts]),
        )
        return cls(points=points, **whole)

    def _age(self, time: float) -> Float:
        return np.asarray(np.clip(time, self.begins, self.lands) - self.begins)

    def at(self, time: float) -> Float:
        """(N, 3) where they are."""
        age = self._age(time)[:, None]
        fall = np.zeros_like(self.start)
        fall[:, 2] = self.gravity / 2
        return np.asarray(self.start + self.velocity * age - fall * age**2)

    def speed(self, time: float) -> Float:
        """(N,) m/s, of those that fall; at `lands` it is that of the blow."""
        age = self._age(time)
        way = self.velocity.copy()
        way[:, 2] -= self.gravity * age
        falls = (time >= self.begins) & (time <= self.lands)
        return np.asarray(np.linalg.norm(way, axis=1) * falls)

    def place(self, time: float) -> npt.NDArray[np.float32]:
        """(P, 3) where their points are."""
        of, offset = self.points.fragment, self.points.offset.astype(np.float64)
        angle = (self.spin * self._age(time))[of][:, None]
        axis = self.axis[of]
        turned = (
            offset * np.cos(angle)
            + np.cross(axis, offset) * np.sin(angle)
            + axis * (axis * offset).sum(axis=1, keepdims=True) * (1 - np.cos(angle))
        )
        return np.asarray(self.at(time)[of] + turned, np.float32)


def _spread(size: Float, share: float, rng: np.random.Generator) -> FragmentPoints:
    """Points through a box of `size` (3,) around 0, of which `share` is solid: one in each cell of a grid,
    anywhere in it, so that no grid is seen in the dust that they give off."""
    spacing = max(SPACING, float(np.prod(size) / MOST_POINTS) ** (1 / 3))
    count = np.maximum(2, np.ceil(size / spacing)).astype(int)
    grid = np.meshgrid(*((np.arange(n) + 0.5) / n - 0.5 for n in count), indexing="ij")
    offset = np.stack([axis.ravel() for axis in grid], axis=1)
    offset = (offset + rng.uniform(-0.5, 0.5, offset.shape) / count) * size
    volume = np.full(len(offset), share * float(np.prod(size)) / len(offset), np.float32)
    return FragmentPoints(np.zeros(len(offset), np.int64), offset.astype(np.float32), volume)


def _one(
    start: Float, velocity: Float, gravity: float, begins: float, floor: float, **more: object
) -> Pieces:
    """A piece that comes to rest once its middle is at height `floor`."""
    down, way = -float(velocity[2]), max(float(start[2]) - floor, 0.0)
    time = (-down + np.sqrt(down**2 + 2 * gravity * way)) / gravity
    given = {
        "axis": np.array([[0.0, 0.0, 1.0]]), "spin": np.zeros(1), "shed": np.zeros(1)
    } | more  # fmt: skip
    return Pieces(
        start=start[None],
        velocity=velocity[None],
        gravity=np.array([gravity]),
        begins=np.array([begins]),
        lands=np.array([begins + time]),
        **given,  # type: ignore[arg-type]
    )


def block(
    start: Float, velocity: Float, edge: float, *, begins: float, shed: float, rng: np.random.Generator
) -> Pieces:
    """A rough block about `edge` metres wide, which tumbles."""
    size = edge * rng.uniform(0.6, 1.3, 3)
    axis = rng.normal(0.0, 1.0, 3)
    return _one(
        start, velocity, GRAVITY, begins, float(size.min()) / 2, shed=np.array([shed]),
        axis=axis[None] / np.linalg.norm(axis), spin=rng.normal(0.0, 2.5, 1), points=_spread(size, 0.7, rng),
    )  # fmt: skip


def slab(
    middle: Float, u: Float, v: Float, thick: float, stops: float, *, gravity: float, begins: float,
    rng: np.random.Generator,
) -> Pieces:  # fmt: skip
    """A level floor with edges `u` and `v` (3,) horizontal, which comes down as fast as what is under it
    lets it."""
    points = _spread(np.array([float(np.linalg.norm(u)), float(np.linalg.norm(v)), thick]), 1.0, rng)
    frame = np.stack([u / np.linalg.norm(u), v / np.linalg.norm(v), np.array([0.0, 0.0, 1.0])])
    turned = FragmentPoints(points.fragment, np.asarray(points.offset @ frame, np.float32), points.volume)
    return _one(middle, np.zeros(3), gravity, begins, stops, points=turned)
