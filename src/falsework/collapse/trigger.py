"""When each support goes: the side, the storey and the timing map of the settings, as seconds per
fragment.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from falsework.building.fragments import KINDS, Fragments
from falsework.collapse.settings import CollapseSettings
from falsework.errors import FalseworkError
from falsework.seeds import generator

__all__ = [
    "HINGE_DELAY",
    "LOAD_BEARING",
    "fraction_across",
    "leaning",
    "pop_times",
    "removal_times",
    "start_frame",
]

Float = npt.NDArray[np.float64]

LOAD_BEARING = tuple(
    KINDS.index(name) for name in ("wall", "back_wall", "party_wall", "partition", "column", "stair")
)
WINDOW = KINDS.index("window")
# A building that topples keeps the supports behind this fraction: they are the hinge.
HINGE_FRACTION = 0.62
HINGE_DELAY = 3.0  # seconds after the rest of the storey: the building has gone over by then
# How far from a block's middle, in widths, what still carries it stands: it turns about that.
LEAN = {"topple": 0.4, "progressive": 0.05}
RAGGED = 0.05  # seconds, standard deviation: supports beside each other do not go in the same instant
POP_SPREAD = 0.25  # seconds: glass goes shortly before to shortly after the wall around it
POP_SHARE = 0.5


def start_frame(fragments: Fragments, settings: CollapseSettings, first_frame: int, frames: int) -> int:
    """The frame, from 0, in which the first support goes. Raises FalseworkError where it lies outside the
    shot, or nothing stands on the ground."""
    start = settings.start - first_frame
    if not 0 <= start < frames:
        raise FalseworkError(
            f"the collapse starts at frame {settings.start}, the shot runs from {first_frame} to "
            f"{first_frame + frames - 1}",
            where="collapse.start",
            todo="Choose a start frame within the shot.",
        )
    if not fragments.support.any():
        raise FalseworkError(
            "no fragment stands on the ground",
            where="collapse",
            todo="Check the building: its lowest storey must reach the ground.",
        )
    return start


def fraction_across(fragments: Fragments, settings: CollapseSettings) -> Float:
    """(N,) 0 where the failure begins, 1 where it ends."""
    plan = fragments.centre[:, :2].astype(np.float64)
    low, high = plan.min(axis=0), plan.max(axis=0)
    if settings.kind == "topple":
        angle = np.radians(settings.direction)
        towards = np.array([np.sin(angle), np.cos(angle)])
        reach = -plan @ towards
    elif settings.kind == "implosion":
        reach = np.linalg.norm(plan - (low + high) / 2, axis=1)
    elif settings.side in ("left", "right"):
        reach = plan[:, 0] if settings.side == "left" else -plan[:, 0]
    elif settings.side in ("front", "back"):
        reach = plan[:, 1] if settings.side == "front" else -plan[:, 1]
    elif settings.side == "corner":
        shown = np.flatnonzero(fragments.facade >= 0)
        near = plan[shown] if len(shown) else plan
        corner = near[np.argmin(np.linalg.norm(near, axis=1))]
        reach = np.linalg.norm(plan - corner, axis=1)
    else:
        reach = np.abs(plan[:, 0] - (low[0] + high[0]) / 2)
    reach = reach - reach.min()
    return np.asarray(reach / max(float(reach.max()), 1e-9))


def leaning(fragments: Fragments, settings: CollapseSettings) -> Float:
    """(2,) which way (x, y) the block tips, its length the arm of what still carries it in block widths."""
    across = fraction_across(fragments, settings)
    plan = fragments.centre[:, :2].astype(np.float64)
    first = plan[across <= np.quantile(across, 0.1)].mean(axis=0)
    towards = first - plan.mean(axis=0)
    length = float(np.linalg.norm(towards))
    if settings.kind not in LEAN or (settings.kind == "progressive" and settings.side == "centre"):
        return np.zeros(2)
    return np.asarray(towards / max(length, 1e-9) * LEAN[settings.kind])


def _map(settings: CollapseSettings, across: Float) -> Float:
    pairs = sorted(settings.timing)
    return np.interp(across, [p[0] for p in pairs], [p[1] for p in pairs])


def removal_times(fragments: Fragments, settings: CollapseSettings, seed: int) -> Float:
    """(N,) seconds after the trigger at which a load-bearing fragment is crushed; infinite for all others."""
    random = generator(seed, "collapse", "trigger")
    ragged = np.abs(random.normal(0.0, RAGGED, len(fragments)))
    failing = np.isin(fragments.kind, LOAD_BEARING) & (fragments.storey == settings.from_storey)
    if not failing.any():
        # A building of one kind of piece (or with fewer storeys): whatever stands there bears the load.
        storey = min(settings.from_storey, int(fragments.storey.max()))
        failing = fragments.storey == storey
    across = fraction_across(fragments, settings)
    time = _map(settings, across)
    if settings.kind == "pancake":
        time = _map(settings, np.zeros_like(across))
    if settings.kind == "topple":
        time = np.where(across > HINGE_FRACTION, time + HINGE_DELAY, time)
    return np.where(failing, time + ragged, np.inf)


def pop_times(fragments: Fragments, settings: CollapseSettings, seed: int) -> Float:
    """(N,) seconds after the trigger at which a window near the failing storey bursts; else infinite."""
    random = generator(seed, "collapse", "windows")
    draw = random.random(len(fragments))
    late = random.random(len(fragments)) * POP_SPREAD
    near = (fragments.kind == WINDOW) & (np.abs(fragments.storey - settings.from_storey) <= 1)
    time = _map(settings, fraction_across(fragments, settings)) + late
    return np.where(near & (draw < POP_SHARE), time, np.inf)
