"""EU, California, the Copyright Office, awards, insurance: pass, fail, unknown and not applicable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rights_cases import AT, MARA, World


def test_eu_50_2_marked_or_not() -> None:
    world = World()
    assert world.outcome("EU-50.2", marked=None) == "unknown"
    assert world.outcome("EU-50.2", marked=False) == "fail"
    assert world.outcome("EU-50.2", marked=True) == "pass"


def test_eu_50_2_begins_in_august_2026() -> None:
    before = datetime(2026, 8, 1, 12, tzinfo=UTC)
    assert World().outcome("EU-50.2", at=before) == "not applicable"
    later = World(releases=["2026-08-02"])
    assert later.outcome("EU-50.2", at=before) == "unknown"


def test_eu_50_4_asks_what_is_shown() -> None:
    world = World()
    assert world.outcome("EU-50.4") == "unknown"
    world.declare(depicts_real_place=False, depicts_real_person=False)
    assert "depicts_real_event" in world.judge("EU-50.4").remedy
    world.declare(depicts_real_event=False)
    assert world.outcome("EU-50.4") == "not applicable"


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({}, "unknown"),
        ({"evidently_artistic": True}, "unknown"),
        ({"evidently_artistic": True, "disclosure": "It stands."}, "pass"),
        ({"evidently_artistic": False, "disclosure": "It stands."}, "fail"),
        ({"evidently_artistic": False, "disclosure": "It stands.", "disclosure_visible": True}, "pass"),
    ],
)
def test_eu_50_4_a_real_place_is_disclosed(facts: dict[str, Any], outcome: str) -> None:
    world = World()
    world.declare(depicts_real_place=True, depicts_real_person=False, depicts_real_event=False, **facts)
    assert world.outcome("EU-50.4") == outcome


def test_eu_50_4_one_yes_leaves_the_others_open() -> None:
    world = World()
    world.declare(depicts_real_place=True, evidently_artistic=True, disclosure="It stands.")
    finding = world.judge("EU-50.4")
    assert finding.outcome == "unknown"
    assert "depicts_real_person = true or false and depicts_real_event" in finding.remedy


def test_eu_53_publishing_a_general_model() -> None:
    assert World().outcome("EU-53") == "not applicable"
    world = World()
    model = world.model()
    assert world.outcome("EU-53") == "unknown"
    published = world.declare(publishes_model=False)
    assert world.outcome("EU-53") == "not applicable"
    world.change(published, facts={"publishes_model": True})
    assert world.outcome("EU-53") == "unknown"
    said = world.declare(model, training_summary="d" * 64)
    assert world.outcome("EU-53") == "unknown"
    world.declare(model, copyright_policy="e" * 64)
    assert world.outcome("EU-53") == "pass"
    world.change(said, facts={"training_summary": False})
    assert world.outcome("EU-53") == "fail"
    assert "no training summary" in world.judge("EU-53").words
    world.change(said, facts={"general_purpose": False})
    assert world.outcome("EU-53") == "not applicable"


@pytest.mark.parametrize("rule", ["NFX-2", "NFX-5", "EU-53", "DSM-4", "CA-2", "USCO", "DGA-1", "IAT-1"])
def test_gaps_in_the_records_do_not_show_that_no_model_was_used(rule: str) -> None:
    world = World()
    assert world.outcome(rule) == "not applicable"
    world.change(world.render, prompt="a house falls")
    assert world.outcome(rule) == "unknown"
    # In another program silence says nothing: somebody has to say that no model was used.
    world = World()
    other = world.change(world.render, tool="Cloud", offline=None, agent=MARA)
    assert world.outcome(rule) == "unknown"
    world.change(other, parameters={"models": []})
    assert world.outcome(rule) == "not applicable"
    world.change(other, parameters={})
    world.declare(generative_ai=False)
    assert world.outcome(rule) == "unknown"  # who declares that does not know what a service elsewhere runs
    world.change(other, parameters={}, offline=True)
    finding = world.judge(rule)
    assert (finding.outcome, "as declared" in finding.words) == ("not applicable", True)
    world = World()
    lost = world.asset("intermediate", "from nowhere")
    world.change(world.render, used=[world.plate, lost])
    assert world.judge(rule).outcome == "unknown"
    assert lost in world.judge(rule).evidence or rule == "NFX-2"


def test_eu_53_a_declared_model_that_is_not_on_record_is_unknown() -> None:
    world = World()
    world.declare(generative_ai=True)
    assert world.outcome("EU-53") == "unknown"


def test_dsm_4_no_model_or_no_scraping() -> None:
    assert World().outcome("DSM-4") == "not applicable"
    world = World()
    model = world.model()
    assert world.outcome("DSM-4") == "unknown"
    world.declare(model, scraped=False)
    assert world.outcome("DSM-4") == "not applicable"


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({}, "unknown"),
        ({"scraped": False}, "not applicable"),
        ({"scraped": True}, "fail"),
        ({"scraped": True, "tdm_snapshot": "f" * 64}, "unknown"),
        ({"scraped": True, "tdm_snapshot": "f" * 64, "tdm_opt_out": False}, "pass"),
        ({"scraped": True, "tdm_snapshot": "f" * 64, "tdm_opt_out": True}, "fail"),
    ],
)
def test_dsm_4_scraped_samples_need_a_snapshot(facts: dict[str, Any], outcome: str) -> None:
    world = World()
    world.model(trained=True)
    if facts:
        world.declare(world.sample, **facts)
    assert world.outcome("DSM-4") == outcome
    world.grant(world.sample, uses=["train"])
    assert world.outcome("DSM-4") == "not applicable"


def test_ca_1_replica_clauses() -> None:
    world = World()
    assert world.outcome("CA-1") == "unknown"
    world.declare(depicts_performer=False)
    assert world.outcome("CA-1") == "not applicable"
    double = world.replica()
    assert world.outcome("CA-1") == "unknown"
    world.declare(double, deceased=False)
    assert world.outcome("CA-1") == "unknown"
    consent = world.consent(double)
    for terms, outcome in (
        ({}, "unknown"),
        ({"specific": False}, "unknown"),
        ({"represented": False}, "unknown"),
        ({"specific": False, "represented": False}, "fail"),
        ({"specific": True}, "pass"),
        ({"represented": True}, "pass"),
        ({"specific": False, "represented": True}, "pass"),
        ({"specific": True, "represented": False}, "pass"),
    ):
        consent = world.change(consent, terms=terms)
        assert world.outcome("CA-1") == outcome, terms
    world.change(consent, document="")
    assert world.outcome("CA-1") == "unknown"


def test_ca_1_the_dead_have_estates() -> None:
    world = World()
    double = world.replica(deceased=True)
    consent = world.consent(double, specific=True, represented=True)
    assert world.outcome("CA-1") == "unknown"
    world.change(consent, terms={"estate": True})
    assert world.outcome("CA-1") == "pass"


def test_ca_2_data_summaries() -> None:
    assert World().outcome("CA-2") == "not applicable"
    world = World()
    model = world.model()
    assert world.outcome("CA-2") == "unknown"
    declared = world.declare(publishes_model=False)
    assert world.outcome("CA-2") == "not applicable"
    world.change(declared, facts={"publishes_model": True})
    assert world.outcome("CA-2") == "unknown"
    said = world.declare(model, training_summary=False)
    assert world.outcome("CA-2") == "fail"
    world.change(said, facts={"training_summary": "a" * 64})
    assert world.outcome("CA-2") == "pass"
    world.declare(model, generative=False)
    assert world.outcome("CA-2") == "not applicable"


def test_usco_warns_of_work_that_nobody_edited() -> None:
    assert World().outcome("USCO") == "not applicable"
    world = World()
    world.model()
    assert world.outcome("USCO") == "unknown"
    world.change(world.render, agent="")
    finding = world.judge("USCO")
    assert finding.outcome == "fail"
    assert finding.details["effect"] == "warns"
    comp = world.change(world.comp, agent=MARA)
    assert world.outcome("USCO") == "pass"
    world.change(comp, agent="")
    world.declare(human_authorship="edit log, folder 12")
    assert world.outcome("USCO") == "pass"


def test_awd_1_disclosure_and_people_in_charge() -> None:
    world = World()
    assert world.outcome("AWD-1") == "unknown"
    world.declare(generative_ai=False)
    assert world.outcome("AWD-1") == "unknown"
    world.approve()
    assert world.outcome("AWD-1") == "pass"
    world.model()
    finding = world.judge("AWD-1")
    assert finding.outcome == "fail"
    assert finding.details["effect"] == "warns"


def test_eo_1_withholds_one_word_only() -> None:
    world = World(packs=["insurance"], guilds=[], territories=["CH"])
    world.approve()
    assert world.outcome("EO-1") == "unknown"
    assert world.clearance().clear
    assert world.clearance().insurable is False
    world.declare(insurer_answers_checked=True)
    assert world.outcome("EO-1") == "pass"
    assert world.clearance().insurable is True
    world.declare(world.cut, insurer_answers_checked=False)
    assert world.outcome("EO-1") == "fail"


def test_what_is_blocked_is_never_insurable() -> None:
    world = World(packs=["insurance"], guilds=[], territories=["CH"])
    world.declare(insurer_answers_checked=True)
    assert world.outcome("EO-1") == "pass"
    assert world.clearance().verdict == "blocked"  # nobody has approved it
    assert world.clearance().insurable is False
    world.approve()
    assert world.clearance().insurable is True


def test_eo_1_looks_at_models_and_their_samples() -> None:
    world = World()
    world.declare(insurer_answers_checked=True)
    world.tool("Painter", indemnity=True)
    model = world.model(offline=True)
    assert world.outcome("EO-1") == "pass"
    world.change(world.state().grants_for(model)[0], basis="platform")
    assert "weights.safetensors" in world.judge("EO-1").words
    world = World()
    world.declare(insurer_answers_checked=True)
    world.tool("Painter", indemnity=True)
    world.model(trained=True, offline=True)
    assert "sample.jpg" in world.judge("EO-1").words
    world.grant(world.sample, uses=["train"])
    assert world.outcome("EO-1") == "pass"


def test_eo_1_another_grant_for_another_use_does_not_mend_a_platforms_word() -> None:
    world = World()
    world.declare(insurer_answers_checked=True)
    world.change(world.state().grants_for(world.plate)[0], basis="platform")
    world.grant(world.plate, uses=["scan"], basis="contract")
    assert world.outcome("EO-1") == "fail"


def test_eo_1_a_platforms_general_statement_is_no_title() -> None:
    world = World()
    world.declare(insurer_answers_checked=True)
    world.change(world.state().grants_for(world.plate)[0], basis="platform")
    finding = world.judge("EO-1")
    assert finding.outcome == "fail"
    assert "plate.jpg" in finding.words
    world.grant(world.plate, uses=["any"], basis="contract")
    assert world.outcome("EO-1") == "pass"


def test_eo_1_names_every_grant_that_rests_on_a_platforms_word() -> None:
    world = World()
    world.declare(insurer_answers_checked=True)
    world.change(world.state().grants_for(world.plate)[0], basis="platform")
    bricks = world.asset("texture", "brick.jpg")
    world.grant(bricks, uses=["any"], basis="platform")
    world.step("render", [bricks], [world.drawn])
    words = world.judge("EO-1").words
    assert words.startswith(
        'the grants for "plate.jpg" and "brick.jpg" rest on a platform\'s general statement'
    )
    more = [world.asset("texture", f"wall {number}.jpg") for number in range(5)]
    world.grant(*more, uses=["any"], basis="platform")
    world.step("render", more, [world.drawn])
    words = world.judge("EO-1").words
    assert words.startswith('the grants for "plate.jpg", ')
    assert " and 3 more rest on" in words
    world.change(world.state().grants_for(bricks)[0], ends=AT)
    words = world.judge("EO-1").words
    assert 'the title to "brick.jpg" is not clean' in words
    assert 'the grants for "plate.jpg", ' in words


def test_eo_1_asks_for_commercial_use_only_where_there_is_any() -> None:
    for commercial, outcome in ((True, "fail"), (False, "pass")):
        world = World(commercial=commercial)
        world.declare(insurer_answers_checked=True)
        world.change(world.state().grants_for(world.plate)[0], uses=["use", "adapt"])
        assert world.outcome("EO-1") == outcome


def test_eo_1_models_need_an_indemnity() -> None:
    world = World()
    world.declare(insurer_answers_checked=True)
    world.model(offline=True)
    assert world.outcome("EO-1") == "unknown"
    world.tool("Painter", indemnity=True)
    assert world.outcome("EO-1") == "pass"


def test_eo_1_needs_title_and_register() -> None:
    world = World()
    world.declare(insurer_answers_checked=True)
    assert world.outcome("EO-1") == "pass"
    grant = world.state().grants_for(world.plate)[0]
    world.change(grant, revoked=AT)
    assert world.outcome("EO-1") == "fail"
    world.change(grant, assets=[])
    assert world.outcome("EO-1") == "unknown"
    world.change(grant)
    world.render = world.change(world.render, offline=None, tool="Roto")
    assert 'tool "Roto"' in world.judge("EO-1").words
    world.tool("Roto")
    assert world.outcome("EO-1") == "pass"
    lost = world.asset("intermediate", "from nowhere")
    world.change(world.render, used=[world.plate, lost])
    assert world.outcome("EO-1") == "unknown"


def test_eo_1_is_not_applicable_only_where_nobody_insures() -> None:
    world = World(packs=[], guilds=[])
    assert "EO-1" not in {finding.rule for finding in world.clearance().findings}
    assert world.clearance().insurable is None


def test_a_term_without_a_day_of_release_is_unknown() -> None:
    world = World()
    grant = world.state().grants_for(world.plate)[0]
    world.change(grant, ends="2027-03-02T00:00:00Z")
    finding = world.judge("GATE-3")
    assert finding.outcome == "unknown"
    assert "ends by 2027-03-01" in finding.words
    assert "until = DATE" in finding.remedy
    lasting = world.owned(world.plate)
    assert world.outcome("GATE-3") == "pass"
    world.change(lasting, ends="2030-01-01T00:00:00Z")
    assert world.outcome("GATE-3") == "unknown"
    shown = World(until="2027-01-01")
    shown.change(shown.state().grants_for(shown.plate)[0], ends="2027-03-02T00:00:00Z")
    assert shown.outcome("GATE-3") == "pass"


def test_a_term_must_reach_the_release() -> None:
    world = World(releases=["2027-03-01"])
    grant = world.state().grants_for(world.plate)[0]
    world.change(grant, ends="2027-03-01T00:00:00Z")
    finding = world.judge("GATE-3", at=AT)
    assert finding.outcome == "fail"
    assert "ends on 2027-02-28" in finding.words
    world.change(grant, ends="2027-03-02T00:00:00Z")
    assert world.outcome("GATE-3", at=AT) == "pass"
