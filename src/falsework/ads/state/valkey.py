"""State on a Valkey or Redis server, for workers on several machines.

Each call is one script that the server runs whole: an event and what it counts go in together or not at all,
and no two workers lease the same money. Everything has a time to live, except what was spent. Keys share one
hash tag, so that a cluster keeps them on one node, where a script may touch them all.

The server is as durable as it is set up to be: `appendonly yes` with `appendfsync always` keeps every event
that was acknowledged. With `everysec` a kill or a loss of power may take the last two seconds. Times are the
callers': their clocks must agree to well within the length of a lease.

An answer that does not come within `timeout` is an error, and nobody knows whether the call was heard. An
event may then be sent again: it counts once. A lease that was not heard of ends by itself.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from falsework.ads.state.protocol import Event, Lease
from falsework.errors import FalseworkError

__all__ = ["PASSWORD", "SCHEMES", "ValkeyState"]

PASSWORD = "FALSEWORK_STATE_PASSWORD"  # the variable of the environment, where the URL has none
SCHEMES = {"redis": "redis", "valkey": "redis", "rediss": "rediss", "valkeys": "rediss", "unix": "unix"}
PREFIX = "{falsework}"
TIMEOUT = 0.05  # seconds
KEPT_SECONDS = 35 * 86_400  # of history: longer than the longest cap
MARK = 16  # bytes before a counter's name that keep two impressions apart
NO_ADDRESS = "is no address of a Valkey or Redis server"
ADDRESSES = "Give valkey://HOST:PORT/0 or unix:///PATH/OF/SOCKET."
REMEMBERED_SECONDS = 86_400  # of identities: longer than a beacon is good for

# For each event: identity, cost, line item, time, mark of the impression, who it is counted for, counters.
# Scores go through as text, so that a time comes back as it went in.
RECORD = """
local fresh = {}
for number, event in ipairs(cmsgpack.unpack(ARGV[1])) do
  local identity, cost, item, at, oldest, mark, whos, counters = unpack(event)
  local new = redis.call('SET', KEYS[1] .. ':seen:' .. identity, '', 'NX', 'EX', ARGV[2])
  fresh[number] = new and 1 or 0
  if new then
    if cost ~= '0' then redis.call('INCRBY', KEYS[1] .. ':spent:' .. item, cost) end
    for _, who in ipairs(whos) do
      local key = KEYS[1] .. ':history:' .. who
      for _, counter in ipairs(counters) do redis.call('ZADD', key, at, mark .. counter) end
      redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. oldest)
      redis.call('EXPIRE', key, ARGV[3])
    end
  end
end
return fresh
"""

# Members are "identifier:amount", scored by when they end.
LEASE = """
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])
local leased = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  leased = leased + tonumber(string.match(member, ':(%d+)$'))
end
local left = tonumber(ARGV[2]) - tonumber(redis.call('GET', KEYS[1]) or '0') - leased
if left <= 0 then return '0' end
local amount = string.format('%.0f', math.min(left, tonumber(ARGV[3])))
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[5] .. ':' .. amount)
redis.call('EXPIRE', KEYS[2], ARGV[6])
return amount
"""


class ValkeyState:
    """See `falsework.ads.state.protocol.State`. Raises `FalseworkError` wherever the server does not answer
    in time: what to do then is the caller's decision."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT, prefix: str = PREFIX) -> None:
        """`url`: redis://, valkey://, rediss:// or valkeys:// (TLS) with [USER:PASSWORD@]HOST[:PORT][/DB], or
        unix://PATH. A password is better kept in the environment (`FALSEWORK_STATE_PASSWORD`); it appears in
        no message. `timeout` seconds for a connection, and for an answer."""
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ModuleNotFoundError as error:
            raise FalseworkError(
                "the library for Valkey and Redis is missing",
                todo="Install it with `pip install 'falsework[ads]'`.",
            ) from error
        parts = _parts(url)
        # Where the server is, and nothing else of its URL.
        self._where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._prefix, self._fault = prefix, redis.RedisError
        options: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        if parts.scheme == "unix":
            options.pop("socket_connect_timeout")
        if not parts.password and os.environ.get(PASSWORD):
            options["password"] = os.environ[PASSWORD]
        try:
            plain = SCHEMES[parts.scheme] + url[len(parts.scheme) :]
            # No retries: a call that is late is an error, and the caller has a deadline of its own.
            self._client: Any = redis.Redis.from_url(plain, retry=Retry(NoBackoff(), 0), **options)
        except (KeyError, ValueError):  # whose text may repeat the password
            raise FalseworkError(NO_ADDRESS, where=self._where, todo=ADDRESSES) from None
        self._record = self._client.register_script(RECORD)
        self._lease = self._client.register_script(LEASE)
        told = self._answer(lambda: self._client.info("persistence"))
        if not int(told.get("aof_enabled", 1)):
            logging.getLogger(__name__).warning(
                "%s keeps no append-only file: a restart of it loses counts and budgets", self._where
            )

    def record(self, events: Sequence[Event]) -> list[bool]:
        if not events:
            return []
        packed = msgspec.msgpack.encode([_for_script(event) for event in events])
        fresh = self._answer(
            lambda: self._record(keys=[self._prefix], args=[packed, REMEMBERED_SECONDS, KEPT_SECONDS])
        )
        return [bool(one) for one in fresh]

    def history(self, who: str) -> Mapping[str, Sequence[float]]:
        key = f"{self._prefix}:history:{_digest(who)}"
        found: dict[str, list[float]] = {}
        for member, at in self._answer(lambda: self._client.zrange(key, 0, -1, withscores=True)):
            counter = member[MARK:].decode()
            found.setdefault(counter, []).append(float(at))
        return found

    def lease(self, line_item: str, amount: int, *, budget: int, now: float, seconds: float) -> Lease | None:
        identifier, ends = secrets.token_hex(8), now + seconds
        keys = [self._spent_key(line_item), self._leases_key(line_item)]
        args: list[str | int] = [
            repr(now),
            budget,
            amount,
            repr(ends),
            identifier,
            int(seconds) + KEPT_SECONDS,
        ]
        given = int(self._answer(lambda: self._lease(keys=keys, args=args)))
        return Lease(id=identifier, line_item=line_item, amount=given, expires=ends) if given else None

    def give_back(self, lease: Lease) -> None:
        key = self._leases_key(lease.line_item)
        self._answer(lambda: self._client.zrem(key, f"{lease.id}:{lease.amount}"))

    def spent(self, line_items: Sequence[str]) -> Mapping[str, int]:
        if not line_items:
            return {}
        values = self._answer(lambda: self._client.mget([self._spent_key(item) for item in line_items]))
        return {item: int(value or 0) for item, value in zip(line_items, values, strict=True)}

    def outstanding(self, line_items: Sequence[str], now: float) -> Mapping[str, int]:
        def ask() -> Any:
            pipeline = self._client.pipeline(transaction=False)
            for item in line_items:
                pipeline.zrangebyscore(self._leases_key(item), f"({now!r}", "+inf")
            return pipeline.execute()

        held = [sum(int(member.rpartition(b":")[2]) for member in members) for members in self._answer(ask)]
        return dict(zip(line_items, held, strict=True))

    def close(self) -> None:
        self._client.close()

    def _spent_key(self, line_item: str) -> str:
        return f"{self._prefix}:spent:{_digest(line_item)}"

    def _leases_key(self, line_item: str) -> str:
        return f"{self._prefix}:leases:{_digest(line_item)}"

    def _answer(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except self._fault as error:
            raise FalseworkError(
                f"the state's server does not answer as it should ({type(error).__name__})",
                where=self._where,
                todo="Check that it runs, is reachable and takes the password; nothing was lost that was "
                "acknowledged.",
            ) from None


def _for_script(event: Event) -> tuple[Any, ...]:
    impression = event.kind == "impression"
    whos = [_digest(who) for who in dict.fromkeys((event.stream, event.viewer)) if who and impression]
    return (
        _digest(event.stream, event.served, event.kind),
        str(event.cost),
        _digest(event.line_item),
        repr(event.at),
        repr(event.at - KEPT_SECONDS),
        _digest(event.stream, event.served)[:MARK],
        whos,
        event.counters,
    )


def _digest(*parts: str) -> str:
    """Names of any length and from anybody, as a key's part; lengths keep ("a", "bc") and ("ab", "c")
    apart."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise FalseworkError(NO_ADDRESS, where="state", todo=ADDRESSES) from None
