"""What is wrong with a campaign: what a decision could not do with it, or should not."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from falsework.ads.openrtb.places import alpha_2
from falsework.ads.records import Campaign, Cap, Creative, LineItem
from falsework.ads.taxonomy.taxonomies import products
from falsework.ads.vast.text import web_address

__all__ = ["faults"]

GOALS = ("even", "fast")
CURRENCY = re.compile("[A-Z]{3}")
DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.(?!-)[a-z0-9-]{1,63})+")
LONGEST_CREATIVE = 1_800.0  # seconds
MOST = 1 << 53  # micros, beyond which other languages' numbers are not exact


def faults(campaign: Campaign) -> Iterator[str]:
    """In words, the first first."""
    if not campaign.id or not campaign.advertiser:
        yield "needs an id and an advertiser"
    if not DOMAIN.fullmatch(campaign.domain):
        yield f'domain "{campaign.domain}" is none, in lower case and without a path'
    flight = campaign.flight
    if not (math.isfinite(flight.starts) and math.isfinite(flight.ends) and flight.starts < flight.ends):
        yield "its flight ends before it starts"
    if not CURRENCY.fullmatch(campaign.currency):
        yield f'currency "{campaign.currency}" is no code of ISO 4217'
    yield from _caps((*campaign.caps, *campaign.advertiser_caps), "campaign")
    if not campaign.line_items:
        yield "has no line items"
    for item in campaign.line_items:
        yield from (f'line item "{item.id}": {what}' for what in _line_item(item, campaign))


def _line_item(item: LineItem, campaign: Campaign) -> Iterator[str]:
    if not item.id:
        yield "needs an id"
    if item.campaign != campaign.id:
        yield f'says campaign "{item.campaign}"'
    if not 0 <= item.price <= MOST or not 0 <= item.budget <= MOST:
        yield "has a price or a budget that is none"
    if not item.house and not (item.price and item.budget):
        yield "is no house advertisement, and has no price or no budget"
    if item.house and (item.price or item.budget or item.caps):
        yield "is a house advertisement, which has no price, budget or caps"
    if item.goal not in GOALS:
        yield f'goal is "{item.goal}", neither even nor fast'
    unknown = [one for one in item.categories if one not in products().names]
    if unknown:
        yield f"category {unknown[0]} is not in Ad Product Taxonomy 2.0"
    if not item.house and not item.categories:
        yield "has no category, so nobody can tell what it may not stand beside"
    strange = [one for one in item.targeting.countries if alpha_2(one) != one]
    if strange:
        yield f'country "{strange[0]}" is no code of ISO 3166-1 (two letters, upper case)'
    if any(vendor <= 0 for vendor in item.vendors):
        yield "a vendor's id is above 0"
    yield from _caps(item.caps, "line item")
    if not item.creatives:
        yield "has no creative"
    seen: set[str] = set()
    for creative in item.creatives:
        if creative.id in seen:
            yield f'creative "{creative.id}" is there twice'
        seen.add(creative.id)
        yield from (f'creative "{creative.id}": {what}' for what in _creative(creative))


def _creative(creative: Creative) -> Iterator[str]:
    if not creative.id:
        yield "needs an id"
    if not (math.isfinite(creative.duration) and 0 <= creative.duration <= LONGEST_CREATIVE):
        yield f"lasts {creative.duration:g} seconds"
    if bool(creative.media) == bool(creative.wrapper):
        yield "needs either files or a partner's VAST"
    if creative.wrapper and not web_address(creative.wrapper):
        yield "its partner's VAST is at no address of http or https"
    for url, mime, width, height, _ in creative.media:
        if not web_address(url):
            yield f'"{url}" is no address of http or https'
        if "/" not in mime or width < 0 or height < 0:
            yield f'"{url}" needs a MIME type and a size'
        if mime.startswith("video/") and not creative.duration:
            yield "is a video without a duration"
    tracked = (address for _, address in creative.trackers)
    addresses = (creative.click_through, *creative.impressions, *tracked, *creative.clicks, *creative.errors)
    strange = [one for one in addresses if one and not web_address(one)]
    if strange:
        yield f'"{strange[0]}" is no address of http or https'
    yield from _caps(creative.caps, "creative")


def _caps(caps: Iterable[Cap], whose: str) -> Iterator[str]:
    if any(cap.count < 1 or cap.seconds < 0 for cap in caps):
        yield f"a cap of the {whose} has a count below 1 or seconds below 0"
