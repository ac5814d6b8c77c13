"""The glossary in memory: single words by their lemma, expressions in a tree of words. Read once, when first
asked.

The tables lie under `glossary/`, one file a subject: `lemma,part,english`. They are the project's own work,
CC0. A lemma of several words is an expression; its first word may be an infinitive or a singular noun and is
then found in each of its forms ("dar miedo" in "que no den miedo").
"""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

__all__ = ["PARTS", "Entry", "Lexicon", "english_words", "fold", "lexicon"]

PARTS = frozenset(
    (
        "noun", "verb", "adjective", "adverb", "phrase", "name", "determiner", "pronoun", "preposition",
        "conjunction", "number", "greeting",
    )
)  # fmt: skip
PEOPLE = ("people", "family", "professions")  # the files whose nouns are persons: "who", "her", personal "a"
FOLDING = str.maketrans("áàâäãéèêëíìîïóòôöõúùûüñç", "aaaaaeeeeiiiiooooouuuunc")


class Entry(NamedTuple):
    """A line of the glossary. `english` is a base form: infinitive without "to", singular, positive."""

    lemma: str
    part: str
    english: str
    human: bool


class Lexicon:
    """`words`: entries by lower-case lemma; `folded`: the same without accents; `verbs`: infinitives without
    accents, reflexive ones too ("enamorarse"); `tree`: expressions, folded word by word, an entry under
    the key ""."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self.words: dict[str, list[Entry]] = {}
        self.folded: dict[str, list[Entry]] = {}
        self.verbs: dict[str, list[Entry]] = {}
        self.tree: dict[str, Any] = {}
        for entry in entries:
            lemma = entry.lemma.lower()
            if " " in lemma:
                node = self.tree
                for word in fold(lemma).split(" "):
                    node = node.setdefault(word, {})
                node.setdefault("", entry)
                self._contract(entry)
                continue
            plain = fold(lemma)
            self.words.setdefault(lemma, []).append(entry)
            self.folded.setdefault(plain, []).append(entry)
            if entry.part == "verb":
                self.verbs.setdefault(plain, []).append(entry)
        for plain, found in list(
            self.verbs.items()
        ):  # "se estrella" is taken apart though "estrellar" is not told
            if plain.endswith("se"):
                self.verbs.setdefault(plain[:-2], found)

    def _contract(self, entry: Entry) -> None:
        """ "escapar de" is met as "escapar del" too, "junto a" as "junto al"."""
        head, _, last = fold(entry.lemma).rpartition(" ")
        if entry.part not in ("verb", "preposition") or last not in ("de", "a"):
            return
        node = self.tree
        for word in [*head.split(" "), last + "l" if last == "de" else "al"]:
            node = node.setdefault(word, {})
        node.setdefault("", entry._replace(english=f"{entry.english} the"))


def fold(text: str) -> str:
    """Lower case and without accents; ñ becomes n, as hurried typists write it."""
    return text.lower().translate(FOLDING)


def entries() -> list[Entry]:
    """Every line of every table, in the order of the files' names."""
    found = []
    for table in sorted(files(__package__).joinpath("glossary").iterdir(), key=lambda each: each.name):
        if not table.name.endswith(".csv"):
            continue
        of_people = table.name.startswith(PEOPLE)
        with table.open(encoding="utf-8") as file:
            lines = csv.reader(file)
            next(lines)
            found += [
                Entry(lemma, part, english, of_people and part == "noun") for lemma, part, english in lines
            ]
    return found


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The shipped glossary."""
    return Lexicon(entries())


@lru_cache(maxsize=1)
def english_words() -> tuple[str, ...]:
    """The English side of the glossary in lower case: each word, and each expression whole. What a viewer
    describes with ordinary words is made of these."""
    said = [entry.english.lower() for entry in lexicon().entries]
    return tuple(sorted({*said, *(word for each in said for word in each.split())}))
