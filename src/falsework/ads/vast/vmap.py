"""VMAP 1.0.1: the breaks of a whole programme, each with its advertisements or where to ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from falsework.ads.vast.response import DECLARATION
from falsework.ads.vast.text import LONGEST_DAY, clock, escaped, web_address
from falsework.errors import FalseworkError

__all__ = ["AdBreak", "Share", "vmap"]

NAMESPACE = "http://www.iab.net/videosuite/vmap"
EVENTS = ("breakStart", "breakEnd", "error")
LONGEST = LONGEST_DAY / 1000  # seconds


class Share(msgspec.Struct, frozen=True):
    """A place in a programme of unknown length: per cent of it, 0 to 100."""

    percent: int


class AdBreak(msgspec.Struct, frozen=True, kw_only=True):
    """One break. `at`: seconds from the programme's beginning, a share of it, "start" or "end".

    Either `vast`, a whole document, or `address`, which answers with one when the break is near. `tracking`:
    addresses by event (breakStart, breakEnd, error). `repeat_after`: seconds after which it comes again.
    """

    id: str
    at: float | Share | str
    vast: bytes = b""
    address: str = ""
    non_linear: bool = False
    repeat_after: float = 0.0
    tracking: Mapping[str, tuple[str, ...]] = {}


def vmap(breaks: Iterable[AdBreak]) -> bytes:
    """The document. Raises `FalseworkError` for a break that VMAP cannot say."""
    told = "".join(map(_break, breaks))
    return (f'{DECLARATION}<vmap:VMAP xmlns:vmap="{NAMESPACE}" version="1.0">{told}</vmap:VMAP>').encode()


def _break(one: AdBreak) -> str:
    where = f'break "{one.id}"'
    kind = "nonlinear" if one.non_linear else "linear"
    repeat = f' repeatAfter="{clock(one.repeat_after)}"' if one.repeat_after > 0 else ""
    tracking = "".join(
        [
            f'<vmap:Tracking event="{event}">{escaped(url)}</vmap:Tracking>'
            for event in EVENTS
            for url in map(web_address, one.tracking.get(event, ()))
            if url
        ]
    )
    strange = sorted(set(one.tracking) - set(EVENTS))
    if strange:
        raise FalseworkError(
            f'"{strange[0]}" is no event of a break', where=where, todo=f"Name one of {', '.join(EVENTS)}."
        )
    events = f"<vmap:TrackingEvents>{tracking}</vmap:TrackingEvents>" if tracking else ""
    return (
        f'<vmap:AdBreak timeOffset="{_offset(one.at, where)}" breakType="{kind}"'
        f' breakId="{escaped(one.id)}"{repeat}>'
        f'<vmap:AdSource id="{escaped(one.id)}" allowMultipleAds="true" followRedirects="true">'
        f"{_source(one, where)}</vmap:AdSource>{events}</vmap:AdBreak>"
    )


def _source(one: AdBreak, where: str) -> str:
    address = web_address(one.address)
    if bool(one.vast) == bool(one.address) or (one.address and not address):
        raise FalseworkError(
            "needs either a VAST document or one address of http or https", where=where, todo="Give one."
        )
    if one.vast:
        return f"<vmap:VASTAdData>{one.vast.decode().removeprefix(DECLARATION)}</vmap:VASTAdData>"
    return f'<vmap:AdTagURI templateType="vast4">{escaped(address)}</vmap:AdTagURI>'


def _offset(at: float | Share | str, where: str) -> str:
    if isinstance(at, Share) and 0 <= at.percent <= 100:
        return f"{at.percent}%"
    if isinstance(at, str) and at in ("start", "end"):
        return at
    if isinstance(at, (int, float)) and 0 <= at <= LONGEST:
        return clock(at)
    raise FalseworkError(
        f"stands at {at}", where=where, todo='Give seconds of one day, a share of 0 to 100, "start" or "end".'
    )
