"""What may be shown, what is, and that money is neither lost nor spent twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.ads.campaigns.book import Book
from falsework.ads.decision.engine import FINALISTS, Decider
from falsework.ads.decision.filters import Filters
from falsework.ads.decision.forms import SLACK, fits
from falsework.ads.decision.reasons import Reason
from falsework.ads.decision.wallet import LEASE_SECONDS, PATIENCE, Wallet
from falsework.ads.opportunity import (
    Activity,
    Break,
    Permissions,
    Placement,
    Scene,
    Slot,
    Verdict,
    Viewer,
)
from falsework.ads.records import Campaign, Cap, Creative, Flight, LineItem, Targeting
from falsework.ads.state.embedded import EmbeddedState
from falsework.ads.state.protocol import Event

NOW = 1_000_000.0
ALL = Permissions(verdicts=dict.fromkeys(Activity, Verdict.ALLOWED))
NONE = Permissions(verdicts=dict.fromkeys(Activity, Verdict.DENIED), vendors=frozenset())
FILE = (("https://media.example/a.mp4", "video/mp4", 1920, 1080, 4000),)
PLAIN = (*FILE, ("http://media.example/a.mp4", "video/mp4", 1280, 720, 1000))
NO_RATE = (("https://media.example/a.mp4", "video/mp4", 1920, 1080, 0),)
STREAM = (("https://media.example/a.m3u8", "application/x-mpegURL", 1920, 1080, 0),)
STILL = (("https://media.example/a.png", "image/png", 800, 450, 0),)
SCRIPT = (("https://media.example/a.js", "application/javascript", 640, 360, 0),)
WRAPPER = {"media": (), "wrapper": "https://partner.example/vast"}
SAFE = {"child_safe": True}
PAUSED = {"placement": Placement.PAUSE, "duration": 0.0}


def campaign(name: str, *, seconds: float = 15.0, price: int = 10_000_000, **changes: Any) -> Campaign:
    """One line item of one creative; `item` and `creative` change those."""
    creative = {"id": f"{name}-a", "duration": seconds, "media": FILE, **changes.pop("creative", {})}
    item = {
        "id": name,
        "campaign": name,
        "price": price,
        "budget": 1_000_000_000,
        "goal": "fast",
        "creatives": (Creative(**creative),),
        **changes.pop("item", {}),
    }
    whole = {
        "id": name,
        "advertiser": name,
        "domain": f"{name}.example",
        "flight": Flight(starts=0.0, ends=2e9),
        "line_items": (LineItem(**item),),
        **changes,
    }
    return Campaign(**whole)


def house(name: str = "house", seconds: float = 15.0, **changes: Any) -> Campaign:
    item = {"house": True, "budget": 0, "price": 0, **changes.pop("item", {})}
    return campaign(name, seconds=seconds, item=item, **changes)


def decider(folder: Path, campaigns: Sequence[Campaign], **changes: Any) -> Decider:
    given = {"unsuitable": lambda scene: frozenset(), "explored": 0.0, "clock": lambda: NOW, **changes}
    return Decider(Book(campaigns), EmbeddedState(folder), slate="http://slate.example", **given)


def viewer(**changes: Any) -> Viewer:
    return Viewer(**({"stream": "s", "permissions": ALL, "country": "FR", "device": 3} | changes))


def asked(**changes: Any) -> Break:
    given = {"id": "b", "viewer": viewer(), "at": NOW, "duration": 60.0, "most": 4} | changes
    return Break(**given)


def shown(decision: Any) -> list[str]:
    return [each.row.line_item.id for each in decision.chosen]


REFUSED: list[tuple[Reason, dict[str, Any], dict[str, Any]]] = [
    (Reason.NOT_RUNNING, {"flight": Flight(starts=NOW + 1, ends=2e9)}, {}),
    (Reason.NOT_RUNNING, {"flight": Flight(starts=0.0, ends=NOW)}, {}),
    (Reason.COUNTRY, {"item": {"targeting": Targeting(countries=("DE",))}}, {}),
    (Reason.COUNTRY, {"item": {"targeting": Targeting(regions=("FR-BRE",))}}, {}),
    (Reason.DEVICE, {"item": {"targeting": Targeting(devices=(2,))}}, {}),
    (Reason.PLACEMENT, {"item": {"targeting": Targeting(placements=(5,))}}, {}),
    (Reason.PLACEMENT, {}, {"placement": Placement.PAUSE}),
    (Reason.LANGUAGE, {"item": {"targeting": Targeting(languages=("de",))}}, {}),
    (Reason.GENRE, {"item": {"targeting": Targeting(genres=("Comedy",))}}, {}),
    (Reason.GENRE, {"item": {"targeting": Targeting(without_genres=("Drama",))}}, {}),
    (Reason.MEDIA, {}, {"each": Slot(id="b", mime_types=("video/webm",))}),
    (Reason.ATTRIBUTE, {"creative": {"attributes": (6,)}}, {"each": Slot(id="b", blocked_attributes=(6,))}),
    (Reason.BITRATE, {}, {"each": Slot(id="b", most_rate=3999)}),
    (Reason.BITRATE, {}, {"each": Slot(id="b", least_rate=4001)}),
    (Reason.BITRATE, {"creative": {"media": NO_RATE}}, {"each": Slot(id="b", most_rate=9000)}),
    (
        Reason.SIZE,
        {"seconds": 0.0, "creative": {"media": STILL}},
        {**PAUSED, "each": Slot(id="b", width=799)},
    ),
    (
        Reason.SIZE,
        {"seconds": 0.0, "creative": {"media": STILL}},
        {**PAUSED, "each": Slot(id="b", height=449)},
    ),
    (Reason.API, {"creative": {"media": SCRIPT}}, {}),
    (Reason.API, {"creative": {"media": SCRIPT}}, {"each": Slot(id="b", apis=(5, 7))}),
    (Reason.PROTOCOL, {}, {"each": Slot(id="b", protocols=(1, 9, 10))}),
    (Reason.PROTOCOL, {}, {"each": Slot(id="b", protocols=(14,))}),
    (Reason.PROTOCOL, {"creative": WRAPPER}, {"each": Slot(id="b", protocols=(1, 4))}),
    (Reason.SECURE, {"creative": {"media": PLAIN}}, {"each": Slot(id="b", secure=True)}),
    (
        Reason.SECURE,
        {"creative": {"impressions": ("http://t.example/i",)}},
        {"each": Slot(id="b", secure=True)},
    ),
    (Reason.DURATION, {"seconds": 90.0}, {}),
    (Reason.DURATION, {}, {"each": Slot(id="b", lengths=(20.0,))}),
    (Reason.CONSENT, {"item": {"vendors": (7,)}}, {"viewer": viewer(permissions=NONE)}),
    (Reason.CONSENT, {"item": {"vendors": (7,)}}, {"viewer": viewer(kids=True)}),
    (Reason.CONSENT, {"creative": WRAPPER}, {"viewer": viewer(permissions=NONE)}),
    (Reason.CONSENT, {"creative": WRAPPER, "item": SAFE}, {"viewer": viewer(kids=True)}),
    (Reason.KIDS, {}, {"viewer": viewer(kids=True)}),
    (Reason.SUITABILITY, {"item": {"categories": ("1537",)}}, {}),
    (Reason.CATEGORY, {"item": {"categories": ("1002",)}}, {"blocked_categories": ("1002",)}),
    (Reason.CATEGORY, {"item": {"categories": ("1004",)}}, {"blocked_categories": ("1002",)}),
    (Reason.CATEGORY, {"item": {"categories": ("1004",)}}, {"allowed_categories": ("1551",)}),
    (Reason.CATEGORY, {"item": {"categories": ("1554", "1004")}}, {"allowed_categories": ("1551",)}),
    (Reason.CATEGORY, {}, {"allowed_categories": ("1551",)}),
    (Reason.ADVERTISER, {}, {"blocked_domains": ("a.example",)}),
    (Reason.ADVERTISER, {"domain": "shop.a.example"}, {"blocked_domains": ("a.example",)}),
    (Reason.APP, {"item": {"app": "com.example.a"}}, {"blocked_apps": ("com.example.a",)}),
    (Reason.SEAT, {}, {"blocked_seats": ("a",)}),
    (Reason.SEAT, {}, {"allowed_seats": ("b",)}),
    (Reason.FLOOR, {}, {"each": Slot(id="b", floor=10_000_001)}),
    (Reason.FLOOR, {}, {"each": Slot(id="b", floor_per_second=700_000)}),
    (Reason.FLOOR, {}, {"each": Slot(id="b", floors=((10.0, 20.0, 11_000_000),))}),
    (Reason.CAP, {"item": {"caps": (Cap(count=1),)}}, {"viewer": viewer(stream="seen")}),
    (Reason.CAP, {"caps": (Cap(count=1, seconds=60),)}, {"viewer": viewer(identifier="person")}),
]


# The neighbours of those: what is asked can be had.
SHOWN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"each": Slot(id="b", least_rate=4000, most_rate=4000)}),
    ({"creative": {"media": (*NO_RATE, *FILE)}}, {"each": Slot(id="b", most_rate=9000)}),
    ({"creative": {"media": STREAM}}, {"each": Slot(id="b", most_rate=500)}),
    ({}, {"each": Slot(id="b", width=640, height=360)}),  # a film is scaled
    ({"seconds": 0.0, "creative": {"media": STILL}}, {**PAUSED, "each": Slot(id="b", width=800, height=450)}),
    ({"creative": {"media": (*SCRIPT, *FILE)}}, {}),
    ({"creative": {"media": SCRIPT}}, {"each": Slot(id="b", apis=(2,))}),
    ({}, {"each": Slot(id="b", protocols=(2,))}),
    ({"creative": WRAPPER}, {"each": Slot(id="b", protocols=(14,))}),
    ({"creative": WRAPPER}, {"each": Slot(id="b", protocols=(3,))}),  # followed here
    ({}, {"each": Slot(id="b", secure=True)}),
    (
        {"creative": {"click_through": "http://shop.example", "impressions": ("HTTPS://t.example/i",)}},
        {"each": Slot(id="b", secure=True)},
    ),
    ({"item": {"categories": ("1002",)}}, {"blocked_categories": ("1004",)}),
    ({"item": {"categories": ("1554", "1575")}}, {"allowed_categories": ("1551",)}),
    ({"domain": "a.example"}, {"blocked_domains": ("shop.a.example", "ba.example")}),
    ({"item": {"app": "com.example.a"}}, {"blocked_apps": ("com.example",)}),
    ({"item": SAFE}, {"viewer": viewer(kids=True)}),
]


@pytest.mark.parametrize("number", range(len(SHOWN)))
def test_what_fits_is_shown(tmp_path: Path, number: int) -> None:
    of_campaign, of_break = SHOWN[number]
    by = decider(tmp_path, [campaign("a", **dict(of_campaign)), house()])
    assert "a" in shown(by.decide(asked(**of_break)))


TYPES = ("video/mp4", "video/webm", "application/x-mpegURL", "image/png", "application/javascript")
ADDRESSES = st.sampled_from(("https://a.example/1", "http://a.example/1"))
CREATIVES = st.builds(
    Creative,
    id=st.just("c"),
    duration=st.sampled_from((0.0, 15.0, 30.0)),
    media=st.lists(
        st.tuples(ADDRESSES, st.sampled_from(TYPES), *[st.sampled_from((0, 400, 900))] * 3), max_size=3
    ).map(tuple),
    wrapper=st.sampled_from(("", "", "https://p.example/v")),
    impressions=st.lists(ADDRESSES, max_size=1).map(tuple),
    attributes=st.sets(st.integers(1, 3)).map(tuple),
)
SLOTS = st.builds(
    Slot,
    id=st.just("b"),
    least=st.sampled_from((0.0, 20.0)),
    lengths=st.sampled_from(((), (15.0,))),
    mime_types=st.sets(st.sampled_from(TYPES)).map(lambda types: tuple(one.lower() for one in types)),
    blocked_attributes=st.sets(st.integers(1, 3)).map(tuple),
    secure=st.booleans(),
    protocols=st.sets(st.integers(1, 16), max_size=3).map(tuple),
    apis=st.sets(st.integers(1, 7), max_size=2).map(tuple),
    least_rate=st.sampled_from((0, 500)),
    most_rate=st.sampled_from((0, 600, 1000)),
    width=st.sampled_from((0, 500)),
    height=st.sampled_from((0, 500)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(CREATIVES, min_size=1, max_size=4), SLOTS)
def test_all_rows_at_once_are_judged_as_each_by_itself(creatives: list[Creative], slot: Slot) -> None:
    """A row fits a slot's form exactly where every mask says so of one file; several files may each have a
    different fault, and then only the row by itself knows."""
    lines = [campaign(f"c{n}", item={"creatives": (one,)}) for n, one in enumerate(creatives)]
    book = Book(lines)
    filters = Filters(book, lambda scene: frozenset(), slack=SLACK)
    break_ = asked(each=slot, duration=0.0)
    of_form = (
        Filters.attributes, Filters.media, Filters.bitrate, Filters.size, Filters.api, Filters.protocol,
        Filters.secure, Filters.duration,
    )  # fmt: skip
    masks = np.all([test(filters, break_) for test in of_form], axis=0)
    for row, open_ in zip(book.rows, masks.tolist(), strict=True):
        assert fits(row, slot) == open_


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_a_filter_refuses_with_its_reason_traced_or_not(tmp_path: Path, number: int) -> None:
    reason, of_campaign, of_break = REFUSED[number]
    by = decider(
        tmp_path,
        [campaign("a", **dict(of_campaign)), house()],
        unsuitable=lambda scene: frozenset({"1537"}),
    )
    seen = ("creative:a-a", "line_item:a", "campaign:a", "advertiser:a.example")
    event = {"kind": "impression", "line_item": "a", "counters": seen}
    by._state.record([
        Event(stream="seen", served="1", at=NOW - 10, **event),
        Event(stream="other", served="2", at=NOW - 10, viewer="person", **event),
    ])  # fmt: skip
    scene = Scene(genres=("Drama",), known=True)
    plain = by.decide(asked(scene=scene, **of_break))
    traced = by.decide(asked(scene=scene, trace=True, **of_break))
    assert "a" not in shown(plain)
    assert plain.chosen, "never an empty break"
    assert shown(plain) == shown(traced)
    assert traced.trace is not None
    assert [one.reason for one in traced.trace.refused if "a" in one.line_items] == [reason.name.lower()]


def test_what_meets_every_condition_is_shown(tmp_path: Path) -> None:
    by = decider(tmp_path, [campaign("a"), house()])
    assert shown(by.decide(asked(duration=15.0))) == ["a"]


def test_a_cap_ends_with_its_window(tmp_path: Path) -> None:
    by = decider(tmp_path, [campaign("a", caps=(Cap(count=1, seconds=60),)), house()])
    by._state.record([
        Event(stream="x", served="1", kind="impression", line_item="a", at=NOW - 61, viewer="p",
              counters=("campaign:a",))
    ])  # fmt: skip
    assert "a" in shown(by.decide(asked(viewer=viewer(identifier="p"))))


def test_without_leave_to_count_a_viewers_history_is_not_looked_at(tmp_path: Path) -> None:
    by = decider(tmp_path, [campaign("a", caps=(Cap(count=1, seconds=60),)), house()])
    by._state.record([
        Event(stream="x", served="1", kind="impression", line_item="a", at=NOW, viewer="p",
              counters=("campaign:a",))
    ])  # fmt: skip
    assert "a" in shown(by.decide(asked(viewer=viewer(permissions=NONE, identifier="p"))))


@given(
    lengths=st.lists(st.sampled_from([6.0, 10.0, 15.0, 20.0, 30.0]), min_size=1, max_size=12),
    groups=st.lists(st.integers(0, 3), min_size=12, max_size=12),
    duration=st.sampled_from([15.0, 30.0, 45.0, 90.0, 180.0]),
    most=st.integers(0, 6),
)
@settings(max_examples=60, deadline=None)
def test_no_break_holds_two_of_a_kind_or_runs_over(
    tmp_path_factory: pytest.TempPathFactory,
    lengths: list[float],
    groups: list[int],
    duration: float,
    most: int,
) -> None:
    campaigns = [
        campaign(
            f"c{number}",
            seconds=length,
            price=1_000_000 * (number + 1),
            item={"categories": (f"g{groups[number]}",)},
            competitors=("c0.example",) if number == 3 else (),
        )
        for number, length in enumerate(lengths)
    ]
    by = decider(tmp_path_factory.mktemp("state"), [*campaigns, house(seconds=6.0)])
    found = by.decide(asked(duration=duration, most=most))
    paid = [each.row for each in found.chosen if not each.house]
    assert found.chosen
    assert len({row.campaign.domain for row in paid}) == len(paid)
    assert len({row.line_item.categories for row in paid}) == len(paid)
    assert not {"c0", "c3"} <= {row.line_item.id for row in paid}
    assert sum(each.row.creative.duration for each in found.chosen) <= duration + SLACK * len(found.chosen)
    assert not most or len(found.chosen) <= most
    ends = 0.0
    for each in found.chosen:
        assert each.starts == pytest.approx(ends)
        ends += each.row.creative.duration


def test_parts_of_a_pod_keep_clear_of_each_other(tmp_path: Path) -> None:
    by = decider(tmp_path, [campaign("a"), campaign("b", price=1_000_000), house()])
    first = by.decide(asked(duration=15.0))
    assert shown(first) == ["a"]
    assert shown(by.decide(asked(duration=15.0), [each.row for each in first.chosen])) == ["b"]


def test_slots_that_stay_empty_get_a_house_advertisement_and_then_slate(tmp_path: Path) -> None:
    slots = tuple(Slot(id=str(number), most=30.0) for number in range(3))
    by = decider(tmp_path, [campaign("a"), house(seconds=20.0)])
    found = by.decide(asked(slots=slots, duration=0.0))
    assert sorted(shown(found)) == ["a", "house", "slate"]
    assert {each.slot for each in found.chosen} == {"0", "1", "2"}


def test_a_child_gets_no_house_advertisement_that_is_not_for_children(tmp_path: Path) -> None:
    by = decider(tmp_path, [house("adults"), house("children", item={"child_safe": True})])
    found = by.decide(asked(viewer=viewer(kids=True), duration=15.0))
    assert shown(found) == ["children"]


def test_a_pause_gets_a_still(tmp_path: Path) -> None:
    still = {"media": (("https://media.example/a.png", "image/png", 1920, 1080, 0),)}
    by = decider(tmp_path, [campaign("film"), campaign("still", seconds=0.0, creative=still), house()])
    slot = (Slot(id="1", mime_types=("image/png",)),)
    found = by.decide(asked(placement=Placement.PAUSE, slots=slot, duration=0.0))
    assert shown(found) == ["still"]


def test_the_fallback_asks_nobody(tmp_path: Path) -> None:
    class Gone:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    by = decider(tmp_path, [campaign("a"), house()])
    by._state = Gone()  # type: ignore[assignment]
    assert shown(by.fallback(asked(duration=15.0))) == ["house"]


def test_kept_masks_decide_as_fresh_ones_do(tmp_path: Path) -> None:
    chance = np.random.default_rng(3)
    campaigns = [
        campaign(
            f"c{number}",
            seconds=float(chance.choice([6, 15, 30])),
            price=int(chance.integers(1, 30)) * 1_000_000 + number,
            item={
                "targeting": Targeting(
                    countries=("FR",) if chance.random() < 0.5 else (),
                    genres=("Drama",) if chance.random() < 0.3 else (),
                ),
                "categories": (str(chance.integers(8)),),
            },
        )
        for number in range(300)
    ]
    kept = decider(tmp_path / "kept", [*campaigns, house()])
    for number in range(40):
        one = asked(
            viewer=viewer(country=str(chance.choice(["FR", "DE"])), stream=f"s{number}"),
            scene=Scene(genres=("Drama",) if chance.random() < 0.5 else ()),
            duration=float(chance.choice([15, 45, 90])),
        )
        fresh = decider(tmp_path / f"fresh{number}", [*campaigns, house()])
        assert shown(kept.decide(one)) == shown(fresh.decide(one))


def test_the_whole_book_is_looked_at_where_the_best_have_no_money(tmp_path: Path) -> None:
    rich = [campaign(f"rich{number}", price=20_000_000 + number) for number in range(400)]
    by = decider(tmp_path, [*rich, campaign("poor", price=1_000_000), house()])
    by.wallet.available[:] = False
    by.wallet.available[by.book.item[[row.line_item.id for row in by.book.rows].index("poor")]] = True
    assert shown(by.decide(asked(duration=15.0))) == ["poor"]


def test_propensities_are_the_share_in_which_a_lead_leads(tmp_path: Path) -> None:
    campaigns = [campaign(f"c{number}", price=1_000_000 * (number + 1)) for number in range(4)]
    by = decider(tmp_path, [*campaigns, house()], explored=0.4, seed=5)
    slot = (Slot(id="1", most=15.0),)
    counted: dict[str, int] = {}
    said: dict[str, float] = {}
    rounds = 3_000
    for _ in range(rounds):
        by.refresh(NOW)
        (one,) = by.decide(asked(slots=slot, duration=0.0)).chosen
        counted[one.row.line_item.id] = counted.get(one.row.line_item.id, 0) + 1
        said[one.row.line_item.id] = one.propensity
    assert sum(said.values()) == pytest.approx(1.0)
    for name, propensity in said.items():
        spread = 5 * np.sqrt(propensity * (1 - propensity) / rounds)
        assert counted[name] / rounds == pytest.approx(propensity, abs=spread)


def test_pacing_holds_back_and_says_so(tmp_path: Path) -> None:
    prices = np.array([2.0, 0.0, 0.0])  # of a, b and z
    by = decider(tmp_path, [campaign("a"), campaign("b", price=1_000), house("z")], price=lambda: prices)
    found = by.decide(asked(trace=True, duration=15.0))
    assert shown(found) == ["b"]
    assert found.trace is not None
    told = {one.line_item: one.why for one in found.trace.considered}
    assert told["a"] == Reason.PACING.value


@pytest.mark.parametrize("matched", [True, False])
def test_a_good_response_rescues_what_pacing_holds_back(tmp_path: Path, matched: bool) -> None:
    """And a bad one holds back what pacing alone would not: price × (relevance × response - dual)."""
    prices = np.array([1.5, 0.5, 0.5, 0.0])  # in the order of the book: by name
    responses, relevances = np.array([2.0, 0.4, 1.0, 1.0]), np.array([0.9, 1.0, 1.0, 1.0])
    if not matched:
        relevances[:] = 1.0

    def decided(folder: str, **changes: Any) -> Any:
        campaigns = [campaign("held"), campaign("poor"), campaign("usual", price=4_000_000), house("z")]
        by = decider(tmp_path / folder, campaigns, price=lambda: prices, **changes)
        return by.decide(asked(trace=True, most=3, duration=45.0))

    relevance = (lambda asked, rows: relevances[rows]) if matched else None
    without = decided("without", relevance=relevance)
    assert shown(without)[:2] == ["poor", "usual"]
    found = decided("with", relevance=relevance, response=lambda asked, rows: responses[rows])
    assert shown(found) == ["held", "usual", "z"]
    considered = {one.line_item: one for one in found.trace.considered}
    for at, (name, price) in enumerate((("held", 10e6), ("poor", 10e6), ("usual", 4e6))):
        fit = relevances[at] * responses[at]
        assert considered[name].worth == pytest.approx(price * (fit - prices[at]))
    assert considered["poor"].why == Reason.PACING.value


@pytest.mark.parametrize("matched", [True, False])
def test_what_is_held_back_takes_no_place_from_what_is_not(tmp_path: Path, matched: bool) -> None:
    """The response is asked of so many, and first of those that are worth something as they are."""
    dear = [campaign(f"dear{number:03d}", price=90_000_000) for number in range(2 * FINALISTS)]
    prices = np.full(len(dear) + 2, 1.5)
    prices[7], prices[-2:] = 1.2, 0.0
    asked_of: list[int] = []

    def response(asked: Break, rows: Any) -> Any:
        asked_of.extend(rows.tolist())
        return np.ones(len(rows))

    relevance = (lambda asked, rows: np.ones(len(rows))) if matched else None
    by = decider(
        tmp_path,
        [*dear, campaign("free", price=1_000_000), house("z")],
        price=lambda: prices,
        relevance=relevance,
        response=response,
    )
    assert shown(by.decide(asked(duration=15.0))) == ["free"]
    assert len(asked_of) == FINALISTS
    assert [by.book.rows[at].line_item.id for at in asked_of[:2]] == ["free", "dear007"]


class Ledger:
    """A state's leases, and nothing else of it."""

    def __init__(self, folder: Path) -> None:
        self.state = EmbeddedState(folder)
        self.impressions = 0

    def shown(self, item: str, cost: int) -> None:
        self.impressions += 1
        self.state.record([
            Event(stream="s", served=str(self.impressions), kind="impression", line_item=item, at=NOW,
                  cost=cost)
        ])  # fmt: skip


def test_a_promise_that_nobody_comes_for_is_free_again(tmp_path: Path) -> None:
    wallet = Wallet(EmbeddedState(tmp_path), {"a": 2_000}, {"a": 1_000_000})
    wallet.refresh(NOW)
    assert wallet.available.tolist() == [True]
    wallet.promise("1", "a", NOW)
    wallet.promise("2", "a", NOW)
    assert wallet.available.tolist() == [False]
    for second in range(0, int(PATIENCE) + 200, 5):
        wallet.refresh(NOW + second)
    assert wallet.available.tolist() == [True]


def test_a_promise_that_is_refunded_is_free_at_once(tmp_path: Path) -> None:
    wallet = Wallet(EmbeddedState(tmp_path), {"a": 1_000}, {"a": 1_000_000})
    wallet.refresh(NOW)
    wallet.promise("1", "a", NOW)
    assert not wallet.available[0]
    wallet.take_back("1", "a")
    wallet.take_back("1", "a")
    assert wallet.available[0]
    assert wallet._left["a"] == 1_000


@given(st.lists(st.tuples(st.sampled_from("psrw"), st.integers(0, 90)), max_size=120), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_no_budget_is_overspent_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], budget: int
) -> None:
    """Promise, show, refund, wait: two workers share a budget, and what is shown never costs more."""
    ledger = Ledger(tmp_path_factory.mktemp("state"))
    wallets = [Wallet(ledger.state, {"a": budget * 1_000}, {"a": 1_000_000}) for _ in range(2)]
    promised: list[tuple[Wallet, str]] = []
    now = NOW
    for number, (step, amount) in enumerate(steps):
        wallet = wallets[amount % 2]
        for one in wallets:
            one.refresh(now)
        if step == "p" and wallet.available[0]:
            wallet.promise(str(number), "a", now)
            promised.append((wallet, str(number)))
        elif step == "s" and promised:
            owner, served = promised.pop(amount % len(promised))
            if served in owner._open:
                ledger.shown("a", owner.cost("a"))
                owner.keep(served, "a")
        elif step == "r" and promised:
            owner, served = promised.pop(amount % len(promised))
            owner.take_back(served, "a")
        elif step == "w":
            now += min(amount, LEASE_SECONDS / 4)
        assert ledger.state.spent(["a"])["a"] <= budget * 1_000
