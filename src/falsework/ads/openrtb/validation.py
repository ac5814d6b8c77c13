"""A request read and held against the specification: the first thing that is wrong is named by its field.

What the specification requires or forbids is refused; what it recommends is not asked for. Old places of what
moved in 2.6 (`regs.ext.gdpr`, `user.ext.consent`, `user.ext.eids`, `source.ext.schain`) are checked alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from falsework.ads.openrtb.objects import Audio, Banner, BidRequest, Device, Eid, Format, Imp, Native, Video
from falsework.ads.openrtb.supply_chain import chain_fault
from falsework.errors import FalseworkError

__all__ = ["LONGEST_BODY", "faults", "read"]

LONGEST_BODY = 256 * 1024  # bytes; a request with two hundred placements has half of it
MOST_IMPRESSIONS = 200
DEEPEST = 48  # brackets within one another
DECODER = msgspec.json.Decoder(BidRequest)
AT = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?\s*", re.DOTALL)
TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)  # also one that does not end
BRACKET = re.compile(rb"[\[\]{}]")
EIDS = msgspec.json.Decoder(list[Eid])

Fault = tuple[str, str]  # field, what is wrong with it


def read(body: bytes) -> BidRequest:
    """The request, checked. Raises `FalseworkError` whose `where` is the field ("imp[0].video.mimes")."""
    if len(body) > LONGEST_BODY:
        raise _refusal("request", f"is {len(body)} bytes long, and {LONGEST_BODY} at most are read")
    if _too_deep(body):
        raise _refusal("request", f"holds more than {DEEPEST} objects or lists within one another")
    try:
        request = DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        said = AT.fullmatch(str(error))
        path = (said["path"] if said else "") or ""
        raise _refusal(path.lstrip(".") or "request", _plain(said["what"] if said else str(error))) from error
    for field, what in faults(request):
        raise _refusal(field, what)
    return request


def _refusal(field: str, what: str) -> FalseworkError:
    return FalseworkError(what, where=field, todo="Send it as OpenRTB 2.6 has it.")


def _plain(what: str) -> str:
    """The decoder's words as the middle of a sentence."""
    return what[:1].lower() + what[1:] if what[:1].isupper() and not what[1:2].isupper() else what


def _too_deep(body: bytes) -> bool:
    """Counts brackets outside strings, so that no reader has to go down a bomb."""
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for bracket in BRACKET.findall(TEXT.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEEPEST:
            return True
    return False


def faults(request: BidRequest) -> Iterator[Fault]:
    """(field, what is wrong with it), the first first."""
    if not request.id:
        yield "id", "is missing"
    if request.tmax is not None and request.tmax < 0:
        yield "tmax", f"is {request.tmax}, and a time is not negative"
    yield from _impressions(request.imp)
    yield from _places(request)
    if request.device is not None:
        yield from _device(request.device)
    yield from _person(request)
    yield from _source(request)


def _impressions(impressions: list[Imp] | None) -> Iterator[Fault]:
    if not impressions:
        yield "imp", "is missing or empty"
        return
    if len(impressions) > MOST_IMPRESSIONS:
        yield "imp", f"has {len(impressions)} entries, and {MOST_IMPRESSIONS} at most are read"
    seen: dict[str, int] = {}
    for number, imp in enumerate(impressions):
        at = f"imp[{number}]"
        if not imp.id:
            yield f"{at}.id", "is missing"
        elif imp.id in seen:
            yield f"{at}.id", f'is "{imp.id}", as that of imp[{seen[imp.id]}] is'
        else:
            seen[imp.id] = number
        if all(media is None for media in (imp.banner, imp.video, imp.audio, imp.native)):
            yield at, "has none of banner, video, audio and native"
        if imp.banner is not None:
            yield from _banner(imp.banner, f"{at}.banner", sized=imp.instl != 1)
        if imp.video is not None:
            yield from _video(imp.video, f"{at}.video")
        if imp.audio is not None:
            yield from _audio(imp.audio, f"{at}.audio")
        if imp.native is not None:
            yield from _native(imp.native, f"{at}.native")
        for place, metric in enumerate(imp.metric or ()):
            if not metric.type:
                yield f"{at}.metric[{place}].type", "is missing"
        for place, deal in enumerate((imp.pmp and imp.pmp.deals) or ()):
            if not deal.id:
                yield f"{at}.pmp.deals[{place}].id", "is missing"
        if imp.bidfloor < 0:
            yield f"{at}.bidfloor", f"is {imp.bidfloor:g}, and a price is not negative"


def _banner(banner: Banner, at: str, *, sized: bool) -> Iterator[Fault]:
    yield from _not_negative(banner, ("w", "h"), at)
    for name in ("wmin", "wmax", "hmin", "hmax"):
        if getattr(banner, name) is not None:
            yield f"{at}.{name}", "is deprecated, and not read any more; use format"
    if banner.format is not None and not banner.format:
        yield f"{at}.format", "is empty"
    for number, size in enumerate(banner.format or ()):
        yield from _format(size, f"{at}.format[{number}]")
    if banner.format:
        return
    if not banner.w and not banner.h:
        if sized:
            yield at, "has no size: neither format nor w and h"
    elif not banner.w:
        yield f"{at}.w", "is missing, and h is there"
    elif not banner.h:
        yield f"{at}.h", "is missing, and w is there"


def _format(size: Format, at: str) -> Iterator[Fault]:
    yield from _not_negative(size, ("w", "h", "wratio", "hratio", "wmin"), at)
    fixed = [name for name in ("w", "h") if getattr(size, name) is not None]
    flexible = [name for name in ("wmin", "wratio", "hratio") if getattr(size, name) is not None]
    if fixed and flexible:
        yield at, "has a fixed and a flexible size; send one format for each"
    elif flexible:
        for name in ("wmin", "wratio", "hratio"):
            if not getattr(size, name):
                yield f"{at}.{name}", "is missing from a flexible size"
    elif not fixed:
        yield at, "is empty: it needs w and h, or wmin, wratio and hratio"
    else:
        for name in ("w", "h"):
            if not getattr(size, name):
                yield f"{at}.{name}", "is missing or 0"


def _video(video: Video, at: str) -> Iterator[Fault]:
    yield from _timed(video, at)
    yield from _not_negative(video, ("w", "h", "skipmin", "skipafter"), at)


def _audio(audio: Audio, at: str) -> Iterator[Fault]:
    yield from _timed(audio, at)


def _timed(media: Video | Audio, at: str) -> Iterator[Fault]:
    if not media.mimes or not all(media.mimes):
        yield f"{at}.mimes", "is missing or empty"
    names = ("minduration", "maxduration", "sequence", "maxseq", "poddur", "minbitrate", "maxbitrate")
    yield from _not_negative(media, (*names, "mincpmpersec"), at)
    for first, last in (("minduration", "maxduration"), ("minbitrate", "maxbitrate")):
        least, most = getattr(media, first), getattr(media, last)
        if least is not None and most is not None and least > most:
            yield f"{at}.{first}", f"is {least}, more than {last}, {most}"
    if media.rqddurs is not None:
        if not media.rqddurs or any(length <= 0 for length in media.rqddurs):
            yield f"{at}.rqddurs", "needs lengths in seconds, above 0"
        for name in ("minduration", "maxduration"):
            if getattr(media, name) is not None:
                yield f"{at}.rqddurs", f"and {name} exclude one another"
    if media.podseq is not None and media.podseq not in (-1, 0, 1):
        yield f"{at}.podseq", f"is {media.podseq}, none of AdCOM's pod sequences (-1, 0, 1)"
    if media.slotinpod is not None and media.slotinpod not in (-1, 0, 1, 2):
        yield f"{at}.slotinpod", f"is {media.slotinpod}, none of AdCOM's slot positions (-1, 0, 1, 2)"


def _native(native: Native, at: str) -> Iterator[Fault]:
    if not native.request:
        yield f"{at}.request", "is missing or empty"
        return
    try:
        asked: Any = msgspec.json.decode(native.request)
    except msgspec.DecodeError as error:
        yield f"{at}.request", f"is no JSON: {_plain(str(error))}"
        return
    asked = asked.get("native", asked) if isinstance(asked, dict) else asked
    assets = asked.get("assets") if isinstance(asked, dict) else None
    if not isinstance(assets, list) or not assets:
        yield f"{at}.request.assets", "is missing or empty"
        return
    sorts = {"title", "img", "video", "data"}
    for number, asset in enumerate(assets):
        if not isinstance(asset, dict) or len(sorts & asset.keys()) != 1:
            yield f"{at}.request.assets[{number}]", "needs one of title, img, video and data"


def _places(request: BidRequest) -> Iterator[Fault]:
    there = [name for name in ("site", "app", "dooh") if getattr(request, name) is not None]
    if len(there) != 1:
        said = f"has {' and '.join(there)}" if there else "has none of site, app and dooh"
        yield "request", f"{said}; exactly one is needed"
    site, app, dooh = request.site, request.app, request.dooh
    if site is not None and not (site.id or site.page):
        yield "site", "has neither id nor page"
    if app is not None and app == type(app)():
        yield "app", "is empty"
    if dooh is not None and not (dooh.id or dooh.venuetype):
        yield "dooh", "has neither id nor venuetype"
    amp = (site.ext or {}).get("amp") if site is not None else None
    if amp is not None and (isinstance(amp, bool) or amp not in (0, 1)):
        yield "site.ext.amp", "is neither 0 nor 1"


def _device(device: Device) -> Iterator[Fault]:
    yield from _not_negative(device, ("w", "h", "ppi", "pxratio"), "device")
    if device.geo is not None:
        yield from _not_negative(device.geo, ("accuracy",), "device.geo")
    for name in ("dnt", "lmt"):
        yield from _zero_or_one(getattr(device, name), f"device.{name}")
    if device.sua is not None:
        for number, browser in enumerate(device.sua.browsers or ()):
            if not browser.brand:
                yield f"device.sua.browsers[{number}].brand", "is missing"
        if device.sua.platform is not None and not device.sua.platform.brand:
            yield "device.sua.platform.brand", "is missing"


def _person(request: BidRequest) -> Iterator[Fault]:
    regs, user = request.regs, request.user
    if regs is not None:
        yield from _zero_or_one(regs.gdpr, "regs.gdpr")
        yield from _zero_or_one(regs.coppa, "regs.coppa")
        older = regs.ext or {}
        if "gdpr" in older:
            yield from _zero_or_one(older["gdpr"], "regs.ext.gdpr")
        for name in ("us_privacy", "gpp"):
            if not isinstance(older.get(name, ""), str):
                yield f"regs.ext.{name}", "is no text"
    if user is None:
        return
    yield from _eids(user.eids, "user.eids")
    older = user.ext or {}
    if not isinstance(older.get("consent", ""), str):
        yield "user.ext.consent", "is no text"
    if older.get("eids") is not None:
        try:
            yield from _eids(msgspec.convert(older["eids"], list[Eid]), "user.ext.eids")
        except msgspec.ValidationError as error:
            said = AT.fullmatch(str(error))
            path, what = (said["path"] or "", said["what"]) if said else ("", str(error))
            yield f"user.ext.eids{path}", _plain(what)


def _eids(eids: Iterable[Eid] | None, at: str) -> Iterator[Fault]:
    for number, eid in enumerate(eids or ()):
        if not eid.source:
            yield f"{at}[{number}].source", "is missing"
        if not eid.uids:
            yield f"{at}[{number}].uids", "is missing or empty"
        for place, uid in enumerate(eid.uids or ()):
            if not uid.id:
                yield f"{at}[{number}].uids[{place}].id", "is missing"


def _source(request: BidRequest) -> Iterator[Fault]:
    source = request.source
    if source is None:
        return
    if source.schain is not None:
        yield from chain_fault(source.schain, "source.schain")
    older = (source.ext or {}).get("schain")
    if older is not None:
        yield from chain_fault(older, "source.ext.schain")


def _not_negative(thing: object, names: Iterable[str], at: str) -> Iterator[Fault]:
    for name in names:
        value = getattr(thing, name)
        if value is not None and value < 0:
            yield f"{at}.{name}", f"is {value:g}, and must not be negative"


def _zero_or_one(value: object, at: str) -> Iterator[Fault]:
    if value is not None and (isinstance(value, bool) or value not in (0, 1)):
        yield at, "is neither 0 nor 1"
