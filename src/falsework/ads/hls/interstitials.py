"""Interstitials: advertisements that a player fetches for itself when it comes to a date range.

draft-pantos-hls-rfc8216bis, Appendix D.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import msgspec

from falsework.ads.decision.engine import Decision
from falsework.ads.hls.cues import Cue
from falsework.ads.hls.playlist import MediaPlaylist
from falsework.ads.scte35.codec import encode
from falsework.ads.scte35.section import SpliceInfoSection
from falsework.ads.vast.text import web_address
from falsework.errors import FalseworkError

__all__ = [
    "HLS_TYPES",
    "Asset",
    "Interstitial",
    "SkipControl",
    "asset_list",
    "assets_of",
    "date_range",
    "with_interstitials",
]

CLASS = "com.apple.hls.interstitial"
SIGNALLING = "X-AD-CREATIVE-SIGNALING"
HLS_TYPES = frozenset({"application/x-mpegurl", "application/vnd.apple.mpegurl"})
NOT_QUOTABLE = re.compile('[\r\n"]')
LABEL = re.compile("[A-Za-z_-]+")
SNAPS, RESTRICTIONS, TRIGGERS = ("OUT", "IN"), ("SKIP", "JUMP"), ("PRE", "POST", "ONCE")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Asset(msgspec.Struct, frozen=True):
    """One advertisement as a playlist of its own; `duration` in seconds. `signalling`: whom to tell of what,
    as SVTA 2053-2 has it, for players that know it."""

    uri: str
    duration: float
    signalling: dict[str, object] | None = None


class SkipControl(msgspec.Struct, frozen=True, kw_only=True):
    """A button to skip with, after `offset` seconds, for `duration` seconds; None: to the end."""

    offset: int
    duration: int | None = None
    label: str = ""


class Interstitial(msgspec.Struct, frozen=True, kw_only=True):
    """One date range of the class. Exactly one of `asset_uri` (absolute) and `asset_list` (may be relative).

    `resume_offset` None: go on after as long as the advertisements took, as live streams want it; 0.0 where
    the programme goes on where it was left. `out`, `back` and `command` are SCTE-35 cues to be told with it.
    """

    id: str
    at: datetime
    asset_uri: str = ""
    asset_list: str = ""
    duration: float | None = None
    planned_duration: float | None = None
    resume_offset: float | None = None
    playout_limit: float | None = None
    snap: tuple[str, ...] = ()
    restrict: tuple[str, ...] = ()
    cue: tuple[str, ...] = ()
    skip: SkipControl | None = None
    out: SpliceInfoSection | None = None
    back: SpliceInfoSection | None = None
    command: SpliceInfoSection | None = None


def date_range(one: Interstitial) -> str:
    """The EXT-X-DATERANGE tag. Raises `FalseworkError` for what the draft does not allow."""
    where = f'interstitial "{one.id}"'
    if not one.id or one.at.tzinfo is None:
        raise _refused("needs an id and a date with its time zone", where)
    if bool(one.asset_uri) == bool(one.asset_list):
        raise _refused("needs an asset or a list of assets, and not both", where)
    if "PRE" in one.cue and "POST" in one.cue:
        raise _refused("cannot be played before and after the programme both", where)
    parts = [
        f"ID={_quoted(one.id, where)}",
        f'CLASS="{CLASS}"',
        f'START-DATE="{one.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")}"',
    ]
    for name, seconds in (("DURATION", one.duration), ("PLANNED-DURATION", one.planned_duration)):
        if seconds is not None:
            parts.append(f"{name}={_number(seconds, where)}")
    if one.cue:
        parts.append(f"CUE={_listed(one.cue, TRIGGERS, where)}")
    if one.asset_uri:
        address = web_address(one.asset_uri)
        if not address:
            raise _refused("needs an absolute address of its asset", where)
        parts.append(f"X-ASSET-URI={_quoted(_identified(address, one.id), where)}")
    else:
        parts.append(f"X-ASSET-LIST={_quoted(_identified(one.asset_list, one.id), where)}")
    if one.resume_offset is not None:
        parts.append(f"X-RESUME-OFFSET={_number(one.resume_offset, where, signed=True)}")
    if one.playout_limit is not None:
        parts.append(f"X-PLAYOUT-LIMIT={_number(one.playout_limit, where)}")
    if one.snap:
        parts.append(f"X-SNAP={_listed(one.snap, SNAPS, where)}")
    if one.restrict:
        parts.append(f"X-RESTRICT={_listed(one.restrict, RESTRICTIONS, where)}")
    if one.skip is not None:
        parts += [
            f"X-SKIP-CONTROL-{name}={value}" for name, value in _skip(one.skip, where, quoted=True).items()
        ]
    for name, section in (("CMD", one.command), ("OUT", one.out), ("IN", one.back)):
        if section is not None:
            parts.append(f"SCTE35-{name}=0x{encode(section).hex().upper()}")
    return f"#EXT-X-DATERANGE:{','.join(parts)}"


def asset_list(
    assets: Iterable[Asset], *, start_offset: float = 0.0, skip: SkipControl | None = None
) -> bytes:
    """The JSON that X-ASSET-LIST leads to.

    `start_offset`: what the player's `_HLS_start_offset` says, the seconds of the break that are over when it
    joins a live stream. An advertisement that would have begun by then is left out whole: a part of one is
    worth nothing to whoever pays for it.
    """
    listed: list[dict[str, object]] = []
    starts = 0.0
    for one in assets:
        if starts >= start_offset:
            told = {"URI": one.uri, "DURATION": round(one.duration, 3)}
            listed.append(told if one.signalling is None else {**told, SIGNALLING: one.signalling})
        starts += one.duration
    answer: dict[str, object] = {"ASSETS": listed}
    if skip is not None:
        answer["SKIP-CONTROL"] = _skip(skip, "asset list", quoted=False)
    return json.dumps(answer).encode()


def assets_of(decision: Decision) -> tuple[Asset, ...]:
    """The advertisements that are there as playlists; others cannot be interstitials."""
    found = []
    for chosen in decision.chosen:
        creative = chosen.row.creative
        uris = (web_address(file[0]) for file in creative.media if file[1].lower() in HLS_TYPES)
        uri = next(filter(None, uris), "")
        if uri:
            found.append(Asset(uri, creative.duration))
    return tuple(found)


def with_interstitials(
    playlist: MediaPlaylist,
    cues: Sequence[Cue],
    *,
    asset_list_of: Callable[[Cue], str],
    live: bool | None = None,
) -> MediaPlaylist:
    """The playlist with an interstitial for each break; `asset_list_of` gives where its list is to be had.

    Date ranges need dates: a programme on demand without them begins in 1970. In a live stream the
    advertisements stand instead of what is broadcast; on demand the programme goes on where it was left, or
    where the break ends if its end is in the playlist.
    """
    live = not playlist.ended if live is None else live
    starts = playlist.starts()
    segments = list(playlist.segments)
    if segments and segments[0].date is None:
        if live:
            raise _refused(
                "has no EXT-X-PROGRAM-DATE-TIME, which interstitials of live streams need", "playlist"
            )
        dated = f"#EXT-X-PROGRAM-DATE-TIME:{EPOCH.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}"
        segments[0] = replace(segments[0], tags=(dated, *segments[0].tags), date=EPOCH)
    for cue in cues:
        begins = segments[0].date
        replaced = 0.0 if cue.until is None else starts[cue.until] - starts[cue.first]
        at = cue.date or (begins + timedelta(seconds=cue.starts) if begins is not None else EPOCH)
        tag = date_range(
            Interstitial(
                id=f"{cue.id}-ads",
                at=at - timedelta(seconds=cue.elapsed),
                asset_list=asset_list_of(cue),
                planned_duration=cue.duration,
                playout_limit=cue.duration,
                resume_offset=None if live else replaced,
                snap=SNAPS if live else (),
                restrict=RESTRICTIONS,
            )
        )
        place = min(cue.first, len(segments) - 1)
        segments[place] = replace(segments[place], tags=(tag, *segments[place].tags))
    return replace(playlist, segments=tuple(segments))


def _identified(address: str, identifier: str) -> str:
    """With the query that tells a server which date range it answers for (D.4)."""
    mark = "&" if "?" in address else "?"
    return f"{address}{mark}_HLS_interstitial_id={quote(identifier, safe='')}"


def _skip(skip: SkipControl, where: str, *, quoted: bool) -> dict[str, object]:
    if skip.offset < 0 or (skip.duration is not None and skip.duration < 0):
        raise _refused("has a button to skip with at a negative time", where)
    told: dict[str, object] = {"OFFSET": skip.offset}
    if skip.duration is not None:
        told["DURATION"] = skip.duration
    if skip.label:
        if not LABEL.fullmatch(skip.label):
            raise _refused(f'has a label, "{skip.label}", that is not of letters, "-" and "_"', where)
        told["LABEL-ID"] = f'"{skip.label}"' if quoted else skip.label
    return told


def _quoted(text: str, where: str) -> str:
    if NOT_QUOTABLE.search(text):
        raise _refused("holds a quotation mark or the end of a line, which no attribute can", where)
    return f'"{text}"'


def _listed(names: Sequence[str], known: Sequence[str], where: str) -> str:
    strange = [name for name in names if name not in known]
    if strange:
        raise _refused(f'knows no "{strange[0]}", only {", ".join(known)}', where)
    return f'"{",".join(names)}"'


def _number(seconds: float, where: str, *, signed: bool = False) -> str:
    if not abs(seconds) < 1e9 or (seconds < 0 and not signed):
        raise _refused(f"has a time of {seconds} seconds", where)
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def _refused(what: str, where: str) -> FalseworkError:
    return FalseworkError(what, where=where, todo="See Appendix D of RFC 8216's second edition.")
