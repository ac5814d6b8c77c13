"""The forms a player may have a break in: VAST, or the list of assets of an HLS interstitial."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from falsework.ads.decision.engine import Chosen, Decision
from falsework.ads.hls.interstitials import HLS_TYPES, Asset, asset_list
from falsework.ads.measurement.beacons import Signer
from falsework.ads.opportunity import Activity
from falsework.ads.server.queries import DEFAULT_BREAK
from falsework.ads.vast.response import LINEAR_EVENTS, vast
from falsework.ads.vast.text import web_address
from falsework.ads.vast.tracking import beacon
from falsework.errors import FalseworkError

__all__ = ["AS_ASSETS", "AS_VAST", "Form"]

Query = Mapping[str, str]
# VAST's names for what players say while an asset plays, as the creative signalling of the Streaming Video
# Technology Alliance (SVTA 2053-2) takes them over: it has nothing to close.
EVENTS = tuple(event for event in LINEAR_EVENTS if event != "closeLinear")
IDENTIFIED = "urn:falsework:creative"  # the scheme of an identifier where no registry knows the creative


@dataclass(frozen=True)
class Form:
    """`read` a player's parameters as those of `/vast`, None where nothing is left to be filled. `write` what
    was decided; and what of it has no place in this form, and so is not shown. `nothing` is the empty form.
    """

    kind: bytes
    read: Callable[[Query], Query | None]
    write: Callable[[Decision, Signer], tuple[bytes, Sequence[Chosen]]]
    nothing: bytes


def _as_vast(decision: Decision, signer: Signer) -> tuple[bytes, Sequence[Chosen]]:
    return vast(decision, signer), ()


def _read_assets(given: Query) -> Query | None:
    """A player that joins a live stream inside a break says by how many seconds (`_HLS_start_offset`): only
    the rest of the break is filled. Its playback (`_HLS_primary_id`) is the stream, where none is given."""
    length = _seconds(given, "poddur") or _seconds(given, "duration") or float(DEFAULT_BREAK)
    left = length - _seconds(given, "_HLS_start_offset")
    if left < 1:
        return None
    told = {name: value for name, value in given.items() if name not in ("poddur", "_HLS_start_offset")}
    told |= {"duration": str(int(left)), "mimes": ",".join(sorted(HLS_TYPES))}
    if not told.get("stream") and told.get("_HLS_primary_id"):
        told["stream"] = told["_HLS_primary_id"]
    return told


def _write_assets(decision: Decision, signer: Signer) -> tuple[bytes, Sequence[Chosen]]:
    """Advertisements that are no playlists cannot be in a list: partners' wrappers, or a house's files."""
    assets, left_out = [], []
    for chosen in decision.chosen:
        creative = chosen.row.creative
        playlists = (web_address(file[0]) for file in creative.media if file[1].lower() in HLS_TYPES)
        address = next(filter(None, playlists), "")
        if address:
            assets.append(Asset(address, creative.duration, _signalling(decision, chosen, signer)))
        else:
            left_out.append(chosen)
    return asset_list(assets), left_out


def _signalling(decision: Decision, chosen: Chosen, signer: Signer) -> dict[str, object]:
    """Who is to be told of what, for players that know it; others read over it."""
    creative, viewer = chosen.row.creative, decision.asked.viewer
    packed = signer.packed(beacon(decision, chosen))
    impressions = [signer.url(packed, "impression")]
    if viewer.permissions.allows(Activity.MEASURE) and not viewer.kids:
        impressions += filter(None, map(web_address, creative.impressions))
    registry, value = creative.universal_ad_id
    known = registry not in ("", "unknown")
    tracking = [{"type": "impression", "urls": impressions}]
    tracking += [{"type": kind, "urls": [signer.url(packed, kind)]} for kind in EVENTS]
    slot: dict[str, object] = {
        "type": "linear",
        "start": 0,
        "duration": round(creative.duration, 3),
        "identifiers": [
            {"scheme": registry if known else IDENTIFIED, "value": value if known else creative.id}
        ],
        "tracking": tracking,
    }
    click = web_address(creative.click_through)
    if click:
        slot["clickThrough"] = click
        tracking.append({"type": "click", "urls": [signer.url(packed, "click")]})
    return {"version": 2, "type": "slot", "payload": [slot]}


def _seconds(given: Query, name: str) -> float:
    """0.0 where it is not given."""
    try:
        seconds = float(given.get(name) or 0)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise FalseworkError("is no number of seconds", where=name, todo="See docs/ads.md.")
    return seconds


AS_VAST = Form(
    b"application/xml",
    lambda given: given,
    _as_vast,
    b'<VAST xmlns="http://www.iab.com/VAST" version="4.2"/>',
)
AS_ASSETS = Form(b"application/json", _read_assets, _write_assets, asset_list(()))
