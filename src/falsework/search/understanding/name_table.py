"""Names that are found again however they are typed: exactly by digest, and nearly by shared trigrams.

A name has several keys: as it stands, without its article, without spaces, without its subtitle. Their
digests, sorted, are looked up by bisection. A name with a slip of the finger shares most of its trigrams
with the right one, so the few names that share most are compared letter by letter. Both look at a small
part of the table: a million names cost little more than a thousand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from falsework.catalogue.vocabularies import folded

__all__ = ["NameTable", "Near", "name_key"]

LONGEST_NAME: Final = 200  # characters of a name that are compared
ARTICLES: Final = frozenset(
    ("the", "a", "an", "el", "la", "los", "las", "le", "les", "un", "una", "der", "die", "das", "il", "lo")
)
ROMAN: Final = {
    "ii": "2",
    "iii": "3",
    "iv": "4",
    "v": "5",
    "vi": "6",
    "vii": "7",
    "viii": "8",
    "ix": "9",
    "x": "10",
}
_ARTICLE_LAST: Final = re.compile(r"^(.+), (The|A|An)$")  # "Goonies, The", as lists sorted by name write
SUBTITLE: Final = re.compile(r"\s*(?::|;|\s[-–—]\s|,?\s+or,?\s|,\s|\()")
LETTERS: Final = 64  # a letter's code has six bits: a to z, 0 to 9, the gap, and the rest folded into 27
GRAMS: Final = LETTERS**3
MOST_POSTINGS: Final = 300_000  # entries of the trigram lists that one search reads at most
FEWEST_GRAMS: Final = 4
COMPARED: Final = 40  # names that are compared letter by letter

# The ways a key says a name, from the surest.
WHOLE, WITHOUT_ARTICLE, SQUEEZED, PART = 0, 1, 2, 3


def _codes() -> npt.NDArray[np.uint32]:
    codes = np.array([37 + each % 27 for each in range(256)], np.uint32)
    codes[ord(" ")] = 0
    codes[np.arange(ord("a"), ord("z") + 1)] = np.arange(1, 27)
    codes[np.arange(ord("0"), ord("9") + 1)] = np.arange(27, 37)
    return codes


CODES: Final = _codes()


def name_key(name: str) -> str:
    """A name as it is compared: folded, with the numbers of sequels in digits (Rocky II is Rocky 2)."""
    words = folded(_ARTICLE_LAST.sub(r"\2 \1", name[:LONGEST_NAME])).split()
    return " ".join(ROMAN.get(word, word) if place else word for place, word in enumerate(words))


def digest(key: str) -> int:
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def ways(key: str) -> Iterator[tuple[str, int]]:
    """A key and the other keys that mean the same name, each with how sure it is."""
    yield key, WHOLE
    first, _, rest = key.partition(" ")
    if first in ARTICLES and rest:
        yield rest, WITHOUT_ARTICLE
    squeezed = key.replace(" ", "")
    if len(squeezed) >= 5:
        yield "=" + squeezed, SQUEEZED


def grams(text: str) -> npt.NDArray[np.uint32]:
    """The different trigrams of a key, each as a number below GRAMS."""
    codes = CODES[np.frombuffer(f" {text} ".encode("utf-8", "surrogatepass"), np.uint8)]
    return np.unique((codes[:-2] * LETTERS + codes[1:-1]) * LETTERS + codes[2:])


@dataclass(frozen=True)
class Near:
    """A row of the table and how near its name is, 1 being the same."""

    row: int
    likeness: float
    way: int


@dataclass(frozen=True)
class NameTable:
    """`n` names. `years` are -1 and `weights` 0 where nobody said; larger weights are meant rather."""

    letters: npt.NDArray[np.uint8]  # all names as UTF-8, one behind the other
    offsets: npt.NDArray[np.int64]  # (n + 1,)
    keys: npt.NDArray[np.uint8]  # their keys likewise
    offsets_of_keys: npt.NDArray[np.int64]  # (n + 1,)
    years: npt.NDArray[np.int16]
    weights: npt.NDArray[np.float32]
    key_digests: npt.NDArray[np.uint64]  # rising
    key_rows: npt.NDArray[np.uint32]
    key_ways: npt.NDArray[np.uint8]
    gram_offsets: npt.NDArray[np.int64]  # (GRAMS + 1,)
    gram_rows: npt.NDArray[np.uint32]
    gram_counts: npt.NDArray[np.uint16]  # (n,) different trigrams of each name

    @classmethod
    def of(
        cls, names: Iterable[tuple[str, int | None, float]], *, parts: bool, surnames: bool = False
    ) -> NameTable:
        """From names with their year and weight; `parts`: a title may be called by what stands before its
        subtitle; `surnames`: a person by the last word of the name, if most of its weight is theirs."""
        shown, keys, years, weights = [], [], [], []
        digests: list[int] = []
        rows: list[int] = []
        how: list[int] = []
        last: dict[str, list[tuple[float, int]]] = {}
        for row, (name, year, weight) in enumerate(names):
            key = name_key(name)
            shown.append(name.encode("utf-8", "surrogatepass"))
            keys.append(key)
            years.append(-1 if year is None or not 0 <= year <= 9999 else year)
            weights.append(weight)
            all_ways = dict(ways(key))
            if parts and (cut := SUBTITLE.search(name)):
                head = name_key(name[: cut.start()])
                # "Love, Simon" is not called "Love".
                if head and (" " in head or not cut[0].startswith(",")):
                    for part, _ in ways(head):
                        all_ways.setdefault(part, PART)
            for way, sureness in all_ways.items():
                digests.append(digest(way))
                rows.append(row)
                how.append(sureness)
            if surnames and " " in key:
                last.setdefault(key.rsplit(" ", 1)[1], []).append((weight, row))
        for surname, bearers in last.items():
            weight, row = max(bearers)
            if weight >= 3 and 2 * weight >= sum(each for each, _ in bearers):
                digests.append(digest(surname))
                rows.append(row)
                how.append(PART)
        folded_keys = [key.encode("utf-8", "surrogatepass") for key in keys]
        order = np.argsort(np.array(digests, np.uint64), kind="stable")
        gram_offsets, gram_rows, gram_counts = _inverted(keys)
        return cls(
            letters=np.frombuffer(b"".join(shown), np.uint8),
            offsets=_offsets(shown),
            keys=np.frombuffer(b"".join(folded_keys), np.uint8),
            offsets_of_keys=_offsets(folded_keys),
            years=np.array(years, np.int16),
            weights=np.array(weights, np.float32),
            key_digests=np.array(digests, np.uint64)[order],
            key_rows=np.array(rows, np.uint32)[order],
            key_ways=np.array(how, np.uint8)[order],
            gram_offsets=gram_offsets,
            gram_rows=gram_rows,
            gram_counts=gram_counts,
        )

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_columns(cls, columns: Mapping[str, npt.NDArray[Any]]) -> NameTable:
        return cls(**{name: columns[name] for name in cls.__dataclass_fields__})

    def __len__(self) -> int:
        return len(self.years)

    def __getitem__(self, row: int) -> str:
        return (
            self.letters[self.offsets[row] : self.offsets[row + 1]].tobytes().decode("utf-8", "surrogatepass")
        )

    def key(self, row: int) -> str:
        begin, end = self.offsets_of_keys[row], self.offsets_of_keys[row + 1]
        return self.keys[begin:end].tobytes().decode("utf-8", "surrogatepass")

    def exact(self, key: str) -> list[Near]:
        """All rows that a key means, the surest first."""
        found: dict[int, int] = {}
        for way, sureness in ways(key):
            wanted = np.uint64(digest(way))
            at = int(self.key_digests.searchsorted(wanted))
            while at < len(self.key_digests) and self.key_digests[at] == wanted:
                row = int(self.key_rows[at])
                found[row] = min(found.get(row, 9), max(sureness, int(self.key_ways[at])))
                at += 1
        return sorted((Near(row, 1.0, way) for row, way in found.items()), key=lambda near: near.way)

    def holds(self, keys: list[str]) -> npt.NDArray[np.bool_]:
        """For each key whether some name is called so as a whole; one look for all of them."""
        if not len(self.key_digests) or not keys:
            return np.zeros(len(keys), np.bool_)
        wanted = np.array([digest(key) for key in keys], np.uint64)
        at = np.minimum(self.key_digests.searchsorted(wanted), len(self.key_digests) - 1)
        return np.asarray(self.key_digests[at] == wanted)

    def near(self, key: str, *, limit: int = 8) -> list[Near]:
        """The rows whose names are written most like `key`, the likest first (likeness: normalised
        Indel similarity as rapidfuzz's `ratio`, with and without the article)."""
        from rapidfuzz.fuzz import ratio

        if not len(self) or not key:
            return []
        wanted = grams(key)
        lengths = self.gram_offsets[wanted + 1] - self.gram_offsets[wanted]
        rarest = np.argsort(lengths, kind="stable")
        within = np.cumsum(lengths[rarest]) <= MOST_POSTINGS
        within[:FEWEST_GRAMS] = True
        lists = [
            self.gram_rows[self.gram_offsets[gram] : self.gram_offsets[gram + 1]]
            for gram in wanted[rarest[within]]
        ]
        rows, shared = np.unique(np.concatenate(lists), return_counts=True)
        score = shared / (len(lists) + self.gram_counts[rows] - shared)
        if len(rows) > COMPARED:
            best = np.argpartition(-score, COMPARED)[:COMPARED]
            rows = rows[best]
        bare = _bare(key)
        found = []
        for row in rows.tolist():
            other = self.key(row)
            likeness = max(ratio(key, other), ratio(bare, _bare(other)) - 1) / 100
            found.append(Near(row, likeness, WHOLE))
        found.sort(
            key=lambda near: (-near.likeness, -float(self.weights[near.row]), -int(self.years[near.row]))
        )
        return found[:limit]


def _offsets(texts: list[bytes]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)


def _bare(key: str) -> str:
    first, _, rest = key.partition(" ")
    return rest if first in ARTICLES and rest else key


def _inverted(
    keys: list[str],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32], npt.NDArray[np.uint16]]:
    """For each trigram the rows that have it, as offsets and rows; and how many different ones each row
    has.
    """
    texts = [f" {key} ".encode("utf-8", "surrogatepass") for key in keys]
    sizes = np.array([len(text) for text in texts], np.int64)
    codes = CODES[np.frombuffer(b"".join(texts), np.uint8)]
    if len(codes) < 3:
        return np.zeros(GRAMS + 1, np.int64), np.zeros(0, np.uint32), np.zeros(len(keys), np.uint16)
    owner = np.repeat(np.arange(len(keys), dtype=np.int64), sizes)
    every = ((codes[:-2] * LETTERS + codes[1:-1]) * LETTERS + codes[2:]).astype(np.int64)
    inside = owner[:-2] == owner[2:]
    pairs = np.unique((every[inside] << 32) | owner[:-2][inside])
    rows = (pairs & 0xFFFFFFFF).astype(np.uint32)
    offsets = np.searchsorted(pairs >> 32, np.arange(GRAMS + 1)).astype(np.int64)
    counts = np.bincount(rows, minlength=len(keys)).astype(np.uint16)
    return offsets, rows, counts
