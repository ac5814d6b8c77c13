"""A player's GET as an OpenRTB request, so that there is one way through consent, filters and decisions.

Parameters have OpenRTB's names where it has one, and the IAB's names for consent (`gdpr`, `gdpr_consent`,
`us_privacy`, `gpp`, `gpp_sid`). A macro that nobody filled in ([CACHEBUSTING], ${GDPR}, -1) counts as absent.

What a player says of a viewer or a break and cannot be read is treated on the safe side. Where it limits what
may be shown (lengths, consent, categories, files, floors), the request is refused, and the player gets a
house advertisement. Where without it only less can be shown (country, language, device, the second of the
programme), it counts as absent, and that is noted; so is a name that nobody knows.
"""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Mapping
from difflib import get_close_matches
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
from falsework.ads.openrtb.places import alpha_2
from falsework.ads.openrtb.validation import faults
from falsework.ads.opportunity import STILLS, Placement
from falsework.errors import FalseworkError

__all__ = ["KNOWN", "LONGEST_QUERY", "notes_of", "parameters", "request_of", "seconds_of"]

LONGEST_QUERY = 16_384  # bytes: consent strings are long
MOST_PARAMETERS = 64
DEFAULT_BREAK = 60  # seconds
LONGEST_BREAK = 1_800
LONGEST_PROGRAMME = 86_400
VIDEO_TYPES = ["video/mp4", "application/x-mpegURL", "application/vnd.apple.mpegurl", "video/webm"]
STILL_TYPES = ["image/png", "image/jpeg", "image/webp"]
# As players leave them, and what VAST 4.1 has for a macro that is unknown (-1) or may not be told (-2).
MACRO = re.compile(r"\[\w+\]|\$\{\w+\}|\{\{?\w+\}?\}|%%\w+%%|-[12]")
NO = frozenset({"", "0", "false", "no"})
MOST_NAMED, LONGEST_NAME = 3, 40  # names that others are compared with, and characters of each
OF_HLS = "_HLS_"  # the protocol's own parameters, which the player adds
CURRENCY = re.compile("[A-Za-z]{3}")
MIME = re.compile(r"[\w.+-]+/[\w.+-]+")
DOMAIN = re.compile(r"[\w-]+(\.[\w-]+)+")
REGION = re.compile("[A-Za-z0-9-]{1,6}")
LANGUAGE = re.compile("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
DEVICES = 8  # AdCOM 1.0, List: Device Types, the last
LARGEST, FASTEST = 16_384, 1_000_000  # pixels, kbit/s
NOT_READ = "cannot be read, and counts as absent"

KNOWN = frozenset({
    "acat", "api", "at", "badv", "bapp", "battr", "bcat", "bidfloor", "bidfloorcur", "breaks", "cattax",
    "content", "coppa", "country", "devicetype", "dnt", "duration", "episode", "gdpr", "gdpr_consent",
    "genre", "gpp", "gpp_sid", "h", "ifa", "kids", "language", "lmt", "maxbitrate", "maxduration", "maxseq",
    "mimes", "minbitrate", "minduration", "plcmt", "poddur", "protocols", "region", "rqddurs", "secure",
    "stream", "trace", "uid", "us_privacy", "w",
})  # fmt: skip


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
        value = value.strip()
        if value and (name.startswith(OF_HLS) or not MACRO.fullmatch(value)):
            found.setdefault(name, value)
    return found


def notes_of(given: Mapping[str, str]) -> tuple[str, ...]:
    """What of it is not as it was meant, in words, though the request can be answered."""
    # The name itself stays out: it may be somebody's, and notes are logged.
    strange = [name for name in given if name not in KNOWN and not name.startswith(OF_HLS)]
    near = {
        one
        for name in strange[:MOST_NAMED]
        for one in get_close_matches(name[:LONGEST_NAME].lower(), sorted(KNOWN), 1)
    }
    like = f" (is {', '.join(sorted(near))} meant?)" if near else ""
    notes = [f"names that are no parameters of this server: {len(strange)}{like}"] if strange else []
    notes += [
        f"{name}: {NOT_READ}"
        for name, read in (
            ("country", _country),
            ("region", _region),
            ("language", _language),
            ("devicetype", _device),
            ("at", _second),
        )
        if given.get(name) and read(given) is None
    ]
    return tuple(notes)


def request_of(given: Mapping[str, str], placement: Placement) -> BidRequest:
    """Raises `FalseworkError` naming the parameter that cannot be read."""
    stream = given.get("stream", "")
    placement = _placement(given, placement)
    request = BidRequest(
        id=stream or secrets.token_hex(8),
        imp=[Imp(id="1", bidfloor=_number(given, "bidfloor"),
                 bidfloorcur=_text(given, "bidfloorcur", CURRENCY, "is no code of a currency (EUR)"),
                 secure=_flag(given, "secure"), video=_video(given, placement))],
        app=App(name="player", content=_content(given)),
        device=Device(
            geo=Geo(country=_country(given), region=_region(given)),
            devicetype=_device(given),
            language=_language(given),
            ifa=given.get("ifa"),
            lmt=_flag(given, "lmt"),
            dnt=_flag(given, "dnt"),
        ),
        user=User(id=given.get("uid"), consent=given.get("gdpr_consent")),
        regs=Regs(
            coppa=_flag(given, "coppa"),
            gdpr=_gdpr(given),
            us_privacy=given.get("us_privacy"),
            gpp=given.get("gpp"),
            gpp_sid=_several(given, "gpp_sid") or None,
        ),
        source=Source(ext={"stream": stream}) if stream else None,
        bcat=_names(given, "bcat"),
        acat=_names(given, "acat"),
        cattax=_whole(given, "cattax", 1, 10_000),
        badv=_names(given, "badv", DOMAIN, "holds what is no domain (shoes.example)"),
        bapp=_names(given, "bapp"),
        ext={"kids": True} if given.get("kids", "").lower() not in NO else None,
    )  # fmt: skip
    for field, what in faults(request):
        raise _refusal(field.rpartition(".")[2], what)
    return request


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
    mimes = _names(given, "mimes", MIME, "holds what is no MIME type (video/mp4)")
    second = _second(given)
    length = _whole(given, "poddur", 1, LONGEST_BREAK) or _whole(given, "duration", 1, LONGEST_BREAK)
    video = Video(
        mimes=mimes or (STILL_TYPES if still else VIDEO_TYPES),
        plcmt=int(placement),
        startdelay=second,
        battr=_several(given, "battr") or None,
        protocols=_several(given, "protocols") or None,
        api=_several(given, "api") or None,
        w=_whole(given, "w", 0, LARGEST),
        h=_whole(given, "h", 0, LARGEST),
        linearity=2,
    )
    if still:
        return video
    video.linearity = 1
    video.poddur = length or DEFAULT_BREAK
    video.maxseq = _whole(given, "maxseq", 1, 100)
    video.minduration = _whole(given, "minduration", 0, LONGEST_BREAK)
    video.maxduration = _whole(given, "maxduration", 0, LONGEST_BREAK)
    video.rqddurs = _several(given, "rqddurs") or None
    video.minbitrate = _whole(given, "minbitrate", 0, FASTEST)
    video.maxbitrate = _whole(given, "maxbitrate", 0, FASTEST)
    return video


def _content(given: Mapping[str, str]) -> Content | None:
    title, episode = given.get("content"), given.get("episode")
    if not title and not given.get("genre"):
        return None
    return Content(id=f"{title}#{episode}" if episode else title, genre=given.get("genre"))


def _placement(given: Mapping[str, str], placement: Placement) -> Placement:
    asked = _whole(given, "plcmt", 1, max(Placement))
    return placement if asked is None else Placement(asked)


# Without these only less can be shown: None where they are not given, or cannot be read.


def _country(given: Mapping[str, str]) -> str | None:
    return given.get("country") if alpha_2(given.get("country", "")) else None


def _region(given: Mapping[str, str]) -> str | None:
    return given.get("region") if REGION.fullmatch(given.get("region", "")) else None


def _language(given: Mapping[str, str]) -> str | None:
    return given.get("language") if LANGUAGE.fullmatch(given.get("language", "")) else None


def _device(given: Mapping[str, str]) -> int | None:
    return _or_none(given, "devicetype", 1, DEVICES)


def _second(given: Mapping[str, str]) -> int | None:
    return _or_none(given, "at", 0, LONGEST_PROGRAMME)


def _or_none(given: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    try:
        return _whole(given, name, least, most)
    except FalseworkError:
        return None


# The others are refused where they cannot be read.


def _whole(given: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    """Parts of a second are left off."""
    value = given.get(name)
    if not value:
        return None
    number = _finite(name, value, "whole number")
    if not least <= number <= most:
        raise _refusal(name, f"must be from {least} to {most}")
    return int(number)


def _flag(given: Mapping[str, str], name: str) -> int | None:
    value = given.get(name)
    if not value:
        return None
    if value not in ("0", "1"):
        raise _refusal(name, "is neither 0 nor 1")
    return int(value)


def _gdpr(given: Mapping[str, str]) -> int | None:
    """Who is in a country that cannot be read may be where the GDPR holds."""
    said = _flag(given, "gdpr")
    return 1 if said is None and given.get("country") and _country(given) is None else said


def _number(given: Mapping[str, str], name: str) -> float:
    number = _finite(name, given.get(name) or "0", "price")
    if not 0 <= number < 1e9:
        raise _refusal(name, "is no price")
    return number


def _finite(name: str, value: str, what: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _refusal(name, f"is no {what}")
    return number


def _several(given: Mapping[str, str], name: str) -> list[int]:
    value = given.get(name)
    if not value:
        return []
    try:
        found = [int(one) for one in value.split(",")[:32]]
    except ValueError as error:
        raise _refusal(name, "is no list of whole numbers (15,30)") from error
    if any(one < 0 for one in found):
        raise _refusal(name, "holds a number below 0")
    return found


def _names(
    given: Mapping[str, str], name: str, form: re.Pattern[str] | None = None, wrong: str = ""
) -> list[str] | None:
    found = [one.strip() for one in given.get(name, "").split(",") if one.strip()]
    if form is not None and not all(form.fullmatch(one) for one in found):
        raise _refusal(name, wrong)
    return found or None


def _text(given: Mapping[str, str], name: str, form: re.Pattern[str], wrong: str) -> str | None:
    value = given.get(name)
    if value and not form.fullmatch(value):
        raise _refusal(name, wrong)
    return value or None


def _refusal(field: str, what: str) -> FalseworkError:
    """The value itself stays out: it may be a person's."""
    return FalseworkError(what, where=field, todo="The parameters are described in docs/ads.md.")
