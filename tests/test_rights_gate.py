"""The gate: what blocks, what lets pass, and what must be cleared again."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.errors import FalseworkError
from falsework.rights.case import Case
from falsework.rights.declarations import production_records, withdrawals
from falsework.rights.gate import approve, clearance, reject, review, waive
from falsework.rights.impact import impact
from falsework.rights.ledger import Ledger
from falsework.rights.production import load_production
from falsework.rights.records import Activity, Asset, Finding, Grant, Party
from falsework.rights.rules.evaluate import ALL_RULES, evaluate, rules_for
from falsework.rights.rules.rule import together, unknown
from falsework.rights.state import State
from rights_cases import AT, MARA, World, hashed, state_of

MARA_OF_LYON = "party:mara.beispiel"
LYON = Path(__file__).parents[1] / "examples" / "lyon_corner"
TABLE = (
    *(f"NFX-{number}" for number in range(1, 9)),
    *("WGA-1", "GLD-2", "SAG-1", "SAG-2", "SAG-3", "IMA-1", "DGA-1", "IAT-1"),
    *("EU-50.2", "EU-50.4", "EU-53", "DSM-4", "USCO", "CA-1", "CA-2", "AWD-1", "EO-1"),
)

DAY = date(2027, 3, 31)  # a waiver's last


def plain(**production: Any) -> World:
    """A production under the gate's own rules only."""
    return World(**{"packs": [], "guilds": [], "territories": ["CH"], **production})


# ---- the rules as a whole --------------------------------------------------------------------------------


def test_every_row_of_the_table_is_a_rule() -> None:
    ids = [rule.id for rule in ALL_RULES]
    assert len(ids) == len(set(ids))
    assert set(ids) == {*TABLE, "GATE-1", "GATE-2", "GATE-3", "GATE-4"}
    for rule in ALL_RULES:
        assert rule.source
        assert rule.readers
        assert rule.grade in ("P", "S", "R")
        assert rule.text.endswith(".")


def test_nothing_declared_nothing_cleared() -> None:
    """Silence is no consent: with nothing declared, only the records let a rule pass or not apply."""
    world = World()
    silent = {finding.rule: finding for finding in evaluate(world.case())}
    by_records = {"NFX-2", "NFX-5", "DGA-1", "IAT-1", "EU-53", "DSM-4", "CA-2", "USCO"}  # no model on record
    known = {"GATE-2", "GATE-3", "GATE-4", "NFX-3"}
    for name, finding in silent.items():
        if name in by_records:
            assert finding.outcome == "not applicable", name
        elif name in known:
            assert finding.outcome == "pass", name
        else:
            assert finding.outcome == "unknown", name


def test_packs_follow_the_territories() -> None:
    def packs(**production: Any) -> set[str]:
        return {rule.pack for rule in rules_for(plain(**production).production.rule_packs)}

    assert packs() == {"gate"}
    assert packs(territories=["FR"]) == {"gate", "eu"}
    assert packs(territories=["US"]) == {"gate", "california", "copyright"}
    assert packs(territories=["worldwide"]) == {"gate", "eu", "california", "copyright"}
    dga = {rule.id for rule in rules_for(plain(guilds=["dga"]).production.rule_packs)}
    assert {"DGA-1", "GLD-2"} <= dga


def test_a_finding_keeps_its_id() -> None:
    world = World()
    first = {finding.rule: finding.id for finding in evaluate(world.case())}
    world.approve()
    assert first == {finding.rule: finding.id for finding in evaluate(world.case())}


def test_not_applicable_needs_grounds() -> None:
    from falsework.rights.rules.rule import not_applicable

    with pytest.raises(ValueError, match="must rest on"):
        not_applicable("it feels that way", ())


# ---- the gate's own rules --------------------------------------------------------------------------------


def test_one_approval_is_all_that_is_missing() -> None:
    world = plain()
    refused = world.clearance()
    assert refused.verdict == "blocked"
    (blocker,) = refused.blockers
    assert blocker.rules == ("GATE-1",)
    with pytest.raises(FalseworkError, match="falsework approve corner --by"):
        raise refused.refusal()
    world.records += approve(world.case(), by="Mara Example", role="producer", why="it falls well")
    assert world.clearance().clear


def test_rules_that_miss_the_same_fact_are_one_blocker() -> None:
    world = World()
    (replica,) = (one for one in world.clearance().blockers if "SAG-1" in one.rules)
    assert replica.rules == ("NFX-7", "SAG-1", "SAG-3", "CA-1")
    assert "digital_replica = true or false" in replica.remedy
    (real,) = (one for one in world.clearance().blockers if "NFX-8" in one.rules)
    assert "mistakable_for_real" in real.remedy
    assert "displaces_union_work" in real.remedy


def test_a_changed_pixel_voids_the_approval() -> None:
    world = plain()
    world.records += approve(world.case(), by=MARA, role="producer", why="good")
    assert world.clearance().clear
    world.cut = world.asset("cut", "corner", id=hashed("corner, one pixel darker"))
    world.step("comp", [world.drawn], [world.cut])
    again = world.clearance()
    assert [one.rules for one in again.blockers] == [("GATE-1",)]
    assert "other pixels" in again.blockers[0].words
    assert len(again.voided) == 1
    assert not again.approvals


def test_a_rejected_cut_waits_for_the_same_person() -> None:
    world = plain()
    world.records += approve(world.case(), by=MARA, role="producer", why="good")
    world.decide("rejection", world.cut, why="too much dust")
    assert world.outcome("GATE-1") == "fail"
    assert "too much dust" in world.judge("GATE-1").words
    world.records += approve(world.case(), by=MARA, role="producer", why="the dust is right after all")
    assert world.outcome("GATE-1") == "pass"


def test_an_origin_for_everything() -> None:
    world = plain()
    assert world.outcome("GATE-2") == "pass"
    lost = world.asset("intermediate", "from nowhere")
    world.comp = world.change(world.comp, used=[world.drawn, lost])
    assert "from nowhere" in world.judge("GATE-2").words
    world.change(world.comp, used=[world.drawn, "sha256:" + "0" * 64])
    assert world.outcome("GATE-2") == "unknown"


def test_a_cut_that_nothing_made_clears_nothing() -> None:
    world = plain()
    world.records = [one for one in world.records if not isinstance(one, Activity)]
    outcomes = {finding.rule: finding.outcome for finding in evaluate(world.case())}
    assert outcomes["GATE-2"] == outcomes["GATE-3"] == "unknown"


def test_a_circle_is_no_origin() -> None:
    world = plain()
    egg, hen = world.asset("intermediate", "egg"), world.asset("intermediate", "hen")
    world.step("lay", [hen], [egg])
    world.step("hatch", [egg], [hen])
    world.change(world.comp, used=[egg])
    assert world.outcome("GATE-2") == "unknown"
    assert "egg" in world.judge("GATE-2").words
    world.step("hatch", [world.plate], [hen])  # one true origin is enough
    assert world.outcome("GATE-2") == "pass"


def test_made_of_nothing_is_not_cleared() -> None:
    world = plain()
    world.change(world.comp, used=[])
    assert world.outcome("GATE-3") == "unknown"


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"revoked": AT - timedelta(days=1), "revoked_why": "sold"}, "was revoked on 2026-11-21 (sold)"),
    ({"ends": AT - timedelta(days=1)}, "ended on"),
    ({"starts": AT + timedelta(days=9)}, "begins only on 2026-12-01"),
    ({"territory": ["FR"]}, 'in the territory "CH"'),
    ({"territory": ["EU"]}, 'in the territory "CH"'),
    ({"uses": ["use", "adapt"]}, 'the use "commercial"'),
    ({"uses": ["commercial"]}, 'the use "adapt"'),
    ({"assets": []}, "nobody's grant is on record"),
]


@pytest.mark.parametrize(("fault", "words"), FAULTS, ids=[words for _, words in FAULTS])
def test_faults_in_grants_are_found(fault: dict[str, Any], words: str) -> None:
    world = plain()
    world.approve()
    assert world.clearance().clear
    grant = world.state().grants_for(world.plate)[0]
    world.change(grant, **fault)
    refused = world.clearance()
    assert [one.rules for one in refused.blockers] == [("GATE-3",)]
    assert words in refused.blockers[0].words
    assert "[[grants]]" in refused.blockers[0].remedy
    world.change(grant)  # and mended, all is well again
    assert world.clearance().clear


def test_of_many_faults_the_first_are_told_and_the_rest_counted() -> None:
    def told(count: int) -> str:
        world = plain()
        plates = [world.asset("plate", f"{number}.jpg") for number in range(count)]
        world.change(world.render, used=plates)
        return world.judge("GATE-3").words

    assert "more" not in told(4)
    assert told(6).endswith("And 2 more")
    parts = [unknown(f"part {number}", "mend it") for number in range(6)]
    assert together(parts).words == "part 0; part 1; part 2; part 3; and 2 more"
    assert together(parts[:2]).words == "part 0; part 1"
    assert together(parts).remedy == "mend it"


def test_grants_may_cover_together() -> None:
    world = plain(territories=["FR", "CH"])
    grant = world.state().grants_for(world.plate)[0]
    world.change(grant, territory=["EU"])
    assert world.outcome("GATE-3") == "fail"
    world.change(grant, id="grant:swiss", territory=["CH"])
    assert world.outcome("GATE-3") == "pass"


def test_a_revocation_to_come_ends_the_term() -> None:
    world = plain(releases=["2027-01-01"])
    grant = world.state().grants_for(world.plate)[0]
    world.change(grant, revoked=AT + timedelta(days=3))
    assert "is revoked from" in world.judge("GATE-3").words


def test_a_replica_and_a_script_need_grants_of_their_own_kind() -> None:
    world = plain()
    double = world.replica()
    script = world.asset("script", "scene 4")
    world.render = world.change(world.render, used=[world.plate, double, script])
    consent, licence = world.consent(double), world.grant(script, uses=["use", "commercial"])
    assert world.outcome("GATE-3") == "pass"
    world.change(consent, uses=["scan"])
    assert 'uses = ["replica"]' in world.judge("GATE-3").remedy
    world.change(consent)
    world.change(licence, uses=["use"])
    assert "scene 4" in world.judge("GATE-3").words


def test_samples_and_models_need_grants_too() -> None:
    world = plain()
    world.model(trained=True)
    assert "sample.jpg" in world.judge("GATE-3").words
    world.grant(world.sample, uses=["train"])
    assert world.outcome("GATE-3") == "pass"
    other = plain()
    model = other.model()
    assert other.outcome("GATE-3") == "pass"
    grant = other.state().grants_for(model)[0]
    other.change(grant, revoked=AT)
    assert other.outcome("GATE-3") == "fail"


# ---- waivers ---------------------------------------------------------------------------------------------


def test_a_waiver_has_a_name_and_a_reason() -> None:
    world = plain()
    world.approve()
    world.change(world.state().grants_for(world.plate)[0], revoked=AT)
    assert not world.clearance().clear
    world.records += waive(world.case(), "GATE-3", by=MARA, role="producer", why="settled by letter")
    cleared = world.clearance()
    assert cleared.clear
    assert [(one.finding.rule, one.decision.why) for one in cleared.waived] == [
        ("GATE-3", "settled by letter")
    ]
    world.cut = world.asset("cut", "corner", id=hashed("corner 2"))  # other pixels, no waiver
    world.step("comp", [world.drawn], [world.cut])
    assert {rule for one in world.clearance().blockers for rule in one.rules} == {"GATE-1", "GATE-3"}


def test_a_waiver_covers_nothing_that_comes_up_later() -> None:
    world = plain()
    world.approve()
    other = world.asset("plate", "second.jpg")
    grant = world.owned(other)
    world.render = world.change(world.render, used=[world.plate, other])
    world.change(world.state().grants_for(world.plate)[0], revoked=AT)
    world.records += waive(world.case(), "GATE-3", by=MARA, role="producer", why="settled by letter")
    assert world.clearance().clear
    world.change(grant, revoked=AT)
    assert [one.rules for one in world.clearance().blockers] == [("GATE-3",)]


def test_the_gates_own_rules_are_waived_one_by_one() -> None:
    world = plain()
    world.change(world.state().grants_for(world.plate)[0], revoked=AT)
    with pytest.raises(FalseworkError, match="cannot be waived for a whole production"):
        waive(world.case(), "GATE-3", by=MARA, role="producer", why="trust me", everywhere=True, until=DAY)


def test_a_waiver_for_the_whole_production() -> None:
    world = World(guilds=[], packs=["netflix"])
    waiver = waive(world.case(), "NFX-8", by=MARA, role="producer", why="agreed", everywhere=True, until=DAY)
    world.records += waiver
    assert "NFX-8" in [one.finding.rule for one in world.clearance().waived]
    world.change(waiver[-1], withdrawn=True)
    assert not world.clearance().waived


def test_a_rejection_takes_back_the_approval_and_an_approval_the_rejection() -> None:
    world = World(packs=[], guilds=[], territories=["CH"])
    world.records += approve(world.case(), by=MARA, role="producer", why="good")
    assert world.outcome("GATE-1") == "pass"
    world.records += reject(world.case(), by=MARA, role="producer", why="the dust is late")
    assert "the dust is late" in world.judge("GATE-1").words
    assert not world.case().approvals
    world.records += approve(world.case(), by=MARA, role="producer", why="good after all")
    assert world.outcome("GATE-1") == "pass"
    with pytest.raises(FalseworkError, match="--reason is empty"):
        reject(world.case(), by=MARA, role="producer", why=" ")


def test_only_what_the_copy_audit_found_is_reviewed() -> None:
    world = World()
    found = world.copy_audit("pass")
    world.add(Finding(id="finding:all", rule="copy audit: all", subject=world.cut, outcome="fail", words="x"))
    world.add(Finding(id="finding:rule", rule="NFX-8", subject=world.cut, outcome="fail", words="x"))
    for name, words in (
        (found.id, "needs no review"),
        ("finding:all", "matter by matter"),
        ("finding:rule", "is a finding of NFX-8"),
        ("finding:none", "no finding of the copy audit"),
        ("", "no finding of the copy audit"),
    ):
        with pytest.raises(FalseworkError, match=words):
            review(world.case(), name, by=MARA, role="lawyer", why="looked")


def test_a_waiver_is_one_productions_own() -> None:
    world, other = World(), World(name="trailer")
    waived = waive(world.case(), "NFX-8", by=MARA, role="producer", why="agreed")
    for one, count in ((world, 1), (other, 0)):
        one.records += waived
        assert len(one.clearance().waived) == count


def test_a_production_wide_waiver_is_for_every_cut() -> None:
    world = World()
    world.records += waive(
        world.case(), "NFX-8", by=MARA, role="producer", why="agreed", everywhere=True, until=DAY
    )
    world.cut = world.asset("cut", "square")
    world.step("comp", [world.drawn], [world.cut])
    assert [one.finding.rule for one in world.clearance().waived] == ["NFX-8"]


@pytest.mark.parametrize(
    ("rule", "by", "why", "words"),
    [
        ("NFX-9", MARA, "so", 'no rule "NFX-9". Did you mean "NFX-'),
        ("SAG-1", MARA, "so", "not a rule of this production"),
        ("GATE-1", MARA, "so", "cannot be waived"),
        ("GATE-3", MARA, "so", "needs no waiver"),
        ("NFX-8", "Owner", "so", "an organisation"),
        ("NFX-8", "party:nobody", "so", "nobody is on record"),
        ("NFX-8", " ", "so", "--by is empty"),
        ("NFX-8", MARA, "  ", "--reason is empty"),
    ],
)
def test_what_cannot_be_waived(rule: str, by: str, why: str, words: str) -> None:
    world = World(packs=["netflix"], guilds=[])
    with pytest.raises(FalseworkError) as error:
        waive(world.case(), rule, by=by, role="producer", why=why)
    assert words in str(error.value)


def test_a_new_name_becomes_a_party() -> None:
    world = plain()
    person, decision = approve(world.case(), by="Zoë Ö. Müller", role="director", why="yes")
    assert isinstance(person, Party)
    assert (person.id, person.type, person.roles) == ("party:zoe.o.muller", "person", ("director",))
    world.records += [person, decision]
    assert approve(world.case(), by="zoë ö. müller", role="director", why="yes")[0] == person
    other, _ = approve(world.case(), by="Zoe O Muller", role="director", why="yes")
    assert other.id != person.id
    assert approve(world.case(), by="王", role="director", why="yes")[0].id.startswith("party:")


def test_two_people_of_one_name_are_told_apart() -> None:
    world = plain()
    world.add(Party(id="party:mara2", type="person", name="Mara Example"))
    with pytest.raises(FalseworkError, match=r"party:mara, party:mara2"):
        approve(world.case(), by="Mara Example", role="producer", why="yes")


@given(st.text(max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_any_name_gives_a_record_or_a_sentence(by: str, role: str, why: str) -> None:
    world = plain()
    try:
        records = approve(world.case(), by=by, role=role, why=why)
    except FalseworkError:
        return
    assert records[-1].type == "approval"  # type: ignore[union-attr]


# ---- impact ----------------------------------------------------------------------------------------------


def test_impact_lists_what_is_made_from_it() -> None:
    world = plain()
    world.approve()
    delivery = world.asset("delivery", "delivery")
    world.step("deliver", [world.cut], [delivery])
    apart = world.asset("cut", "another shot")
    for name in (world.plate, "plate.jpg", world.plate[:20], world.plate[7:20]):
        found = impact(world.state(), name, AT)
        assert [one.asset.id for one in found.affected] == [world.drawn, world.cut, delivery]
        assert [one.asset.id for one in found.reopened] == [world.cut, delivery]
        assert apart not in [one.asset.id for one in found.affected]
    assert len(found.reopened[0].approvals) == 1
    assert impact(world.state(), world.cut, AT).reopened[0].asset.id == world.cut


def test_impact_of_a_revoked_grant() -> None:
    world = plain()
    world.approve()
    grant = world.state().grants_for(world.plate)[0]
    world.change(grant, revoked=AT)
    assert not world.clearance().clear
    found = impact(world.state(), grant.id, AT)
    assert found.lapsed == ((grant.id, "was revoked on 2026-11-22"),)
    assert [one.asset.id for one in found.reopened] == [world.cut]
    assert found.to_json()["reopened"] == [world.cut]


def test_impact_goes_through_training() -> None:
    world = plain()
    world.model(trained=True)
    assert world.cut in [one.asset.id for one in impact(world.state(), "sample.jpg", AT).affected]


def test_impact_tells_of_ones_own_grants_and_of_what_the_grants_production_made() -> None:
    world = plain()
    ours = world.grant(world.plate, id="grant:film:1", revoked=AT)
    theirs = world.grant(world.plate, id="grant:other:1", revoked=AT)
    other = world.asset("cut", "their corner")
    world.step("make", [world.plate], [other], parameters={"production": "other"})
    found = impact(world.state(), world.plate, AT, "film")
    assert [grant for grant, _ in found.lapsed] == [ours.id]
    assert other in [one.asset.id for one in found.affected]  # the plate itself concerns them too
    assert {grant for grant, _ in impact(world.state(), world.plate, AT).lapsed} == {ours.id, theirs.id}
    taken = impact(world.state(), ours.id, AT, "film")
    assert other not in [one.asset.id for one in taken.affected]
    assert world.cut in [one.asset.id for one in taken.affected]


def test_impact_of_nothing_is_a_sentence() -> None:
    with pytest.raises(FalseworkError, match="nothing is on record"):
        impact(plain().state(), "plate.png", AT)


def test_commands_can_be_typed_as_they_stand() -> None:
    world = plain()
    case = Case(world.state(), world.production, world.cut, AT, called="my shots/shot.toml")
    assert "falsework approve 'my shots/shot.toml' --by" in clearance(case).blockers[0].remedy


def test_a_moment_needs_its_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        plain().case(at=AT.replace(tzinfo=None))


def test_a_case_needs_a_cut_on_record() -> None:
    world = plain()
    with pytest.raises(FalseworkError, match="falsework make"):
        Case(world.state(), world.production, "sha256:" + "0" * 64, AT)


# ---- the demo --------------------------------------------------------------------------------------------


def lyon() -> tuple[list[Any], str]:
    """The demo's records as its production file and a run would write them: simulated, drawn, offline."""
    production = load_production(LYON)
    records: list[Any] = production_records(production, LYON)
    granted = [one for one in records if isinstance(one, Grant)]
    files = [asset for grant in granted for asset in grant.assets]
    records += [Asset(id=one, type="plate", name=one[:15]) for one in files]
    texture, drawn, cut = hashed("texture"), hashed("drawn"), hashed("cut")
    records += [
        Asset(id=texture, type="texture", name="brick.jpg"),
        Grant(
            id="grant:brick",
            type="licence",
            given_by="party:textures",
            assets=(texture,),
            uses=("use", "adapt", "commercial"),
            licence="CC0-1.0",
            basis="item",
        ),
        Asset(id=drawn, type="intermediate", name="render"),
        Asset(id=cut, type="cut", name="lyon_corner"),
        Activity(id="a1", type="render", used=(*files, texture), generated=(drawn,), offline=True),
        Activity(id="a2", type="comp", used=(drawn,), generated=(cut,), offline=True),
    ]
    return records, cut


def test_the_demo_lacks_a_human_approval_and_nothing_else() -> None:
    production = load_production(LYON)
    records, cut = lyon()
    case = Case(state_of(records), production, cut, AT)
    refused = clearance(case)
    (blocker,) = refused.blockers
    assert blocker.rules == ("GATE-1", "NFX-4", "NFX-6")
    assert [one.rules for one in refused.pending] == [("EU-50.2",)]
    records += approve(case, by="mara.beispiel", role="VFX supervisor", why="it falls as the brief asks")
    before = clearance(Case(state_of(records), production, cut, AT))
    assert before.verdict == "clear"
    assert not before.clear  # nothing is signed yet
    signed = clearance(Case(state_of(records), production, cut, AT, marked=True))
    assert signed.clear
    assert signed.obligations.licence == "CC-BY-SA-4.0"
    assert any("Métropole de Lyon" in line for line in signed.credits)
    assert signed.credits[-1] == "The fall of the house in Lyon is a digital effect. It stands."
    assert signed.insurable is False  # the plate's licence rests on its platform's word
    assert signed.obligations.platform
    unmarked = clearance(Case(state_of(records), production, cut, AT, marked=False))
    assert [one.rules for one in unmarked.blockers] == [("EU-50.2",)]


def test_the_demo_is_model_free_from_the_records() -> None:
    records, cut = lyon()
    findings = {
        one.rule: one for one in clearance(Case(state_of(records), load_production(LYON), cut, AT)).findings
    }
    for rule in ("NFX-2", "NFX-5", "EU-53", "DSM-4", "CA-2", "USCO"):
        assert findings[rule].outcome == "not applicable"
        assert set(findings[rule].evidence) == {"a1", "a2"}


def test_the_demo_by_way_of_a_ledger(tmp_path: Path) -> None:
    """What was written down and read again is judged the same, and writing it twice adds nothing."""
    production = load_production(LYON)
    records, cut = lyon()
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.append(records, at=AT)
        size = ledger.size
        ledger.append(records, at=AT)
        assert ledger.size == size
        read = Case(State.of(ledger.events()), production, cut, AT)
        findings = evaluate(read)
        assert findings == evaluate(Case(state_of(records), production, cut, AT))
        ledger.append([*findings, *approve(read, by=MARA_OF_LYON, role="VFX supervisor", why="good")], at=AT)
        assert clearance(Case(State.of(ledger.events()), production, cut, AT, marked=True)).clear
        assert not withdrawals(production, records, State.of(ledger.events()), AT)


def test_a_clearance_is_json() -> None:
    import json

    records, cut = lyon()
    case = Case(state_of(records), load_production(LYON), cut, AT)
    value = json.loads(json.dumps(clearance(case).to_json()))
    assert value["verdict"] == "blocked"
    assert value["obligations"]["licence"] == "CC-BY-SA-4.0"
