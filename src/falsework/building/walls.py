"""Street walls: piers and spandrels around the openings, and what fills the openings."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from falsework.building.cracks import panels
from falsework.building.fragments import SURFACE_PLATE
from falsework.building.settings import BuildingSettings
from falsework.building.structure import Draft, surface
from falsework.building.wings import Wing

__all__ = ["add_facade_wall", "facade_openings"]

Points = npt.NDArray[np.float64]
Rect = tuple[float, float, float, float]  # left, bottom, right, top in the wall's plane

PANE = 0.03  # metres, thickness of what fills an opening
SMALLEST = 0.25  # metres, an opening narrower or lower than this is no opening
GAP = 0.12  # metres of wall that stay between openings
EDGE = 0.2  # metres of wall that stay at the ends and under the cornice


def facade_openings(wing: Wing) -> list[Rect]:
    """The openings of a facade: the plate's windows, parted, and shop fronts on a bare ground floor."""
    facade = wing.facade
    rects: list[Rect] = []
    for left, bottom, right, top in sorted(map(tuple, np.asarray(facade.windows, float).round(4).tolist())):
        low = bottom if bottom > 0.1 else 0.0
        rect = (max(left, EDGE), low, min(right, facade.width - EDGE), min(top, facade.height - EDGE))
        for other in rects:
            rect = _beside(rect, other)
        if min(rect[2] - rect[0], rect[3] - rect[1]) >= SMALLEST:
            rects.append(rect)
    ground = float(facade.levels[1]) if facade.storeys > 1 else 0.0
    if ground > 2.6 and not any(r[1] < 0.6 * ground for r in rects):
        half = np.diff(wing.columns).min() / 2 if len(wing.columns) > 1 else facade.width / 2
        half = min(half - 0.45, 1.7)
        for middle in wing.columns:
            rect = (
                max(middle - half, 0.5),
                0.35,
                min(middle + half, facade.width - 0.5),
                min(ground - 1.0, 3.4),
            )
            if rect[2] - rect[0] > 0.6 and not any(_overlap(rect, r, GAP) for r in rects):
                rects.append(rect)
    return rects


def _beside(rect: Rect, other: Rect) -> Rect:
    """A rectangle without what lies on or against another one: the side with the least to lose gives way."""
    if not _overlap(rect, other, GAP):
        return rect
    left, bottom, right, top = rect
    choices = [
        (other[2] + GAP, bottom, right, top),
        (left, bottom, other[0] - GAP, top),
        (left, other[3] + GAP, right, top),
        (left, bottom, right, other[1] - GAP),
    ]
    return max(choices, key=lambda r: max(r[2] - r[0], 0.0) * max(r[3] - r[1], 0.0))


def _overlap(a: Rect, b: Rect, gap: float) -> bool:
    return a[0] < b[2] + gap and b[0] < a[2] + gap and a[1] < b[3] + gap and b[1] < a[3] + gap


def add_facade_wall(draft: Draft, wing: Wing, settings: BuildingSettings, rng: np.random.Generator) -> None:
    """Draw a wing's street wall and the windows in it.

    Masonry is parted by cracks from the openings' corners, so that no grid of piers and bands shows when it
    comes apart; a concrete frame comes apart along its columns and beams.
    """
    openings = facade_openings(wing)
    facade = wing.facade
    whole = (
        min(wing.reach[0], wing.inner[0], 0.0),
        0.0,
        max(wing.reach[1], wing.inner[1], facade.width),
        wing.top,
    )
    if settings.material == "glass":
        draft.openings.append([])
        _curtain_wall(draft, wing)
        return
    frame = _frame(wing, openings) if settings.material == "concrete" else []
    draft.openings.append([*((*r, 1.0) for r in openings), *((*r, 0.0) for r in frame)])
    if settings.material == "concrete":
        parts = [(_polygon(rect), bar) for rect, bar in _parted(whole, openings, frame, rng)]
    else:
        parts = [(polygon, False) for polygon in panels(whole, openings, rng)]
    for polygon, bar in parts:
        _add_panel(draft, wing, whole, polygon, settings, bar, rng)
    for rect in openings:
        _fill_opening(draft, wing, rect)


def _polygon(rect: Rect) -> Points:
    left, bottom, right, top = rect
    return np.array([[left, bottom], [right, bottom], [right, top], [left, top]])


def _add_panel(
    draft: Draft,
    wing: Wing,
    whole: Rect,
    polygon: Points,
    settings: BuildingSettings,
    bar: bool,
    rng: np.random.Generator,
) -> None:
    """One panel of the wall; sides that are not the wall's own are joints."""
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    rect = (low[0], low[1], high[0], high[1])
    opens = [
        side
        for side, at, end in zip(("left", "bottom", "right", "top"), rect, whole, strict=True)
        if abs(at - end) > 1e-6
    ]
    cracks = []
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
        if np.abs(along).max() < 1 - 1e-12:  # neither level nor plumb
            cracks.append((along[1], 0.0, -along[0], along[1] * start[0] - along[0] * start[1]))
    masonry = settings.material == "masonry"
    ground = 0.5 * (low[1] + high[1]) < wing.facade.levels[1]
    upright = high[1] - low[1] > high[0] - low[0]
    finish = "plaster" if ground or rng.random() < 0.4 else "wallpaper"
    draft.add(
        wing, (low[0], 0.0, low[1]), (high[0], settings.wall_thickness, high[1]),
        material="concrete" if bar else ("rubble_stone" if ground and masonry else "brick"),
        kind=("column" if upright else "beam") if bar else "wall",
        surfaces={"front": SURFACE_PLATE, "back": surface(finish), "top": surface("roofing")},
        opens=opens, cracks=cracks, facade=wing.number, body=wing.number, weight=3.2,
        grain=(1.0, 1.0, 1.0) if bar else (1.0, 1.0, 1.35),
    )  # fmt: skip


def _frame(wing: Wing, openings: list[Rect]) -> list[Rect]:
    """Concrete columns between the window columns and beams at the floors, where no opening is in the way."""
    facade = wing.facade
    between = 0.5 * (wing.columns[1:] + wing.columns[:-1])
    found: list[Rect] = []
    lines = [0.18, *between.tolist(), facade.width - 0.18]
    for level_low, level_high in pairwise(facade.levels):
        for x in lines:
            rect = (x - 0.18, float(level_low), x + 0.18, float(level_high) - 0.45)
            if not any(_overlap(rect, r, 0.0) for r in openings):
                found.append(rect)
        beam = (0.0, float(level_high) - 0.45, facade.width, float(level_high))
        if not any(_overlap(beam, r, 0.0) for r in openings):
            found.append(beam)
    return found


def _parted(
    whole: Rect, openings: list[Rect], frame: list[Rect], rng: np.random.Generator
) -> list[tuple[Rect, bool]]:
    """Rectangles that fill `whole` around the openings, each with whether it is part of the frame."""
    solid: list[tuple[Rect, bool]] = []
    waiting = [whole]
    while waiting:
        rect = waiting.pop()
        holes = [r for r in openings if _overlap(rect, r, -1e-9)]
        bars = [r for r in frame if _overlap(rect, r, -1e-9)]
        if any(_covers(r, rect) for r in holes):
            continue
        if not holes and (not bars or any(_covers(r, rect) for r in bars)):
            solid.append((rect, bool(bars)))
            continue
        lines: dict[tuple[int, float], float] = {}
        for part in (*holes, *bars):
            for axis in (0, 1):
                for at in (part[axis], part[axis + 2]):
                    if rect[axis] + 1e-9 < at < rect[axis + 2] - 1e-9:
                        cost = sum(r[axis] + 1e-9 < at < r[axis + 2] - 1e-9 for r in (*holes, *bars))
                        size = rect[axis + 2] - rect[axis]
                        balance = min(at - rect[axis], rect[axis + 2] - at) / size
                        # long cuts across the long side first; never through an opening if it can be helped
                        lines[(axis, at)] = 6.0 * cost - balance - 0.25 * size / 10.0 + 0.5 * rng.random()
        axis, at = min(lines, key=lambda line: (lines[line], line))
        waiting.append((rect[0], rect[1], at, rect[3]) if axis == 0 else (rect[0], rect[1], rect[2], at))
        waiting.append((at, rect[1], rect[2], rect[3]) if axis == 0 else (rect[0], at, rect[2], rect[3]))
    return solid


def _covers(outer: Rect, inner: Rect) -> bool:
    return (
        outer[0] <= inner[0] + 1e-9
        and outer[1] <= inner[1] + 1e-9
        and outer[2] >= inner[2] - 1e-9
        and outer[3] >= inner[3] - 1e-9
    )


def _fill_opening(draft: Draft, wing: Wing, rect: Rect) -> None:
    """A pane, flush with the wall so that the plate lies on it; leaves, posts and glass break as one."""
    left, bottom, right, top = rect
    draft.add(
        wing, (left, 0.0, bottom), (right, PANE, top),
        material="glass", kind="window", facade=wing.number, weight=1.8,
        surfaces={"front": SURFACE_PLATE, "back": surface("glass")},
    )  # fmt: skip


def _curtain_wall(draft: Draft, wing: Wing) -> None:
    """Glass panels from floor to floor, bay by bay, before the slabs' edges."""
    facade = wing.facade
    columns = wing.columns
    lines = [*(0.5 * (columns[1:] + columns[:-1]))]
    edges = [wing.reach[0], *lines, wing.reach[1]]
    levels = [*facade.levels.tolist()]
    levels[-1] = wing.top
    for bottom, top in pairwise(levels):
        for a, b in pairwise(edges):
            panels = max(1, round((b - a) / 1.6))
            for k in range(panels):
                draft.add(
                    wing,
                    (a + (b - a) * k / panels, 0.0, bottom),
                    (a + (b - a) * (k + 1) / panels, 2 * PANE, top),
                    material="glass", kind="window", facade=wing.number, weight=3.0,
                    surfaces={"front": SURFACE_PLATE, "back": surface("glass")},
                )  # fmt: skip
