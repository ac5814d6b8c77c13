"""The learned order: a weight for each column of `features`, in a JSON file that ships with falsework.

Linear in the columns: a few hundred queries with known answers bear no more, and each part of a score can be
shown. `falsework.search.ranking.train` writes the file and its card.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError

__all__ = ["FILE", "Model", "load_model"]

FILE: Final = "model.json"
FORMAT: Final = 2

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Model:
    """`quick` weighs the columns of `quick_features`, by which well-known titles become candidates; `blend`
    those of `features`, by which candidates are ordered. `named` counts the wishes that name a title (see
    `ranking.named`). `card` says where all of it comes from."""

    quick: Mapping[str, float]
    blend: Mapping[str, float]
    named: Mapping[str, int]
    card: Mapping[str, Any]

    def scores(self, columns: Mapping[str, Floats]) -> Floats:
        """The score of each row of the columns, larger is better."""
        total = np.zeros(len(next(iter(columns.values()))), np.float32)
        for name, weight in self.blend.items():
            total += np.float32(weight) * columns[name]
        return total

    def parts(self, columns: Mapping[str, Floats], rows: npt.NDArray[np.int64]) -> list[dict[str, float]]:
        """What each column adds to the score of each of `rows`."""
        added = np.stack([weight * columns[name][rows] for name, weight in self.blend.items()], axis=1)
        return [dict(zip(self.blend, each, strict=True)) for each in added.tolist()]

    def dumps(self) -> str:
        """As JSON text."""
        record = {
            "format": FORMAT,
            "card": self.card,
            "quick": self.quick,
            "blend": self.blend,
            "named": self.named,
        }
        return json.dumps(record, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def loads(cls, text: str) -> Model:
        """What `dumps` wrote; FalseworkError for anything else."""
        try:
            record = json.loads(text)
            if record["format"] != FORMAT:
                raise ValueError(f"format {record['format']}, this version reads {FORMAT}")
            weights = [
                {str(name): float(weight) for name, weight in record[part].items()}
                for part in ("quick", "blend")
            ]
            named = {str(name): int(count) for name, count in record["named"].items()}
            return cls(weights[0], weights[1], named, record["card"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FalseworkError(
                f"is not a ranking model ({error})",
                where=FILE,
                todo="Install falsework again, or train it anew.",
            ) from error


@cache
def load_model() -> Model:
    """The model that ships with falsework."""
    return Model.loads(files("falsework.search.ranking").joinpath(FILE).read_text("utf-8"))
