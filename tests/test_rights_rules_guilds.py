"""The guilds' rules: pass, fail, unknown and not applicable, each from records alone."""

from __future__ import annotations

from typing import Any

import pytest

from falsework.rights.records import Party
from rights_cases import AT, MARA, World

TERMS = {
    "conspicuous": True,
    "specific": True,
    "business_reason": "stunt",
    "payment": "PO-12",
    "notice_hours": 48,
}


def test_wga_1_facts_are_needed() -> None:
    world = World()
    assert world.outcome("WGA-1") == "unknown"
    world.declare(literary_material=False)
    assert world.outcome("WGA-1") == "not applicable"


def test_wga_1_scripts_have_authors() -> None:
    world = World()
    script = world.asset("script", "scene 4")
    world.change(world.render, used=[world.plate, script])
    world.declare(literary_material=False)  # the records know better
    assert world.outcome("WGA-1") == "unknown"
    world.declare(ai_written_script=False)
    finding = world.judge("WGA-1")
    assert finding.outcome == "unknown"
    assert "authors" in finding.words
    world.asset("script", "scene 4", creator="A. Writer")
    assert world.outcome("WGA-1") == "unknown"  # nobody says how the writers fared
    disclosed = world.declare(ai_material_disclosed=True)
    assert "made to use" in world.judge("WGA-1").words
    free = world.declare(writers_made_to_use_ai=False)
    assert world.outcome("WGA-1") == "pass"
    world.change(free, facts={"writers_made_to_use_ai": True})
    assert world.outcome("WGA-1") == "fail"
    world.change(free)
    world.change(disclosed, facts={"ai_material_disclosed": False})
    assert world.outcome("WGA-1") == "fail"


def test_wga_1_a_models_draft_typed_anew_is_still_a_models() -> None:
    world = World()
    world.declare(ai_written_script=False, ai_material_disclosed=True, writers_made_to_use_ai=False)
    model, draft = world.asset("model", "language model"), world.asset("intermediate", "draft")
    script = world.asset("script", "scene 4", creator="A. Writer")
    world.step("write", [model], [draft])
    world.step("edit", [draft], [script])
    world.change(world.render, used=[world.plate, script])
    assert world.outcome("WGA-1") == "fail"


def test_wga_1_what_a_model_wrote_fails() -> None:
    world = World()
    world.declare(ai_written_script=True)
    assert world.outcome("WGA-1") == "fail"
    world = World()
    world.declare(ai_written_script=False)
    script = world.asset("script", "scene 4", creator="A. Writer")
    world.change(world.render, used=[world.plate, script])
    world.step("rewrite", [], [script], prompt="make it shorter")
    assert world.outcome("WGA-1") == "fail"


def test_gld_2_notice_before_covered_material_trains() -> None:
    world = World()
    assert world.outcome("GLD-2") == "unknown"
    world.declare(covered_material_for_training=False)
    assert world.outcome("GLD-2") == "not applicable"
    take = world.asset("sample", "a performance", facts={"covered": True})
    weights = world.asset("model", "weights")
    world.step("training", [take], [weights])
    assert world.outcome("GLD-2") == "fail"
    everybody = "WGA, SAG-AFTRA and the DGA"
    world.notice("GLD-2", sent="2027-01-01", to=everybody)
    assert world.outcome("GLD-2") == "fail"
    world.notice("GLD-2", to=everybody)
    assert world.outcome("GLD-2") == "unknown"  # a notice is no bargain
    bargain = world.review("GLD-2", bargained=True)
    assert world.outcome("GLD-2") == "pass"
    world.change(bargain, facts={"bargained": False})
    assert world.outcome("GLD-2") == "fail"


def test_gld_2_each_guild_is_told() -> None:
    world = World()
    world.declare(covered_material_for_training=True)
    for to, missing in (
        ("somebody", "WGA and SAG-AFTRA and DGA"),
        ("the wga, west", "SAG-AFTRA and DGA"),
        ("DGA", "SAG-AFTRA"),
        ("SAG-AFTRANS", "SAG-AFTRA"),
    ):
        world.notice("GLD-2", to=to)
        assert f"no notice to {missing} is on record" in world.judge("GLD-2").words
    world.notice("GLD-2", to="SAG-AFTRA")
    world.review("GLD-2", bargained=True)
    assert world.outcome("GLD-2") == "pass"
    other = World(guilds=["dga"])
    other.declare(covered_material_for_training=True)
    other.notice("GLD-2", to="DGA")
    other.review("GLD-2", bargained=True)
    assert other.outcome("GLD-2") == "pass"


@pytest.mark.parametrize(("rule", "use"), [("SAG-1", "replica"), ("IMA-1", "interactive")])
def test_performers_consent(rule: str, use: str) -> None:
    world = World()
    assert world.outcome(rule) == "unknown"
    world.declare(interactive=True, depicts_performer=False)
    assert world.outcome(rule) == "not applicable"
    double = world.replica()
    assert world.outcome(rule) == "unknown"  # nobody says whether there is a strike
    world.declare(strike=False)
    assert world.outcome(rule) == "unknown"
    consent = world.consent(double, uses=(use,), **TERMS)
    assert world.outcome(rule) == "pass"
    world.change(consent, ends=AT)
    assert world.outcome(rule) == "fail"


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"notice_hours": 24}, "fail"),
        ({"notice_hours": True}, "fail"),  # a yes is no number of hours
        ({"specific": False}, "fail"),
        ({"payment": ""}, "fail"),
        ({"payment": None}, "unknown"),
        ({"conspicuous": None}, "unknown"),
        ({"conspicuous": False}, "fail"),
        ({"notice_hours": None}, "unknown"),
        ({"business_reason": None}, "unknown"),
        ({"notice_hours": 72.5}, "pass"),
    ],
)
def test_sag_1_every_term_counts(change: dict[str, Any], outcome: str) -> None:
    world = World()
    world.declare(strike=False)
    terms = {name: value for name, value in (TERMS | change).items() if value is not None}
    world.consent(world.replica(), **terms)
    assert world.outcome("SAG-1") == outcome


def test_sag_1_of_two_consents_the_better_counts() -> None:
    world = World()
    world.declare(strike=False)
    double = world.replica()
    world.consent(double, **(TERMS | {"specific": False}))
    assert world.outcome("SAG-1") == "fail"
    open_ = world.consent(double, specific=True)
    assert world.outcome("SAG-1") == "unknown"
    world.change(open_, terms=TERMS)
    assert world.outcome("SAG-1") == "pass"


def test_sag_1_no_scan_no_notice() -> None:
    world = World()
    world.declare(strike=False)
    terms = {name: value for name, value in TERMS.items() if name != "notice_hours"}
    world.consent(world.replica(scanned=False), **terms)
    assert world.outcome("SAG-1") == "pass"


def test_sag_1_replicas_rest_in_strikes() -> None:
    world = World()
    world.consent(world.replica(), **TERMS)
    world.declare(strike=True)
    assert world.outcome("SAG-1") == "fail"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"territory": ["FR"]}, "worldwide"),
        ({"starts": "2027-01-01T00:00:00Z"}, "begins only on 2027-01-01"),
        ({"ends": "2026-11-01T00:00:00Z"}, "ended on 2026-10-31"),
        ({"revoked": "2026-11-01T00:00:00Z", "revoked_why": "changed her mind"}, "changed her mind"),
        ({"uses": ["scan"]}, '"replica"'),
    ],
)
def test_sag_1_consent_has_its_scope(change: dict[str, Any], words: str) -> None:
    world = World()
    world.declare(strike=False)
    world.change(world.consent(world.replica(), **TERMS), **change)
    finding = world.judge("SAG-1")
    assert finding.outcome == "fail"
    assert words in finding.words


def test_ima_1_no_interactive_use() -> None:
    world = World()
    world.declare(interactive=False)
    world.replica()
    assert world.outcome("IMA-1") == "not applicable"


def test_sag_2_synthetic_performers() -> None:
    world = World()
    assert world.outcome("SAG-2") == "unknown"
    declared = world.declare(synthetic_performer=False)
    assert world.outcome("SAG-2") == "not applicable"
    world.declare(world.plate, generated_human=True)
    assert world.outcome("SAG-2") == "pass"
    world.change(declared, facts={"synthetic_performer": True})
    assert world.outcome("SAG-2") == "fail"
    world.notice("SAG-2", to="SAG-AFTRA")
    assert world.outcome("SAG-2") == "fail"
    world.review("SAG-2", bargained=True)
    other = World()
    other.declare(synthetic_performer=True)
    other.review("SAG-2", bargained=True)
    other.notice("SAG-2", to="the buyer")
    assert other.outcome("SAG-2") == "fail"
    assert world.outcome("SAG-2") == "pass"


def test_sag_2_a_generated_human_is_unknown_until_classified() -> None:
    world = World()
    world.declare(world.plate, generated_human=True)
    assert world.outcome("SAG-2") == "unknown"


def test_sag_3_access_is_logged_and_by_name() -> None:
    world = World()
    assert world.outcome("SAG-3") == "unknown"
    world.declare(digital_replica=False)
    assert world.outcome("SAG-3") == "not applicable"
    double = world.replica()
    assert world.outcome("SAG-3") == "fail"
    world.render = world.change(world.render, agent=MARA)
    assert world.outcome("SAG-3") == "unknown"
    world.declare(double, access_log="c" * 64)
    assert world.outcome("SAG-3") == "pass"


def test_sag_3_whoever_receives_it_takes_over_the_duties() -> None:
    world = World()
    double = world.replica(access_log="c" * 64)
    world.change(world.render, agent=MARA)
    world.step("export", [double], [], agent=MARA)
    assert world.outcome("SAG-3") == "unknown"
    consent = world.consent(double)
    assert world.outcome("SAG-3") == "unknown"
    world.change(consent, terms={"transfer": True})
    assert world.outcome("SAG-3") == "pass"


def test_dga_1_the_director_is_consulted() -> None:
    assert World().outcome("DGA-1") == "not applicable"
    world = World()
    world.model()
    assert world.outcome("DGA-1") == "unknown"
    world.declare(director_consulted=True)
    assert world.outcome("DGA-1") == "unknown"
    world.declare(ai_disclosed_at_hiring=True)
    assert world.outcome("DGA-1") == "pass"
    world.declare(world.cut, director_consulted=False)
    assert world.outcome("DGA-1") == "fail"


def test_iat_1_a_named_person_runs_every_model() -> None:
    assert World().outcome("IAT-1") == "not applicable"
    world = World()
    world.model()
    assert world.outcome("IAT-1") == "unknown"
    world.declare(crew_notified=True, crew_consulted=True, prompts_displace_crew=False)
    assert world.outcome("IAT-1") == "pass"
    world.render = world.change(world.render, agent="")
    assert world.outcome("IAT-1") == "fail"
    world.add(Party(id="party:robot", type="organisation", name="Render farm"))
    world.change(world.render, agent="party:robot")
    assert world.outcome("IAT-1") == "fail"


@pytest.mark.parametrize(("notified", "displaced"), [(False, False), (True, True)])
def test_iat_1_the_crew_is_told_and_keeps_its_work(notified: bool, displaced: bool) -> None:
    world = World()
    world.model()
    world.declare(crew_notified=notified, crew_consulted=True, prompts_displace_crew=displaced)
    assert world.outcome("IAT-1") == "fail"


def test_iat_1_to_be_told_is_not_to_be_consulted() -> None:
    world = World()
    world.model()
    world.declare(crew_notified=True, prompts_displace_crew=False)
    assert world.outcome("IAT-1") == "unknown"
    world.declare(crew_consulted=False)
    assert world.outcome("IAT-1") == "fail"


def test_iat_1_scans_have_their_own_consent() -> None:
    world = World()
    world.model(talent=True)
    world.declare(crew_notified=True, crew_consulted=True, prompts_displace_crew=False)
    assert world.outcome("IAT-1") == "unknown"
    world.consent(world.render.models[0], uses=("scan",))
    assert world.outcome("IAT-1") == "pass"
