"""What every rule of the brief's grammar works with: findings, and which words belong together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from falsework.shots.brief_reader import BriefReaderSettings
from falsework.shots.brief_scan import Clause, Item, Token
from falsework.shots.brief_words import LANGUAGES

__all__ = ["FIRST_FRAME", "FPS", "Finding", "Interpretation", "Reading"]

FIRST_FRAME, FPS = 1001, 24.0  # a shot's defaults, for "after two seconds"


@dataclass(frozen=True)
class Finding:
    """A setting's value, the brief's words it came from and where they stand (start, end)."""

    value: Any
    words: str
    span: tuple[int, int]


@dataclass(frozen=True)
class Interpretation:
    """What a brief is understood to say. `settings` by dotted key of `Shot`; "facades.storeys" means every
    facade's. `source` is "grammar" or the name of the model whose answer it is; `read_by` the endpoint that
    was sent the brief, whether its answer was used or not."""

    brief: str
    language: str
    settings: dict[str, Finding]
    not_understood: tuple[str, ...]
    notes: tuple[str, ...]
    source: str = "grammar"
    read_by: BriefReaderSettings | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "brief": self.brief,
            "language": self.language,
            "source": self.source,
            "settings": {
                key: {"value": finding.value, "words": finding.words}
                for key, finding in self.settings.items()
            },
            "not_understood": list(self.not_understood),
            "notes": list(self.notes),
            "read_by": self.read_by.model_dump(mode="json") if self.read_by is not None else None,
        }


@dataclass
class Reading:
    """A brief on its way to settings. Rules take items they understand; what nobody takes is left over."""

    brief: str
    tokens: list[Token]
    clauses: list[Clause]
    language: str
    settings: dict[str, Finding] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    kinds: list[tuple[str, bool, Item]] = field(default_factory=list)  # kind, strong, item
    paces: list[tuple[str, str, list[Item]]] = field(default_factory=list)  # phase, pace, items
    duration: tuple[float, list[Item]] | None = None
    fps: float = FPS

    def _take(self, *items: Item) -> None:
        for item in items:
            self.used.update(range(item.first, item.last + 1))

    def _free(self, item: Item) -> bool:
        return item.first not in self.used

    def _words(self, items: list[Item]) -> tuple[str, tuple[int, int]]:
        span = (
            self.tokens[min(item.first for item in items)].start,
            self.tokens[max(item.last for item in items)].end,
        )
        return self.brief[span[0] : span[1]], span

    def _set(self, key: str, value: Any, *items: Item, quiet: bool = False) -> None:
        """Set a key from items; the first statement stays."""
        self._take(*items)
        words, span = self._words(list(items))
        before = self.settings.get(key)
        if before is None:
            self.settings[key] = Finding(value, words, span)
        elif before.value != value and not quiet:
            self.notes.append(f"“{words}” contradicts “{before.words}”; {key} keeps the first")

    def _topic(self, clause: Clause, number: int, item: Item) -> str:
        """What an item belongs to: the nearest topic of its clause, else what the brief was about. Adjectives
        do not reach back into another sentence."""
        nearest = self._nearest(clause, item)
        if nearest is not None:
            return nearest.topic
        adjective = item.meaning in ("amount", "colour", "opaque", "sheer")
        for earlier in reversed(self.clauses[:number]):
            if adjective and earlier.sentence != clause.sentence:
                break
            if earlier.topics():
                return earlier.topics()[-1].topic
        return ""

    def _nearest(self, clause: Clause, item: Item) -> Item | None:
        ahead = LANGUAGES[self.language].adjective_first
        return min(clause.topics(), key=lambda topic: self._distance(topic, item, ahead), default=None)

    def _with_noun(self, clause: Clause, item: Item) -> list[Item]:
        """An adjective and the noun it stands beside."""
        noun = self._nearest(clause, item)
        near = noun is not None and noun.meaning == "topic" and abs(noun.first - item.first) <= 4
        return [item, noun] if near and noun is not None else [item]

    def _next_topic(self, number: int) -> str:
        for later in self.clauses[number + 1 : number + 2]:
            if later.topics():
                return later.topics()[0].topic
        return ""

    @staticmethod
    def _distance(topic: Item, item: Item, ahead: bool) -> float:
        if topic.first > item.last:
            return topic.first - item.last - (0.5 if ahead else 0.0)
        return item.first - topic.last - (0.0 if ahead else 0.5)

    @staticmethod
    def _before(clause: Clause, item: Item, *meanings: str) -> Item | None:
        """The item of one of these meanings right before `item` (articles and small words apart)."""
        place = clause.items.index(item)
        for earlier in reversed(clause.items[max(0, place - 2) : place]):
            if earlier.meaning in meanings:
                return earlier
            if earlier.meaning not in ("link", "behind", "very"):
                return None
        return None
