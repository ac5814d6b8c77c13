"""Obligations travel: what is made from an asset keeps what its grants ask, and conflicts are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.rights.licences import carried, licence_of
from falsework.rights.obligations import inherited
from falsework.rights.obligations import obligations as obligations_of
from falsework.rights.records import Activity, Asset, Grant, Obligations
from rights_cases import AT, World, hashed, state_of

LICENCES = [
    "",
    "CC0-1.0",
    "CC-BY-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-ND-4.0",
    "House-1",
]


@st.composite
def histories(draw: st.DrawFn) -> list[Any]:
    """Assets, each made from some of those before it, with grants of any kind on any of them."""
    count = draw(st.integers(2, 9))
    assets = [Asset(id=hashed(str(index)), type="picture", name=str(index)) for index in range(count)]
    records: list[Any] = list(assets)
    for index in range(1, count):
        used = draw(st.lists(st.sampled_from(range(index)), max_size=3, unique=True))
        if used:
            kind = draw(st.sampled_from(["render", "training"]))
            records.append(
                Activity(
                    id=f"a{index}",
                    type=kind,
                    used=tuple(assets[one].id for one in used),
                    generated=(assets[index].id,),
                )
            )
    for number in range(draw(st.integers(0, 6))):
        records.append(
            Grant(
                id=f"g{number}",
                type="licence",
                given_by="party:owner",
                assets=tuple(
                    draw(st.lists(st.sampled_from([one.id for one in assets]), max_size=2, unique=True))
                ),
                licence=draw(st.sampled_from(LICENCES)),
                basis=draw(st.sampled_from(["item", "platform", "contract", "owner"])),
                territory=draw(st.sampled_from([("worldwide",), ("FR",), ("EU",), ("FR", "US")])),
                ends=draw(st.sampled_from([None, AT + timedelta(days=30)])),
                obligations=Obligations(
                    attribution=draw(st.sampled_from(["", "One", "Two"])),
                    non_commercial=draw(st.booleans()),
                    notice=draw(st.sampled_from(["", "A notice"])),
                ),
                revoked=draw(st.sampled_from([None, None, AT, AT + timedelta(days=1)])),
            )
        )
    return records


@given(histories())
def test_inheriting_never_loses_an_obligation(records: list[Any]) -> None:
    state = state_of(records)
    production = World().production
    for activity in state.activities.values():
        for made in activity.generated:
            mine = inherited(state, made, AT)
            whole = obligations_of(state, made, production, AT)
            for used in activity.used:
                theirs = inherited(state, used, AT)
                assert {(one.asset, one.grant.id) for one in theirs} <= {
                    (one.asset, one.grant.id) for one in mine
                }
                part = obligations_of(state, used, production, AT)
                assert set(part.credits) <= set(whole.credits)
                assert set(part.notices) <= set(whole.notices)
                assert set(part.platform) <= set(whole.platform)
                assert set(part.unclear) <= set(whole.unclear)
                assert whole.non_commercial >= part.non_commercial
                assert whole.no_derivatives >= part.no_derivatives
                assert len(whole.conflicts) >= len(part.conflicts) or whole.licence != part.licence
                if part.ends is not None:
                    assert whole.ends is not None
                    assert whole.ends <= part.ends
                if part.licence:  # what is share-alike stays so, or conflicts
                    assert whole.licence or whole.conflicts


@given(histories())
def test_a_licence_asks_what_it_asks_whatever_the_grant_says(records: list[Any]) -> None:
    state = state_of(records)
    for asset in state.assets:
        for one in inherited(state, asset, AT):
            known = licence_of(one.grant.licence)
            if known is not None:
                assert one.asked.non_commercial >= known.non_commercial
                assert one.asked.no_derivatives >= known.no_derivatives
                assert bool(one.asked.share_alike) >= bool(known.family)
            assert one.grant.revoked is None or one.grant.revoked > AT


def world(*licences: str, **production: Any) -> World:
    """A cut of several ingredients, one of each licence."""
    made = World(packs=[], guilds=[], **production)
    made.records = [one for one in made.records if not isinstance(one, Grant)]
    pictures = []
    for number, licence in enumerate(licences):
        picture = made.asset("picture", f"picture {number}")
        known = licence_of(licence)
        credit = Obligations(attribution=f"Picture {number} by its author")
        made.grant(
            picture,
            licence=licence,
            uses=known.uses if known else ["use", "adapt", "commercial"],
            obligations=credit,
        )
        pictures.append(picture)
    made.render = made.change(made.render, used=pictures)
    return made


@pytest.mark.parametrize(
    ("licences", "licence"),
    [
        (["CC0-1.0", "CC-BY-4.0", "MIT"], ""),
        (["CC-BY-SA-4.0", "CC0-1.0"], "CC-BY-SA-4.0"),
        (["CC-BY-SA-3.0", "CC-BY-SA-4.0"], "CC-BY-SA-4.0"),
        (["CC-BY-SA-2.0", "CC-BY-SA-3.0", "etalab-2.0"], "CC-BY-SA-3.0"),
        (["CC-BY-SA-4.0", "LAL-1.3"], "CC-BY-SA-4.0"),
        (["CC-BY-SA-4.0", "GPL-3.0-only"], "GPL-3.0-only"),
    ],
)
def test_what_can_be_met_says_under_which_licence(licences: list[str], licence: str) -> None:
    made = world(*licences)
    finding = made.judge("GATE-4")
    assert finding.outcome == "pass", finding.words
    summary = made.clearance().obligations
    assert summary.licence == licence
    assert set(summary.credits) == {f"Picture {number} by its author" for number in range(len(licences))}


@pytest.mark.parametrize(
    ("licences", "production", "words"),
    [
        (["CC-BY-NC-4.0"], {}, '"picture 0" may not be used commercially, and film is a commercial'),
        (["CC-BY-ND-4.0"], {}, '"picture 0" may not be changed'),
        (["CC-BY-SA-4.0", "GFDL-1.3-only"], {}, "no one licence satisfies both share-alikes"),
        (["CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"], {"commercial": False}, "no one licence satisfies both"),
        (["CC-BY-SA-1.0", "CC-BY-SA-4.0"], {}, "no one licence satisfies both"),
        (["CC-BY-SA-4.0", "CC-BY-NC-4.0"], {"commercial": False}, "which that licence lets everyone do"),
        (["CC-BY-SA-4.0"], {"licence": "proprietary"}, 'but production.toml says licence = "proprietary"'),
        (["CC-BY-SA-4.0"], {"licence": "CC-BY-4.0"}, 'but production.toml says licence = "CC-BY-4.0"'),
    ],
)
def test_what_cannot_be_met_blocks_with_its_reason(
    licences: list[str], production: dict[str, Any], words: str
) -> None:
    made = world(*licences, **production)
    finding = made.judge("GATE-4")
    assert finding.outcome == "fail"
    assert words in finding.words
    assert any("GATE-4" in one.rules for one in made.clearance().blockers)


def test_a_later_version_of_the_same_licence_will_do() -> None:
    assert world("CC-BY-SA-3.0", licence="CC-BY-SA-4.0").outcome("GATE-4") == "pass"
    assert world("CC-BY-SA-4.0", licence="CC-BY-SA-3.0").outcome("GATE-4") == "fail"


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, "fail"),
        ({"uses": ["any"]}, "pass"),
        ({"uses": ["use", "adapt", "commercial", "sublicense"]}, "pass"),
        ({"basis": "owner"}, "pass"),
        ({"basis": "owner", "territory": ["FR"]}, "fail"),
        ({"basis": "owner", "ends": "2030-01-01T00:00:00Z"}, "fail"),
    ],
)
def test_share_alike_beside_a_contract(change: dict[str, Any], outcome: str) -> None:
    """What is licensed to this production alone cannot be passed on under a public licence."""
    made = world("CC-BY-SA-4.0", "")
    grant = list(made.state().grants.values())[-1]
    made.change(grant, **({"basis": "contract"} | change))
    assert made.outcome("GATE-4") == outcome


def test_a_second_licence_frees() -> None:
    made = world("CC-BY-NC-SA-4.0")
    (picture,) = (one.id for one in made.state().assets.values() if one.type == "picture")
    assert made.outcome("GATE-4") == "fail"
    bought = made.grant(picture, uses=["use", "adapt", "commercial"], basis="contract")
    assert made.outcome("GATE-4") == "pass"
    assert made.clearance().obligations.licence == ""
    assert made.clearance().obligations.credits  # credit is still given
    for fault in (
        {"territory": ["FR"]},
        {"ends": "2030-01-01T00:00:00Z"},
        {"revoked": AT},
        {"uses": ["use"]},
    ):
        made.change(bought, **fault)
        assert made.outcome("GATE-4") == "fail", fault


def test_nobody_frees_from_what_somebody_else_asks() -> None:
    made = world("CC-BY-NC-SA-4.0")
    (picture,) = (one.id for one in made.state().assets.values() if one.type == "picture")
    made.grant(picture, uses=["any"], licence="CC0-1.0", given_by="party:somebody")
    finding = made.judge("GATE-4")
    assert finding.outcome == "fail"
    assert "may not be used commercially" in finding.words
    made.grant(picture, uses=["any"], licence="CC0-1.0")
    assert made.outcome("GATE-4") == "pass"


def test_a_missing_credit_line_and_an_unknown_licence_are_unknown() -> None:
    made = world("CC-BY-4.0", "House-1")
    first, second = made.state().grants.values()
    assert made.outcome("GATE-4") == "pass"
    made.change(first, obligations=Obligations())
    assert "asks for a credit line" in made.judge("GATE-4").words
    made.change(first)
    made.change(second, obligations=Obligations())
    assert 'is under "House-1"' in made.judge("GATE-4").words
    # Whatever a grant rests on: what a licence asks does not go away by agreeing on it.
    for basis in ("contract", "owner"):
        made.change(second, obligations=Obligations(), basis=basis)
        assert made.outcome("GATE-4") == "unknown"
        made.change(second, obligations=Obligations(), basis=basis, licence="LicenseRef-house")
        assert made.outcome("GATE-4") == "pass"
    made.change(second, obligations=Obligations(), licence="LicenseRef-house")
    assert made.outcome("GATE-4") == "unknown"
    made.change(second, obligations=Obligations(), basis="contract", licence="GPL-2.0-only")
    assert made.outcome("GATE-4") == "unknown"


def test_a_licence_is_known_as_its_makers_write_it() -> None:
    made = world("CC-BY-4.0", "House-1")
    second = list(made.state().grants.values())[1]
    made.change(second, licence="CC BY-SA 4.0", basis="contract")
    assert made.case().obligations.licence == "CC-BY-SA-4.0"
    assert licence_of("cc0 1.0") == licence_of("CC0-1.0")


def test_samples_hand_theirs_on_through_training() -> None:
    made = World()
    made.model(trained=True)
    credit = Obligations(attribution="Sample by A")
    made.grant(made.sample, uses=["any"], licence="CC-BY-4.0", obligations=credit)
    assert "Sample by A" in made.clearance().credits
    made.grant(made.sample, uses=["train"], licence="CC-BY-NC-4.0", obligations=credit)
    made.records = [one for one in made.records if getattr(one, "licence", "") != "CC-BY-4.0"]
    assert made.outcome("GATE-4") == "fail"


def test_where_all_grants_reach() -> None:
    made = world("", "")
    first, second = made.state().grants.values()
    made.change(first, territory=["EU", "US"])
    made.change(second, territory=["FR", "US", "JP"], ends="2030-01-01T00:00:00Z")
    summary = made.clearance().obligations
    assert set(summary.territories) == {"FR", "US"}
    assert summary.ends is not None
    assert summary.ends.year == 2030
    made.change(second, territory=["JP"])
    assert made.clearance().obligations.territories == ()


@given(
    st.lists(st.sampled_from([one for one in LICENCES if one] + ["CC-BY-SA-2.0", "GPL-3.0-only"]), max_size=4)
)
def test_the_licence_carried_satisfies_each(names: list[str]) -> None:
    goal = carried(names)
    assert goal == carried(reversed(names)) == carried(names * 2)
    if goal:
        for name in names:
            assert carried((name, goal)) == goal


def test_later_versions_only_where_the_licence_says_so() -> None:
    assert carried(["GPL-3.0-only", "GPL-3.0-or-later"]) == "GPL-3.0-only"
    assert carried(["CC-BY-SA-4.0", "GPL-3.0-or-later"]) == "GPL-3.0-only"
    assert world("CC-BY-SA-4.0", licence="GPL-3.0-only").outcome("GATE-4") == "pass"
    assert world("CC-BY-SA-4.0", licence="GPL-3.0-or-later").outcome("GATE-4") == "fail"
    assert carried(["CC-BY-SA-1.0", "CC-BY-SA-2.0"]) is None
    assert carried(["CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"]) is None
    assert carried(["CC-BY-SA-3.0", "GPL-3.0-only"]) is None
    assert carried(["ODbL-1.0", "CC-BY-4.0"]) is None
    assert carried(["LicenseRef-house"]) == "LicenseRef-house"
    assert carried(["LicenseRef-house", "CC-BY-SA-4.0"]) is None


@pytest.mark.parametrize("name", ["cc-by-sa-4.0", "CC-BY-SA-4.0", " CC-BY-SA-4.0 "])
def test_licences_are_known_however_they_are_written(name: str) -> None:
    known = licence_of(name)
    assert known is not None
    assert (known.id, known.share_alike) == ("CC-BY-SA-4.0", "CC-BY-SA-4.0")
    assert known.uses == ("use", "adapt", "commercial")


@pytest.mark.parametrize("name", ["", "CC-BY", "MIT OR Apache-2.0", "all rights reserved", "CC-BY-SA-9.9"])
def test_what_is_no_licence_is_not_guessed(name: str) -> None:
    assert licence_of(name) is None
