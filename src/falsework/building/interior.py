"""Behind the facade: floors, spine wall, partitions, stairs, outer walls, and what stands in rooms."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from falsework.building.settings import BuildingSettings
from falsework.building.structure import CORE, Draft, surface
from falsework.building.wings import Wing

__all__ = ["Plan", "add_interior", "make_plan"]

DOOR = (0.9, 2.1)  # width, height of a door, metres
JOIST = 0.22  # height of a joist, metres
STAIR = 2.3  # width of a stairwell, metres


@dataclass(frozen=True)
class Plan:
    """How a wing is laid out, in its own frame.

    wall       thickness of the street wall where rooms begin, metres inward
    back       inner face of the back wall;  spine (near, far) faces of the middle wall
    start, end along the wall: inner faces of the party walls, or as far as the mitre lets the wing reach
    lines      partitions' middles along the wall
    slab       thickness of a floor
    stair      (low, high) along the wall of the stairwell behind the spine wall, or None
    """

    wall: float
    back: float
    spine: tuple[float, float]
    start: float
    end: float
    lines: tuple[float, ...]
    slab: float
    stair: tuple[float, float] | None

    @property
    def fields(self) -> list[tuple[float, float]]:
        """Stretches along the wall from one partition's middle to the next."""
        edges = [self.start, *self.lines, self.end]
        return list(pairwise(edges))


def make_plan(wing: Wing, settings: BuildingSettings, *, with_stair: bool) -> Plan:
    """Lay out a wing: partitions between window columns, a spine wall half-way, one stairwell."""
    party = 0.35 if settings.material == "masonry" else 0.25
    start = wing.reach[0] + (party if wing.party[0] else 0.0)
    end = wing.reach[1] - (party if wing.party[1] else 0.0)
    wall = 0.06 if settings.material == "glass" else settings.wall_thickness
    back = wing.depth - (0.4 if settings.material == "masonry" else 0.25)
    thick = 0.42 if settings.material == "masonry" else 0.0
    middle = wall + 0.52 * (back - wall)
    between = 0.5 * (wing.columns[1:] + wing.columns[:-1])
    lines: list[float] = []
    for at in between:
        if at - (lines[-1] if lines else start) > 2.4 and end - at > 2.4:
            lines.append(float(at))
    stair = None
    if with_stair and back - middle > 3.2 and wing.facade.storeys > 1:
        edges = [start, *lines, end]
        aside = 0.1 if settings.material == "masonry" else 0.5  # clear of columns
        rooms = [
            (a, b)
            for a, b in pairwise(edges)
            if b - a > STAIR + 2 * aside and wing.inside(a, back) and wing.inside(a + STAIR + aside, back)
        ]
        if rooms:
            a, _ = rooms[len(rooms) // 2]
            stair = (a + aside, a + aside + STAIR)
    return Plan(
        wall=wall,
        back=back,
        spine=(middle - thick / 2, middle + thick / 2),
        start=start,
        end=end,
        lines=tuple(lines),
        slab=0.20 if settings.material == "masonry" else 0.24,
        stair=stair,
    )


def add_interior(
    draft: Draft, wing: Wing, plan: Plan, settings: BuildingSettings, rng: np.random.Generator
) -> None:
    """Draw everything of a wing that stands behind its street wall and under its roof."""
    levels = wing.facade.levels
    _outer_walls(draft, wing, plan, settings)
    for storey, (floor, above) in enumerate(pairwise(levels)):
        ceiling = float(above) - plan.slab
        _floor(draft, wing, plan, settings, storey, float(above), top=storey == wing.facade.storeys - 1)
        if settings.material == "masonry":
            _spine_wall(draft, wing, plan, float(floor), float(above), rng)
        else:
            _columns(draft, wing, plan, float(floor), ceiling)
        _partitions(draft, wing, plan, float(floor), ceiling, rng)
        if plan.stair is not None and storey < wing.facade.storeys - 1:
            _stair(draft, wing, plan, settings, float(floor), float(above))
        _clutter(draft, wing, plan, float(floor), ceiling, rng)
        _pipes(draft, wing, plan, float(floor), ceiling)


def _outer_walls(draft: Draft, wing: Wing, plan: Plan, settings: BuildingSettings) -> None:
    material = "rubble_stone" if settings.material == "masonry" else "brick"
    levels = wing.facade.levels.tolist()
    inner = surface("plaster")
    piers = [plan.start]
    for a, b in plan.fields:
        if b - a > 2.0:
            middle, half = 0.5 * (a + b), 0.55
            # windows in the back wall, one over the other, and the spandrels between them
            heights = [
                (0.0, 0.9),
                *((z - 1.2, z + 0.9) for z in levels[1:-1]),
                (levels[-1] - 1.2, levels[-1]),
            ]
            for low, high in heights:
                _back_wall(draft, wing, plan, material, (middle - half, low, middle + half, high))
            piers += [middle - half, middle + half]
    piers.append(plan.end)
    for bottom, top in pairwise(levels):
        for left, right in zip(piers[::2], piers[1::2], strict=True):
            _back_wall(draft, wing, plan, material, (left, bottom, right, top))
        for side, is_party in enumerate(wing.party):
            if is_party:
                x = (wing.reach[0], plan.start) if side == 0 else (plan.end, wing.reach[1])
                middle = plan.spine[0]
                inward, outward = ("left", "right") if side else ("right", "left")
                for near, far in ((plan.wall, middle), (middle, wing.depth)):
                    draft.add(
                        wing, (x[0], near, bottom), (x[1], far, top),
                        material=material, kind="party_wall", weight=0.28, grain=(1.0, 1.0, 1.3),
                        surfaces={inward: inner, outward: surface(material)},
                    )  # fmt: skip


def _back_wall(
    draft: Draft, wing: Wing, plan: Plan, material: str, rect: tuple[float, float, float, float]
) -> None:
    draft.add(
        wing, (rect[0], plan.back, rect[1]), (rect[2], wing.depth, rect[3]),
        material=material, kind="back_wall", weight=0.35, grain=(1.0, 1.0, 1.3),
        surfaces=dict.fromkeys(("front", "back"), surface("plaster")),
    )  # fmt: skip


def _floor(
    draft: Draft, wing: Wing, plan: Plan, settings: BuildingSettings, storey: int, level: float, *, top: bool
) -> None:
    """The floor above a storey: joists and planks from wall to wall, or a reinforced slab."""
    masonry = settings.material == "masonry"
    roof = top and settings.roof == "flat"
    finish = {
        "bottom": surface("plaster"),
        "top": surface("roofing" if roof else ("timber" if masonry else "plaster")),
    }
    core = "timber" if masonry else "concrete"
    spine = plan.spine if masonry else (0.5 * sum(plan.spine),) * 2
    low = level - plan.slab
    for a, b in plan.fields:
        spans = [(a, b, plan.wall, spine[0]), (a, b, spine[1], plan.back)]
        if plan.stair is not None and not top and a <= plan.stair[0] and plan.stair[1] <= b:
            # leave the stairwell open, but for its landing along the spine wall
            spans[1:] = [
                (a, plan.stair[0], spine[1], plan.back),
                (plan.stair[0], plan.stair[1], spine[1], spine[1] + 1.1),
                (plan.stair[1], b, spine[1], plan.back),
            ]
        for left, right, near, far in spans:
            draft.add(
                wing, (left, near, low), (right, far, level),
                material=core, kind="roof" if roof else "slab", surfaces=finish,
                weight=0.35, grain=(1.0, 0.6, 1.0) if masonry else (1.0, 1.0, 1.0),
            )  # fmt: skip
            # behind the spine wall nobody sees the joists
            if masonry and near < spine[0] and far - near > 2.0 and right - left > 0.8:
                joists = max(1, round((right - left) / 2.4))
                for k in range(joists):
                    x = left + (right - left) * (k + 0.5) / joists
                    draft.add(
                        wing, (x - 0.1, near, low - JOIST), (x + 0.1, far, low),
                        material="timber", kind="beam", weight=0.3, grain=(1.0, 0.25, 1.0),
                        surfaces=dict.fromkeys(("left", "right", "bottom"), surface("timber")),
                    )  # fmt: skip


def _spine_wall(
    draft: Draft, wing: Wing, plan: Plan, floor: float, above: float, rng: np.random.Generator
) -> None:
    """The load-bearing middle wall, with a door in every room."""
    near, far = plan.spine
    paper = surface("wallpaper" if rng.random() < 0.7 else "plaster")
    pieces = []
    start = plan.start
    for a, b in plan.fields:
        if b - a > DOOR[0] + 1.0:
            door = a + 0.5 + rng.random() * max(b - a - 1.0 - DOOR[0], 0.0)
            pieces.append((start, door, floor, above))
            pieces.append((door, door + DOOR[0], floor + DOOR[1], above))
            if rng.random() < 0.7:
                draft.add(
                    wing, (door, near + 0.05, floor), (door + DOOR[0], near + 0.1, floor + DOOR[1]),
                    material="timber", kind="partition", weight=0.1,
                    surfaces=dict.fromkeys(("front", "back"), surface("timber")),
                )  # fmt: skip
            start = door + DOOR[0]
    pieces.append((start, plan.end, floor, above))
    for left, right, low, high in pieces:
        draft.add(
            wing, (left, near, low), (right, far, high),
            material="brick", kind="wall", weight=0.4, grain=(1.0, 1.0, 1.3),
            surfaces={"front": paper, "back": surface("plaster")},
        )  # fmt: skip


def _columns(draft: Draft, wing: Wing, plan: Plan, floor: float, ceiling: float) -> None:
    """Columns on a grid under the partitions' lines."""
    rows = [plan.wall + 0.25, plan.spine[0], plan.back - 0.25] if plan.wall < 0.1 else [plan.spine[0]]
    for x in (plan.start + 0.25, *plan.lines, plan.end - 0.25):
        for y in rows:
            if wing.inside(x - 0.3, y) and wing.inside(x + 0.3, y):
                draft.add(
                    wing, (x - 0.2, y - 0.2, floor), (x + 0.2, y + 0.2, ceiling),
                    material="concrete", kind="column", weight=1.2,
                    surfaces=dict.fromkeys(("left", "right", "front", "back"), surface("plaster")),
                )  # fmt: skip


def _partitions(
    draft: Draft, wing: Wing, plan: Plan, floor: float, ceiling: float, rng: np.random.Generator
) -> None:
    """Thin walls between rooms, before and behind the spine, some with a door."""
    concrete = plan.spine[0] == plan.spine[1]
    margin = 0.2 if concrete else 0.0
    first = plan.wall + (0.45 if plan.wall < 0.1 else 0.0)
    last = plan.back - (0.45 if plan.wall < 0.1 else 0.0)
    for x in plan.lines:
        for near, far in ((first, plan.spine[0] - margin), (plan.spine[1] + margin, last)):
            papers = [surface("wallpaper" if rng.random() < 0.65 else "plaster") for _ in range(2)]
            door = near + 0.3 + rng.random() * max(far - near - 0.6 - DOOR[0], 0.0)
            parts = [(near, far, floor, ceiling)]
            if near == first and far - near > 2.2 and rng.random() < 0.4:
                head = floor + DOOR[1]
                parts = [(near, door, floor, ceiling), (door + DOOR[0], far, floor, ceiling)]
                parts.append((door, door + DOOR[0], head, ceiling))
            for front, back, low, high in parts:
                draft.add(
                    wing, (x - 0.05, front, low), (x + 0.05, back, high),
                    material="brick", kind="partition", weight=0.2, grain=(1.0, 1.0, 1.2),
                    surfaces={"left": papers[0], "right": papers[1]},
                )  # fmt: skip


def _stair(
    draft: Draft, wing: Wing, plan: Plan, settings: BuildingSettings, floor: float, above: float
) -> None:
    """Two flights side by side with a landing at the back wall, in blocks of steps."""
    assert plan.stair is not None
    left, right = plan.stair
    middle = 0.5 * (left + right)
    spine = plan.spine[1] if settings.material == "masonry" else plan.spine[0]
    near, far = spine + 1.1, plan.back - 1.0
    if far - near < 1.0:
        return
    half = 0.5 * (floor + above)
    finish = surface("timber" if settings.material == "masonry" else "plaster")
    material = "timber" if settings.material == "masonry" else "concrete"
    faces = dict.fromkeys(("left", "right", "front", "back", "bottom", "top"), finish)
    draft.add(
        wing, (left, far, half - 0.18), (right, plan.back, half),
        material=material, kind="stair", surfaces=faces | {"back": CORE}, weight=0.4,
    )  # fmt: skip
    steps = 5
    run = (far - near) / steps
    for first, last, low, high, start, sign in (
        (left, middle, floor, half, near, 1.0),
        (middle, right, half, above, far, -1.0),
    ):
        rise = (high - low) / steps
        for k in range(steps):
            y = sorted((start + sign * k * run, start + sign * (k + 1) * run))
            top = low + (k + 1) * rise - rise / 2
            bottom = max(top - rise - 0.1, low if low < 0.01 else low - plan.slab)
            draft.add(
                wing, (first, y[0], bottom), (last, y[1], top),
                material=material, kind="stair", surfaces=faces, weight=0.1,
            )  # fmt: skip


def _pipes(draft: Draft, wing: Wing, plan: Plan, floor: float, ceiling: float) -> None:
    """Risers of iron pipe along the spine wall, in every other room."""
    for a, b in plan.fields[::2]:
        x, y = b - 0.4, plan.spine[0] - 0.3
        if b - a > 1.5 and wing.inside(x - 0.2, y) and wing.inside(x + 0.2, y):
            draft.add(
                wing, (x, y, floor), (x + 0.08, y + 0.08, ceiling),
                material="steel", kind="clutter", weight=0.1,
                surfaces=dict.fromkeys(("left", "right", "front", "back"), surface("steel")),
            )  # fmt: skip


def _clutter(
    draft: Draft, wing: Wing, plan: Plan, floor: float, ceiling: float, rng: np.random.Generator
) -> None:
    """Wardrobes, beds, tables of the front rooms: boxes on the floor, none in another's way."""
    near, far = plan.wall + 0.6, plan.spine[0] - 0.4
    for a, b in plan.fields:
        placed: list[tuple[float, float, float, float]] = []
        for _ in range(int(rng.integers(1, 4))):
            shape = (
                (0.6, 1.4, 1.9),
                (1.4, 1.9, 0.5),
                (1.0, 0.8, 0.75),
                (0.5, 0.5, 0.9),
                (0.4, 1.2, 2.1),
            )[int(rng.integers(5))]
            size = np.array(shape) * rng.uniform(0.85, 1.15, 3)
            x = a + 0.2 + rng.random() * max(b - a - size[0] - 0.4, 0.0)
            y = near + rng.random() * max(far - near - size[1], 0.0)
            box = (x, y, x + size[0], y + size[1])
            corners = [(box[i], box[j]) for i in (0, 2) for j in (1, 3)]
            clear = all(box[0] >= o[2] or o[0] >= box[2] or box[1] >= o[3] or o[1] >= box[3] for o in placed)
            fits = box[2] < b - 0.15 and box[3] < far and floor + size[2] < ceiling - 0.3
            if clear and fits and all(wing.inside(cx, cy) for cx, cy in corners):
                placed.append(box)
                draft.add(
                    wing, (box[0], box[1], floor), (box[2], box[3], floor + float(size[2])),
                    material="clutter", kind="clutter", weight=0.15,
                    surfaces=dict.fromkeys(("left", "right", "front", "back", "top"), surface("clutter")),
                )  # fmt: skip
