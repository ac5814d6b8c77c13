"""Dust and debris: gas on a grid, chips in the air."""

from __future__ import annotations

from typing import Any

__all__ = ["simulate_debris", "simulate_dust"]


def __getattr__(name: str) -> Any:
    # Looked up on first use: both bring numba along.
    if name == "simulate_dust":
        from falsework.dust.solver import simulate_dust

        return simulate_dust
    if name == "simulate_debris":
        from falsework.dust.debris import simulate_debris

        return simulate_debris
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
