"""What comes of reading a viewer's sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from falsework.search.query import Query
from falsework.search.understanding.chips import Chip

__all__ = ["Step", "Understood"]

Step = Literal["new", "edited", "others", "cleared"]


@dataclass(frozen=True)
class Understood:
    """`query` and its `chips`; `language` of what was typed (ISO 639-1).

    `step`: a "new" wish, the previous one "edited", "others" than were shown for the same wish, or the
    previous one "cleared". `unknown_titles` and `unknown_people` were named, but are not in the catalogue (as
    said, with the year if one was said). `left_out` counts the characters at the end that were not read.
    `remarks` are sentences about what of it was not used.
    """

    query: Query
    chips: tuple[Chip, ...] = ()
    language: str = "en"
    step: Step = "new"
    unknown_titles: tuple[str, ...] = ()
    unknown_people: tuple[str, ...] = ()
    left_out: int = 0
    remarks: tuple[str, ...] = ()
