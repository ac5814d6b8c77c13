"""Randomness by name: one shot seed, one independent stream for each use."""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["generator"]


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A generator for one named use (`generator(7, "collapse", "trigger")`).

    The stream depends on the seed and the names alone, so that adding a draw in one room
    never changes another room's numbers. NumPy's whole numbers count as plain ones.
    """
    plain = tuple(name if isinstance(name, str) else int(name) for name in names)
    digest = hashlib.sha256(repr((int(seed), plain)).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest[:16], dtype=np.uint32))
