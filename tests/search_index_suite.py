"""What every engine of the catalogue's index must do, as a class that each engine's tests inherit.

A subclass gives `index()` (a new one, empty) and `reopened()`. Expected answers are worked out here, in
numpy, from the same entries, so engines agree with one reference and not only with each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from falsework.catalogue.records import Availability, Credit, Title
from falsework.errors import FalseworkError
from falsework.search.index.fields import fields_of
from falsework.search.index.protocol import CatalogueIndex, Conditions, Entry, Hit
from falsework.search.query import Span
from falsework.search.text import term_id, tokens

MODEL, DIMENSIONS = "test-encoder@1", 24
EVERY = Conditions()


def utc(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


TITLES = (
    Title("a", "The Lighthouse Keeper", year=1946, rating="G", runtime=88, genres=("Drama",),
    languages=("en",),
          credits=(Credit("Ann Lee"),), synopsis="An old keeper and the storm of a century"),
    Title("b", "Storm Chasers", year=1996, rating="PG-13", runtime=113, genres=("Action", "Thriller"),
          languages=("en", "es"), credits=(Credit("Penélope Cruz"), Credit("Bill O'Neill")),
          synopsis="Two rivals chase the storm"),
    Title("c", "Der blaue Engel", year=1930, genres=("Drama", "Musical"), languages=("de",),
          credits=(Credit("Marlene Dietrich"),), synopsis="A professor falls for a singer"),
    Title("d", "Kittens at Sea", kind="series", rating="TV-Y", runtime=22, genres=("Family",),
    languages=("en",),
          moods=("Light-hearted",), synopsis="Kittens keep a lighthouse through a storm",
          availability=(Availability("DE", utc(2020), utc(2030)), Availability("FR", utc(2024), None))),
    Title("é ü/漢字:🎬 'x'", "Unicode", year=2001, rating="R", runtime=120, genres=("Horror",),
          availability=(Availability("worldwide", None, utc(2010)),), synopsis="A house with eyes"),
    Title("f", "Untold", synopsis=""),
)  # fmt: skip


def vector_of(*seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(DIMENSIONS).astype(np.float32)
    return vector / np.linalg.norm(vector)


def terms_of(text: str) -> dict[int, float]:
    found = [term_id(token) for token in tokens(text)] if text else []
    return {term: 1 + math.log(found.count(term)) for term in found}


def entry_of(title: Title, number: int = 0) -> Entry:
    terms = terms_of(f"{title.title} {title.synopsis}")
    return Entry(title.id, terms, vector_of(number, *title.id.encode()), fields_of(title))


ENTRIES = tuple(entry_of(title) for title in TITLES)


def expected_lexical(
    entries: Iterable[Entry], terms: Mapping[int, float], among: set[str]
) -> dict[str, float]:
    entries = list(entries)
    holding = {term: sum(term in entry.terms for entry in entries) for term in terms}
    idf = {term: math.log((len(entries) - df + 0.5) / (df + 0.5) + 1) for term, df in holding.items()}
    scores = {
        entry.id: sum(
            weight * entry.terms[term] * idf[term] for term, weight in terms.items() if term in entry.terms
        )
        for entry in entries
        if entry.id in among and any(term in entry.terms for term in terms)
    }
    return scores


def same(hits: list[Hit], expected: Mapping[str, float]) -> None:
    """The hits are those expected, with their scores, in order of score and then of id."""
    assert {hit.id: hit.score for hit in hits} == pytest.approx(dict(expected), abs=1e-5)
    assert [hit.id for hit in hits] == [hit.id for hit in sorted(hits, key=lambda hit: (-hit.score, hit.id))]


class IndexSuite:
    """Inherit and give the two makers; nothing else is known of the engine."""

    def index(
        self, model: str = MODEL, dimensions: int = DIMENSIONS
    ) -> AbstractContextManager[CatalogueIndex]:
        raise NotImplementedError

    def reopened(
        self, model: str = MODEL, dimensions: int = DIMENSIONS
    ) -> AbstractContextManager[CatalogueIndex]:
        raise NotImplementedError

    @pytest.fixture
    def full(self):
        with self.index() as index:
            index.put(ENTRIES)
            index.settle(7)
            yield index

    def test_an_empty_index_answers_nothing(self):
        with self.index() as index:
            assert index.count() == 0
            assert index.lexical({1: 1.0}, EVERY, 10) == []
            assert index.dense(vector_of(1), EVERY, 10) == []
            index.remove(["nobody"])
            assert index.settle(1).titles == 0
            assert index.count() == 0

    def test_terms_find_titles_by_their_rarity(self, full: CatalogueIndex):
        terms = {
            term_id(token): weight
            for token, weight in zip(tokens("storm lighthouse rivals"), (1, 0.5, 2), strict=True)
        }
        same(
            full.lexical(terms, EVERY, 10), expected_lexical(ENTRIES, terms, {entry.id for entry in ENTRIES})
        )

    def test_terms_that_are_nowhere_find_nothing(self, full: CatalogueIndex):
        assert full.lexical({term_id("zeppelin"): 1.0}, EVERY, 10) == []
        assert full.lexical({}, EVERY, 10) == []

    def test_meaning_finds_the_nearest_first(self, full: CatalogueIndex):
        sought = vector_of(99)
        same(full.dense(sought, EVERY, 10), {entry.id: float(entry.vector @ sought) for entry in ENTRIES})
        for entry in ENTRIES:
            assert full.dense(entry.vector, EVERY, 1)[0].id == entry.id

    @pytest.mark.parametrize(
        ("conditions", "passing"),
        [
            (Conditions(kids=True), {"a", "d"}),
            (Conditions(kind="series"), {"d"}),
            (Conditions(years=Span(least=1940, most=1996)), {"a", "b"}),
            (Conditions(years=Span(least=1946, most=1946)), {"a"}),
            (Conditions(years=Span(most=1930)), {"c"}),
            (Conditions(years=Span()), {entry.id for entry in ENTRIES}),
            (Conditions(runtime=Span(most=113)), {"a", "b", "d"}),
            (Conditions(runtime=Span(least=114)), {TITLES[4].id}),
            (Conditions(languages=("ES", "de")), {"b", "c"}),
            (Conditions(people=("penelope CRUZ", "Nobody")), {"b"}),
            (Conditions(people=("Bill O’Neill",)), {"b"}),
            (Conditions(people=("🎬",)), set()),
            (Conditions(without=("drama", "light hearted")), {"b", TITLES[4].id, "f"}),
            (Conditions(without=("Bill O’Neill",)), {entry.id for entry in ENTRIES} - {"b"}),
            (Conditions(without=("Thriller", "no such thing")), {"a", "c", "d", TITLES[4].id, "f"}),
            (Conditions(territory="DE"), {"a", "b", "c", "d", TITLES[4].id, "f"}),
            (Conditions(territory="us"), {"a", "b", "c", TITLES[4].id, "f"}),
            (Conditions(territory="DE", at=utc(2025).timestamp()), {"a", "b", "c", "d", "f"}),
            (Conditions(territory="DE", at=utc(2030).timestamp()), {"a", "b", "c", "f"}),
            (Conditions(territory="DE", at=utc(2020).timestamp()), {"a", "b", "c", "d", "f"}),
            (Conditions(territory="FR", at=utc(2022).timestamp()), {"a", "b", "c", "f"}),
            (Conditions(at=utc(2005).timestamp()), {"a", "b", "c", TITLES[4].id, "f"}),
            (Conditions(at=utc(2050).timestamp()), {"a", "b", "c", "d", "f"}),
            (Conditions(kids=True, years=Span(least=1900), without=("Family",)), {"a"}),
            (Conditions(kids=True, years=Span(least=2000)), set()),
        ],
    )
    def test_conditions_hold_before_anything_is_ranked(self, full: CatalogueIndex, conditions, passing):
        assert full.count(conditions) == len(passing)
        sought, terms = vector_of(5), terms_of("storm lighthouse professor house untold")
        same(
            full.dense(sought, conditions, 10),
            {entry.id: float(entry.vector @ sought) for entry in ENTRIES if entry.id in passing},
        )
        # The inverse document frequency stays that of the whole index.
        same(full.lexical(terms, conditions, 10), expected_lexical(ENTRIES, terms, passing))
        best = full.dense(sought, conditions, 1)
        assert len(best) == min(1, len(passing))

    def test_a_removed_title_is_gone_from_everything(self, full: CatalogueIndex):
        full.remove(["b", "never there"])
        assert full.count() == len(ENTRIES) - 1
        left = [entry for entry in ENTRIES if entry.id != "b"]
        assert "b" not in {hit.id for hit in full.dense(ENTRIES[1].vector, EVERY, 10)}
        assert "b" not in {hit.id for hit in full.lexical(terms_of("storm chasers"), EVERY, 10)}
        assert full.settle(8).titles == len(left)
        same(full.lexical(terms_of("storm"), EVERY, 10), {
            hit.id: hit.score for hit in full.lexical(terms_of("storm"), EVERY, 10) if hit.id in {"a", "d"}
        })  # fmt: skip

    def test_a_title_put_again_replaces_the_old_one_whole(self, full: CatalogueIndex):
        changed = entry_of(replace(TITLES[0], title="Zeppelin", synopsis="", rating="R", year=None), 3)
        full.put([changed])
        assert full.count() == len(ENTRIES)
        assert full.count(Conditions(kids=True)) == 1
        assert full.count(Conditions(years=Span(least=1946, most=1946))) == 0
        assert full.dense(changed.vector, EVERY, 1)[0] == Hit("a", pytest.approx(1, abs=1e-5))
        assert [hit.id for hit in full.lexical(terms_of("zeppelin"), EVERY, 10)] == ["a"]
        assert "a" not in {hit.id for hit in full.lexical(terms_of("keeper"), EVERY, 10)}

    @pytest.mark.parametrize("limit", [-1, 0, 1, 2, 5, 6, 1000])
    def test_limits(self, full: CatalogueIndex, limit: int):
        whole = full.dense(vector_of(5), EVERY, len(ENTRIES))
        assert full.dense(vector_of(5), EVERY, limit) == whole[: max(limit, 0)]
        words = terms_of("storm lighthouse professor")
        assert full.lexical(words, EVERY, limit) == full.lexical(words, EVERY, 100)[: max(limit, 0)]

    def test_ties_come_in_the_order_of_ids_wherever_they_are_cut(self):
        titles = [Title(f"{number:03d}", "Twin", year=1900 + number % 7) for number in range(150)]
        entries = [replace(entry_of(title), vector=vector_of(1)) for title in titles]
        with self.index() as index:
            index.put(reversed(entries))
            index.settle(1)
            names = [title.id for title in titles]
            for limit in (1, 10, 149):
                assert [hit.id for hit in index.dense(vector_of(1), EVERY, limit)] == names[:limit]
                assert [hit.id for hit in index.lexical(terms_of("twin"), EVERY, limit)] == names[:limit]

    def test_what_was_settled_is_there_when_opened_again(self):
        with self.index() as index:
            index.put(ENTRIES)
            manifest = index.settle(41, "a catalogue")
            before = index.dense(vector_of(5), EVERY, 10), index.lexical(terms_of("storm"), EVERY, 10)
        assert (manifest.model, manifest.dimensions) == (MODEL, DIMENSIONS)
        assert (manifest.revision, manifest.titles) == (41, len(ENTRIES))
        assert manifest.catalogue == "a catalogue"
        with self.reopened() as index:
            assert index.manifest == manifest
            assert before == (
                index.dense(vector_of(5), EVERY, 10),
                index.lexical(terms_of("storm"), EVERY, 10),
            )

    @pytest.mark.parametrize(("model", "dimensions"), [("another@1", DIMENSIONS), (MODEL, 384)])
    def test_an_index_of_another_model_or_size_is_refused(self, model: str, dimensions: int):
        with self.index() as index:
            index.put(ENTRIES)
            index.settle(1)
        with pytest.raises(FalseworkError, match="was built with") as refused:
            self.reopened(model, dimensions)
        assert MODEL in refused.value.sentence()

    @pytest.mark.parametrize(
        "vector", [np.zeros(DIMENSIONS + 1), np.zeros((1, DIMENSIONS)), np.full(DIMENSIONS, np.nan)]
    )
    def test_vectors_that_cannot_be_compared_are_refused(self, full: CatalogueIndex, vector: np.ndarray):
        with pytest.raises(FalseworkError, match="vector"):
            full.put([replace(ENTRIES[0], vector=vector)])
        with pytest.raises(FalseworkError, match="vector"):
            full.dense(vector, EVERY, 10)
        assert full.count() == len(ENTRIES)

    def test_many_titles_agree_with_the_reference(self):
        """300 titles of random words, in one put and in many, with and without conditions."""
        random = np.random.default_rng(12)
        words = ["storm", "house", "sea", "king", "night", "train", "garden", "war", "song", "river"]
        titles = [
            Title(
                f"t{number}",
                " ".join(random.choice(words, random.integers(1, 6))),
                year=int(random.integers(1900, 2020)),
                rating=str(random.choice(["G", "R", ""])),
            )
            for number in range(300)
        ]
        entries = [entry_of(title) for title in titles]
        conditions = Conditions(kids=True, years=Span(least=1950))
        passing = {t.id for t in titles if t.rating == "G" and (t.year or 0) >= 1950}
        with self.index() as index:
            for at in range(0, 300, 70):
                index.put(iter(entries[at : at + 70]))
            index.settle(1)
            sought, terms = vector_of(77), terms_of("the king of the river and the garden")
            same(
                index.dense(sought, conditions, 300),
                {entry.id: float(entry.vector @ sought) for entry in entries if entry.id in passing},
            )
            same(index.lexical(terms, conditions, 300), expected_lexical(entries, terms, passing))
            # What was replaced leaves no trace in the frequencies.
            index.put(entries)
            index.settle(2)
            same(index.lexical(terms, conditions, 300), expected_lexical(entries, terms, passing))
