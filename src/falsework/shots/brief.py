"""A director's sentence becomes settings: each with the words it came from, nothing invented.

A grammar over the field's words (`brief_words`), English and Spanish. What a word belongs to is decided by
its clause and the nearest topic (building, dust, debris, wind, light); a clause without a topic goes on with
the last one. Words that stay without a meaning are listed.

Floors: "third floor", "tercer piso", "tercera planta" are the third above the ground floor, as in Europe and
on the Río de la Plata (`from_storey = 3`); "third storey" counts the ground floor as the first (2).
Where the brief contradicts itself the first statement stays, and a note says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from falsework.rights.literary import refuse_writing
from falsework.shots.brief_air import AirRules
from falsework.shots.brief_reading import Finding, Interpretation
from falsework.shots.brief_scan import Clause, Token, guess_language, scan, tokens_of
from falsework.shots.brief_words import LANGUAGES

__all__ = ["Finding", "Interpretation", "read_brief"]


def read_brief(brief: str) -> Interpretation:
    """Understand a brief by the grammar, offline. The same words give the same settings."""
    refuse_writing(brief)
    tokens = tokens_of(brief)
    language = guess_language(tokens)
    reader = _Reader(brief, tokens, scan(tokens, language), language)
    reader.read()
    return Interpretation(
        brief=brief,
        language=language,
        settings=dict(sorted(reader.settings.items(), key=lambda entry: entry[1].span)),
        not_understood=tuple(reader.left_over()),
        notes=tuple(reader.notes),
    )


@dataclass
class _Reader(AirRules):
    """One pass over the clauses; every rule takes the items it understands."""

    def read(self) -> None:
        for clause in self.clauses:
            for item in clause.items:
                if item.meaning == "quantity" and item.value == "fps" and 12 <= item.number <= 240:
                    self.fps = item.number
        rules: tuple[Callable[[Clause, int], None], ...] = (
            self._known,
            self._quantities,
            self._kinds,
            self._floors,
            self._sides,
            self._light,
            self._wind,
            self._reach,
            self._amounts,
            self._absent,
            self._paces,
            self._matter,
        )
        for number, clause in enumerate(self.clauses):
            for rule in rules:
                rule(clause, number)
        self._kind()
        self._timing()

    def _known(self, clause: Clause, number: int) -> None:
        """What needs no remark: names of things, joining words."""
        for item in clause.items:
            quiet = item.meaning in (
                "link",
                "fall",
                "from",
                "from_of",
                "to",
                "then",
                "negation",
                "very",
                "spread",
                "across",
            )
            if quiet or (
                item.meaning == "topic"
                and item.value in ("building", "dust", "debris", "wind", "street", "camera")
            ):
                self._take(item)
        if any(topic.topic for topic in clause.topics()):
            for item in clause.items:
                if item.meaning in ("in", "within", "after", "long") and self.tokens[item.first].text in (
                    LANGUAGES[self.language].small
                    | {"sobre", "despues", "take", "taking", "shot", "plano", "durante"}
                ):
                    self._take(item)

    def left_over(self) -> Iterator[str]:
        """Words nobody understood, neighbours together, in the brief's own spelling."""
        small = LANGUAGES[self.language].small | LANGUAGES[self.language].articles
        run: list[int] = []
        for place, token in enumerate([*self.tokens, Token(".", 0, 0)]):
            word = token.text[0].isalnum()
            if word and place not in self.used and token.text not in small:
                run.append(place)
            elif run and (not word or place in self.used):
                yield self.brief[self.tokens[run[0]].start : self.tokens[run[-1]].end]
                run = []
