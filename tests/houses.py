"""Facades made here, for tests that need a house without a photograph."""

from __future__ import annotations

import numpy as np

from falsework.plate.plate import Facade


def facade(
    name: str,
    origin: tuple[float, float],
    angle: float,
    *,
    width: float,
    bays: int,
    levels: tuple[float, ...],
    shops: bool = False,
) -> Facade:
    """A wall from `origin` at `angle` radians from +X, with a window in every bay of every storey."""
    right = np.array([np.cos(angle), np.sin(angle), 0.0])
    pitch = width / bays
    middles = (np.arange(bays) + 0.5) * pitch
    windows = [(m - 0.55, z + 0.75, m + 0.55, z + 2.6) for z in levels[int(shops) : -1] for m in middles]
    if shops:
        windows += [(m - 0.35 * pitch, 0.3, m + 0.35 * pitch, levels[1] - 1.1) for m in middles]
    return Facade(
        name=name,
        origin=np.array([*origin, 0.0]),
        right=right,
        normal=np.array([right[1], -right[0], 0.0]),
        width=width,
        height=levels[-1],
        levels=np.array(levels),
        windows=np.array(windows),
    )


def corner_house(interior: float = 109.0) -> tuple[Facade, ...]:
    """Two facades that meet at an interior angle in degrees, 20 m before the camera."""
    levels = (0.0, 4.4, 8.0, 11.6, 15.2, 18.8)
    first = np.radians(-17.0)
    second = first + np.pi - np.radians(interior)
    start = (3.5 - 17.0 * np.cos(first), 20.0 - 17.0 * np.sin(first))
    return (
        facade("left", start, float(first), width=17.0, bays=5, levels=levels, shops=True),
        facade("right", (3.5, 20.0), float(second), width=19.0, bays=6, levels=levels, shops=True),
    )


def terraced_house() -> tuple[Facade, ...]:
    """One facade, three storeys."""
    return (facade("front", (-4.5, 18.0), 0.0, width=9.0, bays=3, levels=(0.0, 3.2, 6.4, 9.6)),)
