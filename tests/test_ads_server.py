"""The server's answers: what is in them, when there is no time, and over a restart."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from lxml import etree

from ads_at_work import GARDEN, ask, at_work, bids, request
from falsework.ads.decision.engine import Decider
from falsework.ads.opportunity import Placement
from falsework.ads.server.deadline import Deadline
from falsework.ads.server.scenes import scene_beside
from falsework.ads.server.service import Service
from falsework.ads.server.slate import movie, still
from falsework.catalogue.records import Scene, Title
from falsework.errors import FalseworkError

UNSUITABLE = {"brickline-homes", "hardhat-bridges", "evergrove-home", "skylark-europe"}


def line_items(service: Service, answer: Any) -> set[str]:
    """What was shown, by the creatives in the bids."""
    of = {row.creative.id: row.line_item.id for row in service.decider.book.rows}
    return {of.get(bid["crid"], bid["crid"]) for bid in bids(answer)}


def xml(body: bytes) -> Any:
    return etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))


def advertisements(body: bytes) -> list[str]:
    return [str(one.get("id")) for one in xml(body).iter("{*}Ad")]


def play(service: Service, query: str, placement: Placement = Placement.INSTREAM) -> Any:
    return asyncio.run(service.player(query.encode(), Deadline.none(), placement))


def call(service: Service, url: str) -> int:
    parts = urlsplit(url)
    kind = parts.path.rsplit("/", 1)[1]
    return asyncio.run(service.beacon(kind, dict(parse_qsl(parts.query)))).status


def test_the_collapse_takes_no_builder_no_insurer_and_no_airline(tmp_path: Path) -> None:
    with at_work(tmp_path) as service:
        answer = ask(service, request(), trace=True)
        shown = line_items(service, answer)
        trace = msgspec.json.decode(answer.body)["ext"]["trace"]["1"]
        refused = {
            name for one in trace["refused"] if one["reason"] == "suitability" for name in one["line_items"]
        }
        calm = line_items(service, ask(service, request(app=GARDEN, video={"poddur": 120})))
    assert shown
    assert not shown & UNSUITABLE
    assert refused == UNSUITABLE
    assert calm & UNSUITABLE, "beside another scene they are welcome"


def test_a_bid_says_what_the_specification_asks(tmp_path: Path) -> None:
    with at_work(tmp_path) as service:
        answer = ask(service, request())
        told = msgspec.json.decode(answer.body)
        assert told["id"] == "request-1"
        assert told["cur"] == "EUR"
        assert len({seat["seat"] for seat in told["seatbid"]}) == len(told["seatbid"])
        found = bids(answer)
        for bid in found:
            row = next(row for row in service.decider.book.rows if row.creative.id == bid["crid"])
            assert bid["impid"] == "1"
            assert bid["price"] == row.line_item.price / 1e6
            assert bid["adomain"] == [row.campaign.domain]
            assert (bid["cat"], bid["cattax"]) == (list(row.line_item.categories), 8)
            assert (bid["dur"], bid["mtype"]) == (round(row.creative.duration), 2)
            assert advertisements(bid["adm"].encode()) == [row.creative.id]
        assert sum(bid["dur"] for bid in found) <= 75
        assert [bid["slotinpod"] for bid in found if bid["slotinpod"]] != []


def test_nothing_to_bid_on_is_a_reason_not_an_error(tmp_path: Path) -> None:
    told = {"id": "r", "imp": [{"id": "1", "banner": {"w": 1, "h": 1}}], "site": {"id": "s"}}
    with at_work(tmp_path) as service:
        answer = ask(service, told)
    assert answer.status == 200
    assert msgspec.json.decode(answer.body) == {"id": "r", "nbr": 0}


def test_past_the_deadline_the_house_shows_its_own(tmp_path: Path) -> None:
    with at_work(tmp_path) as service:
        found = bids(ask(service, request(), late=True))
        assert found
        assert {bid["seat"] for bid in found} == {"house"}
        assert service.counts.late == 1
        assert service.counts.unfilled == 0


def test_a_state_that_does_not_answer_costs_no_break(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_work(tmp_path) as service:
        service.remote = True

        def stuck(*_: Any) -> Any:
            time.sleep(0.3)
            raise FalseworkError("is away", where="state")

        monkeypatch.setattr(service.state, "history", stuck)
        found = asyncio.run(service.openrtb(msgspec.json.encode(request()), Deadline()))
        assert {bid["seat"] for bid in bids(found)} == {"house"}


def test_a_fault_of_ours_is_no_error_to_a_player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("viewer-7")

    with at_work(tmp_path) as service:
        monkeypatch.setattr(Decider, "decide", broken)
        answer = play(service, "duration=30")
        assert answer.status == 200
        assert advertisements(answer.body), "the house has something"
        assert service.counts.faults == 1


def test_a_catalogue_that_is_slow_makes_the_scene_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    with at_work(tmp_path) as service:
        monkeypatch.setattr(service.scenes, "load", lambda title: goes_on.wait(60))
        other = request(app={"content": {"id": "another-film"}})

        async def answered() -> Any:
            found = await service.openrtb(msgspec.json.encode(other), Deadline())
            assert not goes_on.is_set()
            goes_on.set()
            return found

        assert bids(asyncio.run(answered()))


def test_vast_and_pause_for_players(tmp_path: Path) -> None:
    with at_work(tmp_path) as service:
        linear = play(service, "duration=60&content=the-lyon-corner-2026&at=4746&country=FR")
        assert linear.kind == b"application/xml"
        assert advertisements(linear.body)
        assert not xml(linear.body).findall(".//{*}NonLinear")
        pause = play(service, "country=FR", Placement.PAUSE)
        assert xml(pause.body).findall(".//{*}NonLinear")
        assert not xml(pause.body).findall(".//{*}Linear")


def test_a_player_that_asks_nonsense_gets_the_house(tmp_path: Path) -> None:
    with at_work(tmp_path) as service:
        answer = play(service, "duration=soon")
        assert answer.status == 200
        assert (b"x-falsework-refused", b"duration") in answer.headers
        assert all("house" in one or "slate" in one for one in advertisements(answer.body))


def test_vmap_names_the_breaks_and_where_to_ask(tmp_path: Path) -> None:
    with at_work(tmp_path) as service:
        answer = service.vmap(b"breaks=start,600,end&content=film&country=FR")
        tree = xml(answer.body)
        assert [one.get("timeOffset") for one in tree.iter("{*}AdBreak")] == ["start", "00:10:00", "end"]
        addresses = [urlsplit(str(one.text)) for one in tree.iter("{*}AdTagURI")]
        asked = [dict(parse_qsl(one.query)) for one in addresses]
        assert [one.get("at") for one in asked] == ["0", "600", None]
        assert len({one["stream"] for one in asked}) == 1, "one viewing, whose breaks know of each other"


def test_a_beacon_counts_once_and_survives_a_restart(tmp_path: Path) -> None:
    with at_work(tmp_path) as service:
        (first, *_) = bids(ask(service, request()))
        item = next(row.line_item for row in service.decider.book.rows if row.creative.id == first["crid"])
        assert [call(service, first["burl"]) for _ in range(3)] == [204] * 3
        assert (service.counts.beacons, service.counts.duplicates) == (3, 2)
        cost = service.state.spent([item.id])[item.id]
        assert cost == -(-item.price // 1000)
    with at_work(tmp_path) as again:
        assert again.state.spent([item.id])[item.id] == cost
        assert call(again, first["burl"]) == 204
        assert again.state.spent([item.id])[item.id] == cost


def test_a_lost_auction_frees_its_money(tmp_path: Path) -> None:
    with at_work(tmp_path) as service:
        (first, *_) = bids(ask(service, request()))
        before = len(service.decider.wallet._open)
        assert call(service, first["lurl"]) == 204
        assert len(service.decider.wallet._open) == before - 1


def test_caps_of_a_stream_hold_without_any_identifier(tmp_path: Path) -> None:
    told = request(app=GARDEN, source={"ext": {"stream": "this-viewing"}}, video={"poddur": 120})
    with at_work(tmp_path) as service:
        seen: list[str] = []
        for _ in range(6):
            for bid in bids(ask(service, told)):
                seen.append(bid["crid"])
                assert call(service, bid["burl"]) == 204
    assert seen.count("evergrove-20") == 1, "capped at one in a stream"
    assert sum(one.startswith("brickline") for one in seen) == 2
    assert seen.count("skylark-30") == 3, "three a day, held to the stream where nobody may be counted"


def test_a_trace_can_be_asked_for_afterwards(tmp_path: Path) -> None:
    with at_work(tmp_path) as service:
        answer = msgspec.json.decode(ask(service, request(), trace=True).body)
        assert service.trace(answer["bidid"]).status == 200
        assert service.trace("another").status == 404


def test_slate_can_be_played() -> None:
    import io

    import av

    with av.open(io.BytesIO(movie(7))) as container:
        assert container.duration is not None
        assert container.duration / av.time_base == pytest.approx(7.0, abs=0.3)
    assert still().startswith(b"\x89PNG")


def test_the_whole_book_empty_is_slate(tmp_path: Path) -> None:
    file = tmp_path / "none.json"
    file.write_text("[]")
    with at_work(tmp_path, campaigns=file) as service:
        (one,) = bids(ask(service, request()))
        assert one["crid"] == "slate-75"
        assert b"/slate/75.mp4" in one["adm"].encode()


def test_what_is_near_a_break_is_beside_it() -> None:
    title = Title(id="t", title="T", genres=("Drama",))
    scenes = [
        Scene(id="t/1", title_id="t", number=1, starts=0.0, ends=100.0, events=("plane crash",)),
        Scene(id="t/2", title_id="t", number=2, starts=110.0, events=("dinner",)),
    ]
    assert scene_beside(title, scenes, "", 105.0).events == ("plane crash", "dinner")
    assert not scene_beside(title, scenes, "", 105.0).known, "nobody described this second"
    assert scene_beside(title, scenes, "", 1_000.0).events == ("dinner",)
    assert scene_beside(title, scenes, "", 1_000.0).known
    assert scene_beside(title, scenes, "another", 5.0).events == ()
    assert not scene_beside(title, scenes, "", None).known
