"""VAST out: valid by the schema whatever a campaign holds, and every event a signed beacon of its own."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from falsework.ads.campaigns.book import Row
from falsework.ads.decision.engine import Chosen, Decision
from falsework.ads.measurement.beacons import Signer
from falsework.ads.openrtb.response import answer
from falsework.ads.opportunity import Activity, Break, Permissions, Placement, Slot, Verdict, Viewer
from falsework.ads.records import Campaign, Creative, Flight, LineItem
from falsework.ads.vast.response import vast
from falsework.ads.vast.stencil import SERVED, Stencil, mark
from falsework.ads.vast.text import clock, escaped, web_address
from falsework.ads.vast.tracking import beacon
from vast_schema import faults

NOW = 1_795_000_000.0
SIGNER = Signer((bytes(range(32)),), "https://ads.example/beacon")
V = "{http://www.iab.com/VAST}"
FILM = Creative(
    id="spot-30",
    title="Thirty seconds of shoes",
    duration=30.0,
    media=(
        ("https://cdn.example/spot.mp4", "video/mp4", 1920, 1080, 4_500),
        ("https://cdn.example/spot.m3u8", "application/x-mpegURL", 1920, 1080, 0),
    ),
    click_through="https://shoes.example/?from=spot",
    impressions=("https://count.example/i?cb=[CACHEBUSTING]",),
    universal_ad_id=("ad-id.org", "CNPA0484000H"),
)
STILL = Creative(
    id="still", title="Shoes", media=(("https://cdn.example/shoes.png", "image/png", 1920, 1080, 0),)
)
PARTNERS = Creative(id="partner", duration=15.0, wrapper="https://partner.example/vast?cb=[CACHEBUSTING]")


def permissions(verdict: Verdict) -> Permissions:
    return Permissions(verdicts=dict.fromkeys(Activity, verdict))


def asked(
    placement: Placement = Placement.INSTREAM, *, verdict: Verdict = Verdict.ALLOWED, kids: bool = False
) -> Break:
    viewer = Viewer(stream="stream-1", permissions=permissions(verdict), identifier="person-7", kids=kids)
    return Break(
        id="mid-1", viewer=viewer, at=NOW, duration=60, placement=placement, blocked_categories=("1049",)
    )


def decision(*creatives: Creative, asked_for: Break | None = None, advertiser: str = "Shoes Ltd") -> Decision:
    item = LineItem(id="item", campaign="campaign", creatives=creatives, categories=("1049", "1050"))
    campaign = Campaign(
        id="campaign",
        advertiser=advertiser,
        domain="shoes.example",
        flight=Flight(starts=0, ends=2e9),
        line_items=(item,),
    )
    chosen = tuple(
        Chosen(served=f"{number:016x}", row=Row.of(campaign, item, one), slot="1", starts=0.0, cost=12_500)
        for number, one in enumerate(creatives)
    )
    return Decision(id="d", asked=asked_for or asked(), chosen=chosen)


def parsed(document: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(document)


def texts(document: bytes, name: str) -> list[str]:
    return [one.text or "" for one in parsed(document).iter(f"{V}{name}")]


@pytest.mark.parametrize("placement", [Placement.INSTREAM, Placement.PAUSE, Placement.SQUEEZE_BACK])
@pytest.mark.parametrize("priced", [False, True])
def test_what_is_chosen_is_told_as_the_schema_has_it(placement: Placement, priced: bool) -> None:
    document = vast(decision(FILM, STILL, PARTNERS, asked_for=asked(placement)), SIGNER, priced=priced)
    assert faults(document) == []
    assert b"Pricing" in document if priced else b"Pricing" not in document


def test_a_decision_without_advertisements_is_an_empty_document() -> None:
    document = vast(decision(), SIGNER)
    assert faults(document) == []
    assert list(parsed(document)) == []


def test_a_pod_is_numbered_and_one_advertisement_is_not() -> None:
    pod = parsed(vast(decision(FILM, replace(FILM, id="spot-2"), PARTNERS), SIGNER))
    assert [ad.get("sequence") for ad in pod] == ["1", "2", "3"]
    assert [ad[0].tag for ad in pod] == [f"{V}InLine", f"{V}InLine", f"{V}Wrapper"]
    alone = parsed(vast(decision(FILM), SIGNER))
    assert [ad.get("sequence") for ad in alone] == [None]


def test_a_film_has_its_files_its_length_and_its_registry_number() -> None:
    document = vast(decision(FILM), SIGNER)
    files = list(parsed(document).iter(f"{V}MediaFile"))
    assert [(one.get("delivery"), one.get("bitrate"), one.text) for one in files] == [
        ("progressive", "4500", "https://cdn.example/spot.mp4"),
        ("streaming", None, "https://cdn.example/spot.m3u8"),
    ]
    assert texts(document, "Duration") == ["00:00:30"]
    assert texts(document, "UniversalAdId") == ["CNPA0484000H"]
    assert texts(document, "Category") == ["1049", "1050"]
    assert texts(document, "AdServingId") == ["0000000000000000"]
    assert texts(vast(decision(FILM), SIGNER, priced=True), "Pricing") == ["12.500"]


def test_a_pause_advertisement_is_a_still_picture() -> None:
    document = vast(decision(STILL, asked_for=asked(Placement.PAUSE)), SIGNER)
    assert texts(document, "StaticResource") == ["https://cdn.example/shoes.png"]
    assert b"<Linear" not in document
    assert {one.get("event") for one in parsed(document).iter(f"{V}Tracking")} == {
        "creativeView",
        "acceptInvitation",
        "overlayViewDuration",
    }


def test_what_cannot_be_shown_in_its_place_is_left_out() -> None:
    """A still in a linear break, files with addresses that are none, a wrapper that is none."""
    broken = replace(FILM, media=(("javascript:alert(1)", "video/mp4", 1, 1, 1),))
    nowhere = replace(PARTNERS, wrapper="file:///etc/passwd")
    document = vast(decision(STILL, broken, nowhere, FILM), SIGNER)
    assert faults(document) == []
    assert [ad.get("id") for ad in parsed(document)] == ["spot-30"]


def test_every_event_is_a_beacon_that_its_signer_reads() -> None:
    made = decision(replace(FILM, attributes=(16,)))
    document = parsed(vast(made, SIGNER))
    found = {str(one.get("event")): one.text or "" for one in document.iter(f"{V}Tracking")}
    for name, kind in (
        ("Impression", "impression"),
        ("Error", "error"),
        ("ClickTracking", "click"),
        ("Viewable", "viewable"),
        ("NotViewable", "notViewable"),
        ("ViewUndetermined", "viewUndetermined"),
    ):
        found[kind] = next(document.iter(f"{V}{name}")).text or ""
    assert {
        "start",
        "firstQuartile",
        "midpoint",
        "thirdQuartile",
        "complete",
        "mute",
        "pause",
        "skip",
    } <= set(found)
    assert next(document.iter(f"{V}Linear")).get("skipoffset") == "00:00:05"
    for kind, url in found.items():
        asked_for = parse_qs(urlsplit(url).query)
        assert urlsplit(url).path == f"/beacon/{kind}"
        read = SIGNER.read(kind, asked_for["b"][0], asked_for["s"][0], NOW + 60)
        assert read == beacon(made, made.chosen[0])
    assert parse_qs(urlsplit(found["error"]).query)["e"] == ["[ERRORCODE]"]


@pytest.mark.parametrize(
    ("verdict", "kids", "told"),
    [
        (Verdict.ALLOWED, False, True),
        (Verdict.ALLOWED, True, False),
        (Verdict.DENIED, False, False),
        (Verdict.ABSTAINED, False, False),
    ],
)
def test_a_person_is_counted_and_third_parties_called_only_where_both_may_be(
    verdict: Verdict, kids: bool, told: bool
) -> None:
    made = decision(FILM, asked_for=asked(verdict=verdict, kids=kids))
    assert bool(beacon(made, made.chosen[0]).viewer) is told
    document = vast(made, SIGNER)
    assert (b"count.example" in document) is told
    assert b"person-7" not in document
    assert faults(document) == []


def test_a_currency_that_is_none_tells_no_price() -> None:
    made = decision(FILM)
    row = made.chosen[0].row
    odd = Row.of(replace(row.campaign, currency="EURO"), row.line_item, row.creative)
    document = vast(replace(made, chosen=(replace(made.chosen[0], row=odd),)), SIGNER, priced=True)
    assert b"Pricing" not in document


anything = st.text(max_size=40)
addresses = st.one_of(
    anything,
    st.builds("https://{}".format, anything),
    st.builds("https://cdn.example/{}".format, anything),
    st.builds("https://cdn.example/a?{}#{}".format, anything, anything),
)
creatives = st.builds(
    Creative,
    id=anything,
    title=anything,
    duration=st.floats(0, 1e6),
    media=st.lists(
        st.tuples(addresses, anything, st.integers(0, 8192), st.integers(0, 8192), st.integers(0, 10**6)),
        max_size=3,
    ).map(tuple),
    wrapper=st.just("") | addresses,
    click_through=addresses,
    impressions=st.lists(addresses, max_size=3).map(tuple),
    attributes=st.sampled_from([(), (16,)]),
    universal_ad_id=st.tuples(anything, anything),
)


@given(st.lists(creatives, max_size=3), st.sampled_from(Placement), anything, st.booleans())
def test_no_text_breaks_the_document(
    found: list[Creative], placement: Placement, advertiser: str, priced: bool
) -> None:
    made = decision(*found, asked_for=asked(placement), advertiser=advertiser)
    assert faults(vast(made, SIGNER, priced=priced)) == []


def is_xml(character: str) -> bool:
    code = ord(character)
    return code in (9, 10, 13) or (
        code >= 32 and not 0xD800 <= code < 0xE000 and code not in (0xFFFE, 0xFFFF)
    )


@given(st.text())
def test_escaped_text_comes_back(text: str) -> None:
    back = ElementTree.fromstring(f'<a b="{escaped(text)}">{escaped(text)}</a>')
    whole = "".join(one if is_xml(one) else "\ufffd" for one in text)
    assert back.get("b") == whole
    assert (back.text or "") == whole


@given(addresses)
def test_an_address_is_a_uri_or_nothing(url: str) -> None:
    address = web_address(url)
    assert address == "" or address.isascii()
    assert web_address(address) == address
    assert not set(address) & set(' <>"{}|\\^`')


@pytest.mark.parametrize(
    ("given_one", "kept"),
    [
        ("https://a.example/x y?q=[T]#f", "https://a.example/x%20y?q=%5BT%5D#f"),
        ("HTTP://a.example:8080/%zz%41", "http://a.example:8080/%25zz%41"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://[2001:db8::1]/", "https://[2001:db8::1]/"),
        ("https://[::bad::]/", ""),
        ("https://user:word@a.example/", ""),
        ("https://a.example:99999/", ""),
        ("//a.example/x", ""),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("https:///x", ""),
        ("", ""),
    ],
)
def test_addresses(given_one: str, kept: str) -> None:
    assert web_address(given_one) == kept


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "00:00:00"),
        (30, "00:00:30"),
        (6.5, "00:00:06.500"),
        (3_661.0004, "01:01:01"),
        (1e9, "23:59:59.999"),
        (-1, "00:00:00"),
    ],
)
def test_times_are_those_of_a_day(seconds: float, told: str) -> None:
    assert clock(seconds) == told


@pytest.mark.parametrize(
    ("given_one", "instead"),
    [
        (b"<Duration>00:00:30</Duration>", b"<Duration>30</Duration>"),
        (b' delivery="progressive"', b""),
        (b'event="midpoint"', b'event="middle"'),
        (b"<AdTitle>", b"<Advertiser>x</Advertiser><AdTitle>"),
        (b"http://www.iab.com/VAST", b"http://www.iab.com/VAST/4"),
        (b"%5BERRORCODE%5D", b"[ERRORCODE]"),
        (b'version="4.2"', b""),
    ],
)
def test_the_table_of_the_schema_finds_what_is_wrong(given_one: bytes, instead: bytes) -> None:
    document = vast(decision(FILM), SIGNER)
    assert given_one in document
    assert faults(document.replace(given_one, instead, 1)) != []


@given(st.text(max_size=20), st.text(min_size=1, max_size=20), st.booleans(), st.booleans())
def test_a_remembered_text_is_what_it_would_be_written_anew(
    title: str, impid: str, measured: bool, house: bool
) -> None:
    """The second time an advertisement is served, only what is of this time is new."""
    verdict = Verdict.ALLOWED if measured else Verdict.DENIED
    row = decision(replace(FILM, title=title)).chosen[0].row
    texts = []
    for served in ("0" * 16, "f" * 16):
        chosen = Chosen(served=served, row=row, slot=impid, starts=0.0, cost=7, house=house)
        place = replace(asked(verdict=verdict), slots=(Slot(id=impid),), duration=0.0)
        made = Decision(id="d", asked=place, chosen=(chosen, replace(chosen, served="a" * 16)))
        bid = msgspec.json.decode(answer("r", [made], signer=SIGNER, currency="EUR"))["seatbid"][0]["bid"][0]
        assert (bid["id"], bid["impid"], bid["slotinpod"]) == (served, impid, 1)
        alone = replace(made, chosen=(chosen,))
        assert bid["adm"].encode() == vast(alone, SIGNER)
        assert faults(vast(alone, SIGNER)) == []
        assert ("nurl" in bid, bid["price"] > 0) == (
            (False, False) if house else (True, row.line_item.price > 0)
        )
        packed = SIGNER.packed(beacon(made, chosen))
        assert texts_of_addresses(vast(alone, SIGNER)) >= {
            SIGNER.url(packed, "start"),
            SIGNER.url(packed, "click"),
        }
        texts.append(bid["adm"].replace(packed, "").replace(served, ""))
        for signature in SIGNER.signatures(packed).values():
            texts[-1] = texts[-1].replace(signature.decode(), "")
    assert texts[0] == texts[1]


def texts_of_addresses(document: bytes) -> set[str]:
    return {(one.text or "") for one in parsed(document).iter() if (one.text or "").startswith(SIGNER.base)}


def test_marks_are_numbers_that_a_stencil_fills() -> None:
    text = f"<a>{mark(SERVED)}</a>{mark('start')}{mark(SERVED)}"
    values = {SERVED: b"me", "start": b"sig"}
    assert Stencil(text.encode()).filled(values) == b"<a>me</a>sigme"
    assert Stencil(b"nothing").filled({}) == b"nothing"
    assert int(mark(SERVED)) < 2**63
