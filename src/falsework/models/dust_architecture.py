"""What a dust network's weights do not say of it. Kept in its card and its run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

from falsework.errors import FalseworkError
from falsework.models.dust_cells import FEATURES

__all__ = ["BAND", "DustArchitecture"]

BAND = 5  # fine cells along the edge of the bands' filters


@dataclass(frozen=True)
class DustArchitecture:
    """width   channels kept of each half cell;  looks: how often the half cells around it are seen
    bands      of the noise, filtered in fine cells
    features   channels that go in besides the noise's 8
    """

    width: int = 32
    looks: int = 2
    bands: int = 4
    features: int = FEATURES

    @property
    def reach(self) -> int:
        """Half cells around each that its answer depends on."""
        # One more to calm the noise before, and one to lie between half cells after.
        return self.looks + 2

    @property
    def reach_cells(self) -> int:
        """Dust cells around those of a patch, so that all half cells within `reach` lie between cells."""
        return self.reach // 2 + 1

    def to_json(self) -> dict[str, Any]:
        return {"network": "dust", **asdict(self)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """FalseworkError where a card or a run says another kind of network."""
        try:
            return cls(*(int(values[name]) for name in ("width", "looks", "bands", "features")))
        except (KeyError, TypeError, ValueError) as error:
            raise FalseworkError(
                f"the architecture of a dust network is not as this version has it ({error!r})",
                where="models",
                todo="These weights are of another version of falsework: install those that came with it.",
            ) from None
