"""The encoder's weights as they ship: 8-bit integers, see quantise.py and model/CARD.md."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError

__all__ = ["FOLDER", "MOST_TOKENS", "SCALE", "TOKENIZER", "WEIGHTS", "ShippedWeights"]

FOLDER = Path(__file__).parent / "model"
WEIGHTS, TOKENIZER = "weights.safetensors", "tokenizer.json"
SCALE = ".scale"  # what a matrix's scales are called: its own name and this
MOST_TOKENS = 256  # as the published model cuts


class ShippedWeights:
    """The arrays by the names of the published model, and the digest of what was read."""

    def __init__(self, folder: Path = FOLDER) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            content = (folder / WEIGHTS).read_bytes()
            self._arrays: dict[str, npt.NDArray[Any]] = load(content)
            tokenizer = (folder / TOKENIZER).read_bytes()
        except (OSError, SafetensorError) as error:
            raise FalseworkError(
                f"the encoder's weights cannot be read ({error})",
                where=folder,
                todo="Install falsework again: they are part of the package.",
            ) from error
        self.digest = sha256(content + tokenizer).hexdigest()

    def integers(self, name: str) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
        """A matrix (rows, columns) as it is stored, and its groups' scales, (rows, groups of columns)."""
        return self._array(name), self._array(name + SCALE)

    def __getitem__(self, name: str) -> npt.NDArray[np.float32]:
        """An array in float32; a matrix has its scales multiplied in."""
        if name + SCALE not in self._arrays:
            return np.asarray(self._array(name), np.float32)
        matrix, scales = self.integers(name)
        return (matrix.reshape(*scales.shape, -1) * scales[..., None]).reshape(matrix.shape)

    def _array(self, name: str) -> npt.NDArray[Any]:
        try:
            return self._arrays[name]
        except KeyError:
            raise FalseworkError(
                f'the encoder\'s weights hold no "{name}"',
                where=FOLDER / WEIGHTS,
                todo="Install falsework again: they are part of the package.",
            ) from None
