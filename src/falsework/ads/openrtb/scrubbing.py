"""A request without what may not be known: what is denied is gone before anything is scored, logged or sent.

Nothing is struck out by name where a person is concerned. Objects that may hold something of a person are
built anew from the fields that may stay, so that a field nobody has thought of does not slip through; of
`ext` objects only the consent signals in them stay.
"""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec

from falsework.ads.openrtb.objects import App, BidRequest, Content, Device, Dooh, Geo, Imp, Site, Source, User
from falsework.ads.opportunity import Activity, Permissions

__all__ = ["scrub", "truncated"]

# What is known of a device without knowing whose it is.
OF_ANY_DEVICE = (
    "ua", "devicetype", "make", "model", "os", "osv", "w", "h", "ppi", "pxratio", "js", "language", "langb",
    "dnt", "lmt", "connectiontype",
)  # fmt: skip
IDENTIFYING = ("ifa", "didsha1", "didmd5", "dpidsha1", "dpidmd5", "macsha1", "macmd5")
COARSE = ("country", "region", "utcoffset")  # of a place: the rest finds a street, or a flat
SIGNALS = ("gdpr", "us_privacy", "gpp", "gpp_sid", "consent")  # old places of what moved in 2.6
Place = TypeVar("Place", Site, App, Dooh)
IPV4_BYTES, IPV6_GROUPS = 3, 3  # of an address that are kept: a /24 and a /48


def scrub(request: BidRequest, permissions: Permissions, *, kids: bool = False) -> BidRequest:
    """A new request; the one given stays as it is. For a child everything counts as denied."""

    def may(activity: Activity) -> bool:
        return not kids and permissions.allows(activity)

    stores, counts = may(Activity.STORE_IDENTIFIER), may(Activity.CAP_FREQUENCY)
    personalises, locates = may(Activity.PERSONALISE), may(Activity.PRECISE_LOCATION)
    identified = stores and counts
    if identified and personalises and locates:
        return request
    return msgspec.structs.replace(
        request,
        user=_user(request.user, identified=identified, personalises=personalises, locates=locates),
        device=_device(request.device, identified=identified, locates=locates),
        imp=[_without_ext(imp) for imp in request.imp or ()],
        site=_place(request.site),
        app=_place(request.app),
        dooh=_place(request.dooh),
        source=_source(request.source),
        regs=msgspec.structs.replace(request.regs, ext=_signals(request.regs.ext)) if request.regs else None,
        ext=None,
    )


def truncated(address: str | None) -> str | None:
    """An IP address of which nobody can tell who it is: the first 24 bits of IPv4, 48 of IPv6; None for
    anything else."""
    if not address:
        return None
    if ":" in address:
        groups = address.split("::")[0].split(":")[:IPV6_GROUPS]
        good = all(1 <= len(group) <= 4 and _hexadecimal(group) for group in groups)
        return ":".join(groups) + "::" if good else None
    parts = address.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts):
        return None
    return ".".join(parts[:IPV4_BYTES]) + ".0"


def _user(user: User | None, *, identified: bool, personalises: bool, locates: bool) -> User | None:
    if user is None:
        return None
    kept: dict[str, Any] = {"consent": user.consent, "ext": _signals(user.ext)}
    kept["geo"] = user.geo if locates else _coarse(user.geo)
    if identified:
        kept |= {"id": user.id, "buyeruid": user.buyeruid, "eids": user.eids}
    if personalises:
        names = ("yob", "gender", "keywords", "kwarray", "data")
        kept |= {name: getattr(user, name) for name in names}
    return User(**kept)


def _device(device: Device | None, *, identified: bool, locates: bool) -> Device | None:
    if device is None:
        return None
    kept = {name: getattr(device, name) for name in OF_ANY_DEVICE}
    if identified:
        kept |= {name: getattr(device, name) for name in IDENTIFYING}
    kept["geo"] = device.geo if locates else _coarse(device.geo)
    kept["ip"] = device.ip if identified and locates else truncated(device.ip)
    kept["ipv6"] = device.ipv6 if identified and locates else truncated(device.ipv6)
    return Device(**kept)


def _coarse(geo: Geo | None) -> Geo | None:
    return None if geo is None else Geo(**{name: getattr(geo, name) for name in COARSE})


def _signals(ext: dict[str, Any] | None) -> dict[str, Any] | None:
    return {name: ext[name] for name in SIGNALS if name in ext} if ext else None


def _without_ext(imp: Imp) -> Imp:
    changed: dict[str, Any] = {"ext": None, "metric": None, "refresh": None}
    for name in ("video", "audio", "banner", "native"):
        media = getattr(imp, name)
        if media is not None and media.ext is not None:
            changed[name] = msgspec.structs.replace(media, ext=None)
    return msgspec.structs.replace(imp, **changed)


def _place(place: Place | None) -> Place | None:
    """A page's address may carry a person's name in its query; so may what was searched for."""
    if place is None:
        return None
    changed: dict[str, Any] = {"ext": None, "content": _content(place.content)}
    if isinstance(place, Site):
        changed |= {"page": _bare(place.page), "ref": _bare(place.ref), "search": None}
    if place.publisher is not None:
        changed["publisher"] = msgspec.structs.replace(place.publisher, ext=None)
    return msgspec.structs.replace(place, **changed)


def _content(content: Content | None) -> Content | None:
    if content is None:
        return None
    return msgspec.structs.replace(
        content, ext=None, url=_bare(content.url), data=None, producer=None, network=None, channel=None
    )


def _source(source: Source | None) -> Source | None:
    """A transaction's id would let others put together what they may not."""
    return None if source is None else Source(fd=source.fd)


def _bare(address: str | None) -> str | None:
    """Without its query and fragment; where it cannot be read, nothing of it."""
    if not address:
        return None
    try:
        parts = urlsplit(address)
        return urlunsplit((parts.scheme, parts.hostname or "", parts.path, "", ""))
    except ValueError:
        return None


def _hexadecimal(text: str) -> bool:
    return all(character in "0123456789abcdefABCDEF" for character in text)
