"""Netflix's rules: pass, fail, unknown and not applicable, each from records alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from falsework.rights.declarations import production_records
from falsework.rights.gate import review
from falsework.rights.records import Activity
from rights_cases import AT, MARA, World


def test_nfx_1_every_use_is_declared() -> None:
    world = World()
    assert world.outcome("NFX-1") == "unknown"
    said = world.declare(generative_ai=False)
    assert world.judge("NFX-1").evidence == (said.id,)
    assert world.outcome("NFX-1") == "pass"


def test_nfx_1_an_undeclared_run_fails() -> None:
    world = World()
    world.declare(generative_ai=False)
    model = world.model()
    finding = world.judge("NFX-1")
    assert finding.outcome == "fail"
    assert model in finding.evidence
    assert "weights.safetensors" in finding.words


def test_nfx_1_a_detector_is_no_generative_model() -> None:
    world = World()
    world.declare(generative_ai=False)
    world.model(generative=False)
    assert world.outcome("NFX-1") == "pass"


def test_nfx_1_each_model_needs_a_dated_notice() -> None:
    world = World()
    world.declare(generative_ai=True)
    assert world.outcome("NFX-1") == "unknown"
    model = world.model()
    assert world.outcome("NFX-1") == "fail"
    world.notice("NFX-1", model, sent="2027-01-01")  # not yet sent
    assert world.outcome("NFX-1") == "fail"
    world.notice("NFX-1", model)
    assert world.outcome("NFX-1") == "pass"


def test_nfx_1_notices_that_name_no_model_on_record_do_not_pass() -> None:
    world = World()
    world.declare(generative_ai=True)
    world.notice("NFX-1")
    finding = world.judge("NFX-1")
    assert finding.outcome == "unknown"
    assert "[[activities]]" in finding.remedy


def test_nfx_1_a_prompt_without_its_model_is_a_gap() -> None:
    world = World()
    world.declare(generative_ai=False)
    world.change(world.render, prompt="a falling house")
    assert world.outcome("NFX-1") == "unknown"


def test_nfx_1_people_who_disagree_leave_it_open() -> None:
    world = World()
    world.declare(generative_ai=False)
    world.declare(generative_ai=True)
    finding = world.judge("NFX-1")
    assert finding.outcome == "unknown"
    assert "disagree" in finding.words


def test_nfx_2_without_a_model_there_is_nothing_to_copy_from() -> None:
    world = World()
    finding = world.judge("NFX-2")
    assert finding.outcome == "not applicable"
    assert set(finding.evidence) == set(world.state().activities)


def test_nfx_2_a_model_or_a_protected_set_needs_an_audit() -> None:
    assert World(protected={"folder": "protected"}).outcome("NFX-2") == "unknown"
    world = World()
    world.model(trained=True)
    assert world.outcome("NFX-2") == "unknown"
    world.copy_audit("pass")
    assert world.outcome("NFX-2") == "pass"


@pytest.mark.parametrize("audit", ["fail", "unknown"])
def test_nfx_2_a_hit_stands_until_a_person_settles_it(audit: str) -> None:
    world = World()
    world.model(trained=True)
    finding = world.copy_audit(audit)
    assert world.outcome("NFX-2") == audit
    world.review("NFX-2", "film", resolved=True)  # of everything, whatever comes: settles nothing
    assert world.outcome("NFX-2") == audit
    world.decide("review", finding.id, facts={"resolved": True})
    assert world.outcome("NFX-2") == "pass"
    world.review("NFX-2", world.cut, resolved=False)
    assert world.outcome("NFX-2") == "fail"


def test_nfx_2_an_audit_holds_for_the_set_it_compared() -> None:
    world = World()
    model = world.model(trained=True)
    world.copy_audit("pass")
    assert world.outcome("NFX-2") == "pass"
    late = world.asset("sample", "late.jpg")
    world.step("training", [late], [model])
    finding = world.judge("NFX-2")
    assert finding.outcome == "unknown"
    assert "falsework audit" in finding.remedy
    world.copy_audit("pass")
    assert world.outcome("NFX-2") == "pass"


def test_nfx_2_a_picture_that_joins_the_protected_set_reopens_it(tmp_path: Path) -> None:
    world = World(protected={"folder": "kept"})
    kept = tmp_path / "kept"
    kept.mkdir()

    def declared() -> list[Any]:
        return production_records(world.production, tmp_path, world.state())

    (kept / "one.png").write_bytes(b"one")
    world.records += declared()
    world.copy_audit("pass")
    assert world.outcome("NFX-2") == "pass"
    (kept / "two.png").write_bytes(b"two")
    world.records += declared()
    assert world.outcome("NFX-2") == "unknown"
    (kept / "two.png").unlink()
    world.records += declared()
    assert world.outcome("NFX-2") == "pass"


def test_nfx_2_samples_that_nobody_has_do_not_pass() -> None:
    world = World()
    world.model()
    world.copy_audit("pass")
    assert "not on record" in world.judge("NFX-2").words
    world = World()
    model = world.model(trained=True)
    world.copy_audit("pass")
    world.asset("sample", "sample.jpg", path="")
    assert "not at hand" in world.judge("NFX-2").words
    assert world.outcome("NFX-2") == "unknown"
    world.declare(model, generative=False)
    assert world.outcome("NFX-2") == "unknown"


def test_nfx_2_a_review_settles_what_was_found_and_nothing_later() -> None:
    world = World()
    world.model(trained=True)
    finding = world.copy_audit("fail")
    said = review(world.case(), finding.id[:16], by=MARA, role="lawyer", why="a common brick wall")
    world.records += said
    assert world.outcome("NFX-2") == "pass"
    world.change(finding, words="sample 4 at PDQ 3")
    assert world.outcome("NFX-2") == "fail"
    world.records += review(
        world.case(), finding.id, by=MARA, role="lawyer", why="it is theirs", resolved=False
    )
    assert world.outcome("NFX-2") == "fail"


def test_nfx_3_offline_steps_pass() -> None:
    assert World().outcome("NFX-3") == "pass"


def test_nfx_3_no_step_on_record_is_unknown() -> None:
    world = World()
    world.records = [one for one in world.records if not isinstance(one, Activity)]
    assert world.outcome("NFX-3") == "unknown"


@pytest.mark.parametrize(
    ("terms", "document", "outcome"),
    [
        (None, "", "unknown"),
        ({"offline": True}, "", "pass"),
        ({"stores_inputs": False, "reuses_inputs": False, "trains_on_inputs": False}, "b" * 64, "pass"),
        ({"stores_inputs": False, "reuses_inputs": False, "trains_on_inputs": False}, "", "unknown"),
        ({"stores_inputs": False}, "b" * 64, "unknown"),
        ({"stores_inputs": False, "trains_on_inputs": True}, "b" * 64, "fail"),
    ],
)
def test_nfx_3_a_tool_is_registered_with_its_terms(
    terms: dict[str, bool] | None, document: str, outcome: str
) -> None:
    world = World()
    world.change(world.render, offline=None, tool="Roto Cloud")
    if terms is not None:
        world.tool("roto cloud", document=document, **terms)
    assert world.outcome("NFX-3") == outcome


def test_nfx_3_terms_that_were_taken_back_do_not_count() -> None:
    world = World()
    world.change(world.render, offline=None, tool="Roto")
    tool = world.tool("Roto", offline=True)
    world.change(tool, revoked=AT)
    assert world.outcome("NFX-3") == "unknown"


def test_nfx_3_training_is_a_step_too() -> None:
    world = World()
    model = world.model(trained=True, offline=True)
    training = next(one for one in world.state().made_by(model))
    world.change(training, offline=None, tool="Rented GPUs")
    assert world.outcome("NFX-3") == "unknown"


def test_nfx_4_the_approval_is_of_these_pixels() -> None:
    world = World()
    finding = world.judge("NFX-4")
    assert finding.outcome == "unknown"
    assert "falsework approve corner" in finding.remedy
    old = world.asset("cut", "old version")
    world.approve(old)
    assert world.outcome("NFX-4") == "unknown"
    world.approve()
    assert world.outcome("NFX-4") == "pass"


def test_nfx_4_what_is_prominent_needs_more() -> None:
    world = World()
    world.model()
    world.approve()
    assert world.outcome("NFX-4") == "unknown"
    background = world.declare(prominent=False)
    assert world.outcome("NFX-4") == "pass"
    world.change(background, withdrawn=True)
    world.declare(prominent=True)
    assert world.outcome("NFX-4") == "unknown"
    half = world.review("NFX-4", cut=world.cut, legal_review=True, human_input=" ")
    assert world.outcome("NFX-4") == "unknown"
    said = {"cut": world.cut, "human_input": "timing and framing"}
    world.change(half, facts={**said, "legal_review": False})
    assert world.outcome("NFX-4") == "fail"
    world.change(half, facts={**said, "legal_review": True})
    assert world.outcome("NFX-4") == "pass"
    # A review that names no cut, or another, says nothing of this one.
    for cut in ({}, {"cut": world.plate}):
        world.change(half, facts={"legal_review": True, "human_input": "timing", **cut})
        assert world.outcome("NFX-4") == "unknown"
        assert f'cut = "{world.cut}"' in world.judge("NFX-4").remedy
    # A no that names none is of all cuts, whatever another review says of this one.
    world.change(half, facts={**said, "legal_review": True})
    assert world.outcome("NFX-4") == "pass"
    at_large = world.review("NFX-4", legal_review=False)
    assert world.outcome("NFX-4") == "fail"
    assert "names no cut is of all" in world.judge("NFX-4").remedy
    world.change(at_large, facts={"legal_review": False, "cut": world.plate})
    assert world.outcome("NFX-4") == "pass"


def test_nfx_4_what_was_rejected_fails() -> None:
    world = World()
    world.approve()
    world.decide("rejection", world.cut)
    assert world.outcome("NFX-4") == "fail"


@pytest.mark.parametrize("silent", ["declared", "hosted"])
def test_nfx_4_a_model_nobody_named_is_asked_about_too(silent: str) -> None:
    world = World()
    world.approve()
    if silent == "declared":
        world.declare(generative_ai=True)
    else:
        world.render = world.change(world.render, tool="Cloud", offline=None)
    assert world.outcome("NFX-4") == "unknown"
    world.declare(prominent=True)
    assert world.outcome("NFX-4") == "unknown"


def test_nfx_4_an_organisation_cannot_approve() -> None:
    world = World()
    world.decide("approval", world.cut, by="party:owner")
    assert world.outcome("NFX-4") == "unknown"
    world.decide("approval", world.cut, by="party:nobody")
    assert world.outcome("NFX-4") == "unknown"


def test_nfx_5_samples_need_grants_for_training() -> None:
    assert World().outcome("NFX-5") == "not applicable"
    world = World()
    world.model(trained=True, offline=True)
    assert world.outcome("NFX-5") == "unknown"
    grant = world.grant(world.sample, uses=["use"])
    assert world.outcome("NFX-5") == "fail"
    grant = world.change(grant, uses=["train"])
    assert world.outcome("NFX-5") == "pass"
    world.change(grant, revoked=AT)
    assert world.outcome("NFX-5") == "fail"


def test_nfx_5_an_unrecorded_sample_is_not_overlooked() -> None:
    world = World()
    model = world.model(trained=True)
    world.grant(world.sample, uses=["train"])
    training = world.state().made_by(model)[0]
    lost = "sha256:" + "0" * 64
    world.change(training, used=[world.sample, lost])
    assert world.outcome("NFX-5") == "unknown"
    world.grant(lost, uses=["train"])  # a grant for bytes that nobody has on record
    assert world.outcome("NFX-5") == "unknown"


def test_nfx_5_a_model_from_elsewhere_needs_its_makers_word() -> None:
    world = World()
    model = world.model(offline=True)
    assert world.outcome("NFX-5") == "unknown"
    grant = world.grant(model, basis="contract", terms={"trained_on_licensed": False})
    assert world.outcome("NFX-5") == "fail"
    world.change(grant, terms={"trained_on_licensed": True})
    assert world.outcome("NFX-5") == "unknown"  # said, and not in writing
    world.change(grant, terms={"trained_on_licensed": True}, document="c" * 64)
    assert world.outcome("NFX-5") == "pass"


def test_nfx_5_a_base_model_is_asked_too() -> None:
    world = World()
    model = world.model(trained=True)
    world.grant(world.sample, uses=["train"])
    base = world.asset("model", "base")
    world.change(world.state().made_by(model)[0], used=[world.sample, base])
    finding = world.judge("NFX-5")
    assert finding.outcome == "unknown"
    assert '"base"' in finding.words


def test_nfx_5_private_inputs_need_approval_or_an_enterprise_tool() -> None:
    world = World()
    model = world.model()
    world.grant(model, terms={"trained_on_licensed": True}, document="c" * 64)
    assert "nobody has declared" in world.judge("NFX-5").words
    world.declare(world.plate, personal=False)
    assert world.outcome("NFX-5") == "unknown"
    harmless = world.declare(world.plate, proprietary=False)
    assert world.outcome("NFX-5") == "pass"
    world.change(harmless, facts={"proprietary": True})
    assert world.outcome("NFX-5") == "unknown"
    tool = world.tool("Painter", enterprise=True)
    assert world.outcome("NFX-5") == "pass"
    world.change(tool, revoked=AT)
    world.review("NFX-5")
    assert world.outcome("NFX-5") == "pass"


def test_nfx_6_a_key_visual_needs_approval() -> None:
    world = World()
    assert world.outcome("NFX-6") == "unknown"
    world.declare(world.production.scope("corner"), key_visual=True)
    assert "falsework approve" in world.judge("NFX-6").remedy
    world.approve()
    assert world.outcome("NFX-6") == "pass"
    other = World()
    other.declare(key_visual=False)
    assert other.outcome("NFX-6") == "not applicable"


@pytest.mark.parametrize(
    ("prompt", "outcome"),
    [
        ("a house falls, in the style of a famous painter", "fail"),
        ("a house falls on MARA EXAMPLE", "fail"),
        ("the Blue Tower falls", "fail"),
        ("a house falls on Old Poster", "fail"),
        ("a house falls beside blue towers", "unknown"),
        ("a house falls", "unknown"),
    ],
)
def test_nfx_6_prompts_are_read_by_a_person(prompt: str, outcome: str) -> None:
    world = World(protected={"names": ["Blue Tower"]})
    world.declare(key_visual=False)
    world.asset("protected", "Old Poster")
    world.model()
    world.render = world.change(world.render, prompt=prompt)
    finding = world.judge("NFX-6")
    assert finding.outcome == outcome
    digest = finding.remedy.split('prompts = "')[1].split('"')[0]
    world.review("NFX-6", prompts=digest)
    assert world.outcome("NFX-6") == "pass"
    world.change(world.render, prompt=prompt + " at night")  # the review does not cover what it did not see
    assert world.outcome("NFX-6") == outcome


def test_nfx_7_without_a_declared_fact_nothing_is_assumed() -> None:
    world = World()
    assert world.outcome("NFX-7") == "unknown"
    world.declare(depicts_performer=True)
    assert world.outcome("NFX-7") == "unknown"
    world.declare(world.cut, depicts_performer=False)
    assert world.outcome("NFX-7") == "not applicable"
    world.declare(world.cut, digital_replica=True)
    assert world.outcome("NFX-7") == "unknown"


def test_nfx_7_a_replica_needs_consent_and_serves_one_production() -> None:
    world = World()
    world.declare(digital_replica=False)  # the records know better
    double = world.replica()
    assert world.outcome("NFX-7") == "unknown"
    world.declare(double, production="film")
    assert world.outcome("NFX-7") == "unknown"
    consent = world.consent(double)
    assert world.outcome("NFX-7") == "pass"
    world.change(consent, revoked=AT)
    assert world.outcome("NFX-7") == "fail"
    world.declare(double, unsafe_for_humans=True)
    assert world.outcome("NFX-7") == "pass"


def test_nfx_7_another_productions_double_fails() -> None:
    world = World()
    double = world.replica(production="the film before")
    world.consent(double)
    assert world.outcome("NFX-7") == "fail"


def test_nfx_7_a_model_of_one_person_is_a_replica() -> None:
    world = World()
    world.model(talent=True, production="film")
    assert world.outcome("NFX-7") == "unknown"


def test_nfx_8_real_events_and_union_work() -> None:
    world = World()
    assert world.outcome("NFX-8") == "unknown"
    world.declare(mistakable_for_real=False)
    assert world.outcome("NFX-8") == "unknown"
    world.declare(displaces_union_work=False)
    assert world.outcome("NFX-8") == "pass"


@pytest.mark.parametrize(
    ("fact", "other", "review"),
    [
        ("mistakable_for_real", "displaces_union_work", "editorial"),
        ("displaces_union_work", "mistakable_for_real", "labour"),
    ],
)
def test_nfx_8_sign_offs(fact: str, other: str, review: str) -> None:
    world = World()
    world.declare(**{fact: True, other: False})
    assert world.outcome("NFX-8") == "fail"
    world.review("NFX-8", **{review: True})
    assert world.outcome("NFX-8") == "pass"
