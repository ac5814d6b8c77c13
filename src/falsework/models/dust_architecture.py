"""What a dust network's weights do not say of it. Kept in its card and its run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

from falsework.models.dust_cells import FEATURES

__all__ = ["DustArchitecture"]


@dataclass(frozen=True)
class DustArchitecture:
    """width   channels kept of each dust cell;  waist: those that see the cells around;  blocks: how often
    features   channels that go in besides the noise's 64
    """

    width: int = 64
    waist: int = 32
    blocks: int = 3
    features: int = FEATURES

    @property
    def reach(self) -> int:
        """Dust cells around each that its answer depends on."""
        return self.blocks

    def to_json(self) -> dict[str, Any]:
        return {"network": "dust", **asdict(self)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(*(int(values[name]) for name in ("width", "waist", "blocks", "features")))
