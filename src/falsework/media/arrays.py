"""Named arrays with a few plain values beside them, as one safetensors file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.media.atomic import whole_file

__all__ = ["read_arrays", "write_arrays"]


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]], **values: Any) -> None:
    """Write arrays (any shape, any numeric type) and JSON-able values. The file appears whole."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with whole_file(path) as part:
        part.touch()
        mode = part.stat().st_mode  # safetensors closes its files to others, whatever the umask says
        try:
            save_file(whole, part, metadata={"values": json.dumps(values)})
        except SafetensorError as error:
            number = re.search(r"os error (\d+)", str(error))
            if number is None:
                raise
            raise OSError(int(number[1]), str(error)) from error
        part.chmod(mode)


def read_arrays(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """The arrays and the values of `write_arrays`."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            values = json.loads((file.metadata() or {}).get("values", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, values  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise FalseworkError(
            f"is not a readable stage file ({error})",
            where=path,
            todo="Delete the folder it lies in and run again.",
        ) from error
