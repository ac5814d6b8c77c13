"""From facades to wings: the parts of a footprint behind each facade, mitred where facades meet."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.plate.plate import Facade

__all__ = ["Wing", "make_wings"]

Points = npt.NDArray[np.float64]
MEET = 0.6  # metres; facades whose ends are closer than this share a corner


@dataclass(frozen=True)
class Wing:
    """The house behind one facade. Its own frame: along the wall, inward, up, from the facade's origin.

    depth    metres from the facade to the back wall
    limits   planes (nx, ny, nz, d) in the wing's frame that part it from the next wing
    reach    (low, high) along the wall, metres: what a box must cover to reach both ends at any depth
    party    (left, right): True where the wing ends in a party wall
    inner    along the wall, where the facade wall's ends lie at its inner face
    top      height of the facade wall, metres (cornice, or the parapet of a flat roof)
    columns  (C,) middles of the window columns, metres along the wall
    """

    facade: Facade
    number: int
    depth: float
    limits: tuple[tuple[float, float, float, float], ...]
    reach: tuple[float, float]
    party: tuple[bool, bool]
    inner: tuple[float, float]
    top: float
    columns: Points

    @property
    def axes(self) -> Points:
        """(3, 3) rows: along, inward, up, in the world."""
        return np.stack([self.facade.right, -self.facade.normal, np.array([0.0, 0.0, 1.0])])

    def to_world(self, planes: Points) -> Points:
        """Planes (P, 4) of the wing's frame in the world."""
        normals = planes[:, :3] @ self.axes
        return np.column_stack([normals, planes[:, 3] + normals @ self.facade.origin])

    def inside(self, along: float, inward: float) -> bool:
        """Whether a point of the plan belongs to the wing."""
        within = self.reach[0] <= along <= self.reach[1] and 0 <= inward <= self.depth
        return within and all(a * along + b * inward <= d for a, b, _, d in self.limits)


def make_wings(facades: tuple[Facade, ...], depth: float, top: float, thickness: float) -> tuple[Wing, ...]:
    """The wings behind facades given from left to right; `top` is what the wall rises above the cornice.

    Raises FalseworkError without facades and where a facade is too narrow to have rooms behind it.
    """
    if not facades:
        raise FalseworkError(
            "no facade is given", where="facades", todo="Mark at least one facade of the building."
        )
    for facade in facades:
        if facade.width < 1.0 or facade.height < 2.0:
            raise FalseworkError(
                f'"{facade.name}" is only {facade.width:.1f} m wide and {facade.height:.1f} m high',
                where="facades",
                todo="Check its corners and its storey height.",
            )
    joints = [_corner(a, b) for a, b in pairwise(facades)]
    for index, facade in enumerate(facades):
        mitred = [
            side
            for side, at in (("left", index - 1), ("right", index))
            if 0 <= at < len(joints) and joints[at]
        ]
        for side in mitred:
            joint = joints[index - 1 if side == "left" else index]
            assert joint is not None
            if joint[1] > 0:  # the wing narrows towards its back
                depth = min(depth, max(0.8 * facade.width / len(mitred) / joint[1], 1.5))
    return tuple(_wing(index, facades, joints, depth, top, thickness) for index in range(len(facades)))


def _corner(left: Facade, right: Facade) -> tuple[Points, float] | None:
    """Where two facades meet, and how much of each wall's length the mitre takes per metre of depth."""
    end = left.origin + left.width * left.right
    across = np.column_stack([left.right[:2], -right.right[:2]])
    if abs(np.linalg.det(across)) < 0.05:
        return None if np.linalg.norm(end - right.origin) > MEET else (0.5 * (end + right.origin), 0.0)
    along = np.linalg.solve(across, (right.origin - left.origin)[:2])
    point = left.origin + along[0] * left.right
    if np.linalg.norm((point - end)[:2]) > MEET or np.linalg.norm((point - right.origin)[:2]) > MEET:
        return None
    middle = -(left.normal + right.normal)
    middle /= np.linalg.norm(middle)
    return point, float(-(middle @ left.right) / (middle @ -left.normal))


def _wing(
    index: int,
    facades: tuple[Facade, ...],
    joints: list[tuple[Points, float] | None],
    depth: float,
    top: float,
    thickness: float,
) -> Wing:
    facade = facades[index]
    limits: list[tuple[float, float, float, float]] = []
    reach = [0.0, facade.width]
    inner = [0.0, facade.width]
    party = [True, True]
    for side, at in ((0, index - 1), (1, index)):
        if not (0 <= at < len(joints)) or joints[at] is None:
            continue
        point, slope = joints[at]  # type: ignore[misc]
        sign = -1.0 if side == 0 else 1.0
        corner = float((point - facade.origin) @ facade.right)
        scale = float(np.hypot(1.0, slope))
        # the mitre in the wing's frame: along = corner -+ slope * inward
        limits.append((sign / scale, slope / scale, 0.0, sign * corner / scale))
        reach[side] = corner + sign * max(0.0, -slope) * depth
        inner[side] = corner - sign * slope * thickness
        party[side] = False
    return Wing(
        facade=facade,
        number=index,
        depth=depth,
        limits=tuple(limits),
        reach=(reach[0], reach[1]),
        party=(party[0], party[1]),
        inner=(inner[0], inner[1]),
        top=facade.height + top,
        columns=_window_columns(facade),
    )


def _window_columns(facade: Facade) -> Points:
    """Middles of the window columns; where the wall has no windows, of bays of about 3.2 m."""
    upper = facade.windows[facade.windows[:, 1] > facade.levels[min(1, facade.storeys - 1)] - 0.3]
    middles = np.sort(0.5 * (upper[:, 0] + upper[:, 2])) if len(upper) else np.zeros(0)
    if len(middles) == 0:
        bays = max(1, round(facade.width / 3.2))
        return (np.arange(bays) + 0.5) * facade.width / bays
    groups = np.split(middles, np.flatnonzero(np.diff(middles) > 0.8) + 1)
    return np.array([group.mean() for group in groups])
