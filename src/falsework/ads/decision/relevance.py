"""How well an advertisement goes with the scene beside the break, by what both say.

The scene's words and the advertisement's are put into the same space of meanings as search uses; the encoder
is passed in, since this room knows nothing of search. What it is worth differs by campaign and is promised to
none, so the match moves a row's worth by half at most, and a response model learned from the studio's own log
has the last word.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from falsework.ads.campaigns.book import Book, Row
from falsework.ads.opportunity import Break, Scene

__all__ = ["ContextualMatch", "Encode"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

# Texts to vectors (n, dimensions) of length 1, float32.
Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]

STRENGTH = 2.0  # of worth, for a cosine of 1 more than usual
LEAST, MOST = 0.5, 1.5
MOST_SCENES = 4_096  # whose match with all rows is kept


class ContextualMatch:
    """Asked with a break and rows, answers how much better than usual each goes with the scene; 1.0 where
    either side says nothing."""

    def __init__(self, book: Book, encode: Encode) -> None:
        self._encode = encode
        texts = [_said_by(row) for row in book.rows]
        distinct = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        vectors = encode(list(distinct)) if distinct else np.zeros((0, 1), np.float32)
        self._silent = np.array([not text for text in texts], dtype=np.bool_)
        self._vectors = vectors[[distinct[text] for text in texts]] if texts else vectors
        self._kept: OrderedDict[Scene, Floats] = OrderedDict()

    def __call__(self, asked: Break, rows: Rows) -> Floats:
        return self._of(asked.scene)[rows]

    def _of(self, scene: Scene) -> Floats:
        found = self._kept.get(scene)
        if found is None:
            found = self._matched(scene)
            self._kept[scene] = found
            if len(self._kept) > MOST_SCENES:
                self._kept.popitem(last=False)
        return found

    def _matched(self, scene: Scene) -> Floats:
        text = _said_of(scene)
        if not text or self._silent.all():
            return np.ones(len(self._silent))
        near = (self._vectors @ self._encode([text])[0]).astype(np.float64)
        usual = near[~self._silent].mean()
        match = np.clip(1.0 + STRENGTH * (near - usual), LEAST, MOST)
        return np.where(self._silent, 1.0, match)


def _said_by(row: Row) -> str:
    creative = row.creative
    return ". ".join(part for part in (creative.title, creative.text) if part)


def _said_of(scene: Scene) -> str:
    words = (scene.text, ", ".join(scene.genres), ", ".join(scene.moods), ", ".join(scene.events))
    return ". ".join(part for part in words if part)
