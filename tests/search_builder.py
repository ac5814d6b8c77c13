"""A builder in a process of its own, that tests kill: `python search_builder.py FOLDER REVISION TITLES`.

Its encoder is a digest turned into a vector, and says on standard output what it is asked to encode.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from falsework.catalogue.records import Title
from falsework.search.index import build as building
from falsework.search.index import vectors as caching


@dataclass
class Films:
    """A catalogue of `number` films, whose synopses say which revision they are of."""

    revision: int
    number: int
    changed: frozenset[int] = frozenset()
    identity: str = "films"

    def count(self) -> int:
        return self.number

    def every(self) -> Iterator[Title]:
        for each in range(self.number):
            word = "changed" if each in self.changed else "first"
            yield Title(
                f"film {each:04d}", f"Storm {each}", year=1900 + each % 100, synopsis=f"A {word} story"
            )


@dataclass
class Digesting:
    """An encoder without a model: a text's vector is drawn with its digest as the seed."""

    name: str = "digest@1"
    dimensions: int = 16
    seconds: float = 0.0
    asked: int = 0

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        time.sleep(self.seconds)
        self.asked += len(texts)
        return np.array([self.vector(text) for text in texts], np.float32).reshape(-1, self.dimensions)

    def vector(self, text: str) -> np.ndarray:
        seed = int.from_bytes(blake2b(text.encode()).digest()[:8], "little")
        vector = np.random.default_rng(seed).standard_normal(self.dimensions)
        return vector / np.linalg.norm(vector)


if __name__ == "__main__":
    folder, revision, number = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    building.AT_ONCE, caching.CHUNK = 8, 16  # many steps to be killed at
    print("begun", flush=True)
    built = building.build(Films(revision, number), folder, encoder=Digesting(seconds=0.01))
    print("encoded", built.encoded, flush=True)
