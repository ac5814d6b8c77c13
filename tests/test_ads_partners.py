"""Wrappers followed for players that follow none: by the deadline, and to the house's own where it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from ads_at_work import at_work
from falsework.ads.decision.engine import Decider, Decision
from falsework.ads.measurement.beacons import Signer
from falsework.ads.opportunity import Break, Placement, Slot
from falsework.ads.server.deadline import Deadline
from falsework.ads.server.partners import Partners, to_follow
from falsework.ads.taxonomy.taxonomies import products
from falsework.ads.vast.markup import LARGEST
from falsework.ads.vast.partner import read
from falsework.ads.vast.response import vast
from test_ads_decision import SAFE, WRAPPER, asked, campaign, decider, house, shown, viewer
from test_ads_wrapper import VAST_2, wrapper

SIGNER = Signer((b"k" * 32,), "https://ads.example/beacon")
NO_WRAPPERS = Slot(id="b", most=60.0, protocols=(2, 3), mime_types=("video/mp4",))
Page = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answered(body: bytes, head: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), head, body)


def chunked(body: bytes) -> bytes:
    pieces = b"".join(
        b"%x;name=value\r\n%s\r\n" % (len(part), part) for part in (body[:100], body[100:]) if part
    )
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s0\r\n\r\n" % pieces


class Partner:
    """A server on this machine that answers every request with the same bytes; `asked` are its requests."""

    def __init__(self, answer: bytes, *, seconds: float = 0.0, stays: bool = False) -> None:
        self._answer, self._seconds, self._stays = answer, seconds, stays
        self.asked: list[bytes] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        await asyncio.sleep(self._seconds)
        writer.write(self._answer)
        if self._stays:
            await asyncio.sleep(60)
        writer.close()

    def follow(
        self,
        by: Decider,
        one: Break,
        *,
        seconds: float = 5.0,
        permitted: Callable[[str], bool] | None = None,
        kept_away: frozenset[str] = frozenset(),
    ) -> tuple[Decision, Decision, tuple[str, ...]]:
        """(as decided, as it is answered, why)."""

        async def here(host: str, port: int) -> Sequence[str]:
            return ["127.0.0.1"]

        async def run() -> tuple[Decision, Decision, tuple[str, ...]]:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            decision = by.decide(one)
            chosen = tuple(
                replace(each, row=_at(each.row, port)) if each.row.creative.wrapper else each
                for each in decision.chosen
            )
            kinds = {} if permitted is not None else {"resolve": here}
            partners = Partners(
                permitted=permitted or (lambda address: True), unsuitable=lambda scene: kept_away, **kinds
            )
            followed = await partners.follow(replace(decision, chosen=chosen), seconds)
            server.close()
            made = replace(decision, chosen=followed.chosen)
            if followed.failed:
                made = by.without(made, followed.failed, followed.notes)
            return decision, made, followed.notes

        return asyncio.run(run())


def _at(row: Any, port: int) -> Any:
    from dataclasses import replace as changed

    url = f"http://localhost:{port}/vast?cb=[CACHEBUSTING]&who=[IFA]&at=[TIMESTAMP]"
    return changed(row, creative=replace(row.creative, wrapper=url))


def partners(tmp_path: Path, *, seconds: float = 16.0, **changes: Any) -> Decider:
    return decider(tmp_path, [campaign("a", seconds=seconds, creative=WRAPPER, **changes), house()])


@pytest.mark.parametrize("form", [answered, chunked, lambda body: b"HTTP/1.0 200 OK\r\n\r\n" + body])
def test_a_wrapper_is_followed_to_its_files_and_trackers(
    tmp_path: Path, form: Callable[[bytes], bytes]
) -> None:
    partner = Partner(form(VAST_2))
    before, after, notes = partner.follow(partners(tmp_path), asked(each=NO_WRAPPERS))
    assert len(to_follow(before)) == 1
    assert not notes
    (ad,) = read(vast(after, SIGNER)).ads[:1]
    assert not ad.wrapper
    assert [one.media[0][0] for one in ad.creatives] == ["https://cdn.example/boots.mp4"]
    assert "https://count.example/i" in ad.impressions
    assert ("start", "https://count.example/s") in ad.trackers
    assert "https://count.example/c" in ad.clicks
    assert after.chosen[0].row.creative.id == "a-a", "it counts as what was booked"
    (told,) = partner.asked
    assert b"&who=-1&at=20" in told
    assert b"[" not in told.partition(b"\r\n")[0]


def test_a_partner_is_told_nothing_of_the_viewer(tmp_path: Path) -> None:
    partner = Partner(answered(VAST_2))
    person = viewer(identifier="person-7", segments=("gardeners",), region="FR-BRE", language="fr")
    partner.follow(partners(tmp_path), asked(each=NO_WRAPPERS, viewer=person))
    (told,) = partner.asked
    for word in (b"person", b"gardeners", b"BRE", b"Cookie", b"Referer", b"language", b"stream"):
        assert word not in told


WRONG: list[tuple[str, bytes, str]] = [
    ("an error", b"HTTP/1.1 503 Busy\r\n\r\n", "status 503"),
    ("no HTTP", b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "no HTTP"),
    ("half a head", b"HTTP/1.1 200 OK\r\nContent-Le", "no HTTP"),
    ("an endless head", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 9_000, "no HTTP"),
    ("half a body", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<VAST", "no HTTP"),
    ("a long body", answered(b" " * (LARGEST + 1)), "more than"),
    ("long chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", "more than"),
    ("negative chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", "more than"),
    ("an endless body", b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (LARGEST + 1), "more than"),
    ("packed", answered(VAST_2, b"Content-Encoding: gzip\r\n"), "packed"),
    ("no VAST", answered(b"<html></html>"), "html"),
    ("a bomb", answered(b'<!DOCTYPE v [<!ENTITY a "aa">]><VAST version="3.0">&a;</VAST>'), "document type"),
    ("nothing to show", answered(b'<VAST version="4.2"/>'), "no advertisement"),
    ("a longer film", answered(VAST_2.replace(b"00:00:15.500", b"00:00:45")), "fits neither"),
    ("another type", answered(VAST_2.replace(b"video/mp4", b"video/webm")), "fits neither"),
    ("round and round", answered(wrapper("http://localhost:1/")), ""),
    ("private", answered(wrapper("http://10.0.0.1/v")), ""),
]


@pytest.mark.parametrize(("what", "answer", "why"), WRONG, ids=[one[0] for one in WRONG])
def test_what_leads_nowhere_becomes_the_house_s_own(
    tmp_path: Path, what: str, answer: bytes, why: str
) -> None:
    by = partners(tmp_path)
    before, after, notes = Partner(answer).follow(by, asked(each=NO_WRAPPERS, trace=True))
    assert shown(before)[0] == "a"
    assert shown(after) == ["house"]
    assert why in notes[0]
    assert notes[0].startswith("a: ")
    assert after.trace is not None
    assert notes[0] in after.trace.notes
    assert by.wallet._promised["a"] == 0, "its money is free again"


@pytest.mark.parametrize("stays", [False, True])
def test_a_slow_partner_is_left_behind_at_the_deadline(tmp_path: Path, stays: bool) -> None:
    begun = b"HTTP/1.1 200 OK\r\nContent-Le"
    slow = Partner(begun, stays=True) if stays else Partner(answered(VAST_2), seconds=60)
    _, after, notes = slow.follow(partners(tmp_path), asked(each=NO_WRAPPERS), seconds=0.05)
    assert shown(after) == ["house"]
    assert "in time" in notes[0]


def test_an_address_that_is_not_public_is_not_asked(tmp_path: Path) -> None:
    from falsework.ads.vast.addresses import is_public

    partner = Partner(answered(VAST_2))
    _, after, notes = partner.follow(partners(tmp_path), asked(each=NO_WRAPPERS), permitted=is_public)
    assert shown(after) == ["house"]
    assert "public internet" in notes[0]
    assert not partner.asked


def test_a_blocked_category_stays_away_though_a_partner_brings_it(tmp_path: Path) -> None:
    category = b'<Category authority="https://www.iabtechlab.com">IAB8-5</Category><Creatives>'
    partner = Partner(answered(VAST_2.replace(b"<Creatives>", category)))
    blocked = asked(each=NO_WRAPPERS, blocked_categories=("1002",))
    _, after, notes = partner.follow(partners(tmp_path), blocked)
    assert shown(after) == ["house"]
    assert "fits neither" in notes[0]


def test_what_does_not_suit_the_scene_stays_away_though_a_partner_brings_it(tmp_path: Path) -> None:
    category = b'<Category authority="https://www.iabtechlab.com">IAB8-5</Category><Creatives>'
    partner = Partner(answered(VAST_2.replace(b"<Creatives>", category)))
    for kept_away, expected in ((products().with_all_below(["1002"]), "house"), (frozenset(), "a")):
        _, after, _ = partner.follow(
            partners(tmp_path / expected), asked(each=NO_WRAPPERS), kept_away=kept_away
        )
        assert shown(after)[0] == expected


@pytest.mark.parametrize("protocols", [(), (2, 5), (13, 14), (16,)])
def test_a_player_that_follows_wrappers_gets_them(tmp_path: Path, protocols: tuple[int, ...]) -> None:
    decision = partners(tmp_path).decide(asked(each=replace(NO_WRAPPERS, protocols=protocols)))
    assert shown(decision)[0] == "a"
    assert not to_follow(decision)
    assert read(vast(decision, SIGNER)).ads[0].wrapper == WRAPPER["wrapper"]


@pytest.mark.parametrize("placement", [Placement.INSTREAM, Placement.INTERSTITIAL])
@pytest.mark.parametrize("protocols", [(), (2, 5), (2,)])
def test_a_child_is_never_led_to_a_partner(
    tmp_path: Path, placement: Placement, protocols: tuple[int, ...]
) -> None:
    """Neither by a wrapper nor by a tracker, whatever the list for children says."""
    tracked = {
        "impressions": ("https://third.example/i",),
        "trackers": (("start", "https://third.example/s"),),
        "clicks": ("https://third.example/c",),
        "errors": ("https://third.example/e",),
    }
    by = decider(
        tmp_path,
        [
            campaign("a", price=90_000_000, creative=WRAPPER, item=SAFE),
            campaign("b", creative=tracked, item=SAFE),
            house(item=SAFE, creative=tracked, seconds=30.0),
        ],
    )
    child = asked(
        each=replace(NO_WRAPPERS, protocols=protocols), placement=placement, viewer=viewer(kids=True)
    )
    decision = by.decide(child)
    assert "a" not in shown(decision)
    assert "b" in shown(decision)
    assert not to_follow(decision)
    document = vast(decision, SIGNER)
    assert b"third.example" not in document
    assert b"partner.example" not in document
    assert b"<Wrapper" not in document


@pytest.mark.parametrize("protocols", ["", "2,3", "13,14"])
def test_the_server_follows_for_players_that_do_not(tmp_path: Path, protocols: str) -> None:
    """And fills the break where the partner is not there."""
    line = campaign("a", seconds=30.0, item={"categories": ("1058",)}, creative=WRAPPER)
    file = tmp_path / "campaigns.json"
    file.write_bytes(msgspec.json.encode({"campaigns": [line, house(item={"categories": ()})]}))
    asked_for: list[str] = []

    async def nobody(host: str, port: int) -> Sequence[str]:
        asked_for.append(host)
        raise OSError

    with at_work(tmp_path / "work", campaigns=file) as service:
        service.partners = Partners(resolve=nobody)
        query = f"duration=45&country=US&us_privacy=1YNN&content=the-garden&at=100&protocols={protocols}"
        answer = asyncio.run(service.player(query.encode(), Deadline.none()))
    ads = read(answer.body).ads
    assert ads
    assert bool(asked_for) == (protocols == "2,3")
    assert any(ad.wrapper for ad in ads) == (protocols != "2,3")
