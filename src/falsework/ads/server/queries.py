"""A player's GET as an OpenRTB request, so that there is one way through consent, filters and decisions.

Parameters have OpenRTB's names where it has one, and the IAB's names for consent (`gdpr`, `gdpr_consent`,
`us_privacy`, `gpp`, `gpp_sid`). One that is not known is read over; one that cannot be read is refused, and
the player then gets a house advertisement.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl

from falsework.ads.openrtb.objects import (
    App,
    BidRequest,
    Content,
    Device,
    Geo,
    Imp,
    Regs,
    Source,
    User,
    Video,
)
from falsework.ads.opportunity import STILLS, Placement
from falsework.errors import FalseworkError

__all__ = ["LONGEST_QUERY", "parameters", "request_of", "seconds_of"]

LONGEST_QUERY = 16_384  # bytes: consent strings are long
MOST_PARAMETERS = 64
DEFAULT_BREAK = 60  # seconds
LONGEST_BREAK = 1_800
LONGEST_PROGRAMME = 86_400
VIDEO_TYPES = ["video/mp4", "application/x-mpegURL", "application/vnd.apple.mpegurl", "video/webm"]
STILL_TYPES = ["image/png", "image/jpeg", "image/webp"]


def parameters(query: bytes) -> dict[str, str]:
    """The first of each name. Raises `FalseworkError` for what is no query."""
    if len(query) > LONGEST_QUERY:
        raise _refusal("query", f"is longer than {LONGEST_QUERY} bytes")
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS, errors="strict"
        )
    except (ValueError, UnicodeDecodeError) as error:
        raise _refusal("query", "cannot be read") from error
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


def request_of(given: Mapping[str, str], placement: Placement) -> BidRequest:
    """Raises `FalseworkError` naming the parameter that cannot be read."""
    stream = given.get("stream", "")
    placement = _placement(given, placement)
    return BidRequest(
        id=stream or secrets.token_hex(8),
        imp=[Imp(id="1", bidfloor=_number(given, "bidfloor"), bidfloorcur=given.get("bidfloorcur"),
                 video=_video(given, placement))],
        app=App(name="player", content=_content(given)),
        device=Device(
            geo=Geo(country=given.get("country"), region=given.get("region")),
            devicetype=_whole(given, "devicetype"),
            language=given.get("language"),
            ifa=given.get("ifa"),
            lmt=_whole(given, "lmt"),
            dnt=_whole(given, "dnt"),
        ),
        user=User(id=given.get("uid"), consent=given.get("gdpr_consent")),
        regs=Regs(
            coppa=_whole(given, "coppa"),
            gdpr=_whole(given, "gdpr"),
            us_privacy=given.get("us_privacy"),
            gpp=given.get("gpp"),
            gpp_sid=_several(given, "gpp_sid") or None,
        ),
        source=Source(ext={"stream": stream}) if stream else None,
        bcat=given["bcat"].split(",") if given.get("bcat") else None,
        cattax=_whole(given, "cattax") or 8,
        badv=given["badv"].split(",") if given.get("badv") else None,
        ext={"kids": True} if given.get("kids") not in (None, "", "0", "false") else None,
    )  # fmt: skip


def seconds_of(text: str) -> float:
    """Of a programme. Raises `FalseworkError` for what is none."""
    try:
        seconds = float(text)
    except ValueError as error:
        raise _refusal("breaks", "needs seconds, start and end") from error
    if not 0 <= seconds < LONGEST_PROGRAMME:
        raise _refusal("breaks", "has a second outside a day")
    return seconds


def _video(given: Mapping[str, str], placement: Placement) -> Video:
    still = placement in STILLS
    mimes = given["mimes"].split(",") if given.get("mimes") else STILL_TYPES if still else VIDEO_TYPES
    second = _whole(given, "at")
    if still:
        return Video(mimes=mimes, plcmt=int(placement), startdelay=second, linearity=2)
    duration = _whole(given, "poddur") or _whole(given, "duration") or DEFAULT_BREAK
    if not 0 < duration <= LONGEST_BREAK:
        raise _refusal("duration", f"is {duration}, and must be from 1 to {LONGEST_BREAK} seconds")
    lengths = _several(given, "rqddurs")
    return Video(
        mimes=mimes,
        plcmt=int(placement),
        startdelay=second,
        poddur=duration,
        maxseq=_whole(given, "maxseq"),
        minduration=_whole(given, "minduration"),
        maxduration=_whole(given, "maxduration"),
        rqddurs=lengths or None,
        battr=_several(given, "battr") or None,
        protocols=_several(given, "protocols") or None,
        linearity=1,
    )


def _content(given: Mapping[str, str]) -> Content | None:
    title, episode = given.get("content"), given.get("episode")
    if not title and not given.get("genre"):
        return None
    return Content(id=f"{title}#{episode}" if episode else title, genre=given.get("genre"))


def _placement(given: Mapping[str, str], placement: Placement) -> Placement:
    asked = _whole(given, "plcmt")
    if asked is None:
        return placement
    try:
        return Placement(asked)
    except ValueError as error:
        raise _refusal("plcmt", f"is {asked}, which AdCOM does not have") from error


def _whole(given: Mapping[str, str], name: str) -> int | None:
    value = given.get(name)
    if not value:
        return None
    try:
        return int(float(value))
    except (ValueError, OverflowError) as error:
        raise _refusal(name, "is no number") from error


def _number(given: Mapping[str, str], name: str) -> float:
    value = given.get(name) or "0"
    try:
        number = float(value)
    except ValueError as error:
        raise _refusal(name, "is no number") from error
    if not 0 <= number < 1e9:
        raise _refusal(name, "is no price")
    return number


def _several(given: Mapping[str, str], name: str) -> list[int]:
    value = given.get(name)
    if not value:
        return []
    try:
        return [int(one) for one in value.split(",")[:32]]
    except ValueError as error:
        raise _refusal(name, "is no list of whole numbers") from error


def _refusal(field: str, what: str) -> FalseworkError:
    return FalseworkError(what, where=field, todo="The parameters are described in docs/ads.md.")
