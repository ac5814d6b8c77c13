"""Roofs over a wing: flat, gable, mansard with dormers; chimneys."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from falsework.building.fragments import SURFACE_PLATE
from falsework.building.interior import Plan
from falsework.building.settings import BuildingSettings
from falsework.building.structure import Draft, surface
from falsework.building.wings import Wing

__all__ = ["add_roof"]

SHELL = 0.22  # metres, thickness of rafters and tiles together
STEEP = 0.42  # a mansard's lower slope: metres inward per metre up

Cut = tuple[tuple[float, float, float, float], int]


def _slope(y: float, z: float, dy: float, dz: float) -> tuple[float, float, float, float]:
    """The plane through (y, z) along (dy, dz) of the section; inside is to the right of that direction."""
    length = float(np.hypot(dy, dz))
    normal = (0.0, -dz / length, dy / length)
    return (*normal, normal[1] * y + normal[2] * z)


def add_roof(
    draft: Draft, wing: Wing, plan: Plan, settings: BuildingSettings, rng: np.random.Generator
) -> None:
    """Draw what stands above a wing's cornice."""
    height = settings.roof_height
    base = wing.facade.height
    if settings.roof == "flat" or height < 0.5:
        _chimneys(draft, wing, plan, base, [], rng)
        return
    depth = wing.depth
    if settings.roof == "gable":
        front = _slope(0.0, base, depth / 2, height)
        back = _slope(depth / 2, base + height, depth / 2, -height)
        _shell(
            draft, wing, plan, front, [(back, None)], (0.0, depth / 2), base, base + height, front_face=True
        )
        _shell(
            draft,
            wing,
            plan,
            back,
            [(front, None)],
            (depth / 2, depth),
            base,
            base + height,
            front_face=False,
        )
        _gable_walls(draft, wing, plan, [_inner(front), _inner(back)], base, base + height, settings)
        _chimneys(draft, wing, plan, base + height, [front], rng)
        return
    inset = min(STEEP * height, 0.3 * depth)
    deck = base + height - SHELL
    front = _slope(0.0, base, inset, height)
    back = _slope(depth - inset, base + height, inset, -height)
    _shell(draft, wing, plan, front, [], (0.0, depth / 2), base, deck, front_face=True)
    _shell(draft, wing, plan, back, [], (depth / 2, depth), base, deck, front_face=False)
    for a, b in plan_fields(wing, plan):
        draft.add(
            wing, (a, 0.0, deck), (b, depth, base + height),
            material="timber", kind="roof", weight=1.0, grain=(1.0, 0.7, 1.0),
            cuts=[(front, SURFACE_PLATE), (back, surface("roofing"))], facade=wing.number,
            surfaces={"top": surface("roofing"), "bottom": surface("plaster")},
        )  # fmt: skip
    _gable_walls(draft, wing, plan, [_inner(front), _inner(back)], base, deck, settings)
    _attic_walls(draft, wing, plan, [_inner(front), _inner(back)], base, deck)
    _dormers(draft, wing, front, base, height)
    _chimneys(draft, wing, plan, base + height, [], rng)


def plan_fields(wing: Wing, plan: Plan) -> list[tuple[float, float]]:
    """The plan's stretches along the wall, widened to cover the party walls."""
    edges = [wing.reach[0], *plan.lines, wing.reach[1]]
    return list(pairwise(edges))


def _inner(plane: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """The lower face of a roof shell."""
    return (*plane[:3], plane[3] - SHELL)


def _shell(
    draft: Draft,
    wing: Wing,
    plan: Plan,
    plane: tuple[float, float, float, float],
    ridge: list[tuple[tuple[float, float, float, float], None]],
    span: tuple[float, float],
    low: float,
    high: float,
    *,
    front_face: bool,
) -> None:
    """A sloping layer of rafters and tiles below a plane, in stretches; ridge planes mitre it."""
    outer = SURFACE_PLATE if front_face else surface("roofing")
    below = tuple(-v for v in _inner(plane))
    cuts: list[Cut] = [(plane, outer), (below, surface("timber"))]  # type: ignore[list-item]
    for a, b in plan_fields(wing, plan):
        draft.add(
            wing, (a, span[0], low), (b, span[1], high),
            material="roofing", kind="roof", cuts=cuts, facade=wing.number if front_face else -1,
            weight=2.0 if front_face else 0.4, grain=(1.0, 0.6, 0.6),
        )  # fmt: skip


def _gable_walls(
    draft: Draft,
    wing: Wing,
    plan: Plan,
    under: list[tuple[float, float, float, float]],
    base: float,
    top: float,
    settings: BuildingSettings,
) -> None:
    """Party walls go on up to the roof."""
    material = "rubble_stone" if settings.material == "masonry" else "brick"
    cuts: list[Cut] = [(plane, -1) for plane in under]
    for side, is_party in enumerate(wing.party):
        if is_party:
            x = (wing.reach[0], plan.start) if side == 0 else (plan.end, wing.reach[1])
            for near, far in ((0.0, wing.depth / 2), (wing.depth / 2, wing.depth)):
                draft.add(
                    wing, (x[0], near, base), (x[1], far, top),
                    material=material, kind="party_wall", weight=0.28, grain=(1.0, 1.0, 1.3), cuts=cuts,
                    surfaces={"left": surface("plaster"), "right": surface("plaster")},
                )  # fmt: skip


def _attic_walls(
    draft: Draft,
    wing: Wing,
    plan: Plan,
    under: list[tuple[float, float, float, float]],
    base: float,
    top: float,
) -> None:
    """Partitions of the storey under a mansard."""
    cuts: list[Cut] = [(plane, -1) for plane in under]
    spine = (plan.spine[0], max(plan.spine[1], plan.spine[0] + 0.1))
    for x in plan.lines:
        for near, far in ((0.0, spine[0]), (spine[1], wing.depth)):
            draft.add(
                wing, (x - 0.05, near, base), (x + 0.05, far, top),
                material="brick", kind="partition", weight=0.3, cuts=cuts,
                surfaces={"left": surface("wallpaper"), "right": surface("plaster")},
            )  # fmt: skip
    for a, b in plan.fields:
        draft.add(
            wing, (a, spine[0], base), (b, spine[1], top),
            material="brick", kind="wall", weight=0.4,
            surfaces={"front": surface("wallpaper"), "back": surface("plaster")},
        )  # fmt: skip


def _dormers(
    draft: Draft, wing: Wing, front: tuple[float, float, float, float], base: float, height: float
) -> None:
    """A dormer over every window column: a front with its cheeks, standing on the slope."""
    # keep above the slope: the part of the box outside the roof's plane
    outside = tuple(-v for v in front)
    street = dict.fromkeys(("left", "right", "front"), SURFACE_PLATE) | {"top": surface("roofing")}
    for x in wing.columns:
        if x < 0.9 or x > wing.facade.width - 0.9 or height < 2.0:
            continue
        low, high, near, far = base + 0.3, base + min(0.75 * height, 2.6), 0.25, 2.5
        for box in (
            ((x - 0.75, near, low), (x + 0.75, near + 0.12, high - 0.12)),
            ((x - 0.75, near + 0.12, low), (x - 0.65, far, high - 0.12)),
            ((x + 0.65, near + 0.12, low), (x + 0.75, far, high - 0.12)),
            ((x - 0.75, near, high - 0.12), (x + 0.75, far, high)),
        ):
            draft.add(
                wing, *box, material="timber", kind="ornament", facade=wing.number, weight=0.5,
                surfaces=street, cuts=[(outside, -1)],  # type: ignore[list-item]
            )  # fmt: skip


def _chimneys(
    draft: Draft,
    wing: Wing,
    plan: Plan,
    top: float,
    below: list[tuple[float, float, float, float]],
    rng: np.random.Generator,
) -> None:
    """Stacks over the party walls and one partition."""
    places = [wing.reach[0] + 0.6] * wing.party[0] + [wing.reach[1] - 0.6] * wing.party[1]
    places += list(plan.lines[len(plan.lines) // 2 :][:1])
    for x in places:
        y = float(rng.uniform(0.3, 0.45)) * wing.depth
        if not (wing.inside(x - 0.3, y) and wing.inside(x + 0.3, y + 1.2)):
            continue
        cuts: list[Cut] = [(tuple(-v for v in plane), -1) for plane in below]  # type: ignore[misc]
        low = min([top, *((plane[3] - plane[1] * y) / plane[2] for plane in below)])
        draft.add(
            wing, (x - 0.3, y, low), (x + 0.3, y + 1.2, low + float(rng.uniform(1.2, 1.8))),
            material="brick", kind="ornament", weight=1.0, grain=(1.0, 1.0, 1.3), cuts=cuts,
            surfaces=dict.fromkeys(("left", "right", "front", "back", "top"), surface("brick")),
        )  # fmt: skip
