"""Advertisements put into a media playlist, so that any player plays them: on demand, and live.

What comes from elsewhere begins with a discontinuity, and so does the programme after it. The tags of low
latency (parts, hints, blocking reloads) are left out, since they number segments as the origin does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from falsework.ads.hls.playlist import MediaPlaylist, Segment, attributes, nearest
from falsework.errors import FalseworkError

__all__ = ["Insertion", "LiveStitcher", "stitch"]

# A break that has been filled is no longer announced.
CUES = ("#EXT-OATCLS-SCTE35:", "#EXT-X-SCTE35:", "#EXT-X-CUE-OUT", "#EXT-X-CUE-IN")
LOW_LATENCY = (
    "#EXT-X-PART:",
    "#EXT-X-PART-INF:",
    "#EXT-X-PRELOAD-HINT:",
    "#EXT-X-RENDITION-REPORT:",
    "#EXT-X-SERVER-CONTROL:",
)
SLACK = 0.5  # seconds that an advertisement may be longer than what is left of a break


@dataclass(frozen=True)
class Insertion:
    """Advertisements before segment `first`, instead of the segments up to `until` (which stays)."""

    first: int
    until: int
    ads: tuple[MediaPlaylist, ...]

    @classmethod
    def at(
        cls, playlist: MediaPlaylist, seconds: float, ads: Sequence[MediaPlaylist], *, instead: float = 0.0
    ) -> Insertion:
        """At the segment boundary nearest to a time, instead of as many seconds of the programme."""
        starts = playlist.starts()
        if not 0 <= seconds <= starts[-1]:
            raise FalseworkError(
                f"a break at {seconds:g} s is outside the programme, which lasts {starts[-1]:g} s",
                where="playlist",
                todo="Give a time within it.",
            )
        first = nearest(starts, seconds)
        until = first if instead <= 0 else max(nearest(starts, starts[first] + instead), first)
        return cls(first, until, tuple(ads))


def stitch(playlist: MediaPlaylist, insertions: Sequence[Insertion]) -> MediaPlaylist:
    """A programme on demand with advertisements in it. Raises `FalseworkError` where breaks overlap or an
    advertisement cannot stand in this playlist."""
    segments: list[Segment] = []
    done = 0
    for one in sorted(insertions, key=lambda each: each.first):
        if one.first < done or one.until > len(playlist.segments):
            raise FalseworkError("two breaks overlap", where="playlist", todo="Leave one of them out.")
        segments += _programme(playlist, done, one.first, returns=bool(segments))
        segments += _advertisements(one.ads, playlist)
        done = one.until
    segments += _programme(playlist, done, len(playlist.segments), returns=bool(insertions))
    return _finished(playlist, segments)


class LiveStitcher:
    """A live stream's playlists, one after another, with advertisements in its breaks.

    One stands for one viewing of one rendition: what was shown stays shown, media sequence numbers go on, and
    the list is as long as the origin's. `insert` must be called before the break's first segment is given.
    """

    def __init__(self) -> None:
        self._window: deque[tuple[int, Segment]] = deque()  # with the origin's number at which each was due
        self._sequence = self._discontinuities = 0
        self._next: int | None = None
        self._pending: list[tuple[int, deque[Segment], int | None]] = []
        self._elapsed = 0.0  # of the programme, since the advertisements in hand began
        self._shown = 0.0
        self._away = False

    def insert(
        self, first: int, ads: Sequence[MediaPlaylist], *, within: MediaPlaylist, until: int | None = None
    ) -> None:
        """Advertisements from the origin's media sequence number `first` on, and no longer than `until`."""
        self._pending.append((first, deque(_advertisements(ads, within)), until))
        self._pending.sort(key=lambda one: one[0])

    def refresh(self, playlist: MediaPlaylist) -> MediaPlaylist:
        """The viewer's playlist for the origin's newest one."""
        if self._next is None:
            self._next = self._sequence = playlist.media_sequence
            self._discontinuities = playlist.discontinuity_sequence
        if playlist.media_sequence > self._next:
            self._away = True  # segments were missed: what comes is not what would have followed
            self._next = playlist.media_sequence
        for number, segment in enumerate(playlist.segments, playlist.media_sequence):
            if number >= self._next:
                self._take(number, segment)
                self._next = number + 1
        # The last one stays until another comes: a list is never empty while long advertisements are due.
        while len(self._window) > 1 and self._window[0][0] < playlist.media_sequence:
            _, gone = self._window.popleft()
            self._sequence += 1
            self._discontinuities += gone.discontinuity
        made = _finished(playlist, [segment for _, segment in self._window])
        return replace(made, media_sequence=self._sequence, discontinuity_sequence=self._discontinuities)

    def _take(self, number: int, segment: Segment) -> None:
        """One segment of the origin's: it is shown, or what stands in its place by then is."""
        if self._pending and number >= self._pending[0][0]:
            _, ads, until = self._pending[0]
            if ads and (until is None or number < until):
                self._elapsed += segment.duration
                while ads and self._shown + ads[0].duration <= self._elapsed + SLACK:
                    self._shown += ads[0].duration
                    self._window.append((number, ads.popleft()))
                self._away = True
                return
            self._pending.pop(0)
            self._elapsed = self._shown = 0.0
        plain = _plain(segment, number)
        self._window.append((number, _returning(plain, segment) if self._away else plain))
        self._away = False


def _programme(playlist: MediaPlaylist, first: int, until: int, *, returns: bool) -> list[Segment]:
    found = [_plain(playlist.segments[at], playlist.media_sequence + at) for at in range(first, until)]
    if found and returns:
        found[0] = _returning(found[0], playlist.segments[first])
    return found


def _advertisements(ads: Sequence[MediaPlaylist], within: MediaPlaylist) -> list[Segment]:
    fragmented = bool(within.segments and within.segments[0].map)
    found: list[Segment] = []
    for ad in ads:
        if not ad.segments or not ad.ended:
            raise FalseworkError(
                "is no finished playlist with segments", where="advertisement", todo="Give one on demand."
            )
        if any(bool(one.map) != fragmented for one in ad.segments):
            raise FalseworkError(
                "is of another container than the programme (fragmented MP4 or not)",
                where="advertisement",
                todo="Give a rendition in the programme's container.",
            )
        plain = [_plain(one, ad.media_sequence + at) for at, one in enumerate(ad.segments)]
        plain = [replace(one, tags=_without_dates(one.tags)) for one in plain]
        found += [replace(plain[0], discontinuity=True), *plain[1:]]
    return found


def _plain(segment: Segment, number: int) -> Segment:
    """Without cues and the tags of low latency, and with the initialisation vector that its number stood for,
    since the number changes (RFC 8216, 5.2)."""
    tags = tuple(tag for tag in segment.tags if not tag.startswith(LOW_LATENCY + CUES))
    keys = tuple(_with_vector(line, number) for line in segment.keys)
    return replace(segment, tags=tags, keys=keys)


def _with_vector(line: str, number: int) -> str:
    told = attributes(line.partition(":")[2])
    own = told.get("KEYFORMAT", "identity") == "identity" and told.get("METHOD") == "AES-128"
    return f"{line},IV=0x{number:032X}" if own and "IV" not in told else line


def _returning(segment: Segment, original: Segment) -> Segment:
    """The first segment after something else, with its date told anew."""
    tags = segment.tags
    if original.date is not None and not any(original.tagged("#EXT-X-PROGRAM-DATE-TIME")):
        date = original.date.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        tags = (f"#EXT-X-PROGRAM-DATE-TIME:{date}", *tags)
    return replace(segment, tags=tags, discontinuity=True)


def _without_dates(tags: Sequence[str]) -> tuple[str, ...]:
    """An advertisement's own dates and ranges mean nothing on the programme's clock."""
    return tuple(tag for tag in tags if not tag.startswith(("#EXT-X-PROGRAM-DATE-TIME", "#EXT-X-DATERANGE")))


def _finished(playlist: MediaPlaylist, segments: Sequence[Segment]) -> MediaPlaylist:
    head = tuple(tag for tag in playlist.head if not tag.startswith(LOW_LATENCY))
    tail = tuple(tag for tag in playlist.tail if not tag.startswith(LOW_LATENCY))
    return replace(playlist, segments=tuple(segments), head=head, tail=tail).retimed()
