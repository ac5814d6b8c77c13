"""Vectors from the endpoint instead of the encoder that ships."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.search.endpoint.client import Client, outcome_of
from falsework.search.endpoint.errors import EndpointError
from falsework.search.endpoint.settings import EndpointSettings
from falsework.search.endpoint.spending import tokens_in

__all__ = ["EndpointEncoder"]

# The protocol's limits: tokens of an input, inputs of a request, tokens of a request.
INPUT_TOKENS = 8_192
INPUTS = 2_048
REQUEST_TOKENS = 300_000
BYTES_A_NUMBER = 24  # of JSON, with its comma and as many digits as a double may have
LONGEST_TEXT = 8_192  # characters of a text that are sent: as many as the shipped encoder looks at

Float = npt.NDArray[np.float32]


class EndpointEncoder:
    """Texts as vectors of the endpoint's model, by the same calls as `falsework.search.encoder.Encoder`.

    `name` and `dimensions` are what an index is marked with: one that was built by another model is refused
    when it is opened. Raises FalseworkError where the endpoint gives no vectors of that length.
    """

    def __init__(self, client: Client, settings: EndpointSettings) -> None:
        self._client = client
        self._settings = settings
        self.name = f"{settings.embedding_model} at {settings.host}"
        self.dimensions = settings.embedding_dimensions or self._asked(["dimensions"]).shape[1]

    def knows(self, word: str) -> bool:
        """Whether the model may have an idea of a word: nobody can tell from here, so it may."""
        return bool(word)

    def encode(self, texts: Sequence[str]) -> Float:
        """(n, dimensions) float32 of unit length, in the order of `texts`."""
        answer = np.zeros((len(texts), self.dimensions), np.float32)
        at = 0
        for batch in self._batches([_sendable(text) for text in texts]):
            vectors = self._asked(batch)
            if vectors.shape != (len(batch), self.dimensions):
                raise _unusable(
                    f"sent vectors of {vectors.shape[1]} dimensions where {self.dimensions} were expected"
                )
            answer[at : at + len(batch)] = vectors
            at += len(batch)
        return answer

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        most = min(REQUEST_TOKENS, self._settings.allowance.request_tokens)
        inputs = max(1, min(INPUTS, self._settings.patience.bytes // (BYTES_A_NUMBER * self.dimensions)))
        batch: list[str] = []
        tokens = 0
        for text in texts:
            more = tokens_in(text)
            if batch and (len(batch) == inputs or tokens + more > most):
                yield batch
                batch, tokens = [], 0
            batch.append(text)
            tokens += more
        if batch:
            yield batch

    def _asked(self, texts: list[str]) -> Float:
        try:
            self._client.prepare()
            deadline = time.monotonic() + self._settings.patience.total
            rows = outcome_of(self._client.embed(texts, deadline), deadline)
        except EndpointError as error:
            raise _unusable(error.why) from None
        if len({len(row) for row in rows}) != 1 or not rows[0]:
            raise _unusable("sent vectors of different lengths")
        vectors: Float = np.asarray(rows, np.float64)
        with np.errstate(over="ignore"):
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.all(np.isfinite(lengths)) or np.any(lengths == 0):
            raise _unusable("sent vectors without a direction")
        unit: Float = (vectors / lengths).astype(np.float32)
        return unit


def _sendable(text: str) -> str:
    """A text within the protocol's bounds; servers refuse empty ones and lone surrogates."""
    cut = text[:LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")
    while tokens_in(cut) > INPUT_TOKENS:
        cut = cut[: len(cut) * 3 // 4]
    return cut if cut.strip() else "-"


def _unusable(why: str) -> FalseworkError:
    return FalseworkError(
        f"the endpoint {why}",
        where="embeddings",
        todo="Correct FALSEWORK_LLM_EMBEDDING_MODEL, or unset it and build the index anew.",
    )
