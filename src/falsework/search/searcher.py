"""The order of work: understand -> conditions -> candidates -> rank -> why.

The filter for children comes before anything else and once more at the end. Every result is looked up in the
catalogue: what is not there is never answered, whoever named it. An endpoint may understand and rank;
whenever it fails, the offline answer stands.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import numpy as np

from falsework.catalogue.database import Catalogue
from falsework.catalogue.ratings import fit_for_children
from falsework.catalogue.records import Title
from falsework.search.agreement import COMPARED, agreed
from falsework.search.answer import OFFLINE, Answer, Result, Turn
from falsework.search.conditions import conditions_of, fulfils, loosenings
from falsework.search.index.build import OpenIndex, open_index
from falsework.search.index.protocol import Conditions
from falsework.search.query import Query
from falsework.search.ranking.candidates import Gatherer
from falsework.search.ranking.request import Request, read_request
from falsework.search.ranking.why import why
from falsework.search.recorded import as_recorded, looks_at_records
from falsework.search.text import term_id, tokens
from falsework.search.understanding import (
    Chip,
    Names,
    Understood,
    chips_of,
    search_words,
    understand,
    unknown_words,
    without,
)

if TYPE_CHECKING:
    from falsework.search.endpoint.endpoint import Asked, Endpoint, Explanation
    from falsework.search.ranking.candidates import Candidates
    from falsework.search.ranking.table import Table

__all__ = ["MOST_RESULTS", "Searcher"]

MOST_RESULTS: Final = 100
FEWEST: Final = 12  # records that are read from the catalogue at a time
RERANKED: Final = 40  # results that an endpoint may put in another order
NEAREST: Final = 5
NEAREST_FOR_CHILDREN: Final = 60  # names that are looked at for as many that are fit for children
LIKELY: Final = 0.6  # likeness of a name from which it may be what was meant
MINUTE: Final = 60.0  # seconds


class Encodes(Protocol):
    name: str
    dimensions: int

    def encode(self, texts: Sequence[str]) -> Any: ...

    def knows(self, word: str) -> bool: ...


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
    unheard: bool = False  # the endpoint was asked, and nothing of use came
    said: str = ""  # what titles are ranked by, where that is known already


@dataclass(frozen=True)
class _Found:
    """The titles for a wish, in their order, and what they were held to."""

    query: Query
    conditions: Conditions
    liked: Sequence[Title]
    asked_for: Sequence[Title]
    results: list[Result]
    unknown: tuple[str, ...] = ()  # words that no title or text has
    guessed: bool = False  # no other words than those are there to go by


class Searcher:
    """Search over one catalogue and its index. Several threads may use one."""

    def __init__(
        self,
        catalogue: Catalogue,
        opened: OpenIndex,
        *,
        encoder: Encodes | None = None,
        ranker: Ranks | None = None,
        gatherer: Gatherer | None = None,
        names: Names | None = None,
        endpoint: Endpoint | None = None,
    ) -> None:
        """Where not given, `encoder`, `ranker` and `gatherer` are those that ship, and `names` those
        beside the index."""
        self.catalogue = catalogue
        self.opened = opened
        self.endpoint = endpoint
        self._encoder = _shipped_encoder() if encoder is None else encoder
        self._ranker = _shipped_ranker() if ranker is None else ranker
        self.names = opened.names if names is None else names
        self._gatherer = Gatherer(opened.index, opened.table) if gatherer is None else gatherer

    @classmethod
    def open(cls, catalogue: Catalogue, folder: Path, *, endpoint: Endpoint | None = None) -> Searcher:
        """Search with the index in `folder`; FalseworkError where there is none, or another encoder's."""
        encoder = _shipped_encoder()
        return cls(catalogue, open_index(folder, encoder=encoder), encoder=encoder, endpoint=endpoint)

    def close(self) -> None:
        """Let go of the index and the endpoint; the catalogue stays open."""
        self.opened.close()
        if self.endpoint is not None:
            self.endpoint.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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
        endpoint = self.endpoint if text.strip() and not offline else None
        deadline = 0.0 if endpoint is None else endpoint.deadline()
        before = None if turn is None else turn.query
        remarks: tuple[str, ...] = ()
        if before is not None and (kids or before.kids):
            before, remarks = self._for_children(before)
        rules = self._by_rules(text, kids, turn, before, remarks)
        passed = turn.passed if turn is not None and rules.understood.step == "others" else ()
        wanted = limit if endpoint is None else max(limit, RERANKED)
        asked = None
        if endpoint is not None and rules.understood.step in ("new", "edited"):
            asked = endpoint.understand(text, names=self.names, previous=before, kids=kids, deadline=deadline)
        # Ranked while the endpoint thinks: where it fails, the offline answer is there already.
        found = self._found(rules, kids, wanted, territory, passed)
        wish = rules
        if asked is not None and endpoint is not None:
            wish = _read(rules, asked, turn, endpoint)
            if kids or wish.understood.query.kids:
                wish = self._unnamed(wish, rules.understood.query)
        if wish.understood.query != rules.understood.query:
            found = self._found(wish, kids, wanted, territory, passed)
        if endpoint is not None and not wish.unheard and len(found.results) > 1:
            wish, found = _reordered(wish, found, endpoint, deadline)
        return self._answer(wish, found, limit, passed, began)

    def find(
        self,
        query: Query,
        *,
        kids: bool = False,
        limit: int = 10,
        territory: str | None = None,
        language: str = "en",
        said: str = "",
    ) -> Answer:
        """Answer a query that is there already: one of an answer before, with a chip taken away. `said`: that
        answer's, where the words still are those of the query; without, they are put together from it."""
        began = time.perf_counter()
        query = query.model_copy(update={"kids": query.kids or kids})
        query, remarks = self._for_children(query) if query.kids else (query, ())
        chips = chips_of(query, language=language)
        wish = _Wish("", Understood(query, chips, language, "edited", remarks=remarks), said=said)
        return self._answer(wish, self._found(wish, kids, limit, territory, ()), limit, (), began)

    def without(self, query: Query, chip: Chip) -> Query:
        """The query less one of its chips."""
        return without(query, chip)

    def explain(self, query: Query, titles: Sequence[Title], wish: str = "") -> Explanation | None:
        """The endpoint's reasons for titles, as they arrive; None where there is no endpoint."""
        if self.endpoint is None or not titles:
            return None
        return self.endpoint.explain(query, titles, wish=wish)

    # --- understanding

    def _by_rules(
        self, text: str, kids: bool, turn: Turn | None, before: Query | None, remarks: tuple[str, ...]
    ) -> _Wish:
        """What was meant, by the rules. `before`: the query of the turn, as it may be named to whoever asks,
        and `remarks` about that."""
        shown = () if turn is None else self._written(turn.shown, kids=kids or turn.query.kids)
        understood = understand(
            text, names=self.names, kids=kids, previous=before, shown=shown, told=self._told
        )
        if understood.step != "new":
            understood = replace(understood, remarks=(*understood.remarks, *remarks))
        return _Wish(text, understood)

    def _unnamed(self, wish: _Wish, typed: Query) -> _Wish:
        """A model's reading that names no title to a child which is not for children, but those `typed`."""
        query, _ = self._for_children(wish.understood.query, {*typed.like, *typed.unlike, *typed.titles})
        chips = chips_of(query, language=wish.understood.language)
        return replace(wish, understood=replace(wish.understood, query=query, chips=chips))

    def _for_children(self, query: Query, typed: Collection[str] = ()) -> tuple[Query, tuple[str, ...]]:
        """A query that names no title to a child which is not for children, but those it has `typed` itself;
        and that it was so."""
        named = (*query.like, *query.unlike, *query.titles)
        known = {name: self.names.title(name, typos=False) for name in named if name not in typed}
        titles = self.catalogue.titles([one.id for one in known.values() if one is not None])
        unfit = {
            name
            for name, one in known.items()
            if one is not None and one.id in titles and not fit_for_children(titles[one.id].rating)
        }
        if not unfit:
            return query, ()
        fields = {
            key: tuple(name for name in getattr(query, key) if name not in unfit)
            for key in ("like", "unlike", "titles")
        }
        return query.model_copy(update=fields), (
            "A title that was named before is not for a children's profile, and was left out.",
        )

    def _told(self, word: str) -> int:
        """In how many titles' texts a word stands."""
        table = self.opened.table
        terms = np.array([term_id(token) for token in tokens(word)], table.vocabulary.dtype)
        return int(table.frequencies(terms).min(initial=table.titles))

    def _written(self, ids: Sequence[str], *, kids: bool) -> tuple[str, ...]:
        """Titles as a query names them, each at its place; "" for what is not there or not for a child."""
        titles = self.catalogue.titles(list(ids))
        return tuple(
            titles[id_].title if id_ in titles and (not kids or fit_for_children(titles[id_].rating)) else ""
            for id_ in ids
        )

    # --- answering

    def _found(
        self, wish: _Wish, kids: bool, wanted: int, territory: str | None, passed: Sequence[str]
    ) -> _Found:
        """Titles for a wish, best first."""
        # Whatever was understood, and by whom: a children's profile stays one.
        understood = wish.understood.query
        query = understood.model_copy(update={"kids": understood.kids or kids})
        conditions = conditions_of(query, territory=territory, at=time.time())
        liked, asked_for = self._named(query.like), self._named(query.titles)
        avoided = {*passed, *(title.id for title in (*liked, *self._named(query.unlike)))}
        wanted = max(1, min(wanted, MOST_RESULTS))
        # A title's name with a slip in it is linked, and its words are nobody's.
        unknown, all_of_it = ((), False) if query.titles else unknown_words(query.text, self._told)
        guessed = all_of_it and query == Query(text=query.text, kids=query.kids)
        if guessed and not any(map(self._encoder.knows, unknown)):
            # By its meaning anything would be found, and nothing would have to do with it.
            return _Found(query, conditions, liked, asked_for, [], unknown, guessed)
        results = self._ranked(wish, query, conditions, asked_for, liked, avoided, wanted)
        return _Found(query, conditions, liked, asked_for, results, unknown, guessed)

    def _answer(self, wish: _Wish, found: _Found, limit: int, passed: Sequence[str], began: float) -> Answer:
        understood, query, conditions = wish.understood, found.query, found.conditions
        limit = max(1, min(limit, MOST_RESULTS))
        # The last word, whatever was done before it: the catalogue's own rating.
        seasons = self._seasons(query, [one.title for one in found.results])
        results = [one for one in found.results if fulfils(one.title, query, conditions, seasons)][:limit]
        reasons = partial(why, query=query, liked=found.liked, language=understood.language)
        results = [replace(one, why=tuple(reasons(one.title))) for one in results]
        missing = (*understood.unknown_titles, *understood.unknown_people)
        notes = (*wish.notes, *self._notes(understood, found))
        return Answer(
            query=query,
            results=tuple(results),
            chips=chips_of(query, language=understood.language),
            language=understood.language,
            answered_by=wish.answered_by,
            not_in_catalogue=missing,
            unknown_words=found.unknown,
            nearest=self._nearest(understood.unknown_titles, query, {one.title.id for one in results}),
            loosen=()
            if results
            else loosenings(
                query,
                conditions,
                self.opened.index,
                self.catalogue.titles,
                seasons=self.catalogue.season_counts if self._counts_seasons(query) else None,
                language=understood.language,
            ),
            notes=tuple(dict.fromkeys(notes)),
            took_ms=(time.perf_counter() - began) * 1000,
            passed=tuple(passed),
            said=self._said(wish, query),
        )

    def _ranked(
        self,
        wish: _Wish,
        query: Query,
        conditions: Conditions,
        asked_for: Sequence[Title],
        liked: Sequence[Title],
        avoided: set[str],
        wanted: int,
    ) -> list[Result]:
        """Titles of the catalogue that fulfil everything, best first; before all those asked for by name."""
        said = self._said(wish, query)
        request = read_request(said, query, self.opened.table, self._encoder)
        # What was gathered under the same conditions is remembered: let them change once a minute.
        minute = conditions.at and conditions.at // MINUTE * MINUTE
        candidates = self._gatherer.gather(request, replace(conditions, at=minute))
        ranked = self._ranker.rank(request, candidates, self.opened.table)
        scores = {one.id: one for one in ranked}
        seasons = self._seasons(query, asked_for)
        best = max((one.score for one in ranked), default=0.0)
        found = {
            title.id: Result(
                title,
                max(best, scores[title.id].score) if title.id in scores else best,
                (),
                scores[title.id].parts if title.id in scores else {},
            )
            for title in asked_for
            if fulfils(title, query, conditions, seasons) and title.id not in avoided
        }
        named = len(found)
        rest = [one for one in ranked if one.id not in found and one.id not in avoided]
        compared = (self.opened.table.moods and (query.moods or liked)) or looks_at_records(query)
        enough = named + (max(wanted, COMPARED) if compared else wanted)
        at = 0
        while at < len(rest) and len(found) < enough:
            batch = rest[at : at + max(enough - len(found), FEWEST)]
            at += len(batch)
            titles = self.catalogue.titles([one.id for one in batch])
            seasons = self._seasons(query, titles.values())
            for one in batch:
                title = titles.get(one.id)
                if title is not None and fulfils(title, query, conditions, seasons):
                    found[one.id] = Result(title, one.score, (), one.parts)
        results = list(found.values())
        ordered = as_recorded(agreed(results[named:], query, liked), query)
        return [*results[:named], *ordered][:wanted]

    def _counts_seasons(self, query: Query) -> bool:
        """Whether titles can be held to a number of seasons: one was said, and any are recorded."""
        return query.seasons is not None and self.catalogue.records_seasons()

    def _seasons(self, query: Query, titles: Iterable[Title]) -> Mapping[str, int] | None:
        """How many seasons titles have, where that was asked for and is recorded."""
        if not self._counts_seasons(query):
            return None
        return self.catalogue.season_counts([title.id for title in titles])

    def _said(self, wish: _Wish, query: Query) -> str:
        """The wish in English words: as typed where that is a whole wish in English, else from the query."""
        if wish.said:
            return wish.said
        understood = wish.understood
        read = search_words(query) or " ".join(query.like)
        if understood.step != "new" or understood.language != "en" or not wish.text.strip():
            return read
        return wish.text if wish.answered_by == OFFLINE else f"{wish.text} {read}"

    # --- what else there is to say

    def _named(self, names: Iterable[str]) -> list[Title]:
        """The records of titles as a query names them; what is not there is left out."""
        linked = [self.names.title(name, typos=False) for name in names]
        ids = list(dict.fromkeys(one.id for one in linked if one is not None))
        return list(self.catalogue.titles(ids).values()) if ids else []

    def _nearest(self, unknown: Sequence[str], query: Query, shown: set[str]) -> tuple[Title, ...]:
        """Titles whose names come near those that are not there; for a child only what is fit for one."""
        looked_at = NEAREST_FOR_CHILDREN if query.kids else 2 * NEAREST
        near = [one for name in unknown for one in self.names.nearest(name, limit=looked_at)]
        near.sort(key=lambda one: -one.likeness)
        ids = list(dict.fromkeys(one.id for one in near if one.likeness >= LIKELY and one.id not in shown))
        titles = self.catalogue.titles(ids[:looked_at]) if ids else {}
        fit = [one for one in titles.values() if not query.kids or fit_for_children(one.rating)]
        return tuple(fit[:NEAREST])

    def _notes(self, understood: Understood, found: _Found) -> Iterable[str]:
        query = found.query
        if found.unknown:
            words = " or ".join(f"“{word}”" for word in found.unknown)
            guess = " What was found is a guess." if found.guessed and found.results else ""
            yield f"No title and no text of the catalogue has {words}.{guess}"
        yield from understood.remarks
        if understood.left_out:
            yield f"The last {understood.left_out:,} characters were not read: a wish has at most 2,000."
        if query.seasons is not None and not self._counts_seasons(query):
            yield "The catalogue records no seasons: their number was not used."
        seasons = self._seasons(query, found.asked_for)
        for title in found.asked_for:
            if query.kids and not fit_for_children(title.rating):
                yield f"“{title.title}” is not for a children's profile."
            elif not fulfils(title, query, found.conditions, seasons):
                yield f"“{title.title}” is in the catalogue, but does not meet the other conditions."


def _read(rules: _Wish, asked: Asked[Query], turn: Turn | None, endpoint: Endpoint) -> _Wish:
    """The wish as the endpoint has read it; as the rules have, with a note, where it has not."""
    heard = asked.heard()
    if heard.value is None:
        return replace(rules, notes=heard.notes, unheard=True)
    # "For my little son" is a children's filter whatever a model makes of it; its chip can be taken away.
    query = heard.value.model_copy(update={"kids": heard.value.kids or rules.understood.query.kids})
    understood = replace(
        rules.understood,
        query=query,
        chips=chips_of(query, language=rules.understood.language),
        step="new" if turn is None else "edited",
        remarks=(),  # what the rules did not use, the endpoint may have
    )
    return replace(rules, understood=understood, answered_by=_by(endpoint), notes=heard.notes)


def _reordered(wish: _Wish, found: _Found, endpoint: Endpoint, deadline: float) -> tuple[_Wish, _Found]:
    """The same results in the endpoint's order; in their own with a note where it gave none."""
    titles = [one.title for one in found.results]
    heard = endpoint.rerank(found.query, titles, wish=wish.text, deadline=deadline).heard()
    notes = (*wish.notes, *heard.notes)
    if heard.value is None:
        return replace(wish, notes=notes), found
    by_id = {one.title.id: one for one in found.results}
    order = [by_id.pop(id_) for id_ in heard.value if id_ in by_id]
    # Scores fall with the order that is shown: an order without its scores would look like an error.
    scores = sorted((one.score for one in found.results), reverse=True)
    together = [*order, *by_id.values()]
    results = [replace(one, score=score) for one, score in zip(together, scores, strict=True)]
    return replace(wish, answered_by=_by(endpoint), notes=notes), replace(found, results=results)


def _by(endpoint: Endpoint) -> str:
    return f"endpoint {endpoint.model}"


def _shipped_encoder() -> Encodes:
    from falsework.search.encoder import Encoder

    return Encoder.load()


def _shipped_ranker() -> Ranks:
    from falsework.search.ranking.reranker import Reranker

    return Reranker.load()
