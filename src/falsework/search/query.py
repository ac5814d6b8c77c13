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
    """What a viewer wants. Hard conditions: `years`, `runtime` (minutes), `seasons` (how many a series has),
    `languages` (ISO 639-1), `people`, `kind`, `kids`, `exclude`. Wishes that only rank: `text`, `titles`,
    `genres`, `moods`, `mild`, `like`, `unlike`, `around`, `countries`.

    `text` is what is left to be matched by its meaning, in English whatever was typed; behind it Spanish
    words as they were typed, where the catalogue has texts in Spanish. `titles` are asked for
    by their names; `like` and `unlike` are titles to compare with. All three are written as the catalogue
    writes them where they were found (with the year in brackets where the name alone would mean another),
    and as said where not. `mild` are moods to be there a little at most ("not too scary"). `around` are years
    said with doubt or vaguely ("maybe from the 80s", "recent"). `countries` are ISO 3166-1 alpha-2. `exclude`
    are genres, moods or plain words that no result may carry. Genres and moods are names of
    `falsework.catalogue.vocabularies`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field("", max_length=LONGEST_TEXT)
    titles: Terms = ()
    like: Terms = ()
    unlike: Terms = ()
    years: Span | None = None
    around: Span | None = None
    genres: Terms = ()
    moods: Terms = ()
    mild: Terms = ()
    runtime: Span | None = None
    seasons: Span | None = None
    languages: Terms = ()
    countries: Terms = ()
    people: Terms = ()
    kind: Literal["film", "series"] | None = None
    kids: bool = False
    exclude: Terms = ()
