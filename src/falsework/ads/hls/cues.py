"""Where a playlist says that advertisements may stand, in any of the ways that are about.

Date ranges with SCTE-35 cues (RFC 8216, 4.3.2.7.1), EXT-X-CUE-OUT and EXT-X-CUE-IN, with the cue itself in
EXT-OATCLS-SCTE35 or EXT-X-SCTE35. A cue that cannot be decoded still marks its place.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from falsework.ads.hls.playlist import MediaPlaylist, attributes, nearest
from falsework.ads.scte35.codec import decode_text
from falsework.ads.scte35.section import (
    TICKS_PER_SECOND,
    SegmentationDescriptor,
    SpliceInfoSection,
    SpliceInsert,
    TimeSignal,
)
from falsework.errors import FalseworkError

__all__ = ["Announcement", "Cue", "announcement", "cues_in"]

# SCTE 35, table 23: types of segmentation that begin a time for advertisements; the one after each ends it.
OPENING = frozenset({0x22, 0x30, 0x32, 0x34, 0x36, 0x38, 0x3A, 0x44, 0x46})
SLACK = 0.5  # seconds; dates and durations are rounded differently
SECONDS = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class Announcement:
    """What a cue says: a break begins (`out`) or ends, `duration` seconds long where that is told."""

    out: bool
    duration: float | None
    event: int


@dataclass(frozen=True)
class Cue:
    """A break in a playlist: it begins before segment `first` and ends before segment `until`, None while
    that is not known. `starts` seconds from the playlist's beginning. `elapsed`: seconds of it that were over
    when the playlist began."""

    id: str
    first: int
    starts: float
    until: int | None = None
    duration: float | None = None
    elapsed: float = 0.0
    date: datetime | None = None
    section: SpliceInfoSection | None = None


def announcement(section: SpliceInfoSection) -> Announcement | None:
    """None for a cue that says nothing of breaks, or takes back what one has said."""
    match section.command:
        case SpliceInsert(splice_event_cancel_indicator=False) as insert:
            ticks = insert.break_duration.duration if insert.break_duration else None
            return Announcement(insert.out_of_network_indicator, _seconds(ticks), insert.splice_event_id)
        case TimeSignal():
            for one in section.descriptors:
                if isinstance(one, SegmentationDescriptor) and not one.segmentation_event_cancel_indicator:
                    kind = one.segmentation_type_id
                    if kind in OPENING or kind - 1 in OPENING:
                        length = _seconds(one.segmentation_duration)
                        return Announcement(kind in OPENING, length, one.segmentation_event_id)
    return None


def cues_in(playlist: MediaPlaylist) -> tuple[Cue, ...]:
    """The breaks in their order. A break told in two ways at one place is one."""
    finder = _Finder(playlist)
    for at in range(len(playlist.segments)):
        finder.segment(at)
    finder.tail()
    return finder.found()


class _Finder:
    def __init__(self, playlist: MediaPlaylist) -> None:
        self._playlist = playlist
        self._starts = playlist.starts()
        self._dates = _dates(playlist)
        self._cues: list[Cue] = []
        self._places: dict[str, int] = {}  # of the cues, by their ids
        self._section: SpliceInfoSection | None = None

    def segment(self, at: int) -> None:
        for tag in self._playlist.segments[at].tags:
            name, _, rest = tag.partition(":")
            if name == "#EXT-OATCLS-SCTE35":
                self._take(at, _section(rest))
            elif name == "#EXT-X-SCTE35":
                told = attributes(rest)
                if told.get("CUE-OUT") == "CONT":
                    self._within(at, "")
                else:
                    self._take(at, _section(told.get("CUE", "")))
            elif name == "#EXT-X-CUE-OUT":
                self._begin(at, _told_duration(rest))
            elif name == "#EXT-X-CUE-OUT-CONT":
                self._within(at, rest)
            elif name == "#EXT-X-CUE-IN":
                self._end(at)
            elif name == "#EXT-X-DATERANGE":
                self._date_range(at, attributes(rest))
        self._section = None

    def tail(self) -> None:
        """Date ranges may stand behind the last segment."""
        for tag in self._playlist.tail:
            name, _, rest = tag.partition(":")
            if name == "#EXT-X-DATERANGE" and self._playlist.segments:
                self._date_range(len(self._playlist.segments) - 1, attributes(rest))

    def found(self) -> tuple[Cue, ...]:
        """A live break whose end nobody marked ends after the length it was announced with, once that is
        there. On demand nothing of the programme is given up without a mark."""
        closed = []
        for cue in self._cues:
            ends = cue.starts + cue.duration - cue.elapsed if cue.duration is not None else None
            live = not self._playlist.ended
            if live and cue.until is None and ends is not None and ends <= self._starts[-1]:
                cue = replace(cue, until=max(nearest(self._starts, ends), cue.first))
            closed.append(cue)
        return tuple(sorted(closed, key=lambda cue: cue.first))

    def _take(self, at: int, section: SpliceInfoSection | None) -> None:
        self._section = section
        said = announcement(section) if section is not None else None
        if said is not None and said.out:
            self._begin(at, said.duration)
        elif said is not None:
            self._end(at)

    def _begin(self, at: int, duration: float | None, identifier: str = "", elapsed: float = 0.0) -> None:
        said = announcement(self._section) if self._section is not None else None
        if duration is None and said is not None:
            duration = said.duration
        if not identifier and said is not None:
            identifier = f"scte35-{said.event}"
        last = self._cues[-1] if self._cues else None
        if last is not None and last.first == at:
            self._cues[-1] = replace(
                last,
                duration=last.duration if last.duration is not None else duration,
                section=last.section or self._section,
            )
            if identifier:
                self._places.setdefault(identifier, len(self._cues) - 1)
            return
        if last is not None and last.duration is None:
            self._end(at)
        self._cues.append(
            Cue(
                id=identifier or f"break-{self._playlist.media_sequence + at}",
                first=at,
                starts=self._starts[at],
                duration=duration,
                elapsed=elapsed,
                date=self._playlist.segments[at].date if at < len(self._playlist.segments) else None,
                section=self._section,
            )
        )
        self._places.setdefault(self._cues[-1].id, len(self._cues) - 1)

    def _within(self, at: int, rest: str) -> None:
        """A break that had begun before the playlist did: "8/30", or ElapsedTime=8,Duration=30."""
        if self._cues and self._cues[-1].until is None:
            return
        told = attributes(rest)
        passed, _, whole = rest.partition("/")
        elapsed = _number(told.get("ElapsedTime", passed))
        duration = _number(told.get("Duration", whole))
        section = _section(told["SCTE35"]) if "SCTE35" in told else None
        self._section = section or self._section
        self._begin(at, duration, elapsed=elapsed or 0.0)

    def _end(self, at: int) -> None:
        if self._cues and self._cues[-1].until is None:
            self._cues[-1] = replace(self._cues[-1], until=at)

    def _date_range(self, at: int, told: dict[str, str]) -> None:
        identifier = told.get("ID", "")
        known = self._places.get(identifier)
        outward = told.get("SCTE35-OUT", "")
        section = _section(outward or told.get("SCTE35-CMD", ""))
        said = announcement(section) if section is not None else None
        begins = _date(told.get("START-DATE", ""))
        if known is None and (outward or (said is not None and said.out)):
            self._section = section
            self._open_range(at, begins, told, said, identifier)
        elif "SCTE35-IN" in told or (said is not None and not said.out):
            ends = _date(told.get("END-DATE", "")) or begins
            index = at if ends is None else self._boundary(ends)
            place = len(self._cues) - 1 if known is None else known
            if index is not None and place >= 0 and self._cues[place].until is None:
                self._cues[place] = replace(self._cues[place], until=max(index, self._cues[place].first))

    def _open_range(
        self,
        at: int,
        begins: datetime | None,
        told: dict[str, str],
        said: Announcement | None,
        identifier: str,
    ) -> None:
        length = _number(told.get("DURATION", ""))
        duration = length or _number(told.get("PLANNED-DURATION", "")) or (said.duration if said else None)
        first = self._playlist.segments[0].date
        if begins is None or first is None:
            self._begin(at, duration, identifier)
            return
        elapsed = max((first - begins).total_seconds(), 0.0)
        index = self._boundary(begins)
        if index is None or index >= len(self._playlist.segments) or (duration and elapsed >= duration):
            return  # it is to come, or over
        self._begin(index, duration, identifier, elapsed)
        ends = _date(told.get("END-DATE", "")) or (begins + timedelta(seconds=length) if length else None)
        until = self._boundary(ends) if ends is not None else None
        if until is not None:
            self._cues[-1] = replace(self._cues[-1], until=max(until, index))

    def _boundary(self, date: datetime) -> int | None:
        """The segment boundary nearest to a date; None beyond the playlist's end, or without dates."""
        dates = self._dates
        if not dates or date > dates[-1] + timedelta(seconds=SLACK):
            return None
        after = bisect_left(dates, date)
        if after == 0:
            return 0
        if after == len(dates):
            return after - 1
        return after - (date - dates[after - 1] <= dates[after] - date)


def _dates(playlist: MediaPlaylist) -> list[datetime]:
    """When each segment begins, and at the end when the last one is over (n + 1); empty where that is not
    told of all, or goes back."""
    segments = playlist.segments
    dates = [one.date for one in segments if one.date is not None]
    if not segments or len(dates) != len(segments) or any(a > b for a, b in pairwise(dates)):
        return []
    return [*dates, dates[-1] + timedelta(seconds=segments[-1].duration)]


def _section(text: str) -> SpliceInfoSection | None:
    try:
        return decode_text(text)
    except FalseworkError:
        return None


def _date(text: str) -> datetime | None:
    """None for what is no date, or has no time zone."""
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return None
    return date if date.tzinfo is not None else None


def _told_duration(rest: str) -> float | None:
    """EXT-X-CUE-OUT:30.0, or :DURATION=30, or nothing."""
    return _number(attributes(rest).get("DURATION", rest.partition(",")[0]))


def _number(text: str) -> float | None:
    return float(text) if SECONDS.fullmatch(text.strip()) else None


def _seconds(ticks: int | None) -> float | None:
    return ticks / TICKS_PER_SECOND if ticks is not None else None
