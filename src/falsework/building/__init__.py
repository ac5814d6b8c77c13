"""From facades to a building, and from a building to fragments."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from falsework.building.building import build
    from falsework.building.fracturing import fracture
    from falsework.building.fragments import Fragments
    from falsework.building.structure import Building

__all__ = ["Building", "Fragments", "build", "fracture"]

_HOMES = {"Building": "structure", "Fragments": "fragments", "build": "building", "fracture": "fracturing"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
