"""Candidates in their order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np

from falsework.search.ranking.candidates import Candidates
from falsework.search.ranking.features import features
from falsework.search.ranking.model import Model, load_model
from falsework.search.ranking.request import Request
from falsework.search.ranking.table import Table

__all__ = ["Ranked", "Reranker"]


class Ranked(NamedTuple):
    """A title with its score, and what each column of `features` added to it (only for the best few)."""

    id: str
    score: float
    parts: Mapping[str, float]


class Reranker:
    """Orders candidates by a learned model; may be used from many threads at once."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @classmethod
    def load(cls) -> Self:
        """The reranker that ships with falsework."""
        return cls(load_model())

    def rank(
        self, request: Request, candidates: Candidates, table: Table, *, explained: int = 20
    ) -> list[Ranked]:
        """All candidates, best first; ties in the order they were found. The first `explained` have parts."""
        columns = features(request, candidates, table)
        scores = self.model.scores(columns)
        order = np.argsort(-scores, kind="stable")
        parts = self.model.parts(columns, order[:explained])
        return [
            Ranked(id, score, parts[place] if place < explained else {})
            for place, (id, score) in enumerate(
                zip(table.ids_of(candidates.rows[order]), scores[order].tolist(), strict=True)
            )
        ]
