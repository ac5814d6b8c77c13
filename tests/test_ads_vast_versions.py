"""VAST for players that read older versions, and third parties' addresses in it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from msgspec.structs import replace
from tests.test_ads_vast import FILM, PARTNERS, SIGNER, STILL, asked, decision
from tests.vast_schema import faults

from falsework.ads.decision.engine import Chosen, Decision
from falsework.ads.openrtb.response import answer
from falsework.ads.opportunity import Placement, Slot, Verdict
from falsework.ads.vast.partner import read
from falsework.ads.vast.response import vast
from falsework.ads.vast.validation import check
from falsework.ads.vast.versions import NEWEST, protocol_of, version_for

THIRD = replace(
    FILM,
    attributes=(16,),
    impressions=("https://third.example/i",),
    trackers=(("start", "https://third.example/s?a=1&b=2"), ("nonsense", "https://third.example/n")),
    clicks=("https://third.example/c",),
    errors=("https://third.example/e",),
)


@pytest.mark.parametrize(
    ("protocols", "version"),
    [
        ((), "4.2"), ((2, 3, 5, 6), "3.0"), ((2,), "2.0"), ((7,), "4.0"), ((11, 2), "4.1"), ((13, 2), "4.2"),
        ((15,), "4.2"), ((8,), "4.0"), ((5,), "2.0"), ((1, 9), "4.2"),
    ],
)  # fmt: skip
def test_the_newest_version_that_is_listed(protocols: tuple[int, ...], version: str) -> None:
    assert version_for(protocols) == version


def document(*creatives: Any, protocols: tuple[int, ...], placement: Placement = Placement.INSTREAM) -> bytes:
    each = Slot(id="mid-1", protocols=protocols)
    return vast(decision(*creatives, asked_for=replace(asked(placement), each=each)), SIGNER)


@pytest.mark.parametrize(
    ("protocol", "version"), [(2, "2.0"), (3, "3.0"), (7, "4.0"), (11, "4.1"), (13, "4.2")]
)
@pytest.mark.parametrize("placement", [Placement.INSTREAM, Placement.PAUSE])
def test_every_version_is_what_it_says(protocol: int, version: str, placement: Placement) -> None:
    told = document(THIRD, STILL, PARTNERS, protocols=(protocol,), placement=placement)
    root = ElementTree.fromstring(told)
    assert root.get("version") == version
    check(told)
    found = read(told)
    assert found.version == version
    assert [bool(ad.wrapper) for ad in found.ads][-1]
    first = found.ads[0]
    assert first.impressions[1:] == ("https://third.example/i",)
    names = {one.tag.rpartition("}")[2] for one in root.iter()}
    assert ("AdServingId" in names) == (version >= "4.1")
    assert ("UniversalAdId" in names) == ("Category" in names) == (version >= "4.0")
    assert ("Advertiser" in names) == (version >= "3.0")
    assert any(ad.get("sequence") for ad in root) == (version >= "3.0")
    events = {one.get("event") for one in root.iter() if one.tag.endswith("Tracking")}
    assert ("closeLinear" in events) == (version >= "3.0" and placement is Placement.INSTREAM)
    if placement is Placement.INSTREAM:
        assert {"start", "midpoint", "complete"} <= events
        assert ("start", "https://third.example/s?a=1&b=2") in first.trackers
        assert first.clicks[1:] == ("https://third.example/c",)


def test_third_parties_in_the_newest_are_as_the_schema_has_it() -> None:
    told = document(THIRD, protocols=())
    assert faults(told) == []
    assert told.count(b"third.example") == 4  # what is no event of VAST is left out
    assert b"nonsense" not in told


@pytest.mark.parametrize("changes", [{"verdict": Verdict.DENIED}, {"kids": True}])
def test_third_parties_are_not_told_of_whom_they_may_not_measure(changes: dict[str, Any]) -> None:
    told = vast(decision(THIRD, asked_for=asked(**changes)), SIGNER)
    assert b"third.example" not in told


def test_a_bid_says_the_version_of_its_document() -> None:
    slots = (Slot(id="old", protocols=(2, 5)), Slot(id="new", protocols=(13, 14)), Slot(id="any"))
    made = decision(FILM, PARTNERS, FILM, asked_for=replace(asked(), slots=slots))
    chosen = tuple(replace(one, slot=slot.id) for one, slot in zip(made.chosen, slots, strict=True))
    body = answer("r", [replace(made, chosen=chosen)], signer=SIGNER, currency="EUR")
    bids = {bid["impid"]: bid for seat in msgspec.json.decode(body)["seatbid"] for bid in seat["bid"]}
    assert [bids[slot.id]["protocol"] for slot in slots] == [2, 14, 13]
    for bid in bids.values():
        version = read(bid["adm"].encode()).version
        wrapper = bid["protocol"] == 14
        assert protocol_of(version, wrapper=wrapper) == bid["protocol"]


def test_the_newest_is_left_alone() -> None:
    (chosen,) = decision(FILM).chosen
    assert isinstance(chosen, Chosen)
    plain = vast(Decision(id="d", asked=asked(), chosen=(chosen,)), SIGNER)
    assert f'version="{NEWEST}"'.encode() in plain
