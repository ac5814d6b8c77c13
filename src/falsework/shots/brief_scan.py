"""A director's sentence as items of meaning: tokens, phrases, numbers, floors, clauses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from falsework.shots.brief_words import LANGUAGES, Words

__all__ = ["Clause", "Item", "Token", "guess_language", "scan", "tokens_of"]

_TOKEN = re.compile(
    r"\d+(?:[.,]\d+)?(?:st|nd|rd|th|er|ro|do|ra|da|ta|to|[ºªo°])?(?![\w])|[^\W\d_]+(?:['’][^\W\d_]+)*|\d+|[,;.:()!?—–]"
)
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th|er|ro|do|ra|da|ta|to|[ºªo°])$")
_HARD = frozenset(",;.:()!?—–")
_STOP = frozenset(".!?")
_BUT = {
    "en": {"but", "while", "whilst", "as", "with", "without"},
    "es": {"pero", "sino", "mientras", "con", "sin", "aunque"},
}
_AND = {"en": {"and"}, "es": {"y", "e"}}
_UNITS = ("fps", "ms", "kmh", "second", "frame")
# A topic is what adjectives and adverbs may belong to; a way of falling belongs to the building.
TOPICS = ("dust", "debris", "building", "wind", "light", "grain", "blur", "slate", "fragments")
SPOKEN_OF = {
    "kind": "building",
    "kind_weak": "building",
    "fall": "building",
    "air": "wind",
    "sunlight": "light",
    "sun": "light",
}
_LIT = ("sun", "light", "sol", "luz")


@dataclass(frozen=True)
class Token:
    """A word or mark: as folded (lower case, no accents) and where it stands in the brief."""

    text: str
    start: int
    end: int


@dataclass
class Item:
    """A phrase with its meaning, tokens `first` to `last` (included)."""

    meaning: str
    value: str
    first: int
    last: int
    number: float = 0.0
    negated: bool = False

    @property
    def topic(self) -> str:
        """What this item names as a topic, or ""."""
        if self.meaning == "topic" and self.value in TOPICS:
            return self.value
        return SPOKEN_OF.get(self.meaning, "")


@dataclass
class Clause:
    """A stretch of the brief about (mostly) one topic. `sentence` counts full stops."""

    items: list[Item] = field(default_factory=list)
    sentence: int = 0

    def topics(self) -> list[Item]:
        return [item for item in self.items if item.topic]

    def has(self, meaning: str, value: str = "") -> bool:
        return any(item.meaning == meaning and (not value or item.value == value) for item in self.items)


def fold(text: str) -> str:
    """Lower case without accents, character for character (ñ becomes n)."""
    folded = []
    for letter in text.lower():
        plain = unicodedata.normalize("NFD", letter)[0]
        folded.append("'" if plain == "’" else plain)
    return "".join(folded)


def tokens_of(brief: str) -> list[Token]:
    """Words, numbers and marks. Hyphens part words ("five-storey")."""
    folded = fold(brief) if len(fold(brief)) == len(brief) else brief.lower()
    return [Token(match[0], match.start(), match.end()) for match in _TOKEN.finditer(folded)]


def guess_language(tokens: Sequence[Token]) -> str:
    """The language that knows more of the words; English where neither knows better."""
    scores = {
        name: sum(
            (2 if token.text in words.small or token.text in words.articles else 0)
            + (1 if _longest(_index(name), tokens, place, words) else 0)
            for place, token in enumerate(tokens)
        )
        for name, words in LANGUAGES.items()
    }
    return max(scores, key=lambda name: (scores[name], name == "en"))


def scan(tokens: Sequence[Token], language: str) -> list[Clause]:
    """The items of the brief, clause by clause."""
    words = LANGUAGES[language]
    clauses = [Clause()]
    breaks: list[tuple[int, int]] = []  # (clause, item) where an "and" stands
    place = 0
    while place < len(tokens):
        text = tokens[place].text
        if text in _HARD or text in _BUT[language]:
            clauses.append(Clause(sentence=clauses[-1].sentence + (text in _STOP)))
        elif text in _AND[language]:
            breaks.append((len(clauses) - 1, len(clauses[-1].items)))
        item = None if text in _HARD else _item(tokens, place, words, language)
        if item is None:
            place += 1
            continue
        if item.meaning == "day" and any(token.text in _LIT for token in tokens[place : item.last + 1]):
            item.meaning, item.value = "sunlight", item.value  # "low sun" is a topic, "at dusk" is not
        if item.meaning == "then" and clauses[-1].items:
            clauses.append(Clause(sentence=clauses[-1].sentence))
        clauses[-1].items.append(item)
        place = item.last + 1
    for clause in clauses:
        _settle_light(clause)
    split = _split_at_and(clauses, breaks)
    for clause in split:
        _negate(clause)
    return [clause for clause in split if clause.items]


def _item(tokens: Sequence[Token], place: int, words: Words, language: str) -> Item | None:
    """What begins at this token: a floor, a quantity or the longest phrase."""
    if tokens[place].text.endswith("n't"):
        return Item("negation", "", place, place)
    phrase = _longest(_index(language), tokens, place, words)
    counted = _counted(tokens, place, words, language)
    if counted is not None and (phrase is None or counted.last >= phrase.last):
        return counted
    return phrase


def _counted(tokens: Sequence[Token], place: int, words: Words, language: str) -> Item | None:
    """Floors ("third floor", "piso 3", "five-storey") and quantities ("two seconds", "frame 1020")."""
    index = _index(language)

    def kind_at(at: int, kinds: tuple[str, ...]) -> Item | None:
        if at >= len(tokens):
            return None
        found = _longest(index, tokens, at, words, kinds)
        return found

    at = place
    ordinal = _ordinal(tokens[at].text, words)
    if ordinal is not None:
        unit = kind_at(at + 1, ("floor", "storey"))
        if unit is not None:
            return Item("floor", unit.meaning, place, unit.last, ordinal)
    number, after = _number(tokens, at, words)
    if number is not None:
        unit = kind_at(after, (*_UNITS, "floor", "storey"))
        if unit is not None:
            meaning = "storeys" if unit.meaning in ("floor", "storey") else "quantity"
            last = unit.last
            if [token.text for token in tokens[last + 1 : last + 3]] == [
                "y",
                "medio",
            ]:  # "un segundo y medio"
                number, last = number + 0.5, last + 2
            return Item(meaning, unit.meaning, place, last, number)
        next_topic = kind_at(after, ("topic",))
        if next_topic is not None and next_topic.value == "fragments" and number >= 2:
            return Item("quantity", "fragments", place, next_topic.last, number)
    unit = kind_at(at, ("floor", "storey", "frame", "seed", "second"))
    if unit is not None and unit.last + 1 < len(tokens):
        ordinal = _ordinal(tokens[unit.last + 1].text, words)
        number, after = _number(tokens, unit.last + 1, words, bare=True)
        value = ordinal if ordinal is not None else number
        if value is not None and unit.meaning in ("floor", "storey"):
            return Item("floor", unit.meaning, place, unit.last + 1, value)
        if number is not None and (unit.meaning != "second" or language == "es"):
            return Item("mark", unit.meaning, place, after - 1, number)
    return None


def _ordinal(text: str, words: Words) -> int | None:
    if text in words.ordinals:
        return words.ordinals[text]
    match = _ORDINAL.match(text)
    return int(match[1]) if match else None


def _number(
    tokens: Sequence[Token], place: int, words: Words, bare: bool = False
) -> tuple[float | None, int]:
    """A number in figures or words from `place` on, and the place after it. `bare`: not "a", not "half"."""
    if place >= len(tokens):
        return None, place
    text = tokens[place].text
    if re.fullmatch(r"\d+(?:[.,]\d+)?", text):
        if re.fullmatch(r"\d{1,3}[.,]\d{3}", text):  # thousands: no duration is given to the millisecond
            return float(re.sub(r"[.,]", "", text)), place + 1
        return float(text.replace(",", ".")), place + 1
    value = words.numbers.get(text)
    if value is None or (bare and (text in words.articles or value < 1)):
        return None, place
    follows = [token.text for token in tokens[place + 1 : place + 4]] + ["", "", ""]
    if value < 1:  # "half a second", "medio segundo"
        return float(value), place + 2 if follows[0] in words.articles else place + 1
    if text in words.articles and words.numbers.get(follows[0], 1) < 1:  # "a half second"
        return float(words.numbers[follows[0]]), place + 2
    place += 1
    while text not in words.articles and place < len(tokens):  # "twenty five", "two hundred"
        more = words.numbers.get(tokens[place].text, 0)
        if more < 1 or tokens[place].text in words.articles:
            break
        value = value * more if more >= 100 else value + more
        place += 1
    for half in (("and", "a", "half"), ("y", "medio"), ("y", "media")):
        if tuple(token.text for token in tokens[place : place + len(half)]) == half:
            return value + 0.5, place + len(half)
    return float(value), place


@lru_cache(maxsize=4)
def _index(language: str) -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """First two letters of a phrase -> (its words, its meaning), longest first, table order within."""
    index: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for meaning, phrases in LANGUAGES[language].phrases.items():
        for phrase in phrases.split("|"):
            words = tuple(
                token
                for token in re.split(r"[\s\-]+", phrase.replace("m/s", "m s").replace("km/h", "km h"))
                if token
            )
            index.setdefault(words[0][:2].rstrip("*"), []).append((words, meaning))
    for entries in index.values():
        entries.sort(key=lambda entry: (-len(entry[0]), any("*" in word for word in entry[0])))
    return index


def _longest(
    index: dict[str, list[tuple[tuple[str, ...], str]]],
    tokens: Sequence[Token],
    place: int,
    words: Words,
    kinds: tuple[str, ...] = (),
) -> Item | None:
    """The longest phrase that begins at `place`; of given kinds where they are named."""
    text = tokens[place].text
    best: Item | None = None
    for key in dict.fromkeys((text[:2], text[:1])):
        for phrase, meaning in index.get(key, ()):
            kind, _, value = meaning.partition(":")
            if kinds and kind not in kinds:
                continue
            last = _match(phrase, tokens, place, words)
            if last is not None and (best is None or last > best.last):
                best = Item(kind, value, place, last)
    return best


def _match(phrase: tuple[str, ...], tokens: Sequence[Token], place: int, words: Words) -> int | None:
    """The last token of a phrase found at `place`, articles skipped between its words."""
    for number, word in enumerate(phrase):
        if number:
            place += 1
            while place < len(tokens) and tokens[place].text in words.articles and tokens[place].text != word:
                place += 1
        if place >= len(tokens):
            return None
        text = tokens[place].text
        if not (text.startswith(word[:-1]) if word.endswith("*") else text == word):
            return None
    return place


def _settle_light(clause: Clause) -> None:
    """English "light" is little of what it stands before, and else the light."""
    for number, item in enumerate(clause.items):
        if item.meaning == "light_word":
            rest = clause.items[number + 1 :][:3]
            adjective = any(other.topic in ("dust", "debris", "wind", "grain", "blur") for other in rest)
            if rest and rest[0].meaning == "colour":
                item.meaning = "link"  # the colour says it already
            elif adjective:
                item.meaning, item.value = "amount", "little"
            else:
                item.meaning, item.value = "topic", "light"


def _split_at_and(clauses: list[Clause], breaks: list[tuple[int, int]]) -> list[Clause]:
    """Part "the house falls and dust rolls", but neither "heavy and pale dust" nor "no dust and debris"."""
    split: list[Clause] = []
    for number, clause in enumerate(clauses):
        start = 0
        for _, cut in (mark for mark in breaks if mark[0] == number):
            left, right = Clause(clause.items[start:cut], clause.sentence), Clause(clause.items[cut:])
            bare = all(item.topic or item.meaning == "link" for item in right.items)
            if left.topics() and right.topics() and not bare:
                split.append(left)
                start = cut
        split.append(Clause(clause.items[start:], clause.sentence))
    return split


def _negate(clause: Clause) -> None:
    """A negation reaches to the end of its clause."""
    negated = False
    for item in clause.items:
        if item.meaning == "negation":
            negated = True
        item.negated = negated and item.meaning != "negation"
