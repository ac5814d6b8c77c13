"""What was understood, said back to people: each constraint of a query as a chip that can be taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from falsework.search.query import Query, Span
from falsework.search.understanding.wording import chip_words

__all__ = ["BINDING", "Chip", "chips_of", "without"]

# Fields of a query that every result meets; all others only rank.
BINDING: Final = frozenset(("years", "runtime", "seasons", "languages", "people", "kind", "kids", "exclude"))


@dataclass(frozen=True)
class Chip:
    """One value of one field of a query: `key` is the field's name, `value` what stands in it (a span as
    "1990-1999", "-120" or "90-"), `words` what people read ("under 2 h"). `binds`: every result meets it;
    what does not bind only ranks."""

    key: str
    value: str
    words: str
    binds: bool = False


def chips_of(query: Query, *, language: str = "en") -> tuple[Chip, ...]:
    """A chip for every value of every field but `text`; `language` of their words is "en" or "es"."""
    chips = []
    for key in Query.model_fields:
        if key == "text":
            continue
        for value in _values(getattr(query, key)):
            chips.append(Chip(key, value, chip_words(key, value, language=language), key in BINDING))
    return tuple(chips)


def without(query: Query, chip: Chip) -> Query:
    """The query less what the chip stands for; a chip of another query takes nothing away."""
    if chip.key == "text" or chip.key not in Query.model_fields:
        return query
    value = getattr(query, chip.key)
    if chip.value not in _values(value):
        return query
    left = tuple(each for each in value if each != chip.value) if isinstance(value, tuple) else None
    if left is None:
        left = Query.model_fields[chip.key].default
    return Query.model_validate({**query.model_dump(), chip.key: left})


def _values(value: object) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return tuple(dict.fromkeys(value))
    if isinstance(value, Span):
        return (f"{'' if value.least is None else value.least}-{'' if value.most is None else value.most}",)
    if value is None or value is False:
        return ()
    return ("yes",) if value is True else (str(value),)
