"""Which device networks run on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec

import pytest

from falsework.errors import FalseworkError
from falsework.models import device
from falsework.models.device import device_for


@pytest.fixture
def unasked(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Nobody has looked for CUDA yet, and PyTorch cannot be imported."""
    device._cuda.cache_clear()
    monkeypatch.setitem(sys.modules, "torch", None)
    yield monkeypatch
    device._cuda.cache_clear()


def test_without_pytorch_the_processor_serves(unasked: pytest.MonkeyPatch) -> None:
    unasked.setattr(device, "_driver", lambda: True)
    assert device_for("auto") is device_for("cpu") is None
    with pytest.raises(FalseworkError, match=r"PyTorch is not installed.*falsework\[train\]"):
        device_for("cuda")


def test_pytorch_is_not_imported_in_vain(unasked: pytest.MonkeyPatch) -> None:
    """Neither where the processor is asked for, nor where there is no driver of a GPU."""
    unasked.setattr(device, "find_spec", lambda name: ModuleSpec(name, None))
    unasked.setattr(device, "_driver", lambda: True)
    assert device_for("cpu") is None
    with pytest.raises(ImportError):
        device_for("auto")
    unasked.setattr(device, "_driver", lambda: False)
    assert device_for("auto") is None
    with pytest.raises(FalseworkError, match="no CUDA device"):
        device_for("cuda")
