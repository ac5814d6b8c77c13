"""What a request says of consent, of children and of where it comes from, wherever it may say so.

2.6 moved several fields out of `ext`; both places are read, the new one first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from falsework.ads.consent.activities import Signals
from falsework.ads.openrtb.objects import BidRequest, Geo
from falsework.ads.openrtb.places import alpha_2

__all__ = ["country_of", "geo_of", "signals", "stream_of"]

OLDEST_CHILD = 15  # the GDPR lets nobody younger than 16 agree, where a country does not say otherwise

LONGEST_STREAM = 128  # characters


def signals(request: BidRequest, *, year: int) -> Signals:
    """`year` is the present one, to tell a child by the year of birth. Anything that speaks of a child
    counts, whatever type it has."""
    regs, user, device = request.regs, request.user, request.device
    older_regs: dict[str, Any] = (regs.ext if regs else None) or {}
    older_user: dict[str, Any] = (user.ext if user else None) or {}
    gdpr = regs.gdpr if regs and regs.gdpr is not None else older_regs.get("gdpr")
    sections = (regs.gpp_sid if regs else None) or older_regs.get("gpp_sid")
    born = user.yob if user else None
    return Signals(
        tcf=(user.consent if user else None) or _text(older_user.get("consent")),
        gpp=(regs.gpp if regs else None) or _text(older_regs.get("gpp")),
        gpp_sections=_whole_numbers(sections),
        us_privacy=(regs.us_privacy if regs else None) or _text(older_regs.get("us_privacy")),
        gdpr=None if gdpr is None else bool(gdpr),
        coppa=bool((regs and regs.coppa) or older_regs.get("coppa")),
        limit_tracking=bool(device and (device.lmt or device.dnt)),
        kids=_says_kids(request) or (born is not None and year - born <= OLDEST_CHILD),
        country=country_of(request),
    )


def _says_kids(request: BidRequest) -> bool:
    """`ext.kids` of the request, its user, application or site: the profile is a child's."""
    told = (request, request.user, request.app, request.site)
    return any(one is not None and one.ext is not None and one.ext.get("kids") for one in told)


def stream_of(request: BidRequest) -> str:
    """`source.ext.stream` names a viewing where the player sends it, in all of whose breaks separation and
    caps hold; otherwise this request is all there is."""
    told = (request.source.ext if request.source else None) or {}
    return (_text(told.get("stream")) or str(request.id))[:LONGEST_STREAM]


def country_of(request: BidRequest) -> str:
    """ISO 3166-1 alpha-2; "" where it is not said."""
    for one in (request.device, request.user):
        if one is not None and one.geo is not None and one.geo.country:
            return alpha_2(one.geo.country)
    return ""


def geo_of(request: BidRequest) -> Geo:
    for one in (request.device, request.user):
        if one is not None and one.geo is not None:
            return one.geo
    return Geo()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole_numbers(value: object) -> tuple[int, ...]:
    return tuple(one for one in value if isinstance(one, int)) if isinstance(value, Iterable) else ()
