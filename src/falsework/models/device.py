"""Where networks run: on this machine's processor, or on a CUDA device."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from importlib.util import find_spec

from falsework.errors import FalseworkError

__all__ = ["device_for"]

DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


def device_for(inference: str) -> str | None:
    """PyTorch's name of the device that networks run on; None: the processor, by OpenVINO.

    inference  "cpu"; "cuda", FalseworkError where there is none; "auto", CUDA where there is one
    """
    if inference == "cpu":
        return None
    if _cuda():
        return "cuda"
    if inference == "cuda":
        lacking = "PyTorch finds no CUDA device here" if find_spec("torch") else "PyTorch is not installed"
        raise FalseworkError(
            f'the networks are to run on "cuda", and {lacking}',
            where="render.inference",
            todo="Install falsework[train] with a PyTorch built for CUDA on a machine with an NVIDIA GPU, "
            'or give "auto".',
        )
    return None


@cache
def _cuda() -> bool:
    # PyTorch takes a second and 200 MB to say that there is nothing: without a driver it is not asked.
    if find_spec("torch") is None or not _driver():
        return False
    import torch

    return torch.cuda.is_available()


def _driver() -> bool:
    try:
        ctypes.CDLL(DRIVER)
    except OSError:
        return False
    return True
