"""What a light network's weights do not say of it: widths, inputs, bounds. Kept in its card and its run."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Self

from falsework.errors import FalseworkError
from falsework.models.light_features import FEATURES

__all__ = ["LightArchitecture"]


@dataclass(frozen=True)
class LightArchitecture:
    """widths   channels of each level, the picture's own first; each next is half as high and wide
    features   channels that go in
    bounds     largest logarithm of a gain, either way, of surfaces and of dust
    levels     which level says them: dust has no edges of its own, and must not show those of what it hides
    """

    widths: tuple[int, ...] = (24, 32, 48, 64)
    features: int = sum(FEATURES.values())
    bounds: tuple[float, float] = (math.log(32.0), math.log(12.0))
    levels: tuple[int, int] = (0, 2)

    @property
    def outputs(self) -> int:
        """Three logarithms of gains for each of `bounds`."""
        return 3 * len(self.bounds)

    @property
    def multiple(self) -> int:
        """Heights and widths that go through are multiples of this."""
        return int(2 ** (len(self.widths) - 1))

    def to_json(self) -> dict[str, Any]:
        return {"network": "light", **asdict(self)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """FalseworkError where a card or a run says another kind of network."""
        try:
            return cls(
                tuple(int(width) for width in values["widths"]),
                int(values["features"]),
                (float(values["bounds"][0]), float(values["bounds"][1])),
                (int(values["levels"][0]), int(values["levels"][1])),
            )
        except (LookupError, TypeError, ValueError) as error:
            raise FalseworkError(
                f"the architecture of a light network is not as this version has it ({error!r})",
                where="models",
                todo="These weights are of another version of falsework: install those that came with it.",
            ) from None
