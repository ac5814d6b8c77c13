"""Partners' wrappers, for players that follow none.

A creative that is a partner's VAST is handed on as it is to a player that lists wrappers among its protocols,
or lists no protocols. For one that lists only VAST without wrappers it is followed here, within what is left
of the deadline; where that does not lead to something the slot takes, the house's own stands in its place.
Of the viewer a partner is told nothing, and asked is only where the viewer allows it: that is a filter.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from falsework.ads.campaigns.book import Row
from falsework.ads.decision.engine import Chosen, Decision
from falsework.ads.decision.filters import Unsuitable
from falsework.ads.decision.forms import SLACK, WRAPPERS, fits
from falsework.ads.opportunity import Break, Slot
from falsework.ads.records import Creative
from falsework.ads.taxonomy.mapping import placed
from falsework.ads.taxonomy.taxonomies import products
from falsework.ads.vast import addresses, fetching
from falsework.ads.vast.addresses import Resolve, is_public
from falsework.ads.vast.partner import Answer, PartnerAd
from falsework.ads.vast.wrapper import Fetch, unwrap
from falsework.errors import FalseworkError

__all__ = ["Followed", "Partners", "to_follow"]

MACRO = re.compile(r"\[([A-Z_]+)\]")
UNKNOWN = "-1"  # VAST 4.1's value of a macro that nobody can fill in


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """`chosen` as they are now; `failed` (served) are those that led nowhere, and `notes` why."""

    chosen: tuple[Chosen, ...]
    failed: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def to_follow(decision: Decision) -> tuple[Chosen, ...]:
    """What the player could not follow by itself."""
    return tuple(one for one in decision.chosen if one.row.creative.wrapper and _unread(decision.asked, one))


def _unread(asked: Break, chosen: Chosen) -> bool:
    slot = asked.slot(chosen.slot)
    return slot is not None and bool(slot.protocols) and WRAPPERS.isdisjoint(slot.protocols)


class Partners:
    """`permitted` says which addresses may be asked at all; all others are refused before any connection.
    `unsuitable` names the products that may not stand beside a scene: a partner's may be another than was
    booked."""

    def __init__(
        self,
        *,
        fetch: Fetch = fetching.fetch,
        resolve: Resolve = addresses.resolve,
        permitted: Callable[[str], bool] = is_public,
        unsuitable: Unsuitable = lambda scene: frozenset(),
    ) -> None:
        self._fetch, self._resolve, self._permitted = fetch, resolve, permitted
        self._unsuitable = unsuitable

    async def follow(self, decision: Decision, seconds: float) -> Followed:
        """All at once, and none longer than `seconds`. Raises nothing: what fails is told."""
        wanted = to_follow(decision)
        deadline = time.monotonic() + seconds
        found = await asyncio.gather(*(self._one(decision.asked, one, deadline) for one in wanted))
        by_served = dict(zip((one.served for one in wanted), found, strict=True))
        failed = {served: what for served, what in by_served.items() if isinstance(what, str)}
        rows = {served: row for served, row in by_served.items() if isinstance(row, Row)}
        return Followed(
            chosen=tuple(
                msgspec.structs.replace(one, row=rows[one.served]) if one.served in rows else one
                for one in decision.chosen
            ),
            failed=frozenset(failed),
            notes=tuple(
                f"{one.row.line_item.id}: {failed[one.served]}" for one in wanted if one.served in failed
            ),
        )

    async def _one(self, asked: Break, chosen: Chosen, deadline: float) -> Row | str:
        """The row with what the partner has, or why there is none."""
        first = Answer(version="4.2", ads=(PartnerAd(wrapper=_filled(chosen.row.creative.wrapper)),))
        try:
            ads = await unwrap(
                first,
                fetch=self._fetch,
                deadline=deadline,
                resolve=self._resolve,
                permitted=self._permitted,
            )
        except FalseworkError as error:
            return error.what
        except Exception as error:  # whatever a partner does, the break is filled
            return f"the partner's answer could not be used ({type(error).__name__})"
        slot = asked.slot(chosen.slot) or Slot(id=chosen.slot)
        if not ads:
            return "the partner has no advertisement"
        kept_away = products().with_all_below(asked.blocked_categories) | self._unsuitable(asked.scene)
        return next(_suitable(chosen.row, ads, slot, kept_away), None) or (
            "what the partner has fits neither the slot nor what is booked, or may not stand there"
        )


def _suitable(row: Row, ads: Sequence[PartnerAd], slot: Slot, kept_away: Collection[str]) -> Iterator[Row]:
    """Rows of what a partner has that fit the slot, the time set aside for it, and what may be shown."""
    for ad in ads:
        if any(one in kept_away for one in placed(None, ad.categories).products):
            continue
        for creative in ad.creatives:
            candidate = replace(row, creative=_merged(row.creative, ad, creative))
            lasts = creative.duration <= row.creative.duration + SLACK
            if lasts and bool(creative.duration) == bool(row.creative.duration) and fits(candidate, slot):
                yield candidate


def _merged(own: Creative, ad: PartnerAd, found: Creative) -> Creative:
    """A partner's creative under our name, so that caps and reports count it as what was booked."""
    return msgspec.structs.replace(
        found,
        id=own.id,
        title=own.title or found.title,
        impressions=own.impressions + ad.impressions,
        trackers=own.trackers + ad.trackers,
        clicks=own.clicks + ad.clicks,
        errors=own.errors + ad.errors,
        attributes=own.attributes,
        language=own.language,
        text=own.text,
        caps=own.caps,
    )


def _filled(url: str) -> str:
    """VAST's macros, which the player would have filled in; nothing of the player is known here."""
    known = {
        "CACHEBUSTING": f"{secrets.randbelow(10**8):08d}",
        "TIMESTAMP": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    return MACRO.sub(lambda found: known.get(found[1], UNKNOWN), url)
