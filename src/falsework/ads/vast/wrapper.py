"""Wrapper chains followed to their creatives: at most five wrappers, one deadline, public addresses only.

Nothing here opens a connection: the fetcher is given, and told the address it has to connect to. It must not
follow redirects by itself, nor read on past `LARGEST` bytes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urljoin

import msgspec
from msgspec.structs import replace

from falsework.ads.vast import addresses
from falsework.ads.vast.addresses import Resolve, Target, is_public
from falsework.ads.vast.markup import LARGEST
from falsework.ads.vast.partner import Answer, PartnerAd, read
from falsework.errors import FalseworkError

__all__ = ["LARGEST", "Fetch", "Fetched", "unwrap"]

MOST_WRAPPERS = 5
MOST_REDIRECTS = 3  # on the way to one document
MOST_FETCHED = 16  # documents for one answer, whatever the shape of its tree
REDIRECTS = frozenset({301, 302, 303, 307, 308})
LATE = "The break is filled without it."


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What a server answered. `location`: where a redirect leads."""

    status: int
    body: bytes = b""
    location: str = ""


Fetch = Callable[[Target, float], Awaitable[Fetched]]


async def unwrap(
    answer: Answer,
    *,
    fetch: Fetch,
    deadline: float,
    resolve: Resolve = addresses.resolve,
    permitted: Callable[[str], bool] = is_public,
) -> tuple[PartnerAd, ...]:
    """The advertisements of an answer with their creatives, and with the trackers of all wrappers around.

    `deadline` by `time.monotonic()`; `fetch` gets the seconds that are left. An advertisement that cannot be
    had is left out, and its faults cost no other one. Raises `FalseworkError` where there were some and none
    could be had, with the first fault.
    """
    chain = _Chain(fetch, deadline, resolve, permitted)
    found: list[PartnerAd] = []
    for ad in answer.ads:
        found += await chain.creatives(ad)
    if not found and chain.faults:
        raise chain.faults[0]
    return tuple(found)


class _Chain:
    def __init__(
        self, fetch: Fetch, deadline: float, resolve: Resolve, permitted: Callable[[str], bool]
    ) -> None:
        self._fetch, self._deadline = fetch, deadline
        self._resolve, self._permitted = resolve, permitted
        self._fetched = 0
        self.faults: list[FalseworkError] = []

    async def creatives(self, ad: PartnerAd, wrappers: int = 0) -> list[PartnerAd]:
        if not ad.wrapper:
            return [ad] if ad.creatives else []
        try:
            if wrappers >= MOST_WRAPPERS:
                raise _refused(f"is more than {MOST_WRAPPERS} wrappers deep", ad.wrapper)
            inner = read(await self._document(ad.wrapper), where=ad.wrapper[:200])
        except FalseworkError as error:
            self.faults.append(error)
            return []
        found: list[PartnerAd] = []
        for one in inner.ads:
            if one.wrapper and not ad.follow:
                self.faults.append(_refused("leads to a wrapper, which its own wrapper forbids", ad.wrapper))
                continue
            found += await self.creatives(_around(ad, one), wrappers + 1)
            if ad.single and found:
                break
        return found

    async def _document(self, url: str) -> bytes:
        first = url
        for _ in range(1 + MOST_REDIRECTS):
            self._fetched += 1
            if self._fetched > MOST_FETCHED:
                raise _refused(f"would be one of more than {MOST_FETCHED} documents", url)
            fetched = await self._one(url)
            if fetched.status in REDIRECTS and fetched.location:
                url = _joined(url, fetched.location)
                continue
            if fetched.status != 200:
                raise _refused(f"answered with status {fetched.status}", url)
            return fetched.body
        raise _refused(f"redirects more than {MOST_REDIRECTS} times", first)

    async def _one(self, url: str) -> Fetched:
        try:
            async with asyncio.timeout(self._left(url)):
                target = await addresses.target(url, resolve=self._resolve, permitted=self._permitted)
                return await self._fetch(target, self._left(url))
        except (TimeoutError, OSError) as error:
            said = "did not answer in time" if isinstance(error, TimeoutError) else "could not be reached"
            raise _refused(said, url) from error

    def _left(self, url: str) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise _refused("was not asked any more, for the time was up", url)
        return left


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise _refused("redirects to what is no address", url) from error


def _around(outer: PartnerAd, inner: PartnerAd) -> PartnerAd:
    """An advertisement with what the wrapper around it wants called as well."""
    impressions = outer.impressions + inner.impressions
    return replace(
        inner,
        sequence=outer.sequence or inner.sequence,
        impressions=impressions,
        creatives=tuple(replace(one, impressions=impressions) for one in inner.creatives),
        errors=outer.errors + inner.errors,
        trackers=outer.trackers + inner.trackers,
        clicks=outer.clicks + inner.clicks,
        blocked_categories=outer.blocked_categories + inner.blocked_categories,
    )


def _refused(what: str, url: str) -> FalseworkError:
    return FalseworkError(f"{url[:200]} {what}", where="VAST wrapper", todo=LATE)
