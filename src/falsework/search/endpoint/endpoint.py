"""The endpoint as search sees it: ask, work offline meanwhile, and hear what came of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

from falsework.catalogue.records import Title
from falsework.search.endpoint.answers import Answers, key_of, normalised
from falsework.search.endpoint.breaker import Breaker
from falsework.search.endpoint.client import Client, Prompt, outcome_of
from falsework.search.endpoint.embedding import EndpointEncoder
from falsework.search.endpoint.errors import EndpointError
from falsework.search.endpoint.explaining import Claim, claims_in, explaining_prompt
from falsework.search.endpoint.material import plain
from falsework.search.endpoint.reranking import order_in, reranking_prompt
from falsework.search.endpoint.settings import EndpointSettings, read_settings
from falsework.search.endpoint.spending import Spending
from falsework.search.endpoint.understanding import (
    query_in,
    understanding_prompt,
    vocabulary_version,
)
from falsework.search.query import LONGEST_TEXT, Query
from falsework.search.understanding.names import Names

__all__ = ["Asked", "Endpoint", "Explanation", "Heard"]

T = TypeVar("T")
Checked = tuple[T, tuple[str, ...]]


@dataclass(frozen=True)
class Heard(Generic[T]):
    """What came of asking: a checked `value`, or None where the offline answer stands; `notes` say why, and
    what of the endpoint's answer was left out. `kept`: it is an earlier answer to the same question."""

    value: T | None
    notes: tuple[str, ...] = ()
    kept: bool = False


class Asked(Generic[T]):
    """A question under way. Whoever asked computes the offline answer before hearing this one."""

    def __init__(self, hear: Callable[[], Heard[T]]) -> None:
        self._hear = hear
        self._heard: Heard[T] | None = None

    def heard(self) -> Heard[T]:
        """The outcome, at the latest at the deadline. Never raises."""
        if self._heard is None:
            self._heard = self._hear()
        return self._heard


class Explanation:
    """Claims as they arrive, once. When they have ended, `notes` say what went wrong, if anything did; the
    claims so far hold, and titles without one keep their offline reasons."""

    def __init__(self, claims: Iterator[Claim]) -> None:
        self._claims = claims
        self.notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Claim]:
        try:
            yield from self._claims
        except EndpointError as error:
            self.notes = (_note(error),)


class Endpoint:
    """A language model that understands wishes, orders candidates and points at reasons.

    Safe for several threads. `host` and `model` are all of its address that is shown.
    """

    def __init__(self, settings: EndpointSettings) -> None:
        self._settings = settings
        self._spending = Spending(settings.folder / "spending.sqlite", settings.allowance)
        self._answers = Answers(settings.folder / "answers.sqlite", settings.cache)
        self._breaker = Breaker(settings.patience.failures, settings.patience.rest)
        self._client = Client(settings, self._spending, self._breaker)
        self.host = settings.host
        self.model = settings.model

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self | None:
        """The endpoint that is configured, or None. A FalseworkError where its settings cannot be used."""
        settings = read_settings(environment)
        return None if settings is None else cls(settings)

    def deadline(self) -> float:
        """The moment (of time.monotonic) until which a search that begins now waits, for all that it asks."""
        with suppress(EndpointError):  # said when it is asked
            self._client.prepare()
        return time.monotonic() + self._settings.patience.total

    def understand(
        self,
        wish: str,
        *,
        names: Names,
        previous: Query | None = None,
        kids: bool = False,
        deadline: float | None = None,
    ) -> Asked[Query]:
        """The query in a wish. `kids`: the profile is a child's, whatever the model says."""
        if not plain(wish, LONGEST_TEXT):
            return _known(None)
        prompt = understanding_prompt(wish, previous=previous, kids=kids)
        key = self._key(
            prompt,
            wish=normalised(wish),
            previous=previous.model_dump(mode="json") if previous else None,
            kids=kids,
            vocabulary=vocabulary_version(),
        )

        def check(answer: str) -> Checked[Query]:
            return query_in(answer, wish=wish, previous=previous, kids=kids, names=names)

        return self._ask(prompt, key, check, deadline)

    def rerank(
        self, query: Query, candidates: Sequence[Title], *, wish: str = "", deadline: float | None = None
    ) -> Asked[tuple[str, ...]]:
        """The ids of all candidates, best first. `candidates` are in the offline order."""
        if len(candidates) < 2:
            return _known(tuple(title.id for title in candidates))
        prompt = reranking_prompt(query, wish, candidates)
        key = self._key(prompt, material=prompt.material)

        def check(answer: str) -> Checked[tuple[str, ...]]:
            return order_in(answer, candidates)

        return self._ask(prompt, key, check, deadline)

    def explain(
        self, query: Query, titles: Sequence[Title], *, wish: str = "", deadline: float | None = None
    ) -> Explanation:
        """Why the titles answer, claim by claim."""
        if not titles:
            return Explanation(iter(()))
        prompt = explaining_prompt(query, wish, titles)
        key = self._key(prompt, material=prompt.material)
        kept = self._answers.get(key)
        until = self.deadline() if deadline is None else deadline
        pieces = self._pieces(prompt, key, until) if kept is None else iter((kept,))
        return Explanation(claims_in(pieces, titles, wish))

    def encoder(self) -> EndpointEncoder | None:
        """The endpoint's encoder, where one is configured."""
        return EndpointEncoder(self._client, self._settings) if self._settings.embedding_model else None

    def spent_today(self) -> tuple[int, float]:
        """(tokens, money), what is under way included."""
        return self._spending.spent()

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pieces(self, prompt: Prompt, key: str, deadline: float) -> Iterator[str]:
        heard: list[str] = []
        for piece in self._client.stream(prompt, deadline):
            heard.append(piece)
            yield piece
        self._answers.put(key, "".join(heard))

    def _key(self, prompt: Prompt, **parts: object) -> str:
        return key_of(
            url=self._settings.base_url,
            model=self.model,
            instructions=prompt.instructions,
            schema=prompt.schema,
            parts=parts,
        )

    def _ask(
        self, prompt: Prompt, key: str, check: Callable[[str], Checked[T]], deadline: float | None
    ) -> Asked[T]:
        until = self.deadline() if deadline is None else deadline
        kept = self._answers.get(key)
        if kept is not None:
            try:
                value, notes = check(kept)
            except EndpointError:
                self._answers.forget(
                    key
                )  # what was right for an earlier catalogue may be nothing for this one
            else:
                earlier = Heard(value, notes, kept=True)
                return Asked(lambda: earlier)
        running = self._client.answer(prompt, until)
        return Asked(lambda: self._heard(running, key, check, until))

    def _heard(
        self, running: Future[str], key: str, check: Callable[[str], Checked[T]], deadline: float
    ) -> Heard[T]:
        try:
            answer = outcome_of(running, deadline)
        except EndpointError as error:
            return Heard(None, (_note(error),))
        try:
            value, notes = check(answer)
        except EndpointError as error:
            if error.trips:
                self._breaker.failed()
            return Heard(None, (_note(error),))
        self._breaker.answered()
        self._answers.put(key, answer)
        return Heard(value, notes)


def _known(value: T | None) -> Asked[T]:
    """The outcome of a question that need not be asked."""
    heard = Heard(value)
    return Asked(lambda: heard)


def _note(error: EndpointError) -> str:
    return f"The endpoint {error.why}; this is the offline answer"
