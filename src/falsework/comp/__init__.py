"""Layers over plate under occluders; grain; the lens's bend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from falsework.comp.composite import Compositor, compose
    from falsework.comp.frame import Frame
    from falsework.comp.slate import draw_slate

__all__ = ["Compositor", "Frame", "compose", "draw_slate"]

_HOMES = {"Compositor": "composite", "Frame": "frame", "compose": "composite", "draw_slate": "slate"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"falsework.comp.{_HOMES[name]}"), name)
