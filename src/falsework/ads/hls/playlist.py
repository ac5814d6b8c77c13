"""Media playlists of HTTP Live Streaming: their lines, and what they mean (RFC 8216).

Every tag is kept as it was written, whether it is known here or not: libraries that read into objects drop
what they do not know, and with it the `CUE` of a date range.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from falsework.errors import FalseworkError

__all__ = ["LARGEST", "MediaPlaylist", "Segment", "attributes", "nearest", "read_playlist"]

LARGEST = 8 * 1024 * 1024  # characters
NOT_ENCRYPTED = "#EXT-X-KEY:METHOD=NONE"
# Tags of the playlist as a whole that stand as they are; the others of that sort have fields of their own.
OF_THE_WHOLE = frozenset(
    f"#EXT-X-{name}"
    for name in (
        "PLAYLIST-TYPE",
        "I-FRAMES-ONLY",
        "INDEPENDENT-SEGMENTS",
        "START",
        "DEFINE",
        "ALLOW-CACHE",
        "SERVER-CONTROL",
        "PART-INF",
    )
)
ATTRIBUTE = re.compile(r'\s*([A-Za-z0-9-]+)\s*=\s*("[^"]*"|[^,]*)\s*(?:,|$)')
LENGTH = re.compile(r"\d{1,6}(\.\d*)?")
RANGE = re.compile(r"(\d+)(?:@(\d+))?")


@dataclass(frozen=True)
class Segment:
    """`tags` are its lines before the address, but keys, map and the mark of a discontinuity, which depend on
    what stands before. `keys` and `map` are the lines in force for it. `date`: of its first moment, told or
    reckoned from one told before."""

    uri: str
    duration: float
    tags: tuple[str, ...]
    keys: tuple[str, ...] = ()
    map: str = ""
    discontinuity: bool = False
    date: datetime | None = None

    def tagged(self, name: str) -> Iterator[str]:
        """What stands behind the colon in each of its tags of that name."""
        for tag in self.tags:
            head, _, rest = tag.partition(":")
            if head == name:
                yield rest


@dataclass(frozen=True)
class MediaPlaylist:
    """`head` are tags of the whole, `tail` those behind the last segment. Durations in seconds."""

    segments: tuple[Segment, ...]
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    version: int = 3
    target_duration: int = 0
    media_sequence: int = 0
    discontinuity_sequence: int = 0
    ended: bool = False

    def starts(self) -> list[float]:
        """When each segment begins, and at the end when the last one is over (n + 1)."""
        return list(accumulate((one.duration for one in self.segments), initial=0.0))

    def __str__(self) -> str:
        lines = ["#EXTM3U", f"#EXT-X-VERSION:{self.version}", f"#EXT-X-TARGETDURATION:{self.target_duration}"]
        if self.media_sequence:
            lines.append(f"#EXT-X-MEDIA-SEQUENCE:{self.media_sequence}")
        if self.discontinuity_sequence:
            lines.append(f"#EXT-X-DISCONTINUITY-SEQUENCE:{self.discontinuity_sequence}")
        lines += self.head
        keys: tuple[str, ...] = ()
        initialised = ""
        for one in self.segments:
            if one.discontinuity:
                lines.append("#EXT-X-DISCONTINUITY")
            if one.keys != keys:
                lines += one.keys or (NOT_ENCRYPTED,)
            if one.map and one.map != initialised:
                lines.append(one.map)
            keys, initialised = one.keys, one.map
            lines += [*one.tags, one.uri]
        lines += self.tail
        if self.ended:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"

    def retimed(self) -> MediaPlaylist:
        """With a target duration that no segment exceeds when rounded, as RFC 8216 demands in 4.3.3.1."""
        longest = max((math.floor(one.duration + 0.5) for one in self.segments), default=1)
        return replace(self, target_duration=max(self.target_duration, longest, 1))


def attributes(text: str) -> dict[str, str]:
    """An attribute list; quoted values without their quotation marks."""
    return {name: value.strip().strip('"') for name, value in ATTRIBUTE.findall(text)}


def read_playlist(text: str, *, where: str = "playlist") -> MediaPlaylist:
    """Raises `FalseworkError` for what is no media playlist, with the line."""
    if len(text) > LARGEST:
        raise _refused(f"has {len(text):,} characters, and {LARGEST:,} at most are read", where)
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    if not lines or lines[0] != "#EXTM3U":
        raise _refused("does not begin with #EXTM3U", where)
    reader = _Reader()
    for number, line in enumerate(lines[1:], 2):
        try:
            reader.line(line)
        except (ValueError, OverflowError) as error:
            raise _refused(str(error), f"{where}, line {number}") from error
    return reader.playlist()


class _Reader:
    def __init__(self) -> None:
        self._segments: list[Segment] = []
        self._head: list[str] = []
        self._tags: list[str] = []
        self._keys: dict[str, str] = {}
        self._map = ""
        self._duration: float | None = None
        self._discontinuity = False
        self._date: datetime | None = None
        self._range: tuple[str, int] | None = None  # the address that a byte range goes on in, and where
        self._numbers = {"VERSION": 3, "TARGETDURATION": 0, "MEDIA-SEQUENCE": 0, "DISCONTINUITY-SEQUENCE": 0}
        self._ended = False

    def line(self, line: str) -> None:
        if not line or (line.startswith("#") and not line.startswith("#EXT")):
            return
        if not line.startswith("#"):
            self._segment(line)
            return
        name, _, rest = line.partition(":")
        bare = name.removeprefix("#EXT-X-")
        if bare in self._numbers:
            if not rest.strip().isdecimal() or len(rest) > 19:
                raise ValueError(f"{name} needs a whole number")
            self._numbers[bare] = int(rest)
        elif bare in ("STREAM-INF", "MEDIA", "I-FRAME-STREAM-INF"):
            raise ValueError("is a list of playlists; give one of those it names")
        elif bare == "SKIP":
            raise ValueError("is an update of a playlist; give the whole")
        elif bare == "ENDLIST":
            self._ended = True
        elif bare == "DISCONTINUITY":
            self._discontinuity = True
        elif bare == "KEY":
            self._key(line, rest)
        elif bare == "MAP":
            self._map = line
        elif name in OF_THE_WHOLE:
            self._head.append(line)
        else:
            self._of_segment(name, rest)
            self._tags.append(line)

    def _of_segment(self, name: str, rest: str) -> None:
        if name == "#EXTINF":
            told = rest.partition(",")[0].strip()
            if not LENGTH.fullmatch(told):
                raise ValueError(f'a segment lasts "{told[:40]}", which is no number of seconds')
            self._duration = float(told)
        elif name == "#EXT-X-PROGRAM-DATE-TIME":
            try:
                date = datetime.fromisoformat(rest.strip())
            except ValueError as error:
                raise ValueError(f'"{rest.strip()[:60]}" is no date of ISO 8601') from error
            self._date = date if date.tzinfo else date.replace(tzinfo=UTC)

    def _key(self, line: str, rest: str) -> None:
        told = attributes(rest)
        if told.get("METHOD") == "NONE":
            self._keys.clear()
        else:
            self._keys[told.get("KEYFORMAT", "identity")] = line

    def _segment(self, uri: str) -> None:
        if self._duration is None:
            raise ValueError("is an address without #EXTINF before it")
        self._segments.append(
            Segment(
                uri=uri,
                duration=self._duration,
                tags=tuple(self._with_whole_range(uri)),
                keys=tuple(self._keys.values()),
                map=self._map,
                discontinuity=self._discontinuity,
                date=self._date,
            )
        )
        if self._date is not None:
            self._date += timedelta(seconds=self._duration)
        self._tags, self._duration, self._discontinuity = [], None, False

    def _with_whole_range(self, uri: str) -> Iterator[str]:
        """A byte range without a beginning goes on where the segment before ended: said outright, it still
        holds when something else comes between."""
        before, self._range = self._range, None
        for tag in self._tags:
            name, _, rest = tag.partition(":")
            found = RANGE.fullmatch(rest.strip()) if name == "#EXT-X-BYTERANGE" else None
            if found is None:
                yield tag
                continue
            if found[2] is None and (before is None or before[0] != uri):
                raise ValueError("a byte range goes on from none")
            begin = int(found[2]) if found[2] is not None else before[1] if before else 0
            self._range = (uri, begin + int(found[1]))
            yield f"#EXT-X-BYTERANGE:{found[1]}@{begin}"

    def playlist(self) -> MediaPlaylist:
        return MediaPlaylist(
            segments=tuple(self._segments),
            head=tuple(self._head),
            tail=tuple(self._tags),
            version=self._numbers["VERSION"],
            target_duration=self._numbers["TARGETDURATION"],
            media_sequence=self._numbers["MEDIA-SEQUENCE"],
            discontinuity_sequence=self._numbers["DISCONTINUITY-SEQUENCE"],
            ended=self._ended,
        )


def nearest(starts: Sequence[float], seconds: float) -> int:
    """The segment boundary nearest to a time, of those that `MediaPlaylist.starts` gives."""
    return min(range(len(starts)), key=lambda at: (abs(starts[at] - seconds), at))


def _refused(what: str, where: str) -> FalseworkError:
    return FalseworkError(what, where=where, todo="Give a media playlist of HTTP Live Streaming.")
