"""A viewer's wish as one typed object: what rules and models alike must understand a sentence into."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["LONGEST_TEXT", "MOST_TERMS", "Query", "Span"]

LONGEST_TEXT = 2_000  # characters of a wish that are read; what comes after is left out, and said to be
MOST_TERMS = 24

Term = Annotated[str, Field(min_length=1, max_length=200)]
Terms = Annotated[tuple[Term, ...], Field(max_length=MOST_TERMS)]


class Span(BaseModel):
    """From `least` to `most`, both inside; None is open on that side."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least: int | None = Field(None, ge=0, le=9999)
    most: int | None = Field(None, ge=0, le=9999)

    @model_validator(mode="after")
    def _in_order(self) -> Span:
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(f"{self.least} is more than {self.most}")
        return self

    def holds(self, value: int) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


class Query(BaseModel):
    """What a viewer wants. Hard conditions: `years`, `runtime` (minutes), `languages` (ISO 639-1), `people`,
    `kind`, `kids`, `exclude`. Wishes that only rank: `text`, `genres`, `moods`, `like`, `unlike`.

    `text` is what is left to be matched by its meaning, in English whatever was typed. `like` and `unlike` are
    titles as the catalogue writes them where they were found, and as said where not. `exclude` are genres, moods
    or plain words that no result may carry. Genres and moods are names of `falsework.catalogue.vocabularies`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field("", max_length=LONGEST_TEXT)
    like: Terms = ()
    unlike: Terms = ()
    years: Span | None = None
    genres: Terms = ()
    moods: Terms = ()
    runtime: Span | None = None
    languages: Terms = ()
    people: Terms = ()
    kind: Literal["film", "series"] | None = None
    kids: bool = False
    exclude: Terms = ()
