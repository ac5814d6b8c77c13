"""What the endpoint has cost today, in one small file that several processes write."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from falsework.search.endpoint.errors import EndpointError
from falsework.search.endpoint.settings import Allowance
from falsework.search.endpoint.wire import Usage

__all__ = ["Estimate", "Reservation", "Spending", "tokens_in"]

BYTES_A_TOKEN = 3  # English has about 4, other scripts and identifiers fewer: estimates should lie above
NANO = 1_000_000_000  # money is summed in whole billionths, so that a day of small sums does not drift
WAIT = 1.0  # seconds for another process's write
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS spent (day TEXT PRIMARY KEY, tokens INTEGER NOT NULL, nano INTEGER NOT NULL)"
)


def tokens_in(text: str) -> int:
    """How many tokens a text may have, rather too many than too few; no tokenizer fits every endpoint."""
    return math.ceil(len(text.encode("utf-8", "replace")) / BYTES_A_TOKEN)


@dataclass(frozen=True)
class Estimate:
    """Tokens a request may use: its prompt's, and the most the model may answer with."""

    prompt: int
    completion: int = 0
    embedding: bool = False


class Reservation:
    """A request's part of the day, taken before it is sent. Left as it is, it stands: what was not heard of
    may have been billed."""

    def __init__(self, spending: Spending, day: str, tokens: int, nano: int, embedding: bool) -> None:
        self._spending = spending
        self._day = day
        self._held = (tokens, nano)
        self._embedding = embedding

    def settle(self, usage: Usage | None) -> None:
        """The estimate gives way to what the server counted; without a count it stands."""
        if usage is not None:
            used = Estimate(usage.prompt_tokens, usage.completion_tokens, self._embedding)
            self._replace(*self._spending.cost(used))

    def release(self) -> None:
        """Nothing was used."""
        self._replace(0, 0)

    def _replace(self, tokens: int, nano: int) -> None:
        held_tokens, held_nano = self._held
        self._held = (tokens, nano)
        self._spending.add(self._day, tokens - held_tokens, nano - held_nano)


class Spending:
    """The day's sums under an allowance. Safe for several threads and processes: each change is a
    transaction.

    A file that cannot be read or written is an EndpointError: without counting nothing is sent.
    """

    def __init__(
        self, path: Path, allowance: Allowance, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._path = path
        self._allowance = allowance
        self._now = now

    def cost(self, estimate: Estimate) -> tuple[int, int]:
        """(tokens, billionths of the prices' money) of an estimate, or of what was used."""
        prices = self._allowance
        prompt = prices.embedding_price if estimate.embedding else prices.prompt_price
        money = estimate.prompt * prompt + estimate.completion * prices.completion_price
        return estimate.prompt + estimate.completion, math.ceil(money * NANO / 1_000_000)

    def reserve(self, estimate: Estimate) -> Reservation:
        """Take a request's part of the day; an EndpointError where request or day would go over."""
        tokens, nano = self.cost(estimate)
        allowance = self._allowance
        if tokens > allowance.request_tokens or _over(nano, allowance.request_money):
            raise EndpointError(
                "was not asked: the request is over its budget", charge="nothing", trips=False
            )
        day = self._now().date().isoformat()
        with self._writing() as connection:
            spent_tokens, spent_nano = self._spent(connection, day)
            if spent_tokens + tokens > allowance.day_tokens or _over(spent_nano + nano, allowance.day_money):
                raise EndpointError("was not asked: the day's budget is spent", charge="nothing", trips=False)
            self._add(connection, day, tokens, nano)
        return Reservation(self, day, tokens, nano, estimate.embedding)

    def spent(self) -> tuple[int, float]:
        """(tokens, money) of today so far, what is under way included."""
        with self._writing() as connection:
            tokens, nano = self._spent(connection, self._now().date().isoformat())
        return tokens, nano / NANO

    def add(self, day: str, tokens: int, nano: int) -> None:
        with self._writing() as connection:
            self._add(connection, day, tokens, nano)

    @staticmethod
    def _spent(connection: sqlite3.Connection, day: str) -> tuple[int, int]:
        row = connection.execute("SELECT tokens, nano FROM spent WHERE day = ?", (day,)).fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    @staticmethod
    def _add(connection: sqlite3.Connection, day: str, tokens: int, nano: int) -> None:
        connection.execute(
            "INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT (day) DO UPDATE SET "
            "tokens = tokens + excluded.tokens, nano = nano + excluded.nano",
            (day, tokens, nano),
        )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the file from its first read on, so that two processes cannot both find
        the last of the day's budget."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=WAIT, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    connection.execute(SCHEMA)
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
        except (OSError, sqlite3.Error):
            raise EndpointError(
                "was not asked: what it costs cannot be written down", charge="nothing", trips=False
            ) from None


def _over(nano: int, limit: float | None) -> bool:
    return limit is not None and nano > limit * NANO
