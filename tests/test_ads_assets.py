"""An HLS interstitial from end to end: a player that follows EXT-X-DATERANGE to its list of assets."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import m3u8
import pytest

from ads_at_work import at_work
from falsework.ads.campaigns.sample import campaigns_file
from falsework.ads.hls.cues import cues_in
from falsework.ads.hls.interstitials import SIGNALLING, with_interstitials
from falsework.ads.hls.playlist import read_playlist
from falsework.ads.server.app import application
from falsework.ads.server.service import Service

ORIGIN = "http://127.0.0.1:8585"
PROGRAMME = """\
#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:10
#EXT-X-PROGRAM-DATE-TIME:2026-05-01T12:00:00.000Z
#EXTINF:10,
0.ts
#EXT-X-CUE-OUT:45
#EXTINF:10,
1.ts
#EXT-X-CUE-IN
#EXTINF:10,
2.ts
#EXT-X-ENDLIST
"""


def get(service: Service, address: str) -> tuple[int, dict[bytes, bytes], bytes]:
    """Through the application, as a player's request comes."""
    sent: list[Any] = []
    parts = urlsplit(address)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": parts.path,
        "query_string": parts.query.encode(),
        "headers": [],
    }
    asyncio.run(application(service)(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def streamed(folder: Path, *, without: tuple[str, ...] = ()) -> Path:
    """The sample campaigns, whose films are there as playlists too; but not those of line items `without`."""
    told = json.loads(campaigns_file().read_text())
    for campaign in told["campaigns"]:
        for item in campaign["line_items"]:
            for creative in item["creatives"] if item["id"] not in without else ():
                for url, mime, *rest in list(creative.get("media", ())):
                    if mime == "video/mp4":
                        also = url.replace(".mp4", ".m3u8")
                        creative["media"].append([also, "application/vnd.apple.mpegurl", *rest])
    file = folder / "streamed.json"
    file.write_text(json.dumps(told))
    return file


def list_address(query: str = "") -> str:
    """Where a player finds the list, from the playlist that it plays."""
    playlist = read_playlist(PROGRAMME)
    made = with_interstitials(
        playlist,
        cues_in(playlist),
        asset_list_of=lambda cue: f"{ORIGIN}/assets?duration={cue.duration:g}&country=FR{query}",
    )
    (tag,) = m3u8.loads(str(made), uri=f"{ORIGIN}/film.m3u8").segments[1].dateranges
    assert tag.class_ == "com.apple.hls.interstitial"
    found = dict(tag.x_client_attrs)["x_asset_list"]
    return urljoin(f"{ORIGIN}/film.m3u8", str(found).strip('"'))


def assets(service: Service, address: str) -> list[dict[str, Any]]:
    status, headers, body = get(service, address)
    assert status == 200
    assert headers[b"content-type"] == b"application/json"
    told = json.loads(body)
    assert set(told) == {"ASSETS"}
    return list(told["ASSETS"])


def call(service: Service, address: str) -> int:
    return get(service, address)[0]


def test_a_player_gets_its_break_and_tells_what_it_showed(tmp_path: Path) -> None:
    with at_work(tmp_path, campaigns=streamed(tmp_path)) as service:
        address = list_address("&content=the-lyon-corner-2026&at=600")
        assert "_HLS_interstitial_id=" in address
        shown = assets(service, f"{address}&_HLS_primary_id=this-playback")
        assert shown
        assert sum(one["DURATION"] for one in shown) <= 45
        assert all(one["URI"].endswith(".m3u8") for one in shown)
        for one in shown:
            signalled = one[SIGNALLING]
            assert (signalled["version"], signalled["type"]) == (2, "slot")
            (slot,) = signalled["payload"]
            assert slot["duration"] == one["DURATION"]
            told = {each["type"]: each["urls"] for each in slot["tracking"]}
            assert {"impression", "start", "midpoint", "complete"} <= set(told)
            for url in (told["impression"][0], told["complete"][0]):
                assert call(service, url) == 204
        assert (service.counts.beacons, service.counts.duplicates) == (2 * len(shown), 0)
        spent = service.state.spent(list(service.decider.book.line_items))
        assert sum(spent.values()) > 0


def test_a_playback_is_the_stream_that_caps_hold_in(tmp_path: Path) -> None:
    with at_work(tmp_path, campaigns=streamed(tmp_path)) as service:
        seen = []
        for _ in range(8):
            for one in assets(service, f"{list_address()}&_HLS_primary_id=this-playback"):
                seen.append(one["URI"])
                for each in one[SIGNALLING]["payload"][0]["tracking"][:1]:
                    assert call(service, each["urls"][0]) == 204
        evergrove = [one for one in seen if "evergrove" in one]
        assert len(evergrove) == 1, "capped at one in a stream"


@pytest.mark.parametrize("offset", [0, 12.5, 20, 31])
def test_who_joins_inside_a_break_gets_its_rest(tmp_path: Path, offset: float) -> None:
    with at_work(tmp_path, campaigns=streamed(tmp_path)) as service:
        shown = assets(service, f"{list_address()}&_HLS_start_offset={offset}")
        assert shown
        assert sum(one["DURATION"] for one in shown) <= 45 - offset


def test_at_a_breaks_end_nothing_is_left_to_be_shown_or_paid(tmp_path: Path) -> None:
    with at_work(tmp_path, campaigns=streamed(tmp_path)) as service:
        for offset in ("45", "44.5", "300"):
            assert assets(service, f"{list_address()}&_HLS_start_offset={offset}") == []
        assert service.counts.breaks == 0


@pytest.mark.parametrize("nonsense", ["-1", "soon", "nan", "1e999"])
def test_an_offset_that_is_none_gets_the_house(tmp_path: Path, nonsense: str) -> None:
    with at_work(tmp_path, campaigns=streamed(tmp_path)) as service:
        status, headers, body = get(service, f"{list_address()}&_HLS_start_offset={nonsense}")
        assert status == 200
        assert headers[b"x-falsework-refused"] == b"_HLS_start_offset"
        found = json.loads(body)["ASSETS"]
        assert found
        assert all("house" in one["URI"] or "slate" in one["URI"] for one in found)


def test_what_is_no_playlist_is_not_listed_and_slate_can_be_played(tmp_path: Path) -> None:
    import io

    import av

    with at_work(tmp_path) as service:  # the sample as it ships: files and a partner's wrapper, no playlist
        leased = service.decider.wallet._open.copy()
        shown = assets(service, list_address())
        assert service.decider.wallet._open == leased, "nothing is owed for what is not shown"
        (slate,) = shown
        assert slate["URI"] == f"{ORIGIN}/slate/{slate['DURATION']:.0f}.m3u8"
        _, headers, text = get(service, slate["URI"])
        assert headers[b"content-type"] == b"application/vnd.apple.mpegurl"
        playlist = m3u8.loads(text.decode(), uri=slate["URI"])
        assert playlist.is_endlist
        assert sum(one.duration for one in playlist.segments) == slate["DURATION"]
        _, headers, segment = get(service, playlist.segments[0].absolute_uri)
        assert headers[b"content-type"] == b"video/mp2t"
        with av.open(io.BytesIO(segment)) as container:
            frames = sum(1 for _ in container.decode(video=0))
        assert frames == 5 * slate["DURATION"]


def test_house_advertisements_as_playlists_come_before_slate(tmp_path: Path) -> None:
    paid = tuple(
        item["id"]
        for campaign in json.loads(campaigns_file().read_text())["campaigns"]
        for item in campaign["line_items"]
        if not item.get("house")
    )
    with at_work(tmp_path, campaigns=streamed(tmp_path, without=paid)) as service:
        shown = assets(service, list_address())
        assert shown
        assert all("house" in one["URI"] for one in shown), shown
        query = dict(parse_qsl(urlsplit(shown[0][SIGNALLING]["payload"][0]["tracking"][0]["urls"][0]).query))
        assert set(query) == {"b", "s"}
