"""From geometry and dust to layers: `Renderer(...).frame(index)` gives `Layers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from falsework.render.renderer import Renderer

__all__ = ["Renderer"]


def __getattr__(name: str) -> Any:
    if name == "Renderer":
        from falsework.render.renderer import Renderer

        return Renderer
    raise AttributeError(name)
