"""Partners' VAST, versions 2.0 to 4.2, as creatives of ours and the addresses they want called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from falsework.ads.records import Creative
from falsework.ads.vast.markup import Element, read_markup
from falsework.ads.vast.text import web_address
from falsework.errors import FalseworkError

__all__ = ["VERSION", "Answer", "PartnerAd", "read"]

MOST_ADS = 32
MOST_TRACKERS = 256  # of one advertisement, and of one kind
VERSION = re.compile(r"[234](\.\d+){0,2}")
TIME = re.compile(r"(\d{2,3}):([0-5]\d):([0-5]\d)(\.\d{1,3})?")
NUMBER = re.compile(r"\d{1,9}")
TEXT_KEPT = 1_024  # characters of a title or a name


class PartnerAd(msgspec.Struct, frozen=True, kw_only=True):
    """One advertisement. `wrapper`: where its creatives are to be had, "" once they are here. `trackers` are
    (event, address), `sequence` its place in a pod, 0 for none. `single`: what is fetched may be one
    advertisement only; `follow` is False where it may not be a wrapper again."""

    id: str = ""
    sequence: int = 0
    system: str = ""
    title: str = ""
    advertiser: str = ""
    categories: tuple[str, ...] = ()
    blocked_categories: tuple[str, ...] = ()
    creatives: tuple[Creative, ...] = ()
    wrapper: str = ""
    impressions: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    trackers: tuple[tuple[str, str], ...] = ()
    clicks: tuple[str, ...] = ()
    single: bool = True
    follow: bool = True


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A document. `errors` are to be called where it has no advertisement."""

    version: str
    ads: tuple[PartnerAd, ...]
    errors: tuple[str, ...] = ()


def read(body: bytes, *, where: str = "VAST") -> Answer:
    """Raises `FalseworkError` for what is no VAST, or more of it than anybody needs."""
    root = read_markup(body, where=where)
    if root.name != "VAST":
        raise _refused(f"begins with <{root.name[:40]}>", where)
    version = root.attributes.get("version", "")
    if not VERSION.fullmatch(version):
        raise _refused(f'is of version "{version[:20]}"', where)
    ads = [found for one in root.every("Ad") if (found := _ad(one, where)) is not None]
    if len(ads) > MOST_ADS:
        raise _refused(f"has {len(ads)} advertisements, and {MOST_ADS} at most are read", where)
    return Answer(version=version, ads=tuple(ads), errors=_addresses(root.every("Error")))


def _ad(ad: Element, where: str) -> PartnerAd | None:
    """None for an element with neither InLine nor Wrapper: it has nothing to show."""
    content = ad.first("InLine") or ad.first("Wrapper")
    if content is None:
        return None
    wrapper = ""
    if content.name == "Wrapper":
        found = _addresses(content.every("VASTAdTagURI"))
        if not found:
            raise _refused("has a wrapper without an address of http or https", where)
        wrapper = found[0]
    linear = list(content.every("Creatives", "Creative", "Linear"))
    still = list(content.every("Creatives", "Creative", "NonLinearAds"))
    tracked = [one for part in (*linear, *still) for one in part.every("TrackingEvents", "Tracking")]
    clicked = [one for part in linear for one in part.every("VideoClicks", "ClickTracking")]
    clicked += [one for part in still for one in part.every("NonLinear", "NonLinearClickTracking")]
    return PartnerAd(
        id=ad.attributes.get("id", "")[:TEXT_KEPT],
        sequence=_number(ad.attributes.get("sequence")),
        system=_text(content, "AdSystem"),
        title=_text(content, "AdTitle"),
        advertiser=_text(content, "Advertiser"),
        categories=tuple(one.text[:TEXT_KEPT] for one in content.every("Category") if one.text),
        blocked_categories=tuple(
            one.text[:TEXT_KEPT] for one in content.every("BlockedAdCategories") if one.text
        ),
        creatives=() if wrapper else tuple(_creatives(content)),
        wrapper=wrapper,
        impressions=_addresses(content.every("Impression")),
        errors=_addresses(content.every("Error")),
        trackers=tuple(
            (one.attributes.get("event", "")[:TEXT_KEPT], address)
            for one in tracked[:MOST_TRACKERS]
            for address in _addresses([one])
        ),
        clicks=_addresses(clicked),
        # In VAST 2 and 3 as in 4 a wrapper leads to one advertisement, unless it says otherwise.
        single=not _truth(content.attributes.get("allowMultipleAds"), default=False),
        follow=_truth(content.attributes.get("followAdditionalWrappers"), default=True),
    )


def _creatives(content: Element) -> Iterator[Creative]:
    """Those with a file that can be shown."""
    title = _text(content, "AdTitle")
    impressions = _addresses(content.every("Impression"))
    for number, creative in enumerate(content.every("Creatives", "Creative"), 1):
        identifier = creative.attributes.get("id") or creative.attributes.get("AdID") or f"{number}"
        linear = creative.first("Linear")
        if linear is not None:
            media = tuple(_files(linear.every("MediaFiles", "MediaFile")))
            duration = _seconds(_text(linear, "Duration"))
            click = _addresses(linear.every("VideoClicks", "ClickThrough"))
        else:
            media = tuple(_resources(creative.every("NonLinearAds", "NonLinear")))
            duration = 0.0
            click = _addresses(creative.every("NonLinearAds", "NonLinear", "NonLinearClickThrough"))
        if media:
            yield Creative(
                id=identifier[:TEXT_KEPT],
                title=title,
                duration=duration,
                media=media,
                click_through=click[0] if click else "",
                impressions=impressions,
                universal_ad_id=_universal(creative),
            )


def _files(files: Iterable[Element]) -> Iterator[tuple[str, str, int, int, int]]:
    """Scripts that want to run in the player (VPAID, `apiFramework`) are none."""
    for one in files:
        address = web_address(one.text)
        mime = one.attributes.get("type", "")
        if address and mime and not one.attributes.get("apiFramework") and "javascript" not in mime.lower():
            size = _number(one.attributes.get("width")), _number(one.attributes.get("height"))
            rate = one.attributes.get("bitrate") or one.attributes.get("maxBitrate")
            yield address, mime[:TEXT_KEPT], *size, _number(rate)


def _resources(stills: Iterable[Element]) -> Iterator[tuple[str, str, int, int, int]]:
    for still in stills:
        for one in still.every("StaticResource"):
            address, mime = web_address(one.text), one.attributes.get("creativeType", "")
            if address and mime.lower().startswith("image/"):
                size = _number(still.attributes.get("width")), _number(still.attributes.get("height"))
                yield address, mime[:TEXT_KEPT], *size, 0


def _universal(creative: Element) -> tuple[str, str]:
    """VAST 4.0 had the id in an attribute as well (`idValue`)."""
    found = creative.first("UniversalAdId")
    if found is None:
        return "unknown", "unknown"
    value = found.text or found.attributes.get("idValue", "")
    return (found.attributes.get("idRegistry", "") or "unknown")[:TEXT_KEPT], (value or "unknown")[:TEXT_KEPT]


def _addresses(elements: Iterable[Element]) -> tuple[str, ...]:
    """What is no address of http or https is not called, and not handed on."""
    found = [address for one in elements if (address := web_address(one.text))]
    return tuple(found[:MOST_TRACKERS])


def _text(element: Element, name: str) -> str:
    found = element.first(name)
    return found.text[:TEXT_KEPT] if found is not None else ""


def _seconds(text: str) -> float:
    found = TIME.fullmatch(text)
    if found is None:
        return 0.0
    hours, minutes, seconds, rest = found.groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(rest or 0)


def _number(text: str | None) -> int:
    return int(text) if text and NUMBER.fullmatch(text) else 0


def _truth(text: str | None, *, default: bool) -> bool:
    return default if text is None else text.strip().lower() in ("true", "1")


def _refused(what: str, where: str) -> FalseworkError:
    return FalseworkError(what, where=where, todo="Send VAST 2.0 to 4.2.")
