"""The vectors that ship for the sample catalogue: all of its texts, as the encoder has them, for it alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from falsework.catalogue.database import Catalogue
from falsework.catalogue.sample import fill
from falsework.search.encoder import Encoder
from falsework.search.index.vectors import SHIPPED, VectorCache
from falsework.search.ranking.document import passages
from search_builder import Digesting


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    with Catalogue.open(tmp_path_factory.mktemp("sample") / "catalogue.db") as catalogue:
        fill(catalogue)
        return [text for title in catalogue.every() for text in passages(title)]


class Idle(Encoder):
    """The encoder that ships, if it were never asked."""

    def encode(self, texts):
        raise AssertionError(f"{len(texts)} texts were not shipped: run python -m {MAKER}")


MAKER = "falsework.search.index.shipped"


def test_no_text_of_the_sample_has_to_be_encoded(texts: list[str], tmp_path: Path) -> None:
    with VectorCache(tmp_path, Idle.load(threads=1)) as cache:
        vectors = cache.vectors(texts)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-5)
    assert SHIPPED.stat().st_size < 2_000_000


def test_they_are_what_the_encoder_gives(texts: list[str], tmp_path: Path) -> None:
    encoder = Encoder.load(threads=1)
    some = texts[::60]
    with VectorCache(tmp_path, encoder) as cache:
        cosines = (cache.vectors(some) * encoder.encode(some)).sum(axis=1)
        assert cache.encoded == 0
    assert cosines.min() > 0.999


def test_other_weights_and_other_texts_are_encoded(texts: list[str], tmp_path: Path) -> None:
    other = Digesting(name="another@1", dimensions=384)
    with VectorCache(tmp_path / "model", other) as cache:
        cache.vectors(texts[:5])
        assert cache.encoded == other.asked == 5
    same = Digesting(name=Encoder.load(threads=1).name, dimensions=384)
    with VectorCache(tmp_path / "text", same) as cache:
        cache.vectors([texts[0], texts[1] + "!"])
        assert cache.encoded == 1


def test_they_stay_where_nothing_asked_for_them(tmp_path: Path) -> None:
    before = SHIPPED.read_bytes()
    with VectorCache(tmp_path, Encoder.load(threads=1)) as cache:
        cache.forget_unused()
    assert SHIPPED.read_bytes() == before
