"""VAST 4.2 for a decision, as text: valid by the IAB's `vast_4.2.xsd` whatever a campaign holds.

The schema is in the namespace http://www.iab.com/VAST and orders the elements of each parent by name, those
of a base type first; so are they written here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from falsework.ads.campaigns.book import Row
from falsework.ads.decision.engine import Chosen, Decision
from falsework.ads.measurement.beacons import GOOD_FOR, Signer
from falsework.ads.opportunity import Activity, Placement
from falsework.ads.records import Creative
from falsework.ads.vast.stencil import SERVED, Stencil, mark
from falsework.ads.vast.text import clock, escaped, web_address
from falsework.ads.vast.tracking import Tracking, served_values
from falsework.ads.vast.versions import NEWEST, version_for, written_as

__all__ = ["DECLARATION", "KEPT", "LINEAR_EVENTS", "Manner", "manner", "marked", "vast"]

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
NAMESPACE = "http://www.iab.com/VAST"
HEAD = f'{DECLARATION}<VAST xmlns="{NAMESPACE}" version="4.2">'.encode()
TAIL = b"</VAST>"
KEPT = 8_192  # advertisements whose text is remembered, some kilobytes each
SYSTEM = "<AdSystem>falsework</AdSystem>"
TAXONOMY = "https://iabtechlab.com/standards/ad-product-taxonomy-2.0"
SKIPPABLE, SKIP_AFTER = 16, 5.0  # AdCOM's creative attribute, and the seconds until a player offers it
LINEAR_EVENTS = (
    "start",
    "firstQuartile",
    "midpoint",
    "thirdQuartile",
    "complete",
    "mute",
    "unmute",
    "pause",
    "resume",
    "closeLinear",
)
EVENTS = frozenset({  # of third parties; `progress` is none of them, since it needs its time beside it
    *LINEAR_EVENTS, "rewind", "skip", "playerExpand", "playerCollapse", "loaded", "creativeView", "close",
    "acceptInvitation", "adExpand", "adCollapse", "minimize", "overlayViewDuration", "otherAdInteraction",
})  # fmt: skip
STILL_EVENTS = ("creativeView", "acceptInvitation", "overlayViewDuration")
# Placements beside, or instead of, the running programme: what is shown there is no linear advertisement.
NON_LINEAR = frozenset({Placement.PAUSE, Placement.SCREENSAVER, Placement.OVERLAY, Placement.SQUEEZE_BACK})
STREAMED = frozenset({"application/x-mpegurl", "application/vnd.apple.mpegurl", "application/dash+xml"})
CURRENCY = re.compile("[A-Za-z]{3}")
ERROR_CODE = "&amp;e=%5BERRORCODE%5D"  # the player puts VAST's error code there


def vast(decision: Decision, signer: Signer, *, priced: bool = False) -> bytes:
    """The document. An advertisement that has neither a wrapper nor a file that suits its place is left out;
    a decision without any is a valid, empty document.

    `priced` tells each advertisement's price, for those who trade by VAST and not for players. Third parties'
    impressions are told only where the viewer may be measured.
    """
    several = len(decision.chosen) > 1
    ads = []
    version = NEWEST
    for number, chosen in enumerate(decision.chosen, 1):
        how = manner(decision, chosen, priced=priced)
        version = how.version  # the same for all: a document is of one slot's, or of a break that has none
        stencil = _stencil(chosen.row, how, signer.base)
        if stencil is not None:
            sequence = f' sequence="{number}"' if several and version >= "3.0" else ""
            ads.append(f'<Ad id="{escaped(chosen.row.creative.id)}"{sequence}>'.encode())
            ads.append(stencil.filled(served_values(decision, chosen, signer)))
            ads.append(b"</Ad>")
    return b"".join([_head(version), *ads, TAIL])


class Manner(NamedTuple):
    """All of a decision that an advertisement's text depends on, besides what changes every time. `cost`
    micros, None where it is not told; `blocked` categories, for partners. `measured`: third parties may be
    told of it. `version` of VAST."""

    still: bool
    measured: bool
    cost: int | None
    blocked: tuple[str, ...]
    version: str = NEWEST


def manner(decision: Decision, chosen: Chosen, *, priced: bool = False) -> Manner:
    asked, creative = decision.asked, chosen.row.creative
    viewer = asked.viewer
    told = creative.impressions or creative.trackers or creative.clicks or creative.errors
    measured = bool(told) and not viewer.kids and viewer.permissions.allows(Activity.MEASURE)
    slot = asked.slot(chosen.slot)
    return Manner(
        asked.placement in NON_LINEAR,
        measured,
        chosen.cost if priced else None,
        asked.blocked_categories if creative.wrapper else (),
        version_for(slot.protocols) if slot is not None and slot.protocols else NEWEST,
    )


def marked(row: Row, how: Manner, base: str) -> str:
    """A document of one advertisement, with marks where it changes every time (`falsework.ads.vast.stencil`);
    `base` is the address that beacons are under."""
    ad = _ad(row, how, Tracking(base))
    inner = f'<Ad id="{escaped(row.creative.id)}">{ad}</Ad>' if ad else ""
    return written_as(how.version, f"{HEAD.decode()}{inner}{TAIL.decode()}")


@lru_cache(maxsize=KEPT)
def _stencil(row: Row, how: Manner, base: str) -> Stencil | None:
    """Of what is in an `Ad`; None where nothing can be shown."""
    ad = _ad(row, how, Tracking(base))
    return Stencil(written_as(how.version, ad).encode()) if ad else None


@cache
def _head(version: str) -> bytes:
    return written_as(version, HEAD.decode()).encode()


def _ad(row: Row, how: Manner, tracking: Tracking) -> str:
    creative = row.creative
    base = _base(row, how, tracking)
    if creative.wrapper:
        return _wrapper(creative, how, tracking, base)
    content = _non_linear(creative, how, tracking) if how.still else _linear(creative, how, tracking)
    return _inline(row, base, content) if content else ""


def _base(row: Row, how: Manner, tracking: Tracking) -> str:
    """What InLine and Wrapper begin with."""
    parts = [SYSTEM, f"<Error>{tracking('error')}{ERROR_CODE}</Error>"]
    if how.measured and how.version > "2.0":  # which has room for one
        parts += [f"<Error>{address}</Error>" for address in _addresses(row.creative.errors)]
    parts.append(f'<Impression id="falsework">{tracking("impression")}</Impression>')
    if how.measured:
        parts += [f"<Impression>{address}</Impression>" for address in _addresses(row.creative.impressions)]
    currency = row.campaign.currency
    if how.cost is not None and CURRENCY.fullmatch(currency):
        # `cost` is micros for one impression, so its thousandth part is units for a thousand.
        parts.append(f'<Pricing model="CPM" currency="{currency.upper()}">{how.cost / 1000:.3f}</Pricing>')
    parts.append(tracking.viewability())
    return "".join(parts)


def _inline(row: Row, base: str, content: str) -> str:
    creative = row.creative
    registry, identifier = creative.universal_ad_id
    categories = "".join(
        [f'<Category authority="{TAXONOMY}">{escaped(one)}</Category>' for one in row.line_item.categories]
    )
    return (
        f"<InLine>{base}<AdServingId>{mark(SERVED)}</AdServingId>"
        f"<AdTitle>{escaped(creative.title or creative.id)}</AdTitle>"
        f"<Advertiser>{escaped(row.campaign.advertiser)}</Advertiser>{categories}"
        f'<Creatives><Creative id="{escaped(creative.id)}" sequence="1">{content}'
        f'<UniversalAdId idRegistry="{escaped(registry or "unknown")}">{escaped(identifier or "unknown")}'
        f"</UniversalAdId></Creative></Creatives><Expires>{int(GOOD_FOR)}</Expires></InLine>"
    )


def _linear(creative: Creative, how: Manner, tracking: Tracking) -> str:
    """ "" where no file can be played."""
    files = "".join(_media_files(creative))
    if not files:
        return ""
    events, skip = _linear_events(creative)
    click = web_address(creative.click_through)
    clicks = (
        f"<VideoClicks>{_clicks(creative, how, tracking)}"
        f"<ClickThrough>{escaped(click)}</ClickThrough></VideoClicks>"
        if click
        else ""
    )
    return (
        f"<Linear{skip}><TrackingEvents>{tracking.events(events)}{_others(creative, how)}</TrackingEvents>"
        f"<Duration>{clock(creative.duration)}</Duration><MediaFiles>{files}</MediaFiles>{clicks}</Linear>"
    )


def _others(creative: Creative, how: Manner) -> str:
    """Third parties' events."""
    if not how.measured:
        return ""
    return "".join(
        f'<Tracking event="{escaped(event)}">{address}</Tracking>'
        for event, url in creative.trackers
        if event in EVENTS
        for address in _addresses([url])
    )


def _clicks(creative: Creative, how: Manner, tracking: Tracking) -> str:
    told = [tracking("click"), *(_addresses(creative.clicks) if how.measured else ())]
    return "".join(f"<ClickTracking>{address}</ClickTracking>" for address in told)


def _addresses(urls: Iterable[str]) -> Iterator[str]:
    """Escaped; what is no address of http or https is none."""
    return (escaped(address) for url in urls if (address := web_address(url)))


def _linear_events(creative: Creative) -> tuple[tuple[str, ...], str]:
    if SKIPPABLE not in creative.attributes:
        return LINEAR_EVENTS, ""
    return (*LINEAR_EVENTS, "skip"), f' skipoffset="{clock(SKIP_AFTER)}"'


def _media_files(creative: Creative) -> Iterator[str]:
    for url, mime, width, height, rate in creative.media:
        address = web_address(url)
        if not address or mime.startswith("image/"):
            continue
        delivery = "streaming" if mime.lower() in STREAMED else "progressive"
        bitrate = f' bitrate="{rate}"' if rate > 0 else ""
        yield (
            f'<MediaFile delivery="{delivery}" type="{escaped(mime)}" width="{width}" height="{height}"'
            f"{bitrate}>{escaped(address)}</MediaFile>"
        )


def _non_linear(creative: Creative, how: Manner, tracking: Tracking) -> str:
    """Each file a resource of its own, of which the player shows the one that fits its screen."""
    click = web_address(creative.click_through)
    clicks = (
        f"<NonLinearClickThrough>{escaped(click)}</NonLinearClickThrough>"
        f"<NonLinearClickTracking>{tracking('click')}</NonLinearClickTracking>"
        if click
        else ""
    )
    shown = f' minSuggestedDuration="{clock(creative.duration)}"' if creative.duration > 0 else ""
    resources = "".join(
        [
            f'<NonLinear width="{width}" height="{height}" scalable="true" maintainAspectRatio="true"{shown}>'
            f'<StaticResource creativeType="{escaped(mime)}">{escaped(address)}</StaticResource>'
            f"{clicks}</NonLinear>"
            for address, mime, width, height in (
                (web_address(url), mime, width, height) for url, mime, width, height, _ in creative.media
            )
            if address
        ]
    )
    if not resources:
        return ""
    events = tracking.events(STILL_EVENTS) + _others(creative, how)
    return f"<NonLinearAds><TrackingEvents>{events}</TrackingEvents>{resources}</NonLinearAds>"


def _wrapper(creative: Creative, how: Manner, tracking: Tracking, base: str) -> str:
    """A partner's creative: our events around an address of theirs."""
    address = web_address(creative.wrapper)
    if not address:
        return ""
    blocked = "".join(
        [
            f'<BlockedAdCategories authority="{TAXONOMY}">{escaped(one)}</BlockedAdCategories>'
            for one in how.blocked
        ]
    )
    if how.still:
        events = tracking.events(STILL_EVENTS)
        content = f"<NonLinearAds><TrackingEvents>{events}</TrackingEvents></NonLinearAds>"
    else:
        events = tracking.events(_linear_events(creative)[0])
        content = (
            f"<Linear><TrackingEvents>{events}</TrackingEvents>"
            f"<VideoClicks><ClickTracking>{tracking('click')}</ClickTracking></VideoClicks></Linear>"
        )
    return (
        f'<Wrapper followAdditionalWrappers="true" allowMultipleAds="false" fallbackOnNoAd="true">'
        f'{base}{blocked}<Creatives><Creative id="{escaped(creative.id)}">{content}</Creative></Creatives>'
        f"<VASTAdTagURI>{escaped(address)}</VASTAdTagURI></Wrapper>"
    )
