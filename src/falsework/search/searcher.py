"""The order of work: understand -> conditions -> candidates -> rank -> why.

The filter for children comes before anything else and once more at the end. Every result is looked up in the
catalogue: what is not there is never answered, whoever named it. An endpoint may understand and rank;
whenever it fails, the offline answer stands.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from falsework.catalogue.database import Catalogue
from falsework.catalogue.ratings import fit_for_children
from falsework.catalogue.records import Title
from falsework.errors import FalseworkError
from falsework.search.answer import OFFLINE, Answer, Loosening, Result, Turn
from falsework.search.conditions import conditions_of, fulfils
from falsework.search.index.build import OpenIndex, open_index
from falsework.search.index.protocol import Conditions
from falsework.search.query import Query
from falsework.search.ranking.candidates import gather
from falsework.search.ranking.request import Request, read_request
from falsework.search.ranking.why import why
from falsework.search.understanding import (
    Chip,
    Names,
    Understood,
    chips_of,
    search_words,
    understand,
    without,
)

if TYPE_CHECKING:
    from falsework.search.endpoint.endpoint import Endpoint, Explanation
    from falsework.search.ranking.candidates import Candidates
    from falsework.search.ranking.table import Table

__all__ = ["MOST_RESULTS", "Searcher"]

MOST_RESULTS: Final = 100
AT_ONCE: Final = 50  # records that are read from the catalogue at a time
RERANKED: Final = 40  # results that an endpoint may put in another order
NEAREST: Final = 5
LIKELY: Final = 0.6  # likeness of a name from which it may be what was meant
NAMES: Final = "names.safetensors"


class Encodes(Protocol):
    name: str
    dimensions: int

    def encode(self, texts: Sequence[str]) -> Any: ...


class Ranked(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def parts(self) -> Mapping[str, float]: ...


class Ranks(Protocol):
    def rank(self, request: Request, candidates: Candidates, table: Table) -> Sequence[Ranked]: ...


@dataclass(frozen=True)
class _Wish:
    """A wish on its way: what was typed, how it was read, and by whom."""

    text: str
    understood: Understood
    answered_by: str = OFFLINE
    notes: tuple[str, ...] = ()


class Searcher:
    """Search over one catalogue and its index. Several threads may use one."""

    def __init__(
        self,
        catalogue: Catalogue,
        opened: OpenIndex,
        *,
        encoder: Encodes | None = None,
        ranker: Ranks | None = None,
        names: Names | None = None,
        endpoint: Endpoint | None = None,
    ) -> None:
        """Where not given, `encoder` and `ranker` are those that ship, and `names` those beside the index."""
        self.catalogue = catalogue
        self.opened = opened
        self.endpoint = endpoint
        self._encoder = _shipped_encoder() if encoder is None else encoder
        self._ranker = _shipped_ranker() if ranker is None else ranker
        self.names = _names(catalogue, opened) if names is None else names

    @classmethod
    def open(cls, catalogue: Catalogue, folder: Path, *, endpoint: Endpoint | None = None) -> Searcher:
        """Search with the index in `folder`; FalseworkError where there is none, or another encoder's."""
        encoder = _shipped_encoder()
        return cls(catalogue, open_index(folder, encoder=encoder), encoder=encoder, endpoint=endpoint)

    def renewed(self) -> Searcher:
        """A searcher on the newest generation of the same index; itself where that is the one it has."""
        if not self.opened.superseded:
            return self
        opened = open_index(self.opened.folder, encoder=self._encoder)
        return Searcher(
            self.catalogue, opened, encoder=self._encoder, ranker=self._ranker, endpoint=self.endpoint
        )

    def search(
        self,
        text: str,
        *,
        kids: bool = False,
        previous: Turn | Query | None = None,
        limit: int = 10,
        territory: str | None = None,
        offline: bool = False,
    ) -> Answer:
        """Answer a sentence. `kids`: the profile is a child's, whatever the sentence says. `previous` is what
        the sentence may edit. `territory` (ISO 3166-1): only what can be watched there now. `offline`: ask no
        endpoint."""
        began = time.perf_counter()
        turn = Turn(query=previous) if isinstance(previous, Query) else previous
        endpoint = None if offline else self.endpoint
        deadline = None if endpoint is None else endpoint.deadline()
        wish = self._understood(text, kids, turn, endpoint, deadline)
        passed = turn.passed if turn is not None and wish.understood.step == "others" else ()
        return self._answer(wish, kids, limit, territory, passed, began, endpoint, deadline)

    def find(
        self,
        query: Query,
        *,
        kids: bool = False,
        limit: int = 10,
        territory: str | None = None,
        language: str = "en",
    ) -> Answer:
        """Answer a query that is there already: one of an answer before, with a chip taken away."""
        began = time.perf_counter()
        query = query.model_copy(update={"kids": query.kids or kids})
        understood = Understood(query, chips_of(query, language=language), language, "edited")
        return self._answer(_Wish("", understood), kids, limit, territory, (), began, None, None)

    def without(self, query: Query, chip: Chip) -> Query:
        """The query less one of its chips."""
        return without(query, chip)

    def explain(self, answer: Answer, wish: str = "") -> Explanation | None:
        """The endpoint's reasons for an answer's results, as they arrive; None where there is no endpoint."""
        if self.endpoint is None or not answer.results:
            return None
        return self.endpoint.explain(answer.query, [result.title for result in answer.results], wish=wish)

    # --- understanding

    def _understood(
        self, text: str, kids: bool, turn: Turn | None, endpoint: Endpoint | None, deadline: float | None
    ) -> _Wish:
        """What was meant: by the rules, and by the endpoint where there is one and it answers in time."""
        previous = None if turn is None else turn.query
        asked = (
            None
            if endpoint is None or not text.strip()
            else endpoint.understand(text, names=self.names, previous=previous, kids=kids, deadline=deadline)
        )
        shown = () if turn is None else self._written(turn.shown)
        understood = understand(text, names=self.names, kids=kids, previous=previous, shown=shown)
        wish = _Wish(text, understood)
        if asked is None or endpoint is None or understood.step in ("others", "cleared"):
            return wish
        heard = asked.heard()
        if heard.value is None:
            return replace(wish, notes=heard.notes)
        read = replace(
            understood,
            query=heard.value,
            chips=chips_of(heard.value, language=understood.language),
            step="edited" if previous is not None else "new",
        )
        return _Wish(text, read, f"endpoint {endpoint.model}", heard.notes)

    def _written(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Titles as a query names them."""
        titles = self.catalogue.titles(list(ids))
        return tuple(titles[id_].title for id_ in ids if id_ in titles)

    # --- answering

    def _answer(
        self,
        wish: _Wish,
        kids: bool,
        limit: int,
        territory: str | None,
        passed: Sequence[str],
        began: float,
        endpoint: Endpoint | None,
        deadline: float | None,
    ) -> Answer:
        understood = wish.understood
        # Whatever was understood, and by whom: a children's profile stays one.
        query = understood.query.model_copy(update={"kids": understood.query.kids or kids})
        conditions = conditions_of(query, territory=territory, at=time.time())
        limit = max(1, min(limit, MOST_RESULTS))
        liked = self._named(query.like)
        avoided = {*passed, *(title.id for title in (*liked, *self._named(query.unlike)))}
        asked_for = self._named(query.titles)
        results = self._ranked(
            wish, query, conditions, asked_for, avoided, max(limit, RERANKED if endpoint else 0)
        )
        answered_by, notes = wish.answered_by, list(wish.notes)
        if endpoint is not None and len(results) > 1:
            results, heard = self._reordered(results, query, wish.text, endpoint, deadline)
            notes += heard
            answered_by = f"endpoint {endpoint.model}" if not heard else answered_by
        # The last word, whatever was done before it: the catalogue's own rating.
        results = [one for one in results if fulfils(one.title, query, conditions)][:limit]
        results = [replace(one, why=tuple(why(one.title, query, liked=liked))) for one in results]
        missing = (*understood.unknown_titles, *understood.unknown_people)
        notes += self._notes(understood, asked_for, query, conditions)
        return Answer(
            query=query,
            results=tuple(results),
            chips=chips_of(query, language=understood.language),
            language=understood.language,
            answered_by=answered_by,
            not_in_catalogue=missing,
            nearest=self._nearest(understood.unknown_titles, query, {one.title.id for one in results}),
            loosen=() if results else self._loosenings(query, conditions, understood.language),
            notes=tuple(dict.fromkeys(notes)),
            took_ms=(time.perf_counter() - began) * 1000,
            passed=tuple(passed),
        )

    def _ranked(
        self,
        wish: _Wish,
        query: Query,
        conditions: Conditions,
        asked_for: Sequence[Title],
        avoided: set[str],
        wanted: int,
    ) -> list[Result]:
        """Titles of the catalogue that fulfil everything, best first; before all those asked for by name."""
        said = self._said(wish, query)
        request = read_request(said, query, self.opened.table, self._encoder)
        candidates = gather(request, self.opened.index, self.opened.table, conditions)
        ranked = self._ranker.rank(request, candidates, self.opened.table)
        scores = {one.id: one for one in ranked}
        best = max((one.score for one in ranked), default=0.0)
        found = {
            title.id: Result(
                title,
                max(best, scores[title.id].score) if title.id in scores else best,
                (),
                scores[title.id].parts if title.id in scores else {},
            )
            for title in asked_for
            if fulfils(title, query, conditions) and title.id not in avoided
        }
        rest = [one for one in ranked if one.id not in found and one.id not in avoided]
        for at in range(0, len(rest), AT_ONCE):
            if len(found) >= wanted:
                break
            batch = rest[at : at + AT_ONCE]
            titles = self.catalogue.titles([one.id for one in batch])
            for one in batch:
                title = titles.get(one.id)
                if title is not None and fulfils(title, query, conditions):
                    found[one.id] = Result(title, one.score, (), one.parts)
        return list(found.values())[:wanted]

    def _said(self, wish: _Wish, query: Query) -> str:
        """The wish in English words: as typed where that is a whole wish in English, else from the query."""
        understood = wish.understood
        typed = understood.step == "new" and understood.language == "en" and wish.text.strip()
        return typed or search_words(query) or " ".join(query.like)

    def _reordered(
        self, results: list[Result], query: Query, text: str, endpoint: Endpoint, deadline: float | None
    ) -> tuple[list[Result], tuple[str, ...]]:
        """The same results in the endpoint's order; in their own with a note where it gave none."""
        heard = endpoint.rerank(query, [one.title for one in results], wish=text, deadline=deadline).heard()
        if heard.value is None:
            return results, heard.notes
        by_id = {one.title.id: one for one in results}
        order = [by_id.pop(id_) for id_ in heard.value if id_ in by_id]
        # Scores fall with the order that is shown: an order without its scores would look like an error.
        scores = sorted((one.score for one in results), reverse=True)
        together = [*order, *by_id.values()]
        return [replace(one, score=score) for one, score in zip(together, scores, strict=True)], ()

    # --- what else there is to say

    def _named(self, names: Iterable[str]) -> list[Title]:
        """The records of titles as a query names them; what is not there is left out."""
        linked = [self.names.title(name, typos=False) for name in names]
        ids = list(dict.fromkeys(one.id for one in linked if one is not None))
        return list(self.catalogue.titles(ids).values()) if ids else []

    def _nearest(self, unknown: Sequence[str], query: Query, shown: set[str]) -> tuple[Title, ...]:
        """Titles whose names come near those that are not there; for a child only what is fit for one."""
        near = [one for name in unknown for one in self.names.nearest(name, limit=NEAREST)]
        near.sort(key=lambda one: -one.likeness)
        ids = list(dict.fromkeys(one.id for one in near if one.likeness >= LIKELY and one.id not in shown))
        titles = self.catalogue.titles(ids[: 2 * NEAREST]) if ids else {}
        fit = [one for one in titles.values() if not query.kids or fit_for_children(one.rating)]
        return tuple(fit[:NEAREST])

    def _loosenings(self, query: Query, conditions: Conditions, language: str) -> tuple[Loosening, ...]:
        """For each chip, how many titles there would be without it; those that would give any, most first."""
        found = []
        for chip in chips_of(query, language=language):
            if chip.key == "kids":
                continue  # a child's filter is nobody's to loosen
            wider = conditions_of(without(query, chip), territory=conditions.territory, at=conditions.at)
            if wider == conditions:
                continue
            count = self.opened.index.count(wider)
            if count:
                found.append(Loosening(chip, count))
        return tuple(sorted(found, key=lambda one: -one.titles))

    def _notes(
        self, understood: Understood, asked_for: Sequence[Title], query: Query, conditions: Conditions
    ) -> Iterable[str]:
        if understood.left_out:
            yield f"The last {understood.left_out:,} characters were not read: a wish has at most 2,000."
        for title in asked_for:
            if query.kids and not fit_for_children(title.rating):
                yield f"“{title.title}” is not for a children's profile."
            elif not fulfils(title, query, conditions):
                yield f"“{title.title}” is in the catalogue, but does not meet the other conditions."


def _shipped_encoder() -> Encodes:
    from falsework.search.encoder import Encoder

    return Encoder.load()


def _shipped_ranker() -> Ranks:
    from falsework.search.ranking.reranker import Reranker

    return Reranker.load()


def _names(catalogue: Catalogue, opened: OpenIndex) -> Names:
    """The names of the titles of an index, kept beside it after the first time."""
    path = opened.reading.generation / NAMES
    if path.is_file():
        return Names.open(path)
    names = Names.of_titles(catalogue.every())
    try:
        names.save(path)
    except (FalseworkError, OSError):  # an index that may only be read: they are collected anew each time
        return names
    return Names.open(path)
