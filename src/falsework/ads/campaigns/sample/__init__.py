"""Campaigns made up for tests and the documentation; no such company exists."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

__all__ = ["campaigns_file"]


def campaigns_file() -> Path:
    """The file with them."""
    with as_file(files(__name__) / "campaigns.json") as path:
        return path
