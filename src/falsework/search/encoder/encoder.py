"""Sentences as vectors that lie close where the meanings do."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.search.encoder.network import DIMENSIONS, compiled
from falsework.search.encoder.weights import FOLDER, MOST_TOKENS, TOKENIZER, ShippedWeights

__all__ = ["LONGEST_TEXT", "Encoder"]

LONGEST_TEXT = (
    8_192  # characters that are looked at: far more than the network's 256 tokens, far less than a book
)
LETTERS_A_PIECE = 2.5  # on average, of a word that the network has an idea of
STEP = 8  # tokens are padded up to a multiple of this, whatever else is in the batch
TOKENS_AT_ONCE = 1_024  # padded tokens of a batch: more are no faster and take more memory

Float = npt.NDArray[np.float32]


class Encoder:
    """all-MiniLM-L6-v2 on this machine's processor. One may be used from many threads at once.

    A text's vector depends on the batch it is in only by rounding (docs/search-index.md has the figures).
    """

    def __init__(self, weights: ShippedWeights, *, threads: int = 0, exact: bool = False) -> None:
        """`threads` 0: as many as there are cores. Half precision (bfloat16) is used where the processor
        computes in it, unless `exact`."""
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise FalseworkError(
                "the package tokenizers is not installed",
                where="search",
                todo='Run `pip install "falsework[search]"`.',
            ) from error
        self.name = f"all-MiniLM-L6-v2@{weights.digest[:16]}"
        self.dimensions = DIMENSIONS
        self._tokenizer = Tokenizer.from_file(str(FOLDER / TOKENIZER))
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._tokenizer.no_padding()
        self._words, self._scales = weights.integers("embeddings.word_embeddings.weight")
        # Every token is of the first of BERT's two types: the second is for pairs of sentences.
        self._places = (
            weights["embeddings.position_embeddings.weight"]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        self._compiled = compiled(weights, threads=threads, exact=exact)
        self._requests = threading.local()

    @classmethod
    def load(cls, *, threads: int = 0) -> Self:
        """The encoder that ships with falsework."""
        return cls(ShippedWeights(), threads=threads)

    def encode(self, texts: Sequence[str]) -> Float:
        """(n, dimensions) float32 of unit length, in the order of `texts`. Texts are cut after 256 tokens;
        an empty one has a vector as well, close to nothing in particular."""
        answer = np.zeros((len(texts), self.dimensions), np.float32)
        ids = [encoded.ids for encoded in self._tokenizer.encode_batch([_readable(text) for text in texts])]
        for batch in _batches([len(each) for each in ids]):
            answer[batch] = self._pooled([ids[index] for index in batch])
        return answer

    def knows(self, word: str) -> bool:
        """Whether the network may have an idea of a word: one that it has to spell in pieces of two letters
        ("as-df-gh") is noise to it, and so is what it has no letters for."""
        pieces = self._tokenizer.encode(_readable(word), add_special_tokens=False).tokens
        return bool(pieces) and "[UNK]" not in pieces and len(word) >= LETTERS_A_PIECE * len(pieces)

    def _pooled(self, ids: list[list[int]]) -> Float:
        length = _padded(max(map(len, ids)))
        padded = np.zeros((len(ids), length), np.int64)
        present = np.zeros((len(ids), length), np.float32)
        for row, each in enumerate(ids):
            padded[row, : len(each)] = each
            present[row, : len(each)] = 1
        embedded = self._words[padded] * self._scales[padded] + self._places[:length]
        request: Any = getattr(self._requests, "own", None)
        if request is None:
            request = self._requests.own = self._compiled.create_infer_request()
        (pooled,) = request.infer([embedded, present], share_inputs=True).values()
        return np.array(pooled, np.float32)


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Indices of texts of one padded length at a time, the longest first."""
    by_length: dict[int, list[int]] = {}
    for index, length in enumerate(lengths):
        by_length.setdefault(_padded(length), []).append(index)
    for length in sorted(by_length, reverse=True):
        indices, most = by_length[length], max(1, TOKENS_AT_ONCE // length)
        yield from (indices[at : at + most] for at in range(0, len(indices), most))


def _padded(length: int) -> int:
    return -(-length // STEP) * STEP


def _readable(text: str) -> str:
    """What the tokenizer takes: no book, and no halves of surrogate pairs."""
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode()
