"""What a wish comes to while its sentence is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from falsework.search.query import MOST_TERMS, Span
from falsework.search.understanding.sentence import Sentence

__all__ = ["Wish", "terms"]


@dataclass
class Wish:
    """What was read so far; `fields` are the query's, each a list or a value."""

    sentence: Sentence
    values: dict[str, list[str]] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    kind: Literal["film", "series"] | None = None
    kids: bool = False
    unknown_titles: list[str] = field(default_factory=list)
    unknown_people: list[str] = field(default_factory=list)

    def add(self, key: str, value: str) -> None:
        held = self.values.setdefault(key, [])
        if value and value not in held:
            held.append(value)

    def drop(self, key: str, value: str) -> None:
        if value in self.values.get(key, ()):
            self.values[key].remove(value)


def terms(found: list[str]) -> tuple[str, ...]:
    """What a query can hold of a list: each once, not too many, none too long or empty."""
    short = (" ".join(each.split())[:200] for each in found)
    return tuple(dict.fromkeys(each for each in short if each))[:MOST_TERMS]
