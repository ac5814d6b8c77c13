"""A tower that comes down by formula, for tests of dust and debris without a rigid-body simulation."""

from __future__ import annotations

import numpy as np

from falsework.building.fragments import Fragments
from falsework.collapse.motion import EVENT_BREAK, EVENT_IMPACT, Motion
from scenes import brick_tower

FPS = 24.0


def still(fragments: Fragments, frames: int) -> Motion:
    """Nothing happens."""
    count = len(fragments)
    return Motion(
        fps=FPS,
        position=np.tile(fragments.centre, (frames, 1, 1)),
        rotation=np.tile(np.array([0, 0, 0, 1], np.float32), (frames, count, 1)),
        moved=np.zeros((frames, count), np.bool_),
        bond_broken=np.full(len(fragments.bond), -1, np.int32),
        event_time=np.zeros(0, np.float32),
        event_kind=np.zeros(0, np.int32),
        event_position=np.zeros((0, 3), np.float32),
        event_velocity=np.zeros((0, 3), np.float32),
        event_normal=np.zeros((0, 3), np.float32),
        event_energy=np.zeros(0, np.float32),
        event_fragment=np.zeros(0, np.int32),
        curves={},
        checks={},
    )


def falling_tower(frames: int = 40, trigger: int = 5) -> tuple[Fragments, Motion]:
    """The tower falls freely from frame `trigger`, spreads a little, and stops in a heap."""
    fragments = brick_tower()
    rest = still(fragments, frames)
    centre = fragments.centre.astype(np.float64)
    low = 0.75 + 0.25 * (centre[:, 2] - 0.75)
    fallen = np.maximum(np.arange(frames)[:, None] - trigger, 0) / FPS
    height = np.maximum(centre[:, 2] - 4.905 * fallen**2, np.minimum(low, centre[:, 2]))
    share = (centre[:, 2] - height) / np.maximum(centre[:, 2] - low, 1e-3)
    position = np.repeat(centre[None], frames, axis=0)
    middle = centre[:, :2].mean(axis=0)
    position[:, :, :2] += 0.4 * (centre[:, :2] - middle) * np.clip(share, 0, 1)[..., None]
    position[:, :, 2] = height
    landed = height <= low + 1e-9
    falls = centre[:, 2] > 1.0
    stop = np.argmax(landed, axis=0)[falls]
    hit = np.flatnonzero(falls)
    speed = 9.81 * (stop - trigger) / FPS
    count = len(hit)
    down = np.stack([np.zeros(count), np.zeros(count), -speed], axis=1)
    impact_time = stop / FPS
    break_time = np.full(count, trigger / FPS)
    time = np.concatenate([break_time, impact_time])
    order = np.argsort(time, kind="stable")

    def both(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.concatenate([first, second])[order]

    motion = Motion(
        fps=FPS,
        position=position.astype(np.float32),
        rotation=rest.rotation,
        moved=(fallen > 0) & falls[None],
        bond_broken=rest.bond_broken,
        event_time=time[order].astype(np.float32),
        event_kind=both(np.full(count, EVENT_BREAK), np.full(count, EVENT_IMPACT)).astype(np.int32),
        event_position=both(centre[hit], position[stop, hit]).astype(np.float32),
        event_velocity=both(np.zeros((count, 3)), down).astype(np.float32),
        event_normal=np.tile(np.array([0, 0, 1], np.float32), (2 * count, 1)),
        event_energy=both(np.full(count, 500.0), 0.5 * fragments.mass[hit] * speed**2).astype(np.float32),
        event_fragment=both(hit, hit).astype(np.int32),
        curves={},
        checks={},
    )
    return fragments, motion
