"""The laws a collapse must keep, measured on the finished motion. A check may fail, and then says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from falsework.building.fragments import Fragments
from falsework.collapse.bodies import GRAVITY, rotate
from falsework.collapse.motion import Motion
from falsework.collapse.mound import bulk_and_solid

__all__ = ["check_motion"]

Float = npt.NDArray[np.float64]

RISE = 0.05  # metres
RISE_SECONDS = 0.5
ACCELERATION_SHARE = 0.05  # over gravity: positions are single precision, steps finite
ENERGY_SHARE = 0.02
LYING = 0.5  # m/s: what moves faster in the last frame is not yet part of the mound
SETTLED = 0.5  # of what moved, by volume: from then on the mound is judged


def check_motion(
    fragments: Fragments, motion: Motion, *, trigger_frame: int, touched: npt.NDArray[np.bool_] | None = None
) -> dict[str, dict[str, Any]]:
    """All checks by name, in the form `Motion.checks` keeps them.

    touched: (T, N) True where anything touched a fragment's part in the time up to this frame; what touches
    nothing is free (none given: all are taken as free).
    """
    return {
        "below_ground": _below_ground(fragments, motion),
        "rises_at_trigger": _rises(motion, trigger_frame),
        "faster_than_gravity": _faster(fragments, motion, touched),
        "energy": _energy(motion),
        "bulking": _bulking(fragments, motion),
    }


def _result(passed: bool, value: float, limit: str, means: str) -> dict[str, Any]:
    return {"passed": bool(passed), "value": round(float(value), 4), "limit": limit, "means": means}


def corners(fragments: Fragments, motion: Motion, frame: int) -> Float:
    """(H, 3) world positions of all hull vertices at a frame."""
    owner = np.repeat(np.arange(len(fragments)), np.diff(fragments.hull_start))
    turn = motion.rotation[frame].astype(np.float64)[owner]
    return np.asarray(
        rotate(turn, fragments.hull.astype(np.float64)) + motion.position[frame].astype(np.float64)[owner]
    )


def _below_ground(fragments: Fragments, motion: Motion) -> dict[str, Any]:
    rest = np.minimum(
        fragments.hull[:, 2] + np.repeat(fragments.centre[:, 2], np.diff(fragments.hull_start)), 0.0
    )
    worst = 0.0
    for frame in range(0, motion.frames, 4):
        worst = max(worst, float((rest - corners(fragments, motion, frame)[:, 2]).max()))
    final = float((rest - corners(fragments, motion, motion.frames - 1)[:, 2]).max())
    return _result(
        final <= 0.02 and worst <= 0.3,
        final,
        "0.02 m at the end, 0.30 m in passing",
        f"deepest corner under the ground in the last frame, metres ({worst:.3f} in passing)",
    )


def _rises(motion: Motion, trigger: int) -> dict[str, Any]:
    last = min(trigger + round(RISE_SECONDS * motion.fps), motion.frames - 1)
    lift = motion.position[trigger : last + 1, :, 2] - motion.position[trigger, :, 2]
    value = float(lift.max(initial=0.0))
    return _result(
        value <= RISE,
        value,
        f"{RISE} m",
        f"greatest rise of a fragment in the first {RISE_SECONDS} s, metres",
    )


def _faster(fragments: Fragments, motion: Motion, touched: npt.NDArray[np.bool_] | None) -> dict[str, Any]:
    """Downward acceleration of what hangs together and touches nothing, from three frames' positions.

    The centre of mass of a part that stays the same part over three frames cannot beat gravity, however it
    turns. Single fragments can: the tip of a toppling wall does.
    """
    height = motion.position[:, :, 2].astype(np.float64)
    mass = fragments.mass.astype(np.float64)
    size = len(fragments)
    worst = 0.0

    def parts(frame: int) -> npt.NDArray[np.int64]:
        pair = fragments.bond[(motion.bond_broken < 0) | (motion.bond_broken > frame)]
        graph = coo_matrix((np.ones(len(pair), dtype=np.int8), (pair[:, 0], pair[:, 1])), shape=(size, size))
        return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)

    first, second = parts(0), parts(min(1, motion.frames - 1))
    for frame in range(2, motion.frames):
        third = parts(frame)
        count = int(third.max()) + 1
        # Bonds only break, so a part is the same one when it has lost nobody.
        same = (
            np.bincount(third, minlength=count)
            == np.bincount(first, minlength=int(first.max()) + 1)[
                first[np.unique(third, return_index=True)[1]]
            ]
        )
        contact = np.zeros(count, dtype=bool)
        if touched is not None:
            contact[third[touched[frame - 1] | touched[frame]]] = True
        change = height[frame] - 2 * height[frame - 1] + height[frame - 2]
        rise = np.bincount(third, mass * change, count) / np.bincount(third, mass, count) * motion.fps**2
        counted = same & ~contact
        worst = max(worst, float((-rise[counted]).max(initial=0.0)))
        first, second = second, third
    return _result(
        worst <= (1 + ACCELERATION_SHARE) * GRAVITY,
        worst,
        f"{(1 + ACCELERATION_SHARE) * GRAVITY:.2f} m/s2",
        "greatest downward acceleration of the centre of mass of a part that touches nothing, m/s2",
    )


def _energy(motion: Motion) -> dict[str, Any]:
    lost = -motion.curves["potential"].astype(np.float64)
    kinetic = motion.curves["kinetic"].astype(np.float64)
    scale = max(float(lost.max(initial=0.0)), 1.0)
    value = float(((kinetic - lost) / scale).max(initial=0.0))
    return _result(
        value <= ENERGY_SHARE,
        value,
        f"{ENERGY_SHARE} of all potential energy lost",
        "greatest excess of kinetic energy over potential energy lost, a share of the latter's final value",
    )


def _bulking(fragments: Fragments, motion: Motion) -> dict[str, Any]:
    """Volume of the mound over the solid volume in it, judged once half of what came down lies still.

    Before that the pieces that lie are those on the way of others, and the figure falls from frame to frame.
    """
    step = np.linalg.norm(motion.position[-1] - motion.position[-2:][0], axis=1) * motion.fps
    moved = motion.moved[-1]
    lying = moved & (step < LYING)
    share = float(fragments.volume[lying].sum() / max(float(fragments.volume[moved].sum()), 1e-9))
    limit = f"1.2 to 1.8 once {SETTLED:.0%} lies still"
    means = (
        "volume under the surface of what lies still over the solid volume in it "
        f"({share:.0%} of what moved lies still)"
    )
    if not lying.any():
        return _result(True, 0.0, limit, means) | {"judged": False}
    bulk, solid = bulk_and_solid(
        fragments, motion.position[-1].astype(np.float64), motion.rotation[-1].astype(np.float64), lying
    )
    value = bulk / max(solid, 1e-9)
    judged = share >= SETTLED
    return _result(not judged or 1.2 <= value <= 1.8, value, limit, means) | {"judged": judged}
