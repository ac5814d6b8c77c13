"""Makes the vectors that ship for the sample catalogue: `python -m falsework.search.index.shipped`.

They spare a fresh machine the encoding of 1,419 texts before its first answer. They are looked up like every
vector that is kept, by the digest of the text, and only by the encoder whose weights made them: a synopsis
that changed, or other weights, are encoded as if nothing had shipped (vectors.py).
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from falsework.catalogue.database import Catalogue
from falsework.catalogue.sample import fill
from falsework.search.encoder.encoder import Encoder
from falsework.search.encoder.weights import ShippedWeights
from falsework.search.index.vectors import SHIPPED, write_vectors
from falsework.search.ranking.document import passages

__all__ = ["make"]


def make(file: Path = SHIPPED) -> int:
    """Write the vectors of all passages of the sample, encoded in float32; returns how many."""
    with (
        TemporaryDirectory(prefix="falsework-") as folder,
        Catalogue.open(Path(folder) / "sample.db") as sample,
    ):
        fill(sample)
        texts = sorted({text for title in sample.every() for text in passages(title)})
    encoder = Encoder(ShippedWeights(), exact=True)
    write_vectors(file, texts, encoder.encode(texts), encoder.name)
    return len(texts)


if __name__ == "__main__":
    print(make(), "texts")
