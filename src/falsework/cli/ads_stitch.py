"""`falsework ads stitch`: a break put into a media playlist, or offered to the player as an interstitial."""

from __future__ import annotations

import argparse
import math
import os
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from falsework.cli.ads_input import STDIN, not_installed, read_input
from falsework.cli.output import write_out
from falsework.errors import FalseworkError

if TYPE_CHECKING:
    from falsework.ads.hls.cues import Cue
    from falsework.ads.hls.playlist import MediaPlaylist, Segment

__all__ = ["add"]


def add(tasks: Any, shared: argparse.ArgumentParser) -> None:
    parser = tasks.add_parser(
        "stitch", parents=[shared], help="advertisements into an HLS media playlist, at its cues or at a time"
    )
    parser.add_argument(
        "playlist", metavar="PLAYLIST", help='a media playlist (.m3u8); "-" reads standard input'
    )
    parser.add_argument(
        "--ad",
        action="append",
        default=[],
        metavar="FILE.m3u8",
        help="an advertisement's media playlist; again for more",
    )
    parser.add_argument(
        "--list", metavar="URL", help="no stitching: interstitials, whose X-ASSET-LIST leads to this address"
    )
    parser.add_argument(
        "--at", action="append", type=_seconds, default=[], metavar="SECONDS",
        help="where a break is; again for more (default: where the playlist has cues)",
    )  # fmt: skip
    parser.add_argument(
        "--instead", type=_seconds, default=0.0, metavar="SECONDS",
        help="of the programme that each break at --at replaces (default: none)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FILE", help="write here (default: standard output)")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> dict[str, Any]:
    if bool(given.ad) == (given.list is not None):
        raise FalseworkError(
            "give either advertisements or a list", where="ads stitch", todo="Say --ad or --list."
        )
    try:
        from falsework.ads.hls.cues import cues_in
    except ImportError as error:
        raise not_installed(error) from error
    playlist = _read(given.playlist)
    cues = cues_in(playlist) if not given.at else ()
    if not given.at and not cues:
        raise FalseworkError(
            "has no cues (EXT-X-CUE-OUT, EXT-OATCLS-SCTE35, or EXT-X-DATERANGE with SCTE-35)",
            where=given.playlist,
            todo="Say where the breaks are with --at.",
        )
    made = _offered(given, playlist, cues) if given.list is not None else _stitched(given, playlist, cues)
    text = str(made)
    if given.out is None:
        if not given.json:
            write_out(text)
    else:
        _write(given.out, text)
        if not given.quiet and not given.json:
            write_out(f"{given.out}: {_told(playlist, made, cues, given)}\n")
    answer: dict[str, Any] = {
        "breaks": len(given.at) or len(cues),
        "segments": len(made.segments),
        "seconds": round(made.starts()[-1], 3),
    }
    return answer | ({"out": str(given.out)} if given.out else {"playlist": text})


def _offered(given: argparse.Namespace, playlist: MediaPlaylist, cues: Iterable[Cue]) -> MediaPlaylist:
    from falsework.ads.hls.cues import Cue
    from falsework.ads.hls.interstitials import with_interstitials
    from falsework.ads.hls.stitching import Insertion

    starts = playlist.starts()
    if given.at:
        found = [Insertion.at(playlist, at, (), instead=given.instead) for at in given.at]
        cues = [
            Cue(id=f"break-{number}", first=one.first, starts=starts[one.first], until=one.until)
            for number, one in enumerate(found, 1)
        ]
    return with_interstitials(playlist, tuple(cues), asset_list_of=lambda cue: given.list)


def _stitched(given: argparse.Namespace, playlist: MediaPlaylist, cues: Iterable[Cue]) -> MediaPlaylist:
    from falsework.ads.hls.stitching import Insertion, LiveStitcher, stitch

    folder = given.out.parent if given.out else Path()
    ads = [_moved(_read(name), Path(name).parent, folder) for name in given.ad]
    if given.playlist != STDIN:
        playlist = _moved(playlist, Path(given.playlist).parent, folder)
    if playlist.ended:
        insertions = [Insertion.at(playlist, at, ads, instead=given.instead) for at in given.at]
        insertions += [
            Insertion(cue.first, cue.first if cue.until is None else cue.until, tuple(ads)) for cue in cues
        ]
        return stitch(playlist, insertions)
    live = LiveStitcher()
    for cue in cues:
        until = None if cue.until is None else playlist.media_sequence + cue.until
        live.insert(playlist.media_sequence + cue.first, ads, within=playlist, until=until)
    for at in given.at:
        one = Insertion.at(playlist, at, ads)
        live.insert(playlist.media_sequence + one.first, ads, within=playlist)
    return live.refresh(playlist)


def _told(
    playlist: MediaPlaylist, made: MediaPlaylist, cues: Iterable[Cue], given: argparse.Namespace
) -> str:
    breaks = len(given.at) or len(tuple(cues))
    count = "1 break" if breaks == 1 else f"{breaks} breaks"
    how = "offered as interstitials" if given.list is not None else "stitched in"
    return (
        f"{count} {how}; {len(playlist.segments)} segments of {playlist.starts()[-1]:g} s "
        f"have become {len(made.segments)} of {made.starts()[-1]:g} s"
    )


def _read(name: str) -> MediaPlaylist:
    from falsework.ads.hls.playlist import read_playlist

    where = "standard input" if name == STDIN else name
    try:
        text = read_input(name).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FalseworkError(
            "is no text in UTF-8", where=where, todo="Give a media playlist of HTTP Live Streaming."
        ) from error
    playlist = read_playlist(text, where=where)
    if not playlist.segments:
        raise FalseworkError("has no segments", where=where, todo="Give a media playlist with some.")
    return playlist


def _moved(playlist: MediaPlaylist, old: Path, new: Path) -> MediaPlaylist:
    """Relative addresses hold from where the result stands."""
    if os.path.relpath(old, new) == ".":
        return playlist

    def moved(uri: str) -> str:
        if urlsplit(uri).scheme or uri.startswith("/"):
            return uri
        return Path(os.path.relpath(old / uri, new)).as_posix()

    def line(tag: str) -> str:
        return re.sub(r'URI="([^"]*)"', lambda found: f'URI="{moved(found[1])}"', tag)

    def segment(one: Segment) -> Segment:
        return replace(one, uri=moved(one.uri), map=line(one.map), keys=tuple(map(line, one.keys)))

    return replace(playlist, segments=tuple(map(segment, playlist.segments)))


def _write(path: Path, text: str) -> None:
    from falsework.media.atomic import write_text

    write_text(path, text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f'"{text}" is no number of seconds')
    return seconds
