"""How well an advertisement goes with the scene beside the break, by what both say.

The scene's words and the advertisement's are put into the same space of meanings as search uses; the encoder
is passed in, since this room knows nothing of search. What it is worth differs by campaign and is promised to
none, so the match moves a row's worth by half at most, and a response model learned from the studio's own log
has the last word.
"""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from falsework.ads.campaigns.book import Book, Row
from falsework.ads.decision.vectors import Encode
from falsework.ads.opportunity import Break, Scene

__all__ = ["ContextualMatch"]

Floats = npt.NDArray[np.float64]
Match = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

STRENGTH = 2.0  # of worth, for a cosine of 1 more than usual
LEAST, MOST = 0.5, 1.5
KEPT_BYTES = 64 * 2**20  # of scenes' matches with all rows
MOST_WAITING = 256  # scenes to be matched behind breaks; of those beyond, the next break asks again


class ContextualMatch:
    """Asked with a break and rows, answers how much better than usual each goes with the scene; 1.0 where
    either side says nothing.

    Making it encodes all advertisements. `behind`: scenes are encoded in a thread of their own, as they are
    asked for, and until that is done every row is 1.0: a network takes longer than a break may wait.
    """

    def __init__(self, book: Book, encode: Encode, *, behind: bool = False) -> None:
        self._encode = encode
        texts = [_said_by(row) for row in book.rows]
        distinct = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        vectors = encode(list(distinct)) if distinct else np.zeros((0, 1), np.float32)
        self._silent = np.array([not text for text in texts], dtype=np.bool_)
        self._vectors = vectors[[distinct[text] for text in texts]] if texts else vectors
        self._kept: OrderedDict[tuple[str, str], Match] = OrderedDict()
        self._most = max(KEPT_BYTES // (4 * max(len(texts), 1)), 16)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="relevance") if behind else None
        self._waiting: set[tuple[str, str]] = set()

    def __call__(self, asked: Break, rows: Rows) -> Floats:
        scene = asked.scene
        if not scene.text:  # what a request alone says of its scene is two words, and anybody's
            return np.ones(len(rows))
        key = (scene.title, scene.text)
        found = self._kept.get(key)
        if found is None:
            if self._thread is not None:
                if len(self._waiting) < MOST_WAITING and key not in self._waiting:
                    self._waiting.add(key)
                    self._thread.submit(self._match_behind, key, scene)
                return np.ones(len(rows))
            found = self._match(key, scene)
        return found[rows].astype(np.float64)

    def close(self) -> None:
        """Wait for what is being encoded; what is still waiting is dropped."""
        if self._thread is not None:
            self._thread.shutdown(wait=True, cancel_futures=True)

    def _match_behind(self, key: tuple[str, str], scene: Scene) -> None:
        try:
            self._match(key, scene)
        finally:
            self._waiting.discard(key)

    def _match(self, key: tuple[str, str], scene: Scene) -> Match:
        found = self._kept[key] = self._matched(scene)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return found

    def _matched(self, scene: Scene) -> Match:
        if self._silent.all():
            return np.ones(len(self._silent), np.float32)
        near = self._vectors @ self._encode([_said_of(scene)])[0]
        usual = near[~self._silent].mean()
        match = np.clip(1.0 + STRENGTH * (near - usual), LEAST, MOST)
        return np.where(self._silent, np.float32(1.0), match).astype(np.float32)


def _said_by(row: Row) -> str:
    """What an advertisement says, "" where nobody wrote it down."""
    creative = row.creative
    return ". ".join(part for part in (creative.title, creative.text) if part)


def _said_of(scene: Scene) -> str:
    words = (scene.text, ", ".join(scene.genres), ", ".join(scene.moods), ", ".join(scene.events))
    return ". ".join(part for part in words if part)
