"""What search answers, and how it is written as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from falsework.catalogue.records import Title
from falsework.search.query import Query
from falsework.search.ranking.why import Reason
from falsework.search.understanding import Chip

__all__ = ["OFFLINE", "Answer", "Loosening", "Result", "Turn"]

OFFLINE = "offline rules"
MOST_PASSED = 1_000  # titles that a conversation remembers to have shown

# A turn comes back from clients: with a bound, pydantic also refuses texts that are none (lone surrogates).
_Id = Annotated[str, Field(max_length=2_000)]


class Turn(BaseModel):
    """What the next sentence of a conversation may speak of: the `query` it edits, ids of the titles that
    were `shown` for it last, in their order ("more like the second"), and of all that were `passed` over
    already ("others")."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: Query = Query.model_validate({})
    shown: tuple[_Id, ...] = Field(default=(), max_length=100)
    passed: tuple[_Id, ...] = Field(default=(), max_length=MOST_PASSED)


@dataclass(frozen=True)
class Result:
    """A title of the catalogue, why it is here, and its score (comparable within one answer only).

    `parts` are what the score was made of, by name.
    """

    title: Title
    score: float
    why: tuple[Reason, ...]
    parts: Mapping[str, float] = field(default_factory=dict)

    def to_json(self, *, explain: bool = False) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": self.title.id,
            "title": self.title.title,
            "year": self.title.year,
            "kind": self.title.kind,
            "runtime": self.title.runtime,
            "rating": self.title.rating,
            "score": round(self.score, 6),
            "why": [asdict(reason) for reason in self.why],
        }
        return {**told, "parts": dict(self.parts)} if explain else told


@dataclass(frozen=True)
class Loosening:
    """Where nothing is left: how many titles there would be without this one condition."""

    chip: Chip
    titles: int


@dataclass(frozen=True)
class Answer:
    """Results, best first, and all that a viewer should know about them.

    query             the wish as it was understood; `chips` are its constraints, each may be taken away
    language          of what was typed, ISO 639-1
    answered_by       "offline rules", or "endpoint MODEL" where a model understood or ranked
    not_in_catalogue  names of titles or people that were asked for and are not there
    unknown_words     words that neither the language nor any text of the catalogue has
    nearest           titles of the catalogue whose names come near those
    loosen            where the conditions leave nothing: what taking one away would give
    said              the words the titles were ranked by, in English
    notes             sentences: what was not read, why an endpoint was not heard, and the like
    """

    query: Query
    results: tuple[Result, ...]
    chips: tuple[Chip, ...] = ()
    language: str = "en"
    answered_by: str = OFFLINE
    not_in_catalogue: tuple[str, ...] = ()
    nearest: tuple[Title, ...] = ()
    unknown_words: tuple[str, ...] = ()
    loosen: tuple[Loosening, ...] = ()
    notes: tuple[str, ...] = ()
    took_ms: float = 0.0
    passed: tuple[str, ...] = ()
    said: str = ""

    @property
    def turn(self) -> Turn:
        """What the next sentence of the conversation may speak of."""
        shown = tuple(result.title.id for result in self.results)
        passed = tuple(dict.fromkeys((*self.passed, *shown)))[-MOST_PASSED:]
        return Turn(query=self.query, shown=shown[:100], passed=passed)

    def to_json(self, *, explain: bool = False) -> dict[str, Any]:
        return {
            "query": self.query.model_dump(mode="json"),
            "results": [result.to_json(explain=explain) for result in self.results],
            "chips": [asdict(chip) for chip in self.chips],
            "language": self.language,
            "answered_by": self.answered_by,
            "not_in_catalogue": list(self.not_in_catalogue),
            "unknown_words": list(self.unknown_words),
            "nearest": [
                {"id": title.id, "title": title.title, "year": title.year, "kind": title.kind}
                for title in self.nearest
            ],
            "loosen": [{**asdict(each.chip), "titles": each.titles} for each in self.loosen],
            "notes": list(self.notes),
            "took_ms": round(self.took_ms, 1),
            "turn": self.turn.model_dump(mode="json"),
        }
