"""A sentence as words with their places: what all rules look at."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from falsework.catalogue.vocabularies import folded
from falsework.search.query import LONGEST_TEXT

__all__ = ["Sentence", "Word", "cleaned"]

LONGEST_RUN = 60  # letters of one word that are read
_WORD = re.compile(
    rf"\d{{1,4}}['’]?s\b|\d{{1,9}}(?:[.,]\d{{1,2}}\b)?|[^\W\d_]{{1,{LONGEST_RUN}}}(?:['’][^\W\d_]{{1,9}})*"
)
_ENDS_SENTENCE = re.compile(r"[.!?\n…]")
_ENDS_CLAUSE = re.compile(r"[,;:()\[\]\"“”«»]|\s[-–—]")


def cleaned(text: str, longest: int = LONGEST_TEXT) -> tuple[str, int]:
    """Text as it can be read: compatibility forms made plain, controls and invisible marks taken out, runs of
    space made one, cut at a word to `longest` characters. Also how many characters were left out."""
    # Reading is cut first, so that a hundred kilobytes cost what two do; forms may grow when made plain.
    head = unicodedata.normalize("NFC", text[: 2 * longest])
    plain = " ".join(head.split())
    if not plain.isprintable():
        plain = "".join(each for each in plain if each.isprintable() or unicodedata.category(each) == "Zs")
        plain = " ".join(plain.split())
    if len(plain) <= longest:
        return plain, max(0, len(text) - 2 * longest)
    cut = plain.rfind(" ", 0, longest + 1)
    whole = plain[: cut if cut > longest // 2 else longest].rstrip()
    return whole, len(plain) - len(whole) + max(0, len(text) - 2 * longest)


@dataclass(frozen=True, slots=True)
class Word:
    """`key` is how it is compared; `clause` and `sentence` count from 0; `breaks`: a comma or the like stands
    before it."""

    key: str
    start: int
    end: int
    capital: bool
    clause: int
    sentence: int
    breaks: bool


@dataclass
class Sentence:
    """Text with its words, and which of them a rule has understood (`used`) already."""

    text: str
    words: tuple[Word, ...] = ()
    keys: tuple[str, ...] = ()
    used: list[bool] = field(default_factory=list)
    joined: str = ""  # the keys with a space before and after each, as patterns look at them
    starts: dict[int, int] = field(default_factory=dict)  # where in `joined` a key starts, to its number

    @classmethod
    def of(cls, text: str) -> Sentence:
        words: list[Word] = []
        clause = sentence = last = 0
        for found in _WORD.finditer(text):
            gap = text[last : found.start()]
            key = _key(found[0])
            ends = bool(words) and bool(_ENDS_SENTENCE.search(gap))
            turns = key == "but" and not (
                words and words[-1].key in ("anything", "everything", "nothing", "all")
            )
            breaks = ends or turns or (bool(words) and bool(_ENDS_CLAUSE.search(gap)))
            sentence += ends
            clause += breaks
            words.append(
                Word(key, found.start(), found.end(), found[0][0].isupper(), clause, sentence, breaks)
            )
            last = found.end()
        keys = tuple(word.key for word in words)
        starts, at = {}, 1
        for number, key in enumerate(keys):
            starts[at] = number
            at += len(key) + 1
        return cls(text, tuple(words), keys, [False] * len(words), f" {' '.join(keys)} ", starts)

    def use(self, first: int, after: int) -> None:
        """Words `first` up to, not with, `after` are understood."""
        self.used[first:after] = [True] * (after - first)

    def free(self, first: int, after: int) -> bool:
        return not any(self.used[first:after])

    def said(self, first: int, after: int) -> str:
        """The text from one word up to, not with, another, as it was typed."""
        return self.text[self.words[first].start : self.words[after - 1].end]

    def numbers(self, begin: int, end: int) -> tuple[int, int]:
        """Which words a stretch of `joined` covers."""
        first = self.starts[begin]
        return first, first + self.joined[begin:end].strip().count(" ") + 1


def _key(word: str) -> str:
    if word.isascii():
        return word.lower().replace("'", "")
    return folded(word).replace(" ", "") or word.lower()
