"""HLS: breaks found in playlists however they are marked, offered as interstitials, stitched in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import m3u8
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.ads.hls.cues import Cue, announcement, cues_in
from falsework.ads.hls.interstitials import (
    Asset,
    Interstitial,
    SkipControl,
    asset_list,
    date_range,
    with_interstitials,
)
from falsework.ads.hls.playlist import MediaPlaylist, attributes, read_playlist
from falsework.ads.hls.stitching import Insertion, LiveStitcher, stitch
from falsework.ads.scte35.codec import decode_text, encode
from falsework.ads.scte35.section import (
    BreakDuration,
    SegmentationDescriptor,
    SpliceInfoSection,
    SpliceInsert,
    SpliceTime,
    TimeSignal,
)
from falsework.errors import FalseworkError

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
OUT = "/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo="  # SCTE 35, 14.2: 60.29 s
OUT_SECONDS = 5_426_421 / 90_000


def media(
    count: int,
    *,
    name: str = "main",
    length: float = 6.0,
    sequence: int = 0,
    ended: bool = True,
    dated: bool = False,
    marks: dict[int, str] | None = None,
    head: str = "",
) -> MediaPlaylist:
    """A playlist of `count` segments; `marks` are lines before the segment of that number."""
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        f"#EXT-X-TARGETDURATION:{round(length)}",
        f"#EXT-X-MEDIA-SEQUENCE:{sequence}",
    ]
    lines += head.splitlines()
    for number in range(sequence, sequence + count):
        if dated and number == sequence:
            at = NOON + timedelta(seconds=length * number)
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{at.isoformat(timespec='milliseconds')}")
        lines += (marks or {}).get(number, "").splitlines()
        lines += [f"#EXTINF:{length:g},", f"{name}{number}.ts"]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return read_playlist("\n".join(lines))


def spot(seconds: int = 8, name: str = "spot", length: float = 4.0) -> MediaPlaylist:
    return media(round(seconds / length), name=name, length=length)


def uris(playlist: MediaPlaylist) -> list[str]:
    return [one.uri.removesuffix(".ts") for one in playlist.segments]


# ---- reading ------------------------------------------------------------------------------------------


def test_what_is_read_is_written() -> None:
    text = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:12
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-KEY:METHOD=AES-128,URI="k1",IV=0x00000000000000000000000000000001
#EXT-X-MAP:URI="init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-05-01T12:00:00.000Z
#EXT-X-DATERANGE:ID="a",START-DATE="2026-05-01T12:00:00Z",CUE="PRE",X-OWN="kept"
#EXT-X-SOMETHING-NEW:1
#EXTINF:6,a title, with a comma
one.m4s
#EXT-X-DISCONTINUITY
#EXT-X-KEY:METHOD=NONE
#EXTINF:5.005,
two.m4s
#EXT-X-ENDLIST
"""
    playlist = read_playlist(text)
    assert str(playlist) == text
    assert read_playlist(str(playlist)) == playlist
    assert playlist.segments[1].date == datetime(2026, 5, 1, 12, 0, 6, tzinfo=UTC)
    assert playlist.starts() == pytest.approx([0.0, 6.0, 11.005])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "#EXTM3U"),
        ("<html>", "#EXTM3U"),
        ("#EXTM3U\nlonely.ts", "line 2"),
        ("#EXTM3U\n#EXTINF:many,\na.ts", "number of seconds"),
        ("#EXTM3U\n#EXTINF:-1,\na.ts", "number of seconds"),
        ("#EXTM3U\n#EXTINF:nan,\na.ts", "number of seconds"),
        ("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:x", "whole number"),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8", "list of playlists"),
        ("#EXTM3U\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3", "give the whole"),
        ("#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:yesterday", "no date"),
        ("#EXTM3U\n#EXTINF:4,\n#EXT-X-BYTERANGE:100\na.ts", "goes on from none"),
    ],
)
def test_what_is_no_media_playlist_is_refused(text: str, why: str) -> None:
    with pytest.raises(FalseworkError, match=why):
        read_playlist(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(noise: str) -> None:
    for text in (
        noise,
        f"#EXTM3U\n{noise}",
        f"#EXTM3U\n#EXT-X-DATERANGE:{noise}\n#EXTINF:4,\na.ts\n#EXT-X-CUE-OUT:{noise}",
    ):
        try:
            cues_in(read_playlist(text))
        except FalseworkError:
            continue


# ---- cues ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opening", "closing", "duration"),
    [
        ("#EXT-X-CUE-OUT:18", "#EXT-X-CUE-IN", 18.0),
        ("#EXT-X-CUE-OUT:DURATION=18.0", "#EXT-X-CUE-IN", 18.0),
        ("#EXT-X-CUE-OUT", "#EXT-X-CUE-IN", None),
        (f"#EXT-OATCLS-SCTE35:{OUT}\n#EXT-X-CUE-OUT:18", "#EXT-X-CUE-IN", OUT_SECONDS),
        (f'#EXT-X-SCTE35:CUE="{OUT}",CUE-OUT=YES', "#EXT-X-CUE-IN", OUT_SECONDS),
        ("#EXT-OATCLS-SCTE35:bm90IGEgY3Vl\n#EXT-X-CUE-OUT:18", "#EXT-X-CUE-IN", 18.0),
        (
            f'#EXT-X-DATERANGE:ID="b",START-DATE="2026-05-01T12:00:12Z",PLANNED-DURATION=18,SCTE35-OUT=0x{"FC"}',
            '#EXT-X-DATERANGE:ID="b",START-DATE="2026-05-01T12:00:12Z",END-DATE="2026-05-01T12:00:30Z",SCTE35-IN=0xFC',
            18.0,
        ),
    ],
)
def test_a_break_however_it_is_marked(opening: str, closing: str, duration: float | None) -> None:
    (cue,) = cues_in(media(8, dated=True, marks={2: opening, 5: closing}))
    assert (cue.first, cue.until, cue.starts) == (2, 5, 12.0)
    assert cue.duration == pytest.approx(duration)
    assert cue.date == NOON + timedelta(seconds=12)


def test_a_cue_is_kept_with_its_break() -> None:
    (cue,) = cues_in(media(8, marks={2: f"#EXT-OATCLS-SCTE35:{OUT}\n#EXT-X-CUE-OUT:60"}))
    assert cue.section == decode_text(OUT)
    assert cue.id == "scte35-1207959695"


def test_a_live_break_ends_after_its_length_and_one_on_demand_takes_nothing_unmarked() -> None:
    marks = {2: "#EXT-X-CUE-OUT:18"}
    assert cues_in(media(8, ended=False, marks=marks))[0].until == 5
    assert cues_in(media(4, ended=False, marks=marks))[0].until is None
    assert cues_in(media(8, marks=marks))[0].until is None


@pytest.mark.parametrize(
    "mark", ["#EXT-X-CUE-OUT-CONT:12/30", "#EXT-X-CUE-OUT-CONT:ElapsedTime=12,Duration=30"]
)
def test_a_break_that_had_begun_before(mark: str) -> None:
    marks = {7: mark, 8: "#EXT-X-CUE-OUT-CONT:18/30", 10: "#EXT-X-CUE-IN"}
    (cue,) = cues_in(media(6, sequence=7, ended=False, marks=marks))
    assert (cue.first, cue.until, cue.elapsed, cue.duration) == (0, 3, 12.0, 30.0)


def test_date_ranges_that_are_over_or_to_come_are_no_breaks_here() -> None:
    tags = "\n".join(
        f'#EXT-X-DATERANGE:ID="{name}",START-DATE="{date}",DURATION=18,SCTE35-OUT=0xFC'
        for name, date in (
            ("over", "2026-05-01T11:59:00Z"),
            ("begun", "2026-05-01T11:59:54Z"),
            ("here", "2026-05-01T12:00:24Z"),
            ("to come", "2026-05-01T12:05:00Z"),
        )
    )
    found = cues_in(media(8, dated=True, ended=False, marks={0: tags}))
    assert [(cue.id, cue.first, cue.until, cue.elapsed) for cue in found] == [
        ("begun", 0, 2, 6.0),
        ("here", 4, 7, 0.0),
    ]


@pytest.mark.parametrize(
    ("kind", "out"), [(0x30, True), (0x31, False), (0x34, True), (0x35, False), (0x22, True), (0x23, False)]
)
def test_time_signals_say_what_their_segmentation_says(kind: int, out: bool) -> None:
    descriptor = SegmentationDescriptor(
        segmentation_event_id=7, segmentation_type_id=kind, segmentation_duration=2_700_000
    )
    section = SpliceInfoSection(
        command=TimeSignal(splice_time=SpliceTime(pts_time=0)), descriptors=(descriptor,)
    )
    said = announcement(section)
    assert said is not None
    assert (said.out, said.duration, said.event) == (out, 30.0, 7)


def test_what_is_taken_back_or_says_nothing_is_no_break() -> None:
    assert (
        announcement(
            SpliceInfoSection(command=SpliceInsert(splice_event_id=1, splice_event_cancel_indicator=True))
        )
        is None
    )
    chapter = SegmentationDescriptor(segmentation_event_id=7, segmentation_type_id=0x20)
    section = SpliceInfoSection(command=TimeSignal(splice_time=SpliceTime()), descriptors=(chapter,))
    assert announcement(section) is None


# ---- interstitials ------------------------------------------------------------------------------------


def test_an_interstitial_as_the_draft_has_it() -> None:
    cue = SpliceInfoSection(
        command=SpliceInsert(
            splice_event_id=5, out_of_network_indicator=True, splice_immediate_flag=True,
            break_duration=BreakDuration(auto_return=True, duration=2_700_000),
        )
    )  # fmt: skip
    tag = date_range(
        Interstitial(
            id="mid 1", at=NOON, asset_list="/ads/list?title=x", duration=30, resume_offset=0.0,
            playout_limit=30.5, snap=("OUT", "IN"), restrict=("SKIP", "JUMP"), cue=("ONCE",), out=cue,
            skip=SkipControl(offset=5, duration=10, label="Skip-it"),
        )
    )  # fmt: skip
    parsed = (
        m3u8.loads(f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n{tag}\n#EXTINF:6,\na.ts\n").segments[0].dateranges[0]
    )
    assert (parsed.id, parsed.class_, parsed.duration) == ("mid 1", "com.apple.hls.interstitial", 30.0)
    assert parsed.start_date == "2026-05-01T12:00:00.000Z"
    assert parsed.scte35_out == f"0x{encode(cue).hex().upper()}"
    told = attributes(tag.partition(":")[2])
    assert told["X-ASSET-LIST"] == "/ads/list?title=x&_HLS_interstitial_id=mid%201"
    assert (told["X-RESUME-OFFSET"], told["X-PLAYOUT-LIMIT"]) == ("0", "30.5")
    assert (told["X-SNAP"], told["X-RESTRICT"], told["CUE"]) == ("OUT,IN", "SKIP,JUMP", "ONCE")
    assert (told["X-SKIP-CONTROL-OFFSET"], told["X-SKIP-CONTROL-LABEL-ID"]) == ("5", "Skip-it")
    assert "X-ASSET-URI" not in told


@pytest.mark.parametrize(
    "wrong",
    [
        Interstitial(id="", at=NOON, asset_list="x"),
        Interstitial(id="a", at=NOON),
        Interstitial(id="a", at=NOON, asset_list="x", asset_uri="https://a.example/"),
        Interstitial(id="a", at=NOON, asset_uri="relative.m3u8"),
        Interstitial(id='a"', at=NOON, asset_list="x"),
        Interstitial(id="a", at=NOON, asset_list="x\n#EXT-X-ENDLIST"),
        Interstitial(id="a", at=NOON.replace(tzinfo=None), asset_list="x"),
        Interstitial(id="a", at=NOON, asset_list="x", snap=("UP",)),
        Interstitial(id="a", at=NOON, asset_list="x", cue=("PRE", "POST")),
        Interstitial(id="a", at=NOON, asset_list="x", duration=-1),
        Interstitial(id="a", at=NOON, asset_list="x", playout_limit=float("nan")),
        Interstitial(id="a", at=NOON, asset_list="x", skip=SkipControl(offset=0, label="a b")),
    ],
)
def test_interstitials_the_draft_does_not_allow(wrong: Interstitial) -> None:
    with pytest.raises(FalseworkError):
        date_range(wrong)


def test_the_asset_list_honours_where_the_player_joins() -> None:
    assets = [
        Asset("https://a.example/1.m3u8", 15.0),
        Asset("https://a.example/2.m3u8", 30.0),
        Asset("https://a.example/3.m3u8", 15.0),
    ]

    def listed(offset: float) -> list[str]:
        return [one["URI"][-6] for one in json.loads(asset_list(assets, start_offset=offset))["ASSETS"]]

    assert listed(0.0) == ["1", "2", "3"]
    assert listed(4.0) == ["2", "3"]
    assert listed(15.0) == ["2", "3"]
    assert listed(15.1) == ["3"]
    assert listed(60.0) == []
    told = json.loads(asset_list(assets, skip=SkipControl(offset=5, duration=20)))
    assert told["ASSETS"][0] == {"URI": "https://a.example/1.m3u8", "DURATION": 15.0}
    assert told["SKIP-CONTROL"] == {"OFFSET": 5, "DURATION": 20}


def test_breaks_are_offered_on_demand_and_live() -> None:
    marks = {2: "#EXT-X-CUE-OUT:18", 5: "#EXT-X-CUE-IN"}
    for ended, resume in ((True, "18"), (False, None)):
        playlist = media(8, dated=not ended, ended=ended, marks=marks)
        made = with_interstitials(playlist, cues_in(playlist), asset_list_of=lambda cue: f"/list?b={cue.id}")
        (tag,) = made.segments[2].tagged("#EXT-X-DATERANGE")
        told = attributes(tag)
        assert told["START-DATE"] == ("1970-01-01T00:00:12.000Z" if ended else "2026-05-01T12:00:12.000Z")
        assert told.get("X-RESUME-OFFSET") == resume
        assert len(m3u8.loads(str(made)).segments[2].dateranges) == 1
        assert uris(made) == uris(playlist)
    with pytest.raises(FalseworkError, match="PROGRAM-DATE-TIME"):
        with_interstitials(media(3, ended=False), [Cue("a", 0, 0.0)], asset_list_of=lambda _: "x")


# ---- stitching ----------------------------------------------------------------------------------------


def test_a_break_on_demand() -> None:
    film = media(5)
    made = stitch(film, [Insertion.at(film, 13.0, [spot(), spot(4, "next")])])
    assert uris(made) == ["main0", "main1", "spot0", "spot1", "next0", "main2", "main3", "main4"]
    read = m3u8.loads(str(made))
    assert [one.discontinuity for one in read.segments] == [
        False,
        False,
        True,
        False,
        True,
        True,
        False,
        False,
    ]
    assert read.target_duration == 6
    assert read.media_sequence == 0
    assert read.is_endlist
    assert read_playlist(read.dumps()).starts() == made.starts()


def test_a_break_instead_of_what_is_marked() -> None:
    film = media(6, marks={2: "#EXT-X-CUE-OUT:12", 4: "#EXT-X-CUE-IN"})
    (cue,) = cues_in(film)
    assert cue.until is not None
    made = stitch(film, [Insertion(cue.first, cue.until, (spot(12),))])
    assert uris(made) == ["main0", "main1", "spot0", "spot1", "spot2", "main4", "main5"]
    assert "CUE" not in str(made)


def test_breaks_before_and_after_a_film() -> None:
    film = media(2)
    made = stitch(film, [Insertion.at(film, 12.0, [spot(4)]), Insertion.at(film, 0.0, [spot(4, "pre")])])
    assert uris(made) == ["pre0", "main0", "main1", "spot0"]
    with pytest.raises(FalseworkError, match="outside"):
        Insertion.at(film, 12.5, [spot()])
    with pytest.raises(FalseworkError, match="overlap"):
        stitch(film, [Insertion(0, 2, (spot(),)), Insertion(1, 1, (spot(),))])


def test_an_advertisement_may_raise_the_target_duration() -> None:
    film = media(2, length=4)
    assert stitch(film, [Insertion(1, 1, (spot(10, length=10.0),))]).target_duration == 10


def test_keys_hold_for_their_own_segments_only() -> None:
    """An AES-128 key without a vector counts by sequence numbers, which a break moves."""
    film = media(4, sequence=7, marks={7: '#EXT-X-KEY:METHOD=AES-128,URI="k"'})
    made = m3u8.loads(str(stitch(film, [Insertion(2, 2, (spot(4),))])))
    assert [one.key.method if one.key else None for one in made.segments] == [
        "AES-128",
        "AES-128",
        "NONE",
        "AES-128",
        "AES-128",
    ]
    assert [int(one.key.iv, 16) for one in made.segments if one.key.iv] == [7, 8, 9, 10]


def test_byte_ranges_survive_what_comes_between() -> None:
    film = read_playlist(
        "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n#EXT-X-BYTERANGE:100@0\na.ts\n"
        "#EXTINF:6,\n#EXT-X-BYTERANGE:50\na.ts\n#EXT-X-ENDLIST"
    )
    assert "#EXT-X-BYTERANGE:50@100" in str(stitch(film, [Insertion(1, 1, (spot(4),))]))


def test_maps_are_told_again_and_containers_not_mixed() -> None:
    film = media(2, head='#EXT-X-MAP:URI="film.mp4"')
    fragmented = media(1, name="spot", head='#EXT-X-MAP:URI="spot.mp4"')
    made = m3u8.loads(str(stitch(film, [Insertion(1, 1, (fragmented,))])))
    assert [one.init_section.uri for one in made.segments] == ["film.mp4", "spot.mp4", "film.mp4"]
    with pytest.raises(FalseworkError, match="container"):
        stitch(film, [Insertion(1, 1, (spot(),))])
    with pytest.raises(FalseworkError, match="finished"):
        stitch(media(2), [Insertion(1, 1, (media(2, ended=False),))])


def test_dates_go_on_after_a_break() -> None:
    made = m3u8.loads(
        str(stitch(media(4, dated=True), [Insertion(2, 2, (media(1, name="spot", dated=True),))]))
    )
    assert made.segments[2].program_date_time is None
    assert made.segments[3].program_date_time == NOON + timedelta(seconds=12)


def windows(count: int, *, size: int = 5, break_at: int = 6, until: int = 9) -> list[MediaPlaylist]:
    marks = {break_at: f"#EXT-X-CUE-OUT:{6 * (until - break_at)}", until: "#EXT-X-CUE-IN"}
    return [
        media(
            size,
            sequence=first,
            ended=False,
            dated=True,
            marks={k: v for k, v in marks.items() if first <= k},
        )
        for first in range(count)
    ]


@pytest.mark.parametrize(
    ("seconds", "length"), [(18, 6.0), (18, 3.0), (16, 4.0), (20, 2.0), (40, 4.0), (6, 6.0)]
)
def test_a_live_stream_goes_on_through_its_break(seconds: int, length: float) -> None:
    """Whatever the origin's window shows: what a player has seen keeps its number, in order, and each
    discontinuity is counted when it goes."""
    live, seen = LiveStitcher(), dict[int, tuple[str, int]]()
    for window in windows(20):
        if window.media_sequence == 1:
            live.insert(6, [spot(seconds, length=length)], within=window, until=9)
        made = read_playlist(str(live.refresh(window)))
        assert made.segments
        discontinuities = made.discontinuity_sequence
        for number, one in enumerate(made.segments, made.media_sequence):
            discontinuities += one.discontinuity
            assert seen.setdefault(number, (one.uri, discontinuities)) == (one.uri, discontinuities)
    order = [uri.removesuffix(".ts") for _, (uri, _) in sorted(seen.items())]
    assert sorted(seen) == list(range(len(seen)))
    shown = [uri for uri in order if uri.startswith("spot")]
    programme = [int(uri.removeprefix("main")) for uri in order if uri.startswith("main")]
    at = order.index("spot0")
    assert order[at : at + len(shown)] == shown == [f"spot{n}" for n in range(len(shown))]
    assert programme == sorted(programme)
    assert programme[:6] == [0, 1, 2, 3, 4, 5]
    assert set(range(9, 24)) <= set(programme)
    assert abs(len(shown) * length + 6 * len(set(programme) & {6, 7, 8}) - 18) <= 6


def test_segments_that_were_missed_are_a_discontinuity() -> None:
    live = LiveStitcher()
    live.refresh(media(3, ended=False))
    made = live.refresh(media(3, sequence=10, ended=False))
    assert uris(made) == ["main10", "main11", "main12"]
    assert [one.discontinuity for one in made.segments] == [True, False, False]
    assert made.media_sequence == 3


def test_tags_of_low_latency_are_left_out() -> None:
    film = media(
        3, ended=False, head="#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n#EXT-X-PART-INF:PART-TARGET=1",
        marks={2: '#EXT-X-PART:DURATION=1,URI="p"'},
    )  # fmt: skip
    text = str(LiveStitcher().refresh(film))
    assert "PART" not in text
    assert "SERVER-CONTROL" not in text


lengths = st.lists(st.sampled_from([2.0, 4.0, 6.0]), min_size=12, max_size=24)


@given(lengths, st.lists(st.sampled_from([2.0, 3.0, 6.0]), min_size=1, max_size=12), st.data())
def test_whatever_the_origin_does_a_player_sees_one_stream(
    programme: list[float], ads: list[float], data: st.DataObject
) -> None:
    """Segments of any lengths, windows of any size that move by any step, a break anywhere in them."""
    size = data.draw(st.integers(3, 6), label="size")
    first = data.draw(st.integers(size, len(programme) - 1), label="first")
    until = data.draw(st.integers(first, len(programme)), label="until")
    spots = read_playlist(
        "#EXTM3U\n" + "".join(f"#EXTINF:{one:g},\nad{n}\n" for n, one in enumerate(ads)) + "#EXT-X-ENDLIST"
    )
    live, seen, at = LiveStitcher(), dict[int, str](), 0
    last = 0
    while at + size <= len(programme):
        text = "".join(f"#EXTINF:{programme[n]:g},\n{n}\n" for n in range(at, at + size))
        window = read_playlist(f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:{at}\n{text}")
        if at == 0:
            live.insert(first, [spots], within=window, until=until)
        made = live.refresh(window)
        last = max(last, at + size)
        assert made.segments
        for number, one in enumerate(made.segments, made.media_sequence):
            assert seen.setdefault(number, one.uri) == one.uri
            before = seen.get(number - 1)
            follows = before is None or (
                (before.isdecimal() and one.uri == str(int(before) + 1))
                or (before.startswith("ad") and one.uri == f"ad{int(before[2:]) + 1}")
            )
            assert one.discontinuity or follows
        at += data.draw(st.integers(1, size), label="step")
    order = [uri for _, uri in sorted(seen.items())]
    assert sorted(seen) == list(range(len(seen)))
    own = [int(uri) for uri in order if uri.isdecimal()]
    shown = [uri for uri in order if uri.startswith("ad")]
    assert own == sorted(set(own))
    assert shown == [f"ad{n}" for n in range(len(shown))]
    assert set(range(min(first, last))) <= set(own)
    assert set(range(until, last)) <= set(own)
    assert sum(ads[: len(shown)]) <= sum(programme[first:until]) + 0.5
