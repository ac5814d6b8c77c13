"""From requests to breaks: pods of every shape, floors in other currencies, what is beside."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from falsework.ads.openrtb.objects import BidRequest
from falsework.ads.openrtb.opportunities import NO_PRICE, Terms, breaks
from falsework.ads.openrtb.places import alpha_2, region_code
from falsework.ads.openrtb.signals import signals, stream_of
from falsework.ads.opportunity import Activity, Break, Permissions, Placement, Scene, Verdict

ALL = Permissions(verdicts=dict.fromkeys(Activity, Verdict.ALLOWED))
NONE = Permissions(verdicts=dict.fromkeys(Activity, Verdict.DENIED))
VIDEO = {"mimes": ["video/mp4"]}


def read(told: dict[str, Any]) -> BidRequest:
    return msgspec.convert({"id": "r", "app": {"id": "a"}} | told, BidRequest)


def found(
    *videos: dict[str, Any], allowed: Permissions = ALL, terms: Terms | None = None, **more: Any
) -> list[Break]:
    floors = more.pop("floors", {})
    imps = [{"id": str(at), "video": VIDEO | video, **floors} for at, video in enumerate(videos, 1)]
    return breaks(
        read({"imp": imps, **more}),
        allowed,
        lambda title, episode, second: None,
        at=1_000.0,
        stream="s",
        hashed=lambda text: f"#{text}",
        terms=terms,
    )


def test_a_single_slot_is_a_break_of_its_own() -> None:
    first, second = found({"minduration": 5, "maxduration": 30}, {"maxduration": 15, "battr": [6]})
    assert (first.slots[0].id, first.slots[0].least, first.slots[0].most) == ("1", 5.0, 30.0)
    assert second.slots[0].blocked_attributes == (6,)
    assert not first.pod
    assert not first.duration


def test_a_structured_pod_is_one_break_in_the_order_of_its_slots() -> None:
    (one,) = found(
        {"podid": "p", "slotinpod": -1, "maxduration": 10, "podseq": 1},
        {"podid": "p", "maxduration": 20},
        {"podid": "p", "slotinpod": 1, "maxduration": 30},
    )
    assert [slot.id for slot in one.slots] == ["3", "2", "1"]
    assert one.sequence == 1


def test_a_dynamic_pod_is_seconds_to_be_filled() -> None:
    (one,) = found({"podid": "p", "poddur": 90, "maxseq": 4, "rqddurs": [15, 30]})
    assert (one.duration, one.most, one.slots) == (90.0, 4, ())
    assert one.each is not None
    assert one.each.lengths == (15.0, 30.0)
    assert one.id == "1"


def test_a_hybrid_pod_is_two_breaks_of_one_pod() -> None:
    fixed, dynamic = found({"podid": "p", "maxduration": 30}, {"podid": "p", "poddur": 60, "maxseq": 3})
    assert fixed.pod == dynamic.pod == "p"
    assert len(fixed.slots) == 1
    assert dynamic.duration == 60.0


def test_floors_are_in_the_campaigns_currency() -> None:
    priced = {"bidfloor": 2.5, "bidfloorcur": "USD"}
    terms = Terms(currency="EUR", rates={"USD": 0.8})
    (one,) = found({"mincpmpersec": 0.1}, floors=priced, terms=terms)
    assert one.slots[0].floor == 2_000_000
    assert one.slots[0].floor_per_second == 80_000
    (other,) = found({}, floors=priced, terms=Terms(currency="EUR"))
    assert other.slots[0].floor == NO_PRICE, "what cannot be compared is met by nobody"


def test_bids_in_a_currency_that_is_not_taken_are_not_made() -> None:
    (one,) = found({}, cur=["USD"])
    assert one.slots[0].floor == NO_PRICE


def test_floors_by_length() -> None:
    floors = [{"mindur": 10, "maxdur": 20, "bidfloor": 3}]
    (one,) = found({"durfloors": floors}, floors={"bidfloorcur": "EUR"})
    assert one.slots[0].floors == ((10.0, 20.0, 3_000_000),)


def test_a_pause_is_a_pause() -> None:
    (one,) = found({"plcmt": 5, "mimes": ["image/PNG"]})
    assert one.placement is Placement.PAUSE
    assert one.slots[0].mime_types == ("image/png",)


def test_impressions_without_video_have_no_break() -> None:
    request = read({"imp": [{"id": "1", "banner": {"w": 1, "h": 1}}]})
    assert breaks(request, ALL, lambda *_: None, at=0.0, stream="s", hashed=str) == []


def test_categories_of_the_products_taxonomy_are_blocked() -> None:
    (one,) = found({}, bcat=["1002"], cattax=8, badv=["Shoes.Example"], bseat=["b"], wseat=["w"])
    assert one.blocked_categories == ("1002",)
    assert one.blocked_domains == ("shoes.example",)
    assert (one.blocked_seats, one.allowed_seats) == (("b",), ("w",))


@pytest.mark.parametrize(
    ("bcat", "cattax", "product"),
    [
        (["IAB8-5"], None, "1002"),
        (["IAB8-5"], 1, "1002"),
        (["211"], 6, "1002"),
        (["211"], 9, "1002"),
        (["650"], 3, "1003"),
        (["1002"], None, "1002"),
    ],
)
def test_categories_of_other_taxonomies_are_blocked_as_products(
    bcat: list[str], cattax: int | None, product: str
) -> None:
    (one,) = found({}, bcat=bcat, **({"cattax": cattax} if cattax else {}))
    assert one.blocked_categories == (product,)
    assert not one.notes


def test_what_is_blocked_and_cannot_be_placed_is_noted() -> None:
    (one,) = found({}, bcat=["211", "nonsense"], cattax=9)
    assert one.blocked_categories == ("1002",)
    assert one.notes == ("bcat: nonsense: not found in Content Taxonomy 3.1, and blocks nothing",)


def test_a_list_of_what_is_allowed_allows_nothing_where_nothing_of_it_can_be_placed() -> None:
    (one,) = found({}, acat=["1"], cattax=9)
    assert one.allowed_categories == ("1341", "1551")
    (one,) = found({}, acat=["nonsense"], cattax=9)
    assert one.allowed_categories == ("nonsense",)
    assert one.notes == ("acat: nonsense: not found in Content Taxonomy 3.1, and allows nothing",)


def test_what_the_player_can_do_is_asked_of_the_slot() -> None:
    video = {"protocols": [2, 3], "api": [7], "minbitrate": 300, "maxbitrate": 2000, "w": 640, "h": 360}
    (one,) = found(video, bapp=["com.example.game"])
    (slot,) = one.slots
    assert (slot.protocols, slot.apis) == ((2, 3), (7,))
    assert (slot.least_rate, slot.most_rate, slot.width, slot.height) == (300, 2000, 640, 360)
    assert not slot.secure
    assert one.blocked_apps == ("com.example.game",)
    request = read({"imp": [{"id": "1", "secure": 1, "video": {"mimes": ["video/mp4"], "protocol": 3}}]})
    (one,) = breaks(request, ALL, lambda *_: None, at=0.0, stream="s", hashed=str)
    assert one.slots[0].secure
    assert one.slots[0].protocols == (3,)


@pytest.mark.parametrize(("allowed", "name"), [(ALL, "#me"), (NONE, "")])
def test_a_viewer_is_known_by_a_hash_or_not_at_all(allowed: Permissions, name: str) -> None:
    told = {"user": {"id": "me", "data": [{"segment": [{"id": "gardeners"}]}]}}
    (one,) = found({}, allowed=allowed, **told)
    assert one.viewer.identifier == name
    assert one.viewer.segments == (("gardeners",) if name else ())
    assert one.viewer.stream == "#stream s"


def test_what_the_catalogue_knows_is_asked_at_the_second_of_the_break() -> None:
    asked = []

    def scene_of(title: str, episode: str, second: float | None) -> Scene:
        asked.append((title, episode, second))
        return Scene(title=title, known=True)

    request = read({
        "imp": [{"id": str(at), "video": VIDEO | {"startdelay": at}} for at in (600, -2)],
        "app": {"content": {"id": "film#part-2", "cattax": 7, "cat": ["640"]}},
    })  # fmt: skip
    found = breaks(request, ALL, scene_of, at=0.0, stream="s", hashed=str)
    assert asked == [("film", "part-2", 600.0), ("film", "part-2", None)]
    assert found[0].scene == Scene(title="film", known=True, categories=("640",))


def test_what_nobody_knows_is_unknown() -> None:
    (one,) = found({}, app={"content": {"id": "film", "genre": "Drama, Crime"}})
    assert not one.scene.known
    assert one.scene.genres == ("drama", "crime")


@pytest.mark.parametrize(
    ("told", "kids"),
    [
        ({"user": {"yob": 2015}}, True),
        ({"user": {"yob": 1980}}, False),
        ({"ext": {"kids": "yes"}}, True),
        ({"app": {"ext": {"kids": [0]}}}, True),
        ({"user": {"ext": {"kids": 0}}}, False),
    ],
)
def test_a_child_is_told_by_anything_that_says_so(told: dict[str, Any], kids: bool) -> None:
    assert signals(read(told), year=2026).kids is kids


def test_signals_are_read_where_2_5_had_them() -> None:
    said = signals(
        read({"regs": {"ext": {"gdpr": 1, "us_privacy": "1YYN", "gpp": "g", "gpp_sid": [2]}},
              "user": {"ext": {"consent": "c"}}, "device": {"dnt": 1}}),
        year=2026,
    )  # fmt: skip
    assert (said.gdpr, said.us_privacy, said.gpp, said.gpp_sections, said.tcf) == (
        True,
        "1YYN",
        "g",
        (2,),
        "c",
    )
    assert said.limit_tracking


@pytest.mark.parametrize(
    ("given", "code"), [("FRA", "FR"), ("usa", "US"), ("de", "DE"), ("XX", ""), ("Nowhere", ""), ("", "")]
)
def test_countries(given: str, code: str) -> None:
    assert alpha_2(given) == code


@pytest.mark.parametrize(
    ("country", "region", "code"),
    [("US", "ca", "US-CA"), ("FR", "FR-IDF", "FR-IDF"), ("", "CA", ""), ("US", None, "")],
)
def test_regions(country: str, region: str | None, code: str) -> None:
    assert region_code(country, region) == code


def test_a_stream_is_named_by_the_player_or_by_the_request() -> None:
    assert stream_of(read({"source": {"ext": {"stream": "viewing-7"}}})) == "viewing-7"
    assert stream_of(read({"source": {"ext": {"stream": 7}}})) == "r"
