"""From corner quads in the picture to walls in the world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from falsework.errors import FalseworkError
from falsework.plate.camera import Camera
from falsework.plate.plate import Facade
from falsework.plate.settings import FacadeSettings, NeighbourSettings

__all__ = ["Neighbour", "Walls", "build_facades", "check_quad", "neighbour_planes"]

Array = npt.NDArray[np.float64]

JOIN = 0.012  # corners of two quads closer than this, over the picture's diagonal, are one corner
LEAN = 1.2  # metres: a neighbour's end nearer than this to the building's corner stands on it


@dataclass(frozen=True)
class Neighbour:
    """The street wall of a house that stays, as a rectangle in the world.

    origin      (3,) bottom-left corner seen from the street, metres; z = 0
    right       (3,) unit vector along the wall, horizontal
    normal      (3,) unit vector out of the wall towards the street, horizontal
    width, height   metres
    party_wall  "left", "right" or "none": the end (seen from the street) where the falling building leaned
                against this house; the wall there runs from that end along -normal for `depth` metres
    depth       metres from the street wall to the back
    """

    name: str
    origin: Array
    right: Array
    normal: Array
    width: float
    height: float
    party_wall: str
    depth: float


@dataclass(frozen=True)
class Walls:
    """The building's walls (without windows yet), the camera at its metric place above the ground, and how
    far the walls' corners fall from the given ones: the largest distance, in working pixels."""

    facades: tuple[Facade, ...]
    camera: Camera
    reprojection_error: float


def check_quad(
    corners: Sequence[tuple[float, float]], size: tuple[int, int], *, where: str, mostly_seen: bool = True
) -> Array:
    """The corners (4, 2) of a quad, top-left first and clockwise, checked against the picture's size
    (width, height). A quad whose larger part lies outside is refused unless `mostly_seen` is False, one
    wholly outside always. Raises FalseworkError naming the key."""
    quad = np.asarray(corners, dtype=np.float64)
    order = "Give top-left, top-right, bottom-right and bottom-left, in pixels of the file."
    side = np.roll(quad, -1, axis=0) - quad
    turn = side[:, 0] * np.roll(side[:, 1], -1) - side[:, 1] * np.roll(side[:, 0], -1)
    if np.any(turn <= 0):
        fault = "run anticlockwise" if np.all(turn < 0) else "are not those of a convex quad"
        raise FalseworkError(f"the corners {fault}", where=where, todo=order)
    if quad[:2, 1].mean() >= quad[2:, 1].mean() or quad[[0, 3], 0].mean() >= quad[[1, 2], 0].mean():
        raise FalseworkError(
            "the corners begin at another corner than the top-left one", where=where, todo=order
        )
    if np.hypot(*side.T).min() < 8:
        raise FalseworkError("the quad has a side shorter than 8 pixels", where=where, todo=order)
    extent = np.asarray(size, dtype=np.float64)
    if np.any(quad < -extent / 2) or np.any(quad > extent * 1.5):
        raise FalseworkError(
            f"a corner lies more than half a picture outside the {size[0]}x{size[1]} plate",
            where=where,
            todo=order,
        )
    grid = (np.stack(np.meshgrid(np.arange(48), np.arange(48)), axis=-1).reshape(-1, 2) + 0.5) / 48
    low, high = quad.min(axis=0), quad.max(axis=0)
    points = low + grid * (high - low)
    inside = np.ones(len(points), dtype=bool)
    for corner, along in zip(quad, side, strict=True):
        inside &= along[0] * (points[:, 1] - corner[1]) - along[1] * (points[:, 0] - corner[0]) >= 0
    seen = inside & np.all((points >= 0) & (points <= extent), axis=1)
    if seen.sum() < (0.5 if mostly_seen else 0.02) * inside.sum():
        much = "mostly" if seen.any() else "wholly"
        raise FalseworkError(
            f"the quad lies {much} outside the {size[0]}x{size[1]} plate", where=where, todo=order
        )
    return quad


def build_facades(
    quads: list[Array], settings: Sequence[FacadeSettings], camera: Camera, *, where: str
) -> Walls:
    """Vertical walls on the ground through corner quads (4, 2) in the camera's pixels, left to right.

    Corners two quads share become one corner of the world, walls that join share their height; everything
    is fitted at once to all corners (least squares in pixels). The storeys' heights give the scale.
    `camera` stands at the origin, 1 m up.
    """
    order = sorted(range(len(quads)), key=lambda index: float(quads[index][:, 0].mean()))
    quads = [quads[index] for index in order]
    settings = [settings[index] for index in order]
    ends, height_of = _joined(quads, float(np.hypot(camera.width, camera.height)))
    corners, heights = _fitted(quads, ends, height_of, camera, where)
    nominal = np.array([_levels(wall)[-1] for wall in settings])
    scale = float(np.exp(np.mean(np.log(nominal / heights[height_of]))))
    corners, heights = corners * scale, heights * scale
    placed = replace(camera, position=np.array([0.0, 0.0, scale]))
    facades, worst = [], 0.0
    for quad, wall, (left, right), group in zip(quads, settings, ends, height_of, strict=True):
        facade = _facade(wall, corners[left], corners[right], float(heights[group]))
        rectangle = np.array([facade.point(x, z) for x, z in _outline(facade.width, facade.height)])
        worst = max(worst, float(np.hypot(*(placed.project(rectangle)[0] - quad).T).max()))
        facades.append(facade)
    return Walls(tuple(facades), placed, worst)


def neighbour_planes(
    quads: list[Array], settings: Sequence[NeighbourSettings], walls: Walls, *, where: str
) -> tuple[Neighbour, ...]:
    """The street walls of the houses that stay. An end that leans on the falling building stands on its
    corner of the ground where the two nearly meet; a house that stands further back keeps its place."""
    camera = walls.camera
    result = []
    for quad, house in zip(quads, settings, strict=True):
        name = f"{where} {house.name}"
        corners, heights = _fitted([quad], [(0, 1)], np.zeros(1, dtype=int), camera, name)
        if house.party_wall != "none":
            # The house on the left of the building touches its left end with its own right end.
            end = 1 if house.party_wall == "right" else 0
            facade = walls.facades[0] if end == 1 else walls.facades[-1]
            corner = facade.point(0.0 if end == 1 else facade.width, 0.0)[:2]
            if np.hypot(*(corners[end] - corner)) < LEAN:
                corners, heights = _fitted(
                    [quad], [(0, 1)], np.zeros(1, dtype=int), camera, name, {end: corner}
                )
        right, normal, width = _along(corners[0], corners[1])
        result.append(
            Neighbour(
                house.name,
                np.array([*corners[0], 0.0]),
                right,
                normal,
                width,
                float(heights[0]),
                house.party_wall,
                house.depth,
            )
        )
    return tuple(result)


def _outline(width: float, height: float) -> list[tuple[float, float]]:
    return [(0.0, height), (width, height), (width, 0.0), (0.0, 0.0)]


def _levels(wall: FacadeSettings) -> Array:
    """Heights of the floors (storeys + 1,) as given, in metres."""
    ground = wall.ground_storey_height or wall.storey_height
    return np.concatenate([[0.0], ground + wall.storey_height * np.arange(wall.storeys)])


def _along(left: Array, right: Array) -> tuple[Array, Array, float]:
    """Unit vector along the wall, its outward normal and its width, from two ground points (2,)."""
    step = right - left
    width = float(np.hypot(*step))
    unit = np.array([*(step / width), 0.0])
    return unit, np.array([unit[1], -unit[0], 0.0]), width


def _facade(wall: FacadeSettings, left: Array, right: Array, height: float) -> Facade:
    along, normal, width = _along(left, right)
    levels = _levels(wall)
    return Facade(
        name=wall.name,
        origin=np.array([*left, 0.0]),
        right=along,
        normal=normal,
        width=width,
        height=height,
        levels=levels * height / levels[-1],
        windows=np.zeros((0, 4)),
    )


def _joined(quads: list[Array], diagonal: float) -> tuple[list[tuple[int, int]], npt.NDArray[np.int64]]:
    """For each wall, left to right, the numbers of its two ground corners and of its height."""
    ends: list[tuple[int, int]] = []
    groups: list[int] = []
    count, group = 0, -1
    for index, quad in enumerate(quads):
        joins = index > 0 and np.hypot(*(quads[index - 1][[1, 2]] - quad[[0, 3]]).T).max() < JOIN * diagonal
        left = count - 1 if joins else count
        group += 0 if joins else 1
        ends.append((left, left + 1))
        groups.append(group)
        count = left + 2
    return ends, np.array(groups)


def _fitted(
    quads: list[Array],
    ends: list[tuple[int, int]],
    height_of: npt.NDArray[np.int64],
    camera: Camera,
    where: str,
    fixed: dict[int, Array] | None = None,
) -> tuple[Array, Array]:
    """Ground corners (K, 2) and heights (G,) that project closest to the quads' corners."""
    count, groups = max(right for _, right in ends) + 1, int(height_of.max()) + 1
    corners, heights = np.zeros((count, 2)), np.ones(groups)
    for quad, (left, right), group in zip(quads, ends, height_of, strict=True):
        ground = camera.on_plane(quad[[3, 2]], np.zeros(3), np.array([0.0, 0.0, 1.0]))
        depth = camera.project(ground)[1]
        if not np.all(np.isfinite(ground)) or np.any(depth <= 0):
            raise FalseworkError(
                "the bottom corners do not lie on the ground before the camera",
                where=where,
                todo="Put the two lower corners where the wall meets the ground, below the horizon.",
            )
        corners[left], corners[right] = ground[0, :2], ground[1, :2]
        reach = np.hypot(*ground[:, :2].T)
        rays = camera.rays(quad[[0, 1]])
        tops = camera.position[2] + rays[:, 2] / np.hypot(rays[:, 0], rays[:, 1]) * reach
        heights[group] = max(float(tops.mean()), 0.1)
    for index, corner in (fixed or {}).items():
        corners[index] = corner
    free = np.array([index not in (fixed or {}) for index in range(count)])

    def unpack(x: Array) -> tuple[Array, Array]:
        placed = corners.copy()
        placed[free] = x[groups:].reshape(-1, 2)
        return placed, np.exp(x[:groups])

    def residual(x: Array) -> Array:
        placed, tall = unpack(x)
        misses = []
        for quad, (left, right), group in zip(quads, ends, height_of, strict=True):
            low = np.array([[*placed[left], 0.0], [*placed[right], 0.0]])
            high = low + np.array([0.0, 0.0, tall[group]])
            pixels, depth = camera.project(np.concatenate([high, low[::-1]]))
            # A wall pushed behind the camera has no picture: a large miss sends the search back.
            misses.append(np.where(depth[:, None] > 1e-3, pixels - quad, 1e5).ravel())
        return np.concatenate(misses)

    start = np.concatenate([np.log(heights), corners[free].ravel()])
    found = least_squares(residual, start, x_scale="jac", max_nfev=100)
    return unpack(found.x)
