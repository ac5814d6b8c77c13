"""A catalogue of any size, synthesised from a real one: words of title and synopsis are exchanged for others'
words, names for others' names, years moved.

The vectors of what is synthesised are not encoded but perturbed: the original's vectors plus noise (a cosine
of about .89), because encoding a million titles would take hours.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from falsework.catalogue.mapping import title_of
from falsework.catalogue.records import Title
from falsework.search.encoder import Encoder
from falsework.search.index.vectors import VectorCache
from falsework.search.ranking.document import passages

NOISE = 0.5  # length of what is added to a vector of length 1
EXCHANGED = 0.2  # of the words


@dataclass(frozen=True)
class Sample:
    """What everything is made from: the catalogue's titles, and the vectors of their passages, one behind the
    other; `begins[i]` is where title i's begin."""

    titles: list[Title]
    vectors: np.ndarray
    begins: np.ndarray


@dataclass
class Synthesised:
    """A catalogue of `number` titles, the first of them the sample's own, and the encoder of it: its vectors
    are those the title was made with, handed out when its passages are asked for."""

    sample: Sample
    number: int
    name: str
    dimensions: int
    revision: int = 1
    _waiting: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        return f"synthesised {self.number}"

    def count(self) -> int:
        return self.number

    @cached_property
    def vocabulary(self) -> list[str]:
        return [word for title in self.sample.titles[::7] for word in title.synopsis.split()]

    @cached_property
    def people(self) -> list[str]:
        return [credit.name for title in self.sample.titles for credit in title.credits] or ["Nobody"]

    @cached_property
    def _place(self) -> dict[str, int]:
        return {title.id: at for at, title in enumerate(self.sample.titles)}

    def every(self) -> Iterator[Title]:
        for each in range(self.number):
            title, random = self._title(each)
            vectors = self.sample.vectors[slice(*self.sample.begins[each % len(self.sample.titles) :][:2])]
            if each >= len(self.sample.titles):
                noise = random.standard_normal(vectors.shape).astype(np.float32)
                vectors = vectors + NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
            for at, passage in enumerate(passages(title)):
                self._waiting[passage] = vectors[min(at, len(vectors) - 1)]
            yield title

    def titles(self, ids: Iterable[str]) -> dict[str, Title]:
        """Those of these ids, as a catalogue's database would read them."""
        found = {}
        for name in ids:
            each = self._place.get(name)
            found[name] = self._title(int(name.rpartition("-")[2]) if each is None else each)[0]
        return found

    def _title(self, each: int) -> tuple[Title, np.random.Generator]:
        """Title number `each`, and the random numbers that its vectors are made with."""
        original, random = self.sample.titles[each % len(self.sample.titles)], np.random.default_rng(each)
        if each < len(self.sample.titles):
            return original, random
        return perturbed(original, each, self.vocabulary, self.people, random), random

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.array([self._waiting[text] for text in texts], np.float32)
        self._waiting.clear()
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def perturbed(
    title: Title, number: int, vocabulary: Sequence[str], people: Sequence[str], random: np.random.Generator
) -> Title:
    def exchanged(text: str) -> str:
        words = text.split(" ")
        for at in np.flatnonzero(random.random(len(words)) < EXCHANGED):
            words[at] = vocabulary[random.integers(len(vocabulary))]
        return " ".join(words)

    return replace(
        title,
        id=f"{title.id}-{number}",
        title=exchanged(title.title),
        year=None if title.year is None else title.year + int(random.integers(-9, 10)),
        synopsis=exchanged(title.synopsis),
        credits=tuple(
            replace(credit, name=people[random.integers(len(people))]) if random.random() < 0.5 else credit
            for credit in title.credits
        ),
    )


def sample_of(catalogue: Path, vectors: Path, encoder: Encoder) -> Sample:
    opening: Callable[..., Any] = gzip.open if catalogue.suffix == ".gz" else open
    with opening(catalogue, "rt", encoding="utf-8") as lines:
        titles = [title_of(json.loads(line)) for line in lines]
    made, begins = [], [0]
    with VectorCache(vectors, encoder) as cache:
        for at in range(0, len(titles), 512):
            texts = [passages(title) for title in titles[at : at + 512]]
            made.append(cache.vectors([text for each in texts for text in each]))
            begins.extend(begins[-1] + np.cumsum([len(each) for each in texts]))
            print(
                f"\rvectors of the catalogue: {at + len(texts)} of {len(titles)} titles", end="", flush=True
            )
    print()
    return Sample(titles, np.concatenate(made), np.array(begins))
