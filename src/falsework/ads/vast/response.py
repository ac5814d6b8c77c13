"""VAST 4.2 for a decision, as text: valid by the IAB's `vast_4.2.xsd` whatever a campaign holds.

The schema is in the namespace http://www.iab.com/VAST and orders the elements of each parent by name, those
of a base type first; so are they written here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from falsework.ads.decision.engine import Chosen, Decision
from falsework.ads.measurement.beacons import GOOD_FOR, Signer
from falsework.ads.opportunity import Activity, Placement
from falsework.ads.records import Creative
from falsework.ads.vast.text import clock, escaped, web_address
from falsework.ads.vast.tracking import Tracking

__all__ = ["DECLARATION", "vast"]

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
NAMESPACE = "http://www.iab.com/VAST"
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
    for number, chosen in enumerate(decision.chosen, 1):
        ad = _ad(decision, chosen, Tracking(decision, chosen, signer), priced)
        if ad:
            sequence = f' sequence="{number}"' if several else ""
            ads.append(f'<Ad id="{escaped(chosen.row.creative.id)}"{sequence}>{ad}</Ad>')
    return f'{DECLARATION}<VAST xmlns="{NAMESPACE}" version="4.2">{"".join(ads)}</VAST>'.encode()


def _ad(decision: Decision, chosen: Chosen, tracking: Tracking, priced: bool) -> str:
    still = decision.asked.placement in NON_LINEAR
    creative = chosen.row.creative
    base = _base(decision, chosen, tracking, priced)
    if creative.wrapper:
        return _wrapper(decision, creative, tracking, base, still)
    content = _non_linear(creative, tracking) if still else _linear(creative, tracking)
    return _inline(chosen, base, content) if content else ""


def _base(decision: Decision, chosen: Chosen, tracking: Tracking, priced: bool) -> str:
    """What InLine and Wrapper begin with."""
    viewer = decision.asked.viewer
    parts = [SYSTEM, f"<Error>{tracking('error')}{ERROR_CODE}</Error>"]
    parts.append(f'<Impression id="falsework">{tracking("impression")}</Impression>')
    if viewer.permissions.allows(Activity.MEASURE) and not viewer.kids:
        for url in chosen.row.creative.impressions:
            address = web_address(url)
            if address:
                parts.append(f"<Impression>{escaped(address)}</Impression>")
    currency = chosen.row.campaign.currency
    if priced and CURRENCY.fullmatch(currency):
        # `cost` is micros for one impression, so its thousandth part is units for a thousand.
        parts.append(f'<Pricing model="CPM" currency="{currency.upper()}">{chosen.cost / 1000:.3f}</Pricing>')
    parts.append(tracking.viewability())
    return "".join(parts)


def _inline(chosen: Chosen, base: str, content: str) -> str:
    row = chosen.row
    creative = row.creative
    registry, identifier = creative.universal_ad_id
    categories = "".join(
        [f'<Category authority="{TAXONOMY}">{escaped(one)}</Category>' for one in row.line_item.categories]
    )
    return (
        f"<InLine>{base}<AdServingId>{chosen.served}</AdServingId>"
        f"<AdTitle>{escaped(creative.title or creative.id)}</AdTitle>"
        f"<Advertiser>{escaped(row.campaign.advertiser)}</Advertiser>{categories}"
        f'<Creatives><Creative id="{escaped(creative.id)}" sequence="1">{content}'
        f'<UniversalAdId idRegistry="{escaped(registry or "unknown")}">{escaped(identifier or "unknown")}'
        f"</UniversalAdId></Creative></Creatives><Expires>{int(GOOD_FOR)}</Expires></InLine>"
    )


def _linear(creative: Creative, tracking: Tracking) -> str:
    """ "" where no file can be played."""
    files = "".join(_media_files(creative))
    if not files:
        return ""
    events, skip = _linear_events(creative)
    click = web_address(creative.click_through)
    clicks = (
        f"<VideoClicks><ClickTracking>{tracking('click')}</ClickTracking>"
        f"<ClickThrough>{escaped(click)}</ClickThrough></VideoClicks>"
        if click
        else ""
    )
    return (
        f"<Linear{skip}><TrackingEvents>{tracking.events(events)}</TrackingEvents>"
        f"<Duration>{clock(creative.duration)}</Duration><MediaFiles>{files}</MediaFiles>{clicks}</Linear>"
    )


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


def _non_linear(creative: Creative, tracking: Tracking) -> str:
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
    events = tracking.events(STILL_EVENTS)
    return f"<NonLinearAds><TrackingEvents>{events}</TrackingEvents>{resources}</NonLinearAds>"


def _wrapper(decision: Decision, creative: Creative, tracking: Tracking, base: str, still: bool) -> str:
    """A partner's creative: our events around an address of theirs."""
    address = web_address(creative.wrapper)
    if not address:
        return ""
    blocked = "".join(
        [
            f'<BlockedAdCategories authority="{TAXONOMY}">{escaped(one)}</BlockedAdCategories>'
            for one in decision.asked.blocked_categories
        ]
    )
    if still:
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
